//! Tests of `live_tokens`.

use super::{IssueError, LiveTokenTable, NewGrant};
use crate::{limits, tables::memory::MemoryTables};
use fhir::Instant;
use oauth::caller::Standing;
use oauth::scope::parse_list;
use std::sync::{Arc, atomic::Ordering};

fn new(client: &str, now_s: i64) -> NewGrant {
    let text = "system/Patient.read system/Observation.rs?category=a%7Cb";
    NewGrant {
        client_id: client.into(),
        client_name: "System".into(),
        scopes: parse_list(text).map(|(_, scope)| scope.unwrap()).collect(),
        scope_text: text.into(),
        user: None,
        launch: Arc::default(),
        confirmation: None,
        family: None,
        acting: None,
        standing: Standing::Ordinary,
        now: Instant::from_unix_millis(now_s * 1000),
    }
}

fn open(tables: &MemoryTables, now_s: i64) -> LiveTokenTable {
    LiveTokenTable::open(tables.tokens.clone(), now_s, |grant| &*grant.client_id != "gone").unwrap()
}

/// A restart forgets nothing of a grant, and drops what has ended or whose client is gone.
#[test]
fn tokens_survive_a_restart() {
    let tables = MemoryTables::default();
    let before = open(&tables, 0);
    let (token, grant) = before.issue(new("a", 0)).unwrap();
    let (ended, _) = before.issue(new("a", -100)).unwrap();
    let (orphan, _) = before.issue(new("gone", 0)).unwrap();
    let after = open(&tables, 200);
    let again = after.grant(token.expose()).unwrap();
    assert_eq!((&again.client_id, &again.scope_text, &again.token_name), {
        (&grant.client_id, &grant.scope_text, &grant.token_name)
    });
    assert_eq!((again.scopes.clone(), again.issued_at_s, again.expires_at_s), (grant.scopes.clone(), 0, 300));
    assert_eq!(&*again.client_name, "System");
    assert!(after.grant(ended.expose()).is_none());
    assert!(after.grant(orphan.expose()).is_none());
    assert_eq!(tables.tokens.all_keys().len(), 1, "their rows are gone too");
    // The index came back with it.
    assert_eq!(after.revoke_all("a").unwrap(), 1);
    assert!(after.grant(token.expose()).is_none());
}

#[test]
fn revoking_one_and_all() {
    let tables = MemoryTables::default();
    let tokens = open(&tables, 0);
    let a: Vec<_> = (0..3).map(|_| tokens.issue(new("a", 0)).unwrap().0).collect();
    let (b, _) = tokens.issue(new("b", 0)).unwrap();
    assert!(tokens.revoke(b.expose(), "a").unwrap().is_none(), "not its own");
    assert!(tokens.grant(b.expose()).is_some());
    let name = tokens.grant(a[0].expose()).unwrap().token_name.clone();
    assert_eq!(tokens.revoke(a[0].expose(), "a").unwrap(), Some(name));
    assert!(tokens.grant(a[0].expose()).is_none());
    assert!(tokens.revoke(a[0].expose(), "a").unwrap().is_none(), "only once");
    assert!(tokens.revoke("unknown", "a").unwrap().is_none());
    assert_eq!(tokens.revoke_all("a").unwrap(), 2);
    assert!(a.iter().all(|token| tokens.grant(token.expose()).is_none()));
    assert!(tokens.grant(b.expose()).is_some());
    assert_eq!(tables.tokens.all_keys().len(), 1);
}

/// A full disk does not keep a token alive; once it has room, the revocation can be completed.
#[test]
fn revoking_on_a_full_disk() {
    let tables = MemoryTables::default();
    let tokens = open(&tables, 0);
    let (token, _) = tokens.issue(new("a", 0)).unwrap();
    tables.tokens.full.store(true, Ordering::Relaxed);
    assert!(tokens.revoke(token.expose(), "a").is_err());
    assert!(tokens.grant(token.expose()).is_none(), "gone from memory");
    tables.tokens.full.store(false, Ordering::Relaxed);
    assert!(tokens.revoke(token.expose(), "b").unwrap().is_none());
    assert!(tokens.revoke(token.expose(), "a").unwrap().is_some());
    assert!(tables.tokens.all_keys().is_empty());
}

#[test]
fn ended_tokens_are_swept() {
    let tables = MemoryTables::default();
    let tokens = open(&tables, 0);
    let (first, _) = tokens.issue(new("a", 0)).unwrap();
    let (second, _) = tokens.issue(new("a", 10)).unwrap();
    tokens.sweep(299).unwrap();
    assert!(tokens.grant(first.expose()).is_some());
    tokens.sweep(300).unwrap();
    assert!(tokens.grant(first.expose()).is_none());
    assert!(tokens.grant(second.expose()).is_some());
    assert_eq!(tables.tokens.all_keys().len(), 1);
    tokens.sweep(310).unwrap();
    assert!(tables.tokens.all_keys().is_empty());
    assert!(tokens.index().is_empty());
}

/// One client cannot fill the memory.
#[test]
fn tokens_of_a_client_are_bounded() {
    let tables = MemoryTables::default();
    let tokens = open(&tables, 0);
    for _ in 0..limits::CLIENT_TOKENS_MAX {
        tokens.issue(new("a", 0)).unwrap();
    }
    let refused = tokens.issue(new("a", 100)).err();
    assert!(matches!(refused, Some(IssueError::TooMany { retry_after_s: 200 })));
    assert!(tokens.issue(new("b", 100)).is_ok());
    tokens.sweep(300).unwrap();
    assert!(tokens.issue(new("a", 300)).is_ok());
}

/// A token that could not be stored was not issued.
#[test]
fn no_row_no_token() {
    let tables = MemoryTables::default();
    let tokens = open(&tables, 0);
    tables.tokens.full.store(true, Ordering::Relaxed);
    assert!(matches!(tokens.issue(new("a", 0)), Err(IssueError::Unavailable(_))));
    assert_eq!(tokens.revoke_all("a").unwrap(), 0);
}

#[test]
fn a_malformed_row_is_an_error() {
    for row in ["", "{}", r#"{"client_id":"a","client_name":"b","scope":"nonsense","iat":0,"exp":9}"#] {
        let tables = MemoryTables::default();
        crate::tables::Table::put(&*tables.tokens, &[0; 32], row.as_bytes()).unwrap();
        assert!(LiveTokenTable::open(tables.tokens.clone(), 0, |_| true).is_err(), "{row}");
    }
}

/// Look-ups see each token wholly or not at all while others are issued, revoked and swept.
#[test]
fn many_threads() {
    let tables = MemoryTables::default();
    let tokens = Arc::new(open(&tables, 0));
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let tokens = Arc::clone(&tokens);
            scope.spawn(move || {
                let client = format!("client-{thread}");
                for round in 0..200 {
                    let (token, _) = tokens.issue(new(&client, 0)).unwrap();
                    assert_eq!(&*tokens.grant(token.expose()).unwrap().client_id, client);
                    if round % 2 == 0 {
                        assert!(tokens.revoke(token.expose(), &client).unwrap().is_some());
                        assert!(tokens.grant(token.expose()).is_none());
                    }
                }
            });
        }
    });
    assert_eq!(tables.tokens.all_keys().len(), 400);
}
