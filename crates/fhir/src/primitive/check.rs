//! The format of every R4 primitive, by hand, in linear time.
//!
//! SPEC: R4 datatypes.html#primitive. The texts of the errors are public and hold no input.
//! Left out: whether a JSON value is a string, number or boolean (the reader of the value knows).

use super::{
    date_time::{DateTime, Precision},
    decimal,
    time::Time,
    xhtml,
};
use crate::limits;

#[cfg(test)]
mod tests;

/// Checks the text of a primitive: a string with its escapes resolved, a number or boolean as
/// written.
///
/// # Errors
/// What the type asks for, in a sentence; also when R4 has no primitive of this name.
pub fn check(type_name: &str, text: &str) -> Result<(), &'static str> {
    let (fits, rule) = match type_name {
        "boolean" => (matches!(text, "true" | "false"), "a boolean is true or false"),
        "integer" => (integer(text, i32::MIN), "an integer is a whole number of 32 bits, without leading zeros"),
        "unsignedInt" => (integer(text, 0), "an unsignedInt is a whole number from 0 to 2147483647"),
        "positiveInt" => (integer(text, 1), "a positiveInt is a whole number from 1 to 2147483647"),
        "decimal" => (decimal::is_decimal(text), "a decimal is a JSON number, of a size below 1.8e308"),
        "string" => (string(text), "a string has 1 to 1048576 characters, no control characters but tab and line ends"),
        "markdown" => {
            (string(text), "markdown has 1 to 1048576 characters, no control characters but tab and line ends")
        }
        "code" => (code(text), "a code has no blanks at its ends and no two in a row"),
        "id" => (id(text), "an id is 1 to 64 of the characters A-Z a-z 0-9 - ."),
        "uri" => (uri(text), "a uri has no white space and is not empty"),
        "url" => (uri(text), "a url has no white space and is not empty"),
        "canonical" => (uri(text), "a canonical has no white space and is not empty"),
        "oid" => (oid(text), "an oid is urn:oid: and numbers between dots, the first 0, 1 or 2"),
        "uuid" => (uuid(text), "a uuid is urn:uuid: and 32 digits 0-9 a-f in groups of 8-4-4-4-12"),
        "base64Binary" => (base64(text), "base64Binary is base64 with padding"),
        "date" => (date(text), "a date is YYYY, YYYY-MM or YYYY-MM-DD"),
        "dateTime" => (
            DateTime::parse(text).is_some(),
            "a dateTime is YYYY, YYYY-MM, YYYY-MM-DD or YYYY-MM-DDThh:mm:ss with offset",
        ),
        "instant" => (instant(text), "an instant is YYYY-MM-DDThh:mm:ss with offset"),
        "time" => (Time::parse(text).is_some(), "a time is hh:mm:ss"),
        "xhtml" => (xhtml::is_well_formed(text), "xhtml is one well-formed <div>"),
        _ => (false, "not a primitive type of R4"),
    };
    if fits { Ok(()) } else { Err(rule) }
}

fn integer(text: &str, least: i32) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let is_written_right = digits == "0" || digits.starts_with(|first: char| ('1'..='9').contains(&first));
    // WHY: the format of the unsigned types has no sign, not even before 0.
    let sign_fits = least < 0 || !text.starts_with('-');
    is_written_right && sign_fits && text.parse::<i32>().is_ok_and(|number| number >= least)
}

fn string(text: &str) -> bool {
    let is_allowed = |byte: u8| byte >= 0x20 || matches!(byte, b'\t' | b'\r' | b'\n');
    // WHY: bytes are no fewer than characters, so the count is needed only for long texts.
    let fits = text.len() <= limits::STRING_CHARS_MAX || text.chars().count() <= limits::STRING_CHARS_MAX;
    !text.is_empty() && fits && text.bytes().all(is_allowed)
}

fn code(text: &str) -> bool {
    let mut after_space = true;
    for letter in text.chars() {
        let is_space = letter.is_whitespace();
        if (is_space && after_space) || letter.is_control() {
            return false;
        }
        after_space = is_space;
    }
    !after_space
}

fn id(text: &str) -> bool {
    (1..=limits::ID_CHARS_MAX).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.')
}

fn uri(text: &str) -> bool {
    !text.is_empty() && !text.contains(|letter: char| letter.is_whitespace() || letter.is_control())
}

fn oid(text: &str) -> bool {
    let Some(numbers) = text.strip_prefix("urn:oid:") else { return false };
    let is_number = |part: &str| {
        !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()) && (part == "0" || !part.starts_with('0'))
    };
    let mut parts = numbers.split('.');
    parts.next().is_some_and(|first| matches!(first, "0" | "1" | "2")) && numbers.contains('.') && parts.all(is_number)
}

fn uuid(text: &str) -> bool {
    let Some(digits) = text.strip_prefix("urn:uuid:") else { return false };
    let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    digits.len() == 36
        && digits
            .bytes()
            .enumerate()
            .all(|(at, byte)| if matches!(at, 8 | 13 | 18 | 23) { byte == b'-' } else { is_digit(byte) })
}

fn base64(text: &str) -> bool {
    let (mut letters, mut padding) = (0usize, 0usize);
    for byte in text.bytes() {
        match byte {
            b' ' | b'\t' | b'\r' | b'\n' => {}
            b'=' => padding += 1,
            b'+' | b'/' => letters += 1,
            _ if byte.is_ascii_alphanumeric() => letters += 1,
            _ => return false,
        }
        if padding > 0 && byte != b'=' && !byte.is_ascii_whitespace() {
            return false;
        }
    }
    letters > 0 && padding <= 2 && (letters + padding).is_multiple_of(4)
}

fn date(text: &str) -> bool {
    DateTime::parse(text).is_some_and(|one| one.precision <= Precision::Day)
}

fn instant(text: &str) -> bool {
    DateTime::parse(text).is_some_and(|one| one.precision >= Precision::Second)
}
