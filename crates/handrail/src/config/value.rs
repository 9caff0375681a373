//! From a written text to a value that can be used.

use super::{
    problem::Place,
    source::Written,
    table::{Kind, Setting},
};
use crate::{cors::Origin, egress::Network, http_client::Url, listen::Listen};
use fhir::ResourceType;
use http::HeaderName;
use std::path::{Path, PathBuf};

/// Characters of a value that an error text quotes; longer ones are no slip of the pen.
const QUOTED_CHARS_MAX: usize = 100;

/// A checked value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    /// [`Kind::Listen`].
    Listen(Listen),
    /// [`Kind::BaseUrl`], [`Kind::OneOf`], [`Kind::Words`], [`Kind::Url`] and [`Kind::Mail`].
    Text(String),
    /// [`Kind::Path`], relative ones joined to where they count from.
    Path(PathBuf),
    /// [`Kind::Switch`].
    Switch(bool),
    /// [`Kind::Count`].
    Count(u64),
    /// [`Kind::Hosts`], in lower case.
    Hosts(Vec<String>),
    /// [`Kind::Origins`].
    Origins(Vec<Origin>),
    /// [`Kind::Networks`].
    Networks(Vec<Network>),
    /// [`Kind::Profiles`].
    Profiles(Vec<(ResourceType, String)>),
    /// [`Kind::Paths`], relative ones joined to where they count from.
    Paths(Vec<PathBuf>),
    /// [`Kind::Pairs`].
    Pairs(Vec<(PathBuf, PathBuf)>),
    /// [`Kind::Header`].
    Header(HeaderName),
}

/// Reads a value, or says what was expected.
pub(crate) fn of(written: &Written) -> Result<Value, String> {
    let setting = written.setting;
    let only = || written.texts.last().map_or("", String::as_str).trim();
    let folder = match &written.place {
        Place::File { path, .. } => path.parent().unwrap_or(Path::new("")),
        _ => Path::new(""),
    };
    Ok(match setting.kind {
        Kind::Listen => Value::Listen(only().parse().map_err(|_| unfit(setting, only()))?),
        Kind::BaseUrl => Value::Text(base_url(only()).ok_or_else(|| unfit(setting, only()))?),
        Kind::Path if only().is_empty() || is_content(only()) => return Err(unfit(setting, only())),
        Kind::Path => Value::Path(folder.join(only())),
        Kind::Switch => Value::Switch(only().parse().map_err(|_| unfit(setting, only()))?),
        Kind::OneOf(words) if words.contains(&only()) => Value::Text(only().to_owned()),
        Kind::OneOf(_) => return Err(unfit(setting, only())),
        Kind::Count(from, to) => {
            let count = only().parse().ok().filter(|count| (from..=to).contains(count));
            Value::Count(count.ok_or_else(|| unfit(setting, only()))?)
        }
        Kind::Hosts => Value::Hosts(each(written, host)?),
        Kind::Origins => Value::Origins(each(written, |text| Origin::parse(text).ok())?),
        Kind::Networks => Value::Networks(each(written, |text| text.parse().ok())?),
        Kind::Profiles => Value::Profiles(each(written, profile)?),
        Kind::Paths => {
            let path = |text: &str| (!text.is_empty() && !is_content(text)).then(|| folder.join(text));
            Value::Paths(each(written, path)?)
        }
        Kind::Pairs => {
            let pair = |text: &str| {
                let (chain, key) = text.split_once('=')?;
                let fits = !chain.is_empty() && !key.is_empty() && !is_content(text);
                fits.then(|| (folder.join(chain.trim()), folder.join(key.trim())))
            };
            Value::Pairs(each(written, pair)?)
        }
        Kind::Url => Value::Text(url(only()).ok_or_else(|| unfit(setting, only()))?),
        Kind::Mail => Value::Text(mail(only()).ok_or_else(|| unfit(setting, only()))?),
        Kind::Words => Value::Text(words(only()).ok_or_else(|| unfit(setting, only()))?),
        Kind::Header => Value::Header(header(only()).ok_or_else(|| unfit(setting, only()))?),
    })
}

fn each<T>(written: &Written, read: impl Fn(&str) -> Option<T>) -> Result<Vec<T>, String> {
    written.texts.iter().map(|text| read(text).ok_or_else(|| unfit(written.setting, text))).collect()
}

fn unfit(setting: &Setting, found: &str) -> String {
    let (name, expected) = (setting.name, setting.kind.expected());
    if found.is_empty() {
        format!("{name}: expected {expected}, found nothing")
    } else if matches!(setting.kind, Kind::Path | Kind::Paths) {
        format!("{name}: expected {expected} of a file, not its content")
    } else if is_content(found) || found.chars().count() > QUOTED_CHARS_MAX {
        format!("{name}: expected {expected}")
    } else {
        format!("{name}: expected {expected}, found '{found}'")
    }
}

/// Whether someone put what belongs into a file where its path belongs: a key, perhaps.
fn is_content(text: &str) -> bool {
    text.contains('\n') || text.contains("-----") || text.trim_start().starts_with('{')
}

/// Words for people: some, not too many, on one line.
fn words(text: &str) -> Option<String> {
    let is_fine = !text.is_empty() && text.chars().count() <= QUOTED_CHARS_MAX && !text.contains(char::is_control);
    is_fine.then(|| text.to_owned())
}

/// An e-mail address, as it can stand behind `mailto:`: no display name, nothing to be encoded.
fn mail(text: &str) -> Option<String> {
    let is_plain = |part: &str| {
        !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._+".contains(&byte))
    };
    let (who, host) = words(text).as_ref().and_then(|_| text.split_once('@'))?;
    (is_plain(who) && is_plain(host)).then(|| text.to_owned())
}

/// An https URL without query and fragment, kept to the letter.
fn url(text: &str) -> Option<String> {
    let is_plain = words(text).is_some() && !text.contains(['?', '#']) && Url::parse(text).is_ok();
    is_plain.then(|| text.to_owned())
}

/// The base URL without a slash at its end.
fn base_url(text: &str) -> Option<String> {
    let url = Url::parse(text.trim_end_matches('/')).ok()?;
    (url.target() == "/fhir").then(|| url.to_string())
}

/// `TYPE=CANONICAL`.
fn profile(text: &str) -> Option<(ResourceType, String)> {
    let (kind, canonical) = text.split_once('=')?;
    let is_canonical = canonical.contains(':') && !canonical.contains(char::is_whitespace);
    ResourceType::parse(kind.trim()).ok().filter(|_| is_canonical).map(|kind| (kind, canonical.to_owned()))
}

/// A field that this server does not read for anything else.
fn header(text: &str) -> Option<HeaderName> {
    let taken = ["authorization", "host", "cookie", "dpop", "content-length", "transfer-encoding", "connection"];
    let is_taken = taken.iter().any(|name| name.eq_ignore_ascii_case(text));
    text.parse().ok().filter(|_| !is_taken)
}

/// A host name or address without port, in lower case.
fn host(text: &str) -> Option<String> {
    let bare = text.trim_start_matches('[').trim_end_matches(']');
    let fits = |b: u8| b.is_ascii_alphanumeric() || b"-._:".contains(&b);
    let name = !bare.is_empty() && bare.bytes().all(fits);
    let address = bare.parse::<std::net::Ipv6Addr>().is_ok();
    (name && (address || !bare.contains(':'))).then(|| bare.to_ascii_lowercase())
}
