//! Sessions: a person at a browser, from the sign-in on. SPEC: rows A20, B26; OWASP session management.
//!
//! The cookie holds 32 random bytes, the table their SHA-256. A session ends when it was not used for
//! [`limits::SESSION_IDLE_S`], at [`limits::SESSION_LIFE_S`], when it is revoked, and when its account is disabled. What
//! ended is gone from memory before it is gone from the table, and from the table before anybody is told.

use super::credentials::{self, Hash};
use crate::{
    limits::people as limits,
    random,
    tables::{Table, Unavailable},
};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard,
        atomic::{AtomicBool, AtomicI64, Ordering},
    },
};

/// How somebody proved who they are. SPEC: RFC 8176 gives the words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Method {
    /// A password: `pwd`.
    Password,
    /// A code of an authenticator app: `otp`.
    Totp,
    /// A passkey with the person verified by the device: `pop` and `user`, two factors in one.
    Passkey,
    /// A recovery code: `kba` would be wrong, it is something that they have: `otp`.
    RecoveryCode,
    /// An outside OpenID provider vouched for them; it did not say that it asked for two factors.
    Outside,
    /// The same, and it said so (`mfa`).
    OutsideTwoFactors,
}

impl Method {
    const ALL: [Self; 6] =
        [Self::Password, Self::Totp, Self::Passkey, Self::RecoveryCode, Self::Outside, Self::OutsideTwoFactors];

    /// As it is kept and recorded.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::Totp => "totp",
            Self::Passkey => "passkey",
            Self::RecoveryCode => "recovery-code",
            Self::Outside => "outside",
            Self::OutsideTwoFactors => "outside-mfa",
        }
    }
}

/// A person who is signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// SHA-256 of what the cookie holds.
    pub hash: [u8; 32],
    /// The account's id.
    pub account: Arc<str>,
    /// When it began, seconds since the epoch.
    pub began_s: i64,
    /// When the person last proved who they are, seconds since the epoch: `auth_time`.
    pub authenticated_at_s: i64,
    /// How.
    pub methods: Vec<Method>,
    /// False while an account that needs two factors has set up one: such a session leads to the page where the second
    /// is set up, and nowhere else.
    pub is_complete: bool,
    /// The kind of browser and machine, in words of ours.
    pub device: Option<Arc<str>>,
}

/// A session to begin.
pub(crate) struct NewSession {
    pub(crate) account: Arc<str>,
    pub(crate) methods: Vec<Method>,
    pub(crate) is_complete: bool,
    pub(crate) device: Option<Arc<str>>,
    /// When they proved who they are.
    pub(crate) authenticated_at_s: i64,
    pub(crate) now_s: i64,
}

impl Session {
    /// Whether the person proved who they are within this many seconds (`max_age`, step-up).
    #[must_use]
    pub const fn is_fresh(&self, max_age_s: i64, now_s: i64) -> bool {
        now_s - self.authenticated_at_s <= max_age_s
    }

    /// `amr` of an id token. SPEC: RFC 8176.
    #[must_use]
    pub fn amr(&self) -> Vec<&'static str> {
        let mut words: Vec<&str> = Vec::new();
        for method in &self.methods {
            words.extend(match method {
                Method::Password => &["pwd"][..],
                Method::Totp | Method::RecoveryCode => &["otp"],
                Method::Passkey => &["pop", "user"],
                // RFC 8176 has no word for what somebody else saw.
                Method::Outside | Method::OutsideTwoFactors => &[],
            });
        }
        if self.has_two_factors() {
            words.push("mfa");
        }
        words.dedup();
        words
    }

    /// Whether two factors were shown: something known and something had, or a passkey, which asks for both.
    #[must_use]
    pub fn has_two_factors(&self) -> bool {
        has_two_factors(&self.methods)
    }

    /// A name that tells nothing, for lists, logs and audit entries.
    #[must_use]
    pub fn name(&self) -> String {
        name(&self.hash)
    }
}

/// As [`Session::has_two_factors`].
pub(crate) fn has_two_factors(methods: &[Method]) -> bool {
    methods.iter().any(|method| matches!(method, Method::Passkey | Method::OutsideTwoFactors))
        || (methods.iter().any(|method| matches!(method, Method::Password | Method::Outside))
            && methods.iter().any(|method| matches!(method, Method::Totp | Method::RecoveryCode)))
}

fn name(hash: &Hash) -> String {
    random::hex(hash.first_chunk::<8>().unwrap_or(&[0; 8]))
}

