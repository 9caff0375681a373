//! How a slice is told: what a profile says of a slice at the path of a discriminator, in the slice itself, in
//! the profiles of its types, in those of what it refers to.

use super::{Compiler, SEARCH_DEPTH_MAX};
use crate::profile::discriminator::{Expect, Step, Test};
use crate::profile::fixed::Values;
use crate::profile::shape::ProfileRef;
use fhir::json::Value;
use fhir::schema::{BindingStrength, Profile};

/// The search for what a slice says at a discriminator's path.
pub(super) struct Search<'c, 's> {
    pub(super) compiler: &'c Compiler<'s>,
    pub(super) kind: &'c str,
    pub(super) tests: &'c mut Vec<Test>,
    /// The steps taken from the slice.
    pub(super) taken: Vec<Step>,
}

impl Search<'_, '_> {
    fn add(&mut self, expect: Expect) {
        self.tests.push(Test { path: self.taken.clone(), expect });
    }

    /// Looks at a draft of this profile with the steps that remain.
    pub(super) fn node(&mut self, at: usize, rest: &[Step], depth: usize) {
        let Some(draft) = self.compiler.draft(at) else { return };
        if depth > SEARCH_DEPTH_MAX {
            return;
        }
        let Some((step, below)) = rest.split_first() else { return self.statement(at, depth) };
        // A value above the path speaks for what is below it.
        if let Some(values) = draft.values.as_deref()
            && matches!(self.kind, "value" | "pattern")
            && self.inside_value(values, rest)
        {
            return;
        }
        self.taken.push(step.clone());
        match step {
            Step::Child(name) => {
                if let Some(child) = self.compiler.child_named(at, name) {
                    self.node(child, below, depth + 1);
                } else {
                    self.of_profiles(at, rest, depth);
                }
            }
            Step::OfType(name) => {
                // The type slice of a choice, or the choice itself when it has one type.
                let slices = self.compiler.draft(at).map(|draft| draft.slices.clone()).unwrap_or_default();
                let typed = slices
                    .into_iter()
                    .find(|slice| self.compiler.types_said(*slice).iter().any(|one| one.code == *name));
                self.node(typed.unwrap_or(at), below, depth + 1);
            }
            Step::Extension(url) => {
                let extension = self.compiler.child_named(at, "extension");
                let slices = extension.and_then(|at| self.compiler.draft(at)).map(|one| one.slices.clone());
                let slice = slices
                    .unwrap_or_default()
                    .into_iter()
                    .find(|slice| self.compiler.slice_urls(*slice).iter().any(|one| one == url));
                if let Some(slice) = slice {
                    self.node(slice, below, depth + 1);
                }
            }
            Step::Resolve => self.of_targets(at, below, depth),
        }
        self.taken.pop();
    }

