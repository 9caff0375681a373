//! Search URLs (row F58): any query for any type is a search or a list of issues that each name their
//! parameter; the self link of a search means the same search; and it can be asked of any resource.

use crate::samples;
use fhir::{LogicalId, ResourceType, element::Element};
use percent_encoding::percent_decode;
use search::{
    Context, IndexValues, Query, limits,
    matcher::{self, Alone, Subject},
    query::Handling,
};
use std::sync::LazyLock;

const BASE: &str = "https://handrail.test/fhir";

struct Indexed {
    kind: ResourceType,
    id: LogicalId,
    values: IndexValues,
}

static INDEXED: LazyLock<Vec<Indexed>> = LazyLock::new(|| {
    let index = |(kind, tree): &(ResourceType, fhir::json::Tree)| {
        let element = Element::resource(tree, fhir::schema::r4()).expect("a resource");
        let id = tree.root().get("id").and_then(fhir::json::Value::as_str).expect("an id");
        let values = search::extract(search::registry(), element, BASE);
        Indexed { kind: *kind, id: LogicalId::parse(&id).expect("an id"), values }
    };
    samples::all().iter().map(index).collect()
});

/// The samples of this type that a predicate means.
pub(crate) fn meant(kind: ResourceType, predicate: &search::Predicate) -> Vec<bool> {
    let registry = search::registry();
    let test = |sample: &&Indexed| {
        let subject =
            Subject { resource_type: kind, id: &sample.id, last_updated: samples::now(), values: &sample.values };
        matcher::matches(registry, predicate, subject, &Alone)
    };
    INDEXED.iter().filter(|sample| sample.kind == kind).map(|sample| test(&sample)).collect()
}

/// The first byte chooses the type and how unknown parameters are treated, the rest is the query.
pub fn search(bytes: &[u8]) {
    let [choice, kind, rest @ ..] = bytes else { return };
    // Types with samples half of the time: there the matcher has something to say.
    let kind = match choice % 2 {
        0 => samples::pick(*kind).0,
        _ => ResourceType::all().nth(usize::from(*kind) % ResourceType::all().count()).expect("a type"),
    };
    let handling = if choice & 4 == 0 { Handling::Strict } else { Handling::Lenient };
    let compartment = (choice & 8 != 0).then(|| LogicalId::parse("p1").expect("an id"));
    let context = Context { handling, base_url: BASE, now: samples::now(), compartment };
    let pairs = pairs(rest);
    let query = match search::parse(search::registry(), kind, &pairs, &context) {
        Ok(query) => query,
        Err(issues) => {
            assert!(!issues.is_empty());
            for issue in issues {
                assert!(issue.expression.is_some(), "no place: {}", issue.diagnostics);
                assert!(!issue.diagnostics.chars().any(char::is_control), "{:?}", issue.diagnostics);
            }
            return;
        }
    };
    assert!(pairs.len() <= limits::PARAMETERS_MAX && query.count <= limits::COUNT_MAX);
    assert!(query.sort.len() <= limits::SORT_KEYS_MAX);
    assert!(query.includes.len() + query.revincludes.len() <= limits::INCLUDES_MAX);
    let means = meant(kind, &query.predicate);

    // SPEC: R4 search.html#conformance: the self link shows what was done; done again it is the same.
    let link: Vec<(String, String)> = self::pairs(query.applied.as_bytes());
    let strict = Context { handling: Handling::Strict, ..context };
    let again = search::parse(search::registry(), kind, &link, &strict)
        .unwrap_or_else(|issues| panic!("the self link {:?} is refused: {issues:?}", query.applied));
    assert_eq!(shape(&again), shape(&query), "self link {:?}", query.applied);
    assert_eq!(meant(kind, &again.predicate), means);
}

/// Everything of a query but what was said about it.
fn shape(query: &Query) -> String {
    let Query { predicate, sort, count, total, includes, revincludes, applied, .. } = query;
    format!("{predicate:?} {sort:?} {count} {total:?} {includes:?} {revincludes:?} {applied}")
}

/// Pairs of a query string; what is not UTF-8 is replaced.
fn pairs(query: &[u8]) -> Vec<(String, String)> {
    let decoded = |part: &[u8]| {
        let spaced: Vec<u8> = part.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect();
        percent_decode(&spaced).decode_utf8_lossy().into_owned()
    };
    let pair = |pair: &[u8]| {
        let at = pair.iter().position(|byte| *byte == b'=').unwrap_or(pair.len());
        (decoded(&pair[..at]), decoded(pair.get(at + 1..).unwrap_or_default()))
    };
    query.split(|byte| *byte == b'&').filter(|part| !part.is_empty()).map(pair).collect()
}
