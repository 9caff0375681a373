//! The configuration: what is taken from where, and that every mistake is named with its place.

use super::*;

fn variables(pairs: &[(&str, &str)]) -> Vec<(OsString, OsString)> {
    pairs.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect()
}

fn given(pairs: &[(&str, &str)]) -> Flags {
    let setting = |flag: &str| *TABLE.iter().find(|setting| setting.flag == flag).unwrap();
    Flags(pairs.iter().map(|(flag, value)| (setting(flag), vec![(*value).to_owned()])).collect())
}

/// A file of this text, `handrail.toml`, beside environment and flags.
fn sources(text: &str, environment: &[(&str, &str)], flags: &[(&str, &str)]) -> Result<Config, String> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("handrail.toml");
    std::fs::write(&path, text).unwrap();
    let config = Config::from_sources(Some(&path), variables(environment).into_iter(), given(flags));
    config.map_err(|problems| problems.to_string().replace(&format!("{}/", directory.path().display()), ""))
}

fn read(text: &str) -> Result<Config, String> {
    sources(text, &[], &[])
}

#[test]
fn everything_has_a_default() {
    let config = Config::defaults().unwrap();
    assert_eq!(config.listen.to_string(), LISTEN_DEFAULT);
    assert_eq!(config.listen, Listen::usual());
    assert_eq!(config.durability, Durability::Interval);
    assert!(config.certificate.is_none() && config.egress_networks.is_empty() && config.metrics_listen.is_none());
    assert_eq!(config.connections_max, crate::limits::CONNECTIONS_MAX, "the table and limits.rs say the same");
    assert_eq!(config.requests_in_flight_max, crate::limits::REQUESTS_IN_FLIGHT_MAX);
}

#[test]
fn every_setting_is_read_from_the_file_of_the_document() {
    let config = read(document::EXAMPLE).unwrap();
    let left: Vec<_> =
        config.shown.iter().filter(|row| row.place == Place::Default).map(|row| row.setting.name).collect();
    assert!(left.is_empty(), "the example leaves out {left:?}");
    assert_eq!(config.base_url.as_deref(), Some("https://fhir.example.org/fhir"));
    assert_eq!(config.allowed_hosts, ["fhir.internal"]);
    let required: Vec<_> = config.validation.required.iter().map(|(kind, all)| (kind.name(), all.len())).collect();
    assert_eq!(required, [("Observation", 1)]);
    assert_eq!(config.validation.unknown_profile, fhir::issue::Severity::Error);
    assert_eq!(config.certificate.unwrap().key, Path::new("/etc/handrail/key.pem"));
    assert_eq!(config.metrics_listen.unwrap().to_string(), "127.0.0.1:9464");
    assert_eq!((config.connections_max, config.requests_in_flight_max), (1024, 512));
}

/// F26: six years, unless the operator says that the law here asks for less.
#[test]
fn f26_less_than_six_years_is_refused() {
    let refused = read("[audit]\nretention_days = 365").unwrap_err();
    assert!(refused.contains("audit.retention_short"), "{refused}");
    assert_eq!(read("[audit]\nretention_days = 2192").unwrap().keeping.days, Some(2192));
    let short = read("[audit]\nretention_days = 365\nretention_short = true").unwrap();
    assert_eq!(short.keeping.days, Some(365));
    assert_eq!(read("").unwrap().keeping, crate::keeping::Keeping::default(), "for ever, and here alone");
    assert!(read("[audit]\nsyslog_ca = \"x.pem\"").unwrap_err().contains("audit.syslog"));
}

#[test]
fn names_of_variables_and_flags_follow_from_the_name() {
    for setting in TABLE {
        let upper = setting.name.to_ascii_uppercase().replace('.', "_");
        assert_eq!(setting.variable, format!("HANDRAIL_{upper}"));
        assert_eq!(setting.flag, setting.name.replace(['.', '_'], "-"));
        assert!(setting.meaning.len() > 10 && (setting.default.is_some() || !setting.without.is_empty()));
    }
}

#[test]
fn configuration_document_is_the_table() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/configuration.md");
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&path, document::markdown()).unwrap();
    }
    let text = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(text, document::markdown(), "run BLESS=1 cargo test -p handrail configuration_document");
}