/// What the cookie holds. No Debug, no Display.
pub(crate) struct Secret(String);

impl Secret {
    /// For `Set-Cookie` alone.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

struct Held {
    session: Arc<Session>,
    seen_s: AtomicI64,
    /// Seen since it was last written.
    is_stale: AtomicBool,
}

/// A session as a list shows it.
pub(crate) struct Listed {
    pub(crate) session: Arc<Session>,
    pub(crate) seen_s: i64,
}

type ByHash = BTreeMap<Hash, Arc<Held>>;

/// The sessions.
pub(crate) struct Sessions {
    table: Arc<dyn Table>,
    held: RwLock<ByHash>,
    /// Between a look into memory and the row that follows from it: what was ended is never written again.
    writing: Mutex<()>,
}

impl Sessions {
    /// Reads the table; those that ended meanwhile, and those of accounts that `works` refuses, are left out.
    pub(crate) fn open(table: Arc<dyn Table>, now_s: i64, works: impl Fn(&str) -> bool) -> Result<Self, Unavailable> {
        let mut held = ByHash::new();
        let mut dead = Vec::new();
        for (key, row) in table.all()? {
            let read = decode(&key, &row).ok_or_else(|| Unavailable("a session's row is malformed".into()))?;
            if has_ended(&read.session, read.seen_s.load(Ordering::Relaxed), now_s) || !works(&read.session.account) {
                dead.push(key);
            } else {
                held.insert(read.session.hash, Arc::new(read));
            }
        }
        if !dead.is_empty() {
            table.remove_all(&dead)?;
        }
        Ok(Self { table, held: RwLock::new(held), writing: Mutex::new(()) })
    }

    /// Begins a session; on stable storage when this returns. The account's oldest gives way when it has too many.
    pub(crate) fn begin(&self, new: NewSession) -> Result<(Secret, Arc<Session>), Unavailable> {
        let secret = Secret(random::secret().map_err(|_| Unavailable("no randomness".into()))?);
        let hash = credentials::hash(&secret.0);
        let NewSession { account, methods, is_complete, device, authenticated_at_s, now_s } = new;
        let session = Session { hash, account, began_s: now_s, authenticated_at_s, methods, is_complete, device };
        let held = Held { session: Arc::new(session), seen_s: AtomicI64::new(now_s), is_stale: AtomicBool::new(false) };
        self.table.put(&hash, &encode(&held))?;
        let session = Arc::clone(&held.session);
        let mut too_many: Vec<Hash> = Vec::new();
        {
            let mut all = self.write();
            all.insert(hash, Arc::new(held));
            let mut own: Vec<_> =
                all.values().filter(|one| one.session.account == session.account).map(Arc::clone).collect();
            own.sort_by_key(|one| (one.session.began_s, one.session.hash == hash));
            let beyond = own.len().saturating_sub(limits::ACCOUNT_SESSIONS_MAX);
            too_many.extend(own.iter().take(beyond).map(|one| one.session.hash));
        }
        self.end_those(&too_many)?;
        Ok((secret, session))
    }

    /// The session of a cookie's value, when it has not ended. It was used now.
    pub(crate) fn of_cookie(&self, value: &str, now_s: i64) -> Option<Arc<Session>> {
        let held = self.read().get(&credentials::hash(value)).cloned()?;
        if has_ended(&held.session, held.seen_s.load(Ordering::Relaxed), now_s) {
            return None;
        }
        held.seen_s.fetch_max(now_s, Ordering::Relaxed);
        held.is_stale.store(true, Ordering::Relaxed);
        Some(Arc::clone(&held.session))
    }

    /// Whether the session of this name has not ended: for what was given for as long as it lasts.
    pub(crate) fn is_live(&self, name: &str, now_s: i64) -> bool {
        let Ok(start) = u64::from_str_radix(name, 16) else { return false };
        let (mut from, mut to) = ([0; 32], [0xff; 32]);
        if let (Some(from), Some(to)) = (from.first_chunk_mut::<8>(), to.first_chunk_mut::<8>()) {
            (*from, *to) = (start.to_be_bytes(), start.to_be_bytes());
        }
        let held = self.read();
        let mut named = held.range(from..=to).map(|(_, held)| held).filter(|held| held.session.name() == name);
        named.any(|held| !has_ended(&held.session, held.seen_s.load(Ordering::Relaxed), now_s))
    }

