//! Properties over made-up systems and value sets, and hostile ones: what is composed is what a plain reading
//! of the composition says; expansion and membership agree; nothing panics, hangs or grows without bound.

use fhir::{
    json::Tree,
    schema::{Definitions, Tables},
};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use terminology::{Coding, ExpandOptions, Membership, Subsumption, Terminology, Unknown};

const SYSTEM: &str = "http://example.org/s";
const OTHER: &str = "http://example.org/not-loaded";
const CODES: u8 = 12;

/// A condition on codes.
#[derive(Debug, Clone)]
enum Which {
    All,
    Listed(Vec<u8>),
    IsA(u8),
    NotIsA(u8),
    Below(u8),
    Above(u8),
    Colour(u8),
    Colours(u8, u8),
    NotColour(u8),
    HasColour(bool),
    Regex(u8),
    Unknown,
    NotLoaded,
    NotLoadedListed(Vec<u8>),
}

#[derive(Debug, Clone)]
struct Part {
    exclude: bool,
    which: Vec<Which>,
    /// Imports, taken modulo the number of sets before.
    imports: Vec<u8>,
    has_system: bool,
}

fn which() -> impl Strategy<Value = Which> {
    prop_oneof![
        Just(Which::All),
        prop::collection::vec(0..CODES, 1..5).prop_map(Which::Listed),
        (0..CODES).prop_map(Which::IsA),
        (0..CODES).prop_map(Which::NotIsA),
        (0..CODES).prop_map(Which::Below),
        (0..CODES).prop_map(Which::Above),
        (0..3u8).prop_map(Which::Colour),
        (0..3u8, 0..3u8).prop_map(|(a, b)| Which::Colours(a, b)),
        (0..3u8).prop_map(Which::NotColour),
        any::<bool>().prop_map(Which::HasColour),
        (0..10u8).prop_map(Which::Regex),
        Just(Which::Unknown),
        Just(Which::NotLoaded),
        prop::collection::vec(0..CODES, 1..5).prop_map(Which::NotLoadedListed),
    ]
}

fn part() -> impl Strategy<Value = Part> {
    (
        prop::bool::weighted(0.25),
        prop::collection::vec(which(), 1..3),
        prop::collection::vec(any::<u8>(), 0..3),
        prop::bool::weighted(0.8),
    )
        .prop_map(|(exclude, which, imports, has_system)| Part { exclude, which, imports, has_system })
}

#[derive(Debug, Clone)]
struct World {
    /// Parents of each code, of smaller numbers.
    parents: Vec<Vec<u8>>,
    colours: Vec<Option<u8>>,
    sets: Vec<Vec<Part>>,
}

fn world() -> impl Strategy<Value = World> {
    let parents = prop::collection::vec(prop::collection::vec(any::<u8>(), 0..3), CODES as usize);
    let colours = prop::collection::vec(prop::option::of(0..3u8), CODES as usize);
    let sets = prop::collection::vec(prop::collection::vec(part(), 1..4), 1..6);
    (parents, colours, sets).prop_map(|(parents, colours, sets)| {
        let above = |(at, all): (usize, Vec<u8>)| match u8::try_from(at) {
            Ok(at) if at > 0 => all.into_iter().map(|one| one % at).collect(),
            _ => Vec::new(),
        };
        World { parents: parents.into_iter().enumerate().map(above).collect(), colours, sets }
    })
}

fn set_url(at: usize) -> String {
    format!("http://example.org/set{at}")
}

impl World {
    fn tables(&self) -> Tables {
        let mut code_systems = format!("S\t{SYSTEM}\t1\tp#1\tcomplete\t\tS\nY\tcolour\tstring\t\nY\tparent\tcode\t\n");
        for (at, parents) in self.parents.iter().enumerate() {
            code_systems.push_str(&format!("C\tc{at}\tCode {at}\n"));
            parents.iter().for_each(|one| code_systems.push_str(&format!("Q\tparent\tc{one}\n")));
            if let Some(colour) = self.colours[at] {
                code_systems.push_str(&format!("Q\tcolour\tk{colour}\n"));
            }
        }
        let mut value_sets = String::new();
        for (at, parts) in self.sets.iter().enumerate() {
            value_sets.push_str(&format!("V\t{}\t1\tp#1\n", set_url(at)));
            for part in parts {
                let letter = if part.exclude { "X" } else { "I" };
                let of_other = matches!(part.which[0], Which::NotLoaded | Which::NotLoadedListed(_));
                let system = match (part.has_system, of_other) {
                    (false, _) => "",
                    (true, true) => OTHER,
                    (true, false) => SYSTEM,
                };
                value_sets.push_str(&format!("{letter}\t{system}\n"));
                if part.has_system {
                    for which in self.conditions(part) {
                        value_sets.push_str(&lines(which));
                    }
                }
                for import in self.imports(at, part) {
                    value_sets.push_str(&format!("U\t{}\n", set_url(import)));
                }
            }
        }
        Tables { code_systems, value_sets, ..Tables::default() }
    }

