//! Mutants: from each valid example of the guides, breakages made from the definitions, and how many of them the
//! validator finds at the right place.
//!
//! A mutant is one change after which the resource is invalid by R4 or by a profile that it claims. Changes that
//! the definitions may still allow are not made: where a slice, a value set or a target cannot be told from the
//! packages at hand, there is no mutant; a change never moves an element out of the slice whose rule it breaks.
//!
//! Found means: an error (no warning) at the place of what was changed. What is not there any more, what was
//! added without being known, and an element that became a choice in a type that R4 does not give it have
//! their error at the parent; too many repeats have it at the element without index; a slice at its element
//! without index, at the repeat, or (when nothing is left) at the parent. All else stands at the element itself.
//!
//! Some mutants need more than the example: a target that does not meet the profile that a reference asks for is
//! handed out by the resolver, and lengths and bounds, of which no guide has any, are those of made profiles.
//!
//! Left out: extensible bindings, warnings.

mod bounds;
mod codes;
mod extensions;
mod invariants;
mod made;
mod node;
mod profile;
mod rules;
mod site;
mod structure;
#[cfg(test)]
mod tests;

use crate::definitions::package;
use bounds::Bounds;
use fhir::issue::Severity;
use fhir::json::Tree;
use fhir::schema;
use node::{Edit, Node};
use site::{Field, Site, Visit};
use std::collections::BTreeMap;
use std::path::Path;
use std::rc::Rc;
use validation::{Options, Resolver, Validator};

/// The guides whose examples are changed.
const GUIDES: [&str; 3] = ["hl7.fhir.us.pacio-pfe#2.0.0", "hl7.fhir.us.pacio-rt#1.0.0", "hl7.fhir.us.core#6.1.0"];

/// Of a hundred mutants this many are found.
const FOUND_PERCENT: usize = 99;

/// Mutants of one kind in the sample, and of one rule in it: a debug build has to be done in a minute.
const SAMPLE_OF_KIND: usize = 900;
const SAMPLE_OF_RULE: usize = 2;

/// The seed of the sample.
const SEED: u64 = 4;

/// Misses that are printed of one kind.
const SHOWN_MAX: usize = 60;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Missing,
    TooMany,
    Json,
    WrongType,
    Format,
    Unknown,
    Code,
    Slice,
    Fixed,
    Target,
    TargetProfile,
    Context,
    Length,
    Bound,
    Invariant,
    Narrative,
}

impl Kind {
    fn words(self) -> &'static str {
        match self {
            Self::Missing => "required element removed",
            Self::TooMany => "maximum exceeded",
            Self::Json => "JSON kind changed",
            Self::WrongType => "type changed",
            Self::Format => "bad format",
            Self::Unknown => "unknown element",
            Self::Code => "code outside a required binding",
            Self::Slice => "wrong slice",
            Self::Fixed => "fixed or pattern value changed",
            Self::Target => "wrong reference target",
            Self::TargetProfile => "reference to what does not meet the profile",
            Self::Context => "extension where it may not stand",
            Self::Length => "text too long",
            Self::Bound => "value out of bounds",
            Self::Invariant => "broken invariant",
            Self::Narrative => "bad narrative",
        }
    }
}

/// What a mutant needs beside the example.
#[derive(Debug, Clone, PartialEq)]
enum Extra {
    Nothing,
    /// What this reference leads to.
    Target(String, Node),
    /// The profile that was made of the examples ([`bounds`]).
    Bounds,
}

/// One breakage of one example.
struct Mutant {
    example: usize,
    kind: Kind,
    /// The rule that it breaks.
    what: String,
    edits: Vec<Edit>,
    /// Places where the error may stand.
    at: Vec<String>,
    extra: Extra,
}

/// The mutants that are kept.
struct Mutants {
    example: usize,
    /// How many of one rule; `None`: all.
    of_rule: Option<usize>,
    by_rule: BTreeMap<(Kind, String), (u64, Vec<Mutant>)>,
    random: Random,
    bounds: Rc<Bounds>,
}

impl Mutants {
    fn new(is_sample: bool, bounds: &Rc<Bounds>) -> Self {
        let of_rule = is_sample.then_some(SAMPLE_OF_RULE);
        Self { example: 0, of_rule, by_rule: BTreeMap::new(), random: Random(SEED), bounds: Rc::clone(bounds) }
    }

    fn add(&mut self, kind: Kind, what: String, edits: Vec<Edit>, at: impl IntoIterator<Item = String>) {
        self.add_with(kind, what, edits, at, Extra::Nothing);
    }

