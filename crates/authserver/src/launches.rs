//! Launch handles: what a clinician opened an app with, until that app asks for it. SPEC: SMART App Launch 2.2, EHR
//! launch; row B23.
//!
//! A handle is opaque, works once and for [`limits::LAUNCH_LIFE_S`], over a restart too, and is bound to the session and
//! the person that it was made in and to the app that was opened. Whoever presents it ends it, also when it gets them
//! nothing: a handle that turned up at the wrong place is known to somebody who should not know it.
//!
//! What it stands for never leaves the server: the address that the app is opened with has the handle alone.

use crate::{
    limits,
    people::session::Session,
    random,
    single_use::{GiveError, SingleUse, Taken},
    tables::{Table, Unavailable},
};
use oauth::{launch_context::LaunchContext, secret::Secret};
use serde_json::{Value, json};
use std::sync::Arc;

/// What a clinician opened an app for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Launched {
    /// Patient, encounter and all else in context.
    pub(crate) context: LaunchContext,
    /// `sub` of the person who opened it.
    pub(crate) user: Arc<str>,
}

/// Why a handle gets nothing. To an app all but the last are one.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum LaunchError {
    /// Never given out, or too old.
    Unknown,
    /// It was presented before.
    Used,
    /// Another app was opened with it.
    OtherClient,
    /// It was made in another session, of this person or of another.
    OtherSession,
    /// The table fails; the text is for the log.
    Unavailable(String),
}

impl LaunchError {
    /// For the audit log.
    pub(crate) const fn reason(&self) -> &'static str {
        match self {
            Self::Unknown => "the launch is unknown or too old",
            Self::Used => "the launch was used before",
            Self::OtherClient => "the launch is another client's",
            Self::OtherSession => "the launch is another session's",
            Self::Unavailable(_) => "the launch could not be looked up",
        }
    }
}

impl From<Unavailable> for LaunchError {
    fn from(error: Unavailable) -> Self {
        Self::Unavailable(error.0)
    }
}

/// The handles.
pub(crate) struct Launches {
    given: SingleUse,
}

impl Launches {
    /// Reads the table.
    pub(crate) fn open(table: Arc<dyn Table>) -> Result<Self, Unavailable> {
        Ok(Self { given: SingleUse::open(table, limits::LAUNCH_LIFE_S)? })
    }

    /// A new handle, for the app to come back with in this session. Blocks on the disk.
    pub(crate) fn give(
        &self,
        context: &LaunchContext,
        client_id: &str,
        session: &Session,
        now_s: i64,
    ) -> Result<Secret, GiveError> {
        let kept = json!({
            "client_id": client_id,
            "session": random::hex(&session.hash),
            "sub": &*session.account,
            "launch": context.to_kept(),
        });
        self.given.give(&kept, now_s)
    }

    /// Takes a handle: the first one who comes, when it is theirs. Blocks on the disk.
    pub(crate) fn take(
        &self,
        handle: &str,
        client_id: &str,
        session: &Session,
        now_s: i64,
    ) -> Result<Launched, LaunchError> {
        let kept = match self.given.take(handle, now_s, "")? {
            Taken::First(kept) => kept,
            Taken::Again(_) => return Err(LaunchError::Used),
            Taken::Unknown => return Err(LaunchError::Unknown),
        };
        let text = |name: &str| kept.get(name).and_then(Value::as_str).ok_or_else(malformed);
        if text("client_id")? != client_id {
            return Err(LaunchError::OtherClient);
        }
        let user = text("sub")?;
        if text("session")? != random::hex(&session.hash) || user != &*session.account {
            return Err(LaunchError::OtherSession);
        }
        let context = kept.get("launch").and_then(LaunchContext::from_kept).ok_or_else(malformed)?;
        Ok(Launched { context, user: user.into() })
    }

    /// Forgets what is past its end.
    pub(crate) fn sweep(&self, now_s: i64) -> Result<(), Unavailable> {
        self.given.sweep(now_s)
    }
}

fn malformed() -> LaunchError {
    LaunchError::Unavailable("the row of a launch is malformed".into())
}

#[cfg(test)]
mod tests;
