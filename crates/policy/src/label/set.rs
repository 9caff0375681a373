//! The labels of one resource: carried on, protected, completed; and the high-water mark of several. Rows F40, F42,
//! F45, F46.

use super::{
    ACT_CODE, CONFIDENTIALITY, Class, Confidentiality, Label, OBSERVATION_VALUE,
    codes::PROCESS_INLINE,
    inline::{self, Inline},
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
    /// Labels of elements; `None`: there are none.
    pub inline: Option<&'a Inline>,
    /// Labels of the resource that were made here go when nothing gives them any more.
    pub renews: bool,
    /// A client wrote it: what says that it was made here was made here only when the version before says so. Otherwise
    /// a client could mark what somebody else gave as the server's, which [`Self::renews`] takes away.
    pub is_of_client: bool,
}

/// The resource with its labels completed; `None`: it has them all already. Where the server adds or keeps a
/// confidentiality, lower ones go: a resource has one (row F42).
///
/// Labels that stand there for parts of the resource alone are marked ([`is_mark`]) and made anew each time. A label that
/// an update takes from its part, or that a client gives beside the mark, is one of the whole from then on.
#[must_use]
pub fn completed(resource: &Tree, completion: Completion<'_>) -> Option<Vec<u8>> {
    let root = resource.root();
    let none = Inline::default();
    let inline = completion.inline.unwrap_or(&none);
    let of_elements = inline.labels();
    let is_due = |label: &Label| completion.due.iter().any(|due| due.label == *label);
    let mut list = Listed::default();
    for coding in codings(root) {
        let (label, is_made) = (label_of(coding), rules::is_made_here(coding));
        let earlier = completion.before.into_iter().flat_map(codings).find(|earlier| label_of(*earlier) == label);
        if is_mark(coding) && (earlier.is_some_and(is_mark) || !completion.is_of_client) {
            list.take_mark(coding, &label, inline);
            continue;
        }
        if completion.renews && is_made && !is_due(&label) {
            // Given by an older version of this server, which did not mark them. What else the resource's confidentiality
            // may stand for nobody knows any more: it stays one of the whole.
            if !of_elements.contains(&label) || (inline.is_of_parts(&label) && level(&label).is_none()) {
                continue;
            }
        }
        let own = match earlier.filter(|earlier| !is_mark(*earlier)) {
            Some(earlier) if is_made || rules::is_made_here(earlier) => earlier.raw().as_bytes().to_vec(),
            None if is_made && completion.is_of_client => plain(coding),
            _ => coding.raw().as_bytes().to_vec(),
        };
        list.0.push((label, own));
    }
    for coding in completion.before.into_iter().flat_map(codings) {
        if is_mark(coding) {
            list.take_mark(coding, &label_of(coding), inline);
        } else {
            list.add(label_of(coding), &|| coding.raw().as_bytes().to_vec());
        }
    }
    if let Some(before) = completion.before.filter(|before| inline::may_have(*before))
        && let Ok(before) = Inline::of(&before.to_tree())
    {
        for label in inline.taken_since(&before) {
            list.add(label.clone(), &|| made(&label, &[]));
        }
    }
    for due in completion.due {
        list.add(due.label.clone(), &|| made(&due.label, due.basis.as_ref().as_slice()));
    }
    for label in of_elements.iter().filter(|label| !inline.is_of_parts(label)) {
        list.add(label.clone(), &|| made(label, &[]));
    }
    let of_parts = of_elements.iter().filter(|label| inline.is_of_parts(label));
    let (levels, others): (Vec<&Label>, Vec<&Label>) = of_parts.partition(|label| level(label).is_some());
    for label in others.into_iter().chain(levels.into_iter().max_by_key(|label| level(label))) {
        list.mark(label);
    }
    let has: Vec<&[u8]> = codings(root).map(|coding| coding.raw().as_bytes()).collect();
    if list.0.iter().map(|(_, json)| json.as_slice()).eq(has) {
        return None;
    }
    let list: Vec<Vec<u8>> = list.0.into_iter().map(|(_, json)| json).collect();
    Some(with_list(resource, "security", &list))
}

