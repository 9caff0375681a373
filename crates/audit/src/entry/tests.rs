//! Round trip, stability and refusal of the entry's bytes.

use super::*;
use proptest::prelude::*;

fn sample() -> Entry {
    Entry {
        recorded: Instant::from_unix_millis(1_700_000_000_123),
        kind: Kind::Rest,
        subtype: "read".into(),
        action: Action::Read,
        outcome: Outcome::Success,
        outcome_text: None,
        client_id: Some("c-3f9a2b7710".into()),
        token_name: Some("a94a8fe5ccb19ba6".into()),
        person: None,
        organization: None,
        grounds: None,
        address: Some("192.0.2.7".parse().unwrap()),
        request_id: "5f2c9f0e-6a4e-4c53-9f6e-0d1d2a7e3b11".into(),
        query: None,
        touched: vec![Touched {
            resource_type: ResourceType::parse("Observation").unwrap(),
            id: LogicalId::parse("bims-1").unwrap(),
            version: VersionId::new(3),
        }],
        patients: vec![LogicalId::parse("p1").unwrap()],
    }
}

/// Logs are kept for years (F26): these bytes must stay readable and stay what is written.
#[test]
fn the_format_is_stable_and_small() {
    let bytes = sample().encode();
    let hex: String = bytes.as_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    let expected = "01040e0000018bcfe5687b\
        0472656164\
        2435663263396630652d366134652d346335332d396636652d306431643261376533623131\
        0c632d33663961326237373130\
        1061393461386665356363623139626136\
        c0000207\
        01\
        0b4f62736572766174696f6e0662696d732d3103\
        01027031";
    assert_eq!(hex, expected);
    assert!(bytes.as_bytes().len() <= 200);
}

fn with_person() -> Entry {
    let person = Person {
        id: "u-1".into(),
        name: "Ada".into(),
        role: Role::Caregiver,
        fhir_user: Some("RelatedPerson/r".into()),
    };
    Entry { person: Some(Box::new(person)), ..sample() }
}

/// F18, F26: the same bytes with another version, and the person behind them.
#[test]
fn a_person_stands_behind_what_was_there_before() {
    let (without, with) = (sample().encode(), with_person().encode());
    let rest = with.as_bytes().strip_prefix(&[2][..]).unwrap().strip_prefix(&without.as_bytes()[1..]).unwrap();
    assert_eq!(rest, b"\x03u-1\x03Ada\x01\x0fRelatedPerson/r");
    for role in Role::ALL {
        assert_eq!(ROLES[usize::from(role_number(role))], role);
    }
    assert!(with.as_bytes().len() <= 200);
}

fn organization() -> Organization {
    Organization {
        community: "urn:c".into(),
        uri: "urn:o".into(),
        resource: Some("Organization/7".into()),
        asserted_id: Some("urn:o".into()),
        name: Some("Payer".into()),
        purposes: vec!["HPAYMT".into(), "CLMATTCH".into()],
        subject_name: Some("Eve".into()),
        subject_id: None,
        subject_role: Some("reviewer".into()),
    }
}

fn with_organization() -> Entry {
    Entry { organization: Some(Box::new(organization())), ..sample() }
}

/// D28, F18, F26: the same bytes with another version, and for whom it was and why.
#[test]
fn an_organization_stands_behind_what_was_there_before() {
    let told =
        b"\x05urn:c\x05urn:o\x02\x06HPAYMT\x08CLMATTCH\x0eOrganization/7\x05urn:o\x05Payer\x03Eve\x00\x08reviewer";
    let (without, with) = (sample().encode(), with_organization().encode());
    let rest = with.as_bytes().strip_prefix(&[3][..]).unwrap().strip_prefix(&without.as_bytes()[1..]).unwrap();
    assert_eq!(rest, [&[0][..], told].concat());
    let both = Entry { organization: Some(Box::new(organization())), ..with_person() };
    let rest = both.encode().as_bytes().strip_prefix(&[3][..]).unwrap()[without.as_bytes().len() - 1..].to_vec();
    assert_eq!(rest, [&b"\x01\x03u-1\x03Ada\x01\x0fRelatedPerson/r"[..], told].concat());
    assert_eq!(Entry::decode(both.encode().as_bytes()), Ok(both));
}

/// D28: what is kept is what the token was issued for.
#[test]
fn an_organization_is_kept_as_it_acted() {
    let b2b = oauth::udap::b2b::B2b {
        organization_id: "urn:o".into(),
        organization_name: Some("Payer".into()),
        purposes: ["HPAYMT", "urn:oid:2.16.840.1.113883.5.8#CLMATTCH"]
            .map(|code| oauth::udap::purpose::Purpose::parse(code).unwrap())
            .to_vec(),
        subject_name: Some("Eve".into()),
        subject_id: Some(String::new()),
        subject_role: Some("reviewer".into()),
        consent_policy: Vec::new(),
        consent_reference: Vec::new(),
    };
    let acting = oauth::caller::Acting {
        community: "urn:c".into(),
        uri: "urn:o".into(),
        b2b,
        organization: Some("Organization/7".into()),
    };
    assert_eq!(Organization::of(&acting), organization());
}

