//! The narrative: one XHTML `<div>` of formatting only. Linear, by hand.
//!
//! SPEC: R4 narrative.html, invariants txt-1 and txt-2; security rows F51 to F53. What a browser might run,
//! load or be confused by is refused, not mended. One thing is let through that row F52 does not name: the
//! publisher of the guides draws lines in tables by images of its page (`tbl_bck10.png`), also as
//! backgrounds, and its examples must be taken. So plain names of image files pass; they reach no
//! interaction of a server. Left out: whether the elements nest as HTML's content models ask, whether
//! classes and anchors exist.

use fhir::limits::{XHTML_BYTES_MAX, XHTML_DEPTH_MAX};
use fhir::{LogicalId, xml};
use std::sync::LazyLock;

/// Elements of HTML 4 chapters 7 to 11 (without 9.4) and 15, with `a`, `img`; sorted.
const ELEMENTS: &[&str] = &[
    "a",
    "abbr",
    "acronym",
    "address",
    "b",
    "bdo",
    "big",
    "blockquote",
    "br",
    "caption",
    "cite",
    "code",
    "col",
    "colgroup",
    "dd",
    "dfn",
    "div",
    "dl",
    "dt",
    "em",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "hr",
    "i",
    "img",
    "kbd",
    "li",
    "ol",
    "p",
    "pre",
    "q",
    "samp",
    "small",
    "span",
    "strong",
    "sub",
    "sup",
    "table",
    "tbody",
    "td",
    "tfoot",
    "th",
    "thead",
    "tr",
    "tt",
    "ul",
    "var",
];

/// Attributes without power; sorted. Events, forms, scripts and frames are not among them.
const ATTRIBUTES: &[&str] = &[
    "abbr",
    "accesskey",
    "align",
    "alt",
    "axis",
    "bgcolor",
    "border",
    "cellpadding",
    "cellspacing",
    "char",
    "charoff",
    "charset",
    "cite",
    "class",
    "colspan",
    "compact",
    "coords",
    "dir",
    "headers",
    "height",
    "href",
    "hreflang",
    "hspace",
    "id",
    "lang",
    "longdesc",
    "name",
    "nowrap",
    "rel",
    "rev",
    "rowspan",
    "rules",
    "scope",
    "shape",
    "span",
    "src",
    "start",
    "style",
    "summary",
    "tabindex",
    "title",
    "type",
    "valign",
    "value",
    "vspace",
    "width",
    "xml:lang",
    "xmlns",
];

/// The first eight bytes of a name, as a number: most look-ups compare nothing else.
fn key(name: &str) -> u64 {
    let mut bytes = [0; 8];
    bytes.iter_mut().zip(name.bytes()).for_each(|(to, from)| *to = from);
    u64::from_be_bytes(bytes)
}

static ELEMENT_KEYS: LazyLock<Vec<u64>> = LazyLock::new(|| ELEMENTS.iter().map(|name| key(name)).collect());
static ATTRIBUTE_KEYS: LazyLock<Vec<u64>> = LazyLock::new(|| ATTRIBUTES.iter().map(|name| key(name)).collect());

/// Whether a sorted list has a name. `keys`: those of the list.
fn is_listed(names: &[&str], keys: &[u64], name: &str) -> bool {
    let key = key(name);
    let first = keys.partition_point(|other| *other < key);
    let same = keys.iter().zip(names).skip(first).take_while(|(other, _)| **other == key);
    same.map(|(_, listed)| listed).any(|listed| *listed == name)
}

/// What CSS must not say: anything that loads, runs, leaves its place, or hides a word from this look.
const STYLE_REFUSED: &[&str] = &[
    "\\",
    "/*",
    "@",
    "expression(",
    "behavior",
    "behaviour",
    "-moz-binding",
    "javascript:",
    "position:fixed",
    "position:sticky",
    "image(",
    "image-set(",
    "src(",
];

const XHTML: &str = "http://www.w3.org/1999/xhtml";

