//! Tests of `session`. Rows A20, B26.

use super::*;
use crate::tables::memory::Memory;

fn open(table: &Arc<Memory>, now_s: i64) -> Sessions {
    Sessions::open(table.clone(), now_s, |account| account != "gone").unwrap()
}

fn new(account: &str, now_s: i64) -> NewSession {
    let device = Some("Firefox on Linux".into());
    let methods = vec![Method::Password];
    NewSession { account: account.into(), methods, is_complete: true, device, authenticated_at_s: now_s, now_s }
}

fn begin(sessions: &Sessions, account: &str, now_s: i64) -> (String, Arc<Session>) {
    let (secret, session) = sessions.begin(new(account, now_s)).unwrap();
    (secret.expose().to_owned(), session)
}

#[test]
fn a_session_ends_when_idle_and_at_its_end_whatever_happens() {
    let table = Arc::new(Memory::default());
    let sessions = open(&table, 0);
    let (cookie, session) = begin(&sessions, "ana", 0);
    assert_eq!(sessions.of_cookie(&cookie, limits::SESSION_IDLE_S - 1).unwrap(), session);
    assert!(sessions.is_live(&session.name(), limits::SESSION_IDLE_S) && !sessions.is_live("0", 0));
    let idle = 2 * limits::SESSION_IDLE_S - 1;
    assert!(sessions.of_cookie(&cookie, idle).is_none() && !sessions.is_live(&session.name(), idle));
    // Used all the time, it ends all the same.
    let (cookie, _) = begin(&sessions, "ana", 0);
    let step = limits::SESSION_IDLE_S / 2;
    let mut now_s = 0;
    while now_s + step < limits::SESSION_LIFE_S {
        now_s += step;
        assert!(sessions.of_cookie(&cookie, now_s).is_some(), "{now_s}");
    }
    assert!(sessions.of_cookie(&cookie, limits::SESSION_LIFE_S).is_none());
    sessions.sweep(limits::SESSION_LIFE_S).unwrap();
    assert!(table.all_keys().is_empty());
}

/// What is in the table does not let anybody in.
#[test]
fn the_table_has_no_cookie() {
    let table = Arc::new(Memory::default());
    let (cookie, session) = begin(&open(&table, 0), "ana", 0);
    let (key, row) = table.all().unwrap().remove(0);
    assert_eq!(key, session.hash);
    assert!(!String::from_utf8(row).unwrap().contains(&cookie));
    assert!(open(&table, 1).of_cookie(&random::hex(&key), 1).is_none());
}

#[test]
fn a_restart_keeps_what_lives_and_only_that() {
    let table = Arc::new(Memory::default());
    let sessions = open(&table, 0);
    let (kept, session) = begin(&sessions, "ana", 0);
    let (ended, other) = begin(&sessions, "ana", 0);
    let (gone, _) = begin(&sessions, "gone", 0);
    let (idle, _) = begin(&sessions, "ben", 0);
    sessions.end(&other.hash).unwrap();
    // Seen, and written down by the sweep.
    assert!(sessions.of_cookie(&kept, 600).is_some());
    sessions.sweep(600).unwrap();
    let now_s = limits::SESSION_IDLE_S + 300;
    let again = open(&table, now_s);
    assert_eq!(again.of_cookie(&kept, now_s).unwrap(), session);
    for cookie in [ended, gone, idle] {
        assert!(again.of_cookie(&cookie, now_s).is_none());
    }
    assert_eq!(table.all_keys().len(), 1);
}

#[test]
fn revoking_ends_all_but_the_one_in_hand() {
    let table = Arc::new(Memory::default());
    let sessions = open(&table, 0);
    let (_, mine) = begin(&sessions, "ana", 0);
    let others: Vec<_> = (0..3).map(|_| begin(&sessions, "ana", 1).0).collect();
    let (ben, _) = begin(&sessions, "ben", 0);
    assert_eq!(sessions.of_account("ana", 2).len(), 4);
    assert_eq!(sessions.end_all("ana", Some(&mine.hash)).unwrap(), 3);
    assert!(others.iter().all(|cookie| sessions.of_cookie(cookie, 2).is_none()));
    assert!(sessions.of_cookie(&ben, 2).is_some());
    assert_eq!(sessions.of_account("ana", 2).len(), 1);
}

/// Row F66: one person cannot fill the table.
#[test]
fn the_oldest_gives_way() {
    let table = Arc::new(Memory::default());
    let sessions = open(&table, 0);
    let first = begin(&sessions, "ana", 0).0;
    let others: Vec<_> = (0..limits::ACCOUNT_SESSIONS_MAX).map(|_| begin(&sessions, "ana", 1).0).collect();
    assert!(sessions.of_cookie(&first, 2).is_none());
    assert!(others.iter().all(|cookie| sessions.of_cookie(cookie, 2).is_some()));
    assert_eq!(table.all_keys().len(), limits::ACCOUNT_SESSIONS_MAX);
}

/// Without the disk nobody is let in, and whoever is put out stays out.
#[test]
fn a_full_disk_begins_nothing_and_still_ends() {
    let table = Arc::new(Memory::default());
    let sessions = open(&table, 0);
    let (cookie, session) = begin(&sessions, "ana", 0);
    table.full.store(true, Ordering::Relaxed);
    assert!(sessions.begin(new("ana", 1)).is_err());
    assert_eq!(sessions.of_account("ana", 1).len(), 1);
    assert!(sessions.end(&session.hash).is_err());
    assert!(sessions.of_cookie(&cookie, 1).is_none());
}

#[test]
fn factors_and_freshness() {
    use Method as M;
    let session = |methods: &[M]| Session {
        hash: [0; 32],
        account: "ana".into(),
        began_s: 0,
        authenticated_at_s: 100,
        methods: methods.to_vec(),
        is_complete: true,
        device: None,
    };
    for (methods, two, amr) in [
        (&[M::Password][..], false, &["pwd"][..]),
        (&[M::RecoveryCode], false, &["otp"]),
        (&[M::Password, M::Totp], true, &["pwd", "otp", "mfa"]),
        (&[M::Password, M::RecoveryCode], true, &["pwd", "otp", "mfa"]),
        (&[M::Passkey], true, &["pop", "user", "mfa"]),
    ] {
        assert_eq!(session(methods).has_two_factors(), two, "{methods:?}");
        assert_eq!(session(methods).amr(), amr);
    }
    assert!(session(&[]).is_fresh(300, 400) && !session(&[]).is_fresh(300, 401));
}
