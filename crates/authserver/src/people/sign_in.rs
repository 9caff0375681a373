//! Signing in: password, then code where one is set up; or a passkey. SPEC: rows B26, F66; NIST SP 800-63B-4.
//!
//! Whoever gets in wrong learns nothing: an unknown name, a wrong password, an account without one and a disabled one
//! have the same answer after the same work.

use super::{
    People, account,
    account::{AccountError, Record, State},
    challenge::{self, Purpose},
    cookie,
    credentials::{self, Hash, Until},
    passkey::{PasskeyError, assertion},
    password::{Busy, Password},
    recovery,
    session::{self, Method, NewSession, Session},
    throttle::Try,
    totp,
    visit::{self, Stage},
};
use crate::{limits::people as limits, rate::Limited, tables::Unavailable};
use http::{HeaderMap, HeaderValue, header};
use std::{net::IpAddr, sync::Arc};

/// Why nobody was signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum SignInError {
    /// Not them; never why. The text and the account's id are for the audit entry.
    Wrong(String, Option<Arc<str>>),
    /// Too many tries.
    TooMany(Limited),
    /// What was begun took too long, or was never begun.
    Expired,
    /// Too many hashes wait.
    Busy,
    /// A table fails; for the log.
    Unavailable(String),
}

impl From<Unavailable> for SignInError {
    fn from(error: Unavailable) -> Self {
        Self::Unavailable(error.0)
    }
}

impl From<AccountError> for SignInError {
    fn from(error: AccountError) -> Self {
        match error {
            AccountError::Unavailable(why) => Self::Unavailable(why),
            other => Self::Wrong(other.to_string(), None),
        }
    }
}

impl From<Limited> for SignInError {
    fn from(limited: Limited) -> Self {
        Self::TooMany(limited)
    }
}

impl From<Busy> for SignInError {
    fn from(_: Busy) -> Self {
        Self::Busy
    }
}

/// Who asks, as far as HTTP tells.
#[derive(Clone)]
pub(crate) struct Asking {
    pub(crate) address: IpAddr,
    /// The device's cookie.
    device: Option<String>,
    /// The session that is there already: it ends when another begins.
    session: Option<Hash>,
    /// The kind of browser.
    kind: Option<Arc<str>>,
}

impl Asking {
    /// Of a request.
    pub(crate) fn of(people: &People, address: IpAddr, headers: &HeaderMap) -> Self {
        let agent = headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok());
        Self {
            address,
            device: cookie::value(headers, cookie::DEVICE).map(str::to_owned),
            session: people.any_session_of(headers).map(|session| session.hash),
            kind: agent.and_then(kind_of),
        }
    }
}

/// What signing in came to.
pub(crate) enum Step {
    /// Signed in.
    In(Begun),
    /// The first factor was right; the second is due, in the visit that this cookie names.
    SecondFactor {
        /// The account's id.
        account: Arc<str>,
        /// The visit's cookie.
        cookie: Option<HeaderValue>,
    },
}

/// A session that begins.
pub(crate) struct Begun {
    /// It.
    pub(crate) session: Arc<Session>,
    /// What the browser is to keep, and what to forget.
    pub(crate) cookies: Vec<HeaderValue>,
}

impl People {
    /// A user name and a password.
    pub(crate) async fn by_password(
        self: &Arc<Self>,
        asking: Asking,
        typed: &str,
        password: Option<Password>,
    ) -> Result<Step, SignInError> {
        let login = account::login(typed);
        let record = login.as_deref().and_then(|login| self.accounts.of_login(login));
        let attempt = self.attempt(&asking, login.as_deref().unwrap_or(typed), record.as_deref());
        self.throttle.password(&attempt, self.now_ms())?;
        let hash = record.as_ref().and_then(|record| record.credentials.password.clone());
        // One over the limit is nobody's, and costs what others cost.
        let hash = if password.is_some() { hash } else { None };
        let tried = password.clone().or_else(|| Password::typed("")).ok_or(SignInError::Busy)?;
        let is_right = self.hasher.verify(hash, tried).await.inspect_err(|Busy| self.throttle.give_back(&attempt))?;
        let id = record.as_ref().map(|record| Arc::clone(&record.account.id));
        let record = record
            .filter(|record| is_right && record.account.state == State::Active)
            .ok_or_else(|| SignInError::Wrong("user name or password is wrong".into(), id))?;
        self.throttle.was_right(&attempt);
        if let (Some(password), Some(true)) =
            (password, record.credentials.password.as_ref().map(|hash| hash.is_of_old()))
        {
            self.hash_anew(&record.account.id, password).await;
        }
        let people = Arc::clone(self);
        blocking(move || people.after_first(&asking, &record, Method::Password)).await
    }

