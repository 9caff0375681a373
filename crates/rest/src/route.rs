//! Which interaction a request asks for: method, path, query and headers, never the body.
//!
//! One table of routes serves the router, the Allow header and the test that attacks every route.
//! SPEC: R4 http.html#summary. Left out: interactions on the whole system but batch and
//! transaction, history of a type, conditional update and delete, other operations.

use crate::{
    body::Expects,
    failure::Failure,
    wire::{MediaType, Method, Prefer, Request, Tags, decode},
};
use fhir::{
    LogicalId, ResourceType, VersionId,
    issue::{Issue, IssueType},
};
use oauth::Caller;
use policy::{Interaction, RulesAct};

/// One part of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Segment {
    /// This word.
    Word(&'static str),
    /// A resource type of R4.
    Type,
    /// A logical id.
    Id,
    /// A version id.
    Version,
}

/// What stands behind a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are R4's interactions")]
pub enum Kind {
    Capabilities,
    Read,
    Vread,
    HistoryInstance,
    Create,
    Update,
    Patch,
    Delete,
    SearchType,
    SearchCompartment,
    Bundle,
    Validate,
    Relabel,
    Terminology,
    VerifySignature,
    ExplainAccess,
    AccessReport,
    KAnonymity,
    Rules,
}

/// A row of the router's table.
#[derive(Debug, Clone, Copy)]
pub struct Route {
    /// Method; HEAD goes where GET goes.
    pub method: Method,
    /// Path below the FHIR base.
    pub path: &'static [Segment],
    /// What it leads to.
    pub kind: Kind,
    /// Answered without a token.
    pub public: bool,
}

const fn route(method: Method, path: &'static [Segment], kind: Kind) -> Route {
    Route { method, path, kind, public: false }
}

/// A route of the terminology service.
const fn terminology(method: Method, path: &'static [Segment]) -> Route {
    route(method, path, Kind::Terminology)
}

use Segment::{Id, Type, Version, Word};

/// Every route of the FHIR base.
pub const ROUTES: &[Route] = &[
    route(Method::Get, &[Type, Id], Kind::Read),
    route(Method::Get, &[Type], Kind::SearchType),
    route(Method::Post, &[Type, Word("_search")], Kind::SearchType),
    route(Method::Post, &[Type], Kind::Create),
    route(Method::Put, &[Type, Id], Kind::Update),
    route(Method::Patch, &[Type, Id], Kind::Patch),
    route(Method::Delete, &[Type, Id], Kind::Delete),
    route(Method::Post, &[], Kind::Bundle),
    route(Method::Get, &[Type, Id, Word("_history"), Version], Kind::Vread),
    route(Method::Get, &[Type, Id, Word("_history")], Kind::HistoryInstance),
    route(Method::Get, &[Word("Patient"), Id, Type], Kind::SearchCompartment),
    route(Method::Post, &[Word("Patient"), Id, Type, Word("_search")], Kind::SearchCompartment),
    route(Method::Post, &[Type, Word("$validate")], Kind::Validate),
    route(Method::Post, &[Type, Id, Word("$validate")], Kind::Validate),
    route(Method::Get, &[Type, Id, Word("$validate")], Kind::Validate),
    route(Method::Get, &[Word("Patient"), Word("$k-anonymity")], Kind::KAnonymity),
    route(Method::Get, &[Type, Id, Word("$verify-signature")], Kind::VerifySignature),
    route(Method::Post, &[Type, Id, Word("$verify-signature")], Kind::VerifySignature),
    route(Method::Get, &[Type, Id, Word("$explain-access")], Kind::ExplainAccess),
    route(Method::Post, &[Type, Id, Word("$explain-access")], Kind::ExplainAccess),
    route(Method::Post, &[Type, Id, Word("$meta-add")], Kind::Relabel),
    route(Method::Post, &[Type, Id, Word("$meta-delete")], Kind::Relabel),
    route(Method::Post, &[Word("Library"), Word("$policy-propose")], Kind::Rules),
    route(Method::Post, &[Word("Library"), Word("$policy-approve")], Kind::Rules),
    route(Method::Post, &[Word("Library"), Word("$policy-withdraw")], Kind::Rules),
    route(Method::Get, &[Word("Library"), Word("$policy-history")], Kind::Rules),
    terminology(Method::Get, &[Word("CodeSystem"), Word("$lookup")]),
    terminology(Method::Post, &[Word("CodeSystem"), Word("$lookup")]),
    // WHY: R4 has it on the type alone; whoever stored a code system expects it to answer like its other operations.
    terminology(Method::Get, &[Word("CodeSystem"), Id, Word("$lookup")]),
    terminology(Method::Post, &[Word("CodeSystem"), Id, Word("$lookup")]),
    terminology(Method::Get, &[Word("CodeSystem"), Word("$validate-code")]),
    terminology(Method::Get, &[Word("CodeSystem"), Id, Word("$validate-code")]),
    terminology(Method::Post, &[Word("CodeSystem"), Word("$validate-code")]),
    terminology(Method::Post, &[Word("CodeSystem"), Id, Word("$validate-code")]),
    terminology(Method::Get, &[Word("CodeSystem"), Word("$subsumes")]),
    terminology(Method::Get, &[Word("CodeSystem"), Id, Word("$subsumes")]),
    terminology(Method::Post, &[Word("CodeSystem"), Word("$subsumes")]),
    terminology(Method::Post, &[Word("CodeSystem"), Id, Word("$subsumes")]),
    terminology(Method::Get, &[Word("ValueSet"), Word("$expand")]),
    terminology(Method::Get, &[Word("ValueSet"), Id, Word("$expand")]),
    terminology(Method::Post, &[Word("ValueSet"), Word("$expand")]),
    terminology(Method::Post, &[Word("ValueSet"), Id, Word("$expand")]),
    terminology(Method::Get, &[Word("ValueSet"), Word("$validate-code")]),
    terminology(Method::Get, &[Word("ValueSet"), Id, Word("$validate-code")]),
    terminology(Method::Post, &[Word("ValueSet"), Word("$validate-code")]),
    terminology(Method::Post, &[Word("ValueSet"), Id, Word("$validate-code")]),
    terminology(Method::Get, &[Word("ConceptMap"), Word("$translate")]),
    terminology(Method::Get, &[Word("ConceptMap"), Id, Word("$translate")]),
    terminology(Method::Post, &[Word("ConceptMap"), Word("$translate")]),
    terminology(Method::Post, &[Word("ConceptMap"), Id, Word("$translate")]),
    route(Method::Get, &[Word("Patient"), Id, Word("$access-report")], Kind::AccessReport),
    Route { method: Method::Get, path: &[Word("metadata")], kind: Kind::Capabilities, public: true },
];

