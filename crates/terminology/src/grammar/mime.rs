//! MIME types: `type/subtype` with parameters. SPEC: RFC 6838 section 4.2, RFC 2045 section 5.1.

/// Whether a text has the form of a MIME type. Parameters may follow.
pub(super) fn is_well_formed(code: &str) -> bool {
    let (head, parameters) = code.split_once(';').map_or((code, None), |(head, rest)| (head, Some(rest)));
    let Some((kind, subtype)) = head.trim_end().split_once('/') else { return false };
    is_restricted_name(kind) && is_restricted_name(subtype) && parameters.is_none_or(are_parameters)
}

/// RFC 6838 section 4.2.
fn is_restricted_name(name: &str) -> bool {
    let starts = name.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric());
    let mark = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&byte);
    starts && name.len() <= 127 && name.bytes().all(mark)
}

fn are_parameters(text: &str) -> bool {
    let is_token = |text: &str| {
        let special = br#"()<>@,;:\"/[]?="#;
        !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic() && !special.contains(&byte))
    };
    let mut rest = text.trim();
    loop {
        let Some((name, value)) = rest.split_once('=') else { return false };
        let name = name.trim();
        let after = if let Some(quoted) = value.strip_prefix('"') {
            let Some(end) = end_of_quoted(quoted) else { return false };
            quoted.get(end + 1..).unwrap_or_default()
        } else {
            let end = value.find(';').unwrap_or(value.len());
            let plain = value.get(..end).unwrap_or_default().trim();
            if !is_token(plain) && !is_bare_uri(plain) {
                return false;
            }
            value.get(end..).unwrap_or_default()
        };
        if !is_token(name) {
            return false;
        }
        match after.trim_start() {
            "" => return true,
            more => match more.strip_prefix(';') {
                Some(more) => rest = more.trim_start(),
                None => return false,
            },
        }
    }
}

/// WHY: a URI has characters that RFC 2045 wants in quotes, and everybody who names a canonicalization in
/// `Signature.targetFormat` leaves them out (row F30).
fn is_bare_uri(text: &str) -> bool {
    let rest = ["http://", "https://", "urn:"].iter().find_map(|scheme| text.strip_prefix(scheme));
    rest.is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'"'))
}

fn end_of_quoted(text: &str) -> Option<usize> {
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return Some(at),
            _ => {}
        }
    }
    None
}
