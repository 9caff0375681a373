//! Where an answer may be sent. SPEC: RFC 6749 sections 3.1.2 and 4.1.2, RFC 8252 sections 7 and 8.4, RFC 9700 section
//! 4.1; row B11.
//!
//! A URI is registered whole and compared to the letter: no wildcards, no prefixes, no normalizing. The one exception is
//! the port of a native app's loopback address. [`RedirectTarget`] is the proof that a URI was compared; only it can be
//! redirected to.

use crate::limits;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use std::{fmt, sync::Arc};

/// What kind of program receives the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ApplicationType {
    /// A web server or a page in a browser.
    Web,
    /// A program on a person's device.
    Native,
}

impl ApplicationType {
    /// The value of `application_type`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Web => "web",
            Self::Native => "native",
        }
    }

    /// Reads `application_type`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Web, Self::Native].into_iter().find(|kind| kind.as_str() == text)
    }
}

/// Why a URI cannot be registered. The text is for who registers it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RedirectUriError {
    /// Over [`limits::REDIRECT_URI_BYTES_MAX`].
    TooLong,
    /// A character that a URI may not have, a backslash, or a star.
    Character,
    /// It has a fragment.
    Fragment,
    /// Its scheme is not https, nor http for this machine, nor the reversed domain name of a native app.
    Scheme,
    /// It has no host, or one that cannot be.
    Host,
    /// It has a user name.
    UserInfo,
    /// It has `.` or `..` as a path segment.
    DotSegment,
    /// Its query already has a parameter of the answer, so that an app could take one for the other.
    Parameter,
}

impl fmt::Display for RedirectUriError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooLong => "a redirect URI is at most 2048 bytes long",
            Self::Character => "a redirect URI has only characters of a URI, and no star or backslash",
            Self::Fragment => "a redirect URI has no fragment (#)",
            Self::Scheme => {
                "a redirect URI begins with https://; http:// only for localhost, 127.0.0.1 or [::1]; a native app may have a scheme of its own that is a reversed domain name, such as com.example.app:/callback"
            }
            Self::Host => "the redirect URI has no valid host",
            Self::UserInfo => "a redirect URI has no user name",
            Self::DotSegment => "a redirect URI has no . or .. in its path",
            Self::Parameter => "a redirect URI's query has no code, state, iss, error or the like",
        })
    }
}

impl std::error::Error for RedirectUriError {}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Https,
    /// A loopback address: the host as written, without the port.
    LoopbackAddress,
    /// `localhost`: to the letter, as a name may lead elsewhere (RFC 8252 section 8.3).
    LoopbackName,
    PrivateUse,
}

/// A registered redirect URI.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RedirectUri {
    text: Arc<str>,
    kind: Kind,
    application: ApplicationType,
}

/// Parameters of our answers, which no registered query may have.
const ANSWER: [&str; 7] = ["code", "state", "iss", "error", "error_description", "error_uri", "response"];

