//! The live access tokens: a hash table in memory for each request's look-up, a durable table behind it for restarts.
//! SPEC: rows B61 and B63, C10. A revoked token is gone with the next look-up.
//!
//! A look-up is one SHA-256 and one read of a sharded table. Only hashes are kept; the durable row has the grant
//! ([`row`]).

mod row;

use crate::{
    limits,
    tables::{Table, Unavailable},
    token::{self, TokenHash},
};
use fhir::Instant;
use oauth::{
    caller::{Acting, Confirmation, Grant, Standing, User},
    launch_context::LaunchContext,
    scope::Scope,
    secret::Secret,
};
use row::{decode, encode};
use std::{
    collections::{BTreeSet, HashMap},
    hash::{BuildHasherDefault, Hasher},
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock},
};

/// Independent parts of the table, so that look-ups on many cores do not meet.
const SHARDS: usize = 64;

type Shard = RwLock<HashMap<TokenHash, Arc<Grant>, BuildHasherDefault<FirstBytes>>>;

/// To whom a token belongs, and with whom it dies.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Owner {
    /// A system.
    Client(Arc<str>),
    /// The consent of a person: see [`crate::families`].
    Family(Arc<str>),
}

impl Owner {
    fn of(grant: &Grant) -> Self {
        match &grant.family {
            Some(family) => Self::Family(Arc::clone(family)),
            None => Self::Client(Arc::clone(&grant.client_id)),
        }
    }

    /// Live tokens of one.
    fn tokens_max(&self) -> usize {
        match self {
            Self::Client(_) => limits::CLIENT_TOKENS_MAX,
            Self::Family(_) => limits::FAMILY_TOKENS_MAX,
        }
    }
}

/// An owner's tokens, each behind its end.
type ByOwner = HashMap<Owner, BTreeSet<(i64, TokenHash)>>;

/// Why no token was issued.
#[derive(Debug)]
pub(crate) enum IssueError {
    /// The client has as many as it may.
    TooMany {
        /// Seconds until the oldest ends.
        retry_after_s: u64,
    },
    /// No randomness, or the table does not take it.
    Unavailable(String),
}

impl From<Unavailable> for IssueError {
    fn from(error: Unavailable) -> Self {
        Self::Unavailable(error.0)
    }
}

/// The tokens.
pub(crate) struct LiveTokenTable {
    shards: Vec<Shard>,
    table: Arc<dyn Table>,
    /// By owner, each with its end: for limits, sweeping and revoking all.
    by_owner: Mutex<ByOwner>,
}

impl LiveTokenTable {
    /// Reads the table. Tokens past their end, and those that `keep` refuses (their client or family is gone), are left
    /// out.
    pub(crate) fn open(table: Arc<dyn Table>, now_s: i64, keep: impl Fn(&Grant) -> bool) -> Result<Self, Unavailable> {
        let rows = table.all()?;
        let tokens = Self {
            shards: (0..SHARDS).map(|_| Shard::default()).collect(),
            table,
            by_owner: Mutex::new(HashMap::new()),
        };
        let mut dead = Vec::new();
        for (key, value) in rows {
            let row = TokenHash::from_bytes(&key).and_then(|hash| Some((hash, decode(&hash, &value)?)));
            let (hash, grant) = row.ok_or_else(|| Unavailable("a token's row is malformed".into()))?;
            if grant.expires_at_s > now_s && keep(&grant) {
                tokens.index().entry(Owner::of(&grant)).or_default().insert((grant.expires_at_s, hash));
                tokens.remember(hash, Arc::new(grant));
            } else {
                dead.push(key);
            }
        }
        if !dead.is_empty() {
            tokens.table.remove_all(&dead)?;
        }
        Ok(tokens)
    }

    /// Issues a token; it is on stable storage when this returns.
    pub(crate) fn issue(&self, grant: NewGrant) -> Result<(Secret, Arc<Grant>), IssueError> {
        let now_s = grant.now.unix_seconds();
        let token = token::new().map_err(|_| IssueError::Unavailable("no randomness".into()))?;
        let hash = TokenHash::of(token.expose());
        let grant = Arc::new(Grant {
            client_id: grant.client_id,
            client_name: grant.client_name,
            scopes: grant.scopes,
            scope_text: grant.scope_text,
            issued_at_s: now_s,
            expires_at_s: now_s + limits::TOKEN_LIFE_S,
            token_name: hash.name().into(),
            user: grant.user,
            launch: grant.launch,
            confirmation: grant.confirmation,
            family: grant.family,
            acting: grant.acting,
            standing: grant.standing,
            purposes: Arc::default(),
        });
        {
            let mut index = self.index();
            let owner = Owner::of(&grant);
            let tokens_max = owner.tokens_max();
            let own = index.entry(owner).or_default();
            if own.len() >= tokens_max {
                let oldest = own.first().map_or(now_s, |(ends_s, _)| *ends_s);
                return Err(IssueError::TooMany { retry_after_s: u64::try_from(oldest - now_s).unwrap_or(0).max(1) });
            }
            own.insert((grant.expires_at_s, hash));
        }
        if let Err(error) = self.table.put(hash.as_bytes(), &encode(&grant)) {
            self.forget(&hash, &grant);
            return Err(error.into());
        }
        self.remember(hash, Arc::clone(&grant));
        Ok((token, grant))
    }

    /// The grant of a token as presented, ended or not; a revoked one has none.
    pub(crate) fn grant(&self, token: &str) -> Option<Arc<Grant>> {
        if token.len() > oauth::limits::TOKEN_BYTES_MAX {
            return None;
        }
        let hash = TokenHash::of(token);
        self.shard(&hash)?.read().unwrap_or_else(PoisonError::into_inner).get(&hash).cloned()
    }

