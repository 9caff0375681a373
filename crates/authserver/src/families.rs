//! What came of a person's consent: one row for each time that they let an app in, with its refresh tokens. SPEC: RFC
//! 6749 section 6, RFC 9700 section 4.14; rows B57 to B61.
//!
//! Each refresh gives a new refresh token and ends the one before (rotation). One that comes again after its successor
//! was given out was stolen, or its successor was: the whole family dies, access tokens too. For
//! [`limits::REFRESH_GRACE_S`] a client whose connection broke may come again, and gets *the same* successor.
//!
//! Only hashes are kept. The successor is derived from the token before it under the server's key, so it can be given
//! again without being kept; and each token carries a mark under that key, so that an old one is told from an invented
//! one: nobody can end a family by guessing. What changes is on stable storage before anyone hears of it.

mod row;
mod token;

use crate::{
    client::secret::Pepper,
    limits,
    tables::{Table, Unavailable},
    token::TokenHash,
};
use oauth::{caller::Confirmation, launch_context::LaunchContext, secret::Secret};
use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// How long refresh tokens last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Lasting {
    /// No refresh token: the family ends with its access token.
    Once,
    /// `online_access`: as long as the session of this name is live.
    Session(Arc<str>),
    /// `offline_access`: until the end that the person chose, and while it is used.
    Offline,
}

/// A family.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Family {
    /// Its name.
    pub(crate) id: Arc<str>,
    pub(crate) client_id: Arc<str>,
    /// `sub` of the person.
    pub(crate) user: Arc<str>,
    /// Everything that was granted, as text.
    pub(crate) scope_text: Arc<str>,
    pub(crate) launch: Arc<LaunchContext>,
    /// The key that the client's refresh tokens are bound to; public clients only.
    pub(crate) confirmation: Option<Confirmation>,
    /// When the person let the app in, and signed in before that; seconds.
    pub(crate) began_s: i64,
    pub(crate) signed_in_s: i64,
    pub(crate) lasting: Lasting,
    /// From this second on it is over, however much it is used.
    pub(crate) ends_s: i64,
    /// When it was used last.
    pub(crate) used_s: i64,
    refresh: Option<Refresh>,
}

/// The refresh token that counts now, and the one before.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Refresh {
    generation: u32,
    hash: TokenHash,
    before: Option<TokenHash>,
    rotated_s: i64,
}

impl Family {
    /// Whether it is over. `is_live` says whether a session is.
    pub(crate) fn is_over(&self, now_s: i64, is_live: impl FnOnce(&str) -> bool) -> bool {
        now_s >= self.over_s() || matches!(&self.lasting, Lasting::Session(session) if !is_live(session))
    }

    /// The second at which it is over when nothing more happens.
    fn over_s(&self) -> i64 {
        match self.lasting {
            Lasting::Offline => self.ends_s.min(self.used_s + limits::OFFLINE_IDLE_S),
            Lasting::Once | Lasting::Session(_) => self.ends_s,
        }
    }
}

/// What a family is made of.
pub(crate) struct NewFamily {
    pub(crate) id: Arc<str>,
    pub(crate) client_id: Arc<str>,
    pub(crate) user: Arc<str>,
    pub(crate) scope_text: Arc<str>,
    pub(crate) launch: Arc<LaunchContext>,
    pub(crate) confirmation: Option<Confirmation>,
    pub(crate) signed_in_s: i64,
    pub(crate) lasting: Lasting,
    pub(crate) ends_s: i64,
}

/// Why a refresh token gets nothing. Outside all are `invalid_grant`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum RefreshError {
    /// Not one of ours, or its family is gone.
    Unknown,
    /// It belongs to another client.
    OtherClient,
    /// Bound to a key that the request does not prove.
    Unproven,
    /// Past its end, or its session is.
    Over,
    /// It was used before: the family of this name is dead now.
    Replayed(Arc<str>),
    /// The table fails; the text is for the log.
    Unavailable(String),
}

impl From<Unavailable> for RefreshError {
    fn from(error: Unavailable) -> Self {
        Self::Unavailable(error.0)
    }
}

