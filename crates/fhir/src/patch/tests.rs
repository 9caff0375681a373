//! JSON Patch on small resources: each operation, each refusal with its place, the bounds. SPEC: RFC 6902 appendix A.

use super::*;
use crate::json::Tree;
use serde_json::{Value as Json, json};

fn tree(json: &Json) -> Tree {
    Tree::parse(json.to_string().into_bytes()).unwrap()
}

fn patched(resource: &Json, patch: &Json) -> Result<Json, PatchError> {
    let bytes = apply(tree(resource).root(), tree(patch).root())?;
    Ok(serde_json::from_slice(&bytes).unwrap())
}

fn patient() -> Json {
    json!({"resourceType": "Patient", "active": true, "name": [{"family": "Cole", "given": ["Joel", "Alex"]}]})
}

fn refused(patch: &Json) -> (Option<usize>, &'static str, Reason) {
    let error = patched(&patient(), patch).unwrap_err();
    (error.operation, error.member, error.reason)
}

/// RFC 6902 appendix A, each on a resource.
#[test]
fn each_operation_does_what_the_standard_says() {
    let cases = [
        (json!({"op": "add", "path": "/gender", "value": "male"}), "/gender", json!("male")),
        (json!({"op": "add", "path": "/active", "value": false}), "/active", json!(false)),
        (json!({"op": "add", "path": "/name/0/given/1", "value": "B"}), "/name/0/given", json!(["Joel", "B", "Alex"])),
        (json!({"op": "add", "path": "/name/0/given/-", "value": "B"}), "/name/0/given", json!(["Joel", "Alex", "B"])),
        (json!({"op": "add", "path": "/name/0/given/2", "value": "B"}), "/name/0/given", json!(["Joel", "Alex", "B"])),
        (json!({"op": "remove", "path": "/name/0/given/0"}), "/name/0/given", json!(["Alex"])),
        (json!({"op": "remove", "path": "/active"}), "/active", Json::Null),
        (json!({"op": "replace", "path": "/name/0/family", "value": "C"}), "/name/0/family", json!("C")),
        (
            json!({"op": "move", "from": "/name/0/given/0", "path": "/name/0/given/1"}),
            "/name/0/given",
            json!(["Alex", "Joel"]),
        ),
        (json!({"op": "move", "from": "/name/0/family", "path": "/name/0/text"}), "/name/0/text", json!("Cole")),
        (json!({"op": "copy", "from": "/name/0", "path": "/name/-"}), "/name/1/family", json!("Cole")),
        (json!({"op": "test", "path": "/name/0/given", "value": ["Joel", "Alex"]}), "/active", json!(true)),
    ];
    for (operation, place, expected) in cases {
        let after = patched(&patient(), &json!([operation])).unwrap();
        assert_eq!(after.pointer(place).cloned().unwrap_or_default(), expected, "{operation}");
    }
}

#[test]
fn what_is_not_named_keeps_its_text() {
    let before = r#"{"resourceType":"Observation","valueQuantity":{"value":1.50,"unit":"\u00b5g"},"status":"final"}"#;
    let patch = tree(&json!([{"op": "replace", "path": "/status", "value": "amended"}]));
    let after = apply(Tree::parse(before.as_bytes().to_vec()).unwrap().root(), patch.root()).unwrap();
    assert_eq!(String::from_utf8(after).unwrap(), before.replace("final", "amended"));
}

