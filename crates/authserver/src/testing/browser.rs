//! A browser of tests: cookies, pages and forms, without scripts.

use super::{World, encoded};
use crate::people::account::NewAccount;
use bytes::Bytes;
use http::{HeaderMap, Method, Request, header};
use oauth::caller::Role;
use std::net::IpAddr;

/// The password of everybody in tests.
pub(crate) const PASSWORD: &str = "three grey herons";
const FORM: &str = "application/x-www-form-urlencoded";

/// A browser with its cookies.
pub(crate) struct Browser<'a> {
    pub(crate) world: &'a World,
    pub(crate) cookies: Vec<(String, String)>,
    pub(crate) address: IpAddr,
}

/// What it got.
pub(crate) struct Page {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Page {
    pub(crate) fn to(&self) -> &str {
        self.headers.get(header::LOCATION).map_or("", |to| to.to_str().unwrap())
    }

    /// The value of the first field of this name in the page's main part: `csrf`.
    pub(crate) fn field(&self, name: &str) -> String {
        self.field_from("<main", name)
    }

    pub(crate) fn field_from(&self, start: &str, name: &str) -> String {
        let body = &self.body[self.body.find(start).unwrap()..];
        let at = body.find(&format!("name=\"{name}\" value=\"")).unwrap_or_else(|| panic!("no {name}: {body}"));
        let rest = &body[at + name.len() + 15..];
        rest[..rest.find('"').unwrap()].to_owned()
    }
}

impl<'a> Browser<'a> {
    pub(crate) fn new(world: &'a World) -> Self {
        Self { world, cookies: Vec::new(), address: "192.0.2.7".parse().unwrap() }
    }

    pub(crate) fn cookie_field(&self) -> String {
        self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ")
    }

    pub(crate) async fn send(&mut self, method: Method, path: &str, headers: &[(&str, &str)], body: &str) -> Page {
        let mut request = Request::builder().method(method).uri(path);
        request = request.header(header::USER_AGENT, "Mozilla/5.0 (X11; Linux) Firefox/140.0");
        if !self.cookies.is_empty() {
            request = request.header(header::COOKIE, self.cookie_field());
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Bytes::copy_from_slice(body.as_bytes())).unwrap();
        let response = self.world.service.answer(self.address, request).await.into_inner();
        for cookie in response.headers().get_all(header::SET_COOKIE) {
            let (pair, rest) = cookie.to_str().unwrap().split_once(';').unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            self.cookies.retain(|(known, _)| known != name);
            if !rest.contains("Max-Age=0") {
                self.cookies.push((name.into(), value.into()));
            }
        }
        Page {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            body: String::from_utf8(response.into_body().to_vec()).unwrap(),
        }
    }

    pub(crate) async fn get(&mut self, path: &str) -> Page {
        self.send(Method::GET, path, &[], "").await
    }

    /// A form of the page, as a browser sends it.
    pub(crate) async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Page {
        let headers = [("content-type", FORM), ("origin", self.world.origin()), ("sec-fetch-site", "same-origin")];
        self.send(Method::POST, path, &headers, &body(fields)).await
    }

    pub(crate) async fn sign_in(&mut self, user: &str, password: &str) -> Page {
        let csrf = self.get("/account/sign-in?continuation=x1").await.field("csrf");
        let fields = [("csrf", csrf.as_str()), ("continuation", ""), ("user", user), ("password", password)];
        self.post("/account/sign-in", &fields).await
    }

    pub(crate) fn is_signed_in(&self) -> bool {
        self.cookies.iter().any(|(name, _)| name == "__Host-handrail")
    }
}

pub(crate) fn body(fields: &[(&str, &str)]) -> String {
    fields.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect::<Vec<_>>().join("&")
}

pub(crate) fn invited(world: &World, login: &str, role: Role) -> String {
    let (fhir_user, patients) = match role {
        Role::Patient => (Some("Patient/p1".to_owned()), vec!["p1".to_owned()]),
        _ => (Some("Practitioner/d1".to_owned()), vec![]),
    };
    let new = NewAccount { login: login.into(), name: "Ana Ruiz".into(), role, fhir_user, patients };
    world.service.add_user(&new).unwrap().1
}

/// Takes an invitation up; the page with the recovery codes.
pub(crate) async fn accept(browser: &mut Browser<'_>, link: &str, user: &str) -> Page {
    let to = browser.get(link.strip_prefix(browser.world.origin()).unwrap()).await;
    assert_eq!((to.status, to.to()), (303, "/account/invitation"));
    let page = browser.get("/account/invitation").await;
    assert_eq!(page.status, 200, "{}", page.body);
    let csrf = page.field("csrf");
    let fields =
        [("csrf", csrf.as_str()), ("invitation", "open"), ("user", user), ("password", PASSWORD), ("again", PASSWORD)];
    browser.post("/account/invitation", &fields).await
}

/// Sets up an authenticator app, as staff must before they are in.
pub(crate) async fn add_second_factor(browser: &mut Browser<'_>) {
    let page = browser.get("/account/security/authenticator?continuation=to-security").await;
    let csrf = page.field("csrf");
    let at = page.body.find("class=\"key\">").unwrap() + 12;
    let key: String = page.body[at..].chars().take_while(|c| *c != '<').filter(|c| !c.is_whitespace()).collect();
    let code = crate::people::tests::totp_code(&from_base32(&key), browser.world.now_s() / 30);
    let done = browser.post("/account/security/authenticator", &[("csrf", &csrf), ("code", &code)]).await;
    assert_eq!(done.status, 303, "{}", done.body);
}

pub(crate) fn from_base32(text: &str) -> Vec<u8> {
    let bits: String =
        text.bytes().map(|b| format!("{:05b}", if b.is_ascii_digit() { b - b'2' + 26 } else { b - b'A' })).collect();
    bits.as_bytes()
        .chunks_exact(8)
        .map(|bits| u8::from_str_radix(std::str::from_utf8(bits).unwrap(), 2).unwrap())
        .collect()
}
