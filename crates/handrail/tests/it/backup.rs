//! Backup of a running server, restore, doctor: by the binary, as an operator does it.

use crate::support::{Server, handrail, ok, run, stderr, stdout};
use std::{os::unix::fs::PermissionsExt, path::Path};

const PATIENT: &str = r#"{"resourceType":"Patient","id":"p1","name":[{"family":"Restored"}]}"#;

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[tokio::test]
async fn a_backup_of_a_running_server_is_restored_and_serves() {
    let mut server = Server::start();
    let client = server.client("lab", "system/*.cruds");
    let token = server.token(&client);
    let mut http = server.http().await;
    assert_eq!(http.put_as(&token, "PUT", "/fhir/Patient/p1", PATIENT).await.status, 201);

    let folder = tempfile::tempdir().unwrap();
    let (file, data) = (folder.path().join("one.backup"), folder.path().join("restored"));
    let said = ok(&run(["backup", "--data", text(&server.directory), "--to", text(&file)]));
    assert!(said.starts_with("OK: "), "{said}");
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    // Written after the moment of the backup: not in it.
    let later = PATIENT.replace("p1", "p2");
    assert_eq!(http.put_as(&token, "PUT", "/fhir/Patient/p2", &later).await.status, 201);
    let again = run(["backup", "--data", text(&server.directory), "--to", text(&file)]);
    assert!(stderr(&again).contains("is there already"), "a backup is never written over");
    server.stop("TERM");

    assert!(ok(&run(["restore", text(&file), "--check"])).starts_with("OK: the backup is whole"));
    let said = ok(&run(["restore", text(&file), "--data", text(&data)]));
    assert!(said.contains("restored and verified") && said.contains("1 resource,"), "{said}");
    let taken = run(["restore", text(&file), "--data", text(&data)]);
    assert!(!taken.status.success() && stderr(&taken).contains("is not empty"), "{}", stderr(&taken));

    let restored = Server::on(&data, &[]);
    let mut http = restored.http().await;
    // F23, B: the same client, by the same key; its old token is dead.
    assert_eq!(http.get_as(&token, "/fhir/Patient/p1").await.status, 401);
    let token = restored.token(&client);
    let answer = http.get_as(&token, "/fhir/Patient/p1").await;
    assert_eq!((answer.status.as_u16(), answer.json()["name"][0]["family"].as_str()), (200, Some("Restored")));
    assert_eq!(http.get_as(&token, "/fhir/Patient/p2").await.status, 404);
    assert!(ok(&run(["audit", "verify", "--data", text(&data)])).starts_with("OK"));
}

#[test]
fn a_backup_at_rest_goes_through_a_pipe_and_a_cut_one_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    crate::support::add_client(
        &{
            std::fs::create_dir(&data).unwrap();
            data.clone()
        },
        "lab",
        "system/*.rs",
    );
    let piped = run(["backup", "--data", text(&data), "--to", "-"]);
    assert!(piped.status.success(), "{}", stderr(&piped));
    assert!(piped.stdout.starts_with(b"HRBACKUP"));
    let cut = folder.path().join("cut.backup");
    std::fs::write(&cut, &piped.stdout[..piped.stdout.len() - 10]).unwrap();
    let new = folder.path().join("new");
    let refused = run(["restore", text(&cut), "--data", text(&new)]);
    assert!(!refused.status.success() && stderr(&refused).contains("breaks off"), "{}", stderr(&refused));
    let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(!new.exists() && left.len() == 3, "nothing is left of it: {left:?}");
}

#[tokio::test]
async fn the_doctor_says_all_is_well_and_what_is_not() {
    let mut server = Server::start();
    let token = server.full_token();
    let mut http = server.http().await;
    assert_eq!(http.put_as(&token, "PUT", "/fhir/Patient/p1", PATIENT).await.status, 201);
    let data = server.directory.clone();
    let served = ok(&run(["doctor", "--data", text(&data)]));
    assert!(served.contains("a server runs on this directory"), "{served}");
    server.stop("TERM");

    let before = std::fs::read_dir(&data).unwrap().count();
    let well = ok(&run(["doctor", "--data", text(&data)]));
    assert!(well.contains("1 resource,") && !well.contains("PROBLEM"), "{well}");
    assert!(!well.contains("Restored"), "nothing of a resource is told");
    assert_eq!(std::fs::read_dir(&data).unwrap().count(), before, "nothing is left behind");

    // Others may read the keys.
    std::fs::set_permissions(&data, std::fs::Permissions::from_mode(0o755)).unwrap();
    let key = data.join("keys").join("audit-checkpoint.pk8");
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
    let open = run(["doctor", "--data", text(&data)]);
    assert_eq!(open.status.code(), Some(1));
    assert!(stdout(&open).contains("open to others") && stdout(&open).contains("chmod -R go="), "{}", stdout(&open));
    std::fs::set_permissions(&data, std::fs::Permissions::from_mode(0o700)).unwrap();

    // A bit flips in the audit log.
    let log = data.join("audit").join("00000001.log");
    let mut bytes = std::fs::read(&log).unwrap();
    let at = bytes.len() / 2;
    bytes[at] ^= 1;
    std::fs::write(&log, bytes).unwrap();
    let damaged = run(["doctor", "--data", text(&data)]);
    assert_eq!(damaged.status.code(), Some(1));
    assert!(stdout(&damaged).contains("PROBLEM  audit log"), "{}", stdout(&damaged));
}

#[test]
fn the_doctor_looks_at_the_certificate_that_is_configured() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    std::fs::create_dir(&data).unwrap();
    let (certificate, key) = (folder.path().join("c.pem"), folder.path().join("k.pem"));
    let pair = rcgen::generate_simple_self_signed(vec!["fhir.example.org".to_owned()]).unwrap();
    std::fs::write(&certificate, pair.cert.pem()).unwrap();
    std::fs::write(&key, pair.signing_key.serialize_pem()).unwrap();
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).unwrap();
    let doctor = |base: &str| {
        let mut command = handrail();
        command.args(["doctor", "--data", text(&data), "--tls-certificate", text(&certificate)]);
        command.args(["--tls-key", text(&key), "--base-url", base]);
        stdout(&command.output().unwrap())
    };
    let right = doctor("https://fhir.example.org/fhir");
    assert!(right.contains("ok       certificate") && !right.contains("PROBLEM  certificate"), "{right}");
    let wrong = doctor("https://other.example.org/fhir");
    assert!(wrong.contains("PROBLEM  certificate") && wrong.contains("base_url names other.example.org"), "{wrong}");
    std::fs::write(&key, "no key").unwrap();
    assert!(doctor("https://fhir.example.org/fhir").contains("holds no PEM private key"));
}
