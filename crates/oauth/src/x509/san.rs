//! Whether a certificate names a URI, and what it has instead. SPEC: RFC 5280 section 4.2.1.6; rows D6 and D11: to the
//! letter, nothing is normalised.

use super::Certificate;
use std::fmt;

/// What a certificate has in place of a URI.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unnamed {
    /// This one, which differs by slashes at its end.
    Slash(String),
    /// This one, which differs in capitals.
    Capitals(String),
    /// Others.
    Others(Vec<String>),
    /// None at all.
    Nothing,
}

impl Unnamed {
    /// Whether it is nearly the same: one of the two was mistyped.
    #[must_use]
    pub fn is_near(&self) -> bool {
        matches!(self, Self::Slash(_) | Self::Capitals(_))
    }
}

impl fmt::Display for Unnamed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Slash(near) => write!(f, "{near} differs by a slash at its end"),
            Self::Capitals(near) => write!(f, "{near} differs in capitals"),
            Self::Others(uris) => write!(f, "it has {}", uris.join(", ")),
            Self::Nothing => f.write_str("it has no URI at all"),
        }
    }
}

impl Certificate {
    /// Whether the URI is one of its alternative names.
    ///
    /// # Errors
    /// [`Unnamed`]: what it has instead.
    pub fn names(&self, uri: &str) -> Result<(), Unnamed> {
        let uris = self.uris();
        if uris.iter().any(|one| one == uri) {
            return Ok(());
        }
        let without = |text: &str| text.trim_end_matches('/').to_owned();
        let near = uris.iter().find(|one| without(one).eq_ignore_ascii_case(&without(uri)));
        Err(match near {
            Some(near) if without(near) == without(uri) => Unnamed::Slash(near.clone()),
            Some(near) => Unnamed::Capitals(near.clone()),
            None if uris.is_empty() => Unnamed::Nothing,
            None => Unnamed::Others(uris.to_vec()),
        })
    }
}
