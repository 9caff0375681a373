//! Links between the entries of a transaction, and conditional references out of it.
//!
//! SPEC: R4 http.html#trules, bundle.html#references. An entry is meant by its `fullUrl`, or by a
//! relative reference that the referring entry's own `fullUrl` completes to it. Replaced are:
//! `Reference.reference` everywhere, links in narrative, and elements of type uri, url, canonical,
//! oid and uuid that name an entry by a temporary `urn:`. An `http` URL in such an element stays:
//! it may be the resource's own canonical name, not a link. Links inside a nested Bundle stay: they
//! are that Bundle's own.
//!
//! A `Reference.reference` to a `urn:uuid` or `urn:oid` that no entry has is refused: it was meant to lead
//! to an entry, and stored as sent it would lead nowhere for good (row F63).

use super::plan::{Identity, the_one};
use crate::{
    failure::Failure,
    interaction::{Call, bundle::Permitted, criteria},
};
use fhir::{
    LogicalId, ResourceType,
    bundle::Entry,
    element::Element,
    issue::{Issue, IssueType},
    json::{Edits, Value, Writer},
    reference::Reference,
};
use policy::{Interaction, Permit};
use search::Predicate;
use std::{collections::HashMap, sync::Arc};
use store::Snapshot;

/// Where links lead.
pub(super) struct Links<'a> {
    call: &'a Call<'a>,
    snapshot: &'a Snapshot,
    /// `fullUrl` of an entry → the resource it is about.
    entries: HashMap<String, Target>,
    /// Conditional references that were resolved, by their text.
    conditional: HashMap<String, Target>,
    resolved: Vec<(ResourceType, Arc<Predicate>, LogicalId, Permit)>,
}

#[derive(Debug, Clone)]
struct Target {
    /// `Patient/1`
    reference: String,
    is_new: bool,
}

