//! StructureDefinitions: profiles and extensions as lines of facts.
//! SPEC: R4 structuredefinition.html, profiling.html.
//!
//! A definition with a snapshot is taken at its word; one with a differential alone gets its snapshot
//! from [`crate::snapshot`].

use crate::{
    fault::{Fault, FaultKind},
    limits::BASES_MAX,
    package::Package,
    snapshot::{self, Faulty, Line},
    table::{Constraints, Table},
    tree::{Budget, Node, Profiles, Way},
    value::{is_true, items, text, texts},
};
use fhir::{
    json::Value,
    schema::{Definitions, Schema},
};
use std::{
    cell::RefCell,
    collections::{BTreeMap, HashMap},
    rc::Rc,
};

/// Which snapshot of a definition is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// The publisher's when there is one, else our own.
    Published,
    /// Our own, of the differential; for definitions that have one.
    Generated,
}

/// The profiles of a package: `P url version package type base abstract`, `X kind expression`,
/// `Y invariant`, `E id min max types flags binding invariants slicing values`.
pub(crate) fn table(
    package: &Package,
    schema: &Schema,
    known: &Definitions,
    constraints: &mut Constraints,
    faults: &mut Vec<Fault>,
) -> String {
    let work = Work::new(package, schema, known);
    let mut table = Table::default();
    for definition in definitions(package) {
        match work.lines(definition, Form::Published) {
            Ok((lines, loosened)) if loosened.is_empty() => write(&mut table, package, definition, &lines, constraints),
            Ok((_, loosened)) => faults.extend(loosened.into_iter().map(|faulty| fault(definition, faulty))),
            Err(faulty) => faults.push(fault(definition, faulty)),
        }
    }
    table.into_text()
}

fn fault(definition: Value<'_>, (element, kind): Faulty) -> Fault {
    Fault { definition: name(definition), element, kind }
}

/// The lines of one profile, each `E`-line's cells between tabs, in one of the two forms, and what the
/// differential would loosen, which stays as the base has it. For holding one form against the other.
///
/// # Errors
/// Why it has none.
pub fn lines_of(
    package: &Package,
    url: &str,
    form: Form,
    schema: &Schema,
    known: &Definitions,
) -> Result<(Vec<String>, Vec<Fault>), Fault> {
    let work = Work::new(package, schema, known);
    let found = definitions(package).into_iter().find(|one| text(*one, "url") == url);
    let none = || Fault { definition: url.to_owned(), element: String::new(), kind: FaultKind::NoUrl };
    let definition = found.ok_or_else(none)?;
    let (lines, loosened) = work.lines(definition, form).map_err(|faulty| fault(definition, faulty))?;
    let lines = lines.iter().map(|line| cells(line, &mut Constraints::default()).join("\t")).collect();
    Ok((lines, loosened.into_iter().map(|faulty| fault(definition, faulty)).collect()))
}

/// The profiles and extensions of a package, in the order of their URLs; also those that are refused.
fn definitions(package: &Package) -> Vec<Value<'_>> {
    let all = package.resources("StructureDefinition").into_iter();
    // R4 core itself: its types are the schema.
    all.filter(|one| !(package.name == "hl7.fhir.r4.core" && text(*one, "derivation") != "constraint")).collect()
}

/// The URLs of the profiles and extensions of a package that have a snapshot and a differential.
#[must_use]
pub fn with_both_forms(package: &Package) -> Vec<String> {
    let all = definitions(package).into_iter();
    let both = all.filter(|one| one.get("snapshot").is_some() && one.get("differential").is_some());
    both.filter(|one| text(*one, "derivation") == "constraint").map(|one| text(one, "url")).collect()
}

fn name(definition: Value<'_>) -> String {
    let (url, version) = (text(definition, "url"), text(definition, "version"));
    match (url.is_empty(), version.is_empty()) {
        (true, _) => format!("{}/{}", text(definition, "resourceType"), text(definition, "id")),
        (false, true) => url,
        (false, false) => format!("{url}|{version}"),
    }
}

