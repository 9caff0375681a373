//! A form body, `application/x-www-form-urlencoded`. SPEC: RFC 6749 section 3.2 and appendix B: no parameter twice,
//! one without a value counts as absent, unknown ones are ignored. A form holds secrets: no Debug.

use crate::limits;
use percent_encoding::percent_decode;
use std::{borrow::Cow, collections::HashSet, fmt};

/// Why a body is no form that we take. Tells no part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FormError {
    /// Not UTF-8 after decoding, or `%` without two hex digits behind it.
    Encoding,
    /// A parameter comes twice.
    Repeated,
    /// Over [`limits::FORM_PARAMETERS_MAX`].
    TooMany,
}

impl fmt::Display for FormError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Encoding => "the form is not properly encoded",
            Self::Repeated => "a parameter comes more than once",
            Self::TooMany => "the form has too many parameters",
        })
    }
}

impl std::error::Error for FormError {}

/// A form's parameters.
pub struct Form {
    parameters: Vec<(String, String)>,
    /// Names that came more than once; only [`Form::parse_noting_repeats`] lets them in.
    repeated: Vec<String>,
}

impl Form {
    /// Reads a body.
    ///
    /// # Errors
    /// [`FormError`].
    pub fn parse(body: &[u8]) -> Result<Self, FormError> {
        let form = Self::parse_noting_repeats(body)?;
        if form.repeated.is_empty() { Ok(form) } else { Err(FormError::Repeated) }
    }

    /// Reads a body or the query of a URL in which a parameter may come twice: for the authorization endpoint, which
    /// answers that by a redirect where it can (row B19). [`Form::is_repeated`] tells which ones did.
    ///
    /// # Errors
    /// [`FormError::Encoding`], [`FormError::TooMany`].
    pub fn parse_noting_repeats(body: &[u8]) -> Result<Self, FormError> {
        Self::parse_up_to(body, limits::FORM_PARAMETERS_MAX)
    }

    /// As [`Form::parse_noting_repeats`] for the answer to a list of choices, which can be long.
    ///
    /// # Errors
    /// [`FormError::Encoding`], [`FormError::TooMany`].
    pub fn parse_choices(body: &[u8]) -> Result<Self, FormError> {
        Self::parse_up_to(body, limits::FORM_CHOICES_MAX)
    }

    fn parse_up_to(body: &[u8], parameters_max: usize) -> Result<Self, FormError> {
        let mut parameters: Vec<(String, String)> = Vec::new();
        let mut repeated = Vec::new();
        let mut seen_names = HashSet::new();
        for (seen, pair) in body.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()).enumerate() {
            if seen == parameters_max {
                return Err(FormError::TooMany);
            }
            let split = pair.iter().position(|byte| *byte == b'=').and_then(|at| pair.split_at_checked(at));
            let (name, value) =
                split.map_or((pair, &b""[..]), |(name, value)| (name, value.get(1..).unwrap_or_default()));
            let (name, value) = (decoded(name)?, decoded(value)?);
            if !seen_names.insert(name.clone()) && !repeated.contains(&name) {
                repeated.push(name.clone());
            }
            parameters.push((name, value));
        }
        Ok(Self { parameters, repeated })
    }

    /// Whether a parameter came more than once.
    #[must_use]
    pub fn is_repeated(&self, name: &str) -> bool {
        self.repeated.iter().any(|other| other == name)
    }

    /// The names that came more than once.
    pub fn repeated(&self) -> impl Iterator<Item = &str> {
        self.repeated.iter().map(String::as_str)
    }

    /// All values of a parameter that are not empty, in order.
    pub fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.parameters
            .iter()
            .filter(move |(other, value)| other == name && !value.is_empty())
            .map(|(_, value)| value.as_str())
    }

    /// The value of a parameter; `None` when it is absent or empty.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<&str> {
        self.parameters
            .iter()
            .find(|(other, _)| other == name)
            .map(|(_, value)| value.as_str())
            .filter(|value| !value.is_empty())
    }
}

/// Decodes one name or value, strictly. SPEC: RFC 6749 appendix B.
pub(crate) fn decoded(bytes: &[u8]) -> Result<String, FormError> {
    let mut rest = bytes;
    while let Some(at) = rest.iter().position(|byte| *byte == b'%') {
        let hex = rest.get(at + 1..at + 3).ok_or(FormError::Encoding)?;
        if !hex.iter().all(u8::is_ascii_hexdigit) {
            return Err(FormError::Encoding);
        }
        rest = rest.get(at + 3..).unwrap_or_default();
    }
    let spaced: Cow<'_, [u8]> = if bytes.contains(&b'+') {
        bytes.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect::<Vec<u8>>().into()
    } else {
        bytes.into()
    };
    let text = percent_decode(&spaced).decode_utf8().map_err(|_| FormError::Encoding)?;
    Ok(text.into_owned())
}

#[cfg(test)]
mod tests;
