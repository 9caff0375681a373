//! A profile's elements made into a [`Shape`]: names to positions, slices below what they slice, and nothing
//! that base R4 says already.

mod told;

use super::discriminator::{self, Expect, Test};
use super::fixed::Values;
use super::mended;
use super::shape::{Bound, NONE, Need, Node, ProfileRef, Shape, Slice, Slicing, SlicingRules, Target, TypeRule};
use crate::invariant::{self, Invariant};
use fhir::schema::{
    Binding, BindingStrength, Constraint, Definitions, ElementDefinition, Profile, ProfileElement, ProfileType, Schema,
    TypeDefinition,
};
use terminology::Terminology;
use told::Search;

/// How deep discriminators look for what tells a slice.
const SEARCH_DEPTH_MAX: usize = 12;

/// What a profile is compiled against.
#[derive(Clone, Copy)]
pub(crate) struct Sources<'s> {
    pub(crate) schema: &'s Schema,
    pub(crate) definitions: &'s Definitions,
    pub(crate) terminology: &'s Terminology,
}

/// A node in the making.
struct Draft<'s> {
    id: String,
    name: &'static str,
    slice: Option<&'static str>,
    /// The element that a slice slices, or the element above.
    parent: Option<usize>,
    base: Option<&'s ElementDefinition>,
    says: Option<&'static ProfileElement>,
    children: Vec<usize>,
    slices: Vec<usize>,
    values: Option<Box<Values>>,
}

struct Compiler<'s> {
    sources: Sources<'s>,
    profile: &'static Profile,
    drafts: Vec<Draft<'s>>,
}

/// Compiles one profile.
pub(crate) fn compile(profile: &'static Profile, sources: Sources<'_>) -> Shape {
    let compiler = Compiler::new(profile, sources);
    let mut nodes: Vec<Node> = (0..compiler.drafts.len()).map(|at| compiler.node(at)).collect();
    told_by_codes(&mut nodes);
    compiler.content_references(&mut nodes);
    let name = if profile.version.is_empty() {
        profile.url.to_owned()
    } else {
        format!("{}|{}", profile.url, profile.version)
    };
    Shape { name, nodes, urls: extension_urls(profile) }
}

/// An element that is in a slice because its codes are of a value set need not be asked for them again.
fn told_by_codes(nodes: &mut [Node]) {
    let is_told = |test: &Test, bound: &Bound| {
        test.path.is_empty() && matches!(&test.expect, Expect::Codes(by) if by.canonical == bound.canonical)
    };
    let slices = nodes.iter().filter_map(|node| node.slicing.as_ref()).flat_map(|slicing| &slicing.slices);
    let told: Vec<usize> = slices
        .filter_map(|slice| {
            let bound = nodes.get(slice.node as usize)?.binding.as_ref()?;
            slice.tests.iter().any(|test| is_told(test, bound)).then_some(slice.node as usize)
        })
        .collect();
    for at in told {
        if let Some(node) = nodes.get_mut(at) {
            node.binding = None;
        }
    }
}

/// The URLs that an extension of this definition carries in resources: the one that it fixes, and its
/// canonical, should the two differ (docs/profiles.md, "event-location").
fn extension_urls(profile: &'static Profile) -> Vec<String> {
    if profile.type_name != "Extension" {
        return Vec::new();
    }
    let fixed = profile.elements.iter().find(|one| one.id == "Extension.url").and_then(|one| Values::read(one.values));
    let fixed = fixed.and_then(|values| values.fixed?.root().as_str().map(|text| text.into_owned()));
    let mut urls: Vec<String> = fixed.into_iter().collect();
    if urls.iter().all(|one| one != profile.url) {
        urls.push(profile.url.to_owned());
    }
    urls
}

