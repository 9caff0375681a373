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

/// Parameters of a consent form: all scopes that are asked for, with the finer ones in their place.
pub const FORM_CHOICES_MAX: usize = 2048;

/// Scopes in one scope string: all 148 types in a few forms each.
pub const SCOPES_MAX: usize = 1024;

/// Bytes of one scope.
pub const SCOPE_BYTES_MAX: usize = 4096;

/// Bytes of an access token: ours have 43; longer ones of other makers are refused before hashing.
pub const TOKEN_BYTES_MAX: usize = 512;

/// Bytes of an authorization request, in a query, a form or pushed (row A21: scope strings may be long).
pub const AUTHORIZATION_REQUEST_BYTES_MAX: usize = 64 * 1024;

/// Bytes of the scope string of one: what a grant may carry.
pub const SCOPE_REQUEST_BYTES_MAX: usize = 32 * 1024;

/// Bytes of `state`: it must fit into the URL of the answer, next to the code.
pub const STATE_BYTES_MAX: usize = 4096;

/// Bytes of `nonce`, `launch`, `login_hint`, `ui_locales` each.
pub const PARAMETER_BYTES_MAX: usize = 1024;

/// Bytes of a redirect URI: what every browser takes.
pub const REDIRECT_URI_BYTES_MAX: usize = 2048;

/// Seconds from a code's making to its end (row B22).
pub const CODE_LIFE_S: i64 = 60;

/// Seconds from a pushed request to its end: a person comes back from another window (RFC 9126 section 2.2 says 5 to
/// 600).
pub const PUSHED_REQUEST_LIFE_S: i64 = 120;

/// Bytes of a code, a refresh token or a handle of ours as presented: ours have 43.
pub const HANDLE_BYTES_MAX: usize = 256;

/// Bytes of an Authorization header with HTTP Basic.
pub const BASIC_BYTES_MAX: usize = 4096;

/// Seconds that a DPoP proof is good after its `iat` (RFC 9449 section 11.1), skew aside.
pub const DPOP_LIFE_S: i64 = 60;

/// Seconds that a DPoP nonce is given out; it is taken for as long again (RFC 9449 section 8).
pub const DPOP_NONCE_STEP_S: i64 = 120;

/// Bytes of a `jti` of a DPoP proof: hashed before it is kept, so this only bounds the work.
pub const DPOP_JTI_BYTES_MAX: usize = 512;

/// Bytes of a client's registration: its JWKS may have 256 kB.
pub const METADATA_BYTES_MAX: usize = 512 * 1024;

/// Items of one list of a registration.
pub const METADATA_LIST_MAX: usize = 100;

/// Bytes of a text of a registration that is shown to people or kept for them.
pub const METADATA_TEXT_BYTES_MAX: usize = 500;

/// Bytes of a client's name: it stands in a sentence of the consent page.
pub const CLIENT_NAME_BYTES_MAX: usize = 200;

/// Bytes of a question about certificates (OCSP): a dozen of them with a long nonce take 2 kB.
pub const OCSP_REQUEST_BYTES_MAX: usize = 4096;

/// Certificates that one such question may be about: a chain has six at most.
pub const OCSP_QUESTIONS_MAX: usize = 16;

/// Bytes of its nonce. SPEC: RFC 9654 section 2.1.
pub const OCSP_NONCE_BYTES_MAX: usize = 128;

/// Bytes of a compact JWS with certificates in its header: what fits into a request of 64 kB (row D10).
pub const UDAP_JWS_BYTES_MAX: usize = 60 * 1024;

/// Certificates in `x5c` (row D10).
pub const X5C_CERTIFICATES_MAX: usize = 10;

/// Seconds from `iat` to `exp` of a software statement and of an assertion with certificates (rows D14, D26).
pub const UDAP_JWT_LIFE_S_MAX: i64 = 300;

/// Seconds from `iat` to `exp` of signed metadata: a year of 366 days (row D4).
pub const SIGNED_METADATA_LIFE_S_MAX: i64 = 366 * 24 * 3600;

/// Seconds from `iat` to `exp` of a certification: three years (row D20).
pub const CERTIFICATION_LIFE_S_MAX: i64 = 3 * 366 * 24 * 3600;

/// Bytes of a partner's UDAP metadata: its signed part has certificates.
pub const UDAP_METADATA_BYTES_MAX: usize = 256 * 1024;

/// Bytes of a `jti` of a UDAP JWT: hashed before it is kept, so this only bounds the work.
pub const UDAP_JTI_BYTES_MAX: usize = 512;

/// Bytes of the certificates that come with one message (row D10).
pub const X5C_BYTES_MAX: usize = 64 * 1024;

/// Certificates of a chain, its anchor included (row D10).
pub const CHAIN_LENGTH_MAX: usize = 6;

/// Signatures that are looked at for one chain: a chain has five, and some ways lead nowhere.
pub const CHAIN_SIGNATURES_MAX: usize = 32;

/// Anchors of one community.
pub const ANCHORS_MAX: usize = 100;

/// Bytes of a revocation list: some 200 000 certificates.
pub const CRL_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Bytes of an OCSP answer: one has two kB with its certificates.
pub const OCSP_BYTES_MAX: usize = 64 * 1024;
