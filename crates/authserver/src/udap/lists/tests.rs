//! D9, F60: how long things are kept, how often others are asked, and that hosts that hang hold up nobody.

use super::*;
use crate::testing::{NOW_S, Web};
use std::sync::atomic::{AtomicI64, Ordering};
use testkit::pki::{Authority, DAY_S, Held, List as Listed, Wanted, der};

struct Lab {
    root: Authority,
    issuer: Arc<Certificate>,
    web: Arc<Web>,
    now_s: Arc<AtomicI64>,
    lists: Arc<Lists>,
}

fn lab() -> Lab {
    let root = Authority::root("Root", NOW_S);
    let (web, now_s): (Arc<Web>, _) = (Arc::default(), Arc::new(AtomicI64::new(NOW_S)));
    let clock = Arc::clone(&now_s);
    let lists = Lists::new(
        Arc::clone(&web) as Arc<dyn Fetch>,
        Arc::new(move || Instant::from_unix_millis(clock.load(Ordering::SeqCst) * 1000)),
    );
    let issuer = Arc::new(Certificate::read(root.der()).unwrap());
    Lab { root, issuer, web, now_s, lists }
}

impl Lab {
    fn put(&self, url: &str, list: &Listed) {
        self.web.list_put(url, self.root.list(list));
    }

    async fn has(&self, url: &str) -> Result<bool, Failure> {
        self.lists.list(url, &self.issuer, Waits::Request).await.map(|_| true)
    }

    /// How long it is kept, when its response says this.
    async fn kept_s(&self, cache_control: Option<&str>) -> i64 {
        *self.web.list_cache_control.lock().unwrap() = cache_control.map(str::to_owned);
        let url = format!("http://ca.example/{cache_control:?}");
        self.put(&url, &Listed::empty(1, NOW_S));
        self.lists.list(&url, &self.issuer, Waits::Request).await.unwrap().1 - NOW_S
    }

    async fn revokes(&self, url: &str, held: &Held) -> bool {
        let (list, _) = self.lists.list(url, &self.issuer, Waits::Request).await.unwrap();
        matches!(list.status(&Certificate::read(&held.der).unwrap(), None), Status::Revoked { .. })
    }

    fn pass(&self, seconds: i64) {
        self.now_s.fetch_add(seconds, Ordering::SeqCst);
    }
}

const URL: &str = "http://ca.example/1.crl";

#[tokio::test]
async fn a_list_is_kept_for_five_minutes() {
    let lab = lab();
    let held = lab.root.issue(&Wanted::leaf("Leaf", "https://a.example", NOW_S));
    lab.put(URL, &Listed::empty(1, NOW_S));
    assert!(!lab.revokes(URL, &held).await);
    lab.put(URL, &Listed::of(2, NOW_S, &[&held]));
    lab.pass(299);
    assert!(!lab.revokes(URL, &held).await);
    assert_eq!(lab.web.count(), 1);
    lab.pass(1);
    assert!(lab.revokes(URL, &held).await);
    assert_eq!(lab.web.count(), 2);
    // Of another issuer the same address is another list.
    let other = Arc::new(Certificate::read(Authority::root("Root", NOW_S).der()).unwrap());
    assert_eq!(lab.lists.list(URL, &other, Waits::Request).await.unwrap_err(), Failure::Crl(CrlError::Issuer));
}

#[tokio::test]
async fn a_list_is_kept_for_less_when_its_host_says_so() {
    let lab = lab();
    let said =
        [None, Some("max-age=30"), Some("max-age=86400"), Some("no-store"), Some("public, max-age=0"), Some("public")];
    let mut kept = Vec::new();
    for cache_control in said {
        kept.push(lab.kept_s(cache_control).await);
    }
    assert_eq!(kept, [300, 30, 300, 5, 5, 300]);
}

#[tokio::test]
async fn a_list_counts_no_longer_than_it_says() {
    let lab = lab();
    lab.put(URL, &Listed { until_s: Some(NOW_S + 20), ..Listed::empty(1, NOW_S) });
    lab.has(URL).await.unwrap();
    lab.pass(20);
    assert_eq!(lab.has(URL).await, Err(Failure::Crl(CrlError::Old)));
    assert_eq!(lab.web.count(), 2);
}

#[tokio::test]
async fn an_old_list_counts_while_a_newer_one_cannot_be_had() {
    let lab = lab();
    lab.put(URL, &Listed { until_s: Some(NOW_S + 7 * DAY_S), ..Listed::empty(1, NOW_S) });
    lab.has(URL).await.unwrap();
    lab.web.list_fails(URL, FetchError::Status(503));
    lab.pass(limits::LISTING_LIFE_S_MAX);
    lab.has(URL).await.unwrap();
    assert_eq!(lab.web.count(), 2);
    lab.pass(DAY_S);
    assert_eq!(lab.has(URL).await, Err(Failure::Fetch(FetchError::Status(503))), "a day at most");
}

#[tokio::test]
async fn a_failure_is_remembered() {
    let lab = lab();
    for _ in 0..3 {
        assert_eq!(lab.has(URL).await, Err(Failure::Fetch(FetchError::Status(404))));
    }
    assert_eq!(lab.web.count(), 1);
    lab.put(URL, &Listed::empty(1, NOW_S));
    lab.pass(30);
    lab.has(URL).await.unwrap();
}

