//! The JSON reader (row F56): never a panic; what it takes, `serde_json` takes with the same meaning; what
//! it refuses and `serde_json` takes breaks a rule of its own; places lie inside the input; what is printed
//! reads back the same; the limits hold.

use fhir::{
    json::{JsonErrorKind, Kind, Tree, Value, Writer},
    limits,
};
use serde::de::IgnoredAny;

/// Any bytes as JSON.
pub fn json(bytes: &[u8]) {
    // Its numbers are not looked at, so that only the grammar counts.
    let text = std::str::from_utf8(bytes).ok();
    let is_json = text.is_some_and(|text| serde_json::from_str::<IgnoredAny>(text).is_ok());
    let tree = match Tree::parse(bytes.to_vec()) {
        Ok(tree) => tree,
        Err(error) => {
            let line = bytes.split(|byte| *byte == b'\n').nth(error.line as usize - 1).expect("a line of the input");
            let columns = line.iter().filter(|byte| **byte & 0xC0 != 0x80).count();
            assert!((1..=columns + 1).contains(&(error.column as usize)), "column {} of {columns}", error.column);
            use JsonErrorKind as K;
            let own_rule = matches!(
                error.kind,
                K::TooLong
                    | K::TooDeep
                    | K::TooManyMembers
                    | K::TooManyValues
                    | K::LoneSurrogate
                    | K::NulCharacter
                    | K::EscapedName
                    | K::DuplicateName
                    | K::NameTooLong
            );
            assert!(!is_json || own_rule, "refused as {:?}", error.kind);
            return;
        }
    };
    assert!(is_json, "taken, and no JSON");
    let (values, depth) = measure(tree.root());
    assert!(values <= limits::NODES_MAX && depth <= limits::DEPTH_MAX, "{values} values, {depth} deep");
    // A number that no float holds is an error to serde; the text of it is still ours to keep.
    if let Ok(meant) = serde_json::from_slice::<serde_json::Value>(bytes) {
        assert_eq!(meaning(tree.root()), meant);
    }
    let printed = print(&tree);
    let again = Tree::parse(printed.clone()).expect("what was printed is read");
    assert_eq!(print(&again), printed);
    assert_eq!(meaning(again.root()), meaning(tree.root()));
    let (line, column) = tree.position(bytes.len() * 2);
    assert!(line as usize <= bytes.len() + 1 && column as usize <= bytes.len() + 1);
}

fn print(tree: &Tree) -> Vec<u8> {
    let mut w = Writer::new();
    w.value(tree.root());
    w.into_bytes()
}

/// Values below and with this one, and how deep arrays and objects nest.
fn measure(value: Value<'_>) -> (usize, usize) {
    let inner = value.members().map(measure).chain(value.items().map(measure));
    let (values, depth) = inner.fold((1, 0), |(values, depth), (more, deep)| (values + more, depth.max(deep)));
    (values, depth + usize::from(matches!(value.kind(), Kind::Object | Kind::Array)))
}

/// The value as `serde_json` would have read it.
fn meaning(value: Value<'_>) -> serde_json::Value {
    use serde_json::Value as Json;
    match value.kind() {
        Kind::Null => Json::Null,
        Kind::Bool => Json::Bool(value.as_bool().expect("a boolean")),
        Kind::Number => serde_json::from_str(value.number_text().expect("a number")).unwrap_or(Json::Null),
        Kind::String => Json::String(value.as_str().expect("a string").into_owned()),
        Kind::Array => Json::Array(value.items().map(meaning).collect()),
        Kind::Object => Json::Object(value.members().map(|m| (m.name().to_owned(), meaning(m))).collect()),
    }
}
