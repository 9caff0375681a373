//! What a file of tables and a path must be.

use super::*;

fn tables() -> Tables {
    Tables { manifest: "a.guide#1.0\tabc\tb.guide#2.0,c#1\n".into(), ..Tables::default() }
}

#[test]
fn tables_survive_their_file_and_damage_is_found() {
    let text = file_text(7, &tables());
    let (order, read) = parse(&text).unwrap().unwrap();
    assert_eq!((order, read), (7, tables()));
    assert!(parse(&text.replace("b.guide", "x.guide")).unwrap_err().contains("SHA-256"));
    assert!(parse("handrail package 0 7 x\n").unwrap().is_none(), "an older form is compiled again");
    assert!(parse("").is_err());
    let (id, sum, dependencies) = manifest(&tables()).unwrap();
    assert_eq!((id.as_str(), sum.as_str()), ("a.guide#1.0", "abc"));
    assert_eq!(dependencies, ["b.guide#2.0", "c#1"]);
}

/// A backup or a staged folder names files; none leaves the folder.
#[test]
fn only_files_of_packages_are_files_of_packages() {
    assert!(is_file("packages/hl7.fhir.us.core#6.1.0/package.tgz"));
    assert!(is_file("packages/a#1/tables"));
    for path in [
        "packages/../keys",
        "packages/..#1/tables",
        "packages/a#1/other",
        "packages/a#1/tables/x",
        "keys/a#1/tables",
        "packages/a#../tables",
    ] {
        assert!(!is_file(path), "{path}");
    }
    let elsewhere = Tables { manifest: "../a#1\tx\n".into(), ..Tables::default() };
    assert!(manifest(&elsewhere).is_err());
}

#[test]
fn a_staged_name_is_one_of_ours() {
    let own = tempfile::tempdir().unwrap();
    let packages = Packages::open(own.path()).unwrap();
    for name in ["", "a#1", ".adding-../a#1", "../.adding-a", ".adding-a/b"] {
        assert!(packages.add(name, |_| Ok(())).is_err(), "{name}");
    }
}
