//! A choice as a person makes it, and the R4 Consent that says the same. SPEC: R4 consent.html; IHE PCF 1.1; rows G1, G2,
//! G9. `docs/consent.md` has the page in words.
//!
//! What is written names a policy of its own (`urn:uuid:`), so that no choice takes another's place by the rule of same
//! policies (row G6), has a type at its root, as PCF wants, and nothing below it but exceptions. What is read back is
//! read to the letter: a Consent with a member, code or shape that the words of a page would not tell is `None`, and the
//! page says that it is there and cannot be told.

use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

const SCOPE: &str = "http://terminology.hl7.org/CodeSystem/consentscope";
const LOINC: &str = "http://loinc.org";
/// "Consent Document": the category of PCF.
const CATEGORY: &str = "59284-0";
const ACT_CODE: &str = policy::label::ACT_CODE;
const ACT_REASON: &str = policy::label::ACT_REASON;
const PARTICIPATION: &str = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType";
/// Of identifiers that are URIs. SPEC: R4 identifier-registry.html.
pub(crate) const URIS: &str = "urn:ietf:rfc:3986";
const RESOURCE_TYPES: &str = "http://hl7.org/fhir/resource-types";

/// Private matters that a page has words for, each with the sensitivities of v3-ActCode that it means, with all below
/// them. A Consent that names less than all of one is not put into these words.
pub(crate) const SENSITIVE: [(&str, &[&str]); 6] = [
    ("mind", &["MH", "PSY", "PSYTHPN"]),
    ("substances", &["ETH", "SUD"]),
    ("hiv", &["HIV"]),
    ("violence", &["SDV"]),
    ("sexuality", &["SEX", "STD"]),
    ("genes", &["GDIS"]),
];

/// Purposes that the page offers, each with all below it.
pub(crate) const PURPOSES: [&str; 4] = ["TREAT", "HPAYMT", "HOPERAT", "HRESCH"];

/// Members of a Consent that change nothing of what it says, or are looked at.
const MEMBERS: [&str; 15] = [
    "resourceType",
    "id",
    "meta",
    "language",
    "text",
    "identifier",
    "status",
    "scope",
    "category",
    "patient",
    "dateTime",
    "performer",
    "organization",
    "policy",
    "provision",
];

/// A choice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Said {
    /// Or withholds.
    pub(crate) shares: bool,
    pub(crate) who: Who,
    pub(crate) what: What,
    /// Codes of v3-ActReason; none: all.
    pub(crate) purposes: Vec<String>,
    /// Its last day, `YYYY-MM-DD`.
    pub(crate) until: Option<String>,
    /// What is withheld may be seen in an emergency.
    pub(crate) emergency: bool,
}

/// With whom. Relative references.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Who {
    Everybody,
    /// Everybody but these.
    But(Vec<String>),
    These(Vec<String>),
}

/// What.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum What {
    Everything,
    /// Types of resources.
    Types(BTreeSet<String>),
    /// Words of [`SENSITIVE`].
    Sensitive(Vec<String>),
    /// Single entries, relative references.
    Entries(Vec<String>),
}

/// What stands around a choice when it is written.
pub(crate) struct Act<'a> {
    /// Logical id.
    pub(crate) patient: &'a str,
    /// Whose act it is.
    pub(crate) performer: &'a str,
    /// Who keeps the record.
    pub(crate) facility: &'a str,
    /// As FHIR writes it.
    pub(crate) now: &'a str,
    /// A URI that no other choice has, and this one whenever it is sent: it names the policy, and the Consent.
    pub(crate) uri: &'a str,
}

fn coding(system: &str, code: &str) -> Value {
    json!({"system": system, "code": code})
}

fn actors(who: &[String]) -> Value {
    let role = json!({"coding": [coding(PARTICIPATION, "IRCP")]});
    who.iter().map(|reference| json!({"role": role, "reference": {"reference": reference}})).collect()
}

