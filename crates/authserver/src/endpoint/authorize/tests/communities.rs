//! Apps of trust communities at the authorization endpoint: D22 to D24, D30, and where 1.0 and 2.0 disagree.

use super::{BASE, VERIFIER, follow, html};
use crate::{
    Client, NewCommunity, Profile,
    people::account::NewAccount,
    records::PatientRecord,
    testing::{
        Answer, World,
        browser::{Browser, Page, accept},
        communities::{Lab, REDIRECT, with},
        encoded,
    },
};
use oauth::{bearer::LiveTokens, caller::Role, pkce::Challenge};
use serde_json::{Value, json};
use std::sync::Arc;
use testkit::pki::Held;

const SCOPE: &str = "launch/patient offline_access patient/Patient.rs";

struct Bench {
    world: World,
    held: Held,
    app: Arc<Client>,
}

impl Bench {
    /// With an app of a community of this profile; `changes` of its statement.
    async fn new(profile: Profile, changes: &[(&str, Value)]) -> Self {
        let world = World::of_accounts();
        let patient = PatientRecord { id: "p1".into(), name: "Ana Ruiz".into(), born: None };
        world.charts.patients.lock().unwrap().push(patient);
        let lab = Lab::new("lab");
        world.service.add_community(&NewCommunity { profile, ..lab.community() }).unwrap();
        let (held, app) = world.registered(&lab, &with(world.app_statement(), changes)).await;
        Self { world, held, app }
    }

    async fn ana(&self) -> Browser<'_> {
        let mut browser = Browser::new(&self.world);
        let new = NewAccount {
            login: "ana".into(),
            name: "Ana".into(),
            role: Role::Patient,
            fhir_user: Some("Patient/p1".into()),
            patients: vec!["p1".into()],
        };
        let link = self.world.service.add_user(&new).unwrap().1;
        accept(&mut browser, &link, "ana").await;
        browser
    }

    /// Asks as 2.0 says, without `aud`; `changes` replaces parameters, an empty value leaves one out.
    async fn asked(&self, browser: &mut Browser<'_>, changes: &[(&str, &str)]) -> Page {
        let challenge = Challenge::of(VERIFIER).as_parameter();
        let usual = [
            ("response_type", "code"),
            ("client_id", &*self.app.id),
            ("redirect_uri", REDIRECT),
            ("scope", SCOPE),
            ("state", "s-1"),
            ("code_challenge", challenge.as_str()),
            ("code_challenge_method", "S256"),
        ];
        let kept = usual.into_iter().filter(|(name, _)| !changes.iter().any(|(other, _)| other == name));
        let all = kept.chain(changes.iter().copied().filter(|(_, value)| !value.is_empty()));
        let query: Vec<String> = all.map(|(name, value)| format!("{name}={}", encoded(value))).collect();
        follow(browser, &format!("/oauth/authorize?{}", query.join("&"))).await
    }

    /// The code of a person who says yes.
    async fn code(&self, browser: &mut Browser<'_>, changes: &[(&str, &str)]) -> String {
        let page = self.asked(browser, changes).await;
        assert!(page.body.contains("Payer&#39;s app") || page.body.contains("Payer's app"), "{}", page.body);
        let (csrf, continuation) = (page.field("csrf"), page.field("continuation"));
        let mut fields = vec![
            ("csrf", csrf.as_str()),
            ("continuation", &continuation),
            ("decision", "share"),
            ("lasts", "180"),
            ("group", "person"),
        ];
        fields.extend(SCOPE.split(' ').filter(|scope| page.body.contains(&html(scope))).map(|scope| ("scope", scope)));
        let mut page = browser.post("/account/consent", &fields).await;
        if page.to().starts_with("/oauth/authorize") {
            let to = page.to().to_owned();
            page = follow(browser, &to).await;
        }
        parameter(&page, "code")
    }

    /// Redeems it with these further parameters, by a good assertion.
    async fn redeem(&self, code: &str, more: &str) -> Answer {
        let form = format!("grant_type=authorization_code&code={code}{more}");
        let claims = with(self.world.udap_claims(&self.app.id), &[("extensions", Value::Null)]);
        self.world.udap_ask(&self.held, &claims, &form).await
    }
}

fn parameter(page: &Page, name: &str) -> String {
    let query = page.to().strip_prefix(&format!("{REDIRECT}?"));
    let query = query.unwrap_or_else(|| panic!("{} {} {}", page.status, page.to(), page.body));
    let form = oauth::form::Form::parse(query.as_bytes()).unwrap();
    form.value(name).unwrap_or_else(|| panic!("no {name}: {query}")).to_owned()
}

fn named() -> String {
    format!("&redirect_uri={}", encoded(REDIRECT))
}