#[test]
fn a_flag_goes_before_the_environment_and_that_before_the_file() {
    let (file, variable) = ("[limits]\nconnections = 1", [("HANDRAIL_LIMITS_CONNECTIONS", "2")]);
    let shown = |config: &Config| {
        let row = config.shown.iter().find(|row| row.setting.name == "limits.connections").unwrap();
        (row.value.clone(), row.place.to_string().rsplit('/').next().unwrap().to_owned())
    };
    let config = sources(file, &variable, &[("limits-connections", "3")]).unwrap();
    assert_eq!((config.connections_max, shown(&config)), (3, ("3".into(), "--limits-connections".into())));
    let config = sources(file, &variable, &[]).unwrap();
    assert_eq!((config.connections_max, shown(&config)), (2, ("2".into(), "HANDRAIL_LIMITS_CONNECTIONS".into())));
    let config = sources(file, &[], &[]).unwrap();
    assert_eq!((config.connections_max, shown(&config)), (1, ("1".into(), "handrail.toml:2:15".into())));
}

#[test]
fn lists_are_arrays_in_the_file_and_divided_by_commas_elsewhere() {
    let config = read("allowed_hosts = [\"One.example\", \"[::1]\"]").unwrap();
    assert_eq!(config.allowed_hosts, ["one.example", "::1"]);
    let config = sources("allowed_hosts = [\"a\"]", &[("HANDRAIL_ALLOWED_HOSTS", "b, c")], &[]).unwrap();
    assert_eq!(config.allowed_hosts, ["b", "c"]);
    let config = sources("allowed_hosts = [\"a\"]", &[("HANDRAIL_ALLOWED_HOSTS", "")], &[]).unwrap();
    assert!(config.allowed_hosts.is_empty(), "an empty list takes the file's away");
}

#[test]
fn relative_paths_are_relative_to_the_file() {
    let config = read("[tls]\ncertificate = \"server.pem\"\nkey = \"/etc/key.pem\"").unwrap();
    let files = config.certificate.unwrap();
    assert!(files.certificate.is_absolute() && files.certificate.ends_with("server.pem"));
    assert_eq!(files.key, Path::new("/etc/key.pem"));
    let config = sources("", &[("HANDRAIL_EGRESS_CA", "ca.pem")], &[("data", "d")]).unwrap();
    assert_eq!(
        (config.egress_ca.as_deref(), config.data.as_deref()),
        (Some(Path::new("ca.pem")), Some(Path::new("d")))
    );
}

/// Every line of the text after the first, without its indent.
fn lines(problems: &str) -> Vec<&str> {
    problems.lines().skip(1).map(str::trim).collect()
}

#[test]
fn all_mistakes_are_told_at_once_each_with_its_place() {
    let file = "listen = 8443\nlisten_adress = \"x\"\n\n[audit]\n  durabilty = \"strict\"\n[limits]\nconnections = 0\n\
                requests_in_flight = \"many\"\n[tsl]\nkey = \"k\"\n[tls]\nkey = \"k\"\n";
    let problems =
        sources(file, &[("HANDRAIL_LISTN", "x"), ("HANDRAIL_LOG_LEVEL", "loud")], &[("base-url", "http://a/fhir")]);
    let problems = problems.unwrap_err();
    let expected = [
        "handrail.toml:1:10: listen: expected HOST:PORT, such as 127.0.0.1:8443, [::1]:8443 or 0.0.0.0:443, found integer",
        "handrail.toml:2:1: listen_adress: there is no such setting",
        "handrail.toml:5:3: audit.durabilty: there is no such setting; did you mean audit.durability?",
        "handrail.toml:8:22: limits.requests_in_flight: expected a whole number from 1 to 1000000, found string",
        "handrail.toml:10:1: tsl.key: there is no such setting; did you mean tls.key?",
        "HANDRAIL_LISTN: there is no such setting; did you mean HANDRAIL_LISTEN?",
        "handrail.toml:7:15: limits.connections: expected a whole number from 1 to 1000000, found '0'",
        "HANDRAIL_LOG_LEVEL: log.level: expected one of error, warn, info, debug, trace, found 'loud'",
        "--base-url: base_url: expected an https URL that ends with /fhir, such as https://fhir.example.org/fhir, found 'http://a/fhir'",
        "handrail.toml:12:7: tls.key needs tls.certificate beside it",
    ];
    assert_eq!(lines(&problems), expected);
}

