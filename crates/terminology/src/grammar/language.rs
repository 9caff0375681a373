//! Language tags: the form of RFC 5646 section 2.1, and for two letters whether ISO 639 knows the language.
//!
//! Left out: the registry of the other subtags (regions, scripts, languages of three letters).

/// Languages of two letters: ISO 639-1.
const TWO_LETTERS: &str = "aa ab ae af ak am an ar as av ay az ba be bg bh bi bm bn bo br bs ca ce ch co cr cs cu cv \
    cy da de dv dz ee el en eo es et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu hy hz ia id ie ig \
    ii ik in io is it iu iw ja ji jv jw ka kg ki kj kk kl km kn ko kr ks ku kv kw ky la lb lg li ln lo lt lu lv mg mh \
    mi mk ml mn mo mr ms mt my na nb nd ne ng nl nn no nr nv ny oc oj om or os pa pi pl ps pt qu rm rn ro ru rw sa sc \
    sd se sg sh si sk sl sm sn so sq sr ss st su sv sw ta te tg th ti tk tl tn to tr ts tt tw ty ug uk ur uz ve vi vo \
    wa wo xh yi yo za zh zu";

/// Tags that have another form and are registered all the same. RFC 5646 section 2.2.8.
const IRREGULAR: [&str; 17] = [
    "en-gb-oed",
    "i-ami",
    "i-bnn",
    "i-default",
    "i-enochian",
    "i-hak",
    "i-klingon",
    "i-lux",
    "i-mingo",
    "i-navajo",
    "i-pwn",
    "i-tao",
    "i-tay",
    "i-tsu",
    "sgn-be-fr",
    "sgn-be-nl",
    "sgn-ch-de",
];

/// A part of a tag besides the language itself; names as R4 languages.html#filters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Subtag {
    ExtendedLanguage,
    Script,
    Region,
    Variant,
    Extension,
    PrivateUse,
}

impl Subtag {
    pub(super) fn named(property: &str) -> Option<Self> {
        Some(match property {
            "ext-lang" => Self::ExtendedLanguage,
            "script" => Self::Script,
            "region" => Self::Region,
            "variant" => Self::Variant,
            "extension" => Self::Extension,
            "private-use" => Self::PrivateUse,
            _ => return None,
        })
    }
}

/// Which parts a well-formed tag has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Tag(u8);

impl Tag {
    pub(super) fn has(self, subtag: Subtag) -> bool {
        self.0 & (1 << subtag as u8) != 0
    }

    fn with(&mut self, subtag: Subtag) {
        self.0 |= 1 << subtag as u8;
    }

    /// `None` when the form is none of a language tag.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut tag = Self::default();
        if IRREGULAR.iter().any(|one| one.eq_ignore_ascii_case(text)) {
            return Some(tag);
        }
        let mut parts = text.split('-').peekable();
        let alpha = |part: &str| part.bytes().all(|byte| byte.is_ascii_alphabetic());
        let mark = |part: &str| !part.is_empty() && part.len() <= 8 && part.bytes().all(|b| b.is_ascii_alphanumeric());
        let language = parts.next()?;
        if language.eq_ignore_ascii_case("x") {
            tag.with(Subtag::PrivateUse);
            parts.peek()?;
            return parts.all(mark).then_some(tag);
        }
        match language.len() {
            2 if !TWO_LETTERS.split_ascii_whitespace().any(|one| one.eq_ignore_ascii_case(language)) => return None,
            2..=8 if alpha(language) => {}
            _ => return None,
        }
        let mut extended = 0;
        while language.len() <= 3 && extended < 3 && parts.peek().is_some_and(|part| part.len() == 3 && alpha(part)) {
            parts.next();
            extended += 1;
            tag.with(Subtag::ExtendedLanguage);
        }
        if parts.next_if(|part| part.len() == 4 && alpha(part)).is_some() {
            tag.with(Subtag::Script);
        }
        let region = |part: &&str| {
            (part.len() == 2 && alpha(part)) || (part.len() == 3 && part.bytes().all(|byte| byte.is_ascii_digit()))
        };
        if parts.next_if(region).is_some() {
            tag.with(Subtag::Region);
        }
        let variant = |part: &&str| {
            mark(part) && (part.len() >= 5 || (part.len() == 4 && part.starts_with(|one: char| one.is_ascii_digit())))
        };
        while parts.next_if(variant).is_some() {
            tag.with(Subtag::Variant);
        }
        while let Some(singleton) = parts.next() {
            if singleton.eq_ignore_ascii_case("x") {
                tag.with(Subtag::PrivateUse);
                parts.peek()?;
                return parts.all(mark).then_some(tag);
            }
            if singleton.len() != 1 || !mark(singleton) {
                return None;
            }
            tag.with(Subtag::Extension);
            let mut held = 0;
            while parts.next_if(|part| part.len() >= 2 && mark(part)).is_some() {
                held += 1;
            }
            if held == 0 {
                return None;
            }
        }
        Some(tag)
    }
}
