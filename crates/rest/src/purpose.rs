//! What a request says that it is for: `X-Purpose-Of-Use`. SPEC: row F48; HL7 Terminology v3-ActReason.
//!
//! The header has codes of v3-ActReason, divided by commas: plain (`COC`), or behind the system with `#` or `|`. Each must
//! lie within what the caller may act for ([`Caller::purposes`]); then the request counts as one for these alone. It only
//! ever narrows. It stands for all entries of a batch or transaction.

use crate::{failure::Failure, wire::Request};
use fhir::issue::{Issue, IssueType};
use oauth::{Caller, udap::purpose::Purpose};

/// The caller as the request's head narrows them.
pub(crate) fn narrowed(caller: Caller, head: &Request) -> Result<Caller, Failure> {
    let Some(text) = head.purpose_of_use()? else { return Ok(caller) };
    let purpose = |code: &str| Purpose::parse(&code.trim().replace('|', "#"));
    let asked: Option<Vec<Purpose>> = text.split(',').map(purpose).collect();
    let permitted: Vec<&str> = caller.purposes().iter().map(|purpose| purpose.code()).collect();
    let permitted = permitted.join(", ");
    asked.and_then(|asked| caller.for_purposes(&asked).ok()).ok_or_else(|| {
        let text = format!(
            "the header X-Purpose-Of-Use asks for a purpose that this caller may not act for; it may name {permitted} and what lies below"
        );
        Failure::Purpose(Issue::error(IssueType::Forbidden, text).at("http.x-purpose-of-use"))
    })
}
