//! What a client of a trust community has beside its registration. SPEC: HL7 FHIR UDAP Security 2.0 section 3; rows D18, D21.
//!
//! It is known by community and URI; any certificate of the community with that URI among its names is its own (row
//! D21). The last one that it showed is kept, for the log and so that its standing can be asked for while it is not here.

use crate::random;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// A client of a trust community.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Udap {
    /// URI of the community.
    pub community: Arc<str>,
    /// The client's own URI, which its certificate must have among its names.
    pub uri: Arc<str>,
    /// The certificates that it showed last as DER, its own first.
    pub x5c: Arc<[Vec<u8>]>,
    /// How to reach who runs it: URIs, one of them `mailto:`.
    pub contacts: Arc<[String]>,
    /// It may have refresh tokens: `refresh_token` is among its grant types.
    pub refreshes: bool,
    /// Whether the operator has agreed, where the community asks for that.
    pub is_approved: bool,
    /// Why it gets nothing at the moment: its certificate was revoked or is over.
    pub suspended: Option<Arc<str>>,
}

impl Udap {
    /// SHA-256 of its certificate, in hex digits.
    #[must_use]
    pub fn thumbprint(&self) -> String {
        self.x5c.first().map(|der| random::hex(&crate::client_certificate::thumbprint(der))).unwrap_or_default()
    }

    /// Whether this is the certificate that it showed last.
    pub(crate) fn has_shown(&self, x5c: &[Vec<u8>]) -> bool {
        self.x5c.first() == x5c.first()
    }

    /// As it is kept.
    pub(super) fn encode(&self) -> Value {
        let mut row = Map::new();
        let mut put = |name: &str, value: Value| drop(row.insert(name.into(), value));
        put("community", json!(&*self.community));
        put("uri", json!(&*self.uri));
        put("x5c", self.x5c.iter().map(|der| STANDARD.encode(der)).collect::<Vec<_>>().into());
        put("contacts", self.contacts.to_vec().into());
        put("refreshes", self.refreshes.into());
        put("approved", self.is_approved.into());
        if let Some(why) = &self.suspended {
            put("suspended", json!(&**why));
        }
        Value::Object(row)
    }

    /// Reads [`Udap::encode`].
    pub(super) fn decode(row: &Value) -> Option<Self> {
        let text = |name: &str| row.get(name)?.as_str().map(Arc::<str>::from);
        let x5c = row.get("x5c")?.as_array()?.iter().map(|der| STANDARD.decode(der.as_str()?).ok());
        let contacts = row.get("contacts")?.as_array()?.iter().map(|contact| contact.as_str().map(str::to_owned));
        Some(Self {
            community: text("community")?,
            uri: text("uri")?,
            x5c: x5c.collect::<Option<Vec<_>>>()?.into(),
            contacts: contacts.collect::<Option<Vec<_>>>()?.into(),
            refreshes: row.get("refreshes")?.as_bool()?,
            is_approved: row.get("approved")?.as_bool()?,
            suspended: match row.get("suspended") {
                None => None,
                Some(why) => Some(why.as_str()?.into()),
            },
        })
    }
}
