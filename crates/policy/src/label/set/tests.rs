//! Labels carried on, protected and completed; the high-water mark.

use super::*;
use crate::label::{inline, rules::Knows};
use fhir::ResourceType;
use serde_json::{Value as Json, json};

fn tree(json: &Json) -> Tree {
    Tree::parse(json.to_string().into_bytes()).unwrap()
}

fn codes(bytes: &[u8]) -> String {
    let tree = Tree::parse(bytes.to_vec()).unwrap();
    labels(tree.root()).map(|label| label.code).collect::<Vec<_>>().join(" ")
}

fn observation(security: &Json) -> Json {
    json!({"resourceType": "Observation", "status": "final", "meta": {"profile": ["http://p"], "security": security}})
}

fn level(code: &str) -> Json {
    json!({"system": CONFIDENTIALITY, "code": code})
}

fn act(code: &str) -> Json {
    json!({"system": ACT_CODE, "code": code})
}

/// F45: what the version before had is kept; a higher confidentiality takes the place of a lower one, never the other
/// way round.
#[test]
fn an_update_keeps_labels() {
    let before = tree(&observation(&json!([level("R"), act("PSY")])));
    let carry = |security: Json| {
        let after = tree(&observation(&security));
        let completion = Completion { before: Some(before.root()), ..Completion::default() };
        completed(&after, completion).map(|bytes| codes(&bytes))
    };
    assert_eq!(carry(json!([])).as_deref(), Some("R PSY"));
    assert_eq!(carry(json!([level("L")])).as_deref(), Some("R PSY"));
    assert_eq!(carry(json!([level("V"), act("PSY")])), None, "raising is allowed");
    assert_eq!(carry(json!([act("HIV")])).as_deref(), Some("HIV R PSY"));
    assert_eq!(carry(json!([act("PSY"), level("R")])), None);
    // A resource without any meta, or with other things in it.
    let bare = tree(&json!({"resourceType": "Observation", "status": "final"}));
    let completion = Completion { before: Some(before.root()), ..Completion::default() };
    let bytes = completed(&bare, completion).unwrap();
    assert_eq!(codes(&bytes), "R PSY");
    assert!(
        String::from_utf8(bytes).unwrap().starts_with(r#"{"resourceType":"Observation","status":"final","meta":{"#)
    );
}

#[test]
fn what_is_lost_is_seen() {
    let all = |list: &[(&str, &str)]| list.iter().map(|(s, c)| Label::new(s, c)).collect::<Vec<_>>();
    let before = all(&[(CONFIDENTIALITY, "R"), (ACT_CODE, "PSY"), ("http://x", "y")]);
    assert_eq!(lost(&before, &before), None);
    assert_eq!(lost(&before, &all(&[(CONFIDENTIALITY, "V"), (ACT_CODE, "PSY"), ("http://x", "y")])), None);
    for after in [
        all(&[(CONFIDENTIALITY, "N"), (ACT_CODE, "PSY"), ("http://x", "y")]),
        all(&[(CONFIDENTIALITY, "R"), (ACT_CODE, "HIV"), ("http://x", "y")]),
        all(&[(CONFIDENTIALITY, "R"), (ACT_CODE, "PSY")]),
        Vec::new(),
    ] {
        assert!(lost(&before, &after).is_some(), "{after:?}");
    }
}

struct One(&'static str, &'static str);

impl Knows for One {
    fn holds(&self, value_set: &str, system: &str, code: &str) -> bool {
        value_set == self.0 && code == self.1 && system == "http://c"
    }
}

/// F43: rules by code, value set, category, profile and type, with basis and classifier.
#[test]
fn rules_give_labels_and_say_why() {
    let text = "label PSY,R because HIPAAPsyNotes when code http://c|1\nlabel HIV when value-set http://vs\nlabel SDV when category http://c|cat and type Observation\nlabel ETH when profile http://p\nlabel N when type Observation";
    let labels = crate::label::Labels::read(text).unwrap();
    let kind = ResourceType::parse("Observation").unwrap();
    let resource = json!({
        "resourceType": "Observation", "meta": {"profile": ["http://p|2"], "tag": [{"system": "http://c", "code": "1"}]},
        "category": [{"coding": [{"system": "http://c", "code": "cat"}]}],
        "contained": [{"resourceType": "Condition", "code": {"coding": [{"system": "http://c", "code": "2"}]}}],
    });
    let due = |resource: &Json| {
        let tree = tree(resource);
        let due = rules::due(labels.rules(), kind, tree.root(), &One("http://vs", "2"));
        (completed(&tree, Completion { due: &due, ..Completion::default() }).unwrap(), due)
    };
    // A tag is no content.
    assert_eq!(codes(&due(&resource).0), "N ETH HIV SDV");
    let mut coded = resource.clone();
    coded["code"] = json!({"coding": [{"system": "http://c", "code": "1"}]});
    let (bytes, _) = due(&coded);
    assert_eq!(codes(&bytes), "R ETH HIV PSY SDV");
    let stored: Json = serde_json::from_slice(&bytes).unwrap();
    let psy = &stored["meta"]["security"][3];
    assert_eq!(psy["extension"][0]["valueCoding"]["code"], "HIPAAPsyNotes");
    assert_eq!(psy["extension"][1]["valueContributor"]["name"], "handrail");
    let tree = Tree::parse(bytes).unwrap();
    assert!(codings(tree.root()).all(rules::is_made_here));
}

/// What was made here goes when nothing gives it any more; what others said stays.
#[test]
fn renewing_takes_back_what_was_made_here() {
    let kind = ResourceType::parse("Observation").unwrap();
    let given = crate::label::Labels::read("label PSY,R when type Observation").unwrap();
    let plain = tree(&observation(&json!([act("HIV")])));
    let due = rules::due(given.rules(), kind, plain.root(), &One("", ""));
    let labelled = Tree::parse(completed(&plain, Completion { due: &due, ..Completion::default() }).unwrap()).unwrap();
    let renew = |due: &[Due]| completed(&labelled, Completion { due, renews: true, ..Completion::default() });
    assert_eq!(renew(&due), None);
    assert_eq!(codes(&renew(&[]).unwrap()), "HIV");
    // A normal write takes nothing back.
    assert_eq!(completed(&labelled, Completion::default()), None);
}

/// F45: a client cannot have what somebody else gave taken for the server's own, nor the other way round.
#[test]
fn a_mark_of_this_server_cannot_be_forged() {
    let kind = ResourceType::parse("Observation").unwrap();
    let given = crate::label::Labels::read("label PSY when type Observation").unwrap();
    let plain = tree(&observation(&json!([act("HIV")])));
    let due = rules::due(given.rules(), kind, plain.root(), &One("", ""));
    let of_client = Completion { is_of_client: true, ..Completion::default() };
    let before = Tree::parse(completed(&plain, Completion { due: &due, ..of_client }).unwrap()).unwrap();
    let mark = codings(before.root()).find(|coding| rules::is_made_here(*coding)).unwrap();
    let mark: Json = serde_json::from_str(mark.get("extension").unwrap().raw()).unwrap();
    let mut forged = act("HIV");
    forged["extension"] = mark.clone();
    let made = |tree: &Tree, before: Option<&Tree>| {
        let completion = Completion { before: before.map(Tree::root), ..of_client };
        let bytes = completed(tree, completion).unwrap();
        let tree = Tree::parse(bytes).unwrap();
        let made = codings(tree.root()).filter(|coding| rules::is_made_here(*coding)).map(label_of);
        made.map(|label| label.code).collect::<Vec<_>>().join(" ")
    };
    let forged = tree(&observation(&json!([forged, act("PSY")])));
    assert_eq!(made(&forged, Some(&before)), "PSY");
    assert_eq!(made(&forged, None), "");
}

/// DS4P: the resource has the high-water mark of its elements.
#[test]
fn inline_labels_stand_beside_those_of_the_whole() {
    let mut resource = observation(&json!([level("N")]));
    let extension = |coding: Json| json!({"url": inline::URL, "valueCoding": coding});
    resource["valueString"] = json!("x");
    resource["_valueString"] = json!({"extension": [extension(level("R")), extension(act("PSY"))]});
    let tree = tree(&resource);
    let found = Inline::of(&tree).unwrap();
    let bytes = completed(&tree, Completion { inline: Some(&found), ..Completion::default() }).unwrap();
    let mut all: Vec<String> = codes(&bytes).split(' ').map(str::to_owned).collect();
    all.sort();
    assert_eq!(all.join(" "), "PROCESSINLINELABEL PSY R");
    let escaped = resource.to_string().replace("extension-inline", "extension\\u002dinline");
    assert_eq!(Inline::of(&Tree::parse(escaped.into_bytes()).unwrap()).unwrap().labels(), found.labels());
    assert!(Inline::of(&self::tree(&observation(&json!([])))).unwrap().is_empty());
}

/// F46: what is not whole cannot be written back; what was stored so may be.
#[test]
fn what_is_not_whole_is_seen() {
    for code in NOT_WHOLE {
        let mark = json!({"system": OBSERVATION_VALUE, "code": code});
        let in_security = tree(&observation(&json!([mark])));
        let in_tag = tree(&json!({"resourceType": "Observation", "meta": {"tag": [mark]}}));
        assert_eq!(not_whole(in_security.root(), None), Some(*code));
        assert_eq!(not_whole(in_tag.root(), None), Some(*code));
        assert_eq!(not_whole(in_security.root(), Some(in_tag.root())), None);
        assert_eq!(not_whole(in_security.root(), Some(tree(&observation(&json!([]))).root())), Some(*code));
    }
}

/// F40: as the most confidential; obligations go along; silence stays silent.
#[test]
fn a_bundle_is_as_confidential_as_its_most_confidential_entry() {
    let mark = |entries: &[&[(&str, &str)]]| {
        let mut mark = HighWater::default();
        entries.iter().for_each(|labels| mark.take(labels.iter().copied(), Confidentiality::Normal));
        mark.labels().iter().map(|label| label.code.clone()).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(mark(&[]), "");
    assert_eq!(mark(&[&[], &[]]), "");
    assert_eq!(mark(&[&[(CONFIDENTIALITY, "L")], &[(CONFIDENTIALITY, "R"), (ACT_CODE, "PSY")]]), "R");
    assert_eq!(mark(&[&[(CONFIDENTIALITY, "L")], &[]]), "N", "silence is the default");
    assert_eq!(mark(&[&[(CONFIDENTIALITY, "V"), (CONFIDENTIALITY, "U")], &[(ACT_CODE, "DELAU")]]), "V DELAU");
    assert_eq!(mark(&[&[(ACT_CODE, "NOREUSE")], &[(ACT_CODE, "NOREUSE")]]), "N NOREUSE");
}
