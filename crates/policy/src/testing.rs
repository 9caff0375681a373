//! Callers for tests.

use oauth::{
    Caller,
    bearer::{LiveTokens, Presented, authenticate},
    caller::{Grant, Role, Standing, User},
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
    caller(Some(user(Role::Patient, fhir_user)), false, scope_text)
}

/// Somebody of this role.
pub(crate) fn of_role(role: Role, scope_text: &str) -> Caller {
    caller(Some(user(role, None)), false, scope_text)
}

/// A system, the facility's own or not.
pub(crate) fn system(is_custodian: bool, scope_text: &str) -> Caller {
    caller(None, is_custodian, scope_text)
}

fn user(role: Role, fhir_user: Option<&str>) -> User {
    User {
        id: "sub".into(),
        name: "Name".into(),
        role,
        fhir_user: fhir_user.map(Into::into),
        patients: Arc::new([]),
        glasses: Arc::default(),
        may_break_glass: false,
    }
}

fn caller(user: Option<User>, is_custodian: bool, scope_text: &str) -> Caller {
    let grant = Grant {
        client_id: "app".into(),
        client_name: "App".into(),
        scopes: parse_list(scope_text).filter_map(|(_, scope)| scope.ok()).collect(),
        scope_text: scope_text.into(),
        issued_at_s: 0,
        expires_at_s: 300,
        token_name: "0123456789abcdef".into(),
        user: user.map(Arc::new),
        launch: Arc::default(),
        confirmation: None,
        family: None,
        standing: if is_custodian { Standing::Custodian } else { Standing::Ordinary },
        purposes: Arc::default(),
        acting: None,
    };
    authenticate(&Presented::header(Some("Bearer token")), &One(Arc::new(grant)), 1).unwrap()
}
