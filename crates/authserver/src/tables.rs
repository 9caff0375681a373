//! The few durable tables that this server keeps, behind a small trait: the store's in production, memory in unit tests.
//!
//! | table | key | value |
//! |---|---|---|
//! | `oauth_clients` | client id | the registration, JSON |
//! | `oauth_client_invitations` | SHA-256 of the initial access token | how far it goes, JSON |
//! | `oauth_tokens` | SHA-256 of the token | the grant, JSON |
//! | `oauth_assertions` | SHA-256 of client id and `jti` | until when it may not come again, seconds, 8 bytes big-endian |
//! | `oauth_keys` | `signing` | the server's private keys, JSON |
//! | `oauth_keys` | `people` | the key under which people's secrets are kept, 32 bytes |
//! | `people_accounts` | account id | the account with what proves that it is them, JSON |
//! | `people_sessions` | SHA-256 of the cookie's value | the session, JSON |
//! | `oauth_keys` | `pepper` | the key under which secrets of clients are kept, 32 bytes |
//! | `oauth_keys` | `brands` | when what apps are told of the facility changed last, JSON |
//! | `oauth_codes` | SHA-256 of the code | what it stands for, or that it was used, JSON |
//! | `oauth_requests` | SHA-256 of the handle | a pushed request, or that it was used, JSON |
//! | `oauth_families` | name of the consent | what was granted, hashes of its refresh tokens, JSON |
//! | `udap_identity_providers` | URI of the community, a line feed, base URL of the provider | who we are there, JSON |
//! | `udap_communities` | URI | a trust community with our certificate and key in it, JSON |
//! | `people_glasses` | id of the case | a glass that was broken, and its reviews, JSON |
//! | `people_glasses_open` | id of the case | empty: the glass is open |
//! | `oauth_launches` | SHA-256 of the launch handle | what an app was opened for, or that it was used, JSON |

use std::{fmt, sync::Arc};
use store::Store;

/// Name of the table of live tokens.
const TOKENS: &str = "oauth_tokens";

/// Name of the table of authorization codes.
const CODES: &str = "oauth_codes";

/// Name of the table of pushed requests.
const REQUESTS: &str = "oauth_requests";

/// Name of the table of what people let apps have.
const FAMILIES: &str = "oauth_families";

/// Name of the table of launch handles.
const LAUNCHES: &str = "oauth_launches";

/// Tables that a store that is restored begins without: what was used or revoked since the backup must not come back to
/// life. People let their apps in again.
pub const NOT_RESTORED: [&str; 8] =
    [TOKENS, CODES, REQUESTS, FAMILIES, LAUNCHES, SESSIONS, CLIENT_INVITATIONS, OPEN_GLASSES];

/// Name of the table of initial access tokens.
const CLIENT_INVITATIONS: &str = "oauth_client_invitations";

/// Name of the table of glasses that are open.
const OPEN_GLASSES: &str = "people_glasses_open";

/// Name of the table of sessions.
const SESSIONS: &str = "people_sessions";

/// The table does not answer or does not take the change; the text is for the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unavailable(pub String);

impl fmt::Display for Unavailable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Unavailable {}

impl From<store::CommitError> for Unavailable {
    fn from(error: store::CommitError) -> Self {
        match error {
            store::CommitError::Unavailable(why) => Self(why),
            other => Self(other.to_string()),
        }
    }
}

/// Keys with their values.
pub(crate) type Rows = Vec<(Vec<u8>, Vec<u8>)>;

/// A durable table: when a change returns, it is on stable storage. Calls may block on the disk.
pub(crate) trait Table: Send + Sync {
    /// The value of a key.
    fn value(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Unavailable>;
    /// Sets a key.
    fn put(&self, key: &[u8], value: &[u8]) -> Result<(), Unavailable>;
    /// Sets a key that has no value; `false` when it has one. Atomic.
    fn insert_new(&self, key: &[u8], value: &[u8]) -> Result<bool, Unavailable>;
    /// Removes keys, those that have no value too.
    fn remove_all(&self, keys: &[Vec<u8>]) -> Result<(), Unavailable>;
    /// All pairs.
    fn all(&self) -> Result<Rows, Unavailable>;
}

impl Table for store::tables::Table {
    fn value(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Unavailable> {
        Ok(Self::value(self, key)?)
    }

    fn put(&self, key: &[u8], value: &[u8]) -> Result<(), Unavailable> {
        Ok(Self::put(self, key, value)?)
    }

    fn insert_new(&self, key: &[u8], value: &[u8]) -> Result<bool, Unavailable> {
        Ok(Self::insert_new(self, key, value)?)
    }

    fn remove_all(&self, keys: &[Vec<u8>]) -> Result<(), Unavailable> {
        Ok(Self::remove_all(self, keys)?)
    }

    fn all(&self) -> Result<Rows, Unavailable> {
        Ok(Self::all(self)?)
    }
}

/// All tables of the authorization server.
#[derive(Clone)]
pub(crate) struct Tables {
    pub(crate) clients: Arc<dyn Table>,
    pub(crate) client_invitations: Arc<dyn Table>,
    pub(crate) tokens: Arc<dyn Table>,
    pub(crate) assertions: Arc<dyn Table>,
    pub(crate) keys: Arc<dyn Table>,
    pub(crate) accounts: Arc<dyn Table>,
    pub(crate) sessions: Arc<dyn Table>,
    pub(crate) codes: Arc<dyn Table>,
    pub(crate) requests: Arc<dyn Table>,
    pub(crate) families: Arc<dyn Table>,
    pub(crate) launches: Arc<dyn Table>,
    pub(crate) glasses: Arc<dyn Table>,
    pub(crate) open_glasses: Arc<dyn Table>,
    pub(crate) communities: Arc<dyn Table>,
    pub(crate) identity_providers: Arc<dyn Table>,
}

impl Tables {
    /// The store's.
    pub(crate) fn of_store(store: &Store) -> Result<Self, store::OpenError> {
        Ok(Self {
            clients: Arc::new(store.table("oauth_clients")?),
            client_invitations: Arc::new(store.table(CLIENT_INVITATIONS)?),
            tokens: Arc::new(store.table(TOKENS)?),
            assertions: Arc::new(store.table("oauth_assertions")?),
            keys: Arc::new(store.table("oauth_keys")?),
            accounts: Arc::new(store.table("people_accounts")?),
            sessions: Arc::new(store.table(SESSIONS)?),
            codes: Arc::new(store.table(CODES)?),
            requests: Arc::new(store.table(REQUESTS)?),
            families: Arc::new(store.table(FAMILIES)?),
            launches: Arc::new(store.table(LAUNCHES)?),
            glasses: Arc::new(store.table("people_glasses")?),
            open_glasses: Arc::new(store.table(OPEN_GLASSES)?),
            communities: Arc::new(store.table("udap_communities")?),
            identity_providers: Arc::new(store.table("udap_identity_providers")?),
        })
    }
}

#[cfg(test)]
pub(crate) mod memory;
