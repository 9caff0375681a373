//! Row A5 and the machine: what the lines say.

use super::{Weight, machine};
use crate::{clock, config::Config};
use fhir::Instant;
use std::os::unix::fs::PermissionsExt;

#[test]
fn a_star_is_one_whole_label() {
    for (name, host, is) in [
        ("fhir.example.org", "fhir.example.org", true),
        ("FHIR.example.org", "fhir.example.org", true),
        ("*.example.org", "fhir.example.org", true),
        ("*.example.org", "a.fhir.example.org", false),
        ("*.example.org", "example.org", false),
        ("example.org", "fhir.example.org", false),
        ("127.0.0.1", "127.0.0.1", true),
    ] {
        assert_eq!(crate::tls::certificate::covers(name, host), is, "{name} {host}");
    }
}

#[test]
fn a_clock_that_went_back_is_a_problem() {
    let now = clock::now();
    let later = |seconds: i64| Some(Instant::from_unix_millis(now.unix_millis() + seconds * 1000));
    assert_eq!(machine::clock(later(3600)).weight, Weight::Problem);
    assert!(machine::clock(later(5)).weight < Weight::Warning);
    assert!(machine::clock(None).weight < Weight::Warning);
}

#[test]
fn a_closed_directory_closes_what_is_in_it() {
    let folder = tempfile::tempdir().unwrap();
    let mode = |path: &std::path::Path, mode| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    let file = folder.path().join("f");
    std::fs::write(&file, "").unwrap();
    mode(&file, 0o644);
    mode(folder.path(), 0o700);
    let weight = || machine::permissions(&Config::defaults().unwrap(), folder.path())[0].weight;
    assert_eq!(weight(), Weight::Well);
    mode(folder.path(), 0o750);
    assert_eq!(weight(), Weight::Problem);
}
