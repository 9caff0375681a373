//! Requests that are marked as the use of a broken glass. SPEC: R4 security-labels.html#break-the-glass; row F49; the
//! form of the header is draft-johnston-http-category-header-01.
//!
//! `Category: http://terminology.hl7.org/CodeSystem/v3-ActReason#BTG; scheme="http://hl7.org/fhir/tag/security"`
//!
//! It counts for people who have the right to break the glass, and for nobody else: what others send with it is answered
//! as without (row F15). With it a request reaches the records for which a glass is broken, and nothing else; what lies
//! elsewhere is refused with the address where one is broken, whether it is there or not.

use crate::{failure::Failure, route::Asked, service::Service, wire::Request};
use fhir::{LogicalId, ResourceType};
use oauth::Caller;
use policy::Interaction;

/// The purpose, as the header names it.
const BREAK_GLASS: &str = "http://terminology.hl7.org/CodeSystem/v3-ActReason#BTG";

/// What kind of tag it is.
const SCHEME: &str = "http://hl7.org/fhir/tag/security";

/// Path of the page where a glass is broken, below the server's own name.
const PAGE: &str = "/account/emergency";

/// The caller of a request that may be marked.
pub(crate) fn marked(service: &Service, caller: Caller, head: &Request) -> Result<Caller, Failure> {
    let may = caller.user().is_some_and(|user| user.may_break_glass);
    if !may || !head.categories().any(is_break_glass) {
        return Ok(caller);
    }
    caller.breaking_glass().map_err(|_| refused(service))
}

/// Refuses a marked request that names a patient for whom no glass is broken.
pub(crate) fn suits(service: &Service, caller: &Caller, asked: &Asked) -> Result<(), Failure> {
    if !caller.is_break_glass() {
        return Ok(());
    }
    let is_open = |patient: &LogicalId| caller.glasses().iter().any(|glass| *glass.patient == *patient.as_str());
    if named(asked).iter().all(is_open) { Ok(()) } else { Err(refused(service)) }
}

/// What a marked request did not find is refused: it may be there.
pub(crate) fn told(service: &Service, caller: &Caller, failure: Failure) -> Failure {
    match failure {
        Failure::NotFound if caller.is_break_glass() => refused(service),
        other => other,
    }
}

fn refused(service: &Service) -> Failure {
    let base = service.base_url();
    Failure::Glass(format!("{}{PAGE}", base.strip_suffix("/fhir").unwrap_or(base)))
}

/// The patients whom a request names itself.
fn named(asked: &Asked) -> Vec<LogicalId> {
    match &asked.interaction {
        Interaction::Read(kind, id) | Interaction::Vread(kind, id, _) | Interaction::HistoryInstance(kind, id)
            if is_patient(*kind) =>
        {
            vec![id.clone()]
        }
        Interaction::SearchCompartment(patient, _) => vec![patient.clone()],
        Interaction::SearchType(_) => {
            let pairs = asked.query.split('&').filter_map(|pair| pair.split_once('='));
            let patients = pairs.filter(|(name, _)| matches!(*name, "patient" | "subject" | "subject:Patient"));
            let ids = patients.filter_map(|(_, value)| {
                let value = crate::wire::decode(value)?;
                LogicalId::parse(value.strip_prefix("Patient/").unwrap_or(&value)).ok()
            });
            ids.collect()
        }
        _ => Vec::new(),
    }
}

fn is_patient(kind: ResourceType) -> bool {
    kind.name() == "Patient"
}

/// Whether one of the categories of a header is the break-glass tag.
fn is_break_glass(header: &str) -> bool {
    parts(header, ',').into_iter().any(|category| {
        let mut parts = parts(category, ';').into_iter();
        parts.next() == Some(BREAK_GLASS) && parts.any(is_security)
    })
}

fn is_security(parameter: &str) -> bool {
    let Some((name, value)) = parameter.split_once('=') else { return false };
    let value = value.trim();
    let value = value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).unwrap_or(value);
    name.trim().eq_ignore_ascii_case("scheme") && value == SCHEME
}

/// What stands between these signs, where they are not within quotes.
fn parts(text: &str, sign: char) -> Vec<&str> {
    let mut is_quoted = false;
    let parts = text.split(|letter: char| {
        is_quoted ^= letter == '"';
        letter == sign && !is_quoted
    });
    parts.map(str::trim).collect()
}

#[cfg(test)]
mod tests;
