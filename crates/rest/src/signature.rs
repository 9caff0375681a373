//! Signatures in resources: which there are, what each covers, and what of it could be verified.
//!
//! Every check says what it found in a sentence, and what was not checked is called so: a signature is `valid` only when
//! all of its checks passed, `invalid` when one failed, and otherwise `indeterminate`.
//!
//! | stands in | covers |
//! |---|---|
//! | `Provenance.signature` | the one target, in the version that it names |
//! | `Bundle.signature` | the Bundle without it |
//! | extension `questionnaireresponse-signature` of a QuestionnaireResponse | the response without these extensions |
//! | anywhere else | not defined by R4: indeterminate |
//!
//! Verified are detached JWS (`application/jose`) over canonical JSON ([`fhir::canonical`]). The key is that of the
//! certificate in `x5c`, and nothing else: it must lead to an anchor at the time of signing. XML signatures and images
//! are reported as not verified. Nothing here reads the store or the network: the covered resource, anchors, what
//! authorities say of certificates and who the signer is come in as arguments.
//!
//! SPEC: R4 datatypes.html#Signature, signatures.html; RFC 7515; rows F29 to F34.

mod covered;
mod signer;
pub use covered::{Covers, Signature, signatures};

use crate::limits;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use fhir::{
    Instant,
    canonical::{Form, Notation, canonical},
    json::{Value, Writer},
    primitive::date_time::{DateTime, Precision},
};
use oauth::{
    jws::detached::Detached,
    x509::{Anchors, Certificate, Chain, ChainError},
};
use std::{future::Future, pin::Pin};

/// What an authority says of one certificate of a chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// It is not revoked.
    Good,
    /// It is, since this second.
    Revoked {
        /// Seconds since the epoch.
        since_s: i64,
    },
    /// Nobody says; why. Public text.
    Unavailable(String),
}

/// What [`Trust::standings`] gives: for each certificate of the chain but the anchor, in order.
pub type Standings<'a> = Pin<Box<dyn Future<Output = Vec<Standing>> + Send + 'a>>;

/// Whom signatures are believed of.
pub trait Trust: Send + Sync {
    /// Where chains may end. None: no certificate is believed.
    fn anchors(&self) -> Vec<Anchors>;
    /// What the authorities say now of the certificates of a chain that ends in an anchor.
    fn standings<'a>(&'a self, chain: &'a Chain) -> Standings<'a>;
}

/// Nobody is believed.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoTrust;

impl Trust for NoTrust {
    fn anchors(&self) -> Vec<Anchors> {
        Vec::new()
    }

    fn standings<'a>(&'a self, chain: &'a Chain) -> Standings<'a> {
        let all = chain.issued().map(|_| Standing::Unavailable("there is nobody to ask".into())).collect();
        Box::pin(std::future::ready(all))
    }
}

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It holds.
    Passed,
    /// It does not.
    Failed,
    /// It was not checked, or cannot be.
    NotChecked,
}

impl Outcome {
    /// As it is written.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::NotChecked => "not-checked",
        }
    }
}

/// What a signature came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Every check passed.
    Valid,
    /// A check failed.
    Invalid,
    /// No check failed, and not all were made.
    Indeterminate,
}

impl Verdict {
    /// As it is written.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Valid => "valid",
            Self::Invalid => "invalid",
            Self::Indeterminate => "indeterminate",
        }
    }
}

/// One check of one signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// Which.
    pub name: &'static str,
    /// How it ended.
    pub outcome: Outcome,
    /// What was found, for people.
    pub text: String,
}

/// A signature with its checks, in the order in which they were made.
#[derive(Debug, Clone)]
pub struct Examined {
    /// Where it stands: `Provenance.signature[0]`.
    pub place: String,
    /// The version that it was held against: `Observation/1/_history/2`.
    pub target: Option<String>,
    /// The checks.
    pub checks: Vec<Check>,
    /// The algorithm.
    pub algorithm: Option<&'static str>,
    /// Subject of the signer's certificate.
    pub subject: Option<String>,
    /// When it was signed, as the signer says, in seconds since the epoch.
    pub signed_s: Option<i64>,
    /// The signer's chain, when it leads to an anchor.
    pub chain: Option<Chain>,
    leaf: Option<Certificate>,
}

