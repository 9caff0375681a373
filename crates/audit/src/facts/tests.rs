//! Facts and rendered events say the same, and rendered events are valid R4.

use super::*;
use crate::{
    balp::{Facet, Server, event_of},
    entry::{Action, Counts, Effect, Entry, Grounds, Kind, Organization, Outcome, Person, Touched},
};
use fhir::{VersionId, element::Element, json::Tree};
use proptest::prelude::*;
use search::IndexValue;

fn server() -> Server {
    Server { base_url: "https://handrail.test/fhir".into(), name: "handrail 0.1.0".into() }
}

fn id(text: &str) -> LogicalId {
    LogicalId::parse(text).unwrap()
}

prop_compose! {
    fn any_person()(
        id in "[a-z0-9]{1,12}",
        name in "(|[ -~]{1,20})",
        role in prop::sample::select(oauth::caller::Role::ALL.to_vec()),
        fhir_user in prop::sample::select(vec![None, Some("Practitioner/dr"), Some("Patient/p"), Some("nonsense")]),
    ) -> Person {
        Person { id: id.into(), name: name.into(), role, fhir_user: fhir_user.map(Into::into) }
    }
}

prop_compose! {
    fn any_organization()(
        uri in "https://[a-z]{1,9}",
        resource in prop::sample::select(vec![None, Some("Organization/payer"), Some("nonsense")]),
        purposes in prop::sample::subsequence(vec!["HPAYMT", "TREAT", "SYSDEV"], 0..=3),
        name in proptest::option::of("[ -~]{1,20}"),
        subject_name in proptest::option::of("[ -~]{1,20}"),
        subject_id in proptest::option::of("[ -~]{1,20}"),
        subject_role in proptest::option::of("[ -~]{1,20}"),
    ) -> Organization {
        Organization {
            community: "https://community.example".into(),
            asserted_id: Some(uri.as_str().into()),
            uri: uri.into(),
            resource: resource.map(Into::into),
            name: name.map(Into::into),
            purposes: purposes.into_iter().map(Into::into).collect(),
            subject_name: subject_name.map(Into::into),
            subject_id: subject_id.map(Into::into),
            subject_role: subject_role.map(Into::into),
        }
    }
}

