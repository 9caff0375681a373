//! What goes back to the client by redirect. SPEC: RFC 6749 sections 4.1.2 and 4.1.2.1, RFC 9207; rows B19, B20.
//!
//! Each answer names this server (`iss`), so that an app that talks to several cannot mix them up: by its issuer, or, of a
//! request for `openid udap`, by its FHIR base URL, as the id token then does (row D39).

use crate::{
    authorization_request::{AuthorizationRequest, Redirected},
    discovery::Endpoints,
    secret::Secret,
};

/// The URL that brings a code. A secret: it is for the `Location` header alone.
#[must_use]
pub fn success(request: &AuthorizationRequest, code: &Secret, own: &Endpoints) -> Secret {
    Secret::new(request.redirect.with_parameters([
        ("code", code.expose()),
        ("state", &*request.state),
        ("iss", name(own, request.names_base)),
    ]))
}

/// The URL that brings an error.
#[must_use]
pub fn error(refused: &Redirected, own: &Endpoints) -> String {
    let mut parameters = vec![("error", refused.code.as_str()), ("error_description", refused.description)];
    if let Some(state) = &refused.state {
        parameters.push(("state", state));
    }
    parameters.push(("iss", name(own, refused.names_base)));
    refused.target.with_parameters(parameters)
}

fn name(own: &Endpoints, names_base: bool) -> &str {
    if names_base { &own.fhir_base } else { &own.issuer }
}
