//! Resources written by hand, both ways; what is refused, with its place (row F55).

mod arbitrary;

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

/// F55: what the XML itself may not hold, each with its place.
#[test]
fn hostile_xml_is_refused_by_name() {
    let bomb = "<!DOCTYPE lolz [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;\">]><Patient xmlns=\"http://hl7.org/fhir\"/>";
    let external =
        "<?xml version=\"1.0\"?>\n<!DOCTYPE p SYSTEM \"file:///etc/passwd\"><Patient xmlns=\"http://hl7.org/fhir\"/>";
    let include = "<xi:include xmlns:xi=\"http://www.w3.org/2001/XInclude\" href=\"file:///etc/passwd\"/>";
    let inner = |kind: XmlFaultKind, inside: &str| (patient(inside), kind, (1, 38));
    let cases = [
        (bomb.to_owned(), XmlFaultKind::DocumentType, (1, 1)),
        (external.to_owned(), XmlFaultKind::DocumentType, (2, 1)),
        inner(XmlFaultKind::DocumentType, "<!DOCTYPE p>"),
        inner(XmlFaultKind::DocumentType, "<!ENTITY a \"b\">"),
        inner(XmlFaultKind::WrongNamespace, include),
        inner(XmlFaultKind::WrongNamespace, "<active xmlns=\"\" value=\"true\"/>"),
        inner(XmlFaultKind::WrongNamespace, "<active xmlns=\"http://hl7.org/fhir/\" value=\"true\"/>"),
        inner(XmlFaultKind::Entity, "&xxe;"),
        inner(XmlFaultKind::UnexpectedText, "&#65;"),
        inner(XmlFaultKind::UnexpectedText, "text"),
        inner(XmlFaultKind::UnexpectedText, "<![CDATA[text]]>"),
        (patient("<id value=\"&xxe;\"/>"), XmlFaultKind::Entity, (1, 49)),
        (patient("<id value=\"&nbsp;\"/>"), XmlFaultKind::Entity, (1, 49)),
        (patient("<id value=\"&#0;\"/>"), XmlFaultKind::InvalidReference, (1, 49)),
        (patient("<id value=\"&#xD800;\"/>"), XmlFaultKind::InvalidReference, (1, 49)),
        (patient("<id value=\"&#xFFFF;\"/>"), XmlFaultKind::InvalidReference, (1, 49)),
        (patient("<id value=\"&#x110000;\"/>"), XmlFaultKind::InvalidReference, (1, 49)),
        (patient("<id value=\"&#+65;\"/>"), XmlFaultKind::InvalidReference, (1, 49)),
        (patient("<id value=\"&#;\"/>"), XmlFaultKind::InvalidReference, (1, 49)),
        (patient("<id value=\"&\"/>"), XmlFaultKind::InvalidReference, (1, 49)),
        (patient("<id value=\"a\u{1}\"/>"), XmlFaultKind::InvalidCharacter, (1, 50)),
        (patient("<id value=\"\u{FFFE}\"/>"), XmlFaultKind::InvalidCharacter, (1, 49)),
        (patient("<id value=\"<\"/>"), XmlFaultKind::UnexpectedCharacter, (1, 49)),
        (patient("<id value=a/>"), XmlFaultKind::UnexpectedCharacter, (1, 48)),
        (patient("<id value=\"a\"id=\"b\"/>"), XmlFaultKind::UnexpectedCharacter, (1, 51)),
        (patient("<id value=\"a\" value=\"b\"/>"), XmlFaultKind::DuplicateAttribute, (1, 52)),
        (patient("<id value=\"a\"></ID>"), XmlFaultKind::WrongEndTag, (1, 54)),
        (patient("<\u{e9} value=\"a\"/>"), XmlFaultKind::UnexpectedCharacter, (1, 39)),
        (patient("<i\u{e9} value=\"a\"/>"), XmlFaultKind::InvalidName, (1, 39)),
        (patient("<a:b:c/>"), XmlFaultKind::InvalidName, (1, 41)),
        (patient("<a:id value=\"a\"/>"), XmlFaultKind::UnboundPrefix, (1, 39)),
        (patient("<id a:value=\"a\"/>"), XmlFaultKind::UnboundPrefix, (1, 42)),
        (patient("<!-- a -- b -->"), XmlFaultKind::InvalidComment, (1, 45)),
        (patient("<?xml version=\"1.0\"?>"), XmlFaultKind::InvalidInstruction, (1, 40)),
        ("<Patient xmlns=\"http://hl7.org/fhir\">".to_owned(), XmlFaultKind::UnexpectedEnd, (1, 38)),
        ("<Patient/>".to_owned(), XmlFaultKind::WrongNamespace, (1, 1)),
        ("<div xmlns=\"http://www.w3.org/1999/xhtml\"/>".to_owned(), XmlFaultKind::WrongNamespace, (1, 1)),
        (String::new(), XmlFaultKind::UnexpectedEnd, (1, 1)),
        ("{}".to_owned(), XmlFaultKind::UnexpectedCharacter, (1, 1)),
        (format!("{}x", patient("")), XmlFaultKind::TrailingData, (1, 48)),
        (format!("{0}{0}", patient("")), XmlFaultKind::TrailingData, (1, 48)),
        // UTF-7, by its own declaration, and by its look.
        (format!("<?xml version=\"1.0\" encoding=\"UTF-7\"?>{}", patient("")), XmlFaultKind::Encoding, (1, 21)),
        ("+ADw-Patient".to_owned(), XmlFaultKind::UnexpectedCharacter, (1, 1)),
        (format!("<?xml version=\"1.1\"?>{}", patient("")), XmlFaultKind::XmlVersion, (1, 7)),
        (format!("<?xml encoding=\"UTF-8\"?>{}", patient("")), XmlFaultKind::XmlVersion, (1, 7)),
        (format!(" <?xml version=\"1.0\"?>{}", patient("")), XmlFaultKind::InvalidInstruction, (1, 4)),
    ];
    for (body, kind, place) in cases {
        let faults = faults(&body);
        assert_eq!((&faults[0].kind, (faults[0].line, faults[0].column)), (&kind, place), "{body}");
        assert_eq!(faults.len(), 1, "{body}");
    }
}