    /// With what the first factor was, what is next.
    pub(super) fn after_first(&self, asking: &Asking, record: &Record, method: Method) -> Result<Step, SignInError> {
        let account = Arc::clone(&record.account.id);
        if !record.credentials.has_second_factor() {
            return Ok(Step::In(self.begin(asking, record, vec![method])?));
        }
        let (secret, hash) = visit::new().map_err(|_| SignInError::Unavailable("no randomness".into()))?;
        let stage = Stage::SecondFactor { method, wrong: 0 };
        if !self.visits.begin(hash, Arc::clone(&account), stage, self.now_s()) {
            return Err(SignInError::Busy);
        }
        Ok(Step::SecondFactor { account, cookie: cookie::of_session(cookie::VISIT, &secret) })
    }

    /// A code, as the second factor of the sign-in that this visit is in.
    pub(crate) async fn by_code(
        self: &Arc<Self>,
        asking: Asking,
        visit: Hash,
        is_recovery: bool,
        typed: &str,
    ) -> Result<Begun, SignInError> {
        let (people, typed) = (Arc::clone(self), typed.to_owned());
        blocking(move || people.code(&asking, &visit, is_recovery, &typed)).await
    }

    fn code(&self, asking: &Asking, visit: &Hash, is_recovery: bool, typed: &str) -> Result<Begun, SignInError> {
        let (record, first) = self.in_second_factor(visit).ok_or(SignInError::Expired)?;
        let account = Arc::clone(&record.account.id);
        let attempt = self.attempt(asking, &record.account.login, Some(&record));
        // A recovery code cannot be guessed: no stranger's tries stand in its way.
        if is_recovery {
            self.throttle.unguessable(asking.address, self.now_ms())?;
        } else {
            self.throttle.code(&attempt, self.now_ms())?;
        }
        let now_s = self.now_s();
        let wrong = |why: &str| SignInError::Wrong(why.into(), Some(Arc::clone(&account)));
        let used = self.accounts.change(&account, |row| {
            let credentials = &mut row.credentials;
            if is_recovery {
                let hash = recovery::hash(&account, typed);
                // What gave the password back is no second factor beside it.
                let fits = |kept: &Hash| !credentials.recovered && *kept == hash;
                let at = credentials.recovery.iter().position(fits).ok_or_else(|| wrong("a wrong recovery code"))?;
                credentials.recovery.remove(at);
                return Ok(Method::RecoveryCode);
            }
            let totp = credentials.totp.as_mut().ok_or_else(|| wrong("no authenticator app is set up"))?;
            let seed = self
                .seal
                .unseal(&account, &totp.sealed)
                .ok_or_else(|| SignInError::Unavailable("a seed of an authenticator app does not open".into()))?;
            let step = totp::step_of(&seed, typed, now_s, totp.last_step);
            totp.last_step = step.ok_or_else(|| wrong("a wrong code, or one that was used"))?;
            credentials.recovered = false;
            Ok(Method::Totp)
        });
        let method = match used {
            Ok(method) => method,
            Err(error) => {
                if !self.visits.wrong_code(visit) {
                    tracing::debug!("a sign-in ended after too many wrong codes");
                }
                return Err(error);
            }
        };
        if is_recovery {
            self.throttle.unguessable_was_right(asking.address);
        } else {
            self.throttle.code_was_right(&attempt);
        }
        self.visits.take(visit).ok_or(SignInError::Expired)?;
        self.begin(asking, &record, vec![first, method])
    }

    /// What the second factor of this visit's sign-in is for: the account, and how the first was shown.
    pub(crate) fn in_second_factor(&self, visit: &Hash) -> Option<(Arc<Record>, Method)> {
        let pending = self.visits.get(visit, self.now_s())?;
        let Stage::SecondFactor { method, .. } = pending.stage else { return None };
        let record = self.accounts.get(&pending.account)?;
        (record.account.state == State::Active).then_some((record, method))
    }

    /// A challenge for signing in with a passkey in this browser.
    pub(crate) fn passkey_challenge(&self, browser: &Hash) -> Option<Vec<u8>> {
        challenge::new(&self.seal, Purpose::SignIn, browser, self.now_s()).ok()
    }

    /// The host that passkeys are for.
    pub(crate) fn passkey_host(&self) -> &str {
        &self.party.id
    }

