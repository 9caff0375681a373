//! Redirect URIs, good and attacked. Rows B11, B19, B49.

use super::{ApplicationType, RedirectUri, RedirectUriError as E};

fn web(text: &str) -> Result<RedirectUri, E> {
    RedirectUri::register(text, ApplicationType::Web)
}

fn native(text: &str) -> Result<RedirectUri, E> {
    RedirectUri::register(text, ApplicationType::Native)
}

/// Row B11: what may be registered, and what not.
#[test]
fn registering() {
    for good in [
        "https://app.example/cb",
        "https://app.example",
        "https://app.example:8443/cb?tenant=1",
        "https://[2001:db8::1]/cb",
        "http://localhost:3000/cb",
        "http://127.0.0.1/cb",
        "http://[::1]:9000/cb",
    ] {
        assert!(web(good).is_ok(), "{good}");
        assert!(native(good).is_ok(), "{good}");
    }
    for good in ["com.example.app:/cb", "com.example.app://cb", "com.example.my-app:/cb?x=1"] {
        assert!(native(good).is_ok(), "{good}");
        assert_eq!(web(good), Err(E::Scheme), "{good}: any app may claim it");
    }
    let bad = [
        ("", E::Scheme),
        ("/cb", E::Scheme),
        ("//app.example/cb", E::Scheme),
        ("https://app.example/cb#", E::Fragment),
        ("https://app.example/cb#x", E::Fragment),
        ("https://*.app.example/cb", E::Character),
        ("https://app.example/*", E::Character),
        ("https://app.example\\@evil.example/cb", E::Character),
        ("https://app.example/c b", E::Character),
        ("https://app.example/c\r\nb", E::Character),
        ("https://app.example/\u{e9}", E::Character),
        ("https://app.example/%zz", E::Character),
        ("https://user@app.example/cb", E::UserInfo),
        ("https://app.example:443@evil.example/cb", E::UserInfo),
        ("https:/app.example/cb", E::Host),
        ("https:app.example/cb", E::Host),
        ("https:///cb", E::Host),
        ("https://app.example:port/cb", E::Host),
        ("https://app.example:/cb", E::Host),
        ("https://[::1/cb", E::Host),
        ("https://-a.example/cb", E::Host),
        ("https://a..example/cb", E::Host),
        ("https://app.example/a/../cb", E::DotSegment),
        ("https://app.example/a/%2E%2e/cb", E::DotSegment),
        ("https://app.example/cb?code=1", E::Parameter),
        ("https://app.example/cb?x=1&st%61te=1", E::Parameter),
        ("http://app.example/cb", E::Scheme),
        ("http://localhost.evil.example/cb", E::Scheme),
        ("http://127.0.0.1.evil.example/cb", E::Scheme),
        ("http://127.1/cb", E::Scheme),
        ("HTTPS://app.example/cb", E::Scheme),
        ("javascript:alert(1)", E::Scheme),
        ("data:text/html,x", E::Scheme),
        ("file:///etc/passwd", E::Scheme),
        ("urn:ietf:wg:oauth:2.0:oob", E::Scheme),
        ("myapp:/cb", E::Scheme),
        ("com.example.App:/cb", E::Scheme),
    ];
    for (text, why) in bad {
        assert_eq!(web(text), Err(why), "{text}");
        assert_eq!(native(text), Err(why), "{text}");
    }
    assert_eq!(web(&format!("https://app.example/{}", "a".repeat(2048))), Err(E::TooLong));
}