/// F55: namespaces that read as FHIR's and are not, and the other way.
#[test]
fn tricks_with_namespaces_are_refused() {
    let declared = |text: &str| format!("<Patient xmlns=\"http://hl7.org/fhir\" {text}/>");
    for text in [
        "xmlns:xml=\"http://evil\"",
        "xmlns:xmlns=\"http://evil\"",
        "xmlns:a=\"\"",
        "xmlns:a=\"http://www.w3.org/2000/xmlns/\"",
        "xmlns:a=\"http://www.w3.org/XML/1998/namespace\"",
        "xmlns:a=\"http://hl7.org/fhi&#114;\"",
    ] {
        assert_eq!(faults(&declared(text))[0].kind, XmlFaultKind::Namespace, "{text}");
    }
    // A prefix of FHIR's namespace gives no attribute of FHIR: those have no prefix.
    let body = patient("<active xmlns:f=\"http://hl7.org/fhir\" f:value=\"true\"/>");
    assert!(faults(&body).iter().any(|fault| fault.kind == XmlFaultKind::UnknownAttribute("f:value".to_owned())));
    // Redeclared inside: the inner one counts, and ends with its element.
    assert_eq!(
        json(
            "<a:Patient xmlns:a=\"http://hl7.org/fhir\"><b:active xmlns:b=\"http://hl7.org/fhir\" value=\"true\"/>\
              <birthDate xmlns=\"http://hl7.org/fhir\" value=\"1970\"/></a:Patient>"
        ),
        r#"{"resourceType":"Patient","active":true,"birthDate":"1970"}"#
    );
    assert_eq!(
        faults(&patient("<active xmlns:b=\"http://hl7.org/fhir\" value=\"true\"/><b:birthDate value=\"1\"/>"))[0].kind,
        XmlFaultKind::UnboundPrefix
    );
    // Schema locations stand on the root alone, and name nothing but schemas.
    let xsi = "xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"";
    assert_eq!(
        faults(&declared(&format!("{xsi} xsi:type=\"x\"")))[0].kind,
        XmlFaultKind::UnknownAttribute("xsi:type".to_owned())
    );
    let inner = patient(&format!("<active {xsi} xsi:schemaLocation=\"a b\" value=\"true\"/>"));
    assert_eq!(faults(&inner)[0].kind, XmlFaultKind::UnknownAttribute("xsi:schemaLocation".to_owned()));
    let language = patient("<active xml:lang=\"en\" value=\"true\"/>");
    assert_eq!(faults(&language)[0].kind, XmlFaultKind::UnknownAttribute("xml:lang".to_owned()));
}

