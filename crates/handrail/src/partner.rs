//! A partner's server as its UDAP metadata shows it, held against the rules, the anchors and what is told of revocations.
//! SPEC: HL7 FHIR UDAP Security 2.0 section 2 (and 1.0, 1.1); rows D1 to D11.
//!
//! What is found are lines for people, in the order in which one depends on the other.

use crate::{
    doctor::{Line, Weight},
    limits,
};
use authserver::{egress::Fetch, udap::status};
use fhir::Instant;
use http::StatusCode;
use oauth::{
    udap::{
        metadata::{Document, SignedMetadata},
        x5c::Signed,
    },
    x509::{Anchors, Certificate, Chain, Status, Unnamed},
};
use std::sync::Arc;

const DAY_S: i64 = 86_400;

/// What came of looking.
pub(crate) struct Seen {
    /// What was found.
    pub(crate) lines: Vec<Line>,
    /// The document, its signed endpoints in it, when it can be used.
    pub(crate) document: Option<Document>,
    /// Its chain to an anchor, when there is one.
    pub(crate) chain: Option<Chain>,
}

impl Seen {
    /// The worst of what was found.
    pub(crate) fn weight(&self) -> Weight {
        self.lines.iter().map(|line| line.weight).max().unwrap_or(Weight::Well)
    }
}

impl Seen {
    /// Asks of each certificate below the anchor whether it was revoked (row D9).
    pub(crate) async fn ask_status(&mut self, fetch: &Arc<dyn Fetch>, now: Instant) {
        let Some(chain) = &self.chain else { return };
        for (certificate, issuer) in chain.issued() {
            let told = status::ask(Arc::clone(fetch), certificate, issuer, now).await;
            self.lines.push(revocation(&certificate.subject().to_string(), told));
        }
    }
}

fn revocation(whose: &str, told: Result<Status, status::Unavailable>) -> Line {
    let unknown = |why: &dyn std::fmt::Display| {
        let advice = "a server that is strict refuses it until its authority answers; within your own network allow its \
                      address with --allow-network";
        Line::problem("revocation", format!("{whose}: nobody says whether it was revoked: {why}"), advice)
    };
    match told {
        Ok(Status::Good { until_s }) => {
            Line::well("revocation", format!("{whose}: not revoked; that word counts until {}", moment(until_s)))
        }
        Ok(Status::Revoked { since_s, .. }) => {
            let found = format!("{whose}: revoked on {}", moment(since_s));
            Line::problem("revocation", found, "nobody may trust it any more")
        }
        Ok(Status::Unknown) => unknown(&"its authority does not know it"),
        Err(why) => unknown(&why),
    }
}

/// What a server answered at `/.well-known/udap`.
pub(crate) struct Answered<'a> {
    pub(crate) status: StatusCode,
    /// `Content-Type`.
    pub(crate) content_type: Option<&'a str>,
    pub(crate) body: &'a [u8],
    /// The community that was asked for.
    pub(crate) community: Option<&'a str>,
}

/// Looks at it. `base`: the FHIR base, to the letter. `anchors`: whom to believe; without them nobody is.
pub(crate) fn look(base: &str, answered: &Answered<'_>, anchors: Option<&Anchors>, now_s: i64) -> Seen {
    let mut lines = Vec::new();
    let (document, chain) = examine(&mut lines, base, answered, anchors, now_s).unwrap_or_default();
    Seen { lines, document, chain }
}

