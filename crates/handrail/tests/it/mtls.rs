//! Client certificates on real sockets, made by `handrail pki`. Rows A6, A9, A11.

use crate::support::{Http, Identity, Server, handrail, ok, run, stderr, tls_as};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use tempfile::TempDir;
use tokio::time::timeout;

/// A private authority, made by the command.
struct Pki {
    own: TempDir,
}

impl Pki {
    fn new() -> Self {
        let pki = Self { own: tempfile::tempdir().unwrap() };
        pki.does(&["init", "--name", "Test clients"]);
        pki
    }

    fn folder(&self) -> PathBuf {
        self.own.path().join("pki")
    }

    fn does(&self, arguments: &[&str]) -> String {
        ok(&handrail().arg("pki").arg("--pki").arg(self.folder()).args(arguments).output().unwrap())
    }

    fn client(&self, name: &str) -> Identity {
        self.does(&["client", name]);
        Identity::read(&self.folder(), name)
    }

    /// A server with these settings, which believes this authority; a `{}` is its folder.
    fn server(&self, settings: &str) -> Server {
        let text = format!(
            "[metrics]\nlisten = \"127.0.0.1:0\"\n[tls]\nclient_anchors = [\"pki/ca.pem\"]\nclient_crls = [\"pki/crl.pem\"]\n{settings}"
        );
        let config = self.own.path().join("handrail.toml");
        std::fs::write(&config, text).unwrap();
        Server::on(&self.own.path().join("data"), &["--config", config.to_str().unwrap()])
    }

    /// A certificate of this authority that its command would not make.
    fn signs(&self, change: impl FnOnce(&mut rcgen::CertificateParams)) -> Identity {
        let text = |name: &str| std::fs::read_to_string(self.folder().join(name)).unwrap();
        let key = rcgen::KeyPair::from_pem(&text("ca.key")).unwrap();
        let issuer = rcgen::Issuer::from_ca_cert_pem(&text("ca.pem"), key).unwrap();
        let mut params = rcgen::CertificateParams::default();
        params.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ClientAuth];
        change(&mut params);
        let key = rcgen::KeyPair::generate().unwrap();
        Identity::made(&params.signed_by(&key, &issuer).unwrap(), &key)
    }
}

fn self_signed() -> Identity {
    let key = rcgen::KeyPair::generate().unwrap();
    Identity::made(&rcgen::CertificateParams::default().self_signed(&key).unwrap(), &key)
}

/// The status of a first request on a new connection; `None` when there was no connection.
async fn status(port: u16, ca: &Path, identity: Option<&Identity>) -> Option<u16> {
    let (mut http, _) = Http::with(port, Arc::new(tls_as(ca, identity)), "127.0.0.1").await.ok()?;
    http.try_send("GET", "/fhir/metadata", &[], "").await.ok().map(|answer| answer.status.as_u16())
}

/// SIGHUP, and waits until the files were read that often with this outcome.
async fn reload(server: &Server, outcome: &str, times: f64) {
    server.signal("HUP");
    let series = format!("handrail_client_trust_reloads_total{{outcome=\"{outcome}\"}}");
    let seen = async {
        while server.metrics().value(&series) != times {
            tokio::task::yield_now().await;
        }
    };
    timeout(Duration::from_secs(20), seen).await.unwrap();
}

#[tokio::test]
async fn a6_required_lets_nobody_in_without_a_certificate_of_an_anchor() {
    let (pki, stranger) = (Pki::new(), Pki::new());
    let good = pki.client("lab");
    pki.does(&["server", "lab.example.org"]);
    let mut server = pki.server("client_certificates = \"required\"\n");
    let (port, ca) = (server.port, server.ca());
    assert_eq!(status(port, &ca, Some(&good)).await, Some(200));
    let day = std::time::Duration::from_secs(86_400);
    let expired = pki.signs(|params| params.not_after = rcgen::date_time_ymd(2020, 1, 1));
    let early = pki.signs(|params| params.not_before = rcgen::date_time_ymd(2999, 1, 1) + day);
    let aimless = pki.signs(|params| params.extended_key_usages.clear());
    for (what, identity) in [
        ("none", None),
        ("of another authority", Some(stranger.client("lab"))),
        ("for servers", Some(Identity::read(&pki.folder(), "lab.example.org"))),
        ("for nothing", Some(aimless)),
        ("expired", Some(expired)),
        ("not yet valid", Some(early)),
        ("self-signed", Some(self_signed())),
    ] {
        assert_eq!(status(port, &ca, identity.as_ref()).await, None, "{what}");
    }
    let metrics = server.metrics();
    for kind in ["missing", "unknown-issuer", "purpose", "expired", "not-yet-valid"] {
        let series = format!("handrail_tls_handshake_failures_total{{kind=\"certificate-{kind}\"}}");
        assert!(metrics.value(&series) >= 1.0, "{kind}");
    }
    assert!(metrics.value("handrail_client_crl_next_update_timestamp_seconds") > 0.0);
    server.stop("TERM");
}

