//! Tokens of FHIRPath. SPEC: FHIRPath N1, "Lexical Elements" and the grammar's lexer rules.

use crate::expression::ParseError;
use crate::temporal::Temporal;
use fhir::primitive::decimal::Decimal;

/// One token.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Token {
    /// An identifier or keyword, as written.
    Word(String),
    /// An identifier in backticks.
    Delimited(String),
    String(String),
    Integer(i64),
    Decimal(Decimal),
    Temporal(Temporal),
    /// `$this`, `$index`, `$total`, without the dollar.
    Special(String),
    /// `%`, before an identifier or string.
    Percent,
    /// An operator or bracket.
    Symbol(&'static str),
    End,
}

/// A token and where it begins.
#[derive(Debug, Clone)]
pub(crate) struct Lexeme {
    pub(crate) token: Token,
    pub(crate) offset: usize,
}

const SYMBOLS: &[&str] =
    &["<=", ">=", "!=", "!~", "+", "-", "*", "/", "&", "|", "=", "~", "<", ">", ".", ",", "(", ")", "[", "]", "{", "}"];

/// Splits a text into tokens; the last is [`Token::End`].
pub(crate) fn tokens(text: &str) -> Result<Vec<Lexeme>, ParseError> {
    let mut lexer = Lexer { text, at: 0 };
    let mut out = Vec::new();
    loop {
        lexer.skip_blank()?;
        let offset = lexer.at;
        let token = lexer.next_token()?;
        let end = token == Token::End;
        out.push(Lexeme { token, offset });
        if end {
            return Ok(out);
        }
    }
}

/// A text in quotes that reads as this text.
pub(crate) fn escaped(text: &str, quote: char) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push(quote);
    for character in text.chars() {
        match character {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{c}' => out.push_str("\\f"),
            '\\' => out.push_str("\\\\"),
            character if character == quote => out.extend(['\\', quote]),
            character => out.push(character),
        }
    }
    out.push(quote);
    out
}