/// Checks the text of `Narrative.div`.
///
/// # Errors
/// What is wrong, in a sentence without any of the text.
pub fn check(text: &str) -> Result<(), &'static str> {
    if text.len() > XHTML_BYTES_MAX {
        return Err("narrative has at most 1 MiB");
    }
    if xml::forbidden_character(text).is_some() {
        return Err("narrative has no control characters but tab and line ends");
    }
    let mut reader =
        Reader { rest: text.trim_end_matches([' ', '\t', '\r', '\n']), open: Vec::new(), has_content: false };
    if !reader.rest.starts_with("<div") {
        return Err("narrative begins with <div");
    }
    reader.read()?;
    if reader.has_content { Ok(()) } else { Err("narrative has some text or an image (txt-2)") }
}

struct Reader<'t> {
    rest: &'t str,
    open: Vec<&'t str>,
    has_content: bool,
}

impl<'t> Reader<'t> {
    fn read(&mut self) -> Result<(), &'static str> {
        loop {
            let at = self.rest.find('<').ok_or("narrative has an element that is not closed")?;
            let (text, tag) = self.rest.split_at_checked(at).ok_or("narrative is not XHTML")?;
            self.text(text)?;
            self.rest = tag;
            if let Some(comment) = tag.strip_prefix("<!--") {
                self.comment(comment)?;
            } else if tag.starts_with("<!") || tag.starts_with("<?") {
                return Err("narrative has no DOCTYPE, CDATA or processing instruction");
            } else if let Some(closing) = tag.strip_prefix("</") {
                let (name, after) = closing.split_once('>').ok_or("narrative has a tag that is not closed")?;
                if self.open.pop() != Some(name.trim_end_matches([' ', '\t', '\r', '\n'])) {
                    return Err("narrative has elements that do not nest");
                }
                self.rest = after;
            } else {
                self.opening(tag.get(1..).unwrap_or_default())?;
            }
            if self.open.is_empty() {
                return if self.rest.is_empty() { Ok(()) } else { Err("narrative is a single <div>") };
            }
        }
    }

    fn text(&mut self, text: &str) -> Result<(), &'static str> {
        if text.contains(']') && text.contains("]]>") {
            return Err("narrative has no ]]> in text");
        }
        self.has_content |= references(text)?;
        Ok(())
    }

    /// A comment that XML and HTML read alike: HTML ends `<!-->` at once and knows `--!>`; some browsers read
    /// on in `<!--[if IE]>`.
    fn comment(&mut self, comment: &'t str) -> Result<(), &'static str> {
        let (inner, after) = comment.split_once("-->").ok_or("narrative has a comment that is not closed")?;
        let is_conditional = inner.trim_start().starts_with('[') || inner.trim_end().ends_with(']');
        if inner.contains("--") || inner.starts_with(['>', '-']) || inner.ends_with('-') || is_conditional {
            return Err("narrative has a comment that browsers may read otherwise");
        }
        self.rest = after;
        Ok(())
    }

    fn opening(&mut self, tag: &'t str) -> Result<(), &'static str> {
        let end =
            tag.find(|letter: char| !letter.is_ascii_alphanumeric()).ok_or("narrative has a tag that is not closed")?;
        let (name, mut rest) = tag.split_at_checked(end).ok_or("narrative is not XHTML")?;
        if !is_listed(ELEMENTS, &ELEMENT_KEYS, name) {
            return Err("narrative has only elements for formatting (txt-1): no scripts, forms, frames or objects");
        }
        let is_root = self.open.is_empty();
        let mut in_namespace = false;
        let mut seen: Vec<&str> = Vec::new();
        let closes_itself = loop {
            let trimmed = rest.trim_start_matches([' ', '\t', '\r', '\n']);
            if let Some(after) = trimmed.strip_prefix('>') {
                self.rest = after;
                break false;
            }
            if let Some(after) = trimmed.strip_prefix("/>") {
                self.rest = after;
                break true;
            }
            if trimmed.len() == rest.len() {
                return Err("narrative has a tag that is not XHTML");
            }
            let (attribute, value, after) = attribute(trimmed)?;
            if seen.contains(&attribute) {
                return Err("narrative has an attribute twice");
            }
            seen.push(attribute);
            in_namespace |= self.attribute(name, attribute, value)?;
            rest = after;
        };
        if is_root && !in_namespace {
            return Err("narrative is in the namespace http://www.w3.org/1999/xhtml");
        }
        self.has_content |= name == "img";
        if closes_itself {
            return Ok(());
        }
        if self.open.len() >= XHTML_DEPTH_MAX {
            return Err("narrative is nested too deeply");
        }
        self.open.push(name);
        Ok(())
    }

    /// Checks one attribute; true when it is the declaration of the namespace.
    fn attribute(&self, element: &str, name: &str, value: &str) -> Result<bool, &'static str> {
        if !is_listed(ATTRIBUTES, &ATTRIBUTE_KEYS, name) {
            return Err("narrative has only attributes for formatting: no events, no actions");
        }
        references(value)?;
        if value.contains('<') {
            return Err("narrative has no < in attributes");
        }
        match name {
            "xmlns" if value == XHTML => return Ok(true),
            "xmlns" => return Err("narrative has no other namespace than http://www.w3.org/1999/xhtml"),
            "href" | "cite" | "longdesc" if !is_safe_link(&decoded(value)) => {
                return Err("narrative links with http, https, mailto or within itself only");
            }
            "src" if element != "img" => return Err("narrative has src on images only"),
            "src" if !is_safe_image(&decoded(value)) => {
                return Err("narrative has images of its own (#id), data:image, Binary/id, or plain file names only");
            }
            "style" if !is_safe_style(&decoded(value)) => {
                return Err("narrative has styles that load nothing and stay in their place");
            }
            _ => {}
        }
        Ok(false)
    }
}

