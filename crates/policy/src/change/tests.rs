//! What a change of rules changes, held against the decisions of both houses. Row G16.

use super::*;
use crate::{
    Decision, account,
    rules::{self, Rules},
    world::World,
};
use fhir::{Instant, LogicalId, json::Tree};
use search::registry;

const NOW: Instant = Instant::from_unix_millis(1_800_000_000_000);

fn house(text: &str) -> House {
    House { rules: Arc::new(Rules::read(text, registry()).unwrap()), ..House::default() }
}

const FLU: &str = "allow \"flu\"\n who client ward\n may see\n what Observation?code=flu\n";
const NO_FLU: &str = "deny \"no flu\"\n who client ward\n may not see\n what Observation?code=flu\n";
const ONLY: &str = "limit \"only\"\n who client ward\n may only see\n what Observation\n";

const HEALTH: &str = "client ward, organization https://h.example, purpose PUBHLTH";

fn told(caller: &str, now: &str, then: &str) -> Vec<(String, &'static str, &'static str)> {
    let caller = rules::caller(caller).unwrap();
    let shifts = shifts(&caller, registry(), &house(now), &house(then));
    shifts.iter().map(|shift| (shift.kind.name().to_owned(), shift.need.as_str(), shift.way.as_str())).collect()
}

#[test]
fn only_what_differs_is_a_change_and_only_for_whom_it_is_about() {
    let seen = |way| vec![("Observation".to_owned(), "read", way), ("Observation".to_owned(), "search", way)];
    assert_eq!(told(HEALTH, "", FLU), seen("more"));
    assert_eq!(told(HEALTH, FLU, ""), seen("less"));
    // What may not be seen may not be changed either.
    let hidden = |way| {
        let changed = [("Observation".to_owned(), "update", way), ("Observation".to_owned(), "delete", way)];
        seen(way).into_iter().chain(changed).collect::<Vec<_>>()
    };
    assert_eq!(told("client ward, custodian", "", NO_FLU), hidden("less"));
    assert_eq!(told("client ward, custodian", NO_FLU, ""), hidden("more"));
    assert_eq!(told("client other, custodian", "", NO_FLU), []);
    assert_eq!(told(HEALTH, FLU, &FLU.replace("\"flu\"", "\"another name\"")), [], "it says the same");
    assert_eq!(told(HEALTH, "", NO_FLU), [], "they had nothing of it");
    // All but one type is lost for each need, and what is not named of needs.
    let limited = told("client ward, custodian", "", ONLY);
    assert!(limited.iter().all(|(_, _, way)| *way == "less"), "{limited:?}");
    assert!(!limited.iter().any(|(kind, need, _)| kind == "Observation" && matches!(*need, "read" | "search")));
    assert!(limited.contains(&("Observation".into(), "create", "less")));
    let both = format!("{FLU}{}", NO_FLU.replace("code=flu", "status=draft"));
    assert!(told(HEALTH, "", &both).iter().all(|(_, _, way)| *way == "other"));
}

/// What is gained or lost of a type is what the two houses decide differently, resource by resource.
#[test]
fn what_is_gained_and_lost_is_what_is_decided_otherwise() {
    let mut world = World::new(registry(), NOW);
    let mut ids = Vec::new();
    for (id, code, status) in
        [("a", "flu", "final"), ("b", "flu", "amended"), ("c", "bp", "final"), ("d", "bp", "amended")]
    {
        let json = format!(
            r#"{{"resourceType":"Observation","id":"{id}","status":"{status}","code":{{"coding":[{{"code":"{code}"}}]}}}}"#
        );
        world.add(&Tree::parse(json.into_bytes()).unwrap()).unwrap();
        ids.push(LogicalId::parse(id).unwrap());
    }
    let kind = ResourceType::parse("Observation").unwrap();
    let files = [
        String::new(),
        FLU.to_owned(),
        NO_FLU.to_owned(),
        FLU.replace("code=flu", "status=final"),
        format!("{FLU}{}", NO_FLU.replace("code=flu", "status=amended")),
        ONLY.replace("what Observation", "what Observation?status=final"),
    ];
    for caller in [HEALTH, "client ward, custodian"] {
        let caller = rules::caller(caller).unwrap();
        for (now, then) in files.iter().flat_map(|now| files.iter().map(move |then| (now, then))) {
            let (now_house, then_house) = (house(now), house(then));
            let shifts = shifts(&caller, registry(), &now_house, &then_house);
            for need in [Need::Read, Need::Search, Need::Update] {
                let shift = shifts.iter().find(|shift| shift.kind == kind && shift.need == need);
                for id in &ids {
                    let may = |house: &House| {
                        let decision = Decision { caller: &caller, registry: registry(), house, need, whole: true };
                        world.look(kind, id, |looked| account(decision, looked).may).unwrap()
                    };
                    let means = |predicate: &Predicate| {
                        let matched = |looked: &crate::Looked<'_>| {
                            search::matcher::matches(registry(), predicate, looked.subject, looked.related)
                        };
                        world.look(kind, id, matched).unwrap()
                    };
                    let (before, after) = (may(&now_house), may(&then_house));
                    let said = shift.map(|shift| (means(&shift.gained), means(&shift.lost))).unwrap_or_default();
                    assert_eq!(said, (after && !before, before && !after), "{now} -> {then}: {need:?} {id}");
                }
            }
        }
    }
}
