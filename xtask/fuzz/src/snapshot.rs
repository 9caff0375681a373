//! Snapshots (row F67): any differential becomes a snapshot or a fault, within its limits, the same each
//! time; a definition of which a snapshot was made is a profile that can be asked for.

use crate::{choices::Choices, package};
use definitions::Package;
use fhir::{
    json::{Tree, Writer},
    schema::{self, Definitions, ElementDefinition, TypeKind},
};

/// What differentials are upon: types, profiles, one profile with slices upon slices.
const BASES: [(&str, &str); 10] = [
    ("Observation", "http://hl7.org/fhir/StructureDefinition/Observation"),
    ("Observation", "http://hl7.org/fhir/us/pacio-pfe/StructureDefinition/pfe-observation-single"),
    ("Observation", "http://hl7.org/fhir/us/core/StructureDefinition/us-core-blood-pressure"),
    ("Patient", "http://hl7.org/fhir/us/core/StructureDefinition/us-core-patient|6.1.0"),
    ("Extension", "http://hl7.org/fhir/StructureDefinition/Extension"),
    ("Extension", "http://hl7.org/fhir/us/core/StructureDefinition/us-core-race"),
    ("Bundle", "http://hl7.org/fhir/StructureDefinition/Bundle"),
    ("Questionnaire", "http://hl7.org/fhir/StructureDefinition/Questionnaire"),
    ("Quantity", "http://hl7.org/fhir/StructureDefinition/Quantity"),
    ("Observation", "http://t/b"),
];

/// Members of an element, as differentials have them.
const MEMBERS: [(&str, &str); 24] = [
    ("min", "1"),
    ("min", "0"),
    ("max", "\"1\""),
    ("max", "\"0\""),
    ("max", "\"*\""),
    ("max", "\"-1\""),
    ("mustSupport", "true"),
    ("type", "[{\"code\":\"Quantity\"}]"),
    ("type", "[{\"code\":\"string\"},{\"code\":\"CodeableConcept\"}]"),
    ("type", "[{\"code\":\"Reference\",\"targetProfile\":[\"http://hl7.org/fhir/StructureDefinition/Patient\"]}]"),
    (
        "type",
        "[{\"code\":\"Extension\",\"profile\":[\"http://hl7.org/fhir/us/core/StructureDefinition/us-core-race\"]}]",
    ),
    ("type", "[{\"code\":\"Observation\",\"profile\":[\"http://t/a\"]}]"),
    ("slicing", "{\"discriminator\":[{\"type\":\"value\",\"path\":\"url\"}],\"rules\":\"open\"}"),
    (
        "slicing",
        "{\"discriminator\":[{\"type\":\"pattern\",\"path\":\"$this\"}],\"rules\":\"closed\",\"ordered\":true}",
    ),
    ("slicing", "{\"discriminator\":[{\"type\":\"type\",\"path\":\"$this\"}],\"rules\":\"open\"}"),
    ("fixedCode", "\"a\""),
    ("fixedUri", "\"http://a\\tb\""),
    ("patternCodeableConcept", "{\"coding\":[{\"system\":\"http://loinc.org\",\"code\":\"1\\n2\"}]}"),
    ("binding", "{\"strength\":\"required\",\"valueSet\":\"http://hl7.org/fhir/ValueSet/observation-status\"}"),
    ("binding", "{\"strength\":\"example\",\"valueSet\":\"http://t/v|1\"}"),
    (
        "constraint",
        "[{\"key\":\"t-1\",\"severity\":\"error\",\"human\":\"a\",\"expression\":\"value.exists()\\tor true\"}]",
    ),
    ("contentReference", "\"#Observation.referenceRange\""),
    ("maxLength", "5"),
    ("minValueInteger", "-5"),
];

/// A definition as it stands; or, from another first byte, two that are put together by choice.
pub fn snapshot(bytes: &[u8]) {
    let definitions = if bytes.first() == Some(&b'{') {
        vec![bytes.to_vec()]
    } else {
        let mut choices = Choices::new(bytes);
        vec![definition("http://t/a", &mut choices), definition("http://t/b", &mut choices)]
    };
    let trees = definitions.into_iter().filter_map(|body| Tree::parse(body).ok()).collect();
    let package = Package::of_definitions("test.local", "1", trees);
    let compiled = package::compiles(&package);
    // Definitions live as long as the process: only few are asked for.
    if !bytes.len().is_multiple_of(16) {
        return;
    }
    let all = Definitions::builtin().with(vec![compiled.tables]);
    for url in ["http://t/a", "http://t/b"] {
        if let Some(profile) = all.profile(url) {
            assert_eq!(profile.url, url);
            assert!(profile.elements.len() <= definitions::limits::NODES_MAX);
        }
    }
}

fn definition(url: &str, choices: &mut Choices<'_>) -> Vec<u8> {
    let (of, base) = BASES[choices.below(BASES.len())];
    let mut w = Writer::new();
    w.object(|w| {
        w.member("resourceType", "StructureDefinition");
        w.member("url", url);
        w.member("version", "1");
        w.member("type", of);
        w.member("kind", "resource");
        w.member("derivation", "constraint");
        w.member("baseDefinition", base);
        w.key("differential");
        w.object(|w| {
            w.key("element");
            w.array(|w| {
                for _ in 0..choices.below(24) {
                    w.object(|w| element(w, of, choices));
                }
            });
        });
    });
    w.into_bytes()
}

fn element(w: &mut Writer, of: &str, choices: &mut Choices<'_>) {
    let (mut id, mut path) = (of.to_owned(), of.to_owned());
    let mut slice = None;
    let mut holder = schema::r4().type_named(of);
    for _ in 0..choices.below(5) {
        let Some(inside) = holder.filter(|one| !one.elements.is_empty()) else { break };
        let element: &ElementDefinition = &inside.elements[choices.below(inside.elements.len())];
        let suffix = if element.is_choice { "[x]" } else { "" };
        let name = if element.is_choice && choices.once_in(3) {
            format!("{}Quantity", element.name)
        } else {
            format!("{}{suffix}", element.name)
        };
        path = format!("{path}.{name}");
        id = format!("{id}.{name}");
        slice = None;
        if choices.once_in(3) {
            let name = choices.one(&["a", "b", "a/c", "systolic", "race", "valueQuantity", "us-core"]);
            id = format!("{id}:{name}");
            slice = Some(name);
        }
        holder = element.types.first().and_then(|one| schema::r4().type_of(one));
        if holder.is_some_and(|one| one.kind == TypeKind::Resource) {
            holder = schema::r4().type_named("Patient");
        }
    }
    w.member("id", &id);
    w.member("path", &path);
    if let Some(slice) = slice {
        w.member("sliceName", slice);
    }
    let mut written: Vec<&str> = Vec::new();
    for _ in 0..choices.below(4) {
        let (name, value) = MEMBERS[choices.below(MEMBERS.len())];
        if !written.contains(&name) {
            w.key(name);
            w.raw(value.as_bytes());
            written.push(name);
        }
    }
}
