//! The smallest case in which the two still differ: whatever can be left away is.

use super::{
    Difference,
    decider::{Caller, House, Outcome, World, decide},
    engine::Engine,
};
use serde_json::Value;

pub(super) fn smallest(
    engine: &Engine,
    world: &World,
    seed: u64,
    caller: &Caller,
    house: &House,
    (consents, resource): (Vec<Value>, Value),
    gives: bool,
) -> Difference {
    let outcome = |consents: &[Value], resource: &Value| decide(consents, caller, house, resource, world);
    let decided = |consents: &[Value], resource: &Value| {
        let read = engine.read(consents);
        engine.asking(caller, house, &read).decides(&engine.resource(resource.clone()), gives)
    };
    let wanted = |outcome: Outcome| if gives { outcome == Outcome::Given } else { outcome >= Outcome::Permitted };
    let differ = |case: &Value| {
        let consents = case["consents"].as_array().cloned().unwrap_or_default();
        let resource = &case["resource"];
        let is_whole = resource.get("resourceType").is_some() && resource.get("id").is_some();
        is_whole && decided(&consents, resource) != wanted(outcome(&consents, resource))
    };
    let mut case = serde_json::json!({ "consents": consents, "resource": resource });
    while let Some(smaller) = without(&case).into_iter().find(|smaller| differ(smaller)) {
        case = smaller;
    }
    let consents = case["consents"].as_array().cloned().unwrap_or_default();
    let resource = case["resource"].clone();
    Difference {
        seed,
        caller: caller.clone(),
        house: *house,
        engine: decided(&consents, &resource),
        reference: outcome(&consents, &resource),
        consents,
        resource,
        gives,
    }
}

/// The value with one member or item less, at any depth; the largest parts first.
fn without(value: &Value) -> Vec<Value> {
    let mut all = Vec::new();
    match value {
        Value::Object(members) => {
            for name in members.keys() {
                let mut smaller = members.clone();
                smaller.remove(name);
                all.push(Value::Object(smaller));
            }
            for (name, member) in members {
                for smaller in without(member) {
                    let mut copy = members.clone();
                    copy.insert(name.clone(), smaller);
                    all.push(Value::Object(copy));
                }
            }
        }
        Value::Array(items) => {
            for at in 0..items.len() {
                let mut smaller = items.clone();
                smaller.remove(at);
                all.push(Value::Array(smaller));
            }
            for (at, item) in items.iter().enumerate() {
                for smaller in without(item) {
                    let mut copy = items.clone();
                    copy[at] = smaller;
                    all.push(Value::Array(copy));
                }
            }
        }
        _ => {}
    }
    all
}
