//! D4, D6, D9: what can be a community, and what is said to whoever asks for one that cannot.

use super::*;
use crate::testing::{BASE, NOW_S, World};
use std::sync::atomic::Ordering;
use testkit::pki::{self, Authority, DAY_S, Held, Key, Name, Wanted};

const URI: &str = "https://community.example";

fn lab() -> (Authority, Held) {
    let root = Authority::root("Root", NOW_S);
    let middle = root.below(&Wanted::authority("Middle", NOW_S));
    let held = middle.issue(&Wanted { key: Key::rsa(), ..Wanted::leaf("Maple House", BASE, NOW_S) });
    (root, held)
}

fn new(root: &Authority, held: &Held) -> NewCommunity {
    NewCommunity {
        uri: URI.into(),
        name: Some("Lab".into()),
        anchors: vec![root.der().to_vec()],
        chain: held.chain.clone(),
        key: Secret::new(held.key.pem()),
        profile: Profile::Stu1,
        when_unavailable: WhenUnavailable::Accept,
        purposes: vec!["TREAT".into(), "HPAYMT".into()],
        certifications: vec!["https://community.example/certified".into()],
        approval: Approval::Operator,
        registrations_max: Some(7),
        identity_providers: true,
    }
}

#[test]
fn is_kept_and_recorded() {
    let mut world = World::new();
    let (root, held) = lab();
    assert!(world.service.inner.communities.is_empty());
    world.service.add_community(&new(&root, &held)).unwrap();
    let entry = world.last_entry();
    assert_eq!((&*entry.subtype, entry.client_id.as_deref()), ("community-added", Some("operator")));
    let told = entry.query.unwrap();
    assert!(told.contains("community=https%3A%2F%2Fcommunity%2Eexample") && told.contains("CN%3DRoot"), "{told}");
    world.restart();
    let community = world.service.inner.communities.get(URI).unwrap();
    assert_eq!(
        (community.name.as_str(), community.profile, community.approval),
        ("Lab", Profile::Stu1, Approval::Operator)
    );
    assert_eq!((community.when_unavailable, community.registrations_max), (WhenUnavailable::Accept, 7));
    assert_eq!(community.purposes.iter().map(|purpose| purpose.code()).collect::<Vec<_>>(), ["TREAT", "HPAYMT"]);
    assert_eq!(community.certifications, ["https://community.example/certified"]);
    assert!(community.identity_providers);
    assert_eq!((&community.chain, community.key.algorithm().as_str()), (&held.chain, "RS256"));
    assert_eq!(community.anchors().all()[0].der(), root.der());
    assert_eq!(community.ends_s(), NOW_S + 364 * DAY_S + 1);
    assert_eq!(format!("{community:?}"), "Community(https://community.example)");
}

#[test]
fn the_first_is_the_default_one_and_stays_it() {
    let world = World::new();
    let (root, held) = lab();
    let named = |uri: &str| NewCommunity { uri: uri.into(), ..new(&root, &held) };
    world.service.add_community(&named("urn:z")).unwrap();
    world.pass(1);
    world.service.add_community(&named("urn:a")).unwrap();
    let uris = |world: &World| world.service.communities().iter().map(|one| one.uri.to_string()).collect::<Vec<_>>();
    assert_eq!(uris(&world), ["urn:z", "urn:a"]);
    assert_eq!(world.service.add_community(&named("urn:z")).unwrap_err(), CommunityError::Exists);
    let changed = NewCommunity { name: Some("Another name".into()), ..named("urn:z") };
    world.service.set_community(&changed).unwrap();
    assert_eq!(uris(&world), ["urn:z", "urn:a"]);
    assert_eq!(world.service.communities()[0].name, "Another name");
    assert_eq!(world.service.set_community(&named("urn:b")).unwrap_err(), CommunityError::NotFound);
    world.service.remove_community("urn:z").unwrap();
    assert_eq!(&*world.last_entry().subtype, "community-removed");
    assert_eq!(uris(&world), ["urn:a"]);
    assert_eq!(world.service.remove_community("urn:z").unwrap_err(), CommunityError::NotFound);
    // Row D6: to the letter.
    assert!(world.service.inner.communities.get("urn:A").is_none());
}

