//! Formats of the primitives: what fits, what does not (row F59).

use super::*;
use proptest::prelude::*;

#[test]
fn formats_are_those_of_r4() {
    let long = "x".repeat(1024 * 1024 + 1);
    let cases: [(&str, &[&str], &[&str]); 20] = [
        ("boolean", &["true", "false"], &["True", "1", "", "false "]),
        (
            "integer",
            &["0", "-0", "-2147483648", "2147483647", "12"],
            &["2147483648", "01", "+1", "1.0", "1e2", "", "-", "1 "],
        ),
        ("unsignedInt", &["0", "2147483647"], &["-0", "-1", "00", "2147483648", ""]),
        ("positiveInt", &["1", "2147483647"], &["0", "-1", "01", ""]),
        (
            "decimal",
            &["0", "-1.50", "1e-3", "1e308", "1e-400000000", "123456789012345678901234567890123456789012345"],
            &["01", ".5", "5.", "NaN", "1e", "", "inf", "1e309", "-1e999999999", "1e-", "1e2147483648"],
        ),
        ("string", &["a", " a\tb\r\nc ", "é"], &["", "a\u{0}", "a\u{1}b", "\u{1b}[0m", &long]),
        ("markdown", &["# a"], &["", "\u{7}"]),
        ("code", &["a", "a b", "<="], &["", " a", "a ", "a  b", "a\u{0}", "\u{a0}a"]),
        (
            "id",
            &["a", "A-1.b", "0123456789012345678901234567890123456789012345678901234567890123"],
            &["", "a_b", "a/b", "é", " a", "01234567890123456789012345678901234567890123456789012345678901234"],
        ),
        ("uri", &["urn:x", "http://a/b?c", "é"], &["", "a b", "a\n", "a\u{0}"]),
        ("url", &["http://a"], &["", "http://a b"]),
        ("canonical", &["http://a|1", "#x"], &["", "a b"]),
        (
            "oid",
            &["urn:oid:1.2.3", "urn:oid:2.16.840.1.113883"],
            &["urn:oid:3.1", "urn:oid:1", "urn:oid:1.02", "urn:oid:1.", "1.2.3", "urn:oid:1..2", ""],
        ),
        (
            "uuid",
            &["urn:uuid:c757873d-ec9a-4326-a141-556f43239520"],
            &[
                "c757873d-ec9a-4326-a141-556f43239520",
                "urn:uuid:C757873D-ec9a-4326-a141-556f43239520",
                "urn:uuid:c757873dec9a4326a141556f43239520",
                "",
            ],
        ),
        (
            "base64Binary",
            &["AAAA", "AA==", "AA A=", "AA\nAA", "A/+="],
            &["", "A", "AAA", "A===", "AA=A", "AAAA=", "A-_=", "===="],
        ),
        ("date", &["2024", "2024-02", "2024-02-29"], &["2023-02-29", "2024-02-29T00:00:00Z", "", "2024-2"]),
        (
            "dateTime",
            &["2024", "2024-02-29T01:02:03Z", "2024-02-29T01:02:03.4-05:00"],
            &["2024-02-29T01:02Z", "2024-02-29T01:02:03", ""],
        ),
        (
            "instant",
            &["2024-02-29T01:02:03Z", "2024-02-29T01:02:03.456+14:00"],
            &["2024-02-29", "2024-02-29T01:02:03", ""],
        ),
        (
            "time",
            &["00:00:00", "23:59:59.999", "23:59:60"],
            &["24:00:00", "12:00", "12:00:60", "12:00:00Z", "12:00:00.", ""],
        ),
        (
            "xhtml",
            &[
                "<div>a</div>",
                "<div xmlns=\"http://www.w3.org/1999/xhtml\"><p id='x'>a &lt; b<br/></p><!-- <x> --></div>",
                " <div/> ",
            ],
            &[
                "",
                "a",
                "<p>a</p>",
                "<div>",
                "<div><p></div></p>",
                "<div>a</div>b",
                "<div a=b></div>",
                "<div a=\"x></div>",
                "<!DOCTYPE x><div/>",
                "<div><![CDATA[x]]></div>",
                "<div><?x?></div>",
                "x<div/>",
                "<div/><div/>",
            ],
        ),
    ];
    for (type_name, good, bad) in cases {
        for text in good {
            assert_eq!(check(type_name, text), Ok(()), "{type_name} {text:?}");
        }
        for text in bad {
            assert!(check(type_name, text).is_err(), "{type_name} {:?}", &text[..text.len().min(80)]);
        }
    }
}

#[test]
fn every_primitive_of_the_schema_has_its_format_and_nothing_else_does() {
    for one in &crate::schema::r4().types {
        let known = check(one.name, "") != Err("not a primitive type of R4");
        assert_eq!(known, one.kind == crate::schema::TypeKind::Primitive, "{}", one.name);
    }
}

proptest! {
    #[test]
    fn any_text_is_checked_without_panic(text in "\\PC*", name in "[a-zA-Z0-9]{0,12}") {
        for type_name in ["xhtml", "base64Binary", "uuid", "oid", "code", "instant", "time", "integer", &name] {
            let _ = check(type_name, &text);
        }
    }

    #[test]
    fn nearly_xhtml_is_checked_without_panic(text in "<div( a=\"[a-z<>]{0,3}\")?>([a-z]|</?[a-z]{1,3}/?>|<!--|-->){0,8}(</div>)?") {
        let _ = check("xhtml", &text);
    }

    #[test]
    fn a_logical_id_and_the_format_id_agree(text in "[-A-Za-z0-9._]{0,66}") {
        prop_assert_eq!(check("id", &text).is_ok(), crate::LogicalId::parse(&text).is_ok());
    }
}
