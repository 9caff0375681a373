//! Names in certificates. SPEC: RFC 5280 sections 4.1.2.4, 4.2.1.6 and 4.2.1.10.

use crate::certificate::{Attribute, AttributeValue, DistinguishedName};
use crate::der::{self, Malformed, Reader, Value, dotted};
use std::net::IpAddr;

/// Tags of the string types of X.520 whose bytes are UTF-8 or part of it.
const TEXTS: [u8; 5] = [12, 18, 19, 22, 26];

/// BMPString: two bytes a character.
const BMP: u8 = 30;

/// Reads a `Name` behind its tag.
pub(super) fn distinguished(name: Value<'_>) -> Result<DistinguishedName, Malformed> {
    let (mut parts, mut all) = (Vec::new(), name.inside());
    while !all.is_empty() {
        let (mut part, mut set) = (Vec::new(), all.expect(der::SET)?.inside());
        while !set.is_empty() {
            let mut pair = set.sequence()?;
            let oid = dotted(pair.oid()?);
            let value = pair.take()?;
            pair.end()?;
            part.push(Attribute { oid, value: attribute(value)? });
        }
        if part.is_empty() {
            return Err(Malformed);
        }
        parts.push(part);
    }
    Ok(DistinguishedName::of_certificate(parts))
}

fn attribute(value: Value<'_>) -> Result<AttributeValue, Malformed> {
    if TEXTS.contains(&value.tag) {
        let text = std::str::from_utf8(value.content).map_err(|_| Malformed)?;
        return Ok(AttributeValue::Text(text.to_owned()));
    }
    if value.tag == BMP {
        let (pairs, rest) = value.content.as_chunks::<2>();
        let units: Vec<u16> = pairs.iter().map(|pair| u16::from_be_bytes(*pair)).collect();
        let text = String::from_utf16(&units).ok().filter(|_| rest.is_empty()).ok_or(Malformed)?;
        return Ok(AttributeValue::Text(text));
    }
    Ok(AttributeValue::Other(value.whole.to_owned()))
}

/// A `GeneralName`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum GeneralName {
    Email(String),
    Dns(String),
    Directory(DistinguishedName),
    Uri(String),
    /// Four or sixteen bytes; in a constraint twice as many, address and mask.
    Ip(Vec<u8>),
    /// Of this kind, which is not looked into.
    Other(u8),
}

/// Reads a `GeneralName`.
pub(super) fn general(value: Value<'_>) -> Result<GeneralName, Malformed> {
    // IA5String, and no control characters: a name that people and machines read alike.
    let text = || {
        let fits = value.content.iter().all(|byte| (0x20..0x7f).contains(byte));
        String::from_utf8(value.content.to_owned()).ok().filter(|_| fits).ok_or(Malformed)
    };
    Ok(match value.tag {
        0x81 => GeneralName::Email(text()?),
        0x82 => GeneralName::Dns(text()?),
        0x86 => GeneralName::Uri(text()?),
        0x87 => GeneralName::Ip(value.content.to_owned()),
        // A CHOICE keeps its own tag inside.
        0xa4 => GeneralName::Directory(distinguished(Reader::only(value.content, der::SEQUENCE)?)?),
        0xa0 | 0xa3 | 0xa5 | 0x88 => GeneralName::Other(value.tag & 0x1f),
        _ => return Err(Malformed),
    })
}

/// The host of a URI; `None` when it has none, or an address in place of a name.
pub(super) fn host(uri: &str) -> Option<&str> {
    let (_, rest) = uri.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let authority = authority.rsplit_once('@').map_or(authority, |(_, after)| after);
    if authority.starts_with('[') {
        return None;
    }
    let host = authority.split_once(':').map_or(authority, |(host, _)| host);
    // The root's dot at the end makes no other host.
    let host = host.strip_suffix('.').unwrap_or(host);
    (!host.is_empty() && host.parse::<IpAddr>().is_err()).then_some(host)
}
