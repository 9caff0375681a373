//! `handrail terminology`: small files in the official forms, from folders and archives; bad lines are named;
//! an interrupted load goes on.

use crate::support::{ok, run, stderr};
use std::{fs, path::Path};

const TABLE: &str = "LOINC_NUM,LONG_COMMON_NAME,STATUS,VersionLastChanged\n1-8,One,ACTIVE,2.80\n2-6,Two,ACTIVE,2.70\n";
const ANSWERS: &str = "AnswerListId,AnswerListName,AnswerStringId,DisplayText\nLL1-9,List,LA1-1,Yes\n";

fn write(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

#[test]
fn a_folder_is_loaded_listed_and_removed() {
    let own = tempfile::tempdir().unwrap();
    let data = own.path().join("data");
    fs::create_dir(&data).unwrap();
    let (data, release) = (data.to_str().unwrap(), own.path().join("Loinc_2.80"));
    write(&release.join("LoincTable/Loinc.csv"), TABLE);
    write(&release.join("AccessoryFiles/AnswerFile/AnswerList.csv"), ANSWERS);
    write(&release.join("AccessoryFiles/other.csv"), "passed over");
    let release = release.to_str().unwrap();
    let said = ok(&run(["terminology", "load", "loinc", release, "--data", data]));
    assert!(said.starts_with("loaded http://loinc.org 2.80, 4 concepts"), "{said}");
    let listed = ok(&run(["terminology", "list", "--data", data]));
    assert!(listed.starts_with("loinc\t2.80\t4 concepts\t"), "{listed}");
    ok(&run(["terminology", "remove", "loinc", "--data", data]));
    assert_eq!(ok(&run(["terminology", "list", "--data", data])), "");
    let again = run(["terminology", "remove", "loinc", "--data", data]);
    assert!(!again.status.success() && stderr(&again).contains("fix: handrail terminology list"), "{}", stderr(&again));
}

#[test]
fn a_bad_line_is_named_and_a_mended_load_goes_on() {
    let own = tempfile::tempdir().unwrap();
    let data = own.path().join("data");
    fs::create_dir(&data).unwrap();
    let data = data.to_str().unwrap();
    let (table, answers) = (own.path().join("Loinc.csv"), own.path().join("AnswerList.csv"));
    write(&table, TABLE);
    write(&answers, &format!("{ANSWERS}LX1-9,List,LA1-1,Yes\n"));
    let arguments =
        ["terminology", "load", "loinc", table.to_str().unwrap(), answers.to_str().unwrap(), "--data", data];
    let failed = run(arguments);
    assert!(!failed.status.success());
    let said = stderr(&failed);
    assert!(said.contains("AnswerList.csv:3: \"LX1-9\" is no answer list") && said.contains("fix:"), "{said}");
    let listed = run(["terminology", "list", "--data", data]);
    assert!(stderr(&listed).contains("a load of loinc was interrupted"), "{}", stderr(&listed));
    write(&answers, ANSWERS);
    let done = run(arguments);
    assert!(stderr(&done).contains("going on after 1 file"), "{}", stderr(&done));
    assert!(ok(&done).contains("4 concepts"));
    // What was read before has changed: it begins again.
    write(&answers, &format!("{ANSWERS}bad\n"));
    assert!(!run(arguments).status.success());
    write(&table, &format!("{TABLE}3-4,Three,ACTIVE,2.80\n"));
    write(&answers, ANSWERS);
    let done = run(arguments);
    assert!(stderr(&done).contains("it begins again"), "{}", stderr(&done));
    assert!(ok(&done).contains("5 concepts"));
}

#[test]
fn what_cannot_be_loaded_is_told_with_its_fix() {
    let own = tempfile::tempdir().unwrap();
    let data = own.path().join("data");
    fs::create_dir(&data).unwrap();
    let data = data.to_str().unwrap();
    let refused = |arguments: &[&str], wanted: &[&str]| {
        let output = run(arguments);
        let said = stderr(&output);
        assert!(!output.status.success() && wanted.iter().all(|one| said.contains(one)), "{said}");
    };
    let other = own.path().join("other.txt");
    write(&other, "x");
    let other = other.to_str().unwrap();
    refused(&["terminology", "load", "snomed", other, "--data", data], &["is not a file of snomed", "fix:"]);
    refused(&["terminology", "load", "snomed", "nowhere", "--data", data], &["nowhere", "fix: check the path"]);
    refused(&["terminology", "load", "ucum", other, "--data", data], &["other.txt", "fix:"]);
    refused(&["terminology", "load", "icd9", other, "--data", data], &["icd9"]);
    refused(&["terminology", "list", "--data", "no-such"], &["there is no such data directory"]);
    let damaged = Path::new(data).join("terminology/loinc.codes");
    write(&damaged, "HRTERMCS");
    refused(&["terminology", "list", "--data", data], &["loinc.codes", "fix: load it again"]);
    let archive = own.path().join("a.zip");
    write(&archive, "no archive");
    refused(&["terminology", "load", "loinc", archive.to_str().unwrap(), "--data", data], &["a.zip", "ZIP"]);
    let empty = own.path().join("empty");
    fs::create_dir(&empty).unwrap();
    refused(
        &["terminology", "load", "loinc", empty.to_str().unwrap(), "--data", data],
        &["no file of loinc", "Loinc.csv"],
    );
}
