//! `ConceptMap/$translate`: codes of one system into those of another, both ways.
//! SPEC: R4 conceptmap-operation-translate.html. Left out: dependencies and products.

use super::{OperationError, parameters};
use crate::{Coding, Terminology, pfe};
use fhir::{
    json::Writer,
    schema::{ConceptMap, ConceptMapGroup},
};

/// Which maps to use, and where to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TranslateOptions<'a> {
    /// Canonical of the map; empty: all that fit.
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
    /// Canonical of the map that says so.
    pub map: String,
}

/// Maps that follow each other by `other-map`.
const HOPS_MAX: usize = 8;

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

impl Terminology {
    /// What a code becomes.
    ///
    /// # Errors
    /// No system; a map that is not loaded; none of the maps loaded is about this system.
    pub fn translate(&self, coding: Coding<'_>, options: TranslateOptions<'_>) -> Result<Translation, OperationError> {
        let Some(system) = coding.system else {
            return Err(OperationError::Invalid("a system is needed".to_owned()));
        };
        let mut translation = Translation::default();
        if options.map == pfe::DOMAINS || options.map.is_empty() {
            pfe::translate(self, system, coding.code, options, &mut translation);
        }
        let mut maps: Vec<&'static ConceptMap> = Vec::new();
        if options.map.is_empty() {
            let fits = |wanted: &str, have: &str| {
                wanted.is_empty() || wanted == have || have.split('|').next() == Some(wanted)
            };
            let (from, to) =
                if options.reverse { (options.target, options.source) } else { (options.source, options.target) };
            maps.extend(self.definitions().concept_maps().filter(|map| fits(from, map.source) && fits(to, map.target)));
        } else if options.map != pfe::DOMAINS {
            let found = self.definitions().concept_map(options.map);
            let found = found
                .ok_or_else(|| OperationError::NotFound(format!("the concept map {} is not loaded", options.map)))?;
            maps.push(found);
        }
        let mut asked = !translation.matches.is_empty() || options.map == pfe::DOMAINS;
        for map in maps {
            asked |= self.through(map, system, coding.code, options, 0, &mut translation);
        }
        if !asked && options.map.is_empty() {
            let text = format!("no concept map that is loaded translates codes of {system} so");
            return Err(OperationError::NotFound(text));
        }
        translation.matches.dedup();
        Ok(translation)
    }

    /// Adds what a map says; whether it is about this system at all.
    fn through(
        &self,
        map: &'static ConceptMap,
        system: &str,
        code: &str,
        options: TranslateOptions<'_>,
        hops: usize,
        into: &mut Translation,
    ) -> bool {
        let mut asked = false;
        for group in &map.groups {
            let (from, to) = if options.reverse { (group.target, group.source) } else { (group.source, group.target) };
            let wanted = options.target_system.is_empty() || options.target_system == to;
            if from != system || !wanted {
                continue;
            }
            asked = true;
            let before = into.matches.len();
            for mapping in &group.mappings {
                let (own, other) =
                    if options.reverse { (mapping.to, mapping.from) } else { (mapping.from, mapping.to) };
                // Of conditions nothing is known: such a mapping is not one.
                if own != code || own.is_empty() || mapping.is_conditional {
                    continue;
                }
                let (equivalence, version, display) = if options.reverse {
                    (reversed(mapping.equivalence), group.source_version, "")
                } else {
                    (mapping.equivalence, group.target_version, mapping.display)
                };
                into.matches.push(self.matched(map.url, equivalence, to, version, other, display));
            }
            if into.matches.len() == before && !options.reverse {
                self.unmapped(map, group, code, options, hops, into);
            }
        }
        asked
    }

    /// What becomes of a code that a group does not list.
    fn unmapped(
        &self,
        map: &'static ConceptMap,
        group: &ConceptMapGroup,
        code: &str,
        options: TranslateOptions<'_>,
        hops: usize,
        into: &mut Translation,
    ) {
        let target = (group.target, group.target_version);
        match group.unmapped {
            "provided" => into.matches.push(self.matched(map.url, "equal", target.0, target.1, code, "")),
            "fixed" => into.matches.push(self.matched(
                map.url,
                "inexact",
                target.0,
                target.1,
                group.unmapped_to,
                group.unmapped_display,
            )),
            "other-map" if hops < HOPS_MAX => {
                if let Some(next) = self.definitions().concept_map(group.unmapped_to) {
                    self.through(next, group.source, code, options, hops + 1, into);
                }
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
                    parameters::text(w, "source", "valueUri", &one.map);
                });
            }
        });
    }
}