impl Examined {
    fn of(place: &str) -> Self {
        Self {
            place: place.to_owned(),
            target: None,
            checks: Vec::new(),
            algorithm: None,
            subject: None,
            signed_s: None,
            chain: None,
            leaf: None,
        }
    }

    fn note(&mut self, name: &'static str, outcome: Outcome, text: impl Into<String>) {
        self.checks.push(Check { name, outcome, text: text.into() });
    }

    /// Whether it is worth asking what authorities say, and who the signer is.
    #[must_use]
    pub fn verifies(&self) -> bool {
        self.checks.iter().any(|check| check.name == SIGNATURE && check.outcome == Outcome::Passed)
    }

    /// What it all comes to.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        let has = |outcome| self.checks.iter().any(|check| check.outcome == outcome);
        if has(Outcome::Failed) {
            Verdict::Invalid
        } else if has(Outcome::NotChecked) || !self.verifies() {
            Verdict::Indeterminate
        } else {
            Verdict::Valid
        }
    }

    /// Adds what the authorities say of the chain. `stored_s`: since when this server has had the signature, which is
    /// the one time that is not the signer's word.
    pub fn revocation(&mut self, standings: &[Standing], stored_s: Option<i64>, now_s: i64) {
        let (Some(chain), Some(signed_s)) = (&self.chain, self.signed_s) else { return };
        let (mut worst, mut text) = (Outcome::Passed, String::new());
        let mut all: Vec<(Outcome, String)> = Vec::new();
        for ((certificate, _), standing) in chain.issued().zip(standings) {
            let whose = certificate.subject();
            all.push(match standing {
                Standing::Revoked { since_s, .. } if *since_s <= signed_s => (
                    Outcome::Failed,
                    format!("the certificate of {whose} was revoked on {}, before it signed", day(*since_s)),
                ),
                Standing::Revoked { since_s, .. } if stored_s.is_some_and(|stored_s| stored_s < *since_s) => (
                    Outcome::Passed,
                    format!(
                        "the certificate of {whose} was revoked on {}, after the signature came here",
                        day(*since_s)
                    ),
                ),
                Standing::Revoked { since_s, .. } => (
                    Outcome::Failed,
                    format!(
                        "the certificate of {whose} was revoked on {}, before the signature came here",
                        day(*since_s)
                    ),
                ),
                Standing::Good if now_s > certificate.not_after_s() => (
                    Outcome::NotChecked,
                    format!("the certificate of {whose} has ended, and authorities say nothing of those that have"),
                ),
                Standing::Good => (Outcome::Passed, format!("the certificate of {whose} is not revoked")),
                Standing::Unavailable(why) => {
                    (Outcome::NotChecked, format!("nobody says whether the certificate of {whose} was revoked: {why}"))
                }
            });
        }
        if standings.len() < chain.issued().count() {
            all.push((Outcome::NotChecked, "not all certificates of the chain were asked for".to_owned()));
        }
        for (outcome, said) in all {
            worst = match (worst, outcome) {
                (Outcome::Failed, _) | (_, Outcome::Failed) => Outcome::Failed,
                (Outcome::NotChecked, _) | (_, Outcome::NotChecked) => Outcome::NotChecked,
                _ => Outcome::Passed,
            };
            if !text.is_empty() {
                text.push_str("; ");
            }
            text.push_str(&said);
        }
        self.note("revocation", worst, text);
    }

    /// Adds whether the certificate names whom `Signature.who` means. `who`: that resource, when it was found, and its
    /// own URL.
    pub fn signer(&mut self, signature: &Signature<'_>, who: Option<(Value<'_>, &str)>) {
        let Some(leaf) = &self.leaf else { return };
        let (outcome, text) = signer::compare(leaf, signature.value.get("who"), who);
        self.note("signer", outcome, text);
    }

    /// The signature as a parameter of the answer.
    pub fn write(&self, w: &mut Writer) {
        let text = |w: &mut Writer, name: &str, kind: &str, value: &str| {
            w.object(|w| {
                w.member("name", name);
                w.member(kind, value);
            });
        };
        w.object(|w| {
            w.member("name", "signature");
            w.key("part");
            w.array(|w| {
                text(w, "location", "valueString", &self.place);
                text(w, "verdict", "valueCode", self.verdict().code());
                if let Some(target) = &self.target {
                    w.object(|w| {
                        w.member("name", "target");
                        w.key("valueReference");
                        w.object(|w| w.member("reference", target));
                    });
                }
                if let Some(algorithm) = self.algorithm {
                    text(w, "algorithm", "valueCode", algorithm);
                }
                if let Some(subject) = self.subject.as_deref().filter(|subject| !subject.is_empty()) {
                    text(w, "certificate", "valueString", subject);
                }
                if let Some(signed_s) = self.signed_s {
                    text(w, "signed", "valueInstant", &day(signed_s).to_string());
                }
                for check in &self.checks {
                    w.object(|w| {
                        w.member("name", "check");
                        w.key("part");
                        w.array(|w| {
                            text(w, "name", "valueCode", check.name);
                            text(w, "result", "valueCode", check.outcome.code());
                            text(w, "text", "valueString", &check.text);
                        });
                    });
                }
            });
        });
    }
}