#[tokio::test]
async fn a11_a_revocation_counts_with_the_next_request_and_no_session_is_a_way_around() {
    let pki = Pki::new();
    let (lab, ehr) = (pki.client("lab"), pki.client("ehr"));
    let server = pki.server("client_certificates = \"optional\"\n");
    let config = Arc::new(tls_as(&server.ca(), Some(&lab)));
    let (mut open, _) = Http::with(server.port, Arc::clone(&config), "127.0.0.1").await.unwrap();
    assert_eq!(open.get("/fhir/metadata", &[]).await.status, 200);
    // A resumed session shows no certificate again, and is known by the one of before.
    let (mut resumed, kind) = Http::with(server.port, Arc::clone(&config), "127.0.0.1").await.unwrap();
    assert_eq!(kind, Some(rustls::HandshakeKind::Resumed));
    assert_eq!(resumed.get("/fhir/metadata", &[]).await.status, 200);
    let (mut other, _) =
        Http::with(server.port, Arc::new(tls_as(&server.ca(), Some(&ehr))), "127.0.0.1").await.unwrap();
    assert_eq!(other.get("/fhir/metadata", &[]).await.status, 200);

    pki.does(&["revoke", "lab", "--reason", "key-compromise"]);
    reload(&server, "taken", 1.0).await;
    for connection in [&mut open, &mut resumed] {
        let answer = connection.get("/fhir/metadata", &[]).await;
        assert_eq!(answer.status, 403);
        assert_eq!(answer.json()["issue"][0]["code"], "security");
    }
    let again = Http::with(server.port, config, "127.0.0.1").await;
    let again = match again {
        Ok((mut http, _)) => http.try_send("GET", "/fhir/metadata", &[], "").await.ok().map(|answer| answer.status),
        Err(_) => None,
    };
    assert_eq!(again, None, "neither anew nor resumed");
    assert_eq!(other.get("/fhir/metadata", &[]).await.status, 200, "others go on");
    assert_eq!(server.metrics().value("handrail_refusals_total{reason=\"certificate-revoked\"}"), 2.0);

    // A list that cannot be used takes nothing back and shuts nobody out.
    let list = pki.folder().join("crl.pem");
    let good = std::fs::read(&list).unwrap();
    std::fs::write(&list, "-----BEGIN X509 CRL-----\ncut").unwrap();
    reload(&server, "refused", 1.0).await;
    assert_eq!(server.metrics().value("handrail_client_trust_stale"), 1.0);
    assert_eq!(status(server.port, &server.ca(), Some(&lab)).await, None);
    assert_eq!(other.get("/fhir/metadata", &[]).await.status, 200);
    std::fs::write(&list, good).unwrap();

    // Each refusal on an open connection is in the audit log, by thumbprint.
    let found = other.get_as(&server.full_token(), "/fhir/AuditEvent?subtype=certificate-refused").await;
    assert_eq!(found.json()["entry"].as_array().map(Vec::len), Some(2), "{:?}", found.body);
}

#[tokio::test]
async fn a6_optional_takes_who_has_none_and_who_is_self_signed_but_no_stranger() {
    let (pki, stranger) = (Pki::new(), Pki::new());
    let server = pki.server("client_certificates = \"optional\"\n");
    let (port, ca) = (server.port, server.ca());
    for (identity, expected) in [
        (None, Some(200)),
        (Some(pki.client("lab")), Some(200)),
        (Some(self_signed()), Some(200)),
        (Some(stranger.client("lab")), None),
        (Some(pki.signs(|params| params.not_after = rcgen::date_time_ymd(2020, 1, 1))), None),
    ] {
        assert_eq!(status(port, &ca, identity.as_ref()).await, expected);
    }
}

