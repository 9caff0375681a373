//! The official FHIRPath suite for R4, as far as its inputs are JSON or none. Left out: XML inputs.

use ::fhirpath::{Context, Expression, Item, evaluate};
use fhir::{Instant, element::Element, json::Tree, schema};
use std::{collections::BTreeMap, path::Path};

/// What differs on purpose or is not there yet, by name, with the reason; each must still differ.
const KNOWN_DIFFERENCES: [(&str, &str); 5] = [
    ("LowBoundaryDecimal15", "a boundary with fewer digits than the number: the suite cuts, we round outwards"),
    ("HighBoundaryDecimal15", "as above"),
    ("HighBoundaryDecimal16", "as above"),
    ("HighBoundaryDateTimeMillisecond1", "the suite fills a missing minute with 00, we with 59"),
    ("HighBoundaryDateTimeMillisecond3", "as above"),
];

/// One test of the suite.
struct Test {
    name: String,
    input: String,
    expression: String,
    is_predicate: bool,
    /// It must fail to parse or to evaluate.
    is_invalid: bool,
    outputs: Vec<(String, String)>,
}

/// Runs the tests.
pub(super) fn suite(directory: &Path) -> Result<String, String> {
    let folder = directory.join("fhirpath");
    let file = folder.join("tests-fhir-r4.xml");
    let text = std::fs::read_to_string(&file).map_err(|e| format!("{}: {e}", file.display()))?;
    let tests: Vec<Test> = tests(&text).filter(|test| test.input.is_empty() || test.input.ends_with(".json")).collect();
    let mut inputs = BTreeMap::new();
    inputs.insert("", Tree::parse(r#"{"resourceType": "Patient"}"#.to_owned()).map_err(|e| e.to_string())?);
    for test in tests.iter().filter(|test| !test.input.is_empty()) {
        let file = folder.join(&test.input);
        let bytes = std::fs::read(&file).map_err(|e| format!("{}: {e}", file.display()))?;
        inputs.insert(&test.input, Tree::parse(bytes).map_err(|e| format!("{}: {e}", test.input))?);
    }
    let (mut faults, mut differences) = (Vec::new(), 0);
    for test in &tests {
        let Some(tree) = inputs.get(test.input.as_str()) else { continue };
        let known = KNOWN_DIFFERENCES.iter().any(|(name, _)| *name == test.name);
        match (run(test, tree), known) {
            (Ok(()), false) => {}
            (Err(_), true) => differences += 1,
            (Ok(()), true) => faults.push(format!("no longer a difference: {}", test.name)),
            (Err(why), false) => faults.push(format!("{}: {}: {why}", test.name, test.expression)),
        }
    }
    if tests.len() < 80 {
        return Err(format!("only {} tests were found", tests.len()));
    }
    match faults.first() {
        None => Ok(format!("{} tests, {differences} known differences", tests.len())),
        Some(_) => Err(format!("{} of {} tests\n      {}", faults.len(), tests.len(), faults.join("\n      "))),
    }
}

fn run(test: &Test, tree: &Tree) -> Result<(), String> {
    let root = Element::resource(tree, schema::r4()).ok_or("the input is no resource")?;
    let context = Context { now: Some(Instant::from_unix_millis(1_767_225_600_000)), ..Context::default() };
    let found = Expression::parse(&test.expression).map_err(|e| e.to_string());
    let found = match &found {
        Ok(expression) => evaluate(expression, root, &context).map_err(|e| e.to_string()),
        Err(why) => Err(why.clone()),
    };
    match found {
        Err(_) if test.is_invalid => Ok(()),
        Err(why) => Err(why),
        Ok(_) if test.is_invalid => Err("should fail".to_owned()),
        Ok(items) if test.is_predicate => match items.as_slice() {
            [Item::Boolean(false)] | [] => Err("should be true".to_owned()),
            _ => Ok(()),
        },
        Ok(items) => {
            let shown: Vec<(String, String)> = items
                .iter()
                .map(|item| (item.type_name().to_owned(), item.to_text().unwrap_or_default().into()))
                .collect();
            let same = shown.len() == test.outputs.len()
                && shown.iter().zip(&test.outputs).all(|((kind, text), (wanted_kind, wanted))| {
                    let wanted = wanted.strip_prefix('@').unwrap_or(wanted);
                    let wanted = wanted.strip_prefix('T').unwrap_or(wanted);
                    (wanted_kind.is_empty() || kind.eq_ignore_ascii_case(wanted_kind)) && text == wanted
                });
            if same { Ok(()) } else { Err(format!("found {shown:?}")) }
        }
    }
}

/// The `<test>` elements of the suite's XML, which has no nesting below them but their parts.
fn tests(text: &str) -> impl Iterator<Item = Test> + '_ {
    text.split("<test ").skip(1).map(|rest| {
        let body = rest.split("</test>").next().unwrap_or(rest);
        let (head, body) = body.split_once('>').unwrap_or((body, ""));
        let (expression_head, after) =
            body.split_once("<expression").and_then(|(_, one)| one.split_once('>')).unwrap_or_default();
        let outputs = body.split("<output").skip(1).filter_map(|output| {
            let (head, rest) = output.split_once('>')?;
            let value = if head.ends_with('/') { "" } else { rest.split("</output>").next()? };
            Some((attribute(head, "type").unwrap_or_default(), unescaped(value)))
        });
        Test {
            name: attribute(head, "name").unwrap_or_default(),
            input: attribute(head, "inputfile").unwrap_or_default(),
            is_predicate: attribute(head, "predicate").as_deref() == Some("true"),
            is_invalid: attribute(expression_head, "invalid").is_some(),
            expression: unescaped(after.split("</expression>").next().unwrap_or_default()),
            outputs: outputs.collect(),
        }
    })
}

fn attribute(head: &str, name: &str) -> Option<String> {
    let (_, rest) = head.split_once(&format!("{name}=\""))?;
    rest.split('"').next().map(unescaped)
}

fn unescaped(text: &str) -> String {
    let text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&apos;", "'");
    text.replace("&#39;", "'").replace("&amp;", "&")
}
