//! What a client may ask for. SPEC: SMART App Launch 2.2 scopes; rows B4, B30, B43, B51, C2.

use super::{ClientError, Unfit, check};
use crate::limits;
use oauth::scope::{
    Scope, ScopeContext,
    request::{ScopeRequest, Special, Wanted},
};
use std::sync::Arc;

/// What a client may ask for.
pub(super) struct Allowed {
    /// All of it.
    pub(super) all: ScopeRequest,
    /// The resource scopes.
    pub(super) resources: Arc<[Scope]>,
    /// All of it as text, each scope once.
    pub(super) text: Arc<str>,
}

/// Types of which `launch/…` can put one in context.
pub(crate) const LAUNCH_TYPES: [&str; 2] = ["patient", "encounter"];

/// Reads the scopes of a registration.
pub(super) fn registered(text: &str, is_app: bool, enforceable: &check::Enforceable) -> Result<Allowed, ClientError> {
    let unfit = |why| Err(ClientError::Invalid(why));
    let too_many = || ClientError::Invalid(Unfit::Scopes);
    if text.len() > limits::SCOPE_BYTES_MAX {
        return Err(too_many());
    }
    let all = ScopeRequest::parse(text).map_err(|_| too_many())?;
    if let Some(part) = all.unknown().first() {
        return unfit(Unfit::ScopeShape(part.clone(), Scope::parse(part).err()));
    }
    for scope in all.resources() {
        match (is_app, scope.context) {
            (false, ScopeContext::System) | (true, ScopeContext::Patient | ScopeContext::User) => {}
            (false, _) => return unfit(Unfit::ScopeOfApp(scope.text.to_string())),
            (true, _) => return unfit(Unfit::ScopeOfSystem(scope.text.to_string())),
        }
        if let Err(why) = check::usable(scope, enforceable) {
            return unfit(Unfit::ScopeUnknown(scope.text.to_string(), why));
        }
    }
    for (text, special) in all.wanted().iter().filter_map(|(text, _)| Some((text, Special::parse(text)?))) {
        if !is_app {
            return unfit(Unfit::ScopeOfApp(text.to_string()));
        }
        if let Special::LaunchType { resource_type, .. } = &special
            && !LAUNCH_TYPES.contains(&&**resource_type)
        {
            return unfit(Unfit::ScopeContext(text.to_string()));
        }
    }
    if all.is_empty() {
        return unfit(Unfit::ScopeMissing { is_app });
    }
    if all.asks(&Special::FhirUser) && !all.asks(&Special::OpenId) {
        return unfit(Unfit::ScopeIdentity);
    }
    Ok(allowed(all))
}

/// Reads scopes of which some are for apps and some for systems: how far an invitation goes.
pub(super) fn of_anybody(text: &str, enforceable: &check::Enforceable) -> Result<Arc<str>, ClientError> {
    let (system, app): (Vec<&str>, Vec<&str>) =
        text.split(' ').filter(|part| !part.is_empty()).partition(|part| part.starts_with("system/"));
    let mut parts = Vec::new();
    for (list, is_app) in [(app, true), (system, false)] {
        if !list.is_empty() {
            parts.push(registered(&list.join(" "), is_app, enforceable)?.text);
        }
    }
    if parts.is_empty() {
        return Err(ClientError::Invalid("at least one scope is needed, for example patient/*.rs".into()));
    }
    Ok(parts.join(" ").into())
}

/// What of a wanted scope string goes beyond how far one may go: the first such scope. What is wanted of resources must
/// be as narrow as one that is allowed; of all others, be among them to the letter.
pub(crate) fn beyond(wanted: &ScopeRequest, allowed: &ScopeRequest) -> Option<Arc<str>> {
    let covered = |text: &str, wanted: &Wanted| match wanted {
        Wanted::Resource(scope) => allowed.resources().any(|wider| wider.covers(scope)),
        Wanted::Special(_) => allowed.wanted().iter().any(|(known, _)| **known == *text),
    };
    let more = wanted.wanted().iter().find(|(text, wanted)| !covered(text, wanted));
    more.map(|(text, _)| Arc::clone(text)).or_else(|| wanted.unknown().first().map(|text| text.as_str().into()))
}

/// What of these scopes is for an app, or for a system.
pub(crate) fn fitting(allowed: &ScopeRequest, is_app: bool) -> String {
    let fits = |wanted: &Wanted| match wanted {
        Wanted::Resource(scope) => (scope.context == ScopeContext::System) != is_app,
        Wanted::Special(_) => is_app,
    };
    let texts: Vec<&str> =
        allowed.wanted().iter().filter(|(_, wanted)| fits(wanted)).map(|(text, _)| &**text).collect();
    texts.join(" ")
}

/// Reads the scopes of a row: as they were accepted once.
pub(super) fn kept(text: &str) -> Option<Allowed> {
    let all = ScopeRequest::parse(text).ok()?;
    (all.unknown().is_empty() && !all.is_empty()).then(|| allowed(all))
}

fn allowed(all: ScopeRequest) -> Allowed {
    let text: Vec<&str> = all.wanted().iter().map(|(text, _)| &**text).collect();
    Allowed { resources: all.resources().cloned().collect(), text: text.join(" ").into(), all }
}
