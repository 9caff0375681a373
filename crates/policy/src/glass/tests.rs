//! What a marked request reaches, type by type. Row F49; on a store: `rest` `it::glass`.

use crate::{Access, Grants, House, Need, grants::NEEDS, record};
use fhir::{LogicalId, ResourceType};
use oauth::{
    Caller,
    caller::{Role, User},
};
use std::sync::Arc;

fn grants(role: Role, scopes: &str) -> Grants {
    let user = User {
        id: "u".into(),
        name: "U".into(),
        role,
        fhir_user: Some("Practitioner/u".into()),
        patients: Arc::new([]),
        glasses: Arc::default(),
        may_break_glass: true,
    };
    let caller = Caller::at_page_breaking_glass(&user, "rosa", scopes).unwrap();
    Grants::compile(&caller, search::registry(), &House::default())
}

fn is_in_record(kind: ResourceType) -> bool {
    let rosa = LogicalId::parse("rosa").unwrap();
    record::record_of(search::registry(), kind, record::Whose::One(&rosa)).is_some()
}

#[test]
fn f49_the_record_and_nothing_else_of_any_type() {
    let grants = grants(Role::Clinician, "user/*.cruds");
    for kind in ResourceType::all() {
        for need in NEEDS {
            let access = grants.access(kind, need);
            let is_write = !matches!(need, Need::Read | Need::Search);
            if record::is_directory(kind) {
                assert!(is_write || *access != Access::Nothing, "{kind}");
            } else if !is_in_record(kind) || need == Need::Relabel || (is_write && kind.name() == "Provenance") {
                assert_eq!(*access, Access::Nothing, "{kind} {need:?}");
            } else {
                let Access::Where(predicate) = access else { panic!("{kind} {need:?}: {access:?}") };
                let text = format!("{predicate:?}");
                assert!(text.contains("rosa"), "{kind} {need:?}: {text}");
                assert_eq!(text.contains("NoOtherPatient"), is_write, "{kind} {need:?}: {text}");
            }
        }
    }
    assert_eq!(*grants.access(ResourceType::parse("AuditEvent").unwrap(), Need::Read), Access::Nothing);
}

#[test]
fn f49_within_the_scopes_and_for_clinicians_alone() {
    let observation = ResourceType::parse("Observation").unwrap();
    let patient = ResourceType::parse("Patient").unwrap();
    let reads = |scopes: &str, kind| *grants(Role::Clinician, scopes).access(kind, Need::Read) != Access::Nothing;
    assert!(reads("user/Observation.rs", observation) && !reads("user/Observation.rs", patient));
    assert!(!reads("user/Observation.cud", observation) && !reads("system/Observation.rs", observation));
    assert!(!reads("patient/Observation.rs", observation), "nobody is in context");
    assert!(!reads("user/Observation.rs?no-such=1", observation));
    for role in Role::ALL.into_iter().filter(|role| *role != Role::Clinician) {
        let grants = grants(role, "user/*.cruds");
        for need in NEEDS {
            assert!(!format!("{:?}", grants.access(observation, need)).contains("rosa"), "{role:?}");
        }
    }
}
