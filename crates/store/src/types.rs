//! Numbers of resource types on disk. The schema's own numbers follow its list of types and may
//! move with it; what is stored is a number that this store gave to the name once, in `meta`.

use crate::engine::{Batch, Fault, Space, View, key::TypeNumber};
use fhir::ResourceType;
use std::collections::HashMap;

const PREFIX: &[u8] = b"type/";

/// The numbering of one store.
#[derive(Debug, Default)]
pub(crate) struct Types {
    numbers: Vec<TypeNumber>,
    types: HashMap<u16, ResourceType>,
}

impl Types {
    /// Reads the numbering; types that are new to this store get numbers, written with `batch`.
    pub(crate) fn load(view: &View, batch: &mut Batch<'_>) -> Result<(Self, bool), Fault> {
        let mut known = HashMap::new();
        let mut next = 1u16;
        let mut pairs = view.prefix(Space::Meta, PREFIX)?;
        while let Some((key, value)) = pairs.next_pair()? {
            let name = key.strip_prefix(PREFIX).and_then(|name| std::str::from_utf8(name).ok()).map(str::to_owned);
            let number = value.first_chunk::<2>().map(|bytes| u16::from_be_bytes(*bytes));
            let (Some(name), Some(number)) = (name, number) else {
                return Err(Fault("damaged numbering of types".into()));
            };
            next = next.max(number.saturating_add(1));
            known.insert(name, number);
        }
        let mut types = Self::default();
        let mut grown = false;
        for kind in ResourceType::all() {
            let number = match known.get(kind.name()) {
                Some(number) => *number,
                None => {
                    let number = next;
                    next += 1;
                    grown = true;
                    batch.put(Space::Meta, &[PREFIX, kind.name().as_bytes()].concat(), &number.to_be_bytes());
                    number
                }
            };
            types.numbers.push(TypeNumber(number));
            types.types.insert(number, kind);
        }
        Ok((types, grown))
    }

    /// The number of a type.
    pub(crate) fn number(&self, kind: ResourceType) -> TypeNumber {
        // INVARIANT: `load` gave every type a number; 0 is nobody's.
        self.numbers.get(kind.index()).copied().unwrap_or(TypeNumber(0))
    }

    /// The type with this number.
    pub(crate) fn kind(&self, number: TypeNumber) -> Option<ResourceType> {
        self.types.get(&number.0).copied()
    }
}
