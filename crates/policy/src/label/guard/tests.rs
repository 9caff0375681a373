//! Who is cleared for what, by the standard and by what an operator says.

use super::*;
use crate::{
    consent::{self, ConsentSource, Directives},
    label::{ACT_CODE, OBSERVATION_VALUE},
    world::World,
};
use fhir::Instant;
use oauth::{
    bearer::{LiveTokens, Presented, authenticate},
    caller::{Acting, Grant, Standing, User},
    udap::{b2b::B2b, purpose::Purpose},
};
use search::{
    index_value::{IndexValue, IndexValues},
    matcher::{Alone, Related, Subject, matches},
    predicate::Ruling,
};

/// Whether a caller sees an Observation with these labels.
fn sees(labels: &Labels, caller: &Caller, under: Under, has: &[(&str, &str)]) -> bool {
    let registry = search::registry::registry();
    let kind = ResourceType::parse("Observation").unwrap();
    let parameter = registry.parameter(kind, "_security").unwrap().id;
    let token = |(system, code): &(&str, &str)| {
        let system = Some((*system).to_owned()).filter(|system| !system.is_empty());
        (parameter, IndexValue::Token { system, code: (*code).to_owned(), text: None })
    };
    let values = IndexValues(has.iter().map(token).collect());
    let id = LogicalId::parse("1").unwrap();
    let last_updated = Instant::from_unix_millis(0);
    let subject = Subject { resource_type: kind, id: &id, last_updated, values: &values };
    match Guard::new(labels, caller, under).of_type(registry, kind) {
        Access::Everything => true,
        Access::Nothing => false,
        Access::Where(predicate) => matches(registry, &predicate, subject, &Alone),
    }
}

const R: (&str, &str) = (CONFIDENTIALITY, "R");
const V: (&str, &str) = (CONFIDENTIALITY, "V");
const PSY: (&str, &str) = (ACT_CODE, "PSY");

struct One(Arc<Grant>);

impl LiveTokens for One {
    fn grant(&self, _: &str) -> Option<Arc<Grant>> {
        Some(Arc::clone(&self.0))
    }
}

fn caller(client: &str, role: Option<Role>, purposes: Option<&[&str]>) -> Caller {
    let user = |role| {
        Arc::new(User {
            id: "u".into(),
            name: "U".into(),
            role,
            fhir_user: None,
            patients: Arc::from([]),
            glasses: Arc::default(),
            may_break_glass: false,
        })
    };
    let acting = |purposes: &[&str]| {
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
        let uri: Arc<str> = "https://payer.example".into();
        Arc::new(Acting { community: Arc::clone(&uri), uri, b2b, organization: Some("Organization/1".into()) })
    };
    let operator = Caller::operator("test");
    let grant = Grant {
        client_id: client.into(),
        user: role.map(user),
        acting: purposes.map(acting),
        standing: Standing::Ordinary,
        purposes: Arc::default(),
        ..Grant::clone(operator.grant())
    };
    authenticate(&Presented::header(Some("Bearer token")), &One(Arc::new(grant)), 1).unwrap()
}

fn person(role: Role) -> Caller {
    caller("portal", Some(role), None)
}

fn system(client: &str) -> Caller {
    caller(client, None, None)
}

fn organization(purposes: &[&str]) -> Caller {
    caller("partner", None, Some(purposes))
}

