//! What goes with which purpose, type by type, and that nothing widens. What the relations mean of a store's resources:
//! `rest` `it::organizations`.

use super::*;
use crate::{Clinicians, Denied, Grants, Interaction, Need, decide, grants::NEEDS};
use oauth::{
    bearer::{LiveTokens, Presented, authenticate},
    caller::{Acting, Grant, Role, Standing, User},
    scope::parse_list,
    udap::{b2b::B2b, purpose::Purpose},
};

struct One(Arc<Grant>);

impl LiveTokens for One {
    fn grant(&self, _: &str) -> Option<Arc<Grant>> {
        Some(Arc::clone(&self.0))
    }
}

fn acting(purposes: &[&str], organization: Option<&str>) -> Arc<Acting> {
    let b2b = B2b {
        organization_id: "https://payer.example".into(),
        organization_name: None,
        purposes: purposes.iter().map(|code| Purpose::parse(code).unwrap()).collect(),
        subject_name: None,
        subject_id: None,
        subject_role: None,
        consent_policy: Vec::new(),
        consent_reference: Vec::new(),
    };
    Arc::new(Acting {
        community: "https://community.example".into(),
        uri: "https://payer.example".into(),
        b2b,
        organization: organization.map(Into::into),
    })
}

fn caller(scope: &str, acting: Option<Arc<Acting>>, user: Option<User>) -> Caller {
    let grant = Grant {
        client_id: "client".into(),
        client_name: "Client".into(),
        scopes: parse_list(scope).filter_map(|(_, scope)| scope.ok()).collect(),
        scope_text: scope.into(),
        issued_at_s: 0,
        expires_at_s: 300,
        token_name: "0123456789abcdef".into(),
        user: user.map(Arc::new),
        launch: Arc::default(),
        confirmation: None,
        family: None,
        acting,
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

/// The types of which a part can be read, without the directory.
fn parts(scope: &str, purposes: &[&str], organization: Option<&str>) -> Vec<&'static str> {
    let caller = caller(scope, Some(acting(purposes, organization)), None);
    let grants = grants(&caller);
    let mut parts = Vec::new();
    for resource_type in ResourceType::all() {
        for need in [Need::Create, Need::Update, Need::Delete] {
            assert_eq!(*grants.access(resource_type, need), Access::Nothing, "nobody writes: {resource_type}");
        }
        let [read, search] = [Need::Read, Need::Search].map(|need| grants.access(resource_type, need));
        assert_eq!(read, search, "{resource_type}");
        match read {
            Access::Nothing => {}
            Access::Everything => assert!(record::is_directory(resource_type), "{resource_type} without a relation"),
            Access::Where(_) => parts.push(resource_type.name()),
        }
    }
    parts
}

/// D28, F48, G14: what each purpose opens.
#[test]
fn purposes() {
    let ours = Some("Organization/1");
    let mut paid: Vec<&str> = PAYMENT.iter().map(|(name, _)| *name).collect();
    paid.sort_unstable();
    let records: Vec<&str> =
        ResourceType::all().filter(|kind| record::is_about_a_patient(*kind)).map(ResourceType::name).collect();
    const NONE: [&str; 0] = [];
    let all = "system/*.cruds";
    for purpose in ["HPAYMT", "CLMATTCH", "ELIGVER", "urn:oid:2.16.840.1.113883.5.8#REMITADV"] {
        assert_eq!(parts(all, &[purpose], ours), paid, "{purpose}");
    }
    for purpose in ["TREAT", "ETREAT", "COC"] {
        assert_eq!(parts(all, &[purpose], ours), records, "{purpose}");
    }
    for purpose in ["SYSDEV", "HOPERAT", "PATRQT", "HRESCH", "PUBHLTH", "HMARKT", "CAREMGT"] {
        assert_eq!(parts(all, &[purpose], ours), NONE, "{purpose}");
    }
    assert_eq!(parts(all, &["TREAT", "HMARKT"], ours), NONE, "for marketing nothing is given, whatever else it is for");
    assert_eq!(parts(all, &["HPAYMT", "TREAT"], ours), paid, "what both open");
    // Nobody here, or nothing that is an organization here.
    for nobody in [None, Some("Patient/1"), Some("Organization/"), Some("Organization/a b"), Some("1")] {
        assert_eq!(parts(all, &["HPAYMT", "TREAT"], nobody), NONE, "{nobody:?}");
    }
    // Scopes narrow as ever.
    assert_eq!(parts("system/Claim.rs system/AllergyIntolerance.rs", &["HPAYMT"], ours), ["Claim"]);
    assert_eq!(parts("system/Claim.cud patient/Claim.rs user/*.rs", &["HPAYMT"], ours), NONE);
}

/// G14: of each type of the table a part is reached, by a parameter that is there.
#[test]
fn the_table_of_payment_is_one_of_records() {
    let organization = Organization { id: LogicalId::parse("1").ok(), pays: true, treats: false, is_for_more: false };
    let reached = Reached::new(&organization, search::registry(), &House::default());
    for (name, part) in PAYMENT {
        assert!(record::is_about_a_patient(kind(name)), "{name}");
        let Access::Where(predicate) = reached.of_type(kind(name)) else { panic!("{name}: {part:?}") };
        assert_eq!(matches!(*predicate, Predicate::And(_)), *part != Part::Whole, "{name}");
    }
}

/// What is granted is of one organization and its purposes.
#[test]
fn grants_of_another_are_refused() {
    let scope = "system/*.rs";
    let own = caller(scope, Some(acting(&["HPAYMT"], Some("Organization/1"))), None);
    let asked = Interaction::Read(kind("Patient"), LogicalId::parse("p").unwrap());
    assert!(decide(&own, &grants(&own), &asked).is_ok());
    for other in [
        Some(acting(&["HPAYMT"], Some("Organization/2"))),
        Some(acting(&["TREAT"], Some("Organization/1"))),
        Some(acting(&["HPAYMT"], None)),
        None,
    ] {
        let other = caller(scope, other, None);
        assert_eq!(decide(&own, &grants(&other), &asked).unwrap_err(), Denied::GrantsOfAnother);
        assert_eq!(decide(&other, &grants(&own), &asked).unwrap_err(), Denied::GrantsOfAnother);
    }
}

/// F22, F48: the reason names no scope that would help.
#[test]
fn refusals() {
    let caller = caller("system/*.cruds", Some(acting(&["HPAYMT"], Some("Organization/1"))), None);
    let grants = grants(&caller);
    let refused = |interaction: &Interaction| decide(&caller, &grants, interaction).unwrap_err();
    let purpose = |name, needs| Denied::Purpose { resource_type: kind(name), needs };
    assert_eq!(refused(&Interaction::Create(kind("Claim"))), purpose("Claim", "c"));
    assert_eq!(refused(&Interaction::SearchType(kind("AllergyIntolerance"))), purpose("AllergyIntolerance", "s"));
    assert_eq!(refused(&Interaction::SearchType(kind("AuditEvent"))), purpose("AuditEvent", "s"));
    assert!(refused(&Interaction::Create(kind("Claim"))).to_string().contains("purpose of use"));
}

/// A person's token that came so is narrowed by both.
#[test]
fn a_person_is_narrowed_too() {
    let clinician = User {
        id: "u".into(),
        name: "U".into(),
        role: Role::Clinician,
        fhir_user: None,
        patients: Arc::new([]),
        glasses: Arc::default(),
        may_break_glass: false,
    };
    let scope = "user/*.cruds";
    let free = grants(&caller(scope, None, Some(clinician.clone())));
    assert_eq!(*free.access(kind("Claim"), Need::Update), Access::Everything);
    let bound = caller(scope, Some(acting(&["HPAYMT"], Some("Organization/1"))), Some(clinician));
    let bound = grants(&bound);
    for need in NEEDS {
        let is_seen = matches!(bound.access(kind("Claim"), need), Access::Where(_));
        assert_eq!(is_seen, matches!(need, Need::Read | Need::Search), "{need:?}");
        assert_eq!(*bound.access(kind("Group"), need), Access::Nothing, "{need:?}");
    }
}
