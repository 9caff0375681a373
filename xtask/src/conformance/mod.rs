//! `cargo xtask conformance DIR`: checks that need files from outside the repository.
//!
//! DIR holds `packages/*.tgz` (FHIR packages) and `fhirpath/` (the official FHIRPath suite). A file
//! that is missing fails its check; nothing is skipped. To add a check: a file here with one
//! function, and a line in [`CHECKS`].

mod definitions;
mod examples;
mod fhirpath;
mod mutants;
mod snapshots;
mod validation;
mod xml;

use std::path::Path;

/// One check: its name, and the function that says what it has seen or why it fails.
type Check = (&'static str, fn(&Path) -> Result<String, String>);

const CHECKS: &[Check] = &[
    ("definitions are fresh", definitions::fresh),
    ("snapshots", snapshots::equal),
    ("examples of the guides", examples::known),
    ("examples of the packages validate", validation::examples),
    ("mutants of the examples are found", mutants::sampled),
    ("JSON to XML and back", xml::round_trips),
    ("FHIRPath suite", fhirpath::suite),
    ("guides over TLS", crate::live::guides),
];

/// Checks of which the usual run sees a part, whole: by the name of the part.
const WHOLE: &[Check] = &[("mutants of the examples are found", mutants::every)];

/// Runs all checks, or those whose name holds a text, a line each, then the sum. `all`: also what takes long.
///
/// # Errors
/// How many failed; or that no check has such a name.
pub(crate) fn run(directory: &Path, only: Option<&str>, all: bool) -> Result<(), String> {
    let mut failed = 0;
    let wanted: Vec<&Check> = CHECKS.iter().filter(|(name, _)| only.is_none_or(|text| name.contains(text))).collect();
    if wanted.is_empty() {
        return Err("no check has such a name".to_owned());
    }
    for (name, check) in &wanted {
        let whole = WHOLE.iter().find(|(of, _)| all && of == name);
        let check = whole.map_or(check, |(_, whole)| whole);
        let outcome =
            if directory.is_dir() { check(directory) } else { Err(format!("no folder {}", directory.display())) };
        match outcome {
            Ok(seen) => eprintln!("pass  {name}: {seen}"),
            Err(why) => {
                failed += 1;
                eprintln!("FAIL  {name}: {why}");
            }
        }
    }
    eprintln!("{} passed, {failed} failed", wanted.len() - failed);
    if failed == 0 { Ok(()) } else { Err(format!("{failed} of {} checks failed", wanted.len())) }
}

/// The outcome of a walk over examples: faults that are the examples' own must still be there, and no
/// others; a walk that saw nothing proves nothing.
fn settled(resources: usize, seen: &str, mut faults: Vec<String>, known: &[&str]) -> Result<String, String> {
    if resources == 0 {
        return Err("no examples in the packages".to_owned());
    }
    for known in known {
        match faults.iter().position(|fault| fault == known) {
            Some(at) => _ = faults.remove(at),
            None => faults.push(format!("no longer a fault: {known}")),
        }
    }
    if faults.is_empty() {
        Ok(format!("{seen}, {} known faults", known.len()))
    } else {
        Err(format!("{} faults in {resources} resources\n      {}", faults.len(), faults.join("\n      ")))
    }
}

#[cfg(test)]
mod tests {
    //! Missing files fail.

    use super::*;

    #[test]
    fn known_faults_must_be_there_and_no_others() {
        let one = || vec!["a".to_owned()];
        assert!(settled(1, "1 resources", one(), &["a"]).is_ok());
        assert!(settled(1, "1 resources", one(), &[]).is_err(), "a new fault");
        assert!(settled(1, "1 resources", Vec::new(), &["a"]).is_err(), "a fault that is gone stays on the list");
        assert!(settled(0, "0 resources", Vec::new(), &[]).is_err(), "nothing seen");
    }

    #[test]
    fn a_missing_folder_or_package_fails_every_check() {
        let nowhere = Path::new("no/such/folder");
        assert_eq!(run(nowhere, None, false), Err(format!("{0} of {0} checks failed", CHECKS.len())));
        assert!(run(nowhere, Some("no such check"), false).is_err());
        for (name, check) in CHECKS.iter().chain(WHOLE) {
            assert!(check(nowhere).is_err(), "{name}");
        }
    }
}
