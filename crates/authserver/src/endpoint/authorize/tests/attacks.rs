//! What attackers do at the authorization endpoint. Rows A18, B17 to B22, B26, F61; RFC 9700; docs/threats.md.

use super::*;
use http::Method;

const SCOPE: &str = "launch/patient patient/Patient.rs";

/// Rows B19, F61: until client and address are known good nothing is redirected, whatever else is asked.
#[tokio::test]
async fn b19_nothing_is_redirected_before_the_app_is_known() {
    let bench = Bench::public();
    let mut browser = Browser::new(&bench.world);
    let disabled = bench.world.add(&app(NewKind::Public));
    bench.world.service.set_client_disabled(&disabled, true).unwrap();
    let query = |changes: &[(&str, &str)]| bench.query(SCOPE, changes);
    let mut queries = vec![
        String::new(),
        "client_id=%ff".into(),
        format!("{}&client_id=other", query(&[])),
        format!("{}&redirect_uri={}", query(&[]), encoded("https://evil.example/")),
        format!("{}&state=other", query(&[])),
        format!("{}&request_uri=a&request_uri=b", query(&[])),
        query(&[("client_id", "")]),
        query(&[("client_id", "nobody")]),
        query(&[("client_id", &disabled)]),
        query(&[("redirect_uri", "")]),
    ];
    for redirect in [
        "https://evil.example/callback",
        "https://app.example.org/callback/",
        "https://app.example.org/callback?x=1",
        "https://app.example.org/callback#x",
        "https://app.example.org/Callback",
        "https://app.example.org/callback/../other",
        "https://app.example.org/callback%2f..%2fother",
        "https://app.example.org:443/callback",
        "https://app.example.org.evil.example/callback",
        "https://app.example.org@evil.example/callback",
        "https://evil.example\\@app.example.org/callback",
        "http://app.example.org/callback",
        "//app.example.org/callback",
        "javascript:alert(1)",
        "https://app.example.org/callback\r\nset-cookie: a=b",
    ] {
        queries.push(query(&[("redirect_uri", redirect)]));
        // A wrong request is not told to a wrong address either.
        queries.push(query(&[("redirect_uri", redirect), ("response_type", "token"), ("code_challenge", "")]));
    }
    for query in queries {
        let page = browser.get(&format!("/oauth/authorize?{query}")).await;
        let shown = query.chars().take(200).collect::<String>();
        assert_eq!((page.status, page.to()), (422, ""), "{shown}");
        assert_eq!(page.headers["content-type"], "text/html; charset=utf-8", "{shown}");
        let policy = page.headers["content-security-policy"].to_str().unwrap();
        assert!(policy.contains("form-action 'self';"), "{policy}");
        assert!(!page.body.contains("evil.example"), "nothing of the request is on the page: {shown}");
    }
    let long = format!("{}&x={}", query(&[]), "a".repeat(65 * 1024));
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    let page = browser.send(Method::POST, "/oauth/authorize", &headers, &long).await;
    assert_eq!((page.status, page.to()), (413, ""));
}

