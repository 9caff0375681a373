//! Initial access tokens: leave to register, given by the operator to who makes an app. SPEC: RFC 7591 section 3 and
//! appendix A; row B14.
//!
//! A token is 256 random bits, shown once; only its SHA-256 is kept. It works a number of times and until a day, for the
//! kinds of client and the scopes that it names. That a use is spent is on stable storage before a client comes of it:
//! after a crash none counts twice.

use super::{ClientError, KindName, Reach, Unfit, check, scopes};
use crate::{
    limits, random,
    tables::{Table, Unavailable},
    token::TokenHash,
};
use fhir::Instant;
use oauth::secret::Secret;
use serde_json::{Value, json};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// Leave to register, as asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewInvitation {
    /// Whom it is for, for the operator's list.
    pub note: String,
    /// Kinds of client that it allows; one at least.
    pub kinds: Vec<KindName>,
    /// Scopes, divided by blanks: a client gets these or narrower ones.
    pub scope: String,
    /// How many clients may come of it.
    pub uses: u32,
    /// Seconds that it lasts.
    pub life_s: i64,
}

/// Leave to register.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invitation {
    /// Its name, which tells nothing: 16 hex digits of the token's hash.
    pub name: Arc<str>,
    /// Whom it is for.
    pub note: Arc<str>,
    /// How far a client may go that comes of it.
    pub reach: Reach,
    /// How many clients may still come of it.
    pub uses_left: u32,
    /// When it was made.
    pub created: Instant,
    /// When it ends.
    pub ends: Instant,
}

/// The table, and a copy in memory.
pub(crate) struct Invitations {
    table: Arc<dyn Table>,
    /// INVARIANT: a use is taken under this lock, and on stable storage before it is given up.
    all: Mutex<HashMap<TokenHash, Arc<Invitation>>>,
}

impl Invitations {
    /// Reads the table.
    pub(crate) fn open(table: Arc<dyn Table>) -> Result<Self, Unavailable> {
        let mut all = HashMap::new();
        for (key, row) in table.all()? {
            let hash = TokenHash::from_bytes(&key);
            let read = hash.and_then(|hash| Some((hash, Arc::new(decode(&hash, &row)?))));
            all.extend([read.ok_or_else(|| Unavailable("the row of an initial access token is malformed".into()))?]);
        }
        Ok(Self { table, all: Mutex::new(all) })
    }

    /// Makes one. `record` is called when it is on stable storage; when that fails, it is taken back.
    pub(crate) fn make<R>(
        &self,
        new: &NewInvitation,
        enforceable: &check::Enforceable,
        now: Instant,
        record: impl FnOnce(&Invitation) -> Result<R, ClientError>,
    ) -> Result<(Secret, Arc<Invitation>, R), ClientError> {
        let token = random::secret().map_err(|_| ClientError::Unavailable("no randomness".into()))?;
        let hash = TokenHash::of(&token);
        let invitation = Arc::new(checked(new, &hash, enforceable, now)?);
        let mut all = self.lock();
        if all.len() >= limits::CLIENT_INVITATIONS_MAX {
            let most = limits::CLIENT_INVITATIONS_MAX;
            return Err(ClientError::Invalid(Unfit::Said(format!("there are {most} initial access tokens already"))));
        }
        self.table.put(hash.as_bytes(), &encode(&invitation))?;
        let recorded = match record(&invitation) {
            Ok(recorded) => recorded,
            Err(why) => {
                self.table.remove_all(&[hash.as_bytes().to_vec()])?;
                return Err(why);
            }
        };
        all.insert(hash, Arc::clone(&invitation));
        Ok((Secret::new(token), invitation, recorded))
    }

    /// The one of this token, when it still works.
    pub(crate) fn look(&self, token: &str, now: Instant) -> Option<Arc<Invitation>> {
        self.lock().get(&TokenHash::of(token)).filter(|invitation| invitation.works(now)).cloned()
    }

    /// Takes one use; `None` when there is none left.
    pub(crate) fn take(&self, token: &str, now: Instant) -> Result<Option<Arc<Invitation>>, Unavailable> {
        let hash = TokenHash::of(token);
        let mut all = self.lock();
        let Some(invitation) = all.get(&hash).filter(|invitation| invitation.works(now)) else { return Ok(None) };
        let left = Arc::new(Invitation { uses_left: invitation.uses_left - 1, ..Invitation::clone(invitation) });
        self.table.put(hash.as_bytes(), &encode(&left))?;
        all.insert(hash, Arc::clone(&left));
        Ok(Some(left))
    }

    /// Puts a use back of which nothing came. A failure costs the operator another token, and opens nothing.
    pub(crate) fn give_back(&self, token: &str) {
        let hash = TokenHash::of(token);
        let mut all = self.lock();
        let Some(invitation) = all.get(&hash) else { return };
        let back = Arc::new(Invitation { uses_left: invitation.uses_left + 1, ..Invitation::clone(invitation) });
        match self.table.put(hash.as_bytes(), &encode(&back)) {
            Ok(()) => drop(all.insert(hash, back)),
            Err(why) => tracing::warn!(%why, "a use of an initial access token could not be given back"),
        }
    }

