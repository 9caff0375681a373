//! Tests of signing in, enrolling and changing, attacks included. Rows B26, F66.

use super::{
    account::{AccountError, NewAccount},
    change::ChangeError,
    enrol::{Enrolled, NewPasswordError},
    passkey::testing::{Authenticator, Key},
    password::Password,
    session::Method,
    sign_in::{Asking, Begun, PasskeyAnswer, SignInError, Step},
    *,
};
use crate::tables::memory::MemoryTables;
use http::{HeaderValue, header};
use oauth::caller::Role;
use std::sync::atomic::{AtomicI64, Ordering};

const PASSWORD: &str = "three grey herons";
const OTHER: &str = "four green frogs here";

struct World {
    tables: MemoryTables,
    now_s: Arc<AtomicI64>,
    people: Arc<People>,
}

/// The code of a seed at a step, for tests of the pages.
pub(crate) fn totp_code(seed: &[u8], step: i64) -> String {
    totp::code(seed, step)
}

/// A browser: keeps cookies, has an address.
#[derive(Clone)]
struct Browser {
    cookies: Vec<(String, String)>,
    address: &'static str,
}

impl Browser {
    fn new(address: &'static str) -> Self {
        Self { cookies: Vec::new(), address }
    }

    fn take(&mut self, cookies: &[HeaderValue]) {
        for cookie in cookies {
            let (pair, rest) = cookie.to_str().unwrap().split_once(';').unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            self.cookies.retain(|(known, _)| known != name);
            if !rest.contains("Max-Age=0") {
                self.cookies.push((name.into(), value.into()));
            }
        }
    }

    fn headers(&self) -> HeaderMap {
        let text: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let mut headers = HeaderMap::new();
        if !text.is_empty() {
            headers.insert(header::COOKIE, text.join("; ").parse().unwrap());
        }
        headers
    }

    fn cookie(&self, name: &str) -> Option<&str> {
        self.cookies.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

fn word<T>(result: &Result<T, SignInError>) -> &'static str {
    match result {
        Ok(_) => "in",
        Err(SignInError::Wrong(..)) => "wrong",
        Err(SignInError::TooMany(_)) => "too many",
        Err(SignInError::Expired) => "expired",
        Err(SignInError::Busy) => "busy",
        Err(SignInError::Unavailable(_)) => "unavailable",
    }
}

impl World {
    fn new() -> Self {
        let tables = MemoryTables::default();
        let now_s = Arc::new(AtomicI64::new(1_800_000_000));
        let people = Self::open(&tables, &now_s);
        Self { tables, now_s, people }
    }

    fn open(tables: &MemoryTables, now_s: &Arc<AtomicI64>) -> Arc<People> {
        let now_s = Arc::clone(now_s);
        let clock = Arc::new(move || Instant::from_unix_millis(now_s.load(Ordering::SeqCst) * 1000));
        Arc::new(People::open(&tables.tables(), "https://care.example:8443", clock, None).unwrap())
    }

    fn restart(&mut self) {
        self.people = Self::open(&self.tables, &self.now_s);
    }

    fn pass(&self, seconds: i64) {
        self.now_s.fetch_add(seconds, Ordering::SeqCst);
    }

    fn asking(&self, browser: &Browser) -> Asking {
        Asking::of(&self.people, browser.address.parse().unwrap(), &browser.headers())
    }

    fn add(&self, login: &str, role: Role) -> Arc<str> {
        let (fhir_user, patients) = match role {
            Role::Patient => (Some("Patient/p1".to_owned()), vec!["p1".to_owned()]),
            _ => (Some("Practitioner/d1".to_owned()), vec![]),
        };
        let new = NewAccount { login: login.into(), name: "Ana Ruiz".into(), role, fhir_user, patients };
        Arc::clone(&self.people.add(&new, &mut |_| Ok(())).unwrap().id)
    }

    fn invite(&self, id: &str) -> String {
        self.people.invite(id, &mut |_| Ok(())).unwrap()
    }

