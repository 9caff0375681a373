//! Which names an authority may give out. SPEC: RFC 5280 section 4.2.1.10; row D10.
//!
//! Looked at: DNS names, URIs by their host, e-mail addresses, IP addresses, directory names. A constraint on any other
//! kind of name refuses every certificate that has such a name, and one that cannot be read refuses all.

use super::{
    certificate::Certificate,
    name::{self, GeneralName, host},
};
use crate::der::{self, Malformed, Reader, Value};

/// The e-mail attribute of a subject.
const EMAIL: &str = "1.2.840.113549.1.9.1";

/// What an authority says of the names below it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NameConstraints {
    permitted: Vec<GeneralName>,
    excluded: Vec<GeneralName>,
}

impl NameConstraints {
    pub(super) fn read(value: &[u8]) -> Result<Self, Malformed> {
        let mut parts = Reader::only(value, der::SEQUENCE)?.inside();
        let permitted = parts.optional(der::context(0))?.map(trees).transpose()?.unwrap_or_default();
        let excluded = parts.optional(der::context(1))?.map(trees).transpose()?.unwrap_or_default();
        parts.end()?;
        Ok(Self { permitted, excluded })
    }

    /// Whether all names of this certificate may stand below it.
    pub(super) fn permit(&self, certificate: &Certificate) -> bool {
        let names = &certificate.extensions().names;
        let has_email = names.iter().any(|name| matches!(name, GeneralName::Email(_)));
        // SPEC: an address in the subject counts where there is none among the alternative names.
        let emails = certificate.subject().texts(EMAIL).filter(|_| !has_email);
        let subject =
            (!certificate.subject().is_empty()).then(|| GeneralName::Directory(certificate.subject().clone()));
        let of_subject = emails.map(|email| GeneralName::Email(email.to_owned())).chain(subject);
        names.iter().cloned().chain(of_subject).all(|name| self.permits(&name))
    }

    fn permits(&self, name: &GeneralName) -> bool {
        let held = |trees: &[GeneralName]| -> Vec<Held> {
            trees.iter().filter(|tree| same_kind(name, tree)).map(|tree| is_in(name, tree)).collect()
        };
        let (permitted, excluded) = (held(&self.permitted), held(&self.excluded));
        excluded.iter().all(|held| *held == Held::No) && (permitted.is_empty() || permitted.contains(&Held::Yes))
    }
}

fn trees(value: Value<'_>) -> Result<Vec<GeneralName>, Malformed> {
    let (mut all, mut names) = (value.inside(), Vec::new());
    while !all.is_empty() {
        let mut tree = all.sequence()?;
        names.push(name::general(tree.take()?)?);
        // SPEC: the minimum is 0, which DER leaves away, and there is no maximum.
        tree.end()?;
    }
    // SPEC: section 4.2.1.10: SIZE (1..MAX).
    if names.is_empty() { Err(Malformed) } else { Ok(names) }
}

/// Whether a name lies in a tree; what cannot be decided counts as what refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Held {
    Yes,
    No,
    Undecided,
}

impl From<bool> for Held {
    fn from(held: bool) -> Self {
        if held { Self::Yes } else { Self::No }
    }
}

fn same_kind(name: &GeneralName, tree: &GeneralName) -> bool {
    match (name, tree) {
        (GeneralName::Other(one), GeneralName::Other(other)) => one == other,
        (one, other) => std::mem::discriminant(one) == std::mem::discriminant(other),
    }
}

fn is_in(name: &GeneralName, tree: &GeneralName) -> Held {
    match (name, tree) {
        (GeneralName::Dns(name), GeneralName::Dns(tree)) => dns(name, tree).into(),
        (GeneralName::Uri(uri), GeneralName::Uri(tree)) => match host(uri) {
            // SPEC: a URI without a host name, where URIs are constrained, is refused.
            None => Held::Undecided,
            Some(_) if tree.is_empty() || tree.contains([':', '/']) => Held::Undecided,
            Some(host) => host_in(host, tree).into(),
        },
        (GeneralName::Email(email), GeneralName::Email(tree)) => {
            match (email.rsplit_once('@'), tree.rsplit_once('@')) {
                (None, _) => Held::Undecided,
                (Some((local, host)), Some((tree_local, tree_host))) => {
                    (local == tree_local && host.eq_ignore_ascii_case(tree_host)).into()
                }
                (Some((_, host)), None) => host_in(host, tree).into(),
            }
        }
        (GeneralName::Ip(address), GeneralName::Ip(tree)) => {
            if tree.len() != 8 && tree.len() != 32 {
                return Held::Undecided;
            }
            let (base, mask) = tree.split_at(tree.len() / 2);
            if base.len() != address.len() {
                return Held::No;
            }
            address.iter().zip(base.iter().zip(mask)).all(|(byte, (base, mask))| byte & mask == base & mask).into()
        }
        (GeneralName::Directory(name), GeneralName::Directory(tree)) => name.is_within(tree).into(),
        _ => Held::Undecided,
    }
}

/// SPEC: a name with any labels added in front, itself included. Some write a dot in front: then it is not included.
fn dns(name: &str, tree: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name);
    tree.is_empty() || name.eq_ignore_ascii_case(tree) || ends_with(name, tree.strip_prefix('.').unwrap_or(tree))
}

/// SPEC: a host, or with a dot in front all hosts below it, and not itself.
fn host_in(host: &str, tree: &str) -> bool {
    match tree.strip_prefix('.') {
        Some(domain) => ends_with(host, domain),
        None => host.eq_ignore_ascii_case(tree),
    }
}

/// Whether it is a host below this domain.
fn ends_with(host: &str, domain: &str) -> bool {
    let before = host.len().checked_sub(domain.len() + 1).and_then(|at| host.split_at_checked(at));
    before.is_some_and(|(label, rest)| {
        !label.is_empty() && rest.strip_prefix('.').is_some_and(|rest| rest.eq_ignore_ascii_case(domain))
    })
}

#[cfg(test)]
mod tests;