impl Said {
    /// As an R4 Consent.
    pub(crate) fn consent(&self, act: &Act<'_>) -> Value {
        let mut provision = Map::new();
        let mut put = |name: &str, value: Value| drop(provision.insert(name.to_owned(), value));
        put("type", json!(if self.shares { "permit" } else { "deny" }));
        if let Some(until) = &self.until {
            put("period", json!({"end": until}));
        }
        let mut exceptions: Vec<Value> = Vec::new();
        match &self.who {
            Who::Everybody => {}
            Who::But(carers) => exceptions.push(json!({"type": "permit", "actor": actors(carers)})),
            Who::These(who) => put("actor", actors(who)),
        }
        match &self.what {
            What::Everything => {}
            What::Types(types) => put("class", types.iter().map(|name| coding(RESOURCE_TYPES, name)).collect()),
            What::Sensitive(matters) => {
                let meant = SENSITIVE.iter().filter(|(name, _)| matters.iter().any(|one| one == name));
                put("securityLabel", meant.flat_map(|(_, codes)| *codes).map(|code| coding(ACT_CODE, code)).collect());
            }
            What::Entries(entries) => {
                let data = |one: &String| json!({"meaning": "instance", "reference": {"reference": one}});
                put("data", entries.iter().map(data).collect());
            }
        }
        if !self.purposes.is_empty() {
            put("purpose", self.purposes.iter().map(|code| coding(ACT_REASON, code)).collect());
        }
        if self.emergency && !self.shares {
            exceptions.push(json!({"type": "permit", "purpose": [coding(ACT_REASON, "BTG")]}));
        }
        if !exceptions.is_empty() {
            put("provision", exceptions.into());
        }
        json!({
            "resourceType": "Consent",
            "status": "active",
            "scope": {"coding": [coding(SCOPE, "patient-privacy")]},
            "category": [{"coding": [coding(LOINC, CATEGORY)]}],
            "patient": {"reference": format!("Patient/{}", act.patient)},
            "dateTime": act.now,
            "performer": [{"reference": act.performer}],
            "organization": [{"display": act.facility}],
            "identifier": [{"system": URIS, "value": act.uri}],
            "policy": [{"uri": act.uri}],
            "provision": provision,
        })
    }

    /// What a Consent says; `None` when words would not tell all of it.
    pub(crate) fn read(consent: &Value) -> Option<Self> {
        let members = consent.as_object()?;
        if members.keys().any(|name| !MEMBERS.contains(&name.as_str())) {
            return None;
        }
        let scope = consent.pointer("/scope/coding")?.as_array()?;
        if !scope.iter().any(|one| is_coding(one, SCOPE, "patient-privacy")) {
            return None;
        }
        let provision = consent.get("provision")?.as_object()?;
        let shares = match provision.get("type")?.as_str()? {
            "permit" => true,
            "deny" => false,
            _ => return None,
        };
        let mut said = Self {
            shares,
            who: Who::Everybody,
            what: What::Everything,
            purposes: vec![],
            until: None,
            emergency: false,
        };
        for (name, value) in provision {
            match (name.as_str(), &said.what) {
                ("type", _) => {}
                ("period", _) => said.until = Some(end(value)?),
                ("actor", _) => said.who = Who::These(read_actors(value)?),
                ("class", What::Everything) => {
                    said.what = What::Types(codes(value, RESOURCE_TYPES)?.into_iter().collect());
                }
                ("securityLabel", What::Everything) => {
                    said.what = What::Sensitive(matters(&codes(value, ACT_CODE)?)?);
                }
                ("data", What::Everything) => said.what = What::Entries(read_data(value)?),
                ("purpose", _) => said.purposes = codes(value, ACT_REASON)?,
                ("provision", _) if !shares => {}
                _ => return None,
            }
        }
        for exception in provision.get("provision").map(Value::as_array).unwrap_or(Some(&Vec::new()))? {
            said.except(exception.as_object()?)?;
        }
        Some(said)
    }

