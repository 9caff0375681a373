//! D9, D11: who is believed in a community.

use super::*;
use crate::{
    egress::FetchError,
    testing::{BASE, NOW_S, World},
    udap::community::{Approval, NewCommunity, Profile},
};
use oauth::secret::Secret;
use testkit::pki::{Authority, DAY_S, Held, Key, List, Wanted};

const PARTNER: &str = "https://payer.example/fhir";
const ROOT_CRL: &str = "http://root.example/1.crl";
const CRL: &str = "http://middle.example/1.crl";

struct Lab {
    world: World,
    root: Authority,
    middle: Authority,
    partner: Held,
    community: Arc<Community>,
}

/// A community with an intermediate; both authorities' lists are there and empty.
fn lab(when_unavailable: WhenUnavailable) -> Lab {
    let world = World::new();
    let root = Authority::root("Root", NOW_S);
    let middle = root.below(&Wanted { lists: vec![ROOT_CRL.into()], ..Wanted::authority("Middle", NOW_S) });
    let leaf = |name: &str, uri: &str| Wanted { lists: vec![CRL.into()], ..Wanted::leaf(name, uri, NOW_S) };
    let own = middle.issue(&Wanted { key: Key::rsa(), ..leaf("Maple House", BASE) });
    let partner = middle.issue(&leaf("Payer", PARTNER));
    let community = NewCommunity {
        uri: "https://community.example".into(),
        name: None,
        anchors: vec![root.der().to_vec()],
        chain: own.chain.clone(),
        key: Secret::new(own.key.pem()),
        profile: Profile::Stu2,
        when_unavailable,
        purposes: vec!["HPAYMT".into()],
        certifications: Vec::new(),
        approval: Approval::Open,
        registrations_max: None,
        identity_providers: false,
    };
    let community = world.service.add_community(&community).unwrap();
    let lab = Lab { world, root, middle, partner, community };
    lab.world.web.list_put(ROOT_CRL, lab.root.list(&List::empty(1, NOW_S)));
    lab.world.web.list_put(CRL, lab.middle.list(&List::empty(1, NOW_S)));
    lab
}

impl Lab {
    async fn vouched(&self, uri: &str) -> Result<Vouched, Distrust> {
        self.world.service.inner.trust.vouched(&self.community, &self.partner.chain, uri).await
    }
}

#[tokio::test]
async fn d9_believed_until_it_must_be_asked_again() {
    let lab = lab(WhenUnavailable::Refuse);
    let vouched = lab.vouched(PARTNER).await.unwrap();
    assert_eq!(vouched.known_until_s, NOW_S + 300);
    // A list or a certificate that ends sooner ends it sooner.
    lab.world.pass(300);
    let soon = List { until_s: Some(NOW_S + 320), ..List::empty(2, NOW_S) };
    lab.world.web.list_put(CRL, lab.middle.list(&soon));
    assert_eq!(lab.vouched(PARTNER).await.unwrap().known_until_s, NOW_S + 320);
    lab.world.pass(364 * DAY_S);
    assert_eq!(lab.vouched(PARTNER).await.unwrap_err(), Distrust::Chain(ChainError::Ended("CN=Payer".into())));
}

#[tokio::test]
async fn d11_the_uri_to_the_letter() {
    let lab = lab(WhenUnavailable::Refuse);
    for other in [
        "https://payer.example/fhir/",
        "https://Payer.example/fhir",
        "https://payer.example:443/fhir",
        "",
        "https://payer.example",
    ] {
        assert_eq!(lab.vouched(other).await.unwrap_err(), Distrust::San, "{other}");
    }
    assert_eq!(lab.world.web.count(), 0, "nobody is asked for it");
}

#[tokio::test]
async fn d9_every_certificate_but_the_anchor_can_be_revoked() {
    let leaf = lab(WhenUnavailable::Accept);
    leaf.world.web.list_put(CRL, leaf.middle.list(&List::of(2, NOW_S - 60, &[&leaf.partner])));
    let revoked = leaf.vouched(PARTNER).await.unwrap_err();
    assert_eq!(revoked, Distrust::Revoked { whose: "CN=Payer".into(), since_s: NOW_S - 60 });
    assert_eq!(revoked.word(), "certificate-revoked");
    assert!(revoked.to_string().contains("CN=Payer was revoked on 2027-01-15T07:59:00"), "{revoked}");
    let middle = lab(WhenUnavailable::Accept);
    middle.world.web.list_put(ROOT_CRL, middle.root.list(&List::of(2, NOW_S, &[&middle.middle.held])));
    let revoked = middle.vouched(PARTNER).await.unwrap_err();
    assert_eq!(revoked, Distrust::Revoked { whose: "CN=Middle".into(), since_s: NOW_S });
    // It counts before anything that is missing.
    let both = lab(WhenUnavailable::Refuse);
    both.world.web.list_fails(CRL, FetchError::Status(500));
    both.world.web.list_put(ROOT_CRL, both.root.list(&List::of(2, NOW_S, &[&both.middle.held])));
    assert!(matches!(both.vouched(PARTNER).await.unwrap_err(), Distrust::Revoked { .. }));
}

