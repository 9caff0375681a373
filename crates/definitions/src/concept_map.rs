//! Concept maps: `concept-maps.tsv`. SPEC: R4 conceptmap.html. Left out: products.

use crate::{
    fault::Fault,
    package::Package,
    table::Table,
    terminology::has_url,
    value::{items, text},
};

/// The table: `M url version package source target name`, `G source version target version unmapped
/// code display`, `T code code equivalence display conditional`.
pub(crate) fn table(package: &Package, faults: &mut Vec<Fault>) -> String {
    let mut table = Table::default();
    {
        for map in package.resources("ConceptMap").into_iter().filter(|map| has_url(*map, faults)) {
            let end = |names: [&str; 2]| names.iter().map(|name| text(map, name)).find(|one| !one.is_empty());
            table.row(&[
                "M",
                &text(map, "url"),
                &text(map, "version"),
                &package.id(),
                &end(["sourceCanonical", "sourceUri"]).unwrap_or_default(),
                &end(["targetCanonical", "targetUri"]).unwrap_or_default(),
                &text(map, "name"),
            ]);
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
        }
    }
    table.into_text()
}