const SIGNATURE: &str = "signature";

fn day(seconds: i64) -> Instant {
    Instant::from_unix_millis(seconds.saturating_mul(1000))
}

/// What a signature is held against.
#[derive(Debug, Clone, Copy)]
pub enum Against<'a> {
    /// This resource: what the signature covers.
    Resource(Value<'a>),
    /// What it covers is absent, or hidden from whoever asks: the same.
    NotFound,
}

/// Looks at one signature: its form, the bytes that it covers, the signature itself, its time and its certificate.
#[must_use]
pub fn examine(signature: &Signature<'_>, against: Against<'_>, anchors: &[Anchors], now_s: i64) -> Examined {
    let mut examined = Examined::of(&signature.place);
    // Each step needs what the one before found.
    let _ = steps(signature, against, anchors, now_s, &mut examined);
    examined
}

fn steps(
    signature: &Signature<'_>,
    against: Against<'_>,
    anchors: &[Anchors],
    now_s: i64,
    examined: &mut Examined,
) -> Option<()> {
    let value = signature.value;
    if let Covers::Unknown(why) = &signature.covers {
        examined.note("target", Outcome::NotChecked, *why);
        return None;
    }
    let media_type = value.get("sigFormat").and_then(Value::as_str).unwrap_or_default();
    let media_type = media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match media_type.as_str() {
        "application/jose" => {}
        "application/signature+xml" => {
            examined.note("format", Outcome::NotChecked, "XML signatures are stored and not verified here");
            return None;
        }
        image if image.starts_with("image/") => {
            examined.note(
                "format",
                Outcome::NotChecked,
                "it is an image, which proves nothing; it is stored as it came",
            );
            return None;
        }
        "" => {
            examined.note("format", Outcome::NotChecked, "sigFormat is missing, so it is not known what it is");
            return None;
        }
        _ => {
            examined.note("format", Outcome::NotChecked, "signatures of this sigFormat are not verified here");
            return None;
        }
    }
    let jws = match jws(value) {
        Ok(jws) => {
            examined.algorithm = Some(jws.algorithm().as_str());
            examined.note("format", Outcome::Passed, "a detached JWS");
            jws
        }
        Err(why) => {
            examined.note("format", Outcome::Failed, why);
            return None;
        }
    };
    let form = match form(value) {
        Ok(form) => form,
        Err(why) => {
            examined.note("canonicalization", Outcome::NotChecked, why);
            return None;
        }
    };
    let resource = match against {
        Against::Resource(resource) => resource,
        Against::NotFound => {
            examined.note("target", Outcome::NotChecked, "what it covers was not found");
            return None;
        }
    };
    let is_bundle = resource.get("resourceType").and_then(Value::as_str).as_deref() == Some("Bundle");
    if form == Wanted::Form(Form::Document) && !is_bundle {
        examined.note("canonicalization", Outcome::NotChecked, "#document is a form of Bundles alone");
        return None;
    }
    let (certificate, has_key) = (jws.x5c().first(), jws.has_key());
    let Some(certificate) = certificate else {
        let text = if has_key {
            "there is no x5c; the key that the signature itself brings or points at is not believed"
        } else {
            "there is no certificate (x5c) in the signature, so its key is not known"
        };
        examined.note("certificate", Outcome::NotChecked, text);
        return None;
    };
    let leaf = match Certificate::read(certificate) {
        Ok(leaf) => leaf,
        Err(why) => {
            examined.note("certificate", Outcome::Failed, format!("the first certificate of x5c: {why}"));
            return None;
        }
    };
    examined.subject = Some(leaf.subject().to_string());
    let payloads = payloads(resource, form, &signature.covers);
    match payloads.iter().find(|(payload, _)| jws.verify(leaf.key(), payload).is_ok()) {
        Some((_, what)) => examined.note(SIGNATURE, Outcome::Passed, format!("it covers {what}")),
        None => {
            examined.note(
                SIGNATURE,
                Outcome::Failed,
                "it is not a signature of this key over this content: the content was changed, it is of another version, or the certificate is another's",
            );
        }
    }
    let signed_s = time(value, &jws, now_s, examined)?;
    examined.signed_s = Some(signed_s);
    chained(jws.x5c(), anchors, signed_s, examined);
    examined.leaf = Some(leaf);
    Some(())
}

