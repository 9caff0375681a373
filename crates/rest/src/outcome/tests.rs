//! The whole table, compared with `docs/status-codes.md`.

use super::{Success, map, within_entry};
use crate::{council::CouncilError, failure::Failure, wire::Method, wire::challenge_text};
use fhir::{
    ResourceType, VersionId,
    issue::{Issue, IssueType},
    json::Tree,
};
use oauth::bearer::BearerError;
use policy::Denied;
use std::{collections::BTreeSet, fmt::Write, path::Path};
use terminology::OperationError;

/// Kinds of failure. A new one does not compile here until it has a number, and the test fails
/// until it has a sample.
const KINDS: usize = 38;

fn number(failure: &Failure) -> usize {
    match failure {
        Failure::Unauthenticated(_) => 0,
        Failure::Denied(_) => 1,
        Failure::DpopNonce(_) => 33,
        Failure::Purpose(_) => 34,
        Failure::Glass(_) => 35,
        Failure::StepUp => 36,
        Failure::Council(_) => 37,
        Failure::UnknownPath => 2,
        Failure::Method(_) => 3,
        Failure::NotAcceptable => 4,
        Failure::MediaType => 5,
        Failure::TooLong(_) => 6,
        Failure::TooManyEntries(_) => 7,
        Failure::BodyBroken => 8,
        Failure::Request(_) => 9,
        Failure::Json(_) => 10,
        Failure::Content(_) => 11,
        Failure::Invalid(_) => 12,
        Failure::Id => 13,
        Failure::NotFound => 14,
        Failure::Gone => 15,
        Failure::TooCostly(_) => 16,
        Failure::Cursor => 17,
        Failure::VersionMismatch(_) => 18,
        Failure::Exists => 19,
        Failure::MultipleMatches => 20,
        Failure::NoMatch => 21,
        Failure::Duplicate => 22,
        Failure::Conflict => 23,
        Failure::Throttled => 24,
        Failure::Store(_) => 25,
        Failure::Audit => 26,
        Failure::Fault => 27,
        Failure::Entry(..) => 28,
        Failure::BodySlow => 29,
        Failure::Busy => 30,
        Failure::Terminology(_) => 31,
        Failure::NotIndexed(_) => 32,
    }
}