/// F55, F51: what may not hide in a narrative.
#[test]
fn narrative_is_xhtml_and_nothing_else() {
    let in_div =
        |inner: &str| patient(&format!("<text><div xmlns=\"http://www.w3.org/1999/xhtml\">{inner}</div></text>"));
    for (inner, kind) in [
        ("<svg xmlns=\"http://www.w3.org/2000/svg\"/>", XmlFaultKind::WrongNamespace),
        ("<p xmlns=\"\"/>", XmlFaultKind::WrongNamespace),
        ("<p xmlns=\"http://hl7.org/fhir\"/>", XmlFaultKind::WrongNamespace),
        ("<a xmlns:x=\"http://www.w3.org/1999/xlink\" x:href=\"u\"/>", XmlFaultKind::Namespace),
        ("<a:p/>", XmlFaultKind::UnboundPrefix),
        ("&nbsp;", XmlFaultKind::Entity),
        ("<p title=\"&e;\"/>", XmlFaultKind::Entity),
        ("]]>", XmlFaultKind::UnexpectedCharacter),
        ("<!DOCTYPE a>", XmlFaultKind::DocumentType),
        ("<p>", XmlFaultKind::WrongEndTag),
        ("<p a=\"1\" a=\"2\"/>", XmlFaultKind::DuplicateAttribute),
        (&"<b>".repeat(200), XmlFaultKind::TooDeep),
    ] {
        let found = faults(&in_div(inner));
        assert_eq!((found.len(), &found[0].kind), (1, &kind), "{inner}");
    }
    // In a place where none belongs, or another element than a div.
    let span = patient("<text><span xmlns=\"http://www.w3.org/1999/xhtml\"/></text>");
    assert!(matches!(faults(&span)[0].kind, XmlFaultKind::UnknownElement("Narrative", _)));
    let status = patient("<text><status xmlns=\"http://www.w3.org/1999/xhtml\" value=\"generated\"/></text>");
    assert_eq!(faults(&status)[0].kind, XmlFaultKind::WrongNamespace);
    assert_eq!(faults(&patient("<text><div/></text>"))[0].kind, XmlFaultKind::NotADiv);
    for place in ["<name xmlns=\"http://www.w3.org/1999/xhtml\"/>", "<active xmlns=\"http://www.w3.org/1999/xhtml\"/>"]
    {
        assert_eq!(faults(&patient(place))[0].kind, XmlFaultKind::WrongNamespace);
    }
    let contained = patient("<contained><Patient xmlns=\"http://www.w3.org/1999/xhtml\"/></contained>");
    assert_eq!(faults(&contained)[0].kind, XmlFaultKind::WrongNamespace);
}

/// F55: encodings other than UTF-8.
#[test]
fn other_encodings_are_refused() {
    let text = patient("");
    let utf16 = |mark: &[u8], pair: fn(u16) -> [u8; 2]| -> Vec<u8> {
        mark.iter().copied().chain(text.encode_utf16().flat_map(pair)).collect()
    };
    let utf32: Vec<u8> = text.chars().flat_map(|letter| u32::from(letter).to_be_bytes()).collect();
    let latin1 = patient("<id value=\"E\"/>").replace('E', "\u{e9}").chars().map(|c| c as u8).collect();
    for (bytes, kind) in [
        (utf16(b"\xFE\xFF", u16::to_be_bytes), XmlFaultKind::Encoding),
        (utf16(b"\xFF\xFE", u16::to_le_bytes), XmlFaultKind::Encoding),
        (utf16(b"", u16::to_be_bytes), XmlFaultKind::Encoding),
        (utf16(b"", u16::to_le_bytes), XmlFaultKind::Encoding),
        (utf32, XmlFaultKind::Encoding),
        (latin1, XmlFaultKind::InvalidUtf8),
    ] {
        assert_eq!(read(bytes, r4()).unwrap_err().faults[0].kind, kind);
    }
}

/// F55: depth, numbers of things, length.
#[test]
fn everything_has_its_limit() {
    let deep = patient(&"<extension url=\"u\">".repeat(1_000_000));
    assert_eq!(faults(&deep)[0].kind, XmlFaultKind::TooDeep);
    // Deep enough for XML, too deep for what it means in JSON.
    let nested = format!("{}<valueCode value=\"a\"/>{}", "<extension url=\"u\">".repeat(40), "</extension>".repeat(40));
    assert_eq!(faults(&patient(&nested))[0].kind, XmlFaultKind::TooDeep);
    let wide: String = (0..100).map(|at| format!(" a{at}=\"1\"")).collect();
    assert_eq!(faults(&patient(&format!("<name{wide}/>")))[0].kind, XmlFaultKind::TooManyAttributes);
    let declarations: String = (0..50).map(|at| format!(" xmlns:a{at}=\"u\"")).collect();
    assert_eq!(faults(&patient(&format!("<name{declarations}/>")))[0].kind, XmlFaultKind::TooManyNamespaces);
    assert_eq!(faults(&patient(&"<x/>".repeat(500)))[..].len(), 1, "one run of one name is one fault");
    assert_eq!(faults(&patient(&"<x/><y/>".repeat(500))).len(), crate::limits::XML_FAULTS_MAX);
    let long = patient(&" ".repeat(crate::limits::BODY_BYTES_MAX));
    assert_eq!(faults(&long)[0].kind, XmlFaultKind::TooLong);
    let comment = format!("{}<!--{}", patient(""), "-".repeat(100_000));
    assert_eq!(faults(&comment)[0].kind, XmlFaultKind::InvalidComment);
}

