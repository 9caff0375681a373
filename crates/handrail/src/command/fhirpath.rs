//! `handrail fhirpath`: an expression on one file, with the place of each result in it.
//!
//! The expression is checked against the type of the resource before it is evaluated, and evaluated to the
//! letter of the language. `resolve()` finds what the file itself holds and nothing else; `memberOf()` and
//! `conformsTo()` (of a resource) ask the terminology and the profiles that are compiled in, and with `--data` those
//! of a data directory. SPEC: FHIRPath N1, R4 fhirpath.html. Left out: the resources of a server.

use super::data;
use crate::{clock, fault::Fault, knowledge::Knowledge, packages, print};
use clap::Args;
use fhir::{
    element::Element,
    json::{Tree, Value, Writer},
    schema, xml,
};
use fhirpath::{Context, Expression, Item};
use std::{
    io::Read,
    path::{Path, PathBuf},
    process::ExitCode,
};
use terminology::{Coding, Membership};
use validation::Options;

/// Evaluate a FHIRPath expression on a file.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  handrail fhirpath 'name.given.first()' patient.json
  handrail fhirpath 'entry.resource.ofType(Observation).value' bundle.xml --json
  handrail fhirpath \"code.memberOf('http://loinc.org/vs/LL1162-8')\" observation.json --data ./data

Each result is a line: its type, its value, and for an element of the file its path, line and
column. What trace() saw goes to standard error. A name that the resource's type does not have is an
error; so is everything else that the language calls one. The exit code is then 1.")]
pub(super) struct Fhirpath {
    /// The expression
    #[arg(allow_hyphen_values = true)]
    expression: String,
    /// A resource in JSON or XML; - reads standard input
    file: PathBuf,
    /// One JSON object a line: {"type": …, "value": …}
    #[arg(long)]
    json: bool,
    /// A data directory whose packages and code systems memberOf(), subsumes() and conformsTo() know too
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
}