fn write(table: &mut Table, package: &Package, definition: Value<'_>, lines: &[Line], constraints: &mut Constraints) {
    table.row(&[
        "P",
        &text(definition, "url"),
        &version(definition, package),
        &package.id(),
        &text(definition, "type"),
        &text(definition, "baseDefinition"),
        if is_true(definition, "abstract") { "abstract" } else { "" },
    ]);
    for context in items(definition, "context") {
        table.row(&["X", &text(context, "type"), &text(context, "expression")]);
    }
    for invariant in texts(definition, "contextInvariant") {
        table.row(&["Y", &invariant]);
    }
    for line in lines {
        let mut row = vec!["E".to_owned()];
        row.extend(cells(line, constraints));
        table.row(&row);
    }
}

fn cells(line: &Line, constraints: &mut Constraints) -> Vec<String> {
    let mut cells = vec![line.id.clone()];
    cells.extend(line.facts.cells(constraints));
    cells
}

fn version(definition: Value<'_>, package: &Package) -> String {
    match text(definition, "version") {
        none if none.is_empty() => package.version.clone(),
        version => version,
    }
}

/// The work on one package: which definitions have their lines, which are being made.
struct Work<'a> {
    package: &'a Package,
    schema: &'a Schema,
    known: &'a Definitions,
    own: HashMap<String, Vec<Value<'a>>>,
    done: RefCell<BTreeMap<String, Rc<Made>>>,
    open: RefCell<Vec<String>>,
}

/// A profile of the package with its lines, or that it has none.
struct Made {
    type_name: String,
    lines: Option<Vec<Line>>,
}

impl<'a> Work<'a> {
    fn new(package: &'a Package, schema: &'a Schema, known: &'a Definitions) -> Self {
        let mut own: HashMap<String, Vec<Value<'a>>> = HashMap::new();
        for definition in definitions(package) {
            own.entry(text(definition, "url")).or_default().push(definition);
        }
        let (done, open) = (RefCell::default(), RefCell::default());
        Self { package, schema, known, own, done, open }
    }

    /// The lines of a definition, and what it would loosen.
    fn lines(&self, definition: Value<'_>, form: Form) -> Result<(Vec<Line>, Vec<Faulty>), Faulty> {
        let whole = |kind| (String::new(), kind);
        let (url, type_name) = (text(definition, "url"), text(definition, "type"));
        if url.is_empty() || url.contains(['|', '\t', '\n', '\r', ' ']) {
            return Err(whole(FaultKind::NoUrl));
        }
        if text(definition, "kind") == "logical" {
            return Err(whole(FaultKind::Logical));
        }
        if text(definition, "derivation") != "constraint" {
            return Err(whole(FaultKind::NewType));
        }
        if self.schema.type_named(&type_name).is_none() {
            return Err(whole(FaultKind::UnknownType(type_name)));
        }
        let (published, differential) = (definition.get("snapshot"), definition.get("differential"));
        let budget = &mut Budget::new();
        let mut loosened = Vec::new();
        let root = match (published, differential, form) {
            (Some(_), Some(differential), Form::Generated) | (None, Some(differential), _) => {
                self.generate(definition, differential, &type_name, budget, &mut loosened)?
            }
            (Some(snapshot), _, _) => {
                let lines = snapshot::read(snapshot, self.schema)?;
                snapshot::tree_of(&type_name, lines, self.schema, budget)?
            }
            (None, None, _) => return Err(whole(FaultKind::NoElements)),
        };
        Ok((snapshot::lines(root), loosened))
    }

    fn generate(
        &self,
        definition: Value<'_>,
        differential: Value<'_>,
        type_name: &str,
        budget: &mut Budget,
        loosened: &mut Vec<Faulty>,
    ) -> Result<Node, Faulty> {
        let base = text(definition, "baseDefinition");
        let own = format!("{}|{}", text(definition, "url"), version(definition, self.package));
        let differential = snapshot::read(differential, self.schema)?;
        self.open.borrow_mut().push(own);
        let made = self.base(&base, type_name, budget).and_then(|mut root| {
            let way = &mut Way { schema: self.schema, profiles: self, budget, mentioned: None };
            snapshot::merge(&mut root, differential, way, loosened)?;
            Ok(root)
        });
        self.open.borrow_mut().pop();
        made
    }

