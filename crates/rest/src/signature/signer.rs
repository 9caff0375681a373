//! Whether a certificate names whom `Signature.who` means. SPEC: R4 datatypes.html#Signature; row F31.
//!
//! Compared are, in this order: URIs of the certificate with the signer's own URL, identifiers and web addresses;
//! serial number, common name and user id of the subject with identifiers; e-mail addresses; and, as the weakest, names.
//! The text says which it was.

use super::Outcome;
use fhir::json::Value;
use oauth::x509::Certificate;

/// Object identifiers of parts of a subject.
const COMMON_NAME: &str = "2.5.4.3";
const SERIAL_NUMBER: &str = "2.5.4.5";
const ORGANIZATION: &str = "2.5.4.10";
const USER_ID: &str = "0.9.2342.19200300.100.1.1";
const EMAIL: &str = "1.2.840.113549.1.9.1";

/// Compares. `who`: `Signature.who`; `found`: the resource that it means, and its URL here.
pub(super) fn compare(
    leaf: &Certificate,
    who: Option<Value<'_>>,
    found: Option<(Value<'_>, &str)>,
) -> (Outcome, String) {
    let Some(who) = who else { return (Outcome::NotChecked, "Signature.who is missing".into()) };
    let mut facts = Facts::default();
    match (found, who.get("identifier")) {
        // INVARIANT: no signature covers Signature.who. Of what it refers to the resource alone says who that is: an
        // identifier written beside the reference could be anybody's.
        (Some((resource, url)), _) => {
            facts.uris.push(url.to_owned());
            facts.of(resource);
        }
        (None, Some(identifier)) if who.get("reference").is_none() => facts.identifier(identifier),
        (None, _) => return (Outcome::NotChecked, "whom Signature.who means was not found here".into()),
    }
    let subject = leaf.subject();
    if let Some(uri) = leaf.uris().iter().find(|uri| facts.uris.contains(uri) || facts.identifiers.contains(uri)) {
        return (Outcome::Passed, format!("the certificate and Signature.who have the same URI, {uri}"));
    }
    for oid in [SERIAL_NUMBER, COMMON_NAME, USER_ID] {
        if subject.texts(oid).any(|text| facts.identifiers.iter().any(|own| own == text)) {
            return (Outcome::Passed, "the certificate and Signature.who have the same identifier".into());
        }
    }
    if subject.texts(EMAIL).any(|text| facts.addresses.iter().any(|own| own.eq_ignore_ascii_case(text))) {
        return (Outcome::Passed, "the certificate and Signature.who have the same e-mail address".into());
    }
    let is_named = |text: &str| facts.names.iter().any(|own| plain(own) == plain(text));
    if subject.texts(COMMON_NAME).chain(subject.texts(ORGANIZATION)).any(is_named) {
        return (
            Outcome::Passed,
            "the certificate and Signature.who have the same name, and nothing else alike".into(),
        );
    }
    (Outcome::Failed, "the certificate names somebody else than Signature.who".into())
}

/// What is known of a signer.
#[derive(Default)]
struct Facts {
    uris: Vec<String>,
    identifiers: Vec<String>,
    addresses: Vec<String>,
    names: Vec<String>,
}

impl Facts {
    fn identifier(&mut self, identifier: Value<'_>) {
        self.identifiers.extend(text(identifier, "value"));
    }

    fn of(&mut self, resource: Value<'_>) {
        let items = |name: &str| resource.get(name).into_iter().flat_map(Value::items_or_self);
        items("identifier").for_each(|identifier| self.identifier(identifier));
        for telecom in items("telecom") {
            match text(telecom, "system").as_deref() {
                Some("email") => self.addresses.extend(text(telecom, "value")),
                Some("url") => self.uris.extend(text(telecom, "value")),
                _ => {}
            }
        }
        for name in items("name") {
            // A string of an Organization, a HumanName of people.
            if let Some(name) = name.as_str() {
                self.names.push(name.into_owned());
                continue;
            }
            self.names.extend(text(name, "text"));
            let given = name.get("given").into_iter().flat_map(Value::items).filter_map(Value::as_str);
            let given: Vec<String> = given.map(std::borrow::Cow::into_owned).collect();
            if let (Some(family), false) = (text(name, "family"), given.is_empty()) {
                self.names.push(format!("{} {family}", given.join(" ")));
                self.names.extend(given.first().map(|first| format!("{first} {family}")));
            }
        }
        for device in items("deviceName") {
            self.names.extend(text(device, "name"));
        }
    }
}

fn text(value: Value<'_>, name: &str) -> Option<String> {
    value.get(name)?.as_str().map(std::borrow::Cow::into_owned).filter(|text| !text.trim().is_empty())
}

/// A name without case and double blanks.
fn plain(name: &str) -> String {
    name.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}