    /// All that still work, oldest first.
    pub(crate) fn all(&self, now: Instant) -> Vec<Arc<Invitation>> {
        let mut all: Vec<_> = self.lock().values().filter(|invitation| invitation.works(now)).cloned().collect();
        all.sort_by(|a, b| (a.created, &a.name).cmp(&(b.created, &b.name)));
        all
    }

    /// Ends the one of this name: at once, and then on the table.
    pub(crate) fn withdraw(&self, name: &str) -> Result<Arc<Invitation>, ClientError> {
        let mut all = self.lock();
        let found = all.iter().find(|(_, invitation)| *invitation.name == *name).map(|(hash, _)| *hash);
        let (hash, invitation) = found.and_then(|hash| all.remove_entry(&hash)).ok_or(ClientError::NotFound)?;
        if let Err(why) = self.table.remove_all(&[hash.as_bytes().to_vec()]) {
            // It would be back after a restart: the operator must know that it has not ended.
            all.insert(hash, invitation);
            return Err(why.into());
        }
        Ok(invitation)
    }

    /// Forgets those that do not work any more.
    pub(crate) fn sweep(&self, now: Instant) -> Result<(), Unavailable> {
        let mut all = self.lock();
        let gone: Vec<TokenHash> =
            all.iter().filter(|(_, invitation)| !invitation.works(now)).map(|(hash, _)| *hash).collect();
        if gone.is_empty() {
            return Ok(());
        }
        self.table.remove_all(&gone.iter().map(|hash| hash.as_bytes().to_vec()).collect::<Vec<_>>())?;
        gone.iter().for_each(|hash| drop(all.remove(hash)));
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<TokenHash, Arc<Invitation>>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Invitation {
    fn works(&self, now: Instant) -> bool {
        self.uses_left > 0 && now < self.ends
    }
}

fn checked(
    new: &NewInvitation,
    hash: &TokenHash,
    enforceable: &check::Enforceable,
    now: Instant,
) -> Result<Invitation, ClientError> {
    let invalid = |why: String| Err(ClientError::Invalid(Unfit::Said(why)));
    let mut kinds = new.kinds.clone();
    kinds.sort_unstable();
    kinds.dedup();
    if kinds.is_empty() {
        return invalid("one kind of client at least must be allowed".into());
    }
    if new.uses == 0 || new.uses > limits::CLIENT_INVITATION_USES_MAX {
        return invalid(format!("it works 1 to {} times", limits::CLIENT_INVITATION_USES_MAX));
    }
    if new.life_s <= 0 || new.life_s > limits::CLIENT_INVITATION_LIFE_S_MAX {
        return invalid(format!("it lasts at most {} days", limits::CLIENT_INVITATION_LIFE_S_MAX / 86_400));
    }
    let note: Arc<str> = match new.note.trim() {
        "" => Arc::default(),
        note => check::label("note", note)?,
    };
    let scope_text = scopes::of_anybody(&new.scope, enforceable)?;
    let ends = Instant::from_unix_millis(now.unix_millis().saturating_add(new.life_s.saturating_mul(1000)));
    Ok(Invitation {
        name: hash.name().into(),
        note,
        reach: Reach { kinds: kinds.into(), scope_text },
        uses_left: new.uses,
        created: now,
        ends,
    })
}

fn encode(invitation: &Invitation) -> Vec<u8> {
    let row = json!({
        "note": &*invitation.note,
        "kinds": invitation.reach.kinds.iter().map(|kind| kind.as_str()).collect::<Vec<_>>(),
        "scope": &*invitation.reach.scope_text,
        "uses_left": invitation.uses_left,
        "created_ms": invitation.created.unix_millis(),
        "ends_ms": invitation.ends.unix_millis(),
    });
    row.to_string().into_bytes()
}

fn decode(hash: &TokenHash, row: &[u8]) -> Option<Invitation> {
    let row: Value = serde_json::from_slice(row).ok()?;
    let text = |name: &str| row.get(name).and_then(Value::as_str);
    let moment = |name: &str| row.get(name)?.as_i64().map(Instant::from_unix_millis);
    let kinds = row.get("kinds")?.as_array()?.iter().map(|kind| KindName::parse(kind.as_str()?));
    Some(Invitation {
        name: hash.name().into(),
        note: text("note")?.into(),
        reach: Reach { kinds: kinds.collect::<Option<_>>()?, scope_text: text("scope")?.into() },
        uses_left: u32::try_from(row.get("uses_left")?.as_u64()?).ok()?,
        created: moment("created_ms")?,
        ends: moment("ends_ms")?,
    })
}

#[cfg(test)]
mod tests;
