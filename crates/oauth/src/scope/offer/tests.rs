//! Offers, choices, refreshes, and forms that were tampered with. Rows B27, B32, B41, B42, B55, B57.

use super::{Able, Line, Offer, OfferError, refreshed};
use crate::scope::request::{ScopeRequest, Special};

const SURVEY: &str =
    "patient/Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|survey";
const PROBLEMS: &str =
    "patient/Condition.rs?category=http://terminology.hl7.org/CodeSystem/condition-category|problem-list-item";

fn able() -> Able<'static> {
    Able {
        enforces: &|_| true,
        has_fhir_user: true,
        is_ehr_launch: false,
        launch_types: &["patient", "encounter"],
        is_tiered: true,
    }
}

fn offer_with(requested: &str, registered: &str, able: &Able<'_>) -> Result<Offer, OfferError> {
    Offer::of(&ScopeRequest::parse(requested).unwrap(), &ScopeRequest::parse(registered).unwrap(), able)
}

fn offer(requested: &str, registered: &str) -> Offer {
    offer_with(requested, registered, &able()).unwrap()
}

fn all(offer: &Offer) -> Vec<&str> {
    offer.all().collect()
}

fn choose(offer: &Offer, chosen: &[&str]) -> Result<String, OfferError> {
    offer.choose(chosen.iter().copied()).map(|granted| granted.text.to_string())
}

/// Row B41: never more than registered; B32: to the letter where the registration covers it.
#[test]
fn an_offer_is_within_both() {
    let registered = "openid fhirUser launch/patient offline_access patient/*.rs";
    let asked =
        "launch/patient openid fhirUser offline_access patient/Patient.read patient/Observation.cruds user/*.rs";
    let offer = offer(asked, registered);
    assert_eq!(
        all(&offer),
        ["launch/patient", "openid", "fhirUser", "offline_access", "patient/Patient.read", "patient/Observation.rs"]
    );
    assert_eq!(offer_with("user/*.rs", registered, &able()), Err(OfferError::Nothing));
    assert_eq!(offer_with("online_access", registered, &able()), Err(OfferError::Nothing));
    let unable = Able { enforces: &|scope| scope.query.is_empty(), ..able() };
    let offer = offer_with(&format!("{SURVEY} patient/Patient.rs"), "patient/*.rs", &unable).unwrap();
    assert_eq!(all(&offer), ["patient/Patient.rs"]);
}

/// Row B42: `system/` never rides on a person's token.
#[test]
fn no_person_gives_system_scopes() {
    for asked in ["system/*.rs", "patient/*.rs system/*.rs", "openid system/Patient.read"] {
        assert_eq!(offer_with(asked, "patient/*.rs system/*.rs openid", &able()), Err(OfferError::System), "{asked}");
    }
}

/// Row B27: parts of a whole type, and only what was chosen; `patient/Patient.rs` beside them.
#[test]
fn parts_in_place_of_a_whole() {
    let offer = offer("patient/Patient.rs patient/Condition.rs patient/Observation.rs", "patient/*.rs");
    assert_eq!(offer.resources().map(|one| one.parts.len()).collect::<Vec<_>>(), [0, 3, 5]);
    let chosen = format!("patient/Patient.rs {PROBLEMS} {SURVEY}");
    assert_eq!(choose(&offer, &["patient/Patient.rs", SURVEY, PROBLEMS]), Ok(chosen), "in the order of the request");
    assert_eq!(choose(&offer, &["patient/Condition.rs", PROBLEMS]), Ok("patient/Condition.rs".into()));
    let granted = offer.choose([SURVEY]).unwrap();
    assert_eq!((granted.scopes.len(), &*granted.text), (1, SURVEY));
}

/// Whole types that are registered in parts only are offered so.
#[test]
fn a_registration_in_parts() {
    let offer = offer("patient/Observation.rs", SURVEY);
    assert_eq!(all(&offer), [SURVEY]);
    assert!(offer.resources().all(|one| one.parts.is_empty()));
    assert_eq!(choose(&offer, &["patient/Observation.rs"]), Err(OfferError::NotOffered));
}

