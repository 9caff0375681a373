//! `/.well-known/udap` below the FHIR base. SPEC: HL7 FHIR UDAP Security 2.0 section 2; rows D1 to D6.
//!
//! One document for each trust community: its signed part is signed with the certificate that this server has there. It is
//! made when somebody asks, and anew twice a day, each time with another `jti`, so that what is given out is good for
//! half a day at least. Where the members of a community sign people in for each other, it says so
//! (rows D34, D39).

use crate::{
    limits,
    outcome::{self, Refusal},
    random,
    service::Inner,
    udap::community::Community,
};
use bytes::Bytes;
use http::Response;
use oauth::{
    form::Form,
    udap::metadata::{self, Document, Offered},
};
use serde_json::Value;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

/// Signed parts, by community.
#[derive(Default)]
pub(crate) struct SignedParts {
    kept: Mutex<HashMap<Arc<str>, SignedPart>>,
}

struct SignedPart {
    /// As which it was signed: a community that was changed gets another.
    community: Arc<Community>,
    made_s: i64,
    text: String,
}

/// Answers a request with this query.
pub(crate) fn answer(inner: &Inner, query: Option<&str>) -> Response<Bytes> {
    let Some(default) = inner.communities.all().into_iter().next() else {
        return outcome::refused(Refusal::NotFound);
    };
    let Ok(form) = Form::parse(query.unwrap_or_default().as_bytes()) else { return outcome::refused(Refusal::Form) };
    let community = match form.value("community") {
        None => default,
        Some(uri) => match inner.communities.get(uri) {
            Some(community) => community,
            // SPEC: 1.0 said 404, 1.1 and 2.0 say 204, and all of them allow the default document.
            None if inner.strict_community => return outcome::removed(),
            None => default,
        },
    };
    match document(inner, &community) {
        Some(document) => outcome::document(&document),
        None => outcome::refused(Refusal::Unavailable),
    }
}

/// The document of a community; `None` when nothing can be signed, which is logged.
fn document(inner: &Inner, community: &Arc<Community>) -> Option<Value> {
    // Who comes by UDAP is not opened from a patient's page here.
    let mut scopes: Vec<String> = inner.offer.scopes.iter().filter(|scope| *scope != "launch").cloned().collect();
    if community.identity_providers {
        scopes.push("udap".to_owned());
    }
    let mut document = Document::offered(&Offered {
        authorization_endpoint: &inner.endpoints.authorize,
        token_endpoint: &inner.endpoints.token,
        registration_endpoint: &inner.endpoints.udap_register,
        scopes: &scopes,
        certifications: &community.certifications,
        is_tiered: community.identity_providers,
    });
    document.signed = signed(inner, community, &document)?;
    Some(document.to_value())
}

fn signed(inner: &Inner, community: &Arc<Community>, document: &Document) -> Option<String> {
    let now_s = inner.now().unix_seconds();
    let mut kept = inner.signed_parts.kept.lock().unwrap_or_else(PoisonError::into_inner);
    let is_fresh = |part: &&SignedPart| {
        Arc::ptr_eq(&part.community, community)
            && (part.made_s..part.made_s + limits::SIGNED_METADATA_AGE_S_MAX).contains(&now_s)
    };
    if let Some(part) = kept.get(&community.uri).filter(is_fresh) {
        return Some(part.text.clone());
    }
    let jti = random::name().ok()?;
    let base = &inner.endpoints.fhir_base;
    let text =
        metadata::signed(document, base, &community.key, &community.chain, &jti, now_s, limits::SIGNED_METADATA_LIFE_S);
    let text = text.map_err(|why| tracing::error!(%why, "UDAP metadata could not be signed")).ok()?;
    let part = SignedPart { community: Arc::clone(community), made_s: now_s, text: text.clone() };
    kept.insert(Arc::clone(&community.uri), part);
    Some(text)
}

#[cfg(test)]
mod tests;
