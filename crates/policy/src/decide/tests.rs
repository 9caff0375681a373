//! `decide` and `Grants` against a slow reference, and the rows that scopes must keep.

use super::*;
use crate::House;
use fhir::{LogicalId, ResourceType, VersionId};
use oauth::{
    bearer::{LiveTokens, Presented, authenticate},
    caller::{Caller, Grant, Standing},
    scope::{Permissions, Scope, ScopeContext},
};
use proptest::prelude::*;
use search::Predicate;

struct One(Arc<Grant>);

impl LiveTokens for One {
    fn grant(&self, _: &str) -> Option<Arc<Grant>> {
        Some(Arc::clone(&self.0))
    }
}

/// A scope as the reference sees it: plain texts.
#[derive(Debug, Clone)]
struct Plain {
    context: &'static str,
    resource_type: &'static str,
    letters: String,
    /// Ids it is narrowed to; `Err` stands for criteria that do not parse.
    ids: Result<Option<Vec<&'static str>>, ()>,
}

fn scope(plain: &Plain) -> Scope {
    let permissions = [
        ('c', Permissions::CREATE),
        ('r', Permissions::READ),
        ('u', Permissions::UPDATE),
        ('d', Permissions::DELETE),
        ('s', Permissions::SEARCH),
    ]
    .into_iter()
    .filter(|(letter, _)| plain.letters.contains(*letter))
    .fold(Permissions::NONE, |all, (_, one)| all.union(one));
    Scope {
        text: format!("{}/{}.{}", plain.context, plain.resource_type, plain.letters).into(),
        context: match plain.context {
            "system" => ScopeContext::System,
            "user" => ScopeContext::User,
            _ => ScopeContext::Patient,
        },
        resource_type: (plain.resource_type != "*").then(|| plain.resource_type.into()),
        permissions,
        query: match &plain.ids {
            Ok(None) => Vec::new(),
            Ok(Some(ids)) => vec![("_id".into(), ids.join(","))],
            Err(()) => vec![("no-such-parameter".into(), "x".into())],
        },
    }
}

fn caller(scopes: &[Plain]) -> Caller {
    let scopes: Arc<[Scope]> = scopes.iter().map(scope).collect();
    let text: Vec<&str> = scopes.iter().map(|scope| &*scope.text).collect();
    let grant = Grant {
        client_id: "client".into(),
        client_name: "Client".into(),
        scope_text: text.join(" ").into(),
        scopes,
        issued_at_s: 0,
        expires_at_s: 300,
        token_name: "0123456789abcdef".into(),
        user: None,
        launch: Arc::default(),
        confirmation: None,
        family: None,
        acting: None,
        standing: Standing::Ordinary,
        purposes: Arc::default(),
    };
    authenticate(&Presented::header(Some("Bearer token")), &One(Arc::new(grant)), 1).unwrap()
}

/// Stands in for `search`: `_id` parses, nothing else does.
fn criteria(_: ResourceType, query: &[(String, String)]) -> Result<Arc<Predicate>, Vec<fhir::issue::Issue>> {
    let [(name, value)] = query else { return Err(Vec::new()) };
    if name != "_id" {
        return Err(Vec::new());
    }
    Ok(Arc::new(Predicate::Id(value.split(',').map(|id| LogicalId::parse(id).unwrap()).collect())))
}

fn grants(caller: &Caller) -> Arc<Grants> {
    Arc::new(Grants::compile_with(caller, search::registry(), &House::default(), &criteria))
}

fn means(predicate: &Predicate, id: &LogicalId) -> bool {
    match predicate {
        Predicate::All => true,
        Predicate::Id(ids) => ids.contains(id),
        Predicate::Or(any) => any.iter().any(|one| means(one, id)),
        other => panic!("grants of ids hold no {other:?}"),
    }
}

/// The reference: for one resource and one need, walk the scopes as the specification reads.
fn reference(scopes: &[Plain], resource_type: &str, id: &str, need: Need) -> bool {
    let letter = match need {
        Need::Create => 'c',
        Need::Read => 'r',
        Need::Update => 'u',
        Need::Delete => 'd',
        Need::Search => 's',
        // This house gave nobody the authority.
        Need::Relabel => return false,
    };
    if resource_type == "AuditEvent" && "cud".contains(letter) {
        return false;
    }
    scopes.iter().any(|scope| {
        scope.context == "system"
            && (scope.resource_type == "*" || scope.resource_type == resource_type)
            && scope.letters.contains(letter)
            && match &scope.ids {
                Ok(None) => true,
                Ok(Some(ids)) => ids.contains(&id),
                Err(()) => false,
            }
    })
}

