//! The account pages as a browser meets them, and as attackers do. Rows A17, A18, A20, B26, F16, F24, F61, F66.

use super::ways::{Takes, WAYS};
pub(super) use crate::testing::browser::{Browser, PASSWORD, Page, accept, add_second_factor, body, invited};
use crate::testing::{ISSUER, World, browser::from_base32, encoded};
use http::{Method, header};
use oauth::caller::Role;
use std::collections::BTreeSet;

const OTHER: &str = "four green frogs here";
const FORM: &str = "application/x-www-form-urlencoded";

pub(super) async fn somebody(world: &World, login: &str) {
    let mut browser = Browser::new(world);
    let page = accept(&mut browser, &invited(world, login, Role::Patient), login).await;
    assert_eq!(page.status, 200, "{}", page.body);
}

#[tokio::test]
async fn from_the_invitation_to_signing_out() {
    let world = World::new();
    let link = invited(&world, "ana", Role::Patient);
    let secret = link.split_once('=').unwrap().1.to_owned();
    let mut browser = Browser::new(&world);
    let page = accept(&mut browser, &link, "ana").await;
    assert_eq!(page.status, 200);
    assert!(browser.is_signed_in());
    assert_eq!(page.body.matches("<li><code>").count(), 10, "{}", page.body);
    // The link works once, for whoever has it.
    let mut other = Browser::new(&world);
    let gone = other.get(link.strip_prefix(ISSUER).unwrap()).await;
    assert_eq!(gone.status, 404);
    assert!(!gone.body.contains(&secret) && !page.body.contains(&secret));
    let security = browser.get("/account/security").await;
    assert_eq!(security.status, 200);
    assert!(security.body.contains("Firefox, Linux"), "{}", security.body);
    let sign_in = browser.get("/account/sign-in").await;
    assert_eq!((sign_in.status, sign_in.to()), (303, "/account/apps"));
    // The head's form signs out.
    let csrf = security.field_from("action=\"/account/sign-out\"", "csrf");
    let out = browser.post("/account/sign-out", &[("csrf", &csrf)]).await;
    assert_eq!(out.status, 200);
    assert!(!browser.is_signed_in());
    assert_eq!(browser.get("/account/security").await.to(), "/account/sign-in?continuation=to-security");
    let back = browser.sign_in("ana", PASSWORD).await;
    assert_eq!((back.status, back.to()), (303, "/account/apps"));
    let subtypes: Vec<String> =
        world.recorded.entries.lock().unwrap().iter().map(|entry| entry.subtype.to_string()).collect();
    let expected = ["user-added", "user-invited", "invitation-accepted", "invitation-refused", "sign-out", "sign-in"];
    assert_eq!(subtypes, expected);
    let entry = world.last_entry();
    assert_eq!(entry.person.unwrap().fhir_user.as_deref(), Some("Patient/p1"));
}