/// What is asked for, with everything that URL and headers say about it.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) interaction: Interaction,
    pub(crate) expects: Expects,
    /// Query string without the parameters that are about the exchange itself (`_format`,
    /// `_pretty`, `_cursor`), still encoded.
    pub(crate) query: String,
    /// `_cursor`: the page asked for.
    pub(crate) cursor: Option<String>,
    pub(crate) prefer: Prefer,
    pub(crate) conditions: Conditions,
    /// `X-Provenance`, still as text: of the request, or of the Bundle that an entry stands in.
    pub(crate) provenance: Option<String>,
    /// What the answer is written in.
    pub(crate) media: MediaType,
}

/// Conditions on the state of the resource. SPEC: R4 http.html#cread, #concurrency, #ccreate.
#[derive(Debug, Default)]
pub(crate) struct Conditions {
    pub(crate) if_match: Option<Tags>,
    pub(crate) if_none_match: Option<Tags>,
    pub(crate) if_modified_since_s: Option<i64>,
    pub(crate) if_none_exist: Option<String>,
}

/// Whether this is asked of the server without a token: the capability statement alone.
pub(crate) fn is_public(head: &Request, base_path: &str) -> bool {
    let Some(path) = below(head.path(), base_path) else { return false };
    ROUTES.iter().any(|route| route.public && route.method == head.method() && fits(route.path, path))
}

/// What this caller asks for.
pub(crate) fn parse(_who: &Caller, head: &Request, base_path: &str) -> Result<Asked, Failure> {
    let path = below(head.path(), base_path).ok_or(Failure::UnknownPath)?;
    let exchange = Exchange::of(head.query());
    let media = if head.is_of_both_forms() {
        head.preferred(exchange.format.as_deref()).ok_or(Failure::NotAcceptable)?
    } else if head.accepts_json(exchange.format.as_deref()) {
        MediaType::Json
    } else {
        return Err(Failure::NotAcceptable);
    };
    let conditions = Conditions {
        if_match: head.if_match()?,
        if_none_match: head.if_none_match()?,
        if_modified_since_s: head.if_modified_since_s(),
        if_none_exist: head.if_none_exist()?.map(str::to_owned),
    };
    let provenance = head.x_provenance()?.map(str::to_owned);
    let asked = asked(head.method(), path, exchange, head.prefer(), conditions)?;
    Ok(Asked { media, provenance, ..asked })
}

