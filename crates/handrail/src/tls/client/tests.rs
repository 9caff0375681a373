//! A6, A11: what a certificate counts for, against anchors and revocation lists made here.

use super::*;
use rcgen::{
    BasicConstraints, Certificate, CertificateParams, CertificateRevocationListParams, CustomExtension, DnType,
    ExtendedKeyUsagePurpose, GeneralSubtree, IsCa, Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose, NameConstraints,
    RevokedCertParams, SerialNumber,
};
use std::{slice::from_ref, time::Duration};

/// A moment that all of this is about: 2026-06-01.
const NOW_S: i64 = 1_780_272_000;
const DAY_S: i64 = 86_400;

struct Ca {
    issuer: Issuer<'static, KeyPair>,
    certificate: Certificate,
}

macro_rules! at {
    ($seconds:expr) => {
        rcgen::date_time_ymd(1970, 1, 1) + Duration::from_secs(u64::try_from($seconds).unwrap())
    };
}

fn ca_params(name: &str, ends_s: i64) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.not_before = at!(NOW_S - 100 * DAY_S);
    params.not_after = at!(ends_s);
    params
}

impl Ca {
    fn new(name: &str) -> Self {
        Self::of(ca_params(name, NOW_S + 1000 * DAY_S))
    }

    fn of(params: CertificateParams) -> Self {
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        Self { issuer: Issuer::new(params, key), certificate }
    }

    /// A CA below this one.
    fn below(&self, params: CertificateParams) -> Self {
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        Self { issuer: Issuer::new(params, key), certificate }
    }

    fn signs(&self, params: &CertificateParams) -> CertificateDer<'static> {
        params.signed_by(&KeyPair::generate().unwrap(), &self.issuer).unwrap().der().clone()
    }

    /// A list of these serial numbers, made and to be renewed at these moments.
    fn list(&self, revoked: &[u64], made_s: i64, until_s: i64) -> Vec<u8> {
        let params = CertificateRevocationListParams {
            this_update: at!(made_s),
            next_update: at!(until_s),
            crl_number: SerialNumber::from(1),
            issuing_distribution_point: None,
            revoked_certs: revoked
                .iter()
                .map(|serial| RevokedCertParams {
                    serial_number: SerialNumber::from(*serial),
                    revocation_time: at!(made_s),
                    reason_code: None,
                    invalidity_date: None,
                })
                .collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        params.signed_by(&self.issuer).unwrap().der().to_vec()
    }
}

/// A client's certificate of this number, which ends a day after [`NOW_S`].
fn client(serial: u64) -> CertificateParams {
    let mut params = CertificateParams::new(vec!["lab.example.org".to_owned()]).unwrap();
    params.distinguished_name.push(DnType::CommonName, "lab");
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    params.serial_number = Some(SerialNumber::from(serial));
    params.not_before = at!(NOW_S - DAY_S);
    params.not_after = at!(NOW_S + DAY_S);
    params
}

/// The same, for these purposes.
fn client_for(purposes: Vec<ExtendedKeyUsagePurpose>) -> CertificateParams {
    let mut params = client(1);
    params.extended_key_usages = purposes;
    params
}

fn content(anchors: &[&Ca], lists: &[Vec<u8>]) -> Content {
    let named = |name: &str, at: usize, bytes: Vec<u8>| (PathBuf::from(format!("{name}{at}")), bytes);
    Content {
        anchors: anchors
            .iter()
            .enumerate()
            .map(|(at, ca)| named("ca", at, ca.certificate.pem().into_bytes()))
            .collect(),
        lists: lists.iter().enumerate().map(|(at, list)| named("list", at, list.clone())).collect(),
    }
}

fn trust(anchors: &[&Ca], lists: &[Vec<u8>]) -> ClientTrust {
    ClientTrust::new(Trust::of(&content(anchors, lists), NOW_S).unwrap())
}

