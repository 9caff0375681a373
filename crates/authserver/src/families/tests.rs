//! Tests of `families`: rotation, replay, grace, ends, restarts. Rows B57 to B61.

use super::{Asker, Families, Lasting, NewFamily, RefreshError};
use crate::{
    client::secret::Pepper,
    limits, random,
    tables::{Table, memory::Memory},
};
use oauth::{caller::Confirmation, launch_context::LaunchContext, secret::Secret};
use std::sync::{Arc, atomic::Ordering};

const NOW_S: i64 = 1_800_000_000;
const DAY_S: i64 = 24 * 3600;

struct Bench {
    table: Arc<Memory>,
    keys: Arc<Memory>,
    families: Families,
}

impl Bench {
    fn new() -> Self {
        let (table, keys) = (Arc::new(Memory::default()), Arc::new(Memory::default()));
        let families = open(&table, &keys, NOW_S);
        Self { table, keys, families }
    }

    fn restart(&mut self, now_s: i64) {
        self.families = open(&self.table, &self.keys, now_s);
    }

    fn begin(&self, lasting: Lasting, ends_s: i64) -> (Arc<str>, Option<Secret>) {
        self.begin_with(lasting, ends_s, None)
    }

    fn begin_with(
        &self,
        lasting: Lasting,
        ends_s: i64,
        confirmation: Option<Confirmation>,
    ) -> (Arc<str>, Option<Secret>) {
        let id: Arc<str> = random::name().unwrap().into();
        let new = NewFamily {
            id: Arc::clone(&id),
            client_id: "app".into(),
            user: "ann".into(),
            scope_text: "openid offline_access patient/*.rs".into(),
            launch: Arc::new(LaunchContext { patient: Some("p1".into()), ..LaunchContext::default() }),
            confirmation,
            signed_in_s: NOW_S - 5,
            lasting,
            ends_s,
        };
        (id, self.families.begin(new, NOW_S).unwrap())
    }

    fn offline(&self) -> (Arc<str>, Secret) {
        let (id, token) = self.begin(Lasting::Offline, NOW_S + 365 * DAY_S);
        (id, token.unwrap())
    }

    fn rotate(&self, token: &Secret, now_s: i64) -> Result<Secret, RefreshError> {
        self.rotate_as("app", token, None, now_s)
    }

    fn rotate_as(
        &self,
        client_id: &str,
        token: &Secret,
        confirmation: Option<Confirmation>,
        now_s: i64,
    ) -> Result<Secret, RefreshError> {
        let asker = Asker { client_id, confirmation, now_s, is_live: &|session| session == "live" };
        self.families.rotate(token.expose(), &asker).map(|(_, token)| token)
    }
}

fn open(table: &Arc<Memory>, keys: &Arc<Memory>, now_s: i64) -> Families {
    let pepper = Arc::new(Pepper::open(&**keys).unwrap());
    Families::open(table.clone(), pepper, now_s, |client| client != "gone").unwrap()
}

fn error<T>(result: Result<T, RefreshError>) -> RefreshError {
    result.map(drop).unwrap_err()
}

/// Row B58: each token works once, over restarts too; one that comes again later kills the family.
#[test]
fn rotation_and_replay() {
    let mut bench = Bench::new();
    let (id, first) = bench.offline();
    bench.restart(NOW_S);
    let second = bench.rotate(&first, NOW_S + 100).unwrap();
    bench.restart(NOW_S + 100);
    let third = bench.rotate(&second, NOW_S + 200).unwrap();
    assert!(bench.families.is_live(&id));
    assert!(bench.families.of_token(third.expose(), NOW_S + 200).unwrap().is_some());
    assert!(bench.families.of_token(first.expose(), NOW_S + 200).unwrap().is_none());
    assert_eq!(error(bench.rotate(&first, NOW_S + 201)), RefreshError::Replayed(Arc::clone(&id)));
    for restart in [false, true] {
        if restart {
            bench.restart(NOW_S + 202);
        }
        assert!(!bench.families.is_live(&id));
        assert_eq!(error(bench.rotate(&third, NOW_S + 202)), RefreshError::Unknown, "the good one is dead too");
        assert_eq!(error(bench.rotate(&first, NOW_S + 202)), RefreshError::Unknown);
    }
    assert!(bench.table.all_keys().is_empty());
}