#[test]
fn a_value_that_cannot_be_is_refused() {
    for (text, place) in [
        ("base_url = \"https://a.example/\"", "1:12: base_url: expected"),
        ("listen = \"8443\"", "1:10: listen: expected HOST:PORT"),
        ("allowed_origins = [\"*\"]", "1:19: allowed_origins: expected"),
        ("allowed_origins = \"https://a.example\"", "1:19: allowed_origins: expected"),
        ("allowed_hosts = [\"a.example:1\"]", "1:17: allowed_hosts: expected"),
        ("[tls]\nhsts_include_subdomains = \"true\"", "2:27: tls.hsts_include_subdomains: expected true or false"),
        ("[egress]\nallow_networks = [\"10.0.0.0\"]", "2:18: egress.allow_networks: expected"),
        ("[audit]\ndurability = \"never\"", "2:14: audit.durability: expected one of interval, strict, found 'never'"),
        (
            "[validation]\nrequired_profiles = [\"Nothing=http://a.example/b\"]",
            "2:21: validation.required_profiles: expected",
        ),
        (
            "[validation]\nunknown_profile = \"ignore\"",
            "2:19: validation.unknown_profile: expected one of warning, error",
        ),
        ("tls = true", "1:1: tls is a section, with tls.certificate, tls.key"),
        ("durability = \"strict\"", "1:1: durability: there is no such setting; did you mean audit.durability?"),
        ("a = 1\na = 2", "2:1: duplicate key"),
        ("a = [", "1:6: "),
        ("[audit]\n\n[audit]", "3:2: duplicate key"),
    ] {
        let problems = read(text).unwrap_err();
        assert!(problems.contains(&format!("handrail.toml:{place}")), "{text}: {problems}");
    }
}

/// A key that was pasted where its path belongs is not shown to whoever reads the log.
#[test]
fn what_may_be_a_secret_is_not_quoted() {
    let key = "-----BEGIN PRIVATE KEY-----\\nCANARY\\n-----END PRIVATE KEY-----";
    for text in [
        format!("[tls]\nkey = \"{key}\"\ncertificate = \"c\""),
        format!("listen = \"{key}\""),
        format!("[tls]\nkey = {key}"),
        format!("[log]\nlevel = \"{}CANARY\"", "x".repeat(100)),
    ] {
        let problems = read(&text).unwrap_err();
        assert!(!problems.contains("CANARY") && !problems.contains("xxxx"), "{problems}");
    }
    let problems = sources("", &[("HANDRAIL_PASSWORD", "CANARY"), ("HANDRAIL_TLS_KEY", "{\"k\":\"CANARY\"}")], &[]);
    let problems = problems.unwrap_err();
    assert!(!problems.contains("CANARY") && problems.contains("HANDRAIL_PASSWORD"), "{problems}");
}

#[test]
fn variables_that_kubernetes_makes_for_a_service_are_left_alone() {
    let links = [
        ("HANDRAIL_SERVICE_HOST", "10.0.0.1"),
        ("HANDRAIL_SERVICE_PORT", "8443"),
        ("HANDRAIL_SERVICE_PORT_HTTPS", "8443"),
        ("HANDRAIL_PORT", "tcp://10.0.0.1:8443"),
        ("HANDRAIL_PORT_8443_TCP_ADDR", "10.0.0.1"),
        ("HANDRAIL_METRICS_PORT_9464_TCP", "tcp://10.0.0.1:9464"),
    ];
    sources("", &links, &[]).unwrap();
    assert!(TABLE.iter().all(|setting| !links.iter().any(|(name, _)| *name == setting.variable)));
}

#[test]
fn a_file_that_cannot_be_read_is_said_in_words() {
    let own = tempfile::tempdir().unwrap();
    let missing = own.path().join("none.toml");
    for (path, words) in [(missing.as_path(), "there is no such file"), (own.path(), "directory")] {
        let problems = Config::from_sources(Some(path), std::iter::empty(), Flags::default()).unwrap_err().to_string();
        assert!(problems.contains(words) && problems.contains(&*path.to_string_lossy()), "{problems}");
    }
    let named = variables(&[("HANDRAIL_CONFIG", missing.to_str().unwrap())]);
    let problems = Config::from_sources(None, named.into_iter(), Flags::default()).unwrap_err().to_string();
    assert!(problems.contains("none.toml"), "{problems}");
}
