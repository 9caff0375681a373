//! The configuration file: what is taken, and that a mistake is named with its line.

use super::*;

fn read(text: &str) -> Result<Config, ConfigError> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("handrail.toml");
    std::fs::write(&path, text).unwrap();
    Config::read(Some(&path))
}

#[test]
fn everything_has_a_default() {
    let config = Config::read(None).unwrap();
    assert_eq!(config.listen.to_string(), LISTEN_DEFAULT);
    assert_eq!(config.durability, Durability::Interval);
    assert!(config.certificate.is_none() && config.egress_networks.is_empty());
}

#[test]
fn every_setting_is_read() {
    let config = read(
        r#"
        listen = "0.0.0.0:443"
        base_url = "https://FHIR.example.org/fhir/"
        allowed_hosts = ["Fhir.internal"]
        allowed_origins = ["https://app.example.org"]
        [tls]
        certificate = "server.pem"
        key = "/etc/key.pem"
        hsts_include_subdomains = true
        [audit]
        durability = "strict"
        [egress]
        allow_networks = ["10.0.0.0/8"]
        [limits]
        connections = 10
        requests_in_flight = 5
        "#,
    )
    .unwrap();
    assert_eq!(config.base_url.as_deref(), Some("https://fhir.example.org/fhir"));
    assert_eq!(config.allowed_hosts, ["fhir.internal"]);
    let files = config.certificate.unwrap();
    assert!(files.certificate.is_absolute() && files.certificate.ends_with("server.pem"), "relative to the file");
    assert_eq!(files.key, Path::new("/etc/key.pem"));
    assert_eq!(config.durability, Durability::Strict);
    assert_eq!((config.connections_max, config.requests_in_flight_max), (10, 5));
}

#[test]
fn an_unknown_setting_is_named_with_its_line() {
    let text = read("listen = \"127.0.0.1:1\"\n[audit]\ndurabilty = \"strict\"\n").unwrap_err().to_string();
    assert!(text.contains("durabilty") && text.contains("line 3"), "{text}");
}

#[test]
fn a_value_that_cannot_be_is_refused() {
    for (text, setting) in [
        ("base_url = \"http://a.example/fhir\"", "base_url"),
        ("base_url = \"https://a.example/\"", "base_url"),
        ("listen = \"8443\"", "listen"),
        ("allowed_origins = [\"*\"]", "allowed_origins"),
        ("[tls]\ncertificate = \"a.pem\"", "tls"),
        ("[egress]\nallow_networks = [\"10.0.0.0\"]", "egress.allow_networks"),
        ("[limits]\nconnections = 0", "limits.connections"),
    ] {
        let message = read(text).unwrap_err().to_string();
        assert!(message.starts_with(setting), "{message}");
    }
    assert!(read("[audit]\ndurability = \"never\"").unwrap_err().to_string().contains("line 2"));
}
