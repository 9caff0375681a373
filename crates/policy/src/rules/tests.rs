//! The language: what it says of mistakes, and what its rules mean, by the tests that it has itself. Row G16.

use super::*;
use crate::House;
use fhir::Instant;
use search::registry;

const NOW: Instant = Instant::from_unix_millis(1_800_000_000_000);

fn read(text: &str) -> Rules {
    Rules::read(text, registry()).unwrap_or_else(|faults| panic!("{}", told(&faults)))
}

fn told(faults: &[Fault]) -> String {
    faults.iter().map(Fault::to_string).collect::<Vec<_>>().join("\n")
}

fn faults(text: &str) -> String {
    told(&Rules::read(text, registry()).unwrap_err())
}

/// Runs the tests of a file: what did not come true.
fn missed(text: &str) -> Vec<String> {
    let rules = Arc::new(read(text));
    let house = House { rules: Arc::clone(&rules), ..House::default() };
    let load = |name: &str| Err(format!("no file {name}"));
    let mut missed = Vec::new();
    for trial in rules.trials() {
        for trace in trial.traces(registry(), &house, NOW) {
            assert!(trace.adds_up, "G18: the parts are the decision: {trace:?}");
        }
        match trial.run(registry(), &house, NOW, &load) {
            Ok(count) => assert!(count > 0),
            Err(Failed::Unfit(fault)) => missed.push(fault.to_string()),
            Err(Failed::Missed(misses)) => missed.extend(misses.iter().map(Miss::to_string)),
        }
    }
    missed
}

/// The same of a file whose tests cannot be run.
fn unfit(text: &str) -> Vec<String> {
    let rules = read(text);
    let ran = rules
        .trials()
        .iter()
        .map(|trial| trial.run(registry(), &House::default(), NOW, &|name| Err(format!("no file {name}"))));
    ran.filter_map(|ran| if let Err(Failed::Unfit(fault)) = ran { Some(fault.to_string()) } else { None }).collect()
}

fn holds(text: &str) {
    assert_eq!(missed(text), Vec::<String>::new());
}

/// Three patients, what is known of two, and a study that one of them takes part in.
const WORLD: &str = r#"
    given {"resourceType": "Patient", "id": "anna", "generalPractitioner": [{"reference": "Practitioner/p"}]}
    given {"resourceType": "Patient", "id": "bo"}
    given {"resourceType": "Patient", "id": "cy", "managingOrganization": {"reference": "Organization/r"}}
    given {"resourceType": "ResearchSubject", "id": "s", "status": "on-study", "study": {"reference": "ResearchStudy/1"},
           "individual": {"reference": "Patient/anna"}}
    given {"resourceType": "Observation", "id": "anna-bp", "status": "final", "code": {"coding": [{"code": "bp"}]},
           "category": [{"coding": [{"code": "vital-signs"}]}], "subject": {"reference": "Patient/anna"},
           "performer": [{"reference": "Practitioner/p"}]}
    given {"resourceType": "Observation", "id": "anna-hiv", "status": "final", "code": {"coding": [{"code": "hiv"}]},
           "category": [{"coding": [{"code": "laboratory"}]}], "subject": {"reference": "Patient/anna"},
           "meta": {"security": [{"code": "HIV"}]}}
    given {"resourceType": "Observation", "id": "bo-bp", "status": "final", "code": {"coding": [{"code": "bp"}]},
           "category": [{"coding": [{"code": "vital-signs"}]}], "subject": {"reference": "Patient/bo"}}
    given {"resourceType": "Practitioner", "id": "p"}
"#;

fn with_world(rules: &str, test: &str) -> String {
    format!("{rules}\ntest \"it\"\n{WORLD}\n{test}\n")
}

