//! Tests of the reader, the writer and edits.

use super::*;

fn refusal(text: &str) -> (JsonErrorKind, u32, u32) {
    let error = Tree::parse(text.as_bytes().to_vec()).expect_err(text);
    (error.kind, error.line, error.column)
}

#[test]
fn members_and_items_come_in_their_order() {
    let tree = Tree::parse(&br#"{"a": [1, 2.50, {"b": "x\u00e9\ud83d\ude00"}], "c": true}"#[..]).unwrap();
    let names: Vec<_> = tree.root().members().map(Value::name).collect();
    assert_eq!(names, ["a", "c"]);
    let items: Vec<_> = tree.root().get("a").unwrap().items().collect();
    assert_eq!(items.len(), 3);
    assert_eq!(items[1].number_text(), Some("2.50"));
    assert_eq!(items[2].get("b").unwrap().as_str().unwrap(), "xé😀");
    assert_eq!(tree.root().get("c").unwrap().as_bool(), Some(true));
}

#[test]
fn what_a_server_must_not_guess_is_refused_with_its_place() {
    use JsonErrorKind as K;
    assert_eq!(refusal("{\"a\":1,\n \"a\":2}"), (K::DuplicateName, 2, 2));
    assert_eq!(refusal("{\"\\u0061\":1}"), (K::EscapedName, 1, 2));
    assert_eq!(refusal(r#"["\ud800"]"#), (K::LoneSurrogate, 1, 3));
    assert_eq!(refusal(r#"["\udc00"]"#), (K::LoneSurrogate, 1, 3));
    assert_eq!(refusal(r#"["\u0000"]"#), (K::NulCharacter, 1, 3));
    assert_eq!(refusal("{} x"), (K::TrailingData, 1, 4));
    assert_eq!(refusal("[1,]"), (K::UnexpectedCharacter, 1, 4));
    assert_eq!(refusal("[01]"), (K::InvalidNumber, 1, 2));
    assert_eq!(refusal("[\"a\nb\"]"), (K::ControlCharacter, 1, 4));
    assert_eq!(refusal("[\"a"), (K::UnexpectedEnd, 1, 4));
    assert_eq!(refusal("\u{feff}{}"), (K::UnexpectedCharacter, 1, 1));
    assert_eq!(Tree::parse(&b"[\"\xff\"]"[..]).unwrap_err().kind, K::InvalidUtf8);
    assert_eq!(refusal(&"[".repeat(100_000)).0, K::TooDeep);
}

#[test]
fn the_writer_escapes_and_the_reader_reads_it_back() {
    let text = "quote \" slash \\ line \n tab \t bell \u{7} é";
    let mut w = Writer::new();
    w.object(|w| {
        w.member("t", text);
        w.key("n");
        w.array(|w| {
            w.integer(-5);
            w.raw(b"1.0");
        });
    });
    let tree = Tree::parse(w.into_bytes()).unwrap();
    assert_eq!(tree.root().get("t").unwrap().as_str().unwrap(), text);
    assert_eq!(tree.root().get("n").unwrap().raw(), "[-5,1.0]");
}

#[test]
fn edits_leave_the_rest_alone() {
    let tree = Tree::parse(&br#"{"a": "old", "b": 1.0}"#[..]).unwrap();
    let mut edits = Edits::new();
    edits.replace(tree.root().get("a").unwrap().span(), *b"\"new\"");
    assert_eq!(edits.apply(tree.bytes()), br#"{"a": "new", "b": 1.0}"#);
}
