//! `ConceptMap/$translate`: codes of one system into those of another, both ways.
//! SPEC: R4 conceptmap-operation-translate.html. Left out: dependencies and products.

use super::{OperationError, parameters};
use crate::{Coding, GivenMap, Terminology, limits, pfe};
use fhir::{
    json::Writer,
    schema::{ConceptMap, ConceptMapGroup},
};
use std::cell::RefCell;

/// Which maps to use, and where to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TranslateOptions<'a> {
    /// Canonical of the map; empty: all that fit, which are those with a group of this system.
    pub map: &'a str,
    /// Canonical of the value set that the code is from; empty: any.
    pub source: &'a str,
    /// Canonical of the value set that is wanted; empty: any.
    pub target: &'a str,
    /// Code system that is wanted; empty: any.
    pub target_system: &'a str,
    /// From the target of the map to its source.
    pub reverse: bool,
}

/// What a code becomes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Translation {
    /// The matches, in the order of the maps.
    pub matches: Vec<Match>,
}

/// A code that a code becomes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Match {
    /// Code of ConceptMapEquivalence: how the target relates to the source.
    pub equivalence: &'static str,
    /// System of the code.
    pub system: String,
    /// Version of the system; empty when the map names none.
    pub version: String,
    /// The code; empty when the map says that there is none.
    pub code: String,
    /// Its display; empty when none is known.
    pub display: String,
    /// Canonical of the map that says so; empty when it has none.
    pub map: String,
}

fn asked<'a>(
    coding: Coding<'a>,
    options: TranslateOptions<'a>,
    beside: Beside<'a>,
) -> Result<Asked<'a>, OperationError> {
    match coding.system {
        Some(system) => Ok(Asked { system, code: coding.code, options, beside, followed: RefCell::default() }),
        None => Err(OperationError::Invalid("a system is needed".to_owned())),
    }
}

/// The equivalence read from the other end.
fn reversed(equivalence: &'static str) -> &'static str {
    match equivalence {
        "wider" => "narrower",
        "narrower" => "wider",
        "subsumes" => "specializes",
        "specializes" => "subsumes",
        same => same,
    }
}

/// Concept maps beside those that are loaded, which go before them.
#[derive(Clone, Copy)]
pub struct Beside<'a> {
    /// Those that may fit when no map is named.
    pub fitting: &'a [GivenMap],
    /// The one of this canonical.
    pub named: &'a dyn Fn(&str) -> Option<GivenMap>,
}

impl Beside<'_> {
    /// None.
    pub const NONE: Beside<'static> = Beside { fitting: &[], named: &|_| None };
}

impl std::fmt::Debug for Beside<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Beside").field("fitting", &self.fitting).finish_non_exhaustive()
    }
}

/// One translation on its way.
struct Asked<'a> {
    system: &'a str,
    code: &'a str,
    options: TranslateOptions<'a>,
    beside: Beside<'a>,
    /// Canonicals that `unmapped` led to: each is followed once.
    followed: RefCell<Vec<String>>,
}

impl Asked<'_> {
    /// Whether a map is to be followed; no, when it was.
    fn follows(&self, canonical: &str) -> bool {
        let mut followed = self.followed.borrow_mut();
        let is_new = followed.len() <= limits::MAPS_FOLLOWED_MAX && !followed.iter().any(|one| one == canonical);
        if is_new {
            followed.push(canonical.to_owned());
        }
        is_new
    }

    /// The matches, each once.
    fn ended(self, mut translation: Translation) -> Result<Translation, OperationError> {
        if self.followed.borrow().len() > limits::MAPS_FOLLOWED_MAX {
            return Err(OperationError::TooCostly("the concept maps lead on to too many others".to_owned()));
        }
        translation.matches.dedup();
        Ok(translation)
    }
}

impl Terminology {
    /// What a code becomes.
    ///
    /// # Errors
    /// No system; a map that is not there; none of the maps is about this system; maps that lead on to too many.
    pub fn translate(
        &self,
        coding: Coding<'_>,
        options: TranslateOptions<'_>,
        beside: Beside<'_>,
    ) -> Result<Translation, OperationError> {
        let asked = asked(coding, options, beside)?;
        let mut translation = Translation::default();
        if options.map == pfe::DOMAINS || options.map.is_empty() {
            pfe::translate(self, asked.system, coding.code, options, &mut translation);
        }
        let mut is_about = !translation.matches.is_empty() || options.map == pfe::DOMAINS;
        if options.map.is_empty() {
            let fits = |wanted: &str, have: &str| {
                wanted.is_empty() || wanted == have || have.split('|').next() == Some(wanted)
            };
            let (from, to) =
                if options.reverse { (options.target, options.source) } else { (options.source, options.target) };
            let loaded = self.definitions().concept_maps();
            for map in loaded.filter(|map| fits(from, map.source) && fits(to, map.target)) {
                is_about |= self.through_loaded(map, &asked, &mut translation);
            }
            for map in beside.fitting.iter().filter(|map| fits(from, &map.source) && fits(to, &map.target)) {
                if self.definitions().concept_map(&map.url).is_none() {
                    is_about |= self.through_given(map, &asked, &mut translation);
                }
            }
            if !is_about {
                let text = format!("no concept map that is known here translates codes of {} so", asked.system);
                return Err(OperationError::NotFound(text));
            }
        } else if options.map != pfe::DOMAINS && !self.through_named(options.map, &asked, &mut translation) {
            return Err(OperationError::NotFound(format!("the concept map {} is not loaded", options.map)));
        }
        asked.ended(translation)
    }