#[tokio::test]
async fn a_host_that_does_not_answer_is_left_alone() {
    let lab = lab();
    lab.web.list_fails(URL, FetchError::TimedOut);
    assert_eq!(lab.has(URL).await, Err(Failure::Fetch(FetchError::TimedOut)));
    // Nor is anything else of it asked for, each time longer.
    assert_eq!(lab.has("http://ca.example/2.crl").await, Err(Failure::NotAgainYet));
    assert_eq!(lab.web.count(), 1);
    for quiet_s in [30, 60, 120, 120] {
        lab.pass(quiet_s);
        assert!(lab.has(URL).await.is_err());
        lab.pass(1);
        assert!(lab.has("http://ca.example/3.crl").await.is_err());
    }
    assert_eq!(lab.web.count(), 5);
    // Another host is.
    lab.put("http://ca.example:81/1.crl", &Listed::empty(1, NOW_S));
    lab.has("http://ca.example:81/1.crl").await.unwrap();
}

#[tokio::test]
async fn one_asks_for_all() {
    let lab = lab();
    lab.put(URL, &Listed::empty(1, NOW_S));
    let mut asked = tokio::task::JoinSet::new();
    for _ in 0..50 {
        let (lists, issuer) = (Arc::clone(&lab.lists), Arc::clone(&lab.issuer));
        asked.spawn(async move { lists.list(URL, &issuer, Waits::Request).await.is_ok() });
    }
    assert!(asked.join_all().await.into_iter().all(|ok| ok));
    assert_eq!(lab.web.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_was_asked_for_is_learnt_though_whoever_asked_has_gone() {
    let lab = lab();
    lab.web.list_hangs(URL);
    let gone = timeout(Duration::from_secs(1), lab.lists.list(URL, &lab.issuer, Waits::Request)).await;
    assert!(gone.is_err());
    assert_eq!(lab.has(URL).await, Err(Failure::Fetch(FetchError::TimedOut)));
    assert_eq!(lab.web.count(), 1);
}

/// Issue 6: fetch storms. A thousand hosts that hang, all asked at once, by requests or for registrations; one that
/// answered before, and even a new list at a host that did, is had at once.
#[tokio::test(start_paused = true)]
async fn f60_a_thousand_hosts_that_hang_hold_up_nobody() {
    for waits in [Waits::Request, Waits::Nobody] {
        let lab = lab();
        lab.put(URL, &Listed::empty(1, NOW_S));
        lab.has(URL).await.unwrap();
        let mut asked = tokio::task::JoinSet::new();
        for at in 0..1000 {
            let url = format!("http://hangs-{at}.example/1.crl");
            lab.web.list_hangs(&url);
            let (lists, issuer) = (Arc::clone(&lab.lists), Arc::clone(&lab.issuer));
            asked.spawn(async move { lists.list(&url, &issuer, waits).await.unwrap_err() });
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
        let begun = tokio::time::Instant::now();
        for at in 0..50 {
            let url = format!("http://ca.example/{at}.crl");
            lab.put(&url, &Listed::empty(1, NOW_S));
            lab.has(&url).await.unwrap();
        }
        assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
        if waits == Waits::Nobody {
            // Nor does it keep a request from a host that is new.
            lab.put("http://new.example/1.crl", &Listed::empty(1, NOW_S));
            lab.has("http://new.example/1.crl").await.unwrap();
            assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
        } else {
            // Of the requests but a few stand open; the rest were told at once to come again.
            assert_eq!(lab.lists.waiting.available_permits(), 0);
            let told = std::iter::from_fn(|| asked.try_join_next()).filter(|why| matches!(why, Ok(Failure::Busy)));
            assert_eq!(told.count(), 1000 - limits::LISTING_WAITING_MAX);
        }
        // Who waits for those that hang hears of it in the end, and soon.
        while asked.join_next().await.is_some() {}
        assert!(begun.elapsed() < Duration::from_secs(11), "{:?}", begun.elapsed());
        assert_eq!(lab.lists.waiting.available_permits(), limits::LISTING_WAITING_MAX);
    }
}

#[tokio::test]
async fn memory_is_bounded() {
    let lab = lab();
    // Lists of nearly the most bytes.
    let padding = ("1.2.3", false, der::octets(&vec![7; limits::LISTINGS_BYTES_MAX / 8 - 4096]));
    let list = lab.root.list(&Listed { extensions: vec![padding], ..Listed::empty(1, NOW_S) });
    for at in 0..10 {
        let url = format!("http://ca.example/{at}.crl");
        lab.web.list_put(&url, list.clone());
        lab.pass(1);
        lab.has(&url).await.unwrap();
    }
    let slots = lab.lists.slots.lock().unwrap();
    let held: usize = slots.values().filter_map(|slot| slot.held().kept.as_ref().map(|(kept, _)| kept.bytes())).sum();
    assert!(held <= limits::LISTINGS_BYTES_MAX, "{held}");
    assert_eq!(slots.len(), 8);
    assert!(slots.keys().any(|key| &*key.url == "http://ca.example/9.crl"), "the newest stays");
}
