//! Index values drawn out of resources: for one that is written, and for all of them anew when the
//! search parameters, or the base URL that makes a reference local, have changed.

use crate::{
    engine::{
        Engine, Fault, Space, key,
        record::{Damaged, Version},
    },
    redaction,
    types::Types,
    writer::prepare::postings,
};
use fhir::{LogicalId, element::Element, json::Tree};
use search::{IndexValues, Registry, encoded, matcher::patients_of};

/// Operations of one batch while indices are made anew.
const BATCH_OPS: usize = 20_000;

/// The index values of a resource: of what can be withheld alone none.
pub(crate) fn extract(registry: &Registry, tree: &Tree, base_url: &str) -> IndexValues {
    drawn(registry, tree, base_url).0
}

/// The same, and whether there is such a part.
pub(crate) fn drawn(registry: &Registry, tree: &Tree, base_url: &str) -> (IndexValues, bool) {
    match redaction::open(tree) {
        Ok(None) => (extract_all(registry, tree, base_url), false),
        Ok(Some(open)) => (extract_all(registry, &open, base_url), true),
        Err(_) => (IndexValues::default(), true),
    }
}

fn extract_all(registry: &Registry, tree: &Tree, base_url: &str) -> IndexValues {
    Element::resource(tree, registry.schema())
        .map(|resource| search::extract(registry, resource, base_url))
        .unwrap_or_default()
}

/// Makes all indices anew, those of added parameters too: first removes every row, then indexes each current version, then draws
/// the values of past versions. Interrupted, it is begun again at the next start.
pub(crate) fn all(engine: &Engine, types: &Types, registry: &Registry, base_url: &str) -> Result<u64, Fault> {
    for space in [Space::Index, Space::Compartment] {
        remove_all(engine, space)?;
    }
    let view = engine.view();
    let mut batch = engine.batch();
    let (mut ops, mut count) = (0, 0u64);
    for space in [Space::Current, Space::History] {
        let mut pairs = view.from(space, &[])?;
        // Values of the version that follows a deletion in the history: the one it ended.
        while let Some((stored_key, value)) = pairs.next_pair()? {
            let number = stored_key.first_chunk::<2>().map(|bytes| key::TypeNumber(u16::from_be_bytes(*bytes)));
            let kind = number.and_then(|number| types.kind(number)).ok_or(Damaged("type number"))?;
            let version = Version::decode(&value)?;
            let id = LogicalId::parse(version.id).map_err(|_| Damaged("id"))?;
            let ended;
            let json = if version.json.is_empty() {
                let row = stored_key.get(2..10).and_then(<[u8]>::first_chunk::<8>).ok_or(Damaged("history key"))?;
                let number = types.number(kind);
                let before = key::history(number, u64::from_be_bytes(*row), version.version.saturating_sub(1));
                ended = view.value(Space::History, &before)?.ok_or(Damaged("history of a deletion"))?;
                Version::decode(&ended)?.json
            } else {
                version.json
            };
            let tree = Tree::parse(json.to_vec()).map_err(|_| Damaged("stored JSON"))?;
            let (values, has_parts) = drawn(registry, &tree, base_url);
            let labelled = has_parts && !version.json.is_empty();
            let patients = patients_of(&values, registry, kind, &id);
            let values = encoded::encode(&values);
            batch.put(space, &stored_key, &Version { labelled, values: &values, ..version }.encode());
            ops += 1;
            if space == Space::Current {
                let row = key::row_of(&stored_key).ok_or(Damaged("version key"))?;
                let postings = postings(types, registry, kind, &patients, encoded::EncodedValues::new(&values));
                for (space, list) in [(Space::Index, postings.index), (Space::Compartment, postings.compartment)] {
                    ops += list.len();
                    list.iter().for_each(|begin| batch.put(space, &key::with_row(begin, row), &[]));
                }
                count += 1;
            }
            if ops >= BATCH_OPS {
                std::mem::replace(&mut batch, engine.batch()).commit()?;
                engine.keep_up()?;
                ops = 0;
                tracing::info!(resources = count, "indexing anew");
            }
        }
    }
    batch.commit()?;
    Ok(count)
}

fn remove_all(engine: &Engine, space: Space) -> Result<(), Fault> {
    let view = engine.view();
    let mut keys = view.from(space, &[])?;
    loop {
        let mut batch = engine.batch();
        let mut ops = 0;
        while ops < BATCH_OPS {
            let Some(key) = keys.next_key()? else { break };
            batch.remove(space, &key);
            ops += 1;
        }
        if ops == 0 {
            return Ok(());
        }
        batch.commit()?;
        engine.keep_up()?;
    }
}