/// Row A18: forms that our page did not make for this browser.
#[tokio::test]
async fn forged_forms_do_nothing() {
    let world = World::new();
    somebody(&world, "ana").await;
    let mut browser = Browser::new(&world);
    let csrf = browser.get("/account/sign-in").await.field("csrf");
    let mut stranger = Browser::new(&world);
    let theirs = stranger.get("/account/sign-in").await.field("csrf");
    let ours = [("content-type", FORM), ("origin", ISSUER), ("sec-fetch-site", "same-origin")];
    let from = |origin, site| [("content-type", FORM), ("origin", origin), ("sec-fetch-site", site)];
    type Case<'a> = (&'a str, Vec<(&'a str, &'a str)>, &'a str);
    let cases: [Case<'_>; 11] = [
        ("no token", ours.to_vec(), ""),
        ("another browser's", ours.to_vec(), &theirs),
        ("a made-up one", ours.to_vec(), "AAAA"),
        ("another site", from("https://evil.example", "cross-site").to_vec(), &csrf),
        ("a sibling", from("https://app.care.example:8443", "same-site").to_vec(), &csrf),
        ("another port", from("https://care.example", "same-site").to_vec(), &csrf),
        ("an origin that lies about its site", from("https://evil.example", "same-origin").to_vec(), &csrf),
        ("a frame without origin", from("null", "cross-site").to_vec(), &csrf),
        ("typed into the address bar", from(ISSUER, "none").to_vec(), &csrf),
        ("no word of where it comes from", vec![("content-type", FORM)], &csrf),
        ("null alone", vec![("content-type", FORM), ("origin", "null")], &csrf),
    ];
    for (name, headers, token) in cases {
        let fields = body(&[("csrf", token), ("continuation", ""), ("user", "ana"), ("password", PASSWORD)]);
        let page = browser.send(Method::POST, "/account/sign-in", &headers, &fields).await;
        assert_eq!(page.status, 403, "{name}");
        assert!(!browser.is_signed_in(), "{name}");
        assert_eq!(&*world.last_entry().subtype, "form-refused", "{name}");
    }
    // An old browser without Sec-Fetch-Site, and one under a strict referrer policy.
    for headers in [vec![("content-type", FORM), ("origin", ISSUER)], from("null", "same-origin").to_vec()] {
        let mut browser = Browser::new(&world);
        let csrf = browser.get("/account/sign-in").await.field("csrf");
        let fields = body(&[("csrf", &csrf), ("user", "ana"), ("password", PASSWORD)]);
        let page = browser.send(Method::POST, "/account/sign-in", &headers, &fields).await;
        assert_eq!(page.status, 303, "{}", page.body);
        // The sign-in's token is none for the forms behind it, nor is that of signing out.
        let security = browser.get("/account/security").await;
        let own = security.field("csrf");
        for (path, token) in [
            ("/account/security/session", csrf.as_str()),
            ("/account/sign-out", &csrf),
            ("/account/security/password", ""),
        ] {
            let page = browser.post(path, &[("csrf", token), ("session", "others")]).await;
            assert_eq!(page.status, 403, "{path}");
        }
        assert!(own != csrf && browser.is_signed_in());
    }
}

/// Rows A17, A18, A20: what every page says to the browser, and what a cookie is.
#[tokio::test]
async fn headers_and_cookies_of_every_page() {
    let world = World::new();
    let mut browser = Browser::new(&world);
    for (path, _) in WAYS.into_iter().filter(|(_, takes)| matches!(takes, Takes::Page(_) | Takes::Both(..))) {
        let page = browser.send(Method::GET, path, &[("origin", "https://evil.example")], "").await;
        for (name, _) in page.headers.iter() {
            assert!(!name.as_str().starts_with("access-control"), "{path}");
        }
        assert_eq!(page.headers[header::CACHE_CONTROL], "no-store", "{path}");
        if page.status != 303 {
            let policy = page.headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
            assert!(policy.contains("frame-ancestors 'none'") && !policy.contains("unsafe"), "{path}: {policy}");
            assert_eq!(page.headers[header::X_FRAME_OPTIONS], "DENY", "{path}");
        }
        for cookie in page.headers.get_all(header::SET_COOKIE) {
            let cookie = cookie.to_str().unwrap();
            assert!(cookie.starts_with("__Host-") && cookie.ends_with("; Path=/; Secure; HttpOnly; SameSite=Lax"));
        }
    }
    let style = browser.get("/assets/style.css?v=1").await;
    assert_eq!(style.status, 200);
    assert_eq!(style.headers[header::CONTENT_TYPE], "text/css; charset=utf-8");
    assert_eq!(browser.get("/assets/../secret").await.status, 404);
    for (method, path, allow) in [
        (Method::DELETE, "/account/sign-in", "GET, HEAD, POST"),
        (Method::GET, "/account/sign-out", "POST"),
        (Method::POST, "/account/security", "GET, HEAD"),
        (Method::GET, "/account/passkey/sign-in", "POST"),
        (Method::HEAD, "/account/sign-in/outside", "GET"),
    ] {
        let page = browser.send(method, path, &[("content-type", FORM)], "").await;
        assert_eq!((page.status, page.headers[header::ALLOW].to_str().unwrap()), (405, allow), "{path}");
    }
    let spanish = browser.get("/account/sign-in?language=es").await;
    assert!(spanish.body.contains("lang=\"es\""));
    assert!(browser.get("/account/sign-in").await.body.contains("lang=\"es\""), "kept");
}