impl RedirectUri {
    /// Checks a URI for registration. A scheme of its own and a loopback address with a changing port are for native
    /// apps only.
    ///
    /// # Errors
    /// [`RedirectUriError`].
    pub fn register(text: &str, application: ApplicationType) -> Result<Self, RedirectUriError> {
        use RedirectUriError as E;
        if text.len() > limits::REDIRECT_URI_BYTES_MAX {
            return Err(E::TooLong);
        }
        if text.contains('#') {
            return Err(E::Fragment);
        }
        // SPEC: RFC 3986 section 2; a star is legal there, but whoever registers one expects a wildcard.
        let legal = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:/?[]@!$&'()+,;=%".contains(&byte);
        if !text.bytes().all(legal) || !percent_signs_are_whole(text) {
            return Err(E::Character);
        }
        let (scheme, rest) = text.split_once(':').ok_or(E::Scheme)?;
        let kind = match scheme {
            "https" => Kind::Https,
            // Which host, is looked at below.
            "http" => Kind::LoopbackName,
            _ if application == ApplicationType::Native && is_reversed_domain(scheme) => Kind::PrivateUse,
            _ => return Err(E::Scheme),
        };
        let (path_and_query, kind) = match rest.strip_prefix("//") {
            Some(rest) => {
                let end = rest.find(['/', '?']).unwrap_or(rest.len());
                let (authority, after) = rest.split_at_checked(end).ok_or(E::Host)?;
                (after, checked_authority(authority, kind)?)
            }
            None if kind == Kind::PrivateUse && rest.starts_with('/') => (rest, kind),
            None => return Err(E::Host),
        };
        let (path, query) = path_and_query.split_once('?').unwrap_or((path_and_query, ""));
        let decoded_dots = path.to_ascii_lowercase().replace("%2e", ".");
        if decoded_dots.split('/').any(|segment| segment == "." || segment == "..") {
            return Err(E::DotSegment);
        }
        for pair in query.split('&') {
            let name = pair.split_once('=').map_or(pair, |(name, _)| name);
            let name = crate::form::decoded(name.as_bytes()).map_err(|_| E::Character)?;
            if ANSWER.contains(&name.as_str()) {
                return Err(E::Parameter);
            }
        }
        Ok(Self { text: text.into(), kind, application })
    }

    /// As registered.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether its scheme is one that any program on a device may claim: such an app is never let in without a new
    /// consent (row B28).
    #[must_use]
    pub fn is_private_use(&self) -> bool {
        self.kind == Kind::PrivateUse
    }

    /// Whether it is https (what FAPI 2.0 asks of all).
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.kind == Kind::Https
    }

    /// The origin of a web app, as a browser sends it (row A13); `None` for a scheme of its own.
    #[must_use]
    pub fn origin(&self) -> Option<String> {
        (self.kind != Kind::PrivateUse).then(|| origin_of(&self.text))
    }

    /// The registered URI that a requested one is, and the requested one as a target.
    #[must_use]
    pub fn matching(registered: &[Self], requested: &str) -> Option<RedirectTarget> {
        registered
            .iter()
            .find(|uri| uri.is(requested))
            .map(|uri| RedirectTarget { text: requested.into(), is_private_use: uri.is_private_use() })
    }

    fn is(&self, requested: &str) -> bool {
        if *self.text == *requested {
            return true;
        }
        // SPEC: RFC 8252 section 7.3: any port at the time of the request, all else to the letter.
        if self.kind != Kind::LoopbackAddress || self.application != ApplicationType::Native {
            return false;
        }
        match (without_port(&self.text), without_port(requested)) {
            (Some(one), Some(other)) => one == other,
            _ => false,
        }
    }
}

/// A URI that was found among the registered ones of the client that asks: an answer may be sent there. Made by
/// [`RedirectUri::matching`] only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RedirectTarget {
    text: Arc<str>,
    is_private_use: bool,
}

/// What `application/x-www-form-urlencoded` leaves as it is, and `~`.
const PARAMETER: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

impl RedirectTarget {
    /// As requested: the token request must repeat it to the letter (row B49).
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// See [`RedirectUri::is_private_use`].
    #[must_use]
    pub fn is_private_use(&self) -> bool {
        self.is_private_use
    }

    /// What `form-action` of the consent page must name so that its answer may be redirected here (row A18): an origin,
    /// or a scheme with its colon.
    #[must_use]
    pub fn form_action(&self) -> String {
        if self.is_private_use {
            self.text.split_once(':').map(|(scheme, _)| format!("{scheme}:")).unwrap_or_default()
        } else {
            origin_of(&self.text)
        }
    }

