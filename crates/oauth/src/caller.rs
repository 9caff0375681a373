//! The caller: proof that a request carried a valid access token of this server.
//!
//! Review target: nothing outside this crate can make a [`Caller`].

use crate::scope::{Scope, ScopeError, parse_list};
use std::{fmt, sync::Arc};

/// What a token stands for: kept by the authorization server, shared by all requests that carry it.
#[derive(Clone)]
pub struct Grant {
    /// The OAuth client.
    pub client_id: Arc<str>,
    /// Name of the client for people.
    pub client_name: Arc<str>,
    /// Granted resource scopes.
    pub scopes: Arc<[Scope]>,
    /// The whole scope string as granted.
    pub scope_text: Arc<str>,
    /// When the token was issued, seconds since the epoch.
    pub issued_at_s: i64,
    /// End of life, seconds since the epoch.
    pub expires_at_s: i64,
    /// A name for the token that tells nothing: first 16 hex digits of its hash (audit, logs).
    pub token_name: Arc<str>,
}

/// The authenticated party behind a request. Made by [`crate::bearer::authenticate`] for tokens,
/// by [`Caller::operator`] for a command on the server's own machine.
#[derive(Clone)]
pub struct Caller {
    pub(crate) grant: Arc<Grant>,
    pub(crate) kind: CallerKind,
}

/// What kind of party calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallerKind {
    /// A registered system with SMART Backend Services.
    System,
    /// The operator, by a command that has the data directory open.
    Operator,
}

impl Caller {
    /// The operator of this machine, who holds the data directory itself: full system scopes.
    /// The record of what they do says so. `command` names what they run.
    #[must_use]
    pub fn operator(command: &str) -> Self {
        let scope = Scope {
            text: "system/*.cruds".into(),
            context: crate::scope::ScopeContext::System,
            resource_type: None,
            permissions: crate::scope::Permissions::CREATE
                .union(crate::scope::Permissions::READ)
                .union(crate::scope::Permissions::UPDATE)
                .union(crate::scope::Permissions::DELETE)
                .union(crate::scope::Permissions::SEARCH),
            query: Vec::new(),
        };
        let grant = Grant {
            client_id: "operator".into(),
            client_name: command.into(),
            scope_text: Arc::clone(&scope.text),
            scopes: Arc::new([scope]),
            issued_at_s: 0,
            expires_at_s: i64::MAX,
            token_name: "".into(),
        };
        Self { grant: Arc::new(grant), kind: CallerKind::Operator }
    }

    /// The operator, who searches as a client with these scopes would: always less than
    /// [`Caller::operator`] may. The record says that it was the operator.
    ///
    /// # Errors
    /// The first scope that cannot be read.
    pub fn operator_within(command: &str, scopes: &str) -> Result<Self, ScopeError> {
        let parsed: Result<Vec<Scope>, ScopeError> = parse_list(scopes).map(|(_, scope)| scope).collect();
        let operator = Self::operator(command);
        let grant = Grant { scopes: parsed?.into(), scope_text: scopes.into(), ..operator.grant.as_ref().clone() };
        Ok(Self { grant: Arc::new(grant), kind: CallerKind::System })
    }

    /// What was granted.
    #[must_use]
    pub fn grant(&self) -> &Arc<Grant> {
        &self.grant
    }

    /// The kind.
    #[must_use]
    pub fn kind(&self) -> CallerKind {
        self.kind
    }
}

impl fmt::Debug for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Caller({:?}, client {})", self.kind, self.grant.client_id)
    }
}

#[cfg(test)]
mod tests;