/// Who asks for a refresh.
pub(crate) struct Asker<'a> {
    pub(crate) client_id: &'a str,
    /// The key that the request proves.
    pub(crate) confirmation: Option<Confirmation>,
    pub(crate) now_s: i64,
    /// Whether a session is live.
    pub(crate) is_live: &'a dyn Fn(&str) -> bool,
}

const SHARDS: usize = 64;

/// Whose a family is, and when it is over: for each in memory.
struct Whose {
    client_id: Arc<str>,
    user: Arc<str>,
    over_s: i64,
    signed_in_s: i64,
}

#[derive(Default)]
struct Index {
    all: HashMap<Arc<str>, Whose>,
    by_user: HashMap<Arc<str>, BTreeSet<Arc<str>>>,
}

impl Index {
    fn put(&mut self, family: &Family) {
        self.by_user.entry(Arc::clone(&family.user)).or_default().insert(Arc::clone(&family.id));
        let whose = Whose {
            client_id: Arc::clone(&family.client_id),
            user: Arc::clone(&family.user),
            over_s: family.over_s(),
            signed_in_s: family.signed_in_s,
        };
        self.all.insert(Arc::clone(&family.id), whose);
    }

    fn remove(&mut self, id: &str) -> bool {
        let Some(whose) = self.all.remove(id) else { return false };
        if let Some(own) = self.by_user.get_mut(&whose.user) {
            own.remove(id);
            if own.is_empty() {
                self.by_user.remove(&whose.user);
            }
        }
        true
    }
}

/// The families.
pub(crate) struct Families {
    table: Arc<dyn Table>,
    pepper: Arc<Pepper>,
    index: Mutex<Index>,
    /// Families that were revoked before they began: their code came again while it was being redeemed. With the
    /// second when that may be forgotten.
    doomed: Mutex<HashMap<Arc<str>, i64>>,
    /// INVARIANT: one change at a time of each family: the lock spans look and change.
    shards: [Mutex<()>; SHARDS],
}

impl Families {
    /// Reads the table. Families that are over, and those that `keep` refuses (their client is gone), are removed.
    pub(crate) fn open(
        table: Arc<dyn Table>,
        pepper: Arc<Pepper>,
        now_s: i64,
        keep: impl Fn(&str) -> bool,
    ) -> Result<Self, Unavailable> {
        let mut index = Index::default();
        let mut dead = Vec::new();
        for (key, row) in table.all()? {
            let family = row::decode(&key, &row).ok_or_else(malformed)?;
            if family.is_over(now_s, |_| true) || !keep(&family.client_id) {
                dead.push(key);
            } else {
                index.put(&family);
            }
        }
        if !dead.is_empty() {
            table.remove_all(&dead)?;
        }
        Ok(Self {
            table,
            pepper,
            index: Mutex::new(index),
            doomed: Mutex::default(),
            shards: std::array::from_fn(|_| Mutex::new(())),
        })
    }

    /// When the person signed in before they let the app in; `None`: there is no such family.
    pub(crate) fn signed_in_s(&self, id: &str) -> Option<i64> {
        self.index.lock().unwrap_or_else(PoisonError::into_inner).all.get(id).map(|whose| whose.signed_in_s)
    }

    /// Begins a family; its first refresh token, when it has any. Blocks on the disk.
    pub(crate) fn begin(&self, new: NewFamily, now_s: i64) -> Result<Option<Secret>, RefreshError> {
        let (token, refresh) = match new.lasting {
            Lasting::Once => (None, None),
            Lasting::Session(_) | Lasting::Offline => {
                let token = token::first(&self.pepper, &new.id).ok_or_else(no_randomness)?;
                let hash = TokenHash::of(token.expose());
                (Some(token), Some(Refresh { generation: 0, hash, before: None, rotated_s: now_s }))
            }
        };
        let family = Family {
            id: new.id,
            client_id: new.client_id,
            user: new.user,
            scope_text: new.scope_text,
            launch: new.launch,
            confirmation: new.confirmation,
            began_s: now_s,
            signed_in_s: new.signed_in_s,
            lasting: new.lasting,
            ends_s: new.ends_s,
            used_s: now_s,
            refresh,
        };
        let _guard = self.lock(&family.id);
        if self.doomed().contains_key(&family.id) {
            return Err(RefreshError::Replayed(family.id));
        }
        self.put(&family)?;
        Ok(token)
    }

