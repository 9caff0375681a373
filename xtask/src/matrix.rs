//! `cargo xtask matrix [--check]`: who may do what, as a text that a change shows in its diff.
//!
//! For each form of grant, what `policy::decide` says to each interaction on each of the 146 types;
//! types with the same answers share a line. The text is committed as `docs/matrix.txt`. Left out:
//! which resources a narrowed grant means (the scope itself says so), and whatever stands before
//! policy: a request without a live token has no row, for it never comes this far.

#[cfg(test)]
mod tests;

use fhir::{LogicalId, ResourceType, VersionId};
use oauth::{
    bearer::{LiveTokens, Presented, authenticate},
    caller::{Acting, Caller, Grant, Role, Standing, User},
    launch_context::LaunchContext,
    scope::{Scope, parse_list},
    udap::{b2b::B2b, purpose::Purpose},
};
use policy::{Access, Clinicians, Grants, House, Interaction, Need, RulesAct};
use std::{collections::BTreeMap, fmt::Write as _, fs, path::PathBuf, sync::Arc};

/// The forms of grants, each by what it shows.
const GRANTS: &[(&str, &str)] = &[
    ("nothing granted", ""),
    ("all of the system", "system/*.cruds"),
    ("reading and searching all", "system/*.rs"),
    ("one letter: create", "system/*.c"),
    ("one letter: read", "system/*.r"),
    ("one letter: update", "system/*.u"),
    ("one letter: delete", "system/*.d"),
    ("one letter: search", "system/*.s"),
    ("version 1 words", "system/*.read"),
    ("version 1 words", "system/*.write"),
    ("version 1 words", "system/*.*"),
    ("one type", "system/Observation.rs"),
    ("one type, all letters", "system/Patient.cruds"),
    ("a union over two scopes", "system/Observation.r system/Observation.s system/Patient.r"),
    ("audit events are never written", "system/AuditEvent.cruds"),
    (
        "granular",
        "system/Condition.rs?category=http://terminology.hl7.org/CodeSystem/condition-category|encounter-diagnosis",
    ),
    ("granular", "system/Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|survey"),
    ("granular, all letters", "system/Observation.cruds?category=survey"),
    ("granular on every type that has the parameter", "system/*.rs?patient=Patient/1"),
    (
        "the wider of two scopes counts",
        "system/Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|survey system/Observation.r",
    ),
    ("granular, two criteria: both must hold", "system/Observation.rs?category=survey&code=52491-8"),
    ("criteria that do not parse grant nothing", "system/Observation.rs?no-such-parameter=1"),
    ("criteria that look through another resource grant nothing", "system/Observation.rs?patient.name=x"),
    ("a conditional create needs both letters", "system/Observation.cs"),
    ("a type that R4 does not have", "system/Nonsense.cruds"),
    ("another context is never read as system", "user/*.cruds"),
    ("another context is never read as system", "patient/*.cruds user/*.cruds"),
];

/// People: the role, whether a patient is in context, the scopes.
const PEOPLE: &[(Role, bool, &str)] = &[
    (Role::Patient, true, "patient/*.cruds"),
    (Role::Patient, true, "patient/*.rs"),
    (Role::Patient, false, "patient/*.cruds"),
    (Role::Patient, false, "user/*.cruds"),
    (Role::Patient, true, "patient/Observation.rs?category=survey patient/Patient.r"),
    (Role::Patient, true, "patient/AuditEvent.rs"),
    (Role::Patient, true, "openid fhirUser"),
    (Role::Patient, true, "system/*.cruds"),
    (Role::Caregiver, true, "patient/*.rs"),
    (Role::Caregiver, false, "user/*.rs"),
    (Role::Clinician, true, "patient/*.cruds"),
    (Role::Clinician, false, "patient/*.cruds"),
    (Role::Clinician, false, "user/*.cruds"),
    (Role::Clinician, false, "user/AuditEvent.rs"),
    (Role::Clinician, true, "patient/*.rs user/Practitioner.rs system/*.cruds"),
    (Role::PrivacyOfficer, true, "patient/*.cruds"),
    (Role::PrivacyOfficer, true, "user/*.cruds"),
    (Role::Administrator, true, "patient/*.cruds"),
    (Role::Administrator, true, "user/*.cruds"),
    (Role::Administrator, false, "user/Library.cru"),
    (Role::PrivacyOfficer, false, "user/Library.cru"),
];

/// The same where the facility lets clinicians see everyone (`access.clinicians`).
const EVERYONE: &[(Role, bool, &str)] =
    &[(Role::Clinician, false, "user/*.cruds"), (Role::Clinician, true, "patient/*.cruds")];