/// `None`: there is nothing more to look at, and the last line says why.
fn examine(
    lines: &mut Vec<Line>,
    base: &str,
    answered: &Answered<'_>,
    anchors: Option<&Anchors>,
    now_s: i64,
) -> Option<(Option<Document>, Option<Chain>)> {
    is_there(lines, answered)?;
    let document = match Document::read(answered.body) {
        Ok(document) => document,
        Err(why) => {
            lines.push(problem("document", why, "nothing can be done with this server until it is mended"));
            return None;
        }
    };
    offers(lines, &document);
    let signed = match Signed::parse(&document.signed) {
        Ok(signed) => signed,
        Err(why) => {
            let advice = "it must be a JWS with alg and x5c (leaf first) in its header (section 2.3)";
            lines.push(problem("signature", format_args!("signed_metadata: {why}"), advice));
            return None;
        }
    };
    let leaf = match signed.x5c().first().map(|der| Certificate::read(der)) {
        Some(Ok(leaf)) => leaf,
        Some(Err(why)) => {
            lines.push(problem("certificate", why, "the first of x5c must be the server's certificate, DER in base64"));
            return None;
        }
        None => return None,
    };
    let vouched = match SignedMetadata::read(&signed, leaf.key(), base, now_s) {
        Ok(vouched) => vouched,
        Err(why) => {
            let claimed = signed.unverified("iss").unwrap_or("nothing");
            let advice = format!(
                "iss and sub must be {base} to the letter, exp at most a year after iat, the signature the leaf's; iss is {claimed}"
            );
            lines.push(problem("signature", why, advice));
            return None;
        }
    };
    let algorithm = signed.algorithm().as_str();
    let found = format!("{algorithm}, signed by {}, until {}", leaf.subject(), moment(vouched.expires_at_s));
    lines.push(Line::well("signature", found));
    if algorithm != "RS256" {
        let found = format!("signed_metadata is signed with {algorithm}; RS256 alone must be understood by all");
        lines.push(Line::warning(
            "signature",
            found,
            "sign it with RS256, so that every reader of 1.0 to 2.0 can verify it",
        ));
    }
    same_endpoints(lines, &document, &vouched);
    names(lines, base, &leaf);
    let chain = trusted(lines, signed.x5c(), anchors, now_s);
    Some((Some(document.with(&vouched)), chain))
}

fn is_there(lines: &mut Vec<Line>, answered: &Answered<'_>) -> Option<()> {
    let advice = "ask the partner for its FHIR base URL; the document is at BASE/.well-known/udap";
    match (answered.status, answered.community) {
        (StatusCode::OK, _) => {}
        (StatusCode::NO_CONTENT, Some(community)) => {
            let found = format!("the server is no member of {community} (204, as 1.1 and 2.0 say it)");
            lines.push(problem(
                "document",
                found,
                "leave --community away to see the community that it is a member of",
            ));
            return None;
        }
        (StatusCode::NOT_FOUND, Some(community)) => {
            let found = format!("404: no UDAP here, or the server is no member of {community} (as 1.0 says it)");
            lines.push(problem("document", found, "leave --community away to tell the two apart"));
            return None;
        }
        (StatusCode::NOT_FOUND, None) => {
            lines.push(problem("document", "404: this server does not speak UDAP", advice));
            return None;
        }
        (status, _) => {
            lines.push(problem(
                "document",
                format_args!("the server answered with status {}", status.as_u16()),
                advice,
            ));
            return None;
        }
    }
    let is_json = answered
        .content_type
        .is_some_and(|kind| kind.split(';').next().unwrap_or_default().trim() == "application/json");
    if is_json {
        lines.push(Line::well("document", "it is there, and JSON"));
    } else {
        let found = format!("its Content-Type is {}", answered.content_type.unwrap_or("missing"));
        lines.push(problem("document", found, "it must be application/json (section 2.2)"));
    }
    Some(())
}

/// What is offered, and each rule that the document breaks.
fn offers(lines: &mut Vec<Line>, document: &Document) {
    let list = |all: &[String]| if all.is_empty() { "none".to_owned() } else { all.join(", ") };
    let required = |all: &Option<Vec<String>>| list(all.as_deref().unwrap_or_default());
    lines.push(Line::well(
        "offers",
        format!("profiles {}; grants {}", list(&document.profiles), list(&document.grants)),
    ));
    let scopes = document.scopes.as_ref().map_or("no list of scopes".to_owned(), |scopes| match scopes.len() {
        0..=6 => format!("scopes {}", list(scopes)),
        many => format!("{many} scopes"),
    });
    lines.push(Line::well("offers", scopes));
    lines.push(Line::well("offers", format!("registration at {}", document.registration_endpoint)));
    lines.push(Line::well("offers", format!("tokens at {}", document.token_endpoint)));
    if let Some(url) = &document.authorization_endpoint {
        lines.push(Line::well("offers", format!("people sign in at {url}")));
    }
    let asked = (required(&document.extensions_required), required(&document.certifications_required));
    lines.push(Line::well("demands", format!("extensions: {}; certifications: {}", asked.0, asked.1)));
    for rule in document.broken_rules() {
        // A server of 1.0 or 1.1 need not have it.
        match rule.strip_suffix(" (2.0 demands it)") {
            Some(rule) => {
                let found = format!("{rule}: 2.0 demands it, 1.0 and 1.1 do not");
                lines.push(Line::warning(
                    "rules",
                    found,
                    "a server of 2.0 must have it; from an older one it need not be expected",
                ));
            }
            None => lines.push(problem("rules", rule, "1.0, 1.1 and 2.0 all demand this (section 2.2)")),
        }
    }
}

