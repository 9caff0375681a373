//! DER, written and read, as far as certificates' revocation needs it. SPEC: ITU-T X.690 sections 8, 10 and 11; RFC 5280
//! section 4.1.2.5 (times). Rows D9, D10.
//!
//! Reading is strict: definite lengths in their shortest form, tag numbers below 31. What a value means, its reader says.
//! `fields`: numbers, times and their kin, read.

mod fields;

pub use fields::dotted;
pub(crate) use fields::integer_of;

use std::fmt;

/// BOOLEAN.
pub const BOOLEAN: u8 = 0x01;
/// INTEGER.
pub const INTEGER: u8 = 0x02;
/// BIT STRING.
pub const BIT_STRING: u8 = 0x03;
/// OCTET STRING.
pub const OCTET_STRING: u8 = 0x04;
/// NULL.
pub const NULL: u8 = 0x05;
/// OBJECT IDENTIFIER.
pub const OID: u8 = 0x06;
/// ENUMERATED.
pub const ENUMERATED: u8 = 0x0a;
/// UTCTime.
pub const UTC_TIME: u8 = 0x17;
/// GeneralizedTime.
pub const GENERALIZED_TIME: u8 = 0x18;
/// SEQUENCE and SEQUENCE OF.
pub const SEQUENCE: u8 = 0x30;
/// SET and SET OF.
pub const SET: u8 = 0x31;

/// Tag of a constructed value in its context: `[number]` that is explicit, or implicit over a SEQUENCE.
#[must_use]
pub const fn context(number: u8) -> u8 {
    0xa0 | (number & 0x1f)
}

/// Tag of a plain value in its context: `[number]` that is implicit over a string or NULL.
#[must_use]
pub const fn context_plain(number: u8) -> u8 {
    0x80 | (number & 0x1f)
}

/// A value of this tag and content.
#[must_use]
pub fn value(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut der = Vec::with_capacity(content.len() + 6);
    der.push(tag);
    match u8::try_from(content.len()) {
        Ok(short @ 0..=0x7f) => der.push(short),
        _ => {
            let length = content.len().to_be_bytes();
            let digits = without_zeros(&length);
            der.push(0x80 | u8::try_from(digits.len()).unwrap_or(0x7f));
            der.extend_from_slice(digits);
        }
    }
    der.extend_from_slice(content);
    der
}

/// SEQUENCE of these values.
#[must_use]
pub fn sequence(values: &[&[u8]]) -> Vec<u8> {
    value(SEQUENCE, &values.concat())
}

/// `[number]` EXPLICIT around a value.
#[must_use]
pub fn explicit(number: u8, inner: &[u8]) -> Vec<u8> {
    value(context(number), inner)
}

/// OBJECT IDENTIFIER, its first two numbers below 3 and 40.
#[must_use]
pub fn oid(numbers: &[u32]) -> Vec<u8> {
    let mut content = Vec::new();
    let mut numbers = numbers.iter().copied();
    let (first, second) = (numbers.next().unwrap_or_default(), numbers.next().unwrap_or_default());
    for number in std::iter::once(first.saturating_mul(40).saturating_add(second)).chain(numbers) {
        let groups = (0..5u32).rev().map(|group| u8::try_from(number >> (7 * group) & 0x7f).unwrap_or_default());
        let groups: Vec<u8> = groups.skip_while(|group| *group == 0).collect();
        match groups.split_last() {
            None => content.push(0),
            Some((last, before)) => {
                content.extend(before.iter().map(|group| group | 0x80));
                content.push(*last);
            }
        }
    }
    value(OID, &content)
}

/// INTEGER that is not negative, big-endian.
#[must_use]
pub fn integer(number: &[u8]) -> Vec<u8> {
    let digits = without_zeros(number);
    match digits.first() {
        None => value(INTEGER, &[0]),
        Some(first) if *first & 0x80 != 0 => value(INTEGER, &[&[0], digits].concat()),
        Some(_) => value(INTEGER, digits),
    }
}

/// INTEGER.
#[must_use]
pub fn number(number: u64) -> Vec<u8> {
    integer(&number.to_be_bytes())
}

/// ENUMERATED below 128.
#[must_use]
pub fn enumerated(number: u8) -> Vec<u8> {
    value(ENUMERATED, &[number & 0x7f])
}

/// BOOLEAN that is true; DER leaves a false default away.
#[must_use]
pub fn truth() -> Vec<u8> {
    value(BOOLEAN, &[0xff])
}

/// OCTET STRING.
#[must_use]
pub fn octets(content: &[u8]) -> Vec<u8> {
    value(OCTET_STRING, content)
}

/// BIT STRING of whole bytes.
#[must_use]
pub fn bits(content: &[u8]) -> Vec<u8> {
    value(BIT_STRING, &[&[0], content].concat())
}

/// An extension. SPEC: RFC 5280 section 4.1.2.9.
#[must_use]
pub fn extension(name: &[u32], is_critical: bool, inner: &[u8]) -> Vec<u8> {
    let critical = if is_critical { truth() } else { Vec::new() };
    sequence(&[&oid(name), &critical, &octets(inner)])
}

/// A moment, in seconds since the epoch, as GeneralizedTime.
#[must_use]
pub fn generalized_time(at_s: i64) -> Vec<u8> {
    let (year, rest) = moment(at_s);
    value(GENERALIZED_TIME, format!("{year:04}{rest}").as_bytes())
}