    fn add_with(
        &mut self,
        kind: Kind,
        what: String,
        edits: Vec<Edit>,
        at: impl IntoIterator<Item = String>,
        extra: Extra,
    ) {
        let (seen, kept) = self.by_rule.entry((kind, what.clone())).or_default();
        *seen += 1;
        // Each mutant of a rule is as likely to be kept as any other.
        let place = match self.of_rule {
            Some(most) if kept.len() >= most => match usize::try_from(self.random.below(*seen)) {
                Ok(at) if at < kept.len() => Some(at),
                _ => return,
            },
            _ => None,
        };
        let mutant = Mutant { example: self.example, kind, what, edits, at: at.into_iter().collect(), extra };
        match place.and_then(|at| kept.get_mut(at)) {
            Some(other) => *other = mutant,
            None => kept.push(mutant),
        }
    }
}

impl Visit for Mutants {
    fn field(&mut self, field: &Field<'_, '_>) {
        structure::repeats(field, self);
        structure::odd_type(field, self);
        profile::most(field, self);
        profile::slices(field, self);
        profile::types(field, self);
    }

    fn element(&mut self, site: &Site<'_>) {
        structure::missing(site, self);
        structure::json_kind(site, self);
        structure::format(site, self);
        structure::unknown(site, self);
        structure::narrative(site, self);
        structure::base_code(site, self);
        structure::base_target(site, self);
        profile::cardinality(site, self);
        profile::codes(site, self);
        profile::targets(site, self);
        profile::target_profiles(site, self);
        extensions::elsewhere(site, self);
        bounds::beyond(site, &Rc::clone(&self.bounds), self);
        profile::values(site, self);
        invariants::all(site, self);
    }
}

/// Steele, Lea and Flood's SplitMix64: a sample needs no more.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)).checked_rem(end).unwrap_or(0)
    }
}

struct Example {
    name: String,
    package: &'static str,
    node: Node,
}

/// The score of a sample.
pub(super) fn sampled(directory: &Path) -> Result<String, String> {
    score(directory, true)
}

/// The score of all mutants.
pub(super) fn every(directory: &Path) -> Result<String, String> {
    score(directory, false)
}

fn score(directory: &Path, is_sample: bool) -> Result<String, String> {
    let examples = examples(directory)?;
    let bounds = Rc::new(Bounds::of(&examples)?);
    let mut tally = Tally::new();
    // The examples meet the profiles that were made of them: else a bound would be found that is none.
    for example in &examples {
        if let Some((place, why)) = judged(example, &example.node, &Extra::Bounds, &bounds)?.first() {
            let (_, misses) = tally.entry(Kind::Bound).or_default();
            misses.push(format!("{}: unchanged, and seen at {place}: {why}", example.name));
        }
    }
    let mut made = Mutants::new(is_sample, &bounds);
    for (index, example) in examples.iter().enumerate() {
        made.example = index;
        site::walk(&example.node, example.package, &mut made);
        if !is_sample {
            let all = std::mem::replace(&mut made, Mutants::new(false, &bounds));
            judge(&examples, all.by_rule.into_values().flat_map(|(_, mutants)| mutants), &bounds, &mut tally);
        }
    }
    if is_sample {
        judge(&examples, chosen(made), &bounds, &mut tally);
    }
    told(&tally, examples.len(), is_sample)
}

/// Of each kind: how many, and those that were missed.
type Tally = BTreeMap<Kind, (usize, Vec<String>)>;

fn judge(examples: &[Example], mutants: impl IntoIterator<Item = Mutant>, bounds: &Bounds, tally: &mut Tally) {
    for mutant in mutants {
        let Some(example) = examples.get(mutant.example) else { continue };
        let (count, misses) = tally.entry(mutant.kind).or_default();
        *count += 1;
        if let Some(seen) = missed(example, &mutant, bounds) {
            misses.push(format!("{}: {} ({}): {seen}", example.name, mutant.what, mutant.at.join(" or ")));
        }
    }
}

fn told(tally: &Tally, examples: usize, is_sample: bool) -> Result<String, String> {
    let mut lines = Vec::new();
    let (mut made, mut found) = (0, 0);
    for (kind, (count, misses)) in tally {
        let of_kind = count.saturating_sub(misses.len());
        (made, found) = (made + count, found + of_kind);
        lines.push(format!("{of_kind:>6} of {count:>6}  {}", kind.words()));
        lines.extend(misses.iter().take(SHOWN_MAX).map(|miss| format!("    missed  {miss}")));
    }
    let part = if is_sample { "a sample" } else { "all" };
    let sum = format!(
        "{found} of {made} mutants found ({:.2} %), {part} of those of {examples} examples\n      {}",
        percent(found, made),
        lines.join("\n      ")
    );
    if made == 0 || found * 100 < made * FOUND_PERCENT { Err(sum) } else { Ok(sum) }
}

