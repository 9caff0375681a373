//! Names of form fields and query parameters. The caller reads them by these constants.

/// The token against cross-site requests, on every form (row A18).
pub const CSRF: &str = "csrf";
/// The handle of what was being done, kept by the server; never an address.
pub const CONTINUATION: &str = "continuation";
/// `en` or `es`, in a query: choose the language, set [`crate::Language::cookie`], show the page again.
pub const LANGUAGE: &str = "language";
/// What was decided: [`SHARE`], [`DENY`], and others that each path names.
pub const DECISION: &str = "decision";
/// `decision`: let the app see what is chosen.
pub const SHARE: &str = "share";
/// `decision`: let it see nothing.
pub const DENY: &str = "deny";
/// `decision`: go on without a visit.
pub const WITHOUT: &str = "without";
/// `decision`: end an app's access.
pub const END: &str = "end";
/// `decision`: look for one patient.
pub const FIND: &str = "find";
/// `decision`: break the glass.
pub const BREAK: &str = "break";
/// A record number, to the letter.
pub const NUMBER: &str = "number";
/// A given name.
pub const GIVEN: &str = "given";
/// A family name.
pub const FAMILY: &str = "family";
/// A birthday, `YYYY-MM-DD`.
pub const BORN: &str = "born";
/// Why the glass is broken: [`crate::EmergencyReason::value`].
pub const REASON: &str = "reason";
/// The same in one's own words.
pub const WORDS: &str = "words";
/// Id of a case.
pub const CASE: &str = "case";
/// `decision`: not now.
pub const LATER: &str = "later";
/// `decision`: take away.
pub const REMOVE: &str = "remove";
/// `decision`: make a second secret of a client.
pub const NEW_SECRET: &str = "new-secret";
/// `decision`: end the older secret of a client.
pub const DROP_SECRET: &str = "drop-secret";
/// `decision`: stop a client.
pub const DISABLE: &str = "disable";
/// `decision`: let a client go on.
pub const ENABLE: &str = "enable";
/// `decision`: let an organization join.
pub const APPROVE: &str = "approve";
/// `decision`: end what an organization registered.
pub const CANCEL: &str = "cancel";
/// Repeated: an exact scope whose switch is on. Read it with [`crate::words::chosen`].
pub const SCOPE: &str = "scope";
/// Repeated: a group whose switch is on.
pub const GROUP: &str = "group";
/// How long: [`crate::Lasts::value`].
pub const LASTS: &str = "lasts";
/// Id of a patient.
pub const PATIENT: &str = "patient";
/// Id of an encounter; empty: none.
pub const ENCOUNTER: &str = "encounter";
/// What an app can be opened for, one on each line.
pub const INTENTS: &str = "intents";
/// Registration: what a system may act for.
pub const PURPOSES_OF_USE: &str = "purposes_of_use";
/// Words to look for in a list.
pub const FILTER: &str = "filter";
/// A sign-in name.
pub const USER: &str = "user";
/// A password; where there are two, the new one.
pub const PASSWORD: &str = "password";
/// The new password once more.
pub const AGAIN: &str = "again";
/// The password that is about to go.
pub const CURRENT: &str = "current";
/// A code: of an authenticator app, of a letter, of the recovery codes.
pub const CODE: &str = "code";
/// Which kind of code: [`AUTHENTICATOR`] or [`RECOVERY_CODE`].
pub const WAY: &str = "way";
/// `way`: six digits of an authenticator app.
pub const AUTHENTICATOR: &str = "authenticator";
/// `way`: a recovery code.
pub const RECOVERY_CODE: &str = "recovery";
/// A WebAuthn credential as JSON (`PublicKeyCredential.toJSON()`), written by the passkey script.
pub const CREDENTIAL: &str = "credential";
/// What a person calls a passkey; the name of an app.
pub const NAME: &str = "name";
/// Id of an outside OpenID provider.
pub const PROVIDER: &str = "provider";
/// Handle of an invitation.
pub const INVITATION: &str = "invitation";
/// Handle of a recovery whose code was right.
pub const RECOVERY: &str = "recovery";
/// Id of what a person allowed an app.
pub const GRANT: &str = "grant";
/// Id of a passkey.
pub const PASSKEY: &str = "passkey";
/// Id of a session; [`OTHERS`]: all but this one.
pub const SESSION: &str = "session";
/// `session`: all but this one.
pub const OTHERS: &str = "others";
/// Id of a client.
pub const CLIENT: &str = "client";
/// Registration: [`crate::ClientKind::value`].
pub const KIND: &str = "kind";
/// Registration: who makes the app.
pub const MAKER: &str = "maker";
/// Registration: what the app is for, in the maker's words.
pub const PURPOSE: &str = "purpose";
/// Registration: redirect URIs, one on each line.
pub const REDIRECT_URIS: &str = "redirect_uris";
/// Registration: the address that an EHR launch opens.
pub const LAUNCH_URL: &str = "launch_url";
/// Registration: address of the logo.
pub const LOGO_URL: &str = "logo_url";
/// Registration: scopes with blanks or lines between them.
pub const SCOPES: &str = "scopes";
/// Registration: address of the public keys.
pub const JWKS_URL: &str = "jwks_url";
/// Registration: the public keys themselves.
pub const JWKS: &str = "jwks";
/// Registration: the subject of the client's certificate.
pub const CERTIFICATE_SUBJECT: &str = "certificate_subject";
/// Registration, a box: this facility has checked the app.
pub const VERIFIED: &str = "verified";
/// Registration, a box: hold the client to the FAPI 2 profile.
pub const FAPI2: &str = "fapi2";
/// Value of a box that is on.
pub const ON: &str = "on";
/// Name of a person who did something.
pub const PERSON: &str = "person";
/// From this day on.
pub const FROM: &str = "from";
/// Until this day, or before this moment (milliseconds since 1970).
pub const UNTIL: &str = "until";
/// [`YES`]: only what was refused.
pub const REFUSED: &str = "refused";
/// [`YES`]: only what was done under a broken glass.
pub const EMERGENCY: &str = "emergency";
/// A box that is on.
pub const YES: &str = "yes";
/// Where a page of a list begins.
pub const CURSOR: &str = "cursor";
/// Id of an audit event.
pub const EVENT: &str = "event";
/// Id of an unusual access.
pub const ALARM: &str = "alarm";
/// What was found out.
pub const NOTE: &str = "note";
/// How it was judged: [`FINE`], [`MISUSE`], [`UNCLEAR`].
pub const VERDICT: &str = "verdict";
/// `verdict`: there was a good reason.
pub const FINE: &str = "fine";
/// `verdict`: misuse.
pub const MISUSE: &str = "misuse";
/// `verdict`: it cannot be told.
pub const UNCLEAR: &str = "unclear";
/// `decision`: a review is done.
pub const REVIEW: &str = "review";
/// Id of a choice about sharing.
pub const CHOICE: &str = "choice";
/// What a choice does: [`SHARE`] or [`WITHHOLD`].
pub const EFFECT: &str = "effect";
/// `effect`: they may not.
pub const WITHHOLD: &str = "withhold";
/// With whom: [`EVERYBODY`], [`BUT_CARERS`] or a reference.
pub const WHO: &str = "who";
/// `who`: everybody.
pub const EVERYBODY: &str = "everybody";
/// `who`: everybody but those who care for the patient.
pub const BUT_CARERS: &str = "but-carers";
/// What it is about: [`EVERYTHING`], [`KINDS`], [`MATTERS`] or [`ENTRY`].
pub const WHAT: &str = "what";
/// `what`: the whole record.
pub const EVERYTHING: &str = "everything";
/// `what`: kinds of entries, each a [`KIND`].
pub const KINDS: &str = "kinds";
/// `what`: private matters, each a [`MATTER`].
pub const MATTERS: &str = "matters";
/// `what`: one entry; and the field with its reference.
pub const ENTRY: &str = "entry";
/// A private matter: [`crate::ChoiceMatter::value`].
pub const MATTER: &str = "matter";
/// Stands for what a page showed before something is confirmed.
pub const SHOWN: &str = "shown";
/// What was just done: [`crate::ChoicesNotice::value`].
pub const DONE: &str = "done";
/// `decision`: show what it would do.
pub const PREVIEW: &str = "preview";
/// `decision`: back to the form.
pub const CHANGE: &str = "change";
/// `decision`: yes.
pub const CONFIRM: &str = "confirm";
