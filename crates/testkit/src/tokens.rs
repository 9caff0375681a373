//! Access tokens of any scope, without an authorization server.

use crate::Clock;
use oauth::{
    bearer::LiveTokens,
    caller::Grant,
    scope::{Scope, parse_list},
};
use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

/// Seconds that a token lives.
const LIFE_S: i64 = 300;

/// Live tokens.
#[derive(Clone)]
pub struct Tokens {
    clock: Clock,
    grants: Arc<Mutex<HashMap<String, Arc<Grant>>>>,
    made: Arc<AtomicU64>,
}

impl Tokens {
    /// No tokens yet.
    #[must_use]
    pub fn new(clock: Clock) -> Self {
        Self { clock, grants: Arc::default(), made: Arc::default() }
    }

    /// A token with these scopes, of the client `test-client`.
    ///
    /// # Panics
    /// On a scope that is not in the grammar.
    #[must_use]
    pub fn token_for(&self, scope: &str) -> String {
        self.token_of("test-client", scope)
    }

    /// A token with these scopes, of this client.
    ///
    /// # Panics
    /// On a scope that is not in the grammar.
    #[must_use]
    pub fn token_of(&self, client_id: &str, scope: &str) -> String {
        let scopes: Vec<Scope> = parse_list(scope).map(|(_, parsed)| parsed.expect("a SMART scope")).collect();
        let now_s = self.clock.now().unix_seconds();
        let number = self.made.fetch_add(1, Ordering::SeqCst) + 1;
        let token = format!("test-token-{number}");
        let grant = Grant {
            client_id: client_id.into(),
            client_name: "A client of a test".into(),
            scopes: scopes.into(),
            scope_text: scope.into(),
            issued_at_s: now_s,
            expires_at_s: now_s + LIFE_S,
            token_name: format!("{number:016x}").into(),
            user: None,
            launch: Arc::default(),
            confirmation: None,
            family: None,
        };
        self.grants.lock().unwrap().insert(token.clone(), Arc::new(grant));
        token
    }

    /// Ends a token.
    ///
    /// # Panics
    /// When a test panicked while it held the table.
    pub fn revoke(&self, token: &str) {
        self.grants.lock().unwrap().remove(token);
    }
}

impl LiveTokens for Tokens {
    fn grant(&self, token: &str) -> Option<Arc<Grant>> {
        self.grants.lock().unwrap().get(token).cloned()
    }
}
