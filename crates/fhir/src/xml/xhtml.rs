//! The narrative inside FHIR XML: kept as it stands, byte for byte, when its tags nest and it is XHTML
//! alone. What XHTML may say is validation's work.
//!
//! Where the namespace came by a prefix or from outside, the text is written anew with the declaration
//! that JSON wants on the `<div>`, and without prefixes: the same elements.
//! SPEC: R4 narrative.html, json.html#xhtml.

use super::cursor::{Span, Step};
use super::fault::XmlFaultKind;
use super::namespace::Namespace;
use super::tag::{Tag, Tags};
use super::{XHTML, text};
use crate::limits;
use std::borrow::Cow;

/// Reads the content of a `<div>` whose start tag was read; gives its text as JSON has it.
pub(super) fn narrative<'x>(tags: &mut Tags<'x>, div: Tag) -> Step<Cow<'x, str>> {
    let mut edits = Edits { removed: Vec::new(), has_prefix: false };
    let mut open: Vec<(Span, usize)> = Vec::new();
    let root_declares = declares(tags, div);
    edits.note(tags, div)?;
    if !div.is_empty {
        open.push((div.name, div.scope));
    }
    while let Some((name, scope)) = open.last().copied() {
        let content = tags.cursor.until_byte(b'<')?;
        check_text(tags, content)?;
        if tags.cursor.eat(b"/") {
            tags.end_tag(name)?;
            edits.end_tag(tags, name, content.end);
            tags.scopes.truncate(scope);
            open.pop();
        } else if tags.cursor.eat(b"!--") {
            tags.cursor.comment()?;
        } else if tags.cursor.eat(b"![CDATA[") {
            tags.cursor.until(b"]]>")?;
        } else if tags.cursor.eat(b"!") {
            return Err((XmlFaultKind::DocumentType, content.end));
        } else if tags.cursor.eat(b"?") {
            tags.cursor.instruction()?;
        } else {
            tags.cursor.at = content.end;
            if open.len() >= limits::XHTML_DEPTH_MAX {
                return Err((XmlFaultKind::TooDeep, content.end));
            }
            let tag = tags.start_tag()?;
            edits.note(tags, tag)?;
            tags.attributes.truncate(tag.attributes);
            if tag.is_empty {
                tags.scopes.truncate(tag.scope);
            } else {
                open.push((tag.name, tag.scope));
            }
        }
    }
    let whole = Span { start: div.start, end: tags.cursor.at };
    Ok(if edits.has_prefix || !root_declares {
        Cow::Owned(edits.apply(tags, whole, div))
    } else {
        Cow::Borrowed(tags.cursor.slice(whole))
    })
}

/// Whether the tag itself declares the default namespace.
fn declares(tags: &Tags<'_>, tag: Tag) -> bool {
    let own = tags.attributes.get(tag.attributes..).unwrap_or_default();
    own.iter().any(|one| one.is_declaration && tags.cursor.slice(one.name) == "xmlns")
}

fn check_text(tags: &Tags<'_>, span: Span) -> Step {
    let content = tags.cursor.slice(span).as_bytes();
    text::check_references(content).map_err(|(kind, at)| (kind, span.start + at))?;
    let ends_section = |at: &usize| content.get(..*at).unwrap_or_default().ends_with(b"]]");
    match memchr::memchr_iter(b'>', content).find(ends_section) {
        Some(at) => Err((XmlFaultKind::UnexpectedCharacter, span.start + at)),
        None => Ok(()),
    }
}

/// What to leave away if the text must be written anew.
struct Edits {
    removed: Vec<Span>,
    has_prefix: bool,
}

impl Edits {
    /// Notes a start tag, and refuses what is not XHTML's.
    fn note(&mut self, tags: &Tags<'_>, tag: Tag) -> Step {
        if tag.namespace != Namespace::Xhtml {
            return Err((XmlFaultKind::WrongNamespace, tag.start));
        }
        self.prefix(tag.name, tag.local.start);
        for attribute in tags.attributes.get(tag.attributes..).unwrap_or_default() {
            if attribute.is_declaration {
                self.removed.push(Span { start: attribute.name.start, end: attribute.value.end + 1 });
            } else if !matches!(attribute.namespace, Namespace::None | Namespace::Xml) {
                return Err((XmlFaultKind::Namespace, attribute.name.start));
            }
        }
        Ok(())
    }

    /// Notes an end tag that begins at `start`, of an element of this name.
    fn end_tag(&mut self, tags: &Tags<'_>, name: Span, start: usize) {
        if let Some(colon) = tags.cursor.slice(name).find(':') {
            let start = start + "</".len();
            self.removed.push(Span { start, end: start + colon + 1 });
        }
    }

    fn prefix(&mut self, name: Span, local: usize) {
        if local > name.start {
            self.has_prefix = true;
            self.removed.push(Span { start: name.start, end: local });
        }
    }

    /// The text without prefixes and declarations, but for one on the `<div>`.
    fn apply(&self, tags: &Tags<'_>, whole: Span, div: Tag) -> String {
        let declaration = format!(" xmlns=\"{XHTML}\"");
        let mut out = String::with_capacity(whole.end - whole.start + declaration.len());
        let (before, after): (Vec<Span>, Vec<Span>) = self.removed.iter().partition(|span| span.end <= div.name.end);
        append_without(&mut out, tags, Span { start: whole.start, end: div.name.end }, &before);
        out.push_str(&declaration);
        append_without(&mut out, tags, Span { start: div.name.end, end: whole.end }, &after);
        out
    }
}

/// Appends a part of the text without some parts of it, which are in order.
fn append_without(out: &mut String, tags: &Tags<'_>, whole: Span, removed: &[Span]) {
    let mut at = whole.start;
    for span in removed {
        out.push_str(tags.cursor.slice(Span { start: at, end: span.start }));
        at = span.end;
    }
    out.push_str(tags.cursor.slice(Span { start: at, end: whole.end }));
}