#[test]
fn nothing_changes_without_its_record() {
    let mut world = World::new();
    let (root, held) = lab();
    world.recorded.down.store(true, Ordering::Relaxed);
    assert!(matches!(world.service.add_community(&new(&root, &held)), Err(CommunityError::Unavailable(_))));
    assert!(world.service.communities().is_empty());
    world.restart();
    assert!(world.service.communities().is_empty());
    world.recorded.down.store(false, Ordering::Relaxed);
    world.service.add_community(&new(&root, &held)).unwrap();
    world.recorded.down.store(true, Ordering::Relaxed);
    let changed = NewCommunity { name: Some("Another name".into()), ..new(&root, &held) };
    assert!(matches!(world.service.set_community(&changed), Err(CommunityError::Unavailable(_))));
    assert!(matches!(world.service.remove_community("https://community.example"), Err(CommunityError::Unavailable(_))));
    assert_eq!(world.service.communities().len(), 1);
    world.restart();
    assert_eq!(world.service.communities()[0].name, "Lab");
}

/// The refusal of a community whose leaf and whose asking are changed so.
fn refused(leaf: impl FnOnce(&mut Wanted), change: impl FnOnce(&mut NewCommunity)) -> String {
    let world = World::new();
    let (root, _) = lab();
    let mut wanted = Wanted { key: Key::rsa(), ..Wanted::leaf("Maple House", BASE, NOW_S) };
    leaf(&mut wanted);
    let mut new = new(&root, &root.issue(&wanted));
    change(&mut new);
    match world.service.add_community(&new) {
        Err(CommunityError::Invalid(why)) => why,
        other => panic!("{other:?}"),
    }
}

#[test]
fn d6_our_base_to_the_letter() {
    let with = |uri: &str| refused(|leaf| leaf.names = vec![Name::Uri(uri.into())], |_| {});
    assert!(with("https://care.example:8443/fhir/").contains("differs by a slash at its end"));
    assert!(with("https://Care.example:8443/fhir").contains("differs in capitals"));
    let other = with("https://care.example/fhir");
    assert!(other.contains("it has https://care.example/fhir") && other.contains(BASE), "{other}");
    assert!(refused(|leaf| leaf.names = vec![Name::Dns("care.example".into())], |_| {}).contains("no URI at all"));
}

#[test]
fn d9_what_cannot_work_is_refused_with_what_to_change() {
    let plain = |_: &mut Wanted| {};
    let says = |why: String, what: &str| assert!(why.contains(what), "{why}");
    says(refused(plain, |new| new.key = Secret::new(Key::p256().pem())), "the private key must be RSA");
    says(refused(|leaf| leaf.key = Key::p256(), |new| new.key = Secret::new(Key::rsa().pem())), "is not that of our");
    says(refused(plain, |new| new.key = Secret::new("no key")), "cannot be read");
    says(
        refused(plain, |new| new.anchors = vec![Authority::root("Other", NOW_S).der().to_vec()]),
        "does not hold in this community",
    );
    says(refused(plain, |new| new.anchors.clear()), "there is no anchor");
    says(refused(plain, |new| new.anchors = vec![vec![1]]), "anchor 1: it is not an X.509 certificate");
    let ended = Wanted { until_s: NOW_S - 1, ..Wanted::authority("Root", NOW_S) };
    says(refused(plain, |new| new.anchors = vec![Authority::self_signed(&ended).der().to_vec()]), "all have ended");
    says(refused(|leaf| leaf.until_s = NOW_S - 1, |_| {}), "the certificate of CN=Maple House has ended");
    says(refused(|leaf| leaf.key_usage = Some(vec![pki::KEY_ENCIPHERMENT]), |_| {}), "key usage");
    says(refused(plain, |new| new.chain.clear()), "our own certificate is missing");
    says(refused(plain, |new| new.uri = "community".into()), "is no URI");
    says(refused(plain, |new| new.name = Some(" ".into())), "name");
    says(refused(plain, |new| new.purposes = vec!["FUN".into()]), "\"FUN\" is no purpose of use");
    says(refused(plain, |new| new.certifications = vec!["x y".into()]), "is no URI");
    says(refused(plain, |new| new.registrations_max = Some(0)), "1 to 10000");
}