#[test]
fn every_other_form_is_refused() {
    let good = with_organization().encode().as_bytes().to_vec();
    for end in 0..good.len() {
        assert_eq!(Entry::decode(&good[..end]), Err(Malformed), "cut at {end}");
    }
    let flag = sample().encode().as_bytes().len();
    for value in [1, 2, 255] {
        assert_eq!(Entry::decode(&[&good[..flag], &[value], &good[flag + 1..]].concat()), Err(Malformed), "{value}");
    }
    let good = with_person().encode().as_bytes().to_vec();
    for end in 0..good.len() {
        assert_eq!(Entry::decode(&good[..end]), Err(Malformed), "cut at {end}");
    }
    let role = good.len() - 17;
    assert_eq!(good[role], 1);
    assert_eq!(Entry::decode(&[&good[..role], &[5], &good[role + 1..]].concat()), Err(Malformed), "an unknown role");
    let good = sample().encode().as_bytes().to_vec();
    for end in 0..good.len() {
        assert_eq!(Entry::decode(&good[..end]), Err(Malformed), "cut at {end}");
    }
    assert_eq!(Entry::decode(&[&good[..], &[0]].concat()), Err(Malformed), "trailing byte");
    for (at, value) in [(0, 2), (0, 3), (0, 4), (0, 5), (0, 0), (1, 0x84), (1, 3), (2, 0x40), (2, 0x18)] {
        let mut bytes = good.clone();
        bytes[at] = value;
        assert_eq!(Entry::decode(&bytes), Err(Malformed), "byte {at} = {value}");
    }
}

/// The log takes every entry (F25): what is too long is cut, at a character's border.
#[test]
fn long_texts_are_cut_not_refused() {
    let mut entry = sample();
    entry.query = Some("ä".repeat(TEXT_BYTES_MAX).into());
    entry.patients = vec![LogicalId::parse("p").unwrap(); ENTITIES_MAX + 5];
    let back = Entry::decode(entry.encode().as_bytes()).unwrap();
    let query = back.query.unwrap();
    assert!(query.len() <= TEXT_BYTES_MAX && query.ends_with("ä…"));
    assert_eq!(back.patients.len(), ENTITIES_MAX);
}

const EVERY_KIND: [Counts; 5] = [Counts::Consent, Counts::Label, Counts::Rule, Counts::Relation, Counts::Default];
const EVERY_EFFECT: [Effect; 3] = [Effect::Permit, Effect::Withhold, Effect::Deny];