    /// A passkey: by itself, or as the second factor of this browser's sign-in.
    pub(crate) async fn by_passkey(
        self: &Arc<Self>,
        asking: Asking,
        browser: Hash,
        answer: PasskeyAnswer,
    ) -> Result<Begun, SignInError> {
        self.throttle.unguessable(asking.address, self.now_ms())?;
        let people = Arc::clone(self);
        blocking(move || {
            let begun = people.passkey(&asking, &browser, &answer)?;
            people.throttle.unguessable_was_right(asking.address);
            Ok(begun)
        })
        .await
    }

    fn passkey(&self, asking: &Asking, browser: &Hash, answer: &PasskeyAnswer) -> Result<Begun, SignInError> {
        let now_s = self.now_s();
        let record = self.accounts.of_passkey(&answer.id);
        let id = record.as_ref().map(|record| Arc::clone(&record.account.id));
        let wrong = |why: &dyn std::fmt::Display| SignInError::Wrong(why.to_string(), id.clone());
        let challenge = challenge::named_in(&answer.client_data, &self.seal, Purpose::SignIn, browser, now_s)
            .ok_or_else(|| wrong(&PasskeyError::Challenge))?;
        let record = record.ok_or_else(|| wrong(&"an unknown passkey"))?;
        let account = Arc::clone(&record.account.id);
        let handle = answer.user_handle.as_deref().is_none_or(|handle| handle == account.as_bytes());
        if !handle || record.account.state != State::Active {
            return Err(wrong(&"a passkey of another account, or of one that is not in use"));
        }
        // A second factor is that of whom the first was of.
        let pending = self.visits.get(browser, now_s);
        if pending.as_ref().is_some_and(|pending| pending.account != account) {
            return Err(wrong(&"a passkey of another account than the password"));
        }
        // Looked at and counted in one: of two answers with one counter, one comes through.
        let checked = self.accounts.change(&account, |row| {
            let passkeys = &mut row.credentials.passkeys;
            let passkey = passkeys.iter_mut().find(|passkey| passkey.id == answer.id && !passkey.suspended);
            let passkey = passkey.ok_or_else(|| wrong(&"an unknown or suspended passkey"))?;
            // Before the counter: a form that is sent twice is no copy.
            if self.challenges.was_used(&challenge) {
                return Err(wrong(&"a passkey's answer that was used"));
            }
            let signed = assertion::Answer {
                client_data: &answer.client_data,
                authenticator_data: &answer.authenticator_data,
                signature: &answer.signature,
            };
            match assertion::verify(&signed, &challenge, &self.party, passkey) {
                Ok(counter) => {
                    self.challenges.use_once(&challenge, now_s);
                    passkey.counter = counter;
                    passkey.used_s = Some(now_s);
                    row.credentials.recovered = false;
                    Ok(Ok(()))
                }
                // On stable storage before anybody hears of it.
                Err(PasskeyError::Counter) => {
                    passkey.suspended = true;
                    Ok(Err(wrong(&PasskeyError::Counter)))
                }
                Err(other) => Err(wrong(&other)),
            }
        })?;
        checked?;
        let mut methods = vec![Method::Passkey];
        if let Some(Stage::SecondFactor { method, .. }) = pending.map(|pending| pending.stage) {
            methods.insert(0, method);
            self.visits.take(browser);
        }
        self.begin(asking, &record, methods)
    }

    /// Begins a session, ends the one that was there, and makes the device a known one. The record is looked at again:
    /// it may have been disabled meanwhile.
    pub(super) fn begin(&self, asking: &Asking, record: &Record, methods: Vec<Method>) -> Result<Begun, SignInError> {
        self.begin_at(asking, record, methods, self.now_s())
    }