/// `Signature.data` as JWS: base64 of it, as R4 has it.
fn jws(signature: Value<'_>) -> Result<Detached, String> {
    let data = signature.get("data").and_then(Value::as_str).ok_or("it has no data")?;
    if data.len() > limits::SIGNATURE_DATA_CHARS_MAX {
        return Err("its data is too long".to_owned());
    }
    let letters: String = data.chars().filter(|letter| !letter.is_ascii_whitespace()).collect();
    let bytes = STANDARD.decode(letters).map_err(|_| "its data is no base64")?;
    let text = String::from_utf8(bytes).map_err(|_| "its data is no JWS")?;
    Detached::parse(&text).map_err(|why| why.to_string())
}

/// Which bytes `targetFormat` asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wanted {
    /// A form of R4, in whatever notation.
    Form(Form),
    /// All of it by RFC 8785.
    Jcs,
}

/// RFC 8785 by its own name.
const JCS: &str = "urn:ietf:rfc:8785";

fn form(signature: Value<'_>) -> Result<Wanted, &'static str> {
    let text = signature.get("targetFormat").and_then(Value::as_str).unwrap_or_default();
    let mut parts = text.split(';');
    let essence = parts.next().unwrap_or_default().trim().to_ascii_lowercase();
    if !matches!(essence.as_str(), "application/fhir+json" | "application/json") {
        return Err("targetFormat is not application/fhir+json: what was signed cannot be put together here");
    }
    let mut named = parts.filter_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("canonicalization").then(|| value.trim().trim_matches('"'))
    });
    match (named.next(), named.next()) {
        (Some(JCS), None) => Ok(Wanted::Jcs),
        (Some(url), None) => {
            Form::parse(url).map(Wanted::Form).ok_or("the canonicalization that targetFormat names is not known here")
        }
        (None, _) => Err("targetFormat names no canonicalization, so it is not known which bytes were signed"),
        (Some(_), Some(_)) => Err("targetFormat names more than one canonicalization"),
    }
}

