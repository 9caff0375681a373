//! Resources that came as XML: the same rules, and places that are the XML's.

use fhir::{issue::Issue, schema::r4, xml};

fn errors(body: &str) -> Vec<Issue> {
    let tree = xml::read(body.to_owned(), r4()).unwrap_or_else(|error| panic!("{error}"));
    validation::r4().validate(tree, None).err().map(|invalid| invalid.issues).unwrap_or_default()
}

#[test]
fn issues_name_lines_and_columns_of_the_xml() {
    let body = "<Observation xmlns=\"http://hl7.org/fhir\">\n  <status value=\"finished\"/>\n  <code>\n    <text value=\"a\"/>\n  </code>\n  \
                <subject>\n    <reference value=\"Patient/a b\"/>\n  </subject>\n  <valueQuantity>\n    <value value=\"+1\"/>\n  </valueQuantity>\n</Observation>";
    let found: Vec<_> =
        errors(body).into_iter().map(|one| (one.expression.unwrap_or_default(), one.position)).collect();
    assert!(found.contains(&("Observation.status".to_owned(), Some((2, 3)))), "{found:?}");
    assert!(found.contains(&("Observation.value.value".to_owned(), Some((10, 5)))), "{found:?}");
}

/// Rows F51 to F53 and F55: a narrative is held to the same rules on both roads.
#[test]
fn narrative_that_came_by_xml_is_checked_alike() {
    let body = |inner: &str, declared: &str, prefix: &str| {
        format!(
            "<Basic xmlns=\"http://hl7.org/fhir\"{declared}><text><status value=\"generated\"/>\
             <{prefix}div xmlns=\"http://www.w3.org/1999/xhtml\">{inner}</{prefix}div></text><code><text value=\"a\"/></code></Basic>"
        )
    };
    let prefix = " xmlns:h=\"http://www.w3.org/1999/xhtml\"";
    for right in ["<p class=\"a\">a<br/></p>", "<!-- a -->b", "&#65;"] {
        assert_eq!(errors(&body(right, "", "")), [], "{right}");
    }
    assert_eq!(errors(&body("<h:p>a</h:p>", prefix, "h:")), []);
    for wrong in [
        "<script>x()</script>",
        "<p onclick=\"x()\">a</p>",
        "<?php x ?>a",
        "<![CDATA[<script>x()</script>]]>a",
        "<a href=\"java&#9;script:x()\">a</a>",
        "<img src=\"https://evil.example/a.png\"/>",
        "&#32;",
        "<!--[if IE]><script>x()</script><![endif]-->a",
        "<p xmlns:x=\"http://evil.example\">a</p>",
    ] {
        let issues = errors(&body(wrong, "", ""));
        assert!(issues.iter().any(|one| one.expression.as_deref() == Some("Basic.text.div")), "{wrong}: {issues:?}");
    }
    // Without its prefix a script is a script again.
    let hidden = errors(&body("<h:script>x()</h:script>", prefix, "h:"));
    assert!(hidden.iter().any(|one| one.expression.as_deref() == Some("Basic.text.div")), "{hidden:?}");
}
