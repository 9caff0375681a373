//! A5: what is new and good is served at once, what is bad never, and both can be seen in the metrics.

use super::*;
use crate::tls::staple::tests::Pair;

const DAY_S: i64 = 86_400;

struct Files {
    own: tempfile::TempDir,
    watch: Watch,
}

/// A pair that is valid for this many days from the present.
fn pair(days: i64) -> (String, String) {
    let key = rcgen::KeyPair::generate().unwrap();
    let mut params = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let at = |seconds: i64| std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(seconds.unsigned_abs());
    let now_s = clock::now().unix_seconds();
    params.not_before = at(now_s - 100 * DAY_S).into();
    params.not_after = at(now_s + days * DAY_S + 60).into();
    (params.self_signed(&key).unwrap().pem(), key.serialize_pem())
}

impl Files {
    fn new(days: i64) -> Self {
        let own = tempfile::tempdir().unwrap();
        let (chain, key) = pair(days);
        let files =
            CertificateFiles { certificate: own.path().join("c.pem"), key: own.path().join("k.pem"), staple: None };
        let certificate = Arc::new(Certificate::from_pem(chain.as_bytes(), key.as_bytes()).unwrap());
        let served = (chain.clone().into_bytes(), key.clone().into_bytes());
        let watch = Watch::new(certificate, Source::Files(files), own.path().to_owned(), Arc::default(), served);
        let files = Self { own, watch };
        files.write(&chain, &key);
        files
    }

    fn write(&self, chain: &str, key: &str) {
        std::fs::write(self.own.path().join("c.pem"), chain).unwrap();
        std::fs::write(self.own.path().join("k.pem"), key).unwrap();
    }

    /// Looks; how many reloads were taken and refused so far, whether the files hold what is not served, days left.
    fn look(&mut self) -> (u64, u64, bool, i64) {
        self.watch.look(clock::now());
        let metrics = &self.watch.state;
        let days = (metrics.ends_s.load(Relaxed) - clock::now().unix_seconds()).div_euclid(DAY_S);
        let (taken, refused) = metrics.reloads();
        (taken, refused, metrics.stale.load(Relaxed), days)
    }
}

#[test]
fn a_renewed_pair_is_taken_and_a_broken_one_is_not() {
    let mut files = Files::new(90);
    assert_eq!(files.look(), (0, 0, false, 90), "nothing changed");
    let (chain, key) = pair(180);
    // As renewing programs do it: the chain first, its key a moment later.
    let (_, old_key) = pair(1);
    files.write(&chain, &old_key);
    assert_eq!(files.look(), (0, 1, true, 90));
    assert_eq!(files.look(), (0, 1, true, 90), "one refusal is counted and said once");
    files.write(&chain, &key);
    assert_eq!(files.look(), (1, 1, false, 180));
    std::fs::remove_file(files.own.path().join("k.pem")).unwrap();
    assert_eq!(files.look(), (1, 2, true, 180));
    files.write(&chain, &key);
    assert_eq!(files.look(), (1, 2, false, 180), "the files hold again what is served");
    files.write("no certificate", &key);
    assert_eq!(files.look(), (1, 3, true, 180));
}

#[test]
fn the_end_is_warned_of_once_a_day() {
    let mut files = Files::new(10);
    files.look();
    assert_eq!(files.watch.warned, Some(10));
    files.watch.look(Instant::from_unix_millis((clock::now().unix_seconds() + 11 * DAY_S) * 1000));
    assert_eq!(files.watch.warned, Some(-1), "it has ended by then");
    let mut files = Files::new(60);
    files.look();
    assert_eq!(files.watch.warned, None);
}

#[test]
fn a5_an_ocsp_response_is_shown_while_it_is_current() {
    let own = tempfile::tempdir().unwrap();
    let write = |file: &str, bytes: &[u8]| std::fs::write(own.path().join(file), bytes).unwrap();
    let pair = Pair::new();
    write("c.pem", pair.chain.as_bytes());
    write("k.pem", pair.key.as_bytes());
    let file = |name: &str| own.path().join(name);
    let files = CertificateFiles { certificate: file("c.pem"), key: file("k.pem"), staple: Some(file("s.der")) };
    let certificate = Arc::new(pair.certificate());
    let served = (pair.chain.clone().into_bytes(), pair.key.clone().into_bytes());
    let source = Source::Files(files);
    let mut watch = Watch::new(Arc::clone(&certificate), source, own.path().to_owned(), Arc::default(), served);
    let now_s = clock::now().unix_seconds();
    let mut look = |after_s: i64| {
        watch.look(Instant::from_unix_millis((now_s + after_s) * 1000));
        (certificate.stapled(), watch.unstapled.as_ref().map(ToString::to_string).unwrap_or_default())
    };
    assert!(matches!(look(0), (None, why) if why.contains("No such file")));
    let (first, second) = (pair.staple(now_s - 10, now_s + 100), pair.staple(now_s, now_s + 200));
    write("s.der", &first);
    assert_eq!(look(0), (Some(first.clone()), String::new()));
    // As a fetcher writes it: half of it is there for a moment.
    write("s.der", &second[..40]);
    assert!(matches!(look(1), (Some(shown), why) if shown == first && why.contains("not an OCSP response")));
    write("s.der", &second);
    assert_eq!(look(2), (Some(second.clone()), String::new()));
    // The fetcher stopped: it is shown to its end and not a second longer.
    assert_eq!(look(199), (Some(second), String::new()));
    assert!(matches!(look(200), (None, why) if why.contains("ended on")));
    let third = pair.staple(now_s, now_s + 300);
    write("s.der", &third);
    assert_eq!(look(201), (Some(third), String::new()));
    // Another certificate: what was shown is not about it.
    let renewed = Pair::new();
    write("c.pem", renewed.chain.as_bytes());
    write("k.pem", renewed.key.as_bytes());
    assert!(matches!(look(202), (None, why) if why.contains("about another certificate")));
    let of_it = renewed.staple(now_s, now_s + 300);
    write("s.der", &of_it);
    assert_eq!(look(203), (Some(of_it), String::new()));
}