/// Organizations that came by UDAP: the purpose of use, whether an Organization here stands for it, the scopes.
const ORGANIZATIONS: &[(&str, bool, &str)] = &[
    ("HPAYMT", true, "system/*.cruds"),
    ("HPAYMT", true, "system/Encounter.rs system/AllergyIntolerance.rs"),
    ("TREAT", true, "system/*.cruds"),
    ("SYSDEV", true, "system/*.cruds"),
    ("HPAYMT", false, "system/*.cruds"),
];

/// The scenarios of post-acute care: what happens, who calls, what is seen, what is not, the test that runs it over TLS.
/// SPEC: PFE 2.0.0, RT 1.0.0.
const SCENARIOS: &[(&str, &str, &str, &str, &str)] = &[
    (
        "admission to a skilled nursing facility",
        "a system of the facility, system/ scopes by type",
        "the stay, its answers and what was drawn out of them",
        "types without a scope: 403",
        "scenario_1_admission_by_a_backend_service",
    ),
    (
        "interim payment assessment",
        "a system of the facility",
        "both timepoints, all versions",
        "a write over a version that is not the current one: 412",
        "scenario_2_an_interim_assessment_between_timepoints",
    ),
    (
        "payer audit of a billing period",
        "an organization by UDAP, HPAYMT, with Coverage and Claim",
        "the claimed timepoint, its impressions and observations",
        "other members, what was not claimed: 404; types without a scope: 403",
        "scenario_3_a_payer_audits_a_period",
    ),
    (
        "discharge to home health",
        "a clinician of the care team, user/ scopes by type",
        "the whole stay of that resident",
        "other residents; the resident after the team's end: 404",
        "scenario_4_discharge_to_home_health",
    ),
    (
        "a patient's app",
        "the patient, patient/ scopes, one of a category",
        "that category of their own record",
        "what was declined: 403; other categories, other patients: 404",
        "scenario_5_a_patient_and_an_app",
    ),
    (
        "a caregiver",
        "a RelatedPerson, patient/ scopes, a Consent that keeps something back",
        "function and goals",
        "what the Consent keeps back; all of it after the relation's end: 404",
        "scenario_6_a_caregiver_within_a_consent",
    ),
    (
        "a walker is ordered",
        "an organization by UDAP, HPAYMT, with Coverage and Claim",
        "the orders of the claimed timepoint with what they rest on",
        "orders for others: 404",
        "scenario_7_a_walker_is_ordered",
    ),
    (
        "a correction",
        "a system of the facility",
        "the amended version, the history of what was deleted",
        "what was deleted: 410",
        "scenario_8_a_correction",
    ),
    (
        "bad input",
        "anybody",
        "what is wrong, by name",
        "no token: 401; no scope: 403; unknown parameter: 400; TLS 1.1: no answer",
        "scenario_9_bad_input",
    ),
    (
        "conformance",
        "anybody; a system of the facility",
        "guides and parameters as served, resources valid by them",
        "-",
        "scenario_10_what_the_server_says_of_itself_holds",
    ),
];

/// Writes `docs/matrix.txt`, or compares it with what policy says now.
///
/// # Errors
/// With `check`, the first line that differs; a file that cannot be read or written.
pub(crate) fn run(check: bool) -> Result<(), String> {
    let path = path();
    let text = text()?;
    if !check {
        return fs::write(&path, text).map_err(|e| format!("{}: {e}", path.display()));
    }
    let have = fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
    if have == text {
        return Ok(());
    }
    let line = have.lines().zip(text.lines()).take_while(|(a, b)| a == b).count() + 1;
    Err(format!("docs/matrix.txt is stale from line {line} on: run `cargo xtask matrix` and read the difference"))
}

fn path() -> PathBuf {
    crate::repository().join("docs/matrix.txt")
}

