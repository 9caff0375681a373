//! The XML reader and writer, and the check of narrative (rows F51 to F55): never a panic; places lie inside
//! the input; what is made of it is in proportion to it; what was read is written and read again the same;
//! a narrative that passes is XHTML to XML too.

use fhir::{
    json::{Tree, Writer},
    schema, xml,
};
use validation::narrative;

/// How often longer than the XML its JSON may be: names and quotes, escapes, a namespace declared.
const GROWTH_MAX: usize = 4;

/// Any bytes: as XML, as JSON to be written, as narrative.
pub fn xml(bytes: &[u8]) {
    match xml::read(bytes.to_vec(), schema::r4()) {
        Ok(tree) => {
            let length = tree.bytes().len();
            assert!(length <= GROWTH_MAX * bytes.len() + 64, "{} bytes became {length}", bytes.len());
            same_after_xml(&tree);
            let (line, column) = tree.position(length);
            assert!(line as usize <= bytes.len() + 1 && column as usize <= bytes.len() + 1);
        }
        Err(error) => {
            assert!(!error.faults.is_empty(), "an error says what is wrong");
            for fault in error.faults {
                let line =
                    bytes.split(|byte| *byte == b'\n').nth(fault.line as usize - 1).expect("a line of the input");
                let columns = line.iter().filter(|byte| **byte & 0xC0 != 0x80).count();
                assert!((1..=columns + 1).contains(&(fault.column as usize)), "column {} of {columns}", fault.column);
            }
        }
    }
    if let Ok(tree) = Tree::parse(bytes.to_vec())
        && let Ok(written) = xml::write(&tree, schema::r4())
    {
        // Elements without value that only have an id are no FHIR, and none to the reader.
        if let Ok(back) = xml::read(written, schema::r4()) {
            same_after_xml(&back);
        }
    }
    if let Ok(text) = std::str::from_utf8(bytes)
        && narrative::check(text).is_ok()
    {
        passes(text);
    }
}

/// What XML made, XML makes again, byte for byte.
fn same_after_xml(tree: &Tree) {
    let written = xml::write(tree, schema::r4()).expect("what was read can be written");
    let again = xml::read(written, schema::r4()).expect("what was written can be read");
    assert_eq!(again.bytes(), tree.bytes());
}

/// A narrative that passes the check is one `<div>` to XML, and comes back as it was.
fn passes(div: &str) {
    let mut w = Writer::new();
    w.object(|w| {
        w.member("resourceType", "Basic");
        w.key("text");
        w.object(|w| w.member("div", div.trim_end_matches([' ', '\t', '\r', '\n'])));
    });
    let json = w.into_bytes();
    let tree = Tree::parse(json.clone()).expect("JSON");
    let written = xml::write(&tree, schema::r4()).expect("narrative is XHTML");
    let back = xml::read(written, schema::r4()).expect("narrative is read from XML");
    assert_eq!(back.bytes().as_ref(), json);
}
