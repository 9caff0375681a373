//! A small writer of HTML: markup is made here alone, and everything that comes in is escaped.
//!
//! [`el`] starts an element; text, attributes and children are added; [`Fragment`] is finished markup and can only be
//! made from elements and escaped text. Addresses ([`Address`]) are paths of this server, so no link or form can lead
//! elsewhere. Inline scripts and styles cannot be written (row A18).
//! SPEC: HTML living standard, 13.1.2 (elements, attributes, escaping).

use crate::{Literal, Secret, Text};

/// Finished markup.
#[derive(Clone, Default)]
pub(crate) struct Fragment(String);

impl Fragment {
    /// Several, one after the other.
    pub(crate) fn all(parts: impl IntoIterator<Item = impl Into<Self>>) -> Self {
        let mut whole = Self::default();
        for part in parts {
            whole.0.push_str(&part.into().0);
        }
        whole
    }

    pub(crate) fn into_string(self) -> String {
        self.0
    }
}

impl From<&str> for Fragment {
    fn from(text: &str) -> Self {
        let mut escaped = String::with_capacity(text.len());
        escape(&mut escaped, text);
        Self(escaped)
    }
}

impl From<String> for Fragment {
    fn from(text: String) -> Self {
        Self::from(text.as_str())
    }
}

/// Words of others keep their own direction of writing and do not turn ours.
impl From<&Text> for Fragment {
    fn from(text: &Text) -> Self {
        el("bdi").add(text.as_str()).into()
    }
}

impl From<&Literal> for Fragment {
    fn from(value: &Literal) -> Self {
        Self::from(value.as_str())
    }
}

impl From<&Secret> for Fragment {
    fn from(value: &Secret) -> Self {
        Self::from(value.as_str())
    }
}

impl<T: Into<Self>> From<Option<T>> for Fragment {
    fn from(part: Option<T>) -> Self {
        part.map(Into::into).unwrap_or_default()
    }
}

impl<T: Into<Self>> From<Vec<T>> for Fragment {
    fn from(parts: Vec<T>) -> Self {
        Self::all(parts)
    }
}

/// An element that is being written.
#[must_use]
pub(crate) struct Element {
    name: &'static str,
    head: String,
    body: String,
}

/// Starts an element.
pub(crate) fn el(name: &'static str) -> Element {
    Element { name, head: String::new(), body: String::new() }
}

/// Attributes that hold addresses, code or styles: not to be set by name.
fn is_guarded(name: &str) -> bool {
    matches!(name, "href" | "src" | "action" | "formaction" | "style" | "srcdoc" | "data") || name.starts_with("on")
}

impl Element {
    /// An attribute with its value.
    pub(crate) fn attr(mut self, name: &'static str, value: &str) -> Self {
        debug_assert!(!is_guarded(name), "{name} has a method of its own, or no place here");
        if !is_guarded(name) {
            self.push_attribute(name, value);
        }
        self
    }

    /// An attribute that is there or not: `checked`, `required`.
    pub(crate) fn flag(mut self, name: &'static str, is_there: bool) -> Self {
        if is_there && !is_guarded(name) {
            self.head.push(' ');
            self.head.push_str(name);
        }
        self
    }

    pub(crate) fn class(self, names: &'static str) -> Self {
        self.attr("class", names)
    }

    pub(crate) fn id(self, id: &str) -> Self {
        self.attr("id", id)
    }

    /// Where a link leads.
    pub(crate) fn href(mut self, address: &Address) -> Self {
        self.push_attribute("href", &address.0);
        self
    }

    /// Where an image or a script comes from.
    pub(crate) fn src(mut self, address: &Address) -> Self {
        self.push_attribute("src", &address.0);
        self
    }

    /// Where a form is sent.
    pub(crate) fn action(mut self, address: &Address) -> Self {
        self.push_attribute("action", &address.0);
        self
    }

    /// Adds a child: text (escaped), an element, nothing.
    pub(crate) fn add(mut self, child: impl Into<Fragment>) -> Self {
        self.body.push_str(&child.into().0);
        self
    }

    fn push_attribute(&mut self, name: &str, value: &str) {
        self.head.push(' ');
        self.head.push_str(name);
        self.head.push_str("=\"");
        escape(&mut self.head, value);
        self.head.push('"');
    }
}