prop_compose! {
    fn any_grounds()(
        purposes in prop::sample::subsequence(vec!["TREAT", "BTG", "", "PUBHLTH"], 0..=4),
        glass in prop::sample::select(vec![None, Some(""), Some("g-1")]),
        disclosed in any::<bool>(),
        counted in prop::collection::vec((
            prop::sample::select(vec![Counts::Consent, Counts::Label, Counts::Rule, Counts::Relation, Counts::Default]),
            prop::sample::select(vec![Effect::Permit, Effect::Withhold, Effect::Deny]),
            prop::sample::select(vec!["", " ", "c-1", "not an id", "PSY"])), 0..4),
        labels in prop::collection::vec((
            prop::sample::select(vec!["http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "urn:own", ""]),
            prop::sample::select(vec!["R", "", "PSY"])), 0..3),
    ) -> Grounds {
        let mut grounds = Grounds { purposes: purposes.into_iter().map(Into::into).collect(),
            glass: glass.map(Into::into), disclosed, ..Grounds::default() };
        counted.into_iter().for_each(|(what, effect, name)| grounds.count(what, effect, name));
        labels.into_iter().for_each(|(system, code)| grounds.label(system, code));
        grounds
    }
}

prop_compose! {
    fn any_entry()(
        millis in 0_i64..4_000_000_000_000,
        (kind, subtype) in prop::sample::select(vec![
            (Kind::Rest, "read"), (Kind::Rest, "vread"), (Kind::Rest, "create"), (Kind::Rest, "search-type"),
            (Kind::Rest, "delete"), (Kind::Rest, "transaction"), (Kind::Security, "token-issued"),
            (Kind::Security, "client-added"), (Kind::Application, "start"),
        ]),
        action in prop::sample::select(vec![Action::Create, Action::Read, Action::Update, Action::Delete, Action::Execute]),
        outcome in prop::sample::select(vec![
            Outcome::Success, Outcome::MinorFailure, Outcome::SeriousFailure, Outcome::MajorFailure,
        ]),
        outcome_text in proptest::option::of("[ -~]{0,20}"),
        client_id in proptest::option::of("[a-z0-9-]{0,12}"),
        token_name in proptest::option::of("(|[0-9a-f]{16})"),
        address in proptest::option::of(any::<std::net::IpAddr>()),
        request_id in "[0-9a-f]{0,3}",
        query in proptest::option::of("Observation\\?[ -~]{0,20}"),
        touched in prop::collection::vec((prop::sample::select(vec!["Observation", "Patient", "Encounter"]), "[a-z0-9]{1,8}", 0_u32..3), 0..3),
        patients in prop::collection::vec("[a-z0-9]{1,8}", 0..3),
        person in proptest::option::of(any_person()),
        organization in proptest::option::of(any_organization()),
        grounds in proptest::option::of(any_grounds()),
    ) -> Entry {
        let touched = touched.into_iter().map(|(kind, one, version)| Touched {
            resource_type: ResourceType::parse(kind).unwrap(), id: id(&one), version: VersionId::new(version),
        }).collect();
        Entry {
            recorded: Instant::from_unix_millis(millis), kind, subtype: subtype.into(), action, outcome,
            outcome_text: outcome_text.map(Into::into), client_id: client_id.map(Into::into),
            token_name: token_name.map(Into::into), person: person.map(Box::new),
            organization: organization.map(Box::new), grounds: grounds.map(Box::new), address, request_id: request_id.into(), query: query.map(Into::into),
            touched, patients: patients.iter().map(|one| id(one)).collect(),
        }
    }
}

fn any_facet() -> impl Strategy<Value = Facet> {
    prop::sample::select(Facet::ALL.to_vec())
}

/// An index value as facts: a reference may have an identifier beside it. None for the free texts that facts leave out.
fn facts(value: &IndexValue) -> Vec<Fact> {
    let one = match value {
        // The text of a concept without a code.
        IndexValue::Token { system: None, code, .. } if code.is_empty() => return Vec::new(),
        IndexValue::Token { system, code, .. } => Fact::Token(system.clone(), code.clone()),
        IndexValue::String { original, .. } => Fact::Text(original.clone()),
        IndexValue::Uri(uri) => Fact::Text(uri.clone()),
        IndexValue::Date { low, .. } => Fact::Date(Instant::from_unix_millis(*low)),
        IndexValue::Reference { target, identifier, .. } => {
            let target = target.as_ref().map(|(kind, id)| Fact::Reference(*kind, id.clone()));
            let identifier = identifier.as_ref().map(|(system, value)| Fact::Identifier(system.clone(), value.clone()));
            return target.into_iter().chain(identifier).collect();
        }
        _ => return Vec::new(),
    };
    vec![one]
}

fn sorted(mut facts: Vec<(String, Fact)>) -> Vec<(String, Fact)> {
    facts.sort();
    facts.dedup();
    facts
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// A scan of the log by facts finds what a search of the rendered events would.
    #[test]
    fn facts_are_what_extraction_finds(entry in any_entry(), sequence in 1_u64..1_000_000, facet in any_facet()) {
        prop_assume!(facet.is_of(&entry));
        let server = server();
        let event = event_of(facet, &entry, &LogicalId::parse(&format!("e{sequence}")).unwrap(), &server);
        let tree = Tree::parse(event.to_json()).unwrap();
        let element = Element::resource(&tree, fhir::schema::r4()).unwrap();
        let registry = search::registry();
        let extracted = search::extract::extract(registry, element, &server.base_url);
        let found = extracted.0.iter().flat_map(|(parameter, value)| {
            let code = registry.by_id(*parameter).map(|parameter| parameter.code.clone()).unwrap_or_default();
            // Parameters of every resource (`_profile`, `_id`, `_lastUpdated`) are not AuditEvent's own.
            let of_events = if code.starts_with('_') { Vec::new() } else { facts(value) };
            of_events.into_iter().map(move |fact| (code.clone(), fact))
        });
        let facts = facts_for_search(&event).into_iter().map(|(code, fact)| (code.to_owned(), fact));
        prop_assert_eq!(sorted(facts.collect()), sorted(found.collect()));
    }

    /// F17: whatever is recorded renders as a valid AuditEvent.
    #[test]
    fn rendered_events_are_valid(entry in any_entry(), sequence in 1_u64..1_000_000, facet in any_facet()) {
        prop_assume!(facet.is_of(&entry));
        let server = server();
        let json = event_of(facet, &entry, &LogicalId::parse(&format!("e{sequence}")).unwrap(), &server).to_json();
        let valid = validation::validate(Tree::parse(json).unwrap(), fhir::schema::r4());
        prop_assert!(valid.is_ok(), "{:#?}", valid.err());
    }
}