    /// A refresh: the family, and the token that takes the place of the one presented. Blocks on the disk.
    pub(crate) fn rotate(&self, presented: &str, asker: &Asker<'_>) -> Result<(Family, Secret), RefreshError> {
        let parts = token::Parts::read(&self.pepper, presented).ok_or(RefreshError::Unknown)?;
        let _guard = self.lock(&parts.family);
        let mut family = self.family(&parts.family)?.ok_or(RefreshError::Unknown)?;
        if *family.client_id != *asker.client_id {
            return Err(RefreshError::OtherClient);
        }
        if family.is_over(asker.now_s, asker.is_live) {
            self.remove(&family.id)?;
            return Err(RefreshError::Over);
        }
        if family.confirmation.is_some() && family.confirmation != asker.confirmation {
            return Err(RefreshError::Unproven);
        }
        let hash = TokenHash::of(presented);
        let Some(refresh) = family.refresh.take() else { return Err(RefreshError::Unknown) };
        let in_grace = refresh.before == Some(hash) && asker.now_s < refresh.rotated_s + limits::REFRESH_GRACE_S;
        if refresh.hash != hash && !in_grace {
            self.remove(&family.id)?;
            return Err(RefreshError::Replayed(family.id));
        }
        let successor = token::successor(&self.pepper, &parts, presented).ok_or(RefreshError::Unknown)?;
        if in_grace {
            family.refresh = Some(refresh);
            return Ok((family, successor));
        }
        family.used_s = asker.now_s;
        family.refresh = Some(Refresh {
            generation: parts.generation + 1,
            hash: TokenHash::of(successor.expose()),
            before: Some(hash),
            rotated_s: asker.now_s,
        });
        self.put(&family)?;
        Ok((family, successor))
    }

    /// Whose refresh token this is, whether it counts or not: one that comes again must find its family.
    pub(crate) fn client_of_token(&self, presented: &str) -> Result<Option<Arc<str>>, Unavailable> {
        let Some(parts) = token::Parts::read(&self.pepper, presented) else { return Ok(None) };
        Ok(self.family(&parts.family)?.map(|family| family.client_id))
    }

    /// The family of a refresh token that counts now (or just before, within the grace).
    pub(crate) fn of_token(&self, presented: &str, now_s: i64) -> Result<Option<Family>, Unavailable> {
        let Some(parts) = token::Parts::read(&self.pepper, presented) else { return Ok(None) };
        let hash = TokenHash::of(presented);
        let family = self.family(&parts.family)?.filter(|family| !family.is_over(now_s, |_| true));
        Ok(family.filter(|family| {
            family.refresh.as_ref().is_some_and(|refresh| {
                let in_grace = refresh.before == Some(hash) && now_s < refresh.rotated_s + limits::REFRESH_GRACE_S;
                refresh.hash == hash || in_grace
            })
        }))
    }

    /// Ends a family. `false`: there is none. Its access tokens are for the caller to end. Blocks on the disk.
    pub(crate) fn revoke(&self, id: &str) -> Result<bool, Unavailable> {
        let _guard = self.lock(id);
        let there = self.index().all.contains_key(id);
        // The row may be there although the index has lost it: of a removal that the disk did not take.
        self.remove(id)?;
        Ok(there)
    }

    /// Ends a family that may not have begun yet: its code came again. Blocks on the disk.
    pub(crate) fn revoke_of_code(&self, id: &str, now_s: i64) -> Result<bool, Unavailable> {
        let there = {
            let _guard = self.lock(id);
            let there = self.index().all.contains_key(id);
            if !there {
                self.doomed().insert(id.into(), now_s + limits::REFRESH_GRACE_S);
            }
            there
        };
        if there { self.revoke(id) } else { Ok(false) }
    }