/// Row B58: within the grace the same successor comes back, and nothing moves.
#[test]
fn the_grace_gives_the_same_successor() {
    let mut bench = Bench::new();
    let (id, first) = bench.offline();
    let second = bench.rotate(&first, NOW_S).unwrap();
    bench.restart(NOW_S + 1);
    for late in [1, limits::REFRESH_GRACE_S - 1] {
        assert_eq!(bench.rotate(&first, NOW_S + late).unwrap().expose(), second.expose());
    }
    let third = bench.rotate(&second, NOW_S + 30).unwrap();
    assert_ne!(third.expose(), second.expose());
    // Two generations back there is no grace, however soon.
    assert_eq!(error(bench.rotate(&first, NOW_S + 31)), RefreshError::Replayed(id));

    let (id, first) = bench.offline();
    bench.rotate(&first, NOW_S).unwrap();
    assert_eq!(error(bench.rotate(&first, NOW_S + limits::REFRESH_GRACE_S)), RefreshError::Replayed(id));
}

/// Nobody ends a family by inventing tokens, or by those of others.
#[test]
fn invented_tokens_harm_nobody() {
    let bench = Bench::new();
    let (id, token) = bench.offline();
    let text = token.expose().to_owned();
    for at in [0, 10, 25, 40, 60, 90] {
        let mut bent = text.clone().into_bytes();
        bent[at] = if bent[at] == b'A' { b'B' } else { b'A' };
        let bent = Secret::new(String::from_utf8(bent).unwrap());
        assert_eq!(error(bench.rotate(&bent, NOW_S)), RefreshError::Unknown, "{at}");
    }
    for invented in ["", "a", &text[1..], &format!("{text}A"), &"-".repeat(91), &"\u{e9}".repeat(45)] {
        assert_eq!(error(bench.rotate(&Secret::new(invented), NOW_S)), RefreshError::Unknown);
    }
    let foreign = Bench::new().offline().1;
    assert_eq!(error(bench.rotate(&foreign, NOW_S)), RefreshError::Unknown);
    assert_eq!(error(bench.rotate_as("other", &token, None, NOW_S)), RefreshError::OtherClient, "B57");
    assert!(bench.families.is_live(&id));
    assert!(bench.rotate(&token, NOW_S).is_ok());
    // The table has no token, and none of its parts that matter.
    let rows = bench.table.all().unwrap();
    assert!(rows.iter().all(|(_, row)| !String::from_utf8_lossy(row).contains(&text[30..80])));
}

/// Rows B57 and B59: the ends.
#[test]
fn each_kind_ends_in_its_own_way() {
    let mut bench = Bench::new();
    // Used now and then, it lasts to the end that the person chose.
    let (_, mut token) = bench.offline();
    for week in 1..=52 {
        token = bench.rotate(&token, NOW_S + week * 7 * DAY_S).unwrap();
    }
    assert_eq!(error(bench.rotate(&token, NOW_S + 365 * DAY_S)), RefreshError::Over);
    // Unused for too long.
    let (_, token) = bench.offline();
    const { assert!(limits::OFFLINE_IDLE_S >= 90 * DAY_S, "B59") };
    assert_eq!(error(bench.rotate(&token, NOW_S + limits::OFFLINE_IDLE_S)), RefreshError::Over);
    // With the session.
    let (_, live) = bench.begin(Lasting::Session("live".into()), NOW_S + DAY_S);
    assert!(bench.rotate(&live.unwrap(), NOW_S + 10).is_ok());
    let (id, dead) = bench.begin(Lasting::Session("dead".into()), NOW_S + DAY_S);
    assert_eq!(error(bench.rotate(&dead.unwrap(), NOW_S + 10)), RefreshError::Over);
    assert!(!bench.families.is_live(&id));
    // Without refresh tokens.
    let (id, none) = bench.begin(Lasting::Once, NOW_S + 300);
    assert!(none.is_none());
    bench.restart(NOW_S + 299);
    assert!(bench.families.is_live(&id));
    bench.families.sweep(NOW_S + 300).unwrap();
    assert!(!bench.families.is_live(&id));
    bench.restart(NOW_S + 400 * DAY_S);
    assert!(bench.table.all_keys().is_empty());
}