    /// Those of an account that have not ended, newest first.
    pub(crate) fn of_account(&self, account: &str, now_s: i64) -> Vec<Listed> {
        let mut own: Vec<Listed> = self
            .read()
            .values()
            .filter(|held| *held.session.account == *account)
            .map(|held| Listed { session: Arc::clone(&held.session), seen_s: held.seen_s.load(Ordering::Relaxed) })
            .filter(|listed| !has_ended(&listed.session, listed.seen_s, now_s))
            .collect();
        own.sort_by_key(|listed| std::cmp::Reverse(listed.seen_s));
        own
    }

    /// Ends one. Gone from memory in any case, so a failure of the table concerns a restart only.
    pub(crate) fn end(&self, hash: &Hash) -> Result<(), Unavailable> {
        self.end_those(&[*hash])
    }

    /// Ends those of an account but this one; how many.
    pub(crate) fn end_all(&self, account: &str, but: Option<&Hash>) -> Result<usize, Unavailable> {
        let own: Vec<Hash> = self
            .read()
            .values()
            .filter(|held| *held.session.account == *account && but != Some(&held.session.hash))
            .map(|held| held.session.hash)
            .collect();
        self.end_those(&own)?;
        Ok(own.len())
    }

    /// Forgets those that ended, and writes down when the others were seen: after a crash they end a sweep too early,
    /// never too late.
    pub(crate) fn sweep(&self, now_s: i64) -> Result<(), Unavailable> {
        let mut ended = Vec::new();
        let mut seen = Vec::new();
        for held in self.read().values() {
            if has_ended(&held.session, held.seen_s.load(Ordering::Relaxed), now_s) {
                ended.push(held.session.hash);
            } else if held.is_stale.swap(false, Ordering::Relaxed) {
                seen.push(Arc::clone(held));
            }
        }
        self.end_those(&ended)?;
        for held in seen {
            let _guard = self.lock();
            if self.read().contains_key(&held.session.hash) {
                self.table.put(&held.session.hash, &encode(&held))?;
            }
        }
        Ok(())
    }

    fn end_those(&self, hashes: &[Hash]) -> Result<(), Unavailable> {
        if hashes.is_empty() {
            return Ok(());
        }
        let _guard = self.lock();
        {
            let mut all = self.write();
            for hash in hashes {
                all.remove(hash);
            }
        }
        self.table.remove_all(&hashes.iter().map(|hash| hash.to_vec()).collect::<Vec<_>>())
    }

    fn lock(&self) -> MutexGuard<'_, ()> {
        self.writing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read(&self) -> RwLockReadGuard<'_, ByHash> {
        self.held.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, ByHash> {
        self.held.write().unwrap_or_else(PoisonError::into_inner)
    }
}

fn has_ended(session: &Session, seen_s: i64, now_s: i64) -> bool {
    now_s >= seen_s + limits::SESSION_IDLE_S || now_s >= session.began_s + limits::SESSION_LIFE_S
}

fn encode(held: &Held) -> Vec<u8> {
    let session = &held.session;
    let row = json!({
        "account": &*session.account,
        "began_s": session.began_s,
        "authenticated_at_s": session.authenticated_at_s,
        "methods": session.methods.iter().map(|method| method.as_str()).collect::<Vec<_>>(),
        "is_complete": session.is_complete,
        "device": session.device.as_deref(),
        "seen_s": held.seen_s.load(Ordering::Relaxed),
    });
    row.to_string().into_bytes()
}

fn decode(key: &[u8], row: &[u8]) -> Option<Held> {
    let row: Value = serde_json::from_slice(row).ok()?;
    let number = |name: &str| row.get(name).and_then(Value::as_i64);
    let method = |word: &Value| Method::ALL.into_iter().find(|method| Some(method.as_str()) == word.as_str());
    let session = Session {
        hash: key.try_into().ok()?,
        account: row.get("account")?.as_str()?.into(),
        began_s: number("began_s")?,
        authenticated_at_s: number("authenticated_at_s")?,
        methods: row.get("methods")?.as_array()?.iter().map(method).collect::<Option<_>>()?,
        is_complete: row.get("is_complete")?.as_bool()?,
        device: row.get("device").and_then(Value::as_str).map(Into::into),
    };
    let seen_s = AtomicI64::new(number("seen_s")?);
    Some(Held { session: Arc::new(session), seen_s, is_stale: AtomicBool::new(false) })
}

#[cfg(test)]
mod tests;
