//! Objects in which no member comes twice. Row F33.

use super::object;
use proptest::prelude::*;

/// Row F33: a member that comes twice is refused at any depth, however its name is escaped.
#[test]
fn duplicates_are_refused() {
    for text in [
        r#"{"a":1,"a":1}"#,
        r#"{"a":1,"\u0061":2}"#,
        r#"{"x":{"a":1,"a":2}}"#,
        r#"{"x":[{"a":1,"a":2}]}"#,
        r#"{"a":1}{"b":2}"#,
        r#"{"a":1} x"#,
        r#"{"a":1,}"#,
        r#"["a"]"#,
        r#""a""#,
        "null",
        "",
        "\u{feff}{}",
    ] {
        assert!(object(text.as_bytes()).is_err(), "{text}");
    }
    assert!(object(b"{\"a\":\"\xff\"}").is_err());
    assert!(object("[".repeat(100_000).as_bytes()).is_err());
    let good = object(br#" {"a":1,"b":[true,null,-2.5,"x"],"c":{"a":1}} "#).unwrap();
    assert_eq!(serde_json::Value::Object(good).to_string(), r#"{"a":1,"b":[true,null,-2.5,"x"],"c":{"a":1}}"#);
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
        let _ = object(&bytes);
    }
}
