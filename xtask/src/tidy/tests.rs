//! The tree is tidy, and each check can fail.

use super::*;

#[test]
fn the_tree_is_tidy() {
    let faults = faults(&crate::repository()).unwrap();
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}

/// A test that an invariant of `ARCHITECTURE.md` names after "Test:" is there: a file of that name in
/// the crate named before it, or a function.
#[test]
fn tests_that_invariants_name_exist() {
    let top = crate::repository();
    let page = std::fs::read_to_string(top.join("ARCHITECTURE.md")).unwrap();
    let mut named = 0;
    for paragraph in page.split("*Invariant ").skip(1) {
        let paragraph = paragraph.split("\n\n").next().unwrap();
        let Some((_, tests)) = paragraph.split_once("Test: ").or_else(|| paragraph.split_once("Tests: ")) else {
            continue;
        };
        let mut place = None;
        for word in tests.split('`').skip(1).step_by(2) {
            let at = if word == "xtask" { top.join(word) } else { top.join("crates").join(word) };
            if at.is_dir() {
                place = Some(at);
            } else if let Some((_, name)) = word.rsplit_once("::") {
                let place = place.as_ref().unwrap_or_else(|| panic!("no crate before {word}"));
                assert!(holds(place, name), "{word} is not in {}", place.display());
                named += 1;
            }
        }
    }
    assert!(named > 10, "{named}");
}

fn holds(folder: &std::path::Path, name: &str) -> bool {
    std::fs::read_dir(folder).unwrap().flatten().any(|entry| {
        let path = entry.path();
        if path.is_dir() {
            return path.file_name().is_some_and(|folder| folder != "target") && holds(&path, name);
        }
        path.file_stem().is_some_and(|stem| stem == name)
            || path.extension().is_some_and(|extension| extension == "rs")
                && std::fs::read_to_string(&path).unwrap().contains(&format!("fn {name}("))
    })
}

const TABLE: &str = "\
| proof | says |\n|---|---|\n| a | b |\n\n\
| layer | crate | what it is | may know |\n|---|---|---|---|\n\
| 0 | `low` | below | nothing |\n| 1 | `high` | above | low |\n\nText.\n";

fn manifests(low: &str, high: &str) -> Vec<(String, String)> {
    let one = |name: &str, text: &str| (format!("crates/{name}/Cargo.toml"), format!("[dependencies]\n{text}\n"));
    vec![one("low", low), one("high", high)]
}

#[test]
fn an_edge_that_the_table_lists_is_fine() {
    assert!(edges::faults(TABLE, &manifests("serde.workspace = true", "low.workspace = true")).is_empty());
    let dev = "[dev-dependencies]\nhigh.workspace = true";
    assert!(edges::faults(TABLE, &manifests(dev, "")).is_empty(), "development dependencies are free");
}

#[test]
fn an_edge_that_the_table_does_not_list_is_a_fault() {
    let faults = edges::faults(TABLE, &manifests("high = { workspace = true }", ""));
    assert_eq!(faults.len(), 1);
    assert!(faults[0].contains("`low` may not know `high`"), "{faults:?}");
}

#[test]
fn crates_and_rows_must_match() {
    let mut more = manifests("", "");
    more.push(("xtask/Cargo.toml".to_owned(), String::new()));
    assert!(edges::faults(TABLE, &more)[0].contains("`xtask` has no row"));
    assert!(edges::faults(TABLE, &manifests("", "")[..1])[0].contains("`high` has no crate"));
    assert!(edges::faults("no table", &[])[0].contains("no table"));
}

fn found(path: &str, text: &str) -> usize {
    source::faults(path, &format!("//! Head.\n{text}\n")).len()
}

#[test]
fn a_file_begins_with_its_purpose() {
    assert_eq!(source::faults("crates/fhir/src/a.rs", "\n#![forbid(unsafe_code)]\n//! Head.\n"), Vec::<String>::new());
    assert_eq!(source::faults("crates/fhir/src/a.rs", "use x;\n//! Late.\n").len(), 1);
    assert_eq!(source::faults("crates/fhir/src/a.rs", "").len(), 1);
}