    async fn accept(
        &self,
        browser: &mut Browser,
        secret: &str,
        login: &str,
        password: &str,
    ) -> Result<Enrolled, NewPasswordError> {
        let cookie = self.people.follow_invitation(&self.asking(browser), secret)?;
        browser.take(&[cookie.unwrap()]);
        let visit = visit_of(&browser.headers()).unwrap();
        let asking = self.asking(browser);
        let enrolled = self.people.accept_invitation(asking, visit, login, Password::typed(password)).await?;
        browser.take(&enrolled.begun.cookies);
        Ok(enrolled)
    }

    /// An account in use, its id, its codes, and the browser where it was taken up.
    async fn someone(&self, login: &str, role: Role) -> (Arc<str>, Vec<String>, Browser) {
        let id = self.add(login, role);
        let mut browser = Browser::new("192.0.2.1");
        let enrolled = self.accept(&mut browser, &self.invite(&id), login, PASSWORD).await.unwrap();
        (id, enrolled.codes, browser)
    }

    async fn try_password(&self, browser: &mut Browser, login: &str, password: &str) -> Result<Step, SignInError> {
        let step = self.people.by_password(self.asking(browser), login, Password::typed(password)).await?;
        match &step {
            Step::In(begun) => browser.take(&begun.cookies),
            Step::SecondFactor { cookie, .. } => browser.take(&[cookie.clone().unwrap()]),
        }
        Ok(step)
    }

    async fn try_code(&self, browser: &mut Browser, recovery: bool, code: &str) -> Result<Begun, SignInError> {
        let visit = visit_of(&browser.headers()).ok_or(SignInError::Expired)?;
        let begun = self.people.by_code(self.asking(browser), visit, recovery, code).await?;
        browser.take(&begun.cookies);
        Ok(begun)
    }

    fn session(&self, browser: &Browser) -> Option<Arc<Session>> {
        self.people.any_session_of(&browser.headers())
    }

    /// Sets up an authenticator app; its seed.
    async fn authenticator(&self, browser: &mut Browser) -> Vec<u8> {
        let session = self.session(browser).unwrap();
        let setup = self.people.begin_authenticator(&session).unwrap();
        assert_eq!(self.people.begin_authenticator(&session).unwrap().key, setup.key, "a page shown again");
        let pending = self.people.visits.get(&session.hash, self.people.now_s()).unwrap();
        let visit::Stage::Authenticator { sealed } = pending.stage else { panic!() };
        let seed = self.people.seal.unseal(&session.account, &sealed).unwrap();
        assert!(setup.uri.contains(&totp::base32(&seed)));
        let code = self.code(&seed, 0);
        let asking = self.asking(browser);
        let begun = self.people.finish_authenticator(asking, session, code).await.unwrap();
        if let Some(begun) = begun {
            browser.take(&begun.cookies);
        }
        seed
    }

    fn code(&self, seed: &[u8], steps: i64) -> String {
        totp::code(seed, self.people.now_s() / 30 + steps)
    }

    async fn passkey(&self, browser: &mut Browser, id: &str) -> Authenticator {
        let session = self.session(browser).unwrap();
        let mut authenticator = Authenticator::new(Key::es256(), id);
        authenticator.counter = 1;
        let challenge = self.people.passkey_add_challenge(&session).unwrap();
        let (data, object) = authenticator.create(&challenge);
        let begun = self.people.add_passkey(self.asking(browser), session, data, object, "Phone").await.unwrap();
        if let Some(begun) = begun {
            browser.take(&begun.cookies);
        }
        authenticator
    }

