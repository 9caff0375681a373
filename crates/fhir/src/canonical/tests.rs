//! Row F30: every form, both notations, the examples of RFC 8785.

use super::{Form, Notation, NumberTooLarge, canonical, ecmascript};
use crate::json::Tree;
use proptest::prelude::*;

fn of(json: &str, form: Form, notation: Notation) -> String {
    let tree = Tree::parse(json.as_bytes().to_vec()).unwrap();
    String::from_utf8(canonical(tree.root(), form, notation, &[]).unwrap()).unwrap()
}

const PATIENT: &str = r##"{ "resourceType": "Patient", "id": "p", "text": {"status": "generated", "div": "<div>x</div>"},
    "meta": {"versionId": "2", "tag": [{"code": "b", "system": "a"}]},
    "multipleBirthInteger": 2, "active": true, "_birthDate": {"id": "x"},
    "contained": [{"resourceType": "Basic", "id": "c", "meta": {"source": "#"}, "code": {"text": "t"}}] }"##;

#[test]
fn forms_of_r4() {
    let contained = r##""contained":[{"code":{"text":"t"},"id":"c","meta":{"source":"#"},"resourceType":"Basic"}]"##;
    let meta = r#""meta":{"tag":[{"code":"b","system":"a"}],"versionId":"2"}"#;
    let text = r#""text":{"div":"<div>x</div>","status":"generated"}"#;
    let start = r#"{"_birthDate":{"id":"x"},"active":true,"#;
    let of = |form| of(PATIENT, form, Notation::AsWritten);
    assert_eq!(
        of(Form::Whole),
        format!(r#"{start}{contained},"id":"p",{meta},"multipleBirthInteger":2,"resourceType":"Patient",{text}}}"#)
    );
    assert_eq!(
        of(Form::Data),
        format!(r#"{start}{contained},"id":"p",{meta},"multipleBirthInteger":2,"resourceType":"Patient"}}"#)
    );
    assert_eq!(
        of(Form::Static),
        format!(r#"{start}{contained},"id":"p","multipleBirthInteger":2,"resourceType":"Patient"}}"#)
    );
    assert_eq!(of(Form::Narrative), format!(r#"{{"id":"p","resourceType":"Patient",{text}}}"#));
}

/// The document's own id and meta may change from server to server; its entries may not.
#[test]
fn a_document_covers_its_entries_whole() {
    let json = r#"{"resourceType":"Bundle","id":"b","meta":{"versionId":"1"},"type":"document","entry":[
        {"fullUrl":"urn:uuid:1","resource":{"resourceType":"Composition","id":"c","meta":{"versionId":"7"}}}]}"#;
    assert_eq!(
        of(json, Form::Document, Notation::AsWritten),
        r#"{"entry":[{"fullUrl":"urn:uuid:1","resource":{"id":"c","meta":{"versionId":"7"},"resourceType":"Composition"}}],"resourceType":"Bundle","type":"document"}"#
    );
}

#[test]
fn urls_name_forms() {
    for form in Form::ALL {
        assert_eq!(Form::parse(form.url()), Some(form));
    }
    assert_eq!(Form::parse("http://hl7.org/fhir/canonicalization/json#Static"), None);
    assert_eq!(Form::parse("http://hl7.org/fhir/canonicalization/xml"), None);
}

/// What a signature covers is the same without it; what held nothing else goes as well.
#[test]
fn values_are_left_out() {
    let json = r#"{"resourceType":"QuestionnaireResponse","extension":[{"url":"a"}],"status":"completed",
        "item":[{"linkId":"1","extension":[{"url":"b"},{"url":"c"}]}],"signature":{"data":"x"}}"#;
    let tree = Tree::parse(json.as_bytes().to_vec()).unwrap();
    let root = tree.root();
    let first = root.get("extension").unwrap().items().next().unwrap();
    let nested = root.get("item").unwrap().items().next().unwrap().get("extension").unwrap().items().next().unwrap();
    let except = [first, nested, root.get("signature").unwrap()];
    let bytes = canonical(root, Form::Whole, Notation::AsWritten, &except).unwrap();
    assert_eq!(
        String::from_utf8(bytes).unwrap(),
        r#"{"item":[{"extension":[{"url":"c"}],"linkId":"1"}],"resourceType":"QuestionnaireResponse","status":"completed"}"#
    );
}

/// R4: the precision of a decimal means something. RFC 8785: it is a double.
#[test]
fn the_notations_differ_in_numbers_alone() {
    let json = r#"{"b":[1.50,1e2,-0,0.000001,333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001],"a":"\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/"}"#;
    assert_eq!(
        of(json, Form::Whole, Notation::Rfc8785),
        "{\"a\":\"\u{20ac}$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\",\"b\":[1.5,100,0,0.000001,333333333.3333333,1e+30,4.5,0.002,1e-27]}"
    );
    assert_eq!(
        of(json, Form::Whole, Notation::AsWritten),
        "{\"a\":\"\u{20ac}$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\",\"b\":[1.50,1e2,-0,0.000001,333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001]}"
    );
    let tree = Tree::parse(&b"{\"a\":1e999}"[..]).unwrap();
    assert_eq!(canonical(tree.root(), Form::Whole, Notation::Rfc8785, &[]), Err(NumberTooLarge));
    assert!(canonical(tree.root(), Form::Whole, Notation::AsWritten, &[]).is_ok());
}

/// RFC 8785 appendix B, by the bits of the double.
#[test]
fn numbers_of_the_rfc() {
    for (bits, text) in [
        (0x0000_0000_0000_0000_u64, "0"),
        (0x8000_0000_0000_0000, "0"),
        (0x0000_0000_0000_0001, "5e-324"),
        (0x8000_0000_0000_0001, "-5e-324"),
        (0x7fef_ffff_ffff_ffff, "1.7976931348623157e+308"),
        (0x4340_0000_0000_0000, "9007199254740992"),
        (0xc340_0000_0000_0000, "-9007199254740992"),
        (0x4430_0000_0000_0000, "295147905179352830000"),
        (0x44b5_2d02_c7e1_4af5, "9.999999999999997e+22"),
        (0x44b5_2d02_c7e1_4af6, "1e+23"),
        (0x444b_1ae4_d6e2_ef4e, "999999999999999700000"),
        (0x444b_1ae4_d6e2_ef4f, "999999999999999900000"),
        (0x444b_1ae4_d6e2_ef50, "1e+21"),
        (0x3eb0_c6f7_a0b5_ed8c, "9.999999999999997e-7"),
        (0x3eb0_c6f7_a0b5_ed8d, "0.000001"),
        (0x41b3_de43_5555_5553, "333333333.3333332"),
        (0x41b3_de43_5555_5556, "333333333.3333334"),
        (0xbecb_f647_612f_3696, "-0.0000033333333333333333"),
        (0x4314_3ff3_c1cb_0959, "1424953923781206.2"),
    ] {
        assert_eq!(ecmascript(f64::from_bits(bits)), text);
    }
}

proptest! {
    /// What is canonical stays as it is, and white space and order mean nothing.
    #[test]
    fn it_is_a_normal_form(numbers in prop::collection::vec(any::<f64>().prop_filter("finite", |n| n.is_finite()), 0..4), text in "[a-z\\\\\"\u{1}-\u{20}\u{e9}\u{1f600}]{0,12}") {
        let text: String = text.chars().filter(|c| *c != '\0').collect();
        let quoted = { let mut out = Vec::new(); super::string(&mut out, &text); String::from_utf8(out).unwrap() };
        let list: Vec<String> = numbers.iter().map(|n| format!("{n:e}")).collect();
        let one = format!("{{ \"b\" : {quoted},\n\"a\":[{}] }}", list.join(" , "));
        let other = format!("{{\"a\":[{}],\"b\":{quoted}}}", list.join(","));
        for notation in [Notation::AsWritten, Notation::Rfc8785] {
            let first = of(&one, Form::Whole, notation);
            prop_assert_eq!(&first, &of(&other, Form::Whole, notation));
            prop_assert_eq!(&first, &of(&first, Form::Whole, notation));
        }
    }
}
