//! `[base]/[type]/[id]/$explain-access`: why may somebody see this resource, or why not. Our own operation:
//! `definitions/explain-access.json`. Row G18.
//!
//! Who may ask is decided before anything is looked at: whoever reads the whole audit log, for anybody's view of
//! anything; a patient, for their own view of what they see. To everybody else a hidden resource and an absent one are
//! the same refusal, byte by byte, for nothing was looked up.

use super::{
    super::{Answer, Call},
    Inputs, wrong,
};
use crate::{body::Content, failure::Failure, service::Service, trail::Trail, wire::Reply};
use audit::entry::{Counts, Effect as Counted};
use fhir::{LogicalId, ResourceType, json::Writer};
use oauth::{
    Caller,
    bearer::{LiveTokens, Presented, authenticate},
    caller::{Grant, User},
    scope::parse_list,
    udap::purpose::Purpose,
};
use policy::{Decision, Denied, Effect, Interaction, Looked, Need, Part, Source, Trace};
use std::{fmt::Write, sync::Arc};

const NEEDS: [Need; 5] = [Need::Read, Need::Search, Need::Create, Need::Update, Need::Delete];

/// Whom the server knows by name, for the view of another.
pub trait Acquaintances: Send + Sync {
    /// A person by the id or sign-in name of the account.
    fn user(&self, name: &str) -> Option<Arc<User>>;
    /// What a token of this client would be, without a person.
    fn client(&self, id: &str) -> Option<Grant>;
    /// Every person who can sign in, by what they type, for a dry run.
    fn users(&self) -> Vec<(String, Arc<User>)> {
        Vec::new()
    }
    /// What tokens of each client would be that can have some without a person.
    fn clients(&self) -> Vec<Grant> {
        Vec::new()
    }
}

/// Explains.
pub(in crate::interaction) fn perform(
    call: &Call<'_>,
    kind: ResourceType,
    id: &LogicalId,
    content: Content,
    trail: &mut Trail,
) -> Result<Answer, Failure> {
    let body = match content {
        Content::Nothing => None,
        content => Some(content.into_json()?),
    };
    let inputs = Inputs::of(call, body.as_ref(), &["need", "user", "client", "scope", "purpose", "as"])?;
    let need = need(inputs.text("need")?)?;
    let view = View {
        user: inputs.text("user")?,
        client: inputs.text("client")?,
        scope: inputs.text("scope")?,
        purposes: inputs.texts("purpose")?,
        described: inputs.text("as")?,
    };
    let is_own = view.user.or(view.client).or(view.scope).or(view.described).is_none() && view.purposes.is_empty();
    if !is_own && !call.permit.explains_all() {
        return Err(Denied::Unexplained.into());
    }
    let whose = whose(call.service, call.caller, &view)?;
    let trace = traced(call.service, &call.permit, whose.as_ref().unwrap_or(call.caller), need, kind, id)?;
    for part in &trace.parts {
        count(part, trail);
    }
    Ok(Answer::read(Reply::document(written(&trace, &format!("{} {kind}/{id}", need.as_str())))))
}

fn need(text: Option<&str>) -> Result<Need, Failure> {
    let Some(text) = text else { return Ok(Need::Read) };
    let need = NEEDS.into_iter().find(|need| need.as_str() == text);
    need.ok_or_else(|| wrong("need", "is read, search, create, update or delete"))
}