    /// What the draft at the end of the path says.
    fn statement(&mut self, at: usize, depth: usize) {
        let Some(draft) = self.compiler.draft(at) else { return };
        match self.kind {
            "exists" => {
                let Some(says) = draft.says else { return };
                if says.max == Some(0) {
                    self.add(Expect::Exists(false));
                } else if says.min.is_some_and(|min| min > 0) {
                    self.add(Expect::Exists(true));
                }
            }
            "type" => {
                let names: Vec<&'static str> = if self.taken.last() == Some(&Step::Resolve) {
                    Vec::new()
                } else {
                    self.compiler.types_said(at).iter().map(|one| one.code).collect()
                };
                let names = if names.is_empty() { self.type_by_name(at) } else { names };
                if !names.is_empty() {
                    self.add(Expect::Types(names));
                }
            }
            "profile" => {
                let profiles: Vec<ProfileRef> = self
                    .compiler
                    .types_said(at)
                    .iter()
                    .flat_map(|one| &one.profiles)
                    .map(|canonical| self.compiler.named(canonical))
                    .collect();
                if !profiles.is_empty() {
                    self.add(Expect::Profiles(profiles));
                }
            }
            _ => self.value(at, depth),
        }
    }

    /// `valueQuantity` as the name of a type slice that lists no types.
    fn type_by_name(&self, at: usize) -> Vec<&'static str> {
        self.compiler.type_of(at).map(|of| of.name).into_iter().collect()
    }

    /// A value: fixed, pattern or required codes, here or below.
    fn value(&mut self, at: usize, depth: usize) {
        let Some(draft) = self.compiler.draft(at) else { return };
        if let Some(values) = draft.values.as_deref() {
            if let Some(fixed) = &values.fixed {
                return self.add(Expect::Fixed(fixed.clone()));
            }
            if let Some(pattern) = &values.pattern {
                return self.add(Expect::Pattern(pattern.clone()));
            }
        }
        let before = self.tests.len();
        if depth <= SEARCH_DEPTH_MAX {
            for child in &draft.children {
                let Some(name) = self.compiler.draft(*child).map(|child| child.name) else { continue };
                if matches!(name, "extension" | "id") {
                    continue;
                }
                self.taken.push(Step::Child(name));
                self.value(*child, depth + 1);
                self.taken.pop();
            }
        }
        if self.tests.len() > before {
            return;
        }
        if let Some(binding) = draft.says.and_then(|says| says.binding)
            && binding.strength == BindingStrength::Required
        {
            return self.add(Expect::Codes(self.compiler.bound(binding)));
        }
        self.of_profiles(at, &[], depth);
    }

    /// Whether a fixed or pattern value tells what is at the rest of the path; adds the condition.
    fn inside_value(&mut self, values: &Values, rest: &[Step]) -> bool {
        let (tree, is_fixed) = match (&values.fixed, &values.pattern) {
            (Some(tree), _) => (tree, true),
            (None, Some(tree)) => (tree, false),
            (None, None) => return false,
        };
        let mut found = Some(tree.root());
        for step in rest {
            let Step::Child(name) = step else { return false };
            found = found.and_then(|value| first_of(value).get(name));
        }
        let Some(value) = found else { return false };
        let tree = first_of(value).to_tree();
        let taken = self.taken.len();
        self.taken.extend(rest.iter().cloned());
        self.add(if is_fixed { Expect::Fixed(tree) } else { Expect::Pattern(tree) });
        self.taken.truncate(taken);
        true
    }

    /// Looks into the profiles that narrow an element's type. `rest`: steps from this element.
    fn of_profiles(&mut self, at: usize, rest: &[Step], depth: usize) {
        let profiles: Vec<&'static str> =
            self.compiler.types_said(at).iter().flat_map(|one| one.profiles.iter().copied()).collect();
        if let [only] = profiles.as_slice()
            && let Some(profile) = self.compiler.named(only).profile
        {
            let skip = self.taken.len().saturating_sub(usize::from(!rest.is_empty()));
            let own = self.taken.split_off(skip);
            self.of_profile(profile, rest, depth);
            self.taken.truncate(skip);
            self.taken.extend(own);
        }
    }

    /// Looks into the profiles of what a reference points at.
    fn of_targets(&mut self, at: usize, rest: &[Step], depth: usize) {
        let targets: Vec<&'static str> =
            self.compiler.types_said(at).iter().flat_map(|one| one.targets.iter().copied()).collect();
        match self.kind {
            "profile" if rest.is_empty() => {
                let profiles = targets.iter().map(|name| self.compiler.named(name)).collect();
                self.add(Expect::Profiles(profiles));
            }
            "type" if rest.is_empty() => {
                let names = targets.iter().map(|name| {
                    let short = name.strip_prefix("http://hl7.org/fhir/StructureDefinition/").unwrap_or(name);
                    self.compiler.named(name).profile.map_or(short, |profile| profile.type_name)
                });
                let names = names.collect();
                self.add(Expect::Types(names));
            }
            _ => {
                if let [only] = targets.as_slice()
                    && let Some(profile) = self.compiler.named(only).profile
                {
                    self.of_profile(profile, rest, depth);
                }
            }
        }
    }

    /// What another profile says at a path below its root, read from its elements.
    fn of_profile(&mut self, profile: &'static Profile, rest: &[Step], depth: usize) {
        if depth > SEARCH_DEPTH_MAX {
            return;
        }
        let inner = Compiler::new(profile, self.compiler.sources);
        let mut search = Search { compiler: &inner, kind: self.kind, tests: self.tests, taken: self.taken.clone() };
        search.node(0, rest, depth + 2);
    }
}

fn first_of(value: Value<'_>) -> Value<'_> {
    value.items_or_self().next().unwrap_or(value)
}
