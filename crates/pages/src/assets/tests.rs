//! The static files are found, are small, and load nothing.

use super::*;

#[test]
fn found_by_path_with_a_version_of_their_own() {
    for asset in ALL {
        assert_eq!(find(asset.path).map(|found| found.body), Some(asset.body));
        assert_eq!(asset.version.len(), 16);
    }
    assert_ne!(STYLE.version, SCRIPT.version);
    assert!(find("/assets/../Cargo.toml").is_none());
    assert_eq!(&digest(b""), b"cbf29ce484222325");
    assert_eq!(&digest(b"a"), b"af63dc4c8601ec8c");
}

#[test]
fn a18_nothing_comes_from_elsewhere() {
    for asset in ALL {
        for word in ["@import", "url(", "eval(", "innerHTML", "fetch(", "XMLHttpRequest", "document.write"] {
            assert!(!asset.body.contains(word), "{} has {word}", asset.path);
        }
        let without_namespace = asset.body.replace("http://www.w3.org/2000/svg", "");
        assert!(!without_namespace.contains("//www") && !without_namespace.contains("http"), "{}", asset.path);
    }
}
