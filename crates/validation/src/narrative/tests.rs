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
        "<img src=\"Binary/pic-1\" alt=\"x\"/><img src=\"Binary/pic-1/_history/2\" alt=\"x\"/>",
        "<img src=\"tbl_spacer.png\" alt=\".\"/><img src='icon-q-string.PNG'/>",
        "<p style=\"background-image: url('data:image/png;base64,AA==')\">a</p>",
        "<!-- a comment with <b> --> text",
        "&#65;",
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
        // A relative address may be an interaction of this server, or of another page beside it.
        "<img src=\"Patient/1/$everything\"/>",
        "<img src=\"../auth/logout\"/>",
        "<img src=\"/fhir/Binary/1\"/>",
        "<img src=\"Binary/1?_format=html\"/>",
        "<img src=\"Binary/../x\"/>",
        "<img src=\"images/a.png\"/>",
        "<img src=\"a.png?x=1\"/>",
        "<img src=\"a.svg\"/>",
        "<img src=\".png\"/>",
        "<img src=\"x\"/>",
        "<img src=\"\"/>",
        "<img src=\"https&#58;//evil.example/a.png\"/>",
        "<p style=\"background: url(Binary/1)\">a</p>",
        "<p style=\"background: url(#a)\">a</p>",
        "<p style=\"background: url(a.png), url(//evil.example/a.png)\">a</p>",
        "<p style=\"background: url(a.png\">a</p>",
        "<p style=\"background: &#117;rl(https://evil.example)\">a</p>",
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
        "&#+65;a",
        "&#x+41;a",
        "&#xFFFE;a",
        "a\u{1}",
        "a\u{FFFF}",
        "&#32;&#160;&#x9;",
        "<!--[if IE]><script>x()</script><![endif]--> a",
        "<!--[if !IE]> --> a <!-- <![endif]-->",
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

/// Row F53: texts that some sanitizer took and some browser then read otherwise, each for its own reason:
/// another namespace, raw text, a tag that ends another, a table that throws out its content, an attribute
/// that grows.
#[test]
fn what_browsers_read_otherwise_than_sanitizers_is_refused() {
    for inner in [
        "<math><mtext><table><mglyph><style><!--</style><img title=\"--&gt;&lt;img src=1 onerror=x()&gt;\"/></style></mglyph></table></mtext></math>a",
        "<svg><style><!--</style><a title=\"--&gt;&lt;img src=1 onerror=x()&gt;\"/></style></svg>a",
        "<svg><p><style><g title=\"&lt;/style&gt;&lt;img src=x onerror=x()&gt;\"/></style></p></svg>a",
        "<noscript><p title=\"&lt;/noscript&gt;&lt;img src=x onerror=x()&gt;\"></p></noscript>a",
        "<textarea>&lt;/textarea&gt;&lt;img src=x onerror=x()&gt;</textarea>a",
        "<title>&lt;/title&gt;&lt;img src=x onerror=x()&gt;</title>a",
        "<template><b>a</b></template>a",
        "<xmp><p title=\"&lt;/xmp&gt;&lt;img src=x onerror=x()&gt;\"></p></xmp>a",
        "<listing>&lt;img src=x onerror=x()&gt;</listing>a",
        "<plaintext>a</plaintext>",
        "<noembed><p title=\"&lt;/noembed&gt;\"></p></noembed>a",
        "<noframes><p title=\"&lt;/noframes&gt;\"></p></noframes>a",
        "<form><math><mtext></form><form><mglyph><style></math><img src=\"\" onerror=\"x()\"/>",
        "<form id=\"x\"></form><button form=\"x\" formaction=\"javascript:x()\">a</button>",
        "<a href=\"javascript&colon;x()\">a</a>",
        "<a href=\"java\u{0}script:x()\">a</a>",
        "<a href=\"&#x01;javascript:x()\">a</a>",
        "<a href=\"java\nscript:x()\">a</a>",
        "<a href=\"\u{200B}javascript:x()\">a</a>",
        "<a href=\"feed:javascript:x()\">a</a>",
        "<a href=\"blob:https://evil.example/x\">a</a>",
        "<a href=\"data:image/svg+xml,x\">a</a>",
        "<a xlink:href=\"javascript:x()\">a</a>",
        "<a href=\"x\" ping=\"https://evil.example\">a</a>",
        "<a href=\"x\" target=\"_top\">a</a>",
        "<a href=\"x\" download=\"a.exe\">a</a>",
        "<img src=\"a.png\" srcset=\"https://evil.example/a 2x\"/>",
        "<img src=\"a.png\" usemap=\"#m\"/><map name=\"m\"><area href=\"javascript:x()\"/></map>",
        "<img src=\"data:image/png,a\" style=\"content: url(https://evil.example)\"/>",
        "<table background=\"javascript:x()\"><tr><td>a</td></tr></table>",
        "<table><tr><td background=\"https://evil.example/a.png\">a</td></tr></table>",
        "<p style=\"-moz-binding: x\">a</p>",
        "<p style=\"width: EXPRESSION (x)\">a</p>",
        "<p style=\"list-style: \\75rl(x)\">a</p>",
        "<p style=\"color: red; } @import 'x'; {\">a</p>",
        "<meta http-equiv=\"refresh\" content=\"0;url=x\"/>a",
        "<marquee onstart=\"x()\">a</marquee>",
        "<video src=\"x\">a</video>",
        "<audio src=\"x\">a</audio>",
        "<embed src=\"x\"/>a",
        "<applet code=\"x\">a</applet>",
        "<input value=\"a\"/>",
        "<select><option>a</option></select>",
        "<body onload=\"x()\">a</body>",
        "<frameset><frame src=\"x\"/></frameset>a",
        "<ins>a</ins>",
        "<del>a</del>",
        "<center>a</center>",
        "<s>a</s>",
        "<strike>a</strike>",
        "<u>a</u>",
        "<dir><li>a</li></dir>",
        "<menu><li>a</li></menu>",
        "<b\u{A0}onclick=\"x()\">a</b>",
        "<b/onclick=\"x()\">a</b>",
        "<b\u{C}onclick=\"x()\">a</b>",
        "<\u{0}script>x</script>",
        "< b>a</b>",
        "<b>a</ b>",
        "<b>a</b\u{A0}>",
    ] {
        assert!(check(&div(inner)).is_err(), "{inner}");
    }
}

#[test]
fn length_is_bounded() {
    assert!(check(&div(&"a".repeat(XHTML_BYTES_MAX))).is_err());
    assert_eq!(check(&div(&"a".repeat(XHTML_BYTES_MAX - 100))), Ok(()));
}
