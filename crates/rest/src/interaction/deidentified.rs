//! Searches of a client that gets de-identified data alone (row F68): what it may ask, and the page as it leaves.
//! The rules are `policy::deidentified`'s.

use super::{Call, criteria};
use crate::failure::Failure;
use fhir::{
    LogicalId, ResourceType,
    issue::{self, Issue, IssueType},
    json::Tree,
};
use oauth::caller::Standing;
use policy::deidentified::{self, SMALL_CELL};
use search::query::parameter_name;
use store::{Found, Page};

/// Whether this caller gets de-identified data alone.
pub(super) fn is_for(call: &Call<'_>) -> bool {
    call.caller.grant().standing == Standing::Deidentified
}

/// Refuses a search that asks for more than is shown.
///
/// # Errors
/// One issue for each parameter that would tell.
pub(super) fn check(kind: ResourceType, query: &str) -> Result<(), Failure> {
    let pairs = criteria::pairs(query)?;
    let issue = |(name, value): &(String, String)| {
        let why = deidentified::parameter(kind, name, value).err()?;
        let issue = Issue::error(IssueType::NotSupported, why.to_string());
        Some(issue.at(parameter_name(name).unwrap_or(issue::URL)))
    };
    let issues: Vec<Issue> = pairs.iter().filter_map(issue).collect();
    if issues.is_empty() { Ok(()) } else { Err(Failure::Request(issues)) }
}

/// The page as it leaves: rewritten, without those that cannot be told, and without a small total.
pub(super) fn page(call: &Call<'_>, page: Page) -> Result<Page, Failure> {
    let matches = page.matches.into_iter().map(|found| rewritten(call, found));
    Ok(Page {
        matches: matches.filter_map(Result::transpose).collect::<Result<_, _>>()?,
        // Nothing is included, since nothing may be asked to be.
        included: Vec::new(),
        total: page.total.filter(|total| *total >= SMALL_CELL),
        ..page
    })
}

/// A resource as this client may know it; `None`: not without what must be hidden.
pub(super) fn rewritten(call: &Call<'_>, found: Found) -> Result<Option<Found>, Failure> {
    let service = call.service;
    let pseudonyms = service.parts.store.pseudonyms(&call.caller.grant().client_id);
    // What is stored is JSON: it was read when it was written.
    let tree = Tree::parse(found.json.clone().into_bytes()?).map_err(|_| Failure::Fault)?;
    let year = service.now().to_string().get(..4).and_then(|year| year.parse().ok()).ok_or(Failure::Fault)?;
    let pseudonym = |kind, id: &str| pseudonyms.of(kind, id);
    let Ok(json) = deidentified::safe_harbor(&tree, service.parts.schema, year, &pseudonym) else { return Ok(None) };
    let id = LogicalId::parse(&pseudonym(found.resource_type, found.id.as_str())).map_err(|_| Failure::Fault)?;
    Ok(Some(Found { id, json: bytes::Bytes::from(json).into(), patients: Vec::new(), ..found }))
}
