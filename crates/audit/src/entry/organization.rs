//! The organization that acted, and why: what a UDAP client asserted, beside what its certificate proves. Rows D28, F18.

use super::{Reader, TEXT_BYTES_MAX, put_number, put_text};
use oauth::caller::Acting;
use std::sync::Arc;

/// Purposes of one entry; a token has at most as many.
const PURPOSES_MAX: usize = 16;

/// An organization that came by UDAP, as it was when the token was issued. No text in it is empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Organization {
    /// The community that vouched for it.
    pub community: Arc<str>,
    /// Its URI, proven by its certificate.
    pub uri: Arc<str>,
    /// The resource that stands for it here: `Organization/123`.
    pub resource: Option<Arc<str>>,
    /// `organization_id`: what it calls itself.
    pub asserted_id: Option<Arc<str>>,
    /// `organization_name`.
    pub name: Option<Arc<str>>,
    /// Purposes of use: plain codes of v3-ActReason.
    pub purposes: Vec<Arc<str>>,
    /// Who asked there, as it says.
    pub subject_name: Option<Arc<str>>,
    /// Identifier of that one, as it says.
    pub subject_id: Option<Arc<str>>,
    /// Role of that one, as it says.
    pub subject_role: Option<Arc<str>>,
}

impl Organization {
    /// Of a token's grant.
    #[must_use]
    pub fn of(acting: &Acting) -> Self {
        let text = |text: &Option<String>| text.as_deref().filter(|text| !text.is_empty()).map(Arc::from);
        let b2b = &acting.b2b;
        Self {
            community: Arc::clone(&acting.community),
            uri: Arc::clone(&acting.uri),
            resource: acting.organization.clone().filter(|reference| !reference.is_empty()),
            asserted_id: Some(&*b2b.organization_id).filter(|id| !id.is_empty()).map(Arc::from),
            name: text(&b2b.organization_name),
            purposes: b2b.purposes.iter().take(PURPOSES_MAX).map(|purpose| purpose.code().into()).collect(),
            subject_name: text(&b2b.subject_name),
            subject_id: text(&b2b.subject_id),
            subject_role: text(&b2b.subject_role),
        }
    }

    pub(super) fn put(&self, out: &mut Vec<u8>) {
        put_text(out, &self.community, TEXT_BYTES_MAX);
        put_text(out, &self.uri, TEXT_BYTES_MAX);
        put_number(out, self.purposes.len().min(PURPOSES_MAX) as u64);
        for purpose in self.purposes.iter().take(PURPOSES_MAX) {
            put_text(out, purpose, TEXT_BYTES_MAX);
        }
        for text in
            [&self.resource, &self.asserted_id, &self.name, &self.subject_name, &self.subject_id, &self.subject_role]
        {
            put_text(out, text.as_deref().unwrap_or_default(), TEXT_BYTES_MAX);
        }
    }

    pub(super) fn read(r: &mut Reader<'_>) -> Option<Self> {
        fn text(r: &mut Reader<'_>) -> Option<Arc<str>> {
            r.text(TEXT_BYTES_MAX).map(Arc::from)
        }
        fn optional(r: &mut Reader<'_>) -> Option<Option<Arc<str>>> {
            text(r).map(|text| Some(text).filter(|text| !text.is_empty()))
        }
        let (community, uri) = (text(r)?, text(r)?);
        let mut purposes = Vec::new();
        for _ in 0..r.length(PURPOSES_MAX)? {
            purposes.push(text(r)?);
        }
        Some(Self {
            community,
            uri,
            purposes,
            resource: optional(r)?,
            asserted_id: optional(r)?,
            name: optional(r)?,
            subject_name: optional(r)?,
            subject_id: optional(r)?,
            subject_role: optional(r)?,
        })
    }
}
