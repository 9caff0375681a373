//! Reading what stands in fields: numbers, texts of bits, times. SPEC: X.690 sections 8 and 11; RFC 5280 section 4.1.2.5.

use super::{BIT_STRING, BOOLEAN, GENERALIZED_TIME, INTEGER, Malformed, OCTET_STRING, OID, Reader, SEQUENCE, UTC_TIME};

impl<'a> Reader<'a> {
    /// Into a SEQUENCE.
    ///
    /// # Errors
    /// [`Malformed`].
    pub fn sequence(&mut self) -> Result<Self, Malformed> {
        Ok(self.expect(SEQUENCE)?.inside())
    }

    /// The bytes of an OBJECT IDENTIFIER.
    ///
    /// # Errors
    /// [`Malformed`].
    pub fn oid(&mut self) -> Result<&'a [u8], Malformed> {
        let content = self.expect(OID)?.content;
        // The last byte ends a number.
        if content.last().is_some_and(|last| *last < 0x80) { Ok(content) } else { Err(Malformed) }
    }

    /// The bytes of an INTEGER, in two's complement and as short as can be.
    ///
    /// # Errors
    /// [`Malformed`].
    pub fn integer(&mut self) -> Result<&'a [u8], Malformed> {
        integer_of(self.expect(INTEGER)?.content)
    }

    /// A small INTEGER that is not negative.
    ///
    /// # Errors
    /// [`Malformed`].
    pub fn small(&mut self) -> Result<u32, Malformed> {
        match self.integer()? {
            [first, ..] if *first >= 0x80 => Err(Malformed),
            bytes => {
                let bytes = bytes.strip_prefix(&[0]).unwrap_or(bytes);
                if bytes.len() > 4 {
                    return Err(Malformed);
                }
                Ok(bytes.iter().fold(0, |number, byte| (number << 8) | u32::from(*byte)))
            }
        }
    }

    /// `BOOLEAN DEFAULT FALSE`. A written FALSE is no DER, but so many write it that it is taken.
    ///
    /// # Errors
    /// [`Malformed`].
    pub fn flag(&mut self) -> Result<bool, Malformed> {
        match self.optional(BOOLEAN)?.map(|value| value.content) {
            None | Some([0]) => Ok(false),
            Some([0xff]) => Ok(true),
            Some(_) => Err(Malformed),
        }
    }

    /// The content of an OCTET STRING.
    ///
    /// # Errors
    /// [`Malformed`].
    pub fn octets(&mut self) -> Result<&'a [u8], Malformed> {
        Ok(self.expect(OCTET_STRING)?.content)
    }

    /// A BIT STRING of whole bytes.
    ///
    /// # Errors
    /// [`Malformed`].
    pub fn bits(&mut self) -> Result<&'a [u8], Malformed> {
        match self.expect(BIT_STRING)?.content {
            [0, bytes @ ..] => Ok(bytes),
            _ => Err(Malformed),
        }
    }

    /// A time in seconds since the epoch. SPEC: RFC 5280 section 4.1.2.5: in UTC, with seconds, without fractions.
    ///
    /// # Errors
    /// [`Malformed`].
    pub fn time(&mut self) -> Result<i64, Malformed> {
        let value = self.take()?;
        let (year, rest) = match value.tag {
            UTC_TIME => {
                let year = digits(value.content.get(..2).ok_or(Malformed)?)?;
                (if year < 50 { 2000 + year } else { 1900 + year }, value.content.get(2..).ok_or(Malformed)?)
            }
            GENERALIZED_TIME => {
                (digits(value.content.get(..4).ok_or(Malformed)?)?, value.content.get(4..).ok_or(Malformed)?)
            }
            _ => return Err(Malformed),
        };
        let rest = rest.strip_suffix(b"Z").filter(|rest| rest.len() == 10).ok_or(Malformed)?;
        let mut pairs = [0; 5];
        for (pair, text) in pairs.iter_mut().zip(rest.chunks_exact(2)) {
            *pair = digits(text)?;
        }
        let [month, day, hour, minute, second] = pairs;
        let in_range = (1..=12).contains(&month) && day >= 1 && day <= days_of(year, month);
        if !in_range || hour > 23 || minute > 59 || second > 59 {
            return Err(Malformed);
        }
        Ok(days_before(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second)
    }
}

/// The content of an INTEGER, when it is as short as can be.
pub(crate) fn integer_of(content: &[u8]) -> Result<&[u8], Malformed> {
    match content {
        [] => Err(Malformed),
        [0, second, ..] if *second < 0x80 => Err(Malformed),
        [0xff, second, ..] if *second >= 0x80 => Err(Malformed),
        bytes => Ok(bytes),
    }
}

fn digits(text: &[u8]) -> Result<i64, Malformed> {
    text.iter().try_fold(0, |number, byte| {
        if byte.is_ascii_digit() { Ok(number * 10 + i64::from(byte - b'0')) } else { Err(Malformed) }
    })
}

fn days_of(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from the epoch to this date of the Gregorian calendar. Years are counted from March on, so that a leap day is
/// the last of its year.
fn days_before(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    365 * year + leap_days + (153 * month + 2) / 5 + day - 1 - 719_468
}

/// An OBJECT IDENTIFIER's bytes as dotted numbers, for people.
#[must_use]
pub fn dotted(oid: &[u8]) -> String {
    let mut numbers: Vec<u64> = Vec::new();
    let mut number: u64 = 0;
    for byte in oid {
        number = number.wrapping_shl(7) | u64::from(byte & 0x7f);
        if *byte < 0x80 {
            if numbers.is_empty() {
                let first = (number / 40).min(2);
                numbers.extend([first, number - first * 40]);
            } else {
                numbers.push(number);
            }
            number = 0;
        }
    }
    numbers.iter().map(u64::to_string).collect::<Vec<_>>().join(".")
}

#[cfg(test)]
mod tests;
