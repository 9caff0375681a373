//! The guides' own examples: every member is known to the tables, every primitive has its format,
//! a stamped example differs in nothing but the server's fields.

use crate::definitions::package;
use fhir::{
    Instant, LogicalId, VersionId,
    element::Element,
    json::{Kind, Tree, Value},
    primitive,
    schema::{self, TypeKind},
    stamp::Template,
};
use std::path::Path;

/// Members that hold what R4 does not know, by the guides' own doing: extensions of JSON itself.
const NOT_ELEMENTS: [&str; 2] = ["resourceType", "fhir_comments"];

/// Faults of the examples themselves; each must still be there.
const KNOWN_FAULTS: [&str; 1] =
    // US Core 3.1.1: the hash has dots.
    ["DiagnosticReport-cardiology-report.json: Attachment.hash: base64Binary is base64 with padding"];

/// Walks all examples of the guides.
pub(super) fn known(directory: &Path) -> Result<String, String> {
    let (mut resources, mut elements, mut faults) = (0usize, 0usize, Vec::new());
    for guide in schema::packages().iter().skip(1) {
        let path = directory.join(format!("packages/{}-{}.tgz", guide.name, guide.version));
        for (name, body) in package::examples(&path)? {
            let tree = Tree::parse(body).map_err(|e| format!("{name}: {e}"))?;
            let Some(root) = Element::resource(&tree, schema::r4()) else {
                // A package's examples folder holds its index too.
                continue;
            };
            resources += 1;
            walk(root, &name, &mut elements, &mut faults);
            check_stamp(&tree, &name, &mut faults);
        }
    }
    super::settled(resources, &format!("{resources} resources, {elements} elements"), faults, &KNOWN_FAULTS)
}

fn walk(element: Element<'_>, name: &str, elements: &mut usize, faults: &mut Vec<String>) {
    *elements += 1;
    let path = element.reached_by.map_or(element.definition.name, |by| by.path);
    if element.definition.kind == TypeKind::Primitive {
        if let Some(text) = element.text()
            && let Err(rule) = primitive::check(element.definition.name, &text)
        {
            faults.push(format!("{name}: {path}: {rule}"));
        }
    } else if let Some(value) = element.value {
        for member in value.members().filter(|member| !NOT_ELEMENTS.contains(&member.name())) {
            let plain = member.name().strip_prefix('_').unwrap_or(member.name());
            if element.definition.member(plain).is_none() {
                faults.push(format!("{name}: {path}: unknown member {}", member.name()));
            }
        }
        if value.kind() != Kind::Object {
            faults.push(format!("{name}: {path}: not an object"));
        }
    }
    element.all_children(|child| walk(child, name, elements, faults));
}

fn check_stamp(tree: &Tree, name: &str, faults: &mut Vec<String>) {
    let (Ok(id), Some(version)) = (LogicalId::parse("stamped"), VersionId::new(3)) else { return };
    let stamped = Template::new(tree.root(), &id).stamp(version, Instant::from_unix_millis(0));
    let same = Tree::parse(stamped).is_ok_and(|stamped| {
        rest(tree.root(), &["id", "meta"]) == rest(stamped.root(), &["id", "meta"])
            && meta(tree.root()) == meta(stamped.root())
    });
    if !same {
        faults.push(format!("{name}: the stamp changed more than its own fields"));
    }
}

fn meta(resource: Value<'_>) -> Vec<(String, Vec<u8>)> {
    resource.get("meta").map(|meta| rest(meta, &["versionId", "lastUpdated"])).unwrap_or_default()
}

/// Names and values of the members but a few, sorted by name.
fn rest(object: Value<'_>, but: &[&str]) -> Vec<(String, Vec<u8>)> {
    let kept = object.members().filter(|member| !but.contains(&member.name()));
    let mut list: Vec<_> = kept
        .map(|member| {
            let mut w = fhir::json::Writer::new();
            w.value(member);
            (member.name().to_owned(), w.into_bytes())
        })
        .collect();
    list.sort();
    list
}
