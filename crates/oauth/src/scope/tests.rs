//! Scopes: grammar, narrowing, properties. Rows B30 to B36.

use super::{Permissions, Scope, ScopeContext, ScopeError, narrow::*, parse_list};
use proptest::prelude::*;

fn scope(text: &str) -> Scope {
    Scope::parse(text).unwrap_or_else(|why| panic!("{text}: {why}"))
}

fn scopes(text: &str) -> Vec<Scope> {
    parse_list(text).map(|(text, scope)| scope.unwrap_or_else(|why| panic!("{text}: {why}"))).collect()
}

/// Rows B30, B43: v1 and v2 forms, the URI form, and the letters that they stand for.
#[test]
fn grammar_accepts() {
    let table = [
        ("system/Observation.rs", Some("Observation"), "rs"),
        ("system/Observation.cruds", Some("Observation"), "cruds"),
        ("system/*.cruds", None, "cruds"),
        ("system/*.c", None, "c"),
        ("system/Patient.read", Some("Patient"), "rs"),
        ("system/Patient.write", Some("Patient"), "cud"),
        ("system/Patient.*", Some("Patient"), "cruds"),
        ("system/*.*", None, "cruds"),
        ("system/*.read", None, "rs"),
        ("http://smarthealthit.org/fhir/scopes/system/Patient.r", Some("Patient"), "r"),
    ];
    for (text, resource_type, letters) in table {
        let scope = scope(text);
        assert_eq!(scope.resource_type.as_deref(), resource_type, "{text}");
        assert_eq!(scope.permissions.to_string(), letters, "{text}");
        assert_eq!(&*scope.text, text, "B32: kept to the letter");
        assert_eq!(scope.context, ScopeContext::System);
    }
    assert_eq!(scope("patient/Observation.rs").context, ScopeContext::Patient);
    assert_eq!(scope("user/Observation.rs").context, ScopeContext::User);
}

/// Row B30: out of order or otherwise outside of the grammar is refused, never reinterpreted.
#[test]
fn grammar_refuses() {
    use ScopeError as E;
    let table = [
        ("", E::Context),
        ("openid", E::Context),
        ("launch/patient", E::Context),
        ("System/Patient.rs", E::Context),
        ("system/Patient", E::Permissions),
        ("system/Patient.", E::Permissions),
        ("system/Patient.dus", E::Permissions),
        ("system/Patient.rd s", E::Character),
        ("system/Patient.sr", E::Permissions),
        ("system/Patient.rr", E::Permissions),
        ("system/Patient.rsx", E::Permissions),
        ("system/Patient.RS", E::Permissions),
        ("system/Patient.reads", E::Permissions),
        ("system/Patient.r*", E::Permissions),
        ("system/patient.rs", E::ResourceType),
        ("system/Pat-ient.rs", E::ResourceType),
        ("system/.rs", E::ResourceType),
        ("system/**.rs", E::ResourceType),
        ("system/Patient.rs?", E::Query),
        ("system/Patient.rs?category", E::Query),
        ("system/Patient.rs?category=", E::Query),
        ("system/Patient.rs?=x", E::Query),
        ("system/Patient.rs?a=b&", E::Query),
        ("system/Patient.rs?a=%zz", E::Query),
        ("system/Patient.rs?a=%4", E::Query),
        ("system/Patient.rs?a=%ff", E::Query),
        ("system/Patient.rs?a=%00", E::Query),
        ("system/Patient.read?a=b", E::Query),
        ("system/Patient.*?a=b", E::Query),
        ("system/Patient.rs\"", E::Character),
        ("system/Pati\u{00eb}nt.rs", E::Character),
        ("system/Patient.rs\n", E::Character),
    ];
    for (text, expected) in table {
        assert_eq!(Scope::parse(text), Err(expected), "{text:?}");
    }
    assert_eq!(Scope::parse(&format!("system/Patient.rs?a={}", "x".repeat(5000))), Err(E::TooLong));
}

/// Row B35: names and values are percent-decoded; repeated parameters stay apart (AND), commas stay in (OR).
#[test]
fn query_is_decoded() {
    let scope = scope(
        "system/Observation.rs?category=http%3A%2F%2Fterminology.hl7.org%2FCodeSystem%2Fobservation-category%7Csurvey&status=final,amended",
    );
    let category = "http://terminology.hl7.org/CodeSystem/observation-category|survey";
    assert_eq!(
        scope.query,
        [("category".to_owned(), category.to_owned()), ("status".to_owned(), "final,amended".to_owned())]
    );
}

