//! Concept maps: `concept-maps.tsv`. SPEC: R4 conceptmap.html. Left out: products.

use crate::{
    table::Table,
    terminology::Lines,
    value::{items, text},
};
use fhir::json::Value;

/// A concept map: `M url version package source target name`, `G source version target version unmapped
/// code display`, `T code code equivalence display conditional`.
pub(crate) fn lines(map: Value<'_>) -> Lines {
    let mut table = Table::default();
    for group in items(map, "group") {
        let unmapped = |name: &str| group.get("unmapped").map(|one| text(one, name)).unwrap_or_default();
        let to = if unmapped("mode") == "other-map" { unmapped("url") } else { unmapped("code") };
        table.row(&[
            "G",
            &text(group, "source"),
            &text(group, "sourceVersion"),
            &text(group, "target"),
            &text(group, "targetVersion"),
            &unmapped("mode"),
            &to,
            &unmapped("display"),
        ]);
        for element in items(group, "element") {
            for target in items(element, "target") {
                table.row(&[
                    "T",
                    &text(element, "code"),
                    &text(target, "code"),
                    &text(target, "equivalence"),
                    &text(target, "display"),
                    if items(target, "dependsOn").next().is_some() { "conditional" } else { "" },
                ]);
            }
        }
    }
    let end = |names: [&str; 2]| names.iter().map(|name| text(map, name)).find(|one| !one.is_empty());
    let source = end(["sourceCanonical", "sourceUri"]).unwrap_or_default();
    let target = end(["targetCanonical", "targetUri"]).unwrap_or_default();
    ("M", vec![source, target, text(map, "name")], table.into_text())
}
