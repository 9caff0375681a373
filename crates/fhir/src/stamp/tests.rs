//! The mark replaces the server's three fields and leaves all else.

use super::*;
use crate::json::Tree;
use proptest::prelude::*;

fn stamp(json: &str) -> String {
    let tree = Tree::parse(json.to_owned()).unwrap();
    let template = Template::new(tree.root(), &LogicalId::parse("a-1").unwrap());
    let bytes = template.stamp(VersionId::new(7).unwrap(), Instant::from_unix_millis(1_700_000_000_123));
    String::from_utf8(bytes).unwrap()
}

const MARK: &str = r#""meta":{"versionId":"7","lastUpdated":"2023-11-14T22:13:20.123Z""#;

#[test]
fn the_servers_fields_are_set_whatever_the_client_sent() {
    let expected = format!(r#"{{"resourceType":"Patient","id":"a-1",{MARK}}},"active":true}}"#);
    for json in [
        r#"{"resourceType":"Patient","active":true}"#,
        r#"{"active":true,"resourceType":"Patient","id":"other","meta":{"versionId":"9","lastUpdated":"1999-01-01T00:00:00Z"}}"#,
        r#"{ "resourceType" : "Patient", "meta": {"_versionId":{"id":"x"},"_lastUpdated":{"id":"y"}}, "active" : true }"#,
        r#"{"resourceType":"Patient","meta":"no object","active":true}"#,
    ] {
        assert_eq!(stamp(json), expected, "{json}");
    }
}

#[test]
fn the_rest_of_meta_and_the_text_of_numbers_are_kept() {
    let json = r#"{"resourceType":"Observation","meta":{"profile":["http://p"],"tag":[{"code":"t"}],"source":"s"},"valueQuantity":{"value":1.50e0,"unit":"\u00e9"}}"#;
    let expected = format!(
        r#"{{"resourceType":"Observation","id":"a-1",{MARK},"profile":["http://p"],"tag":[{{"code":"t"}}],"source":"s"}},"valueQuantity":{{"value":1.50e0,"unit":"\u00e9"}}}}"#
    );
    assert_eq!(stamp(json), expected);
}

proptest! {
    #[test]
    fn everything_else_stays_equal_and_stamping_twice_is_stamping_once(
        members in prop::collection::btree_map("[a-z_]{1,9}", "[^\u{0}]{0,9}", 0..8),
        meta in prop::collection::btree_map("[a-zU]{1,9}", "[^\u{0}]{0,9}", 0..5),
    ) {
        let mut w = Writer::new();
        w.object(|w| {
            w.member("resourceType", "Basic");
            for (name, value) in members.iter().filter(|(name, _)| !matches!(name.as_str(), "id" | "meta")) {
                w.member(name, value);
            }
            w.key("meta");
            w.object(|w| meta.iter().for_each(|(name, value)| w.member(name, value)));
        });
        let before = String::from_utf8(w.into_bytes()).unwrap();
        let after = stamp(&before);
        let (old, new) = (Tree::parse(before).unwrap(), Tree::parse(after.clone()).unwrap());
        let rest = |value: Value<'_>, skip: &[&str]| {
            let kept = value.members().filter(|m| !skip.contains(&m.name()));
            kept.map(|m| (m.name().to_owned(), m.raw().to_owned())).collect::<Vec<_>>()
        };
        prop_assert_eq!(rest(old.root(), &["id", "meta"]), rest(new.root(), &["id", "meta"]));
        let server = ["versionId", "lastUpdated"];
        prop_assert_eq!(rest(old.root().get("meta").unwrap(), &server), rest(new.root().get("meta").unwrap(), &server));
        prop_assert_eq!(stamp(&after), after);
    }
}
