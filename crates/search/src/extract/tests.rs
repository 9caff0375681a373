//! What each parameter type draws out of which data type, on small made-up resources.

use super::extract;
use crate::{
    IndexValue, IndexValues,
    matcher::patients_of,
    registry::{ParameterKind, registry},
};
use fhir::{LogicalId, ResourceType, element::Element, json::Tree, primitive::decimal::Decimal, schema};

const BASE: &str = "https://here.example/fhir";

fn of(json: &str) -> IndexValues {
    let tree = Tree::parse(json.as_bytes().to_vec()).unwrap();
    extract(registry(), Element::resource(&tree, schema::r4()).unwrap(), BASE)
}

fn values(kind: &str, code: &str, json: &str) -> Vec<IndexValue> {
    let parameter = registry().parameter(ResourceType::parse(kind).unwrap(), code).unwrap();
    of(json).of(parameter.id).cloned().collect()
}

fn tokens(kind: &str, code: &str, json: &str) -> Vec<(Option<String>, String, Option<String>)> {
    let all = values(kind, code, json).into_iter();
    all.map(|value| match value {
        IndexValue::Token { system, code, text } => (system, code, text),
        other => panic!("{other:?} is no token"),
    })
    .collect()
}

fn token(system: &str, code: &str, text: &str) -> (Option<String>, String, Option<String>) {
    let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    (some(system), code.to_owned(), some(text))
}

fn strings(kind: &str, code: &str, json: &str) -> Vec<String> {
    let all = values(kind, code, json).into_iter();
    all.map(|value| match value {
        IndexValue::String { original, .. } => original,
        other => panic!("{other:?} is no string"),
    })
    .collect()
}

#[test]
fn tokens_of_each_data_type() {
    let concept = r#"{"resourceType":"Observation","status":"final","code":{"coding":[
        {"system":"http://loinc.org","code":"8480-6","display":"Systolic"},{"code":"local"}],"text":"BP"}}"#;
    assert_eq!(
        tokens("Observation", "code", concept),
        [token("http://loinc.org", "8480-6", "Systolic"), token("", "local", ""), token("", "", "BP")]
    );
    assert_eq!(
        tokens("Observation", "status", concept),
        [token("http://hl7.org/fhir/observation-status", "final", "")],
        "a bound code has the system of its value set"
    );
    let patient = r#"{"resourceType":"Patient","active":true,"gender":"female",
        "identifier":[{"system":"http://mrn","value":"A-1","type":{"text":"MRN"}},{"value":"bare"}],
        "telecom":[{"system":"phone","value":"+1 555"},{"system":"email","value":"a@b"}],
        "deceasedDateTime":"2020-01-01","meta":{"tag":[{"system":"http://t","code":"x"}]}}"#;
    assert_eq!(tokens("Patient", "identifier", patient), [token("http://mrn", "A-1", "MRN"), token("", "bare", "")]);
    assert_eq!(tokens("Patient", "active", patient), [token("", "true", "")]);
    assert_eq!(tokens("Patient", "phone", patient), [token("", "+1 555", "")]);
    assert_eq!(tokens("Patient", "telecom", patient).len(), 2);
    assert_eq!(tokens("Patient", "deceased", patient), [token("", "true", "")]);
    assert_eq!(tokens("Patient", "_tag", patient), [token("http://t", "x", "")]);
    assert_eq!(
        tokens("Patient", "gender", patient),
        [token("http://hl7.org/fhir/administrative-gender", "female", "")]
    );
}

#[test]
fn strings_of_names_and_addresses() {
    let patient = r#"{"resourceType":"Patient","name":[{"family":"O'Brien","given":["Zoë","Ann"],"prefix":["Dr"]},
        {"text":"Nan"}],"address":[{"line":["1 Main St"],"city":"Ann Arbor","postalCode":"48104","state":"MI"}]}"#;
    assert_eq!(strings("Patient", "family", patient), ["O'Brien"]);
    assert_eq!(strings("Patient", "given", patient), ["Zoë", "Ann"]);
    assert_eq!(
        strings("Patient", "name", patient),
        ["O'Brien", "Zoë", "Ann", "Dr", "Zoë Ann O'Brien", "Nan"],
        "each part and the whole"
    );
    assert_eq!(strings("Patient", "address-city", patient), ["Ann Arbor"]);
    assert!(strings("Patient", "address", patient).contains(&"1 Main St Ann Arbor MI 48104".to_owned()));
}

