//! A7: what a certificate says, read from certificates of two makers.

use super::*;
use oauth::certificate::RegisteredSubject;
use rcgen::{CertificateParams, DistinguishedName as Made, DnType, DnValue, KeyPair, SanType};

fn facts(params: &CertificateParams) -> Option<CertificateFacts> {
    let key = KeyPair::generate().unwrap();
    of(params.self_signed(&key).unwrap().der())
}

#[test]
fn the_name_is_the_one_of_rfc_4514() {
    let mut params = CertificateParams::default();
    let mut name = Made::new();
    name.push(DnType::CountryName, "US");
    name.push(DnType::OrganizationName, "Example, Inc.");
    name.push(DnType::CommonName, DnValue::BmpString("Lab Łódź".try_into().unwrap()));
    name.push(DnType::CustomDnType(vec![2, 5, 4, 97]), "NTRUS-1");
    params.distinguished_name = name;
    let subject = facts(&params).unwrap().subject;
    assert_eq!(subject.to_string(), "organizationIdentifier=NTRUS-1,CN=Lab Łódź,O=Example\\, Inc.,C=US");
    assert_eq!(DistinguishedName::parse("2.5.4.97=ntrus-1, cn=lab łódź, O=Example\\2C Inc., C=US").unwrap(), subject);
}

#[test]
fn alternative_names_are_told_by_kind() {
    let mut params = CertificateParams::new(vec!["lab.example.org".to_owned(), "192.0.2.7".to_owned()]).unwrap();
    params.subject_alt_names.push(SanType::URI("spiffe://example.org/lab".try_into().unwrap()));
    params.subject_alt_names.push(SanType::Rfc822Name("lab@example.org".try_into().unwrap()));
    params.subject_alt_names.push(SanType::IpAddress("2001:db8::7".parse().unwrap()));
    let facts = facts(&params).unwrap();
    assert_eq!(facts.dns, ["lab.example.org"]);
    assert_eq!(facts.uris, ["spiffe://example.org/lab"]);
    assert_eq!(facts.emails, ["lab@example.org"]);
    let addresses: Vec<IpAddr> = vec!["192.0.2.7".parse().unwrap(), "2001:db8::7".parse().unwrap()];
    assert_eq!(facts.addresses, addresses);
    let registered = RegisteredSubject::from_member("tls_client_auth_san_ip", "2001:db8::7").unwrap();
    assert!(registered.matches(&facts));
}

#[test]
fn what_is_no_certificate_says_nothing() {
    let key = KeyPair::generate().unwrap();
    let der = CertificateParams::default().self_signed(&key).unwrap().der().to_vec();
    assert!(of(&der).is_some());
    for wrong in [&[][..], &der[..der.len() - 1], &[der.as_slice(), &[0]].concat()] {
        assert_eq!(of(wrong), None);
    }
}
