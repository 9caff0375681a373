//! Functions on text. SPEC: FHIRPath N1, "String Manipulation", "Additional String Functions".
//!
//! Regular expressions run in linear time (crate `regex`) with bounded size, and each byte of text is charged
//! for as if it met the worst that the size allows; look-around and back references do not exist there, an
//! invariant that uses them cannot be evaluated.

use super::{EvaluateError, Evaluator, Outcome, Scope, optional};
use crate::function::Function;
use crate::item::{Collection, Item};
use crate::limits;
use crate::syntax::Node;
use regex::{Regex, RegexBuilder};
use std::borrow::Cow;

impl<'a> Evaluator<'a> {
    #[inline(never)]
    pub(super) fn text(
        &mut self,
        base: Option<&'a Node>,
        function: Function,
        arguments: &'a [Node],
        scope: Scope<'_, 'a>,
    ) -> Outcome<Collection<'a>> {
        use Function as F;
        if function == F::Join {
            return self.join(base, arguments, scope);
        }
        let Some(item) = self.input_one(base, scope)? else { return Ok(Collection::new()) };
        let Some(text) = item.as_str() else {
            // A primitive without value is as good as absent.
            return match &item {
                Item::Element(element)
                    if element.definition.kind == fhir::schema::TypeKind::Primitive && element.value.is_none() =>
                {
                    Ok(Collection::new())
                }
                _ => Err(EvaluateError::WrongType("a text function")),
            };
        };
        self.charge_text(text.len())?;
        let string = |text: String| Ok(optional(Some(Item::String(Cow::Owned(text)))));
        match function {
            F::Length => return Ok(optional(i64::try_from(text.chars().count()).ok().map(Item::Integer))),
            F::Upper => return string(text.to_uppercase()),
            F::Lower => return string(text.to_lowercase()),
            F::Trim => return string(text.trim().to_owned()),
            F::ToChars => {
                let mut out = Collection::new();
                for character in text.chars() {
                    self.push(&mut out, Item::String(Cow::Owned(character.to_string())))?;
                }
                return Ok(out);
            }
            F::Substring => return self.substring(&text, arguments, scope),
            _ => {}
        }
        let Some(argument) = self.text_argument(arguments, 0, scope)? else { return Ok(Collection::new()) };
        match function {
            F::Contains => Ok(truth(text.contains(argument.as_ref()))),
            F::StartsWith => Ok(truth(text.starts_with(argument.as_ref()))),
            F::EndsWith => Ok(truth(text.ends_with(argument.as_ref()))),
            F::IndexOf => {
                let place = text.find(argument.as_ref()).and_then(|at| text.get(..at)).map(|head| head.chars().count());
                Ok(optional(Some(Item::Integer(place.and_then(|place| i64::try_from(place).ok()).unwrap_or(-1)))))
            }
            F::Split => {
                let mut out = Collection::new();
                for part in text.split(argument.as_ref()) {
                    self.push(&mut out, Item::String(Cow::Owned(part.to_owned())))?;
                }
                Ok(out)
            }
            F::Matches => Ok(truth(self.pattern(arguments, &argument, false, text.len())?.is_match(&text))),
            F::MatchesFull => Ok(truth(self.pattern(arguments, &argument, true, text.len())?.is_match(&text))),
            F::Replace => {
                let Some(with) = self.text_argument(arguments, 1, scope)? else { return Ok(Collection::new()) };
                let times = text.matches(argument.as_ref()).count();
                self.charge_text(text.len().saturating_add(times.saturating_mul(with.len())))?;
                string(text.replace(argument.as_ref(), &with))
            }
            F::ReplaceMatches => {
                let Some(with) = self.text_argument(arguments, 1, scope)? else { return Ok(Collection::new()) };
                if argument.is_empty() {
                    return Ok(optional(Some(Item::String(text))));
                }
                // Twice for the places, and again for the groups, which cost more.
                let pattern = self.pattern(arguments, &argument, false, text.len().saturating_mul(4))?;
                // WHY: `$1` in the substitution may stand for the whole text.
                let times = pattern.find_iter(&text).count();
                let most = with.len().saturating_add(with.matches('$').count().saturating_mul(text.len()));
                self.charge_text(text.len().saturating_add(times.saturating_mul(most)))?;
                string(pattern.replace_all(&text, substitution(&with).as_str()).into_owned())
            }
            F::Encode => match argument.as_ref() {
                "hex" => string(text.bytes().map(|byte| format!("{byte:02x}")).collect()),
                "base64" => string(base64_encode(text.as_bytes(), STANDARD)),
                "urlbase64" => string(base64_encode(text.as_bytes(), URL)),
                _ => Ok(Collection::new()),
            },
            F::Decode => {
                let bytes = match argument.as_ref() {
                    "hex" => hex_decode(&text),
                    "base64" => base64_decode(&text, STANDARD),
                    "urlbase64" => base64_decode(&text, URL),
                    _ => None,
                };
                Ok(optional(
                    bytes.and_then(|bytes| String::from_utf8(bytes).ok()).map(|text| Item::String(Cow::Owned(text))),
                ))
            }
            F::Escape => match argument.as_ref() {
                "html" => string(escape_html(&text)),
                "json" => string(escape_json(&text)),
                _ => Ok(Collection::new()),
            },
            _ => match argument.as_ref() {
                "html" => string(unescape_html(&text)),
                "json" => string(unescape_json(&text)),
                _ => Ok(Collection::new()),
            },
        }
    }

    /// The regular expression of a call, charged for so many bytes of text: one that stands in the expression
    /// is compiled once.
    fn pattern(&mut self, arguments: &'a [Node], text: &str, whole: bool, bytes: usize) -> Outcome<Cow<'a, Regex>> {
        let (pattern, steps) = if let Some(Node::Pattern(pattern)) = arguments.first() {
            let known = pattern.compiled.get_or_init(|| {
                let light = compiled(text, whole, limits::REGEX_LIGHT_BYTES_MAX);
                let light = light.map(|light| (light, limits::REGEX_LIGHT_STEPS));
                light.or_else(|| {
                    let heavy = compiled(text, whole, limits::REGEX_COMPILED_BYTES_MAX)?;
                    Some((heavy, limits::REGEX_HEAVY_STEPS))
                })
            });
            let (pattern, steps) = known.as_ref().ok_or(EvaluateError::Pattern)?;
            (Cow::Borrowed(pattern), *steps)
        } else {
            self.charge(limits::REGEX_COMPUTED_STEPS)?;
            let pattern = compiled(text, whole, limits::REGEX_LIGHT_BYTES_MAX).ok_or(EvaluateError::Pattern)?;
            (Cow::Owned(pattern), limits::REGEX_LIGHT_STEPS)
        };
        self.charge(bytes.saturating_mul(steps))?;
        Ok(pattern)
    }

    fn join(&mut self, base: Option<&'a Node>, arguments: &'a [Node], scope: Scope<'_, 'a>) -> Outcome<Collection<'a>> {
        let separator = self.text_argument(arguments, 0, scope)?.unwrap_or_default();
        let mut out = String::new();
        let mut first = true;
        let input = self.input(base, scope)?;
        if input.is_empty() {
            return Ok(Collection::new());
        }
        for item in input {
            let Some(text) = item.as_str() else { continue };
            if !first {
                out.push_str(&separator);
            }
            first = false;
            out.push_str(&text);
            self.charge_text(out.len())?;
        }
        Ok(optional(Some(Item::String(Cow::Owned(out)))))
    }

    fn substring(&mut self, text: &str, arguments: &'a [Node], scope: Scope<'_, 'a>) -> Outcome<Collection<'a>> {
        let Some(start) = self.integer_argument(arguments, 0, scope)? else { return Ok(Collection::new()) };
        let length = self.integer_argument(arguments, 1, scope)?;
        let Ok(start) = usize::try_from(start) else { return Ok(Collection::new()) };
        let Some((from, _)) = text.char_indices().nth(start) else { return Ok(Collection::new()) };
        let rest = text.get(from..).unwrap_or_default();
        let part: String = match length {
            None => rest.to_owned(),
            Some(length) => rest.chars().take(usize::try_from(length).unwrap_or(0)).collect(),
        };
        Ok(optional(Some(Item::String(Cow::Owned(part)))))
    }
}

