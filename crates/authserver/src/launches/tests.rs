//! Tests of `launches`: row B23. Replays, strangers, ends, restarts, a full disk.

use super::{LaunchError, Launched, Launches};
use crate::{
    limits,
    people::session::{Method, Session},
    single_use::GiveError,
    tables::{Table, memory::Memory},
};
use oauth::launch_context::{FhirContext, LaunchContext};
use serde_json::json;
use std::sync::{Arc, atomic::Ordering};

const NOW_S: i64 = 1_800_000_000;

fn session(number: u8, account: &str) -> Session {
    Session {
        hash: [number; 32],
        account: account.into(),
        began_s: NOW_S,
        authenticated_at_s: NOW_S,
        methods: vec![Method::Passkey],
        is_complete: true,
        device: None,
    }
}

fn context() -> LaunchContext {
    let stay = json!({ "reference": "EpisodeOfCare/s1" });
    LaunchContext {
        patient: Some("p1".into()),
        encounter: Some("e1".into()),
        fhir_context: vec![FhirContext::read(stay.as_object().unwrap()).unwrap()],
        intent: Some("reconcile-medications".into()),
        need_patient_banner: Some(true),
        ..LaunchContext::default()
    }
}

fn open(table: &Arc<Memory>) -> Launches {
    Launches::open(table.clone()).unwrap()
}

/// Row B23: the whole context comes back, once, to the app and the session that it was made for; over restarts too.
#[test]
fn works_once_for_whom_it_was_made() {
    let table = Arc::new(Memory::default());
    let night = session(1, "nurse");
    let handle = open(&table).give(&context(), "app", &night, NOW_S).unwrap();
    assert_eq!(handle.expose().len(), 43, "256 bits");
    assert!(table.all().unwrap().iter().all(|(key, row)| {
        let handle = handle.expose().as_bytes();
        ![key, row].iter().any(|part| part.windows(handle.len()).any(|part| part == handle))
    }));
    let launches = open(&table);
    let launched = launches.take(handle.expose(), "app", &night, NOW_S + limits::LAUNCH_LIFE_S - 1);
    assert_eq!(launched, Ok(Launched { context: context(), user: "nurse".into() }));
    for launches in [launches, open(&table)] {
        assert_eq!(launches.take(handle.expose(), "app", &night, NOW_S + 1), Err(LaunchError::Used));
    }
    let kept = table.all().unwrap();
    assert!(kept.iter().all(|(_, row)| !String::from_utf8_lossy(row).contains("p1")), "what was used names nobody");
}

/// Row B23: it is nobody else's, and who is not the one it was made for ends it.
#[test]
fn is_nobody_elses() {
    let table = Arc::new(Memory::default());
    let launches = open(&table);
    let night = session(1, "nurse");
    let strangers = [
        ("other-app", session(1, "nurse"), LaunchError::OtherClient),
        ("app", session(2, "nurse"), LaunchError::OtherSession),
        ("app", session(2, "doctor"), LaunchError::OtherSession),
        ("app", session(1, "doctor"), LaunchError::OtherSession),
    ];
    for (client, session, refused) in strangers {
        let handle = launches.give(&context(), "app", &night, NOW_S).unwrap();
        assert_eq!(launches.take(handle.expose(), client, &session, NOW_S), Err(refused));
        assert_eq!(launches.take(handle.expose(), "app", &night, NOW_S), Err(LaunchError::Used));
    }
    for invented in ["", "x", &"a".repeat(43), &"a".repeat(100_000)] {
        assert_eq!(launches.take(invented, "app", &night, NOW_S), Err(LaunchError::Unknown));
    }
}

/// Row B23: short-lived; and its row does not stay.
#[test]
fn does_not_live_long() {
    let table = Arc::new(Memory::default());
    let launches = open(&table);
    let night = session(1, "nurse");
    let handle = launches.give(&context(), "app", &night, NOW_S).unwrap();
    let ends_s = NOW_S + limits::LAUNCH_LIFE_S;
    assert_eq!(launches.take(handle.expose(), "app", &night, ends_s), Err(LaunchError::Unknown));
    launches.sweep(ends_s).unwrap();
    assert!(table.all_keys().is_empty());
}

/// What is not on the disk is not given out, and what was not marked as used is not used.
#[test]
fn a_full_disk() {
    let table = Arc::new(Memory::default());
    let launches = open(&table);
    let night = session(1, "nurse");
    let handle = launches.give(&context(), "app", &night, NOW_S).unwrap();
    table.full.store(true, Ordering::Relaxed);
    assert!(matches!(launches.give(&context(), "app", &night, NOW_S), Err(GiveError::Unavailable(_))));
    let refused = launches.take(handle.expose(), "app", &night, NOW_S);
    assert!(matches!(refused, Err(LaunchError::Unavailable(_))), "{refused:?}");
    table.full.store(false, Ordering::Relaxed);
    assert!(launches.take(handle.expose(), "app", &night, NOW_S).is_ok());
}
