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

/// F56: the memory of a tree is bounded by the number of its values, whatever the body's length.
#[test]
fn too_many_values_are_refused() {
    assert_eq!(refusal(&format!("[{}0]", "0,".repeat(crate::limits::NODES_MAX))).0, JsonErrorKind::TooManyValues);
}

#[test]
fn a_second_equal_name_is_found_in_wide_objects_too() {
    for width in [2, 31, 32, 33, 34, 100, 256] {
        let names: Vec<String> = (0..width).map(|at| format!("\"n{at}\":{{\"n0\":[]}}")).collect();
        assert!(Tree::parse(format!("{{{}}}", names.join(","))).is_ok(), "{width}");
        for twin in [0, (width - 1) / 2, width - 2] {
            let mut names = names.clone();
            names[width - 1] = names[twin].clone();
            let second = names[..width - 1].iter().map(|name| name.len() + 1).sum::<usize>() + 2;
            let at = u32::try_from(second).unwrap();
            assert_eq!(
                refusal(&format!("{{{}}}", names.join(","))),
                (JsonErrorKind::DuplicateName, 1, at),
                "{width} {twin}"
            );
        }
    }
    let many: Vec<String> = (0..257).map(|at| format!("\"n{at}\":0")).collect();
    assert_eq!(refusal(&format!("{{{}}}", many.join(","))).0, JsonErrorKind::TooManyMembers);
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

mod properties {
    //! Printing and reading, on made and on arbitrary text.

    use super::*;
    use proptest::prelude::*;

    /// A JSON value of our own, so that the reader is not its own judge.
    #[derive(Debug, Clone, PartialEq)]
    enum Json {
        Word(&'static str),
        Number(String),
        Text(String),
        List(Vec<Json>),
        Object(Vec<(String, Json)>),
    }

    fn json() -> impl Strategy<Value = Json> {
        let scalar = prop_oneof![
            prop_oneof![Just("null"), Just("true"), Just("false")].prop_map(Json::Word),
            "-?(0|[1-9][0-9]{0,20})(\\.[0-9]{1,8})?([eE][-+]?[0-9]{1,2})?".prop_map(Json::Number),
            "[^\u{0}]{0,12}".prop_map(Json::Text),
        ];
        scalar.prop_recursive(5, 64, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Json::List),
                prop::collection::btree_map("[_a-zA-Zé]{0,8}", inner, 0..6)
                    .prop_map(|members| Json::Object(members.into_iter().collect())),
            ]
        })
    }

    fn write(value: &Json, w: &mut Writer) {
        match value {
            Json::Word(text) => w.raw(text.as_bytes()),
            Json::Number(text) => w.raw(text.as_bytes()),
            Json::Text(text) => w.string(text),
            Json::List(list) => w.array(|w| list.iter().for_each(|item| write(item, w))),
            Json::Object(members) => w.object(|w| {
                for (name, value) in members {
                    w.key(name);
                    write(value, w);
                }
            }),
        }
    }

    fn read(value: Value<'_>) -> Json {
        match value.kind() {
            Kind::Null => Json::Word("null"),
            Kind::Bool => Json::Word(if value.as_bool() == Some(true) { "true" } else { "false" }),
            Kind::Number => Json::Number(value.number_text().unwrap().to_owned()),
            Kind::String => Json::Text(value.as_str().unwrap().into_owned()),
            Kind::Array => Json::List(value.items().map(read).collect()),
            Kind::Object => Json::Object(value.members().map(|m| (m.name().to_owned(), read(m))).collect()),
        }
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back_as_itself(value in json()) {
            let mut w = Writer::new();
            write(&value, &mut w);
            let bytes = w.into_bytes();
            let tree = Tree::parse(bytes.clone()).unwrap();
            prop_assert_eq!(read(tree.root()), value);
            let mut again = Writer::new();
            again.value(tree.root());
            prop_assert_eq!(again.into_bytes(), bytes);
        }

        #[test]
        fn white_space_does_not_matter(value in json(), space in "[ \t\r\n]{1,3}") {
            let mut w = Writer::new();
            write(&value, &mut w);
            let compact = w.into_bytes();
            let mut spaced = space.clone().into_bytes();
            let tree = Tree::parse(compact.clone()).unwrap();
            let mut marks: Vec<usize> = vec![compact.len()];
            let mut open = vec![tree.root()];
            while let Some(at) = open.pop() {
                marks.extend([at.span().start, at.span().end]);
                open.extend(at.members());
                open.extend(at.items());
            }
            for (at, byte) in compact.iter().enumerate() {
                if marks.contains(&at) {
                    spaced.extend_from_slice(space.as_bytes());
                }
                spaced.push(*byte);
            }
            prop_assert_eq!(read(Tree::parse(spaced).unwrap().root()), value);
        }

        #[test]
        fn arbitrary_bytes_are_read_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = Tree::parse(bytes);
        }

        #[test]
        fn nearly_json_is_read_without_panic(text in r#"[\[\]{}:,"\\u0-9a-eE+. \n-]{0,60}"#) {
            if let Ok(tree) = Tree::parse(text) {
                let mut w = Writer::new();
                w.value(tree.root());
                let again = Tree::parse(w.into_bytes()).unwrap();
                prop_assert_eq!(read(again.root()), read(tree.root()));
            }
        }

        #[test]
        fn a_broken_body_is_refused_at_a_place_inside_it(value in json(), cut in 0usize..200) {
            let mut w = Writer::new();
            w.array(|w| write(&value, w));
            let mut bytes = w.into_bytes();
            bytes.truncate(cut.min(bytes.len() - 1));
            let error = Tree::parse(bytes.clone()).unwrap_err();
            prop_assert!(error.line >= 1 && error.column >= 1 && error.column as usize <= bytes.len() + 1);
        }
    }
}

#[test]
fn a_value_becomes_a_tree_of_its_own() {
    let body = r#"{"entry":[{"resource":{"a":[1,{"b":"x"}],"c":true}},{"resource":{}}],"z":0}"#;
    let tree = Tree::parse(body.as_bytes().to_vec()).expect("JSON");
    let resource = tree.root().get("entry").and_then(|list| list.items().next()?.get("resource")).expect("there");
    let own = resource.to_tree();
    let again = Tree::parse(own.bytes().clone()).expect("JSON");
    assert_eq!(own.bytes().as_ref(), resource.raw().as_bytes());
    assert_eq!(format!("{:?}", own.nodes), format!("{:?}", again.nodes));
}