/// Rows B17, B18, B20, B21: all else is told to the app, with its state and who answers; PKCE is never let go.
#[tokio::test]
async fn b18_b21_what_is_wrong_is_told_to_the_app() {
    let bench = Bench::public();
    let mut ana = bench.ana().await;
    let long = "x".repeat(5000);
    for (changes, expected) in [
        (&[("code_challenge", "")][..], "invalid_request"),
        (&[("code_challenge_method", "")], "invalid_request"),
        (&[("code_challenge_method", "plain")], "invalid_request"),
        (&[("code_challenge_method", "plain"), ("code_challenge", VERIFIER)], "invalid_request"),
        (&[("code_challenge", "short")], "invalid_request"),
        (&[("aud", "")], "invalid_request"),
        (&[("aud", "https://evil.example/fhir")], "invalid_request"),
        (&[("response_type", "")], "invalid_request"),
        (&[("response_type", "token")], "unsupported_response_type"),
        (&[("response_type", "code token")], "unsupported_response_type"),
        (&[("response_type", "none")], "unsupported_response_type"),
        (&[("response_mode", "fragment")], "invalid_request"),
        (&[("response_mode", "form_post")], "invalid_request"),
        (&[("response_mode", "web_message")], "invalid_request"),
        (&[("request", "eyJhbGciOiJub25lIn0..")], "request_not_supported"),
        (&[("registration", "{}")], "registration_not_supported"),
        (&[("scope", "")], "invalid_scope"),
        (&[("scope", "system/*.rs patient/*.rs")], "invalid_scope"),
        (&[("scope", "nonsense")], "invalid_scope"),
        (&[("launch", "abc")], "invalid_scope"),
        (&[("prompt", "none login")], "invalid_request"),
        (&[("max_age", "-1")], "invalid_request"),
        (&[("dpop_jkt", "short")], "invalid_request"),
        (&[("nonce", &long)], "invalid_request"),
    ] {
        let page = bench.asked(&mut ana, SCOPE, changes).await;
        assert_eq!(error(&page), expected, "{changes:?}");
        assert_eq!(answer(&page, "state").as_deref(), Some(STATE));
    }
    for name in
        ["scope", "code_challenge", "code_challenge_method", "aud", "response_type", "launch", "nonce", "prompt"]
    {
        let path = format!("/oauth/authorize?{}&{name}=a&{name}=b", bench.query(SCOPE, &[]));
        assert_eq!(error(&follow(&mut ana, &path).await), "invalid_request", "{name} twice");
    }
    // Row B20: without a state there is nothing that could be echoed, and no code either.
    let page = bench.asked(&mut ana, SCOPE, &[("state", "")]).await;
    assert_eq!((error(&page).as_str(), answer(&page, "state")), ("invalid_request", None));
    // A system is no app.
    let system = bench.world.client("system/*.rs");
    let page = bench.asked(&mut ana, SCOPE, &[("client_id", &system)]).await;
    assert_eq!((page.status, page.to()), (422, ""), "it has no address to go back to");
    // Nothing that is registered: told, and no page that asks for nothing.
    let little = NewClient { scope: "patient/Condition.rs".into(), ..app(NewKind::Public) };
    let little = bench.world.add(&little);
    assert_eq!(error(&bench.asked(&mut ana, SCOPE, &[("client_id", &little)]).await), "invalid_scope");
    assert!(bench.world.tables.codes.all_keys().is_empty(), "none of this made a code");
}

/// Row A18: a form that no page of ours made for this browser decides nothing.
#[tokio::test]
async fn a18_a_forged_consent_gives_nothing() {
    let bench = Bench::public();
    let mut ana = bench.ana().await;
    let mut eve = bench.somebody("eve", Role::Patient, "Patient/p2", &["p2"]).await;
    let page = bench.asked(&mut ana, SCOPE, &[]).await;
    let (csrf, handle) = (page.field("csrf"), page.field("continuation"));
    let theirs = bench.asked(&mut eve, SCOPE, &[]).await.field("csrf");
    let fields = |csrf: &str| {
        let scope = encoded("patient/Patient.rs");
        format!("csrf={csrf}&continuation={handle}&decision=share&lasts=now&group=identity&scope={scope}")
    };
    const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");
    let good = [FORM, ("origin", ISSUER), ("sec-fetch-site", "same-origin")];
    for (what, headers, csrf) in [
        ("no token", &good[..], ""),
        ("another person's token", &good, &theirs),
        ("from another site", &[FORM, ("origin", "https://evil.example"), ("sec-fetch-site", "cross-site")], &csrf),
        ("from a neighbour", &[FORM, ("origin", "https://evil.care.example"), ("sec-fetch-site", "same-site")], &csrf),
        ("from nowhere", &[FORM], &csrf),
        ("from a sandbox", &[FORM, ("origin", "null"), ("sec-fetch-site", "cross-site")], &csrf),
    ] {
        let page = ana.send(Method::POST, "/account/consent", headers, &fields(csrf)).await;
        assert_eq!((page.status, page.to()), (403, ""), "{what}");
        assert_eq!(&*bench.world.last_entry().subtype, "form-refused", "{what}");
    }
    // By GET nothing is decided: the page is shown.
    let page = ana.get(&format!("/account/consent?{}", fields(&csrf))).await;
    assert_eq!((page.status, page.to()), (200, ""));
    assert!(bench.world.tables.codes.all_keys().is_empty());
    // Without a session: first sign in.
    let mut nobody = Browser::new(&bench.world);
    let page = nobody.send(Method::POST, "/account/consent", &good, &fields(&csrf)).await;
    assert_eq!(page.to(), format!("/account/sign-in?continuation={handle}"));
    let odd = fields(&csrf).replace(&handle, "x%0d%0aset-cookie:a=b");
    assert_eq!(nobody.send(Method::POST, "/account/consent", &good, &odd).await.to(), "/account/sign-in");
}