/// The whole text.
fn text() -> Result<String, String> {
    let mut out = String::from(
        "Who may do what. Made by `cargo xtask matrix`; a test holds it equal to policy::decide.\n\
         yes: permitted on the whole type. some: on the resources that the scope's search means, and the person or the organization may. -: denied.\n",
    );
    let operator = Caller::operator("matrix");
    write_section(&mut out, "the operator, on the machine itself", &operator)?;
    for (what, scopes) in GRANTS {
        let title = if scopes.is_empty() { (*what).to_owned() } else { format!("{what}: {scopes}") };
        write_section(&mut out, &title, &caller(scopes)?)?;
    }
    for (role, context, scopes) in PEOPLE {
        let within = if *context { ", Patient/1 in context" } else { "" };
        let title = format!("a person, {}{within}: {scopes}", role.as_str());
        write_section(&mut out, &title, &person(*role, *context, scopes)?)?;
    }
    let mut everyone = House::default();
    everyone.clinicians = Clinicians::Everyone;
    for (role, context, scopes) in EVERYONE {
        let within = if *context { ", Patient/1 in context" } else { "" };
        let title = format!("a person, {} who sees everyone{within}: {scopes}", role.as_str());
        write_section_in(&mut out, &title, &person(*role, *context, scopes)?, &everyone)?;
    }
    for (purpose, is_known, scopes) in ORGANIZATIONS {
        let stands = if *is_known { "that Organization/1 stands for" } else { "that no Organization here stands for" };
        let title = format!("an organization by UDAP {stands}, purpose {purpose}: {scopes}");
        write_section(&mut out, &title, &organization(purpose, *is_known, scopes)?)?;
    }
    out.push_str("\n## ten scenarios of post-acute care, each run from end to end over TLS (handrail it::scenarios)\n");
    for (at, (what, who, seen, not, test)) in SCENARIOS.iter().enumerate() {
        let _ = writeln!(out, "{}. {what}\n  who: {who}\n  seen: {seen}\n  not: {not}\n  test: {test}", at + 1);
    }
    Ok(out)
}

fn write_section(out: &mut String, title: &str, caller: &Caller) -> Result<(), String> {
    write_section_in(out, title, caller, &House::default())
}

fn write_section_in(out: &mut String, title: &str, caller: &Caller, house: &House) -> Result<(), String> {
    let grants = Arc::new(Grants::compile(caller, search::registry(), house));
    let _ = write!(out, "\n## {title}\n");
    for interaction in system_interactions()? {
        let name = match interaction {
            Interaction::AccessReport(_) => "Patient/1/$access-report".to_owned(),
            Interaction::Rules(act) => format!("Library/${}", act.name()),
            _ => interaction.code().to_owned(),
        };
        let _ = writeln!(out, "{name}: {}", answer(caller, &grants, &interaction));
    }
    let mut groups: BTreeMap<Vec<&'static str>, Vec<&'static str>> = BTreeMap::new();
    for resource_type in ResourceType::all() {
        let answers = type_interactions(resource_type)?.iter().map(|(_, one)| answer(caller, &grants, one)).collect();
        groups.entry(answers).or_default().push(resource_type.name());
    }
    let mut groups: Vec<_> = groups.into_iter().collect();
    groups.sort_by_key(|(_, types)| types.len());
    let patient = ResourceType::parse("Patient").map_err(|e| e.to_string())?;
    let heads: Vec<&str> = type_interactions(patient)?.into_iter().map(|(head, _)| head).collect();
    let _ = writeln!(out, "{}", heads.join("  "));
    let last = groups.len().saturating_sub(1);
    for (at, (answers, types)) in groups.iter().enumerate() {
        for (answer, head) in answers.iter().zip(&heads) {
            let _ = write!(out, "{answer:<width$}", width = head.len() + 2);
        }
        let names = if at == last && types.len() > 1 {
            format!("{} {}types", types.len(), if at == 0 { "" } else { "other " })
        } else {
            types.join(" ")
        };
        let _ = writeln!(out, "{names}");
    }
    Ok(())
}

/// What policy says: the narrowest of the accesses that the interaction needs, the widest where one suffices.
fn answer(caller: &Caller, grants: &Arc<Grants>, interaction: &Interaction) -> &'static str {
    let Ok(permit) = policy::decide(caller, grants, interaction) else { return "-" };
    let accesses: Vec<(ResourceType, Need)> = interaction
        .resource_type()
        .into_iter()
        .flat_map(|resource_type| interaction.needs().iter().map(move |need| (resource_type, *need)))
        .collect();
    if interaction.needs_one() {
        let any = |wanted: fn(&Access) -> bool| accesses.iter().any(|(t, need)| wanted(permit.access(*t, *need)));
        return match (any(|one| *one == Access::Everything), any(|one| *one != Access::Nothing)) {
            (true, _) => "yes",
            (_, true) => "some",
            _ => "EMPTY",
        };
    }
    let mut word = "yes";
    for (resource_type, need) in accesses {
        match permit.access(resource_type, need) {
            Access::Everything => {}
            Access::Where(_) => word = "some",
            // A permit for an interaction whose need it does not cover would be a fault of policy.
            Access::Nothing => return "EMPTY",
        }
    }
    word
}

fn system_interactions() -> Result<[Interaction; 8], String> {
    let report = Interaction::AccessReport(LogicalId::parse("1").map_err(|e| e.to_string())?);
    let [propose, approve, withdraw, history, _] = RulesAct::ALL.map(Interaction::Rules);
    let all = [Interaction::Capabilities, Interaction::Batch, Interaction::Transaction, report];
    let [capabilities, batch, transaction, report] = all;
    Ok([capabilities, batch, transaction, report, propose, approve, withdraw, history])
}

