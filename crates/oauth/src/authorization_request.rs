//! A request for authorization. SPEC: RFC 6749 sections 4.1.1 and 4.1.2.1; RFC 7636; RFC 9126 section 4; RFC 9449
//! section 10; SMART App Launch 2.2 app-launch; OpenID Connect Core section 3.1.2.1; rows B16 to B21.
//!
//! Two steps, because the rules depend on who the client is: [`Unchecked::parse`] reads a query, a posted form or a
//! pushed one; [`Unchecked::check`] holds it against the client. What goes wrong is told in one of two ways, and the
//! types keep them apart: [`Local`] is shown here, because nobody knows yet that the address of the answer is the
//! client's; [`Redirected`] goes to the client, at an address that is proven to be its own.
//!
//! Left out: request objects (`request`, RFC 9101), `claims`, `id_token_hint`, other response modes than `query`. The
//! first and the last are refused by name; the others are ignored, as OpenID Connect lets a provider do.

use crate::{
    audience,
    error::ErrorCode,
    fapi2::Profile,
    form::{Form, FormError},
    limits,
    pkce::Challenge,
    redirect_uri::{RedirectTarget, RedirectUri},
    scope::request::{ScopeRequest, Special},
    udap::tiered,
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use std::fmt;

/// Why a request gets a page of ours and never a redirect (row B19).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Local {
    /// Over [`limits::AUTHORIZATION_REQUEST_BYTES_MAX`].
    TooLong,
    /// Not a form.
    Form(FormError),
    /// A parameter on which the way of the answer depends comes twice.
    Repeated(&'static str),
    /// No `client_id`.
    NoClientId,
    /// No client of this id, or one that is disabled. Made by whoever has the register.
    UnknownClient,
    /// No `redirect_uri`.
    NoRedirectUri,
    /// `redirect_uri` is not registered for this client.
    RedirectUri,
    /// `request_uri` is unknown, used, past its end, or another client's. Made by whoever keeps pushed requests.
    RequestUri,
}

impl fmt::Display for Local {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong => f.write_str("the authorization request is longer than 64 kB"),
            Self::Form(why) => why.fmt(f),
            Self::Repeated(name) => write!(f, "the parameter {name} comes more than once"),
            Self::NoClientId => f.write_str("client_id is missing"),
            Self::UnknownClient => f.write_str("no app of this client_id may ask here"),
            Self::NoRedirectUri => f.write_str("redirect_uri is missing"),
            Self::RedirectUri => f.write_str("redirect_uri is not registered for this app"),
            Self::RequestUri => f.write_str("the pushed request is unknown, was used before, or is too old"),
        }
    }
}

impl std::error::Error for Local {}

/// An error that goes to the client by redirect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redirected {
    /// Where to: one of the client's own.
    pub target: RedirectTarget,
    /// `state`, to be echoed to the letter (row B20); `None` when there was none that can be.
    pub state: Option<String>,
    /// `error`.
    pub code: ErrorCode,
    /// `error_description`: fixed texts in ASCII, nothing of the request.
    pub description: &'static str,
    /// As [`AuthorizationRequest::names_base`].
    pub names_base: bool,
}

/// Why a request is not granted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refused {
    /// To be shown here.
    Local(Local),
    /// To be sent to the client.
    Redirected(Redirected),
}

impl From<Local> for Refused {
    fn from(why: Local) -> Self {
        Self::Local(why)
    }
}

/// What the client's registration says.
#[derive(Clone, Copy)]
pub struct ClientRules<'a> {
    /// Its redirect URIs.
    pub redirect_uris: &'a [RedirectUri],
    /// Whether it may have codes at all (`grant_types`).
    pub may_use_codes: bool,
    /// Whether it must push its requests (RFC 9126 section 6), whatever its profile.
    pub requires_pushed: bool,
    /// The rules that it is held to.
    pub profile: Profile,
    /// What its trust community changes (UDAP); `None`: nothing.
    pub udap: Option<UdapRules>,
}

