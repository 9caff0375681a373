//! Callers for tests.

use oauth::{
    Caller,
    bearer::{LiveTokens, Presented, authenticate},
    caller::{Grant, Role, User},
    scope::parse_list,
};
use std::sync::Arc;

struct One(Arc<Grant>);

impl LiveTokens for One {
    fn grant(&self, _: &str) -> Option<Arc<Grant>> {
        Some(Arc::clone(&self.0))
    }
}

/// A patient whom no Patient is bound to, and who is `fhir_user`.
pub(crate) fn person(fhir_user: Option<&str>, scope_text: &str) -> Caller {
    let user = User {
        id: "sub".into(),
        name: "Name".into(),
        role: Role::Patient,
        fhir_user: fhir_user.map(Into::into),
        patients: Arc::new([]),
        glasses: Arc::default(),
        may_break_glass: false,
    };
    let grant = Grant {
        client_id: "app".into(),
        client_name: "App".into(),
        scopes: parse_list(scope_text).filter_map(|(_, scope)| scope.ok()).collect(),
        scope_text: scope_text.into(),
        issued_at_s: 0,
        expires_at_s: 300,
        token_name: "0123456789abcdef".into(),
        user: Some(Arc::new(user)),
        launch: Arc::default(),
        confirmation: None,
        family: None,
        is_custodian: false,
        purposes: Arc::default(),
        acting: None,
    };
    authenticate(&Presented::header(Some("Bearer token")), &One(Arc::new(grant)), 1).unwrap()
}