/// F40, F41: the documented table.
#[test]
fn the_standard_is_the_documented_table() {
    let labels = Labels::standard();
    let sees = |caller: &Caller, has: &[(&str, &str)]| sees(&labels, caller, Under::Law, has);
    let patient = person(Role::Patient);
    assert!(sees(&patient, &[V, PSY]) && !sees(&patient, &[(ACT_CODE, "NOPAT")]));
    let caregiver = person(Role::Caregiver);
    assert!(sees(&caregiver, &[R, PSY]) && !sees(&caregiver, &[V]));
    let clinician = person(Role::Clinician);
    assert!(sees(&clinician, &[R, PSY, (ACT_CODE, "NOPAT")]) && !sees(&clinician, &[V]));
    let system = system("one");
    assert!(sees(&system, &[R, PSY]) && !sees(&system, &[V]));
    for purpose in ["HPAYMT", "TREAT", "CLMATTCH", "PUBHLTH"] {
        let organization = organization(&[purpose]);
        assert!(sees(&organization, &[]) && sees(&organization, &[(CONFIDENTIALITY, "N")]), "{purpose}");
        assert!(!sees(&organization, &[R]) && !sees(&organization, &[PSY]), "{purpose}");
        assert!(!sees(&organization, &[(ACT_CODE, "NODSCLCD")]), "{purpose}");
    }
    assert!(sees(&Caller::operator("test"), &[V, ("http://example.org", "x")]));
}

/// F42, F44: the highest of two counts; what nobody knows is withheld, until the operator says that it means nothing.
#[test]
fn the_highest_counts_and_the_unknown_is_withheld() {
    let standard = Labels::standard();
    let clinician = person(Role::Clinician);
    let low = (CONFIDENTIALITY, "L");
    assert!(!sees(&standard, &clinician, Under::Law, &[low, V]));
    for unknown in [("http://example.org/tags", "x"), ("", "R"), (CONFIDENTIALITY, "S"), (ACT_CODE, "AMB")] {
        assert!(!sees(&standard, &clinician, Under::Law, &[unknown]), "{unknown:?}");
    }
    let told = Labels::read(
        "unrestricted http://example.org/tags\nunrestricted http://terminology.hl7.org/CodeSystem/v3-ActCode|AMB",
    )
    .unwrap();
    assert!(sees(&told, &clinician, Under::Law, &[("http://example.org/tags", "x"), (ACT_CODE, "AMB")]));
    assert!(!sees(&told, &clinician, Under::Law, &[("http://example.org/tags", "x"), V]));
    assert!(sees(&standard, &clinician, Under::Law, &[(OBSERVATION_VALUE, "REDACTED")]));
}

/// F41: by client and organization; a client narrows what a person sees and stands for what a system does.
#[test]
fn clients_and_organizations_have_their_own() {
    let labels = Labels::read(
        "clearance client app N PSY\nclearance client feed V all\nclearance Organization/1 R PSY\nclearance client free everything",
    )
    .unwrap();
    let app = |role| caller("app", Some(role), None);
    assert!(sees(&labels, &app(Role::Clinician), Under::Law, &[PSY]));
    assert!(!sees(&labels, &app(Role::Clinician), Under::Law, &[R]));
    assert!(sees(&labels, &system("feed"), Under::Law, &[V]) && !sees(&labels, &system("other"), Under::Law, &[V]));
    assert!(sees(&labels, &system("free"), Under::Law, &[("http://example.org", "x")]));
    assert!(sees(&labels, &organization(&["HPAYMT"]), Under::Law, &[R, PSY]), "Organization/1");
    assert_eq!(labels.key(&system("other")), None);
    assert_eq!(labels.key(&system("feed")).as_deref(), Some("feed TREAT"));
    assert_eq!(labels.key(&person(Role::Patient)), None);
    assert_ne!(labels.key(&organization(&["HPAYMT"])), labels.key(&organization(&["PUBHLTH"])));
}

/// F40: what says nothing has the default of its type.
#[test]
fn silence_is_the_default_of_the_type() {
    let labels = Labels::read("default Observation R\nclearance system N all").unwrap();
    assert!(!sees(&labels, &system("one"), Under::Law, &[]));
    assert!(!sees(&labels, &system("one"), Under::Law, &[PSY]));
    assert!(sees(&labels, &system("one"), Under::Law, &[(CONFIDENTIALITY, "N"), PSY]));
}

