//! What a caller gets of a resource with labelled parts (row F43): the one place by which a version leaves, and what is
//! indexed of it.
//!
//! - **Indexed** is the resource without the parts that can be withheld alone, for everybody ([`open`]): no search, sort
//!   key, count, join or condition reaches them.
//! - A part **leaves** when the permit that the resource leaves under would let it leave if the part's labels were the
//!   whole's, and all that stands in the resource were known: the same predicate, so clearance, consents, broken glasses
//!   and rules act on a part as they act on a resource.
//! - What is hidden of the current version was the same in those before it: parts of that name are hidden there, too.
//! - Whoever does not see all of a resource does not change it ([`sees_all`]).
//!
//! A row says whether it has such parts ([`crate::engine::record::Version::labelled`]), so that all others cost nothing.

use crate::{
    engine::{
        Fault,
        record::{Damaged, Version},
    },
    reader::{Covers, Reader, Stored},
};
use bytes::Bytes;
use fhir::{element::Element, json::Tree};
use policy::{
    Access, Need,
    label::{
        Label,
        inline::{self, Inline, Part},
        set,
    },
};
use search::{IndexValues, ParameterId, Predicate, ValueRef, Values, matcher::Subject};
use std::collections::{BTreeMap, BTreeSet};

/// A resource without the parts that can be withheld alone; `None`: it has none.
pub(crate) fn open(tree: &Tree) -> Result<Option<Tree>, Damaged> {
    // More labels than are looked at are not written, and withhold the whole.
    let Ok(inline) = Inline::of(tree) else { return Ok(None) };
    let parts = inline.alone(tree.root());
    if parts.is_empty() {
        return Ok(None);
    }
    let left = inline::without(tree, parts, &set::of_whole(tree.root(), &inline));
    left.map(Some).map_err(|_| Damaged("redacted JSON"))
}

/// What leaves of a version under this access; `None`: all of it, as it is stored.
pub(crate) fn left(reader: &Reader, access: &Access, stored: &Stored) -> Result<Option<Bytes>, Fault> {
    let Some(judged) = Judged::of(reader, access, stored)? else { return Ok(None) };
    if judged.hidden.is_empty() {
        return Ok(None);
    }
    let root = judged.tree.root();
    let mut security = set::of_seen(root, &judged.inline, &judged.seen);
    if set::labels(root).all(|label| label != inline::redacted()) {
        security.push(set::plain_of(&inline::redacted()));
    }
    let left = inline::without(&judged.tree, &judged.hidden, &security).map_err(|_| Damaged("redacted JSON"))?;
    Ok(Some(left.bytes().clone()))
}

