//! Persons against a slow reference: a small world of resources, every role, context, scope and need. Who has to do with
//! whom: `relation::tests`.

use super::*;
use crate::{Clinicians, Denied, Grants, House, Interaction, decide, grants::NEEDS};
use fhir::Instant;
use oauth::{
    bearer::{LiveTokens, Presented, authenticate},
    caller::{Grant, Standing, User},
    launch_context::LaunchContext,
    scope::{Permissions, parse_list},
};
use proptest::prelude::*;
use search::{
    IndexValues, ParameterId,
    matcher::{Related, Subject, matches},
    predicate::Ruling,
};
use std::sync::LazyLock;

struct One(Arc<Grant>);

impl LiveTokens for One {
    fn grant(&self, _: &str) -> Option<Arc<Grant>> {
        Some(Arc::clone(&self.0))
    }
}

/// Who acts, and what was in context.
#[derive(Debug, Clone)]
struct Acting {
    role: Role,
    patients: Vec<&'static str>,
    context: Option<&'static str>,
    fhir_user: Option<&'static str>,
}

fn acting(role: Role, patients: &[&'static str], context: Option<&'static str>) -> Acting {
    Acting { role, patients: patients.to_vec(), context, fhir_user: None }
}

fn caller(acting: &Acting, scope_text: &str) -> Caller {
    let user = User {
        id: "sub".into(),
        name: "Name".into(),
        role: acting.role,
        fhir_user: acting.fhir_user.map(Into::into),
        patients: acting.patients.iter().map(|id| Arc::from(*id)).collect(),
        glasses: Arc::default(),
        may_break_glass: false,
    };
    let grant = Grant {
        client_id: "app".into(),
        client_name: "App".into(),
        scopes: parse_list(scope_text).filter_map(|(_, scope)| scope.ok()).collect(),
        scope_text: scope_text.into(),
        issued_at_s: 0,
        expires_at_s: 300,
        token_name: "0123456789abcdef".into(),
        user: Some(Arc::new(user)),
        launch: Arc::new(LaunchContext { patient: acting.context.map(Into::into), ..LaunchContext::default() }),
        confirmation: None,
        family: None,
        acting: None,
        standing: Standing::Ordinary,
        purposes: Arc::default(),
    };
    authenticate(&Presented::header(Some("Bearer token")), &One(Arc::new(grant)), 1).unwrap()
}

fn grants(caller: &Caller) -> Arc<Grants> {
    let house = House { clinicians: Clinicians::Everyone, ..House::default() };
    Arc::new(Grants::compile(caller, search::registry(), &house))
}

fn kind(name: &str) -> ResourceType {
    ResourceType::parse(name).unwrap()
}

/// A resource and what a reader of it would say.
struct Known {
    kind: ResourceType,
    id: LogicalId,
    values: IndexValues,
    /// In whose record it is.
    about: Vec<&'static str>,
    /// It refers to these patients, in whatever part.
    names: Vec<&'static str>,
    is_survey: bool,
}

fn known(json: &str, about: &[&'static str], names: &[&'static str]) -> Known {
    let tree = fhir::json::Tree::parse(json.as_bytes().to_vec()).unwrap();
    let element = fhir::element::Element::resource(&tree, fhir::schema::r4()).unwrap();
    let values = search::extract(search::registry(), element, "https://handrail.test/fhir");
    let text = |name: &str| tree.root().get(name).and_then(|value| value.as_str()).unwrap().into_owned();
    Known {
        kind: kind(&text("resourceType")),
        id: LogicalId::parse(&text("id")).unwrap(),
        values,
        about: about.to_vec(),
        names: names.to_vec(),
        is_survey: json.contains("survey"),
    }
}

/// Two patients, and everything that could carry one's data into the other's record.
static WORLD: LazyLock<Vec<Known>> = LazyLock::new(|| {
    let survey = r#""category":[{"coding":[{"code":"survey"}]}]"#;
    vec![
        known(r#"{"resourceType":"Patient","id":"a"}"#, &["a"], &[]),
        known(
            r#"{"resourceType":"Patient","id":"b","link":[{"other":{"reference":"Patient/a"},"type":"seealso"}]}"#,
            &["b"],
            &["a"],
        ),
        known(r#"{"resourceType":"Observation","id":"o-a","subject":{"reference":"Patient/a"}}"#, &["a"], &["a"]),
        known(
            &format!(r#"{{"resourceType":"Observation","id":"s-a",{survey},"subject":{{"reference":"Patient/a"}}}}"#),
            &["a"],
            &["a"],
        ),
        known(
            &format!(r#"{{"resourceType":"Observation","id":"s-b",{survey},"subject":{{"reference":"Patient/b"}}}}"#),
            &["b"],
            &["b"],
        ),
        known(
            r#"{"resourceType":"Observation","id":"b-by-a","subject":{"reference":"Patient/b"},"performer":[{"reference":"Patient/a"}]}"#,
            &["b"],
            &["a", "b"],
        ),
        known(r#"{"resourceType":"Observation","id":"nobody","performer":[{"reference":"Patient/a"}]}"#, &[], &["a"]),
        known(
            r#"{"resourceType":"Condition","id":"c","subject":{"reference":"Patient/b"},"asserter":{"reference":"Patient/a"}}"#,
            &["b"],
            &["a", "b"],
        ),
        known(
            r#"{"resourceType":"Communication","id":"about-b","subject":{"reference":"Patient/b"},"sender":{"reference":"Patient/a"}}"#,
            &["b"],
            &["a", "b"],
        ),
        known(r#"{"resourceType":"Communication","id":"from-a","sender":{"reference":"Patient/a"}}"#, &["a"], &["a"]),
        known(
            r#"{"resourceType":"Group","id":"g","type":"person","member":[{"entity":{"reference":"Patient/a"}},{"entity":{"reference":"Patient/b"}}]}"#,
            &[],
            &["a", "b"],
        ),
        known(
            r#"{"resourceType":"Coverage","id":"cov","beneficiary":{"reference":"Patient/b"},"subscriber":{"reference":"Patient/a"}}"#,
            &["b"],
            &["a", "b"],
        ),
        known(r#"{"resourceType":"Device","id":"implant","patient":{"reference":"Patient/a"}}"#, &["a"], &["a"]),
        known(r#"{"resourceType":"Device","id":"scales"}"#, &[], &[]),
        known(r#"{"resourceType":"Provenance","id":"of-a","target":[{"reference":"Observation/o-a"}]}"#, &["a"], &[]),
        known(
            r#"{"resourceType":"Provenance","id":"of-b","target":[{"reference":"Observation/b-by-a"}],"agent":[{"who":{"reference":"Patient/a"}}]}"#,
            &["b"],
            &["a"],
        ),
        known(r#"{"resourceType":"Practitioner","id":"dr"}"#, &[], &[]),
        known(r#"{"resourceType":"Organization","id":"org"}"#, &[], &[]),
        known(r#"{"resourceType":"Binary","id":"bin"}"#, &[], &[]),
    ]
});

struct World;

impl World {
    fn means(predicate: &Predicate, known: &Known) -> bool {
        let subject = Subject {
            resource_type: known.kind,
            id: &known.id,
            last_updated: fhir::Instant::from_unix_millis(0),
            values: &known.values,
        };
        matches(search::registry(), predicate, subject, &Self)
    }

    fn covered(access: &Access, known: &Known) -> bool {
        match access {
            Access::Nothing => false,
            Access::Everything => true,
            Access::Where(predicate) => Self::means(predicate, known),
        }
    }
}

impl Related for World {
    fn target_matches(&self, target: ResourceType, id: &LogicalId, predicate: &Arc<Predicate>) -> bool {
        WORLD.iter().any(|known| known.kind == target && known.id == *id && Self::means(predicate, known))
    }

    fn referred_to(&self, _: (ResourceType, &LogicalId), _: (ResourceType, ParameterId), _: &Predicate) -> bool {
        panic!("no grant looks back")
    }

    fn now(&self) -> Instant {
        Instant::from_unix_millis(0)
    }

    fn rule(&self, _: &Arc<dyn Ruling>, _: &LogicalId) -> Arc<Predicate> {
        Arc::new(Predicate::All)
    }
}

const DIRECTORY: [&str; 2] = ["Practitioner", "Organization"];

/// What the module's table says, resource by resource.
fn reference(acting: &Acting, scope: &Scope, known: &Known, need: Need) -> bool {
    let letter = match need {
        Need::Create => Permissions::CREATE,
        Need::Read => Permissions::READ,
        Need::Update => Permissions::UPDATE,
        Need::Delete => Permissions::DELETE,
        Need::Search => Permissions::SEARCH,
        // This house gave nobody the authority.
        Need::Relabel => return false,
    };
    let (name, writes) = (known.kind.name(), !matches!(need, Need::Read | Need::Search));
    if !scope.permissions.contains(letter)
        || scope.resource_type.as_deref().is_some_and(|wanted| wanted != name)
        || (!scope.query.is_empty() && !known.is_survey)
    {
        return false;
    }
    let theirs = |id: &&str| match acting.role {
        Role::Patient | Role::Caregiver => acting.patients.contains(id),
        Role::Clinician => true,
        Role::PrivacyOfficer | Role::Administrator => false,
    };
    let records: Vec<&str> = match scope.context {
        ScopeContext::System => return false,
        ScopeContext::Patient => acting.context.iter().filter(|id| theirs(id)).copied().collect(),
        ScopeContext::User if acting.role == Role::Clinician => return true,
        ScopeContext::User => acting.patients.iter().filter(|id| theirs(id)).copied().collect(),
    };
    if scope.context == ScopeContext::Patient && records.is_empty() {
        return false;
    }
    if DIRECTORY.contains(&name) {
        return !writes || (scope.context == ScopeContext::User && acting.role == Role::Administrator);
    }
    known.about.iter().any(|about| {
        records.contains(about) && (!writes || (name != "Provenance" && known.names.iter().all(|named| named == about)))
    })
}

fn any_acting() -> impl Strategy<Value = Acting> {
    let role = prop::sample::select(Role::ALL.to_vec());
    let patients = prop::sample::subsequence(vec!["a", "b"], 0..=2);
    let context = prop::sample::select(vec![None, Some("a"), Some("b")]);
    let fhir_user = prop::sample::select(vec![None, Some("Practitioner/dr"), Some("Patient/b"), Some("nonsense")]);
    (role, patients, context, fhir_user).prop_map(|(role, patients, context, fhir_user)| Acting {
        role,
        patients,
        context,
        fhir_user,
    })
}

fn any_scope() -> impl Strategy<Value = String> {
    let context = prop::sample::select(vec!["patient", "patient", "user", "user", "system"]);
    let types =
        vec!["*", "*", "Patient", "Observation", "Communication", "Group", "Device", "Provenance", "Practitioner"];
    let letters = prop::sample::subsequence(vec!['c', 'r', 'u', 'd', 's'], 1..=5).prop_map(String::from_iter);
    let query = prop::sample::select(vec!["", "", "?category=survey"]);
    (context, prop::sample::select(types), letters, query)
        .prop_map(|(context, kind, letters, query)| format!("{context}/{kind}.{letters}{query}"))
}

proptest! {
    /// B24, B34, B35, B39 to B42, B54, F7: what grants mean is what the reference says, for all roles, contexts,
    /// scopes, needs and resources.
    #[test]
    fn grants_of_persons_are_the_reference(
        acting in any_acting(),
        scopes in prop::collection::vec(any_scope(), 0..4),
        knows_user in any::<bool>(),
    ) {
        let mut text = scopes.join(" ");
        if knows_user {
            text.push_str(" openid fhirUser launch/patient");
        }
        let caller = caller(&acting, &text);
        let grants = grants(&caller);
        for known in WORLD.iter() {
            for need in NEEDS {
                let of_scopes =
                    caller.grant().scopes.iter().any(|scope| reference(&acting, scope, known, need));
                let name = format!("{}/{}", known.kind, known.id);
                let of_user = knows_user && need == Need::Read && acting.fhir_user == Some(&name);
                let covered = World::covered(grants.access(known.kind, need), known);
                prop_assert_eq!(covered, of_scopes || of_user, "{} {:?} {:?} {}", name, need, acting, text);
            }
        }
    }
}

/// B41: the role bounds what a scope can mean; nothing that a scope says widens it.
#[test]
fn what_each_role_sees_at_most() {
    let all = "user/*.cruds patient/*.cruds system/*.cruds";
    let seen = |acting: &Acting| {
        let grants = grants(&caller(acting, all));
        let covered = |known: &&Known| World::covered(grants.access(known.kind, Need::Read), known);
        WORLD.iter().filter(covered).map(|known| known.id.to_string()).collect::<Vec<_>>().join(" ")
    };
    let of_a = "a o-a s-a from-a implant of-a dr org";
    assert_eq!(seen(&acting(Role::Patient, &["a"], Some("a"))), of_a);
    assert_eq!(seen(&acting(Role::Patient, &["a"], None)), of_a);
    assert_eq!(seen(&acting(Role::Patient, &["a"], Some("b"))), of_a, "a context that is not theirs is none");
    assert_eq!(
        seen(&acting(Role::Caregiver, &["a", "b"], Some("b"))),
        "a b o-a s-a s-b b-by-a c about-b from-a cov implant of-a of-b dr org"
    );
    assert_eq!(seen(&acting(Role::PrivacyOfficer, &[], Some("a"))), "dr org");
    assert_eq!(seen(&acting(Role::Administrator, &["a"], Some("a"))), "dr org", "whatever the account is bound to");
    assert_eq!(seen(&acting(Role::Clinician, &[], None)).split(' ').count(), WORLD.len());
}

/// F22: a privacy officer reads the log; a patient what it says of them alone, when the scope names it; others nothing.
#[test]
fn who_reads_audit_events() {
    let audit_event = kind("AuditEvent");
    let access =
        |acting: &Acting, scope: &str| grants(&caller(acting, scope)).access(audit_event, Need::Search).clone();
    let officer = acting(Role::PrivacyOfficer, &[], None);
    assert_eq!(access(&officer, "user/AuditEvent.rs"), Access::Everything);
    assert_eq!(access(&officer, "user/*.rs"), Access::Everything);
    let patient = acting(Role::Patient, &["a"], Some("a"));
    let own = record::events_of(search::registry(), audit_event, &LogicalId::parse("a").unwrap()).unwrap();
    for scope in ["patient/AuditEvent.rs", "user/AuditEvent.rs", "patient/AuditEvent.rs user/AuditEvent.rs"] {
        assert_eq!(access(&patient, scope), Access::Where(Arc::clone(&own)), "{scope}");
    }
    assert_eq!(access(&patient, "patient/*.rs user/*.rs"), Access::Nothing);
    assert_eq!(access(&acting(Role::Patient, &["a"], Some("b")), "patient/AuditEvent.rs"), Access::Nothing);
    for role in [Role::Clinician, Role::Administrator] {
        let scope = "user/AuditEvent.rs patient/AuditEvent.rs user/*.cruds";
        assert_eq!(access(&acting(role, &["a"], Some("a")), scope), Access::Nothing, "{role:?}");
    }
    for role in Role::ALL {
        let caller = caller(&acting(role, &["a"], Some("a")), "user/*.cruds user/AuditEvent.cruds");
        let refused = decide(&caller, &grants(&caller), &Interaction::Create(audit_event)).unwrap_err();
        assert_eq!(refused, Denied::AuditIsReadOnly, "{role:?}");
    }
}

/// B42: no scope lends another its context.
#[test]
fn a_scope_of_another_context_lends_nothing() {
    let patient =
        caller(&acting(Role::Patient, &["a"], Some("a")), "system/*.cruds user/Observation.s patient/Patient.r");
    let grants = grants(&patient);
    assert_eq!(grants.unusable().iter().map(|text| &**text).collect::<Vec<_>>(), ["system/*.cruds"]);
    assert_eq!(grants.access(kind("Observation"), Need::Read), &Access::Nothing);
    assert_eq!(grants.access(kind("Patient"), Need::Search), &Access::Nothing);
    assert_eq!(grants.access(kind("Organization"), Need::Read), &Access::Nothing, "no scope names it");
}

/// Grants are one person's in one context: with the same scopes, another's are refused.
#[test]
fn grants_of_another_person_are_refused() {
    let scope = "patient/*.rs user/*.rs openid fhirUser";
    let own = Acting { fhir_user: Some("Patient/a"), ..acting(Role::Patient, &["a"], Some("a")) };
    let asked = Interaction::SearchType(kind("Observation"));
    let grants = grants(&caller(&own, scope));
    assert!(decide(&caller(&own, scope), &grants, &asked).is_ok());
    for other in [
        Acting { role: Role::Caregiver, ..own.clone() },
        Acting { patients: vec!["b"], ..own.clone() },
        Acting { patients: vec!["a", "b"], ..own.clone() },
        Acting { context: Some("b"), ..own.clone() },
        Acting { context: None, ..own.clone() },
        Acting { fhir_user: Some("Patient/b"), ..own.clone() },
    ] {
        let refused = decide(&caller(&other, scope), &grants, &asked).unwrap_err();
        assert_eq!(refused, Denied::GrantsOfAnother, "{other:?}");
    }
    let refused = decide(&caller(&own, "patient/*.rs user/*.rs openid"), &grants, &asked).unwrap_err();
    assert_eq!(refused, Denied::GrantsOfAnother, "without fhirUser their own resource is not readable");
}