fn same_endpoints(lines: &mut Vec<Line>, document: &Document, vouched: &SignedMetadata) {
    let pairs = [
        ("token_endpoint", Some(&document.token_endpoint), Some(&vouched.token_endpoint)),
        ("registration_endpoint", Some(&document.registration_endpoint), Some(&vouched.registration_endpoint)),
        ("authorization_endpoint", document.authorization_endpoint.as_ref(), vouched.authorization_endpoint.as_ref()),
    ];
    for (name, plain, signed) in pairs {
        match (plain, signed) {
            (Some(plain), Some(signed)) if plain != signed => {
                let found = format!("{name} is {plain}, and {signed} in what is signed");
                lines.push(Line::warning(
                    "rules",
                    found,
                    "the signed one counts (2.0); a reader of 1.0 may take the other: make them one",
                ));
            }
            (Some(_), None) => {
                let found = format!("{name} is not in what is signed");
                lines.push(problem(
                    "rules",
                    found,
                    "signed_metadata must have each endpoint that the document has (section 2.3)",
                ));
            }
            _ => {}
        }
    }
}

/// SPEC: row D6, D11: to the letter, nothing normalised.
fn names(lines: &mut Vec<Line>, base: &str, leaf: &Certificate) {
    let Err(instead) = leaf.names(base) else {
        lines.push(Line::well("certificate", format!("it names {base}")));
        return;
    };
    let advice = match &instead {
        near if near.is_near() => "a slash or a capital letter makes another URI (2.0): one of the two must be changed",
        Unnamed::Nothing => "the community must put the FHIR base into the certificate",
        _ => "the certificate is another server's",
    };
    let found = format!("it does not name {base}: {instead}");
    lines.push(problem("certificate", found, advice));
}

fn trusted(lines: &mut Vec<Line>, x5c: &[Vec<u8>], anchors: Option<&Anchors>, now_s: i64) -> Option<Chain> {
    let Some(anchors) = anchors else {
        let found = "no anchors were given, so whether the certificate can be trusted was not looked at";
        lines.push(Line {
            weight: Weight::Note,
            ..Line::warning("chain", found, "name the community's root with --anchors FILE")
        });
        x5c.iter().filter_map(|der| Certificate::read(der).ok()).for_each(|one| ends(lines, &one, now_s));
        return None;
    };
    match anchors.chain(x5c, now_s) {
        Ok(chain) => {
            let names: Vec<String> = chain.certificates().iter().map(|one| one.subject().to_string()).collect();
            lines.push(Line::well("chain", format!("it holds: {}", names.join(" <- "))));
            chain.certificates().iter().for_each(|one| ends(lines, one, now_s));
            Some(chain)
        }
        Err(why) => {
            lines.push(problem(
                "chain",
                why,
                "it must lead from the server's certificate to one of the anchors (sections 2.3, 7.1)",
            ));
            None
        }
    }
}

/// When a certificate ends.
pub(crate) fn ends(lines: &mut Vec<Line>, certificate: &Certificate, now_s: i64) {
    lines.push(life("ends", &certificate.subject().to_string(), certificate.not_after_s(), now_s, "renew it in time"));
}

/// How long something counts, as a line.
pub(crate) fn life(subject: &'static str, whose: &str, until_s: i64, now_s: i64, advice: &str) -> Line {
    let days = (until_s - now_s).div_euclid(DAY_S);
    let until = moment(until_s);
    if until_s <= now_s {
        Line::problem(subject, format!("{whose}: ended on {until}"), advice)
    } else if days < limits::COMMUNITY_WARN_DAYS {
        Line::warning(subject, format!("{whose}: ends in {days} days, on {until}"), advice)
    } else {
        Line::well(subject, format!("{whose}: until {until}"))
    }
}

fn problem(subject: &'static str, found: impl std::fmt::Display, advice: impl Into<String>) -> Line {
    Line::problem(subject, found.to_string(), advice)
}

/// A moment for people.
pub(crate) fn moment(seconds: i64) -> Instant {
    Instant::from_unix_millis(seconds.saturating_mul(1000))
}

#[cfg(test)]
mod tests;