    /// The URI with these parameters behind its own query, which is kept. SPEC: RFC 6749 section 3.1.2.
    #[must_use]
    pub fn with_parameters<'a>(&self, parameters: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
        let mut text = self.text.to_string();
        let mut divider = match text.split_once('?') {
            None => "?",
            Some((_, "")) => "",
            Some(_) => "&",
        };
        for (name, value) in parameters {
            text.push_str(divider);
            text.push_str(name);
            text.push('=');
            text.extend(utf8_percent_encode(value, PARAMETER));
            divider = "&";
        }
        text
    }
}

/// The kind when host and port are as they may be.
fn checked_authority(authority: &str, kind: Kind) -> Result<Kind, RedirectUriError> {
    use RedirectUriError as E;
    if authority.contains('@') {
        return Err(E::UserInfo);
    }
    if kind == Kind::PrivateUse {
        // `com.example.app://host/path` is how some systems write it; the host means nothing.
        return Ok(kind);
    }
    let (host, port) = host_and_port(authority).ok_or(E::Host)?;
    if port.is_some_and(|port| port.is_empty() || port.len() > 5 || !port.bytes().all(|byte| byte.is_ascii_digit())) {
        return Err(E::Host);
    }
    let loopback = match host {
        "127.0.0.1" | "[::1]" => Some(Kind::LoopbackAddress),
        "localhost" => Some(Kind::LoopbackName),
        _ => None,
    };
    match (kind, loopback) {
        (Kind::Https, _) if host.starts_with('[') || is_host_name(host) => Ok(Kind::Https),
        (Kind::Https, _) => Err(E::Host),
        (_, Some(loopback)) => Ok(loopback),
        _ => Err(E::Scheme),
    }
}

pub(crate) fn host_and_port(authority: &str) -> Option<(&str, Option<&str>)> {
    if authority.starts_with('[') {
        let end = authority.find(']')?;
        let (host, after) = authority.split_at_checked(end + 1)?;
        let inside = host.get(1..end)?;
        inside.parse::<std::net::Ipv6Addr>().ok()?;
        return match after.strip_prefix(':') {
            Some(port) => Some((host, Some(port))),
            None if after.is_empty() => Some((host, None)),
            None => None,
        };
    }
    match authority.split_once(':') {
        Some((host, port)) => Some((host, Some(port))),
        None => Some((authority, None)),
    }
}

pub(crate) fn is_host_name(host: &str) -> bool {
    let label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    host.len() <= 253 && host.split('.').all(label)
}

/// `com.example.app`: so that no scheme of the system (`javascript`, `data`, `file`, `intent`) can be one. SPEC: RFC 8252
/// section 7.1.
fn is_reversed_domain(scheme: &str) -> bool {
    scheme.contains('.')
        && scheme.starts_with(|c: char| c.is_ascii_lowercase())
        && scheme.split('.').all(|label| {
            !label.is_empty() && label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        })
}

pub(crate) fn percent_signs_are_whole(text: &str) -> bool {
    text.split('%').skip(1).all(|after| after.get(..2).is_some_and(|hex| hex.bytes().all(|b| b.is_ascii_hexdigit())))
}

/// Scheme, host and port of a URI that was checked at its registration.
fn origin_of(text: &str) -> String {
    let (scheme, rest) = text.split_once("://").unwrap_or((text, ""));
    let authority = rest.split(['/', '?']).next().unwrap_or_default().to_ascii_lowercase();
    let default = if scheme == "https" { ":443" } else { ":80" };
    format!("{scheme}://{}", authority.strip_suffix(default).unwrap_or(&authority))
}

/// What stands before and behind the port of an http URI; the port must be one.
fn without_port(text: &str) -> Option<(&str, &str)> {
    let rest = text.strip_prefix("http://")?;
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, after) = rest.split_at_checked(end)?;
    let (host, port) = host_and_port(authority)?;
    match port {
        None => Some((host, after)),
        // Without leading zeros, so that a port has one form; 0 is none.
        Some(port) => port.parse::<u16>().ok().filter(|n| *n > 0 && n.to_string() == port).map(|_| (host, after)),
    }
}

#[cfg(test)]
mod tests;
