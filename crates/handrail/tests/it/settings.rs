//! Configuration as an operator meets it: `handrail config`, mistakes of three sources, private files.

use crate::support::{Server, handrail, ok, run, stderr, stdout};
use std::{os::unix::fs::PermissionsExt, path::Path};

#[test]
fn config_shows_each_value_and_where_it_comes_from() {
    let own = tempfile::tempdir().unwrap();
    let file = own.path().join("handrail.toml");
    std::fs::write(&file, "data = \"store\"\n[log]\nlevel = \"warn\"\naccess = \"all\"\n").unwrap();
    let mut command = handrail();
    command.args(["config", "--log-level", "debug"]).env("HANDRAIL_CONFIG", &file);
    let table = ok(&command.env("HANDRAIL_LIMITS_CONNECTIONS", "7").output().unwrap());
    let row = |name: &str| {
        let line = table.lines().find(|line| line.starts_with(name)).unwrap_or_else(|| panic!("{name}: {table}"));
        line.split_whitespace().skip(1).map(str::to_owned).collect::<Vec<_>>()
    };
    let at = |place: &str| format!("{}:{place}", file.display());
    assert_eq!(row("data"), [own.path().join("store").display().to_string(), at("1:8")]);
    assert_eq!(row("log.level"), ["debug", "--log-level"]);
    assert_eq!(row("log.access"), ["all".to_owned(), at("4:10")]);
    assert_eq!(row("limits.connections"), ["7", "HANDRAIL_LIMITS_CONNECTIONS"]);
    assert_eq!(row("listen"), ["127.0.0.1:8443", "default"]);
    assert!(!own.path().join("store").exists(), "it starts nothing");
}

#[test]
fn mistakes_of_file_environment_and_flags_are_told_together() {
    let own = tempfile::tempdir().unwrap();
    let file = own.path().join("handrail.toml");
    std::fs::write(&file, "[limits]\nconections = 1\n").unwrap();
    for command in ["config", "serve"] {
        let output = handrail()
            .args([command, "--audit-durability", "never", "--config"])
            .arg(&file)
            .env("HANDRAIL_LISEN", "x")
            .output()
            .unwrap();
        assert_eq!((output.status.code(), stdout(&output).as_str()), (Some(1), ""));
        let text = stderr(&output);
        for words in [
            "handrail.toml:2:1: limits.conections: there is no such setting; did you mean limits.connections?",
            "HANDRAIL_LISEN: there is no such setting; did you mean HANDRAIL_LISTEN?",
            "--audit-durability: audit.durability: expected one of interval, strict, found 'never'",
            "fix: docs/configuration.md",
        ] {
            assert!(text.contains(words), "{command}: {words}: {text}");
        }
    }
}

#[test]
fn serve_without_a_data_directory_says_how_to_name_one() {
    let output = run(["serve"]);
    assert!(!output.status.success());
    let text = stderr(&output);
    assert!(text.contains("--data DIR, HANDRAIL_DATA, or data in the file"), "{text}");
}

#[test]
fn a_command_refuses_a_log_level_that_is_none() {
    let output = handrail().args(["client", "list", "--data", "nowhere"]).env("HANDRAIL_LOG_LEVEL", "loud").output();
    let text = stderr(&output.unwrap());
    assert!(text.contains("HANDRAIL_LOG_LEVEL: expected one of error, warn, info, debug, trace"), "{text}");
}

/// What `load --data` would not use is refused, not ignored.
#[test]
fn load_into_a_directory_takes_no_credentials() {
    let own = tempfile::tempdir().unwrap();
    let data = own.path().join("data");
    for more in [&["--token", "t"][..], &["--client", "c", "--key", "k"], &["--ca", "ca.pem"]] {
        let output = handrail().args(["load", "x.json", "--data"]).arg(&data).args(more).output().unwrap();
        assert!(!output.status.success(), "{more:?}");
        assert!(stderr(&output).contains("cannot be used with"), "{more:?}: {}", stderr(&output));
        assert!(!data.exists());
    }
}

fn modes(directory: &Path, found: &mut Vec<(String, u32)>) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let entry = entry.unwrap();
        let metadata = entry.path().symlink_metadata().unwrap();
        found.push((entry.path().display().to_string(), metadata.permissions().mode() & 0o777));
        if metadata.is_dir() {
            modes(&entry.path(), found);
        }
    }
}

#[tokio::test]
async fn what_a_server_makes_is_for_its_owner_alone() {
    let mut server = Server::start();
    let token = server.full_token();
    let mut http = server.http().await;
    let body = r#"{"resourceType":"Patient","id":"p"}"#;
    assert_eq!(http.put_as(&token, "PUT", "/fhir/Patient/p", body).await.status, 201);
    server.stop("TERM");
    let mut found = Vec::new();
    modes(&server.directory, &mut found);
    assert!(found.len() > 20, "{found:?}");
    for (path, mode) in found {
        // Certificates of the local CA: what clients are given.
        let public = path.ends_with("/tls/ca.pem") || path.ends_with("/tls/server.pem");
        assert!(public || mode & 0o077 == 0, "{path} has mode {mode:o}");
    }
}
