//! The vocabulary of the events: code systems of R4, DICOM and BALP, as far as this server speaks them.
//!
//! SPEC: R4 auditevent.html; DICOM PS3.16 CID 400 to 403; IHE BALP terminology; row F17.

use super::Coding;
use crate::entry::{Action, Kind, Outcome};
use std::borrow::Cow;

pub(super) const REST: &str = "http://hl7.org/fhir/restful-interaction";
pub(super) const PROFILE_BASE: &str = "https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit.";
/// Our own words for what no standard has a code for. The address of their list in the documentation.
pub(super) const OWN: &str = "https://github.com/handrail-fhir/handrail/blob/main/docs/audit-events.md";
const DCM: &str = "http://dicom.nema.org/resources/ontology/DCM";

const fn dcm(code: &'static str, display: &'static str) -> Coding<'static> {
    Coding { system: DCM, code: Cow::Borrowed(code), display }
}

const fn coding(system: &'static str, code: &'static str, display: &'static str) -> Coding<'static> {
    Coding { system, code: Cow::Borrowed(code), display }
}

pub(super) const SOURCE_ROLE: Coding<'static> = dcm("110153", "Source Role ID");
pub(super) const DESTINATION_ROLE: Coding<'static> = dcm("110152", "Destination Role ID");
pub(super) const APPLICATION: Coding<'static> = dcm("110150", "Application");
pub(super) const CUSTODIAN: Coding<'static> =
    coding("http://terminology.hl7.org/CodeSystem/provenance-participant-type", "custodian", "Custodian");
pub(super) const USER: Coding<'static> =
    coding("http://terminology.hl7.org/CodeSystem/v3-ParticipationType", "IRCP", "information recipient");
pub(super) const OAUTH_USER: Coding<'static> =
    coding("https://profiles.ihe.net/ITI/BALP/CodeSystem/UserAgentTypes", "UserOauthAgent", "");

/// BALP's code for the organization of who asked.
pub(super) const PROVIDER: Coding<'static> =
    coding("http://terminology.hl7.org/CodeSystem/v3-RoleClass", "PROV", "healthcare provider");
/// The same for one that asks as a payer: BALP has none.
pub(super) const PAYER: Coding<'static> =
    coding("http://terminology.hl7.org/CodeSystem/v3-RoleClass", "PAYOR", "invoice payor");

pub(super) const PERSON: Coding<'static> =
    coding("http://terminology.hl7.org/CodeSystem/audit-entity-type", "1", "Person");
pub(super) const SYSTEM_OBJECT: Coding<'static> =
    coding("http://terminology.hl7.org/CodeSystem/audit-entity-type", "2", "System Object");
pub(super) const REQUEST_ID: Coding<'static> =
    coding("https://profiles.ihe.net/ITI/BALP/CodeSystem/BasicAuditEntityType", "XrequestId", "X-Request-Id");
pub(super) const PATIENT_ROLE: Coding<'static> =
    coding("http://terminology.hl7.org/CodeSystem/object-role", "1", "Patient");
pub(super) const RESOURCE_ROLE: Coding<'static> =
    coding("http://terminology.hl7.org/CodeSystem/object-role", "4", "Domain Resource");
pub(super) const QUERY_ROLE: Coding<'static> =
    coding("http://terminology.hl7.org/CodeSystem/object-role", "24", "Query");
pub(super) const SECURITY_ROLE: Coding<'static> =
    coding("http://terminology.hl7.org/CodeSystem/object-role", "13", "Security Resource");
pub(super) const APPLICATION_SERVER: Coding<'static> =
    coding("http://terminology.hl7.org/CodeSystem/security-source-type", "4", "Application Server");

/// `type` and `subtype` of what consents decided. SPEC: BALP, row F20.
pub(super) const SECURITY_ALERT: Coding<'static> = dcm("110113", "Security Alert");
pub(super) const AUTHZ_CONSENT: Coding<'static> = coding(
    "https://profiles.ihe.net/ITI/BALP/CodeSystem/AuthZsubType",
    "AuthZ-Consent",
    "Consent Authorization Decision Audit Event",
);
/// `type` and `subtype` of a disclosure. SPEC: BALP, row F21.
pub(super) const EXPORT: Coding<'static> = dcm("110106", "Export");
pub(super) const DISCLOSE: Coding<'static> = coding(
    "http://terminology.hl7.org/CodeSystem/iso-21089-lifecycle",
    "disclose",
    "Disclose/Transmit Record Lifecycle Event",
);
/// Who allowed a disclosure.
pub(super) const AUTHORIZER: Coding<'static> =
    coding("http://terminology.hl7.org/CodeSystem/v3-ParticipationType", "AUT", "author (originator)");

