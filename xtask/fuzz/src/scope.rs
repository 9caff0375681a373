//! Scopes (rows B30 to B36, C11): what parses prints and reads back; covering is an order and holds for the
//! resources that are meant; what two scopes have in common is within both; a grant is within what is registered.

use crate::{samples, search_url::meant};
use fhir::ResourceType;
use oauth::scope::{Permissions, Scope, narrow::narrow, parse_list};

/// Scopes divided by blanks: the first half is registered, the other half requested.
pub fn scope(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let mut scopes = Vec::new();
    for (part, parsed) in parse_list(&text).take(8) {
        let Ok(scope) = parsed else { continue };
        assert_eq!(&*scope.text, part);
        assert_eq!(Scope::parse(&scope.text).as_ref(), Ok(&scope));
        assert!(!scope.permissions.is_empty() && Permissions::ALL.contains(scope.permissions));
        assert!(scope.query.iter().all(|(name, value)| !name.is_empty() && !value.is_empty()));
        assert!(scope.covers(&scope));
        scopes.push(scope);
    }
    for one in &scopes {
        for other in &scopes {
            if one.covers(other) {
                holds(one, other);
            }
            if let Some(common) = Scope::common(one, other) {
                assert!(
                    one.covers(&common) && other.covers(&common),
                    "{} of {} and {}",
                    common.text,
                    one.text,
                    other.text
                );
                holds(one, &common);
                holds(other, &common);
            }
            for third in &scopes {
                assert!(
                    !(one.covers(other) && other.covers(third)) || one.covers(third),
                    "{} covers {} covers {}",
                    one.text,
                    other.text,
                    third.text
                );
            }
        }
    }
    let (registered, requested) = scopes.split_at(scopes.len() / 2);
    let asked: Vec<&str> = requested.iter().map(|scope| &*scope.text).collect();
    let registry = search::registry();
    if let Ok(granted) = narrow(&asked.join(" "), registered, |scope| policy::enforceable(scope, registry).is_ok()) {
        for scope in granted.scopes.iter() {
            assert!(registered.iter().any(|wide| wide.covers(scope)), "{} is not registered", scope.text);
            assert!(requested.iter().any(|wide| wide.covers(scope)), "{} was not asked for", scope.text);
            assert!(policy::enforceable(scope, registry).is_ok());
        }
        assert_eq!(parse_list(&granted.text).count(), granted.scopes.len());
    }
}

/// What `wide` covers means no resource that `wide` does not mean.
fn holds(wide: &Scope, narrow: &Scope) {
    for (kind, _) in samples::all() {
        let named = |scope: &Scope| scope.resource_type.as_deref().is_none_or(|name| name == kind.name());
        if !named(narrow) {
            continue;
        }
        assert!(named(wide));
        if let (Some(wider), Some(narrower)) = (means(wide, *kind), means(narrow, *kind)) {
            let within = narrower.iter().zip(&wider).all(|(inner, outer)| !inner || *outer);
            assert!(within, "{} covers {}, not what it means", wide.text, narrow.text);
        }
    }
}

fn means(scope: &Scope, kind: ResourceType) -> Option<Vec<bool>> {
    if scope.query.is_empty() {
        return Some(meant(kind, &search::Predicate::All));
    }
    let predicate = search::compile_criteria(search::registry(), kind, &scope.query).ok()?;
    Some(meant(kind, &predicate))
}
