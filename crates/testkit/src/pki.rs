//! A lab's public key infrastructure: authorities, certificates, revocation lists and OCSP answers, good ones and bad
//! ones. SPEC: RFC 5280, RFC 6960.
//!
//! It writes its own DER and shares nothing with what reads it in the product, so that both do not err alike. It knows
//! no clock. `oauth` takes this file in by its path: the crate of tests knows `oauth`.

#[path = "pki/der.rs"]
pub mod der;

use aws_lc_rs::{
    digest,
    encoding::AsDer,
    rand::SystemRandom,
    rsa::KeySize,
    signature::{
        self, ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_ASN1_SIGNING,
        ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, KeyPair, RsaKeyPair,
    },
};
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use std::sync::{
    LazyLock,
    atomic::{AtomicU64, Ordering},
};

/// Seconds of a day.
pub const DAY_S: i64 = 86_400;

/// `digitalSignature`.
pub const DIGITAL_SIGNATURE: u8 = 0;
/// `keyEncipherment`.
pub const KEY_ENCIPHERMENT: u8 = 2;
/// `keyCertSign`.
pub const CERT_SIGN: u8 = 5;
/// `cRLSign`.
pub const CRL_SIGN: u8 = 6;

/// `id-kp-OCSPSigning`.
pub const OCSP_SIGNING: &str = "1.3.6.1.5.5.7.3.9";
/// `id-kp-serverAuth`.
pub const SERVER_AUTH: &str = "1.3.6.1.5.5.7.3.1";
/// `id-pkix-ocsp-nocheck`.
pub const OCSP_NO_CHECK: &str = "1.3.6.1.5.5.7.48.1.5";
/// `id-ce-nameConstraints`.
pub const NAME_CONSTRAINTS: &str = "2.5.29.30";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    P256,
    P384,
    Rsa,
}

/// A private key.
#[derive(Clone)]
pub struct Key {
    kind: Kind,
    pkcs8: Vec<u8>,
}

// Making one takes a while in a debug build, and a lab needs few.
static RSA: LazyLock<Key> = LazyLock::new(|| {
    let pair = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
    Key { kind: Kind::Rsa, pkcs8: pair.as_der().unwrap().as_ref().to_vec() }
});

