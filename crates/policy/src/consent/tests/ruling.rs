//! Exceptions, several Consents, gifts, explanations, previews (rows G5, G6, G16, G18, F49).

use super::*;
use search::{IndexValues, matcher::Subject};

fn root(members: &str) -> String {
    provision(members)
}

#[test]
fn the_deepest_that_matches_wins_and_beside_it_deny() {
    let room = Room::new(Implicit::Deny);
    let labs = r#""code":[{"coding":[{"system":"http://loinc.org","code":"2345-7"}]}]"#;
    let nested = permit(&below(&[deny(&all_of(&[
        codings("class", "http://hl7.org/fhir/resource-types", &["Observation"]),
        below(&[permit(labs)]),
    ]))]));
    assert_eq!(room.sees(BOB, &[consent(&root(&nested))]), "jack stay lab");
    // Below what does not match nothing is looked at.
    let elsewhere = permit(&below(&[deny(&all_of(&[
        codings("class", "http://hl7.org/fhir/resource-types", &["Condition"]),
        below(&[permit(labs)]),
    ]))]));
    assert_eq!(room.sees(BOB, &[consent(&root(&elsewhere))]), ALL);
    let beside = deny(&below(&[permit(&actors(&["Practitioner/bob"])), deny(&level("R"))]));
    assert_eq!(room.sees(BOB, &[consent(&root(&beside))]), NORMAL);
}

