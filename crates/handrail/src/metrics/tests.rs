//! The documents that use metrics, held to the catalogue: a dashboard of names that do not exist shows nothing.

use super::catalogue::{FAMILIES, Kind};
use std::{collections::BTreeSet, fmt::Write, path::Path};

fn document(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs").join(name);
    std::fs::read_to_string(&path).unwrap_or_default()
}

/// Words of a query that are names of metrics: ours and the process's.
fn names(query: &str) -> BTreeSet<String> {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
    let words = query.split(|c| !word(c));
    words.filter(|name| name.starts_with("handrail_") || name.starts_with("process_")).map(str::to_owned).collect()
}

/// Whether a series of this name is on the page.
fn exists(name: &str) -> bool {
    FAMILIES.iter().any(|family| {
        family.name == name
            || (family.kind == Kind::Histogram
                && name.strip_prefix(family.name).is_some_and(|rest| ["_bucket", "_sum", "_count"].contains(&rest)))
    })
}

/// Labels that a query names in braces or after `by`, beside those that Prometheus adds.
fn check_labels(query: &str) {
    for family in FAMILIES {
        for (at, _) in query.match_indices(family.name) {
            let rest = &query[at + family.name.len()..];
            let rest = rest.strip_prefix("_bucket").unwrap_or(rest);
            let Some(inner) = rest.strip_prefix('{').and_then(|rest| rest.split_once('}')) else { continue };
            for matcher in inner.0.split("\",") {
                let label = matcher.split(['=', '!', '~']).next().unwrap_or_default().trim();
                let known = family.labels.contains(&label) || ["instance", "job", "le", ""].contains(&label);
                assert!(known, "{} has no label {label}: {query}", family.name);
            }
        }
    }
}

fn queries(value: &serde_json::Value, found: &mut Vec<String>) {
    match value {
        serde_json::Value::Object(members) => {
            found.extend(members.get("expr").and_then(|expr| expr.as_str()).map(str::to_owned));
            members.values().for_each(|member| queries(member, found));
        }
        serde_json::Value::Array(items) => items.iter().for_each(|item| queries(item, found)),
        _ => {}
    }
}

#[test]
fn the_dashboard_asks_for_metrics_that_exist() {
    let dashboard: serde_json::Value = serde_json::from_str(&document("grafana/handrail.json")).unwrap();
    let mut found = Vec::new();
    queries(&dashboard, &mut found);
    assert!(found.len() > 50, "{}", found.len());
    let mut used = BTreeSet::new();
    for query in found {
        let asked = names(&query);
        assert!(!asked.is_empty(), "{query}");
        asked.iter().for_each(|name| assert!(exists(name), "{name}: {query}"));
        check_labels(&query);
        used.extend(asked);
    }
    let has = |name: &str| used.iter().any(|used| used.starts_with(name));
    let left_out: Vec<_> = FAMILIES.iter().map(|family| family.name).filter(|name| !has(name)).collect();
    assert!(left_out.len() < FAMILIES.len() / 3, "most of what is measured can be seen: {left_out:?}");
    // What Grafana reads a panel by; ids and places must differ.
    let panels = dashboard["panels"].as_array().unwrap();
    let ids: BTreeSet<i64> = panels.iter().map(|panel| panel["id"].as_i64().unwrap()).collect();
    let places: BTreeSet<String> = panels.iter().map(|panel| panel["gridPos"].to_string()).collect();
    assert_eq!((ids.len(), places.len()), (panels.len(), panels.len()));
    for panel in panels.iter().filter(|panel| panel["type"] != "row") {
        assert!(panel["title"].is_string() && panel["targets"].is_array() && panel["datasource"].is_object());
    }
}

#[test]
fn the_alert_rules_ask_for_metrics_that_exist() {
    let rules = document("prometheus/alerts.yml");
    let expressions: Vec<&str> = rules.lines().filter_map(|line| line.trim().strip_prefix("expr: ")).collect();
    assert!(expressions.len() > 10);
    for expression in expressions {
        check_labels(expression);
        names(expression).iter().for_each(|name| assert!(exists(name), "{name}: {expression}"));
    }
    names(&rules).iter().for_each(|name| assert!(exists(name), "{name}"));
    let operations = document("operations.md");
    for alert in rules.lines().filter_map(|line| line.trim().strip_prefix("- alert: ")) {
        assert!(operations.contains(alert), "docs/operations.md says nothing of {alert}");
    }
}

/// `docs/metrics.md`, from the catalogue.
fn markdown() -> String {
    let mut text = "# Metrics\n\n\
        Written from `crates/handrail/src/metrics/catalogue.rs` (`BLESS=1 cargo test -p handrail metrics_document`).\n\n\
        Read at `http://HOST:PORT/metrics` of the setting `metrics.listen`. No label holds an id, a client or anything else\n\
        that a request brought. `docs/grafana/handrail.json` is a dashboard of them, `docs/prometheus/alerts.yml` are rules.\n\n\
        | metric | kind | labels | what |\n|---|---|---|---|\n"
        .to_owned();
    for family in FAMILIES {
        let kind = match family.kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
        };
        let _ = writeln!(text, "| `{}` | {kind} | {} | {} |", family.name, family.labels.join(", "), family.help);
    }
    text
}

#[test]
fn the_metrics_document_is_the_catalogue() {
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/metrics.md"), markdown()).unwrap();
    }
    assert_eq!(document("metrics.md"), markdown(), "run BLESS=1 cargo test -p handrail metrics_document");
}

#[test]
fn names_follow_the_rules_of_prometheus() {
    let all: BTreeSet<_> = FAMILIES.iter().map(|family| family.name).collect();
    assert_eq!(all.len(), FAMILIES.len());
    for family in FAMILIES {
        assert!(
            family.name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_'),
            "{}",
            family.name
        );
        assert_eq!(family.name.ends_with("_total"), family.kind == Kind::Counter, "{}", family.name);
        assert!(family.help.ends_with('.'), "{}", family.name);
    }
}
