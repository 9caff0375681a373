//! Separators in search values: `,` between alternatives, `$` between components, `|` within a token
//! or quantity; a backslash takes their meaning away. SPEC: R4 search.html#escaping.

/// Splits at a separator that no backslash precedes; escapes stay in the parts. Never empty.
pub(super) fn split(text: &str, separator: char) -> Vec<&str> {
    let (mut parts, mut start, mut escaped) = (Vec::new(), 0, false);
    for (at, c) in text.char_indices() {
        if escaped {
            escaped = false;
        } else if c == '\\' {
            escaped = true;
        } else if c == separator {
            parts.push(text.get(start..at).unwrap_or_default());
            start = at + separator.len_utf8();
        }
    }
    parts.push(text.get(start..).unwrap_or_default());
    parts
}

/// Resolves the escapes.
pub(super) fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let is_escape = c == '\\' && matches!(chars.peek(), Some(',' | '|' | '$' | '\\'));
        out.push(if is_escape { chars.next().unwrap_or(c) } else { c });
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{split, unescape};
    use proptest::prelude::*;

    #[test]
    fn r4_escapes() {
        assert_eq!(split(r"a\,b,c", ','), [r"a\,b", "c"]);
        assert_eq!(split(r"a\\,b", ','), [r"a\\", "b"]);
        assert_eq!(unescape(r"a\,b\|c\$d\\e"), r"a,b|c$d\e");
        assert_eq!(unescape(r"C:\temp\"), r"C:\temp\");
    }

    proptest! {
        #[test]
        fn escaped_text_comes_back(text in "\\PC{0,20}") {
            let escaped: String = text
                .chars()
                .flat_map(|c| matches!(c, ',' | '|' | '$' | '\\').then_some('\\').into_iter().chain([c]))
                .collect();
            prop_assert_eq!(split(&escaped, ',').len(), 1);
            prop_assert_eq!(unescape(&escaped), text);
        }
    }
}