#[test]
fn several_consents() {
    let mut room = Room::new(Implicit::AllNormal);
    let policy = uri("http://example.org/policies/base");
    let of = |date: &str, policy: &str, members: &str| dated(date, &all_of(&[policy.to_owned(), root(members)]));
    let old = of("2022-01-01", &policy, &deny(""));
    let new = of("2023-01-01", &policy, &permit(""));
    assert_eq!(room.sees(BOB, &[old.clone(), new.clone()]), ALL, "the newer one of the same policy");
    assert_eq!(room.sees(BOB, &[new.clone(), old.clone()]), ALL);
    let unsure = of("2023", &policy, &deny(""));
    assert_eq!(room.sees(BOB, &[unsure, new.clone()]), "", "nobody knows which is the newer one");
    let other = of("2022-01-01", &uri("http://example.org/policies/other"), &deny(""));
    assert_eq!(room.sees(BOB, &[other.clone(), new.clone()]), "", "of different policies deny wins");
    let none = dated("2022-01-01", &root(&deny("")));
    let later = dated("2023-01-01", &root(&permit("")));
    assert_eq!(room.sees(BOB, &[none.clone(), later.clone()]), "", "without a policy nothing is superseded");
    let over = of("2023-01-01", &policy, &permit(r#""period":{"end":"2023-12-31"}"#));
    assert_eq!(room.sees(BOB, &[old, over]), "", "what is over supersedes nothing");
    room.settings.combine = Combine::Newest;
    assert_eq!(room.sees(BOB, &[other, new]), ALL);
    assert_eq!(room.sees(BOB, &[none, later]), ALL);
    let narrow = dated("2023-01-01", &root(&permit(&data("instance", &["Observation/lab"]))));
    let before = dated("2022-01-01", &root(&deny("")));
    assert_eq!(room.sees(BOB, &[narrow, before]), "lab", "where the newest says nothing the one before counts");
}

#[test]
fn a_consent_takes_the_defaults_place_where_it_speaks() {
    let room = Room::new(Implicit::AllNormal);
    let to_ann = [consent(&root(&permit(&all_of(&[actors(&["RelatedPerson/ann"]), level("N")]))))];
    assert_eq!(room.sees(ANN, &to_ann), NORMAL);
    assert_eq!(room.sees(BOB, &to_ann), ALL, "of Bob it says nothing");
    let not_this = [consent(&root(&deny(&data("instance", &["Observation/lab"]))))];
    assert_eq!(room.sees(BOB, &not_this), "jack stay weight alcohol mood violence");
}

/// Row G16: only whom a permit names is given anything, and no more than it says.
#[test]
fn consents_give_to_whom_they_name() {
    let room = Room::new(Implicit::AllNormal);
    let to_all = [consent(&root(&permit("")))];
    assert_eq!(room.is_given(ANN, &to_all), "");
    assert_eq!(room.is_given(ANN, &[]), "");
    let to_ann = consent(&root(&permit(&all_of(&[actors(&["RelatedPerson/ann"]), level("N")]))));
    assert_eq!(room.is_given(ANN, std::slice::from_ref(&to_ann)), NORMAL);
    assert_eq!(room.is_given(BOB, std::slice::from_ref(&to_ann)), "");
    let but = consent(&root(&deny(&data("instance", &["Observation/lab"]))));
    assert_eq!(room.is_given(ANN, &[to_ann, but]), "jack stay weight");
    let below_a_denial = consent(&root(&deny(&below(&[permit(&actors(&["Organization/clinic"]))]))));
    assert_eq!(room.is_given(CLINIC, std::slice::from_ref(&below_a_denial)), ALL);
    assert_eq!(room.is_given(BOB, std::slice::from_ref(&below_a_denial)), ALL, "who works there");
    assert_eq!(room.is_given(PAYER, &[below_a_denial]), "");
    let keeper = consent(&root(&permit(&actors(&["Organization/clinic"]).replace("IRCP", "CST"))));
    assert_eq!(room.is_given(PAYER, &[keeper]), "", "a permit for who keeps the data is none for everybody");
}

#[test]
fn ones_own_record_is_ones_own() {
    let room = Room::new(Implicit::Deny);
    let registry = search::registry::registry();
    let caller = crate::testing::person(None, "patient/*.rs");
    let view = View::of(&caller, room.settings, registry);
    assert!(!view.is_own(&patient()), "the account is bound to nobody");
}

/// Row F49: what a broken glass does to a denial is the patient's to say, or the facility's.
#[test]
fn a_broken_glass() {
    let mut room = Room::new(Implicit::AllNormal);
    let out = [consent(&rule("OPTOUT"))];
    let never = [consent(&root(&permit(&below(&[deny(&all_of(&[purposes(&["ETREAT"]), level("R")]))]))))];
    assert_eq!(room.sees(CAROL_BREAKS, &out), "");
    room.settings.glass = Glass::Overrides;
    assert_eq!(room.sees(CAROL_BREAKS, &out), ALL);
    assert_eq!(room.sees(CAROL, &out), "", "not without breaking it");
    assert_eq!(room.sees(CAROL_BREAKS, &never), NORMAL, "a denial for emergencies is meant for emergencies");
    let both = [consent(&root(&deny(&below(&[deny(&all_of(&[purposes(&["BTG"]), level("R")]))]))))];
    assert_eq!(room.sees(CAROL_BREAKS, &both), NORMAL, "below a general one as well");
}

#[test]
fn labels_that_are_permitted() {
    let room = Room::new(Implicit::AllNormal);
    let named = permit(&all_of(&[actors(&["Practitioner/alice"]), labels(&["SUD", "PSY"])]));
    let consents = [consent(&root(&permit(&below(&[named]))))];
    let kind = ResourceType::parse("Observation").unwrap();
    let of = |who| read(&consents).permitted_labels(&room.view(who), kind, &room.world);
    let [permitted] = of(ALICE).try_into().unwrap();
    let codes: Vec<String> = permitted.labels.into_iter().map(|(_, code)| code).collect();
    assert_eq!(codes, ["ETHUD", "OPIOIDUD", "PSY", "SUD"]);
    assert!(of(BOB).is_empty());
}

#[test]
fn said_of_another_kind_leaves_nothing() {
    use search::predicate::Ruling as _;
    let room = Room::new(Implicit::AllNormal);
    let ruling = Ruling::guard(&room.view(BOB), ResourceType::parse("Observation").unwrap());
    assert_eq!(*ruling.rule(&patient(), None, &room.world), search::Predicate::All);
    assert_eq!(*ruling.rule(&patient(), Some(&"other"), &room.world), search::Predicate::Nothing);
    assert_eq!(*ruling.rule(&patient(), Some(&Directives::unreadable()), &room.world), search::Predicate::Nothing);
}

/// Rows G18: which Consent, which provision, which element.
#[test]
fn explanations() {
    let room = Room::new(Implicit::AllNormal);
    let consents = [
        consent(&root(&permit(&all_of(&[
            purposes(&["TREAT"]),
            below(&[deny(&all_of(&[actors(&["Practitioner/bob"]), level("R")]))]),
        ])))),
        consent(&rule("OPTOUT")).replace("active", "inactive"),
    ];
    let kind = ResourceType::parse("Observation").unwrap();
    let (id, values) = (LogicalId::parse("x").unwrap(), IndexValues::default());
    let subject = Subject { resource_type: kind, id: &id, last_updated: instant("2024"), values: &values };
    let explain =
        |who| Ruling::guard(&room.view(who), kind).explain(&patient(), Some(&read(&consents)), subject, &room.world);
    let trace = explain(BOB);
    assert!(trace.permitted && trace.default_replaced && !trace.by_default);
    let [first, second] = trace.consents.as_slice() else { panic!("{trace:?}") };
    assert_eq!((&first.verdict, &second.verdict), (&Verdict::Permits, &Verdict::Ignored(Ignored::NotActive)));
    assert_eq!(first.steps[0].elements, [(Element::Purpose, Met::Yes)]);
    assert_eq!(first.steps[1].path, [0]);
    assert_eq!(first.steps[1].elements, [(Element::Actor, Met::Yes), (Element::SecurityLabel, Met::No)]);
    assert_eq!((first.steps[0].matched, first.steps[1].matched), (Met::Yes, Met::No));
    let trace = explain(PAYER);
    assert!(trace.permitted && trace.by_default && !trace.default_replaced);
    assert_eq!(trace.consents[0].verdict, Verdict::Silent);
}

#[test]
fn previews() {
    let room = Room::new(Implicit::AllNormal);
    let kind = ResourceType::parse("Observation").unwrap();
    let (a, b) = (LogicalId::parse("a").unwrap(), LogicalId::parse("b").unwrap());
    let values = IndexValues::default();
    let subject = |id| Subject { resource_type: kind, id, last_updated: instant("2024"), values: &values };
    let before = Directives::default();
    let draft = consent(&root(&deny(&data("instance", &["Observation/b"]))));
    let after = before.with(&ConsentSource { id: "new", version: 1, json: draft.as_bytes() });
    let changes =
        |from, to| preview::changes(&room.view(BOB), &patient(), (from, to), &[subject(&a), subject(&b)], &room.world);
    assert_eq!(changes(&before, &after), [preview::Change::Stays, preview::Change::Hides]);
    let undone = after.without("new");
    assert_eq!(changes(&after, &undone), [preview::Change::Stays, preview::Change::Shows]);
    assert_eq!(changes(&after, &after), [preview::Change::Stays, preview::Change::StaysHidden]);
}

/// Row F48: what permits is for all that somebody asks for, what denies for any of it.
#[test]
fn several_purposes_at_once() {
    let room = Room::new(Implicit::AllNormal);
    let both = Who(Asking::Organization, &["Organization/clinic"], &["TREAT", "HMARKT"]);
    let two = Who(Asking::Organization, &["Organization/clinic"], &["ETREAT", "COC"]);
    let for_these =
        |codes: &[&str]| [consent(&root(&permit(&all_of(&[actors(&["Organization/clinic"]), purposes(codes)]))))];
    let treat = for_these(&["TREAT"]);
    assert_eq!((room.sees(CLINIC, &treat), room.is_given(CLINIC, &treat)), (ALL.into(), ALL.into()));
    assert_eq!((room.sees(both, &treat), room.is_given(both, &treat)), (String::new(), String::new()));
    assert_eq!(room.sees(two, &treat), ALL, "both lie below treatment");
    assert_eq!(room.is_given(both, &for_these(&["TREAT", "HMARKT"])), ALL, "each is met by one of them");
    assert_eq!(room.sees(both, &[consent(&root(&deny(&purposes(&["HMARKT"]))))]), "", "any suffices for a denial");
    let basic = Room::new(Implicit::BasicNormal);
    assert_eq!((basic.sees(CLINIC, &[]), basic.sees(both, &[])), (ALL.into(), String::new()));
}

/// Row G16: what has become inactive, or is over, gives nothing more; what denies them goes on denying.
#[test]
fn what_is_in_use_no_more_gives_nothing() {
    let cases = [
        (BOB, "Practitioner/bob", r#"{"resourceType":"Practitioner","id":"bob","active":false}"#),
        (
            ANN,
            "RelatedPerson/ann",
            r#"{"resourceType":"RelatedPerson","id":"ann","active":false,"patient":{"reference":"Patient/jack"}}"#,
        ),
        (
            ANN,
            "RelatedPerson/ann",
            r#"{"resourceType":"RelatedPerson","id":"ann","period":{"end":"2024-06-01"},"patient":{"reference":"Patient/jack"}}"#,
        ),
        (CLINIC, "Organization/clinic", r#"{"resourceType":"Organization","id":"clinic","active":false}"#),
        (
            BOB,
            "Organization/clinic",
            r#"{"resourceType":"Organization","id":"ward","active":false,"partOf":{"reference":"Organization/clinic"}}"#,
        ),
        (BOB, "PractitionerRole/bobs", r#"{"resourceType":"Practitioner","id":"bob","active":false}"#),
    ];
    for (who, actor, changed) in cases {
        let mut room = Room::new(Implicit::AllNormal);
        let given = [consent(&root(&permit(&actors(&[actor]))))];
        assert_eq!(room.is_given(who, &given), ALL, "{actor}");
        room.world.add(&Tree::parse(changed.as_bytes().to_vec()).unwrap()).unwrap();
        assert_eq!(room.is_given(who, &given), "", "{changed}");
        assert_eq!(room.sees(who, &[consent(&root(&deny(&actors(&[actor]))))]), "", "{changed}");
    }
}