/// Row B36: the misprinted system means the right one; the text stays.
#[test]
fn misprinted_system_is_the_same() {
    let misprint =
        "system/Observation.rs?category=http://terminology.hl7.org//CodeSystem-observation-category|social-history";
    let right =
        "system/Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|social-history";
    let (one, other) = (scope(misprint), scope(right));
    assert_eq!(one.query, other.query);
    assert_eq!(&*one.text, misprint);
    assert!(one.covers(&other) && other.covers(&one));
    let longer = scope("system/Observation.rs?category=http://terminology.hl7.org//CodeSystem-observation-categoryX|a");
    assert!(longer.query[0].1.contains("//CodeSystem-"), "only that system, not one that begins alike");
}

#[test]
fn covering() {
    let yes = [
        ("system/*.cruds", "system/Patient.rs"),
        ("system/*.*", "system/*.read"),
        ("system/Patient.read", "system/Patient.rs"),
        ("system/Patient.rs", "system/Patient.read"),
        ("system/Observation.rs", "system/Observation.rs?category=a"),
        ("system/Observation.rs?category=a", "system/Observation.r?category=a&status=final"),
        ("system/Observation.rs?category=a,b", "system/Observation.rs?category=b"),
        ("system/Observation.rs?category=a", "system/Observation.rs?category=%61"),
        ("system/*.rs?_tag=a", "system/Observation.rs?_tag=a"),
    ];
    let no = [
        ("system/Patient.rs", "system/Observation.rs"),
        ("system/Patient.r", "system/Patient.rs"),
        ("system/Patient.rs", "system/*.rs"),
        ("system/*.rs", "patient/Patient.rs"),
        ("system/Observation.rs?category=a", "system/Observation.rs"),
        ("system/Observation.rs?category=a", "system/Observation.rs?category=a,b"),
        ("system/Observation.rs?category=a", "system/Observation.rs?code=a"),
        ("system/Observation.rs?code:not=a,b", "system/Observation.rs?code:not=a"),
        ("system/Observation.rs?code=a%5C,b", "system/Observation.rs?code=b"),
    ];
    for (wide, narrow) in yes {
        assert!(scope(wide).covers(&scope(narrow)), "{wide} covers {narrow}");
    }
    for (wide, narrow) in no {
        assert!(!scope(wide).covers(&scope(narrow)), "{wide} does not cover {narrow}");
    }
}

fn granted(requested: &str, registered: &str) -> Result<String, NarrowError> {
    narrow(requested, &scopes(registered), |_| true).map(|granted| granted.text.to_string())
}

/// Rows C11, B32, B42: what a request gets.
#[test]
fn narrowing() {
    let table = [
        // Covered: to the letter, v1 stays v1.
        ("system/Patient.read", "system/*.cruds", Ok("system/Patient.read")),
        ("system/Patient.rs", "system/Patient.*", Ok("system/Patient.rs")),
        ("system/*.read", "system/*.*", Ok("system/*.read")),
        // Wider than registered: the common part.
        ("system/*.rs", "system/Patient.rs system/Observation.rs?category=a", {
            Ok("system/Patient.rs system/Observation.rs?category=a")
        }),
        ("system/*.read", "system/Patient.cruds", Ok("system/Patient.read")),
        ("system/Patient.cruds", "system/Patient.rs", Ok("system/Patient.rs")),
        ("system/Patient.write", "system/Patient.cu", Ok("system/Patient.cu")),
        ("system/Observation.rs", "system/Observation.rs?category=a", Ok("system/Observation.rs?category=a")),
        ("system/Observation.rs?status=final", "system/Observation.rs?category=a", {
            Ok("system/Observation.rs?status=final&category=a")
        }),
        ("system/*.cruds", "system/Patient.rs system/Patient.r", Ok("system/Patient.rs")),
        // Not registered: dropped; repeated: once; nonsense: dropped.
        ("system/Patient.rs system/Observation.rs", "system/Patient.rs", Ok("system/Patient.rs")),
        ("system/Patient.rs system/Patient.rs", "system/Patient.rs", Ok("system/Patient.rs")),
        ("system/Patient.rs  system/Patient.sr openid", "system/Patient.rs", Ok("system/Patient.rs")),
        // Nothing left.
        ("system/Observation.rs", "system/Patient.rs", Err(NarrowError::Nothing)),
        ("system/Patient.c", "system/Patient.rs", Err(NarrowError::Nothing)),
        ("system/Patient.dus", "system/*.cruds", Err(NarrowError::Nothing)),
        ("patient/Patient.rs", "system/*.cruds", Err(NarrowError::Nothing)),
        ("openid fhirUser", "system/*.cruds", Err(NarrowError::Nothing)),
        ("", "system/*.cruds", Err(NarrowError::Nothing)),
        // B42.
        ("system/Patient.rs patient/Patient.rs", "system/*.cruds", Err(NarrowError::Mixed)),
        ("user/Patient.rs system/Patient.rs", "system/*.cruds", Err(NarrowError::Mixed)),
    ];
    for (requested, registered, expected) in table {
        assert_eq!(granted(requested, registered), expected.map(str::to_owned), "{requested} of {registered}");
    }
    let many = "system/Patient.rs ".repeat(1100);
    assert_eq!(granted(&many, "system/*.cruds"), Err(NarrowError::TooMany));
}

