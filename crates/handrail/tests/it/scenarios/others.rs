//! Payers. Scenarios 3 and 7.

use super::{Facility, encounter, ids, item};
use crate::{
    support::{Server, ok},
    udap::{COMMUNITY, Lab, add, join},
};
use serde_json::json;

/// A facility that a payer joined by its certificate, for payment, with these scopes: its token.
async fn with_payer(scope: &str) -> (Facility, String, tempfile::TempDir, Lab) {
    let own = tempfile::tempdir().unwrap();
    let server = Server::on(&own.path().join("data"), &["--egress-allow-networks", "127.0.0.0/8"]);
    let lab = Lab::new(own.path().join("lab"), "Lab");
    let ours = lab.member("house", &server.base, &[]);
    ok(&add(&server.directory, &lab, &ours, &[]));
    let mut facility = Facility::on(server).await;
    let payer = "https://payer.example.org/fhir";
    facility
        .put(json!({ "resourceType": "Organization", "id": "payer", "name": "Payer", "active": true,
        "identifier": [{ "system": "urn:ietf:rfc:3986", "value": payer }] }))
        .await;
    facility
        .put(json!({ "resourceType": "Coverage", "id": "rosa-coverage", "status": "active",
        "beneficiary": { "reference": "Patient/rosa" }, "payor": [{ "reference": "Organization/payer" }],
        "period": { "start": "2026-01-01" } }))
        .await;
    facility.put(json!({ "resourceType": "Claim", "id": "rosa-claim", "status": "active", "use": "claim",
        "type": { "coding": [{ "system": "http://terminology.hl7.org/CodeSystem/claim-type", "code": "institutional" }] },
        "patient": { "reference": "Patient/rosa" }, "created": "2026-04-01",
        "provider": { "reference": "Organization/house" }, "insurer": { "reference": "Organization/payer" },
        "priority": { "coding": [{ "code": "normal" }] },
        "insurance": [{ "sequence": 1, "focal": true, "coverage": { "reference": "Coverage/rosa-coverage" } }],
        "item": [{ "sequence": 1, "productOrService": { "text": "Stay" }, "encounter": [{ "reference": "Encounter/rosa-t1" }] }] })).await;
    let files = lab.member("payer", payer, &[]);
    let asks = ["--contact", "mailto:it@payer.example.org", "--purpose", "HPAYMT", "--scope", scope];
    let token = ok(&join(&facility.server, &lab, COMMUNITY, &files, &asks)).trim().to_owned();
    (facility, token, own, lab)
}

/// 3: the payer looks at one billing period of its member: timepoint, impressions, panels, what was seen in between. What
/// is not its member's, or not in its scopes, is not there; each look is in the log.
#[tokio::test]
async fn scenario_3_a_payer_audits_a_period() {
    let scope = "system/Encounter.rs system/ClinicalImpression.rs system/Observation.rs";
    let (mut facility, token, _own, _lab) = with_payer(scope).await;
    facility
        .put(json!({ "resourceType": "ClinicalImpression", "id": "rosa-c1", "status": "completed",
        "subject": { "reference": "Patient/rosa" }, "encounter": { "reference": "Encounter/rosa-t1" },
        "finding": [{ "itemReference": { "reference": "Observation/rosa-o1" } }] }))
        .await;
    facility
        .put(encounter("rosa-t2", "rosa", "in-progress", json!({ "start": "2026-03-12" }), Some("rosa-stay")))
        .await;
    facility.put(item("rosa-o2", "rosa", "rosa-t2", "54522-8", "2026-03-20T10:00:00Z", 4)).await;
    let within = "Encounter?part-of=Encounter/rosa-stay&date=ge2026-02-26&date=lt2026-03-12";
    assert_eq!(facility.found(&token, within).await, ["rosa-t1"]);
    assert_eq!(facility.found(&token, "ClinicalImpression?encounter=Encounter/rosa-t1").await, ["rosa-c1"]);
    assert_eq!(facility.found(&token, "Observation?encounter=Encounter/rosa-t1").await, ["rosa-o1"]);
    // Not claimed: what was seen in the next period.
    assert!(facility.found(&token, "Observation?encounter=Encounter/rosa-t2").await.is_empty());
    assert_eq!(facility.status(&token, "Observation/rosa-o2").await, 404);
    for (path, status) in [
        ("Encounter/maud-t1", 404),
        ("Observation/maud-o1", 404),
        ("Condition?patient=rosa", 403),
        ("Patient/rosa", 403),
    ] {
        assert_eq!(facility.status(&token, path).await, status, "{path}");
    }
    let own = facility.own.clone();
    let events = facility.get(&own, "AuditEvent?patient=rosa&_count=200").await.json();
    let all = events.to_string();
    assert!(all.contains("HPAYMT") && all.contains("Organization/payer"), "{all}");
    assert!(ids(&events).len() >= 4);
}

/// 7: a walker is ordered with what justifies it; the payer gets the order with its coverage, and the order of therapy with
/// the observations that it rests on, each in one search.
#[tokio::test]
async fn scenario_7_a_walker_is_ordered() {
    let scope = "system/DeviceRequest.rs system/ServiceRequest.rs system/Observation.rs system/Coverage.rs";
    let (mut facility, token, _own, _lab) = with_payer(scope).await;
    for resource in [
        json!({ "resourceType": "DeviceRequest", "id": "rosa-walker", "status": "active", "intent": "order",
            "subject": { "reference": "Patient/rosa" }, "encounter": { "reference": "Encounter/rosa-t1" },
            "codeCodeableConcept": { "text": "Walker" }, "requester": { "reference": "Practitioner/nora" },
            "reasonReference": [{ "reference": "Observation/rosa-o1" }],
            "insurance": [{ "reference": "Coverage/rosa-coverage" }] }),
        json!({ "resourceType": "ServiceRequest", "id": "rosa-training", "status": "active", "intent": "order",
            "subject": { "reference": "Patient/rosa" }, "encounter": { "reference": "Encounter/rosa-t1" },
            "code": { "text": "Training with the walker" }, "reasonReference": [{ "reference": "Observation/rosa-o1" }] }),
        json!({ "resourceType": "DeviceRequest", "id": "maud-walker", "status": "active", "intent": "order",
            "subject": { "reference": "Patient/maud" }, "encounter": { "reference": "Encounter/maud-t1" },
            "codeCodeableConcept": { "text": "Walker" } }),
    ] {
        facility.put(resource).await;
    }
    let order = facility.get(&token, "DeviceRequest?_include=DeviceRequest:insurance").await.json();
    assert_eq!(ids(&order), ["rosa-walker", "rosa-coverage"]);
    let therapy = facility.get(&token, "ServiceRequest?_include=ServiceRequest:reason-reference").await.json();
    assert_eq!(ids(&therapy), ["rosa-training", "rosa-o1"]);
    assert_eq!(facility.status(&token, "DeviceRequest/maud-walker").await, 404);
}