#[test]
fn dates_are_spans() {
    let day = 86_400_000;
    let span = |kind: &str, code: &str, json: &str| match values(kind, code, json).as_slice() {
        [IndexValue::Date { low, high }] => (*low, *high),
        other => panic!("{other:?} is not one date"),
    };
    assert_eq!(span("Patient", "birthdate", r#"{"resourceType":"Patient","birthDate":"1970-01-02"}"#), (day, 2 * day));
    let encounter = |period: &str| format!(r#"{{"resourceType":"Encounter","period":{period}}}"#);
    let closed = encounter(r#"{"start":"1970-01-01T00:00:00Z","end":"1970-01-02"}"#);
    assert_eq!(span("Encounter", "date", &closed), (0, 2 * day));
    assert_eq!(span("Encounter", "date", &encounter(r#"{"start":"1970-01-02"}"#)), (day, i64::MAX));
    assert_eq!(span("Encounter", "date", &encounter(r#"{"end":"1970-01-01"}"#)), (i64::MIN, day));
    assert!(values("Encounter", "date", &encounter("{}")).is_empty());
    let (low, high) = span("Encounter", "date", &encounter(r#"{"start":"1970-01-05","end":"1970-01-02"}"#));
    assert!(low < high, "a period that ends before it starts is still found by its start");
    let timing = r#"{"resourceType":"Observation","effectiveTiming":{"event":["1970-01-05","1970-01-03"],
        "repeat":{"boundsPeriod":{"start":"1970-01-02","end":"1970-01-04"}}}}"#;
    assert_eq!(span("Observation", "date", timing), (day, 5 * day), "the outer limits");
}

#[test]
fn quantities_and_numbers_are_exact() {
    let weight = r#"{"resourceType":"Observation","valueQuantity":{"value":70.50,"unit":"kilo",
        "system":"http://unitsofmeasure.org","code":"kg"}}"#;
    let expected = IndexValue::Quantity {
        value: Decimal { mantissa: 7050, exponent: -2 },
        system: Some("http://unitsofmeasure.org".into()),
        code: Some("kg".into()),
        unit: Some("kilo".into()),
        canonical: Some((Decimal { mantissa: 705, exponent: 2 }, "g".into())),
    };
    assert_eq!(values("Observation", "value-quantity", weight), [expected]);
    let risk = r#"{"resourceType":"RiskAssessment","prediction":[{"probabilityDecimal":0.0125},
        {"probabilityRange":{"low":{"value":1},"high":{"value":2}}}]}"#;
    assert_eq!(
        values("RiskAssessment", "probability", risk).first(),
        Some(&IndexValue::Number(Decimal { mantissa: 125, exponent: -4 }))
    );
    let invoice = r#"{"resourceType":"Invoice","totalNet":{"value":48,"currency":"EUR"}}"#;
    let money = values("Invoice", "totalnet", invoice);
    assert!(matches!(money.as_slice(), [IndexValue::Quantity { code: Some(code), .. }] if code == "EUR"), "{money:?}");
}

#[test]
fn references_local_foreign_logical_and_contained() {
    let json = |reference: &str| {
        format!(
            r##"{{"resourceType":"Observation","contained":[{{"resourceType":"Patient","id":"p"}}],"subject":{reference}}}"##
        )
    };
    let subject = |reference: &str| values("Observation", "subject", &json(reference));
    let local = |id: &str| {
        let target = Some((ResourceType::parse("Patient").unwrap(), LogicalId::parse(id).unwrap()));
        IndexValue::Reference { target, url: None, identifier: None }
    };
    assert_eq!(subject(r#"{"reference":"Patient/1"}"#), [local("1")]);
    assert_eq!(subject(r#"{"reference":"Patient/1/_history/3"}"#), [local("1")]);
    assert_eq!(subject(r#"{"reference":"https://here.example/fhir/Patient/1"}"#), [local("1")], "below our base");
    assert!(subject(r##"{"reference":"#p"}"##).is_empty(), "contained");
    let foreign = subject(r#"{"reference":"https://there.example/fhir/Patient/1"}"#);
    assert!(matches!(foreign.as_slice(), [IndexValue::Reference { target: None, url: Some(_), .. }]), "{foreign:?}");
    let logical = subject(r#"{"identifier":{"system":"http://mrn","value":"77"}}"#);
    let [IndexValue::Reference { identifier: Some((system, value)), .. }] = logical.as_slice() else {
        panic!("{logical:?}")
    };
    assert_eq!((system.as_deref(), value.as_str()), (Some("http://mrn"), "77"));
    assert!(subject(r#"{"display":"somebody"}"#).is_empty());
}

/// `patient` is the part of `subject` that is a Patient.
#[test]
fn types_of_references_are_told_apart_without_reading_them() {
    let json = |to: &str| format!(r#"{{"resourceType":"Observation","subject":{{"reference":"{to}"}}}}"#);
    assert_eq!(values("Observation", "patient", &json("Patient/1")).len(), 1);
    assert_eq!(values("Observation", "patient", &json("Group/1")).len(), 0);
    assert_eq!(values("Observation", "subject", &json("Group/1")).len(), 1);
}

#[test]
fn uris_and_canonicals() {
    let json = r#"{"resourceType":"QuestionnaireResponse","meta":{"profile":["http://p/x|2.0"]},
        "questionnaire":"http://q/y|1.0"}"#;
    let uri = |text: &str| IndexValue::Uri(text.to_owned());
    assert_eq!(values("QuestionnaireResponse", "_profile", json), [uri("http://p/x"), uri("http://p/x|2.0")]);
    let canonical = values("QuestionnaireResponse", "questionnaire", json);
    assert!(matches!(canonical.as_slice(), [IndexValue::Reference { url: Some(url), .. }] if url == "http://q/y|1.0"));
}

#[test]
fn composites_group_by_element() {
    let pressure = r#"{"resourceType":"Observation","code":{"coding":[{"code":"85354-9"}]},"component":[
        {"code":{"coding":[{"code":"8480-6"}]},"valueQuantity":{"value":120}},
        {"code":{"coding":[{"code":"8462-4"}]},"valueQuantity":{"value":80}},
        {"code":{"coding":[{"code":"no-value"}]}}]}"#;
    let groups = values("Observation", "component-code-value-quantity", pressure);
    assert_eq!(groups.len(), 2, "the component without a value is in none: {groups:?}");
}

/// RT: the extension on `basedOn` carries the reference that R4 does not allow there.
#[test]
fn rt_based_on_a_clinical_impression() {
    let json = r#"{"resourceType":"Encounter","basedOn":[{"extension":[{
        "url":"http://hl7.org/fhir/us/pacio-rt/StructureDefinition/clinicalImpression",
        "valueReference":{"reference":"ClinicalImpression/c1"}}]}]}"#;
    let found = values("Encounter", "based-on", json);
    assert!(
        matches!(found.as_slice(), [IndexValue::Reference { target: Some((kind, _)), .. }] if kind.name() == "ClinicalImpression")
    );
}

#[test]
fn values_are_sorted_by_parameter_and_fit_its_kind() {
    let all = of(r#"{"resourceType":"Patient","id":"1","active":true,"name":[{"family":"A"}],"birthDate":"2000",
        "generalPractitioner":[{"reference":"Practitioner/1"}],"meta":{"profile":["http://p"],"source":"http://s"}}"#);
    assert!(all.0.is_sorted_by_key(|(parameter, _)| *parameter));
    for (parameter, value) in &all.0 {
        let parameter = registry().by_id(*parameter).unwrap();
        let fits = match value {
            IndexValue::Token { .. } => parameter.kind == ParameterKind::Token,
            IndexValue::String { .. } => parameter.kind == ParameterKind::String,
            IndexValue::Reference { .. } => parameter.kind == ParameterKind::Reference,
            IndexValue::Date { .. } => parameter.kind == ParameterKind::Date,
            IndexValue::Uri(_) => parameter.kind == ParameterKind::Uri,
            _ => false,
        };
        assert!(fits, "{} has {value:?}", parameter.code);
    }
}

#[test]
fn patients_of_a_resource_are_each_named_once() {
    let json = r#"{"resourceType":"Observation","subject":{"reference":"Patient/2"},
        "performer":[{"reference":"Patient/1"},{"reference":"Patient/2"},{"reference":"Practitioner/9"}]}"#;
    let (kind, id) = (ResourceType::parse("Observation").unwrap(), LogicalId::parse("o").unwrap());
    let patients = patients_of(&of(json), registry(), kind, &id);
    assert_eq!(patients.iter().map(LogicalId::as_str).collect::<Vec<_>>(), ["1", "2"]);
}

#[test]
fn odd_json_does_no_harm() {
    let odd = of(r#"{"resourceType":"Patient","birthDate":7,"name":"x","active":"yes","identifier":[null,3,{}]}"#);
    assert!(odd.0.iter().all(|(parameter, _)| registry().by_id(*parameter).is_some()));
}

/// R4 writes the type as `DateTime` in this composite's expression.
#[test]
fn a_composite_with_a_date() {
    let json = r#"{"resourceType":"Observation","code":{"coding":[{"code":"x"}]},"valueDateTime":"2020-01-01"}"#;
    assert_eq!(values("Observation", "code-value-date", json).len(), 1);
    assert_eq!(values("Observation", "value-date", json).len(), 1);
}

/// A resource of this type whose element at the path is this, once as an only value and once in lists.
fn with_at(kind: &str, path: &[&str], leaf: &str) -> [String; 2] {
    let built = |open: &str, close: &str| {
        let begin: String = path.iter().map(|name| format!(r#""{name}":{open}"#)).collect::<Vec<_>>().join("{");
        let end = vec![close; path.len()].join("}");
        format!(r#"{{"resourceType":"{kind}",{begin}{leaf}{end}}}"#)
    };
    [built("", ""), built("[", "]")]
}

/// Plans read `patient=` of a type in the compartment's index where `patient` finds a part of what
/// the compartment's own parameters find (`Registry::is_within_patient_compartment`). So it must be
/// for every type and every form of a reference: else a search would miss what is meant.
#[test]
fn what_a_parameter_within_the_compartment_finds_lies_in_it() {
    let references = [
        r#"{"reference":"Patient/p"}"#,
        r#"{"reference":"Patient/p/_history/2"}"#,
        r#"{"reference":"https://here.example/fhir/Patient/p","type":"Group"}"#,
        r#"{"reference":"http://elsewhere.example/fhir/Patient/p"}"#,
        r#"{"reference":"Group/g","type":"Patient"}"#,
        r##"{"reference":"#contained","type":"Patient"}"##,
        r#"{"reference":"urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0","type":"Patient"}"#,
        r#"{"type":"Patient","identifier":{"value":"1"}}"#,
    ];
    let id = LogicalId::parse("own").unwrap();
    let (mut parameters, mut found) = (0, 0);
    for (name, _) in &schema::r4().patient_compartment {
        let kind = ResourceType::parse(name).unwrap();
        for extraction in registry().extractions(kind) {
            if !registry().is_within_patient_compartment(kind, extraction.parameter) {
                continue;
            }
            let text = extraction.expression.text();
            let text = text.strip_suffix(".where(resolve() is Patient)").unwrap_or(text);
            let mut path = text.split('.');
            if path.next() != Some(*name) || !text.chars().all(|c| c.is_ascii_alphanumeric() || c == '.') {
                continue;
            }
            let path: Vec<&str> = path.collect();
            parameters += 1;
            for json in references.iter().flat_map(|reference| with_at(name, &path, reference)) {
                let values = of(&json);
                let patients = patients_of(&values, registry(), kind, &id);
                for value in values.of(extraction.parameter) {
                    if let IndexValue::Reference { target: Some((target, of)), .. } = value
                        && registry().is_patient(*target)
                    {
                        found += 1;
                        assert!(patients.contains(of), "{json} by {}", extraction.expression.text());
                    }
                }
            }
        }
    }
    assert!(parameters > 80 && found >= 3 * parameters, "{parameters} parameters found {found} patients");
}