#[test]
fn a_value_is_tested_by_what_it_says() {
    let resource = Tree::parse(br#"{"a": 1.50, "b": "\u00e9", "c": {"x": 1, "y": [null]}}"#.to_vec()).unwrap();
    let holds = |path: &str, value: Json| {
        let patch = tree(&json!([{"op": "test", "path": path, "value": value}]));
        apply(resource.root(), patch.root()).is_ok()
    };
    assert!(holds("/a", json!(1.5)) && holds("/b", json!("é")) && holds("/c", json!({"y": [null], "x": 1.0})));
    assert!(!holds("/a", json!("1.50")) && !holds("/c", json!({"x": 1})) && !holds("/c/y", json!([])));
    assert!(!holds("/c", json!({"x": 1, "y": [null], "z": 2})));
}

#[test]
fn names_are_escaped_as_pointers_have_it() {
    let after = patched(&json!({"a": 1}), &json!([{"op": "add", "path": "/a~1b~0c~01", "value": 2}])).unwrap();
    assert_eq!(after, json!({"a": 1, "a/b~c~1": 2}));
}

#[test]
fn what_is_left_empty_goes() {
    let patch = json!([{"op": "remove", "path": "/name/0/given/0"}, {"op": "remove", "path": "/name/0/given/0"}]);
    let after = patched(&patient(), &patch).unwrap();
    assert_eq!(after.pointer("/name/0"), Some(&json!({"family": "Cole"})));
    let patch = json!([
        {"op": "add", "path": "/telecom", "value": []},
        {"op": "add", "path": "/telecom/-", "value": {"value": "1"}}
    ]);
    assert_eq!(patched(&patient(), &patch).unwrap().pointer("/telecom"), Some(&json!([{"value": "1"}])));
}

/// SPEC: R4 json.html#primitive. The companion of a value is at its place, whatever the others lost.
#[test]
fn what_is_emptied_moves_no_other_companion() {
    let resource = json!({"resourceType": "Patient", "name": [{
        "given": ["Joel", "Alex"], "_given": [{"id": "g0"}, {"id": "g1"}],
        "prefix": ["Dr"], "_prefix": [{"id": "p0"}]
    }]});
    let patch =
        json!([{"op": "remove", "path": "/name/0/_given/0/id"}, {"op": "remove", "path": "/name/0/_prefix/0/id"}]);
    let after = json!({"given": ["Joel", "Alex"], "_given": [null, {"id": "g1"}], "prefix": ["Dr"]});
    assert_eq!(patched(&resource, &patch).unwrap().pointer("/name/0"), Some(&after));
}

#[test]
fn what_is_wrong_is_named_with_its_place() {
    use Reason::*;
    let cases = [
        (json!({}), (None, "", NotAnArray)),
        (json!([1]), (Some(0), "", NotAnObject)),
        (json!([{"path": "/a"}]), (Some(0), "op", Missing)),
        (json!([{"op": "put", "path": "/a"}]), (Some(0), "op", UnknownOperation)),
        (json!([{"op": 1, "path": "/a"}]), (Some(0), "op", NotAString)),
        (json!([{"op": "add", "path": "/a"}]), (Some(0), "value", Missing)),
        (json!([{"op": "add", "path": "a", "value": 1}]), (Some(0), "path", InvalidPointer)),
        (json!([{"op": "add", "path": "/a~2", "value": 1}]), (Some(0), "path", InvalidPointer)),
        (json!([{"op": "replace", "path": "", "value": {}}]), (Some(0), "path", WholeResource)),
        (json!([{"op": "remove", "path": ""}]), (Some(0), "path", WholeResource)),
        (json!([{"op": "move", "from": "/name", "path": "/name/0/x"}]), (Some(0), "path", IntoItself)),
        (json!([{"op": "remove", "path": "/gender"}]), (Some(0), "path", NotFound)),
        (json!([{"op": "replace", "path": "/gender", "value": 1}]), (Some(0), "path", NotFound)),
        (json!([{"op": "copy", "from": "/gender", "path": "/a"}]), (Some(0), "from", NotFound)),
        (json!([{"op": "add", "path": "/name/01", "value": 1}]), (Some(0), "path", InvalidIndex)),
        (json!([{"op": "remove", "path": "/name/-"}]), (Some(0), "path", InvalidIndex)),
        (json!([{"op": "add", "path": "/name/2", "value": 1}]), (Some(0), "path", BeyondTheEnd)),
        (json!([{"op": "add", "path": "/name/99999999999999999999", "value": 1}]), (Some(0), "path", BeyondTheEnd)),
        (json!([{"op": "add", "path": "/active/x", "value": 1}]), (Some(0), "path", NotFound)),
        (
            json!([{"op": "remove", "path": "/active"}, {"op": "test", "path": "/name/0/family", "value": "X"}]),
            (Some(1), "path", TestFailed),
        ),
        // What is malformed comes first, whatever the resource holds.
        (json!([{"op": "remove", "path": "/gender"}, {"op": "add"}]), (Some(1), "path", Missing)),
    ];
    for (patch, expected) in cases {
        assert_eq!(refused(&patch), expected, "{patch}");
    }
}

/// F56, F57: a patch makes no more of a resource than a body may be.
#[test]
fn a_patch_is_bounded() {
    let twice = json!({"op": "copy", "from": "/name", "path": "/name/0/x"});
    let (_, _, reason) = refused(&Json::from(vec![twice; 200]));
    assert!(matches!(reason, Reason::TooDeep | Reason::TooLarge), "{reason:?}");
    let wide = json!({"op": "copy", "from": "/name", "path": "/name/-"});
    assert_eq!(refused(&Json::from(vec![wide; 60])).2, Reason::TooLarge);
    let many = vec![json!({"op": "test", "path": "/active", "value": true}); limits::PATCH_OPERATIONS_MAX + 1];
    assert_eq!(refused(&Json::from(many)).2, Reason::TooMany);
}
