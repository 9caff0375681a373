//! The labels of one resource: carried on, protected, completed; and the high-water mark of several. Rows F40, F42,
//! F45, F46.

use super::{
    ACT_CODE, CONFIDENTIALITY, Class, Confidentiality, Label, OBSERVATION_VALUE,
    rules::{self, Due},
};
use fhir::json::{Edits, Kind, Tree, Value, Writer};
use std::collections::BTreeSet;

/// Marks of a resource that is not whole: it must not be written back (row F46).
const NOT_WHOLE: &[&str] = &["SUBSETTED", "REDACTED", "MASKED", "ANONYED", "PSEUDED"];

/// The label that a Coding says.
#[must_use]
pub fn label_of(coding: Value<'_>) -> Label {
    let text = |name: &str| coding.get(name).and_then(Value::as_str).unwrap_or_default();
    Label::new(&text("system"), &text("code"))
}

/// The labels of a resource, as Codings.
pub fn codings(resource: Value<'_>) -> impl Iterator<Item = Value<'_>> {
    resource.get("meta").and_then(|meta| meta.get("security")).into_iter().flat_map(Value::items)
}

/// The labels of a resource.
pub fn labels(resource: Value<'_>) -> impl Iterator<Item = Label> {
    codings(resource).map(label_of)
}

fn level(label: &Label) -> Option<Confidentiality> {
    match label.class() {
        Some(Class::Confidentiality(level)) => Some(level),
        _ => None,
    }
}

/// The highest confidentiality among labels.
#[must_use]
pub fn confidentiality<'a>(labels: impl IntoIterator<Item = &'a Label>) -> Option<Confidentiality> {
    labels.into_iter().filter_map(level).max()
}

/// The first label of the version before that the new one loses or lowers (row F45).
#[must_use]
pub fn lost<'a>(before: &'a [Label], after: &[Label]) -> Option<&'a Label> {
    let highest = confidentiality(after);
    before.iter().find(|label| match level(label) {
        Some(level) => highest.is_none_or(|highest| highest < level),
        None => !after.contains(label),
    })
}

/// A mark that says that the resource is not whole, in its labels or tags, which the version before did not have.
#[must_use]
pub fn not_whole(resource: Value<'_>, before: Option<Value<'_>>) -> Option<&'static str> {
    let marks = |resource: Value<'_>| -> Vec<Label> {
        let meta = resource.get("meta");
        let of = |name: &str| meta.and_then(|meta| meta.get(name)).into_iter().flat_map(Value::items).map(label_of);
        of("security").chain(of("tag")).collect()
    };
    let had = before.map(marks).unwrap_or_default();
    let has = marks(resource);
    NOT_WHOLE.iter().copied().find(|code| {
        let is_it = |label: &Label| label.system == OBSERVATION_VALUE && label.code == *code;
        has.iter().any(is_it) && !had.iter().any(is_it)
    })
}

/// What is done to the labels that a resource brings.
#[derive(Debug, Clone, Copy, Default)]
pub struct Completion<'a> {
    /// The version before: what it has is kept.
    pub before: Option<Value<'a>>,
    /// Labels that rules give.
    pub due: &'a [Due],
    /// Labels of elements.
    pub inline: &'a [Label],
    /// Labels of the resource that were made here go when nothing gives them any more.
    pub renews: bool,
    /// A client wrote it: what says that it was made here was made here only when the version before says so. Otherwise
    /// a client could mark what somebody else gave as the server's, which [`Self::renews`] takes away.
    pub is_of_client: bool,
}

