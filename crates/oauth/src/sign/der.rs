//! Just enough DER to take the numbers out of an RSA private key that the library has written. SPEC: RFC 8017 A.1.2,
//! RFC 5208 section 5. Not a parser for keys from outside: those the library reads itself.

/// `d p q dp dq qi` of a PKCS#8 document.
pub(super) fn rsa_private_numbers(pkcs8: &[u8]) -> Option<[&[u8]; 6]> {
    let (outer, _) = element(pkcs8, 0x30)?;
    let (_version, rest) = element(outer, 0x02)?;
    let (_algorithm, rest) = element(rest, 0x30)?;
    let (octets, _) = element(rest, 0x04)?;
    let (mut numbers, _) = element(octets, 0x30)?;
    let mut next = || {
        let (number, rest) = element(numbers, 0x02)?;
        numbers = rest;
        Some(match number {
            [0, magnitude @ ..] if !magnitude.is_empty() => magnitude,
            _ => number,
        })
    };
    let (_version, _modulus, _exponent) = (next()?, next()?, next()?);
    Some([next()?, next()?, next()?, next()?, next()?, next()?])
}

/// The content of the first element, which must have this tag, and what follows it.
fn element(bytes: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (first, rest) = bytes.split_first()?;
    if *first != tag {
        return None;
    }
    let (length, rest) = rest.split_first()?;
    let (length, rest) = match length {
        0..=0x7f => (usize::from(*length), rest),
        0x81..=0x84 => {
            let (digits, rest) = rest.split_at_checked(usize::from(length & 0x7f))?;
            (digits.iter().fold(0, |sum, digit| sum << 8 | usize::from(*digit)), rest)
        }
        _ => return None,
    };
    rest.split_at_checked(length)
}
