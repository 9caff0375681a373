//! Tests of my apps: what a person sees and ends, and what nobody else does. Rows A18, B61, B62, F16, F25.

use super::super::tests::{Browser, PASSWORD, somebody, staff};
use crate::{
    NewClient, NewKind,
    codes::Code,
    families::Lasting,
    records::PatientRecord,
    testing::{World, encoded},
};
use oauth::{bearer::LiveTokens, caller::Role, launch_context::LaunchContext, pkce::Challenge};
use std::sync::{Arc, atomic::Ordering};

const VERIFIER: &str = "a-verifier-that-is-long-enough-for-anybody-0123456789";
const REDIRECT: &str = "https://app.example.org/callback";
const SCOPE: &str = "openid launch/patient offline_access patient/Patient.rs patient/MedicationRequest.rs";

fn app(world: &World, name: &str) -> Arc<str> {
    let scope = "openid launch/patient offline_access online_access patient/*.rs";
    let new = NewClient { redirect_uris: vec![REDIRECT.into()], ..NewClient::new(name, scope, NewKind::Public) };
    world.add(&new)
}

/// The id of an account that may let apps in.
fn account(world: &World, login: &str) -> Arc<str> {
    let account = world.service.users().into_iter().find(|account| *account.login == *login).unwrap();
    world.people.users.lock().unwrap().insert(account.id.to_string(), Arc::new(account.user()));
    Arc::clone(&account.id)
}

struct Given {
    token: String,
    refresh: String,
}

/// The person lets the app in.
async fn let_in(world: &World, app: &str, user: &Arc<str>, lasting: Lasting) -> Given {
    let_in_for(world, app, user, lasting, "p1", SCOPE).await
}

async fn let_in_for(world: &World, app: &str, user: &Arc<str>, lasting: Lasting, patient: &str, scope: &str) -> Given {
    let code = Code {
        client_id: app.into(),
        redirect_uri: REDIRECT.into(),
        names_redirect: true,
        challenge: Some(Challenge::of(VERIFIER)),
        dpop_key: None,
        user: Arc::clone(user),
        signed_in_s: world.now_s(),
        methods: vec!["pwd".into()],
        scope_text: scope.into(),
        launch: Arc::new(LaunchContext { patient: Some(patient.into()), ..LaunchContext::default() }),
        nonce: None,
        lasting,
        ends_s: world.now_s() + 180 * 24 * 3600,
        was_pushed: false,
    };
    let code = world.service.inner.codes.give(&code.to_kept(), world.now_s()).unwrap();
    let form = format!(
        "grant_type=authorization_code&code={}&redirect_uri={}&code_verifier={VERIFIER}&client_id={app}",
        code.expose(),
        encoded(REDIRECT)
    );
    let answer = world.post("/oauth/token", &form).await;
    let refresh = answer.body["refresh_token"].as_str().unwrap_or_default().to_owned();
    Given { token: answer.token().to_owned(), refresh }
}

async fn refresh(world: &World, app: &str, token: &str) -> String {
    let form = format!("grant_type=refresh_token&refresh_token={token}&client_id={app}");
    world.post("/oauth/token", &form).await.line()
}

fn works(world: &World, given: &Given) -> bool {
    world.service.grant(&given.token).is_some()
}

fn grants(page: &str) -> Vec<String> {
    let parts = page.split("/account/app?grant=").skip(1);
    parts.map(|rest| rest.split('"').next().unwrap().to_owned()).collect()
}

async fn signed_in<'a>(world: &'a World, login: &str) -> Browser<'a> {
    somebody(world, login).await;
    world
        .charts
        .patients
        .lock()
        .unwrap()
        .push(PatientRecord { id: "p1".into(), name: "Rosa Díaz".into(), born: None });
    let mut browser = Browser::new(world);
    browser.sign_in(login, PASSWORD).await;
    browser
}