struct Lexer<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Lexer<'t> {
    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn error<T>(&self, message: &str) -> Result<T, ParseError> {
        Err(ParseError { message: message.to_owned(), offset: self.at })
    }

    fn skip_blank(&mut self) -> Result<(), ParseError> {
        loop {
            let rest = self.rest();
            let blank = rest.len() - rest.trim_start_matches([' ', '\t', '\r', '\n', '\u{a0}', '\u{feff}']).len();
            if blank > 0 {
                self.at += blank;
            } else if rest.starts_with("//") {
                self.at += rest.find('\n').unwrap_or(rest.len());
            } else if rest.starts_with("/*") {
                match rest.find("*/") {
                    Some(end) => self.at += end + 2,
                    None => return self.error("comment is not closed"),
                }
            } else {
                return Ok(());
            }
        }
    }

    fn take_while(&mut self, keep: impl Fn(char) -> bool) -> &'t str {
        let rest = self.rest();
        let end = rest.find(|c| !keep(c)).unwrap_or(rest.len());
        self.at += end;
        rest.get(..end).unwrap_or_default()
    }

    fn next_token(&mut self) -> Result<Token, ParseError> {
        let rest = self.rest();
        let Some(first) = rest.chars().next() else { return Ok(Token::End) };
        match first {
            'A'..='Z' | 'a'..='z' | '_' => {
                Ok(Token::Word(self.take_while(|c| c.is_ascii_alphanumeric() || c == '_').to_owned()))
            }
            '0'..='9' => self.number(),
            '\'' => Ok(Token::String(self.quoted('\'')?)),
            // WHY: the official suite writes some strings in double quotes' company only inside others;
            // a bare double quote is an old spelling of a delimited identifier.
            '`' | '"' => Ok(Token::Delimited(self.quoted(first)?)),
            '@' => self.temporal(),
            '$' => {
                self.at += 1;
                let name = self.take_while(|c| c.is_ascii_alphabetic());
                match name {
                    "this" | "index" | "total" => Ok(Token::Special(name.to_owned())),
                    _ => {
                        self.at -= name.len() + 1;
                        self.error("expected $this, $index or $total")
                    }
                }
            }
            '%' => {
                self.at += 1;
                Ok(Token::Percent)
            }
            _ => match SYMBOLS.iter().find(|symbol| rest.starts_with(**symbol)) {
                Some(symbol) => {
                    self.at += symbol.len();
                    Ok(Token::Symbol(symbol))
                }
                None => self.error("unexpected character"),
            },
        }
    }

    fn number(&mut self) -> Result<Token, ParseError> {
        let start = self.at;
        self.take_while(|c| c.is_ascii_digit());
        let rest = self.rest();
        let fraction = rest.strip_prefix('.').is_some_and(|after| after.starts_with(|c: char| c.is_ascii_digit()));
        if fraction {
            self.at += 1;
            self.take_while(|c| c.is_ascii_digit());
        }
        let text = self.text.get(start..self.at).unwrap_or_default();
        let token = if fraction {
            // WHY: JSON numbers have no leading zeros, FHIRPath's may.
            let trimmed = text.trim_start_matches('0');
            let trimmed = if trimmed.starts_with('.') { format!("0{trimmed}") } else { trimmed.to_owned() };
            Decimal::parse(&trimmed).map(Token::Decimal)
        } else {
            text.parse().ok().map(Token::Integer)
        };
        token.ok_or_else(|| ParseError { message: "number is too long".to_owned(), offset: start })
    }

    fn quoted(&mut self, quote: char) -> Result<String, ParseError> {
        let start = self.at;
        self.at += quote.len_utf8();
        let mut out = String::new();
        loop {
            out.push_str(self.take_while(|c| c != quote && c != '\\'));
            let rest = self.rest();
            if rest.starts_with(quote) {
                self.at += quote.len_utf8();
                return Ok(out);
            }
            if rest.is_empty() {
                self.at = start;
                return self.error("quote is not closed");
            }
            self.at += 1;
            self.escape(&mut out)?;
        }
    }

    /// Adds the character after a backslash.
    fn escape(&mut self, out: &mut String) -> Result<(), ParseError> {
        let Some(letter) = self.rest().chars().next() else { return self.error("quote is not closed") };
        if letter == 'u' {
            let Some(first) = self.code_unit() else { return self.error("expected four hexadecimal digits") };
            out.push(self.surrogate(first));
            return Ok(());
        }
        match letter {
            'n' => out.push('\n'),
            'r' => out.push('\r'),
            't' => out.push('\t'),
            'f' => out.push('\u{c}'),
            '\'' | '"' | '`' | '/' | '\\' => out.push(letter),
            // WHY: R4's own invariants hold regular expressions whose backslashes were not doubled
            // (sdf-8a: '\..*'); keeping the letter alone would change their meaning.
            _ => out.extend(['\\', letter]),
        }
        self.at += letter.len_utf8();
        Ok(())
    }

    fn code_unit(&mut self) -> Option<u32> {
        let digits = self.rest().get(1..5).filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()))?;
        self.at += 5;
        u32::from_str_radix(digits, 16).ok()
    }

    /// A character from one code unit, or from two when they are a surrogate pair.
    fn surrogate(&mut self, first: u32) -> char {
        if let Some(plain) = char::from_u32(first) {
            return plain;
        }
        let before = self.at;
        if first < 0xdc00 && self.rest().starts_with("\\u") {
            self.at += 1;
            if let Some(second) = self.code_unit().filter(|unit| (0xdc00..0xe000).contains(unit)) {
                let joined = 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
                return char::from_u32(joined).unwrap_or(char::REPLACEMENT_CHARACTER);
            }
            self.at = before;
        }
        char::REPLACEMENT_CHARACTER
    }

    fn temporal(&mut self) -> Result<Token, ParseError> {
        let start = self.at;
        self.at += 1;
        let value = if let Some(after) = self.rest().strip_prefix('T') {
            self.at += 1;
            let length = time_length(after);
            self.at += length;
            let zoned = self.rest().starts_with(['Z', '+']);
            if zoned {
                return self.error("a time of day has no offset");
            }
            after.get(..length).and_then(Temporal::parse_time)
        } else {
            let rest = self.rest();
            let date = date_length(rest);
            let timed = rest.get(date..).is_some_and(|after| after.starts_with('T'));
            if timed {
                let time = rest.get(date + 1..).map_or(0, time_length);
                let zone = if time > 0 { rest.get(date + 1 + time..).map_or(0, zone_length) } else { 0 };
                self.at += date + 1 + time + zone;
            } else {
                self.at += date;
            }
            let text = self.text.get(start + 1..self.at).unwrap_or_default();
            if timed { Temporal::parse_date_time(text) } else { Temporal::parse_date(text) }
        };
        value.map(Token::Temporal).ok_or_else(|| ParseError { message: "not a date or time".to_owned(), offset: start })
    }
}

/// Length of the longest prefix that follows a pattern: `0` a digit, anything else itself; cut at a group.
fn groups(text: &str, patterns: &[&str]) -> usize {
    let mut at = 0;
    for pattern in patterns {
        let Some(part) = text.get(at..at + pattern.len()) else { return at };
        let fits = part.bytes().zip(pattern.bytes()).all(|(b, p)| if p == b'0' { b.is_ascii_digit() } else { b == p });
        if !fits {
            return at;
        }
        at += pattern.len();
    }
    at
}

fn date_length(text: &str) -> usize {
    groups(text, &["0000", "-00", "-00"])
}

fn time_length(text: &str) -> usize {
    let whole = groups(text, &["00", ":00", ":00"]);
    if whole < 8 {
        return whole;
    }
    let digits = text.get(whole + 1..).map_or(0, |after| after.bytes().take_while(u8::is_ascii_digit).count());
    let fraction = text.get(whole..).is_some_and(|after| after.starts_with('.'));
    if fraction && digits > 0 { whole + 1 + digits } else { whole }
}

fn zone_length(text: &str) -> usize {
    if text.starts_with('Z') { 1 } else { groups(text, &["+00:00"]).max(groups(text, &["-00:00"])) }
}
