//! Whether a registration is acceptable, and if not, what to change. SPEC: rows B4, B11, B13, A16, C2, C11, F60, F61.

use super::{
    AddressFault, Binding, Certificate, Client, ClientError, Keys, Kind, NewCertificate, NewClient, NewKeys, NewKind,
    Unfit, scopes,
};
use crate::{client_certificate, limits};
use fhir::{Instant, ResourceType};
use oauth::caller::Standing;
use oauth::{
    certificate::RegisteredSubject,
    ehr_launch::{LaunchIntent, LaunchUrl},
    jwk::Jwks,
    redirect_uri::RedirectUri,
    scope::{Scope, request::Special},
    udap::purpose::Purpose,
};
use std::sync::Arc;

/// Whether the server can enforce a scope; the text says why not.
pub type Enforceable = dyn Fn(&Scope) -> Result<(), String> + Send + Sync;

/// A client of what was asked for.
pub(super) fn checked(
    new: &NewClient,
    id: String,
    created: Instant,
    enforceable: &Enforceable,
) -> Result<Client, ClientError> {
    let name = label("name", &new.name)?;
    let maker = new.maker.as_deref().map(|maker| label("maker", maker)).transpose()?;
    let purpose = new.purpose.as_deref().map(|purpose| label("purpose", purpose)).transpose()?;
    let logo = new.logo.as_deref().map(|url| https_url("logo's address", url)).transpose()?;
    let kind = kind(&new.kind)?;
    let is_app = is_app(&kind, new);
    let allowed = scopes::registered(&new.scope, is_app, enforceable)?;
    if allowed.all.asks(&Special::Udap) && !matches!(kind, Kind::Udap(_)) {
        let why = "it is for clients of trust communities, which register themselves";
        return Err(ClientError::Invalid(Unfit::ScopeUnknown("udap".into(), why.into())));
    }
    let redirect_uris = redirect_uris(new, &kind, is_app)?;
    if new.calls_without_token && (is_app || !matches!(kind, Kind::MutualTls(_))) {
        return invalid("only a system that is known by its certificate can call without a token");
    }
    standing(new.standing, is_app, &kind)?;
    if new.is_fapi2 && matches!(kind, Kind::Public | Kind::ConfidentialSymmetric(_)) {
        return Err(ClientError::Invalid(Unfit::Fapi2Kind));
    }
    if new.requires_pushed && !is_app {
        return invalid("nobody signs in to a system: it has no authorization requests to be pushed");
    }
    if new.binding == Some(Binding::Key) && matches!(kind, Kind::MutualTls(_)) {
        return invalid("tokens of a client that is known by its certificate are bound to that");
    }
    if new.assertion_algorithm.is_some() && kind.keys().is_none() {
        return invalid("only a client that signs assertions has an algorithm for them");
    }
    if new.is_fapi2 && redirect_uris.iter().any(|uri| !uri.is_https()) {
        return Err(ClientError::Invalid(Unfit::Fapi2Redirect));
    }
    let launch_url = match &new.launch_url {
        Some(_) if !is_app => return Err(ClientError::Invalid(Unfit::LaunchOfSystem)),
        Some(url) => Some(launch(url)?),
        None => None,
    };
    let intents = intents(&new.intents, launch_url.is_some())?;
    let purposes_of_use = purposes_of_use(&new.purposes_of_use, is_app || matches!(kind, Kind::Udap(_)))?;
    if new.origins.len() > limits::CLIENT_ORIGINS_MAX {
        return invalid(&format!("at most {} origins", limits::CLIENT_ORIGINS_MAX));
    }
    for origin in &new.origins {
        if !is_origin(origin) {
            return invalid(&format!(
                "{}: an origin is https://HOST or https://HOST:PORT, in lower case and without a path (http only for localhost)",
                shown(origin, 100)
            ));
        }
    }
    Ok(Client {
        id: id.into(),
        name,
        maker,
        purpose,
        logo: logo.map(Into::into),
        kind,
        scopes: allowed.resources,
        registered: allowed.all,
        scope_text: allowed.text,
        redirect_uris,
        application: new.application,
        launch_url,
        intents,
        origins: new.origins.clone(),
        is_verified: new.is_verified,
        is_fapi2: new.is_fapi2,
        requires_pushed: new.requires_pushed,
        binding: new.binding,
        assertion_algorithm: new.assertion_algorithm,
        own: None,
        calls_without_token: new.calls_without_token,
        purposes_of_use,
        introspects_any: new.introspects_any,
        standing: new.standing,
        created,
        disabled: false,
    })
}