#[test]
fn calls_stand_only_where_they_belong() {
    for (text, inside, outside) in [
        ("let now = SystemTime::now();", "crates/handrail/src/clock.rs", "crates/policy/src/decide.rs"),
        ("use std::fs;", "crates/store/src/engine/disk.rs", "crates/store/src/plan.rs"),
        ("StatusCode::OK", "crates/rest/src/outcome.rs", "crates/rest/src/interaction/read.rs"),
        ("println!(\"x\");", "xtask/src/main.rs", "crates/rest/src/lib.rs"),
        ("Instant::now()", "crates/rest/src/pipeline.rs", "crates/search/src/matcher.rs"),
    ] {
        assert_eq!(found(inside, text), 0, "{inside}: {text}");
        assert_eq!(found(outside, text), 1, "{outside}: {text}");
    }
    assert_eq!(
        found("crates/rest/src/lib.rs", "eprintln!(); // println!"),
        1,
        "behind a comment counts, whole words only"
    );
    assert_eq!(found("crates/rest/src/lib.rs", "// println! is banned"), 0);
    assert_eq!(found("crates/fhir/tests/it/main.rs", "use std::fs;"), 0);
    assert_eq!(found("crates/fhir/src/a/tests.rs", "use std::fs;"), 0);
    assert_eq!(found("crates/fhir/src/a.rs", "#[cfg(test)]\nmod tests {\nuse std::fs;\n}"), 0);
    assert_eq!(found("crates/fhir/src/a.rs", "#[cfg(test)]\nmod tests;\nuse std::fs;"), 1);
}

#[test]
fn leftovers_are_faults_everywhere() {
    let texts =
        [["db", "g!(x)"], ["to", "do!()"], ["// FIX", "ME later"], ["#[al", "low(dead_code)]"], ["#[ig", "nore]"]];
    for parts in texts {
        assert_eq!(found("crates/fhir/src/a/tests.rs", &parts.concat()), 1, "{parts:?}");
    }
}

#[test]
fn the_list_of_long_files_only_shrinks() {
    let faults = |lines: usize, list: &str| source::length_faults(&[("a.rs".to_owned(), lines)], list).len();
    assert_eq!(faults(1000, "# head\n"), 0);
    assert_eq!(faults(1001, ""), 1);
    assert_eq!(faults(1001, "a.rs 1100\n"), 0);
    assert_eq!(faults(1101, "a.rs 1100\n"), 1, "grown");
    assert_eq!(faults(900, "a.rs 1100\n"), 1, "short again");
    assert_eq!(faults(900, "b.rs 1100\n"), 1, "gone");
    assert_eq!(faults(900, "nonsense\n"), 1);
}

#[test]
fn manifests_use_the_one_list_with_its_reasons() {
    let workspace =
        "[workspace.dependencies]\nfhir = { path = \"crates/fhir\" }\nbytes = \"1\" # shared buffers\nrand = \"1\"\n";
    let faults = manifest::workspace_faults(workspace);
    assert_eq!(faults.len(), 1);
    assert!(faults[0].contains("`rand`"), "{faults:?}");
    let good = "[dependencies]\nfhir.workspace = true\nx = { workspace = true, features = [\"a\"] }\n[lints]\nworkspace = true\n";
    assert!(manifest::crate_faults("crates/a/Cargo.toml", good).is_empty());
    assert_eq!(manifest::crate_faults("crates/a/Cargo.toml", "[dependencies]\nx = \"1\"\n").len(), 2);
}

#[test]
fn threats_name_tests_that_are_there() {
    let sources = [
        ("crates/a/tests/it/b.rs".to_owned(), "fn shown() {}".to_owned()),
        ("crates/a/src/c.rs".to_owned(), "mod tests {\n fn inner() {} }".to_owned()),
    ];
    let all: Vec<String> = (55..=66).map(|row| format!("F{row}")).collect();
    let page = |last: &str| format!("{}\n| threat | test |\n|---|---|\n| x | {last} |\n", all.join(" "));
    for right in ["`a::b::shown`", "`a::c::tests::inner`, `a::b::shown`", "later: issue 4"] {
        assert_eq!(threats::faults(&page(right), &sources), Vec::<String>::new(), "{right}");
    }
    for wrong in ["", "`shown`", "`a::b::missing`", "`a::c::shown`", "`b::b::shown`", "soon"] {
        assert_eq!(threats::faults(&page(wrong), &sources).len(), 1, "{wrong}");
    }
    assert_eq!(threats::faults("F55", &sources).len(), 12, "no table, and eleven threats left out");
}
