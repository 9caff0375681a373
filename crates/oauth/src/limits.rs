//! Limits of this crate, each with its unit and reason.

/// Bytes of a compact JWS. Row C3; an assertion has under 1 kB, one with certificates a few.
pub const JWS_BYTES_MAX: usize = 8 * 1024;

/// Bytes of a JWKS text (row C9).
pub const JWKS_BYTES_MAX: usize = 256 * 1024;

/// Keys in a JWKS: rotation needs two or three of each kind.
pub const JWKS_KEYS_MAX: usize = 100;

/// Least bits of an RSA modulus (rows A5, D10).
pub const RSA_MODULUS_BITS_MIN: usize = 2048;

/// Most bits of an RSA modulus: beyond it a verification costs more than it proves.
pub const RSA_MODULUS_BITS_MAX: usize = 8192;

/// Seconds that an assertion may end ahead of now (row C3).
pub const ASSERTION_LIFE_S_MAX: i64 = 300;

/// Seconds by which another machine's clock may differ from ours (row A22).
pub const CLOCK_SKEW_S: i64 = 60;

/// Parameters of a form: the longest request we know has nine.
pub const FORM_PARAMETERS_MAX: usize = 64;

/// Scopes in one scope string: all 148 types in a few forms each.
pub const SCOPES_MAX: usize = 1024;

/// Bytes of one scope.
pub const SCOPE_BYTES_MAX: usize = 4096;

/// Bytes of an access token: ours have 43; longer ones of other makers are refused before hashing.
pub const TOKEN_BYTES_MAX: usize = 512;