    /// Whether it is there.
    pub(crate) fn is_live(&self, id: &str) -> bool {
        self.index().all.contains_key(id)
    }

    /// Whose it is.
    pub(crate) fn client_of(&self, id: &str) -> Option<Arc<str>> {
        self.index().all.get(id).map(|whose| Arc::clone(&whose.client_id))
    }

    /// Names of a person's families, with this client when one is given.
    pub(crate) fn of_user(&self, user: &str, client_id: Option<&str>) -> Vec<Arc<str>> {
        let index = self.index();
        let own = index.by_user.get(user).into_iter().flatten();
        let with = |id: &&Arc<str>| {
            let whose = index.all.get(&**id);
            client_id.is_none_or(|client_id| whose.is_some_and(|whose| *whose.client_id == *client_id))
        };
        own.filter(with).cloned().collect()
    }

    /// What a person lets apps have at this second, the latest first. `is_live` says whether a session is.
    pub(crate) fn standing(
        &self,
        user: &str,
        now_s: i64,
        is_live: &dyn Fn(&str) -> bool,
    ) -> Result<Vec<Family>, Unavailable> {
        let mut standing = Vec::new();
        for id in self.of_user(user, None) {
            // Its row goes before its place in the index does, or after: what has no row is over.
            standing.extend(self.family(&id)?.filter(|family| !family.is_over(now_s, is_live)));
        }
        standing.sort_by(|a, b| (b.began_s, &b.id).cmp(&(a.began_s, &a.id)));
        Ok(standing)
    }

    /// Names of a client's families.
    pub(crate) fn of_client(&self, client_id: &str) -> Vec<Arc<str>> {
        let index = self.index();
        index.all.iter().filter(|(_, whose)| *whose.client_id == *client_id).map(|(id, _)| Arc::clone(id)).collect()
    }

    /// The family of this name.
    pub(crate) fn family(&self, id: &str) -> Result<Option<Family>, Unavailable> {
        let row = self.table.value(id.as_bytes())?;
        row.map(|row| row::decode(id.as_bytes(), &row).ok_or_else(malformed)).transpose()
    }

    /// Forgets families that are over.
    pub(crate) fn sweep(&self, now_s: i64) -> Result<(), Unavailable> {
        self.doomed().retain(|_, until_s| *until_s > now_s);
        let past: Vec<Arc<str>> = {
            let index = self.index();
            index.all.iter().filter(|(_, whose)| whose.over_s <= now_s).map(|(id, _)| Arc::clone(id)).collect()
        };
        for id in past {
            let _guard = self.lock(&id);
            // Used in the meantime: it is not over.
            if self.index().all.get(&id).is_some_and(|whose| whose.over_s <= now_s) {
                self.remove(&id)?;
            }
        }
        Ok(())
    }

    fn put(&self, family: &Family) -> Result<(), Unavailable> {
        self.table.put(family.id.as_bytes(), &row::encode(family))?;
        self.index().put(family);
        Ok(())
    }

    /// Gone from memory in any case, so a failure of the table concerns a restart only.
    fn remove(&self, id: &str) -> Result<(), Unavailable> {
        self.index().remove(id);
        self.table.remove_all(&[id.as_bytes().to_vec()])
    }

    fn lock(&self, id: &str) -> Option<MutexGuard<'_, ()>> {
        let first = id.bytes().take(4).fold(0_usize, |sum, byte| sum.wrapping_mul(31).wrapping_add(usize::from(byte)));
        self.shards.get(first % SHARDS).map(|shard| shard.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn doomed(&self) -> MutexGuard<'_, HashMap<Arc<str>, i64>> {
        self.doomed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn index(&self) -> MutexGuard<'_, Index> {
        self.index.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn malformed() -> Unavailable {
    Unavailable("the row of a consent is malformed".into())
}

fn no_randomness() -> RefreshError {
    RefreshError::Unavailable("no randomness".into())
}

#[cfg(test)]
mod tests;
