//! A composition into its content: includes are united, within one include all conditions meet, excludes
//! are taken away, retired codes too where the composition says so.
//!
//! What cannot be evaluated makes codes unsure, never wrong: a system that is not loaded, a version of it, a
//! filter that is not known, an import that is not here or leads back to the value set itself.

use crate::{
    CodeSystem, Completeness,
    compose::{Compose, Part},
    content::{Budget, Codes, Content, Exhausted, Listed, Why},
    filter::{self, Filtered},
    grammar::{Grammar, Rest},
    limits,
    ranges::Ranges,
    truth::{Join, Truth},
};
use std::sync::Arc;

/// What compiling asks about other definitions.
pub(crate) trait Lookup {
    /// The code system of this canonical as this package means it; with the version named, or another when
    /// `false`.
    fn system(&self, url: &str, version: &str, package: &str) -> Option<(Arc<CodeSystem>, bool)>;

    /// The rule for the codes of a system, if it has one.
    fn grammar(&self, url: &str) -> Option<Grammar>;

    /// The content of an imported value set, or why it is not to be had.
    fn import(&self, canonical: &str, package: &str) -> Result<Arc<Content>, Why>;
}

/// The content of a composition.
pub(crate) fn compile(compose: &Compose, lookup: &dyn Lookup, budget: &mut Budget) -> Result<Arc<Content>, Exhausted> {
    // A value set that only renames another shares its content.
    if let [only] = compose.parts.as_slice()
        && only.system.is_empty()
        && !only.is_exclude
        && compose.inactive != Some(false)
        && compose.expansion.is_empty()
        && let [import] = only.value_sets.as_slice()
    {
        return Ok(imported(import, compose.package, lookup));
    }
    let mut content = Content::default();
    for one in compose.parts.iter().filter(|one| !one.is_exclude) {
        content = content.union(&part(one, compose.package, lookup, budget)?, budget)?;
    }
    for one in compose.parts.iter().filter(|one| one.is_exclude) {
        content = content.without(&part(one, compose.package, lookup, budget)?, budget)?;
    }
    if compose.inactive == Some(false) {
        content.without_inactive();
    }
    if compose.parts.iter().all(|one| one.is_exclude) {
        // Neither composition nor expansion: nothing is known.
        content.others = Some(Why::ValueSet(compose.url.as_ref().into()));
    }
    if !compose.expansion.is_empty() && !content.is_sure() {
        // What cannot be evaluated here was evaluated by the one who gave the expansion.
        content = Content::default();
        for one in &compose.expansion {
            content = content.union(&part(one, compose.package, lookup, budget)?, budget)?;
        }
    }
    Ok(Arc::new(content))
}

fn imported(canonical: &str, package: &str, lookup: &dyn Lookup) -> Arc<Content> {
    lookup.import(canonical, package).unwrap_or_else(|why| Arc::new(Content::unknown(why)))
}

/// What one include or exclude selects.
fn part(part: &Part, package: &str, lookup: &dyn Lookup, budget: &mut Budget) -> Result<Content, Exhausted> {
    let mut held: Option<Content> = None;
    if !part.system.is_empty() {
        held = Some(Content::of(of_system(part, package, lookup, budget)?));
    }
    for import in &part.value_sets {
        let imported = imported(import, package, lookup);
        held = Some(match held {
            Some(held) => held.intersection(&imported, budget)?,
            None => {
                budget.take(imported.size())?;
                Content::clone(&imported)
            }
        });
    }
    Ok(held.unwrap_or_default())
}

fn of_system(part: &Part, package: &str, lookup: &dyn Lookup, budget: &mut Budget) -> Result<Codes, Exhausted> {
    // Some write the version into the canonical.
    let (url, inside) = part.system.split_once('|').unwrap_or((&part.system, ""));
    let version = if part.version.is_empty() { inside } else { &part.version };
    let (system, is_version) = match lookup.system(url, version, package) {
        Some((system, is_version)) => (Some(system), is_version),
        None => (None, true),
    };
    let mut codes = Codes::none(url, version, system);
    if !part.codes.is_empty() {
        listed(&mut codes, part);
        budget.take(codes.size())?;
        return Ok(codes);
    }
    let grammar = lookup.grammar(url);
    whole(&mut codes, grammar.as_ref());
    if part.filters.len() > limits::FILTERS_MAX {
        return Err(Exhausted);
    }
    for [property, operator, value] in &part.filters {
        let passing = filtered(&codes, grammar.as_ref(), property, operator, value);
        codes = codes.join(Join::And, &passing, budget)?;
    }
    if !is_version {
        // Of another version than the one named: what it has may be there too, what it lacks may not.
        let all = codes.system.as_ref().map(|system| system.all()).unwrap_or_default();
        codes.unsure = all.minus(&codes.yes);
        codes.rest = Rest::Fixed(Truth::Unsure);
        codes.why = Some(Why::Version(format!("{url}|{version}").into()));
    }
    budget.take(codes.size())?;
    Ok(codes)
}

/// Listed codes are in, whether or not the version of the system that is loaded knows them.
fn listed(codes: &mut Codes, part: &Part) {
    let mut concepts = Vec::new();
    for (code, display) in &part.codes {
        match codes.system.as_ref().and_then(|system| system.find(code)) {
            Some(concept) => {
                concepts.push(concept);
                if !display.is_empty() {
                    codes.shown.push((concept, display.as_ref().into()));
                }
            }
            None => codes.listed.push(Listed {
                code: code.as_ref().into(),
                display: display.as_ref().into(),
                truth: Truth::Yes,
            }),
        }
    }
    codes.yes = Ranges::of_positions(concepts);
    codes.shown.sort_by_key(|(concept, _)| *concept);
    codes.shown.dedup_by_key(|(concept, _)| *concept);
    codes.listed.sort_by(|a, b| a.code.cmp(&b.code));
    codes.listed.dedup_by(|a, b| a.code == b.code);
}

/// All codes of the system.
fn whole(codes: &mut Codes, grammar: Option<&Grammar>) {
    let unsure = || grammar.cloned().map_or(Rest::Fixed(Truth::Unsure), Rest::Rule);
    match &codes.system {
        Some(system) => {
            codes.yes = system.all();
            if system.about().completeness == Completeness::Part {
                codes.rest = unsure();
                codes.why = Some(Why::Part(codes.url.clone()));
            }
        }
        None => {
            codes.rest = unsure();
            codes.why = Some(Why::System(codes.url.clone()));
        }
    }
}

/// What passes a filter, over the same system.
fn filtered(codes: &Codes, grammar: Option<&Grammar>, property: &str, operator: &str, value: &str) -> Codes {
    let mut passing = Codes::none(&codes.url, &codes.version, codes.system.clone());
    if let Some(system) = &codes.system {
        match filter::filtered(system, property, operator, value) {
            Filtered::These(ranges) => passing.yes = ranges,
            Filtered::Unknown => {
                passing.unsure = system.all();
                passing.why = Some(Why::Filter(format!("{property} {operator} {value}").into()));
            }
        }
    }
    // Codes that no list has: by rule where there is one.
    passing.rest = match grammar.and_then(|grammar| grammar.filtered(property, operator, value)) {
        Some(grammar) => Rest::Rule(grammar),
        None => {
            if codes.system.is_none() && grammar.is_some() {
                passing.why = Some(Why::Filter(format!("{property} {operator} {value}").into()));
            }
            Rest::Fixed(Truth::Unsure)
        }
    };
    passing
}