const TYPES: [&str; 4] = ["AuditEvent", "Encounter", "Observation", "Patient"];
const IDS: [&str; 3] = ["a", "b", "c"];

fn typed(name: &str) -> ResourceType {
    ResourceType::parse(name).unwrap()
}

fn id(text: &str) -> LogicalId {
    LogicalId::parse(text).unwrap()
}

fn interactions(resource_type: ResourceType) -> Vec<Interaction> {
    vec![
        Interaction::Capabilities,
        Interaction::Read(resource_type, id("a")),
        Interaction::Vread(resource_type, id("a"), VersionId::FIRST),
        Interaction::HistoryInstance(resource_type, id("a")),
        Interaction::Create(resource_type),
        Interaction::ConditionalCreate(resource_type),
        Interaction::Update(resource_type, id("a")),
        Interaction::Delete(resource_type, id("a")),
        Interaction::SearchType(resource_type),
        Interaction::SearchCompartment(id("a"), resource_type),
        Interaction::Batch,
        Interaction::Transaction,
    ]
}

fn any_scope() -> impl Strategy<Value = Plain> {
    let ids = prop_oneof![
        3 => Just(Ok(None)),
        3 => prop::sample::subsequence(IDS.to_vec(), 1..3).prop_map(|ids| Ok(Some(ids))),
        1 => Just(Err(())),
    ];
    let context = prop_oneof![4 => Just("system"), 1 => Just("user"), 1 => Just("patient")];
    let resource_type = prop::sample::select(vec!["*", "AuditEvent", "Encounter", "Observation", "Patient"]);
    let letters = prop::sample::subsequence(vec!['c', 'r', 'u', 'd', 's'], 1..=5).prop_map(String::from_iter);
    (context, resource_type, letters, ids).prop_map(|(context, resource_type, letters, ids)| Plain {
        context,
        resource_type,
        letters,
        ids,
    })
}

proptest! {
    /// decide = slow reference decide, for every type, id, need and interaction.
    #[test]
    fn decide_is_the_reference(scopes in prop::collection::vec(any_scope(), 0..5)) {
        let caller = caller(&scopes);
        let grants = grants(&caller);
        for name in TYPES {
            let resource_type = typed(name);
            for need in [Need::Create, Need::Read, Need::Update, Need::Delete, Need::Search] {
                for one in IDS {
                    let granted = match grants.access(resource_type, need) {
                        Access::Nothing => false,
                        Access::Everything => true,
                        Access::Where(predicate) => means(predicate, &id(one)),
                    };
                    prop_assert_eq!(granted, reference(&scopes, name, one, need), "{}/{} {:?}", name, one, need);
                }
            }
            for interaction in interactions(resource_type) {
                let some = |need: &Need| IDS.iter().any(|one| reference(&scopes, name, one, *need));
                let any = TYPES.iter().any(|name| {
                    IDS.iter().any(|one| {
                        [Need::Create, Need::Read, Need::Update, Need::Delete, Need::Search]
                            .iter().any(|need| reference(&scopes, name, one, *need))
                    })
                });
                let expected = match &interaction {
                    Interaction::Capabilities => true,
                    Interaction::Batch | Interaction::Transaction => any,
                    other => other.needs().iter().all(some),
                };
                prop_assert_eq!(decide(&caller, &grants, &interaction).is_ok(), expected, "{:?}", interaction);
            }
        }
    }
}

fn plain(context: &'static str, resource_type: &'static str, letters: &str) -> Plain {
    Plain { context, resource_type, letters: letters.into(), ids: Ok(None) }
}

fn narrowed(resource_type: &'static str, letters: &str, ids: &[&'static str]) -> Plain {
    Plain { ids: Ok(Some(ids.to_vec())), ..plain("system", resource_type, letters) }
}

/// Issue 2: a client with `system/Encounter.rs` gets 403 for Observation. B44, F13.
#[test]
fn a_type_outside_the_scopes_is_refused_before_data_is_touched() {
    let caller = caller(&[plain("system", "Encounter", "rs")]);
    let denied = decide(&caller, &grants(&caller), &Interaction::SearchType(typed("Observation"))).unwrap_err();
    assert_eq!(denied, Denied::Scope { resource_type: Some(typed("Observation")), needs: "s" });
    assert_eq!(denied.to_string(), "the token's scopes do not allow 's' on Observation");
}