    /// The same for who proved it elsewhere, and then.
    pub(super) fn begin_at(
        &self,
        asking: &Asking,
        record: &Record,
        methods: Vec<Method>,
        authenticated_at_s: i64,
    ) -> Result<Begun, SignInError> {
        let now_s = self.now_s();
        let account = &record.account;
        let device = self.device(asking.device.as_deref());
        let (value, hash) = device.ok_or_else(|| SignInError::Unavailable("no randomness".into()))?;
        if !record.credentials.knows_device(&hash, now_s + limits::DEVICE_LIFE_S / 2) {
            self.accounts.change(&account.id, |row| {
                let devices = &mut row.credentials.devices;
                devices.retain(|known| known.ends_s > now_s && known.hash != hash);
                devices.push(Until { hash, ends_s: now_s + limits::DEVICE_LIFE_S });
                let beyond = devices.len().saturating_sub(limits::ACCOUNT_DEVICES_MAX);
                devices.drain(..beyond);
                Ok::<_, AccountError>(())
            })?;
        }
        let is_complete = !account.needs_two_factors() || session::has_two_factors(&methods);
        let (secret, session) = self.sessions.begin(NewSession {
            account: Arc::clone(&account.id),
            methods,
            is_complete,
            device: asking.kind.clone(),
            authenticated_at_s,
            now_s,
        })?;
        if !self.works(&account.id) {
            self.sessions.end(&session.hash)?;
            return Err(SignInError::Wrong("the account was disabled".into(), Some(Arc::clone(&account.id))));
        }
        if let Some(before) = &asking.session {
            self.sessions.end(before)?;
        }
        let cookies = [
            cookie::of_session(cookie::SESSION, secret.expose()),
            cookie::gone(cookie::VISIT),
            cookie::of_device(&value),
        ];
        Ok(Begun { session, cookies: cookies.into_iter().flatten().collect() })
    }

    /// The device's cookie with its hash: the one that is there when this server made it, else a new one. Several people
    /// may sign in on one device.
    fn device(&self, shown: Option<&str>) -> Option<(String, Hash)> {
        let is_ours = |value: &&str| value.split_once('.').is_some_and(|(random, tag)| tag == self.device_tag(random));
        let value = match shown.filter(is_ours) {
            Some(value) => value.to_owned(),
            None => {
                let random = crate::random::secret().ok()?;
                let tag = self.device_tag(&random);
                format!("{random}.{tag}")
            }
        };
        let hash = credentials::hash(&value);
        Some((value, hash))
    }

    fn device_tag(&self, random: &str) -> String {
        crate::random::hex(self.seal.tag("device", &[random.as_bytes()]).first_chunk::<16>().unwrap_or(&[0; 16]))
    }

    pub(super) fn attempt(&self, asking: &Asking, login: &str, record: Option<&Record>) -> Try {
        let device = asking.device.as_deref().map(credentials::hash);
        let is_known =
            |device: &Hash| record.is_some_and(|record| record.credentials.knows_device(device, self.now_s()));
        Try { login: credentials::hash(login), address: asking.address, device: device.filter(is_known) }
    }

    /// Makes the hash of a right password anew, when the parameters have grown. That it fails harms nobody.
    async fn hash_anew(self: &Arc<Self>, id: &Arc<str>, password: Password) {
        let Ok(Some(hash)) = self.hasher.hash(password).await else { return };
        let (people, id) = (Arc::clone(self), Arc::clone(id));
        let changed = blocking(move || {
            people.accounts.change(&id, |row| {
                row.credentials.password = Some(hash);
                Ok::<_, SignInError>(())
            })
        })
        .await;
        if let Err(why) = changed {
            tracing::warn!(?why, "a password's hash could not be made anew");
        }
    }
}

/// What the browser's passkey answered, decoded.
pub(crate) struct PasskeyAnswer {
    pub(crate) id: Vec<u8>,
    pub(crate) client_data: Vec<u8>,
    pub(crate) authenticator_data: Vec<u8>,
    pub(crate) signature: Vec<u8>,
    pub(crate) user_handle: Option<Vec<u8>>,
}

/// Does what waits for the disk.
pub(super) async fn blocking<T: Send + 'static, E: From<Unavailable> + Send + 'static>(
    work: impl FnOnce() -> Result<T, E> + Send + 'static,
) -> Result<T, E> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|_| Err(Unavailable("a task ended early".into()).into()))
}

/// The kind of browser and machine, in words of ours: nothing of the field itself is kept.
fn kind_of(agent: &str) -> Option<Arc<str>> {
    let first =
        |words: &[(&str, &'static str)]| words.iter().find(|(word, _)| agent.contains(word)).map(|(_, name)| *name);
    let browser = first(&[
        ("Edg", "Edge"),
        ("OPR/", "Opera"),
        ("SamsungBrowser/", "Samsung Internet"),
        ("Firefox/", "Firefox"),
        ("FxiOS/", "Firefox"),
        ("CriOS/", "Chrome"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
    ]);
    let machine = first(&[
        ("Android", "Android"),
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Windows", "Windows"),
        ("CrOS", "ChromeOS"),
        ("Mac OS X", "Mac"),
        ("Linux", "Linux"),
    ]);
    match (browser, machine) {
        (Some(browser), Some(machine)) => Some(format!("{browser}, {machine}").into()),
        (one, other) => one.or(other).map(Into::into),
    }
}