/// F18, F20, F26, F50: the same bytes with another version, and why behind them.
#[test]
fn grounds_stand_behind_what_was_there_before() {
    let mut grounds = Grounds {
        purposes: vec!["TREAT".into(), "BTG".into()],
        glass: Some("g1".into()),
        disclosed: true,
        ..Grounds::default()
    };
    grounds.count(Counts::Consent, Effect::Withhold, "c1");
    grounds.count(Counts::Consent, Effect::Withhold, "c1");
    grounds.count(Counts::Default, Effect::Permit, "all-normal");
    grounds.label("http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "R");
    grounds.label("urn:x", "Y");
    let told = b"\x03\x02\x05TREAT\x03BTG\x02g1\x02\x10\x02c1\x04\x0aall-normal\x02\x01\x01R\x00\x05urn:x\x01Y";
    let with = |entry: Entry| Entry { grounds: Some(Box::new(grounds.clone())), ..entry };
    let common = sample().encode().as_bytes()[1..].to_vec();
    for (entry, of) in [(sample(), &b"\x00"[..]), (with_person(), b"\x01\x03u-1\x03Ada\x01\x0fRelatedPerson/r")] {
        let entry = with(entry);
        assert_eq!(entry.encode().as_bytes(), [&[4][..], &common, of, told].concat());
        assert_eq!(Entry::decode(entry.encode().as_bytes()), Ok(entry));
    }
    let both = with(Entry { organization: Some(Box::new(organization())), ..with_person() });
    let bytes = both.encode().as_bytes().to_vec();
    assert_eq!(bytes[common.len() + 1], 3, "a person and an organization");
    assert_eq!(Entry::decode(&bytes), Ok(both));
    for end in 0..bytes.len() {
        assert_eq!(Entry::decode(&bytes[..end]), Err(Malformed), "cut at {end}");
    }
    let empty = Entry { grounds: Some(Box::default()), ..sample() };
    assert_eq!(empty.encode(), sample().encode(), "grounds that say nothing cost nothing");
}

fn any_text() -> impl Strategy<Value = Option<Arc<str>>> {
    proptest::option::of("\\PC{0,40}".prop_map(Arc::from))
}

fn any_id() -> impl Strategy<Value = LogicalId> {
    "[A-Za-z0-9.-]{1,64}".prop_map(|id| LogicalId::parse(&id).unwrap())
}

prop_compose! {
    fn any_entry()(
        millis in any::<i64>(),
        kind in prop::sample::select(vec![Kind::Rest, Kind::Security, Kind::Application]),
        action in prop::sample::select(vec![Action::Create, Action::Read, Action::Update, Action::Delete, Action::Execute]),
        outcome in prop::sample::select(vec![
            Outcome::Success, Outcome::MinorFailure, Outcome::SeriousFailure, Outcome::MajorFailure,
        ]),
        texts in (any_text(), any_text(), any_text(), any_text()),
        person in proptest::option::of(("\\PC{0,20}", "\\PC{0,20}", prop::sample::select(Role::ALL.to_vec()), "[A-Za-z/0-9]{0,20}")),
        grounds in proptest::option::of((
            prop::collection::vec("\\PC{0,9}", 0..4), proptest::option::of("\\PC{0,20}"), any::<bool>(),
            prop::collection::vec((0usize..5, 0usize..3, "\\PC{0,9}"), 0..4),
            prop::collection::vec((prop::sample::select(vec!["http://terminology.hl7.org/CodeSystem/v3-ActCode", "urn:x"]), "\\PC{0,9}"), 0..4))),
        organization in proptest::option::of((
            "\\PC{0,20}", "\\PC{0,20}", prop::collection::vec("\\PC{0,9}", 0..4),
            prop::array::uniform6(proptest::option::of("\\PC{1,20}")))),
        address in proptest::option::of(any::<IpAddr>()),
        subtype in "[a-z-]{1,20}",
        request_id in "[a-z0-9-]{1,40}",
        touched in prop::collection::vec(
            (prop::sample::select(ResourceType::all().collect::<Vec<_>>()), any_id(), any::<u32>()), 0..4),
        patients in prop::collection::vec(any_id(), 0..4),
    ) -> Entry {
        let (outcome_text, client_id, token_name, query) = texts;
        let touched = touched.into_iter()
            .map(|(resource_type, id, version)| Touched { resource_type, id, version: VersionId::new(version) })
            .collect();
        let person = person.map(|(id, name, role, fhir_user)| {
            let fhir_user = Some(fhir_user).filter(|text| !text.is_empty()).map(Arc::from);
            Box::new(Person { id: id.into(), name: name.into(), role, fhir_user })
        });
        let grounds = grounds.map(|(purposes, glass, disclosed, counted, labels)| {
            let mut grounds = Grounds { purposes: purposes.into_iter().map(Arc::from).collect(), glass: glass.map(Arc::from), disclosed, ..Grounds::default() };
            for (what, effect, name) in counted {
                grounds.count(EVERY_KIND[what], EVERY_EFFECT[effect], &name);
            }
            labels.into_iter().for_each(|(system, code)| grounds.label(system, &code));
            Box::new(grounds)
        });
        let organization = organization.map(|(community, uri, purposes, texts)| {
            let [resource, asserted_id, name, subject_name, subject_id, subject_role] = texts.map(|text| text.map(Arc::from));
            let purposes = purposes.into_iter().map(Arc::from).collect();
            let (community, uri) = (community.into(), uri.into());
            Box::new(Organization { community, uri, resource, asserted_id, name, purposes, subject_name, subject_id, subject_role })
        });
        Entry {
            recorded: Instant::from_unix_millis(millis), kind, subtype: subtype.into(), action, outcome, outcome_text,
            client_id, token_name, person, organization, grounds, address, request_id: request_id.into(), query, touched, patients,
        }.settled()
    }
}

proptest! {
    #[test]
    fn decode_undoes_encode(entry in any_entry()) {
        prop_assert_eq!(Entry::decode(entry.encode().as_bytes()), Ok(entry));
    }

    /// F50: the rules for unusual access see all that they look at.
    #[test]
    fn what_is_read_in_brief_is_the_entry_without_details(entry in any_entry()) {
        let bytes = entry.encode();
        let brief = Entry::decode_brief(bytes.as_bytes()).unwrap();
        let request_id = Arc::clone(&entry.subtype);
        prop_assert_eq!(brief, Entry { request_id, token_name: None, query: None, touched: Vec::new(), ..entry });
        let cut = &bytes.as_bytes()[..bytes.as_bytes().len() - 1];
        prop_assert_eq!(Entry::decode_brief(cut).is_err(), Entry::decode(cut).is_err());
    }

    #[test]
    fn whatever_decodes_has_no_other_bytes(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
        for version in [1, 2, 3, 4] {
            let bytes = [&[version][..], &bytes].concat();
            if let Ok(entry) = Entry::decode(&bytes) {
                prop_assert_eq!(entry.encode().as_bytes().to_vec(), bytes);
            }
        }
    }
}