impl From<Element> for Fragment {
    fn from(element: Element) -> Self {
        let Element { name, head, body } = element;
        if is_void(name) {
            return Self(format!("<{name}{head}>"));
        }
        if name == "path" {
            // Within a picture (SVG) an element without content ends itself.
            return Self(format!("<{name}{head}/>"));
        }
        // Lines make a page's source readable and cost a byte each; only where white space means nothing.
        let end = if is_block(name) { "\n" } else { "" };
        Self(format!("<{name}{head}>{body}</{name}>{end}"))
    }
}

fn is_void(name: &str) -> bool {
    matches!(name, "br" | "hr" | "img" | "input" | "link" | "meta")
}

fn is_block(name: &str) -> bool {
    matches!(
        name,
        "body"
            | "details"
            | "div"
            | "dl"
            | "fieldset"
            | "footer"
            | "form"
            | "h1"
            | "h2"
            | "h3"
            | "head"
            | "header"
            | "li"
            | "main"
            | "nav"
            | "ol"
            | "p"
            | "section"
            | "table"
            | "title"
            | "tr"
            | "ul"
    )
}

fn escape(out: &mut String, text: &str) {
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            // NUL and its kin are errors in HTML, whatever they stand for.
            '\0'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{7f}'..='\u{9f}' => out.push('\u{fffd}'),
            _ => out.push(letter),
        }
    }
}

/// Puts values in the places `{name}` of a text. Text and values are escaped; a place without value stays as it is.
pub(crate) fn fill(text: &str, values: &[(&str, Fragment)]) -> Fragment {
    let mut whole = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        escape(&mut whole, before);
        let found = after.split_once('}').and_then(|(name, behind)| {
            let (_, value) = values.iter().find(|(one, _)| *one == name)?;
            Some((value, behind))
        });
        match found {
            Some((value, behind)) => {
                whole.push_str(&value.0);
                rest = behind;
            }
            None => {
                whole.push('{');
                rest = after;
            }
        }
    }
    escape(&mut whole, rest);
    Fragment(whole)
}

/// [`fill`] where no markup can stand: a page's title, a label.
pub(crate) fn fill_plain(text: &str, values: &[(&str, &str)]) -> String {
    let mut whole = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        whole.push_str(before);
        let found = after.split_once('}').and_then(|(name, behind)| {
            let (_, value) = values.iter().find(|(one, _)| *one == name)?;
            Some((value, behind))
        });
        match found {
            Some((value, behind)) => {
                whole.push_str(value);
                rest = behind;
            }
            None => {
                whole.push('{');
                rest = after;
            }
        }
    }
    whole.push_str(rest);
    whole
}

/// Where a link or a form of a page may lead: a path of this server, with values in its query; or an authenticator app.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Address(String);

impl Address {
    /// A path of [`crate::paths`] or an asset.
    pub(crate) fn of(path: &'static str) -> Self {
        Self(path.to_owned())
    }

    /// A place on the same page.
    pub(crate) fn below(id: &'static str) -> Self {
        Self(format!("#{id}"))
    }

    /// Adds a query parameter.
    pub(crate) fn with(mut self, field: &str, value: &str) -> Self {
        self.0.push(if self.0.contains('?') { '&' } else { '?' });
        self.0.push_str(field);
        self.0.push('=');
        for byte in value.bytes() {
            match byte {
                b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => self.0.push(char::from(byte)),
                _ => self.0.push_str(&format!("%{byte:02X}")),
            }
        }
        self
    }

    /// [`Self::with`], when there is a value.
    pub(crate) fn with_some(self, field: &str, value: Option<&str>) -> Self {
        match value {
            Some(value) => self.with(field, value),
            None => self,
        }
    }

    /// A path of this server that the caller names, such as a logo's: letters, digits and `/ - . _` only.
    pub(crate) fn own(path: &str) -> Option<Self> {
        let is_plain = path.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/-._".contains(&byte));
        let is_own = path.starts_with('/') && !path.starts_with("//") && !path.contains("..");
        (is_plain && is_own).then(|| Self(path.to_owned()))
    }

    /// An address that opens an authenticator app.
    pub(crate) fn authenticator(uri: &str) -> Option<Self> {
        uri.starts_with("otpauth://totp/").then(|| Self(uri.to_owned()))
    }

    #[cfg(test)]
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests;