impl Key {
    /// A new one on P-256.
    #[must_use]
    pub fn p256() -> Self {
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &SystemRandom::new()).unwrap();
        Self { kind: Kind::P256, pkcs8: pkcs8.as_ref().to_vec() }
    }

    /// A new one on P-384.
    #[must_use]
    pub fn p384() -> Self {
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P384_SHA384_ASN1_SIGNING, &SystemRandom::new()).unwrap();
        Self { kind: Kind::P384, pkcs8: pkcs8.as_ref().to_vec() }
    }

    /// RSA with 2048 bits; always the same one within a process.
    #[must_use]
    pub fn rsa() -> Self {
        RSA.clone()
    }

    /// PKCS#8.
    #[must_use]
    pub fn pkcs8(&self) -> &[u8] {
        &self.pkcs8
    }

    /// PKCS#8 as PEM.
    #[must_use]
    pub fn pem(&self) -> String {
        pem("PRIVATE KEY", &self.pkcs8)
    }

    fn public(&self) -> Vec<u8> {
        match self.kind {
            Kind::P256 | Kind::P384 => self.ecdsa(false).public_key().as_ref().to_vec(),
            Kind::Rsa => RsaKeyPair::from_pkcs8(&self.pkcs8).unwrap().public_key().as_ref().to_vec(),
        }
    }

    fn ecdsa(&self, fixed: bool) -> EcdsaKeyPair {
        let algorithm = match (self.kind, fixed) {
            (Kind::P256, false) => &ECDSA_P256_SHA256_ASN1_SIGNING,
            (Kind::P256, true) => &ECDSA_P256_SHA256_FIXED_SIGNING,
            (_, false) => &ECDSA_P384_SHA384_ASN1_SIGNING,
            (_, true) => &ECDSA_P384_SHA384_FIXED_SIGNING,
        };
        EcdsaKeyPair::from_pkcs8(algorithm, &self.pkcs8).unwrap()
    }

    /// `SubjectPublicKeyInfo`.
    #[must_use]
    pub fn spki(&self) -> Vec<u8> {
        let (algorithm, parameters) = match self.kind {
            Kind::P256 => ("1.2.840.10045.2.1", der::oid("1.2.840.10045.3.1.7")),
            Kind::P384 => ("1.2.840.10045.2.1", der::oid("1.3.132.0.34")),
            Kind::Rsa => ("1.2.840.113549.1.1.1", der::null()),
        };
        der::sequence(&[der::sequence(&[der::oid(algorithm), parameters]), der::bits(&self.public())])
    }

    /// `AlgorithmIdentifier` of what [`Key::sign`] makes.
    #[must_use]
    pub fn algorithm(&self) -> Vec<u8> {
        match self.kind {
            Kind::P256 => der::sequence(&[der::oid("1.2.840.10045.4.3.2")]),
            Kind::P384 => der::sequence(&[der::oid("1.2.840.10045.4.3.3")]),
            Kind::Rsa => der::sequence(&[der::oid("1.2.840.113549.1.1.11"), der::null()]),
        }
    }

    /// A signature as X.509 has them.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        self.signature(message, false)
    }

    fn signature(&self, message: &[u8], fixed: bool) -> Vec<u8> {
        let random = SystemRandom::new();
        if self.kind == Kind::Rsa {
            let pair = RsaKeyPair::from_pkcs8(&self.pkcs8).unwrap();
            let mut signed = vec![0; pair.public_modulus_len()];
            pair.sign(&signature::RSA_PKCS1_SHA256, &random, message, &mut signed).unwrap();
            return signed;
        }
        self.ecdsa(fixed).sign(&random, message).unwrap().as_ref().to_vec()
    }

    /// The JOSE algorithm: RS256, ES256 or ES384.
    #[must_use]
    pub fn alg(&self) -> &'static str {
        match self.kind {
            Kind::P256 => "ES256",
            Kind::P384 => "ES384",
            Kind::Rsa => "RS256",
        }
    }

    /// A compact JWS of these two JSON texts.
    #[must_use]
    pub fn jws(&self, header: &str, claims: &str) -> String {
        let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
        let signature = self.signature(signed.as_bytes(), true);
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

/// An alternative name.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the names are those of RFC 5280")]
pub enum Name {
    Uri(String),
    Dns(String),
    Email(String),
    Ip(Vec<u8>),
}

impl Name {
    /// `GeneralName`.
    #[must_use]
    pub fn der(&self) -> Vec<u8> {
        match self {
            Self::Email(text) => der::implicit(1, text.as_bytes()),
            Self::Dns(text) => der::implicit(2, text.as_bytes()),
            Self::Uri(text) => der::implicit(6, text.as_bytes()),
            Self::Ip(bytes) => der::implicit(7, bytes),
        }
    }
}

/// An extension: its type, whether it is critical, its value in DER.
pub type Extension = (&'static str, bool, Vec<u8>);

/// A certificate to be made; every field may be set to something wrong.
#[derive(Clone)]
pub struct Wanted {
    /// Common name of the subject.
    pub name: String,
    /// The key that is certified.
    pub key: Key,
    /// Serial number, big-endian; a new one when it is empty.
    pub serial: Vec<u8>,
    /// `notBefore`, seconds since the epoch.
    pub from_s: i64,
    /// `notAfter`.
    pub until_s: i64,
    /// Alternative names; without any, there is no such extension.
    pub names: Vec<Name>,
    /// `Some`: an authority, with at most so many below it (`Some(None)`: any number).
    pub authority: Option<Option<u8>>,
    /// Bits of the key usage; `None`: no such extension.
    pub key_usage: Option<Vec<u8>>,
    /// Extended key usages.
    pub purposes: Vec<&'static str>,
    /// Where its revocation list is.
    pub lists: Vec<String>,
    /// Where the delta list is (`freshestCRL`).
    pub deltas: Vec<String>,
    /// Where an OCSP responder answers.
    pub responders: Vec<String>,
    /// Further extensions.
    pub extensions: Vec<Extension>,
    /// Whether it has subject and authority key identifiers.
    pub identifiers: bool,
}

impl Wanted {
    /// An organization's certificate with this URI, for signing, good for a year around this moment.
    #[must_use]
    pub fn leaf(name: &str, uri: &str, now_s: i64) -> Self {
        Self {
            name: name.into(),
            key: Key::p256(),
            serial: Vec::new(),
            from_s: now_s - DAY_S,
            until_s: now_s + 364 * DAY_S,
            names: vec![Name::Uri(uri.into())],
            authority: None,
            key_usage: Some(vec![DIGITAL_SIGNATURE]),
            purposes: Vec::new(),
            lists: Vec::new(),
            deltas: Vec::new(),
            responders: Vec::new(),
            extensions: Vec::new(),
            identifiers: true,
        }
    }

    /// An authority, good for ten years.
    #[must_use]
    pub fn authority(name: &str, now_s: i64) -> Self {
        Self {
            until_s: now_s + 3650 * DAY_S,
            names: Vec::new(),
            authority: Some(None),
            key_usage: Some(vec![CERT_SIGN, CRL_SIGN]),
            ..Self::leaf(name, "", now_s)
        }
    }

    fn extensions(&self, issuer: &Key) -> Vec<u8> {
        let mut all: Vec<Extension> = Vec::new();
        if let Some(below) = self.authority {
            let mut parts = vec![der::yes()];
            parts.extend(below.map(|below| der::number(below.into())));
            all.push(("2.5.29.19", true, der::sequence(&parts)));
        }
        if let Some(bits) = &self.key_usage {
            all.push(("2.5.29.15", true, der::named_bits(bits)));
        }
        if !self.purposes.is_empty() {
            let purposes: Vec<_> = self.purposes.iter().map(|oid| der::oid(oid)).collect();
            all.push(("2.5.29.37", false, der::sequence(&purposes)));
        }
        if !self.names.is_empty() {
            let names: Vec<_> = self.names.iter().map(Name::der).collect();
            all.push(("2.5.29.17", false, der::sequence(&names)));
        }
        if self.identifiers {
            all.push(("2.5.29.14", false, der::octets(&identifier(&self.key))));
            all.push(("2.5.29.35", false, der::sequence(&[der::implicit(0, &identifier(issuer))])));
        }
        for (oid, urls) in [("2.5.29.31", &self.lists), ("2.5.29.46", &self.deltas)] {
            if !urls.is_empty() {
                all.push((oid, false, points(urls)));
            }
        }
        if !self.responders.is_empty() {
            let one = |url: &String| der::sequence(&[der::oid("1.3.6.1.5.5.7.48.1"), der::implicit(6, url.as_bytes())]);
            let all_urls: Vec<_> = self.responders.iter().map(one).collect();
            all.push(("1.3.6.1.5.5.7.1.1", false, der::sequence(&all_urls)));
        }
        all.extend(self.extensions.iter().cloned());
        extensions(&all)
    }

    fn signed(&self, issuer_name: &str, issuer: &Key, serial: &[u8]) -> Vec<u8> {
        let tbs = der::sequence(&[
            der::explicit(0, &der::number(2)),
            der::integer(serial),
            issuer.algorithm(),
            common_name(issuer_name),
            der::sequence(&[der::time(self.from_s), der::time(self.until_s)]),
            common_name(&self.name),
            self.key.spki(),
            der::explicit(3, &self.extensions(issuer)),
        ]);
        sealed(tbs, issuer)
    }
}

/// A certificate with its key.
#[derive(Clone)]
pub struct Held {
    /// Subject.
    pub name: String,
    /// Its DER.
    pub der: Vec<u8>,
    /// Its serial number, big-endian.
    pub serial: Vec<u8>,
    /// Its key.
    pub key: Key,
    /// What is sent of its chain: its own first, without the root.
    pub chain: Vec<Vec<u8>>,
}

impl Held {
    /// The header member `x5c` as JSON.
    #[must_use]
    pub fn x5c(&self) -> String {
        let all: Vec<String> = self.chain.iter().map(|der| format!("\"{}\"", STANDARD.encode(der))).collect();
        format!("[{}]", all.join(","))
    }

    /// A compact JWS of these claims with the whole chain in its header.
    #[must_use]
    pub fn jws(&self, claims: &str) -> String {
        self.key.jws(&format!(r#"{{"alg":"{}","x5c":{}}}"#, self.key.alg(), self.x5c()), claims)
    }

    /// The chain as PEM.
    #[must_use]
    pub fn chain_pem(&self) -> String {
        self.chain.iter().map(|der| pem("CERTIFICATE", der)).collect()
    }
}

/// An authority.
#[derive(Clone)]
pub struct Authority {
    /// Its certificate and key. The chain of a root is empty.
    pub held: Held,
}

impl Authority {
    /// A new root.
    #[must_use]
    pub fn root(name: &str, now_s: i64) -> Self {
        Self::self_signed(&Wanted::authority(name, now_s))
    }

    /// A root by these wishes.
    #[must_use]
    pub fn self_signed(wanted: &Wanted) -> Self {
        let serial = serial_of(wanted);
        let der = wanted.signed(&wanted.name, &wanted.key, &serial);
        Self { held: Held { name: wanted.name.clone(), der, serial, key: wanted.key.clone(), chain: Vec::new() } }
    }

    /// Its DER.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.held.der
    }

    /// Its certificate as PEM.
    #[must_use]
    pub fn pem(&self) -> String {
        pem("CERTIFICATE", &self.held.der)
    }

    /// An authority below this one.
    #[must_use]
    pub fn below(&self, wanted: &Wanted) -> Self {
        Self { held: self.issue(wanted) }
    }

    /// A certificate.
    #[must_use]
    pub fn issue(&self, wanted: &Wanted) -> Held {
        let serial = serial_of(wanted);
        let der = wanted.signed(&self.held.name, &self.held.key, &serial);
        let chain = std::iter::once(der.clone()).chain(self.held.chain.iter().cloned()).collect();
        Held { name: wanted.name.clone(), der, serial, key: wanted.key.clone(), chain }
    }

    /// A revocation list.
    #[must_use]
    pub fn list(&self, list: &List) -> Vec<u8> {
        let mut tbs =
            vec![der::number(1), self.held.key.algorithm(), common_name(&self.held.name), der::time(list.made_s)];
        tbs.extend(list.until_s.map(der::time));
        if !list.revoked.is_empty() {
            let entries: Vec<_> = list.revoked.iter().map(Revoked::der).collect();
            tbs.push(der::sequence(&entries));
        }
        let mut all: Vec<Extension> = vec![
            ("2.5.29.35", false, der::sequence(&[der::implicit(0, &identifier(&self.held.key))])),
            ("2.5.29.20", false, der::number(list.number)),
        ];
        all.extend(list.base.map(|base| ("2.5.29.27", true, der::number(base))));
        all.extend(list.point.clone().map(|point| ("2.5.29.28", true, point)));
        if !list.deltas.is_empty() {
            all.push(("2.5.29.46", false, points(&list.deltas)));
        }
        all.extend(list.extensions.iter().cloned());
        tbs.push(der::explicit(0, &extensions(&all)));
        sealed(der::sequence(&tbs), &self.held.key)
    }

    /// An OCSP answer that it signs itself.
    #[must_use]
    pub fn answer(&self, answer: &Answer) -> Vec<u8> {
        self.answer_by(answer, &self.held, false)
    }

    /// An OCSP answer about its certificates that another one signs, whose certificate comes along.
    #[must_use]
    pub fn answer_by(&self, answer: &Answer, signer: &Held, with_certificate: bool) -> Vec<u8> {
        let (hash, algorithm) = match answer.sha256 {
            true => (&digest::SHA256, "2.16.840.1.101.3.4.2.1"),
            false => (&digest::SHA1_FOR_LEGACY_USE_ONLY, "1.3.14.3.2.26"),
        };
        let id = der::sequence(&[
            der::sequence(&[der::oid(algorithm), der::null()]),
            der::octets(digest::digest(hash, &common_name(&self.held.name)).as_ref()),
            der::octets(digest::digest(hash, &self.held.key.public()).as_ref()),
            der::integer(&answer.serial),
        ]);
        let standing = match answer.standing {
            Standing::Good => der::implicit(0, &[]),
            Standing::Unknown => der::implicit(2, &[]),
            Standing::Revoked(at_s) => der::explicit(1, &der::generalized_time(at_s)),
        };
        let mut single = vec![id, standing, der::generalized_time(answer.made_s)];
        single.extend(answer.until_s.map(|until_s| der::explicit(0, &der::generalized_time(until_s))));
        let responder = match answer.by_name {
            true => der::explicit(1, &common_name(&signer.name)),
            false => der::explicit(2, &der::octets(&identifier(&signer.key))),
        };
        let tbs =
            der::sequence(&[responder, der::generalized_time(answer.made_s), der::sequence(&[der::sequence(&single)])]);
        let signature = signer.key.sign(&tbs);
        let mut basic = vec![tbs, signer.key.algorithm(), der::bits(&signature)];
        if with_certificate {
            basic.push(der::explicit(0, &der::sequence(std::slice::from_ref(&signer.der))));
        }
        der::sequence(&[
            der::tlv(10, &[0]),
            der::explicit(0, &der::sequence(&[der::oid("1.3.6.1.5.5.7.48.1.1"), der::octets(&der::sequence(&basic))])),
        ])
    }
}

/// What an OCSP responder says instead of an answer: 1 malformed, 2 internal error, 3 try later, 6 unauthorized.
#[must_use]
pub fn no_answer(status: u8) -> Vec<u8> {
    der::sequence(&[der::tlv(10, &[status])])
}

/// What an OCSP answer says of a certificate.
#[derive(Debug, Clone, Copy)]
#[expect(missing_docs, reason = "the names are those of RFC 6960")]
pub enum Standing {
    Good,
    Revoked(i64),
    Unknown,
}

/// An OCSP answer to be made.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Which certificate.
    pub serial: Vec<u8>,
    /// What is said of it.
    pub standing: Standing,
    /// `thisUpdate` and `producedAt`.
    pub made_s: i64,
    /// `nextUpdate`.
    pub until_s: Option<i64>,
    /// Whether the certificate is named by SHA-256 rather than SHA-1.
    pub sha256: bool,
    /// Whether the responder names itself rather than its key.
    pub by_name: bool,
}

impl Answer {
    /// Good for an hour.
    #[must_use]
    pub fn of(held: &Held, standing: Standing, now_s: i64) -> Self {
        let serial = held.serial.clone();
        Self { serial, standing, made_s: now_s, until_s: Some(now_s + 3600), sha256: false, by_name: false }
    }
}

/// A revoked certificate on a list.
#[derive(Debug, Clone)]
pub struct Revoked {
    /// Which.
    pub serial: Vec<u8>,
    /// Since when.
    pub at_s: i64,
    /// `CRLReason`; 8 is `removeFromCRL`.
    pub reason: Option<u8>,
    /// Further extensions of the entry.
    pub extensions: Vec<Extension>,
}

impl Revoked {
    /// Without a reason.
    #[must_use]
    pub fn of(held: &Held, at_s: i64) -> Self {
        Self { serial: held.serial.clone(), at_s, reason: None, extensions: Vec::new() }
    }

    fn der(&self) -> Vec<u8> {
        let mut parts = vec![der::integer(&self.serial), der::time(self.at_s)];
        let mut all: Vec<Extension> =
            self.reason.map(|code| ("2.5.29.21", false, der::tlv(10, &[code]))).into_iter().collect();
        all.extend(self.extensions.iter().cloned());
        if !all.is_empty() {
            parts.push(extensions(&all));
        }
        der::sequence(&parts)
    }
}

/// A revocation list to be made.
#[derive(Debug, Clone)]
pub struct List {
    /// Its number.
    pub number: u64,
    /// `Some`: a delta to the list of this number.
    pub base: Option<u64>,
    /// `thisUpdate`.
    pub made_s: i64,
    /// `nextUpdate`.
    pub until_s: Option<i64>,
    /// Who is on it.
    pub revoked: Vec<Revoked>,
    /// Value of the issuing distribution point: [`point`].
    pub point: Option<Vec<u8>>,
    /// Where its delta is.
    pub deltas: Vec<String>,
    /// Further extensions.
    pub extensions: Vec<Extension>,
}

impl List {
    /// Nobody on it, good for a day.
    #[must_use]
    pub fn empty(number: u64, now_s: i64) -> Self {
        Self {
            number,
            base: None,
            made_s: now_s,
            until_s: Some(now_s + DAY_S),
            revoked: Vec::new(),
            point: None,
            deltas: Vec::new(),
            extensions: Vec::new(),
        }
    }

    /// These on it since this moment.
    #[must_use]
    pub fn of(number: u64, now_s: i64, revoked: &[&Held]) -> Self {
        Self { revoked: revoked.iter().map(|held| Revoked::of(held, now_s)).collect(), ..Self::empty(number, now_s) }
    }
}

/// An issuing distribution point: where the list is, and which of its flags are set (1 users only, 2 authorities only,
/// 4 indirect, 5 attributes only).
#[must_use]
pub fn point(url: Option<&str>, flags: &[u8]) -> Vec<u8> {
    let name = |url: &str| der::explicit(0, &der::explicit(0, &der::implicit(6, url.as_bytes())));
    let mut parts: Vec<Vec<u8>> = url.map(name).into_iter().collect();
    parts.extend(flags.iter().map(|flag| der::implicit(*flag, &[0xff])));
    der::sequence(&parts)
}

/// The extension name constraints.
#[must_use]
pub fn name_constraints(permitted: &[Name], excluded: &[Name]) -> Extension {
    let trees = |names: &[Name]| names.iter().map(|name| der::sequence(&[name.der()])).collect::<Vec<_>>().concat();
    let mut parts = Vec::new();
    for (number, names) in [(0, permitted), (1, excluded)] {
        if !names.is_empty() {
            parts.push(der::explicit(number, &trees(names)));
        }
    }
    (NAME_CONSTRAINTS, true, der::sequence(&parts))
}

/// PEM.
#[must_use]
pub fn pem(label: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let lines: Vec<&str> = text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

fn points(urls: &[String]) -> Vec<u8> {
    let one = |url: &String| der::sequence(&[der::explicit(0, &der::explicit(0, &der::implicit(6, url.as_bytes())))]);
    der::sequence(&urls.iter().map(one).collect::<Vec<_>>())
}

fn extensions(all: &[Extension]) -> Vec<u8> {
    let one = |(oid, critical, value): &Extension| {
        let mut parts = vec![der::oid(oid)];
        parts.extend(critical.then(der::yes));
        parts.push(der::octets(value));
        der::sequence(&parts)
    };
    der::sequence(&all.iter().map(one).collect::<Vec<_>>())
}

fn common_name(name: &str) -> Vec<u8> {
    der::sequence(&[der::set(&der::sequence(&[der::oid("2.5.4.3"), der::tlv(12, name.as_bytes())]))])
}

/// SHA-1 of the public key. SPEC: RFC 5280 section 4.2.1.2.
fn identifier(key: &Key) -> Vec<u8> {
    digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, &key.public()).as_ref().to_vec()
}

fn sealed(tbs: Vec<u8>, key: &Key) -> Vec<u8> {
    let signature = key.sign(&tbs);
    der::sequence(&[tbs, key.algorithm(), der::bits(&signature)])
}

fn serial_of(wanted: &Wanted) -> Vec<u8> {
    static NEXT: AtomicU64 = AtomicU64::new(0x0100_0000_0000_0001);
    if wanted.serial.is_empty() {
        NEXT.fetch_add(1, Ordering::Relaxed).to_be_bytes().to_vec()
    } else {
        wanted.serial.clone()
    }
}
