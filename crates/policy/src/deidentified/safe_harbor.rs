//! A resource without what says of whom it is. SPEC: 45 CFR 164.514(b)(2)(i), (A) to (R).
//!
//! By data type, so that what a later profile adds is treated as what it is made of:
//!
//! | kept | made less | dropped |
//! |---|---|---|
//! | codes, numbers, booleans, quantities, Coding without display | date and dateTime: the year; birthDate: the year, none from 90 years on; Address: state, country, three digits of the ZIP code where 20,000 people or more share them; Reference: a pseudonym | text of every kind, names, telecom, identifiers, URLs, instants and times, attachments, signatures, notes, narrative, contained resources, extensions but [`EXTENSIONS`], references to those who give care and to places |
//!
//! - An age above 89 years is dropped, as an Age or as any quantity in years.
//! - A required element that is dropped says so: `data-absent-reason` `masked`.
//! - A resource of which a *modifier element* would be dropped is withheld whole: without it the rest could mean
//!   something else. So is one with a modifier extension.

use super::is_offered;
use fhir::{
    ResourceType,
    json::{Kind, Tree, Value, Writer},
    schema::{ElementDefinition, Schema, TypeDefinition, TypeKind, TypeReference},
};

/// Extensions whose values are codes.
const EXTENSIONS: [&str; 5] = [
    "http://hl7.org/fhir/us/core/StructureDefinition/us-core-birthsex",
    "http://hl7.org/fhir/us/core/StructureDefinition/us-core-ethnicity",
    "http://hl7.org/fhir/us/core/StructureDefinition/us-core-race",
    // Parts of the last two.
    "detailed",
    "ombCategory",
];

/// Areas of three digits with 20,000 people or fewer (census of 2000, as the guidance of the HHS lists them).
const FEW: [&str; 17] = [
    "036", "059", "063", "102", "203", "556", "692", "790", "821", "823", "830", "831", "878", "879", "884", "890",
    "893",
];

/// The oldest age that is told, in years.
const AGE_MAX: i64 = 89;

const ABSENT: &str = "http://hl7.org/fhir/StructureDefinition/data-absent-reason";
const VALUES: &str = "http://terminology.hl7.org/CodeSystem/v3-ObservationValue";

/// It cannot be told without what must be hidden.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Withheld;

/// The resource, de-identified. `year`: of now. `pseudonym`: the id that a resource has for this recipient.
///
/// # Errors
/// [`Withheld`], also for what is no resource of a type that is offered.
pub fn safe_harbor(
    tree: &Tree,
    schema: &Schema,
    year: i64,
    pseudonym: &dyn Fn(ResourceType, &str) -> String,
) -> Result<Vec<u8>, Withheld> {
    let root = tree.root();
    let name = root.get("resourceType").and_then(Value::as_str).ok_or(Withheld)?;
    let kind = ResourceType::parse(&name).map_err(|_| Withheld)?;
    let definition = schema.type_named(&name).filter(|_| is_offered(kind)).ok_or(Withheld)?;
    let id = root.get("id").and_then(Value::as_str).ok_or(Withheld)?;
    let own = pseudonym(kind, &id);
    let harbor = Harbor { schema, year, pseudonym };
    let mut w = Writer::new();
    let mut outcome = Ok(());
    w.object(|w| {
        w.member("resourceType", &name);
        w.member("id", &own);
        w.key("meta");
        meta(w, root.get("meta"));
        outcome = harbor.members(w, root, definition).map(drop);
    });
    outcome.map(|()| w.into_bytes())
}

/// Profiles stay, and labels, with one more: who these people are was replaced.
fn meta(w: &mut Writer, meta: Option<Value<'_>>) {
    let list = |name: &str| meta.and_then(|meta| meta.get(name)).into_iter().flat_map(Value::items);
    w.object(|w| {
        if list("profile").next().is_some() {
            w.key("profile");
            w.array(|w| list("profile").for_each(|profile| w.value(profile)));
        }
        w.key("security");
        w.array(|w| {
            for label in list("security") {
                let part = |name: &str| label.get(name).and_then(Value::as_str);
                if let (Some(system), Some(code)) = (part("system"), part("code")) {
                    coding(w, &system, &code);
                }
            }
            coding(w, VALUES, "PSEUDED");
        });
    });
}