/// What an entry of a batch or transaction asks for: `Bundle.entry.request`. `base_url` is our own,
/// for entries that give the whole URL.
pub(crate) fn parse_entry(
    _who: &Caller,
    entry: &fhir::bundle::Entry<'_>,
    base_url: &str,
    prefer: Prefer,
) -> Result<Asked, Failure> {
    let missing = |name: &str| {
        Failure::content(Issue::error(IssueType::Required, format!("every entry needs request.{name}")).at("request"))
    };
    let method = Method::parse(entry.method.as_deref().ok_or_else(|| missing("method"))?);
    let url = entry.url.as_deref().ok_or_else(|| missing("url"))?;
    // `…/fhirPatient` begins with our base and is not below it.
    let below = url.strip_prefix(base_url).filter(|rest| rest.is_empty() || rest.starts_with(['/', '?']));
    let url = below.unwrap_or(url);
    let (path, query) = url.split_once('?').unwrap_or((url, ""));
    let conditions = Conditions {
        if_match: entry.if_match.as_deref().map(crate::wire::tags),
        if_none_match: entry.if_none_match.as_deref().map(crate::wire::tags),
        if_modified_since_s: None,
        if_none_exist: entry.if_none_exist.as_deref().map(str::to_owned),
    };
    let asked = asked(method, path.trim_start_matches('/'), Exchange::of(query), prefer, conditions)?;
    if asked.expects == Expects::Bundle {
        let issue = Issue::error(IssueType::NotSupported, "a batch or transaction cannot hold another one");
        return Err(Failure::content(issue.at("request")));
    }
    Ok(asked)
}

/// The code of what a request asks for, for the record of one that came no further than its head.
pub(crate) fn code(head: &Request, base_path: &str) -> &'static str {
    let matched = below(head.path(), base_path)
        .and_then(|path| ROUTES.iter().find(|route| route.method == head.method() && fits(route.path, path)));
    matched.map_or("unknown", |route| match route.kind {
        Kind::Capabilities => "capabilities",
        Kind::Read => "read",
        Kind::Vread => "vread",
        Kind::HistoryInstance => "history-instance",
        Kind::Create => "create",
        Kind::Update => "update",
        Kind::Patch => "patch",
        Kind::Delete => "delete",
        Kind::SearchType | Kind::SearchCompartment => "search-type",
        Kind::Bundle => "transaction",
        Kind::Validate
        | Kind::Relabel
        | Kind::Terminology
        | Kind::VerifySignature
        | Kind::ExplainAccess
        | Kind::AccessReport
        | Kind::Rules
        | Kind::KAnonymity => "operation",
    })
}