fn truth<'a>(value: bool) -> Collection<'a> {
    optional(Some(Item::Boolean(value)))
}

/// `.` matches line ends, as the specification asks. `whole`: it must match all of the text.
fn compiled(text: &str, whole: bool, bytes_max: usize) -> Option<Regex> {
    if text.len() > limits::REGEX_BYTES_MAX {
        return None;
    }
    let anchored = format!("^(?:{text})$");
    RegexBuilder::new(if whole { &anchored } else { text })
        .dot_matches_new_line(true)
        .size_limit(bytes_max)
        .dfa_size_limit(bytes_max)
        .nest_limit(32)
        .build()
        .ok()
}

/// `$1a` names group 1 in FHIRPath, but a group `1a` in the crate: braces keep them apart.
fn substitution(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        let (before, after) = rest.split_at(at + 1);
        out.push_str(before);
        let digits = after.len() - after.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (group, tail) = after.split_at(digits);
        if group.is_empty() {
            if !after.starts_with('{') {
                out.push('$');
            }
        } else {
            out.push('{');
            out.push_str(group);
            out.push('}');
        }
        rest = tail;
    }
    out.push_str(rest);
    out
}

const STANDARD: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const URL: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

fn base64_encode(bytes: &[u8], alphabet: &[u8; 64]) -> String {
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let byte = |at: usize| u32::from(chunk.get(at).copied().unwrap_or(0));
        let group = byte(0) << 16 | byte(1) << 8 | byte(2);
        for place in 0..4 {
            if place > chunk.len() {
                out.push('=');
                continue;
            }
            let index = (group >> (18 - 6 * place)) & 63;
            out.push(alphabet.get(index as usize).map_or('=', |letter| char::from(*letter)));
        }
    }
    out
}

