//! D9, D21: what a revoked, an expired and a renewed certificate do to what its holder has.

use super::*;
use crate::{
    NewClient, NewKeys, NewKind,
    client::{Kind, Udap},
    egress::FetchError,
    families::{Lasting, NewFamily},
    live_tokens::NewGrant,
    testing::{BASE, KEY, NOW_S, World, jwks},
    udap::community::{Approval, NewCommunity, Profile, WhenUnavailable},
};
use oauth::caller::Standing;
use oauth::{bearer::LiveTokens, launch_context::LaunchContext, secret::Secret};
use testkit::pki::{Authority, DAY_S, Held, Key, List, Wanted};

const COMMUNITY: &str = "https://community.example";
const CRL: &str = "http://root.example/1.crl";

struct Lab {
    world: World,
    root: Authority,
}

fn uri(name: &str) -> String {
    format!("https://{name}.example/fhir")
}

fn lab() -> Lab {
    let world = World::new();
    let root = Authority::root("Root", NOW_S);
    let own = root.issue(&Wanted { key: Key::rsa(), ..Wanted::leaf("Maple House", BASE, NOW_S) });
    world.web.list_put(CRL, root.list(&List::empty(1, NOW_S)));
    let new = NewCommunity {
        uri: COMMUNITY.into(),
        name: None,
        anchors: vec![root.der().to_vec()],
        chain: own.chain.clone(),
        key: Secret::new(own.key.pem()),
        profile: Profile::Stu2,
        when_unavailable: WhenUnavailable::Refuse,
        purposes: Vec::new(),
        certifications: Vec::new(),
        approval: Approval::Open,
        registrations_max: None,
        identity_providers: false,
    };
    world.service.add_community(&new).unwrap();
    Lab { world, root }
}

impl Lab {
    fn leaf(&self, name: &str, wanted: impl FnOnce(&mut Wanted)) -> Held {
        let mut leaf = Wanted { lists: vec![CRL.into()], ..Wanted::leaf(name, &uri(name), NOW_S) };
        wanted(&mut leaf);
        self.root.issue(&leaf)
    }

    /// Registers the holder of a certificate, or gives a registered one another.
    fn register(&self, held: &Held) -> Arc<str> {
        let inner = &self.world.service.inner;
        let uri = uri(&held.name);
        let made = |before: Option<&Client>| {
            let new =
                NewClient::new(&held.name, "system/Patient.r", NewKind::BackendService(NewKeys::Inline(jwks(&[&KEY]))));
            let id = before.map_or_else(|| format!("client-{}", held.name), |before| before.id.to_string());
            let client = Client::register(&new, id, inner.now(), &*inner.enforceable)?;
            let udap = Udap {
                community: COMMUNITY.into(),
                uri: uri.as_str().into(),
                x5c: held.chain.clone().into(),
                contacts: Arc::new([]),
                refreshes: false,
                is_approved: true,
                suspended: before.and_then(|before| before.kind.udap()?.suspended.clone()),
            };
            Ok(Client { kind: Kind::Udap(udap), ..client })
        };
        let client = inner.clients.register(COMMUNITY, &uri, |before, _| made(before), |_| Ok(())).unwrap();
        Arc::clone(&client.id)
    }

    fn token(&self, client_id: &Arc<str>, family: Option<&str>) -> String {
        let inner = &self.world.service.inner;
        let client = inner.clients.client(client_id).unwrap();
        let grant = NewGrant {
            client_id: Arc::clone(client_id),
            client_name: Arc::clone(&client.name),
            scopes: Arc::clone(&client.scopes),
            scope_text: Arc::clone(&client.scope_text),
            user: None,
            launch: Arc::new(LaunchContext::default()),
            confirmation: None,
            family: family.map(Into::into),
            acting: None,
            standing: Standing::Ordinary,
            now: inner.now(),
        };
        inner.tokens.issue(grant).unwrap().0.expose().to_owned()
    }

    /// What the FHIR service asks with every request.
    fn works(&self, token: &str) -> bool {
        self.world.service.grant(token).is_some()
    }

    fn suspended(&self, client_id: &str) -> Option<Arc<str>> {
        self.world.service.client(client_id).unwrap().kind.udap().unwrap().suspended.clone()
    }

    fn revoke(&self, held: &[&Held]) {
        self.world.web.list_put(CRL, self.root.list(&List::of(2, NOW_S, held)));
    }
}