/// Rows B27, E5, and the form that somebody changed: nothing can be chosen that was not on offer.
#[test]
fn choices_are_among_the_offered() {
    let offer =
        offer("openid launch/patient patient/Observation.rs offline_access", "openid launch/patient patient/*.rs");
    for text in [
        "patient/*.rs",
        "patient/Observation.cruds",
        "patient/Observation.read",
        "user/Observation.rs",
        "offline_access",
        "patient/Observation.rs?category=survey",
        "",
        " ",
        "patient/Observation.rs patient/Patient.rs",
    ] {
        assert_eq!(choose(&offer, &[text]), Err(OfferError::NotOffered), "{text}");
    }
    assert_eq!(choose(&offer, &[]), Ok("openid launch/patient".into()));
    assert!(offer.choose([]).unwrap().scopes.is_empty());
}

/// Rows B55, B24: what the server cannot give is not offered.
#[test]
fn able_only() {
    let asked = "launch launch/patient launch/basic openid fhirUser profile patient/*.rs";
    let kept = |able: Able<'_>| -> Vec<String> {
        all(&offer_with(asked, asked, &able).unwrap()).iter().map(|text| (*text).to_owned()).collect()
    };
    assert_eq!(kept(able()), ["launch/patient", "openid", "fhirUser", "profile", "patient/*.rs"]);
    let nobody = Able { has_fhir_user: false, is_ehr_launch: true, ..able() };
    assert_eq!(kept(nobody), ["launch", "launch/patient", "openid", "profile", "patient/*.rs"]);
    let without = offer("fhirUser profile patient/*.rs", "openid fhirUser profile patient/*.rs");
    assert!(!without.has(&Special::FhirUser) && without.lines().iter().all(|line| matches!(line, Line::Resource(_))));
    // Row B51: a role that was not registered is served by the type that was.
    let role = "launch/patient?role=guest";
    assert_eq!(all(&offer(role, "launch/patient")), [role]);
}

/// Row B57 and scope widening at refresh.
#[test]
fn a_refresh_only_narrows() {
    let offer = offer(
        "openid offline_access patient/Observation.read patient/Patient.rs",
        "openid offline_access patient/*.rs",
    );
    let before = offer.choose(["offline_access", "patient/Observation.read", "patient/Patient.rs"]).unwrap();
    assert_eq!(refreshed(&before, None).as_ref(), Ok(&before));
    let narrower = refreshed(&before, Some("patient/Observation.read openid")).unwrap();
    assert_eq!(&*narrower.text, "patient/Observation.read openid");
    assert_eq!(&*refreshed(&before, Some("patient/Patient.r")).unwrap().text, "patient/Patient.r");
    for wider in [
        "patient/*.rs",
        "patient/Observation.cruds",
        "user/Observation.rs",
        "system/Observation.rs",
        "fhirUser",
        "patient/Observation.read fhirUser",
        "online_access",
        "unknown",
        "patient/Observation.dus",
    ] {
        assert_eq!(refreshed(&before, Some(wider)), Err(OfferError::Wider), "{wider}");
    }
    assert_eq!(refreshed(&before, Some(" ")), Err(OfferError::Nothing));
}

/// Rows D34, D39: `udap` goes with `openid`, is given without asking, and only where it means something.
#[test]
fn d39_udap() {
    let offered = |asked: &str, able: &Able<'_>| {
        offer_with(asked, "openid udap patient/*.rs", able).map(|offer| all(&offer).join(" "))
    };
    assert_eq!(offered("openid udap", &able()), Ok("openid udap".into()));
    assert_eq!(offered("udap patient/*.rs", &able()), Ok("patient/*.rs".into()));
    assert_eq!(offered("openid udap", &Able { is_tiered: false, ..able() }), Ok("openid".into()));
    assert_eq!(choose(&offer("openid udap", "openid udap"), &["openid"]), Ok("openid udap".into()));
    assert_eq!(offer_with("openid udap", "openid", &able()).map(|offer| all(&offer).len()), Ok(1));
}
