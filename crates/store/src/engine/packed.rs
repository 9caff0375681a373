//! Current versions as they are kept in memory: small, and quick to turn into what leaves.
//!
//! Resources of one type repeat the same systems, codes and member names, so each type has a
//! dictionary: the first few versions that did not look like those before. Packed with it (LZ4), a
//! version takes a fifth to a thirtieth of its bytes, and unpacking 1.5 KB takes 0.1 to 0.7 µs: more
//! of what is read fits in memory, and a miss of the engine costs more than any unpacking.
//!
//! Form: head (17 bytes: lengths and flags), the record's own beginning as stored, patients (length,
//! text), index values packed, JSON packed. It never leaves this process.

use super::{
    Fault,
    record::{Damaged, Version},
};
use crate::limits;
use lz4_flex::block::{compress_with_dict, decompress_into_with_dict};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

const HEAD_BYTES: usize = 17;

/// What versions of one type have in common.
#[derive(Debug, Default)]
struct Dictionary {
    values: Vec<u8>,
    json: Vec<u8>,
}

/// A dictionary in the making.
#[derive(Debug, Default)]
struct Samples {
    seen: usize,
    gathered: Dictionary,
}

#[derive(Debug, Default)]
struct OfType {
    done: OnceLock<Dictionary>,
    samples: Mutex<Samples>,
}

/// The dictionaries of all types. Each is made once and holds until the process ends.
#[derive(Debug)]
pub(crate) struct Dictionaries(Vec<OfType>);

/// A packed version. Clones share it.
#[derive(Debug, Clone)]
pub(crate) struct Packed(Arc<[u8]>);

struct Parts<'a> {
    values_bytes: usize,
    json_bytes: usize,
    with_dictionary: bool,
    beginning: &'a [u8],
    patients: &'a [u8],
    values: &'a [u8],
    json: &'a [u8],
}

impl Dictionaries {
    pub(crate) fn new() -> Self {
        Self((0..limits::DICTIONARIES).map(|_| OfType::default()).collect())
    }

    fn of(&self, kind: u16) -> Option<&OfType> {
        self.0.get(usize::from(kind))
    }

    /// Packs a version as it is stored (`record`), with the patients that it is about.
    pub(crate) fn pack<'a>(
        &self,
        kind: u16,
        record: &[u8],
        version: &Version<'_>,
        patients: impl Iterator<Item = &'a str>,
    ) -> Option<Packed> {
        let (values, json) = (version.values, version.json);
        // INVARIANT: values and JSON are the end of a record.
        let beginning = record.get(..record.len().checked_sub(values.len() + json.len())?)?;
        let of_type = self.of(kind);
        let dictionary = of_type.and_then(|of_type| {
            of_type.done.get().or_else(|| {
                of_type.learn(values, json);
                of_type.done.get()
            })
        });
        let none = Dictionary::default();
        let with = dictionary.unwrap_or(&none);
        let packed_values = compress_with_dict(values, &with.values);
        let packed_json = compress_with_dict(json, &with.json);
        let mut names = Vec::new();
        for patient in patients {
            names.push(u8::try_from(patient.len()).ok()?);
            names.extend_from_slice(patient.as_bytes());
        }
        let mut out =
            Vec::with_capacity(HEAD_BYTES + beginning.len() + names.len() + packed_values.len() + packed_json.len());
        for length in [values.len(), json.len(), packed_values.len()] {
            out.extend_from_slice(&u32::try_from(length).ok()?.to_le_bytes());
        }
        for length in [beginning.len(), names.len()] {
            out.extend_from_slice(&u16::try_from(length).ok()?.to_le_bytes());
        }
        out.push(u8::from(dictionary.is_some()));
        for part in [beginning, &names, &packed_values, &packed_json] {
            out.extend_from_slice(part);
        }
        Some(Packed(out.into()))
    }

    fn unpack_into(&self, kind: u16, part: Part, parts: &Parts<'_>, out: &mut [u8]) -> Result<(), Fault> {
        let dictionary =
            if parts.with_dictionary { self.of(kind).and_then(|of_type| of_type.done.get()) } else { None };
        let (packed, dictionary) = match part {
            Part::Values => (parts.values, dictionary.map_or(&[][..], |dictionary| &dictionary.values)),
            Part::Json => (parts.json, dictionary.map_or(&[][..], |dictionary| &dictionary.json)),
        };
        match decompress_into_with_dict(packed, out, dictionary) {
            Ok(length) if length == out.len() => Ok(()),
            _ => Err(broken()),
        }
    }

    /// The record as it is stored.
    pub(crate) fn whole(&self, kind: u16, packed: &Packed) -> Result<Vec<u8>, Fault> {
        let parts = packed.parts().ok_or_else(broken)?;
        let begins = parts.beginning.len();
        let mut out = vec![0; begins + parts.values_bytes + parts.json_bytes];
        let (beginning, rest) = out.split_at_mut_checked(begins).ok_or_else(broken)?;
        let (values, json) = rest.split_at_mut_checked(parts.values_bytes).ok_or_else(broken)?;
        beginning.copy_from_slice(parts.beginning);
        self.unpack_into(kind, Part::Values, &parts, values)?;
        self.unpack_into(kind, Part::Json, &parts, json)?;
        Ok(out)
    }

    /// The index values.
    pub(crate) fn values(&self, kind: u16, packed: &Packed) -> Result<Vec<u8>, Fault> {
        let parts = packed.parts().ok_or_else(broken)?;
        let mut out = vec![0; parts.values_bytes];
        self.unpack_into(kind, Part::Values, &parts, &mut out)?;
        Ok(out)
    }

    /// Appends the JSON.
    pub(crate) fn append_json(&self, kind: u16, packed: &Packed, out: &mut Vec<u8>) -> Result<(), Fault> {
        let parts = packed.parts().ok_or_else(broken)?;
        let at = out.len();
        out.resize(at + parts.json_bytes, 0);
        self.unpack_into(kind, Part::Json, &parts, out.get_mut(at..).unwrap_or_default())
    }
}