/// Labels in the making, with their JSON.
#[derive(Debug, Default)]
struct Listed(Vec<(Label, Vec<u8>)>);

impl Listed {
    fn level(&self) -> Option<Confidentiality> {
        confidentiality(self.0.iter().map(|(label, _)| label))
    }

    fn add(&mut self, label: Label, json: &dyn Fn() -> Vec<u8>) {
        let is_there = match level(&label) {
            Some(level) => self.level().is_some_and(|has| has >= level),
            None => self.0.iter().any(|(own, _)| *own == label),
        };
        if is_there {
            return;
        }
        if level(&label).is_some() {
            self.0.retain(|(own, _)| level(own).is_none());
        }
        self.0.push((label, json()));
    }

    /// Takes what a mark stood for: the confidentiality that the whole has itself; and where no part has the label by
    /// itself any more, the label for the whole.
    fn take_mark(&mut self, coding: Value<'_>, label: &Label, inline: &Inline) {
        if let Some(own) = own_level(coding) {
            self.add(own.clone(), &|| plain_of(&own));
        }
        if !inline.is_of_parts(label) {
            self.add(label.clone(), &|| made(label, &[]));
        }
    }

    /// Marks that parts have this label.
    fn mark(&mut self, label: &Label) {
        let process = Label::new(ACT_CODE, PROCESS_INLINE);
        if level(label).is_none() {
            return self.add(label.clone(), &|| made(label, &[&process]));
        }
        let own = self.level().map(|own| Label::new(CONFIDENTIALITY, own.code()));
        let bases: Vec<&Label> = [&process].into_iter().chain(&own).collect();
        self.add(label.clone(), &|| made(label, &bases));
    }
}

fn made(label: &Label, bases: &[&Label]) -> Vec<u8> {
    let mut w = Writer::new();
    rules::write(&mut w, label, bases);
    w.into_bytes()
}

/// A label as a Coding.
#[must_use]
pub fn plain_of(label: &Label) -> Vec<u8> {
    let mut w = Writer::new();
    w.object(|w| {
        w.member("system", &label.system);
        w.member("code", &label.code);
    });
    w.into_bytes()
}

/// Whether a label stands among those of the resource for parts of it alone: this server put it there, because of the
/// labels of elements, as its basis says.
#[must_use]
pub fn is_mark(coding: Value<'_>) -> bool {
    let process = Label::new(ACT_CODE, PROCESS_INLINE);
    rules::is_made_here(coding) && rules::bases(coding).any(|basis| basis == process)
}

/// The confidentiality that the resource itself has, beneath the mark of a higher one.
fn own_level(mark: Value<'_>) -> Option<Label> {
    rules::bases(mark).find(|basis| level(basis).is_some())
}

/// The labels that withhold the resource whole, as Codings: all but those that stand there for parts alone.
#[must_use]
pub fn of_whole(resource: Value<'_>, inline: &Inline) -> Vec<Vec<u8>> {
    of_seen(resource, inline, &BTreeSet::new())
}

/// The labels of the resource as whoever sees it sees it: those of the whole, and the `seen` ones of its parts.
#[must_use]
pub fn of_seen(resource: Value<'_>, inline: &Inline, seen: &BTreeSet<Label>) -> Vec<Vec<u8>> {
    let mut list = Listed::default();
    for coding in codings(resource) {
        let (label, json) = (label_of(coding), coding.raw().as_bytes().to_vec());
        if !is_mark(coding) || !inline.is_of_parts(&label) {
            list.0.push((label, json));
            continue;
        }
        if let Some(own) = own_level(coding) {
            list.add(own.clone(), &|| plain_of(&own));
        }
        if seen.contains(&label) {
            list.add(label, &|| json.clone());
        }
    }
    for label in seen.iter().chain(&inline.whole) {
        list.add(label.clone(), &|| plain_of(label));
    }
    list.0.into_iter().map(|(_, json)| json).collect()
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
