//! What is written is what is read back, and nothing that words would not tell is taken for words. Rows G1, G2, G9.

use super::*;

const ACT: Act<'_> = Act {
    patient: "rosa",
    performer: "Patient/rosa",
    facility: "Maple House",
    now: "2026-11-23T20:00:00Z",
    uri: "urn:uuid:00000000-0000-4000-8000-000000000007",
};

fn said() -> Said {
    Said {
        shares: false,
        who: Who::These(vec!["Practitioner/kim".into()]),
        what: What::Everything,
        purposes: Vec::new(),
        until: None,
        emergency: true,
    }
}

fn some() -> Vec<Said> {
    let entries = vec!["Observation/o1".into(), "DocumentReference/d1".into()];
    vec![
        said(),
        Said { who: Who::Everybody, what: What::Types(["Observation".into()].into()), ..said() },
        Said { who: Who::But(vec!["CareTeam/t".into()]), until: Some("2027-01-31".into()), ..said() },
        Said {
            who: Who::Everybody,
            what: What::Sensitive(vec!["mind".into(), "hiv".into()]),
            emergency: false,
            ..said()
        },
        Said { shares: true, what: What::Entries(entries), emergency: false, ..said() },
        Said { shares: true, purposes: vec!["TREAT".into()], emergency: false, ..said() },
    ]
}

#[test]
fn what_is_written_is_read_back() {
    for one in some() {
        let written = one.consent(&ACT);
        assert_eq!(Said::read(&written).as_ref(), Some(&one), "{written}");
        assert_eq!(written["policy"][0]["uri"], ACT.uri);
    }
}

/// Whatever could change what a Consent says, and has no words, leaves it without words.
#[test]
fn what_has_no_words_is_not_put_into_words() {
    let written = some()[2].consent(&ACT);
    let with = |pointer: &str, name: &str, value: Value| {
        let mut changed = written.clone();
        changed.pointer_mut(pointer).unwrap().as_object_mut().unwrap().insert(name.to_owned(), value);
        Said::read(&changed)
    };
    for (pointer, name, value) in [
        ("", "verification", json!([{"verified": false}])),
        ("", "policyRule", json!({"text": "x"})),
        ("", "modifierExtension", json!([{"url": "urn:x"}])),
        ("", "sourceReference", json!({"reference": "DocumentReference/ink"})),
        ("", "scope", json!({"coding": [{"system": SCOPE, "code": "research"}]})),
        ("/provision", "type", json!("maybe")),
        ("/provision", "period", json!({"start": "2020-01-01"})),
        ("/provision", "period", json!({"end": "2020"})),
        ("/provision", "action", json!([{"text": "x"}])),
        ("/provision", "code", json!([{"text": "x"}])),
        ("/provision", "dataPeriod", json!({"end": "2022"})),
        ("/provision", "class", json!([{"system": "urn:ietf:bcp:13", "code": "application/pdf"}])),
        ("/provision", "class", json!([])),
        ("/provision", "securityLabel", json!([{"system": ACT_CODE, "code": "TABOO"}])),
        ("/provision", "securityLabel", json!([{"system": ACT_CODE, "code": "PSY"}])),
        ("/provision", "actor", json!([{"role": {"coding": []}, "reference": {"reference": "Practitioner/kim"}}])),
        ("/provision", "data", json!([{"meaning": "authoredby", "reference": {"reference": "Practitioner/kim"}}])),
        ("/provision", "extension", json!([{"url": "urn:x"}])),
        ("/provision/provision/0", "class", json!([{"system": RESOURCE_TYPES, "code": "Goal"}])),
        ("/provision/provision/0", "type", json!("deny")),
        ("/provision/provision/0/actor/0/reference", "reference", json!("https://elsewhere.example/Practitioner/1")),
    ] {
        assert_eq!(with(pointer, name, value.clone()), None, "{pointer} {name} {value}");
    }
    let mut both = some()[1].consent(&ACT);
    both["provision"]["securityLabel"] = json!([{"system": ACT_CODE, "code": "PSY"}]);
    assert_eq!(Said::read(&both), None, "two criteria mean what meets both");
    let mut nested = some()[4].consent(&ACT);
    nested["provision"]["provision"] = json!([{"type": "deny"}]);
    assert_eq!(Said::read(&nested), None);
}

/// The decider understands all of it: nothing that a page writes is in doubt.
#[test]
fn what_is_written_is_in_force() {
    let sources: Vec<Vec<u8>> = some().iter().map(|one| one.consent(&ACT).to_string().into_bytes()).collect();
    let ids: Vec<String> = (0..sources.len()).map(|at| format!("c{at}")).collect();
    let all: Vec<policy::consent::ConsentSource<'_>> =
        ids.iter().zip(&sources).map(|(id, json)| policy::consent::ConsentSource { id, version: 1, json }).collect();
    let read = policy::consent::Directives::read(&all);
    let now =
        |date: &str| fhir::Instant::from_unix_millis(fhir::primitive::date_time::DateTime::parse(date).unwrap().low);
    assert_eq!(read.idle(now("2026-12-01")), []);
    assert_eq!(read.idle(now("2027-02-01")), [("c2".into(), policy::consent::Idle::OutOfPeriod)]);
}