impl<'a> Links<'a> {
    pub(super) fn new(
        call: &'a Call<'a>,
        snapshot: &'a Snapshot,
        permitted: &[Permitted<'_>],
        identities: &[Option<Identity>],
    ) -> Result<Self, Failure> {
        let mut entries = HashMap::with_capacity(permitted.len());
        for (one, identity) in permitted.iter().zip(identities) {
            let (Some(full_url), Some(identity)) = (one.entry.full_url.as_deref(), identity.as_ref()) else { continue };
            let reference = format!("{}/{}", identity.kind, identity.id);
            let target = Target { reference, is_new: identity.is_new };
            if entries.insert(full_url.to_owned(), target).is_some() {
                // bdl-7: a link to it could mean either.
                let issue = Issue::error(IssueType::Duplicate, "another entry of the Bundle has this fullUrl");
                let index = one.entry.index;
                return Err(Failure::content(issue.at(format!("Bundle.entry[{index}].fullUrl"))));
            }
        }
        Ok(Self { call, snapshot, entries, conditional: HashMap::new(), resolved: Vec::new() })
    }

    /// What conditional references were resolved to; the commit holds it to be so still.
    pub(super) fn into_resolved(self) -> Vec<(ResourceType, Arc<Predicate>, LogicalId, Permit)> {
        self.resolved
    }

    /// The entry's resource with its links replaced; `None` when it has none to replace.
    pub(super) fn rewrite(&mut self, entry: &Entry<'_>, resource: Value<'_>) -> Result<Option<Vec<u8>>, Failure> {
        // A type that R4 does not know is refused by what comes next.
        let Some(root) = Element::resource_at(resource, self.call.service.parts.schema) else { return Ok(None) };
        let mut found = Vec::new();
        collect(&root, &mut found);
        let root_url = entry.full_url.as_deref().and_then(root_of).unwrap_or(self.call.service.base_url());
        let start = resource.span().start;
        let mut edits = Edits::new();
        for (value, link) in found {
            let Some(text) = value.as_str() else { continue };
            let replaced = match link {
                Link::Reference => match self.reference(&text, root_url)? {
                    None if is_temporary(&text) => return Err(leads_nowhere(resource, value)),
                    other => other,
                },
                Link::Uri => self.entries.get(text.as_ref()).map(|target| target.reference.clone()),
                Link::Narrative => self.narrative(&text),
            };
            if let Some(replaced) = replaced.filter(|replaced| *replaced != text) {
                let span = value.span();
                let mut w = Writer::with_capacity(replaced.len() + 2);
                w.string(&replaced);
                edits.replace(span.start - start..span.end - start, w.into_bytes());
            }
        }
        Ok((!edits.is_empty()).then(|| edits.apply(resource.raw().as_bytes())))
    }

    /// What `Reference.reference` becomes; `None` when it stays.
    fn reference(&mut self, text: &str, root_url: &str) -> Result<Option<String>, Failure> {
        if text.starts_with('#') {
            return Ok(None);
        }
        let (plain, version) = match text.split_once("/_history/") {
            Some((plain, version)) => (plain, Some(version)),
            None => (text, None),
        };
        let absolute = plain.contains(':');
        let target = if absolute {
            self.entries.get(plain).cloned()
        } else {
            self.entries.get(&format!("{root_url}/{plain}")).cloned()
        };
        if let Some(target) = target {
            return Ok(Some(match version {
                None => target.reference,
                Some(_) if target.is_new => format!("{}/_history/1", target.reference),
                Some(version) => format!("{}/_history/{version}", target.reference),
            }));
        }
        match Reference::parse(text, Some(self.call.service.base_url())) {
            Some(Reference::Conditional(kind, query)) => self.conditional(text, kind, &query).map(Some),
            _ => Ok(None),
        }
    }

    /// A conditional reference: the one resource of the type that the caller may search and that
    /// meets the criteria (row F63).
    fn conditional(&mut self, text: &str, kind: ResourceType, query: &str) -> Result<String, Failure> {
        if let Some(known) = self.conditional.get(text) {
            return Ok(known.reference.clone());
        }
        let service = self.call.service;
        let search = Interaction::SearchType(kind);
        let permit = service.decide(self.call.caller, &search)?;
        let query = criteria::condition(service, kind, query)?;
        let found = the_one(self.call, self.snapshot, &permit, &query)?.ok_or(Failure::NoMatch)?;
        let reference = format!("{kind}/{}", found.id);
        self.conditional.insert(text.to_owned(), Target { reference: reference.clone(), is_new: false });
        self.resolved.push((kind, query.predicate, found.id, permit));
        Ok(reference)
    }

    /// Narrative with the `href` and `src` of entries replaced; `None` when it has none.
    fn narrative(&self, html: &str) -> Option<String> {
        let mut out = String::new();
        let mut rest = html;
        while let Some((before, link, after)) = next_link(rest) {
            out.push_str(before);
            out.push_str(self.entries.get(link).map_or(link, |target| &target.reference));
            rest = after;
        }
        (rest.len() != html.len()).then(|| out + rest)
    }
}

/// Whether a reference can only mean an entry of the same Bundle.
fn is_temporary(reference: &str) -> bool {
    reference.starts_with("urn:uuid:") || reference.starts_with("urn:oid:")
}

/// The refusal of a link to an entry that is not there. It names the place, by JSON names.
fn leads_nowhere(resource: Value<'_>, link: Value<'_>) -> Failure {
    let at = link.span().start;
    let mut path = resource.get("resourceType").and_then(Value::as_str).unwrap_or_default().into_owned();
    let mut inside = resource;
    loop {
        let around = |inner: &Value<'_>| inner.span().contains(&at);
        if let Some(member) = inside.members().find(around) {
            path.push('.');
            path.push_str(member.name());
            inside = member;
        } else if let Some((index, item)) = inside.items().enumerate().find(|(_, item)| around(item)) {
            path.push_str(&format!("[{index}]"));
            inside = item;
        } else {
            break;
        }
    }
    let issue = Issue::error(
        IssueType::NotFound,
        "no entry of this transaction that makes or changes a resource has this fullUrl",
    );
    Failure::content(issue.at(path).on(link.position()))
}

/// Splits at the next quoted value of `href` or `src`: what is before it, the value, the rest.
fn next_link(html: &str) -> Option<(&str, &str, &str)> {
    let opening = ["href=\"", "href='", "src=\"", "src='"].iter().filter_map(|name| {
        let at = html.find(name)? + name.len();
        Some((at, name.chars().next_back()?))
    });
    let (start, quote) = opening.min()?;
    let (before, rest) = html.split_at_checked(start)?;
    let (link, after) = rest.split_at_checked(rest.find(quote)?)?;
    Some((before, link, after))
}

/// The service root of a `fullUrl` that ends in `[type]/[id]`.
fn root_of(full_url: &str) -> Option<&str> {
    let (rest, id) = full_url.rsplit_once('/')?;
    let (root, kind) = rest.rsplit_once('/')?;
    let restful = full_url.contains("://") && LogicalId::parse(id).is_ok() && ResourceType::parse(kind).is_ok();
    restful.then_some(root)
}

/// How a value may be a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Link {
    Reference,
    Uri,
    Narrative,
}

/// Every value below `element` that may be a link.
fn collect<'a>(element: &Element<'a>, found: &mut Vec<(Value<'a>, Link)>) {
    let of = element.definition.name;
    element.all_children(|child| {
        let name = child.reached_by.map_or("", |by| by.name);
        match child.definition.name {
            "string" if of == "Reference" && name == "reference" => note(&child, Link::Reference, found),
            "uri" | "url" | "canonical" | "oid" | "uuid" => {
                let temporary = |value: &Value<'_>| value.raw().starts_with("\"urn:");
                if child.value.as_ref().is_some_and(temporary) {
                    note(&child, Link::Uri, found);
                }
            }
            "xhtml" => note(&child, Link::Narrative, found),
            _ => {}
        }
        // A resource inside a Bundle or Parameters belongs to it; a contained one is ours.
        let foreign = child.definition.name == "Bundle.entry";
        if !foreign && (!child.is_primitive() || child.companion.is_some()) {
            collect(&child, found);
        }
    });
}

fn note<'a>(element: &Element<'a>, link: Link, found: &mut Vec<(Value<'a>, Link)>) {
    if let Some(value) = element.value {
        found.push((value, link));
    }
}

#[cfg(test)]
mod tests;