fn coding(w: &mut Writer, system: &str, code: &str) {
    w.object(|w| {
        w.member("system", system);
        w.member("code", code);
    });
}

struct Harbor<'a> {
    schema: &'a Schema,
    year: i64,
    pseudonym: &'a dyn Fn(ResourceType, &str) -> String,
}

impl Harbor<'_> {
    /// Members of a type, without those that every resource has; says whether any was written.
    fn members(&self, w: &mut Writer, object: Value<'_>, definition: &TypeDefinition) -> Result<bool, Withheld> {
        let is_resource = definition.kind == TypeKind::Resource;
        let mut any = false;
        for member in object.members() {
            let (name, value) = match member.name().strip_prefix('_') {
                // Companions hold ids and extensions, none of which is kept: they are looked at with their value.
                Some(name) if object.get(name).is_some() => continue,
                Some(name) => (name, None),
                None if is_resource && matches!(member.name(), "resourceType" | "id" | "meta") => continue,
                None => (member.name(), Some(member)),
            };
            let (element, of) = definition.member(name).ok_or(Withheld)?;
            match value.map(|value| self.member(value, element, of)).transpose()?.flatten() {
                Some(json) => {
                    w.key(name);
                    w.raw(&json);
                }
                None if value.is_some() && element.is_modifier => return Err(Withheld),
                None if element.min > 0 => masked(w, name, member.kind() == Kind::Array, self.is_primitive(of)),
                None => continue,
            }
            any = true;
        }
        Ok(any)
    }

    fn is_primitive(&self, of: &TypeReference) -> bool {
        self.schema.type_of(of).is_some_and(|definition| definition.kind == TypeKind::Primitive)
    }

    /// A member's JSON; `None` when nothing of it is kept.
    fn member(
        &self,
        member: Value<'_>,
        element: &ElementDefinition,
        of: &TypeReference,
    ) -> Result<Option<Vec<u8>>, Withheld> {
        if member.kind() != Kind::Array {
            return self.value(member, element, of);
        }
        let mut items = Vec::new();
        for item in member.items() {
            items.extend(self.value(item, element, of)?);
        }
        if items.is_empty() {
            return Ok(None);
        }
        let mut w = Writer::new();
        w.array(|w| items.iter().for_each(|item| w.raw(item)));
        Ok(Some(w.into_bytes()))
    }

    fn value(
        &self,
        value: Value<'_>,
        element: &ElementDefinition,
        of: &TypeReference,
    ) -> Result<Option<Vec<u8>>, Withheld> {
        let raw = || Some(value.raw().as_bytes().to_vec());
        let text = |text: &str| {
            let mut w = Writer::new();
            w.string(text);
            Some(w.into_bytes())
        };
        Ok(match of.code {
            "boolean" | "code" | "decimal" | "integer" | "positiveInt" | "unsignedInt" => raw(),
            "date" | "dateTime" => {
                let date = value.as_str().ok_or(Withheld)?;
                let year = date.get(..4).and_then(|year| year.parse::<i64>().ok()).ok_or(Withheld)?;
                let is_old = element.path == "Patient.birthDate" && self.year - year > AGE_MAX;
                if is_old { None } else { text(&format!("{year:04}")) }
            }
            "string" | "uri" | "canonical" => match kept_text(element, value)? {
                Some(kept) => text(&kept),
                None => None,
            },
            "Reference" => self.reference(value),
            "Extension" => {
                let url = value.get("url").and_then(Value::as_str).ok_or(Withheld)?;
                if EXTENSIONS.contains(&&*url) { self.object(value, of)? } else { None }
            }
            "Age" | "Quantity" | "Duration" if is_great_age(of.code, value) => None,
            "id" | "instant" | "time" | "markdown" | "xhtml" | "base64Binary" | "url" | "oid" | "uuid" => None,
            "Annotation" | "Attachment" | "ContactDetail" | "ContactPoint" | "HumanName" | "Identifier"
            | "Narrative" | "Resource" | "Signature" => None,
            _ => self.object(value, of)?,
        })
    }

    fn object(&self, value: Value<'_>, of: &TypeReference) -> Result<Option<Vec<u8>>, Withheld> {
        let definition = self.schema.type_of(of).ok_or(Withheld)?;
        let (mut w, mut outcome) = (Writer::new(), Ok(false));
        w.object(|w| outcome = self.members(w, value, definition));
        Ok(outcome?.then(|| w.into_bytes()))
    }

    /// A local reference to what is offered, as the pseudonym that it has there.
    fn reference(&self, value: Value<'_>) -> Option<Vec<u8>> {
        let reference = value.get("reference").and_then(Value::as_str)?;
        let (name, rest) = reference.split_once('/')?;
        let id = rest.split_once("/_history/").map_or(rest, |(id, _)| id);
        let kind = ResourceType::parse(name).ok().filter(|kind| is_offered(*kind) && !id.contains('/'))?;
        let mut w = Writer::new();
        w.object(|w| w.member("reference", &format!("{kind}/{}", (self.pseudonym)(kind, id))));
        Some(w.into_bytes())
    }
}

