//! Small definitions, made for the tests.

use fhir::schema::{Definitions, Tables};
use terminology::Terminology;

pub(crate) const FOOD: &str = "http://example.org/CodeSystem/food";
pub(crate) const SETS: &str = "http://example.org/ValueSet/";

/// A hierarchy with second parents, properties, names, marks; value sets over it.
pub(crate) fn terminology() -> Terminology {
    let code_systems = [
        "S\thttp://example.org/CodeSystem/food\t2.0\ttest#1\tcomplete\t\tFood\tis-a\thttp://example.org/ValueSet/all-food",
        "Y\tcolour\tstring\t",
        "Y\tstatus\tcode\thttp://hl7.org/fhir/concept-properties#status",
        "Y\tabstract\tboolean\thttp://hl7.org/fhir/concept-properties#notSelectable",
        "Y\tparent\tcode\thttp://hl7.org/fhir/concept-properties#parent",
        "Y\tweight\tinteger\t",
        "C\tfood\tAny food",
        "Q\tabstract\ttrue",
        "C\tfruit\tFruit\tfood",
        "D\tde\tdisplay\tObst",
        "C\tapple\tApple\tfruit",
        "Q\tcolour\tred",
        "Q\tcolour\tgreen",
        "Q\tweight\t150",
        "D\tde\tdisplay\tApfel",
        "C\tbanana\tBanana, yellow\tfruit",
        "Q\tcolour\tyellow",
        "C\tvegetable\tVegetable\tfood",
        "C\ttomato\tTomato\tvegetable",
        "Q\tparent\tfruit",
        "Q\tcolour\tred",
        "C\tbear\tBear meat\tfood",
        "Q\tstatus\tretired",
        "S\thttp://example.org/CodeSystem/units\t1\ttest#1\tcomplete\tinsensitive\tUnits",
        "C\tKG\tKilogram",
        "C\tPound\tPound",
        "S\thttp://example.org/CodeSystem/some\t1\ttest#1\tfragment\t\tSome",
        "C\tknown\tKnown",
        "S\thttp://example.org/CodeSystem/names\t1\ttest#1\tsupplement\t\tNames\t\t\thttp://example.org/CodeSystem/food",
        "C\tbanana",
        "D\tfr\tdisplay\tBanane",
    ];
    let mut value_sets = String::new();
    let mut set = |name: &str, inactive: &str, lines: &[&str]| {
        value_sets.push_str(&format!("V\t{SETS}{name}\t1\ttest#1\t\t{name}\t{inactive}\n"));
        lines.iter().for_each(|line| value_sets.push_str(&format!("{line}\n")));
    };
    let filter = |name: &str, property: &str, operator: &str, value: &str| {
        (name.to_owned(), format!("F\t{property}\t{operator}\t{value}"))
    };
    let include = format!("I\t{FOOD}");
    for (name, line) in [
        filter("is-a", "concept", "is-a", "fruit"),
        filter("descendent-of", "concept", "descendent-of", "fruit"),
        filter("is-not-a", "concept", "is-not-a", "fruit"),
        filter("generalizes", "concept", "generalizes", "tomato"),
        filter("equals", "colour", "=", "red"),
        filter("in", "colour", "in", "green, yellow"),
        filter("not-in", "colour", "not-in", "red,yellow"),
        filter("exists", "colour", "exists", "true"),
        filter("exists-not", "colour", "exists", "false"),
        filter("regex", "code", "regex", "b.*"),
        filter("regex-half", "code", "regex", "b"),
        filter("regex-colour", "colour", "regex", "(gr|y).+"),
        filter("parent", "parent", "=", "food"),
        filter("selectable", "notSelectable", "=", "false"),
        filter("unknown-property", "taste", "=", "sweet"),
        filter("unknown-operator", "colour", "like", "red"),
        filter("huge-regex", "code", "regex", "((a{1000}){1000}){1000}"),
        filter("open-regex", "code", "regex", "(b"),
    ] {
        set(&name, "", &[include.as_str(), line.as_str()]);
    }
    set("all", "", &[include.as_str()]);
    set("active", "false", &[include.as_str()]);
    set("both", "", &[include.as_str(), "F\tconcept\tis-a\tfruit", "U\thttp://example.org/ValueSet/equals"]);
    set("renamed", "", &["I", "U\thttp://example.org/ValueSet/equals|1"]);
    set("either", "", &["I", "U\thttp://example.org/ValueSet/is-a", "I", "U\thttp://example.org/ValueSet/regex"]);
    set("without", "", &[include.as_str(), "X\thttp://example.org/CodeSystem/food", "F\tconcept\tis-a\tfruit"]);
    set("shown", "", &[include.as_str(), "C\tapple\tAn apple a day", "C\tdurian\tDurian"]);
    set("units", "", &["I\thttp://example.org/CodeSystem/units"]);
    set("some", "", &["I\thttp://example.org/CodeSystem/some"]);
    set("old", "", &["I\thttp://example.org/CodeSystem/food\t1.0"]);
    set("circle-a", "", &[include.as_str(), "C\tapple", "I", "U\thttp://example.org/ValueSet/circle-b"]);
    set("circle-b", "", &[include.as_str(), "C\tbanana", "I", "U\thttp://example.org/ValueSet/circle-a"]);
    set("no-import", "", &[include.as_str(), "C\tapple", "I", "U\thttp://example.org/ValueSet/nowhere"]);
    set("meets-nowhere", "", &[include.as_str(), "U\thttp://example.org/ValueSet/nowhere"]);
    set("without-nowhere", "", &[include.as_str(), "X", "U\thttp://example.org/ValueSet/nowhere"]);
    set("empty", "", &[]);
    set(
        "expanded",
        "",
        &[
            "I\thttp://snomed.info/sct",
            "F\tconcept\tis-a\t404684003",
            "N\thttp://snomed.info/sct\t\t1000001\tThing",
            "N\thttp://snomed.info/sct\t\t1000002\tOther",
        ],
    );
    let concept_maps = [
        "M\thttp://example.org/ConceptMap/a\t1\ttest#1\thttp://example.org/ValueSet/all\thttp://example.org/ValueSet/units\tA",
        "G\thttp://example.org/CodeSystem/food\t\thttp://example.org/CodeSystem/units",
        "T\tapple\tKG\twider",
        "T\tapple\tPound\tequivalent\tA pound",
        "T\tbanana\t\tunmatched",
        "T\ttomato\tKG\tequal\t\tconditional",
        "M\thttp://example.org/ConceptMap/b\t1\ttest#1\t\t\tB",
        "G\thttp://example.org/CodeSystem/food\t\thttp://example.org/other\t\tfixed\tother\tOther",
        "M\thttp://example.org/ConceptMap/c\t1\ttest#1\t\t\tC",
        "G\thttp://example.org/CodeSystem/food\t\thttp://example.org/same\t\tprovided",
        "M\thttp://example.org/ConceptMap/d\t1\ttest#1\t\t\tD",
        "G\thttp://example.org/CodeSystem/food\t\thttp://example.org/d\t\tother-map\thttp://example.org/ConceptMap/d",
    ];
    let tables = Tables {
        code_systems: code_systems.join("\n") + "\n",
        value_sets,
        concept_maps: concept_maps.join("\n") + "\n",
        ..Tables::default()
    };
    Terminology::new(&Definitions::builtin().with(vec![tables]), Vec::new())
}
