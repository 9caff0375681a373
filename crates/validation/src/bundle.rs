//! Bundles: what refers to what inside, and the rules of entries. SPEC: R4 bundle.html, bundle.html#references,
//! documents.html, messaging.html.
//!
//! The invariants bdl-1 to bdl-12 are those of the tables (unique `fullUrl`, identifier and date of a document,
//! what comes first). Here: `fullUrl` against id, requests against resources, and that what the Composition of
//! a document or the header of a message refers to is inside.

use crate::finding::Place;
use crate::reference;
use crate::walk::Walk;
use fhir::element::Element;
use fhir::issue::{Issue, IssueType};
use fhir::json::{Kind, Value};
use std::borrow::Cow;
use std::collections::HashMap;

/// Levels of sections that references are looked for in.
const DEPTH_MAX: usize = 64;

/// A Bundle with its entries found by URL.
pub(crate) struct Bundle<'t> {
    resource: Element<'t>,
    /// In document order.
    entries: Vec<Entry<'t>>,
    by_url: HashMap<Cow<'t, str>, usize>,
    /// `Type/id`; `None` when several entries have it.
    by_name: HashMap<String, Option<usize>>,
    /// Definitions by their canonical URL.
    by_canonical: HashMap<Cow<'t, str>, Vec<usize>>,
}

struct Entry<'t> {
    value: Value<'t>,
    full_url: Option<Cow<'t, str>>,
    resource: Option<Element<'t>>,
}

impl<'t> Bundle<'t> {
    pub(crate) fn new(resource: Element<'t>) -> Self {
        let list = resource.value.and_then(|value| value.get("entry"));
        let mut bundle = Self {
            resource,
            entries: Vec::new(),
            by_url: HashMap::new(),
            by_name: HashMap::new(),
            by_canonical: HashMap::new(),
        };
        for value in list.into_iter().flat_map(Value::items) {
            let at = bundle.entries.len();
            let full_url = value.get("fullUrl").and_then(Value::as_str);
            let inner = value.get("resource");
            let inner = inner.and_then(|inner| Element::resource_at(inner, resource.schema));
            if let Some(url) = &full_url {
                bundle.by_url.entry(url.clone()).or_insert(at);
            }
            if let Some(name) = inner.and_then(|inner| name_of(&inner)) {
                bundle.by_name.entry(name).and_modify(|known| *known = None).or_insert(Some(at));
            }
            if let Some(url) = inner.and_then(|inner| inner.value).and_then(|value| value.get("url")?.as_str()) {
                bundle.by_canonical.entry(url).or_default().push(at);
            }
            bundle.entries.push(Entry { value, full_url, resource: inner });
        }
        bundle
    }

    /// The entry that a reference points at, seen from the entry with this `fullUrl`.
    pub(crate) fn find(&self, reference: &str, from: Option<&str>) -> Option<Element<'t>> {
        let plain = reference.split_once("/_history/").map_or(reference, |(plain, _)| plain);
        let at = if plain.contains(':') {
            self.by_url.get(plain).copied()
        } else {
            match self.by_name.get(plain) {
                Some(Some(at)) => Some(*at),
                // Several servers' resources have this name: the one of the same server.
                Some(None) => {
                    let base = from.and_then(service_base)?;
                    self.by_url.get(format!("{base}/{plain}").as_str()).copied()
                }
                None => None,
            }
        };
        self.entries.get(at?)?.resource
    }

    /// The definition among the entries that a canonical names.
    pub(crate) fn definition(&self, canonical: &str) -> Option<Element<'t>> {
        let (url, version) = canonical.split_once('|').unwrap_or((canonical, ""));
        let all = self.by_canonical.get(url)?;
        let version_of = |one: &Element<'t>| one.value.and_then(|value| value.get("version")).and_then(Value::as_str);
        let mut found = all.iter().filter_map(|at| self.entries.get(*at)?.resource);
        found.find(|one| version.is_empty() || version_of(one).is_some_and(|its| its == version))
    }

    /// The `fullUrl` of an entry's resource.
    pub(crate) fn full_url_of(&self, resource: Element<'_>) -> Option<&str> {
        let index = resource.value?.index();
        let its = |entry: &Entry<'_>| entry.resource.and_then(|inner| inner.value).map_or(0, Value::index);
        let first = self.entries.partition_point(|entry| entry.value.index() < index && its(entry) < index);
        let entry = self.entries.get(first).filter(|entry| its(entry) == index)?;
        entry.full_url.as_deref()
    }
}

fn name_of(resource: &Element<'_>) -> Option<String> {
    let id = resource.value?.get("id").and_then(Value::as_str)?;
    Some(format!("{}/{id}", resource.definition.name))
}

/// `https://host/fhir` of `https://host/fhir/Patient/1`.
fn service_base(full_url: &str) -> Option<&str> {
    let (rest, _id) = full_url.rsplit_once('/')?;
    let (base, _type) = rest.rsplit_once('/')?;
    base.contains("://").then_some(base)
}

