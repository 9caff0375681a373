//! A whole scope string of an app: resource scopes and the others that SMART and OpenID Connect know. SPEC: SMART App
//! Launch 2.2 scopes and launch context; rows B30, B32, B42, B43, B51, B57.
//!
//! What is not understood is kept apart and never granted; each scope keeps its text to the letter.

use super::{Scope, ScopeContext};
use crate::limits;
use std::sync::Arc;

/// One scope of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// `patient/Observation.rs` and its like.
    Resource(Scope),
    /// Another one that this server knows.
    Special(Special),
}

/// A scope that is none for resources.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Special {
    /// `openid`: an id token.
    OpenId,
    /// `fhirUser`: who the person is, as a resource.
    FhirUser,
    /// `profile`: the person's name.
    Profile,
    /// `launch`: the context of a launch from the EHR.
    Launch,
    /// `launch/patient`, `launch/encounter` and other types: a resource to be chosen (rows B24, B51).
    LaunchType {
        /// In lower case, as after the slash.
        resource_type: Arc<str>,
        /// `role` behind the question mark.
        role: Option<Arc<str>>,
    },
    /// `offline_access`: refresh tokens that outlive the person's session.
    OfflineAccess,
    /// `online_access`: refresh tokens that end with the person's session.
    OnlineAccess,
    /// `udap`: the person signs in at the provider that `idp` names; of such a provider, an id token that is signed with
    /// its certificate (rows D34, D39).
    Udap,
}

impl Special {
    /// Reads one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "openid" => return Some(Self::OpenId),
            "fhirUser" => return Some(Self::FhirUser),
            "profile" => return Some(Self::Profile),
            "launch" => return Some(Self::Launch),
            "offline_access" => return Some(Self::OfflineAccess),
            "online_access" => return Some(Self::OnlineAccess),
            "udap" => return Some(Self::Udap),
            _ => {}
        }
        let rest = text.strip_prefix("launch/")?;
        if text.len() > limits::SCOPE_BYTES_MAX || !super::is_scope_token(text) {
            return None;
        }
        let (resource_type, role) = match rest.split_once('?') {
            None => (rest, None),
            Some((name, query)) => {
                let role = super::percent_decoded(query.strip_prefix("role=")?).ok()?;
                (name, (!role.is_empty() && !query.contains('&')).then_some(role).map(Some)?)
            }
        };
        let lower = !resource_type.is_empty()
            && resource_type.len() <= 64
            && resource_type.bytes().all(|byte| byte.is_ascii_lowercase());
        lower.then(|| Self::LaunchType { resource_type: resource_type.into(), role: role.map(Into::into) })
    }
}

/// A scope string, taken apart.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ScopeRequest {
    wanted: Vec<(Arc<str>, Wanted)>,
    unknown: Vec<String>,
}

/// Why a scope string is refused as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScopeRequestError {
    /// Over [`limits::SCOPE_REQUEST_BYTES_MAX`] or [`limits::SCOPES_MAX`].
    TooMany,
}

impl ScopeRequest {
    /// Reads a scope string. One that comes twice counts once.
    ///
    /// # Errors
    /// [`ScopeRequestError::TooMany`].
    pub fn parse(text: &str) -> Result<Self, ScopeRequestError> {
        if text.len() > limits::SCOPE_REQUEST_BYTES_MAX {
            return Err(ScopeRequestError::TooMany);
        }
        let mut request = Self::default();
        for (seen, part) in text.split(' ').filter(|part| !part.is_empty()).enumerate() {
            if seen == limits::SCOPES_MAX {
                return Err(ScopeRequestError::TooMany);
            }
            if request.has(part) {
                continue;
            }
            let wanted = match Special::parse(part) {
                Some(special) => Some(Wanted::Special(special)),
                None => Scope::parse(part).ok().map(Wanted::Resource),
            };
            match wanted {
                Some(wanted) => request.wanted.push((part.into(), wanted)),
                None => request.unknown.push(part.to_owned()),
            }
        }
        Ok(request)
    }

    /// What was understood, each with its text, in order.
    #[must_use]
    pub fn wanted(&self) -> &[(Arc<str>, Wanted)] {
        &self.wanted
    }

    /// What was not understood: dropped (row B30).
    #[must_use]
    pub fn unknown(&self) -> &[String] {
        &self.unknown
    }

    /// The resource scopes.
    pub fn resources(&self) -> impl Iterator<Item = &Scope> {
        self.wanted.iter().filter_map(|(_, wanted)| match wanted {
            Wanted::Resource(scope) => Some(scope),
            Wanted::Special(_) => None,
        })
    }

    /// The others.
    pub fn specials(&self) -> impl Iterator<Item = &Special> {
        self.wanted.iter().filter_map(|(_, wanted)| match wanted {
            Wanted::Special(special) => Some(special),
            Wanted::Resource(_) => None,
        })
    }

    /// Whether this special scope is among them.
    #[must_use]
    pub fn asks(&self, special: &Special) -> bool {
        self.specials().any(|other| other == special)
    }

    /// Whether a scope with this very text is among them.
    #[must_use]
    pub fn has(&self, text: &str) -> bool {
        self.wanted.iter().any(|(other, _)| **other == *text)
    }

    /// Whether a patient must be in context: for `patient/` scopes and for `launch/patient` (row B24).
    #[must_use]
    pub fn needs_patient(&self) -> bool {
        self.resources().any(|scope| scope.context == ScopeContext::Patient) || self.asks_launch_of("patient")
    }

    /// Whether a resource of this type is asked for by `launch/…`, in whatever role.
    #[must_use]
    pub fn asks_launch_of(&self, lower_case_type: &str) -> bool {
        self.specials().any(
            |special| matches!(special, Special::LaunchType { resource_type, .. } if **resource_type == *lower_case_type),
        )
    }

    /// Whether a `system/` scope is among them, which no person can give (row B42).
    #[must_use]
    pub fn asks_system(&self) -> bool {
        self.resources().any(|scope| scope.context == ScopeContext::System)
    }

    /// Nothing was understood.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.wanted.is_empty()
    }
}

#[cfg(test)]
mod tests;
