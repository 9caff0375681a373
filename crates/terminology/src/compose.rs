//! How a value set is composed, apart from where it is written: facts of a package or a resource in a
//! request. SPEC: R4 valueset.html#compositions.

use fhir::schema;
use std::borrow::Cow;

/// Text of a definition: compiled in, or of a request.
pub(crate) type Text = Cow<'static, str>;

/// What a value set includes and excludes.
#[derive(Debug, Clone, Default)]
pub(crate) struct Compose {
    /// Canonical of the value set; empty when it has none.
    pub(crate) url: Text,
    /// Package of the definition (`name#version`); empty for others.
    pub(crate) package: &'static str,
    /// Whether retired codes belong; `None` when unsaid.
    pub(crate) inactive: Option<bool>,
    pub(crate) parts: Vec<Part>,
}

/// One include or exclude.
#[derive(Debug, Clone, Default)]
pub(crate) struct Part {
    pub(crate) is_exclude: bool,
    pub(crate) system: Text,
    pub(crate) version: Text,
    /// Code and display.
    pub(crate) codes: Vec<(Text, Text)>,
    /// Property, operator, value.
    pub(crate) filters: Vec<[Text; 3]>,
    pub(crate) value_sets: Vec<Text>,
}

/// The composition of a package's value set.
pub(crate) fn of_facts(set: &schema::ValueSet) -> Compose {
    let part = |part: &schema::ValueSetPart| Part {
        is_exclude: part.is_exclude,
        system: part.system.into(),
        version: part.system_version.into(),
        codes: part.codes.iter().map(|one| (one.code.into(), one.display.into())).collect(),
        filters: part.filters.iter().map(|one| [one.property.into(), one.operator.into(), one.value.into()]).collect(),
        value_sets: part.value_sets.iter().map(|one| (*one).into()).collect(),
    };
    Compose {
        url: set.url.into(),
        package: set.package,
        inactive: set.inactive,
        parts: set.parts.iter().map(part).collect(),
    }
}
