//! The brand bundle. Rows B70, B71.

use super::{Brand, site_root};
use serde_json::{Value, json};

fn brand() -> Brand<'static> {
    Brand {
        name: "Maple House",
        aliases: &[],
        website: "https://www.maple.example/home",
        logo: None,
        logo_license: None,
        identifier: None,
        address: None,
        portal_name: "My Maple",
        portal_description: None,
        portal_url: "https://care.example/account/apps",
        developers_url: "https://care.example/docs",
    }
}

fn bundle(brand: &Brand<'_>) -> Value {
    let published = brand.published("https://care.example", "https://care.example/fhir", "2026-11-23T08:00:00Z");
    assert!(published.etag.starts_with("W/\"") && published.etag.ends_with('"') && published.etag.len() == 36);
    serde_json::from_slice(&published.body).unwrap()
}

/// Row B70: collection, timestamp, one primary brand that refers to the endpoint, and one identifier.
#[test]
fn the_bundle() {
    let bundle = bundle(&brand());
    assert_eq!((&bundle["type"], &bundle["timestamp"]), (&json!("collection"), &json!("2026-11-23T08:00:00Z")));
    let organization = &bundle["entry"][0]["resource"];
    assert_eq!(
        organization["identifier"],
        json!([{ "system": "urn:ietf:rfc:3986", "value": "https://maple.example" }]),
        "B70: the https root without www"
    );
    assert_eq!(organization["telecom"], json!([{ "system": "url", "value": "https://www.maple.example/home" }]));
    let endpoint = &bundle["entry"][1]["resource"];
    assert_eq!(endpoint["address"], "https://care.example/fhir");
    // References find what they name beside them.
    for reference in [
        &organization["endpoint"][0]["reference"],
        &organization["extension"][0]["extension"][2]["valueReference"]["reference"],
    ] {
        assert_eq!(reference, "Endpoint/fhir-r4");
    }
    assert_eq!(bundle["entry"][1]["fullUrl"], "https://care.example/brands/Endpoint/fhir-r4");
    assert_eq!(bundle["entry"][0]["fullUrl"], "https://care.example/brands/Organization/facility");
    for entry in bundle["entry"].as_array().unwrap() {
        assert_eq!(entry["resource"]["meta"]["lastUpdated"], bundle["timestamp"]);
    }
    assert!(!bundle.to_string().contains("data-absent-reason"), "B71");
}

#[test]
fn all_members() {
    let aliases = ["Old Maple".to_owned()];
    let whole = Brand {
        aliases: &aliases,
        logo: Some("https://maple.example/logo.svg"),
        logo_license: Some("https://maple.example/terms"),
        identifier: Some((None, "m-1")),
        address: Some(("Boston", "MA", "")),
        portal_description: Some("For residents and their families."),
        ..brand()
    };
    let organization = bundle(&whole)["entry"][0]["resource"].clone();
    assert_eq!(organization["identifier"], json!([{ "value": "m-1" }]));
    assert_eq!(organization["address"], json!([{ "city": "Boston", "state": "MA" }]));
    assert_eq!(organization["alias"], json!(["Old Maple"]));
    assert_eq!(organization["extension"][0]["extension"][0]["valueUrl"], "https://maple.example/logo.svg");
    assert_eq!(whole.identifier(), Some((None, "m-1".to_owned())));
}

/// The tag changes with the facts.
#[test]
fn tags() {
    let tag = |brand: &Brand<'_>| brand.published("https://a", "https://a/fhir", "2026-11-23T08:00:00Z").etag;
    assert_eq!(tag(&brand()), tag(&brand()));
    assert_ne!(tag(&brand()), tag(&Brand { name: "Other", ..brand() }));
}

#[test]
fn roots() {
    assert_eq!(site_root("https://WWW.A.example/x?y").as_deref(), Some("https://a.example"));
    assert_eq!(site_root("https://a.example:8443").as_deref(), Some("https://a.example:8443"));
    for bad in ["http://a.example", "https://", "https:///x", "https://www."] {
        assert_eq!(site_root(bad), None, "{bad}");
    }
}