fn base64_decode(text: &str, alphabet: &[u8; 64]) -> Option<Vec<u8>> {
    let text = text.trim_end_matches('=');
    if text.len() % 4 == 1 {
        return None;
    }
    let mut out = Vec::with_capacity(text.len() / 4 * 3 + 2);
    let (mut group, mut bits) = (0u32, 0u32);
    for byte in text.bytes() {
        let digit = alphabet.iter().position(|letter| *letter == byte)?;
        group = (group << 6 | u32::try_from(digit).ok()?) & 0xffff;
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            out.push(u8::try_from(group >> bits & 0xff).ok()?);
        }
    }
    Some(out)
}

fn hex_decode(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) {
        return None;
    }
    let digits: Option<Vec<u8>> =
        text.chars().map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok())).collect();
    Some(digits?.chunks_exact(2).map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit)).collect())
}

fn escape_html(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
    out
}

fn unescape_html(text: &str) -> String {
    let named = text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"");
    named.replace("&#39;", "'").replace("&apos;", "'").replace("&amp;", "&")
}

fn escape_json(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            control if control < ' ' => out.push_str(&format!("\\u{:04x}", u32::from(control))),
            other => out.push(other),
        }
    }
    out
}

fn unescape_json(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        if character != '\\' {
            out.push(character);
            continue;
        }
        match characters.next() {
            Some('n') => out.push('\n'),
            Some('r') => out.push('\r'),
            Some('t') => out.push('\t'),
            Some('b') => out.push('\u{8}'),
            Some('f') => out.push('\u{c}'),
            Some('u') => {
                let digits: String = characters.by_ref().take(4).collect();
                let code = u32::from_str_radix(&digits, 16).ok().and_then(char::from_u32);
                out.push(code.unwrap_or(char::REPLACEMENT_CHARACTER));
            }
            Some(other) => out.push(other),
            None => {}
        }
    }
    out
}