/// Rows B61, B62: who has access, to whose record, to what, since when; and the end of it, at once.
#[tokio::test]
async fn a_person_sees_and_ends_what_an_app_has() {
    let world = World::new();
    let mut ana = signed_in(&world, "ana").await;
    assert!(ana.get("/account/apps").await.body.contains("No app can see"));
    assert_eq!(&*world.last_entry().subtype, "sign-in", "nobody's name was shown");
    let user = account(&world, "ana");
    let (steps, diary) = (app(&world, "Steady <Steps>"), app(&world, "Sleep Diary"));
    let given = let_in(&world, &steps, &user, Lasting::Offline).await;
    let other = let_in(&world, &diary, &user, Lasting::Offline).await;
    let page = ana.get("/account/apps").await;
    assert_eq!(page.status, 200);
    for words in ["Steady &lt;Steps&gt;", "Sleep Diary", "Rosa Díaz"] {
        assert!(page.body.contains(words), "{words}: {}", page.body);
    }
    let entry = world.last_entry();
    assert_eq!((&*entry.subtype, entry.patients.len()), ("read", 1), "row F16");
    let all = grants(&page.body);
    assert_eq!(all.len(), 2);
    let mut found = None;
    for grant in &all {
        let page = ana.get(&format!("/account/app?grant={grant}")).await;
        if page.body.contains("Steady") {
            found = Some((grant, page));
        }
    }
    let (grant, page) = found.unwrap();
    for words in ["January 15, 2027", "July 14, 2027", "patient/MedicationRequest.rs", "Medicine"] {
        assert!(page.body.contains(words), "{words}: {}", page.body);
    }
    assert!(!page.body.contains("offline_access") && !page.body.contains(&given.refresh));
    let csrf = page.field("csrf");
    let end = [("csrf", csrf.as_str()), ("grant", grant), ("decision", "end")];
    let ended = ana.post("/account/app", &end).await;
    assert_eq!((ended.status, ended.to()), (303, format!("/account/apps?ended={steps}").as_str()));
    let entry = world.last_entry();
    assert_eq!((&*entry.subtype, entry.patients.len()), ("authorization-ended", 1));
    assert!(entry.query.unwrap().contains(&*steps) && *entry.person.unwrap().id == *user);
    assert!(!works(&world, &given));
    assert_eq!(refresh(&world, &steps, &given.refresh).await, "400 invalid_grant");
    let page = ana.get(ended.to()).await;
    assert!(page.body.contains("can no longer see") && page.body.contains("Steady &lt;Steps&gt;"));
    assert_eq!(grants(&page.body).len(), 1);
    // The other app goes on; a second press ends nothing and fails nobody.
    assert!(works(&world, &other));
    let again = ana.post("/account/app", &end).await;
    assert_eq!((again.status, again.to()), (303, "/account/apps"));
    assert_eq!(refresh(&world, &diary, &other.refresh).await, "200");
}

/// An app that was let in several times stands once for each record, with all that it has of it; and its end is of all
/// that, and of nothing else.
#[tokio::test]
async fn an_app_stands_once_for_a_record() {
    let world = World::new();
    drop(signed_in(&world, "ana").await);
    let user = account(&world, "ana");
    let steps = app(&world, "Steps");
    world.people.sessions.lock().unwrap().insert("s1".into());
    let first = let_in(&world, &steps, &user, Lasting::Offline).await;
    world.pass(24 * 3600);
    let session = Lasting::Session("s1".into());
    let second = let_in_for(&world, &steps, &user, session, "p1", "openid patient/Goal.rs").await;
    let other = let_in_for(&world, &steps, &user, Lasting::Once, "p2", SCOPE).await;
    let mut ana = Browser::new(&world);
    ana.sign_in("ana", PASSWORD).await;
    let page = ana.get("/account/apps").await;
    let mut all = grants(&page.body);
    assert_eq!(all.len(), 2, "{}", page.body);
    let mut own = None;
    for grant in all.drain(..) {
        let page = ana.get(&format!("/account/app?grant={grant}")).await;
        if page.body.contains("Rosa") {
            own = Some((grant, page));
        }
    }
    let (grant, page) = own.unwrap();
    for words in
        ["patient/Goal.rs", "patient/MedicationRequest.rs", "January 15, 2027", "July 14, 2027", "keeps the other"]
    {
        assert!(page.body.contains(words), "{words}: {}", page.body);
    }
    let csrf = page.field("csrf");
    let end = [("csrf", csrf.as_str()), ("grant", &grant), ("decision", "end")];
    let page = ana.post("/account/app", &end).await;
    let page = ana.get(page.to()).await;
    assert!(page.body.contains("still has the access below") && !page.body.contains("can no longer see"));
    assert!(!works(&world, &first) && !works(&world, &second) && works(&world, &other));
    assert_eq!(refresh(&world, &steps, &second.refresh).await, "400 invalid_grant");
}