/// The resource with its labels completed; `None`: it has them all already. Where the server adds or keeps a
/// confidentiality, lower ones go: a resource has one (row F42).
#[must_use]
pub fn completed(resource: &Tree, completion: Completion<'_>) -> Option<Vec<u8>> {
    let root = resource.root();
    let mut kept: Vec<(Label, Vec<u8>)> = Vec::new();
    let mut changed = false;
    let made_by =
        |label: &Label| completion.due.iter().any(|due| due.label == *label) || completion.inline.contains(label);
    for coding in codings(root) {
        let label = label_of(coding);
        if completion.renews && rules::is_made_here(coding) && !made_by(&label) {
            changed = true;
            continue;
        }
        let earlier = completion.before.into_iter().flat_map(codings).find(|earlier| label_of(*earlier) == label);
        let is_made = rules::is_made_here(coding);
        let own = match earlier {
            Some(earlier) if is_made || rules::is_made_here(earlier) => earlier.raw().as_bytes().to_vec(),
            None if is_made && completion.is_of_client => plain(coding),
            _ => coding.raw().as_bytes().to_vec(),
        };
        changed |= own != coding.raw().as_bytes();
        kept.push((label, own));
    }
    let mut add = |label: Label, json: &dyn Fn() -> Vec<u8>| {
        let is_there = match level(&label) {
            Some(level) => confidentiality(kept.iter().map(|(label, _)| label)).is_some_and(|has| has >= level),
            None => kept.iter().any(|(own, _)| *own == label),
        };
        if is_there {
            return;
        }
        changed = true;
        if level(&label).is_some() {
            kept.retain(|(own, _)| level(own).is_none());
        }
        kept.push((label, json()));
    };
    for coding in completion.before.into_iter().flat_map(codings) {
        add(label_of(coding), &|| coding.raw().as_bytes().to_vec());
    }
    let made = |label: &Label, basis: Option<&Label>| {
        let mut w = Writer::new();
        rules::write(&mut w, label, basis);
        w.into_bytes()
    };
    for due in completion.due {
        add(due.label.clone(), &|| made(&due.label, due.basis.as_ref()));
    }
    for label in completion.inline {
        add(label.clone(), &|| made(label, None));
    }
    if !changed {
        return None;
    }
    let list: Vec<Vec<u8>> = kept.into_iter().map(|(_, json)| json).collect();
    Some(with_list(resource, "security", &list))
}

/// A label without its extensions.
fn plain(coding: Value<'_>) -> Vec<u8> {
    let mut w = Writer::new();
    w.object(|w| {
        for member in coding.members().filter(|member| member.name() != "extension") {
            w.key(member.name());
            w.raw(member.raw().as_bytes());
        }
    });
    w.into_bytes()
}

/// The resource with this list in its meta; an empty list is left away.
#[must_use]
pub fn with_list(resource: &Tree, name: &str, list: &[Vec<u8>]) -> Vec<u8> {
    let root = resource.root();
    let (meta_at, bytes) = (root.get("meta").filter(|meta| meta.kind() == Kind::Object), resource.bytes());
    let mut w = Writer::new();
    w.object(|w| {
        for member in meta_at.into_iter().flat_map(Value::members).filter(|member| member.name() != name) {
            w.key(member.name());
            w.raw(member.raw().as_bytes());
        }
        if !list.is_empty() {
            w.key(name);
            w.array(|w| list.iter().for_each(|json| w.raw(json)));
        }
    });
    let meta = w.into_bytes();
    let mut edits = Edits::new();
    match meta_at {
        Some(at) => edits.replace(at.span(), meta),
        // Behind everything else, so that what is wrong elsewhere keeps its place.
        None => {
            let end = root.span().end.saturating_sub(1);
            let begin = if root.members().next().is_some() { &b",\"meta\":"[..] } else { &b"\"meta\":"[..] };
            edits.replace(end..end, [begin, &meta].concat());
        }
    }
    edits.apply(bytes)
}

/// The high-water mark of what a Bundle holds: as confidential as the most confidential (row F40), with what a
/// recipient must and must not do.
#[derive(Debug, Default)]
pub struct HighWater {
    level: Option<Confidentiality>,
    /// The highest default among entries without a confidentiality.
    unsaid: Option<Confidentiality>,
    handling: BTreeSet<String>,
}

impl HighWater {
    /// Takes an entry's labels in. `default`: what it has when it says none.
    pub fn take<'a>(&mut self, labels: impl IntoIterator<Item = (&'a str, &'a str)>, default: Confidentiality) {
        let mut own = None;
        for (system, code) in labels {
            match super::class(system, code) {
                Some(Class::Confidentiality(level)) => own = own.max(Some(level)),
                Some(Class::Refrain | Class::Obligation) if !self.handling.contains(code) => {
                    self.handling.insert(code.to_owned());
                }
                _ => {}
            }
        }
        match own {
            Some(_) => self.level = self.level.max(own),
            None => self.unsaid = self.unsaid.max(Some(default)),
        }
    }

    /// The labels of the Bundle; none when no entry says anything.
    #[must_use]
    pub fn labels(&self) -> Vec<Label> {
        let says = self.level.is_some() || !self.handling.is_empty();
        let level = self.level.max(self.unsaid).filter(|_| says);
        let level = level.map(|level| Label::new(CONFIDENTIALITY, level.code()));
        level.into_iter().chain(self.handling.iter().map(|code| Label::new(ACT_CODE, code))).collect()
    }
}

#[cfg(test)]
mod tests;
