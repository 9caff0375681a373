//! What is wrong with a metadata document, in words for an operator. SPEC: HL7 FHIR UDAP Security 2.0 section 2.2; row D2.

use super::Document;
use crate::{discovery::GrantType, jws::Algorithm, web_url};

impl Document {
    /// The rules that it breaks, one sentence each; nothing for a good one. What only 2.0 demands says so: a server of
    /// 1.0 or 1.1 need not have it.
    #[must_use]
    pub fn broken_rules(&self) -> Vec<String> {
        let mut broken = Vec::new();
        let mut rule = |kept: bool, text: &str| {
            if !kept {
                broken.push(text.to_owned());
            }
        };
        let is = |list: &[String], only: &str| matches!(list, [one] if one == only);
        let has = |list: &[String], item: &str| list.iter().any(|one| one == item);
        let rs256 = Algorithm::Rs256.as_str();
        rule(is(&self.versions, "1"), "udap_versions_supported must be exactly [\"1\"]");
        rule(has(&self.profiles, "udap_dcr"), "udap_profiles_supported must have udap_dcr");
        rule(has(&self.profiles, "udap_authn"), "udap_profiles_supported must have udap_authn");
        let is_for_systems = self.has_grant(GrantType::ClientCredentials);
        rule(
            has(&self.profiles, "udap_authz") || !is_for_systems,
            "udap_profiles_supported must have udap_authz, as grant_types_supported has client_credentials",
        );
        for (name, supported, required) in [
            ("udap_authorization_extensions", &self.extensions, &self.extensions_required),
            ("udap_certifications", &self.certifications, &self.certifications_required),
        ] {
            if !supported.is_empty() {
                rule(required.is_some(), &format!("{name}_required is missing, as {name}_supported is not empty"));
            }
            let mut required = required.iter().flatten();
            rule(
                required.all(|item| supported.contains(item)),
                &format!("{name}_required names one that is not in {name}_supported"),
            );
        }
        rule(!self.grants.is_empty(), "grant_types_supported is missing or empty");
        let is_for_people = self.has_grant(GrantType::AuthorizationCode);
        rule(
            is_for_people || !self.has_grant(GrantType::RefreshToken),
            "grant_types_supported has refresh_token without authorization_code",
        );
        rule(
            is_for_people == self.authorization_endpoint.is_some(),
            "authorization_endpoint must be there exactly when grant_types_supported has authorization_code",
        );
        rule(self.scopes.is_some(), "scopes_supported is missing (2.0 demands it)");
        rule(
            is(&self.methods, "private_key_jwt"),
            "token_endpoint_auth_methods_supported must be exactly [\"private_key_jwt\"]",
        );
        rule(has(&self.token_algorithms, rs256), "token_endpoint_auth_signing_alg_values_supported must have RS256");
        match &self.registration_algorithms {
            None => rule(false, "registration_endpoint_jwt_signing_alg_values_supported is missing (2.0 demands it)"),
            Some(algorithms) => {
                rule(has(algorithms, rs256), "registration_endpoint_jwt_signing_alg_values_supported must have RS256")
            }
        }
        for (name, url) in [
            ("authorization_endpoint", self.authorization_endpoint.as_deref()),
            ("token_endpoint", Some(self.token_endpoint.as_str())),
            ("registration_endpoint", Some(self.registration_endpoint.as_str())),
        ] {
            rule(url.is_none_or(web_url::is_https), &format!("{name} must be an https URL"));
        }
        broken
    }
}