#[tokio::test]
async fn a6_the_second_place_to_listen_asks_and_the_first_does_not() {
    let pki = Pki::new();
    let lab = pki.client("lab");
    let server = pki.server("[mtls]\nlisten = \"127.0.0.1:0\"\n");
    let ca = server.ca();
    let told = async {
        loop {
            let log = server.log();
            let line = log.lines().find(|line| line.contains("\"started\"")).map(str::to_owned);
            if let Some(line) = line {
                let line: serde_json::Value = serde_json::from_str(&line).unwrap();
                break line["mtls"].as_str().unwrap().to_owned();
            }
            tokio::task::yield_now().await;
        }
    };
    let url = timeout(Duration::from_secs(20), told).await.unwrap();
    let port = url.trim_start_matches("https://127.0.0.1:").trim_end_matches("/fhir").parse().unwrap();
    assert_eq!(status(server.port, &ca, None).await, Some(200));
    assert_eq!(status(port, &ca, None).await, None);
    assert_eq!(status(port, &ca, Some(&lab)).await, Some(200));
}

/// Percent-encoded PEM, as nginx writes it.
fn escaped(identity: &Identity) -> String {
    let pem = pem_of(&identity.chain[0]);
    percent_encoding::utf8_percent_encode(&pem, percent_encoding::NON_ALPHANUMERIC).to_string()
}

fn pem_of(der: &[u8]) -> String {
    use base64::{Engine, engine::general_purpose::STANDARD};
    format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", STANDARD.encode(der))
}

#[tokio::test]
async fn a9_a_header_with_a_certificate_counts_from_a_configured_proxy_alone() {
    let (pki, stranger) = (Pki::new(), Pki::new());
    let (lab, foreign) = (escaped(&pki.client("lab")), escaped(&stranger.client("lab")));
    let server = pki.server(
        "[proxy]\naddresses = [\"127.0.0.2/32\"]\nclient_certificate = \"escaped-pem\"\nclient_certificate_header = \"X-Client-Cert\"\n",
    );
    let config = Arc::new(tls_as(&server.ca(), None));
    let (mut proxy, _) = Http::with(server.port, Arc::clone(&config), "127.0.0.2").await.unwrap();
    let (mut other, _) = Http::with(server.port, config, "127.0.0.1").await.unwrap();
    for (fields, by_proxy) in [
        (vec![], 200),
        (vec![("x-client-cert", lab.as_str())], 200),
        (vec![("x-client-cert", "")], 200),
        (vec![("x-client-cert", foreign.as_str())], 403),
        (vec![("x-client-cert", "nonsense")], 400),
        (vec![("x-client-cert", lab.as_str()), ("x-client-cert", lab.as_str())], 400),
        // Not the field that was agreed on.
        (vec![("client-cert", foreign.as_str())], 200),
    ] {
        assert_eq!(proxy.get("/fhir/metadata", &fields).await.status, by_proxy, "{fields:?}");
        // From anyone else the field is thrown away unread.
        assert_eq!(other.get("/fhir/metadata", &fields).await.status, 200, "{fields:?}");
    }
    pki.does(&["revoke", "lab"]);
    reload(&server, "taken", 1.0).await;
    assert_eq!(proxy.get("/fhir/metadata", &[("x-client-cert", lab.as_str())]).await.status, 403);
    assert_eq!(proxy.get("/fhir/metadata", &[]).await.status, 200);
}

