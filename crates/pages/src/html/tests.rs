//! What the writer escapes, and what it cannot write.

use super::*;

fn html(part: impl Into<Fragment>) -> String {
    part.into().into_string()
}

#[test]
fn a18_text_and_attributes_are_escaped() {
    let hostile = "<script>alert(\"1\")</script> & 'x' \0";
    let element = el("p").attr("title", hostile).add(hostile).add(&Text::new(hostile));
    let escaped = "&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt; &amp; &#39;x&#39; \u{fffd}";
    let cleaned = escaped.trim_end_matches(" \u{fffd}");
    assert_eq!(html(element), format!("<p title=\"{escaped}\">{escaped}<bdi>{cleaned}</bdi></p>\n"));
}

#[test]
fn void_elements_have_no_end_and_inline_ones_no_line() {
    assert_eq!(
        html(el("input").attr("name", "a").flag("required", true).flag("checked", false)),
        "<input name=\"a\" required>"
    );
    assert_eq!(html(el("strong").add("a")), "<strong>a</strong>");
    assert_eq!(html(vec![el("li").add("a"), el("li").add("b")]), "<li>a</li>\n<li>b</li>\n");
    assert_eq!(html(None::<Element>), "");
}

#[test]
fn fill_escapes_the_text_and_keeps_the_markup_of_values() {
    let bold = |text: &str| Fragment::from(el("strong").add(text));
    let filled = fill("{a} & {b}’s {c} {", &[("a", bold("<A>")), ("b", bold("{a}"))]);
    assert_eq!(html(filled), "<strong>&lt;A&gt;</strong> &amp; <strong>{a}</strong>’s {c} {");
    assert_eq!(fill_plain("{a} & {b} {c}", &[("a", "{b}"), ("b", "<B>")]), "{b} & <B> {c}");
}

#[test]
fn addresses_stay_on_this_server() {
    let address = Address::of("/account/app").with("grant", "a b&c=/é").with_some("filter", None).with("x", "1");
    assert_eq!(address.as_str(), "/account/app?grant=a%20b%26c%3D%2F%C3%A9&x=1");
    assert!(Address::own("/account/logo/a1_b-2.png").is_some());
    for elsewhere in
        ["//evil.example/x", "https://evil.example", "javascript:alert(1)", "/a/../b", "/\\evil", "x", "/a b"]
    {
        assert!(Address::own(elsewhere).is_none(), "{elsewhere}");
    }
    assert!(Address::authenticator("javascript:alert(1)").is_none());
}
