//! DPoP from end to end (RFC 9449): a token that is bound to a key is worth nothing without it.

use crate::support::{Answer, Server};
use oauth::{client_assertion, dpop, jws::Algorithm, sign::PrivateKey};
use std::time::{SystemTime, UNIX_EPOCH};

fn now_s() -> i64 {
    i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()).unwrap()
}

/// Whether an answer asks for a proof with its nonce.
fn nonce(answer: &Answer) -> String {
    let nonce = answer.header("dpop-nonce").to_owned();
    assert!(!nonce.is_empty(), "{answer:?}");
    nonce
}

#[tokio::test]
async fn a_bound_token_goes_with_its_key_alone() {
    let server = Server::start();
    let client = server.client("bound", "system/Patient.rs");
    let own = PrivateKey::parse(&std::fs::read_to_string(&client.key).unwrap(), None).unwrap();
    let (key, thief) =
        (PrivateKey::generate(Algorithm::Es256).unwrap(), PrivateKey::generate(Algorithm::Es256).unwrap());
    let issuer = server.base.strip_suffix("/fhir").unwrap();
    let (token_url, patients) = (format!("{issuer}/oauth/token"), format!("{}/Patient", server.base));
    let mut http = server.http().await;

    // The first proof has no nonce: the answer brings one.
    let mut given = String::new();
    let mut access_token = String::new();
    for turn in 0..2 {
        let jti = format!("assertion-{turn}");
        let assertion = client_assertion::signed(&own, &client.id, &token_url, &jti, now_s(), 60).unwrap();
        let nonce_now = (!given.is_empty()).then_some(given.as_str());
        let proof = dpop::signed(&key, "POST", &token_url, &format!("p-{turn}"), now_s(), None, nonce_now).unwrap();
        let body = format!(
            "grant_type=client_credentials&scope=system/Patient.rs&client_assertion={assertion}\
             &client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
        );
        let headers = [("content-type", "application/x-www-form-urlencoded"), ("dpop", proof.as_str())];
        let answer = http.send("POST", "/oauth/token", &headers, body).await;
        if turn == 0 {
            assert_eq!((answer.status.as_u16(), answer.json()["error"].as_str()), (400, Some("use_dpop_nonce")));
            given = nonce(&answer);
        } else {
            assert_eq!((answer.status.as_u16(), answer.json()["token_type"].as_str()), (200, Some("DPoP")));
            access_token = answer.json()["access_token"].as_str().unwrap().to_owned();
        }
    }

    let proof = |key: &PrivateKey, method: &str, jti: &str, nonce: Option<&str>| {
        dpop::signed(key, method, &patients, jti, now_s(), Some(&access_token), nonce).unwrap()
    };
    let authorization = format!("DPoP {access_token}");
    let first = proof(&key, "GET", "a", None);
    let answer = http.get("/fhir/Patient", &[("authorization", &authorization), ("dpop", &first)]).await;
    assert_eq!(answer.status, 401);
    assert!(answer.header("www-authenticate").contains("use_dpop_nonce"), "{answer:?}");
    let given = nonce(&answer);
    let good = proof(&key, "GET", "b", Some(&given));
    let answer = http.get("/fhir/Patient", &[("authorization", &authorization), ("dpop", &good)]).await;
    assert_eq!(answer.status, 200, "{answer:?}");

    let bearer = format!("Bearer {access_token}");
    let other_method = proof(&key, "POST", "c", Some(&given));
    let of_thief = proof(&thief, "GET", "d", Some(&given));
    let other_token = dpop::signed(&key, "GET", &patients, "e", now_s(), Some("other"), Some(&given)).unwrap();
    for (what, headers) in [
        ("replayed", vec![("authorization", authorization.as_str()), ("dpop", good.as_str())]),
        ("for another method", vec![("authorization", &authorization), ("dpop", &other_method)]),
        ("by another key", vec![("authorization", &authorization), ("dpop", &of_thief)]),
        ("for another token", vec![("authorization", &authorization), ("dpop", &other_token)]),
        ("no proof", vec![("authorization", &authorization)]),
        ("as a bearer token", vec![("authorization", &bearer)]),
    ] {
        let answer = http.get("/fhir/Patient", &headers).await;
        assert_eq!(answer.status, 401, "{what}");
    }
    let documents = http.get("/.well-known/oauth-authorization-server", &[]).await.json();
    assert!(documents["dpop_signing_alg_values_supported"].as_array().unwrap().contains(&"ES256".into()));
}