    /// The answer of an authenticator to a challenge for this browser.
    fn answer(&self, browser: &Hash, authenticator: &mut Authenticator) -> PasskeyAnswer {
        let challenge = self.people.passkey_challenge(browser).unwrap();
        let (client_data, authenticator_data, signature) = authenticator.get(&challenge);
        let id = authenticator.id.clone();
        PasskeyAnswer { id, client_data, authenticator_data, signature, user_handle: None }
    }
}

#[tokio::test]
async fn invited_signed_in_signed_out() {
    let mut world = World::new();
    let (id, codes, mut browser) = world.someone("ana", Role::Patient).await;
    assert_eq!(codes.len(), 10);
    let session = world.people.session_of(&browser.headers()).unwrap();
    assert_eq!((&session.account, &session.methods), (&id, &vec![Method::Password]));
    world.restart();
    assert_eq!(world.people.session_of(&browser.headers()).unwrap(), session);
    world.people.sign_out(session.hash).await.unwrap();
    assert!(world.people.session_of(&browser.headers()).is_none());
    assert!(matches!(world.try_password(&mut browser, " ANA ", PASSWORD).await, Ok(Step::In(_))));
    world.restart();
    assert!(world.people.session_of(&browser.headers()).is_some());
}

/// An invitation twice: at once, later, by another, after its end, and after a newer one.
#[tokio::test]
async fn an_invitation_is_taken_once() {
    let world = World::new();
    let id = world.add("ana", Role::Patient);
    let older = world.invite(&id);
    let secret = world.invite(&id);
    let mut browser = Browser::new("192.0.2.1");
    assert!(world.accept(&mut browser, &older, "ana", PASSWORD).await.is_err());
    // Both follow the link; one has it.
    let mut visits = Vec::new();
    for _ in 0..2 {
        let mut browser = Browser::new("192.0.2.1");
        browser.take(&[world.people.follow_invitation(&world.asking(&browser), &secret).unwrap().unwrap()]);
        visits.push((world.asking(&browser), visit_of(&browser.headers()).unwrap()));
    }
    let mut taken = 0;
    for (asking, visit) in visits {
        taken +=
            usize::from(world.people.accept_invitation(asking, visit, "ana", Password::typed(PASSWORD)).await.is_ok());
    }
    assert_eq!(taken, 1);
    assert!(world.accept(&mut browser, &secret, "ana", OTHER).await.is_err());
    assert!(matches!(world.try_password(&mut browser, "ana", PASSWORD).await, Ok(Step::In(_))));
    let late = world.invite(&id);
    world.pass(crate::limits::people::INVITATION_LIFE_S);
    assert!(world.accept(&mut browser, &late, "ana", OTHER).await.is_err());
}

/// Somebody who lost everything is invited anew: nothing of before works afterwards, and all of it until then.
#[tokio::test]
async fn a_new_invitation_replaces_what_was_there() {
    let world = World::new();
    let (id, codes, mut old) = world.someone("ana", Role::Clinician).await;
    let seed = world.authenticator(&mut old).await;
    let secret = world.invite(&id);
    assert!(world.session(&old).is_some());
    let mut new = Browser::new("192.0.2.2");
    assert!(matches!(world.accept(&mut new, &secret, "ana", "handrailhandrail").await, Err(NewPasswordError::Common)));
    let enrolled = world.accept(&mut new, &secret, "ana.r", OTHER).await.unwrap();
    assert!(world.session(&old).is_none());
    assert!(!world.session(&new).unwrap().is_complete, "the second factor is to be set up anew");
    assert!(matches!(world.try_password(&mut old, "ana", PASSWORD).await, Err(SignInError::Wrong(..))));
    assert!(matches!(world.try_password(&mut old, "ana.r", PASSWORD).await, Err(SignInError::Wrong(..))));
    let asking = world.asking(&old);
    assert!(world.people.recover(&asking, "ana.r", &codes[0]).is_err());
    assert!(world.people.recover(&asking, "ana.r", &enrolled.codes[0]).is_ok());
    drop(seed);
}

/// Row B26: enumeration. Unknown, wrong, without a password, disabled: one answer. They go through one function with
/// one amount of work (`password::tests::nobody_has_a_password`), and through the same lanes of tries.
#[tokio::test]
async fn nobody_learns_who_has_an_account() {
    let world = World::new();
    world.someone("ana", Role::Patient).await;
    world.add("invited", Role::Patient);
    let (disabled, _, _) = world.someone("disabled", Role::Patient).await;
    world.people.set_disabled(&disabled, true, &mut |_| Ok(())).unwrap();
    let mut texts = Vec::new();
    let names = ["ana", "nobody", "invited", "disabled", "no name at all", "x"];
    for (at, name) in names.into_iter().enumerate() {
        let password = if name == "disabled" { PASSWORD } else { OTHER };
        let mut browser =
            Browser::new(["192.0.2.11", "192.0.2.12", "192.0.2.13", "192.0.2.14", "192.0.2.15", "192.0.2.16"][at]);
        let Err(SignInError::Wrong(why, _)) = world.try_password(&mut browser, name, password).await else { panic!() };
        texts.push(why);
        // The same number of tries.
        for _ in 1..5 {
            assert_eq!(word(&world.try_password(&mut browser, name, OTHER).await), "wrong", "{name}");
        }
        assert_eq!(word(&world.try_password(&mut browser, name, OTHER).await), "too many", "{name}");
    }
    assert!(texts.iter().all(|text| *text == texts[0]), "{texts:?}");
    let asking = world.asking(&Browser::new("192.0.2.20"));
    for name in names {
        assert_eq!(word(&world.people.recover(&asking, name, "0000-0000-0000-0000")), "wrong");
    }
}

/// Row B26: the time of an answer does not tell either: both are one argon2id hash, which is most of it.
#[tokio::test]
async fn an_unknown_name_takes_as_long() {
    let world = World::new();
    world.someone("ana", Role::Patient).await;
    let mut best = [std::time::Duration::MAX; 2];
    let alike = |[somebody, nobody]: [std::time::Duration; 2]| nobody * 3 > somebody && somebody * 3 > nobody;
    // On a busy machine single tries take any time: the best of each tells, and without a hash it is a thousandth.
    for round in 0..24 {
        if round >= 4 && alike(best) {
            break;
        }
        for (at, name) in ["ana", "nobody"].into_iter().enumerate() {
            world.pass(round * 1000);
            let mut browser = Browser::new(["192.0.2.1", "192.0.2.2"][at]);
            let began = std::time::Instant::now();
            assert_eq!(word(&world.try_password(&mut browser, name, OTHER).await), "wrong");
            best[at] = best[at].min(began.elapsed());
        }
    }
    assert!(alike(best), "{best:?}");
}

/// Session fixation: what was in the browser before is not what the person has afterwards, at each step.
#[tokio::test]
async fn cookies_are_new_after_each_step() {
    let world = World::new();
    let (_, _, mut first) = world.someone("ana", Role::Patient).await;
    let before = first.cookie(cookie::SESSION).unwrap().to_owned();
    let seed = world.authenticator(&mut first).await;
    world.pass(60);
    // An attacker's own cookies, planted.
    let planted = [(cookie::SESSION, before.as_str()), (cookie::VISIT, "planted"), (cookie::DEVICE, "planted.0")];
    let mut browser = Browser::new("192.0.2.9");
    browser.cookies = planted.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    assert!(matches!(world.try_password(&mut browser, "ana", PASSWORD).await, Ok(Step::SecondFactor { .. })));
    let visit = browser.cookie(cookie::VISIT).unwrap().to_owned();
    assert_ne!(visit, "planted");
    world.try_code(&mut browser, false, &world.code(&seed, 0)).await.unwrap();
    for (name, value) in planted {
        assert_ne!(browser.cookie(name), Some(value), "{name}");
    }
    assert!(browser.cookie(cookie::VISIT).is_none());
    assert!(world.session(&browser).is_some());
    // The session that was there has ended with the new one.
    assert!(world.people.sessions.of_cookie(&before, world.people.now_s()).is_none());
    // Signing in again on top of it, too.
    let again = browser.cookie(cookie::SESSION).unwrap().to_owned();
    world.pass(60);
    world.try_password(&mut browser, "ana", PASSWORD).await.unwrap();
    world.try_code(&mut browser, false, &world.code(&seed, 0)).await.unwrap();
    assert!(world.people.sessions.of_cookie(&again, world.people.now_s()).is_none());
    assert!(world.session(&browser).is_some());
}

/// A second factor that was read over a shoulder, and guesses at one.
#[tokio::test]
async fn a_code_is_used_once_and_guesses_end() {
    let mut world = World::new();
    let (_, codes, mut browser) = world.someone("ana", Role::Clinician).await;
    assert!(world.people.session_of(&browser.headers()).is_none(), "staff are not in with one factor");
    let seed = world.authenticator(&mut browser).await;
    assert!(world.people.session_of(&browser.headers()).unwrap().has_two_factors());
    let used = world.code(&seed, 0);
    let mut other = Browser::new("192.0.2.50");
    world.try_password(&mut other, "ana", PASSWORD).await.unwrap();
    assert_eq!(word(&world.try_code(&mut other, false, &used).await), "wrong", "the code of the set-up");
    world.pass(30);
    let fresh = world.code(&seed, 0);
    assert!(world.try_code(&mut other, false, &fresh).await.is_ok());
    world.restart();
    let mut thief = Browser::new("192.0.2.51");
    world.try_password(&mut thief, "ana", PASSWORD).await.unwrap();
    assert_eq!(word(&world.try_code(&mut thief, false, &fresh).await), "wrong", "replayed, after a restart");
    for _ in 0..4 {
        assert_eq!(word(&world.try_code(&mut thief, false, "000000").await), "wrong");
    }
    world.pass(30);
    assert_eq!(word(&world.try_code(&mut thief, false, &world.code(&seed, 0)).await), "expired", "begin again");
    // As a recovery code, once, and not as a code of the app.
    world.try_password(&mut other, "ana", PASSWORD).await.unwrap();
    assert_eq!(word(&world.try_code(&mut other, false, &codes[3]).await), "wrong");
    let begun = world.try_code(&mut other, true, &codes[3].to_lowercase()).await.unwrap();
    assert_eq!(begun.session.methods, [Method::Password, Method::RecoveryCode]);
    world.try_password(&mut other, "ana", PASSWORD).await.unwrap();
    assert_eq!(word(&world.try_code(&mut other, true, &codes[3]).await), "wrong");
    // A code without a password before it is nothing.
    assert_eq!(word(&world.try_code(&mut Browser::new("192.0.2.52"), false, &world.code(&seed, 0)).await), "expired");
}

/// Nobody can lock another person out.
#[tokio::test]
async fn whatever_strangers_do_the_owner_gets_in() {
    let world = World::new();
    let (_, codes, mut home) = world.someone("ana", Role::Patient).await;
    let mut authenticator = world.passkey(&mut home, "credential").await;
    // A crowd: the account's lane is full.
    let addresses: Vec<&'static str> = (0..70).map(|n| &*format!("198.51.100.{n}").leak()).collect();
    for address in &addresses {
        let _ = world.people.throttle.password(
            &throttle::Try { login: credentials::hash("ana"), address: address.parse().unwrap(), device: None },
            world.people.now_ms(),
        );
    }
    let mut new_phone = Browser::new("203.0.113.9");
    assert_eq!(word(&world.try_password(&mut new_phone, "ana", PASSWORD).await), "too many");
    // The device where she signed in before, signed out or not.
    assert!(world.try_password(&mut home, "ana", PASSWORD).await.is_ok());
    // A passkey, anywhere.
    let (_, browser) = visit::new().unwrap();
    let answer = world.answer(&browser, &mut authenticator);
    let asking = world.asking(&new_phone);
    assert!(world.people.by_passkey(asking, browser, answer).await.is_ok());
    // A recovery code, anywhere; then the new password waits on a device that is known again after the passkey.
    assert!(world.people.recover(&world.asking(&new_phone), "ana", &codes[0]).is_ok());
}

/// Brute force at one password stops.
#[tokio::test]
async fn guessing_stops() {
    let world = World::new();
    world.someone("ana", Role::Patient).await;
    let mut browser = Browser::new("192.0.2.66");
    let mut looked_at = 0;
    for second in 0..200 {
        if word(&world.try_password(&mut browser, "ana", &format!("{OTHER} {second}")).await) == "wrong" {
            looked_at += 1;
        }
        world.pass(1);
    }
    assert!(looked_at <= 12, "{looked_at}");
    // Nor is the right one looked at while it waits: a wait tells nothing.
    assert_eq!(word(&world.try_password(&mut browser, "ana", PASSWORD).await), "too many");
}

#[tokio::test]
async fn passkeys_sign_in_and_copies_do_not() {
    let world = World::new();
    let (id, _, mut home) = world.someone("ana", Role::Clinician).await;
    let mut original = world.passkey(&mut home, "credential").await;
    assert!(world.people.session_of(&home.headers()).unwrap().has_two_factors(), "set up, and in");
    let (_, browser) = visit::new().unwrap();
    let asking = || world.asking(&Browser::new("192.0.2.70"));
    let answer = world.answer(&browser, &mut original);
    let replayed = PasskeyAnswer {
        id: answer.id.clone(),
        client_data: answer.client_data.clone(),
        authenticator_data: answer.authenticator_data.clone(),
        signature: answer.signature.clone(),
        user_handle: None,
    };
    let begun = world.people.by_passkey(asking(), browser, answer).await.unwrap();
    assert_eq!((&begun.session.account, &begun.session.methods), (&id, &vec![Method::Passkey]));
    assert!(begun.session.is_complete);
    // The same answer again: refused, and no sign of a copy.
    assert_eq!(word(&world.people.by_passkey(asking(), browser, replayed).await), "wrong");
    let suspended = || world.people.accounts.get(&id).unwrap().credentials.passkeys[0].suspended;
    assert!(!suspended());
    // A copy was made, and each is used: the one that is behind tells.
    let ahead = world.answer(&browser, &mut original);
    assert!(world.people.by_passkey(asking(), browser, ahead).await.is_ok());
    original.counter -= 1;
    let behind = world.answer(&browser, &mut original);
    assert_eq!(word(&world.people.by_passkey(asking(), browser, behind).await), "wrong");
    assert!(suspended(), "neither of them works now");
    original.counter += 10;
    let answer = world.answer(&browser, &mut original);
    assert_eq!(word(&world.people.by_passkey(asking(), browser, answer).await), "wrong");
}

#[tokio::test]
async fn a_passkeys_answer_is_for_one_browser_and_one_person() {
    let world = World::new();
    let (_, _, mut home) = world.someone("ana", Role::Patient).await;
    let mut authenticator = world.passkey(&mut home, "credential").await;
    let (_, mine) = visit::new().unwrap();
    let (_, theirs) = visit::new().unwrap();
    let asking = || world.asking(&Browser::new("192.0.2.70"));
    let answer = world.answer(&mine, &mut authenticator);
    assert_eq!(word(&world.people.by_passkey(asking(), theirs, answer).await), "wrong", "phished or planted");
    let mut answer = world.answer(&mine, &mut authenticator);
    answer.user_handle = Some(b"somebody else".to_vec());
    assert_eq!(word(&world.people.by_passkey(asking(), mine, answer).await), "wrong");
    let answer = world.answer(&mine, &mut authenticator);
    world.pass(crate::limits::people::CHALLENGE_LIFE_S);
    assert_eq!(word(&world.people.by_passkey(asking(), mine, answer).await), "wrong", "too late");
    // As the second factor of another's sign-in.
    let (_, _, mut bens) = world.someone("ben", Role::Patient).await;
    world.passkey(&mut bens, "bens").await;
    let mut browser = Browser::new("192.0.2.71");
    assert!(matches!(world.try_password(&mut browser, "ben", PASSWORD).await, Ok(Step::SecondFactor { .. })));
    let visit = visit_of(&browser.headers()).unwrap();
    let answer = world.answer(&visit, &mut authenticator);
    assert_eq!(word(&world.people.by_passkey(world.asking(&browser), visit, answer).await), "wrong");
    // A credential id belongs to one account.
    let session = world.session(&bens).unwrap();
    let challenge = world.people.passkey_add_challenge(&session).unwrap();
    let (data, object) = Authenticator::new(Key::es256(), "credential").create(&challenge);
    let added = world.people.add_passkey(world.asking(&bens), session, data, object, "Mine").await;
    assert!(matches!(added, Err(ChangeError::Wrong(_))));
}

/// The way back in: the code is used up with the new password, sessions end, and a second code is no second factor.
#[tokio::test]
async fn recovery_gives_the_password_back_and_not_the_second_factor() {
    let world = World::new();
    let (id, codes, mut home) = world.someone("ana", Role::Clinician).await;
    let seed = world.authenticator(&mut home).await;
    let mut browser = Browser::new("192.0.2.80");
    let recover = |browser: &mut Browser, code: &str| {
        let cookie = world.people.recover(&world.asking(browser), "ana", code)?;
        browser.take(&[cookie.unwrap()]);
        Ok::<_, SignInError>(visit_of(&browser.headers()).unwrap())
    };
    let visit = recover(&mut browser, &codes[0]).unwrap();
    assert_eq!(
        world.people.finish_recovery(visit, Password::typed("password1234")).await.unwrap_err(),
        NewPasswordError::Common
    );
    assert!(world.session(&home).is_some(), "nothing was done yet");
    assert_eq!(world.people.finish_recovery(visit, Password::typed(OTHER)).await.unwrap(), id);
    assert!(world.people.finish_recovery(visit, Password::typed(OTHER)).await.is_err());
    assert!(world.session(&home).is_none());
    assert_eq!(word(&recover(&mut browser, &codes[0])), "wrong");
    assert!(matches!(world.try_password(&mut browser, "ana", OTHER).await, Ok(Step::SecondFactor { .. })));
    assert_eq!(word(&world.try_code(&mut browser, true, &codes[1]).await), "wrong", "codes twice");
    world.pass(30);
    assert!(world.try_code(&mut browser, false, &world.code(&seed, 0)).await.is_ok());
    world.pass(30);
    world.try_password(&mut browser, "ana", OTHER).await.unwrap();
    assert!(world.try_code(&mut browser, true, &codes[1]).await.is_ok(), "as before");
}

#[tokio::test]
async fn the_last_way_in_stays() {
    let world = World::new();
    let (id, _, mut browser) = world.someone("ana", Role::Clinician).await;
    world.authenticator(&mut browser).await;
    let session = || world.session(&browser).unwrap();
    assert_eq!(world.people.remove_authenticator(session()).await, Err(ChangeError::LastWayIn));
    assert!(world.people.accounts.get(&id).unwrap().credentials.totp.is_some());
    world.passkey(&mut browser.clone(), "credential").await;
    world.people.remove_authenticator(session()).await.unwrap();
    let handle = world.people.accounts.get(&id).unwrap().credentials.passkeys[0].handle();
    assert_eq!(world.people.remove_passkey(session(), handle).await, Err(ChangeError::LastWayIn));
    assert_eq!(world.people.remove_passkey(session(), "other".into()).await, Err(ChangeError::Gone));
    let (_, _, mut patient) = world.someone("ben", Role::Patient).await;
    world.passkey(&mut patient, "bens").await;
    let session = world.session(&patient).unwrap();
    let handle = world.people.record(&session).unwrap().credentials.passkeys[0].handle();
    assert_eq!(&*world.people.remove_passkey(session, handle).await.unwrap(), "Phone");
}

#[tokio::test]
async fn a_new_password_puts_everybody_else_out() {
    let world = World::new();
    let (_, _, home) = world.someone("ana", Role::Patient).await;
    let mut thief = Browser::new("192.0.2.90");
    world.try_password(&mut thief, "ana", PASSWORD).await.unwrap();
    let session = world.session(&home).unwrap();
    let weak = world.people.change_password(Arc::clone(&session), Password::typed("ana ruiz 1234")).await;
    assert_eq!(weak, Err(NewPasswordError::Common));
    world.people.change_password(session, Password::typed(OTHER)).await.unwrap();
    assert!(world.session(&home).is_some() && world.session(&thief).is_none());
    assert_eq!(word(&world.try_password(&mut thief, "ana", PASSWORD).await), "wrong");
}

#[tokio::test]
async fn a_disabled_account_is_out_at_once_and_stays_out() {
    let mut world = World::new();
    let (id, codes, mut browser) = world.someone("ana", Role::Patient).await;
    let mut authenticator = world.passkey(&mut browser, "credential").await;
    world.people.set_disabled(&id, true, &mut |_| Ok(())).unwrap();
    assert!(world.session(&browser).is_none() && !world.people.works(&id));
    world.restart();
    assert!(world.session(&browser).is_none());
    assert_eq!(word(&world.try_password(&mut browser, "ana", PASSWORD).await), "wrong");
    let (_, visit) = visit::new().unwrap();
    let answer = world.answer(&visit, &mut authenticator);
    assert_eq!(word(&world.people.by_passkey(world.asking(&browser), visit, answer).await), "wrong");
    assert_eq!(word(&world.people.recover(&world.asking(&browser), "ana", &codes[0])), "wrong");
    assert!(matches!(world.people.invite(&id, &mut |_| Ok(())), Err(AccountError::Invalid(_))));
    world.people.set_disabled(&id, false, &mut |_| Ok(())).unwrap();
    assert!(matches!(world.try_password(&mut browser, "ana", PASSWORD).await, Ok(Step::SecondFactor { .. })));
    assert_eq!(world.people.account(&id).unwrap().state, State::Active);
}

/// Row F25: what cannot be recorded is not done.
#[tokio::test]
async fn without_its_record_nothing_is_done() {
    let world = World::new();
    let mut refuse = |_: &Account| Err(AccountError::Unavailable("no log".into()));
    let new = NewAccount {
        login: "ana".into(),
        name: "Ana".into(),
        role: Role::Administrator,
        fhir_user: None,
        patients: vec![],
    };
    assert!(world.people.add(&new, &mut refuse).is_err());
    assert!(world.people.all().is_empty() && world.tables.accounts.all_keys().is_empty());
    let (id, _, browser) = world.someone("ana", Role::Patient).await;
    assert!(world.people.set_disabled(&id, true, &mut refuse).is_err());
    assert!(world.people.invite(&id, &mut refuse).is_err());
    assert!(world.session(&browser).is_some() && world.people.works(&id));
    assert_eq!(world.people.add(&new, &mut |_| Ok(())), Err(AccountError::Taken));
}

/// A full disk: nobody gets in by what could not be written down.
#[tokio::test]
async fn what_could_not_be_kept_did_not_happen() {
    let world = World::new();
    let (_, codes, mut browser) = world.someone("ana", Role::Patient).await;
    let seed = world.authenticator(&mut browser).await;
    world.pass(30);
    world.try_password(&mut browser, "ana", PASSWORD).await.unwrap();
    world.tables.accounts.full.store(true, Ordering::SeqCst);
    let code = world.code(&seed, 0);
    assert_eq!(word(&world.try_code(&mut browser, false, &code).await), "unavailable");
    assert_eq!(word(&world.try_code(&mut browser, true, &codes[0]).await), "unavailable");
    world.tables.accounts.full.store(false, Ordering::SeqCst);
    assert!(world.try_code(&mut browser, false, &code).await.is_ok(), "and was not used up");
}

/// What lies in the tables is of no use to who reads them: no password, code, seed, invitation or cookie.
#[tokio::test]
async fn the_tables_tell_no_secret() {
    let world = World::new();
    let (id, codes, mut browser) = world.someone("ana", Role::Patient).await;
    let seed = world.authenticator(&mut browser).await;
    let invitation = world.invite(&id);
    let mut rows = String::new();
    for table in [&world.tables.accounts, &world.tables.sessions] {
        use crate::tables::Table;
        for (key, row) in table.all().unwrap() {
            rows.push_str(&crate::random::hex(&key));
            rows.push_str(std::str::from_utf8(&row).unwrap());
        }
    }
    let mut secrets = vec![PASSWORD.to_owned(), invitation, totp::base32(&seed), crate::random::hex(&seed)];
    secrets.extend(codes.iter().flat_map(|code| [code.clone(), code.replace('-', "")]));
    secrets.extend(browser.cookies.iter().map(|(_, value)| value.clone()));
    for secret in secrets {
        assert!(!rows.contains(&secret), "{secret}");
    }
}