#[test]
fn what_does_not_fit_together_is_said() {
    let own = tempfile::tempdir().unwrap();
    let config = own.path().join("handrail.toml");
    for (text, words) in [
        (
            "[tls]\nclient_certificates = \"required\"",
            "tls.client_certificates = \"required\" needs tls.client_anchors",
        ),
        ("[mtls]\nlisten = \"127.0.0.1:0\"", "mtls.listen needs tls.client_anchors"),
        ("[mtls]\nbase_url = \"https://a.example/fhir\"", "mtls.base_url needs mtls.listen"),
        ("[tls]\nclient_crls = [\"a.pem\"]", "tls.client_crls needs tls.client_anchors"),
        ("[proxy]\nclient_certificate = \"rfc9440\"", "needs proxy.addresses"),
        ("[proxy]\nclient_certificate_header = \"Authorization\"", "proxy.client_certificate_header: expected"),
    ] {
        std::fs::write(&config, text).unwrap();
        let output = run(["config", "--config", config.to_str().unwrap()]);
        assert!(!output.status.success() && stderr(&output).contains(words), "{text}: {}", stderr(&output));
    }
    // A server that is told of a list does not start without it.
    std::fs::write(&config, "[tls]\nclient_anchors = [\"none.pem\"]").unwrap();
    let data = own.path().join("data");
    let arguments = ["serve", "--config", config.to_str().unwrap(), "--listen", "127.0.0.1:0", "--data"];
    let output = handrail().args(arguments).arg(&data).output().unwrap();
    assert!(!output.status.success() && stderr(&output).contains("none.pem"), "{}", stderr(&output));
}

#[test]
fn the_doctor_tells_of_anchors_and_lists() {
    let pki = Pki::new();
    let config = pki.own.path().join("handrail.toml");
    std::fs::create_dir(pki.own.path().join("data")).unwrap();
    let doctor = |lists: &str| {
        let text = format!(
            "data = \"data\"\n[tls]\nclient_certificates = \"optional\"\nclient_anchors = [\"pki/ca.pem\"]\n{lists}"
        );
        std::fs::write(&config, text).unwrap();
        let output = run(["doctor", "--config", config.to_str().unwrap()]);
        crate::support::stdout(&output)
    };
    let said = doctor("client_crls = [\"pki/crl.pem\"]");
    assert!(said.contains("1 anchor, 1 revocation list with 0 certificates"), "{said}");
    assert!(doctor("").contains("no revocation lists"));
    let other = Pki::new();
    std::fs::copy(other.folder().join("crl.pem"), pki.own.path().join("other.pem")).unwrap();
    // The other authority has the same name here, so make one of another.
    let third = tempfile::tempdir().unwrap();
    let folder = third.path().join("pki");
    ok(&handrail().arg("pki").arg("--pki").arg(&folder).args(["init", "--name", "Others"]).output().unwrap());
    std::fs::copy(folder.join("crl.pem"), pki.own.path().join("other.pem")).unwrap();
    let said = doctor("client_crls = [\"other.pem\"]");
    assert!(said.contains("there is no revocation list of CN=Test clients"), "{said}");
    assert!(doctor("client_crls = [\"none.pem\"]").contains("none.pem"));
    pki.does(&["server", "fhir.example.org"]);
    let pair = "pki/fhir.example.org.pem=pki/fhir.example.org.key";
    let own = "certificate = \"pki/fhir.example.org.pem\"\nkey = \"pki/fhir.example.org.key\"";
    let said = doctor(&format!("client_crls = [\"pki/crl.pem\"]\n{own}\nmore_certificates = [\"{pair}\"]"));
    assert_eq!(said.matches("valid for 36").count(), 2, "{said}");
    assert!(doctor(&format!("{own}\nmore_certificates = [\"a.pem=b.key\"]")).contains("a.pem: "));
}

#[test]
fn the_authority_says_what_it_made() {
    let pki = Pki::new();
    let said = pki.does(&["client", "lab", "--organization", "Example", "--dns", "lab.example.org"]);
    let facts: Vec<&str> = said.lines().filter_map(|line| line.split('\t').next()).collect();
    assert_eq!(facts, ["certificate", "key", "serial", "ends", "subject", "thumbprint"]);
    assert!(said.contains("subject\tCN=lab,O=Example\n"), "{said}");
    pki.does(&["revoke", "lab"]);
    let list = pki.does(&["list"]);
    assert!(list.contains("\tclient\tlab\t") && list.contains("\trevoked "), "{list}");
    let twice = handrail().arg("pki").arg("--pki").arg(pki.folder()).args(["init"]).output().unwrap();
    assert!(!twice.status.success() && stderr(&twice).contains("already"), "{}", stderr(&twice));
}

