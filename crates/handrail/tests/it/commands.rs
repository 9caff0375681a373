//! Help, mistakes and the words for them.

use crate::support::{Server, handrail, ok, run, stderr, stdout};

#[test]
fn help_shows_examples_for_every_command() {
    let help = ok(&run(["--help"]));
    for command in ["demo", "serve", "client", "token", "load", "audit"] {
        assert!(help.contains(command), "{command}");
    }
    for command in [
        &["demo"][..],
        &["serve"],
        &["client", "add"],
        &["keys", "rotate"],
        &["token"],
        &["load"],
        &["audit", "verify"],
    ] {
        let help = ok(&run(command.iter().copied().chain(["--help"])));
        assert!(help.contains("Example"), "{command:?}: {help}");
        can_be_pasted(&help);
    }
    assert!(ok(&run(["--version"])).starts_with("handrail "));
}

/// A line of an example that goes on in the next ends with a backslash.
fn can_be_pasted(help: &str) {
    let examples =
        help.lines().skip_while(|line| !line.starts_with("Example")).skip(1).take_while(|line| !line.is_empty());
    let lines: Vec<&str> = examples.collect();
    let begins = |line: &str| ["handrail ", "curl ", "TOKEN="].iter().any(|word| line.trim_start().starts_with(word));
    assert!(lines.first().is_some_and(|line| begins(line)), "{help}");
    for pair in lines.windows(2) {
        assert_eq!(pair[0].ends_with('\\'), !begins(pair[1]), "{pair:?}");
    }
}

#[test]
fn a_taken_port_is_explained() {
    let server = Server::start();
    let own = tempfile::tempdir().unwrap();
    let listen = format!("127.0.0.1:{}", server.port);
    let output = run(["serve", "--data", own.path().to_str().unwrap(), "--listen", &listen]);
    assert!(!output.status.success());
    assert!(stderr(&output).contains("--listen"), "{}", stderr(&output));
    assert_eq!(stdout(&output), "");
}

#[test]
fn a_directory_has_one_server() {
    let server = Server::start();
    let output = run(["serve", "--data", server.directory.to_str().unwrap(), "--listen", "127.0.0.1:0"]);
    assert!(!output.status.success());
    assert!(stderr(&output).contains("another process"), "{}", stderr(&output));
    assert_eq!(run(["client", "list", "--data", server.directory.to_str().unwrap()]).status.code(), Some(0));
}

/// Row B53: new keys sign, the old ones can still be verified with, on a server that runs.
#[tokio::test]
async fn signing_keys_are_rotated_with_overlap() {
    let server = Server::start();
    let mut http = server.http().await;
    let names = async |http: &mut crate::support::Http| -> Vec<String> {
        let keys = http.get("/oauth/jwks", &[]).await.json();
        keys["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
    };
    let before = names(&mut http).await;
    ok(&run(["keys", "rotate", "--data", server.directory.to_str().unwrap()]));
    let after = names(&mut http).await;
    assert_eq!(after.len(), 2 * before.len());
    assert!(before.iter().all(|name| after.contains(name)), "{before:?} {after:?}");
}

#[test]
fn a_mistyped_directory_is_not_made() {
    let own = tempfile::tempdir().unwrap();
    let typo = own.path().join("dtaa");
    for command in [&["client", "list"][..], &["client", "remove", "x"], &["audit", "verify"]] {
        let output = handrail().args(command).arg("--data").arg(&typo).output().unwrap();
        assert!(!output.status.success(), "{command:?}");
        assert!(!typo.exists(), "{command:?}");
    }
}

#[test]
fn a_mistake_in_the_configuration_is_named() {
    let own = tempfile::tempdir().unwrap();
    let config = own.path().join("handrail.toml");
    std::fs::write(&config, "listen = \"127.0.0.1:0\"\nlisten_adress = 1\n").unwrap();
    let data = own.path().join("data");
    let output = run(["serve", "--data", data.to_str().unwrap(), "--config", config.to_str().unwrap()]);
    assert!(!output.status.success());
    let text = stderr(&output);
    assert!(text.contains("listen_adress") && text.contains("handrail.toml:2:1"), "{text}");
}