/// Row B27: what was not on the page cannot be given, whatever the form says; and one form works once.
#[tokio::test]
async fn b27_a_changed_form_gives_nothing() {
    let bench = Bench::public();
    let mut ana = bench.ana().await;
    let page = bench.asked(&mut ana, "launch/patient patient/Patient.rs patient/Observation.rs", &[]).await;
    for beyond in [
        "patient/*.cruds",
        "patient/Patient.cruds",
        "user/Patient.rs",
        "system/*.rs",
        "patient/Condition.rs",
        "patient/Observation.rs?category=survey",
        "offline_access",
        "patient/Patient.rs patient/Condition.rs",
    ] {
        let refused = bench.share(&mut ana, &page, &["patient/Patient.rs", beyond], &[]).await;
        assert_eq!((refused.status, refused.to()), (422, ""), "{beyond}");
    }
    assert!(bench.world.tables.codes.all_keys().is_empty());
    // No decision, or both.
    let (csrf, handle) = (page.field("csrf"), page.field("continuation"));
    for decision in ["", "yes"] {
        let fields = [
            ("csrf", csrf.as_str()),
            ("continuation", &*handle),
            ("decision", decision),
            ("scope", "patient/Patient.rs"),
        ];
        assert_eq!(ana.post("/account/consent", &fields).await.status, 422, "{decision}");
    }
    let back = bench.share(&mut ana, &page, &["patient/Patient.rs"], &[]).await;
    assert!(answer(&back, "code").is_some());
    let twice = bench.share(&mut ana, &page, &["patient/Patient.rs"], &[]).await;
    assert_eq!((twice.status, twice.to()), (404, ""), "{}", twice.body);
    assert_eq!(bench.world.tables.codes.all_keys().len(), 1);
}

/// Session fixation and borrowed handles: choices made in one session count for nothing in another.
#[tokio::test]
async fn b26_a_handle_carries_nobodys_choices_into_another_session() {
    let bench = Bench::public();
    let mut luis = bench.somebody("luis", Role::Caregiver, "RelatedPerson/r1", &["p1", "p2"]).await;
    let mut eve = bench.somebody("eve", Role::Caregiver, "RelatedPerson/r2", &["p2", "p3"]).await;
    let page = bench.asked(&mut luis, SCOPE, &[]).await;
    let (csrf, handle) = (page.field("csrf"), page.field("continuation"));
    let pick = [("csrf", csrf.as_str()), ("continuation", &*handle), ("patient", "p1")];
    assert!(luis.post("/account/patient", &pick).await.body.contains("name=\"decision\""));
    // The other one with the same handle begins with their own patients.
    let theirs = follow(&mut eve, &format!("/oauth/authorize?continuation={handle}")).await;
    assert!(theirs.body.contains("Maud Okafor") && !theirs.body.contains("Ana Ruiz"), "{}", theirs.body);
    let csrf = theirs.field("csrf");
    let pick = [("csrf", csrf.as_str()), ("continuation", &*handle), ("patient", "p1")];
    assert_eq!(eve.post("/account/patient", &pick).await.status, 403);
    // A handle of nobody, of the past, or of before a restart: a page (not JSON), and no way to anywhere.
    for handle in ["x", "to-security", "https%3A%2F%2Fevil.example", "..%2F..%2Faccount"] {
        let page = eve.get(&format!("/oauth/authorize?continuation={handle}")).await;
        assert_eq!((page.status, page.to()), (404, ""), "{handle}");
        assert_eq!(page.headers["content-type"], "text/html; charset=utf-8");
    }
    bench.world.pass(600);
    let mut ana = bench.ana().await;
    let handle = bench.asked(&mut ana, SCOPE, &[]).await.field("continuation");
    // Kept in use, so that the session outlives the request.
    for _ in 0..3 {
        bench.world.pass(600);
        drop(ana.get("/account/security").await);
    }
    let page = ana.get(&format!("/oauth/authorize?continuation={handle}")).await;
    assert_eq!(page.status, 404, "after {} s", crate::limits::PENDING_LIFE_S);
}

/// What was true when the page was shown need not be when it is answered.
#[tokio::test]
async fn b22_an_account_or_client_that_ended_meanwhile_gets_no_code() {
    let bench = Bench::public();
    let mut ana = bench.ana().await;
    let page = bench.asked(&mut ana, SCOPE, &[]).await;
    let code_of_before = bench.share(&mut ana, &page, &["patient/Patient.rs"], &[]).await;
    let page = bench.asked(&mut ana, SCOPE, &[("prompt", "consent")]).await;
    bench.world.service.set_user_disabled("ana", true).unwrap();
    let refused = bench.share(&mut ana, &page, &["patient/Patient.rs"], &[]).await;
    assert!(refused.to().starts_with("/account/sign-in"), "{} {}", refused.status, refused.to());
    assert_eq!(bench.redeem(&code_of_before).await.line(), "400 invalid_grant");

    let bench = Bench::public();
    let mut ana = bench.ana().await;
    let page = bench.asked(&mut ana, SCOPE, &[]).await;
    bench.world.service.set_client_disabled(&bench.app, true).unwrap();
    let refused = bench.share(&mut ana, &page, &["patient/Patient.rs"], &[]).await;
    assert_eq!((refused.status, refused.to()), (422, ""), "{}", refused.body);
    assert!(bench.world.tables.codes.all_keys().is_empty());
}

