//! A7: one registered name, compared as names are.

use super::*;

fn name(text: &str) -> DistinguishedName {
    DistinguishedName::parse(text).unwrap()
}

#[test]
fn names_are_equal_as_rfc_5280_says() {
    let lab = name("CN=lab,O=Example Hospital,C=US");
    for same in [
        "cn=LAB , o=example  hospital, c=us",
        "2.5.4.3=lab,OID.2.5.4.10=Example Hospital,C=US",
        "CN=#0c036c6162,O=Example Hospital,C=US",
        "CN=l\\61b,O=Example\\20Hospital,C=US",
    ] {
        assert_eq!(lab, name(same), "{same}");
    }
    for other in [
        "C=US,O=Example Hospital,CN=lab",
        "CN=lab,O=Example Hospital",
        "CN=lab,OU=x,O=Example Hospital,C=US",
        "CN=lab\\,O=Example Hospital,C=US",
        "CN=lab+O=Example Hospital,C=US",
        "CN=la b,O=Example Hospital,C=US",
        "OU=lab,O=Example Hospital,C=US",
        "",
    ] {
        assert_ne!(lab, name(other), "{other}");
    }
    assert_eq!(name("CN=a+OU=b"), name("OU=b+CN=a"));
    assert_ne!(name("CN=a+CN=a"), name("CN=a+CN=b"));
}

#[test]
fn a_name_is_written_as_rfc_4514_says_and_read_back() {
    let of = |value: &str| Attribute { oid: "2.5.4.3".into(), value: AttributeValue::Text(value.into()) };
    let other = Attribute { oid: "1.2.3.4".into(), value: AttributeValue::Other(vec![0x30, 0x00]) };
    for (parts, text) in [
        (vec![vec![of("Steve")]], "CN=Steve"),
        (vec![vec![of("James \"Jim\" Smith, III")]], "CN=James \\\"Jim\\\" Smith\\, III"),
        (vec![vec![of("Before\rAfter")]], "CN=Before\\0dAfter"),
        (vec![vec![of(" #x ")]], "CN=\\ #x\\ "),
        (vec![vec![of("#x")]], "CN=\\#x"),
        (vec![vec![of("a=b\\c")]], "CN=a=b\\\\c"),
        (vec![vec![of("Lučić")]], "CN=Lučić"),
        (vec![vec![other.clone()], vec![of("a"), of("b")]], "CN=a+CN=b,1.2.3.4=#3000"),
        (vec![vec![of(" ")]], "CN=\\ "),
    ] {
        let made = DistinguishedName::of_certificate(parts);
        assert_eq!(made.to_string(), text);
        assert_eq!(name(text), made, "{text}");
        assert_eq!(name(text).to_string(), text);
    }
    assert_eq!(name("CN=Lu\\C4\\8Di\\C4\\87").to_string(), "CN=Lučić");
}

#[test]
fn what_is_no_name_is_refused_with_its_reason() {
    for (text, why) in [
        ("/C=US/CN=lab", NameError::Slashes),
        ("lab", NameError::NoValue),
        ("CN=lab,", NameError::NoValue),
        ("FOO=lab", NameError::Type),
        ("2.5.04.3=lab", NameError::Type),
        ("CN=\"lab\"", NameError::Unescaped),
        ("CN=a;b", NameError::Unescaped),
        ("CN=lab\\", NameError::Escape),
        ("CN=lab\\zz", NameError::Escape),
        ("CN=\\ff", NameError::Escape),
        ("CN=#", NameError::Hex),
        ("CN=#0c0", NameError::Hex),
    ] {
        assert_eq!(DistinguishedName::parse(text).map(|name| name.to_string()), Err(why), "{text}");
    }
    let long = format!("CN={}", "x".repeat(5000));
    assert_eq!(DistinguishedName::parse(&long).map(drop), Err(NameError::TooLong));
}

fn facts() -> CertificateFacts {
    CertificateFacts {
        subject: name("CN=lab,O=Example"),
        dns: vec!["Lab.example.org".into(), "*.wild.example".into()],
        uris: vec!["spiffe://example.org/lab".into()],
        addresses: vec!["192.0.2.7".parse().unwrap(), "2001:db8::7".parse().unwrap()],
        emails: vec!["Lab@example.org".into()],
    }
}

#[test]
fn one_registered_name_is_compared_with_its_own_kind() {
    for (member, value, matches) in [
        ("tls_client_auth_subject_dn", "cn=lab, o=example", true),
        ("tls_client_auth_subject_dn", "CN=lab", false),
        ("tls_client_auth_san_dns", "lab.EXAMPLE.org", true),
        ("tls_client_auth_san_dns", "a.wild.example", false),
        ("tls_client_auth_san_dns", "example.org", false),
        ("tls_client_auth_san_uri", "spiffe://example.org/lab", true),
        ("tls_client_auth_san_uri", "spiffe://example.org/LAB", false),
        ("tls_client_auth_san_ip", "2001:0db8:0::7", true),
        ("tls_client_auth_san_ip", "192.0.2.8", false),
        ("tls_client_auth_san_email", "Lab@EXAMPLE.org", true),
        ("tls_client_auth_san_email", "lab@example.org", false),
        // A name of one kind is not one of another.
        ("tls_client_auth_san_dns", "spiffe", false),
    ] {
        let registered = RegisteredSubject::from_member(member, value).unwrap();
        assert_eq!(registered.matches(&facts()), matches, "{member} {value}");
        let (written, text) = registered.member();
        assert_eq!(RegisteredSubject::from_member(written, &text).unwrap(), registered);
        assert!(!registered.matches(&CertificateFacts::default()), "{member} {value}");
    }
}

#[test]
fn exactly_one_name_is_registered() {
    let dn = ("tls_client_auth_subject_dn", "CN=lab");
    let dns = ("tls_client_auth_san_dns", "lab.example.org");
    let other = ("client_name", "lab");
    assert!(RegisteredSubject::only([other, dn].into_iter()).is_ok());
    assert_eq!(RegisteredSubject::only([dn, dns].into_iter()), Err(SubjectError::NotOne));
    assert_eq!(RegisteredSubject::only([dn, dn].into_iter()), Err(SubjectError::NotOne));
    assert_eq!(RegisteredSubject::only([other].into_iter()), Err(SubjectError::NotOne));
    for (member, value, why) in [
        ("tls_client_auth_subject_dn", " ", SubjectError::Empty),
        ("tls_client_auth_san_dns", "*.example.org", SubjectError::Dns),
        ("tls_client_auth_san_dns", "", SubjectError::Dns),
        ("tls_client_auth_san_uri", "lab", SubjectError::Uri),
        ("tls_client_auth_san_ip", "example.org", SubjectError::Ip),
        ("tls_client_auth_san_email", "lab", SubjectError::Email),
        ("client_name", "lab", SubjectError::Member),
    ] {
        assert_eq!(RegisteredSubject::from_member(member, value), Err(why), "{member} {value}");
    }
}
