//! Who vouches for clients, and whom no longer: anchors and revocation lists. Rows A6, A9, A11.

use super::Line;
use crate::{
    clock,
    config::Config,
    print::many,
    tls::client::{Mode, Trust},
};
use fhir::Instant;

const SUBJECT: &str = "clients";

/// Days before an anchor's end at which whoever depends on it should know.
const ANCHOR_DAYS: i64 = 60;

const DAY_S: i64 = 86_400;

/// What a server with these settings would make of clients' certificates.
pub(crate) fn trust(config: &Config) -> Vec<Line> {
    let asked = config.client_certificates != Mode::Off || config.mtls.is_some();
    if !asked && config.proxies.is_none() {
        return match config.client_trust.anchors.is_empty() {
            true => Vec::new(),
            false => vec![Line::warning(
                SUBJECT,
                "anchors are configured, and no client is asked for a certificate",
                "set tls.client_certificates or mtls.listen",
            )],
        };
    }
    let now_s = clock::now().unix_seconds();
    match config.client_trust.read().and_then(|content| Trust::of(&content, now_s)) {
        Ok(trust) => lines(&trust, now_s),
        Err(why) => vec![Line::problem(
            SUBJECT,
            why.to_string(),
            "correct tls.client_anchors or tls.client_crls; a server does not start with them",
        )],
    }
}

fn lines(trust: &Trust, now_s: i64) -> Vec<Line> {
    let mut lines = Vec::new();
    for anchor in &trust.anchors {
        let days = (anchor.ends_s - now_s).div_euclid(DAY_S);
        let (name, path, ends) = (&anchor.subject, anchor.path.display(), moment(anchor.ends_s));
        if anchor.ends_s <= now_s {
            let found = format!("{path}: {name} ended on {ends}; it vouches for nobody");
            lines.push(Line::problem(SUBJECT, found, "put the authority's new certificate in its place"));
        } else if days < ANCHOR_DAYS {
            let found = format!("{path}: {name} ends in {days} days, on {ends}");
            lines.push(Line::warning(SUBJECT, found, "add the authority's new certificate beside it in time"));
        }
    }
    for anchor in trust.without_list() {
        let found = format!("there is no revocation list of {}: its certificates are refused", anchor.subject);
        lines.push(Line::problem(SUBJECT, found, "name its list in tls.client_crls"));
    }
    for list in &trust.lists {
        let (name, path) = (&list.issuer_text, list.path.display());
        match list.until_s {
            None => {
                let found = format!("{path}: the list of {name} does not say until when it counts, so it never does");
                lines.push(Line::problem(SUBJECT, found, "have the authority write nextUpdate into its lists"));
            }
            Some(until_s) if until_s <= now_s => {
                let found =
                    format!("{path}: the list of {name} ended on {}: its certificates are refused", moment(until_s));
                lines.push(Line::problem(
                    SUBJECT,
                    found,
                    "get a new one; 'handrail pki crl' writes it for its own authority",
                ));
            }
            Some(until_s) if until_s - now_s < (until_s - list.made_s) / 10 => {
                let found = format!("{path}: the list of {name} ends on {}", moment(until_s));
                lines.push(Line::warning(
                    SUBJECT,
                    found,
                    "get a new one in time; a running server takes it up by itself",
                ));
            }
            Some(_) => {}
        }
    }
    if trust.anchors.is_empty() {
        lines.push(Line::note(SUBJECT, "no anchors: self-signed certificates that clients registered are taken alone"));
    } else if lines.is_empty() {
        let revoked: usize = trust.lists.iter().map(|list| list.revoked).sum();
        let (anchors, lists) =
            (many(trust.anchors.len() as u64, "anchor"), many(trust.lists.len() as u64, "revocation list"));
        lines.push(Line::well(SUBJECT, format!("{anchors}, {lists} with {}", many(revoked as u64, "certificate"))));
    }
    if !trust.anchors.is_empty() && trust.lists.is_empty() {
        let found = "no revocation lists: a certificate counts until it ends, unless its client is removed";
        lines.push(Line::note(SUBJECT, found));
    }
    lines
}

fn moment(seconds: i64) -> Instant {
    Instant::from_unix_millis(seconds.saturating_mul(1000))
}
