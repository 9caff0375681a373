//! Code systems and value sets, as far as the packages can enumerate them.
//!
//! A value set is enumerable when all that it includes and excludes is: listed codes, whole code
//! systems of complete content, `is-a` and `descendent-of` within such, other enumerable value sets.
//! SPEC: R4 valueset.html#compositions. Left out: other filters, expansion parameters, designations.

use super::table;
use std::{
    collections::{BTreeSet, HashMap},
    sync::{LazyLock, OnceLock},
};

type Code = (&'static str, &'static str);

/// Nesting of value sets that import value sets; the deepest of the packages is 3.
const IMPORT_DEPTH_MAX: usize = 8;

/// A code system of the packages.
#[derive(Debug)]
pub struct CodeSystem {
    /// Canonical URL.
    pub url: &'static str,
    /// Its version; empty when it has none.
    pub version: &'static str,
    /// Package it comes from: `hl7.fhir.r4.core#4.0.1`.
    pub package: &'static str,
    /// All codes are here.
    pub is_complete: bool,
    /// Codes differ by case.
    pub is_case_sensitive: bool,
    /// The codes, parents before their children.
    pub concepts: Vec<Concept>,
}

/// A code of a code system.
#[derive(Debug, Clone, Copy)]
pub struct Concept {
    /// The code.
    pub code: &'static str,
    /// Its display; empty when it has none.
    pub display: &'static str,
    /// The code above it; empty at the top.
    pub parent: &'static str,
}

#[derive(Debug, Default)]
struct Part {
    system: &'static str,
    codes: Vec<&'static str>,
    filters: Vec<[&'static str; 3]>,
    imports: Vec<&'static str>,
}

#[derive(Debug)]
struct ValueSet {
    version: &'static str,
    package: &'static str,
    include: Vec<Part>,
    exclude: Vec<Part>,
    codes: OnceLock<Option<Vec<Code>>>,
}

#[derive(Debug)]
struct Terminology {
    code_systems: Vec<CodeSystem>,
    by_system: HashMap<&'static str, Vec<usize>>,
    value_sets: Vec<ValueSet>,
    by_url: HashMap<&'static str, Vec<usize>>,
}

fn terminology() -> &'static Terminology {
    static TERMINOLOGY: LazyLock<Terminology> = LazyLock::new(|| {
        let mut all = Terminology {
            code_systems: Vec::new(),
            by_system: HashMap::new(),
            value_sets: Vec::new(),
            by_url: HashMap::new(),
        };
        all.read_code_systems(include_str!("../../definitions/code-systems.tsv"));
        all.read_value_sets(include_str!("../../definitions/value-sets.tsv"));
        all
    });
    &TERMINOLOGY
}

/// The code system of this canonical, with or without `|version`; without, the newest package's.
#[must_use]
pub fn code_system_named(canonical: &str) -> Option<&'static CodeSystem> {
    let (url, version) = canonical.split_once('|').unwrap_or((canonical, ""));
    terminology().code_system(url, version, "")
}

/// See [`super::Schema::value_set_codes`].
pub(super) fn value_set_codes(canonical: &str) -> Option<&'static [Code]> {
    terminology().value_set(canonical, "", 0)
}

impl Terminology {
    fn read_code_systems(&mut self, text: &'static str) {
        for mut row in table::lines(text) {
            match (row.cell(), self.code_systems.last_mut()) {
                ("C", Some(last)) => {
                    last.concepts.push(Concept { code: row.cell(), display: row.cell(), parent: row.cell() });
                }
                _ => {
                    let (url, version, package) = (row.cell(), row.cell(), row.cell());
                    let is_complete = row.cell() == "complete";
                    let is_case_sensitive = row.cell() != "insensitive";
                    self.by_system.entry(url).or_default().push(self.code_systems.len());
                    let concepts = Vec::new();
                    self.code_systems.push(CodeSystem {
                        url,
                        version,
                        package,
                        is_complete,
                        is_case_sensitive,
                        concepts,
                    });
                }
            }
        }
    }