fn samples() -> Vec<(&'static str, Failure)> {
    let patient = ResourceType::parse("Patient").unwrap();
    let json = Tree::parse(&b"{\"a\":1,\n}"[..]).unwrap_err();
    vec![
        ("no access token", Failure::Unauthenticated(BearerError::Missing)),
        ("an Authorization header without an access token", Failure::Unauthenticated(BearerError::Malformed)),
        ("a token that is not, or no longer, valid", Failure::Unauthenticated(BearerError::Unknown)),
        ("a token past its end", Failure::Unauthenticated(BearerError::Expired)),
        ("a token bound to a key, without that key", Failure::Unauthenticated(BearerError::Unproven)),
        ("a DPoP proof without a nonce of this server", Failure::DpopNonce("…".into())),
        (
            "a type or interaction that the scopes do not name",
            Failure::Denied(Denied::Scope { resource_type: Some(patient), needs: "r" }),
        ),
        ("nothing granted at all", Failure::Denied(Denied::Scope { resource_type: None, needs: "cruds" })),
        (
            "a type or interaction that does not go with the purpose of an organization that came by UDAP",
            Failure::Denied(Denied::Purpose { resource_type: patient, needs: "u" }),
        ),
        ("a write whose result is outside the scopes", Failure::Denied(Denied::ResultOutsideScope(patient))),
        ("`$meta-add` or `$meta-delete` without the authority for it", Failure::Denied(Denied::Authority(patient))),
        ("a write of an AuditEvent", Failure::Denied(Denied::AuditIsReadOnly)),
        ("`$explain-access` by whoever may not know", Failure::Denied(Denied::Unexplained)),
        (
            "`$policy-…` by whoever is no administrator, or by an app without `user/Library…`",
            Failure::Denied(Denied::Administrators),
        ),
        ("`$policy-propose`, `-approve`, `-withdraw` long after the sign-in", Failure::StepUp),
        ("`$policy-approve` by whoever proposed it", Failure::Council(CouncilError::SamePerson)),
        ("`$policy-…` where four eyes are not set", Failure::Council(CouncilError::Off)),
        ("`$policy-approve` of what somebody proposed who left", Failure::Council(CouncilError::Orphaned)),
        ("`$policy-approve` after other rules came into force", Failure::Council(CouncilError::Stale)),
        ("`$policy-propose` of what waits", Failure::Council(CouncilError::Waits)),
        ("`$policy-propose` of what is in force", Failure::Council(CouncilError::InForce)),
        ("`$policy-propose` while many wait", Failure::Council(CouncilError::Full)),
        ("`$access-report` by a system", Failure::Denied(Denied::PeopleAlone)),
        ("a fault of the server in deciding", Failure::Denied(Denied::GrantsOfAnother)),
        (
            "`X-Purpose-Of-Use` with a purpose that the caller may not act for",
            Failure::Purpose(Issue::error(IssueType::Forbidden, "…").at("http.x-purpose-of-use")),
        ),
        (
            "`Category` with `BTG` of somebody who may break the glass and did not for this record; others: as if it were absent",
            Failure::Glass("…".into()),
        ),
        ("a path that is no URL of FHIR, or a type that R4 does not have", Failure::UnknownPath),
        ("a method that the URL does not take", Failure::Method(vec![Method::Get, Method::Post])),
        ("Accept or `_format` without JSON", Failure::NotAcceptable),
        ("a body of another type or encoding (before it is read)", Failure::MediaType),
        ("a body over the limit", Failure::TooLong(8_388_608)),
        ("a Bundle over the limit", Failure::TooManyEntries(10_000)),
        ("a body that breaks off", Failure::BodyBroken),
        ("a body that comes too slowly", Failure::BodySlow),
        (
            "a parameter or header that is unknown or wrong; it is named",
            Failure::request(Issue::error(IssueType::NotSupported, "…").at("name")),
        ),
        ("a body that is no JSON; line and column are given", Failure::Json(json)),
        (
            "JSON that is not what the URL takes (type, id, Bundle)",
            Failure::content(Issue::error(IssueType::Value, "…").at("Patient.id")),
        ),
        (
            "a resource that breaks rules of R4; all of them are listed",
            Failure::Invalid(vec![Issue::error(IssueType::Required, "…").at("Observation.status")]),
        ),
        ("an update to a URL whose id is none", Failure::Id),
        ("a resource that is absent, or hidden from the caller: the same bytes", Failure::NotFound),
        ("a resource that was deleted", Failure::Gone),
        ("a search over a limit", Failure::TooCostly("…")),
        (
            "a value set, code system or concept map that is neither loaded nor stored where the caller sees it",
            Failure::Terminology(OperationError::NotFound("…".into())),
        ),
        (
            "`$lookup` of a code that the system does not have",
            Failure::Terminology(OperationError::NoSuchCode("…".into())),
        ),
        ("a parameter of an operation that cannot be", Failure::Terminology(OperationError::Invalid("…".into()))),
        (
            "a code or value set that cannot be checked or listed with what is loaded",
            Failure::Terminology(OperationError::Unknown("…".into())),
        ),
        ("an expansion over a limit: ask for pages", Failure::Terminology(OperationError::TooCostly("…".into()))),
        ("a page link of another search or caller", Failure::Cursor),
        ("`If-Match` with another version", Failure::VersionMismatch(VersionId::new(3))),
        ("`If-Match` with a tag that is none of ours", Failure::VersionMismatch(None)),
        ("`If-None-Match: *` where something is", Failure::Exists),
        ("a condition that several resources meet", Failure::MultipleMatches),
        ("a conditional reference that no visible resource meets", Failure::NoMatch),
        ("two entries of a transaction that change one resource", Failure::Duplicate),
        ("conditions that kept changing while a transaction was planned", Failure::Conflict),
        ("too many requests", Failure::Throttled),
        ("more bodies, writes or costly searches at once than there is room for", Failure::Busy),
        (
            "a search or grant by a search parameter of a package that is still being indexed",
            Failure::NotIndexed("the search parameter '…' was added and is being indexed".into()),
        ),
        ("the store cannot serve", Failure::Store("secret path".into())),
        ("the audit log cannot be written", Failure::Audit),
        ("a panic in the server", Failure::Fault),
        ("an entry of a transaction that fails: its own status, its place named", Failure::NotFound.of_entry(3)),
    ]
}