/// Row B26: what an answer tells of who has an account: nothing, to the byte.
#[tokio::test]
async fn no_answer_tells_who_has_an_account() {
    let world = World::new();
    somebody(&world, "ana").await;
    let mut bodies = BTreeSet::new();
    for name in ["ana", "ben"] {
        let mut browser = Browser::new(&world);
        let page = browser.sign_in(name, OTHER).await;
        assert_eq!(page.status, 403);
        // What differs by chance, and what was typed.
        let csrf = page.field("csrf");
        let nonce = page.body.split_once("nonce=\"").unwrap().1.split_once('"').unwrap().0.to_owned();
        let challenge = page.body.split_once("challenge&quot;:&quot;").unwrap().1.split_once('&').unwrap().0.to_owned();
        let mut plain = page.body.replace(&csrf, "C").replace(&nonce, "N").replace(&challenge, "H");
        plain = plain.replace(&format!("value=\"{name}\""), "value=\"\"");
        let names: Vec<String> = page.headers.keys().map(ToString::to_string).collect();
        bodies.insert((plain, names));
    }
    assert_eq!(bodies.len(), 1, "{bodies:?}");
}

/// Row F61: an open redirect.
#[tokio::test]
async fn after_signing_in_one_stays_here() {
    let world = World::new();
    somebody(&world, "ana").await;
    for (continuation, to) in [
        ("", "/account/apps"),
        ("abc-DEF_123", "/oauth/authorize?continuation=abc-DEF_123"),
        ("to-password", "/account/security/password"),
        ("https://evil.example/", "/account/apps"),
        ("//evil.example", "/account/apps"),
        ("/\\evil.example", "/account/apps"),
        ("x\r\nlocation: https://evil.example", "/account/apps"),
        ("javascript:alert(1)", "/account/apps"),
        ("a/../../b", "/account/apps"),
        (&"a".repeat(129), "/account/apps"),
    ] {
        let mut browser = Browser::new(&world);
        let shown = browser.get(&format!("/account/sign-in?continuation={}", encoded(continuation))).await;
        assert!(!shown.body.contains("evil"), "{continuation}");
        let csrf = shown.field("csrf");
        let fields = [("csrf", csrf.as_str()), ("continuation", continuation), ("user", "ana"), ("password", PASSWORD)];
        let page = browser.post("/account/sign-in", &fields).await;
        assert_eq!((page.status, page.to()), (303, to), "{continuation}");
    }
}

/// Row F66: a flood is told to each, and recorded once.
#[tokio::test]
async fn guessing_is_throttled_and_recorded_once() {
    let world = World::new();
    somebody(&world, "ana").await;
    let mut statuses = Vec::new();
    let before = world.entries();
    let mut browser = Browser::new(&world);
    for _ in 0..12 {
        let page = browser.sign_in("ana", OTHER).await;
        if page.status == 429 {
            assert!(page.headers.contains_key(header::RETRY_AFTER));
        }
        statuses.push(page.status);
    }
    assert_eq!(statuses, [403, 403, 403, 403, 403, 429, 429, 429, 429, 429, 429, 429]);
    assert_eq!(world.entries() - before, 6, "five wrong ones, and one that tells of the rest");
    assert_eq!(world.last_entry().outcome_text.as_deref(), Some("too many tries"));
}

