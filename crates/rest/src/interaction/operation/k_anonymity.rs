//! `Patient/$k-anonymity`: how alike the people are whom a search finds, once they are de-identified. An operation of this
//! server. Row F68.
//!
//! Parameters are those of a search of de-identified Patients, and `k` (default 11): groups of fewer people are counted.
//! Counts alone leave, so any caller may ask who may search Patients; they are of what this caller sees.

use super::super::{Answer, Call, criteria, deidentified, resource::unknown_parameter};
use crate::{failure::Failure, limits, trail::Trail, wire::Reply};
use fhir::{
    ResourceType,
    issue::{Issue, IssueType},
    json::Writer,
};
use policy::deidentified::{Groups, SMALL_CELL};

/// Counts the groups of all that are found.
pub(in crate::interaction) fn perform(
    call: &Call<'_>,
    kind: ResourceType,
    trail: &mut Trail,
) -> Result<Answer, Failure> {
    let mut k = SMALL_CELL;
    let mut rest = Vec::new();
    for pair in call.asked.query.split('&').filter(|pair| !pair.is_empty()) {
        match pair.split_once('=') {
            Some(("k", value)) => {
                k = value.parse().ok().filter(|k| (2..=limits::K_MAX).contains(k)).ok_or_else(|| {
                    let text = format!("k is a number from 2 to {}", limits::K_MAX);
                    Failure::request(Issue::error(IssueType::Value, text).at("k"))
                })?;
            }
            // Of how many pages an answer is made is no question here.
            Some((name @ ("_count" | "_total"), _)) => return Err(Failure::request(unknown_parameter(name))),
            _ => rest.push(pair),
        }
    }
    let query = rest.join("&");
    trail.query(kind, &query);
    deidentified::check(kind, &query)?;
    let mut query = criteria::query(call.service, kind, None, &query, false)?;
    query.count = limits::K_PAGE;
    let snapshot = call.service.snapshot();
    let (mut groups, mut withheld, mut cursor) = (Groups::default(), 0u64, None);
    loop {
        let page = snapshot.search(&call.permit, &query, cursor.as_deref(), "k-anonymity")?;
        for found in page.matches {
            match deidentified::rewritten(call, found)? {
                Some(found) => groups.add(&found.json.into_bytes()?),
                None => withheld += 1,
            }
        }
        if groups.people() + withheld > limits::K_PEOPLE_MAX {
            return Err(Failure::request(Issue::error(
                IssueType::TooCostly,
                format!("more than {} people are found: search for some of them", limits::K_PEOPLE_MAX),
            )));
        }
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    Ok(Answer::read(Reply::document(answer(&groups, k, withheld))))
}

fn answer(groups: &Groups, k: u64, withheld: u64) -> Vec<u8> {
    let (small, in_small) = groups.below(k);
    let mut w = Writer::new();
    w.object(|w| {
        w.member("resourceType", "Parameters");
        w.key("parameter");
        w.array(|w| {
            let mut number = |name: &str, value: u64| {
                w.object(|w| {
                    w.member("name", name);
                    w.key("valueUnsignedInt");
                    w.integer(i64::try_from(value).unwrap_or(i64::MAX));
                });
            };
            number("k", k);
            number("people", groups.people());
            number("groups", groups.groups());
            if let Some(smallest) = groups.smallest() {
                number("smallest", smallest);
            }
            number("smallGroups", small);
            number("peopleInSmallGroups", in_small);
            number("withheld", withheld);
        });
    });
    w.into_bytes()
}
