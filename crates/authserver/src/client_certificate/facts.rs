//! From DER to what a certificate says of its holder. SPEC: RFC 5280 sections 4.1.2.6 and 4.2.1.6; row A7.

use oauth::certificate::{Attribute, AttributeValue, CertificateFacts, DistinguishedName};
use std::net::IpAddr;
use x509_parser::{
    extensions::GeneralName,
    prelude::{FromDer, X509Certificate},
    x509::{AttributeTypeAndValue, X509Name},
};

/// The facts of a certificate; `None` when any part of its name cannot be read.
pub(super) fn of(der: &[u8]) -> Option<CertificateFacts> {
    let (rest, certificate) = X509Certificate::from_der(der).ok()?;
    if !rest.is_empty() {
        return None;
    }
    let mut facts = CertificateFacts { subject: name(certificate.subject())?, ..CertificateFacts::default() };
    let Some(names) = certificate.subject_alternative_name().ok()? else { return Some(facts) };
    for name in &names.value.general_names {
        match name {
            GeneralName::DNSName(name) => facts.dns.push((*name).to_owned()),
            GeneralName::URI(uri) => facts.uris.push((*uri).to_owned()),
            GeneralName::RFC822Name(email) => facts.emails.push((*email).to_owned()),
            GeneralName::IPAddress(bytes) => facts.addresses.push(address(bytes)?),
            // No client can be registered by these.
            _ => {}
        }
    }
    Some(facts)
}

fn address(bytes: &[u8]) -> Option<IpAddr> {
    match bytes.len() {
        4 => <[u8; 4]>::try_from(bytes).ok().map(IpAddr::from),
        _ => <[u8; 16]>::try_from(bytes).ok().map(IpAddr::from),
    }
}

fn name(name: &X509Name<'_>) -> Option<DistinguishedName> {
    let part = |attributes: Vec<&AttributeTypeAndValue<'_>>| attributes.into_iter().map(attribute).collect();
    let parts: Option<Vec<Vec<Attribute>>> = name.iter_rdn().map(|rdn| part(rdn.iter().collect())).collect();
    Some(DistinguishedName::of_certificate(parts?))
}

/// Tags of the string types of X.520 whose bytes are UTF-8 or part of it.
const TEXTS: [u32; 5] = [12, 18, 19, 22, 26];

/// BMPString: two bytes a character.
const BMP: u32 = 30;

fn attribute(found: &AttributeTypeAndValue<'_>) -> Option<Attribute> {
    let value = found.attr_value();
    let (tag, bytes) = (value.tag().0, value.data);
    let value = if TEXTS.contains(&tag) {
        AttributeValue::Text(std::str::from_utf8(bytes).ok()?.to_owned())
    } else if tag == BMP {
        let (pairs, rest) = bytes.as_chunks::<2>();
        let units: Vec<u16> = pairs.iter().map(|pair| u16::from_be_bytes(*pair)).collect();
        AttributeValue::Text(String::from_utf16(&units).ok().filter(|_| rest.is_empty())?)
    } else {
        AttributeValue::Other(der(tag, bytes)?)
    };
    Some(Attribute { oid: found.attr_type().to_id_string(), value })
}

/// A primitive value of universal type, as DER writes it.
fn der(tag: u32, bytes: &[u8]) -> Option<Vec<u8>> {
    let tag = u8::try_from(tag).ok().filter(|tag| *tag < 31)?;
    let mut der = vec![tag];
    match u8::try_from(bytes.len()) {
        Ok(length) if length < 0x80 => der.push(length),
        Ok(length) => der.extend([0x81, length]),
        Err(_) => {
            der.push(0x82);
            der.extend(u16::try_from(bytes.len()).ok()?.to_be_bytes());
        }
    }
    der.extend_from_slice(bytes);
    Some(der)
}

#[cfg(test)]
mod tests;