/// What is otherwise for a client of a trust community. SPEC: HL7 FHIR UDAP Security 2.0 section 4.1; rows D23, D24. `aud`
/// is SMART's and need not be there, but must be right when it is; `redirect_uri` need not when only one is registered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UdapRules {
    /// Whether there must be a `code_challenge`, as 2.0 says; 1.0 knows none. One that is there counts always.
    pub requires_challenge: bool,
    /// Whether the scope `udap` means something: the client is registered for it, and its community has identity
    /// providers (rows D34, D39).
    pub is_tiered: bool,
}

/// How a request came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// Through the browser, by GET or POST.
    Browser,
    /// Pushed by the client, who proved who it is.
    Pushed,
}

/// What `prompt` asks for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Prompt {
    /// `none`: nothing may be shown; what would have to be is an error (row B21).
    pub none: bool,
    /// `login`: sign in again.
    pub login: bool,
    /// `consent`: ask again.
    pub consent: bool,
    /// `select_account`.
    pub select_account: bool,
}

impl Prompt {
    /// Reads `prompt`; values that we do not know are passed over.
    fn parse(text: Option<&str>) -> Option<Self> {
        let mut prompt = Self::default();
        let mut values = 0;
        for value in text.unwrap_or_default().split(' ').filter(|value| !value.is_empty()) {
            values += 1;
            match value {
                "none" => prompt.none = true,
                "login" => prompt.login = true,
                "consent" => prompt.consent = true,
                "select_account" => prompt.select_account = true,
                _ => {}
            }
        }
        (!prompt.none || values == 1).then_some(prompt)
    }
}

/// A request as it came. Nobody has vouched for any of it.
pub struct Unchecked {
    form: Form,
    client_id: String,
}

/// A request that keeps all rules of the protocol, for this client. What the person may give is still to be seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthorizationRequest {
    /// The client.
    pub client_id: String,
    /// Where the answer goes.
    pub redirect: RedirectTarget,
    /// To be echoed.
    pub state: String,
    /// Whether it was named in the request: then it must be with the code, too (RFC 6749 section 4.1.3).
    pub names_redirect: bool,
    /// To be kept with the code (row B18); `None` only by [`UdapRules`].
    pub challenge: Option<Challenge>,
    /// What is asked for.
    pub scope: ScopeRequest,
    /// Handle of a launch from the EHR (row B23); there when, and only when, the scope `launch` is.
    pub launch: Option<String>,
    /// For the id token.
    pub nonce: Option<String>,
    /// What may or must be shown.
    pub prompt: Prompt,
    /// Seconds since the person last proved who they are, at most (row B26).
    pub max_age_s: Option<u32>,
    /// A name to put into the sign-in form.
    pub login_hint: Option<String>,
    /// Languages for the pages, best first, as sent.
    pub ui_locales: Option<String>,
    /// Thumbprint of the DPoP key that alone may redeem the code (RFC 9449 section 10).
    pub dpop_jkt: Option<[u8; 32]>,
    /// Base URL of the identity provider where the person is to sign in (UDAP Tiered OAuth); there with the scope `udap`
    /// alone, where that means something (row D34).
    pub idp: Option<String>,
    /// Whether answers name this server by its FHIR base URL and not by its issuer: of a request for `openid udap`, whose
    /// id token does too (row D39).
    pub names_base: bool,
}

impl Unchecked {
    /// Reads the query of a GET, the form of a POST, or what was pushed.
    ///
    /// # Errors
    /// [`Local`]: who asks is not known yet.
    pub fn parse(bytes: &[u8]) -> Result<Self, Local> {
        if bytes.len() > limits::AUTHORIZATION_REQUEST_BYTES_MAX {
            return Err(Local::TooLong);
        }
        let form = Form::parse_noting_repeats(bytes).map_err(Local::Form)?;
        for name in ["client_id", "redirect_uri", "state", "request_uri"] {
            if form.is_repeated(name) {
                return Err(Local::Repeated(name));
            }
        }
        let client_id = form.value("client_id").ok_or(Local::NoClientId)?.to_owned();
        Ok(Self { form, client_id })
    }

