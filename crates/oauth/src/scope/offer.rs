//! What a person may give an app, and what they gave. SPEC: RFC 6749 section 3.3; SMART App Launch 2.2; rows B27, B32,
//! B33, B41, B42, B55, B57.
//!
//! Three steps, and each can only narrow: what was asked for, cut to what the client is registered for and the server can
//! enforce ([`Offer::of`]); that, cut to what the person chose ([`Offer::choose`]); that, at a refresh, cut to what the
//! app still wants ([`refreshed`]). A choice that was never offered is an error: someone changed the form.

use super::{
    Scope,
    narrow::Granted,
    request::{ScopeRequest, Special, Wanted},
};
use crate::granular;
use std::sync::Arc;

/// A resource scope on offer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offered {
    /// The scope: as asked for, where the registration covers it.
    pub scope: Scope,
    /// Finer ones to choose instead of the whole (row B27); often none.
    pub parts: Vec<Scope>,
}

/// One line of an offer, in the order of the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line {
    /// A resource scope.
    Resource(Offered),
    /// Another scope, with its text.
    Special(Arc<str>, Special),
}

/// All that a person may give.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Offer {
    lines: Vec<Line>,
}

/// What of the request the server can do here and now.
pub struct Able<'a> {
    /// Whether it can enforce a resource scope (row B4).
    pub enforces: &'a dyn Fn(&Scope) -> bool,
    /// Whether the person has a resource that stands for them; without one `fhirUser` is not given (row B55).
    pub has_fhir_user: bool,
    /// Whether the request came with a `launch` that is good; without it the scope `launch` means nothing.
    pub is_ehr_launch: bool,
    /// Types in lower case of which `launch/…` can put one in context.
    pub launch_types: &'a [&'a str],
    /// Whether `udap` means something for this client (row D39).
    pub is_tiered: bool,
}

/// Why there is nothing to offer, or a choice does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OfferError {
    /// A `system/` scope, which no person can give (row B42).
    System,
    /// Nothing of what was asked for can be given to this client.
    Nothing,
    /// A choice that was not on offer.
    NotOffered,
    /// Wider than what was granted before.
    Wider,
}

impl Offer {
    /// Cuts a request to what the client is registered for and the server is able to.
    ///
    /// # Errors
    /// [`OfferError::System`], [`OfferError::Nothing`].
    pub fn of(request: &ScopeRequest, registered: &ScopeRequest, able: &Able<'_>) -> Result<Self, OfferError> {
        if request.asks_system() {
            return Err(OfferError::System);
        }
        let mut offer = Self::default();
        for (text, wanted) in request.wanted() {
            match wanted {
                Wanted::Resource(scope) => {
                    let allowed: Vec<&Scope> = registered.resources().collect();
                    for scope in super::narrow::allowed(scope, allowed.iter().copied()) {
                        if (able.enforces)(&scope) && !offer.offers(&scope.text) {
                            let parts = granular::parts(&scope).into_iter().filter(|part| (able.enforces)(part));
                            let offered = Offered { parts: parts.collect(), scope };
                            offer.lines.push(Line::Resource(offered));
                        }
                    }
                }
                Wanted::Special(special) => {
                    if is_registered(special, text, registered) && can(special, able) {
                        offer.lines.push(Line::Special(Arc::clone(text), special.clone()));
                    }
                }
            }
        }
        // They are of the id token: without `openid` they have no place.
        if !offer.has(&Special::OpenId) {
            offer
                .lines
                .retain(|line| !matches!(line, Line::Special(_, Special::FhirUser | Special::Profile | Special::Udap)));
        }
        if offer.lines.is_empty() { Err(OfferError::Nothing) } else { Ok(offer) }
    }

    /// The lines.
    #[must_use]
    pub fn lines(&self) -> &[Line] {
        &self.lines
    }

    /// The resource scopes.
    pub fn resources(&self) -> impl Iterator<Item = &Offered> {
        self.lines.iter().filter_map(|line| match line {
            Line::Resource(offered) => Some(offered),
            Line::Special(..) => None,
        })
    }

    /// Whether a special scope is on offer.
    #[must_use]
    pub fn has(&self, wanted: &Special) -> bool {
        self.lines.iter().any(|line| matches!(line, Line::Special(_, special) if special == wanted))
    }