/// All at once; and it lasts over a restart.
#[tokio::test]
async fn the_end_of_all() {
    let mut world = World::new();
    let cookies = {
        let mut ana = signed_in(&world, "ana").await;
        let user = account(&world, "ana");
        let (steps, diary) = (app(&world, "Steps"), app(&world, "Diary"));
        let first = let_in(&world, &steps, &user, Lasting::Offline).await;
        let second = let_in(&world, &diary, &user, Lasting::Offline).await;
        let csrf = ana.get("/account/apps").await.field("csrf");
        assert_eq!(ana.post("/account/apps", &[("csrf", &csrf)]).await.status, 422);
        assert!(works(&world, &first) && works(&world, &second));
        let ended = ana.post("/account/apps", &[("csrf", &csrf), ("decision", "end")]).await;
        assert_eq!((ended.status, ended.to()), (303, "/account/apps?ended=all"));
        assert_eq!(&*world.last_entry().subtype, "authorization-ended");
        assert!(!works(&world, &first) && !works(&world, &second));
        assert_eq!(refresh(&world, &diary, &second.refresh).await, "400 invalid_grant");
        ana.cookies
    };
    world.restart();
    let mut ana = Browser::new(&world);
    ana.cookies = cookies;
    assert_eq!(grants(&ana.get("/account/apps").await.body).len(), 0);
}

/// Nobody sees or ends what another gave, whatever their role; a form of another page ends nothing (row A18).
#[tokio::test]
async fn each_has_their_own() {
    let world = World::new();
    let mut ana = signed_in(&world, "ana").await;
    let user = account(&world, "ana");
    let steps = app(&world, "Steps");
    let given = let_in(&world, &steps, &user, Lasting::Offline).await;
    let page = ana.get("/account/apps").await;
    let grant = grants(&page.body).pop().unwrap();
    let mut ben = signed_in(&world, "ben").await;
    let mut office = staff(&world, "office", Role::Administrator).await;
    for other in [&mut ben, &mut office] {
        let page = other.get("/account/apps").await;
        assert!(page.status == 200 && grants(&page.body).is_empty());
        let hidden = other.get(&format!("/account/app?grant={grant}")).await;
        let absent = other.get("/account/app?grant=0123456789abcdef0123456789abcdef").await;
        assert_eq!((hidden.status, absent.status), (404, 404));
        let csrf = page.field_from("action=\"/account/sign-out\"", "csrf");
        let end = [("csrf", csrf.as_str()), ("grant", &grant), ("decision", "end")];
        assert_eq!(other.post("/account/app", &end).await.status, 403, "a token of another form");
    }
    let theirs = let_in(&world, &steps, &account(&world, "ben"), Lasting::Offline).await;
    let own = grants(&ben.get("/account/apps").await.body).pop().unwrap();
    let csrf = ben.get(&format!("/account/app?grant={own}")).await.field("csrf");
    let end = [("csrf", csrf.as_str()), ("grant", &grant), ("decision", "end")];
    let before = world.entries();
    let answer = ben.post("/account/app", &end).await;
    assert_eq!((answer.status, answer.to()), (303, "/account/apps"));
    assert!(works(&world, &given) && works(&world, &theirs) && world.entries() == before);
    // Ana, with the token of Ben's page, and with none.
    for csrf in [csrf.as_str(), ""] {
        let end = [("csrf", csrf), ("grant", grant.as_str()), ("decision", "end")];
        assert_eq!(ana.post("/account/app", &end).await.status, 403);
        assert_eq!(ana.post("/account/apps", &[("csrf", csrf), ("decision", "end")]).await.status, 403);
    }
    assert!(works(&world, &given));
    let mut nobody = Browser::new(&world);
    for path in ["/account/apps", &format!("/account/app?grant={grant}")] {
        let page = nobody.get(path).await;
        assert_eq!((page.status, page.to()), (303, "/account/sign-in?continuation=to-apps"));
    }
}