/// F47, F49.
#[test]
fn test_data_and_broken_glass() {
    let hidden =
        Labels::read("test-data hide\nclearance client lab R all test-data\nclearance clinician N none").unwrap();
    let test = (ACT_REASON, "HTEST");
    assert!(sees(&Labels::standard(), &system("one"), Under::Law, &[test]));
    assert!(!sees(&hidden, &system("one"), Under::Law, &[test]));
    assert!(sees(&hidden, &system("lab"), Under::Law, &[test]));
    let clinician = person(Role::Clinician);
    assert!(!sees(&hidden, &clinician, Under::Law, &[R, PSY]));
    assert!(sees(&hidden, &clinician, Under::BrokenGlass, &[R, PSY]));
    assert!(!sees(&hidden, &clinician, Under::BrokenGlass, &[V]), "very restricted stays shut");
}

/// A permit for a hospital with these criteria, below one for everybody.
fn permit(criteria: &str) -> String {
    format!(r#"{{"type":"permit","actor":[{{"role":{{}},"reference":{{"reference":"Organization/1"}}}}],{criteria}}}"#)
}

fn security(codes: &[&str]) -> String {
    let one = |code: &&str| format!(r#"{{"system":"{ACT_CODE}","code":"{code}"}}"#);
    format!(r#""securityLabel":[{}]"#, codes.iter().map(one).collect::<Vec<_>>().join(","))
}

/// The code of this Observation.
fn code(code: &str) -> String {
    format!(r#""code":[{{"coding":[{{"system":"urn:x-test","code":"{code}"}}]}}]"#)
}

/// Which of some Observations, whose ids are their labels and whose code is `a` or `b`, a permit lifts for a caller.
fn lifted(labels: &Labels, caller: &Caller, root: &str, permits: &[String]) -> String {
    let registry = search::registry::registry();
    let (kind, patient) = (ResourceType::parse("Observation").unwrap(), LogicalId::parse("p").unwrap());
    let mut world = World::new(registry, Instant::from_unix_millis(0));
    let organization = r#"{"resourceType":"Organization","id":"1"}"#;
    world.add(&fhir::json::Tree::parse(organization.as_bytes().to_vec()).unwrap()).unwrap();
    let ids = ["N", "R", "R-PSY-a", "R-PSY-b", "R-PSY-HIV-a", "V-PSY-a", "PSY-a", "R-PSY-NODSCLCD-a", "R-NOPAT-a"];
    for id in ids {
        let label = |code: &str| {
            let system = if Confidentiality::parse(code).is_some() { CONFIDENTIALITY } else { ACT_CODE };
            format!(r#"{{"system":"{system}","code":"{code}"}}"#)
        };
        let security: Vec<String> = id.split('-').filter(|part| part.len() > 1 || *part < "a").map(label).collect();
        let code = id.rsplit('-').next().unwrap();
        let json = format!(
            r#"{{"resourceType":"Observation","id":"{id}","meta":{{"security":[{}]}},"status":"final","code":{{"coding":[{{"system":"urn:x-test","code":"{code}"}}]}},"subject":{{"reference":"Patient/p"}}}}"#,
            security.join(",")
        );
        world.add(&fhir::json::Tree::parse(json.into_bytes()).unwrap()).unwrap();
    }
    let consent = format!(
        r#"{{"resourceType":"Consent","status":"active","scope":{{"coding":[{{"system":"http://terminology.hl7.org/CodeSystem/consentscope","code":"patient-privacy"}}]}},"provision":{{{root},"provision":[{}]}}}}"#,
        permits.join(",")
    );
    let said = Directives::read(&[ConsentSource { id: "c", version: 1, json: consent.as_bytes() }]);
    let view = Arc::new(View::of(caller, consent::Settings::default(), registry));
    let lift = Guard::new(labels, caller, Under::Law).lift(registry, kind, &view).unwrap();
    let rule = lift.rule(&patient, Some(&said), &world);
    let seen = ids.into_iter().filter(|id| world.target_matches(kind, &LogicalId::parse(id).unwrap(), &rule));
    seen.collect::<Vec<_>>().join(" ")
}

const TO_ALL: &str = r#""type":"permit""#;

/// Rows F41, G4: what a permit names is lifted, of the resources of which it speaks.
#[test]
fn what_a_consent_names_is_lifted() {
    let (labels, hospital) = (Labels::standard(), organization(&["TREAT"]));
    let of = |root: &str, permits: &[String]| lifted(&labels, &hospital, root, permits);
    assert_eq!(of(TO_ALL, &[permit(&security(&["PSY"]))]), "R-PSY-a R-PSY-b PSY-a", "no more than that");
    let psy_of_a = permit(&format!("{},{}", security(&["PSY"]), code("a")));
    assert_eq!(of(TO_ALL, std::slice::from_ref(&psy_of_a)), "R-PSY-a PSY-a", "not of other resources");
    let hiv_of_b = permit(&format!("{},{}", security(&["HIV"]), code("b")));
    assert_eq!(of(TO_ALL, &[psy_of_a.clone(), hiv_of_b]), "R-PSY-a PSY-a", "each label by a permit for this resource");
    let hiv = permit(&security(&["HIV"]));
    assert_eq!(of(TO_ALL, &[psy_of_a, hiv]), "R-PSY-a R-PSY-HIV-a PSY-a", "two permits, one resource");
    // An exception to a denial stays within what is denied.
    let denied = format!(r#""type":"deny",{}"#, code("b"));
    assert_eq!(of(&denied, &[permit(&security(&["PSY"]))]), "R-PSY-b");
    assert_eq!(of(TO_ALL, &[permit(&code("a"))]), "", "who names no sensitivity lifts none");
    let payer = caller("other", None, Some(&["HPAYMT"]));
    assert_eq!(lifted(&labels, &payer, TO_ALL, &[permit(r#""period":{"end":"1960"}"#)]), "");
}

/// Row F41: what is not to be given to patients is not theirs to lift.
#[test]
fn a_refrain_is_not_lifted() {
    let labels = Labels::standard();
    let patient = person(Role::Patient);
    assert_eq!(lifted(&labels, &patient, &format!("{TO_ALL},{}", security(&["NOPAT"])), &[]), "");
    let hospital = organization(&["TREAT"]);
    assert_eq!(lifted(&labels, &hospital, TO_ALL, &[permit(&security(&["NODSCLCD"]))]), "");
    assert_eq!(lifted(&labels, &hospital, TO_ALL, &[permit(&security(&["PSY", "NODSCLCD"]))]), "R-PSY-a R-PSY-b PSY-a");
}

/// Row F40: what says nothing and counts as very restricted stays shut.
#[test]
fn very_restricted_by_default_is_not_lifted() {
    let labels = Labels::read("default Observation V").unwrap();
    let hospital = organization(&["TREAT"]);
    assert_eq!(lifted(&labels, &hospital, TO_ALL, &[permit(&security(&["PSY"]))]), "R-PSY-a R-PSY-b");
}

/// F45: who may change labels.
#[test]
fn authority_is_given_to_few() {
    let kind = ResourceType::parse("Observation").unwrap();
    let standard = Labels::standard();
    assert!(may_relabel(&standard, &person(Role::PrivacyOfficer), kind));
    assert!(may_relabel(&standard, &Caller::operator("test"), kind));
    for caller in [person(Role::Clinician), person(Role::Patient), person(Role::Administrator), system("one")] {
        assert!(!may_relabel(&standard, &caller, kind), "{caller:?}");
    }
    let labels = Labels::read("authority client one Observation,Condition").unwrap();
    assert!(may_relabel(&labels, &system("one"), kind));
    assert!(!may_relabel(&labels, &system("one"), ResourceType::parse("Patient").unwrap()));
    assert!(!may_relabel(&labels, &person(Role::PrivacyOfficer), kind), "the file says who");
}

/// The codes that bind this server are refrains of the tables.
#[test]
fn what_binds_this_server_is_known() {
    for code in NOT_TO_PATIENTS.iter().chain(NOT_TO_OTHERS) {
        assert_eq!(crate::label::class(ACT_CODE, code), Some(crate::label::Class::Refrain), "{code}");
    }
}
