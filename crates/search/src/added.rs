//! Search parameters that packages add while the program runs, and which of them are taken.
//!
//! What is compiled in keeps its meaning: scopes are written in it, and a package must not widen
//! them. A package's parameter that repeats one of the same type and code is left out, and its URL
//! stands for the one that is known. Of two packages with one URL the later wins; of two URLs the
//! earlier. SPEC: R4 searchparameter.html.

use crate::{
    limits::{ADDED_CODE_BYTES_MAX, ADDED_EXPRESSION_BYTES_MAX, ADDED_MAX},
    registry::{ParameterId, ParameterKind, Registry},
};
use fhir::{
    ResourceType,
    schema::{Schema, SearchParameterDefinition},
};
use std::collections::HashMap;

/// A search parameter as it is taken: what is indexed follows from it alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Definition {
    /// Canonical URL.
    pub url: String,
    /// Name in the query string.
    pub code: String,
    /// R4's code of its type.
    pub kind: String,
    /// Resource types it searches, without those where the code means another parameter.
    pub base: Vec<String>,
    /// Resource types a reference may point at; empty: any.
    pub target: Vec<String>,
    /// FHIRPath.
    pub expression: String,
    /// For composites: URL of a known parameter and expression of each component.
    pub components: Vec<(String, String)>,
}

/// A parameter with its number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Added {
    /// Its number: [`FIRST`] or above, never given to another.
    pub id: ParameterId,
    /// What it is.
    pub definition: Definition,
    /// Its package is gone and its keys are being removed: no query names it, nothing is drawn out
    /// for it, and what it is decides still which keys there are.
    pub retired: bool,
}

/// Numbers of added parameters begin here; those below are places in the compiled-in tables. The
/// last number is nobody's: stores use it for compartments.
pub const FIRST: u16 = 0x8000;

/// What was chosen.
#[derive(Debug, Clone, Default)]
pub struct Choice {
    /// Those to be indexed.
    pub taken: Vec<Definition>,
    /// URL and reason of those that are not, or not on all of their types.
    pub left: Vec<(String, String)>,
}

impl Definition {
    /// As lines: cells divided by tabs, as in `search-parameters.tsv`.
    #[must_use]
    pub fn to_text(&self) -> String {
        let (base, target) = (self.base.join(","), self.target.join(","));
        let mut text =
            [&self.url, &self.code, &self.kind, &base, &target, &self.expression].map(|cell| one_line(cell)).join("\t");
        for (url, expression) in &self.components {
            text.push('\n');
            text.push_str(&[one_line(url), one_line(expression)].join("\t"));
        }
        text
    }

    /// Reads what [`Self::to_text`] wrote; `None` for anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let list = |cell: &str| cell.split(',').filter(|one| !one.is_empty()).map(ToOwned::to_owned).collect();
        let mut lines = text.split('\n');
        let mut cells = lines.next()?.split('\t');
        let mut cell = || cells.next();
        let (url, code, kind) = (cell()?.to_owned(), cell()?.to_owned(), cell()?.to_owned());
        let (base, target, expression) = (list(cell()?), list(cell()?), cell()?.to_owned());
        let components = lines.map(|line| line.split_once('\t').map(|(a, b)| (a.to_owned(), b.to_owned())));
        Some(Self { url, code, kind, base, target, expression, components: components.collect::<Option<_>>()? })
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Words in an expression whose value is not the stored resource's alone: what the server stamps
/// into it, the time, everything below an element.
const NOT_OF_THE_RESOURCE: [&str; 7] =
    ["lastUpdated", "versionId", "descendants", "children", "now()", "today()", "timeOfDay()"];

/// Chooses among the parameters of packages, in the order of the packages.
#[must_use]
pub fn choose<'a>(
    schema: &'static Schema,
    definitions: impl IntoIterator<Item = &'a SearchParameterDefinition>,
) -> Choice {
    let known = crate::registry::registry();
    let mut choice = Choice::default();
    let mut same: HashMap<&str, String> = HashMap::new();
    for definition in definitions {
        match taken(known, definition, &mut choice, &mut same) {
            Ok(Some(fresh)) => {
                choice.taken.retain(|before| before.url != fresh.url);
                choice.taken.push(fresh);
            }
            Ok(None) => {}
            Err(reason) => choice.left.push((definition.url.to_owned(), reason)),
        }
    }
    for (url, _) in choice.taken.iter_mut().flat_map(|one| &mut one.components) {
        if let Some(known) = same.get(url.as_str()) {
            known.clone_into(url);
        }
    }
    if choice.taken.len() > ADDED_MAX {
        let over = choice.taken.split_off(ADDED_MAX);
        let reason = format!("more than {ADDED_MAX} search parameters are added");
        choice.left.extend(over.into_iter().map(|one| (one.url, reason.clone())));
    }
    // Whether they compile, together: a composite may need another.
    let tried: Vec<Added> = choice.taken.iter().zip(FIRST..).map(numbered).collect();
    let registry = Registry::with(schema, &tried);
    for one in tried {
        let supported = registry.by_id(one.id).is_some_and(|parameter| registry.is_supported(parameter));
        if !supported {
            let fault = registry.faults().iter().find(|fault| fault.url == one.definition.url);
            let reason = fault.map_or("it cannot be searched by", |fault| fault.reason.as_str());
            choice.left.push((one.definition.url.clone(), reason.to_owned()));
            choice.taken.retain(|taken| taken.url != one.definition.url);
        }
    }
    choice
}

