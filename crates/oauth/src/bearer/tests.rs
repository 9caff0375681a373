//! The bearer header: one way in, no other. Rows B63, B64.

use super::{BearerError, LiveTokens, authenticate};
use crate::caller::{Caller, CallerKind, Grant};
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
    assert!(authenticate(Some("Bearer good"), &One, 99).is_ok_and(|caller| caller.kind() == CallerKind::System));
    assert!(authenticate(Some("bearer good"), &One, 99).is_ok());
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
        assert_eq!(authenticate(header, &One, now_s).err(), Some(expected), "{header:?}");
    }
}

proptest! {
    #[test]
    fn any_header_is_read_or_refused(header in ".{0,60}") {
        let _ = authenticate(Some(&header), &One, 0);
    }
}
