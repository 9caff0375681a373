//! Which language a page is in: what the person chose, else what the browser asks for, else English.
//!
//! SPEC: RFC 9110 section 12.5.4 (Accept-Language, quality values). The choice is kept in a cookie of its own, which
//! tells nothing of the person. Left out: regional forms; there is one English and one Spanish.

use crate::limits;

/// The cookie of the choice.
pub const COOKIE: &str = "__Host-handrail-language";

/// A language that every page is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Language {
    /// English, as in the United States.
    #[default]
    English,
    /// Spanish, as in the United States.
    Spanish,
}

impl Language {
    /// All, in the order of the switch.
    pub const ALL: [Self; 2] = [Self::English, Self::Spanish];

    /// The subtag of BCP 47: what `lang` attributes, the `language` field and the cookie hold.
    #[must_use]
    pub const fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Spanish => "es",
        }
    }

    /// Its own name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::English => "English",
            Self::Spanish => "Español",
        }
    }

    /// From a tag such as `es` or `es-MX`; `None` for other languages.
    #[must_use]
    pub fn from_tag(tag: &str) -> Option<Self> {
        let primary = tag.trim().split(['-', '_']).next().unwrap_or_default();
        Self::ALL.into_iter().find(|language| language.tag().eq_ignore_ascii_case(primary))
    }

    /// The language of a page. `chosen` is the `language` field of this request, `kept` the value of the [`COOKIE`],
    /// `accept` the Accept-Language header; the first that names a language of ours decides.
    #[must_use]
    pub fn choose(chosen: Option<&str>, kept: Option<&str>, accept: Option<&str>) -> Self {
        let wished = chosen.and_then(Self::from_tag).or_else(|| kept.and_then(Self::from_tag));
        wished.or_else(|| accept.and_then(Self::accepted)).unwrap_or_default()
    }

    /// The value of a Set-Cookie header that keeps the choice for a year.
    #[must_use]
    pub fn cookie(self) -> String {
        format!("{COOKIE}={}; Path=/; Max-Age=31536000; Secure; HttpOnly; SameSite=Lax", self.tag())
    }

    /// The best of a header: highest quality, the earlier of equals. `*` and quality 0 choose nothing.
    fn accepted(header: &str) -> Option<Self> {
        let mut best: Option<(u16, Self)> = None;
        for entry in header.split(',').take(limits::LANGUAGES_MAX) {
            let mut parts = entry.split(';');
            let Some(language) = parts.next().and_then(Self::from_tag) else { continue };
            let quality = parts.find_map(|part| part.trim().strip_prefix("q=").map(thousandths)).unwrap_or(1000);
            if quality > 0 && best.is_none_or(|(most, _)| quality > most) {
                best = Some((quality, language));
            }
        }
        best.map(|(_, language)| language)
    }
}

/// `0.85` as 850; what is no quality value counts as 0.
fn thousandths(text: &str) -> u16 {
    let (whole, rest) = text.trim().split_once('.').unwrap_or((text.trim(), ""));
    let digits = rest.bytes().all(|byte| byte.is_ascii_digit()) && rest.len() <= 3;
    let fraction = format!("{rest:0<3}").parse::<u16>().unwrap_or(0);
    match whole {
        "1" if digits => 1000,
        "0" if digits => fraction,
        _ => 0,
    }
}

#[cfg(test)]
mod tests;