/// Consents leave alone the facility's own record system, and nobody that people or other organizations let in; a person's
/// app that may not know who the person is makes no sense.
pub(crate) fn standing(wanted: Standing, is_app: bool, kind: &Kind) -> Result<(), ClientError> {
    if wanted == Standing::Ordinary || !(is_app || matches!(kind, Kind::Udap(_))) {
        return Ok(());
    }
    match wanted {
        Standing::Custodian => {
            invalid("only a system of this facility can be its custodian: consents bind apps and partners")
        }
        _ => invalid("only a system that was registered here can be given de-identified data"),
    }
}

/// Whether people sign in to what is asked for.
fn is_app(kind: &Kind, new: &NewClient) -> bool {
    match kind {
        Kind::BackendService(_) => false,
        Kind::MutualTls(_) | Kind::Udap(_) => !new.redirect_uris.is_empty(),
        _ => true,
    }
}

/// What of a registration a problem is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Name,
    Maker,
    Purpose,
    Logo,
    /// Keys or certificate.
    Proof,
    Redirects,
    Launch,
    Intents,
    Scopes,
    PurposesOfUse,
    /// Parts that do not go together.
    Whole,
}

/// All that is wrong with a registration, part by part, for who can mend it at a page; nothing for one that
/// [`Client::register`] takes.
pub(crate) fn problems(new: &NewClient, enforceable: &Enforceable) -> Vec<(Part, Unfit)> {
    let mut found = Vec::new();
    let mut look = |part, outcome: Result<(), ClientError>| {
        if let Err(ClientError::Invalid(why)) = outcome {
            found.push((part, why));
        }
    };
    let optional =
        |what: &'static str, text: &Option<String>| text.as_deref().map_or(Ok(()), |text| label(what, text).map(drop));
    look(Part::Name, label("name", &new.name).map(drop));
    look(Part::Maker, optional("maker", &new.maker));
    look(Part::Purpose, optional("purpose", &new.purpose));
    look(Part::Logo, new.logo.as_deref().map_or(Ok(()), |url| https_url("logo's address", url).map(drop)));
    look(Part::Launch, new.launch_url.as_deref().map_or(Ok(()), |url| launch(url).map(drop)));
    look(Part::Intents, intents(&new.intents, new.launch_url.is_some()).map(drop));
    match kind(&new.kind) {
        Err(why) => look(Part::Proof, Err(why)),
        Ok(kind) => {
            let is_app = is_app(&kind, new);
            look(Part::Redirects, redirect_uris(new, &kind, is_app).map(drop));
            look(Part::PurposesOfUse, purposes_of_use(&new.purposes_of_use, is_app).map(drop));
            look(Part::Scopes, scopes::registered(&new.scope, is_app, enforceable).map(drop));
        }
    }
    if found.is_empty()
        && let Err(ClientError::Invalid(why)) = checked(new, String::new(), Instant::from_unix_millis(0), enforceable)
    {
        found.push((Part::Whole, why));
    }
    found
}

fn invalid<T>(why: &str) -> Result<T, ClientError> {
    Err(ClientError::Invalid(why.into()))
}

/// As much of a text as a message may repeat.
pub(super) fn shown(text: &str, chars_max: usize) -> String {
    text.chars().filter(|c| !c.is_control()).take(chars_max).collect()
}

