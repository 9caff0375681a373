//! Limits of accounts, passwords, sessions and tries, each with its unit and reason. Rows B26, F66.

/// Memory of one argon2id hash, KiB. The first choice of OWASP's password storage cheat sheet (19 MiB, 2 passes, 1
/// lane), which resists as much as RFC 9106's second choice with 64 MiB would on this much time, and of which a small
/// machine can hold several.
pub const ARGON2_MEMORY_KIB: u32 = 19 * 1024;

/// Passes of one argon2id hash over its memory; goes with [`ARGON2_MEMORY_KIB`].
pub const ARGON2_PASSES: u32 = 2;

/// Lanes of one argon2id hash: one, since several hashes run beside each other rather than one on several cores.
pub const ARGON2_LANES: u32 = 1;

/// Bytes of a hash's salt and of its output (RFC 9106 section 4).
pub const ARGON2_SALT_BYTES: usize = 16;

/// As [`ARGON2_SALT_BYTES`].
pub const ARGON2_OUTPUT_BYTES: usize = 32;

/// Cores of the machine for each hash that runs at once: half of them stay with the FHIR API, whatever comes.
pub const CORES_A_HASH: usize = 2;

/// Hashes that run at once at most: 16 of them have 304 MiB.
pub const HASHES_AT_ONCE_MAX: usize = 16;

/// Requests that wait for a hash at once; at 25 ms each the last waits about 5 s. Further ones get 503.
pub const HASHES_WAITING_MAX: usize = 200;

/// Characters of a password at least: NIST SP 800-63B-4 asks for 8 with a second factor and 15 without; our rules of
/// what is too common weigh each of them.
pub const PASSWORD_CHARS_MIN: usize = 12;

/// Bytes of a password at most, so that a request cannot make much to hash.
pub const PASSWORD_BYTES_MAX: usize = 512;

/// Characters of a password that are no common word, sequence, repetition or name.
pub const PASSWORD_FREE_CHARS_MIN: usize = 6;

/// Bytes of a user name.
pub const LOGIN_BYTES_MAX: usize = 200;

/// Bytes of a person's name.
pub const PERSON_NAME_BYTES_MAX: usize = 200;

/// Accounts: a large facility with all whom it ever cared for.
pub const ACCOUNTS_MAX: usize = 200_000;

/// Patients that one caregiver's account is bound to.
pub const ACCOUNT_PATIENTS_MAX: usize = 50;

/// Seconds after the last request that a session ends: a tablet that is put down (HIPAA's automatic logoff; NIST SP
/// 800-63B-4 says at most an hour).
pub const SESSION_IDLE_S: i64 = 15 * 60;

/// Seconds after its beginning that a session ends, used or not: a shift (NIST SP 800-63B-4: at most 24 hours).
pub const SESSION_LIFE_S: i64 = 12 * 3600;

/// Sessions of one account; the oldest gives way.
pub const ACCOUNT_SESSIONS_MAX: usize = 20;

/// Seconds since the person last proved who they are, within which dangerous acts are done without asking again.
pub const STEP_UP_S: i64 = 5 * 60;

/// Seconds that a sign-in may take from the first factor to the last, and a form may lie open before that.
pub const SIGN_IN_S: i64 = 10 * 60;

/// Sign-ins under way at once; each stands behind a right password or invitation.
pub const SIGN_INS_MAX: usize = 20_000;

/// Wrong codes in one sign-in before it begins again with the password.
pub const CODES_A_SIGN_IN: u32 = 5;

/// Seconds that a device where a person signed in is known.
pub const DEVICE_LIFE_S: i64 = 180 * 24 * 3600;

/// Known devices of one account; the oldest gives way.
pub const ACCOUNT_DEVICES_MAX: usize = 10;

/// Seconds that an invitation is good: over a weekend.
pub const INVITATION_LIFE_S: i64 = 72 * 3600;

/// Passkeys of one account.
pub const ACCOUNT_PASSKEYS_MAX: usize = 10;

/// Bytes of a passkey's name.
pub const PASSKEY_NAME_BYTES_MAX: usize = 60;

/// Bytes of a credential id. SPEC: WebAuthn level 3 section 4: at most 1023.
pub const CREDENTIAL_ID_BYTES_MAX: usize = 1023;

/// Seconds that a passkey's challenge is good.
pub const CHALLENGE_LIFE_S: i64 = 5 * 60;

/// Subjects of outside providers that one account is bound to.
pub const ACCOUNT_OUTSIDE_MAX: usize = 5;

/// Bytes of a subject. SPEC: OpenID Connect Core section 2: 255 at most; an issuer needs no more.
pub const OUTSIDE_BYTES_MAX: usize = 255;

/// Recovery codes of one account.
pub const RECOVERY_CODES: usize = 10;

/// Seconds of a TOTP step. SPEC: RFC 6238 section 5.2.
pub const TOTP_STEP_S: i64 = 30;

/// Steps before and after the current one whose code is taken: clocks of phones differ. SPEC: RFC 6238 section 5.2.
pub const TOTP_STEPS_AROUND: i64 = 1;

/// Tries of a (user name, address) before it must wait, and seconds of the longest wait. The wait doubles with each try.
pub const PAIR_TRIES: (u32, i64) = (5, 15 * 60);

/// Tries of an account on a device that signed in there before, as [`PAIR_TRIES`]: strangers cannot use them up.
pub const DEVICE_TRIES: (u32, i64) = (10, 5 * 60);

/// Seconds after the last try that a (user name, address) is as new.
pub const TRIES_FORGOTTEN_S: i64 = 24 * 3600;

/// Failed tries of one address, whatever the names, per second on average and at once: a whole ward is behind one.
pub const ADDRESS_TRIES: (f64, f64) = (0.2, 60.0);

/// Failed tries at one account by strangers from all addresses together, per second on average and at once: 1,440 a
/// day, of which no password that passes our rules is guessed.
pub const ACCOUNT_TRIES: (f64, f64) = (1.0 / 60.0, 60.0);

/// Wrong TOTP codes at one account by strangers who know its password, per second on average and at once: 144 a day
/// among a million codes of which three are good.
pub const CODE_TRIES: (f64, f64) = (1.0 / 600.0, 10.0);
