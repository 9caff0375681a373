//! On whose behalf and for what purpose a system of a trust community asks. SPEC: HL7 FHIR UDAP Security 2.0 section 5.2.1;
//! rows D27, D28, F48.
//!
//! What it says is bound to the token, next to what its certificate proves; policy narrows by both.

use crate::{authentication::Proof, client::Client, event::Event, outcome::Refusal, service::Inner};
use audit::entry::Organization;
use oauth::caller::Acting;
use std::sync::Arc;

/// `None` for a system that is not of a trust community. Blocks on the disk.
pub(super) fn acting(
    inner: &Inner,
    client: &Client,
    proof: &Proof,
    event: &mut Event,
) -> Result<Option<Arc<Acting>>, Refusal> {
    let Some(udap) = client.kind.udap() else { return Ok(None) };
    let refused = |why: String, event: &mut Event| {
        event.reason = Some(why.clone());
        event.told = Some(why);
        Refusal::B2b
    };
    let Proof::Community { assertion, .. } = proof else { return Err(Refusal::Client) };
    let b2b = match assertion.b2b() {
        Ok(Some(b2b)) => b2b,
        Ok(None) => return Err(refused("hl7-b2b is missing".to_owned(), event)),
        Err(why) => return Err(refused(why.to_string(), event)),
    };
    let organization = inner.records.organization_of(&udap.uri);
    let acting = Acting { community: Arc::clone(&udap.community), uri: Arc::clone(&udap.uri), b2b, organization };
    event.organization = Some(Organization::of(&acting));
    let community = inner.communities.get(&udap.community).ok_or(Refusal::Client)?;
    if acting.b2b.purposes.iter().any(|purpose| !community.purposes.contains(purpose)) {
        let why = "hl7-b2b: a purpose of use that members of the community may not name here";
        return Err(refused(why.to_owned(), event));
    }
    Ok(Some(Arc::new(acting)))
}

#[cfg(test)]
mod tests;