    /// Revokes a token of this client. `None`: there is none of its own. Gone from memory in any case, so a failure
    /// of the table concerns a restart only.
    pub(crate) fn revoke(&self, token: &str, client_id: &str) -> Result<Option<Arc<str>>, Unavailable> {
        let hash = TokenHash::of(token);
        // A row without its token in memory is left of a revocation that the disk did not take.
        let grant = match self.grant(token) {
            Some(grant) => Some(grant),
            None => self.table.value(hash.as_bytes())?.and_then(|row| decode(&hash, &row)).map(Arc::new),
        };
        let Some(grant) = grant.filter(|grant| *grant.client_id == *client_id) else {
            return Ok(None);
        };
        self.forget(&hash, &grant);
        self.table.remove_all(&[hash.as_bytes().to_vec()])?;
        Ok(Some(Arc::clone(&grant.token_name)))
    }

    /// Revokes all tokens of a system.
    pub(crate) fn revoke_all(&self, client_id: &str) -> Result<usize, Unavailable> {
        self.revoke_owned(&Owner::Client(client_id.into()))
    }

    /// Revokes all tokens of a family.
    pub(crate) fn revoke_family(&self, family: &str) -> Result<usize, Unavailable> {
        self.revoke_owned(&Owner::Family(family.into()))
    }

    fn revoke_owned(&self, owner: &Owner) -> Result<usize, Unavailable> {
        let own = self.index().remove(owner).unwrap_or_default();
        for (_, hash) in &own {
            self.drop_one(hash);
        }
        let keys: Vec<Vec<u8>> = own.iter().map(|(_, hash)| hash.as_bytes().to_vec()).collect();
        if !keys.is_empty() {
            self.table.remove_all(&keys)?;
        }
        Ok(keys.len())
    }

    /// Revokes all tokens that were issued on behalf of a person.
    pub(crate) fn revoke_user(&self, id: &str) -> Result<usize, Unavailable> {
        let is_theirs = |grant: &Grant| grant.user.as_ref().is_some_and(|user| *user.id == *id);
        let mut theirs: Vec<(TokenHash, Arc<Grant>)> = Vec::new();
        for shard in &self.shards {
            let shard = shard.read().unwrap_or_else(PoisonError::into_inner);
            theirs.extend(
                shard.iter().filter(|(_, grant)| is_theirs(grant)).map(|(hash, grant)| (*hash, Arc::clone(grant))),
            );
        }
        for (hash, grant) in &theirs {
            self.forget(hash, grant);
        }
        let keys: Vec<Vec<u8>> = theirs.iter().map(|(hash, _)| hash.as_bytes().to_vec()).collect();
        if !keys.is_empty() {
            self.table.remove_all(&keys)?;
        }
        Ok(keys.len())
    }

    /// Forgets tokens past their end.
    pub(crate) fn sweep(&self, now_s: i64) -> Result<(), Unavailable> {
        let mut ended = Vec::new();
        self.index().retain(|_, own| {
            while let Some(first) = own.first().copied().filter(|(ends_s, _)| *ends_s <= now_s) {
                own.remove(&first);
                ended.push(first.1);
            }
            !own.is_empty()
        });
        for hash in &ended {
            self.drop_one(hash);
        }
        if ended.is_empty() {
            return Ok(());
        }
        self.table.remove_all(&ended.iter().map(|hash| hash.as_bytes().to_vec()).collect::<Vec<_>>())
    }

    fn remember(&self, hash: TokenHash, grant: Arc<Grant>) {
        if let Some(shard) = self.shard(&hash) {
            shard.write().unwrap_or_else(PoisonError::into_inner).insert(hash, grant);
        }
    }

    fn forget(&self, hash: &TokenHash, grant: &Grant) {
        self.drop_one(hash);
        if let Some(own) = self.index().get_mut(&Owner::of(grant)) {
            own.remove(&(grant.expires_at_s, *hash));
        }
    }

    fn drop_one(&self, hash: &TokenHash) {
        if let Some(shard) = self.shard(hash) {
            shard.write().unwrap_or_else(PoisonError::into_inner).remove(hash);
        }
    }

    fn shard(&self, hash: &TokenHash) -> Option<&Shard> {
        let [.., last] = hash.as_bytes();
        self.shards.get(usize::from(*last) % SHARDS)
    }

    fn index(&self) -> MutexGuard<'_, ByOwner> {
        self.by_owner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a token is issued for.
pub(crate) struct NewGrant {
    pub(crate) client_id: Arc<str>,
    pub(crate) client_name: Arc<str>,
    pub(crate) scopes: Arc<[Scope]>,
    pub(crate) scope_text: Arc<str>,
    pub(crate) user: Option<Arc<User>>,
    pub(crate) launch: Arc<LaunchContext>,
    pub(crate) confirmation: Option<Confirmation>,
    pub(crate) family: Option<Arc<str>>,
    pub(crate) acting: Option<Arc<Acting>>,
    pub(crate) standing: Standing,
    pub(crate) now: Instant,
}

/// A hasher for what is a hash already. Nobody can choose SHA-256 values that fall together beyond what they can
/// search for, and only those of issued tokens are in the table.
#[derive(Default)]
struct FirstBytes(u64);

impl Hasher for FirstBytes {
    fn write(&mut self, bytes: &[u8]) {
        if let Some(first) = bytes.first_chunk::<8>() {
            self.0 = u64::from_le_bytes(*first);
        }
    }

    fn write_usize(&mut self, _length: usize) {}

    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests;
