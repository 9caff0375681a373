//! What an authorization code stands for: all that the person agreed to, bound to who may redeem it. SPEC: RFC 6749
//! section 4.1.2, RFC 7636 section 4.4, RFC 9449 section 10; rows B18, B22, B49.

use crate::families::Lasting;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use oauth::{launch_context::LaunchContext, pkce::Challenge};
use serde_json::{Value, json};
use std::sync::Arc;

/// What is kept with a code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Code {
    pub(crate) client_id: Arc<str>,
    /// Must come again to the letter, or, where the request did not name it, not at all.
    pub(crate) redirect_uri: Arc<str>,
    pub(crate) names_redirect: bool,
    /// `None`: a client of a trust community of 1.0 sent none (row D24).
    pub(crate) challenge: Option<Challenge>,
    /// Thumbprint of the DPoP key that alone may redeem it.
    pub(crate) dpop_key: Option<[u8; 32]>,
    /// `sub` of the person.
    pub(crate) user: Arc<str>,
    /// When they last proved who they are, seconds; and how (`amr`).
    pub(crate) signed_in_s: i64,
    pub(crate) methods: Vec<Arc<str>>,
    /// Everything that was granted.
    pub(crate) scope_text: Arc<str>,
    pub(crate) launch: Arc<LaunchContext>,
    pub(crate) nonce: Option<Arc<str>>,
    pub(crate) lasting: Lasting,
    /// The end that the person chose.
    pub(crate) ends_s: i64,
    /// The request was pushed.
    pub(crate) was_pushed: bool,
}

impl Code {
    /// As it is kept.
    pub(crate) fn to_kept(&self) -> Value {
        json!({
            "client_id": &*self.client_id,
            "redirect_uri": &*self.redirect_uri,
            "names_redirect": self.names_redirect,
            "challenge": self.challenge.map(|challenge| URL_SAFE_NO_PAD.encode(challenge.as_bytes())),
            "dpop_key": self.dpop_key.map(|key| URL_SAFE_NO_PAD.encode(key)),
            "sub": &*self.user,
            "signed_in_s": self.signed_in_s,
            "methods": self.methods.iter().map(|method| &**method).collect::<Vec<_>>(),
            "scope": &*self.scope_text,
            "launch": self.launch.to_kept(),
            "nonce": self.nonce.as_deref(),
            "lasting": self.lasting.to_kept(),
            "ends_s": self.ends_s,
            "pushed": self.was_pushed,
        })
    }

    /// Reads [`Code::to_kept`].
    pub(crate) fn from_kept(kept: &Value) -> Option<Self> {
        let text = |name: &str| kept.get(name)?.as_str().map(Arc::<str>::from);
        let bytes = |value: &Value| <[u8; 32]>::try_from(URL_SAFE_NO_PAD.decode(value.as_str()?).ok()?).ok();
        let methods = kept.get("methods")?.as_array()?.iter().map(|method| method.as_str().map(Arc::from));
        Some(Self {
            client_id: text("client_id")?,
            redirect_uri: text("redirect_uri")?,
            // Codes of before there were others have none.
            names_redirect: kept.get("names_redirect").map_or(Some(true), Value::as_bool)?,
            challenge: match kept.get("challenge")? {
                Value::Null => None,
                challenge => Some(Challenge::from_bytes(bytes(challenge)?)),
            },
            dpop_key: match kept.get("dpop_key")? {
                Value::Null => None,
                key => Some(bytes(key)?),
            },
            user: text("sub")?,
            signed_in_s: kept.get("signed_in_s")?.as_i64()?,
            methods: methods.collect::<Option<_>>()?,
            scope_text: text("scope")?,
            launch: Arc::new(LaunchContext::from_kept(kept.get("launch")?)?),
            nonce: match kept.get("nonce")? {
                Value::Null => None,
                _ => Some(text("nonce")?),
            },
            lasting: Lasting::from_kept(kept.get("lasting")?)?,
            ends_s: kept.get("ends_s")?.as_i64()?,
            was_pushed: kept.get("pushed")?.as_bool()?,
        })
    }
}
