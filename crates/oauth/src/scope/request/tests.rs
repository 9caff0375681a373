//! Scope strings of apps. Rows B30, B32, B42, B51, B57.

use super::{ScopeRequest, ScopeRequestError, Special, Wanted};
use crate::limits;

fn read(text: &str) -> ScopeRequest {
    ScopeRequest::parse(text).unwrap()
}

#[test]
fn specials_are_known() {
    let launch = |resource_type: &str, role: Option<&str>| Special::LaunchType {
        resource_type: resource_type.into(),
        role: role.map(Into::into),
    };
    let table = [
        ("openid", Special::OpenId),
        ("fhirUser", Special::FhirUser),
        ("profile", Special::Profile),
        ("launch", Special::Launch),
        ("launch/patient", launch("patient", None)),
        ("launch/encounter", launch("encounter", None)),
        ("launch/questionnaire?role=http%3A%2F%2Fx.example%2Fr", launch("questionnaire", Some("http://x.example/r"))),
        ("offline_access", Special::OfflineAccess),
        ("online_access", Special::OnlineAccess),
    ];
    for (text, special) in table {
        assert_eq!(Special::parse(text), Some(special), "{text}");
    }
    for text in [
        "",
        "OpenID",
        "fhiruser",
        "launch/",
        "launch/Patient",
        "launch/patient?",
        "launch/patient?role=",
        "launch/patient?x=1",
        "launch/patient?role=a&role=b",
        "launch/patient?role=%zz",
        "launch/pat ient",
        "launch/patient/x",
        "email",
        "offline_access2",
    ] {
        assert_eq!(Special::parse(text), None, "{text}");
    }
}

/// Rows B30, B32: texts stay, order stays, doubles go, what is not understood is not reinterpreted.
#[test]
fn a_whole_string() {
    let request = read("launch/patient  openid patient/Observation.read openid patient/Patient.dus email user/*.rs");
    let texts: Vec<&str> = request.wanted().iter().map(|(text, _)| &**text).collect();
    assert_eq!(texts, ["launch/patient", "openid", "patient/Observation.read", "user/*.rs"]);
    assert_eq!(request.unknown(), ["patient/Patient.dus", "email"]);
    assert!(request.needs_patient() && request.asks(&Special::OpenId) && !request.asks(&Special::Launch));
    assert!(matches!(&request.wanted()[2].1, Wanted::Resource(scope) if &*scope.text == "patient/Observation.read"));
    assert!(!request.asks_system() && read("system/*.rs").asks_system());
    assert!(!read("user/*.rs openid").needs_patient());
    assert!(read("x y").is_empty());
}

#[test]
fn limits_hold() {
    let many = (0..=limits::SCOPES_MAX).map(|n| format!("s{n}")).collect::<Vec<_>>().join(" ");
    assert_eq!(ScopeRequest::parse(&many), Err(ScopeRequestError::TooMany));
    let long = "a".repeat(limits::SCOPE_REQUEST_BYTES_MAX + 1);
    assert_eq!(ScopeRequest::parse(&long), Err(ScopeRequestError::TooMany));
    assert!(ScopeRequest::parse(&"openid ".repeat(limits::SCOPES_MAX)).is_ok());
}
