//! Resources written by hand, both ways; what is refused, with its place (row F55).

use super::*;
use crate::json::Tree;
use crate::schema::r4;

fn json(xml: &str) -> String {
    let tree = read(xml.as_bytes().to_vec(), r4()).unwrap_or_else(|error| panic!("{error}\n{xml}"));
    String::from_utf8(tree.bytes().to_vec()).unwrap()
}

fn xml(json: &str) -> String {
    let tree = Tree::parse(json.as_bytes().to_vec()).unwrap();
    let written = write(&tree, r4()).unwrap_or_else(|error| panic!("{error}\n{json}"));
    let body = String::from_utf8(written).unwrap();
    body.strip_prefix("<?xml version=\"1.0\" encoding=\"UTF-8\"?>").unwrap().to_owned()
}

/// The XML and the JSON of one resource, equal both ways.
#[track_caller]
fn both(as_xml: &str, as_json: &str) {
    assert_eq!(json(as_xml), as_json);
    assert_eq!(xml(as_json), as_xml);
}

/// The faults of a body.
#[track_caller]
fn faults(xml: &str) -> Vec<XmlFault> {
    read(xml.as_bytes().to_vec(), r4()).expect_err(xml).faults
}

/// The one fault of a body, as it is told.
#[track_caller]
fn fault(xml: &str) -> String {
    let faults = faults(xml);
    assert_eq!(faults.len(), 1, "{faults:?}");
    faults[0].to_string()
}

fn patient(inner: &str) -> String {
    format!("<Patient xmlns=\"http://hl7.org/fhir\">{inner}</Patient>")
}

#[test]
fn primitives_with_ids_and_extensions() {
    both(
        &patient(concat!(
            "<id value=\"a\"/><active value=\"true\"/>",
            "<name id=\"n\"><family id=\"f\"><extension url=\"http://e\"><valueCode value=\"x\"/></extension></family>",
            "<given value=\"A\"/><given id=\"g\" value=\"B\"/><given><extension url=\"http://e\"><valueDecimal value=\"1.00\"/>",
            "</extension></given></name><birthDate value=\"1970-03-30\"/>",
        )),
        concat!(
            r#"{"resourceType":"Patient","id":"a","active":true,"name":[{"id":"n","#,
            r#""_family":{"id":"f","extension":[{"url":"http://e","valueCode":"x"}]},"#,
            r#""given":["A","B",null],"_given":[null,{"id":"g"},{"extension":[{"url":"http://e","valueDecimal":1.00}]}]}],"#,
            r#""birthDate":"1970-03-30"}"#,
        ),
    );
}

#[test]
fn choices_contained_and_nested_extensions() {
    both(
        concat!(
            "<Observation xmlns=\"http://hl7.org/fhir\"><contained><Patient><id value=\"p\"/></Patient></contained>",
            "<contained><Device/></contained>",
            "<extension url=\"http://o\"><extension url=\"i\"><valueBoolean value=\"false\"/></extension></extension>",
            "<status value=\"final\"/><valueQuantity><value value=\"-1.50E+3\"/></valueQuantity></Observation>",
        ),
        concat!(
            r##"{"resourceType":"Observation","contained":[{"resourceType":"Patient","id":"p"},{"resourceType":"Device"}],"##,
            r#""extension":[{"extension":[{"url":"i","valueBoolean":false}],"url":"http://o"}],"#,
            r#""status":"final","valueQuantity":{"value":-1.50E+3}}"#,
        ),
    );
}

#[test]
fn values_keep_each_character() {
    both(
        &patient("<name><text value=\" a&#9;b&#10;c&#13;&lt;&amp;&gt;&quot;'\u{e9}\u{1F600} \"/></name>"),
        "{\"resourceType\":\"Patient\",\"name\":[{\"text\":\" a\\tb\\nc\\r<&>\\\"'\u{e9}\u{1F600} \"}]}",
    );
    // A line end that is written as such is a blank to XML.
    assert_eq!(
        json(&patient("<name><text value='a\r\nb\tc\n&#xe9;&#x1F600;&apos;'/></name>")),
        "{\"resourceType\":\"Patient\",\"name\":[{\"text\":\"a b c \u{e9}\u{1F600}'\"}]}",
    );
}

#[test]
fn a_narrative_keeps_each_byte() {
    let div =
        "<div  xmlns=\"http://www.w3.org/1999/xhtml\" ><!-- c --><p class='a'\n>x &lt; &#160;\"\\</p>\r\n<br/></div>";
    both(
        &patient(&format!("<text><status value=\"generated\"/>{div}</text>")),
        &format!(
            "{{\"resourceType\":\"Patient\",\"text\":{{\"status\":\"generated\",\"div\":\"{}\"}}}}",
            div.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n").replace('\r', "\\r")
        ),
    );
}