/// What ended in another way is not there: a replay, the end of a session, an app or an account that was disabled.
#[tokio::test]
async fn what_is_over_is_not_there() {
    let world = World::new();
    let mut ana = signed_in(&world, "ana").await;
    let user = account(&world, "ana");
    let (steps, diary) = (app(&world, "Steps"), app(&world, "Diary"));
    let stolen = let_in(&world, &steps, &user, Lasting::Offline).await;
    assert_eq!(refresh(&world, &steps, &stolen.refresh).await, "200");
    world.pass(61);
    assert_eq!(refresh(&world, &steps, &stolen.refresh).await, "400 invalid_grant", "a replay");
    assert!(grants(&ana.get("/account/apps").await.body).is_empty());
    world.people.sessions.lock().unwrap().insert("s1".into());
    let_in(&world, &steps, &user, Lasting::Session("s1".into())).await;
    let page = ana.get("/account/apps").await;
    assert_eq!(grants(&page.body).len(), 1);
    world.people.sessions.lock().unwrap().clear();
    assert!(grants(&ana.get("/account/apps").await.body).is_empty(), "the session is over");
    let kept = let_in(&world, &diary, &user, Lasting::Offline).await;
    world.service.set_client_disabled(&diary, true).unwrap();
    assert!(grants(&ana.get("/account/apps").await.body).is_empty(), "the app is disabled");
    world.service.set_client_disabled(&diary, false).unwrap();
    assert!(grants(&ana.get("/account/apps").await.body).is_empty() && !works(&world, &kept));
    let kept = let_in(&world, &diary, &user, Lasting::Offline).await;
    world.service.set_user_disabled("ana", true).unwrap();
    assert!(!works(&world, &kept));
    world.service.set_user_disabled("ana", false).unwrap();
    assert_eq!(refresh(&world, &diary, &kept.refresh).await, "400 invalid_grant", "who was disabled begins anew");
    let mut ana = Browser::new(&world);
    ana.sign_in("ana", PASSWORD).await;
    assert!(grants(&ana.get("/account/apps").await.body).is_empty());
}

/// A record that cannot be looked up any more keeps its place and its id. Rows F25: without the log there is no page.
#[tokio::test]
async fn when_something_does_not_answer() {
    let world = World::new();
    let mut ana = signed_in(&world, "ana").await;
    let user = account(&world, "ana");
    let given = let_in(&world, &app(&world, "Steps"), &user, Lasting::Offline).await;
    let page = ana.get("/account/apps").await;
    let grant = grants(&page.body).pop().unwrap();
    let csrf = ana.get(&format!("/account/app?grant={grant}")).await.field("csrf");
    world.recorded.down.store(true, Ordering::Relaxed);
    let page = ana.get("/account/apps").await;
    assert!(page.status == 503 && !page.body.contains("Rosa"));
    world.recorded.down.store(false, Ordering::Relaxed);
    world.charts.down.store(true, Ordering::Relaxed);
    let page = ana.get("/account/apps").await;
    assert!(page.status == 200 && page.body.contains("p1") && !page.body.contains("Rosa"));
    // The disk does not take it: it is over now, the person is told to try again.
    world.tables.families.full.store(true, Ordering::Relaxed);
    let end = [("csrf", csrf.as_str()), ("grant", grant.as_str()), ("decision", "end")];
    assert_eq!(ana.post("/account/app", &end).await.status, 503);
    assert!(!works(&world, &given));
}