#[tokio::test]
async fn d9_when_nobody_says_it_the_community_decides() {
    for url in [CRL, ROOT_CRL] {
        let strict = lab(WhenUnavailable::Refuse);
        strict.world.web.list_fails(url, FetchError::Status(500));
        let refused = strict.vouched(PARTNER).await.unwrap_err();
        assert!(matches!(&refused, Distrust::StatusUnavailable(why) if why.contains(url)), "{refused}");
        let lax = lab(WhenUnavailable::Accept);
        lax.world.web.list_fails(url, FetchError::Status(500));
        assert_eq!(lax.vouched(PARTNER).await.unwrap().known_until_s, NOW_S + 60);
    }
}

#[tokio::test(start_paused = true)]
async fn d9_a_host_that_hangs_is_no_answer() {
    let lab = lab(WhenUnavailable::Refuse);
    lab.world.web.list_hangs(CRL);
    let begun = tokio::time::Instant::now();
    assert!(matches!(lab.vouched(PARTNER).await.unwrap_err(), Distrust::StatusUnavailable(_)));
    assert!(begun.elapsed() <= Duration::from_secs(limits::VOUCH_TIME_S_MAX), "{:?}", begun.elapsed());
    // And is not asked again with every request.
    let (before, begun) = (lab.world.web.count(), tokio::time::Instant::now());
    for _ in 0..20 {
        lab.vouched(PARTNER).await.unwrap_err();
    }
    assert_eq!(lab.world.web.count(), before);
    assert!(begun.elapsed() < Duration::from_millis(100), "{:?}", begun.elapsed());
}

/// F60: strangers make this server ask nobody.
#[tokio::test]
async fn d9_nobody_is_asked_for_a_chain_to_no_anchor() {
    let lab = lab(WhenUnavailable::Accept);
    let stranger = Authority::root("Stranger", NOW_S);
    let inner = Wanted { lists: vec!["http://169.254.169.254/1.crl".into()], ..Wanted::leaf("Payer", PARTNER, NOW_S) };
    let held = stranger.issue(&inner);
    let refused = lab.world.service.inner.trust.vouched(&lab.community, &held.chain, PARTNER).await.unwrap_err();
    assert_eq!(refused.word(), "chain-no-issuer");
    assert_eq!(lab.world.web.count(), 0);
}

/// F60: a storm of partners whose hosts hang takes a few places, and nobody is believed for want of one.
#[tokio::test(start_paused = true)]
async fn f60_too_many_at_once_are_told_so_and_not_believed() {
    let lab = lab(WhenUnavailable::Accept);
    let partners: Vec<Held> = (0..200)
        .map(|at| {
            let url = format!("http://hangs-{at}.example/1.crl");
            lab.world.web.list_hangs(&url);
            lab.middle.issue(&Wanted { lists: vec![url], ..Wanted::leaf("Payer", PARTNER, NOW_S) })
        })
        .collect();
    lab.vouched(PARTNER).await.unwrap();
    let mut asked = JoinSet::new();
    for partner in partners {
        let (inner, community) = (Arc::clone(&lab.world.service.inner), Arc::clone(&lab.community));
        asked.spawn(async move { inner.trust.vouched(&community, &partner.chain, PARTNER).await.map(drop) });
    }
    tokio::time::sleep(Duration::from_millis(10)).await;
    let busy = std::iter::from_fn(|| asked.try_join_next()).filter(|said| matches!(said, Ok(Err(Distrust::Busy))));
    assert_eq!(busy.count(), 200 - limits::LISTING_WAITING_MAX);
    // Meanwhile a partner whose list is at hand is believed at once, and one whose host answered before too.
    let begun = tokio::time::Instant::now();
    lab.vouched(PARTNER).await.unwrap();
    lab.world.pass(300);
    lab.vouched(PARTNER).await.unwrap();
    assert!(begun.elapsed() < Duration::from_millis(100), "{:?}", begun.elapsed());
    while asked.join_next().await.is_some() {}
}
