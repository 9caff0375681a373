//! Narratives that pass and that do not: rows F51 to F53. Left out: what a browser makes of them.

use super::*;

fn div(inner: &str) -> String {
    format!("<div xmlns=\"http://www.w3.org/1999/xhtml\">{inner}</div>")
}

#[test]
fn the_lists_are_sorted() {
    assert!(ELEMENTS.is_sorted() && ATTRIBUTES.is_sorted());
}

#[test]
fn formatting_passes() {
    for inner in [
        "text",
        "<p class=\"x\"><b>Narrative</b>: &lt;5 &amp; &#233;&#xe9;</p>",
        "<table border=\"0\"><tr><td colspan='2' style=\"color: red; background-image: url(tbl_bck10.png)\">1</td></tr></table>",
        "<a name=\"x\"> </a>a<br/>",
        "<a href=\"https://example.org/a?b=1#c\">a</a> <a href=\"#x\">b</a> <a href=\"Patient-1.html#a:b\">c</a> <a href='mailto:a@b.c'>d</a>",
        "<img src=\"#pic\" alt=\"x\"/>",
        "<img src=\"data:image/png;base64,AA==\" alt=\"x\"/>",
        "<!-- a comment with <b> --> text",
    ] {
        assert_eq!(check(&div(inner)), Ok(()), "{inner}");
    }
    assert_eq!(check("<div xmlns='http://www.w3.org/1999/xhtml'>a</div>\n"), Ok(()));
}

/// Rows F51 to F53: each of these has run a script, loaded a resource or confused a parser somewhere.
#[test]
fn what_may_run_load_or_confuse_is_refused() {
    for inner in [
        "<script>alert(1)</script>",
        "<b onclick=\"x()\">a</b>",
        "<img src=\"x\" onerror=\"x()\"/>",
        "<a href=\"javascript:x()\">a</a>",
        "<a href=\"JaVaScRiPt:x()\">a</a>",
        "<a href=\"java&#x73;cript:x()\">a</a>",
        "<a href=\"java&#9;script:x()\">a</a>",
        "<a href=\" javascript:x()\">a</a>",
        "<a href=\"vbscript:x\">a</a>",
        "<a href=\"data:text/html,x\">a</a>",
        "<a href=\"//evil.example\">a</a>",
        "<a href=\"\\\\evil.example\">a</a>",
        "<img src=\"https://evil.example/track.png\"/>",
        "<img src=\"data:image/svg+xml,x\"/>",
        "<img src=\"data:text/html,x\"/>",
        "<iframe src=\"x\">a</iframe>",
        "<object data=\"x\">a</object>",
        "<form action=\"x\"><input name=\"a\"/></form>",
        "<link href=\"x\"/>a",
        "<style>b{}</style>a",
        "<base href=\"x\"/>a",
        "<svg>a</svg>",
        "<math>a</math>",
        "<font color=\"red\">a</font>",
        "<p style=\"background: url(https://evil.example/x.png)\">a</p>",
        "<p style=\"background: url('javascript:x')\">a</p>",
        "<p style=\"width: expression(x)\">a</p>",
        "<p style=\"width: expr/**/ession(x)\">a</p>",
        "<p style=\"b\\65havior: x\">a</p>",
        "<p style=\"@import x\">a</p>",
        "<p style=\"position: fixed\">a</p>",
        "<p style=\"background: image-set('https://evil.example' 1x)\">a</p>",
        "<p src=\"x\">a</p>",
        "<p contenteditable=\"true\">a</p>",
        "<p xmlns=\"http://www.w3.org/2000/svg\">a</p>",
        "<x:p>a</x:p>",
        "<P>a</P>",
        "<b>a</i>",
        "<b>a",
        "a</div><div>b",
        "<b a>a</b>",
        "<b class=x>a</b>",
        "<b class=\"a\" class=\"b\">a</b>",
        "<b class=\"a\"id=\"b\">a</b>",
        "<b title=\"<i>\">a</b>",
        "a &nbsp; b",
        "a & b",
        "&#0;a",
        "&#x1F;a",
        "&#55296;a",
        "<!DOCTYPE x>a",
        "<![CDATA[a]]>",
        "<?php a ?>",
        "a ]]> b",
        "<!--><b>--> a",
        "<!-- a -- b --> a",
        "<!--- a --> a",
        "<!-- a ---> a",
        "<!-- a",
        "",
        "  \n ",
        "<b> </b>",
        "<!-- a -->",
    ] {
        assert!(check(&div(inner)).is_err(), "{inner}");
    }
    for text in [
        "",
        "text",
        "<p xmlns=\"http://www.w3.org/1999/xhtml\">a</p>",
        "<div>a</div>",
        "<div xmlns=\"http://www.w3.org/1999/xhtml\">a</div>b",
        " <div xmlns=\"http://www.w3.org/1999/xhtml\">a</div>",
        "<?xml version=\"1.0\"?><div xmlns=\"http://www.w3.org/1999/xhtml\">a</div>",
        "<div xmlns=\"http://www.w3.org/1999/xhtml\"/>",
        "<divx xmlns=\"http://www.w3.org/1999/xhtml\">a</divx>",
    ] {
        assert!(check(text).is_err(), "{text}");
    }
}

#[test]
fn nesting_is_bounded() {
    let deep = |times: usize| div(&format!("{}a{}", "<b>".repeat(times), "</b>".repeat(times)));
    assert_eq!(check(&deep(50)), Ok(()));
    assert!(check(&deep(100_000)).is_err());
}