/// Row B60: a token that is bound to a key goes with that key alone.
#[test]
fn bound_tokens_need_their_key() {
    let bench = Bench::new();
    let key = Confirmation::Key([7; 32]);
    let (id, token) = bench.begin_with(Lasting::Offline, NOW_S + DAY_S, Some(key));
    let token = token.unwrap();
    for wrong in [None, Some(Confirmation::Key([8; 32])), Some(Confirmation::Certificate([7; 32]))] {
        assert_eq!(error(bench.rotate_as("app", &token, wrong, NOW_S)), RefreshError::Unproven);
    }
    assert!(bench.families.is_live(&id));
    assert!(bench.rotate_as("app", &token, Some(key), NOW_S).is_ok());
}

/// Row B61, and what a full disk does: what was not stored did not happen.
#[test]
fn revoked_stays_revoked_and_a_full_disk_gives_nothing() {
    let mut bench = Bench::new();
    let (id, token) = bench.offline();
    bench.table.full.store(true, Ordering::Relaxed);
    assert!(matches!(error(bench.rotate(&token, NOW_S)), RefreshError::Unavailable(_)));
    bench.table.full.store(false, Ordering::Relaxed);
    let second = bench.rotate(&token, NOW_S).unwrap();
    assert_eq!(bench.families.of_user("ann", None), [Arc::clone(&id)]);
    assert_eq!(bench.families.of_user("ann", Some("app")), [Arc::clone(&id)]);
    assert!(bench.families.of_user("ann", Some("other")).is_empty() && bench.families.of_user("bob", None).is_empty());
    assert_eq!(bench.families.of_client("app"), [Arc::clone(&id)]);
    assert!(bench.families.revoke(&id).unwrap());
    assert!(!bench.families.revoke(&id).unwrap());
    bench.restart(NOW_S);
    assert_eq!(error(bench.rotate(&second, NOW_S)), RefreshError::Unknown);
    assert!(bench.families.of_user("ann", None).is_empty());
    bench.table.put(b"x", b"{}").unwrap();
    let pepper = Arc::new(Pepper::open(&*bench.keys).unwrap());
    assert!(Families::open(bench.table.clone(), pepper, NOW_S, |_| true).is_err(), "what this program did not write");
}

/// Row B22: a code that comes again while it is being redeemed: what would begin does not.
#[test]
fn a_family_whose_code_came_again_never_begins() {
    let bench = Bench::new();
    let id: Arc<str> = random::name().unwrap().into();
    assert!(!bench.families.revoke_of_code(&id, NOW_S).unwrap());
    let new = NewFamily {
        id: Arc::clone(&id),
        client_id: "app".into(),
        user: "ann".into(),
        scope_text: "patient/*.rs".into(),
        launch: Arc::default(),
        confirmation: None,
        signed_in_s: NOW_S,
        lasting: Lasting::Once,
        ends_s: NOW_S + 300,
    };
    assert_eq!(error(bench.families.begin(new, NOW_S)), RefreshError::Replayed(Arc::clone(&id)));
    assert!(!bench.families.is_live(&id) && bench.table.all_keys().is_empty());
    let (begun, _) = bench.offline();
    assert!(bench.families.revoke_of_code(&begun, NOW_S).unwrap());
    assert!(!bench.families.is_live(&begun));
}

/// Many with the same token at once: all get the one successor, and no second one exists.
#[test]
fn of_many_at_once_all_get_the_same() {
    let bench = Bench::new();
    let (_, token) = bench.offline();
    let successors = std::thread::scope(|scope| {
        let takers: Vec<_> = (0..4).map(|_| scope.spawn(|| bench.rotate(&token, NOW_S).unwrap())).collect();
        takers.into_iter().map(|taker| taker.join().unwrap().expose().to_owned()).collect::<Vec<_>>()
    });
    assert!(successors.windows(2).all(|pair| pair[0] == pair[1]));
}