#[test]
fn a_narrative_gets_the_namespace_that_came_from_outside() {
    let expected = r#"<div xmlns=\"http://www.w3.org/1999/xhtml\" class=\"c\"><p>x</p><br/></div>"#;
    let one = "<f:Patient xmlns:f=\"http://hl7.org/fhir\" xmlns=\"http://www.w3.org/1999/xhtml\"><f:text>\
               <div class=\"c\"><p>x</p><br/></div></f:text></f:Patient>";
    let two = "<Patient xmlns=\"http://hl7.org/fhir\" xmlns:h=\"http://www.w3.org/1999/xhtml\"><text>\
               <h:div class=\"c\"><h:p>x</h:p><h:br/></h:div></text></Patient>";
    for body in [one, two] {
        assert_eq!(json(body), format!("{{\"resourceType\":\"Patient\",\"text\":{{\"div\":\"{expected}\"}}}}"));
    }
    let three = patient("<text><h:div xmlns:h=\"http://www.w3.org/1999/xhtml\"><h:p>x</h:p></h:div></text>");
    assert!(
        json(&three).contains(r#""<div xmlns=\"http://www.w3.org/1999/xhtml\" ><p>x</p></div>""#),
        "{}",
        json(&three)
    );
}

#[test]
fn white_space_comments_instructions_and_schema_locations_are_dropped() {
    let body = "\u{FEFF}<?xml version='1.0' encoding='utf-8' standalone=\"yes\" ?>\r\n<!-- a - b --><?style x?>\n\
                <Patient xmlns=\"http://hl7.org/fhir\" xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"\n\
                  xsi:schemaLocation=\"http://hl7.org/fhir ../fhir-all.xsd\">\n  <!-- c -->\t<active value = 'true' ></active >\n\
                <?p?></Patient>\n<!-- end -->\n";
    assert_eq!(json(body), r#"{"resourceType":"Patient","active":true}"#);
}

#[test]
fn values_that_json_writes_otherwise_become_strings_for_validation_to_judge() {
    assert_eq!(json(&patient("<active value=\"yes\"/>")), r#"{"resourceType":"Patient","active":"yes"}"#);
    let body = patient("<multipleBirthInteger value=\"+1\"/>");
    assert_eq!(json(&body), r#"{"resourceType":"Patient","multipleBirthInteger":"+1"}"#);
}

#[test]
fn places_are_those_of_the_xml() {
    let body = "<?xml version=\"1.0\"?>\n<Bundle xmlns=\"http://hl7.org/fhir\">\n <type value=\"collection\"/>\n <entry>\n  \
                <resource>\n   <Patient>\n    <name>\n     <given value=\"\u{e9}\"/> <given value=\"B\"/>\n    </name></Patient></resource></entry></Bundle>";
    let tree = read(body.as_bytes().to_vec(), r4()).unwrap();
    let entry = tree.root().get("entry").unwrap().items().next().unwrap();
    let resource = entry.get("resource").unwrap();
    let given: Vec<_> = resource.get("name").unwrap().items().next().unwrap().get("given").unwrap().items().collect();
    assert_eq!(tree.root().position(), (2, 1));
    assert_eq!(entry.position(), (4, 2));
    assert_eq!(given[1].position(), (8, 25));
    // A resource taken out of it still knows where it stood.
    let patient = resource.to_tree();
    let name = patient.root().get("name").unwrap().items().next().unwrap();
    assert_eq!(name.position(), (7, 5));
    assert_eq!(patient.positions(&[name.span().start, 0]), [(7, 5), (6, 4)]);
}

#[test]
fn what_is_no_form_of_fhir_is_told_all_at_once() {
    let body = patient(
        "\n<birthDate value=\"1970\"/>\n<active value=\"true\"/>\n<nmae/>\n<contact relation=\"x\"><gender/><gender value=\"male\"/>\
         </contact>\n<contact><name/></contact><id value=\"a\"/>\n<communication id=\"\"><language url=\"u\"/></communication>",
    );
    let told: Vec<String> = faults(&body).iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "line 3, column 1: Patient.active: out of order: this element stands before birthDate",
            "line 4, column 1: Patient: Patient has no element 'nmae'",
            "line 5, column 10: Patient.contact[0]: the attribute 'relation' may not stand here",
            "line 5, column 32: Patient.contact[0].gender: this element does not repeat: found a second one",
            "line 6, column 10: Patient.contact[1].name: an element is not empty",
            "line 6, column 27: Patient.id: out of order: this element stands before contact",
            "line 7, column 16: Patient.communication[0]: an attribute is not empty",
            "line 7, column 32: Patient.communication[0].language: the attribute 'url' may not stand here",
        ]
    );
    assert_eq!(
        fault(&patient("<name><given value=\"a\"/><given/></name>")),
        "line 1, column 62: Patient.name[0].given: the value is missing: expected the attribute value, or an extension"
    );
    assert!(fault("<Patiens xmlns=\"http://hl7.org/fhir\"/>").ends_with("not a resource type of FHIR R4"));
    assert!(fault("<Resource xmlns=\"http://hl7.org/fhir\"/>").ends_with("not a resource type of FHIR R4"));
    assert!(fault(&patient("<contained><Patient/><Device/></contained>")).ends_with("expected one resource inside"));
    assert!(fault(&patient("<contained/>")).ends_with("expected one resource inside"));
    assert!(
        fault(&patient("<id id=\"x\" value=\"a\"/>").replace("<id id", "<name id")).contains("'value' may not stand")
    );
}