/// Row B4: what the server cannot enforce is not granted.
#[test]
fn unusable_scopes_are_dropped() {
    let usable = |scope: &Scope| scope.resource_type.as_deref() != Some("Nonsense");
    let registered = scopes("system/*.cruds");
    let both = narrow("system/Nonsense.rs system/Patient.rs", &registered, usable).unwrap();
    assert_eq!(&*both.text, "system/Patient.rs");
    assert_eq!(narrow("system/Nonsense.rs", &registered, usable), Err(NarrowError::Nothing));
}

fn any_scope() -> impl Strategy<Value = String> {
    let query = proptest::option::of(proptest::collection::vec(("[a-c]", "[a-c](,[a-c]){0,2}"), 1..3));
    ("(system|patient)", "(\\*|Patient|Observation)", "c?r?u?d?s?", query).prop_filter_map("letters", |(c, t, l, q)| {
        let query = q.map_or(String::new(), |pairs| {
            format!("?{}", pairs.iter().map(|(k, v)| format!("{k}={v}")).collect::<Vec<_>>().join("&"))
        });
        (!l.is_empty()).then(|| format!("{c}/{t}.{l}{query}"))
    })
}

proptest! {
    /// Row F67: no text makes the parser fail other than by its error.
    #[test]
    fn any_text_is_read_or_refused(text in ".{0,80}", shaped in "(system|user)/[A-Za-z*]{0,9}\\.[cruds*]{0,6}(\\?[a-z%0-9=&,|]{0,20})?") {
        for text in [text, shaped] {
            if let Ok(scope) = Scope::parse(&text) {
                prop_assert_eq!(&*scope.text, text.as_str());
                prop_assert!(!scope.permissions.is_empty());
            }
            let _ = narrow(&text, &[], |_| true);
        }
    }

    /// Row C11: nothing is granted that no registered scope covers, nothing that was not asked for.
    #[test]
    fn granted_is_within_both(requested in proptest::collection::vec(any_scope(), 1..4), registered in proptest::collection::vec(any_scope(), 1..4)) {
        let (asked, allowed) = (scopes(&requested.join(" ")), scopes(&registered.join(" ")));
        if let Ok(granted) = narrow(&requested.join(" "), &allowed, |_| true) {
            for scope in granted.scopes.iter() {
                prop_assert!(allowed.iter().any(|wide| wide.covers(scope)), "{} not registered", scope.text);
                prop_assert!(asked.iter().any(|wide| wide.covers(scope)), "{} not asked for", scope.text);
            }
            // Asking for what was granted gives the same again.
            prop_assert_eq!(narrow(&granted.text, &allowed, |_| true), Ok(granted.clone()));
        }
    }

    #[test]
    fn covers_is_reflexive_and_letters_print_as_read(text in any_scope()) {
        let one = scope(&text);
        prop_assert!(one.covers(&one));
        let letters = one.permissions.to_string();
        prop_assert_eq!(Permissions::parse(&letters), Some(one.permissions));
    }
}