fn table() -> String {
    let mut text = String::from(
        "# Status codes\n\n\
         What this server answers, and when. Made from `rest::outcome`, the only place that maps failures to\n\
         status codes; a test keeps this page equal to it (`BLESS=1 cargo test -p rest status_codes` rewrites it).\n\
         Every failure has an OperationOutcome as its body and `X-Request-Id` to find it in the audit log by.\n\n\
         ## Done\n\n| status | when |\n|---|---|\n",
    );
    for (success, when) in [
        (Success::Ok, "read, search, history, update; conditional create that found its resource; batch, transaction"),
        (Success::Created, "create; update of an id that was free. `Location` names the version"),
        (Success::Deleted, "delete: also of what is absent, hidden or deleted already"),
        (Success::NotModified, "a conditional read of the version that the client has; decided after the permit"),
    ] {
        let _ = writeln!(text, "| {} | {when} |", super::status_line(success.status()));
    }
    text.push_str("\n## Not done\n\n| status | issue | headers | when | text |\n|---|---|---|---|---|\n");
    for (when, failure) in samples() {
        let mapped = map(failure);
        let mut headers = Vec::new();
        headers.extend(mapped.challenge.map(|challenge| format!("`WWW-Authenticate: {}`", challenge_text(challenge))));
        headers.extend(mapped.dpop_nonce.map(|_| "`DPoP-Nonce`".to_owned()));
        if !mapped.allow.is_empty() {
            headers.push("`Allow`".to_owned());
        }
        headers.extend(mapped.retry_after_s.map(|seconds| format!("`Retry-After: {seconds}`")));
        let issue = &mapped.issues[0];
        let place = issue.expression.as_ref().map_or(String::new(), |expression| format!(" (at `{expression}`)"));
        let _ = writeln!(
            text,
            "| {} | {} | {} | {when} | {}{place} |",
            super::status_line(mapped.status),
            issue.code.code(),
            headers.join(", "),
            issue.diagnostics
        );
    }
    text.push_str(
        "\n## Before FHIR\n\n\
         Answers that the server gives before it looks at a request as FHIR (`outcome` of the binary). They tell of\n\
         nobody, so they have no audit record and no `X-Request-Id`.\n\n\
         | status | headers | when |\n|---|---|---|\n\
         | 404 Not Found | | a path outside `/fhir`, `/oauth` and the well-known documents |\n\
         | 405 Method Not Allowed | `Allow` | `/livez` and `/readyz` with another method than GET or HEAD |\n\
         | 421 Misdirected Request | | a host name that is neither that of `base_url` nor in `allowed_hosts` |\n\
         | 431 Request Header Fields Too Large | | a request head over 64 KB, or with more than 100 fields |\n\
         | 503 Service Unavailable | `Retry-After: 1` | more requests at once than `limits.requests_in_flight`, or more over an HTTP/2 connection whose peer has taken nothing of its answers for 20 seconds |\n",
    );
    text
}

#[test]
fn status_codes_document_is_the_table() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/status-codes.md");
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&path, table()).unwrap();
    }
    let document = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(document, table(), "run BLESS=1 cargo test -p rest status_codes");
}

#[test]
fn every_kind_of_failure_has_a_sample() {
    let have: BTreeSet<usize> = samples().iter().map(|(_, failure)| number(failure)).collect();
    assert_eq!(have, (0..KINDS).collect());
}

/// What the client did wrong has a place: an element, a parameter, a header, or a line of the body.
#[test]
fn every_400_and_422_says_where() {
    for (when, failure) in samples() {
        // This one is always that of an entry.
        let mapped = map(if matches!(failure, Failure::Duplicate) { failure.of_entry(0) } else { failure });
        let is_clients_text = matches!(mapped.status.as_u16(), 400 | 422);
        for issue in mapped.issues.iter().filter(|issue| is_clients_text && issue.code != IssueType::Incomplete) {
            assert!(issue.expression.is_some() || issue.position.is_some(), "{when}");
        }
    }
}

/// What metrics count by is a list that ends, and each word of it stands for something.
#[test]
fn every_failure_has_one_of_the_words() {
    let used: BTreeSet<&str> = samples().iter().map(|(_, failure)| crate::answered::word(failure)).collect();
    assert_eq!(used, crate::WORDS.into_iter().collect());
}

/// F15: what is for the log does not reach the client.
#[test]
fn internal_texts_stay_inside() {
    let mapped = map(Failure::Store("/var/lib/handrail: no space".into()));
    assert!(!mapped.reason().contains("/var"));
}

#[test]
fn issues_of_an_entry_name_their_place_in_the_bundle() {
    assert_eq!(
        within_entry(2, "Observation.value.ofType(Quantity)"),
        "Bundle.entry[2].resource.value.ofType(Quantity)"
    );
    assert_eq!(within_entry(2, "Observation"), "Bundle.entry[2].resource");
    assert_eq!(within_entry(2, "resource"), "Bundle.entry[2].resource");
    assert_eq!(within_entry(2, "request"), "Bundle.entry[2].request");
    assert_eq!(within_entry(2, ""), "Bundle.entry[2]");
    assert_eq!(within_entry(0, "Bundle.entry[2].resource"), "Bundle.entry[2].resource");
}