/// Step-up: what changes how somebody signs in asks for proof of just now, and comes back to it.
#[tokio::test]
async fn dangerous_acts_ask_again() {
    let world = World::new();
    somebody(&world, "ana").await;
    let mut browser = Browser::new(&world);
    browser.sign_in("ana", PASSWORD).await;
    let csrf = browser.get("/account/security").await.field("csrf");
    world.pass(crate::limits::people::STEP_UP_S + 1);
    for path in ["/account/security/password", "/account/security/authenticator", "/account/passkey/add"] {
        let page = browser.get(path).await;
        assert!(page.status == 303 && page.to().starts_with("/account/sign-in?continuation=to-"), "{path}");
        let page = browser.post(path, &[("csrf", &csrf), ("password", OTHER), ("again", OTHER), ("code", "1")]).await;
        assert!(page.status == 303 && page.to().starts_with("/account/sign-in?continuation=to-"), "{path}");
    }
    for path in ["/account/security/recovery-codes", "/account/passkey/remove"] {
        let page = browser.post(path, &[("csrf", &csrf), ("passkey", "x")]).await;
        assert_eq!((page.status, page.to()), (303, "/account/sign-in?continuation=to-security"), "{path}");
    }
    let again = browser.get("/account/sign-in?continuation=to-password").await;
    let csrf = again.field("csrf");
    let fields = [("csrf", csrf.as_str()), ("continuation", "to-password"), ("user", "ana"), ("password", PASSWORD)];
    let page = browser.post("/account/sign-in", &fields).await;
    assert_eq!(page.to(), "/account/security/password");
    let page = browser.get("/account/security/password").await;
    let csrf = page.field("csrf");
    for (password, again, status) in [
        (OTHER, "another one", 422),
        ("short", "short", 422),
        ("ana ruiz 1234567", "ana ruiz 1234567", 422),
        (OTHER, OTHER, 303),
    ] {
        let fields = [("csrf", csrf.as_str()), ("password", password), ("again", again)];
        assert_eq!(browser.post("/account/security/password", &fields).await.status, status, "{password}");
    }
    assert_eq!(Browser::new(&world).sign_in("ana", PASSWORD).await.status, 403);
}

/// Somebody of the staff, signed in with two factors.
pub(super) async fn staff<'a>(world: &'a World, login: &str, role: Role) -> Browser<'a> {
    let mut browser = Browser::new(world);
    accept(&mut browser, &invited(world, login, role), login).await;
    add_second_factor(&mut browser).await;
    browser
}

/// Staff set up a second factor before they are in, and give it each time.
#[tokio::test]
async fn staff_come_in_with_two_factors() {
    let world = World::new();
    let mut browser = Browser::new(&world);
    accept(&mut browser, &invited(&world, "kim", Role::Clinician), "kim").await;
    let security = browser.get("/account/security").await;
    assert_eq!((security.status, security.to()), (303, "/account/passkey/add?continuation=to-security"));
    let page = browser.get(security.to()).await;
    let csrf = page.field("csrf");
    assert!(page.body.contains("&quot;residentKey&quot;:&quot;required&quot;"), "{}", page.body);
    let later = [("csrf", csrf.as_str()), ("continuation", "to-security"), ("decision", "later")];
    let to = browser.post("/account/passkey/add", &later).await;
    assert_eq!(to.to(), "/account/security/authenticator?continuation=to-security");
    let page = browser.get(to.to()).await;
    let at = page.body.find("class=\"key\">").unwrap() + 12;
    let key: String = page.body[at..].chars().take_while(|c| *c != '<').filter(|c| !c.is_whitespace()).collect();
    let seed = from_base32(&key);
    let code = |steps: i64| crate::people::tests::totp_code(&seed, world.now_s() / 30 + steps);
    let wrong = browser.post("/account/security/authenticator", &[("csrf", &csrf), ("code", "000000")]).await;
    assert_eq!(wrong.status, 422);
    let before = browser.cookie_field();
    let done = browser.post("/account/security/authenticator", &[("csrf", &csrf), ("code", &code(0))]).await;
    assert_eq!(done.status, 303);
    assert_ne!(before, browser.cookie_field(), "another session");
    assert_eq!(browser.get("/account/security").await.status, 200);
    // The seed is never shown again.
    for path in ["/account/security", "/account/security/authenticator"] {
        assert!(!browser.get(path).await.body.replace(' ', "").contains(&key), "{path}");
    }
    world.pass(30);
    let mut browser = Browser::new(&world);
    let begun = browser.sign_in("kim", PASSWORD).await;
    assert_eq!((begun.status, begun.to()), (303, "/account/second-factor"));
    assert!(!browser.is_signed_in());
    assert_eq!(browser.get("/account/security").await.status, 303);
    let page = browser.get("/account/second-factor").await;
    let csrf = page.field("csrf");
    let wrong = [("csrf", csrf.as_str()), ("way", "authenticator"), ("code", "000000")];
    assert_eq!(browser.post("/account/second-factor", &wrong).await.status, 403);
    let code = code(0);
    let right = [("csrf", csrf.as_str()), ("way", "authenticator"), ("code", &code)];
    assert_eq!(browser.post("/account/second-factor", &right).await.status, 303);
    assert!(browser.is_signed_in());
    let entry = world.last_entry();
    assert_eq!(&*entry.subtype, "sign-in");
    assert!(entry.query.unwrap().ends_with("method=password&method=totp"));
}

