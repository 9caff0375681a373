//! D9: who is asked, and what counts when they disagree or do not answer.

use super::*;
use crate::{
    egress::FetchError,
    testing::{NOW_S, Web},
};
use testkit::pki::{self, Answer, Authority, Held, List as Listed, Revoked, Standing, Wanted, der};

const CRL: &str = "http://ca.example/1.crl";
const OTHER: &str = "http://mirror.example/1.crl";
const DELTA: &str = "http://ca.example/1-delta.crl";
const OCSP: &str = "http://ocsp.example/";

struct Lab {
    root: Authority,
    held: Held,
    web: Arc<Web>,
}

fn lab(wanted: impl FnOnce(&mut Wanted)) -> Lab {
    let root = Authority::root("Root", NOW_S);
    let mut leaf = Wanted::leaf("Leaf", "https://a.example", NOW_S);
    wanted(&mut leaf);
    Lab { held: root.issue(&leaf), root, web: Arc::default() }
}

fn read(held: &Held) -> Arc<Certificate> {
    Arc::new(Certificate::read(&held.der).unwrap())
}

impl Lab {
    fn put_list(&self, url: &str, list: &Listed) {
        self.web.list_put(url, self.root.list(list));
    }

    fn put_answer(&self, standing: Standing) {
        self.web.list_put(OCSP, self.root.answer(&Answer::of(&self.held, standing, NOW_S)));
    }

    async fn ask(&self) -> Result<Status, String> {
        let now = Instant::from_unix_millis(NOW_S * 1000);
        let web = Arc::clone(&self.web) as Arc<dyn Fetch>;
        ask(web, &read(&self.held), &read(&self.root.held), now).await.map_err(|why| why.to_string())
    }

    async fn word(&self) -> &'static str {
        match self.ask().await {
            Ok(Status::Good { .. }) => "good",
            Ok(Status::Revoked { .. }) => "revoked",
            Ok(Status::Unknown) => "unknown",
            Err(_) => "unavailable",
        }
    }
}

#[tokio::test]
async fn d9_by_a_list() {
    let lab = lab(|leaf| leaf.lists = vec![CRL.into(), OTHER.into()]);
    assert_eq!(
        lab.ask().await.unwrap_err(),
        format!("{CRL}: answered with status 404; {OTHER}: answered with status 404")
    );
    lab.put_list(CRL, &Listed::empty(1, NOW_S));
    assert_eq!(lab.ask().await, Ok(Status::Good { until_s: NOW_S + pki::DAY_S }));
    lab.put_list(CRL, &Listed::of(2, NOW_S, &[&lab.held]));
    assert_eq!(lab.word().await, "revoked");
    // A stale, a forged, a broken one says nothing; the next address is asked.
    let stale = Listed { until_s: Some(NOW_S), ..Listed::empty(1, NOW_S - 9) };
    for bad in
        [lab.root.list(&stale), Authority::root("Root", NOW_S).list(&Listed::empty(1, NOW_S)), b"<html>".to_vec()]
    {
        lab.web.list_put(CRL, bad);
        lab.web.list_fails(OTHER, FetchError::Unreachable("down".into()));
        assert_eq!(lab.word().await, "unavailable");
        lab.put_list(OTHER, &Listed::of(2, NOW_S, &[&lab.held]));
        assert_eq!(lab.word().await, "revoked");
    }
    // One for another kind of certificate.
    lab.put_list(CRL, &Listed { point: Some(pki::point(None, &[2])), ..Listed::empty(1, NOW_S) });
    lab.web.list_fails(OTHER, FetchError::TimedOut);
    assert!(lab.ask().await.unwrap_err().contains("does not speak of it"));
}