/// Registers a system that is known by its certificate; its id.
fn known_by(server: &Server, name: &str, more: &[&str]) -> String {
    let mut command = handrail();
    command.args(["client", "add", name, "--scope", "system/*.cruds", "--data"]).arg(&server.directory).args(more);
    ok(&command.output().unwrap()).trim().to_owned()
}

async fn connected(server: &Server, identity: Option<&Identity>) -> Http {
    Http::with(server.port, Arc::new(tls_as(&server.ca(), identity)), "127.0.0.1").await.unwrap().0
}

/// A token request with nothing but the client's id and this connection's certificate.
async fn ask(http: &mut Http, id: &str) -> crate::support::Answer {
    let form = format!("grant_type=client_credentials&client_id={id}&scope=system%2F*.rs");
    http.send("POST", "/oauth/token", &[("content-type", "application/x-www-form-urlencoded")], form).await
}

#[tokio::test]
async fn a7_a8_a_token_by_certificate_is_worth_nothing_with_another() {
    let pki = Pki::new();
    let (lab, ehr, own) = (pki.client("lab"), pki.client("ehr"), self_signed());
    let server = pki.server("client_certificates = \"optional\"\n");
    std::fs::write(pki.own.path().join("own.pem"), pem_of(&own.chain[0])).unwrap();
    let by_name = known_by(&server, "lab", &["--subject-dn", "CN=lab"]);
    let file = pki.own.path().join("own.pem");
    let by_own = known_by(&server, "own", &["--certificate", file.to_str().unwrap()]);
    let mut as_lab = connected(&server, Some(&lab)).await;
    let mut as_ehr = connected(&server, Some(&ehr)).await;
    let mut as_own = connected(&server, Some(&own)).await;
    let mut as_none = connected(&server, None).await;

    let answer = ask(&mut as_lab, &by_name).await;
    assert_eq!(answer.status, 200, "{:?}", answer.body);
    let token = answer.json()["access_token"].as_str().unwrap().to_owned();
    assert_eq!(ask(&mut as_own, &by_own).await.status, 200);
    let mut refused = Vec::new();
    for http in [&mut as_ehr, &mut as_own, &mut as_none] {
        refused.push(ask(http, &by_name).await);
    }
    for http in [&mut as_lab, &mut as_none] {
        refused.push(ask(http, &by_own).await);
    }
    for answer in refused {
        assert_eq!((answer.status.as_u16() / 100, answer.json()["error"].as_str()), (4, Some("invalid_client")));
    }

    assert_eq!(as_lab.get_as(&token, "/fhir/Patient").await.status, 200);
    for http in [&mut as_ehr, &mut as_own, &mut as_none] {
        let answer = http.get_as(&token, "/fhir/Patient").await;
        assert_eq!(answer.status, 401);
        assert!(answer.header("www-authenticate").contains("invalid_token"), "{}", answer.header("www-authenticate"));
    }
    let document = as_none.get("/.well-known/oauth-authorization-server", &[]).await.json();
    assert_eq!(document["tls_client_certificate_bound_access_tokens"], true);
    let methods = document["token_endpoint_auth_methods_supported"].to_string();
    assert!(
        methods.contains("\"tls_client_auth\"") && methods.contains("\"self_signed_tls_client_auth\""),
        "{methods}"
    );
}