    /// The tree of a base: of a type, or of a profile.
    fn base(&self, canonical: &str, type_name: &str, budget: &mut Budget) -> Result<Node, Faulty> {
        let whole = |kind| (String::new(), kind);
        let bare = canonical.split('|').next().unwrap_or(canonical);
        let of_type = bare.strip_prefix("http://hl7.org/fhir/StructureDefinition/");
        if let Some(of) = of_type.and_then(|name| self.schema.type_named(name)) {
            let is_it = of.name == type_name;
            let other = || whole(FaultKind::BaseType { base: canonical.to_owned(), of: of.name.to_owned() });
            return if is_it { Ok(Node::of_type(of)) } else { Err(other()) };
        }
        let found = self.find(canonical, budget).map_err(whole)?;
        let root = found.ok_or_else(|| whole(FaultKind::BaseUnknown(canonical.to_owned())))?;
        if root.name != type_name {
            return Err(whole(FaultKind::BaseType { base: canonical.to_owned(), of: root.name }));
        }
        Ok(root)
    }

    /// The tree of a profile of this package or of one that is known.
    fn find(&self, canonical: &str, budget: &mut Budget) -> Result<Option<Node>, FaultKind> {
        if let Some(definition) = self.own_definition(canonical) {
            let made = self.made(canonical, definition)?;
            let lines = made.lines.clone().ok_or_else(|| FaultKind::BaseFaulty(canonical.to_owned()))?;
            let root = snapshot::tree_of(&made.type_name, lines, self.schema, budget);
            return root.map(Some).map_err(|(_, kind)| kind);
        }
        let Some(profile) = self.known.profile_among(canonical, &self.package.dependencies) else { return Ok(None) };
        let lines = profile
            .elements
            .iter()
            .map(|element| Line { id: element.id.to_owned(), facts: crate::element::Facts::of_profile(element) });
        let root = snapshot::tree_of(profile.type_name, lines, self.schema, budget);
        root.map(Some).map_err(|(_, kind)| kind)
    }

    fn own_definition(&self, canonical: &str) -> Option<Value<'a>> {
        let (url, wanted) = canonical.split_once('|').unwrap_or((canonical, ""));
        let mut all = self.own.get(url)?.iter();
        all.rfind(|one| wanted.is_empty() || version(**one, self.package) == wanted).copied()
    }

    /// The lines of a profile of this package, made once.
    fn made(&self, canonical: &str, definition: Value<'_>) -> Result<Rc<Made>, FaultKind> {
        let key = format!("{}|{}", text(definition, "url"), version(definition, self.package));
        if let Some(made) = self.done.borrow().get(&key) {
            return Ok(Rc::clone(made));
        }
        if self.open.borrow().contains(&key) {
            return Err(FaultKind::BaseCycle(canonical.to_owned()));
        }
        if self.open.borrow().len() >= BASES_MAX {
            return Err(FaultKind::Limit("profiles upon profiles"));
        }
        // Upon what is published, as everyone does.
        let lines = match self.lines(definition, Form::Published) {
            Err((_, kind @ (FaultKind::BaseCycle(_) | FaultKind::Limit(_)))) => return Err(kind),
            lines => lines.ok().filter(|(_, loosened)| loosened.is_empty()).map(|(lines, _)| lines),
        };
        let made = Rc::new(Made { type_name: text(definition, "type"), lines });
        self.done.borrow_mut().insert(key, Rc::clone(&made));
        Ok(made)
    }
}

impl Profiles for Work<'_> {
    /// Profiles of the types of elements: one that is being made, faulty or not known is left to its
    /// type.
    fn tree(&self, canonical: &str, budget: &mut Budget) -> Result<Option<Node>, FaultKind> {
        match self.find(canonical, budget) {
            Err(FaultKind::BaseCycle(_) | FaultKind::BaseFaulty(_)) => Ok(None),
            found => found,
        }
    }
}
