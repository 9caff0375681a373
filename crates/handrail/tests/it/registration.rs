//! Clients that register themselves over TLS with an initial access token of `handrail client invite`. Rows B13 to B15,
//! F16, F60, F61.

use crate::support::{Http, Server, handrail, ok, run, stderr};
use serde_json::{Value, json};

fn invite(server: &Server, arguments: &[&str]) -> std::process::Output {
    handrail().args(["client", "invite"]).args(arguments).arg("--data").arg(&server.directory).output().unwrap()
}

async fn send(http: &mut Http, method: &str, path: &str, token: &str, body: &str) -> (u16, Value) {
    let bearer = format!("Bearer {token}");
    let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
    let answer = http.send(method, path, &headers, body.to_owned()).await;
    (answer.status.as_u16(), serde_json::from_slice(&answer.body).unwrap_or_default())
}

fn system(folder: &std::path::Path) -> (Value, std::path::PathBuf) {
    let made = crate::support::add_client(&folder.join("elsewhere"), "pair", "system/*.rs");
    let mut public: Value = serde_json::from_slice(&std::fs::read(&made.key).unwrap()).unwrap();
    public.as_object_mut().unwrap().remove("d");
    let body = json!({
        "client_name": "Lab",
        "grant_types": ["client_credentials"],
        "token_endpoint_auth_method": "private_key_jwt",
        "scope": "system/Patient.rs",
        "jwks": { "keys": [public] },
    });
    (body, made.key)
}

fn token_of(server: &Server, id: &str, key: &std::path::Path) -> std::process::Output {
    let mut command = handrail();
    command.args(["token", "--server", &server.base, "--client", id]).arg("--key").arg(key);
    command.arg("--ca").arg(server.ca()).output().unwrap()
}

#[tokio::test]
async fn b14_a_system_registers_itself_and_works() {
    let server = Server::start();
    let own = tempfile::tempdir().unwrap();
    let directory = server.directory.to_str().unwrap();
    let mut http = server.http().await;
    let offered = http.get("/fhir/.well-known/smart-configuration", &[]).await.json();
    let endpoint = offered["registration_endpoint"].as_str().unwrap();
    let path = endpoint.strip_prefix(server.base.trim_end_matches("/fhir")).unwrap().to_owned();
    let scope = ["--scope", "system/Patient.rs system/Observation.rs", "--kind", "backend-service"];
    let output = invite(&server, &[&["Lab Inc."], &scope[..]].concat());
    let token = ok(&output);
    assert_eq!(token.lines().count(), 1, "the token alone");
    let token = token.trim();
    let listed = ok(&run(["client", "invitations", "--data", directory]));
    assert!(listed.contains("\t1\tLab Inc.\tbackend-service\tsystem/Patient.rs"), "{listed}");
    assert!(!listed.contains(token));
    let (body, key) = system(own.path());
    // Without leave, and beyond it: nothing.
    assert_eq!(send(&mut http, "POST", &path, "x", &body.to_string()).await.0, 401);
    let mut wide = body.clone();
    wide["scope"] = "system/*.cruds".into();
    let (status, refused) = send(&mut http, "POST", &path, token, &wide.to_string()).await;
    assert_eq!((status, &refused["error"]), (400, &json!("invalid_client_metadata")));
    assert!(refused["error_description"].as_str().unwrap().contains("scope"), "{refused}");
    let (status, made) = send(&mut http, "POST", &path, token, &body.to_string()).await;
    assert_eq!(status, 201, "{made}");
    assert_eq!(send(&mut http, "POST", &path, token, &body.to_string()).await.0, 401, "once");
    assert_eq!(ok(&run(["client", "invitations", "--data", directory])), "");
    let id = made["client_id"].as_str().unwrap();
    let access = ok(&token_of(&server, id, &key)).trim().to_owned();
    assert_eq!(http.get_as(&access, "/fhir/Patient").await.status, 200);
    assert_eq!(http.get_as(&access, "/fhir/Observation").await.status, 403);
    // The same register as the operator's.
    let shown = ok(&run(["client", "show", id, "--data", directory]));
    assert!(shown.contains("registered itself by invitation\t") && shown.contains("name\tLab"), "{shown}");
    // RFC 7592 over the wire.
    let own_url = made["registration_client_uri"].as_str().unwrap();
    let own_path = own_url.strip_prefix(server.base.trim_end_matches("/fhir")).unwrap();
    let own_token = made["registration_access_token"].as_str().unwrap();
    assert_eq!(send(&mut http, "GET", own_path, own_token, "").await, (200, made.clone()));
    assert_eq!(send(&mut http, "GET", own_path, &access, "").await.0, 401, "an access token is none of these");
    assert_eq!(http.get_as(own_token, "/fhir/Patient").await.status, 401, "and the other way round");
    assert_eq!(send(&mut http, "DELETE", own_path, own_token, "").await.0, 204);
    assert_eq!(http.get_as(&access, "/fhir/Patient").await.status, 401);
    assert_eq!(ok(&run(["client", "list", "--data", directory])), "");
}