    /// One of the two exceptions that a page writes.
    fn except(&mut self, exception: &Map<String, Value>) -> Option<()> {
        if exception.get("type")?.as_str()? != "permit" || exception.len() != 2 {
            return None;
        }
        if let Some(purpose) = exception.get("purpose") {
            self.emergency = true;
            return (codes(purpose, ACT_REASON)? == ["BTG"]).then_some(());
        }
        let actors = read_actors(exception.get("actor")?)?;
        if self.who != Who::Everybody {
            return None;
        }
        self.who = Who::But(actors);
        Some(())
    }
}

fn is_coding(value: &Value, system: &str, code: &str) -> bool {
    value.get("system").and_then(Value::as_str) == Some(system)
        && value.get("code").and_then(Value::as_str) == Some(code)
}

/// Members of an object, which must have no others than these.
fn only<'a>(value: &'a Value, members: &[&str]) -> Option<&'a Map<String, Value>> {
    value.as_object().filter(|object| object.keys().all(|name| members.contains(&name.as_str())))
}

/// The last day of a period that has begun when it was written down.
fn end(period: &Value) -> Option<String> {
    let end = only(period, &["end"])?.get("end")?.as_str()?;
    pages::Date::parse(end).filter(|date| date.day.is_some()).map(|_| end.to_owned())
}

/// Codings of one system.
fn codes(list: &Value, system: &str) -> Option<Vec<String>> {
    let one = |coding: &Value| {
        let coding = only(coding, &["system", "code", "display"])?;
        let is_of = coding.get("system")?.as_str()? == system;
        coding.get("code")?.as_str().filter(|_| is_of).map(str::to_owned)
    };
    list.as_array()?.iter().map(one).collect::<Option<Vec<_>>>().filter(|codes| !codes.is_empty())
}

/// The matters that these sensitivities are, when they are whole ones.
fn matters(codes: &[String]) -> Option<Vec<String>> {
    let has = |code: &&str| codes.iter().any(|one| one == code);
    let whole: Vec<_> = SENSITIVE.iter().filter(|(_, meant)| meant.iter().all(&has)).collect();
    let is_meant = |code: &String| whole.iter().any(|(_, meant)| meant.contains(&code.as_str()));
    codes.iter().all(is_meant).then(|| whole.iter().map(|(name, _)| (*name).to_owned()).collect())
}

/// `Type/id` of a reference to something here.
fn reference(value: &Value) -> Option<String> {
    let reference = only(value, &["reference", "display", "type"])?.get("reference")?.as_str()?;
    let (kind, id) = reference.split_once('/')?;
    let is_fine = fhir::ResourceType::parse(kind).is_ok() && fhir::LogicalId::parse(id).is_ok();
    is_fine.then(|| reference.to_owned())
}

/// Recipients.
fn read_actors(list: &Value) -> Option<Vec<String>> {
    let one = |actor: &Value| {
        let actor = only(actor, &["role", "reference"])?;
        let roles = actor.get("role")?.get("coding")?.as_array()?;
        let is_recipient =
            roles.iter().all(|role| is_coding(role, PARTICIPATION, "IRCP") || is_coding(role, PARTICIPATION, "PRCP"));
        reference(actor.get("reference")?).filter(|_| is_recipient && !roles.is_empty())
    };
    list.as_array()?.iter().map(one).collect::<Option<Vec<_>>>().filter(|all| !all.is_empty())
}

fn read_data(list: &Value) -> Option<Vec<String>> {
    let one = |data: &Value| {
        let data = only(data, &["meaning", "reference"])?;
        let is_instance = data.get("meaning")?.as_str()? == "instance";
        reference(data.get("reference")?).filter(|_| is_instance)
    };
    list.as_array()?.iter().map(one).collect::<Option<Vec<_>>>().filter(|all| !all.is_empty())
}

#[cfg(test)]
mod tests;