    /// A list goes with no filter; what is of the other system stands alone.
    fn conditions<'a>(&self, part: &'a Part) -> &'a [Which] {
        let alone = |one: &Which| matches!(one, Which::Listed(_) | Which::NotLoaded | Which::NotLoadedListed(_));
        if part.which.iter().any(alone) { &part.which[..1] } else { &part.which }
    }

    fn imports(&self, at: usize, part: &Part) -> Vec<usize> {
        if at == 0 { Vec::new() } else { part.imports.iter().map(|one| usize::from(*one) % at).collect() }
    }

    fn has_set_without_include(&self) -> bool {
        self.sets.iter().any(|parts| parts.iter().all(|part| part.exclude))
    }

    fn above(&self, code: u8) -> BTreeSet<u8> {
        let mut held = BTreeSet::from([code]);
        for parent in &self.parents[usize::from(code)] {
            held.extend(self.above(*parent));
        }
        held
    }

    /// Yes 2, unsure 1, no 0; of a code of a system.
    fn truth(&self, set: usize, system: &str, code: u8) -> u8 {
        let part = |part: &Part| {
            let mut truth = 2;
            if part.has_system {
                truth = self.conditions(part).iter().map(|which| self.passes(which, system, code)).min().unwrap();
            }
            let imports = self.imports(set, part);
            if !part.has_system && imports.is_empty() {
                return 0;
            }
            imports.iter().fold(truth, |truth, import| truth.min(self.truth(*import, system, code)))
        };
        let of = |exclude: bool| self.sets[set].iter().filter(move |part| part.exclude == exclude);
        if of(false).next().is_none() {
            return 1;
        }
        let included = of(false).map(part).max().unwrap_or(0);
        let excluded = of(true).map(part).max().unwrap_or(0);
        included.min(2 - excluded)
    }

    fn passes(&self, which: &Which, system: &str, code: u8) -> u8 {
        let yes = |is: bool| if is { 2 } else { 0 };
        match which {
            Which::NotLoaded => return u8::from(system == OTHER),
            Which::NotLoadedListed(listed) => return yes(system == OTHER && listed.contains(&code)),
            _ if system != SYSTEM => return 0,
            _ => {}
        }
        let colour = self.colours[usize::from(code)];
        yes(match which {
            Which::All => true,
            Which::Listed(listed) => listed.contains(&code),
            Which::IsA(top) => self.above(code).contains(top),
            Which::NotIsA(top) => !self.above(code).contains(top),
            Which::Below(top) => code != *top && self.above(code).contains(top),
            Which::Above(low) => self.above(*low).contains(&code),
            Which::Colour(one) => colour == Some(*one),
            Which::Colours(one, other) => colour == Some(*one) || colour == Some(*other),
            Which::NotColour(one) => colour != Some(*one),
            Which::HasColour(has) => colour.is_some() == *has,
            Which::Regex(digit) => format!("c{code}").ends_with(&digit.to_string()),
            Which::Unknown | Which::NotLoaded | Which::NotLoadedListed(_) => return 1,
        })
    }
}

fn lines(which: &Which) -> String {
    let filter = |property: &str, operator: &str, value: String| format!("F\t{property}\t{operator}\t{value}\n");
    match which {
        Which::All | Which::NotLoaded => String::new(),
        Which::Listed(codes) | Which::NotLoadedListed(codes) => {
            codes.iter().map(|one| format!("C\tc{one}\n")).collect()
        }
        Which::IsA(top) => filter("concept", "is-a", format!("c{top}")),
        Which::NotIsA(top) => filter("concept", "is-not-a", format!("c{top}")),
        Which::Below(top) => filter("concept", "descendent-of", format!("c{top}")),
        Which::Above(low) => filter("concept", "generalizes", format!("c{low}")),
        Which::Colour(one) => filter("colour", "=", format!("k{one}")),
        Which::Colours(one, other) => filter("colour", "in", format!("k{one},k{other}")),
        Which::NotColour(one) => filter("colour", "not-in", format!("k{one}")),
        Which::HasColour(has) => filter("colour", "exists", has.to_string()),
        Which::Regex(digit) => filter("code", "regex", format!("c.*{digit}")),
        Which::Unknown => filter("taste", "=", "sweet".to_owned()),
    }
}