    /// Whether a scope with this very text is on offer, as a whole, a part, or a special one.
    #[must_use]
    pub fn offers(&self, text: &str) -> bool {
        self.lines.iter().any(|line| match line {
            Line::Special(other, _) => **other == *text,
            Line::Resource(offered) => {
                *offered.scope.text == *text || offered.parts.iter().any(|part| *part.text == *text)
            }
        })
    }

    /// What the person chose, by the texts of the scopes (row B27). A whole stands for its parts. `openid` and
    /// `launch…` carry no data of the record and need no choice: they are given with whatever else is, and the answer
    /// would lose its sense without them. A choice of nothing that can be read or written is a refusal: see
    /// [`Granted::is_empty`].
    ///
    /// # Errors
    /// [`OfferError::NotOffered`].
    pub fn choose<'a>(&self, chosen: impl IntoIterator<Item = &'a str>) -> Result<Granted, OfferError> {
        let chosen: Vec<&str> = chosen.into_iter().collect();
        if chosen.iter().any(|text| !self.offers(text)) {
            return Err(OfferError::NotOffered);
        }
        let is_chosen = |text: &str| chosen.contains(&text);
        let mut texts: Vec<Arc<str>> = Vec::new();
        let mut scopes: Vec<Scope> = Vec::new();
        for line in &self.lines {
            match line {
                Line::Special(text, special) => {
                    let without_asking = matches!(
                        special,
                        Special::OpenId | Special::Udap | Special::Launch | Special::LaunchType { .. }
                    );
                    if without_asking || is_chosen(text) {
                        texts.push(Arc::clone(text));
                    }
                }
                Line::Resource(Offered { scope, parts }) => {
                    let given: Vec<&Scope> = if is_chosen(&scope.text) {
                        vec![scope]
                    } else {
                        parts.iter().filter(|part| is_chosen(&part.text)).collect()
                    };
                    for scope in given {
                        if !scopes.iter().any(|other| other.text == scope.text) {
                            texts.push(Arc::clone(&scope.text));
                            scopes.push(scope.clone());
                        }
                    }
                }
            }
        }
        Ok(Granted { scopes: scopes.into(), text: texts.join(" ").into() })
    }

    /// The texts of all that is on offer, wholes only: what is granted when nobody needs to choose.
    pub fn all(&self) -> impl Iterator<Item = &str> {
        self.lines.iter().map(|line| match line {
            Line::Special(text, _) => &**text,
            Line::Resource(offered) => &*offered.scope.text,
        })
    }
}

/// Registered to the letter, or, for a context with a role, registered without one.
fn is_registered(special: &Special, text: &str, registered: &ScopeRequest) -> bool {
    registered.has(text)
        || matches!(special, Special::LaunchType { resource_type, role: Some(_) }
            if registered.asks(&Special::LaunchType { resource_type: Arc::clone(resource_type), role: None }))
}

fn can(special: &Special, able: &Able<'_>) -> bool {
    match special {
        Special::FhirUser => able.has_fhir_user,
        Special::Launch => able.is_ehr_launch,
        Special::LaunchType { resource_type, .. } => able.launch_types.contains(&&**resource_type),
        Special::OpenId | Special::Profile | Special::OfflineAccess | Special::OnlineAccess => true,
        Special::Udap => able.is_tiered,
    }
}

/// What a refresh gets: all of before, or what was asked for when it is no more than that. Compared to the letter, and
/// for resource scopes by what they give (rows B32, B57).
///
/// # Errors
/// [`OfferError::Wider`] when anything was not granted before (RFC 6749 section 6), [`OfferError::Nothing`] when
/// nothing is left.
pub fn refreshed(before: &Granted, asked: Option<&str>) -> Result<Granted, OfferError> {
    let Some(asked) = asked else { return Ok(before.clone()) };
    let request = ScopeRequest::parse(asked).map_err(|_| OfferError::Wider)?;
    if !request.unknown().is_empty() {
        return Err(OfferError::Wider);
    }
    let mut scopes = Vec::new();
    for (text, wanted) in request.wanted() {
        match wanted {
            Wanted::Resource(scope) if before.scopes.iter().any(|wide| wide.covers(scope)) => {
                scopes.push(scope.clone());
            }
            Wanted::Special(_) if before.text.split(' ').any(|other| *other == **text) => {}
            _ => return Err(OfferError::Wider),
        }
    }
    if request.is_empty() {
        return Err(OfferError::Nothing);
    }
    let texts: Vec<&str> = request.wanted().iter().map(|(text, _)| &**text).collect();
    Ok(Granted { scopes: scopes.into(), text: texts.join(" ").into() })
}

#[cfg(test)]
mod tests;