/// Every interaction on a type, with the head of its column.
fn type_interactions(t: ResourceType) -> Result<[(&'static str, Interaction); 16], String> {
    let id = LogicalId::parse("1").map_err(|e| e.to_string())?;
    Ok([
        ("read", Interaction::Read(t, id.clone())),
        ("vread", Interaction::Vread(t, id.clone(), VersionId::FIRST)),
        ("history-instance", Interaction::HistoryInstance(t, id.clone())),
        ("create", Interaction::Create(t)),
        ("conditional-create", Interaction::ConditionalCreate(t)),
        ("update", Interaction::Update(t, id.clone())),
        ("patch", Interaction::Patch(t, id.clone())),
        ("delete", Interaction::Delete(t, id.clone())),
        ("search-type", Interaction::SearchType(t)),
        ("search-compartment", Interaction::SearchCompartment(id.clone(), t)),
        ("$k-anonymity", Interaction::KAnonymity(t)),
        ("$meta", Interaction::Relabel(t, id.clone(), true)),
        ("$verify-signature", Interaction::VerifySignature(t, id.clone())),
        ("$explain-access", Interaction::ExplainAccess(t, id.clone())),
        ("$validate", Interaction::Validate(t, Some(id))),
        ("terminology", Interaction::Terminology(t, None, "expand")),
    ])
}

struct OneToken(Arc<Grant>);

impl LiveTokens for OneToken {
    fn grant(&self, _: &str) -> Option<Arc<Grant>> {
        Some(Arc::clone(&self.0))
    }
}

/// A system with these scopes, by the one road that makes a caller.
fn caller(scopes: &str) -> Result<Caller, String> {
    of_token(scopes, None, None, None)
}

/// A system of an organization that came by UDAP, with this purpose of use.
fn organization(purpose: &str, is_known: bool, scopes: &str) -> Result<Caller, String> {
    let b2b = B2b {
        organization_id: "https://partner.example".into(),
        organization_name: None,
        purposes: vec![Purpose::parse(purpose).ok_or_else(|| format!("{purpose} is no purpose of use"))?],
        subject_name: None,
        subject_id: None,
        subject_role: None,
        consent_policy: Vec::new(),
        consent_reference: Vec::new(),
    };
    let acting = Acting {
        community: "https://community.example".into(),
        uri: "https://partner.example".into(),
        b2b,
        organization: is_known.then(|| "Organization/1".into()),
    };
    of_token(scopes, None, None, Some(Arc::new(acting)))
}

/// A person of this role with these scopes: the account is bound to Patient/1, and Patient/1 may be in context.
fn person(role: Role, context: bool, scopes: &str) -> Result<Caller, String> {
    let user = User {
        id: "matrix".into(),
        name: "Matrix".into(),
        role,
        fhir_user: match role {
            Role::Patient => Some("Patient/1".into()),
            Role::Caregiver => Some("RelatedPerson/1".into()),
            _ => Some("Practitioner/1".into()),
        },
        patients: if role == Role::Patient { Arc::new(["1".into()]) } else { Arc::new([]) },
        glasses: Arc::default(),
        may_break_glass: false,
    };
    of_token(scopes, Some(Arc::new(user)), context.then(|| "1".into()), None)
}

fn of_token(
    scopes: &str,
    user: Option<Arc<User>>,
    patient: Option<Arc<str>>,
    acting: Option<Arc<Acting>>,
) -> Result<Caller, String> {
    let mut parsed: Vec<Scope> = Vec::new();
    for (text, scope) in parse_list(scopes) {
        match scope {
            Ok(scope) => parsed.push(scope),
            // Words of a person's token that are no resource scopes.
            Err(_) if user.is_some() && !text.contains('/') => {}
            Err(why) => return Err(format!("{text}: {why}")),
        }
    }
    let grant = Grant {
        client_id: "matrix".into(),
        client_name: "Matrix".into(),
        scopes: parsed.into(),
        scope_text: scopes.into(),
        issued_at_s: 0,
        expires_at_s: 300,
        token_name: "0000000000000000".into(),
        user,
        launch: Arc::new(LaunchContext { patient, ..LaunchContext::default() }),
        confirmation: None,
        family: None,
        acting,
        standing: Standing::Ordinary,
        purposes: Arc::default(),
    };
    authenticate(&Presented::header(Some("Bearer matrix")), &OneToken(Arc::new(grant)), 1).map_err(|e| e.to_string())
}
