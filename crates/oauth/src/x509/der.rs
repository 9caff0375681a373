//! DER, read strictly. SPEC: X.690 sections 8, 10 and 11; RFC 5280 section 4.1.2.5 (times).
//!
//! Definite lengths in their shortest form, tags of one byte, nothing behind a value. What is not DER is refused even
//! where others look away, for two readers of the same bytes must not see two things. Writing: as much as a request
//! needs.

/// The bytes are not DER, or not what was looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Malformed;

/// Tags of universal types, and of context ones.
pub(crate) mod tag {
    pub(crate) const BOOLEAN: u8 = 1;
    pub(crate) const INTEGER: u8 = 2;
    pub(crate) const BITS: u8 = 3;
    pub(crate) const OCTETS: u8 = 4;
    pub(crate) const NULL: u8 = 5;
    pub(crate) const OID: u8 = 6;
    pub(crate) const ENUMERATED: u8 = 10;
    pub(crate) const UTC_TIME: u8 = 0x17;
    pub(crate) const GENERALIZED_TIME: u8 = 0x18;
    pub(crate) const SEQUENCE: u8 = 0x30;
    pub(crate) const SET: u8 = 0x31;

    /// `[number]`, primitive.
    #[must_use]
    pub(crate) const fn context(number: u8) -> u8 {
        0x80 | number
    }

    /// `[number]`, constructed.
    #[must_use]
    pub(crate) const fn constructed(number: u8) -> u8 {
        0xa0 | number
    }
}

/// One value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Value<'a> {
    /// Its tag.
    pub(crate) tag: u8,
    /// What it holds.
    pub(crate) content: &'a [u8],
    /// All of it: tag, length, content.
    pub(crate) whole: &'a [u8],
}

impl<'a> Value<'a> {
    /// What it holds, to be read.
    #[must_use]
    pub(crate) fn reader(&self) -> Reader<'a> {
        Reader::new(self.content)
    }
}