/// Name, value and what follows an attribute.
fn attribute(text: &str) -> Result<(&str, &str, &str), &'static str> {
    const WRONG: &str = "narrative has an attribute that is not quoted or has no value";
    let (name, rest) = text.split_once('=').ok_or(WRONG)?;
    let rest = rest.trim_start_matches([' ', '\t', '\r', '\n']);
    let quote = rest.chars().next().filter(|quote| matches!(quote, '"' | '\'')).ok_or(WRONG)?;
    let (value, after) = rest.get(1..).and_then(|rest| rest.split_once(quote)).ok_or(WRONG)?;
    Ok((name.trim_end_matches([' ', '\t', '\r', '\n']), value, after))
}

/// Every `&` begins one of XML's five entities or a number; says whether the text is more than white space.
fn references(text: &str) -> Result<bool, &'static str> {
    const WRONG: &str = "narrative has no entities but &amp; &lt; &gt; &quot; &apos; and numbers";
    let is_visible = |letter: char| !letter.is_whitespace();
    let (mut rest, mut has_content) = (text, false);
    while let Some(at) = rest.find('&') {
        let (before, from) = rest.split_at_checked(at).ok_or(WRONG)?;
        let (name, tail) = from.get(1..).and_then(|after| after.split_once(';')).ok_or(WRONG)?;
        has_content |= is_visible(entity(name).ok_or(WRONG)?) || before.contains(is_visible);
        rest = tail;
    }
    Ok(has_content || rest.contains(is_visible))
}

fn entity(name: &str) -> Option<char> {
    match name {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        name => {
            let number = name.strip_prefix('#').filter(|number| number.len() <= 8)?;
            let (digits, radix) = number.strip_prefix('x').map_or((number, 10), |digits| (digits, 16));
            // WHY: what reads numbers takes a sign too.
            if digits.starts_with('+') {
                return None;
            }
            let letter = char::from_u32(u32::from_str_radix(digits, radix).ok()?)?;
            xml::forbidden_character(letter.encode_utf8(&mut [0; 4])).is_none().then_some(letter)
        }
    }
}

