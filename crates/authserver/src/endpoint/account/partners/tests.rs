//! The administrator's page of partners, and everybody else in front of it. Rows A18, D18, D19, F16.

use super::super::tests::{Browser, staff};
use super::*;
use crate::{
    Approval, Kind, NewClient, NewCommunity, NewKeys, NewKind, Profile, WhenUnavailable,
    testing::{BASE, KEY, NOW_S, World, jwks},
};
use oauth::{caller::Role, secret::Secret};
use testkit::pki::{Authority, DAY_S, Key, Wanted};

const PAGE: &str = "/account/partners";
const URI: &str = "https://community.example";

fn join(world: &World) {
    let root = Authority::root("Root", NOW_S);
    let held = root.issue(&Wanted { key: Key::rsa(), ..Wanted::leaf("Maple House", BASE, NOW_S) });
    let new = NewCommunity {
        uri: URI.into(),
        name: Some("Network of the Lakes".into()),
        anchors: vec![root.der().to_vec()],
        chain: held.chain.clone(),
        key: Secret::new(held.key.pem()),
        profile: Profile::Stu2,
        when_unavailable: WhenUnavailable::Refuse,
        purposes: vec!["TREAT".into()],
        certifications: Vec::new(),
        approval: Approval::Operator,
        registrations_max: None,
        identity_providers: false,
    };
    world.service.add_community(&new).unwrap();
}

fn partner(world: &World, id: &str, name: &str, is_approved: bool, suspended: Option<&str>) {
    let inner = &world.service.inner;
    let new = NewClient::new(name, "system/*.rs", NewKind::BackendService(NewKeys::Inline(jwks(&[&KEY]))));
    let client = Client::register(&new, id.into(), inner.now(), &*inner.enforceable).unwrap();
    let udap = Udap {
        community: URI.into(),
        uri: format!("https://{id}.example.org/fhir").into(),
        x5c: Vec::new().into(),
        contacts: Vec::new().into(),
        refreshes: false,
        is_approved,
        suspended: suspended.map(Into::into),
    };
    inner.clients.add(Client { kind: Kind::Udap(udap), ..client }, |_| Ok(())).unwrap();
}

#[tokio::test]
async fn d18_d19_an_administrator_lets_partners_in_and_shows_them_out() {
    let world = World::new();
    let mut office = staff(&world, "office", Role::Administrator).await;
    let none = office.get(PAGE).await;
    assert!(none.status == 200 && none.body.contains("belongs to no trust community"), "{}", none.body);
    assert!(!office.get("/account/clients").await.body.contains(PAGE), "nothing leads there without a community");
    join(&world);
    partner(&world, "waits", "Northlight <b>Health</b>", false, None);
    partner(&world, "gone", "Harbor", true, Some("certificate-revoked"));
    partner(&world, "works", "Pine Street", true, None);
    let page = office.get(PAGE).await;
    assert!(office.get("/account/clients").await.body.contains(PAGE));
    for part in [
        "Network of the Lakes",
        "https://community.example",
        "Northlight &lt;b&gt;Health",
        "https://waits.example.org/fhir",
        "Waits for your yes",
        "Shut out: its certificate was revoked",
    ] {
        assert!(page.body.contains(part), "{part}: {}", page.body);
    }
    let csrf = page.field("csrf");
    let post = |client, decision| [("csrf", csrf.as_str()), ("client", client), ("decision", decision)];
    let done = office.post(PAGE, &post("waits", "approve")).await;
    assert_eq!((done.status, done.to()), (303, PAGE));
    let entry = world.last_entry();
    assert_eq!((&*entry.subtype, entry.client_id.as_deref()), ("client-approved", None));
    assert!(entry.person.is_some_and(|person| person.role == Role::Administrator) && entry.address.is_some(), "F16");
    assert!(world.service.client("waits").unwrap().is_approved());
    assert_eq!(office.post(PAGE, &post("works", "cancel")).await.status, 303);
    assert_eq!(&*world.last_entry().subtype, "client-removed");
    assert!(world.service.client("works").is_none());
    for (client, decision, status) in [("works", "cancel", 404), ("waits", "enable", 422), ("nobody", "approve", 404)] {
        assert_eq!(office.post(PAGE, &post(client, decision)).await.status, status, "{client} {decision}");
    }
    let forged = office.post(PAGE, &[("csrf", "other"), ("client", "waits"), ("decision", "cancel")]).await;
    assert_eq!(forged.status, 403);
    assert!(world.service.client("waits").is_some());
    // Later somebody at the open screen proves first who they are.
    world.pass(crate::limits::people::STEP_UP_S + 1);
    let later = office.post(PAGE, &post("waits", "cancel")).await;
    assert!(later.status == 303 && later.to().ends_with("continuation=to-partners"), "{} {}", later.status, later.to());
    assert!(world.service.client("waits").is_some());
}

#[tokio::test]
async fn others_are_turned_away() {
    let world = World::new();
    join(&world);
    let mut kim = staff(&world, "kim", Role::Clinician).await;
    assert_eq!(kim.get(PAGE).await.status, 403);
    let mut nobody = Browser::new(&world);
    assert!(nobody.get(PAGE).await.to().starts_with("/account/sign-in"));
}

#[tokio::test]
async fn the_end_of_our_own_certificate_is_told_in_time() {
    let world = World::new();
    join(&world);
    let inner = &world.service.inner;
    let community = inner.communities.all().remove(0);
    let life = |now_s| community_facts(&community, &[], now_s).life;
    let ends_s = community.ends_s();
    assert_eq!(life(ends_s - 31 * DAY_S), CertificateLife::Long);
    assert_eq!(life(ends_s - 29 * DAY_S), CertificateLife::EndsSoon);
    assert_eq!(life(ends_s), CertificateLife::Ended);
}