/// `AuditEvent.action`.
pub(super) const fn action(action: Action) -> &'static str {
    match action {
        Action::Create => "C",
        Action::Read => "R",
        Action::Update => "U",
        Action::Delete => "D",
        Action::Execute => "E",
    }
}

/// `AuditEvent.outcome`.
pub(super) const fn outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Success => "0",
        Outcome::MinorFailure => "4",
        Outcome::SeriousFailure => "8",
        Outcome::MajorFailure => "12",
    }
}

/// `AuditEvent.type`: a RESTful operation, or what DICOM calls the event.
pub(super) fn event_type(kind: Kind, subtype: &str) -> Coding<'static> {
    match kind {
        Kind::Rest => coding("http://terminology.hl7.org/CodeSystem/audit-event-type", "rest", "RESTful Operation"),
        Kind::Application => dcm("110100", "Application Activity"),
        Kind::Security if is_authentication(subtype) => dcm("110114", "User Authentication"),
        Kind::Security => dcm("110113", "Security Alert"),
    }
}

/// The DICOM subtype beside our own word, when DICOM has one.
pub(super) fn dicom_subtype(kind: Kind, subtype: &str) -> Option<Coding<'static>> {
    match (kind, subtype) {
        (Kind::Rest, _) => None,
        (_, "start") => Some(dcm("110120", "Application Start")),
        (_, "stop") => Some(dcm("110121", "Application Stop")),
        (_, "token-issued" | "token-refused" | "certificate-refused") => Some(dcm("110122", "Login")),
        (_, "sign-in" | "sign-in-begun" | "sign-in-failed" | "recovery-begun" | "recovery-failed") => {
            Some(dcm("110122", "Login"))
        }
        (_, "token-revoked" | "sign-out") => Some(dcm("110123", "Logout")),
        // SPEC: DICOM PS3.16 CID 403.
        (_, "break-glass-opened") => Some(dcm("110127", "Emergency Override Started")),
        (_, "break-glass-ended") => Some(dcm("110138", "Emergency Override Stopped")),
        (_, "break-glass-refused" | "break-glass-reviewed" | "break-glass-shown") => None,
        (_, word) if changes_somebody(word) => Some(dcm("110137", "User Security Attributes Changed")),
        (Kind::Security, _) if !is_authentication(subtype) => Some(dcm("110129", "Security Configuration")),
        _ => None,
    }
}

/// Whether a security event is about somebody who proves who they are.
fn is_authentication(subtype: &str) -> bool {
    const STARTS: [&str; 4] = ["token-", "sign-in", "sign-out", "recovery-"];
    const WORDS: [&str; 5] =
        ["certificate-refused", "app-opened", "authorization-granted", "authorization-refused", "authorization-pushed"];
    WORDS.contains(&subtype)
        || (STARTS.iter().any(|start| subtype.starts_with(start)) && subtype != "recovery-codes-made")
}

/// Whether it changes what a client or a person proves it with.
fn changes_somebody(subtype: &str) -> bool {
    const STARTS: [&str; 6] = ["client-", "user-", "invitation-", "password-", "passkey-", "authenticator-"];
    STARTS.iter().any(|start| subtype.starts_with(start))
        || matches!(subtype, "authorization-ended" | "recovery-codes-made" | "sessions-ended")
}