    /// Who the client says it is.
    #[must_use]
    pub fn client_id(&self) -> &str {
        &self.client_id
    }

    /// `request_uri`: when it is one of ours ([`crate::pushed_authorization::handle`]), the pushed request counts, and
    /// nothing else of this one.
    #[must_use]
    pub fn request_uri(&self) -> Option<&str> {
        self.form.value("request_uri")
    }

    /// The parameters.
    #[must_use]
    pub fn form(&self) -> &Form {
        &self.form
    }

    /// Holds the request against the rules of its client.
    ///
    /// # Errors
    /// [`Refused`].
    pub fn check(&self, client: &ClientRules<'_>, way: Way, fhir_base: &str) -> Result<AuthorizationRequest, Refused> {
        let only = match client.redirect_uris {
            [only] if client.udap.is_some() => Some(only.as_str()),
            _ => None,
        };
        let requested = self.form.value("redirect_uri").or(only).ok_or(Local::NoRedirectUri)?;
        let target = RedirectUri::matching(client.redirect_uris, requested).ok_or(Local::RedirectUri)?;
        // From here on every error goes to the client.
        let state = self.form.value("state").filter(|state| state.len() <= limits::STATE_BYTES_MAX);
        let names_base = self.names_base(client);
        self.checked(client, way, fhir_base, &target, state).map_err(|(code, description)| {
            Refused::Redirected(Redirected { target, state: state.map(str::to_owned), code, description, names_base })
        })
    }

    fn names_base(&self, client: &ClientRules<'_>) -> bool {
        let asks =
            |wanted: &str| self.form.value("scope").is_some_and(|text| text.split(' ').any(|scope| scope == wanted));
        client.udap.is_some_and(|rules| rules.is_tiered) && asks("openid") && asks("udap")
    }