/// A value as a browser sees it: references resolved, in lower case, without blanks and controls.
fn decoded(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    if value.is_ascii() && !value.contains('&') {
        let kept = value.bytes().filter(|byte| !byte.is_ascii_whitespace() && !byte.is_ascii_control());
        out.extend(kept.map(|byte| char::from(byte.to_ascii_lowercase())));
        return out;
    }
    let mut rest = value;
    while let Some(at) = rest.find('&') {
        out.push_str(rest.get(..at).unwrap_or_default());
        let after = rest.get(at + 1..).unwrap_or_default();
        let (name, tail) = after.split_once(';').unwrap_or((after, ""));
        out.extend(entity(name));
        rest = tail;
    }
    out.push_str(rest);
    out.retain(|letter| !letter.is_whitespace() && !letter.is_control());
    out.make_ascii_lowercase();
    out
}

/// The scheme of a URL; `None` for a relative one.
fn scheme(url: &str) -> Option<&str> {
    let (scheme, _) = url.split_once(':')?;
    if scheme.contains(['/', '?', '#']) { None } else { Some(scheme) }
}

fn is_safe_link(url: &str) -> bool {
    match scheme(url) {
        None => !url.starts_with("//") && !url.contains('\\'),
        Some(scheme) => matches!(scheme, "http" | "https" | "mailto"),
    }
}

fn is_safe_image(url: &str) -> bool {
    match scheme(url) {
        None if url.starts_with('#') => true,
        None => url.strip_prefix("binary/").map_or_else(|| is_image_file(url), is_binary),
        Some(_) => is_image_data(url),
    }
}

/// The id of a Binary, with a version or not.
fn is_binary(id: &str) -> bool {
    let is_id = |part: &str| LogicalId::parse(part).is_ok();
    id.split_once("/_history/").map_or_else(|| is_id(id), |(id, version)| is_id(id) && is_id(version))
}

/// A plain name of an image file, in no folder.
fn is_image_file(name: &str) -> bool {
    let is_plain = |letter: u8| letter.is_ascii_alphanumeric() || b"-_.".contains(&letter);
    let ends = [".png", ".gif", ".jpg", ".jpeg", ".webp"];
    name.bytes().all(is_plain) && !name.starts_with('.') && ends.iter().any(|end| name.ends_with(end))
}

fn is_image_data(url: &str) -> bool {
    // WHY: SVG may hold scripts.
    ["png", "jpeg", "jpg", "gif", "webp"].iter().any(|kind| {
        let format = url.strip_prefix("data:image/").and_then(|rest| rest.strip_prefix(kind));
        format.is_some_and(|rest| rest.starts_with([';', ',']))
    })
}

fn is_safe_style(style: &str) -> bool {
    let images_are_safe = style.split("url(").skip(1).all(|rest| {
        let Some((argument, _)) = rest.split_once(')') else { return false };
        let url = argument.trim_matches(['"', '\'']);
        is_image_file(url) || is_image_data(url)
    });
    images_are_safe && !refuses(style)
}

/// Whether one of the refused words is in a style: in one pass over it.
fn refuses(style: &str) -> bool {
    /// The bytes that words begin with.
    static FIRSTS: LazyLock<[bool; 256]> = LazyLock::new(|| {
        let is_first =
            |byte: usize| STYLE_REFUSED.iter().any(|word| word.bytes().next().map(usize::from) == Some(byte));
        std::array::from_fn(is_first)
    });
    let (bytes, firsts) = (style.as_bytes(), &*FIRSTS);
    let suspect = |(at, byte): (usize, &u8)| {
        let here = bytes.get(at..).unwrap_or_default();
        firsts.get(usize::from(*byte)) == Some(&true)
            && STYLE_REFUSED.iter().any(|word| here.starts_with(word.as_bytes()))
    };
    bytes.iter().enumerate().any(suspect)
}

#[cfg(test)]
mod tests;