/// Whether all of a version that is covered for these needs is seen.
pub(crate) fn sees_all(reader: &Reader, permit: &dyn Covers, needs: &[Need], stored: &Stored) -> Result<bool, Fault> {
    if !stored.head()?.labelled {
        return Ok(true);
    }
    for need in needs {
        let access = permit.access(stored.kind, *need);
        if *access == Access::Nothing {
            return Ok(false);
        }
        if Judged::of(reader, access, stored)?.is_some_and(|judged| !judged.hidden.is_empty()) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Labels that the parts of one version had and those of the next have not (row F45).
pub(crate) fn taken(before: &Version<'_>, after: &[u8]) -> Result<BTreeSet<Label>, Fault> {
    let labels = |json: &[u8]| -> Result<Inline, Fault> {
        let tree = Tree::parse(json.to_vec()).map_err(|_| Damaged("stored JSON"))?;
        Ok(Inline::of(&tree).map_err(|_| Damaged("inline labels"))?)
    };
    Ok(labels(after)?.taken_since(&labels(before.json)?))
}

/// A version with labelled parts, as one caller sees it.
struct Judged {
    tree: Tree,
    inline: Inline,
    hidden: Vec<Part>,
    /// Labels of the parts that are seen.
    seen: BTreeSet<Label>,
}

impl Judged {
    /// `None`: nothing can be hidden.
    fn of(reader: &Reader, access: &Access, stored: &Stored) -> Result<Option<Self>, Fault> {
        let Access::Where(predicate) = access else { return Ok(None) };
        let head = stored.head()?;
        let since = hidden_since(reader, access, stored)?;
        if !head.labelled && since.is_empty() {
            return Ok(None);
        }
        let version = stored.version()?;
        if version.json.is_empty() {
            return Ok(None);
        }
        let tree = Tree::parse(version.json.to_vec()).map_err(|_| Damaged("stored JSON"))?;
        let inline = Inline::of(&tree).map_err(|_| Damaged("inline labels"))?;
        let (mut hidden, mut seen) = (Vec::new(), BTreeSet::new());
        let mut answers: BTreeMap<BTreeSet<Label>, bool> = BTreeMap::new();
        let all = AllValues::of(reader, &tree);
        for part in inline.alone(tree.root()) {
            let is_seen = match answers.get(&part.labels) {
                Some(known) => *known,
                None => all.would_leave(reader, predicate, stored, &part.labels)?,
            };
            answers.insert(part.labels.clone(), is_seen);
            if is_seen {
                seen.extend(part.labels.iter().cloned());
            } else {
                hidden.push(part.clone());
            }
        }
        let names = since.iter().map(String::as_str).collect();
        hidden.extend(Inline::named(&tree, &names));
        Ok(Some(Self { tree, inline, hidden, seen }))
    }
}

/// Names of the parts of the current version that are hidden, for a version before it.
fn hidden_since(reader: &Reader, access: &Access, stored: &Stored) -> Result<BTreeSet<String>, Fault> {
    if stored.is_current {
        return Ok(BTreeSet::new());
    }
    let Some(current) = reader.current(stored.kind, stored.row)? else { return Ok(BTreeSet::new()) };
    if !current.head()?.labelled {
        return Ok(BTreeSet::new());
    }
    let judged = Judged::of(reader, access, &current)?;
    Ok(judged.into_iter().flat_map(|judged| judged.hidden).map(|part| part.name).collect())
}

/// Index values of all that stands in a resource.
#[derive(Debug)]
struct AllValues {
    values: IndexValues,
    security: Option<ParameterId>,
}

impl AllValues {
    fn of(reader: &Reader, tree: &Tree) -> Self {
        let element = Element::resource(tree, reader.registry.schema());
        // References below the server's own URL stand among the stored values: no part with one is withheld alone.
        let values = element.map(|element| search::extract(&reader.registry, element, "")).unwrap_or_default();
        let security = element.and_then(|element| {
            let kind = fhir::ResourceType::parse(element.definition.name).ok()?;
            reader.registry.parameter(kind, "_security").map(|parameter| parameter.id)
        });
        Self { values, security }
    }

    /// Whether the predicate means the version with these labels, too.
    fn would_leave(
        &self,
        reader: &Reader,
        predicate: &Predicate,
        stored: &Stored,
        labels: &BTreeSet<Label>,
    ) -> Result<bool, Fault> {
        stored.subject(|subject| {
            let values = Labelled { stored: subject.values, all: self, labels };
            let subject = Subject { values: &values, ..subject };
            reader.means_beside(predicate, subject, stored.is_current.then_some(subject))
        })?
    }
}

/// The values of a resource whose part's labels are those of the whole.
#[derive(Debug)]
struct Labelled<'a> {
    stored: &'a dyn Values,
    all: &'a AllValues,
    labels: &'a BTreeSet<Label>,
}

impl Values for Labelled<'_> {
    fn any(&self, parameter: ParameterId, test: &mut dyn FnMut(ValueRef<'_>) -> bool) -> bool {
        if self.stored.any(parameter, test) {
            return true;
        }
        if self.all.security != Some(parameter) {
            return self.all.values.any(parameter, test);
        }
        self.labels.iter().any(|label| {
            let system = (!label.system.is_empty()).then_some(label.system.as_str());
            test(ValueRef::Token { system, code: &label.code, text: None })
        })
    }
}