/// The way back in.
#[tokio::test]
async fn a_recovery_code_gives_a_new_password() {
    let world = World::new();
    let mut home = Browser::new(&world);
    let page = accept(&mut home, &invited(&world, "ana", Role::Patient), "ana").await;
    let code = page.body.split_once("<li><code>").unwrap().1.split_once('<').unwrap().0.to_owned();
    let mut browser = Browser::new(&world);
    let csrf = browser.get("/account/recovery?continuation=h1").await.field("csrf");
    let fields = |code| [("csrf", csrf.as_str()), ("continuation", "h1"), ("user", "ana"), ("code", code)];
    assert_eq!(browser.post("/account/recovery", &fields("0000-0000-0000-0000")).await.status, 403);
    let to = browser.post("/account/recovery", &fields(&code)).await;
    assert_eq!(to.to(), "/account/recovery?recovery=open&continuation=h1");
    let page = browser.get(to.to()).await;
    assert!(!page.body.contains(&code));
    let csrf = page.field("csrf");
    let fields = [("csrf", csrf.as_str()), ("recovery", "open"), ("password", OTHER), ("again", OTHER)];
    assert_eq!(browser.post("/account/recovery", &fields).await.status, 200);
    assert_eq!(home.get("/account/security").await.status, 303, "signed out everywhere");
    assert_eq!(browser.sign_in("ana", PASSWORD).await.status, 403);
    assert_eq!(browser.sign_in("ana", OTHER).await.status, 303);
}

/// Row F24: nothing that proves who somebody is stands in the log of who did what, whatever they type and where.
#[tokio::test]
async fn no_secret_is_in_an_entry() {
    let world = World::new();
    let mut home = Browser::new(&world);
    let link = invited(&world, "ana", Role::Patient);
    let page = accept(&mut home, &link, "ana").await;
    let codes: Vec<&str> = page.body.split("<li><code>").skip(1).map(|rest| rest.split_once('<').unwrap().0).collect();
    let mut browser = Browser::new(&world);
    browser.sign_in("ana", "canary password one").await;
    browser.sign_in("canary password two", "x").await;
    let csrf = browser.get("/account/recovery").await.field("csrf");
    browser.post("/account/recovery", &[("csrf", &csrf), ("user", "ana"), ("code", "canary-code")]).await;
    browser.post("/account/recovery", &[("csrf", &csrf), ("user", "ana"), ("code", codes[0])]).await;
    browser.get("/account/invitation?invitation=canary-invitation").await;
    browser.sign_in("ana", PASSWORD).await;
    browser.post("/account/sign-in", &[("csrf", "canary-csrf"), ("password", "canary")]).await;
    let entries = format!("{:?}", world.recorded.entries.lock().unwrap());
    let mut secrets = vec!["canary", PASSWORD, link.split_once('=').unwrap().1, csrf.as_str()];
    secrets.extend(&codes);
    let cookies: Vec<&str> =
        home.cookies.iter().chain(&browser.cookies).map(|(_, value)| value.as_str()).filter(|v| v.len() > 5).collect();
    secrets.extend(&cookies);
    for secret in secrets {
        assert!(!entries.contains(secret) && !entries.contains(&encoded(secret)), "{secret}: {entries}");
    }
}

/// Row F25: without the record there is no answer, and nobody is let in.
#[tokio::test]
async fn without_the_log_nobody_comes_in() {
    let world = World::new();
    somebody(&world, "ana").await;
    world.recorded.down.store(true, std::sync::atomic::Ordering::Relaxed);
    let mut browser = Browser::new(&world);
    assert_eq!(browser.sign_in("ana", PASSWORD).await.status, 503);
    assert!(!browser.is_signed_in());
    world.recorded.down.store(false, std::sync::atomic::Ordering::Relaxed);
    // A disabled account's pages are gone with the next request.
    browser.sign_in("ana", PASSWORD).await;
    world.service.set_user_disabled("ana", true).unwrap();
    assert_eq!(browser.get("/account/security").await.status, 303);
    assert_eq!(Browser::new(&world).sign_in("ana", PASSWORD).await.status, 403);
}
