//! B14: leave to register, and what ends it.

use super::*;
use crate::tables::memory::Memory;
use std::sync::atomic::Ordering;

const NOW: Instant = Instant::from_unix_millis(1_800_000_000_000);

fn later(seconds: i64) -> Instant {
    Instant::from_unix_millis(NOW.unix_millis() + seconds * 1000)
}

fn wanted(uses: u32) -> NewInvitation {
    NewInvitation {
        note: "Walks Inc.".into(),
        kinds: vec![KindName::Public, KindName::BackendService, KindName::Public],
        scope: "openid patient/*.rs system/Observation.rs".into(),
        uses,
        life_s: 3600,
    }
}

fn make(all: &Invitations, new: &NewInvitation) -> Result<(Secret, Arc<Invitation>), ClientError> {
    all.make(new, &|_| Ok(()), NOW, |_| Ok(())).map(|(token, invitation, ())| (token, invitation))
}

#[test]
fn b14_it_works_so_often_and_so_long() {
    let table = Arc::new(Memory::default());
    let all = Invitations::open(table.clone()).unwrap();
    let (token, made) = make(&all, &wanted(2)).unwrap();
    assert_eq!(made.reach.kinds[..], [KindName::Public, KindName::BackendService]);
    assert_eq!(&*made.reach.scope_text, "openid patient/*.rs system/Observation.rs");
    assert!(!table.all_keys().iter().any(|key| key == token.expose().as_bytes()), "hashed");
    assert_eq!(all.take("another", NOW).unwrap(), None);
    assert_eq!(all.take(token.expose(), NOW).unwrap().unwrap().uses_left, 1);
    // Over a restart too.
    let all = Invitations::open(table.clone()).unwrap();
    assert!(all.look(token.expose(), NOW).is_some());
    assert!(all.look(token.expose(), later(3600)).is_none(), "past its end");
    assert_eq!(all.take(token.expose(), later(3599)).unwrap().unwrap().uses_left, 0);
    assert_eq!(all.take(token.expose(), NOW).unwrap(), None, "used up");
    assert!(all.look(token.expose(), NOW).is_none());
    all.give_back(token.expose());
    assert!(all.take(token.expose(), NOW).unwrap().is_some(), "a use of which nothing came");
    all.sweep(NOW).unwrap();
    assert!(table.all_keys().is_empty());
    assert!(all.all(NOW).is_empty());
}

#[test]
fn b14_a_full_disk_gives_no_use() {
    let table = Arc::new(Memory::default());
    let all = Invitations::open(table.clone()).unwrap();
    let (token, made) = make(&all, &wanted(1)).unwrap();
    table.full.store(true, Ordering::Relaxed);
    assert!(all.take(token.expose(), NOW).is_err());
    assert!(all.withdraw(&made.name).is_err());
    assert!(make(&all, &wanted(1)).is_err());
    table.full.store(false, Ordering::Relaxed);
    assert!(all.take(token.expose(), NOW).unwrap().is_some());
    // Without its record there is none.
    let failed = all.make(&wanted(1), &|_| Ok(()), NOW, |_| Err::<(), _>(ClientError::Unavailable("log".into())));
    assert!(failed.is_err());
    assert_eq!(table.all_keys().len(), 1);
    assert!(all.all(NOW).is_empty());
}

#[test]
fn b14_withdrawn_is_gone() {
    let table = Arc::new(Memory::default());
    let all = Invitations::open(table.clone()).unwrap();
    let (token, made) = make(&all, &wanted(5)).unwrap();
    assert_eq!(all.all(NOW), std::slice::from_ref(&made));
    all.withdraw(&made.name).unwrap();
    assert!(matches!(all.withdraw(&made.name), Err(ClientError::NotFound)));
    assert!(all.look(token.expose(), NOW).is_none());
    assert!(Invitations::open(table).unwrap().all(NOW).is_empty());
}

#[test]
fn what_is_no_leave() {
    let all = Invitations::open(Arc::new(Memory::default())).unwrap();
    for wrong in [
        NewInvitation { kinds: Vec::new(), ..wanted(1) },
        wanted(0),
        wanted(limits::CLIENT_INVITATION_USES_MAX + 1),
        NewInvitation { life_s: 0, ..wanted(1) },
        NewInvitation { life_s: limits::CLIENT_INVITATION_LIFE_S_MAX + 1, ..wanted(1) },
        NewInvitation { scope: String::new(), ..wanted(1) },
        NewInvitation { scope: "patient/Nonsense.rs".into(), ..wanted(1) },
        NewInvitation { note: "\u{202e}".into(), ..wanted(1) },
    ] {
        assert!(matches!(make(&all, &wrong), Err(ClientError::Invalid(_))), "{wrong:?}");
    }
}