#[tokio::test]
async fn b14_leave_that_was_withdrawn_is_none() {
    let server = Server::start();
    let own = tempfile::tempdir().unwrap();
    let directory = server.directory.to_str().unwrap();
    let arguments = ["Lab", "--kind", "backend-service", "--scope", "system/*.rs", "--uses", "3"];
    let token = ok(&invite(&server, &arguments)).trim().to_owned();
    let listed = ok(&run(["client", "invitations", "--data", directory]));
    let name = listed.split('\t').next().unwrap().to_owned();
    ok(&run(["client", "withdraw", &name, "--data", directory]));
    let again = run(["client", "withdraw", &name, "--data", directory]);
    assert!(!again.status.success() && stderr(&again).contains("initial access token"), "{}", stderr(&again));
    let mut http = server.http().await;
    let (body, _) = system(own.path());
    assert_eq!(send(&mut http, "POST", "/oauth/register", &token, &body.to_string()).await.0, 401);
    for wrong in [
        &["Lab", "--kind", "nonsense", "--scope", "system/*.rs"][..],
        &["Lab", "--kind", "public", "--scope", "system/Nonsense.rs"],
        &["Lab", "--kind", "public", "--scope", "patient/*.rs", "--uses", "0"],
        &["Lab", "--kind", "public", "--scope", "patient/*.rs", "--days", "100000"],
        &["Lab", "--scope", "patient/*.rs"],
    ] {
        assert!(!invite(&server, wrong).status.success(), "{wrong:?}");
    }
}

/// F60: an address inside that a stranger registers is never connected to.
#[tokio::test]
async fn f60_a_registered_address_inside_is_not_reached() {
    let server = Server::start();
    let own = tempfile::tempdir().unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let arguments = ["Lab", "--kind", "backend-service", "--scope", "system/*.rs", "--uses", "9"];
    let token = ok(&invite(&server, &arguments)).trim().to_owned();
    let mut http = server.http().await;
    let (body, key) = system(own.path());
    for host in ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]"] {
        let mut body = body.clone();
        body.as_object_mut().unwrap().remove("jwks");
        body["jwks_uri"] = format!("https://{host}:{port}/jwks").into();
        let (status, made) = send(&mut http, "POST", "/oauth/register", &token, &body.to_string()).await;
        assert_eq!(status, 201, "{made}");
        let refused = token_of(&server, made["client_id"].as_str().unwrap(), &key);
        assert!(!refused.status.success() && stderr(&refused).contains("invalid_client"), "{}", stderr(&refused));
    }
    let nobody = std::future::poll_fn(|cx| std::task::Poll::Ready(listener.poll_accept(cx).is_pending())).await;
    assert!(nobody, "somebody connected");
}
