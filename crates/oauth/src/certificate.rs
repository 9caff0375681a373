//! What a client certificate says of who holds it, and whether it is the one that a client registered.
//! SPEC: RFC 8705 section 2.1 (`tls_client_auth`); RFC 5280 sections 4.1.2.6 and 4.2.1.6; row A7.
//!
//! Reading DER is not done here: the server hands over [`CertificateFacts`]. Whether the certificate can be believed is
//! not decided here either: facts of one whose chain ends in no anchor are worth nothing.

mod distinguished_name;

pub use distinguished_name::{Attribute, AttributeValue, DistinguishedName, NameError};

use std::{fmt, net::IpAddr};

/// What a certificate says of its holder.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CertificateFacts {
    /// The subject's name; empty when it has none.
    pub subject: DistinguishedName,
    /// Alternative names of kind dNSName.
    pub dns: Vec<String>,
    /// Alternative names of kind uniformResourceIdentifier.
    pub uris: Vec<String>,
    /// Alternative names of kind iPAddress.
    pub addresses: Vec<IpAddr>,
    /// Alternative names of kind rfc822Name.
    pub emails: Vec<String>,
}

/// The one name by which a client's certificate is known. SPEC: RFC 8705 section 2.1.2: exactly one is registered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RegisteredSubject {
    /// `tls_client_auth_subject_dn`.
    Dn(DistinguishedName),
    /// `tls_client_auth_san_dns`, in lower case.
    Dns(String),
    /// `tls_client_auth_san_uri`.
    Uri(String),
    /// `tls_client_auth_san_ip`.
    Ip(IpAddr),
    /// `tls_client_auth_san_email`.
    Email(String),
}

/// Why a registered name cannot be used. The text is for whoever registers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SubjectError {
    /// Not one of the five members.
    Member,
    /// None of the five, or more than one.
    NotOne,
    /// The name cannot be read.
    Name(NameError),
    /// A name without any part.
    Empty,
    /// Not a host name without wildcard.
    Dns,
    /// Not an absolute URI.
    Uri,
    /// Not an IP address.
    Ip,
    /// Not an e-mail address.
    Email,
}

impl fmt::Display for SubjectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Name(why) => return why.fmt(f),
            Self::Member => "not a name of a certificate's subject",
            Self::NotOne => "exactly one name of the certificate must be registered: subject_dn, san_dns, san_uri, san_ip or san_email",
            Self::Empty => "the subject's name is empty",
            Self::Dns => "san_dns must be a whole host name without wildcard, such as client.example.org",
            Self::Uri => "san_uri must be an absolute URI",
            Self::Ip => "san_ip must be an IP address",
            Self::Email => "san_email must be an e-mail address",
        })
    }
}

impl std::error::Error for SubjectError {}

impl From<NameError> for SubjectError {
    fn from(error: NameError) -> Self {
        Self::Name(error)
    }
}

/// The members of client metadata that name a certificate.
pub const SUBJECT_MEMBERS: [&str; 5] = [
    "tls_client_auth_subject_dn",
    "tls_client_auth_san_dns",
    "tls_client_auth_san_uri",
    "tls_client_auth_san_ip",
    "tls_client_auth_san_email",
];

impl RegisteredSubject {
    /// Reads a member of client metadata (RFC 8705 section 2.1.2).
    ///
    /// # Errors
    /// [`SubjectError`].
    pub fn from_member(member: &str, value: &str) -> Result<Self, SubjectError> {
        match member {
            "tls_client_auth_subject_dn" => {
                let name = DistinguishedName::parse(value)?;
                if name.is_empty() { Err(SubjectError::Empty) } else { Ok(Self::Dn(name)) }
            }
            "tls_client_auth_san_dns" => {
                if is_host_name(value) {
                    Ok(Self::Dns(value.to_ascii_lowercase()))
                } else {
                    Err(SubjectError::Dns)
                }
            }
            "tls_client_auth_san_uri" => {
                if is_uri(value) {
                    Ok(Self::Uri(value.to_owned()))
                } else {
                    Err(SubjectError::Uri)
                }
            }
            "tls_client_auth_san_ip" => {
                let bare = value.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(value);
                bare.parse().map(Self::Ip).map_err(|_| SubjectError::Ip)
            }
            "tls_client_auth_san_email" => {
                if is_email(value) {
                    Ok(Self::Email(value.to_owned()))
                } else {
                    Err(SubjectError::Email)
                }
            }
            _ => Err(SubjectError::Member),
        }
    }

    /// The only one of these members; those of other names are left aside.
    ///
    /// # Errors
    /// [`SubjectError::NotOne`] when there is none or more than one, else as [`RegisteredSubject::from_member`].
    pub fn only<'a>(members: impl Iterator<Item = (&'a str, &'a str)>) -> Result<Self, SubjectError> {
        let mut ours = members.filter(|(member, _)| SUBJECT_MEMBERS.contains(member));
        match (ours.next(), ours.next()) {
            (Some((member, value)), None) => Self::from_member(member, value),
            _ => Err(SubjectError::NotOne),
        }
    }

    /// Name and value of the member: [`RegisteredSubject::from_member`] reads it back.
    #[must_use]
    pub fn member(&self) -> (&'static str, String) {
        match self {
            Self::Dn(name) => ("tls_client_auth_subject_dn", name.to_string()),
            Self::Dns(name) => ("tls_client_auth_san_dns", name.clone()),
            Self::Uri(uri) => ("tls_client_auth_san_uri", uri.clone()),
            Self::Ip(address) => ("tls_client_auth_san_ip", address.to_string()),
            Self::Email(email) => ("tls_client_auth_san_email", email.clone()),
        }
    }

    /// Whether the certificate has this name. A wildcard in a certificate stands for itself alone: it would let one
    /// holder be many clients.
    #[must_use]
    pub fn matches(&self, facts: &CertificateFacts) -> bool {
        match self {
            Self::Dn(name) => !name.is_empty() && *name == facts.subject,
            Self::Dns(name) => facts.dns.iter().any(|other| other.eq_ignore_ascii_case(name)),
            Self::Uri(uri) => facts.uris.contains(uri),
            Self::Ip(address) => facts.addresses.contains(address),
            Self::Email(email) => facts.emails.iter().any(|other| same_email(email, other)),
        }
    }
}

impl fmt::Display for RegisteredSubject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.member().1)
    }
}

fn is_host_name(text: &str) -> bool {
    let label = |label: &str| {
        let legal = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
        (1..=63).contains(&label.len()) && label.bytes().all(legal) && !label.starts_with('-') && !label.ends_with('-')
    };
    text.len() <= 253 && text.split('.').all(label)
}

fn is_uri(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else { return false };
    let scheme_fits = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b));
    scheme_fits && !rest.is_empty() && text.len() <= 2048 && text.bytes().all(|b| b.is_ascii_graphic())
}

fn is_email(text: &str) -> bool {
    let graphic = text.len() <= 320 && text.bytes().all(|b| b.is_ascii_graphic());
    graphic && text.rsplit_once('@').is_some_and(|(local, host)| !local.is_empty() && is_host_name(host))
}

/// SPEC: RFC 5280 section 7.5: the host without regard to case, what stands before it exactly.
fn same_email(one: &str, other: &str) -> bool {
    match (one.rsplit_once('@'), other.rsplit_once('@')) {
        (Some((local, host)), Some((other_local, other_host))) => {
            local == other_local && host.eq_ignore_ascii_case(other_host)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests;