/// SPEC: R4 extension data-absent-reason: the value is there and not told.
fn masked(w: &mut Writer, name: &str, is_list: bool, is_primitive: bool) {
    let extension = |w: &mut Writer| {
        w.object(|w| {
            w.key("extension");
            w.array(|w| {
                w.object(|w| {
                    w.member("url", ABSENT);
                    w.member("valueCode", "masked");
                });
            });
        });
    };
    if is_primitive {
        w.key(&format!("_{name}"));
    } else {
        w.key(name);
    }
    if is_list { w.array(extension) } else { extension(w) }
}

/// What stays of a text.
fn kept_text(element: &ElementDefinition, value: Value<'_>) -> Result<Option<String>, Withheld> {
    let text = value.as_str().ok_or(Withheld)?;
    let is_system = element.name == "system" && element.types.iter().all(|of| of.code == "uri");
    Ok(match element.path {
        "Extension.url" => Some(text.into_owned()),
        // Codes, as US Core has them: a text may be a village.
        "Address.state" | "Address.country" => is_code(&text).then(|| text.into_owned()),
        "QuestionnaireResponse.item.linkId" | "QuestionnaireResponse.questionnaire" => Some(text.into_owned()),
        "Address.postalCode" => area(&text).map(str::to_owned),
        _ if is_system => Some(text.into_owned()),
        _ => None,
    })
}

/// Whether it is a code of two or three capitals.
fn is_code(text: &str) -> bool {
    matches!(text.len(), 2 | 3) && text.bytes().all(|byte| byte.is_ascii_uppercase())
}

/// The first three digits of a ZIP code of the United States.
fn area(code: &str) -> Option<&str> {
    let area = code.get(..3).filter(|area| area.bytes().all(|byte| byte.is_ascii_digit()))?;
    let is_zip = matches!(code.len(), 5 | 10) && !FEW.contains(&area);
    is_zip.then_some(area)
}

/// Whether it is an age that few reach.
fn is_great_age(of: &str, quantity: Value<'_>) -> bool {
    let part = |name: &str| quantity.get(name).and_then(Value::as_str);
    let unit = part("code").or_else(|| part("unit"));
    let in_years = matches!(unit.as_deref(), Some("a" | "a_j" | "a_g" | "a_t" | "year" | "years" | "yr" | "yrs" | "y"));
    let value = quantity.get("value").and_then(Value::number_text).and_then(|number| number.parse::<f64>().ok());
    // An age in other units, or in none, may be one as well.
    (in_years || of == "Age") && value.is_none_or(|years| years > AGE_MAX as f64 || (of == "Age" && !in_years))
}
