//! Keys, byte by byte: `docs/store.md` shows each with an example, and a test holds the two equal.
//!
//! Numbers are big-endian, so that the order of bytes is their order. A row is 8 bytes at the end
//! of every index key, so that equal values list rows in ascending order.

use search::ParameterId;

/// Number of a resource type on disk: given by this store at first sight of the name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct TypeNumber(pub(crate) u16);

/// A dense number of a resource, over all types; 1 for the first.
pub(crate) type Row = u64;

/// The parameter number that stands for "lies in the compartment" itself.
pub(crate) const MEMBERSHIP: ParameterId = ParameterId(u16::MAX);

/// `type(2) id`.
pub(crate) fn id(kind: TypeNumber, id: &str) -> Vec<u8> {
    [&kind.0.to_be_bytes()[..], id.as_bytes()].concat()
}

/// `type(2) row(8)`.
pub(crate) fn current(kind: TypeNumber, row: Row) -> [u8; 10] {
    let mut key = [0; 10];
    put(&mut key, &[&kind.0.to_be_bytes(), &row.to_be_bytes()]);
    key
}

/// `type(2) row(8) !version(4)`: the newest version first.
pub(crate) fn history(kind: TypeNumber, row: Row, version: u32) -> [u8; 14] {
    let mut key = [0; 14];
    put(&mut key, &[&kind.0.to_be_bytes(), &row.to_be_bytes(), &(!version).to_be_bytes()]);
    key
}

/// `type(2) parameter(2)`: what index keys of a parameter of a type begin with.
pub(crate) fn of_type(kind: TypeNumber, parameter: ParameterId) -> [u8; 4] {
    let mut key = [0; 4];
    put(&mut key, &[&kind.0.to_be_bytes(), &parameter.0.to_be_bytes()]);
    key
}

/// `type(2) parameter(2) value`: begin of the keys of one value; `row(8)` follows.
pub(crate) fn index(kind: TypeNumber, parameter: ParameterId, value: &[u8]) -> Vec<u8> {
    [&kind.0.to_be_bytes()[..], &parameter.0.to_be_bytes()[..], value].concat()
}

/// `patient 0 type(2) parameter(2) value`: begin of the keys of one value in a compartment; `row(8)` follows.
pub(crate) fn compartment(patient: &str, kind: TypeNumber, parameter: ParameterId, value: &[u8]) -> Vec<u8> {
    [patient.as_bytes(), &[0], &kind.0.to_be_bytes()[..], &parameter.0.to_be_bytes()[..], value].concat()
}

/// `patient 0 type(2)`: begin of all keys of one type in a compartment.
pub(crate) fn folder(patient: &str, kind: TypeNumber) -> Vec<u8> {
    [patient.as_bytes(), &[0], &kind.0.to_be_bytes()[..]].concat()
}

/// `type(2) milliseconds(8, sign bit turned)`: begin; `row(8)` follows.
pub(crate) fn last_updated(kind: TypeNumber, millis: i64) -> [u8; 10] {
    let mut key = [0; 10];
    put(&mut key, &[&kind.0.to_be_bytes(), &(millis as u64 ^ (1 << 63)).to_be_bytes()]);
    key
}

/// Milliseconds of a `last_updated` key.
pub(crate) fn millis_of(key: &[u8]) -> Option<i64> {
    let bytes: [u8; 8] = key.get(2..10)?.try_into().ok()?;
    Some((u64::from_be_bytes(bytes) ^ (1 << 63)) as i64)
}

/// A key with its row.
pub(crate) fn with_row(begin: &[u8], row: Row) -> Vec<u8> {
    let mut key = Vec::with_capacity(begin.len() + 8);
    key.extend_from_slice(begin);
    key.extend_from_slice(&row.to_be_bytes());
    key
}

/// The row at the end of a key.
pub(crate) fn row_of(key: &[u8]) -> Option<Row> {
    key.last_chunk::<8>().map(|bytes| u64::from_be_bytes(*bytes))
}

/// The first key after all keys that begin so; `None` when there is none.
pub(crate) fn after_prefix(prefix: &[u8]) -> Option<Vec<u8>> {
    let keep = prefix.iter().rposition(|byte| *byte != u8::MAX)?;
    let mut end = prefix.get(..=keep)?.to_vec();
    if let Some(last) = end.last_mut() {
        *last += 1;
    }
    Some(end)
}

fn put(key: &mut [u8], parts: &[&[u8]]) {
    for (to, from) in key.iter_mut().zip(parts.iter().copied().flatten()) {
        *to = *from;
    }
}