#[test]
fn an_allowing_rule_widens_within_scopes() {
    let rules = "
allow \"Researchers see the vital signs of those who agreed\"
    who      organization https://research.example.org
    purpose  HRESCH
    may      see
    what     Observation?category=vital-signs of Patient?_has:ResearchSubject:individual:status=on-study
";
    holds(&with_world(
        rules,
        "
    as           organization https://research.example.org, purpose HRESCH
    may see      Observation/anna-bp
    may not see  Observation/anna-hiv, Observation/bo-bp, Patient/anna
    may not change Observation/anna-bp
    # A purpose below the one that is named is one of it; another is not.
    as           organization https://research.example.org, purpose CLINTRCH
    may see      Observation/anna-bp
    as           organization https://research.example.org, purpose PUBHLTH
    may not see  Observation/anna-bp
    as           organization https://other.example.org, purpose HRESCH
    may not see  Observation/anna-bp
    # B41: a rule gives no scope.
    as           organization https://research.example.org, purpose HRESCH, scope system/Observation.r
    may read     Observation/anna-bp
    may not search Observation/anna-bp
    as           organization https://research.example.org, purpose HRESCH, scope system/Observation.rs?code=hiv
    may not see  Observation/anna-bp
    as           organization https://research.example.org, purpose HRESCH, scope system/Patient.rs
    may not see  Observation/anna-bp
",
    ));
}