pub(super) fn label(what: &'static str, text: &str) -> Result<Arc<str>, ClientError> {
    let text = text.trim();
    // Directions of writing could make a name read as another one on the consent page.
    let misleads = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
    };
    if text.is_empty() || text.len() > limits::CLIENT_NAME_BYTES_MAX || text.chars().any(misleads) {
        return Err(ClientError::Invalid(Unfit::Label(what)));
    }
    Ok(text.into())
}

/// The kind with its keys. Secrets are made when the client is added.
fn kind(new: &NewKind) -> Result<Kind, ClientError> {
    Ok(match new {
        NewKind::Public => Kind::Public,
        NewKind::ConfidentialSymmetric => Kind::ConfidentialSymmetric(Vec::new()),
        NewKind::ConfidentialAsymmetric(keys) => Kind::ConfidentialAsymmetric(registered_keys(keys)?),
        NewKind::BackendService(keys) => Kind::BackendService(registered_keys(keys)?),
        NewKind::MutualTls(NewCertificate::Subject(member, value)) => {
            let subject = RegisteredSubject::from_member(member, value);
            let wrong = |why| ClientError::Invalid(Unfit::CertificateName(member.clone(), why));
            let subject = subject.map_err(wrong)?;
            Kind::MutualTls(Certificate::Subject(subject))
        }
        NewKind::MutualTls(NewCertificate::SelfSigned(certificates)) => {
            self_signed(certificates.iter().map(|der| client_certificate::thumbprint(der)).collect())?
        }
        NewKind::MutualTls(NewCertificate::Known(known)) => self_signed(known.clone())?,
        NewKind::Udap(udap) => Kind::Udap(udap.clone()),
    })
}

fn self_signed(known: Vec<[u8; 32]>) -> Result<Kind, ClientError> {
    if known.is_empty() || known.len() > limits::CLIENT_CERTIFICATES_MAX {
        return Err(ClientError::Invalid(Unfit::CertificateCount));
    }
    Ok(Kind::MutualTls(Certificate::SelfSigned(known.into())))
}

fn registered_keys(keys: &NewKeys) -> Result<Keys, ClientError> {
    Ok(match keys {
        NewKeys::Inline(text) => Jwks::register(text.as_bytes())
            .map(|jwks| Keys::Inline(Arc::new(jwks)))
            .map_err(|why| ClientError::Invalid(Unfit::Keys(why)))?,
        NewKeys::Url(url) => Keys::Url(https_url("JWKS URL", url)?.into()),
    })
}

fn redirect_uris(new: &NewClient, kind: &Kind, is_app: bool) -> Result<Arc<[RedirectUri]>, ClientError> {
    if !is_app {
        return match new.redirect_uris.is_empty() {
            true => Ok(Arc::default()),
            false => Err(ClientError::Invalid(Unfit::RedirectOfSystem)),
        };
    }
    if new.redirect_uris.is_empty() {
        return Err(ClientError::Invalid(Unfit::RedirectMissing));
    }
    if new.redirect_uris.len() > limits::REDIRECT_URIS_MAX {
        return Err(ClientError::Invalid(Unfit::Redirects));
    }
    let mut uris: Vec<RedirectUri> = Vec::new();
    for text in &new.redirect_uris {
        let uri = RedirectUri::register(text, new.application)
            .map_err(|why| ClientError::Invalid(Unfit::Redirect(text.clone(), why)))?;
        // SPEC: RFC 8252 section 8.4: any program on the device may claim the scheme, so it proves nothing.
        if uri.is_private_use() && !matches!(kind, Kind::Public) {
            return Err(ClientError::Invalid(Unfit::RedirectScheme(text.clone())));
        }
        if !uris.contains(&uri) {
            uris.push(uri);
        }
    }
    Ok(uris.into())
}

/// A launch URL: what holds for a redirect URI of a web app holds for it.
fn launch(url: &str) -> Result<Arc<str>, ClientError> {
    LaunchUrl::register(url)
        .map(|url| Arc::from(url.as_str()))
        .map_err(|_| ClientError::Invalid(Unfit::Launch(url.into())))
}

