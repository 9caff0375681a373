//! A reader of the HTML that this crate writes: strict, so that what it accepts every browser reads the same way.

/// A tag or a text between tags.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Piece {
    /// `<name a="b" c>`, with decoded values.
    Start(String, Vec<(String, String)>),
    /// `</name>`.
    End(String),
    /// Decoded.
    Text(String),
}

impl Piece {
    /// Value of an attribute of a start tag; empty for one without value.
    pub(crate) fn attribute(&self, name: &str) -> Option<&str> {
        match self {
            Self::Start(_, attributes) => {
                attributes.iter().find(|(one, _)| one == name).map(|(_, value)| value.as_str())
            }
            _ => None,
        }
    }

    pub(crate) fn is_start(&self, name: &str) -> bool {
        matches!(self, Self::Start(own, _) if own == name)
    }
}

/// Elements without content: they have no end tag; `path` ends itself.
const VOID: [&str; 6] = ["input", "img", "link", "meta", "path", "br"];

/// Pieces of a document.
///
/// # Panics
/// When it is not what the writer promises: unbalanced tags, unquoted values, a stray `<`.
pub(crate) fn read(html: &str) -> Vec<Piece> {
    let mut rest = html.strip_prefix("<!doctype html>\n").expect("a doctype");
    let (mut pieces, mut open) = (Vec::new(), Vec::<String>::new());
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix("</") {
            let (name, behind) = after.split_once('>').expect("the end of an end tag");
            assert_eq!(open.pop().as_deref(), Some(name), "before {behind:.60}");
            pieces.push(Piece::End(name.to_owned()));
            rest = behind;
        } else if let Some(after) = rest.strip_prefix('<') {
            let (name, attributes, behind) = tag(after);
            if !VOID.contains(&name.as_str()) {
                open.push(name.clone());
            }
            pieces.push(Piece::Start(name, attributes));
            rest = behind;
        } else {
            let end = rest.find('<').unwrap_or(rest.len());
            let (text, behind) = rest.split_at(end);
            assert!(!text.contains('>'), "a stray > in {text}");
            pieces.push(Piece::Text(decoded(text)));
            rest = behind;
        }
    }
    assert!(open.is_empty(), "left open: {open:?}");
    pieces
}

fn tag(text: &str) -> (String, Vec<(String, String)>, &str) {
    let end = text.find([' ', '>']).expect("the end of a name");
    let (name, mut rest) = text.split_at(end);
    assert!(name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit()), "{name}");
    let mut attributes: Vec<(String, String)> = Vec::new();
    while let Some(after) = rest.strip_prefix(' ') {
        let end = after.find(['=', ' ', '/', '>']).expect("the end of an attribute");
        let (name, behind) = after.split_at(end);
        assert!(attributes.iter().all(|(one, _)| one != name), "twice: {name}");
        let (value, behind) = match behind.strip_prefix("=\"") {
            Some(value) => value.split_once('"').expect("the end of a value"),
            None => ("", behind),
        };
        assert!(!value.contains('<'), "{value}");
        attributes.push((name.to_owned(), decoded(value)));
        rest = behind;
    }
    let rest = if name == "path" { rest.strip_prefix('/').expect("an end of its own") } else { rest };
    (name.to_owned(), attributes, rest.strip_prefix('>').expect("the end of a tag"))
}

fn decoded(text: &str) -> String {
    let plain = text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&#39;", "'");
    plain.replace("&amp;", "&")
}

/// What a person reads, line by line, with the kind of each line: for snapshots.
pub(crate) fn outline(html: &str) -> String {
    let mut lines: Vec<String> = Vec::new();
    let (mut line, mut is_skipped) = (String::new(), 0);
    let flush = |line: &mut String, lines: &mut Vec<String>| {
        let words = line.split_whitespace().collect::<Vec<_>>().join(" ");
        if !words.is_empty() {
            lines.push(words);
        }
        line.clear();
    };
    for piece in read(html).into_iter().skip_while(|piece| !piece.is_start("body")) {
        match &piece {
            Piece::Text(text) if is_skipped == 0 => line.push_str(text),
            Piece::Text(_) => {}
            Piece::End(name) => {
                if is_skipped > 0 && name == "svg" {
                    is_skipped -= 1;
                }
                if !matches!(name.as_str(), "span" | "bdi" | "strong" | "code" | "a" | "svg" | "label") {
                    flush(&mut line, &mut lines);
                }
                if name == "label" {
                    flush(&mut line, &mut lines);
                }
            }
            Piece::Start(name, _) => {
                if name == "svg" {
                    is_skipped += 1;
                }
                if !matches!(name.as_str(), "span" | "bdi" | "strong" | "code" | "a" | "svg" | "path" | "input") {
                    flush(&mut line, &mut lines);
                }
                match name.as_str() {
                    "h1" => line.push_str("# "),
                    "h2" => line.push_str("## "),
                    "li" => line.push_str("- "),
                    "button" => line.push_str("[button] "),
                    "summary" => line.push_str("[details] "),
                    "a" => line.push_str(&format!(" →{} ", piece.attribute("href").unwrap_or_default())),
                    "span" if piece.attribute("class") == Some("line") => line.push_str(" | "),
                    "form" => line.push_str(&format!("[form {}]", piece.attribute("action").unwrap_or_default())),
                    "input" if piece.attribute("type") != Some("hidden") => {
                        let kind = piece.attribute("role").or(piece.attribute("type")).unwrap_or_default();
                        let name = piece.attribute("name").unwrap_or_default();
                        let on = if piece.attribute("checked").is_some() { " on" } else { "" };
                        line.push_str(&format!(" [{kind} {name}{on}] "));
                    }
                    _ => {}
                }
            }
        }
    }
    flush(&mut line, &mut lines);
    lines.join("\n")
}

/// What is there to be read in the main part, a line for each block: without names and codes, which are not ours.
pub(crate) fn prose(html: &str) -> Vec<String> {
    let (mut lines, mut line, mut skipped) = (Vec::new(), String::new(), 0_usize);
    let is_foreign = |name: &str| matches!(name, "bdi" | "code" | "svg" | "textarea" | "option");
    let is_inline = |name: &str| matches!(name, "a" | "strong" | "bdi" | "code" | "svg" | "path" | "input" | "time");
    for piece in read(html).into_iter().skip_while(|piece| !piece.is_start("main")) {
        let (name, is_end) = match &piece {
            Piece::Text(text) => {
                if skipped == 0 {
                    line.push_str(text);
                }
                continue;
            }
            Piece::Start(name, _) => (name.clone(), false),
            Piece::End(name) => (name.clone(), true),
        };
        if is_foreign(&name) {
            skipped = if is_end { skipped.saturating_sub(1) } else { skipped + 1 };
            // It is read as a word.
            line.push_str(if is_end && name != "svg" { " {} " } else { "" });
        }
        if !is_inline(&name) {
            lines.push(line.split_whitespace().collect::<Vec<_>>().join(" "));
            line.clear();
        }
    }
    lines.retain(|line| !line.is_empty());
    lines
}
