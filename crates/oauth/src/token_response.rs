//! What a client gets for a code, a refresh token or its own name. SPEC: RFC 6749 section 5.1, RFC 9449 section 5; SMART
//! App Launch 2.2; rows B47, B50, B57, C10.

use crate::{caller::Confirmation, launch_context::LaunchContext, secret::Secret};
use serde_json::{Map, Value};

/// The parts of an answer. Holds secrets: no Debug.
pub struct TokenResponse<'a> {
    /// The access token.
    pub access_token: &'a Secret,
    /// What it is bound to: a DPoP key changes the name of its kind.
    pub confirmation: Option<&'a Confirmation>,
    /// Seconds until it ends.
    pub expires_in_s: i64,
    /// What was granted, to the letter.
    pub scope: &'a str,
    /// For later.
    pub refresh_token: Option<&'a Secret>,
    /// Who the person is.
    pub id_token: Option<&'a Secret>,
    /// What is in context; empty for a system.
    pub launch: &'a LaunchContext,
}

impl TokenResponse<'_> {
    /// The JSON body. For a response that no cache keeps (row B46).
    #[must_use]
    pub fn body(&self) -> Value {
        let mut body = Map::new();
        body.insert("access_token".into(), self.access_token.expose().into());
        body.insert("token_type".into(), token_type(self.confirmation).into());
        body.insert("expires_in".into(), self.expires_in_s.into());
        body.insert("scope".into(), self.scope.into());
        if let Some(token) = self.refresh_token {
            body.insert("refresh_token".into(), token.expose().into());
        }
        if let Some(token) = self.id_token {
            body.insert("id_token".into(), token.expose().into());
        }
        // INVARIANT: no name of the context is one of those above.
        body.extend(self.launch.members());
        Value::Object(body)
    }
}

/// `token_type`: a token that is bound to a certificate is a Bearer token (RFC 8705 section 3).
#[must_use]
pub fn token_type(confirmation: Option<&Confirmation>) -> &'static str {
    match confirmation {
        Some(Confirmation::Key(_)) => "DPoP",
        Some(Confirmation::Certificate(_)) | None => "Bearer",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// Rows B47, B50, C10.
    #[test]
    fn answers() {
        let (access, refresh) = (Secret::new("a"), Secret::new("r"));
        let launch = LaunchContext { patient: Some("p".into()), need_patient_banner: Some(true), ..Default::default() };
        let key = Confirmation::Key([0; 32]);
        let whole = TokenResponse {
            access_token: &access,
            confirmation: Some(&key),
            expires_in_s: 300,
            scope: "launch/patient patient/*.rs",
            refresh_token: Some(&refresh),
            id_token: Some(&access),
            launch: &launch,
        };
        let expected = json!({
            "access_token": "a", "token_type": "DPoP", "expires_in": 300, "scope": "launch/patient patient/*.rs",
            "refresh_token": "r", "id_token": "a", "patient": "p", "need_patient_banner": true,
        });
        assert_eq!(whole.body(), expected);
        let empty = LaunchContext::default();
        let system = TokenResponse {
            confirmation: Some(&Confirmation::Certificate([0; 32])),
            refresh_token: None,
            id_token: None,
            launch: &empty,
            ..whole
        };
        let expected = json!({
            "access_token": "a", "token_type": "Bearer", "expires_in": 300, "scope": "launch/patient patient/*.rs",
        });
        assert_eq!(system.body(), expected);
    }
}
