//! Taking a search parameter's union apart: of `AllergyIntolerance.patient | CarePlan.subject` a
//! CarePlan needs the second part only.
//!
//! Works on text, not on the parsed tree: it only has to find `|` outside of brackets and quotes and
//! to read the first name of each part. What it does not recognise it keeps, so that the result
//! means the same on a resource of the type.

use fhir::ResourceType;

/// The parts of an expression that can yield something on a resource of this type.
pub(super) fn of_type(expression: &str, type_name: &str) -> String {
    let parts = parts(expression);
    let kept: Vec<&str> = parts.iter().copied().filter(|part| concerns(part, type_name)).collect();
    if kept.len() == parts.len() { expression.to_owned() } else { kept.join(" | ") }
}

fn concerns(part: &str, type_name: &str) -> bool {
    let start = part.trim_start_matches(['(', ' ']);
    let end = start.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(start.len());
    let (first, rest) = start.split_at(end);
    // A union inside brackets would hide other types behind its first name.
    let is_nested = part.trim_start().starts_with('(') && part.contains('|');
    is_nested || first == type_name || ResourceType::parse(first).is_err() || rest.starts_with('`')
}

/// The parts of a union.
pub(super) fn parts(expression: &str) -> Vec<&str> {
    let (mut parts, mut start, mut depth, mut quote) = (Vec::new(), 0, 0_i32, None);
    let mut escaped = false;
    for (at, c) in expression.char_indices() {
        match (quote, c) {
            (Some(_), _) if escaped => escaped = false,
            (Some(_), '\\') => escaped = true,
            (Some(open), _) if c == open => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '`' | '"') => quote = Some(c),
            (None, '(' | '[' | '{') => depth += 1,
            (None, ')' | ']' | '}') => depth -= 1,
            (None, '|') if depth == 0 => {
                parts.push(expression.get(start..at).unwrap_or_default().trim());
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(expression.get(start..).unwrap_or_default().trim());
    parts
}

#[cfg(test)]
mod tests {
    use super::of_type;

    #[test]
    fn keeps_what_concerns_the_type() {
        let union = "AllergyIntolerance.code | (Observation.code as CodeableConcept) | Observation.where(x = 'a|b').y";
        assert_eq!(of_type(union, "AllergyIntolerance"), "AllergyIntolerance.code");
        assert_eq!(
            of_type(union, "Observation"),
            "(Observation.code as CodeableConcept) | Observation.where(x = 'a|b').y"
        );
    }

    #[test]
    fn keeps_what_it_does_not_know() {
        assert_eq!(of_type("(A.b | Patient.c).d", "Observation"), "(A.b | Patient.c).d");
        assert_eq!(of_type("Resource.meta.tag", "Observation"), "Resource.meta.tag");
    }
}
