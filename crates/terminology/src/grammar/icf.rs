//! ICF by its shape: components and chapters are known, what is below them has to be loaded.
//!
//! SPEC: WHO, International Classification of Functioning, Disability and Health: a component letter, a
//! chapter digit, two digits for the category, one or two for its parts; after a dot qualifiers. Not
//! here: names of chapters and categories, which are WHO's; the operator loads them.

use super::ICF;
use crate::{
    builder::{BuildError, Builder},
    code_system::Completeness,
    truth::Truth,
};

/// Component and the number of its chapters.
const COMPONENTS: [(char, u8); 4] = [('b', 8), ('s', 8), ('d', 9), ('e', 5)];

/// Digits after the letter: none, chapter, category, and the third and fourth level.
const LENGTHS: [usize; 5] = [0, 1, 3, 4, 5];

/// A component or chapter, with or without the qualifiers, is none of a list's: no code of another shape is
/// a code at all; of this shape, it cannot be known here.
pub(super) fn check(code: &str) -> Truth {
    let (stem, qualifiers) = code.split_once('.').map_or((code, None), |(stem, rest)| (stem, Some(rest)));
    let mut letters = stem.chars();
    let Some((_, chapters)) =
        letters.next().and_then(|first| COMPONENTS.into_iter().find(|one| one.0 == first.to_ascii_lowercase()))
    else {
        return Truth::No;
    };
    let digits = letters.as_str();
    let shaped = LENGTHS.contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    let chapter = digits.bytes().next().map_or(1, |byte| byte.wrapping_sub(b'0'));
    let qualified = qualifiers.is_none_or(|text| {
        !text.is_empty() && text.len() <= 4 && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'+')
    });
    if shaped && qualified && (1..=chapters).contains(&chapter) { Truth::Unsure } else { Truth::No }
}

/// Components and chapters as a code system that has only a part of its codes.
pub(crate) fn builder() -> Result<Builder, BuildError> {
    let mut builder = Builder::complete(ICF, "", "ICF");
    builder.about().completeness = Completeness::Part;
    for (component, chapters) in COMPONENTS {
        let top = builder.concept(&component.to_string())?;
        for chapter in 1..=chapters {
            let below = builder.concept(&format!("{component}{chapter}"))?;
            builder.parent(below, top)?;
        }
    }
    Ok(builder)
}
