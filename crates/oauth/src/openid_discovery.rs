//! `/.well-known/openid-configuration`. SPEC: OpenID Connect Discovery section 3; rows B10, B53.
//!
//! RFC 8414 gives its members the same names, so the document is that one's with what OpenID Connect adds.

use crate::{
    discovery::{Feature, Offer, authorization_server},
    jws::Algorithm,
};
use serde_json::{Value, json};

/// The document; `None` when there are no id tokens.
#[must_use]
pub fn document(offer: &Offer) -> Option<Value> {
    if !offer.has(Feature::OpenIdConnect) {
        return None;
    }
    let mut document = authorization_server(offer);
    let members = document.as_object_mut()?;
    // Row B4: `acr` is not told, so it is not claimed.
    let mut claims = vec!["iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "amr", "at_hash"];
    let scope = |text: &str| offer.scopes.iter().any(|scope| scope == text);
    if scope("fhirUser") {
        claims.push("fhirUser");
    }
    if scope("profile") {
        claims.push("name");
    }
    let added = [
        ("subject_types_supported", json!(["public"])),
        ("id_token_signing_alg_values_supported", json!([Algorithm::Rs256.as_str()])),
        ("claim_types_supported", json!(["normal"])),
        ("claims_supported", json!(claims)),
        ("prompt_values_supported", json!(["none", "login", "consent", "select_account"])),
        // SPEC: absent means true for the second of these; all three are refused or ignored here.
        ("request_parameter_supported", json!(false)),
        ("request_uri_parameter_supported", json!(false)),
        ("claims_parameter_supported", json!(false)),
    ];
    members.extend(added.map(|(name, value)| (name.to_owned(), value)));
    if offer.has(Feature::UserInfo) {
        members.insert("userinfo_endpoint".into(), json!(offer.endpoints.userinfo));
    }
    Some(document)
}

#[cfg(test)]
mod tests {
    use super::document;
    use crate::discovery::tests::{systems, whole};

    /// Row B10.
    #[test]
    fn required_members() {
        let document = document(&whole()).unwrap();
        for name in [
            "issuer",
            "authorization_endpoint",
            "token_endpoint",
            "jwks_uri",
            "response_types_supported",
            "subject_types_supported",
            "id_token_signing_alg_values_supported",
            "userinfo_endpoint",
        ] {
            assert!(document.get(name).is_some(), "{name}");
        }
        assert_eq!(document["id_token_signing_alg_values_supported"][0], "RS256");
        assert_eq!(document["request_uri_parameter_supported"], false);
        assert_eq!(document["issuer"], "https://care.example");
    }

    #[test]
    fn none_without_id_tokens() {
        assert!(document(&systems()).is_none());
    }
}