#[tokio::test]
async fn a10_a_certificate_alone_lets_its_system_call_and_nobody_else() {
    let pki = Pki::new();
    let (lab, ehr) = (pki.client("lab"), pki.client("ehr"));
    let server = pki.server("client_certificates = \"optional\"\n");
    let id = known_by(&server, "lab", &["--subject-dn", "CN=lab", "--without-token"]);
    let mut as_lab = connected(&server, Some(&lab)).await;
    assert_eq!(as_lab.get("/fhir/Patient", &[]).await.status, 200);
    let patient = r#"{"resourceType":"Patient"}"#;
    let created = as_lab.send("POST", "/fhir/Patient", &[("content-type", "application/fhir+json")], patient).await;
    assert_eq!(created.status, 201, "{:?}", created.body);
    // Recorded with its name.
    let trail = as_lab.get("/fhir/AuditEvent?action=C", &[]).await;
    assert!(String::from_utf8_lossy(&trail.body).contains(&id), "{:?}", trail.body);
    // A browser shows its person's certificate for any page: that is no call of the system's own.
    for field in [("origin", "https://evil.example"), ("sec-fetch-site", "cross-site"), ("cookie", "a=b")] {
        assert_eq!(as_lab.get("/fhir/Patient", &[field]).await.status, 401, "{field:?}");
    }
    assert_eq!(as_lab.get_as("wrong", "/fhir/Patient").await.status, 401, "a token that is refused stays refused");
    assert_eq!(connected(&server, Some(&ehr)).await.get("/fhir/Patient", &[]).await.status, 401);
    assert_eq!(connected(&server, None).await.get("/fhir/Patient", &[]).await.status, 401);

    let client =
        |what: &str| ok(&handrail().args(["client", what, &id, "--data"]).arg(&server.directory).output().unwrap());
    client("disable");
    assert_eq!(as_lab.get("/fhir/Patient", &[]).await.status, 401, "A11: on the open connection");
    client("enable");
    assert_eq!(as_lab.get("/fhir/Patient", &[]).await.status, 200);
    client("remove");
    assert_eq!(as_lab.get("/fhir/Patient", &[]).await.status, 401);
}

#[tokio::test]
async fn a7_commands_show_a_certificate_and_find_where_it_is_asked_for() {
    let pki = Pki::new();
    let _ = (pki.client("lab"), pki.client("ehr"));
    let server = pki.server("[mtls]\nlisten = \"127.0.0.1:0\"\n");
    let id = known_by(&server, "lab", &["--subject-dn", "CN=lab", "--custodian"]);
    let document = connected(&server, None).await.get("/.well-known/oauth-authorization-server", &[]).await.json();
    let alias = document["mtls_endpoint_aliases"]["token_endpoint"].as_str().unwrap().to_owned();
    let there = alias.replace("/oauth/token", "/fhir");
    let shows = |name: &str| {
        let folder = pki.folder();
        let [chain, key] = ["pem", "key"].map(|end| folder.join(format!("{name}.{end}")).display().to_string());
        vec!["--certificate".to_owned(), chain, "--certificate-key".to_owned(), key]
    };
    let command = |arguments: &[&str], more: Vec<String>| {
        handrail().args(arguments).args(more).arg("--ca").arg(server.ca()).output().unwrap()
    };
    // From the first door: it asks nobody for a certificate, but its documents tell of the other one.
    let token = ["token", "--server", &server.base, "--client", &id];
    let token_of_lab = ok(&command(&token, shows("lab"))).trim().to_owned();
    let other = command(&token, shows("ehr"));
    assert!(!other.status.success() && stderr(&other).contains("invalid_client"), "{}", stderr(&other));
    let none = command(&token, Vec::new());
    assert!(!none.status.success() && stderr(&none).contains("--key"), "{}", stderr(&none));
    let half = command(&token, shows("lab")[..2].to_vec());
    assert!(!half.status.success() && stderr(&half).contains("--certificate-key"), "{}", stderr(&half));
    let swapped = command(&token, [&shows("lab")[..3], &shows("ehr")[3..]].concat());
    assert!(!swapped.status.success() && stderr(&swapped).contains("certificate"), "{}", stderr(&swapped));

    let file = pki.own.path().join("patient.json");
    std::fs::write(&file, r#"{"resourceType":"Patient","id":"by-certificate"}"#).unwrap();
    let load = ["load", file.to_str().unwrap(), "--server", &there];
    ok(&command(&[&load[..], &["--client", &id]].concat(), shows("lab")));
    ok(&command(&[&load[..], &["--token", &token_of_lab]].concat(), shows("lab")));
    // A8: the token is worth nothing with another certificate, and at a door that sees none.
    let by_other = command(&[&load[..], &["--token", &token_of_lab]].concat(), shows("ehr"));
    assert!(
        !by_other.status.success() && stderr(&by_other).contains("does not take the token"),
        "{}",
        stderr(&by_other)
    );
    let elsewhere = ["load", file.to_str().unwrap(), "--server", &server.base, "--token", &token_of_lab];
    assert!(!command(&elsewhere, shows("lab")).status.success());
    let nothing = command(&[&load[..], &["--client", &id]].concat(), Vec::new());
    assert!(!nothing.status.success(), "{}", stderr(&nothing));
}