/// What an app can be opened for; a word that comes again counts once.
pub(crate) fn intents(texts: &[String], is_launched: bool) -> Result<Arc<[LaunchIntent]>, ClientError> {
    let unfit = |why| Err(ClientError::Invalid(why));
    let mut intents: Vec<LaunchIntent> = Vec::new();
    for text in texts {
        let Ok(intent) = LaunchIntent::register(text) else { return unfit(Unfit::Intent(text.clone())) };
        label("name of an intent", intent.name())?;
        if intents.iter().all(|known| known.word() != intent.word()) {
            intents.push(intent);
        }
    }
    if intents.len() > limits::LAUNCH_INTENTS_MAX {
        return unfit(Unfit::Intents);
    }
    if !intents.is_empty() && !is_launched {
        return unfit(Unfit::IntentsOfNoLaunch);
    }
    Ok(intents.into())
}

/// What a system may act for. An app acts for what its people do, a client of a trust community for what it asserts.
pub(crate) fn purposes_of_use(texts: &[String], says_otherwise: bool) -> Result<Arc<[Purpose]>, ClientError> {
    let mut purposes: Vec<Purpose> = Vec::new();
    for text in texts {
        match Purpose::parse(text) {
            Some(Purpose::BREAK_GLASS) => return Err(ClientError::Invalid(Unfit::PurposeOfPeople)),
            Some(purpose) if purposes.contains(&purpose) => {}
            Some(purpose) => purposes.push(purpose),
            None => return Err(ClientError::Invalid(Unfit::PurposeOfUse(text.clone()))),
        }
    }
    if !purposes.is_empty() && says_otherwise {
        return Err(ClientError::Invalid(Unfit::PurposeOfApp));
    }
    Ok(purposes.into())
}

/// Whether this server knows the scope's type and can enforce its query (row B4).
pub(crate) fn usable(scope: &Scope, enforceable: &Enforceable) -> Result<(), String> {
    if let Some(name) = &scope.resource_type {
        ResourceType::parse(name).map_err(|why| why.to_string())?;
    }
    enforceable(scope)
}

/// An https URL with a host and nothing that could mislead. Which addresses may be reached is for the fetcher.
pub(super) fn https_url<'a>(what: &'static str, url: &'a str) -> Result<&'a str, ClientError> {
    let refused = |why| Err(ClientError::Invalid(Unfit::Address(what, why)));
    let Some(rest) = url.strip_prefix("https://") else {
        return refused(AddressFault::Scheme);
    };
    if url.len() > 2048 {
        return refused(AddressFault::Length);
    }
    if !url.bytes().all(|byte| byte.is_ascii_graphic()) || url.contains(['#', '\\', '"', '<', '>']) {
        return refused(AddressFault::Characters);
    }
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    if authority.contains('@') {
        return refused(AddressFault::User);
    }
    if authority.is_empty() || authority.starts_with(':') || url.parse::<http::Uri>().is_err() {
        return refused(AddressFault::Host);
    }
    Ok(url)
}

/// An origin as browsers send it (row A16): compared to the letter, so it must be written as they write it.
fn is_origin(origin: &str) -> bool {
    let (host, local_only) = match (origin.strip_prefix("https://"), origin.strip_prefix("http://")) {
        (Some(host), _) => (host, false),
        (_, Some(host)) => (host, true),
        _ => return false,
    };
    let (host, port) = match host.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (host, None),
    };
    let port_fits = port.is_none_or(|port| {
        let usual = if local_only { "80" } else { "443" };
        !port.starts_with('0') && port != usual && port.parse::<u16>().is_ok()
    });
    let name = |host: &str| {
        let legal = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'.';
        !host.is_empty() && host.len() <= 253 && host.bytes().all(legal) && !host.starts_with(['.', '-'])
    };
    let bracketed = |host: &str| {
        let inside = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        inside.is_some_and(|inside| {
            inside.parse::<std::net::Ipv6Addr>().is_ok_and(|address| address.to_string() == inside)
        })
    };
    let local = matches!(host, "localhost" | "127.0.0.1" | "[::1]");
    port_fits && (name(host) || bracketed(host)) && (!local_only || local)
}

#[cfg(test)]
mod tests;
