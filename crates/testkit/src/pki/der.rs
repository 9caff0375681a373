//! Writing DER, as much of it as certificates, revocation lists and OCSP need. SPEC: X.690 section 10.

/// A value of this tag.
#[must_use]
pub fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len().to_be_bytes();
    let zeros = length.iter().take_while(|byte| **byte == 0).count();
    let mut whole = vec![tag];
    match content.len() {
        0..0x80 => whole.push(u8::try_from(content.len()).unwrap()),
        _ => {
            whole.push(0x80 | u8::try_from(length.len() - zeros).unwrap());
            whole.extend_from_slice(&length[zeros..]);
        }
    }
    whole.extend_from_slice(content);
    whole
}

/// SEQUENCE.
#[must_use]
pub fn sequence(parts: &[Vec<u8>]) -> Vec<u8> {
    tlv(0x30, &parts.concat())
}

/// SET of one.
#[must_use]
pub fn set(part: &[u8]) -> Vec<u8> {
    tlv(0x31, part)
}

/// `[number]` around a whole value.
#[must_use]
pub fn explicit(number: u8, part: &[u8]) -> Vec<u8> {
    tlv(0xa0 | number, part)
}

/// `[number]` in place of a primitive value's own tag.
#[must_use]
pub fn implicit(number: u8, content: &[u8]) -> Vec<u8> {
    tlv(0x80 | number, content)
}

/// OBJECT IDENTIFIER from dotted numbers.
#[must_use]
pub fn oid(dotted: &str) -> Vec<u8> {
    let numbers: Vec<u64> = dotted.split('.').map(|number| number.parse().unwrap()).collect();
    let mut content = Vec::new();
    for number in std::iter::once(numbers[0] * 40 + numbers[1]).chain(numbers[2..].iter().copied()) {
        let mut groups = vec![u8::try_from(number & 0x7f).unwrap()];
        let mut rest = number >> 7;
        while rest > 0 {
            groups.push(0x80 | u8::try_from(rest & 0x7f).unwrap());
            rest >>= 7;
        }
        content.extend(groups.into_iter().rev());
    }
    tlv(6, &content)
}

/// INTEGER, not negative, from big-endian bytes.
#[must_use]
pub fn integer(bytes: &[u8]) -> Vec<u8> {
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    let mut content = bytes[zeros..].to_vec();
    if content.first().is_none_or(|first| *first >= 0x80) {
        content.insert(0, 0);
    }
    tlv(2, &content)
}

/// INTEGER.
#[must_use]
pub fn number(number: u64) -> Vec<u8> {
    integer(&number.to_be_bytes())
}

/// BOOLEAN, true.
#[must_use]
pub fn yes() -> Vec<u8> {
    vec![1, 1, 0xff]
}

/// NULL.
#[must_use]
pub fn null() -> Vec<u8> {
    vec![5, 0]
}

/// OCTET STRING.
#[must_use]
pub fn octets(content: &[u8]) -> Vec<u8> {
    tlv(4, content)
}

/// BIT STRING of whole bytes.
#[must_use]
pub fn bits(content: &[u8]) -> Vec<u8> {
    tlv(3, &[&[0], content].concat())
}

/// BIT STRING in which these bits are set, counted from 0 on, as RFC 5280 names them.
#[must_use]
pub fn named_bits(set: &[u8]) -> Vec<u8> {
    let Some(last) = set.iter().max() else { return tlv(3, &[0]) };
    let mut content = vec![0; usize::from(last / 8) + 1];
    for bit in set {
        content[usize::from(bit / 8)] |= 0x80 >> (bit % 8);
    }
    tlv(3, &[&[7 - last % 8], content.as_slice()].concat())
}

/// A time: UTCTime before 2050, as RFC 5280 section 4.1.2.5 asks.
#[must_use]
pub fn time(unix_s: i64) -> Vec<u8> {
    let (year, rest) = parts(unix_s);
    if year < 2050 {
        tlv(0x17, format!("{:02}{rest}", year % 100).as_bytes())
    } else {
        tlv(0x18, format!("{year:04}{rest}").as_bytes())
    }
}

/// GeneralizedTime.
#[must_use]
pub fn generalized_time(unix_s: i64) -> Vec<u8> {
    let (year, rest) = parts(unix_s);
    tlv(0x18, format!("{year:04}{rest}").as_bytes())
}

/// The year, and the rest as text.
fn parts(unix_s: i64) -> (i64, String) {
    let (mut days, second) = (unix_s.div_euclid(86_400), unix_s.rem_euclid(86_400));
    let is_leap = |year: i64| year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let mut year = 1970;
    while days >= 365 + i64::from(is_leap(year)) {
        days -= 365 + i64::from(is_leap(year));
        year += 1;
    }
    let lengths = [31, 28 + i64::from(is_leap(year)), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let mut month = 0;
    while days >= lengths[month] {
        days -= lengths[month];
        month += 1;
    }
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    (year, format!("{:02}{:02}{hour:02}{minute:02}{second:02}Z", month + 1, days + 1))
}
