//! The Authorization header: one way in, no other. Rows A8, B63, B64.

use super::{BearerError, DpopFacts, LiveTokens, Presented, authenticate};
use crate::caller::{Caller, CallerKind, Confirmation, Grant, Role, User};
use aws_lc_rs::digest;
use proptest::prelude::*;
use std::sync::Arc;

struct One;

impl LiveTokens for One {
    fn grant(&self, token: &str) -> Option<Arc<Grant>> {
        (token == "good")
            .then(|| Arc::clone(Caller::operator("test").grant()))
            .map(|grant| Arc::new(Grant { expires_at_s: 100, ..Grant::clone(&grant) }))
    }
}

/// Rows B63, B64.
#[test]
fn authorization_header() {
    use BearerError as E;
    assert!(
        authenticate(&Presented::header(Some("Bearer good")), &One, 99)
            .is_ok_and(|caller| caller.kind() == CallerKind::System)
    );
    assert!(authenticate(&Presented::header(Some("bearer good")), &One, 99).is_ok());
    let long = format!("Bearer {}", "a".repeat(513));
    let table = [
        (None, 99, E::Missing),
        (Some("Bearer good"), 100, E::Expired),
        (Some("Bearer bad"), 99, E::Unknown),
        (Some("Bearer"), 99, E::Malformed),
        (Some("Bearer "), 99, E::Malformed),
        (Some("Bearer  good"), 99, E::Malformed),
        (Some("Bearer good "), 99, E::Malformed),
        (Some("Bearer good, Bearer good"), 99, E::Malformed),
        (Some("Basic good"), 99, E::Malformed),
        (Some("good"), 99, E::Malformed),
        (Some(""), 99, E::Malformed),
        (Some(long.as_str()), 99, E::Malformed),
    ];
    for (header, now_s, expected) in table {
        assert_eq!(authenticate(&Presented::header(header), &One, now_s).err(), Some(expected), "{header:?}");
    }
}

/// Every token `good`, bound so.
struct Bound(Option<Confirmation>, Option<Arc<User>>);

impl LiveTokens for Bound {
    fn grant(&self, token: &str) -> Option<Arc<Grant>> {
        let grant = Grant::clone(Caller::operator("test").grant());
        (token == "good").then(|| Arc::new(Grant { confirmation: self.0, user: self.1.clone(), ..grant }))
    }
}

/// A8, and RFC 9449 section 7: a bound token is worth nothing without its own key, nor with the other kind of key.
#[test]
fn a_bound_token_needs_its_key() {
    let hash = |token: &str| <[u8; 32]>::try_from(digest::digest(&digest::SHA256, token.as_bytes()).as_ref()).ok();
    let proof = |key, access_token| DpopFacts { key, access_token };
    let (own, other) = ([1; 32], [2; 32]);
    let bindings = [None, Some(Confirmation::Certificate(own)), Some(Confirmation::Key(own))];
    let certificates = [None, Some(own), Some(other)];
    let proofs = [
        None,
        Some(proof(own, hash("good"))),
        Some(proof(own, hash("another"))),
        Some(proof(own, None)),
        Some(proof(other, hash("good"))),
    ];
    let mut let_in = 0;
    for confirmation in bindings {
        for certificate_thumbprint in certificates {
            for dpop in &proofs {
                for scheme in ["Bearer", "DPoP", "dpop"] {
                    let header = format!("{scheme} good");
                    let presented = Presented {
                        authorization: Some(&header),
                        certificate_thumbprint,
                        dpop: dpop.as_ref(),
                        principal: None,
                    };
                    let right = match confirmation {
                        None => scheme == "Bearer",
                        Some(Confirmation::Certificate(_)) => scheme == "Bearer" && certificate_thumbprint == Some(own),
                        Some(Confirmation::Key(_)) => scheme != "Bearer" && *dpop == Some(proof(own, hash("good"))),
                    };
                    let outcome = authenticate(&presented, &Bound(confirmation, None), 0);
                    assert_eq!(
                        outcome.as_ref().err(),
                        (!right).then_some(&BearerError::Unproven),
                        "{header} {certificate_thumbprint:?} {dpop:?}"
                    );
                    let_in += usize::from(right);
                }
            }
        }
    }
    assert_eq!(let_in, 15 + 5 + 6);
}

/// A token of a person makes a person, and nothing else does.
#[test]
fn whose_token_it_is_says_who_calls() {
    let user = Arc::new(User {
        id: "sub-1".into(),
        name: "Ada".into(),
        role: Role::Patient,
        fhir_user: Some("Patient/p".into()),
        patients: Arc::new(["p".into()]),
        glasses: Arc::default(),
        may_break_glass: false,
    });
    let header = Presented::header(Some("Bearer good"));
    let person = authenticate(&header, &Bound(None, Some(Arc::clone(&user))), 0).unwrap();
    assert_eq!((person.kind(), person.user()), (CallerKind::Person, Some(&user)));
    assert_eq!(format!("{person:?}"), "Caller(Person, client operator) for sub-1", "no name in logs");
    let system = authenticate(&header, &Bound(None, None), 0).unwrap();
    assert_eq!((system.kind(), system.user()), (CallerKind::System, None));
}

proptest! {
    #[test]
    fn any_header_is_read_or_refused(header in ".{0,60}") {
        let _ = authenticate(&Presented::header(Some(&header)), &One, 0);
    }
}

/// A10: a certificate that stands for a system does so by itself, for that system alone and only without a token.
#[test]
fn a_certificate_can_stand_for_a_system() {
    let of = |confirmation, user| {
        let grant = Grant::clone(Caller::operator("test").grant());
        Arc::new(Grant { client_id: "lab".into(), confirmation, user, expires_at_s: 100, ..grant })
    };
    let own = of(Some(Confirmation::Certificate([1; 32])), None);
    let ask = |authorization, certificate_thumbprint, principal: &Arc<Grant>, now_s| {
        let presented = Presented { authorization, certificate_thumbprint, dpop: None, principal: Some(principal) };
        authenticate(&presented, &One, now_s)
    };
    let caller = ask(None, Some([1; 32]), &own, 99).unwrap();
    assert_eq!((caller.kind(), &*caller.grant().client_id), (CallerKind::System, "lab"));
    use BearerError as E;
    assert_eq!(ask(None, Some([1; 32]), &own, 100).err(), Some(E::Expired));
    assert_eq!(ask(None, Some([2; 32]), &own, 99).err(), Some(E::Unproven));
    assert_eq!(ask(None, None, &own, 99).err(), Some(E::Unproven));
    assert_eq!(ask(None, None, &of(None, None), 99).err(), Some(E::Unproven));
    let key = of(Some(Confirmation::Key([1; 32])), None);
    assert_eq!(ask(None, Some([1; 32]), &key, 99).err(), Some(E::Unproven));
    // A token is looked at first, and a bad one is not made good.
    assert_eq!(ask(Some("Bearer bad"), Some([1; 32]), &own, 99).err(), Some(E::Unknown));
    assert_eq!(ask(Some("Basic x"), Some([1; 32]), &own, 99).err(), Some(E::Malformed));
    assert_ne!(&*ask(Some("Bearer good"), Some([1; 32]), &own, 99).unwrap().grant().client_id, "lab");
}
