//! What would be decided otherwise, and by which rule. Row G16.

use super::*;
use crate::{Access, Grants, Interaction, decide, rules, world::World};
use fhir::{Instant, LogicalId, json::Tree};
use search::registry;

const NOW: Instant = Instant::from_unix_millis(1_800_000_000_000);

const HIV: &str = "deny \"hiv\"\n who anyone\n may not see\n what Observation?code=hiv\n";
const LAB: &str = "allow \"lab\"\n who organization https://l.example\n may see\n what Observation?code=hiv\n";
const NOBODY: &str = "deny \"nobody\"\n who client ward\n may not see\n what Observation\n";

const WARD: &str = "client ward, custodian";
const OF_LAB: &str = "organization https://l.example, purpose PUBHLTH";

fn house(text: &str) -> Arc<House> {
    Arc::new(House { rules: Arc::new(Rules::read(text, registry()).unwrap()), ..House::default() })
}

/// What is said of Observation/hiv and Observation/bp: `-hiv`, `+lab`, or nothing.
fn said(caller: &str, live: &str, shadow: &str) -> [String; 2] {
    let caller = rules::caller(caller).unwrap();
    let cast = Shadow::cast(house(live), Arc::clone(&house(shadow).rules));
    let kind = ResourceType::parse("Observation").unwrap();
    let mut world = World::new(registry(), NOW);
    for code in ["hiv", "bp"] {
        let json = format!(
            r#"{{"resourceType":"Observation","id":"{code}","status":"final","code":{{"coding":[{{"code":"{code}"}}]}}}}"#
        );
        world.add(&Tree::parse(json.into_bytes()).unwrap()).unwrap();
    }
    let permit = |house: &House| {
        decide(&caller, &Arc::new(Grants::compile(&caller, registry(), house)), &Interaction::SearchType(kind)).ok()
    };
    let (live, shadow) = (permit(&cast.live), permit(cast.house()));
    let permits = Permits { live: live.as_ref(), shadow: shadow.as_ref() };
    let Some(beside) = cast.on(&caller, registry()) else {
        // Whom no differing rule is about both houses give the same.
        let access =
            |permit: Option<&Permit>| permit.map_or(Access::Nothing, |one| one.access(kind, Need::Read).clone());
        assert_eq!(access(permits.live), access(permits.shadow));
        return Default::default();
    };
    ["hiv", "bp"].map(|id| {
        let id = LogicalId::parse(id).unwrap();
        let look = |looked: &Looked<'_>| beside.of_resource(permits, Need::Search, looked);
        let told = |other: Otherwise| format!("{}{}", if other.may { "+" } else { "-" }, other.rules.join(","));
        world.look(kind, &id, look).unwrap().map(told).unwrap_or_default()
    })
}

#[test]
fn what_differs_is_told_with_the_rule_that_makes_it() {
    let of = |hiv: &str, bp: &str| [hiv.to_owned(), bp.to_owned()];
    assert_eq!(said(WARD, "", HIV), of("-hiv", ""));
    assert_eq!(said(WARD, HIV, ""), of("+hiv", ""));
    assert_eq!(said(WARD, "", NOBODY), of("-nobody", "-nobody"));
    assert_eq!(said(OF_LAB, "", LAB), of("+lab", ""));
    assert_eq!(said(OF_LAB, LAB, ""), of("-lab", ""));
    assert_eq!(said(OF_LAB, LAB, &format!("{LAB}{HIV}")), of("-hiv", ""), "not by the rule that stays");
    // The same name, other words: it is that rule all the same.
    assert_eq!(said(WARD, HIV, &HIV.replace("code=hiv", "code=bp")), of("+hiv", "-hiv"));
    // Two that withhold it: whoever takes one away gives nothing.
    assert_eq!(said(WARD, &format!("{HIV}{NOBODY}"), NOBODY), of("", ""));
}

#[test]
fn whom_no_differing_rule_is_about_is_not_looked_at() {
    assert_eq!(said("client other, custodian", "", NOBODY), [String::new(), String::new()]);
    let caller = rules::caller(WARD).unwrap();
    let on = |live: &str, shadow: &str| {
        Shadow::cast(house(live), Arc::clone(&house(shadow).rules)).on(&caller, registry()).is_some()
    };
    assert!(on("", HIV) && on(HIV, "") && on(HIV, NOBODY));
    assert!(!on("", "") && !on(HIV, HIV) && !on(HIV, &HIV.replace("\"hiv\"", "\"another name\"")) && !on("", LAB));
}

#[test]
fn rules_of_a_type_are_told_by_what_they_would_do() {
    let caller = rules::caller(WARD).unwrap();
    let cast = Shadow::cast(house(HIV), Arc::clone(&house(NOBODY).rules));
    let beside = cast.on(&caller, registry()).unwrap();
    let of = |name: &str, way| beside.rules(ResourceType::parse(name).unwrap(), Need::Search, way).join(",");
    assert_eq!((of("Observation", Way::More), of("Observation", Way::Less)), ("hiv".into(), "nobody".into()));
    assert_eq!((of("Patient", Way::More), of("Patient", Way::Less)), (String::new(), String::new()));
}