/// Rows D23, D30: a person lets it in; it redeems and refreshes by its certificate, and by nothing else.
#[tokio::test]
async fn d30_refreshed_by_the_certificate_alone() {
    let bench = Bench::new(Profile::Stu2, &[]).await;
    let mut ana = bench.ana().await;
    let code = bench.code(&mut ana, &[]).await;
    let first = bench.redeem(&code, &format!("{}&code_verifier={VERIFIER}", named())).await;
    assert_eq!(first.line(), "200", "{}", first.body);
    assert_eq!(first.body["patient"], "p1");
    let grant = bench.world.service.grant(first.token()).unwrap();
    assert!(grant.acting.is_none() && grant.user.is_some(), "an app like any other");
    let refresh = format!("grant_type=refresh_token&refresh_token={}", first.body["refresh_token"].as_str().unwrap());
    for stranger in [String::new(), format!("&client_id={}", bench.app.id)] {
        let answer = bench.world.post("/oauth/token", &format!("{refresh}{stranger}")).await;
        assert_eq!(answer.body["error"], "invalid_client");
    }
    let claims = bench.world.udap_claims(&bench.app.id);
    let second = bench.world.udap_ask(&bench.held, &claims, &refresh).await;
    assert_eq!(second.line(), "200", "{}", second.body);
    // A cancelled registration ends what people gave (row D19).
    let cancelled = with(bench.world.app_statement(), &[("grant_types", json!([]))]);
    assert_eq!(bench.world.register(&bench.held, &cancelled).await.line(), "200");
    assert!(bench.world.service.grant(second.token()).is_none());
}

/// Rows D23, D24, where 1.0 disagrees with 1.1 and 2.0: without `code_challenge` only by a community of 1.0.
#[tokio::test]
async fn d24_pkce_in_1_0_and_later() {
    let none = [("code_challenge", ""), ("code_challenge_method", "")];
    let bench = Bench::new(Profile::Stu2, &[]).await;
    let mut ana = bench.ana().await;
    assert_eq!(parameter(&bench.asked(&mut ana, &none).await, "error"), "invalid_request");
    let bench = Bench::new(Profile::Stu1, &[]).await;
    let mut ana = bench.ana().await;
    let code = bench.code(&mut ana, &none).await;
    assert_eq!(bench.redeem(&code, &named()).await.line(), "200");
    // A verifier without a challenge: somebody took the challenge away.
    let code = bench.code(&mut ana, &none).await;
    let answer = bench.redeem(&code, &format!("{}&code_verifier={VERIFIER}", named())).await;
    assert_eq!(answer.line(), "400 invalid_grant");
    // Where a challenge was sent, it counts.
    for (verifier, line) in [("", "400 invalid_grant"), (VERIFIER, "200")] {
        let code = bench.code(&mut ana, &[]).await;
        let answer = bench.redeem(&code, &format!("{}&code_verifier={verifier}", named())).await;
        assert_eq!(answer.line(), line);
    }
    let plain = [("code_challenge", VERIFIER), ("code_challenge_method", "plain")];
    assert_eq!(parameter(&bench.asked(&mut ana, &plain).await, "error"), "invalid_request");
}

/// Row D23.
#[tokio::test]
async fn d23_what_a_request_must_have() {
    let two = [("redirect_uris", json!([REDIRECT, "https://payer.example/other"]))];
    for (changes, is_alone) in [(&[][..], true), (&two[..], false)] {
        let bench = Bench::new(Profile::Stu2, changes).await;
        let mut ana = bench.ana().await;
        for profile_free in [("state", ""), ("response_type", "")] {
            assert_eq!(parameter(&bench.asked(&mut ana, &[profile_free]).await, "error"), "invalid_request");
        }
        // `aud` is SMART's: it need not be there, and must be right when it is.
        assert_eq!(bench.asked(&mut ana, &[("aud", BASE)]).await.status, 200);
        let other = bench.asked(&mut ana, &[("aud", "https://other.example/fhir")]).await;
        assert_eq!(parameter(&other, "error"), "invalid_request");
        assert_eq!(bench.asked(&mut ana, &[("redirect_uri", "https://payer.example/back/")]).await.status, 422);
        let unnamed = bench.asked(&mut ana, &[("redirect_uri", "")]).await;
        assert_eq!(unnamed.status == 200, is_alone, "{}", unnamed.status);
        if is_alone {
            // RFC 6749 section 4.1.3: then it need not be there with the code; another one may not.
            let code = bench.code(&mut ana, &[("redirect_uri", "")]).await;
            let verifier = format!("&code_verifier={VERIFIER}");
            assert_eq!(bench.redeem(&code, &verifier).await.line(), "200");
        } else {
            let code = bench.code(&mut ana, &[]).await;
            let verifier = format!("&code_verifier={VERIFIER}");
            assert_eq!(bench.redeem(&code, &verifier).await.line(), "400 invalid_grant");
        }
    }
}

/// Row D22: the logo is fetched by the guarded client, and shown from our own address.
#[tokio::test]
async fn d22_a_logo_is_shown_from_here_alone() {
    let bench = Bench::new(Profile::Stu2, &[]).await;
    let mut ana = bench.ana().await;
    let page = bench.asked(&mut ana, &[]).await;
    assert!(!page.body.contains("payer.example/logo.png"));
    assert!(bench.world.web.count() > 0);
    // Who it is, as its certificate proves it, is told.
    assert!(page.body.contains("https://payer.example/client"), "{}", page.body);
}
