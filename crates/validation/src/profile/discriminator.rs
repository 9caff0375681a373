//! Discriminators: how it is told to which slice an element belongs.
//! SPEC: R4 profiling.html#discriminator, elementdefinition.html `slicing.discriminator`.
//!
//! Kinds: value, pattern, exists, type, profile. Paths: `$this`, names, `resolve()`, `ofType(T)`, `as(T)`,
//! `extension(url)`. What cannot be told (a code of a system that is not loaded, a target that is not to be
//! had) is [`Verdict::Unknown`], and never puts an element into a slice.

use super::fixed;
use super::shape::{Bound, ProfileRef};
use crate::walk::{Inside, Walk};
use fhir::element::Element;
use fhir::json::Tree;

/// One condition of a slice: some element at the path meets what is expected.
#[derive(Debug, Clone)]
pub(crate) struct Test {
    pub(crate) path: Vec<Step>,
    pub(crate) expect: Expect,
}

/// One step of a discriminator's path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    Child(&'static str),
    Resolve,
    OfType(&'static str),
    Extension(&'static str),
}

/// What the element at a discriminator's path must be.
#[derive(Debug, Clone)]
pub(crate) enum Expect {
    /// An extension with one of these URLs: the path is that of the extension itself.
    Urls(Vec<String>),
    Fixed(Tree),
    Pattern(Tree),
    Codes(Bound),
    /// Whether there is any.
    Exists(bool),
    Types(Vec<&'static str>),
    Profiles(Vec<ProfileRef>),
}

/// An answer that may be open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Verdict {
    No,
    Unknown,
    Yes,
}

impl From<bool> for Verdict {
    fn from(value: bool) -> Self {
        if value { Self::Yes } else { Self::No }
    }
}

/// Reads the path of a discriminator; `None` when it is beyond what R4 allows there.
pub(crate) fn path(text: &'static str) -> Option<Vec<Step>> {
    let mut steps = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let name_end = rest.find(['.', '(']).unwrap_or(rest.len());
        let (name, after) = rest.split_at(name_end);
        if let Some(inside) = after.strip_prefix('(') {
            let (argument, after) = split_call(inside)?;
            let argument = argument.trim().trim_matches(['\'', '"', '`']);
            match name.trim() {
                "resolve" if argument.is_empty() => steps.push(Step::Resolve),
                "ofType" | "as" => steps.push(Step::OfType(argument.rsplit('.').next().unwrap_or(argument))),
                "extension" => steps.push(Step::Extension(argument)),
                _ => return None,
            }
            rest = after;
        } else {
            match name.trim() {
                "$this" => {}
                "" => return None,
                name if name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') => {
                    steps.push(Step::Child(name));
                }
                _ => return None,
            }
            rest = after;
        }
        rest = match rest.strip_prefix('.') {
            Some("") => return None,
            Some(after) => after,
            None if rest.is_empty() => "",
            None => return None,
        };
    }
    Some(steps)
}

/// The argument of a call and what stands behind its closing bracket; quotes may hold brackets.
fn split_call(text: &'static str) -> Option<(&'static str, &'static str)> {
    let mut quote = None;
    for (at, one) in text.char_indices() {
        match (quote, one) {
            (None, '\'' | '"' | '`') => quote = Some(one),
            (Some(open), one) if open == one => quote = None,
            (None, ')') => return Some((text.get(..at)?, text.get(at + 1..)?)),
            _ => {}
        }
    }
    None
}

impl<'t> Walk<'t> {
    /// Whether an element meets all conditions of a slice.
    pub(crate) fn belongs(&self, element: Element<'t>, tests: &'t [Test], inside: &Inside<'_, 't>) -> Verdict {
        if tests.is_empty() {
            return Verdict::Unknown;
        }
        let mut least = Verdict::Yes;
        for test in tests {
            least = least.min(self.meets(element, test, inside));
            if least == Verdict::No {
                break;
            }
        }
        least
    }

    fn meets(&self, element: Element<'t>, test: &'t Test, inside: &Inside<'_, 't>) -> Verdict {
        match &test.expect {
            Expect::Urls(urls) => {
                let url = element.value.and_then(|value| value.get("url")).and_then(|url| url.as_str());
                url.is_some_and(|url| urls.iter().any(|one| *one == *url)).into()
            }
            Expect::Exists(wanted) => {
                let mut any = false;
                let reached = self.reach(element, &test.path, inside, &mut |_| {
                    any = true;
                    Verdict::Yes
                });
                match reached {
                    Verdict::Unknown => Verdict::Unknown,
                    _ => (any == *wanted).into(),
                }
            }
            expect => self.reach(element, &test.path, inside, &mut |found| self.is(found, expect, inside)),
        }
    }

    /// The best answer for any element at a path.
    fn reach(
        &self,
        element: Element<'t>,
        path: &'t [Step],
        inside: &Inside<'_, 't>,
        ask: &mut dyn FnMut(Element<'t>) -> Verdict,
    ) -> Verdict {
        let Some((step, rest)) = path.split_first() else { return ask(element) };
        let mut best = Verdict::No;
        match step {
            Step::Child(name) => element.children(name, |child| {
                if best != Verdict::Yes {
                    best = best.max(self.reach(child, rest, inside, ask));
                }
            }),
            Step::Extension(url) => element.children("extension", |child| {
                let its = child.value.and_then(|value| value.get("url")).and_then(|url| url.as_str());
                if best != Verdict::Yes && its.is_some_and(|its| its == *url) {
                    best = best.max(self.reach(child, rest, inside, ask));
                }
            }),
            Step::OfType(name) => {
                if self.is_type(element, name) {
                    best = self.reach(element, rest, inside, ask);
                }
            }
            Step::Resolve => {
                best = match self.follow(element, inside) {
                    Some(target) => self.reach(target, rest, inside, ask),
                    None => Verdict::Unknown,
                };
            }
        }
        best
    }

    fn is(&self, element: Element<'t>, expect: &'t Expect, inside: &Inside<'_, 't>) -> Verdict {
        match expect {
            Expect::Fixed(wanted) => element.value.is_some_and(|value| fixed::equals(value, wanted.root())).into(),
            Expect::Pattern(wanted) => element.value.is_some_and(|value| fixed::matches(value, wanted.root())).into(),
            Expect::Codes(bound) => self.holds(bound, &element),
            Expect::Types(names) => names.iter().any(|name| self.is_type(element, name)).into(),
            Expect::Profiles(profiles) => {
                profiles.iter().map(|one| self.conforms(element, *one, inside)).max().unwrap_or(Verdict::Unknown)
            }
            Expect::Urls(_) | Expect::Exists(_) => Verdict::Unknown,
        }
    }

    /// Whether an element has this type or one that specializes it.
    pub(crate) fn is_type(&self, element: Element<'t>, name: &str) -> bool {
        let mut definition = element.definition;
        // INVARIANT: R4's types are at most five levels deep; the bound holds for broken tables too.
        for _ in 0..8 {
            if definition.name == name {
                return true;
            }
            match self.validator.schema.type_named(definition.base) {
                Some(base) => definition = base,
                None => return false,
            }
        }
        false
    }
}