/// What is left to be read.
#[derive(Debug, Clone)]
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Of these bytes.
    #[must_use]
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// The only value in these bytes.
    ///
    /// # Errors
    /// [`Malformed`], also when something stands behind it.
    pub(crate) fn only(bytes: &'a [u8], tag: u8) -> Result<Value<'a>, Malformed> {
        let mut reader = Self::new(bytes);
        let value = reader.tagged(tag)?;
        reader.end()?;
        Ok(value)
    }

    /// Whether nothing is left.
    #[must_use]
    pub(crate) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// Nothing must be left.
    ///
    /// # Errors
    /// [`Malformed`].
    pub(crate) fn end(&self) -> Result<(), Malformed> {
        if self.rest.is_empty() { Ok(()) } else { Err(Malformed) }
    }

    /// The next value, whatever it is.
    ///
    /// # Errors
    /// [`Malformed`].
    pub(crate) fn any(&mut self) -> Result<Value<'a>, Malformed> {
        let (tag, first) = match *self.rest {
            // All ones: the tag goes on in further bytes, which nothing here has.
            [tag, first, ..] if tag & 0x1f != 0x1f => (tag, first),
            _ => return Err(Malformed),
        };
        let (header, length) = if first < 0x80 {
            (2, usize::from(first))
        } else {
            let count = usize::from(first & 0x7f);
            let bytes = self.rest.get(2..2 + count).ok_or(Malformed)?;
            // 0x80 is BER's open end; over four bytes is more than anything here may have.
            if !(1..=4).contains(&count) || bytes.first() == Some(&0) {
                return Err(Malformed);
            }
            let length = bytes.iter().fold(0_usize, |length, byte| (length << 8) | usize::from(*byte));
            if length < 0x80 {
                return Err(Malformed);
            }
            (2 + count, length)
        };
        let end = header.checked_add(length).ok_or(Malformed)?;
        let (whole, rest) = self.rest.split_at_checked(end).ok_or(Malformed)?;
        self.rest = rest;
        Ok(Value { tag, content: whole.get(header..).ok_or(Malformed)?, whole })
    }

    /// The next value, which must have this tag.
    ///
    /// # Errors
    /// [`Malformed`].
    pub(crate) fn tagged(&mut self, tag: u8) -> Result<Value<'a>, Malformed> {
        let value = self.any()?;
        if value.tag == tag { Ok(value) } else { Err(Malformed) }
    }

    /// The next value when it has this tag.
    ///
    /// # Errors
    /// [`Malformed`].
    pub(crate) fn optional(&mut self, tag: u8) -> Result<Option<Value<'a>>, Malformed> {
        if self.rest.first() == Some(&tag) { self.any().map(Some) } else { Ok(None) }
    }

    /// Into a SEQUENCE.
    ///
    /// # Errors
    /// [`Malformed`].
    pub(crate) fn sequence(&mut self) -> Result<Self, Malformed> {
        Ok(self.tagged(tag::SEQUENCE)?.reader())
    }

    /// The bytes of an OBJECT IDENTIFIER.
    ///
    /// # Errors
    /// [`Malformed`].
    pub(crate) fn oid(&mut self) -> Result<&'a [u8], Malformed> {
        let content = self.tagged(tag::OID)?.content;
        // The last byte ends a number.
        if content.last().is_some_and(|last| *last < 0x80) { Ok(content) } else { Err(Malformed) }
    }

    /// The bytes of an INTEGER, in two's complement and as short as can be.
    ///
    /// # Errors
    /// [`Malformed`].
    pub(crate) fn integer(&mut self) -> Result<&'a [u8], Malformed> {
        integer(self.tagged(tag::INTEGER)?.content)
    }

    /// A small INTEGER that is not negative.
    ///
    /// # Errors
    /// [`Malformed`].
    pub(crate) fn small(&mut self) -> Result<u32, Malformed> {
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
    pub(crate) fn flag(&mut self) -> Result<bool, Malformed> {
        match self.optional(tag::BOOLEAN)?.map(|value| value.content) {
            None | Some([0]) => Ok(false),
            Some([0xff]) => Ok(true),
            Some(_) => Err(Malformed),
        }
    }

    /// The content of an OCTET STRING.
    ///
    /// # Errors
    /// [`Malformed`].
    pub(crate) fn octets(&mut self) -> Result<&'a [u8], Malformed> {
        Ok(self.tagged(tag::OCTETS)?.content)
    }

    /// A BIT STRING of whole bytes.
    ///
    /// # Errors
    /// [`Malformed`].
    pub(crate) fn bits(&mut self) -> Result<&'a [u8], Malformed> {
        match self.tagged(tag::BITS)?.content {
            [0, bytes @ ..] => Ok(bytes),
            _ => Err(Malformed),
        }
    }

    /// A time in seconds since the epoch. SPEC: RFC 5280 section 4.1.2.5: in UTC, with seconds, without fractions.
    ///
    /// # Errors
    /// [`Malformed`].
    pub(crate) fn time(&mut self) -> Result<i64, Malformed> {
        let value = self.any()?;
        let (year, rest) = match value.tag {
            tag::UTC_TIME => {
                let year = digits(value.content.get(..2).ok_or(Malformed)?)?;
                (if year < 50 { 2000 + year } else { 1900 + year }, value.content.get(2..).ok_or(Malformed)?)
            }
            tag::GENERALIZED_TIME => {
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
pub(super) fn integer(content: &[u8]) -> Result<&[u8], Malformed> {
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
pub(crate) fn dotted(oid: &[u8]) -> String {
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

/// A value of this tag that holds these parts.
#[must_use]
pub(crate) fn written(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    let bytes = length.to_be_bytes();
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    let mut whole = Vec::with_capacity(length + 6);
    whole.push(tag);
    match u8::try_from(length) {
        Ok(short) if short < 0x80 => whole.push(short),
        _ => {
            // Eight bytes at most.
            whole.push(0x80 | u8::try_from(bytes.len() - zeros).unwrap_or(8));
            whole.extend(bytes.iter().skip(zeros));
        }
    }
    parts.iter().for_each(|part| whole.extend_from_slice(part));
    whole
}

#[cfg(test)]
mod tests;