impl<'t> Walk<'t> {
    /// The rules of a Bundle's entries.
    pub(crate) fn bundle(&mut self, bundle: &Bundle<'t>, place: &Place<'_>) {
        let kind = bundle.resource.value.and_then(|value| value.get("type")).and_then(Value::as_str);
        let kind = kind.unwrap_or_default();
        for (index, entry) in bundle.entries.iter().enumerate() {
            let here = Place { parent: Some(place), name: "entry", index: Some(index) };
            self.full_url(entry, &kind, &here);
            if matches!(&*kind, "transaction" | "batch") {
                self.request(entry, &here);
            }
        }
        let first = bundle.entries.first().and_then(|entry| entry.resource);
        let Some(first) = first else { return };
        let from = bundle.entries.first().and_then(|entry| entry.full_url.as_deref());
        let here = Place { parent: Some(place), name: "entry", index: Some(0) };
        match (&*kind, first.definition.name, first.value) {
            ("document", "Composition", Some(value)) => self.inside(bundle, value, from, &here, 0),
            ("message", "MessageHeader", Some(value)) => {
                if let Some(focus) = value.get("focus") {
                    self.inside(bundle, focus, from, &here, 0);
                }
            }
            _ => {}
        }
    }

    /// SPEC: R4 bundle.html, Bundle.entry.fullUrl.
    fn full_url(&mut self, entry: &Entry<'t>, kind: &str, place: &Place<'_>) {
        let stated = entry.value.get("fullUrl");
        let (Some(url), Some(stated)) = (&entry.full_url, stated) else { return };
        let offset = stated.span().start;
        let here = Place { parent: Some(place), name: "fullUrl", index: None };
        if url.starts_with("urn:uuid:") || url.starts_with("urn:oid:") {
            return;
        }
        if !url.contains("://") {
            let text = "fullUrl is absolute: a URL, urn:uuid: or urn:oid:";
            return self.findings.add_at(Issue::error(IssueType::Value, text), &here, offset);
        }
        // WHY: what is yet to be created has no id of the server that the URL is of.
        if matches!(kind, "transaction" | "batch") {
            return;
        }
        let Some(name) = entry.resource.as_ref().and_then(name_of) else { return };
        let type_stated = reference::type_segment(url);
        let is_rest = type_stated.is_some_and(|name| fhir::ResourceType::parse(name).is_ok());
        if is_rest && !url.ends_with(&format!("/{name}")) {
            let text = "fullUrl agrees with the type and id of the resource; found others";
            self.findings.add_at(Issue::error(IssueType::Value, text), &here, offset);
        }
    }

    /// SPEC: R4 http.html#trules: what a method needs.
    fn request(&mut self, entry: &Entry<'t>, place: &Place<'_>) {
        let Some(request) = entry.value.get("request") else { return };
        let text = |name: &str| request.get(name).and_then(Value::as_str);
        let (Some(method), Some(url)) = (text("method"), text("url")) else { return };
        let offset = request.span().start;
        let has_resource = entry.value.get("resource").is_some();
        let wrong = match &*method {
            "POST" | "PUT" | "PATCH" if !has_resource => Some("has a resource; found none"),
            "GET" | "HEAD" | "DELETE" if has_resource => Some("has no resource; found one"),
            _ => None,
        };
        if let Some(wrong) = wrong {
            let issue = Issue::error(IssueType::Structure, format!("an entry with {method} {wrong}"));
            self.findings.add_at(issue, place, offset);
        }
        let wanted = url.split(['/', '?']).next().unwrap_or_default();
        if let Some(resource) = entry.resource
            && matches!(&*method, "POST" | "PUT")
            && fhir::ResourceType::parse(wanted).is_ok()
            && wanted != resource.definition.name
        {
            let text = format!("the request is for {wanted}, the resource is {}", resource.definition.name);
            self.findings.add_at(Issue::error(IssueType::Value, text), place, offset);
        }
    }

    /// All that is referred to below a value is in the Bundle.
    fn inside(&mut self, bundle: &Bundle<'t>, value: Value<'t>, from: Option<&str>, place: &Place<'_>, depth: usize) {
        if depth > DEPTH_MAX {
            return;
        }
        for one in value.items().chain(std::iter::empty()) {
            self.inside(bundle, one, from, place, depth + 1);
        }
        for member in value.members() {
            if matches!(member.name(), "extension" | "modifierExtension" | "contained" | "text" | "relatesTo") {
                continue;
            }
            if member.name() == "reference"
                && let Some(text) = member.as_str()
            {
                if !text.starts_with('#') && bundle.find(&text, from).is_none() {
                    let text = "what the first entry refers to is in the Bundle; found no such entry";
                    self.findings.add_at(Issue::error(IssueType::NotFound, text), place, member.span().start);
                }
            } else if matches!(member.kind(), Kind::Array | Kind::Object) {
                self.inside(bundle, member, from, place, depth + 1);
            }
        }
    }
}