    /// What this map says that a code becomes, whatever map the options name.
    ///
    /// # Errors
    /// No system; maps that lead on to too many.
    pub fn translate_by(
        &self,
        map: &GivenMap,
        coding: Coding<'_>,
        options: TranslateOptions<'_>,
        beside: Beside<'_>,
    ) -> Result<Translation, OperationError> {
        let mut translation = Translation::default();
        let asked = asked(coding, options, beside)?;
        self.through_given(map, &asked, &mut translation);
        asked.ended(translation)
    }

    /// Adds what the map of this canonical says; whether it is there.
    fn through_named(&self, canonical: &str, asked: &Asked<'_>, into: &mut Translation) -> bool {
        if let Some(map) = self.definitions().concept_map(canonical) {
            self.through_loaded(map, asked, into);
            return true;
        }
        let given = (asked.beside.named)(canonical);
        if let Some(map) = &given {
            self.through_given(map, asked, into);
        }
        given.is_some()
    }

    fn through_loaded(&self, map: &ConceptMap, asked: &Asked<'_>, into: &mut Translation) -> bool {
        map.groups.iter().fold(false, |is_about, group| self.through(map.url, group, asked, into) | is_about)
    }

    fn through_given(&self, map: &GivenMap, asked: &Asked<'_>, into: &mut Translation) -> bool {
        map.groups().fold(false, |is_about, group| self.through(&map.url, &group, asked, into) | is_about)
    }

    /// Adds what a group of a map says; whether it is about this system at all.
    fn through(&self, map: &str, group: &ConceptMapGroup<'_>, asked: &Asked<'_>, into: &mut Translation) -> bool {
        let options = asked.options;
        let (from, to) = if options.reverse { (group.target, group.source) } else { (group.source, group.target) };
        let wanted = options.target_system.is_empty() || options.target_system == to;
        if from != asked.system || !wanted {
            return false;
        }
        let before = into.matches.len();
        for mapping in &group.mappings {
            let (own, other) = if options.reverse { (mapping.to, mapping.from) } else { (mapping.from, mapping.to) };
            // Of conditions nothing is known: such a mapping is not one.
            if own != asked.code || own.is_empty() || mapping.is_conditional {
                continue;
            }
            let (equivalence, version, display) = if options.reverse {
                (reversed(mapping.equivalence), group.source_version, "")
            } else {
                (mapping.equivalence, group.target_version, mapping.display)
            };
            into.matches.push(self.matched(map, equivalence, to, version, other, display));
        }
        if into.matches.len() == before && !options.reverse {
            self.unmapped(map, group, asked, into);
        }
        true
    }

    /// What becomes of a code that a group does not list.
    fn unmapped(&self, map: &str, group: &ConceptMapGroup<'_>, asked: &Asked<'_>, into: &mut Translation) {
        let (system, version) = (group.target, group.target_version);
        match group.unmapped {
            "provided" => into.matches.push(self.matched(map, "equal", system, version, asked.code, "")),
            "fixed" => {
                let (to, display) = (group.unmapped_to, group.unmapped_display);
                into.matches.push(self.matched(map, "inexact", system, version, to, display));
            }
            "other-map" if asked.follows(group.unmapped_to) => {
                self.through_named(group.unmapped_to, asked, into);
            }
            _ => {}
        }
    }

    pub(crate) fn matched(
        &self,
        map: &str,
        equivalence: &'static str,
        system: &str,
        version: &str,
        code: &str,
        display: &str,
    ) -> Match {
        let mut display = display.to_owned();
        if display.is_empty()
            && let Some((system, _)) = self.system(system, version, "")
            && let Some(concept) = system.find(code)
        {
            system.display(concept).clone_into(&mut display);
        }
        Match {
            equivalence,
            system: system.to_owned(),
            version: version.to_owned(),
            code: code.to_owned(),
            display,
            map: map.to_owned(),
        }
    }
}

impl Translation {
    /// Whether any code means the same or nearly so.
    #[must_use]
    pub fn result(&self) -> bool {
        self.matches.iter().any(|one| !matches!(one.equivalence, "unmatched" | "disjoint") && !one.code.is_empty())
    }

    /// Writes the Parameters resource.
    pub fn write(&self, w: &mut Writer) {
        parameters::resource(w, |w| {
            parameters::boolean(w, "result", self.result());
            if !self.result() {
                parameters::text(w, "message", "valueString", "no code means the same or nearly so");
            }
            for one in &self.matches {
                parameters::parts(w, "match", |w| {
                    parameters::text(w, "equivalence", "valueCode", one.equivalence);
                    if !one.code.is_empty() {
                        w.object(|w| {
                            w.member("name", "concept");
                            w.key("valueCoding");
                            parameters::coding(w, &one.system, &one.version, &one.code, &one.display);
                        });
                    }
                    if !one.map.is_empty() {
                        parameters::text(w, "source", "valueUri", &one.map);
                    }
                });
            }
        });
    }
}
