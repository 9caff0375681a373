//! What a de-identified client searches by: what it is shown. A search by anything else would be a question about what is
//! hidden, and its answer a row.

use super::is_offered;
use fhir::ResourceType;
use std::fmt;

/// Coded elements that stay as they are.
const CODES: [&str; 28] = [
    "achievement-status",
    "body-site",
    "category",
    "class",
    "clinical-status",
    "code",
    "combo-code",
    "combo-value-concept",
    "component-code",
    "component-value-concept",
    "criticality",
    "data-absent-reason",
    "deceased",
    "gender",
    "intent",
    "lifecycle-status",
    "method",
    "oraldiet",
    "outcome",
    "priority",
    "severity",
    "stage",
    "status",
    "supplement",
    "type",
    "vaccine-code",
    "value-concept",
    "verification-status",
];

/// Dates of which the year stays. Not the date of birth: that of the oldest is not shown.
const YEARS: [&str; 13] = [
    "abatement-date",
    "authored",
    "authored-on",
    "authoredon",
    "context-date",
    "date",
    "effective",
    "issued",
    "onset-date",
    "period",
    "recorded-date",
    "start-date",
    "target-date",
];

/// How much of the answer: these say nothing of anybody.
const FORM: [&str; 4] = ["_count", "_total", "_format", "_pretty"];

/// Why a parameter is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// It looks at what is hidden, or through another resource.
    Hidden,
    /// A date must be a year.
    NotAYear,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Hidden => "de-identified data are searched by their codes and years alone",
            Self::NotAYear => "in de-identified data a date is a year, such as ge2024",
        })
    }
}

/// Whether a search of this type may have this parameter.
///
/// # Errors
/// [`Refused`].
pub fn parameter(resource_type: ResourceType, name: &str, value: &str) -> Result<(), Refused> {
    if FORM.contains(&name) {
        return Ok(());
    }
    if !is_offered(resource_type) {
        return Err(Refused::Hidden);
    }
    if YEARS.contains(&name) {
        return if value.split(',').all(is_year) { Ok(()) } else { Err(Refused::NotAYear) };
    }
    // Texts are hidden: a code that stands nowhere but in a text is not to be found.
    let plain = name.strip_suffix(":not").unwrap_or(name);
    if CODES.contains(&plain) { Ok(()) } else { Err(Refused::Hidden) }
}

/// A year, with a prefix or without.
fn is_year(value: &str) -> bool {
    let digits = value.trim_start_matches(|c: char| c.is_ascii_lowercase());
    let prefix = &value[..value.len() - digits.len()];
    digits.len() == 4
        && digits.bytes().all(|byte| byte.is_ascii_digit())
        && matches!(prefix, "" | "eq" | "ne" | "gt" | "lt" | "ge" | "le" | "sa" | "eb")
}