#[tokio::test]
async fn d9_by_a_responder_first() {
    let lab = lab(|leaf| (leaf.lists, leaf.responders) = (vec![CRL.into()], vec![OCSP.into()]));
    // It is newer than the list: whoever was let off there, and whoever was put on it.
    lab.put_list(CRL, &Listed::of(2, NOW_S, &[&lab.held]));
    lab.put_answer(Standing::Good);
    assert_eq!(lab.ask().await, Ok(Status::Good { until_s: NOW_S + 3600 }));
    lab.put_list(CRL, &Listed::empty(2, NOW_S));
    lab.put_answer(Standing::Revoked(NOW_S - 5));
    assert_eq!(lab.ask().await, Ok(Status::Revoked { since_s: NOW_S - 5, until_s: NOW_S + 3600 }));
    // It does not know, does not answer, or is not the one: the list counts.
    lab.put_list(CRL, &Listed::of(3, NOW_S, &[&lab.held]));
    lab.put_answer(Standing::Unknown);
    assert_eq!(lab.word().await, "revoked");
    let forged = Authority::root("Root", NOW_S).answer(&Answer::of(&lab.held, Standing::Good, NOW_S));
    for bad in [pki::no_answer(3), forged, Vec::new()] {
        lab.web.list_put(OCSP, bad);
        assert_eq!(lab.word().await, "revoked");
    }
    lab.web.list_fails(OCSP, FetchError::TimedOut);
    lab.web.list_fails(CRL, FetchError::TimedOut);
    let why = lab.ask().await.unwrap_err();
    assert!(why.contains(OCSP) && why.contains(CRL), "{why}");
}

#[tokio::test]
async fn d9_whoever_answers_must_stand_itself() {
    let lab = lab(|leaf| leaf.responders = vec![OCSP.into()]);
    let answer_by = |wanted: &dyn Fn(&mut Wanted)| {
        let mut responder = Wanted::leaf("Responder", "https://r.example", NOW_S);
        responder.purposes = vec![pki::OCSP_SIGNING];
        wanted(&mut responder);
        let responder = lab.root.issue(&responder);
        let answer = Answer::of(&lab.held, Standing::Good, NOW_S);
        lab.web.list_put(OCSP, lab.root.answer_by(&answer, &responder, true));
        responder
    };
    answer_by(&|responder| responder.extensions.push((pki::OCSP_NO_CHECK, false, der::null())));
    assert_eq!(lab.word().await, "good");
    answer_by(&|_| {});
    assert!(lab.ask().await.unwrap_err().contains("may have been revoked"), "it names no list");
    let responder = answer_by(&|responder| responder.lists = vec![CRL.into()]);
    lab.put_list(CRL, &Listed::empty(1, NOW_S));
    assert_eq!(lab.word().await, "good");
    lab.put_list(CRL, &Listed::of(2, NOW_S, &[&responder]));
    assert!(lab.ask().await.unwrap_err().contains("whoever answers was revoked"));
}

#[tokio::test]
async fn d9_changes_to_a_list() {
    for named_by_list in [false, true] {
        let lab = lab(|leaf| {
            leaf.lists = vec![CRL.into()];
            leaf.deltas = if named_by_list { vec![] } else { vec![DELTA.into()] };
        });
        let deltas = if named_by_list { vec![DELTA.to_owned()] } else { vec![] };
        lab.put_list(CRL, &Listed { deltas, ..Listed::empty(5, NOW_S) });
        assert_eq!(lab.word().await, "good", "without changes the whole list counts");
        let changes = |base, revoked| Listed { base: Some(base), revoked, ..Listed::empty(6, NOW_S) };
        lab.put_list(DELTA, &changes(5, vec![Revoked::of(&lab.held, NOW_S)]));
        assert_eq!(lab.word().await, "revoked");
        lab.put_list(DELTA, &changes(6, vec![Revoked::of(&lab.held, NOW_S)]));
        assert_eq!(lab.word().await, "good", "changes to a newer list");
        // In the place of a whole list they say nothing.
        lab.put_list(CRL, &changes(5, vec![]));
        assert_eq!(lab.word().await, "unavailable");
    }
}

#[tokio::test]
async fn d9_nobody_to_ask() {
    assert_eq!(lab(|_| {}).ask().await.unwrap_err(), "it names no revocation list that can be fetched");
    let lab = lab(|leaf| leaf.lists = vec!["ldap://ca.example/1".into()]);
    assert_eq!(lab.word().await, "unavailable");
    assert_eq!(lab.web.count(), 0);
}