/// Explains to the operator of this machine: the view of another, `Type/id`.
pub(crate) fn for_operator(
    service: &Service,
    operator: &Caller,
    (kind, id): (ResourceType, &LogicalId),
    asked: (Option<&str>, &View<'_>),
    trail: &mut Trail,
) -> Result<String, Failure> {
    let interaction = Interaction::ExplainAccess(kind, id.clone());
    trail.interaction(&interaction);
    let need = need(asked.0)?;
    let permit = service.decide(operator, &interaction)?;
    let caller = whose(service, operator, asked.1)?.ok_or_else(|| wrong("user", "is missing: whose view?"))?;
    let trace = traced(service, &permit, &caller, need, kind, id)?;
    for part in &trace.parts {
        count(part, trail);
    }
    Ok(text(&trace, &format!("{} {kind}/{id}", need.as_str())))
}

/// The trace of one decision.
fn traced(
    service: &Service,
    permit: &policy::Permit,
    caller: &Caller,
    need: Need,
    kind: ResourceType,
    id: &LogicalId,
) -> Result<Trace, Failure> {
    let (registry, house) = (service.registry(), service.parts.store.house());
    let decision = Decision { caller, registry: &registry, house: &house, need, whole: permit.explains_all() };
    let snapshot = service.snapshot();
    Ok(snapshot.look(permit, kind, id, |looked: &Looked<'_>| policy::account(decision, looked))?)
}

/// What counted goes into the record of the question.
fn count(part: &Part, trail: &mut Trail) {
    let what = match part.source {
        Source::Rule => Counts::Rule,
        Source::Consent => Counts::Consent,
        Source::Label => Counts::Label,
        Source::Scope | Source::Reach | Source::Glass => return,
    };
    let effect = match part.effect {
        Effect::Gives | Effect::Lets => Counted::Permit,
        Effect::Withholds => Counted::Withhold,
        Effect::GivesNot | Effect::Silent => return,
    };
    trail.counted(what, effect, &part.name);
}

/// The trace to be read.
fn text(trace: &Trace, what: &str) -> String {
    let mut out = format!("{}: {what}\n", if trace.may { "MAY" } else { "MAY NOT" });
    let width = trace.parts.iter().map(|part| part.name.chars().count()).max().unwrap_or_default().min(60);
    for part in &trace.parts {
        let (source, name, effect) = (part.source.as_str(), &part.name, part.effect.as_str());
        let _ = writeln!(out, "  {source:<11}  {name:<width$}  {effect:<12}  {}", part.why);
    }
    if !trace.adds_up {
        let _ = writeln!(out, "  more counted than these parts tell: ask the makers of this server why");
    }
    out
}

fn written(trace: &Trace, what: &str) -> Vec<u8> {
    let mut w = Writer::with_capacity(1024);
    let member = |w: &mut Writer, name: &str, kind: &str, value: &str| {
        w.object(|w| {
            w.member("name", name);
            w.member(kind, value);
        });
    };
    w.object(|w| {
        w.member("resourceType", "Parameters");
        w.key("parameter");
        w.array(|w| {
            w.object(|w| {
                w.member("name", "may");
                w.key("valueBoolean");
                w.boolean(trace.may);
            });
            member(w, "text", "valueString", text(trace, what).trim_end());
            for part in &trace.parts {
                w.object(|w| {
                    w.member("name", "part");
                    w.key("part");
                    w.array(|w| {
                        member(w, "source", "valueCode", part.source.as_str());
                        member(w, "name", "valueString", &part.name);
                        member(w, "effect", "valueCode", part.effect.as_str());
                        member(w, "why", "valueString", &part.why);
                    });
                });
            }
        });
    });
    w.into_bytes()
}

/// Whose view is asked for, as it was named.
#[derive(Debug, Default)]
pub struct View<'a> {
    /// Id or sign-in name of an account.
    pub user: Option<&'a str>,
    /// Id of a client.
    pub client: Option<&'a str>,
    /// Scopes.
    pub scope: Option<&'a str>,
    /// Purposes of use.
    pub purposes: Vec<&'a str>,
    /// All of it, in the words of a test of rules.
    pub described: Option<&'a str>,
}

/// The caller whose view that is; `None`: the caller's own.
fn whose(service: &Service, caller: &Caller, view: &View<'_>) -> Result<Option<Caller>, Failure> {
    let View { user, client, scope, ref purposes, described } = *view;
    if let Some(text) = described {
        if user.is_some() || client.is_some() || scope.is_some() || !purposes.is_empty() {
            return Err(wrong("as", "says all of whose view it is: leave user, client, scope and purpose out"));
        }
        let read = policy::rules::caller(text).map_err(|fault| {
            let text = format!("as: {fault}");
            Failure::request(fhir::issue::Issue::error(fhir::issue::IssueType::Invalid, text).at("as"))
        });
        return read.map(Some);
    }
    if user.is_none() && client.is_none() && scope.is_none() && purposes.is_empty() {
        return Ok(None);
    }
    let known = service.acquaintances();
    let user = match user {
        Some(name) => {
            Some(known.and_then(|known| known.user(name)).ok_or_else(|| wrong("user", "is no account here"))?)
        }
        // The caller's own view with other scopes or for another purpose.
        None if client.is_none() => caller.user().cloned(),
        None => None,
    };
    let mut grant = match client {
        Some(id) => known.and_then(|known| known.client(id)).ok_or_else(|| wrong("client", "is no client here"))?,
        None => Grant { acting: None, ..caller.grant().as_ref().clone() },
    };
    grant.user = user;
    let granted = grant.scope_text.to_string();
    let has_any_for_people = granted.contains("user/") || granted.contains("patient/");
    let scope_text = match (scope, &grant.user) {
        (Some(scope), _) => scope.to_owned(),
        // Another person comes by some app: without one, with all that an app could have.
        (None, Some(_)) if client.is_none() && view.user.is_some() || !has_any_for_people => "user/*.cruds".to_owned(),
        (None, _) => granted,
    };
    let of_resources = parse_list(&scope_text).filter(|(word, _)| word.contains('/'));
    let scopes: Result<Vec<_>, _> = of_resources.map(|(_, scope)| scope).collect();
    grant.scopes = scopes.map_err(|_| wrong("scope", "is no list of scopes"))?.into();
    grant.scope_text = scope_text.into();
    let purposes: Option<Vec<Purpose>> = purposes.iter().map(|code| Purpose::parse(code)).collect();
    let purposes = purposes.ok_or_else(|| wrong("purpose", "is no purpose of use"))?;
    imagined(grant, &purposes).map(Some)
}

struct One(Arc<Grant>);

impl LiveTokens for One {
    fn grant(&self, _: &str) -> Option<Arc<Grant>> {
        Some(Arc::clone(&self.0))
    }
}

/// The caller that a token for this would make. It is asked about, and never answered to.
pub(crate) fn imagined(mut grant: Grant, purposes: &[Purpose]) -> Result<Caller, Failure> {
    let is_person = grant.user.is_some();
    if !is_person && !purposes.is_empty() {
        grant.purposes = purposes.into();
    }
    let unfit = || wrong("purpose", "is none that this caller can have");
    (grant.confirmation, grant.expires_at_s) = (None, i64::MAX);
    let presented = Presented::header(Some("Bearer imagined"));
    let caller = authenticate(&presented, &One(Arc::new(grant)), 0).map_err(|_| unfit())?;
    if is_person && !purposes.is_empty() { caller.for_purposes(purposes).map_err(|_| unfit()) } else { Ok(caller) }
}