#[tokio::test]
async fn d9_a_revoked_certificate_ends_what_its_holder_has_at_the_next_request() {
    let lab = lab();
    let (payer, other) = (lab.leaf("payer", |_| {}), lab.leaf("other", |_| {}));
    let (payer_id, other_id) = (lab.register(&payer), lab.register(&other));
    lab.world.service.tend().await;
    let (token, others) = (lab.token(&payer_id, None), lab.token(&other_id, None));
    let entries = lab.world.entries();
    lab.revoke(&[&payer]);
    // What is known counts for five minutes.
    lab.world.pass(290);
    let token_before = lab.token(&payer_id, None);
    lab.world.service.tend().await;
    assert!(lab.works(&token) && lab.works(&token_before));
    assert_eq!(lab.world.entries(), entries);
    lab.world.pass(9);
    lab.world.service.tend().await;
    assert!(lab.works(&token_before), "{:?}", lab.suspended(&payer_id));
    lab.world.pass(1);
    let others_now = lab.token(&other_id, None);
    lab.world.service.tend().await;
    assert!(!lab.works(&token) && !lab.works(&token_before));
    assert!(lab.works(&others_now), "{others}");
    assert_eq!(lab.suspended(&payer_id).as_deref(), Some("certificate-revoked"));
    assert_eq!(lab.suspended(&other_id), None);
    assert!(!lab.world.service.client(&payer_id).unwrap().works());
    let entry = lab.world.last_entry();
    assert_eq!(&*entry.subtype, "client-suspended");
    assert!(entry.query.unwrap().contains("why=certificate%2Drevoked"));
    // It stays so over a restart, and is not recorded again and again.
    let entries = lab.world.entries();
    let mut lab = lab;
    lab.world.restart();
    lab.world.service.tend().await;
    assert!(!lab.works(&token_before));
    assert_eq!(lab.suspended(&payer_id).as_deref(), Some("certificate-revoked"));
    assert_eq!(lab.world.entries(), entries);
}

#[tokio::test]
async fn d9_refresh_tokens_end_with_it() {
    let lab = lab();
    let payer = lab.leaf("payer", |_| {});
    let id = lab.register(&payer);
    let inner = &lab.world.service.inner;
    let client = inner.clients.client(&id).unwrap();
    let family: Arc<str> = crate::random::name().unwrap().into();
    let new = NewFamily {
        id: Arc::clone(&family),
        client_id: Arc::clone(&id),
        user: "ann".into(),
        scope_text: Arc::clone(&client.scope_text),
        launch: Arc::new(LaunchContext::default()),
        confirmation: None,
        signed_in_s: NOW_S,
        lasting: Lasting::Offline,
        ends_s: NOW_S + DAY_S,
    };
    let refresh = inner.families.begin(new, NOW_S).unwrap().unwrap();
    let token = lab.token(&id, Some(&*family));
    lab.world.service.tend().await;
    assert!(lab.works(&token) && inner.families.of_token(refresh.expose(), NOW_S).unwrap().is_some());
    lab.revoke(&[&payer]);
    lab.world.pass(300);
    lab.world.service.tend().await;
    assert!(!lab.works(&token));
    assert!(!inner.families.is_live(&family));
    assert!(inner.families.of_token(refresh.expose(), NOW_S).unwrap().is_none());
}

#[tokio::test]
async fn d9_a_certificate_that_ends_or_holds_again() {
    let lab = lab();
    let payer = lab.leaf("payer", |leaf| leaf.until_s = NOW_S + 100);
    let id = lab.register(&payer);
    lab.world.service.tend().await;
    let token = lab.token(&id, None);
    lab.world.pass(100);
    lab.world.service.tend().await;
    assert!(lab.works(&token));
    lab.world.pass(1);
    lab.world.service.tend().await;
    assert!(!lab.works(&token));
    assert_eq!(lab.suspended(&id).as_deref(), Some("certificate-ended"));
    // Row D21: it comes with another certificate, and holds at the next round.
    assert_eq!(lab.register(&lab.leaf("payer", |_| {})), id);
    lab.world.service.tend().await;
    assert_eq!(lab.suspended(&id), None);
    assert_eq!(&*lab.world.last_entry().subtype, "client-resumed");
    assert!(!lab.works(&token), "what has ended does not come back");
    assert!(lab.works(&lab.token(&id, None)));
    // A certificate on hold that is let off again.
    let held = lab.leaf("payer", |_| {});
    lab.register(&held);
    lab.revoke(&[&held]);
    lab.world.pass(300);
    lab.world.service.tend().await;
    assert_eq!(lab.suspended(&id).as_deref(), Some("certificate-revoked"));
    lab.world.web.list_put(CRL, lab.root.list(&List::empty(3, NOW_S)));
    lab.world.pass(300);
    lab.world.service.tend().await;
    assert_eq!(lab.suspended(&id), None);
}