/// Row B11 and the redirect tricks: to the letter.
#[test]
fn matching_is_exact() {
    let registered = [web("https://app.example/cb").unwrap(), web("https://app.example/cb2?x=1").unwrap()];
    for good in ["https://app.example/cb", "https://app.example/cb2?x=1"] {
        assert_eq!(RedirectUri::matching(&registered, good).unwrap().as_str(), good);
    }
    for other in [
        "https://app.example/cb/",
        "https://app.example/cb?x=1",
        "https://app.example/cb2",
        "https://app.example/cb2?x=1&y=2",
        "https://app.example:443/cb",
        "https://APP.example/cb",
        "https://app.example/CB",
        "https://app.example/%63b",
        "https://app.example/cb#",
        "https://app.example/cb%00",
        "https://app.example/x/../cb",
        "https://app.example./cb",
        "https://app.example.evil.example/cb",
        "https://app.example@evil.example/cb",
        "https://evil.example/cb?https://app.example/cb",
        "http://app.example/cb",
        " https://app.example/cb",
        "",
    ] {
        assert!(RedirectUri::matching(&registered, other).is_none(), "{other}");
    }
}

/// RFC 8252 section 7.3: only the port, only of a loopback address, only for a native app.
#[test]
fn loopback_ports() {
    let apps = [native("http://127.0.0.1/cb").unwrap(), native("http://[::1]:5000/cb?x=1").unwrap()];
    for good in ["http://127.0.0.1:49152/cb", "http://127.0.0.1/cb", "http://[::1]:1/cb?x=1", "http://[::1]/cb?x=1"] {
        let target = RedirectUri::matching(&apps, good).unwrap_or_else(|| panic!("{good}"));
        assert_eq!(target.as_str(), good, "the answer goes to the port that was asked for");
    }
    for other in [
        "http://127.0.0.1:49152/cb2",
        "http://127.0.0.1:49152/cb?x=1",
        "http://127.0.0.1:0/cb",
        "http://127.0.0.1:065/cb",
        "http://127.0.0.1:65536/cb",
        "http://127.0.0.1:80@evil.example/cb",
        "http://127.0.0.1:80evil/cb",
        "http://127.0.0.2:80/cb",
        "http://localhost:49152/cb",
        "https://127.0.0.1:49152/cb",
        "http://[::1]:1/cb",
        "http://[::2]:1/cb?x=1",
    ] {
        assert!(RedirectUri::matching(&apps, other).is_none(), "{other}");
    }
    let page = [web("http://127.0.0.1:3000/cb").unwrap(), native("http://localhost:3000/cb").unwrap()];
    assert!(RedirectUri::matching(&page, "http://127.0.0.1:3001/cb").is_none(), "no native app");
    assert!(RedirectUri::matching(&page, "http://localhost:3001/cb").is_none(), "a name, no address");
}

#[test]
fn answers_keep_the_query_and_escape_all() {
    let target = |text: &str| RedirectUri::matching(&[native(text).unwrap()], text).unwrap();
    let parameters = [("code", "a b&c=d#\r\n%"), ("state", "\u{e9}")];
    let query = "code=a%20b%26c%3Dd%23%0D%0A%25&state=%C3%A9";
    let with = |text: &str| target(text).with_parameters(parameters);
    assert_eq!(with("https://app.example/cb"), format!("https://app.example/cb?{query}"));
    assert_eq!(with("https://app.example/cb?x=1"), format!("https://app.example/cb?x=1&{query}"));
    assert_eq!(with("https://app.example/cb?"), format!("https://app.example/cb?{query}"));
    assert_eq!(with("com.example.app:/cb"), format!("com.example.app:/cb?{query}"));
}

/// Rows A13, A18, B28.
#[test]
fn origins_and_schemes() {
    let uri = native("https://App.example:443/cb").unwrap();
    assert_eq!(uri.origin().as_deref(), Some("https://app.example"));
    assert_eq!(native("http://localhost:3000/cb").unwrap().origin().as_deref(), Some("http://localhost:3000"));
    let private = native("com.example.app:/cb").unwrap();
    assert!(private.origin().is_none() && private.is_private_use() && !private.is_https());
    let target = RedirectUri::matching(&[private], "com.example.app:/cb").unwrap();
    assert_eq!(target.form_action(), "com.example.app:");
    assert!(target.is_private_use());
    assert_eq!(
        RedirectUri::matching(&[uri], "https://App.example:443/cb").unwrap().form_action(),
        "https://app.example"
    );
}
