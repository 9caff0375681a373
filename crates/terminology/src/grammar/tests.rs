//! Codes by rule: what the rule allows, refuses, and cannot know.

use super::Grammar;
use crate::truth::Truth;
use fhir::ucum::Units;

fn all(grammar: Grammar, codes: &[&str], truth: Truth) {
    for code in codes {
        assert_eq!(grammar.check(code), truth, "{code}");
    }
}

#[test]
fn language_tags() {
    let good = ["en", "en-US", "zh-Hant-TW", "de-CH-1901", "sl-rozaj-biske", "es-419", "x-mine", "i-klingon"];
    all(Grammar::Language, &good, Truth::Yes);
    all(Grammar::Language, &["en-a-bbb-x-q", "zh-yue-HK", "gsw", "EN-us"], Truth::Yes);
    all(Grammar::Language, &["", "e", "en_US", "english-language-tag", "en-", "en-a", "xx", "en-x", "1n"], Truth::No);
    let simple = |code: &str| {
        ["ext-lang", "script", "variant", "extension", "private-use"]
            .iter()
            .all(|one| Grammar::Language.filtered(one, "exists", "false").expect("known").check(code) == Truth::Yes)
    };
    assert!(simple("en-US") && simple("fr") && !simple("zh-Hant") && !simple("en-x-mine") && !simple("??"));
    assert_eq!(Grammar::Language.filtered("colour", "exists", "false"), None);
}

#[test]
fn mime_types() {
    let good = [
        "text/plain",
        "application/fhir+json",
        "text/plain; charset=utf-8",
        "image/svg+xml;a=\"b;\\\"c\"",
        "application/fhir+json;canonicalization=http://hl7.org/fhir/canonicalization/json#static",
    ];
    all(Grammar::Mime, &good, Truth::Yes);
    all(
        Grammar::Mime,
        &[
            "",
            "text",
            "text/",
            "/plain",
            "text/pl ain",
            "text/plain;",
            "a/b;c=\"d",
            "a/b;c=d:e",
            "a/b;c=http://d e",
            "a/b;c=://d",
            "a/b;c=http:/d",
            "a/b;c=http://",
        ],
        Truth::No,
    );
    // Words of `CapabilityStatement.format`, which is bound to media types all the same.
    all(Grammar::Mime, &["json", "xml", "ttl"], Truth::Unsure);
}

#[test]
fn currencies() {
    all(Grammar::Currency, &["USD", "EUR", "XXX"], Truth::Yes);
    all(Grammar::Currency, &["usd", "US", "DOLLAR", "U$D"], Truth::No);
    all(Grammar::Currency, &["QQQ"], Truth::Unsure);
}

#[test]
fn icf_codes_have_a_shape() {
    // Guide: examples use b1, b2, d4, d5; pages write `mental_functions`, which is no code.
    all(Grammar::Icf, &["b", "b1", "d450", "d4501", "b11420", "e5", "b110.3", "b280.+2"], Truth::Unsure);
    all(Grammar::Icf, &["mental_functions", "b9", "s0", "d10", "e6", "x1", "", "b1.", "d45a"], Truth::No);
}

#[test]
fn units() {
    let ucum = Grammar::of("http://unitsofmeasure.org", Units::builtin()).expect("a rule");
    all(ucum.clone(), &["mg/dL", "kg", "10*3/uL", "{score}", "mm[Hg]"], Truth::Yes);
    all(ucum.clone(), &["mg//dL", "", "kg m"], Truth::No);
    let lengths = ucum.filtered("canonical", "=", "m").expect("known");
    all(lengths.clone(), &["cm", "km", "[in_i]"], Truth::Yes);
    all(lengths, &["kg", "s"], Truth::No);
}