fn standing(trust: &ClientTrust, chain: &[CertificateDer<'_>], now_s: i64) -> Result<Standing, Unfit> {
    trust.examine(chain, now_s).map(|examined| examined.standing).map_err(|(why, _)| why)
}

#[test]
fn a6_a_client_of_an_anchor_counts_in_its_time_and_for_its_purpose() {
    let (ca, other) = (Ca::new("ca"), Ca::new("other"));
    let trust = trust(&[&ca], &[]);
    let good = ca.signs(&client(1));
    assert_eq!(standing(&trust, from_ref(&good), NOW_S), Ok(Standing::Anchored));
    assert_eq!(standing(&trust, from_ref(&good), NOW_S + 2 * DAY_S), Err(Unfit::Expired));
    assert_eq!(standing(&trust, &[good], NOW_S - 2 * DAY_S), Err(Unfit::NotYet));
    assert_eq!(standing(&trust, &[other.signs(&client(1))], NOW_S), Err(Unfit::Unknown));
    for purposes in [vec![ExtendedKeyUsagePurpose::ServerAuth], vec![], vec![ExtendedKeyUsagePurpose::Any]] {
        let wrong = client_for(purposes);
        assert_eq!(standing(&trust, &[ca.signs(&wrong)], NOW_S), Err(Unfit::Purpose));
    }
    let both = vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
    let both = client_for(both);
    assert_eq!(standing(&trust, &[ca.signs(&both)], NOW_S), Ok(Standing::Anchored));
    assert_eq!(standing(&trust, &[], NOW_S), Err(Unfit::None));
    assert_eq!(standing(&trust, &[CertificateDer::from(vec![0x30, 0x00])], NOW_S), Err(Unfit::Malformed));
}

#[test]
fn a6_a_forged_anchor_of_the_same_name_is_not_believed() {
    let (ca, forged) = (Ca::new("ca"), Ca::new("ca"));
    let trust = trust(&[&ca], &[]);
    let chain = [forged.signs(&client(1)), forged.certificate.der().clone()];
    assert!(standing(&trust, &chain, NOW_S).is_err());
    // The CA itself is nobody's client.
    assert_ne!(standing(&trust, &[forged.certificate.der().clone()], NOW_S), Ok(Standing::Anchored));
    assert_ne!(standing(&trust, &[ca.certificate.der().clone()], NOW_S), Ok(Standing::Anchored));
}

#[test]
fn a6_a_chain_through_an_intermediate_keeps_its_name_constraints() {
    let root = Ca::new("root");
    let mut params = ca_params("below", NOW_S + 10 * DAY_S);
    params.name_constraints = Some(NameConstraints {
        permitted_subtrees: vec![GeneralSubtree::DnsName("example.org".into())],
        excluded_subtrees: vec![],
    });
    let below = root.below(params);
    let trust = trust(&[&root], &[]);
    let intermediate = below.certificate.der().clone();
    let good = below.signs(&client(1));
    assert_eq!(standing(&trust, &[good.clone(), intermediate.clone()], NOW_S), Ok(Standing::Anchored));
    assert_eq!(standing(&trust, &[good], NOW_S), Err(Unfit::Unknown), "without the intermediate");
    let mut outside = client(2);
    outside.subject_alt_names = CertificateParams::new(vec!["lab.example.com".to_owned()]).unwrap().subject_alt_names;
    assert_eq!(standing(&trust, &[below.signs(&outside), intermediate], NOW_S), Err(Unfit::Names));
}

#[test]
fn a6_a_self_signed_certificate_is_told_from_one_that_is_believed() {
    let ca = Ca::new("ca");
    let self_signed = |params: CertificateParams| {
        let key = KeyPair::generate().unwrap();
        params.self_signed(&key).unwrap().der().clone()
    };
    // As `openssl req -x509` makes them: a CA, and without a purpose.
    let mut plain = client_for(vec![]);
    plain.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    for trust in [trust(&[], &[]), trust(&[&ca], &[])] {
        for params in [client(1), plain.clone()] {
            let own = self_signed(params);
            assert_eq!(standing(&trust, from_ref(&own), NOW_S), Ok(Standing::SelfSigned));
            assert_eq!(standing(&trust, from_ref(&own), NOW_S + 2 * DAY_S), Err(Unfit::Expired));
            assert_eq!(standing(&trust, &[own], NOW_S - 2 * DAY_S), Err(Unfit::NotYet));
        }
        let server = client_for(vec![ExtendedKeyUsagePurpose::ServerAuth]);
        assert_eq!(standing(&trust, &[self_signed(server)], NOW_S), Err(Unfit::Purpose));
    }
}

#[test]
fn a6_a_list_takes_certificates_away_and_without_a_current_one_none_is_taken() {
    let (ca, other) = (Ca::new("ca"), Ca::new("other"));
    let (one, two) = (ca.signs(&client(1)), ca.signs(&client(2)));
    let current = ca.list(&[2], NOW_S - 10, NOW_S + 3600);
    let with = trust(&[&ca, &other], from_ref(&current));
    assert_eq!(standing(&with, from_ref(&one), NOW_S), Ok(Standing::Anchored));
    assert_eq!(standing(&with, from_ref(&two), NOW_S), Err(Unfit::Revoked));
    // Fail-closed: the list has ended; another CA has none; a list that someone else signed.
    assert_eq!(standing(&with, from_ref(&one), NOW_S + 3601), Err(Unfit::NoList));
    assert_eq!(standing(&with, &[two], NOW_S + 3601), Err(Unfit::NoList));
    assert_eq!(standing(&with, &[other.signs(&client(1))], NOW_S), Err(Unfit::NoList));
    let forged = Ca::new("ca").list(&[], NOW_S - 10, NOW_S + 3600);
    assert!(standing(&trust(&[&ca], &[forged]), from_ref(&one), NOW_S).is_err());
    // PEM and DER are both read.
    let pem = rcgen_pem(&current);
    let content = Content { lists: vec![("list".into(), pem.into_bytes())], ..content(&[&ca], &[]) };
    let trust = ClientTrust::new(Trust::of(&content, NOW_S).unwrap());
    assert_eq!(standing(&trust, &[one], NOW_S), Ok(Standing::Anchored));
}

fn rcgen_pem(der: &[u8]) -> String {
    use base64::{Engine, engine::general_purpose::STANDARD};
    format!("-----BEGIN X509 CRL-----\n{}\n-----END X509 CRL-----\n", STANDARD.encode(der))
}

#[test]
fn a6_every_issuer_of_a_chain_needs_a_list() {
    let root = Ca::new("root");
    let mut params = ca_params("below", NOW_S + 10 * DAY_S);
    params.serial_number = Some(SerialNumber::from(77));
    let below = root.below(params);
    let chain = [below.signs(&client(1)), below.certificate.der().clone()];
    let (of_root, of_below) = (root.list(&[], NOW_S, NOW_S + 60), below.list(&[], NOW_S, NOW_S + 60));
    assert_eq!(standing(&trust(&[&root], from_ref(&of_below)), &chain, NOW_S), Err(Unfit::NoList));
    assert_eq!(standing(&trust(&[&root], &[of_root]), &chain, NOW_S), Err(Unfit::NoList));
    let of_root = root.list(&[77], NOW_S, NOW_S + 60);
    assert_eq!(standing(&trust(&[&root], &[of_root, of_below]), &chain, NOW_S), Err(Unfit::Revoked));
}

#[test]
fn a11_an_examination_ends_with_time_and_with_every_change() {
    let ca = Ca::new("ca");
    let trust = trust(&[&ca], &[ca.list(&[], NOW_S - 10, NOW_S + 3600)]);
    let chain = [ca.signs(&client(1))];
    let examined = trust.examine(&chain, NOW_S).unwrap();
    assert!(trust.still(&examined, NOW_S) && trust.still(&examined, NOW_S + 3599));
    assert!(!trust.still(&examined, NOW_S + 3600), "the list has ended");
    assert!(!trust.still(&examined, NOW_S - 1), "the clock was set back");
    let revoked = Trust::of(&content(&[&ca], &[ca.list(&[1], NOW_S - 5, NOW_S + 3600)]), NOW_S).unwrap();
    trust.replace(revoked).unwrap();
    assert!(!trust.still(&examined, NOW_S));
    assert_eq!(standing(&trust, &chain, NOW_S), Err(Unfit::Revoked));
    // A list of before would let it in again.
    let older = Trust::of(&content(&[&ca], &[ca.list(&[], NOW_S - 10, NOW_S + 3600)]), NOW_S).unwrap();
    assert!(trust.replace(older).unwrap_err().0.contains("older"));
    assert_eq!(standing(&trust, &chain, NOW_S), Err(Unfit::Revoked));
}

#[test]
fn an_anchor_that_has_ended_vouches_for_nobody() {
    let ca = Ca::of(ca_params("ca", NOW_S + 100));
    let held = content(&[&ca], &[]);
    let chain = [ca.signs(&client(1))];
    let before = Trust::of(&held, NOW_S).unwrap();
    assert!(!before.is_outdated(NOW_S + 99) && before.is_outdated(NOW_S + 100));
    let trust = ClientTrust::new(before);
    assert_eq!(standing(&trust, &chain, NOW_S + 99), Ok(Standing::Anchored));
    trust.replace(Trust::of(&held, NOW_S + 100).unwrap()).unwrap();
    assert_eq!(standing(&trust, &chain, NOW_S + 100), Err(Unfit::Unknown));
}

#[test]
fn files_that_cannot_be_used_are_named() {
    let ca = Ca::new("ca");
    let cut = |bytes: &[u8]| vec![(PathBuf::from("file"), bytes.to_owned())];
    for wrong in [b"".as_slice(), b"text", b"-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n"] {
        let why = Trust::of(&Content { anchors: cut(wrong), lists: vec![] }, NOW_S).unwrap_err();
        assert!(why.0.starts_with("file: "), "{why}");
        let why = Trust::of(&Content { lists: cut(wrong), ..content(&[&ca], &[]) }, NOW_S).unwrap_err();
        assert!(why.0.starts_with("file: "), "{why}");
    }
    let list = ca.list(&[], NOW_S, NOW_S + 60);
    assert!(Trust::of(&Content { lists: cut(&list[..list.len() - 9]), ..content(&[&ca], &[]) }, NOW_S).is_err());
    let files = Files { anchors: vec!["/nowhere/ca.pem".into()], lists: vec![] };
    assert!(files.read().unwrap_err().0.contains("/nowhere/ca.pem"));
}

/// An extension that nobody knows and that must be known.
#[test]
fn what_must_be_understood_and_is_not_is_refused() {
    let ca = Ca::new("ca");
    let mut params = client(1);
    let mut unknown = CustomExtension::from_oid_content(&[1, 2, 3, 4], vec![5, 0]);
    unknown.set_criticality(true);
    params.custom_extensions = vec![unknown];
    assert!(standing(&trust(&[&ca], &[]), &[ca.signs(&params)], NOW_S).is_err());
}
