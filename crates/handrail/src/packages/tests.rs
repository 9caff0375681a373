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

/// What an interrupted command left is gone at the next start; what one is about is not.
#[test]
fn what_was_left_behind_is_swept() {
    let data = tempfile::tempdir().unwrap();
    let packages = data.path().join(FOLDER);
    for name in [".adding-old", ".adding-new", "a#1"] {
        fs::create_dir_all(packages.join(name)).unwrap();
    }
    let long_ago = std::time::SystemTime::now() - 2 * STAGED_AGE_MAX;
    for name in [".adding-old", "a#1"] {
        File::open(packages.join(name)).unwrap().set_modified(long_ago).unwrap();
    }
    sweep(data.path());
    let left = |name: &str| packages.join(name).exists();
    assert_eq!([".adding-old", ".adding-new", "a#1"].map(left), [false, true, true]);
}

#[test]
fn what_a_start_would_refuse_is_found_without_one() {
    let data = tempfile::tempdir().unwrap();
    assert_eq!(examined(data.path()).unwrap(), 0);
    let folder = data.path().join(FOLDER).join("a.guide#1.0");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join(TABLES), file_text(1, &tables())).unwrap();
    assert_eq!(examined(data.path()).unwrap(), 1);
    fs::write(folder.join(TABLES), file_text(1, &tables()).replace("b.guide", "x.guide")).unwrap();
    let told = examined(data.path()).unwrap_err().to_string();
    assert!(told.contains("SHA-256") && told.contains("fix: remove the folder"), "{told}");
}