fn numbered((definition, number): (&Definition, u16)) -> Added {
    Added { id: ParameterId(number), definition: definition.clone(), retired: false }
}

fn taken<'a>(
    known: &Registry,
    definition: &'a SearchParameterDefinition,
    choice: &mut Choice,
    same: &mut HashMap<&'a str, String>,
) -> Result<Option<Definition>, String> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    let code = definition.code;
    if code.is_empty() || code.len() > ADDED_CODE_BYTES_MAX || code.starts_with('_') || !code.bytes().all(plain) {
        return Err(format!("its code {code:?} is none that a query can name: letters, digits and - make one"));
    }
    if definition.expression.is_empty() {
        return Err("it has no expression that says what it searches".into());
    }
    let expressions = || definition.components.iter().map(|(_, one)| *one).chain([definition.expression]);
    if expressions().map(str::len).sum::<usize>() > ADDED_EXPRESSION_BYTES_MAX {
        return Err(format!("its expressions have more than {ADDED_EXPRESSION_BYTES_MAX} bytes"));
    }
    if let Some(word) = NOT_OF_THE_RESOURCE.iter().find(|word| expressions().any(|text| text.contains(**word))) {
        return Err(format!("its expression has {word}, which is not the content of the resource alone"));
    }
    if ParameterKind::parse(definition.kind) == ParameterKind::Special {
        return Err(format!("its type {:?} has rules of its own", definition.kind));
    }
    let is_global = definition.base.iter().any(|base| matches!(*base, "Resource" | "DomainResource"));
    let types: Vec<ResourceType> = if is_global {
        ResourceType::all().collect()
    } else {
        definition.base.iter().filter_map(|base| ResourceType::parse(base).ok()).collect()
    };
    if types.is_empty() {
        return Err("none of its types is one of R4".into());
    }
    let (mut base, mut repeated, mut of_another) = (Vec::new(), Vec::new(), Vec::new());
    for kind in types {
        let before = || {
            let added = choice.taken.iter().filter(|one| one.url != definition.url && one.code == code);
            added.clone().find(|one| one.base.iter().any(|base| base == kind.name())).map(|one| one.url.clone())
        };
        if let Some(one) = known.parameter(kind, code) {
            same.insert(definition.url, one.url.clone());
            repeated.push(kind.name());
        } else if let Some(url) = before() {
            of_another.push(format!("{} ({url})", kind.name()));
        } else {
            base.push(kind.name().to_owned());
        }
    }
    let mut note = |reason: String| choice.left.push((definition.url.to_owned(), reason));
    if !repeated.is_empty() {
        note(format!("{code} is known already on {}, and keeps its meaning there", repeated.join(", ")));
    }
    if !of_another.is_empty() {
        note(format!("{code} is another package's already on {}", of_another.join(", ")));
    }
    let owned = |list: &[&str]| list.iter().map(|one| (*one).to_owned()).collect::<Vec<_>>();
    Ok((!base.is_empty()).then(|| Definition {
        url: definition.url.to_owned(),
        code: code.to_owned(),
        kind: definition.kind.to_owned(),
        base,
        target: owned(&definition.target),
        expression: definition.expression.to_owned(),
        components: definition.components.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect(),
    }))
}

#[cfg(test)]
mod tests;
