//! What of a request a client may have. SPEC: RFC 6749 section 3.3; rows B42 and C11: granted is never more than
//! registered; what is not registered is dropped, and when nothing is left the request fails.

use super::{Scope, ScopeContext, parse_list};
use crate::limits;
use std::sync::Arc;

/// A granted set of scopes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Granted {
    /// The scopes.
    pub scopes: Arc<[Scope]>,
    /// The texts of all that is granted, divided by a blank: what the token response says. A person's grant has
    /// more here than resource scopes: `openid`, `offline_access`.
    pub text: Arc<str>,
}

impl Granted {
    /// From scopes, in their order.
    #[must_use]
    pub fn from_scopes(scopes: Vec<Scope>) -> Self {
        let text = scopes.iter().map(|scope| &*scope.text).collect::<Vec<_>>().join(" ");
        Self { scopes: scopes.into(), text: text.into() }
    }

    /// Whether it lets nothing of the record be read or written.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.scopes.is_empty()
    }

    /// Whether a scope with this very text was granted, of whatever kind.
    #[must_use]
    pub fn has(&self, text: &str) -> bool {
        has(&self.text, text)
    }
}

/// Whether a scope string has this very scope.
#[must_use]
pub fn has(scope_text: &str, text: &str) -> bool {
    scope_text.split(' ').any(|other| other == text)
}

/// Why nothing was granted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NarrowError {
    /// `system/` together with `patient/` or `user/` (row B42).
    Mixed,
    /// Nothing of what was asked for is registered for this client and enforceable here.
    Nothing,
    /// More than [`limits::SCOPES_MAX`] scopes.
    TooMany,
}

/// Narrows a request for a system client to what is registered. A requested scope that a registered one covers is
/// granted to the letter; of a wider one the common part is granted. `usable` says whether the server can enforce
/// a scope; one that it cannot is dropped.
///
/// # Errors
/// [`NarrowError`].
pub fn narrow(requested: &str, registered: &[Scope], usable: impl Fn(&Scope) -> bool) -> Result<Granted, NarrowError> {
    if requested.split(' ').filter(|part| !part.is_empty()).count() > limits::SCOPES_MAX {
        return Err(NarrowError::TooMany);
    }
    let parsed: Vec<Scope> = parse_list(requested).filter_map(|(_, scope)| scope.ok()).collect();
    let system = |scope: &Scope| scope.context == ScopeContext::System;
    if parsed.iter().any(system) && !parsed.iter().all(system) {
        return Err(NarrowError::Mixed);
    }
    let mut granted: Vec<Scope> = Vec::new();
    for scope in parsed.iter().filter(|scope| system(scope)) {
        for candidate in allowed(scope, registered) {
            let known = granted.iter().any(|scope| scope.text == candidate.text);
            if !known && usable(&candidate) && granted.len() < limits::SCOPES_MAX {
                granted.push(candidate);
            }
        }
    }
    if granted.is_empty() { Err(NarrowError::Nothing) } else { Ok(Granted::from_scopes(granted)) }
}

/// What of one scope the registered ones allow: itself to the letter when one covers it, else the common parts.
pub(super) fn allowed<'a>(scope: &Scope, registered: impl IntoIterator<Item = &'a Scope> + Clone) -> Vec<Scope> {
    if registered.clone().into_iter().any(|wide| wide.covers(scope)) {
        vec![scope.clone()]
    } else {
        widest(registered.into_iter().filter_map(|wide| Scope::common(scope, wide)).collect())
    }
}

/// Without those that another one covers; of two that cover each other the first stays.
fn widest(scopes: Vec<Scope>) -> Vec<Scope> {
    let mut kept: Vec<Scope> = Vec::new();
    for scope in scopes {
        if !kept.iter().any(|other| other.covers(&scope)) {
            kept.retain(|other| !scope.covers(other));
            kept.push(scope);
        }
    }
    kept
}