#[tokio::test]
async fn d9_no_answer_ends_nothing() {
    let lab = lab();
    let id = lab.register(&lab.leaf("payer", |_| {}));
    lab.world.web.list_fails(CRL, FetchError::Status(500));
    let token = lab.token(&id, None);
    lab.world.service.tend().await;
    assert!(lab.works(&token) && lab.suspended(&id).is_none());
    // Asked again after a minute, not with every round.
    let asked = lab.world.web.count();
    lab.world.pass(31);
    lab.world.service.tend().await;
    assert_eq!(lab.world.web.count(), asked);
    lab.world.pass(29);
    lab.world.service.tend().await;
    assert_eq!(lab.world.web.count(), asked + 1);
    // An operator hears of it, until somebody answers.
    assert_eq!(lab.world.service.udap_unanswered(), [Arc::clone(&id)]);
    lab.world.web.list_put(CRL, lab.root.list(&List::empty(2, lab.world.now_s())));
    lab.world.pass(60);
    lab.world.service.tend().await;
    assert!(lab.world.service.udap_unanswered().is_empty());
}

#[tokio::test]
async fn d9_an_anchor_that_is_taken_away_and_a_community_that_is_removed() {
    let lab = lab();
    let id = lab.register(&lab.leaf("payer", |_| {}));
    lab.world.service.tend().await;
    let token = lab.token(&id, None);
    let other = Authority::root("Other", NOW_S);
    let own = other.issue(&Wanted { key: Key::rsa(), ..Wanted::leaf("Maple House", BASE, NOW_S) });
    let changed = NewCommunity {
        uri: COMMUNITY.into(),
        name: None,
        anchors: vec![other.der().to_vec()],
        chain: own.chain.clone(),
        key: Secret::new(own.key.pem()),
        profile: Profile::Stu2,
        when_unavailable: WhenUnavailable::Accept,
        purposes: Vec::new(),
        certifications: Vec::new(),
        approval: Approval::Open,
        registrations_max: None,
        identity_providers: false,
    };
    lab.world.service.set_community(&changed).unwrap();
    lab.world.service.tend().await;
    assert!(!lab.works(&token), "looked at at once, not when its list is due");
    assert_eq!(lab.suspended(&id).as_deref(), Some("chain-no-issuer"));
    lab.world.service.remove_community(COMMUNITY).unwrap();
    assert!(lab.world.service.client(&id).is_none());
}

/// Issue 6: fetch storms. Registrations with hosts that hang, and one whose certificate is revoked meanwhile.
#[tokio::test(start_paused = true)]
async fn f60_hosts_that_hang_do_not_keep_a_revocation_from_being_seen() {
    let lab = lab();
    let payer = lab.leaf("payer", |_| {});
    let id = lab.register(&payer);
    lab.world.service.tend().await;
    let key = Key::p256();
    for at in 0..300 {
        let url = format!("http://hangs-{at}.example/1.crl");
        lab.world.web.list_hangs(&url);
        let hangs = lab.leaf(&format!("hangs-{at}"), |leaf| (leaf.lists, leaf.key) = (vec![url], key.clone()));
        lab.register(&hangs);
    }
    lab.revoke(&[&payer]);
    lab.world.pass(300);
    let token = lab.token(&id, None);
    let begun = tokio::time::Instant::now();
    let (ended, ()) = tokio::join!(
        async {
            while lab.works(&token) {
                tokio::time::sleep(std::time::Duration::from_millis(10)).await;
            }
            begun.elapsed()
        },
        lab.world.service.tend(),
    );
    assert!(ended < std::time::Duration::from_secs(1), "{ended:?}");
    assert!(begun.elapsed() < std::time::Duration::from_secs(limits::VOUCH_TIME_S_MAX + 1), "{:?}", begun.elapsed());
    assert!(lab.world.service.clients().iter().filter(|client| client.works()).count() >= 300);
}
