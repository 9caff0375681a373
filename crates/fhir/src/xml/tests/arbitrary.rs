//! Resources of every type made from the tables, there and back; bytes near to XML, and what must hold
//! then.

use super::*;
use crate::schema::{ElementDefinition, TypeDefinition, TypeKind, resource_type_names};

/// Numbers from a seed, the same on every machine (SplitMix64).
struct Random(u64);

impl Random {
    fn below(&mut self, count: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((mixed ^ (mixed >> 31)) % count as u64) as usize
    }

    fn one<'t>(&mut self, of: &[&'t str]) -> &'t str {
        of[self.below(of.len())]
    }

    fn once_in(&mut self, count: usize) -> bool {
        self.below(count) == 0
    }
}

/// A resource as canonical JSON.
fn resource(name: &str, random: &mut Random, depth: usize) -> String {
    let definition = r4().type_named(name).unwrap();
    let members = members(definition, random, depth);
    let comma = if members.is_empty() { "" } else { "," };
    format!("{{\"resourceType\":\"{name}\"{comma}{members}}}")
}

fn members(definition: &TypeDefinition, random: &mut Random, depth: usize) -> String {
    let mut out: Vec<String> = Vec::new();
    // A wide type of which much is there is too much: about four elements each.
    let spread = (definition.elements.len() / 4).max(2);
    for element in &definition.elements {
        let is_attribute = super::super::read::is_attribute(element, definition);
        let is_wanted = (definition.name == "Extension" && element.name == "url") || random.once_in(spread);
        if !is_wanted || depth > 5 && element.types[0].code != "id" && !is_attribute {
            continue;
        }
        if is_attribute {
            out.push(format!("\"{}\":{}", element.name, text(random)));
        } else {
            member(element, random, depth, &mut out);
        }
    }
    out.join(",")
}

fn member(element: &ElementDefinition, random: &mut Random, depth: usize, out: &mut Vec<String>) {
    let reference = &element.types[random.below(element.types.len())];
    let Some(definition) = r4().type_of(reference) else { return };
    let name = if element.is_choice {
        let (first, rest) = reference.code.split_at(1);
        format!("{}{}{rest}", element.name, first.to_uppercase())
    } else {
        element.name.to_owned()
    };
    let repeats = element.max != Some(1);
    let count = if repeats { 1 + random.below(3) } else { 1 };
    let list = |items: &[String]| if repeats { format!("[{}]", items.join(",")) } else { items[0].clone() };
    let null = || "null".to_owned();
    if definition.kind == TypeKind::Primitive && definition.name != "xhtml" {
        let (mut values, mut companions) = (Vec::new(), Vec::new());
        for _ in 0..count {
            let has_value = !random.once_in(8);
            let extension = |random: &mut Random| format!("\"extension\":[{}]", object("Extension", random, depth + 2));
            companions.push(match (has_value, random.below(8)) {
                (true, 0) => format!("{{\"id\":{}}}", text(random)),
                (true, 1) | (false, _) => format!("{{{}}}", extension(random)),
                _ => null(),
            });
            values.push(if has_value { primitive(definition.name, random) } else { null() });
        }
        if values.iter().any(|one| *one != "null") {
            out.push(format!("\"{name}\":{}", list(&values)));
        }
        if companions.iter().any(|one| *one != "null") {
            out.push(format!("\"_{name}\":{}", list(&companions)));
        }
        return;
    }
    let items: Vec<String> = (0..count)
        .map(|_| match definition.kind {
            TypeKind::Resource if definition.is_abstract => {
                let names = resource_type_names();
                resource(names[random.below(names.len())], random, depth + 3)
            }
            TypeKind::Resource => resource(definition.name, random, depth + 3),
            TypeKind::Primitive => quoted(random.one(&[
                "<div xmlns=\"http://www.w3.org/1999/xhtml\">a</div>",
                "<div lang='x' xmlns=\"http://www.w3.org/1999/xhtml\">\r\n<p>&lt;\u{e9}\t<img src=\"#a\"/></p></div>",
            ])),
            _ => object(definition.name, random, depth + 1),
        })
        .collect();
    out.push(format!("\"{name}\":{}", list(&items)));
}