#[test]
fn a_rule_widens_a_person_no_further_than_the_context() {
    let rules = "
allow \"The ombudsman reads\"
    who   role patient
    may   see
    what  Observation
";
    holds(&with_world(
        rules,
        "
    as           role patient, patients bo
    may see      Observation/bo-bp, Observation/anna-bp, Patient/bo
    may not see  Patient/anna
    # patient/ is the record of the patient in context, whatever a rule adds.
    as           role patient, patients bo, patient bo, scope patient/*.rs
    may see      Observation/bo-bp
    may not see  Observation/anna-bp
",
    ));
}

#[test]
fn a_denying_rule_wins() {
    let rules = "
deny \"HIV results stay with the care team\"
    who      role clinician
    except   user Practitioner/p
    may not  see, change
    what     Observation?_security=HIV

allow \"All see everything\"
    who   anyone
    may   see
    what  everything
";
    holds(&with_world(
        rules,
        "
    as           role clinician, user Practitioner/q
    may see      Observation/anna-bp, Patient/anna
    may not see  Observation/anna-hiv
    may not update Observation/anna-hiv
    as           role clinician, user Practitioner/p
    may see      Observation/anna-hiv
    may update   Observation/anna-hiv
",
    ));
}

/// F7: to change what may not be seen would tell that it is there.
#[test]
fn what_may_not_be_read_is_not_changed_either() {
    let rules = "
deny \"HIV results are not there for clinicians\"
    who      role clinician
    may not  see
    what     Observation?_security=HIV

allow \"All see and change everything\"
    who   anyone
    may   see, change
    what  everything
";
    holds(&with_world(
        rules,
        "
    as           role clinician, user Practitioner/q
    may update   Observation/anna-bp
    may not see  Observation/anna-hiv
    may not update Observation/anna-hiv
    may not delete Observation/anna-hiv
",
    ));
}

#[test]
fn a_limiting_rule_leaves_nothing_else() {
    let rules = "
limit \"The registry gets vital signs\"
    who       client registry
    may only  read, search
    what      Observation?category=vital-signs, Patient
";
    holds(&with_world(
        rules,
        "
    as           client registry, custodian
    may see      Observation/anna-bp, Patient/bo
    may not see  Observation/anna-hiv, ResearchSubject/s
    may not change Observation/anna-bp
    as           client other, custodian
    may see      Observation/anna-hiv
    may change   Observation/anna-hiv
",
    ));
}

#[test]
fn variables_are_the_callers_own_resources() {
    let rules = "
limit \"Clinicians see what they did, and their own patients\"
    who       role clinician
    may only  see
    what      Observation?performer=%user, Patient?general-practitioner=%user

allow \"An organization sees those whose record it manages\"
    who   any organization
    may   see
    what  record of Patient?organization=%organization

deny \"Nobody sees another patient's observations at the bedside\"
    who      client bedside
    may not  see
    what     Patient?_id:not=%patient
";
    holds(&with_world(
        rules,
        "
    as           role clinician, user Practitioner/p
    may see      Observation/anna-bp, Patient/anna
    may not see  Observation/bo-bp, Patient/bo
    as           role clinician, user Practitioner/q
    may not see  Observation/anna-bp, Patient/anna
    # No resource stands for them: nothing is theirs.
    as           role clinician
    may not see  Observation/anna-bp, Patient/anna
    as           organization https://r.example.org Organization/r, purpose HOPERAT
    may see      Patient/cy
    may not see  Patient/anna
    # Of an organization that is not known here nothing is managed.
    as           organization https://r.example.org, purpose HOPERAT
    may not see  Patient/cy
    as           role patient, patients bo, client bedside
    may see      Patient/bo
    # Nobody is in context: what denies means everybody then.
    as           client bedside, custodian
    may not see  Patient/anna, Patient/bo
",
    ));
}

/// What a token or an account holds is never read as a search (threat: a user whose id is `x,Practitioner/y`).
#[test]
fn variables_inject_nothing() {
    let rules = "
allow \"Own\"
    who   anyone
    may   see
    what  Observation?performer=%user
";
    let rules = read(&with_world(rules, "    as role patient\n    may not see Observation/anna-bp"));
    let house = House { rules: Arc::new(rules), ..House::default() };
    for user in ["Practitioner/q,Practitioner/p", "Practitioner/p&code=x", "Practitioner/*", "/", "Practitioner/", "p"]
    {
        let caller = crate::testing::person(Some(user), "user/*.rs");
        let grants = crate::Grants::compile(&caller, registry(), &house);
        let observation = ResourceType::parse("Observation").unwrap();
        assert_eq!(*grants.access(observation, Need::Read), crate::Access::Nothing, "{user}");
    }
}

#[test]
fn the_operator_is_ruled_by_nothing() {
    let rules = read("deny \"All\"\n  who anyone\n  may not see, change\n  what everything\n");
    let house = House { rules: Arc::new(rules), ..House::default() };
    let operator = Caller::operator("test");
    let grants = crate::Grants::compile(&operator, registry(), &house);
    let patient = ResourceType::parse("Patient").unwrap();
    assert_eq!(*grants.access(patient, Need::Read), crate::Access::Everything);
}

/// Grants that were made for one caller are no other's, where a rule tells the two apart.
#[test]
fn grants_of_another_are_refused() {
    let rules = read("deny \"x\"\n  who user Practitioner/p\n  may not see\n  what everything\n");
    let house = House { rules: Arc::new(rules), ..House::default() };
    let of = |user| crate::testing::person(Some(user), "user/*.rs");
    let grants = Arc::new(crate::Grants::compile(&of("Practitioner/q"), registry(), &house));
    assert!(grants.belong_to(&of("Practitioner/q")));
    assert!(!grants.belong_to(&of("Practitioner/r")), "no rule is about either, and they treat others");
    assert!(!grants.belong_to(&of("Practitioner/p")));
}

#[test]
fn a_search_parameter_that_is_gone_is_not_allowed_and_is_denied() {
    // What a package added is in one registry and not in the other.
    let added = search::registry::Registry::new(fhir::schema::r4());
    let text = "
allow \"a\"
    who   role patient
    may   see
    what  Observation?code=x
deny \"d\"
    who      role patient
    may not  see
    what     Condition?code=x
";
    let rules = Rules::read(text, &added).unwrap();
    let mut lost = rules.clone();
    for rule in &mut lost.rules {
        rule.what = rule.what.iter().map(what::What::with_lost_parameter).collect();
    }
    let caller = crate::testing::person(None, "user/*.rs");
    let access = |rules: Rules, name| {
        let house = House { rules: Arc::new(rules), ..House::default() };
        let grants = crate::Grants::compile(&caller, registry(), &house);
        grants.access(ResourceType::parse(name).unwrap(), Need::Search).clone()
    };
    assert!(matches!(access(rules.clone(), "Observation"), crate::Access::Where(_)));
    assert_eq!(access(lost.clone(), "Observation"), crate::Access::Nothing);
    assert_eq!(access(lost, "Condition"), crate::Access::Nothing);
}

#[test]
fn mistakes_are_told_with_their_place_and_what_to_write() {
    let text = "
allow Reading
    who anyone
alow \"x\"
allow \"One\"
    who   role doctor, client
    may   reed
    what  Observatoin?code=x
    whom  anyone
allow \"Two\"
    who   anyone
    may not read
    what  Observation?cod=x, Patient?name=%usr, Group?member=a%patient
deny \"Three\"
    who      anyone
    may not  read
    what     AuditEvent
allow \"Four\"
    may   see
  # a comment
test \"Five\"
    may read Patient/x
";
    let expected = "\
2:7: the name is missing; write allow \"what it is for\"
4:1: nothing begins with 'alow'; write allow
6:16: there is no role 'doctor'; write patient, caregiver, clinician, privacy-officer, administrator
7:11: nothing is called 'reed'; write read
8:11: there is no resource type 'Observatoin' in R4; write Observation
9:5: a rule has no line 'whom'; write who
12:5: in a rule that begins with 'allow' the line is 'may …'; write 'may', or begin with 'deny'
13:23: cod: Observation has no such search parameter; write code
16:5: without 'search' this hides nothing: searches give whole resources; write 'may not see'
17:14: audit events are ruled by role alone; leave AuditEvent out
18:1: the rule \"Four\" has no line 'who'; write whom it is about, perhaps 'who anyone'
22:5: nobody is there who may or may not; write 'as …' before it";
    assert_eq!(faults(text), expected);
}

#[test]
fn criteria_that_a_rule_cannot_have() {
    let of = |what: &str| faults(&format!("allow \"x\"\n  who anyone\n  may see\n  what {what}\n"));
    for (what, said) in [
        ("Patient?name=%usr", "4:21: there is no variable %usr; write %user"),
        (
            "Patient?name=a%user",
            "4:21: 'a%user' mixes text with a variable, or has a % that is none; a variable stands alone: patient=%patient; a % is %25",
        ),
        (
            "Patient?name=%user",
            "4:16: name: a variable stands for a resource: it goes with a parameter that is a reference, or with _id",
        ),
        ("Observation?_id=%patient", "4:20: _id: the variable is of another type than this id"),
        ("Patient?_count=5", "4:16: _count: criteria hold only parameters that filter"),
        ("Patient?name", "4:16: 'name' is no criterion; write parameter=value"),
        ("Patient of Group", "4:19: a record is of patients; write 'of Patient?criteria'"),
        ("Organization of Patient?active=true", "4:8: Organization is in no patient's record; leave 'of …' out"),
        ("record?nonsense=x", "4:15: nonsense: Account has no such search parameter"),
        (
            "Patient where x",
            "4:16: 'where' does not belong here; write Type, Type?criteria, 'everything' or 'record', and perhaps 'of Patient?criteria' after it",
        ),
    ] {
        assert_eq!(of(what), said, "{what}");
    }
}

#[test]
fn tests_of_rules_that_cannot_be() {
    let of = |lines: &str| faults(&format!("test \"x\"\n{lines}\n"));
    assert_eq!(of("    given {\"resourceType\": \"Patient\""), "2:11: the resource has no end; close its last brace");
    assert_eq!(
        of("    as user Practitioner/p\n    may read Patient/x"),
        "2:8: user, account, patients and patient are a person's; add 'role NAME'"
    );
    assert_eq!(
        of("    as role patient"),
        "1:1: the test \"x\" expects nothing; write 'may read Type/id' or 'may not read Type/id'"
    );
    assert_eq!(
        of("    as scope system/Patient.x\n    may read Patient/x"),
        "2:8: system/Patient.x: after the dot stand letters of c r u d s in this order (or read, write, * of SMART v1)"
    );
}

#[test]
fn what_does_not_come_true_is_told() {
    let rules = "allow \"x\"\n  who anyone\n  may see\n  what Patient\n";
    let missed = missed(&with_world(
        rules,
        "    as role patient\n    may not read Patient/anna\n    may read Observation/bo-bp",
    ));
    assert_eq!(
        missed,
        [
            "24:18: this patient may read Patient/anna by rule \"x\"",
            "25:14: this patient may not read Observation/bo-bp"
        ]
    );
    let unknown = unfit(&with_world(rules, "    as role patient\n    may read Patient/zoe"));
    assert_eq!(unknown, ["24:14: Patient/zoe is in no 'given' of this test"]);
    let broken = unfit(
        "test \"x\"\n  given {\"resourceType\": \"Patient\",\n  \"id\": 1x}\n  as role patient\n  may read Patient/a\n",
    );
    assert_eq!(broken.len(), 1);
    assert!(broken[0].starts_with("3:"), "{broken:?}");
}

#[test]
fn rules_are_read_aloud() {
    let rules = read(
        "
allow \"a\"
    who      role clinician, client ehr
    who      any person
    except   user Practitioner/p
    purpose  TREAT, HOPERAT
    may      see
    what     Observation?code=x of Patient?active=true, Encounter
limit \"b\"
    who       anyone
    may only  read
    what      everything?_security=N
",
    );
    let aloud: Vec<String> = rules.rules().iter().map(Rule::aloud).collect();
    assert_eq!(
        aloud,
        [
            "role clinician or client ehr, being any person, but not user Practitioner/p, for the purpose TREAT or HOPERAT \
             may also read, search: Observation?code=x of Patient?active=true, and Encounter",
            "anyone may only read: everything?_security=N",
        ]
    );
}

/// `%now` is the moment of the question, however long ago the rule was bound: nothing that is kept freezes it.
#[test]
fn now_is_the_moment_of_the_question() {
    let rule = r#"
allow "Last week's stays"
    who   client ward
    may   see
    what  Encounter?date=ge%now-7d, Observation?encounter.date=ge%now-1w&date=le%now, Patient?_has:Encounter:patient:date=ge%now-168h
deny "What was written long ago"
    who      client ward
    may not  see
    what     Condition?_lastUpdated=lt%now+1h
"#;
    let world = |day: &str| {
        format!(
            r#"{rule}
test "at {day}"
    now    {day}
    given  {{"resourceType": "Patient", "id": "anna"}}
    given  {{"resourceType": "Encounter", "id": "e", "status": "finished", "class": {{"code": "IMP"}},
            "subject": {{"reference": "Patient/anna"}}, "period": {{"start": "2026-03-01", "end": "2026-03-01T12:00:00Z"}}}}
    given  {{"resourceType": "Observation", "id": "o", "status": "final", "code": {{"text": "x"}},
            "subject": {{"reference": "Patient/anna"}}, "encounter": {{"reference": "Encounter/e"}},
            "effectiveDateTime": "2026-03-01"}}
    given  {{"resourceType": "Condition", "id": "c", "subject": {{"reference": "Patient/anna"}}}}
    as     client ward, organization https://w.example, purpose PUBHLTH
"#
        )
    };
    let all = "Encounter/e, Observation/o, Patient/anna";
    holds(&format!("{}    may see {all}\n    may not see Condition/c\n", world("2026-03-02T08:00:00Z")));
    holds(&format!("{}    may see {all}\n", world("2026-03-08T11:00:00Z")));
    holds(&format!("{}    may not see {all}\n", world("2026-03-08T12:30:00Z")));
    // What was compiled once means another thing a day later.
    let rules = read(rule);
    let caller = caller("client ward, organization https://w.example, purpose PUBHLTH").unwrap();
    let facts = rules.ruled(&caller);
    let bound = rules.bound(facts.as_ref(), registry());
    let kind = ResourceType::parse("Encounter").unwrap();
    let kept = bound.adds(kind, Need::Search);
    let json = r#"{"resourceType":"Encounter","id":"e","status":"finished","class":{"code":"IMP"},"period":{"start":"2026-03-01","end":"2026-03-02"}}"#;
    let tree = fhir::json::Tree::parse(json.as_bytes().to_vec()).unwrap();
    for (now, is_meant) in [(1_772_800_000_000, true), (1_773_400_000_000, false)] {
        let mut world = crate::world::World::new(registry(), Instant::from_unix_millis(now));
        world.add(&tree).unwrap();
        let id = fhir::LogicalId::parse("e").unwrap();
        let meant = world.look(kind, &id, |looked| {
            search::matcher::matches(registry(), &kept[0].predicate, looked.subject, looked.related)
        });
        assert_eq!(meant, Some(is_meant), "{now}");
    }
}

#[test]
fn a_moment_that_is_none_is_told() {
    let of = |what: &str| faults(&format!("deny \"x\"\n who anyone\n may not see\n what {what}\n"));
    let forms = "write for example ge%now-30d: hours h, days d or weeks w before (-) or after (+) now";
    for (what, told) in [
        ("Encounter?date=%now", "4:22: '%now' compares with no moment; begin with ge, le, gt, lt, sa, eb: ge%now-30d"),
        (
            "Encounter?date=eq%now-1d",
            "4:22: 'eq%now' compares with no moment; begin with ge, le, gt, lt, sa, eb: ge%now-30d",
        ),
        ("Encounter?date=ge%now-30", &format!("4:22: '%now-30' is no moment; {forms}")),
        ("Encounter?date=ge%now-1m", &format!("4:22: '%now-1m' is no moment; {forms}")),
        ("Encounter?date=ge%now30d", &format!("4:22: '%now30d' is no moment; {forms}")),
        ("Encounter?date=ge%now--3d", &format!("4:22: '%now--3d' is no moment; {forms}")),
        ("Encounter?date=ge%now-9999999d", "4:22: a moment is at most 36500 days away"),
        (
            "Encounter?date=ge%now-99999999999999999999d",
            &format!("4:22: '%now-99999999999999999999d' is no moment; {forms}"),
        ),
        ("Encounter?status=ge%now", "4:17: status: %now is a moment: it goes with a parameter that is a date"),
        ("Encounter?length=ge%now", "4:17: length: %now is a moment: it goes with a parameter that is a date"),
        ("Encounter?patient=ge%now", "4:17: patient: %now is a moment: it goes with a parameter that is a date"),
        ("Encounter?dat=ge%now", "4:17: dat: Encounter has no such search parameter; write date"),
    ] {
        assert_eq!(of(what), told, "{what}");
    }
    let text = "deny \"x\"\n who anyone\n may not see\n what Patient\ntest \"t\"\n now soon\n as client x\n may see Patient/a\n";
    assert!(faults(text).starts_with("6:6: 'soon' is no moment; write a day"), "{}", faults(text));
}

#[test]
fn one_name_is_one_rule() {
    let text = "deny \"x\"\n  who anyone\n  may not see\n  what Patient\n".repeat(2);
    assert_eq!(faults(&text), "5:1: the rule \"x\" stands in line 1 already; give each rule its own name");
}

/// Whatever bytes: an answer, and places within the text.
#[test]
fn any_text_is_read_or_told() {
    let pieces = [
        "allow", "\"", "x", "\n", "  who", " role", ",", " ", "what", "?", "=", "%", "%patient", "{", "}", "\\", "may",
        "é", "&", "test", "given", "of", "Patient",
    ];
    let mut seed = 7_u64;
    for _ in 0..3000 {
        let mut text = String::new();
        for _ in 0..24 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            text.push_str(pieces[(seed >> 33) as usize % pieces.len()]);
        }
        if let Err(faults) = Rules::read(&text, registry()) {
            assert!(!faults.is_empty());
            for fault in faults {
                assert!(
                    fault.place.line >= 1 && fault.place.line as usize <= text.lines().count() + 1,
                    "{text:?}: {fault}"
                );
            }
        }
    }
}

/// The cookbook of docs/policy.md.
#[test]
fn the_documents_rules_do_what_they_say() {
    let text = include_str!("../../../../docs/policy.md");
    let mut recipes = 0;
    for block in text.split("```policy\n").skip(1) {
        holds(block.split("```").next().unwrap());
        recipes += 1;
    }
    assert!(recipes >= 5);
}

/// Row F45: who may relabel what they cannot read is bound by what the operator denies, like everybody.
#[test]
fn rules_bind_who_looks_after_labels() {
    let access = |rules: &str, kind: &str| {
        let house = House {
            rules: Arc::new(read(rules)),
            labels: Arc::new(crate::label::Labels::standard()),
            ..House::default()
        };
        let officer = crate::testing::of_role(oauth::caller::Role::PrivacyOfficer, "user/*.cruds");
        let grants = crate::Grants::compile(&officer, registry(), &house);
        grants.access(ResourceType::parse(kind).unwrap(), Need::Relabel).clone()
    };
    use crate::Access;
    assert_eq!(access("", "Observation"), Access::Everything);
    let sealed = "deny \"Sealed\"\n    who anyone\n    may not change\n    what Observation";
    assert_eq!(access(sealed, "Observation"), Access::Nothing);
    assert_eq!(access(sealed, "Condition"), Access::Everything);
    let some = "deny \"Sealed\"\n    who role privacy-officer\n    may not update\n    what Observation?status=final";
    assert!(matches!(access(some, "Observation"), Access::Where(_)));
}
