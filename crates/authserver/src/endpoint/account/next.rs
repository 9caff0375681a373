//! What comes after signing in: a handle, never an address. SPEC: row F61 (open redirect); RFC 6749 section 10.15.
//!
//! A handle is a word of ours for one of our own pages, or the name of an authorization request that the server keeps.
//! Whatever else stands in the field leads nowhere but home.

use crate::{page, people::session::Session, service::Inner};
use pages::{fields, paths};

/// Back to the security page.
pub(super) const TO_SECURITY: &str = "to-security";
/// On to a new password.
pub(super) const TO_PASSWORD: &str = "to-password";
/// On to a new passkey.
pub(super) const TO_PASSKEY: &str = "to-passkey";
/// On to an authenticator app.
pub(super) const TO_AUTHENTICATOR: &str = "to-authenticator";

/// On to my apps.
pub(super) const TO_APPS: &str = "to-apps";
/// On to the facility's apps.
pub(super) const TO_CLIENTS: &str = "to-clients";
/// On to organizations that joined by a trust community.
pub(super) const TO_PARTNERS: &str = "to-partners";
/// On to who saw the record.
pub(super) const TO_SEEN: &str = "to-seen";
/// On to what is shared.
pub(super) const TO_CHOICES: &str = "to-choices";
/// On to a choice about sharing that was begun.
pub(super) const TO_CHOICE_NEW: &str = "to-choice-new";
/// On to what a privacy officer looks after.
pub(super) const TO_PRIVACY: &str = "to-privacy";
/// On to a new one of them.
pub(super) const TO_CLIENT_NEW: &str = "to-client-new";
/// On to a record in an emergency.
pub(super) const TO_EMERGENCY: &str = "to-emergency";
/// On to the emergencies of others.
pub(super) const TO_CASES: &str = "to-cases";
/// On to opening an app.
pub(super) const TO_LAUNCH: &str = "to-launch";

/// Characters of a handle at most.
const HANDLE_CHARS_MAX: usize = 128;

/// A handle from a form or query; `None` for what cannot be one.
pub(super) fn handle(text: Option<&str>) -> Option<&str> {
    let is_fine = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    text.filter(|text| !text.is_empty() && text.len() <= HANDLE_CHARS_MAX && text.bytes().all(is_fine))
}

/// Where a handle leads.
fn path(handle: &str) -> String {
    match handle {
        TO_SECURITY => paths::SECURITY.to_owned(),
        TO_PASSWORD => paths::PASSWORD.to_owned(),
        TO_PASSKEY => paths::PASSKEY_ADD.to_owned(),
        TO_APPS => paths::APPS.to_owned(),
        TO_CLIENTS => paths::CLIENTS.to_owned(),
        TO_PARTNERS => paths::PARTNERS.to_owned(),
        TO_CLIENT_NEW => paths::CLIENT_NEW.to_owned(),
        TO_EMERGENCY => paths::EMERGENCY.to_owned(),
        TO_CASES => paths::CASES.to_owned(),
        TO_SEEN => paths::SEEN.to_owned(),
        TO_CHOICES => paths::CHOICES.to_owned(),
        TO_CHOICE_NEW => paths::CHOICE_NEW.to_owned(),
        TO_PRIVACY => paths::OFFICER.to_owned(),
        TO_LAUNCH => paths::LAUNCH.to_owned(),
        TO_AUTHENTICATOR => paths::AUTHENTICATOR.to_owned(),
        handle => format!("/oauth/authorize?{}={handle}", fields::CONTINUATION),
    }
}

/// Where somebody goes who has just signed in.
pub(super) fn after(inner: &Inner, session: &Session, handle: Option<&str>) -> String {
    if !session.is_complete {
        let handle = handle.filter(|handle| *handle != TO_PASSKEY);
        return with_handle(paths::PASSKEY_ADD, handle);
    }
    match (handle, inner.people.account(&session.account)) {
        (Some(handle), _) => path(handle),
        (None, Some(account)) => page::home(&account).to_owned(),
        (None, None) => paths::SECURITY.to_owned(),
    }
}

/// The sign-in page, with what waits behind it.
pub(super) fn to_sign_in(handle: Option<&str>) -> String {
    with_handle(paths::SIGN_IN, handle)
}

/// A path of ours with a handle.
pub(super) fn with_handle(path: &str, handle: Option<&str>) -> String {
    match handle {
        Some(handle) => format!("{path}?{}={handle}", fields::CONTINUATION),
        None => path.to_owned(),
    }
}
