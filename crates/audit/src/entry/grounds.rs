//! On what grounds something was asked for and decided: purposes of use, a broken glass, and what counted in the
//! decision. Rows F18, F20, F21, F48 to F50, G18.
//!
//! | bytes | what |
//! |---|---|
//! | 1 | bit 0: a glass was broken, bit 1: somebody outside got it |
//! | number, then for each: text | purposes of use |
//! | text | id of the broken glass, when bit 0 is set |
//! | number, then for each: 1, text | what counted: kind (bits 0 to 3) and effect (bits 4 to 7), name |
//! | number, then for each: 1, text, text | labels of what left: number of the system, the system when that is 0, code |
//!
//! Left out: why each counted; `$explain-access` says that of the state of now. A list over its limit is cut.

use super::{Reader, TEXT_BYTES_MAX, put_number, put_text};
use std::sync::Arc;

/// Purposes of one entry; a token has at most as many.
const PURPOSES_MAX: usize = 16;

/// What counted in one decision, at most: more than any patient's consents in force and a house's rules.
const COUNTED_MAX: usize = 64;

/// Labels of one entry: one confidentiality, and the sensitivities and marks of a page.
const LABELS_MAX: usize = 32;

const GLASS: u8 = 1;
const DISCLOSED: u8 = 2;

/// Numbers stay for ever: logs are kept for years. 0 is any other system, spelled out.
const SYSTEMS: [&str; 3] = [
    "http://terminology.hl7.org/CodeSystem/v3-Confidentiality",
    "http://terminology.hl7.org/CodeSystem/v3-ActCode",
    "http://terminology.hl7.org/CodeSystem/v3-ObservationValue",
];

/// On what grounds. Nothing in it: none are known.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Grounds {
    /// Purposes of use: plain codes of v3-ActReason. Empty: unknown, or those of [`super::Organization`].
    pub purposes: Vec<Arc<str>>,
    /// The glass that was broken for it: the id of its reason, which the authorization server keeps.
    pub glass: Option<Arc<str>>,
    /// Somebody outside the house got it, in the sense of the accounting of disclosures (row F21), as the house's
    /// setting said when it was recorded.
    pub disclosed: bool,
    /// What counted in the decision, in the order in which it was looked at.
    pub counted: Vec<Counted>,
    /// Security labels of what left, each once.
    pub labels: Vec<Label>,
}

/// One thing that counted in a decision.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Counted {
    /// What it is.
    pub what: Counts,
    /// For what it counted.
    pub effect: Effect,
    /// A consent's logical id, a label's code, a rule's name, a relation's or default's word. No text about a person.
    pub name: Arc<str>,
}

/// What can count in a decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Counts {
    /// A Consent, by its logical id.
    Consent,
    /// A security label, by its code.
    Label,
    /// A rule of the operator, by its name.
    Rule,
    /// A relation between the caller and the patient, by our word for it.
    Relation,
    /// The house's default where no consent speaks, by its word.
    Default,
}

/// What it did to the decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Effect {
    /// It allowed.
    Permit,
    /// It kept a part back.
    Withhold,
    /// It forbade all of it.
    Deny,
}

/// A security label.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Label {
    /// Its system.
    pub system: Arc<str>,
    /// Its code.
    pub code: Arc<str>,
}

const COUNTS: [Counts; 5] = [Counts::Consent, Counts::Label, Counts::Rule, Counts::Relation, Counts::Default];
const EFFECTS: [Effect; 3] = [Effect::Permit, Effect::Withhold, Effect::Deny];

impl Counts {
    /// The word for it in rendered events.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Consent => "consent",
            Self::Label => "label",
            Self::Rule => "rule",
            Self::Relation => "relation",
            Self::Default => "default",
        }
    }

    const fn number(self) -> u8 {
        match self {
            Self::Consent => 0,
            Self::Label => 1,
            Self::Rule => 2,
            Self::Relation => 3,
            Self::Default => 4,
        }
    }
}

impl Effect {
    /// The word for it in rendered events.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Permit => "permit",
            Self::Withhold => "withhold",
            Self::Deny => "deny",
        }
    }

    const fn number(self) -> u8 {
        match self {
            Self::Permit => 0,
            Self::Withhold => 1,
            Self::Deny => 2,
        }
    }
}

impl Grounds {
    /// Whether none are known: such an entry is written as before there were grounds.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Adds what counted, once.
    pub fn count(&mut self, what: Counts, effect: Effect, name: &str) {
        let counted = Counted { what, effect, name: name.into() };
        if self.counted.len() < COUNTED_MAX && !self.counted.contains(&counted) {
            self.counted.push(counted);
        }
    }

    /// Adds a label of what left, once.
    pub fn label(&mut self, system: &str, code: &str) {
        let label = Label { system: system.into(), code: code.into() };
        if self.labels.len() < LABELS_MAX && !self.labels.contains(&label) {
            self.labels.push(label);
        }
    }

    pub(super) fn put(&self, out: &mut Vec<u8>) {
        out.push(if self.glass.is_some() { GLASS } else { 0 } | if self.disclosed { DISCLOSED } else { 0 });
        put_number(out, self.purposes.len().min(PURPOSES_MAX) as u64);
        for purpose in self.purposes.iter().take(PURPOSES_MAX) {
            put_text(out, purpose, TEXT_BYTES_MAX);
        }
        if let Some(glass) = &self.glass {
            put_text(out, glass, TEXT_BYTES_MAX);
        }
        put_number(out, self.counted.len().min(COUNTED_MAX) as u64);
        for counted in self.counted.iter().take(COUNTED_MAX) {
            out.push(counted.what.number() | counted.effect.number() << 4);
            put_text(out, &counted.name, TEXT_BYTES_MAX);
        }
        put_number(out, self.labels.len().min(LABELS_MAX) as u64);
        for label in self.labels.iter().take(LABELS_MAX) {
            match SYSTEMS.iter().zip(1u8..).find(|(system, _)| ***system == *label.system) {
                Some((_, number)) => out.push(number),
                None => {
                    out.push(0);
                    put_text(out, &label.system, TEXT_BYTES_MAX);
                }
            }
            put_text(out, &label.code, TEXT_BYTES_MAX);
        }
    }

    /// `None` also for grounds that say nothing: they are written in another version.
    pub(super) fn read(r: &mut Reader<'_>) -> Option<Self> {
        fn text(r: &mut Reader<'_>) -> Option<Arc<str>> {
            r.text(TEXT_BYTES_MAX).map(Arc::from)
        }
        let bits = r.byte()?;
        if bits & !(GLASS | DISCLOSED) != 0 {
            return None;
        }
        let mut grounds = Self { disclosed: bits & DISCLOSED != 0, ..Self::default() };
        for _ in 0..r.length(PURPOSES_MAX)? {
            grounds.purposes.push(text(r)?);
        }
        if bits & GLASS != 0 {
            grounds.glass = Some(text(r)?);
        }
        for _ in 0..r.length(COUNTED_MAX)? {
            let byte = r.byte()?;
            let what = COUNTS.get(usize::from(byte & 15)).copied()?;
            let effect = EFFECTS.get(usize::from(byte >> 4)).copied()?;
            grounds.counted.push(Counted { what, effect, name: text(r)? });
        }
        for _ in 0..r.length(LABELS_MAX)? {
            let system = match r.byte()? {
                0 => text(r).filter(|system| !SYSTEMS.contains(&&**system))?,
                number => Arc::from(*SYSTEMS.get(usize::from(number) - 1)?),
            };
            grounds.labels.push(Label { system, code: text(r)? });
        }
        (!grounds.is_empty()).then_some(grounds)
    }
}
