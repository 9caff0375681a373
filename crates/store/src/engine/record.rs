//! Values, byte by byte: versions, ids and commits. `docs/store.md` shows each with an example.
//!
//! A version is written once. Its JSON is last, so that a reader of the header and the index
//! values never touches it.

use super::key::{Row, TypeNumber};
use crate::page::Method;
use aws_lc_rs::digest::{Context, Digest, SHA256};

/// A SHA-256 digest.
pub(crate) type Hash = [u8; 32];

/// The chain's hash before commit 1.
pub(crate) const GENESIS: Hash = [0; 32];

/// Added to the byte of the method.
const LABELLED: u8 = 0x80;

/// Number of this form of a version.
const VERSION_FORM: u8 = 1;

/// A version's parts, borrowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Version<'a> {
    pub(crate) method: Method,
    /// It has parts that can be withheld alone ([`crate::redaction`]).
    pub(crate) labelled: bool,
    pub(crate) version: u32,
    pub(crate) last_updated: i64,
    pub(crate) commit: u64,
    pub(crate) id: &'a str,
    /// Index values as `search` encodes them.
    pub(crate) values: &'a [u8],
    /// Stored JSON; empty for a deletion.
    pub(crate) json: &'a [u8],
}

/// Why stored bytes are not what they should be. Names no content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Damaged(pub(crate) &'static str);

impl From<Damaged> for super::Fault {
    fn from(damaged: Damaged) -> Self {
        Self(format!("damaged {}", damaged.0))
    }
}

impl<'a> Version<'a> {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(27 + self.id.len() + self.values.len() + self.json.len());
        self.encode_into(&mut out);
        out
    }

    /// `form(1) method(1) version(4) milliseconds(8) commit(8) length(1) id length(4) values json`.
    pub(crate) fn encode_into(&self, out: &mut Vec<u8>) {
        out.push(VERSION_FORM);
        let method = match self.method {
            Method::Create => 1,
            Method::Update => 2,
            Method::Delete => 3,
        };
        out.push(if self.labelled { method | LABELLED } else { method });
        out.extend_from_slice(&self.version.to_be_bytes());
        out.extend_from_slice(&self.last_updated.to_be_bytes());
        out.extend_from_slice(&self.commit.to_be_bytes());
        // INVARIANT: an id has at most 64 bytes; index values come from a body below 4 GiB.
        out.push(u8::try_from(self.id.len()).unwrap_or(u8::MAX));
        out.extend_from_slice(self.id.as_bytes());
        out.extend_from_slice(&u32::try_from(self.values.len()).unwrap_or(u32::MAX).to_be_bytes());
        out.extend_from_slice(self.values);
        out.extend_from_slice(self.json);
    }

    pub(crate) fn decode(bytes: &'a [u8]) -> Result<Self, Damaged> {
        Self::parse(bytes).ok_or(Damaged("version"))
    }

    /// A version without its values and JSON, from the bytes before them.
    pub(crate) fn decode_head(bytes: &'a [u8]) -> Result<Self, Damaged> {
        Self::parse_head(bytes).map(|(version, ..)| version).ok_or(Damaged("version"))
    }

    fn parse(bytes: &'a [u8]) -> Option<Self> {
        let (version, values_len, rest) = Self::parse_head(bytes)?;
        let (values, json) = rest.split_at_checked(values_len)?;
        Some(Self { values, json, ..version })
    }

    /// What comes before the values, their length, and the rest.
    fn parse_head(bytes: &'a [u8]) -> Option<(Self, usize, &'a [u8])> {
        let (form, rest) = bytes.split_first()?;
        if *form != VERSION_FORM {
            return None;
        }
        let (method, rest) = rest.split_first()?;
        let labelled = method & LABELLED != 0;
        let method = match method & !LABELLED {
            1 => Method::Create,
            2 => Method::Update,
            3 => Method::Delete,
            _ => return None,
        };
        let (version, rest) = rest.split_first_chunk::<4>()?;
        let (last_updated, rest) = rest.split_first_chunk::<8>()?;
        let (commit, rest) = rest.split_first_chunk::<8>()?;
        let (id_len, rest) = rest.split_first()?;
        let (id, rest) = rest.split_at_checked(usize::from(*id_len))?;
        let (values_len, rest) = rest.split_first_chunk::<4>()?;
        let version = Self {
            method,
            labelled,
            version: u32::from_be_bytes(*version),
            last_updated: i64::from_be_bytes(*last_updated),
            commit: u64::from_be_bytes(*commit),
            id: std::str::from_utf8(id).ok()?,
            values: &[],
            json: &[],
        };
        Some((version, u32::from_be_bytes(*values_len) as usize, rest))
    }

    /// What the chain of commits vouches for: type name, id, version, method, time and JSON. Index
    /// values are left out: they follow from the JSON and are made anew when parameters change.
    pub(crate) fn digest(&self, type_name: &str) -> Hash {
        let mut context = Context::new(&SHA256);
        for part in [type_name.as_bytes(), &[0], self.id.as_bytes(), &[0, self.method as u8]] {
            context.update(part);
        }
        context.update(&self.version.to_be_bytes());
        context.update(&self.last_updated.to_be_bytes());
        context.update(self.json);
        hash(context.finish())
    }
}