/// A moment as RFC 5280 wants it in certificates and lists: UTCTime until 2049.
#[must_use]
pub fn time(at_s: i64) -> Vec<u8> {
    let (year, rest) = moment(at_s);
    if (1950..2050).contains(&year) {
        value(UTC_TIME, format!("{:02}{rest}", year % 100).as_bytes())
    } else {
        value(GENERALIZED_TIME, format!("{year:04}{rest}").as_bytes())
    }
}

/// Year, and the rest of the text: `MMDDHHMMSSZ`.
fn moment(at_s: i64) -> (i64, String) {
    let (days, second) = (at_s.div_euclid(86_400), at_s.rem_euclid(86_400));
    // Years that begin with March have their leap day at the end; eras of 400 years are alike.
    let shifted = days + 719_468;
    let (era, day) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day_of_year = day - (365 * year + year / 4 - year / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day_of_month = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = era * 400 + year + i64::from(month <= 2);
    let (hour, minute) = (second / 3600, second / 60 % 60);
    (year, format!("{month:02}{day_of_month:02}{hour:02}{minute:02}{:02}Z", second % 60))
}

fn without_zeros(bytes: &[u8]) -> &[u8] {
    let at = bytes.iter().position(|byte| *byte != 0).unwrap_or(bytes.len());
    bytes.get(at..).unwrap_or_default()
}

/// What a signature is made with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signing {
    /// sha256WithRSAEncryption.
    RsaSha256,
    /// ecdsa-with-SHA256.
    EcdsaSha256,
    /// ecdsa-with-SHA384.
    EcdsaSha384,
}

impl Signing {
    /// AlgorithmIdentifier. SPEC: RFC 4055 section 5, RFC 5758 section 3.2.
    #[must_use]
    pub fn identifier(self) -> Vec<u8> {
        match self {
            Self::RsaSha256 => sequence(&[&oid(&[1, 2, 840, 113_549, 1, 1, 11]), &value(NULL, &[])]),
            Self::EcdsaSha256 => sequence(&[&oid(&[1, 2, 840, 10_045, 4, 3, 2])]),
            Self::EcdsaSha384 => sequence(&[&oid(&[1, 2, 840, 10_045, 4, 3, 3])]),
        }
    }
}

/// Bytes that are not the DER that stands there by its standard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Malformed;

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("malformed DER")
    }
}

impl std::error::Error for Malformed {}

/// A value that was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Value<'a> {
    /// Its tag.
    pub tag: u8,
    /// What is in it.
    pub content: &'a [u8],
    /// It, with tag and length.
    pub whole: &'a [u8],
}

impl<'a> Value<'a> {
    /// The values in it.
    #[must_use]
    pub fn inside(&self) -> Reader<'a> {
        Reader(self.content)
    }
}

/// Values one after another.
#[derive(Debug, Clone, Copy)]
pub struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    /// Of these bytes.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// The one value of this tag that these bytes are.
    ///
    /// # Errors
    /// [`Malformed`].
    pub fn only(bytes: &'a [u8], tag: u8) -> Result<Value<'a>, Malformed> {
        let mut reader = Self(bytes);
        let value = reader.expect(tag)?;
        reader.end()?;
        Ok(value)
    }

    /// The next value, whatever it is.
    ///
    /// # Errors
    /// [`Malformed`], also when there is none.
    pub fn take(&mut self) -> Result<Value<'a>, Malformed> {
        let all = self.0;
        let (tag, rest) = all.split_first().filter(|(tag, _)| *tag & 0x1f != 0x1f).ok_or(Malformed)?;
        let (first, rest) = rest.split_first().ok_or(Malformed)?;
        let (length, rest) = match *first {
            short @ 0..=0x7f => (usize::from(short), rest),
            long => {
                let (digits, rest) = rest.split_at_checked(usize::from(long & 0x7f)).ok_or(Malformed)?;
                let is_shortest = digits.first().is_some_and(|digit| *digit != 0) && digits.len() <= 4;
                let length = digits.iter().fold(0, |length, digit| length << 8 | usize::from(*digit));
                if !is_shortest || length < 0x80 {
                    return Err(Malformed);
                }
                (length, rest)
            }
        };
        let (content, rest) = rest.split_at_checked(length).ok_or(Malformed)?;
        let (whole, _) = all.split_at_checked(all.len() - rest.len()).ok_or(Malformed)?;
        self.0 = rest;
        Ok(Value { tag: *tag, content, whole })
    }

    /// The next value, which must be of this tag.
    ///
    /// # Errors
    /// [`Malformed`].
    pub fn expect(&mut self, tag: u8) -> Result<Value<'a>, Malformed> {
        self.take().and_then(|value| if value.tag == tag { Ok(value) } else { Err(Malformed) })
    }

    /// The next value when it is of this tag.
    ///
    /// # Errors
    /// [`Malformed`].
    pub fn optional(&mut self, tag: u8) -> Result<Option<Value<'a>>, Malformed> {
        if self.0.first() == Some(&tag) { self.take().map(Some) } else { Ok(None) }
    }

    /// Nothing is left.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Nothing may be left.
    ///
    /// # Errors
    /// [`Malformed`].
    pub fn end(&self) -> Result<(), Malformed> {
        if self.0.is_empty() { Ok(()) } else { Err(Malformed) }
    }
}

#[cfg(test)]
mod tests;