/// Row B22: over a restart a code that was given out works, once; what waited for a person begins again at the app.
#[tokio::test]
async fn b22_codes_outlive_a_restart_and_work_once() {
    let mut bench = Bench::public();
    let (back, handle) = {
        let mut ana = bench.ana().await;
        let page = bench.asked(&mut ana, "offline_access launch/patient patient/Patient.rs", &[]).await;
        let back = bench.share(&mut ana, &page, &["patient/Patient.rs"], &[("lasts", "180")]).await;
        let handle = bench.asked(&mut ana, SCOPE, &[("prompt", "consent")]).await.field("continuation");
        (back, handle)
    };
    bench.world.restart();
    let first = bench.redeem(&back).await;
    assert_eq!(first.status, 200, "{}", first.body);
    bench.world.restart();
    assert!(oauth::bearer::LiveTokens::grant(&bench.world.service, first.token()).is_some());
    assert_eq!(bench.redeem(&back).await.line(), "400 invalid_grant");
    assert!(
        oauth::bearer::LiveTokens::grant(&bench.world.service, first.token()).is_none(),
        "and it ends what came of it"
    );
    bench.world.restart();
    assert!(oauth::bearer::LiveTokens::grant(&bench.world.service, first.token()).is_none());
    let mut browser = Browser::new(&bench.world);
    assert_eq!(browser.get(&format!("/oauth/authorize?continuation={handle}")).await.status, 404);
}

/// RFC 9449 section 10: a code that was asked for with a key is worth nothing without it.
#[tokio::test]
async fn b49_a_code_for_a_key_needs_the_key() {
    use oauth::{dpop, jws::Algorithm, sign::PrivateKey};
    let bench = Bench::public();
    let mut ana = bench.ana().await;
    let (key, thief) =
        (PrivateKey::generate(Algorithm::Es256).unwrap(), PrivateKey::generate(Algorithm::Es256).unwrap());
    let inner = &bench.world.service.inner;
    let url = "https://care.example:8443/oauth/token";
    let proof = |key: &PrivateKey| {
        let nonce = inner.proofs.nonce(bench.world.now_s());
        dpop::signed(key, "POST", url, &bench.world.jti(), bench.world.now_s(), None, Some(&nonce)).unwrap()
    };
    let thumbprint = inner.proofs.take(&proof(&key), "POST", url, None, bench.world.now_s()).unwrap().key();
    let jkt = base64::Engine::encode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, thumbprint);
    for (proof, expected) in
        [(None, "400 invalid_grant"), (Some(proof(&thief)), "400 invalid_grant"), (Some(proof(&key)), "200")]
    {
        let page = bench.asked(&mut ana, SCOPE, &[("dpop_jkt", &jkt)]).await;
        let back = bench.share(&mut ana, &page, &["patient/Patient.rs"], &[]).await;
        let code = answer(&back, "code").unwrap();
        let body = format!(
            "grant_type=authorization_code&code={code}&redirect_uri={}&code_verifier={VERIFIER}&client_id={}",
            encoded(REDIRECT),
            bench.app
        );
        let mut headers = vec![("content-type", "application/x-www-form-urlencoded")];
        headers.extend(proof.as_deref().map(|proof| ("dpop", proof)));
        let answer =
            bench.world.send("192.0.2.1", crate::testing::request(Method::POST, "/oauth/token", &headers, &body)).await;
        assert_eq!(answer.line(), expected);
    }
}

/// The log must be there before anybody hears of a code (invariant 6).
#[tokio::test]
async fn f25_without_a_record_no_code_leaves() {
    let bench = Bench::public();
    let mut ana = bench.ana().await;
    let page = bench.asked(&mut ana, SCOPE, &[]).await;
    bench.world.recorded.down.store(true, std::sync::atomic::Ordering::Relaxed);
    let held = bench.share(&mut ana, &page, &["patient/Patient.rs"], &[]).await;
    assert_eq!((held.status, held.to()), (503, ""));
}

/// Row F66: a flood is told to wait, and recorded once.
#[tokio::test]
async fn f66_a_flood_of_requests_is_held_back() {
    let bench = Bench::public();
    let mut browser = Browser::new(&bench.world);
    let path = format!("/oauth/authorize?{}", bench.query(SCOPE, &[]));
    let (mut refused, from) = (0, bench.world.entries());
    for _ in 0..510 {
        let page = browser.get(&path).await;
        if page.status == 429 {
            assert!(page.headers.contains_key("retry-after"));
            refused += 1;
        }
    }
    assert_eq!(refused, 10);
    assert_eq!(bench.events(from), ["authorization-refused"]);
}