    fn checked(
        &self,
        client: &ClientRules<'_>,
        way: Way,
        fhir_base: &str,
        target: &RedirectTarget,
        state: Option<&str>,
    ) -> Result<AuthorizationRequest, (ErrorCode, &'static str)> {
        use ErrorCode as E;
        let form = &self.form;
        // SPEC: RFC 8707 section 2 lets `resource` come more than once.
        if form.repeated().any(|name| name != "resource") {
            return Err((E::InvalidRequest, "a parameter comes more than once"));
        }
        if form.value("request").is_some() {
            return Err((E::RequestNotSupported, "request objects are not supported"));
        }
        if form.value("request_uri").is_some() {
            return Err((E::RequestUriNotSupported, "request_uri must come from the pushed authorization endpoint"));
        }
        if form.value("registration").is_some() {
            return Err((E::RegistrationNotSupported, "registration is not supported here"));
        }
        if way == Way::Browser && (client.requires_pushed || client.profile.requires_pushed()) {
            return Err((E::InvalidRequest, "this client must push its authorization requests"));
        }
        if !client.may_use_codes {
            return Err((E::UnauthorizedClient, "this client is not registered for authorization codes"));
        }
        match form.value("response_type") {
            Some("code") => {}
            None => return Err((E::InvalidRequest, "response_type is missing")),
            Some(_) => return Err((E::UnsupportedResponseType, "response_type must be code")),
        }
        if form.value("response_mode").is_some_and(|mode| mode != "query") {
            return Err((E::InvalidRequest, "response_mode must be query"));
        }
        let Some(state) = state else {
            return Err((E::InvalidRequest, "state is missing or too long"));
        };
        let challenge = form.value("code_challenge");
        let challenge = match client.udap {
            Some(UdapRules { requires_challenge: false, .. }) if challenge.is_none() => None,
            _ => Some(
                Challenge::parse(challenge, form.value("code_challenge_method"))
                    .map_err(|why| (E::InvalidRequest, pkce_text(why)))?,
            ),
        };
        let audience = if client.udap.is_some() {
            audience::if_named(form, fhir_base)
        } else {
            audience::required(form, fhir_base)
        };
        audience.map_err(|why| match why {
            audience::AudienceError::Missing => (E::InvalidRequest, "aud is missing"),
            // SPEC: SMART names no code for it; RFC 8707 does for `resource`.
            audience::AudienceError::Other if form.value("resource").is_some() => {
                (E::InvalidTarget, "resource is not the FHIR base URL of this server")
            }
            audience::AudienceError::Other => (E::InvalidRequest, "aud is not the FHIR base URL of this server"),
        })?;
        let scope = form.value("scope").ok_or((E::InvalidScope, "scope is missing"))?;
        let scope = ScopeRequest::parse(scope).map_err(|_| (E::InvalidScope, "too many or too long scopes"))?;
        if scope.asks_system() {
            return Err((E::InvalidScope, "system scopes cannot be asked for on behalf of a person"));
        }
        if scope.is_empty() {
            return Err((E::InvalidScope, "none of the scopes is known"));
        }
        let short = |name: &str| match form.value(name) {
            Some(value) if value.len() > limits::PARAMETER_BYTES_MAX => {
                Err((E::InvalidRequest, "a parameter is too long"))
            }
            value => Ok(value.map(str::to_owned)),
        };
        let launch = short("launch")?;
        if launch.is_some() && !scope.asks(&Special::Launch) {
            return Err((E::InvalidScope, "a launch needs the scope launch"));
        }
        let prompt = Prompt::parse(form.value("prompt"))
            .ok_or((E::InvalidRequest, "prompt cannot be none together with others"))?;
        let max_age_s = match form.value("max_age").map(str::parse) {
            None => None,
            Some(Ok(seconds)) => Some(seconds),
            Some(Err(_)) => return Err((E::InvalidRequest, "max_age is not a number of seconds")),
        };
        let dpop_jkt = match form.value("dpop_jkt").map(|text| URL_SAFE_NO_PAD.decode(text).map(<[u8; 32]>::try_from)) {
            None => None,
            Some(Ok(Ok(thumbprint))) => Some(thumbprint),
            Some(_) => return Err((E::InvalidRequest, "dpop_jkt is not the thumbprint of a key")),
        };
        let is_tiered = client.udap.is_some_and(|rules| rules.is_tiered);
        Ok(AuthorizationRequest {
            names_base: self.names_base(client),
            client_id: self.client_id.clone(),
            redirect: target.clone(),
            idp: match form.value("idp").filter(|_| is_tiered && scope.asks(&Special::Udap)) {
                Some(idp) if !tiered::is_base_url(idp) => return Err((E::InvalidIdp, "idp is not an https base URL")),
                idp => idp.map(str::to_owned),
            },
            names_redirect: form.value("redirect_uri").is_some(),
            state: state.to_owned(),
            challenge,
            launch,
            nonce: short("nonce")?,
            prompt,
            max_age_s,
            login_hint: short("login_hint")?,
            ui_locales: short("ui_locales")?,
            dpop_jkt,
            scope,
        })
    }
}

impl AuthorizationRequest {
    /// This request, refused later on: by the person, for want of a patient, by a failure.
    #[must_use]
    pub fn refused(&self, code: ErrorCode, description: &'static str) -> Redirected {
        Redirected {
            target: self.redirect.clone(),
            state: Some(self.state.clone()),
            code,
            description,
            names_base: self.names_base,
        }
    }

    /// Whether it asks to know who the person is.
    #[must_use]
    pub fn is_openid(&self) -> bool {
        self.scope.asks(&Special::OpenId)
    }
}

/// The same texts as [`crate::pkce::PkceError`]'s, fixed.
fn pkce_text(why: crate::pkce::PkceError) -> &'static str {
    use crate::pkce::PkceError as E;
    match why {
        E::NoChallenge => "code_challenge is missing (PKCE is required)",
        E::Method => "code_challenge_method must be S256",
        _ => "code_challenge is not the base64url form of a SHA-256 hash",
    }
}

#[cfg(test)]
mod tests;
