//! JSON to XML and back: every resource of the packages comes back as it was, and what came back does so
//! byte for byte.

use crate::definitions::package;
use fhir::{
    json::{Kind, Tree, Value},
    schema, xml,
};
use std::path::Path;

/// Resources that have no XML, or another one: each with what is wrong with it.
const KNOWN_FAULTS: [&str; 0] = [];

/// Sends all resources of all packages there and back.
pub(super) fn round_trips(directory: &Path) -> Result<String, String> {
    let (mut resources, mut bytes, mut faults) = (0usize, 0usize, Vec::new());
    for guide in schema::packages() {
        let path = directory.join(format!("packages/{}-{}.tgz", guide.name, guide.version));
        package::each_file(&path, |name, body| {
            // Resources are at the top and among the examples.
            if name.strip_prefix("example/").unwrap_or(name).contains('/') {
                return;
            }
            let Ok(tree) = Tree::parse(body) else {
                return faults.push(format!("{}: {name}: no JSON that this reader takes", guide.name));
            };
            // A package holds its index and its description too.
            if tree.resource_type().is_none() {
                return;
            }
            resources += 1;
            match round_trip(&tree) {
                Ok(len) => bytes += len,
                Err(why) => faults.push(format!("{}: {name}: {why}", guide.name)),
            }
        })?;
    }
    super::settled(resources, &format!("{resources} resources, {} MB of XML", bytes / 1_000_000), faults, &KNOWN_FAULTS)
}

/// The length of the XML, when the tree comes back from it as it was.
fn round_trip(tree: &Tree) -> Result<usize, String> {
    let schema = schema::r4();
    let written = xml::write(tree, schema).map_err(|e| format!("not written: {e}"))?;
    let length = written.len();
    let back = xml::read(written, schema).map_err(|e| format!("not read: {e}"))?;
    if let Some(place) = difference(tree.root(), back.root()) {
        return Err(format!("{place} came back otherwise"));
    }
    let again = xml::write(&back, schema).map_err(|e| format!("not written again: {e}"))?;
    let again = xml::read(again, schema).map_err(|e| format!("not read again: {e}"))?;
    if again.bytes() == back.bytes() { Ok(length) } else { Err("canonical JSON came back in other bytes".to_owned()) }
}

/// Where two values differ, when they do: the order of members is none of their content.
fn difference(one: Value<'_>, other: Value<'_>) -> Option<String> {
    let same = match (one.kind(), other.kind()) {
        (Kind::Object, Kind::Object) => {
            let differs = |member: Value<'_>| {
                let place = member.name().to_owned();
                match other.get(member.name()) {
                    None => Some(place),
                    Some(counterpart) => difference(member, counterpart).map(|inner| join(&place, &inner)),
                }
            };
            if let Some(place) = one.members().find_map(differs) {
                return Some(place);
            }
            one.members().count() == other.members().count()
        }
        (Kind::Array, Kind::Array) => {
            let pairs = one.items().zip(other.items()).enumerate();
            let mut differs = pairs.filter_map(|(at, (a, b))| Some(join(&format!("[{at}]"), &difference(a, b)?)));
            if let Some(place) = differs.next() {
                return Some(place);
            }
            one.items().count() == other.items().count()
        }
        (Kind::String, Kind::String) => one.as_str() == other.as_str(),
        (a, b) => a == b && one.raw() == other.raw(),
    };
    (!same).then(String::new)
}

fn join(outer: &str, inner: &str) -> String {
    match inner {
        "" => outer.to_owned(),
        inner if inner.starts_with('[') => format!("{outer}{inner}"),
        inner => format!("{outer}.{inner}"),
    }
}
