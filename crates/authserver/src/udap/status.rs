//! Whether a certificate was revoked. SPEC: RFC 5280 section 6.3; RFC 6960; row D9.
//!
//! A responder is asked first where the certificate names one: its answer is small and new. Where it gives none that can
//! be used, or knows nothing, the lists that the certificate names are asked, each with its list of changes when there is
//! one; changes that cannot be had are done without, for the whole list counts by itself. A certificate that names
//! neither can be asked of nobody: that is the same as no answer.

use super::lists::{Failure, Lists, Waits};
use crate::egress::Fetch;
use fhir::Instant;
use oauth::x509::{Certificate, Status, crl::List};
use std::{fmt, sync::Arc};

/// Addresses of one kind that are tried for a certificate.
const ADDRESSES_MAX: usize = 3;

/// Nobody says whether a certificate was revoked; the text says whom was asked, and what came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unavailable {
    why: String,
    /// There was no place to ask: that says nothing of whoever would have answered.
    pub(super) is_busy: bool,
}

impl Unavailable {
    pub(super) fn because(why: impl Into<String>) -> Self {
        Self { why: why.into(), is_busy: false }
    }
}

/// Why nobody answered, as it comes together.
#[derive(Default)]
struct Whys {
    all: Vec<String>,
    is_busy: bool,
}

impl Whys {
    fn add(&mut self, url: &str, why: &dyn fmt::Display) {
        self.all.push(format!("{url}: {why}"));
    }

    fn failed(&mut self, url: &str, why: &Failure) {
        self.is_busy |= *why == Failure::Busy;
        self.add(url, why);
    }
}

impl From<Whys> for Unavailable {
    fn from(whys: Whys) -> Self {
        Self { why: whys.all.join("; "), is_busy: whys.is_busy }
    }
}

impl fmt::Display for Unavailable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.why)
    }
}

impl std::error::Error for Unavailable {}

/// Asks, keeping nothing: for a command.
///
/// # Errors
/// [`Unavailable`].
pub async fn ask(
    fetch: Arc<dyn Fetch>,
    certificate: &Arc<Certificate>,
    issuer: &Arc<Certificate>,
    now: Instant,
) -> Result<Status, Unavailable> {
    status(&Lists::new(fetch, Arc::new(move || now)), certificate, issuer, Waits::Nobody)
        .await
        .map(|(status, _)| status)
}

/// What the issuer says of a certificate: good or revoked; and the second from which on it is asked again.
pub(crate) async fn status(
    lists: &Arc<Lists>,
    certificate: &Arc<Certificate>,
    issuer: &Arc<Certificate>,
    waits: Waits,
) -> Result<(Status, i64), Unavailable> {
    let mut whys = Whys::default();
    for url in certificate.ocsp_urls().iter().take(ADDRESSES_MAX) {
        match lists.answer(url, certificate, issuer, waits).await {
            Err(why) => whys.failed(url, &why),
            Ok((answer, _)) if answer.status == Status::Unknown => whys.add(url, &"the responder does not know it"),
            Ok((answer, again_s)) => match &answer.delegate {
                None => return Ok((answer.status, again_s)),
                // Who answers in the issuer's place must stand itself; by a list, or questions would go in circles.
                Some(delegate) => match by_list(lists, &Arc::new(Certificate::clone(delegate)), issuer, waits).await {
                    Ok((Status::Good { until_s }, other_s)) => {
                        return Ok((no_longer_than(answer.status, until_s), again_s.min(other_s)));
                    }
                    Ok(_) => whys.add(url, &"whoever answers was revoked"),
                    Err(why) => {
                        whys.is_busy |= why.is_busy;
                        whys.add(url, &format_args!("whoever answers may have been revoked ({why})"));
                    }
                },
            },
        }
    }
    match by_list(lists, certificate, issuer, waits).await {
        Ok(said) => Ok(said),
        Err(why) => {
            whys.is_busy |= why.is_busy;
            whys.all.push(why.why);
            Err(whys.into())
        }
    }
}

fn no_longer_than(status: Status, most_s: i64) -> Status {
    match status {
        Status::Good { until_s } => Status::Good { until_s: until_s.min(most_s) },
        Status::Revoked { since_s, until_s } => Status::Revoked { since_s, until_s: until_s.min(most_s) },
        Status::Unknown => Status::Unknown,
    }
}

async fn by_list(
    lists: &Arc<Lists>,
    certificate: &Arc<Certificate>,
    issuer: &Arc<Certificate>,
    waits: Waits,
) -> Result<(Status, i64), Unavailable> {
    let mut whys = Whys::default();
    for url in certificate.crl_urls().iter().take(ADDRESSES_MAX) {
        let (list, again_s) = match lists.list(url, issuer, waits).await {
            Ok(said) => said,
            Err(why) => {
                whys.failed(url, &why);
                continue;
            }
        };
        let changes = changes(lists, certificate, issuer, &list, waits).await;
        let again_s = changes.as_ref().map_or(again_s, |(_, other_s)| again_s.min(*other_s));
        match list.status(certificate, changes.as_ref().map(|(changes, _)| &**changes)) {
            Status::Unknown => whys.add(url, &"the list does not speak of it"),
            status => return Ok((status, again_s)),
        }
    }
    if whys.all.is_empty() {
        return Err(Unavailable::because("it names no revocation list that can be fetched"));
    }
    Err(whys.into())
}

/// The changes to a list, where it or the certificate names them and they are its own.
async fn changes(
    lists: &Arc<Lists>,
    certificate: &Certificate,
    issuer: &Arc<Certificate>,
    list: &List,
    waits: Waits,
) -> Option<(Arc<List>, i64)> {
    let named = certificate.delta_crl_urls().iter().chain(list.delta_urls());
    for url in named.take(ADDRESSES_MAX) {
        // Lists that cannot be had are in the log.
        if let Ok((changes, again_s)) = lists.list(url, issuer, waits).await
            && changes.changes(list)
        {
            return Some((changes, again_s));
        }
    }
    None
}

#[cfg(test)]
mod tests;
