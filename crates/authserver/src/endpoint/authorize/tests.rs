//! The authorization endpoint as browsers and apps meet it, and as attackers do. Rows A18, B16 to B29, B50, B57, E2, E5,
//! F16, F24, F61.

mod attacks;
mod communities;
mod people;
mod pushed;
mod way;

use crate::{
    NewClient, NewKind,
    people::account::NewAccount,
    records::PatientRecord,
    testing::{
        Answer, ISSUER, World,
        browser::{Browser, Page, accept, add_second_factor},
        encoded,
    },
};
use oauth::{
    caller::{Grant, Role},
    pkce::Challenge,
};
use std::sync::Arc;

const VERIFIER: &str = "a-verifier-that-is-long-enough-for-anybody-0123456789";
const REDIRECT: &str = "https://app.example.org/callback";
const STATE: &str = "s-1 &=\u{e9}";
const BASE: &str = crate::testing::BASE;
const REGISTERED: &str = "openid fhirUser profile launch launch/patient offline_access online_access \
                          patient/*.cruds user/*.cruds";

struct Bench {
    world: World,
    app: Arc<str>,
    secret: String,
}

impl Bench {
    fn public() -> Self {
        Self::with(&app(NewKind::Public))
    }

    fn with(new: &NewClient) -> Self {
        let world = World::of_accounts();
        for (id, name) in [("p1", "Ana Ruiz"), ("p2", "Luis Ruiz"), ("p3", "Maud Okafor")] {
            let patient = PatientRecord { id: id.into(), name: name.into(), born: Some("1941-03-02".into()) };
            world.charts.patients.lock().unwrap().push(patient);
        }
        let added = world.service.add_client(new).unwrap();
        let secret = added.secret.map(|secret| secret.expose().to_owned()).unwrap_or_default();
        Self { app: Arc::clone(&added.client.id), world, secret }
    }