fn hash(digest: Digest) -> Hash {
    let mut out = GENESIS;
    out.iter_mut().zip(digest.as_ref()).for_each(|(to, from)| *to = *from);
    out
}

/// Where the newest version of a resource is. `row(8) version(4) deleted(1)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) row: Row,
    pub(crate) version: u32,
    pub(crate) deleted: bool,
}

impl Place {
    pub(crate) fn encode(&self) -> [u8; 13] {
        let mut out = [0; 13];
        let parts = [&self.row.to_be_bytes()[..], &self.version.to_be_bytes(), &[u8::from(self.deleted)]];
        out.iter_mut().zip(parts.into_iter().flatten()).for_each(|(to, from)| *to = *from);
        out
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, Damaged> {
        let parse = || {
            let (row, rest) = bytes.split_first_chunk::<8>()?;
            let (version, rest) = rest.split_first_chunk::<4>()?;
            let [deleted @ (0 | 1)] = rest else { return None };
            Some(Self { row: u64::from_be_bytes(*row), version: u32::from_be_bytes(*version), deleted: *deleted == 1 })
        };
        parse().ok_or(Damaged("place of a resource"))
    }
}

/// One version that a commit made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Made {
    pub(crate) kind: TypeNumber,
    pub(crate) row: Row,
    pub(crate) version: u32,
}

/// A commit: `milliseconds(8) chain(32) digest(32) count(4)`, then `type(2) row(8) version(4)` each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Commit {
    pub(crate) time: i64,
    /// SHA-256(chain before ‖ number ‖ milliseconds ‖ digest).
    pub(crate) chain: Hash,
    /// SHA-256 over the digests of the versions made, in order.
    pub(crate) digest: Hash,
    pub(crate) made: Vec<Made>,
}

/// The digest of a commit over the digests of its versions.
pub(crate) fn digest_of(versions: impl IntoIterator<Item = Hash>) -> Hash {
    let mut context = Context::new(&SHA256);
    for version in versions {
        context.update(&version);
    }
    hash(context.finish())
}

/// The next link of the chain.
pub(crate) fn link(before: &Hash, number: u64, time: i64, digest: &Hash) -> Hash {
    let mut context = Context::new(&SHA256);
    context.update(before);
    context.update(&number.to_be_bytes());
    context.update(&time.to_be_bytes());
    context.update(digest);
    hash(context.finish())
}

impl Commit {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(76 + self.made.len() * 14);
        out.extend_from_slice(&self.time.to_be_bytes());
        out.extend_from_slice(&self.chain);
        out.extend_from_slice(&self.digest);
        out.extend_from_slice(&u32::try_from(self.made.len()).unwrap_or(u32::MAX).to_be_bytes());
        for made in &self.made {
            out.extend_from_slice(&made.kind.0.to_be_bytes());
            out.extend_from_slice(&made.row.to_be_bytes());
            out.extend_from_slice(&made.version.to_be_bytes());
        }
        out
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, Damaged> {
        Self::parse(bytes).ok_or(Damaged("commit"))
    }

    /// Time, chain and digest alone, for the walk over all commits.
    pub(crate) fn head(bytes: &[u8]) -> Result<(i64, Hash, Hash), Damaged> {
        let parse = || {
            let (time, rest) = bytes.split_first_chunk::<8>()?;
            let (chain, rest) = rest.split_first_chunk::<32>()?;
            Some((i64::from_be_bytes(*time), *chain, *rest.first_chunk::<32>()?))
        };
        parse().ok_or(Damaged("commit"))
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let (time, rest) = bytes.split_first_chunk::<8>()?;
        let (chain, rest) = rest.split_first_chunk::<32>()?;
        let (digest, rest) = rest.split_first_chunk::<32>()?;
        let (count, mut rest) = rest.split_first_chunk::<4>()?;
        let mut made = Vec::new();
        for _ in 0..u32::from_be_bytes(*count) {
            let (kind, after) = rest.split_first_chunk::<2>()?;
            let (row, after) = after.split_first_chunk::<8>()?;
            let (version, after) = after.split_first_chunk::<4>()?;
            rest = after;
            made.push(Made {
                kind: TypeNumber(u16::from_be_bytes(*kind)),
                row: u64::from_be_bytes(*row),
                version: u32::from_be_bytes(*version),
            });
        }
        rest.is_empty().then_some(Self { time: i64::from_be_bytes(*time), chain: *chain, digest: *digest, made })
    }
}