fn number(membership: Membership<'_>) -> u8 {
    match membership {
        Membership::In => 2,
        Membership::Unknown(_) => 1,
        Membership::NotIn => 0,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, rng_seed: prop::test_runner::RngSeed::Fixed(4), ..ProptestConfig::with_cases(96) })]

    #[test]
    fn a_value_set_holds_what_its_composition_says(world in world()) {
        let it = Terminology::new(&Definitions::builtin().with(vec![world.tables()]), Vec::new());
        for at in 0..world.sets.len() {
            let url = set_url(at);
            let mut members = BTreeSet::new();
            for code in 0..CODES {
                let text = format!("c{code}");
                for system in [SYSTEM, OTHER, "http://example.org/neither"] {
                    let held = number(it.validate_code(&url, Coding::of(system, &text)));
                    let wanted = world.truth(at, system, code);
                    // Of an import of which nothing is known, exclusion leaves unsure what it takes away.
                    let careful = held == 1 && wanted == 0 && world.has_set_without_include();
                    prop_assert!(held == wanted || careful, "{url} {system}#{text}: {held} instead of {wanted}");
                    if held == 2 {
                        members.insert((system.to_owned(), text.clone()));
                    }
                }
            }
            prop_assert_eq!(number(it.validate_code(&url, Coding::of(SYSTEM, "none"))) == 2, false);
            let handle = it.value_set(&url, "").expect("there");
            match it.expand(&handle, ExpandOptions::default()) {
                Ok(expansion) => {
                    let expanded: BTreeSet<_> =
                        expansion.contains.iter().map(|one| (one.system.to_owned(), one.code.to_owned())).collect();
                    prop_assert_eq!(expansion.contains.len(), expanded.len(), "no code twice");
                    prop_assert_eq!(&expanded, &members);
                    // Pages put together are the whole.
                    let mut paged = Vec::new();
                    for offset in (0..expanded.len() + 3).step_by(3) {
                        let page = it.expand(&handle, ExpandOptions { offset, count: Some(3), ..ExpandOptions::default() }).expect("as the whole");
                        paged.extend(page.contains.iter().map(|one| (one.system.to_owned(), one.code.to_owned())));
                    }
                    prop_assert!(paged.len() == expanded.len() && paged.into_iter().collect::<BTreeSet<_>>() == expanded);
                }
                Err(_) => {
                    let unsure = world.has_set_without_include() || (0..CODES).any(|code| [SYSTEM, OTHER].iter().any(|system| world.truth(at, system, code) == 1));
                    prop_assert!(unsure || number(it.validate_code(&url, Coding::of(OTHER, "zz"))) == 1 || number(it.validate_code(&url, Coding::of(SYSTEM, "zz"))) == 1 || number(it.validate_code(&url, Coding::of("x", "zz"))) == 1);
                }
            }
        }
    }

    #[test]
    fn subsumption_is_an_order(world in world()) {
        let it = Terminology::new(&Definitions::builtin().with(vec![world.tables()]), Vec::new());
        let mut relation = BTreeMap::new();
        for one in 0..CODES {
            for other in 0..CODES {
                let (a, b) = (format!("c{one}"), format!("c{other}"));
                let outcome = it.subsumes(Coding::of(SYSTEM, &a), Coding::of(SYSTEM, &b)).expect("both are there");
                relation.insert((one, other), outcome);
                let above = world.above(other).contains(&one);
                let wanted = if one == other { Subsumption::Equivalent } else if above { Subsumption::Subsumes } else if world.above(one).contains(&other) { Subsumption::SubsumedBy } else { Subsumption::NotSubsumed };
                prop_assert_eq!(outcome, wanted);
            }
        }
        let below = |one: u8, other: u8| matches!(relation[&(one, other)], Subsumption::Subsumes | Subsumption::Equivalent);
        for a in 0..CODES {
            for b in 0..CODES {
                for c in 0..CODES {
                    prop_assert!(!(below(a, b) && below(b, c)) || below(a, c));
                }
            }
        }
    }

    /// Any imports at all, circles too: an answer, and the same whoever asks first.
    #[test]
    fn imports_in_circles_end(edges in prop::collection::vec((0u8..8, 0u8..8), 0..24), first in 0u8..8) {
        let mut value_sets = String::new();
        for set in 0..8u8 {
            value_sets.push_str(&format!("V\t{}\t1\tp#1\nI\t{SYSTEM}\nC\tc{set}\n", set_url(set.into())));
            for (_, import) in edges.iter().filter(|(from, _)| *from == set) {
                value_sets.push_str(&format!("I\nU\t{}\n", set_url((*import).into())));
            }
        }
        let definitions = Definitions::builtin().with(vec![Tables { value_sets, ..Tables::default() }]);
        let ask = |order: &mut dyn Iterator<Item = u8>| -> BTreeMap<(u8, u8), u8> {
            let it = Terminology::new(&definitions, Vec::new());
            order.flat_map(|set| {
                let held: Vec<_> = (0..8u8).map(|code| {
                    let url = set_url(set.into());
                    ((set, code), number(it.validate_code(&url, Coding::of(SYSTEM, &format!("c{code}")))))
                }).collect();
                held
            }).collect()
        };
        let one = ask(&mut (0..8));
        let other = ask(&mut (0..8).map(|set| (set + first) % 8).rev());
        prop_assert_eq!(one, other);
    }

    /// A value set of a request, whatever it is.
    #[test]
    fn any_value_set_of_a_request_ends(system in prop::sample::select(vec![SYSTEM, "http://loinc.org", "urn:ietf:bcp:47", "http://unitsofmeasure.org", "", "http://terminology.hl7.org/CodeSystem/v3-ActCode"]),
        property in "[a-z-]{0,8}|concept|code|display|parent", operator in "is-a|in|not-in|=|regex|exists|generalizes|x", value in "[^\\x00]{0,30}", import in "http://hl7[.]org/fhir/ValueSet/(languages|mimetypes|all-types)|x") {
        let it = Terminology::builtin();
        let quote = |text: &str| {
            let mut w = fhir::json::Writer::new();
            w.string(text);
            String::from_utf8(w.into_bytes()).expect("UTF-8")
        };
        let text = format!(r#"{{"resourceType":"ValueSet","compose":{{"include":[{{"system":{},"filter":[{{"property":{},"op":{},"value":{}}}]}},{{"valueSet":[{}]}}],"exclude":[{{"system":{}}}]}}}}"#,
            quote(system), quote(&property), quote(&operator), quote(&value), quote(&import), quote(system));
        let tree = Tree::parse(text.into_bytes()).expect("JSON");
        let set = it.value_set_in(tree.root()).expect("a value set");
        let _ = it.holds(&set, Coding::of(system, &value));
        let _ = it.expand(&set, ExpandOptions { filter: &value, count: Some(10), ..ExpandOptions::default() }).map(|page| page.total);
    }
}