    /// Somebody with an account, signed in.
    async fn somebody(&self, login: &str, role: Role, fhir_user: &str, patients: &[&str]) -> Browser<'_> {
        let mut browser = Browser::new(&self.world);
        self.enrol(&mut browser, login, role, fhir_user, patients).await;
        browser
    }

    async fn enrol(&self, browser: &mut Browser<'_>, login: &str, role: Role, fhir_user: &str, patients: &[&str]) {
        let new = NewAccount {
            login: login.into(),
            name: format!("The {login}"),
            role,
            fhir_user: Some(fhir_user.into()),
            patients: patients.iter().map(|id| (*id).to_owned()).collect(),
        };
        let link = self.world.service.add_user(&new).unwrap().1;
        let page = accept(browser, &link, login).await;
        assert_eq!(page.status, 200, "{}", page.body);
    }

    /// The patient of the record `p1`, signed in.
    async fn ana(&self) -> Browser<'_> {
        self.somebody("ana", Role::Patient, "Patient/p1", &["p1"]).await
    }

    /// A clinician, with both factors.
    async fn clinician(&self) -> Browser<'_> {
        let mut browser = self.somebody("doc", Role::Clinician, "Practitioner/d1", &[]).await;
        add_second_factor(&mut browser).await;
        browser
    }

    /// A request for these scopes as a query; `changes` replaces parameters, an empty value leaves one out.
    fn query(&self, scope: &str, changes: &[(&str, &str)]) -> String {
        let challenge = Challenge::of(VERIFIER).as_parameter();
        let usual = [
            ("response_type", "code"),
            ("client_id", &*self.app),
            ("redirect_uri", REDIRECT),
            ("scope", scope),
            ("state", STATE),
            ("aud", BASE),
            ("code_challenge", challenge.as_str()),
            ("code_challenge_method", "S256"),
        ];
        let kept = usual.into_iter().filter(|(name, _)| !changes.iter().any(|(other, _)| other == name));
        let all = kept.chain(changes.iter().copied().filter(|(_, value)| !value.is_empty()));
        all.map(|(name, value)| format!("{name}={}", encoded(value))).collect::<Vec<_>>().join("&")
    }

    /// Asks, and follows our own redirects to the page that is due (or to the app).
    async fn asked(&self, browser: &mut Browser<'_>, scope: &str, changes: &[(&str, &str)]) -> Page {
        let path = format!("/oauth/authorize?{}", self.query(scope, changes));
        follow(browser, &path).await
    }

    /// Says yes to these scopes (and to all groups) on this page.
    async fn share(&self, browser: &mut Browser<'_>, page: &Page, scopes: &[&str], more: &[(&str, &str)]) -> Page {
        let (csrf, continuation) = (page.field("csrf"), page.field("continuation"));
        let mut fields = vec![("csrf", csrf.as_str()), ("continuation", &continuation), ("decision", "share")];
        if !more.iter().any(|(name, _)| *name == "lasts") {
            fields.push(("lasts", "now"));
        }
        fields.extend(GROUPS.map(|group| ("group", group)));
        fields.extend(scopes.iter().map(|scope| ("scope", *scope)));
        fields.extend(more);
        let page = browser.post("/account/consent", &fields).await;
        if page.status == 303 && page.to().starts_with("/oauth/authorize") {
            follow(browser, page.to()).await
        } else {
            page
        }
    }

    /// Redeems the code of an answer.
    async fn redeem(&self, page: &Page) -> Answer {
        let code =
            answer(page, "code").unwrap_or_else(|| panic!("no code: {} {} {}", page.status, page.to(), page.body));
        let client = if self.secret.is_empty() {
            format!("client_id={}", self.app)
        } else {
            format!("client_id={}&client_secret={}", self.app, self.secret)
        };
        let body = format!(
            "grant_type=authorization_code&code={code}&redirect_uri={}&code_verifier={VERIFIER}&{client}",
            encoded(REDIRECT)
        );
        self.world.post("/oauth/token", &body).await
    }

    fn grant(&self, answer: &Answer) -> Arc<Grant> {
        oauth::bearer::LiveTokens::grant(&self.world.service, answer.token()).unwrap()
    }

    /// From asking to tokens, all that is asked for being given.
    async fn tokens(&self, browser: &mut Browser<'_>, scope: &str, more: &[(&str, &str)]) -> Answer {
        let page = self.asked(browser, scope, &[]).await;
        let scopes: Vec<&str> = scope.split(' ').collect();
        let on_page = |text: &&str| page.body.contains(&html(text));
        let scopes: Vec<&str> = scopes.into_iter().filter(on_page).collect();
        let back = self.share(browser, &page, &scopes, more).await;
        self.redeem(&back).await
    }

    /// Subtypes of all audit entries from this one on.
    fn events(&self, from: usize) -> Vec<String> {
        self.world.recorded.entries.lock().unwrap()[from..].iter().map(|entry| entry.subtype.to_string()).collect()
    }
}

const GROUPS: [&str; 15] = [
    "person",
    "identity",
    "moving",
    "mind",
    "health",
    "results",
    "medicines",
    "visits",
    "care",
    "notes",
    "money",
    "staff",
    "origin",
    "other",
    "everything",
];

/// An app with all scopes.
fn app(kind: NewKind) -> NewClient {
    NewClient { redirect_uris: vec![REDIRECT.into()], ..NewClient::new("My Walks", REGISTERED, kind) }
}

/// As it stands on a page.
fn html(text: &str) -> String {
    format!("value=\"{}\"", text.replace('&', "&amp;"))
}

/// Goes to a path and follows redirects of ours.
async fn follow(browser: &mut Browser<'_>, path: &str) -> Page {
    let mut path = path.to_owned();
    for _ in 0..5 {
        let page = browser.get(&path).await;
        if page.status != 303 || !page.to().starts_with('/') {
            return page;
        }
        path = page.to().to_owned();
    }
    panic!("redirects without end: {path}");
}

/// A parameter of the answer that goes to the app.
fn answer(page: &Page, name: &str) -> Option<String> {
    let query = page.to().strip_prefix(&format!("{REDIRECT}?"))?;
    assert_eq!(page.status, 303);
    let form = oauth::form::Form::parse(query.as_bytes()).unwrap();
    form.value(name).map(str::to_owned)
}

/// The error that goes to the app, whose answer must be whole: state to the letter (B20), who answers (RFC 9207).
fn error(page: &Page) -> String {
    let error = answer(page, "error").unwrap_or_else(|| panic!("{} {} {}", page.status, page.to(), page.body));
    assert_eq!(answer(page, "iss").as_deref(), Some(ISSUER), "{}", page.to());
    assert_eq!(answer(page, "code"), None);
    error
}
