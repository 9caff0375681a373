//! Where pages live: what forms are sent to and links lead to. All are paths of this server; no page holds another
//! address. The caller routes them; a query parameter named here as a [`crate::fields`] constant rides along.

/// GET with `continuation`: the sign-in page. POST: `user`, `password`.
pub const SIGN_IN: &str = "/account/sign-in";
/// GET with `provider`, `continuation` or `invitation`: on to an outside OpenID provider.
pub const SIGN_IN_OUTSIDE: &str = "/account/sign-in/outside";
/// GET: back from it.
pub const SIGN_IN_OUTSIDE_BACK: &str = "/account/sign-in/outside/back";
/// GET with `continuation`: on with what an app asked for.
pub const AUTHORIZE: &str = "/oauth/authorize";
/// GET with `continuation`: before somebody goes to an identity provider that an app named (UDAP).
pub const IDP: &str = "/account/udap";
/// GET with `continuation`: on to it.
pub const IDP_GO: &str = "/account/udap/go";
/// GET: back from it.
pub const IDP_BACK: &str = "/account/udap/back";
/// GET with `continuation`: the second factor. POST: `code`, `way`.
pub const SECOND_FACTOR: &str = "/account/second-factor";
/// POST: `credential`. Signs in, or proves the second factor, by a passkey.
pub const PASSKEY_SIGN_IN: &str = "/account/passkey/sign-in";
/// GET: the page that adds a passkey. POST: `credential`, `name`; or `decision=later`.
pub const PASSKEY_ADD: &str = "/account/passkey/add";
/// POST: `passkey` (its id).
pub const PASSKEY_REMOVE: &str = "/account/passkey/remove";
/// POST: ends the session.
pub const SIGN_OUT: &str = "/account/sign-out";
/// GET with `invitation`: the page behind the link of an invitation. POST: `user`, `password`, `code`.
pub const INVITATION: &str = "/account/invitation";
/// GET: the way back in. POST: `user`, `code`; then `password`.
pub const RECOVERY: &str = "/account/recovery";
/// GET with `continuation` and `filter`: whose record. POST: `patient`.
pub const PATIENT: &str = "/account/patient";
/// GET with `continuation`: which visit. POST: `encounter`, or `decision=without`.
pub const VISIT: &str = "/account/visit";
/// GET with `continuation`: the consent page. POST: `decision`, `group`, `scope`, `lasts`.
pub const CONSENT: &str = "/account/consent";
/// GET: the apps that a person lets in (`management_endpoint`, row B62). POST: `decision=end` ends them all.
pub const APPS: &str = "/account/apps";
/// GET with `grant`: one of them. POST: `grant`, `decision=end`.
pub const APP: &str = "/account/app";
/// GET: passkeys, password, authenticator, devices.
pub const SECURITY: &str = "/account/security";
/// GET: the form for a new password. POST: `current`, `password`.
pub const PASSWORD: &str = "/account/security/password";
/// GET: sets up an authenticator app. POST: `code`; or `decision=remove`.
pub const AUTHENTICATOR: &str = "/account/security/authenticator";
/// POST: new recovery codes; the answer shows them once.
pub const RECOVERY_CODES: &str = "/account/security/recovery-codes";
/// POST: `session` (its id), or `session=others`.
pub const SESSION_END: &str = "/account/security/session";
/// GET with `filter` or `patient`: a clinician's way to open an app. POST: `patient`, `encounter`, `client`.
pub const LAUNCH: &str = "/account/launch";
/// GET: a clinician's way to a record in an emergency. POST: `decision` of `find` with `number`, or `given`, `family` and
/// `born`; of `break` with `patient`, `reason`, `words`; of `end` with `case`.
pub const EMERGENCY: &str = "/account/emergency";
/// GET: emergencies that wait for a privacy officer's verdict.
pub const CASES: &str = "/account/cases";
/// GET with `case`: one of them. POST: `case`, `verdict`, `note`.
pub const CASE: &str = "/account/case";
/// GET: the apps of this facility, for its administrator.
pub const CLIENTS: &str = "/account/clients";
/// GET: the form. POST: registers.
pub const CLIENT_NEW: &str = "/account/clients/new";
/// GET with `client`: one of them. POST: `client`, `decision` of `new-secret`, `drop-secret`, `disable`, `enable`.
pub const CLIENT: &str = "/account/client";
/// GET: communities and who joined by them. POST: `client`, `decision` of `approve`, `cancel`.
pub const PARTNERS: &str = "/account/partners";
/// GET with `patient`, `until`: who saw a record.
pub const SEEN: &str = "/account/seen";
/// GET with `patient`: the same as a table (CSV).
pub const SEEN_TABLE: &str = "/account/seen/table";
/// GET with `patient`: what is shared of a record.
pub const CHOICES: &str = "/account/choices";
/// GET with `patient`, `who`: the form of a choice. POST: its fields; `decision` of `preview`, `change`, `confirm` with
/// `shown`.
pub const CHOICE_NEW: &str = "/account/choices/new";
/// GET with `patient`, `choice`: what its end would do. POST: the same, `shown`, `decision=confirm`.
pub const CHOICE_END: &str = "/account/choices/end";
/// GET: what waits for the privacy officer.
pub const OFFICER: &str = "/account/privacy";
/// GET with `person`, `patient`, `client`, `from`, `until`, `refused`, `emergency`, `cursor`: the log.
pub const EVENTS: &str = "/account/privacy/events";
/// GET with `event`: one event of the log.
pub const EVENT: &str = "/account/privacy/event";
/// GET: unusual access.
pub const UNUSUAL: &str = "/account/privacy/unusual";
/// GET with `alarm`: one of them. POST: `alarm`, `verdict`, `note`, `decision=review`.
pub const UNUSUAL_ONE: &str = "/account/privacy/unusual/one";