#[derive(Clone, Copy)]
enum Part {
    Values,
    Json,
}

fn broken() -> Fault {
    Fault("a version kept in memory cannot be unpacked".into())
}

impl Packed {
    /// What it holds on the heap.
    pub(crate) fn bytes(&self) -> usize {
        self.0.len()
    }

    fn parts(&self) -> Option<Parts<'_>> {
        let (values_bytes, rest) = self.0.split_first_chunk::<4>()?;
        let (json_bytes, rest) = rest.split_first_chunk::<4>()?;
        let (values, rest) = rest.split_first_chunk::<4>()?;
        let (beginning, rest) = rest.split_first_chunk::<2>()?;
        let (patients, rest) = rest.split_first_chunk::<2>()?;
        let (flag, rest) = rest.split_first()?;
        let size = |bytes: &[u8; 4]| u32::from_le_bytes(*bytes) as usize;
        let (beginning, rest) = rest.split_at_checked(usize::from(u16::from_le_bytes(*beginning)))?;
        let (patients, rest) = rest.split_at_checked(usize::from(u16::from_le_bytes(*patients)))?;
        let (values, json) = rest.split_at_checked(size(values))?;
        Some(Parts {
            values_bytes: size(values_bytes),
            json_bytes: size(json_bytes),
            with_dictionary: *flag != 0,
            beginning,
            patients,
            values,
            json,
        })
    }

    /// Bytes of the JSON when it is unpacked.
    pub(crate) fn json_bytes(&self) -> usize {
        self.parts().map_or(0, |parts| parts.json_bytes)
    }

    /// The version without values and JSON.
    pub(crate) fn head(&self) -> Result<Version<'_>, Damaged> {
        Version::decode_head(self.parts().ok_or(Damaged("kept version"))?.beginning)
    }

    /// The patients that it is about, in order.
    pub(crate) fn patients(&self) -> impl Iterator<Item = &str> {
        let mut rest = self.parts().map_or(&[][..], |parts| parts.patients);
        std::iter::from_fn(move || {
            let (length, after) = rest.split_first()?;
            let (name, after) = after.split_at_checked(usize::from(*length))?;
            rest = after;
            std::str::from_utf8(name).ok()
        })
    }
}

impl OfType {
    /// Looks at a version for the dictionary, which is done after enough of them.
    fn learn(&self, values: &[u8], json: &[u8]) {
        let mut samples = self.samples.lock().unwrap_or_else(PoisonError::into_inner);
        samples.seen += 1;
        let gathered = &mut samples.gathered;
        for (known, fresh) in [(&mut gathered.values, values), (&mut gathered.json, json)] {
            let is_new = compress_with_dict(fresh, known).len() > fresh.len() / 4;
            if is_new && known.len() + fresh.len() <= limits::DICTIONARY_BYTES_MAX {
                known.extend_from_slice(fresh);
            }
        }
        if samples.seen >= limits::DICTIONARY_SAMPLES {
            let _ = self.done.set(std::mem::take(&mut samples.gathered));
        }
    }
}

#[cfg(test)]
mod tests;