    fn read_value_sets(&mut self, text: &'static str) {
        let mut in_exclude = false;
        for mut row in table::lines(text) {
            let letter = row.cell();
            if letter == "V" {
                let (url, version, package) = (row.cell(), row.cell(), row.cell());
                self.by_url.entry(url).or_default().push(self.value_sets.len());
                let (include, exclude, codes) = (Vec::new(), Vec::new(), OnceLock::new());
                self.value_sets.push(ValueSet { version, package, include, exclude, codes });
                continue;
            }
            let Some(set) = self.value_sets.last_mut() else { continue };
            if let "I" | "X" = letter {
                in_exclude = letter == "X";
                let parts = if in_exclude { &mut set.exclude } else { &mut set.include };
                parts.push(Part { system: row.cell(), ..Part::default() });
                continue;
            }
            let parts = if in_exclude { &mut set.exclude } else { &mut set.include };
            let Some(part) = parts.last_mut() else { continue };
            match letter {
                "C" => part.codes.push(row.cell()),
                "F" => part.filters.push([row.cell(), row.cell(), row.cell()]),
                _ => part.imports.push(row.cell()),
            }
        }
    }

    /// Of several versions: the one named, else the one of the same package, else the newest.
    fn code_system(&self, url: &str, version: &str, package: &str) -> Option<&CodeSystem> {
        let all: Vec<_> = self.by_system.get(url)?.iter().filter_map(|at| self.code_systems.get(*at)).collect();
        if !version.is_empty() {
            return all.into_iter().find(|one| one.version == version);
        }
        all.iter().find(|one| one.package == package).or(all.last()).copied()
    }

    fn value_set(&self, canonical: &str, package: &str, depth: usize) -> Option<&[Code]> {
        if depth > IMPORT_DEPTH_MAX {
            return None;
        }
        let (url, version) = canonical.split_once('|').unwrap_or((canonical, ""));
        let all: Vec<_> = self.by_url.get(url)?.iter().filter_map(|at| self.value_sets.get(*at)).collect();
        let set = if version.is_empty() {
            all.iter().find(|one| one.package == package).or(all.last())
        } else {
            all.iter().find(|one| one.version == version)
        };
        let set = set?;
        // INVARIANT: no value set of the packages imports itself (a test enumerates them all), so
        // the cell is never entered twice by one thread.
        set.codes.get_or_init(|| self.enumerate(set, depth)).as_deref()
    }

    /// All codes of a set, sorted by code, then system.
    fn enumerate(&self, set: &ValueSet, depth: usize) -> Option<Vec<Code>> {
        let mut held = BTreeSet::new();
        for part in &set.include {
            held.extend(self.part(part, set.package, depth)?);
        }
        for part in &set.exclude {
            for code in self.part(part, set.package, depth)? {
                held.remove(&code);
            }
        }
        if set.include.is_empty() {
            return None;
        }
        Some(held.into_iter().map(|(code, system)| (system, code)).collect())
    }

    /// Codes of one include or exclude as (code, system): what system and imports have in common.
    fn part(&self, part: &Part, package: &str, depth: usize) -> Option<BTreeSet<Code>> {
        let mut held: Option<BTreeSet<Code>> = None;
        if !part.system.is_empty() {
            held = Some(self.of_system(part, package)?.into_iter().map(|code| (code, part.system)).collect());
        }
        for import in &part.imports {
            let imported: BTreeSet<Code> =
                self.value_set(import, package, depth + 1)?.iter().map(|(system, code)| (*code, *system)).collect();
            held = Some(match held {
                Some(held) => held.intersection(&imported).copied().collect(),
                None => imported,
            });
        }
        held
    }

    fn of_system(&self, part: &Part, package: &str) -> Option<Vec<&'static str>> {
        if !part.codes.is_empty() {
            return Some(part.codes.clone());
        }
        let system = self.code_system(part.system, "", package).filter(|system| system.is_complete)?;
        let mut codes: Vec<&'static str> = system.concepts.iter().map(|concept| concept.code).collect();
        for [property, operator, value] in &part.filters {
            let (below, itself) = match (*property, *operator) {
                ("concept", "is-a") => (true, true),
                ("concept", "descendent-of") => (true, false),
                ("concept", "is-not-a") => (false, false),
                _ => return None,
            };
            let tree = system.tree(value);
            codes.retain(|code| if *code == *value { itself } else { tree.contains(code) == below });
        }
        Some(codes)
    }
}

impl CodeSystem {
    /// The concept of this code.
    #[must_use]
    pub fn concept(&self, code: &str) -> Option<&Concept> {
        self.concepts.iter().find(|concept| concept.code == code)
    }

    /// A code and all below it.
    #[must_use]
    pub fn tree(&self, top: &str) -> BTreeSet<&'static str> {
        let mut held: BTreeSet<&'static str> = BTreeSet::new();
        for concept in &self.concepts {
            if concept.code == top || held.contains(concept.parent) {
                held.insert(concept.code);
            }
        }
        held
    }
}