/// The bytes that may have been signed, each once, with what they cover.
fn payloads(resource: Value<'_>, wanted: Wanted, covers: &Covers<'_>) -> Vec<(Vec<u8>, String)> {
    let own: &[Value<'_>] = if let Covers::Itself(own) = covers { own } else { &[] };
    let (form, notations) = match wanted {
        Wanted::Jcs => (Form::Whole, &[Notation::Rfc8785][..]),
        Wanted::Form(form) => (form, &[Notation::AsWritten, Notation::Rfc8785][..]),
    };
    let mut all: Vec<(Vec<u8>, String)> = Vec::new();
    // Row F32: who signed before the server gave it an id could not cover it.
    let id = resource.get("id").filter(|_| form == Form::Static);
    for without_id in [None, id].into_iter().take(1 + usize::from(id.is_some())) {
        for notation in notations {
            let except: Vec<Value<'_>> = own.iter().copied().chain(without_id).collect();
            let Ok(bytes) = canonical(resource, form, *notation, &except) else { continue };
            if all.iter().any(|(other, _)| *other == bytes) {
                continue;
            }
            let what = match form {
                Form::Whole => "the whole resource",
                Form::Data => "the resource without its narrative",
                Form::Static => "the resource without narrative and meta",
                Form::Narrative => "id and narrative alone",
                Form::Document => "the Bundle without its own id and meta",
            };
            let id = if without_id.is_some() { ", and without its id, which is therefore not covered" } else { "" };
            let notation = match notation {
                Notation::AsWritten => "numbers as written",
                Notation::Rfc8785 => "RFC 8785",
            };
            all.push((bytes, format!("{what}{id} ({notation})")));
        }
    }
    all
}

/// When it was signed: what is signed itself (`sigT`), else `Signature.when`.
fn time(signature: Value<'_>, jws: &Detached, now_s: i64, examined: &mut Examined) -> Option<i64> {
    let when = signature.get("when").and_then(Value::as_str).and_then(|text| seconds(&text));
    let own = jws.signing_time().map(seconds);
    let (signed_s, outcome, text) = match (own, when) {
        (Some(None), _) => {
            examined.note("time", Outcome::Failed, "the time in the signature (sigT) is no time");
            return None;
        }
        (Some(Some(own)), Some(when)) if own.abs_diff(when) > limits::SIGNING_TIME_APART_S => {
            (own, Outcome::Failed, "the time in the signature (sigT) is not that of Signature.when")
        }
        (Some(Some(own)), _) => {
            (own, Outcome::Passed, "the time is the signer's word, and covered by the signature (sigT)")
        }
        (None, Some(when)) => {
            (when, Outcome::NotChecked, "the time is that of Signature.when, which the signature does not cover")
        }
        (None, None) => {
            examined.note("time", Outcome::NotChecked, "nothing says when it was signed");
            return None;
        }
    };
    if signed_s > now_s.saturating_add(oauth::limits::CLOCK_SKEW_S) {
        examined.note("time", Outcome::Failed, "it says that it was signed in the future");
        return None;
    }
    examined.note("time", outcome, text);
    Some(signed_s)
}

fn seconds(text: &str) -> Option<i64> {
    let time = DateTime::parse(text).filter(|time| time.precision >= Precision::Second)?;
    Some(time.low.div_euclid(1000))
}

/// Whether the certificates led to an anchor when it was signed.
fn chained(x5c: &[Vec<u8>], anchors: &[Anchors], signed_s: i64, examined: &mut Examined) {
    if anchors.is_empty() {
        examined.note(
            "certificate",
            Outcome::NotChecked,
            "this server was told of nobody whose certificates it believes",
        );
        return;
    }
    let mut why: Option<ChainError> = None;
    for anchors in anchors {
        match anchors.chain(x5c, signed_s) {
            Ok(chain) => {
                let anchor = chain.certificates().last().map(|anchor| anchor.subject().to_string()).unwrap_or_default();
                examined.note(
                    "certificate",
                    Outcome::Passed,
                    format!("at the time of signing the certificates led to the anchor {anchor}"),
                );
                examined.chain = Some(chain);
                return;
            }
            Err(other) => {
                // Of several sets of anchors the reason that is not plain strangeness tells more.
                if why.is_none() || matches!(why, Some(ChainError::NoIssuer(_))) {
                    why = Some(other);
                }
            }
        }
    }
    let why = why.map(|why| why.to_string()).unwrap_or_default();
    examined.note("certificate", Outcome::Failed, format!("at the time of signing: {why}"));
}