impl Fhirpath {
    /// Does it.
    pub(super) fn run(self) -> Result<ExitCode, Fault> {
        let expression = Expression::parse(&self.expression).map_err(|error| {
            let before = self.expression.get(..error.offset).unwrap_or(&self.expression);
            let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
            let line = before.matches('\n').count() + 1;
            Fault::new(format_args!("expression, line {line}, column {column}: {}", error.message))
        })?;
        let tree = read(&self.file)?;
        let root = Element::resource(&tree, schema::r4())
            .ok_or_else(|| Fault::at(self.file.display(), "no resource of FHIR R4: resourceType names none"))?;
        fhirpath::check(&expression, root.schema, root.definition, None).map_err(Fault::new)?;
        let known = Known(match &self.data {
            Some(data) => Knowledge::of(packages::definitions(data::existing(data)?)?, data)?,
            None => Knowledge::new(schema::Definitions::builtin(), Default::default()),
        });
        let context = Context {
            now: Some(clock::now()),
            terminology: Some(&known),
            conformance: Some(&known),
            trace: Some(&Traced),
            html_checks: Some(|text| validation::narrative::check(text).is_ok()),
            strict: true,
            ..Context::default()
        };
        let items = fhirpath::evaluate(&expression, root, &context).map_err(Fault::new)?;
        let mut lines = String::new();
        // What a reference points at and that is not in the file is ignored, as the language asks.
        for item in items.iter().filter(|item| !matches!(item, Item::Unresolved(_))) {
            if !lines.is_empty() {
                lines.push('\n');
            }
            lines.push_str(&if self.json { object(item) } else { line(item, root) });
        }
        if lines.is_empty() {
            if !self.json {
                print::note("no result");
            }
        } else {
            print::result(lines);
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// The resource of a file: XML when it begins like XML.
fn read(file: &Path) -> Result<Tree, Fault> {
    let mut bytes = Vec::new();
    let limit = u64::try_from(fhir::limits::BODY_BYTES_MAX).unwrap_or(u64::MAX) + 1;
    let outcome = if file == Path::new("-") {
        std::io::stdin().lock().take(limit).read_to_end(&mut bytes)
    } else {
        std::fs::File::open(file).and_then(|open| open.take(limit).read_to_end(&mut bytes))
    };
    outcome.map_err(|why| Fault::at(file.display(), why))?;
    let first = bytes.iter().copied().find(|byte| !byte.is_ascii_whitespace() && !matches!(byte, 0xef | 0xbb | 0xbf));
    if first == Some(b'<') {
        xml::read_in_any_order(bytes, schema::r4()).map_err(|error| Fault::at(file.display(), error))
    } else {
        Tree::parse(bytes).map_err(|error| Fault::at(file.display(), error))
    }
}

/// `Type  value  path  line:column`, as far as it has them.
fn line(item: &Item<'_>, root: Element<'_>) -> String {
    let style = print::Style::of_stdout();
    let shown = match item {
        Item::Element(element) if element.is_primitive() => match element.text() {
            Some(text) => one_line(&text),
            None => "(no value)".to_owned(),
        },
        item => item.to_text().filter(|_| item.element().is_none()).map_or_else(|| value(item), |text| one_line(&text)),
    };
    let mut out = format!("{}  {shown}", style.strong(type_name(item)));
    if let Some(at) = item.element().and_then(|element| element.value.or(element.companion))
        && root.value.is_some_and(|value| std::ptr::eq(at.tree(), value.tree()))
    {
        let (line, column) = at.position();
        out.push_str(&format!("  {}", style.faint(format_args!("{}  {line}:{column}", path(root, at)))));
    }
    out
}

/// Text as it is when it is one line of plain characters, else as JSON.
fn one_line(text: &str) -> String {
    if text.chars().any(char::is_control) { json(|w| w.string(text)) } else { text.to_owned() }
}

/// `{"type": …, "value": …}`.
fn object(item: &Item<'_>) -> String {
    format!("{{\"type\": {}, \"value\": {}}}", json(|w| w.string(type_name(item))), value(item))
}

/// The type by the name that FHIR gives it: values of the language have the names of FHIR's primitives.
fn type_name<'a>(item: &Item<'a>) -> &'a str {
    match item {
        Item::Boolean(_) => "boolean",
        Item::String(_) => "string",
        Item::Integer(_) => "integer",
        Item::Decimal(_) => "decimal",
        Item::Temporal(_) => match item.type_name() {
            "Date" => "date",
            "DateTime" => "dateTime",
            _ => "time",
        },
        item => item.type_name(),
    }
}

/// The value as JSON on one line: elements as they stand in the file, a quantity as its text.
fn value(item: &Item<'_>) -> String {
    json(|w| match item {
        Item::Element(element) => match element.value {
            Some(value) => w.value(value),
            None => w.raw(b"null"),
        },
        Item::Boolean(value) => w.boolean(*value),
        Item::Integer(value) => w.integer(*value),
        Item::Decimal(value) => w.raw(value.to_string().as_bytes()),
        Item::Type(namespace, name) => w.object(|w| {
            w.member("namespace", namespace);
            w.member("name", name);
        }),
        Item::Definition(definition) => w.string(&definition.to_string()),
        item => w.string(&item.to_text().unwrap_or_default()),
    })
}

fn json(write: impl FnOnce(&mut Writer)) -> String {
    let mut writer = Writer::new();
    write(&mut writer);
    String::from_utf8(writer.into_bytes()).unwrap_or_default()
}

/// The path of a value below the root: `Patient.name[0].given[1]`.
fn path(root: Element<'_>, to: Value<'_>) -> String {
    let mut out = root.definition.name.to_owned();
    let mut at = root;
    let holds = |element: &Element<'_>| {
        let parts = [element.value, element.companion];
        parts.iter().flatten().any(|part| part.span().start <= to.span().start && to.span().end <= part.span().end)
    };
    while at.value.or(at.companion).is_some_and(|value| value.index() != to.index()) {
        let (mut next, mut name, mut number) = (None, "", 0);
        at.all_children(|child| {
            let own = child.reached_by.map_or("", |by| by.name);
            number = if own == name { number + 1 } else { 0 };
            name = own;
            if next.is_none() && holds(&child) {
                next = Some((child, number));
            }
        });
        let Some((child, number)) = next else { break };
        out.push('.');
        out.push_str(child.reached_by.map_or("", |by| by.name));
        if child.reached_by.is_some_and(|by| by.max != Some(1)) {
            out.push_str(&format!("[{number}]"));
        }
        at = child;
    }
    out
}

/// `trace()` writes for the person.
struct Traced;

impl fhirpath::Trace for Traced {
    fn trace(&self, name: &str, items: &[Item<'_>]) {
        for item in items {
            print::note(format_args!("trace {}: {}  {}", one_line(name), type_name(item), value(item)));
        }
        if items.is_empty() {
            print::note(format_args!("trace {}: no result", one_line(name)));
        }
    }
}

/// What is loaded knows about codes and profiles.
struct Known(Knowledge);

impl fhirpath::Terminology for Known {
    fn member_of(&self, value_set: &str, code: fhirpath::Code<'_>) -> Option<bool> {
        let coding = Coding { system: code.system, version: code.version, code: code.code, display: None };
        match self.0.validator().terminology().validate_code(value_set, coding) {
            Membership::In => Some(true),
            Membership::NotIn => Some(false),
            Membership::Unknown(_) => None,
        }
    }

    fn subsumes(&self, general: fhirpath::Code<'_>, special: fhirpath::Code<'_>) -> Option<bool> {
        let system = self.0.validator().terminology().code_system(general.system?)?;
        Some(system.is_a(system.find(special.code)?, system.find(general.code)?))
    }
}

impl fhirpath::Conformance for Known {
    fn conforms_to(&self, element: Element<'_>, profile: &str) -> Option<bool> {
        let validator = self.0.validator();
        validator.definitions().profile(profile)?;
        let resource = element.value.filter(|_| element.definition.kind == schema::TypeKind::Resource)?;
        let options = Options { profiles: &[profile], claims: false, ..Options::default() };
        Some(validator.validate_with(resource.to_tree(), None, &options).is_ok())
    }
}