/// B31: a condition is a search.
#[test]
fn a_conditional_create_needs_search_too() {
    let asked = Interaction::ConditionalCreate(typed("Observation"));
    for (letters, needs) in [("c", "s"), ("s", "c"), ("r", "cs")] {
        let caller = caller(&[plain("system", "Observation", letters)]);
        let denied = decide(&caller, &grants(&caller), &asked).unwrap_err();
        assert_eq!(denied, Denied::Scope { resource_type: Some(typed("Observation")), needs });
    }
    let caller = caller(&[plain("system", "Observation", "cs")]);
    assert!(decide(&caller, &grants(&caller), &asked).is_ok());
}

/// F22: written by the server alone; the operator is no exception.
#[test]
fn audit_events_are_written_by_no_one() {
    let audit_event = typed("AuditEvent");
    for caller in [caller(&[plain("system", "*", "cruds")]), Caller::operator("load")] {
        let grants = grants(&caller);
        for asked in [
            Interaction::Create(audit_event),
            Interaction::ConditionalCreate(audit_event),
            Interaction::Update(audit_event, id("a")),
            Interaction::Delete(audit_event, id("a")),
        ] {
            assert_eq!(decide(&caller, &grants, &asked).unwrap_err(), Denied::AuditIsReadOnly);
        }
        let permit = decide(&caller, &grants, &Interaction::Read(audit_event, id("a"))).unwrap();
        assert_eq!(permit.access(audit_event, Need::Read), &Access::Everything);
        for need in [Need::Create, Need::Update, Need::Delete] {
            assert_eq!(permit.access(audit_event, need), &Access::Nothing);
        }
    }
}

/// B34: any scope that grants it grants it; B35: criteria narrow only their own scope.
#[test]
fn scopes_are_a_union() {
    let observation = typed("Observation");
    let two = caller(&[narrowed("Observation", "rs", &["a"]), narrowed("Observation", "r", &["b"])]);
    let grants_of_two = grants(&two);
    let one = |ids: &str| Arc::new(Predicate::Id(vec![id(ids)]));
    assert_eq!(
        grants_of_two.access(observation, Need::Read),
        &Access::Where(Arc::new(Predicate::Or(vec![one("a"), one("b")])))
    );
    assert_eq!(grants_of_two.access(observation, Need::Search), &Access::Where(one("a")));
    let whole = caller(&[narrowed("Observation", "rs", &["a"]), plain("system", "*", "r")]);
    assert_eq!(grants(&whole).access(observation, Need::Read), &Access::Everything);
}

/// B35, B42: criteria that do not parse, and other contexts, grant nothing and are reported.
#[test]
fn what_cannot_be_understood_grants_nothing() {
    let bad = Plain { ids: Err(()), ..plain("system", "Observation", "rs") };
    let caller = caller(&[bad, plain("user", "*", "cruds"), plain("patient", "Patient", "r")]);
    let grants = grants(&caller);
    assert_eq!(grants.unusable().len(), 3);
    for name in TYPES {
        for interaction in interactions(typed(name)).into_iter().skip(1) {
            assert!(decide(&caller, &grants, &interaction).is_err(), "{interaction:?}");
        }
    }
    assert!(decide(&caller, &grants, &Interaction::Capabilities).is_ok());
}

/// Grants of one caller are worth nothing in the hands of another.
#[test]
fn borrowed_grants_are_refused() {
    let strong = caller(&[plain("system", "*", "cruds")]);
    let weak = caller(&[plain("system", "Encounter", "r")]);
    let asked = Interaction::Read(typed("Encounter"), id("a"));
    assert_eq!(decide(&weak, &grants(&strong), &asked).unwrap_err(), Denied::GrantsOfAnother);
    assert_eq!(decide(&strong, &grants(&Caller::operator("load")), &asked).unwrap_err(), Denied::GrantsOfAnother);
    let same = caller(&[plain("system", "Encounter", "r")]);
    assert!(decide(&same, &grants(&weak), &asked).is_ok(), "equal scopes compile to equal grants");
}

#[test]
fn an_explanation_names_client_scopes_and_what_has_no_effect() {
    let caller = caller(&[plain("system", "Encounter", "rs"), plain("user", "*", "r")]);
    let grants = grants(&caller);
    let asked = Interaction::Read(typed("Observation"), id("a"));
    let denied = decide(&caller, &grants, &asked).unwrap_err();
    assert_eq!(
        crate::explain(&caller, &grants, &asked, &denied),
        "client client asked for read on Observation: the token's scopes do not allow 'r' on Observation; \
         granted: system/Encounter.rs user/*.r; of these without effect: user/*.r"
    );
}