fn of(value_sets: String) -> Terminology {
    Terminology::new(&Definitions::builtin().with(vec![Tables { value_sets, ..Tables::default() }]), Vec::new())
}

#[test]
fn deep_and_wide_imports_end() {
    // A chain of three thousand value sets, each importing the next and listing a code.
    let chain = |len: usize| -> String {
        let set = |at: usize| format!("V\t{}\t1\tp#1\nI\t{OTHER}\nC\tc{at}\nI\nU\t{}\n", set_url(at), set_url(at + 1));
        (0..len).map(set).collect()
    };
    let it = of(chain(1000));
    let top = set_url(0);
    assert_eq!(it.validate_code(&top, Coding::of(OTHER, "c999")), Membership::In);
    assert!(matches!(it.validate_code(&top, Coding::of(OTHER, "c1000")), Membership::Unknown(Unknown::ValueSet(_))));
    let it = of(chain(20_000));
    assert!(matches!(it.validate_code(&top, Coding::of(OTHER, "c1")), Membership::Unknown(Unknown::TooCostly(_))));
    // Each imports the next twice: 2^60 ways down.
    let twice: String = (0..60)
        .map(|at| {
            format!("V\t{}\t1\tp#1\nI\t{OTHER}\nC\tc{at}\nI\nU\t{n}\nI\nU\t{n}\n", set_url(at), n = set_url(at + 1))
        })
        .collect();
    let it = of(twice);
    assert_eq!(it.validate_code(&top, Coding::of(OTHER, "c59")), Membership::In);
}

#[test]
fn many_parts_of_a_request_are_too_costly_not_endless() {
    let it = Terminology::builtin();
    let many = |count: usize, part: &dyn Fn(usize) -> String| {
        let parts: Vec<String> = (0..count).map(part).collect();
        let text = format!(r#"{{"resourceType":"ValueSet","compose":{{"include":[{}]}}}}"#, parts.join(","));
        let tree = Tree::parse(text.into_bytes()).expect("JSON");
        it.value_set_in(tree.root()).map(|_| ())
    };
    assert!(many(15_000, &|at| format!(r#"{{"system":"http://s{at}.org"}}"#)).is_err());
    assert!(many(15_000, &|at| format!(r#"{{"system":"http://s.org","concept":[{{"code":"{at}"}}]}}"#)).is_err());
    assert!(many(50, &|_| r#"{"valueSet":["http://hl7.org/fhir/ValueSet/all-types"]}"#.to_owned()).is_ok());
    let filters: Vec<String> =
        (0..1000).map(|_| r#"{"property":"code","op":"regex","value":"(x+x+)+y"}"#.to_owned()).collect();
    let text = format!(
        r#"{{"resourceType":"ValueSet","compose":{{"include":[{{"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","filter":[{}]}}]}}}}"#,
        filters.join(",")
    );
    let tree = Tree::parse(text.into_bytes()).expect("JSON");
    assert!(it.value_set_in(tree.root()).is_err(), "more filters than make sense");
}