/// An object of a type, never empty.
fn object(name: &str, random: &mut Random, depth: usize) -> String {
    let definition = r4().type_named(name).unwrap();
    let members = members(definition, random, depth);
    if members.is_empty() { format!("{{\"id\":{}}}", text(random)) } else { format!("{{{members}}}") }
}

fn primitive(name: &str, random: &mut Random) -> String {
    match name {
        "boolean" => random.one(&["true", "false"]).to_owned(),
        "integer" | "unsignedInt" | "positiveInt" => random.one(&["1", "7", "2147483647"]).to_owned(),
        "decimal" => {
            random.one(&["0", "-0.00", "1.50", "1E-22", "-3.0e+4", "123456789012345678901234567890.10"]).to_owned()
        }
        _ => text(random),
    }
}

fn text(random: &mut Random) -> String {
    let length = 1 + random.below(6);
    let letters =
        ["a", "B", " ", "&", "<", ">", "\"", "'", "\\", "/", "\n", "\r", "\t", "\u{e9}", "\u{1F600}", "]]>", "&amp;"];
    quoted(&(0..length).map(|_| random.one(&letters)).collect::<String>())
}

fn quoted(text: &str) -> String {
    let mut out = Vec::new();
    crate::json::append_string(&mut out, text);
    String::from_utf8(out).unwrap()
}

#[test]
fn resources_of_every_type_come_back_byte_for_byte() {
    let mut bytes = 0;
    for (number, name) in resource_type_names().iter().enumerate() {
        for seed in 0..3 {
            let canonical = resource(name, &mut Random(seed * 1000 + number as u64), 0);
            bytes += canonical.len();
            assert_eq!(json(&xml(&canonical)), canonical);
        }
    }
    assert!(bytes > 500_000, "{bytes} bytes of resources are no proof");
}

/// What holds for any bytes at all: no panic, places inside; and what is read can be written and read again.
fn holds(bytes: &[u8]) -> bool {
    match read(bytes.to_vec(), r4()) {
        Ok(tree) => {
            assert!(tree.bytes().len() <= 4 * bytes.len() + 64, "{} bytes became {}", bytes.len(), tree.bytes().len());
            let written = write(&tree, r4()).unwrap_or_else(|error| panic!("{error}: {:?}", tree.bytes()));
            let again = read(written, r4()).unwrap_or_else(|error| panic!("{error}: {:?}", tree.bytes()));
            assert_eq!(again.bytes(), tree.bytes());
            true
        }
        Err(error) => {
            let lines = bytes.split(|byte| *byte == b'\n').count();
            assert!(!error.faults.is_empty());
            assert!(
                error.faults.iter().all(|fault| fault.line >= 1 && fault.line as usize <= lines && fault.column >= 1)
            );
            false
        }
    }
}

#[test]
fn bytes_near_to_xml_never_break_the_reader() {
    let names = resource_type_names();
    let pieces: [&[u8]; 16] = [
        b"<",
        b">",
        b"/",
        b"\"",
        b"'",
        b"&",
        b";",
        b"<!--",
        b"-->",
        b"<?",
        b"xmlns:a=\"u\"",
        b"<!DOCTYPE",
        b"\xFF",
        b"a:",
        b"\0",
        b" value=\"1\"",
    ];
    let mut taken = 0;
    for seed in 0..1500 {
        let random = &mut Random(seed);
        let name = names[random.below(names.len())];
        let mut bytes = xml(&resource(name, random, 4)).into_bytes();
        for _ in 0..random.below(4) {
            let at = random.below(bytes.len());
            let to = (at + random.below(8)).min(bytes.len());
            match random.below(3) {
                0 => bytes.splice(at..to, pieces[random.below(pieces.len())].iter().copied()).for_each(drop),
                1 => bytes.drain(at..to).for_each(drop),
                _ => bytes.splice(at..at, bytes[at..to].to_vec()).for_each(drop),
            }
            if bytes.is_empty() {
                break;
            }
        }
        taken += usize::from(holds(&bytes));
    }
    assert!((100..1400).contains(&taken), "{taken} of 1500 were taken");
}