#[test]
fn what_xml_cannot_say_is_not_written() {
    for (json, kind) in [
        (r#"{"resourceType":"Patiens"}"#, WriteErrorKind::NoResource),
        (r#"{"resourceType":"DomainResource"}"#, WriteErrorKind::NoResource),
        (r#"[]"#, WriteErrorKind::NoResource),
        (r#"{"resourceType":"Patient","x":1}"#, WriteErrorKind::UnknownElement),
        (r#"{"resourceType":"Patient","_name":[{"id":"a"}]}"#, WriteErrorKind::UnknownElement),
        (r#"{"resourceType":"Patient","name":[{"_id":{"id":"a"}}]}"#, WriteErrorKind::UnknownElement),
        (r#"{"resourceType":"Patient","name":{"text":"a"}}"#, WriteErrorKind::WrongShape),
        (r#"{"resourceType":"Patient","active":[true]}"#, WriteErrorKind::WrongShape),
        (r#"{"resourceType":"Patient","active":{}}"#, WriteErrorKind::WrongShape),
        (r#"{"resourceType":"Patient","deceasedBoolean":true,"deceasedDateTime":"2020"}"#, WriteErrorKind::WrongShape),
        (r#"{"resourceType":"Patient","name":[]}"#, WriteErrorKind::Empty),
        (r#"{"resourceType":"Patient","name":[{}]}"#, WriteErrorKind::Empty),
        (r#"{"resourceType":"Patient","name":[null]}"#, WriteErrorKind::Empty),
        (r#"{"resourceType":"Patient","id":""}"#, WriteErrorKind::Empty),
        (r#"{"resourceType":"Patient","id":"\u0001"}"#, WriteErrorKind::Character),
        (r#"{"resourceType":"Patient","id":"\uffff"}"#, WriteErrorKind::Character),
        (r#"{"resourceType":"Patient","text":{"div":"<div>a</div>"}}"#, WriteErrorKind::Narrative),
        (
            r#"{"resourceType":"Patient","text":{"div":"<div xmlns='http://www.w3.org/1999/xhtml'/><active/>"}}"#,
            WriteErrorKind::Narrative,
        ),
        (
            r#"{"resourceType":"Patient","text":{"div":"<h:div xmlns:h='http://www.w3.org/1999/xhtml'/>"}}"#,
            WriteErrorKind::Narrative,
        ),
    ] {
        let tree = Tree::parse(json.as_bytes().to_vec()).unwrap();
        assert_eq!(write(&tree, r4()).map_err(|error| error.kind), Err(kind), "{json}");
    }
}

/// What a person sees of a resource: its elements in the order of R4, whatever the order of the JSON.
#[test]
fn an_observation_is_this() {
    let written = xml(r##"{
      "valueQuantity": { "code": "m", "system": "http://unitsofmeasure.org", "unit": "m", "value": 3.20 },
      "status": "final", "resourceType": "Observation",
      "_effectiveDateTime": { "extension": [{ "valueCode": "asked-unknown", "url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason" }] },
      "code": { "text": "Distance \"walked\"\nin 10 s", "coding": [{ "display": "<Walk> & turn", "code": "89571-4", "system": "http://loinc.org", "id": "c1" }] },
      "contained": [{ "name": [{ "_given": [null, { "id": "second" }], "given": ["Ann", "Bea"] }], "id": "p", "resourceType": "Patient" }],
      "subject": { "reference": "#p" },
      "text": { "div": "<div xmlns=\"http://www.w3.org/1999/xhtml\"><p>3.20 m</p></div>", "status": "generated" },
      "id": "walk"
    }"##);
    // One element a line, for the eye.
    insta::assert_snapshot!(written.replace("><", ">\n<"));
    insta::assert_snapshot!(json(&written).replace(",\"", ",\n\""));
}

#[test]
fn tools_read_elements_in_any_order_but_none_twice() {
    let text =
        r#"<Patient xmlns="http://hl7.org/fhir"><gender value="male"/><id value="p"/><active value="true"/></Patient>"#;
    assert!(super::read(text.to_owned(), r4()).is_err());
    let tree = super::read_in_any_order(text.to_owned(), r4()).expect("reads");
    assert_eq!(tree.bytes(), r#"{"resourceType":"Patient","gender":"male","id":"p","active":true}"#);
    assert_eq!(tree.root().get("active").expect("there").position(), (1, 75));
    let twice = text.replace(r#"<active value="true"/>"#, r#"<gender value="female"/>"#);
    let error = super::read_in_any_order(twice, r4()).expect_err("twice");
    assert_eq!(error.faults.first().map(|fault| &fault.kind), Some(&XmlFaultKind::Repeated));
}
