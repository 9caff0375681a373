//! The official FHIRPath suite for R4, whole: the tests that stand in comments of the file too.
//!
//! Each test runs the way `handrail fhirpath` does: parsed, checked against the type of its input, evaluated.

use ::fhirpath::{Context, Expression, Item, check, evaluate};
use fhir::{Instant, element::Element, json::Tree, schema, xml};
use std::{collections::BTreeMap, path::Path};

/// Tests that are wrong, by name, with the reason; each must still differ.
const WRONG_TESTS: [(&str, &str); 5] = [
    ("LowBoundaryDecimal15", "-0.0 is above -0.00345; the suite's own -1.59 for -1.587 rounds outwards, as we do here"),
    ("HighBoundaryDecimal15", "0.0 is below 0.00345 and below the number itself; 1.59 for 1.587 rounds outwards"),
    ("HighBoundaryDecimal16", "as above, and then negated: the sign binds less than the call"),
    (
        "HighBoundaryDateTimeMillisecond1",
        "T08 ends at 08:59:59.999, as @2014 ends in month 12; the suite says 08:00:59.999",
    ),
    ("HighBoundaryDateTimeMillisecond3", "the same expression again"),
];

/// Tests in the file, those in comments included.
const TESTS: usize = 937;

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
    let tests: Vec<Test> = tests(&text).collect();
    let mut inputs = BTreeMap::new();
    inputs.insert("", Tree::parse(r#"{"resourceType": "Patient"}"#.to_owned()).map_err(|e| e.to_string())?);
    for test in tests.iter().filter(|test| !test.input.is_empty()) {
        if !inputs.contains_key(test.input.as_str()) {
            inputs.insert(&test.input, input(&folder.join(&test.input))?);
        }
    }
    let (mut faults, mut wrong) = (Vec::new(), 0);
    for test in &tests {
        let Some(tree) = inputs.get(test.input.as_str()) else { continue };
        let known = WRONG_TESTS.iter().any(|(name, _)| *name == test.name);
        match (run(test, tree), known) {
            (Ok(()), false) => {}
            (Err(_), true) => wrong += 1,
            (Ok(()), true) => faults.push(format!("listed as wrong, but passed: {}", test.name)),
            (Err(why), false) => faults.push(format!("{}: {}: {why}", test.name, test.expression)),
        }
    }
    if tests.len() != TESTS {
        return Err(format!("{} tests were found, not {TESTS}", tests.len()));
    }
    match faults.first() {
        None => Ok(format!("{} tests, {wrong} of them wrong", tests.len())),
        Some(_) => Err(format!("{} of {} tests\n      {}", faults.len(), tests.len(), faults.join("\n      "))),
    }
}

fn input(file: &Path) -> Result<Tree, String> {
    let bytes = std::fs::read(file).map_err(|e| format!("{}: {e}", file.display()))?;
    let tree = if file.extension().is_some_and(|extension| extension == "xml") {
        // One of the suite's inputs is out of order.
        xml::read_in_any_order(bytes, schema::r4()).map_err(|e| format!("{e:?}"))
    } else {
        Tree::parse(bytes).map_err(|e| e.to_string())
    };
    tree.map_err(|e| format!("{}: {e}", file.display()))
}

fn run(test: &Test, tree: &Tree) -> Result<(), String> {
    let root = Element::resource(tree, schema::r4()).ok_or("the input is no resource")?;
    let now = Some(Instant::from_unix_millis(1_767_225_600_000));
    let context = Context { now, strict: true, ..Context::default() };
    let expression = Expression::parse(&test.expression).map_err(|e| e.to_string());
    let checked = expression.and_then(|expression| {
        check(&expression, schema::r4(), root.definition, None).map_err(|e| e.to_string()).map(|()| expression)
    });
    let found = match &checked {
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