fn asked(
    method: Method,
    path: &str,
    exchange: Exchange,
    prefer: Prefer,
    conditions: Conditions,
) -> Result<Asked, Failure> {
    let Some(route) = ROUTES.iter().find(|route| route.method == method && fits(route.path, path)) else {
        let allow: Vec<Method> =
            ROUTES.iter().filter(|route| fits(route.path, path)).map(|route| route.method).collect();
        return Err(if allow.is_empty() { Failure::UnknownPath } else { Failure::Method(allow) });
    };
    let mut parts = path.split('/');
    let mut kind = || parts.next().and_then(|name| ResourceType::parse(name).ok()).ok_or(Failure::UnknownPath);
    let interaction = match route.kind {
        Kind::Capabilities => Interaction::Capabilities,
        Kind::Bundle => Interaction::Transaction,
        Kind::SearchType => Interaction::SearchType(kind()?),
        Kind::Create if conditions.if_none_exist.is_some() => Interaction::ConditionalCreate(kind()?),
        Kind::Create => Interaction::Create(kind()?),
        Kind::Read => Interaction::Read(kind()?, id(parts.next())?),
        Kind::Patch => Interaction::Patch(kind()?, id(parts.next())?),
        Kind::Delete => Interaction::Delete(kind()?, id(parts.next())?),
        Kind::HistoryInstance => Interaction::HistoryInstance(kind()?, id(parts.next())?),
        Kind::Update => Interaction::Update(kind()?, id(parts.next()).map_err(|_| Failure::Id)?),
        Kind::KAnonymity => Interaction::KAnonymity(kind()?),
        Kind::Rules => {
            let act = |word: &Segment| match word {
                Word(word) => RulesAct::ALL.into_iter().find(|act| word.strip_prefix('$') == Some(act.name())),
                _ => None,
            };
            Interaction::Rules(route.path.last().and_then(act).ok_or(Failure::UnknownPath)?)
        }
        Kind::ExplainAccess => Interaction::ExplainAccess(kind()?, id(parts.next())?),
        Kind::VerifySignature => Interaction::VerifySignature(kind()?, id(parts.next())?),
        Kind::Vread => {
            let (kind, id) = (kind()?, id(parts.next())?);
            let version = parts.nth(1).and_then(|version| VersionId::parse(version).ok());
            Interaction::Vread(kind, id, version.ok_or(Failure::NotFound)?)
        }
        Kind::SearchCompartment => {
            let _patient = kind()?;
            let id = id(parts.next())?;
            let kind = parts.next().and_then(|name| ResourceType::parse(name).ok()).ok_or(Failure::UnknownPath)?;
            Interaction::SearchCompartment(id, kind)
        }
        Kind::AccessReport => {
            let _patient = kind()?;
            Interaction::AccessReport(id(parts.next())?)
        }
        Kind::Relabel => {
            let adds = route.path.contains(&Word("$meta-add"));
            Interaction::Relabel(kind()?, id(parts.next())?, adds)
        }
        Kind::Validate | Kind::Terminology => {
            let kind = kind()?;
            let own = if route.path.contains(&Id) { Some(id(parts.next())?) } else { None };
            match route.path.last() {
                Some(Word(name)) if route.kind == Kind::Terminology => {
                    Interaction::Terminology(kind, own, name.trim_start_matches('$'))
                }
                _ => Interaction::Validate(kind, own),
            }
        }
    };
    let expects = match (route.kind, method) {
        (Kind::Create | Kind::Update, _) => Expects::Resource,
        (Kind::Patch, _) => Expects::Patch,
        (Kind::Bundle, _) => Expects::Bundle,
        (Kind::SearchType | Kind::SearchCompartment, Method::Post) => Expects::Form,
        (Kind::Validate, Method::Post) => Expects::Checked,
        (Kind::Relabel, _)
        | (Kind::Terminology | Kind::VerifySignature | Kind::ExplainAccess | Kind::Rules, Method::Post) => {
            Expects::Parameters
        }
        _ => Expects::Nothing,
    };
    let Exchange { format: _, cursor, query } = exchange;
    let (media, provenance) = (MediaType::Json, None);
    Ok(Asked { interaction, expects, query, cursor, prefer, conditions, provenance, media })
}

/// An id that breaks the rule names nothing, as one that is free does (row F59).
fn id(segment: Option<&str>) -> Result<LogicalId, Failure> {
    segment.and_then(|id| LogicalId::parse(id).ok()).ok_or(Failure::NotFound)
}

fn fits(pattern: &[Segment], path: &str) -> bool {
    if pattern.is_empty() {
        return path.is_empty();
    }
    let mut parts = path.split('/');
    pattern.iter().all(|segment| {
        parts.next().is_some_and(|part| match segment {
            Word(word) => part == *word,
            Type => ResourceType::parse(part).is_ok(),
            // WHY: words of the specification begin with `_` or `$` and are no ids.
            Id | Version => !part.is_empty() && !part.starts_with(['_', '$']),
        })
    }) && parts.next().is_none()
}

/// The path below the FHIR base, without slashes around it; `None` when it is elsewhere.
fn below<'a>(path: &'a str, base_path: &str) -> Option<&'a str> {
    let rest = path.strip_prefix(base_path)?;
    let rest = if rest.is_empty() { rest } else { rest.strip_prefix('/')? };
    Some(rest.strip_suffix('/').unwrap_or(rest))
}

/// A query string, parted into what is about the exchange and what is about the search.
#[derive(Debug, Default)]
pub(crate) struct Exchange {
    pub(crate) format: Option<String>,
    pub(crate) cursor: Option<String>,
    pub(crate) query: String,
}

impl Exchange {
    pub(crate) fn of(raw: &str) -> Self {
        let mut exchange = Self::default();
        for pair in raw.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            match name {
                "_format" => exchange.format = Some(decode(value).unwrap_or_default()),
                "_cursor" => exchange.cursor = Some(decode(value).unwrap_or_default()),
                "_pretty" => {}
                _ => {
                    if !exchange.query.is_empty() {
                        exchange.query.push('&');
                    }
                    exchange.query.push_str(pair);
                }
            }
        }
        exchange
    }
}

#[cfg(test)]
mod tests;