fn percent(part: usize, whole: usize) -> f64 {
    let count = |number: usize| f64::from(u32::try_from(number).unwrap_or(u32::MAX));
    100.0 * count(part) / count(whole.max(1))
}

/// Of each kind a number, spread over its rules.
fn chosen(made: Mutants) -> Vec<Mutant> {
    let mut by_kind: BTreeMap<Kind, Vec<Mutant>> = BTreeMap::new();
    let mut random = made.random;
    for ((kind, _), (_, mutants)) in made.by_rule {
        by_kind.entry(kind).or_default().extend(mutants);
    }
    let mut all = Vec::new();
    for (_, mut mutants) in by_kind {
        while mutants.len() > SAMPLE_OF_KIND {
            let at = random.below(u64::try_from(mutants.len()).unwrap_or(1));
            mutants.swap_remove(usize::try_from(at).unwrap_or(0));
        }
        all.extend(mutants);
    }
    all
}

/// The examples that are valid as they are.
fn examples(directory: &Path) -> Result<Vec<Example>, String> {
    let mut all = Vec::new();
    for guide in schema::packages().iter().filter(|guide| GUIDES.contains(&guide.id)) {
        let path = directory.join(format!("packages/{}-{}.tgz", guide.name, guide.version));
        for (name, body) in package::examples(&path)? {
            let tree = Tree::parse(body).map_err(|e| format!("{name}: {e}"))?;
            if tree.resource_type().is_none() {
                continue;
            }
            let node = Node::of(tree.root());
            if errors(tree, guide.id).is_empty() {
                all.push(Example { name, package: guide.id, node });
            }
        }
    }
    if all.is_empty() { Err("no valid examples in the packages".to_owned()) } else { Ok(all) }
}

/// What was seen instead, when a mutant was not found.
fn missed(example: &Example, mutant: &Mutant, bounds: &Bounds) -> Option<String> {
    let mut node = example.node.clone();
    for edit in &mutant.edits {
        if node.edit(edit).is_none() {
            return Some("the edit has no place: a fault of the generator".to_owned());
        }
    }
    let errors = match judged(example, &node, &mutant.extra, bounds) {
        Ok(errors) => errors,
        Err(error) => return Some(format!("a fault of the generator: {error}")),
    };
    if errors.iter().any(|(place, _)| mutant.at.contains(place)) {
        return None;
    }
    Some(match errors.first() {
        Some((place, why)) => format!("seen at {place}: {why}"),
        None => "not seen".to_owned(),
    })
}

/// The errors of an example in this form: places and words.
fn judged(example: &Example, node: &Node, extra: &Extra, bounds: &Bounds) -> Result<Vec<(String, String)>, String> {
    let read = |node: &Node| Tree::parse(node.to_json()).map_err(|error| format!("not JSON: {error}"));
    let options = Options { package: example.package, ..Options::default() };
    let tree = read(node)?;
    Ok(match extra {
        Extra::Nothing => errors_under(::validation::r4(), tree, &options),
        Extra::Target(reference, target) => {
            let target = Target { reference, resource: read(target)? };
            errors_under(::validation::r4(), tree, &Options { resolver: Some(&target), ..options })
        }
        Extra::Bounds => {
            let profile = bounds::profile(node.text_of("resourceType").unwrap_or_default());
            let profiles: &[&str] = if bounds.knows(&profile) { &[&profile] } else { &[] };
            errors_under(bounds.validator, tree, &Options { profiles, ..options })
        }
    })
}

/// Hands out the one target.
struct Target<'m> {
    reference: &'m str,
    resource: Tree,
}

impl Resolver for Target<'_> {
    fn resource(&self, reference: &str) -> Option<Tree> {
        (reference == self.reference).then(|| self.resource.clone())
    }
}

/// The errors of a resource as it stands.
fn errors(tree: Tree, package: &str) -> Vec<(String, String)> {
    errors_under(::validation::r4(), tree, &Options { package, ..Options::default() })
}

fn errors_under(validator: &Validator<'_>, tree: Tree, options: &Options<'_>) -> Vec<(String, String)> {
    let issues = match validator.validate_with(tree, None, options) {
        Ok(_) => return Vec::new(),
        Err(invalid) => invalid.issues,
    };
    let errors = issues.into_iter().filter(|issue| issue.severity >= Severity::Error);
    errors.map(|issue| (issue.expression.unwrap_or_default(), issue.diagnostics.into_owned())).collect()
}