impl<'s> Compiler<'s> {
    /// The drafts of a profile's elements.
    fn new(profile: &'static Profile, sources: Sources<'s>) -> Self {
        let mut compiler = Self { sources, profile, drafts: Vec::with_capacity(profile.elements.len() + 1) };
        compiler.drafts.push(Draft {
            id: profile.type_name.to_owned(),
            name: profile.type_name,
            slice: None,
            parent: None,
            base: None,
            says: None,
            children: Vec::new(),
            slices: Vec::new(),
            values: None,
        });
        for element in &profile.elements {
            let at = compiler.place(element);
            if let Some(draft) = compiler.drafts.get_mut(at) {
                draft.says = Some(element);
                draft.values = Values::read(element.values);
            }
        }
        compiler
    }

    fn draft(&self, at: usize) -> Option<&Draft<'s>> {
        self.drafts.get(at)
    }

    fn says(&self, at: usize) -> Option<&'static ProfileElement> {
        self.draft(at)?.says
    }

    /// The draft of an element of the profile, made with all above it.
    fn place(&mut self, element: &'static ProfileElement) -> usize {
        let mut at = 0;
        for (name, slice) in element.steps() {
            at = self.child(at, name);
            if let Some(slice) = slice {
                at = self.slice(at, slice);
            }
        }
        at
    }

    fn child(&mut self, parent: usize, name: &'static str) -> usize {
        let plain = name.strip_suffix("[x]").unwrap_or(name);
        if let Some(at) = self.child_named(parent, plain) {
            return at;
        }
        let of = self.type_of(parent);
        let base = of.and_then(|of| of.element(plain));
        if base.is_none()
            && let Some((element, _)) = of.and_then(|of| of.member(plain))
        {
            // `valueQuantity`: short for the slice of that type.
            let choice = element.name;
            let choice = self.child(parent, choice);
            return self.slice(choice, plain);
        }
        let id = self.draft(parent).map_or_else(String::new, |parent| format!("{}.{name}", parent.id));
        let at = self.drafts.len();
        self.drafts.push(Draft {
            id,
            name: base.map_or(plain, |_| plain),
            slice: None,
            parent: Some(parent),
            base,
            says: None,
            children: Vec::new(),
            slices: Vec::new(),
            values: None,
        });
        if let Some(parent) = self.drafts.get_mut(parent) {
            parent.children.push(at);
        }
        at
    }

    fn child_named(&self, parent: usize, plain: &str) -> Option<usize> {
        let children = &self.draft(parent)?.children;
        children.iter().copied().find(|at| self.draft(*at).is_some_and(|draft| draft.name == plain))
    }

    fn slice(&mut self, element: usize, name: &'static str) -> usize {
        let mut of = element;
        // `outer/inner` is a slice of the slice `outer`.
        if let Some((outer, _)) = name.rsplit_once('/') {
            of = self.slice(element, outer);
        }
        let slices = self.draft(of).map(|draft| draft.slices.clone()).unwrap_or_default();
        if let Some(at) = slices.into_iter().find(|at| self.draft(*at).is_some_and(|one| one.slice == Some(name))) {
            return at;
        }
        let at = self.drafts.len();
        let Some(sliced) = self.draft(element) else { return element };
        let draft = Draft {
            id: format!("{}:{name}", sliced.id),
            name: sliced.name,
            slice: Some(name),
            parent: Some(of),
            base: sliced.base,
            says: None,
            children: Vec::new(),
            slices: Vec::new(),
            values: None,
        };
        self.drafts.push(draft);
        if let Some(of) = self.drafts.get_mut(of) {
            of.slices.push(at);
        }
        at
    }

    /// The one type that an element has here; `None` when there are several.
    fn type_of(&self, at: usize) -> Option<&'s TypeDefinition> {
        let draft = self.draft(at)?;
        let Some(base) = draft.base else {
            return if draft.parent.is_none() { self.sources.schema.type_named(self.profile.type_name) } else { None };
        };
        let said = self.types_said(at);
        if let [only] = said
            && !is_backbone(only.code)
        {
            return self.sources.schema.type_named(only.code);
        }
        if let [only] = base.types.as_slice() {
            return self.sources.schema.type_of(only);
        }
        // A type slice without types of its own: `valueQuantity`.
        let suffix = draft.slice?.strip_prefix(draft.name)?;
        base.types
            .iter()
            .find(|one| one.code.eq_ignore_ascii_case(suffix))
            .and_then(|one| self.sources.schema.type_of(one))
    }

    /// Types that the profile gives an element; for a slice that gives none, those of what it slices.
    fn types_said(&self, at: usize) -> &'static [ProfileType] {
        let mut at = Some(at);
        for _ in 0..SEARCH_DEPTH_MAX {
            let Some(draft) = at.and_then(|at| self.draft(at)) else { break };
            if let Some(says) = draft.says.filter(|says| !says.types.is_empty()) {
                return &says.types;
            }
            at = draft.parent.filter(|_| draft.slice.is_some());
        }
        &[]
    }

    fn node(&self, at: usize) -> Node {
        let Some(draft) = self.draft(at) else { return Node::default() };
        let sliced = draft.parent.filter(|_| draft.slice.is_some()).and_then(|at| self.draft(at));
        let says = draft.says;
        let of = self.type_of(at);
        let is_root = draft.parent.is_none();
        let mut node = Node {
            id: draft.id.clone(),
            min: says.and_then(|says| says.min).filter(|_| !is_root).unwrap_or(0),
            max: says.and_then(|says| says.max).filter(|_| !is_root).unwrap_or(u32::MAX),
            types: self.types(at),
            values: says.and_then(|says| Values::read(says.values)),
            binding: says.and_then(|says| says.binding).and_then(|binding| self.binding(binding, draft, sliced)),
            slicing: self.slicing(at),
            ..Node::default()
        };
        node.is_bound = node.binding.is_some();
        node.invariants = self.invariants(at);
        for child in &draft.children {
            let Some(name) = self.draft(*child).map(|child| child.name) else { continue };
            let index = u32::try_from(*child).unwrap_or(NONE);
            node.children.push((name, index));
            self.needs(*child, &mut node.needs);
        }
        if let Some(of) = of {
            let at = |element: &ElementDefinition| {
                node.children.iter().find(|(name, _)| *name == element.name).map_or(NONE, |(_, at)| *at)
            };
            node.by_element = Some((of.index, of.elements.iter().map(at).collect()));
        }
        node
    }

    /// The invariants of an element that neither base R4 nor what it is a slice of has.
    fn invariants(&self, at: usize) -> Vec<Invariant> {
        let Some(draft) = self.draft(at) else { return Vec::new() };
        let Some(says) = draft.says else { return Vec::new() };
        let sliced = draft.parent.filter(|_| draft.slice.is_some()).and_then(|at| self.says(at));
        let of = self.type_of(at).map(|of| &of.constraints);
        let base = draft.base.map(|base| &base.constraints);
        let inherited = [of, base, sliced.map(|says| &says.constraints)];
        let is_known = |one: &Constraint| {
            let mut known = inherited.into_iter().flatten().flatten();
            known.any(|other| other.key == one.key && other.expression == one.expression)
        };
        let own: Vec<Constraint> = says.constraints.iter().filter(|one| !is_known(one)).copied().collect();
        invariant::compiled(&own)
    }

    /// An element whose content is that of another (`Questionnaire.item.item`) has that other's rules, as the
    /// profile states them there. SPEC: R4 elementdefinition.html, `contentReference`.
    fn content_references(&self, nodes: &mut Vec<Node>) {
        let mut copies = Vec::new();
        for at in 0..self.drafts.len() {
            let Some(of) = self.type_of(at) else { continue };
            for element in &of.elements {
                let target = element.types.first().filter(|one| one.code.contains('.') && one.code != element.path);
                let Some(target) = target.and_then(|one| self.path(one.code)) else { continue };
                let own = self.child_named(at, element.name);
                if own.is_some_and(|own| self.draft(own).is_some_and(|draft| !draft.children.is_empty())) {
                    continue;
                }
                let copy = own.unwrap_or(nodes.len());
                if own.is_none() {
                    let id = format!("{}.{}", self.draft(at).map_or("", |draft| &draft.id), element.name);
                    nodes.push(Node { id, max: u32::MAX, ..Node::default() });
                    let index = u32::try_from(copy).unwrap_or(NONE);
                    let Some(node) = nodes.get_mut(at) else { continue };
                    node.children.push((element.name, index));
                    let slot = node.by_element.as_mut().and_then(|(_, table)| table.get_mut(element.index));
                    if let Some(slot) = slot {
                        *slot = index;
                    }
                }
                copies.push((target, copy));
            }
        }
        for (target, copy) in copies {
            let Some(from) = nodes.get(target) else { continue };
            let children = from.children.clone();
            let by_element = from.by_element.clone();
            let needs = from.needs.iter().map(|need| Need { name: need.name, node: need.node }).collect();
            let invariants = self.invariants(target);
            let Some(node) = nodes.get_mut(copy) else { continue };
            (node.children, node.by_element, node.needs) = (children, by_element, needs);
            node.invariants.extend(invariants);
        }
    }

    /// The draft at a plain path below the root; `None` when the profile says nothing there.
    fn path(&self, path: &str) -> Option<usize> {
        path.split('.').skip(1).try_fold(0, |at, name| self.child_named(at, name))
    }

    /// What must be there of a child: itself, or else slices of it.
    fn needs(&self, child: usize, needs: &mut Vec<Need>) {
        let Some(draft) = self.draft(child) else { return };
        if draft.base.is_some_and(|base| base.min > 0) {
            return;
        }
        let least = |at: usize| self.says(at).and_then(|says| says.min).unwrap_or(0);
        let mut need = |at: usize| needs.push(Need { name: draft.name, node: u32::try_from(at).unwrap_or(NONE) });
        if least(child) > 0 {
            need(child);
        } else {
            draft.slices.iter().copied().filter(|at| least(*at) > 0).for_each(need);
        }
    }

    /// Types as rules, when they say more than the base.
    fn types(&self, at: usize) -> Vec<TypeRule> {
        let (Some(draft), Some(says)) = (self.draft(at), self.says(at)) else { return Vec::new() };
        let Some(base) = draft.base else { return Vec::new() };
        if says.types.iter().any(|one| is_backbone(one.code) || one.code.contains('.')) {
            return Vec::new();
        }
        let rules: Vec<TypeRule> = says.types.iter().map(|one| self.type_rule(one, says.id)).collect();
        let same = rules.len() == base.types.len()
            && rules.iter().all(|rule| {
                let narrow = !rule.profiles.is_empty() || !rule.aggregation.is_empty() || !rule.versioning.is_empty();
                let of_base = base.types.iter().find(|one| one.code == rule.code);
                let targets = of_base.is_some_and(|one| {
                    one.targets.len() == rule.targets.len()
                        && rule
                            .targets
                            .iter()
                            .all(|target| matches!(target, Target::Type(name) if one.targets.contains(name)))
                });
                !narrow && targets
            });
        if same { Vec::new() } else { rules }
    }

    fn type_rule(&self, one: &'static ProfileType, element: &str) -> TypeRule {
        let profiles = one.profiles.iter().filter(|name| self.sources.schema.type_named(name).is_none());
        let further = mended::further_targets(self.profile.url, element).filter(|_| !one.targets.is_empty());
        let targets = one.targets.iter().copied().chain(further).map(|name| {
            let short = name.strip_prefix("http://hl7.org/fhir/StructureDefinition/").unwrap_or(name);
            if self.sources.schema.type_named(short).is_some() {
                Target::Type(short)
            } else {
                Target::Profile(self.named(name))
            }
        });
        TypeRule {
            code: one.code,
            profiles: profiles.map(|name| self.named(name)).collect(),
            targets: targets.collect(),
            aggregation: one.aggregation.clone(),
            versioning: one.versioning,
        }
    }

    fn named(&self, canonical: &'static str) -> ProfileRef {
        let find = |name: &str| self.sources.definitions.profile_for(name, self.profile.package);
        let profile = if canonical.contains(':') {
            find(canonical)
        } else {
            find(&format!("http://hl7.org/fhir/StructureDefinition/{canonical}"))
        };
        ProfileRef { canonical, profile }
    }

    fn bound(&self, binding: Binding) -> Bound {
        let set = self.sources.terminology.value_set(binding.value_set, self.profile.package);
        Bound { strength: binding.strength, canonical: binding.value_set, set }
    }

    /// A binding that says more than that of the base or of what is sliced.
    fn binding(&self, binding: Binding, draft: &Draft<'_>, sliced: Option<&Draft<'_>>) -> Option<Bound> {
        if binding.strength == BindingStrength::Example {
            return None;
        }
        let same = |other: Option<Binding>| {
            other.is_some_and(|other| {
                other.strength == binding.strength && unversioned(other.value_set) == unversioned(binding.value_set)
            })
        };
        let by_sliced = sliced.and_then(|sliced| sliced.says).and_then(|says| says.binding);
        if same(draft.base.and_then(|base| base.binding)) || same(by_sliced) {
            return None;
        }
        Some(self.bound(binding))
    }

    fn slicing(&self, at: usize) -> Option<Box<Slicing>> {
        let draft = self.draft(at)?;
        if draft.slices.is_empty() {
            return None;
        }
        let says = draft.says;
        let said = says.filter(|says| says.slicing_rules.is_some());
        let discriminators: Vec<(&'static str, &'static str)> = match said {
            Some(says) if !says.discriminators.is_empty() => says.discriminators.clone(),
            _ if matches!(draft.name, "extension" | "modifierExtension") => vec![("value", "url")],
            _ if draft.base.is_some_and(|base| base.is_choice) => vec![("type", "$this")],
            _ => Vec::new(),
        };
        let rules = match said.and_then(|says| says.slicing_rules) {
            Some("closed") => SlicingRules::Closed,
            Some("openAtEnd") => SlicingRules::OpenAtEnd,
            _ => SlicingRules::Open,
        };
        let slices = draft.slices.iter().filter_map(|slice| {
            let node = u32::try_from(*slice).ok()?;
            let name = self.draft(*slice)?.slice?;
            Some(Slice { node, name, tests: self.tests(*slice, &discriminators) })
        });
        let is_ordered = said.is_some_and(|says| says.slicing_ordered);
        Some(Box::new(Slicing { rules, is_ordered, slices: slices.collect() }))
    }

    /// The conditions that put an element into a slice. A discriminator of which the slice says nothing adds
    /// none.
    fn tests(&self, slice: usize, discriminators: &[(&'static str, &'static str)]) -> Vec<Test> {
        let mut tests = Vec::new();
        for (kind, path) in discriminators {
            if *path == "url"
                && matches!(self.draft(slice).map(|one| one.name), Some("extension" | "modifierExtension"))
            {
                tests.push(Test { path: Vec::new(), expect: Expect::Urls(self.slice_urls(slice)) });
                continue;
            }
            let Some(path) = discriminator::path(path) else { continue };
            let mut search = Search { compiler: self, kind, tests: &mut tests, taken: Vec::new() };
            search.node(slice, &path, 0);
        }
        tests
    }

    /// The URLs of an extension slice: those of its definition, or what the slice fixes below itself.
    fn slice_urls(&self, slice: usize) -> Vec<String> {
        let mut urls = Vec::new();
        if let Some(at) = self.child_named(slice, "url")
            && let Some(values) = self.draft(at).and_then(|draft| draft.values.as_ref())
            && let Some(fixed) = &values.fixed
        {
            urls.extend(fixed.root().as_str().map(|text| text.into_owned()));
        }
        for canonical in self.types_said(slice).iter().flat_map(|one| &one.profiles) {
            match self.named(canonical).profile {
                Some(profile) => urls.extend(extension_urls(profile)),
                None => urls.push(unversioned(canonical).to_owned()),
            }
        }
        urls
    }
}

fn is_backbone(code: &str) -> bool {
    matches!(code, "BackboneElement" | "Element")
}

pub(crate) fn unversioned(canonical: &str) -> &str {
    canonical.split_once('|').map_or(canonical, |(url, _)| url)
}
