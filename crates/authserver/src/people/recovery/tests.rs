//! Tests of `recovery`.

use super::*;
use std::collections::HashSet;

#[test]
fn codes_are_many_different_and_long() {
    let codes = codes().unwrap();
    assert_eq!(codes.len(), limits::RECOVERY_CODES);
    assert_eq!(codes.iter().collect::<HashSet<_>>().len(), codes.len());
    for code in codes {
        assert_eq!(code.len(), 19, "{code}");
        assert!(code.chars().all(|c| c == '-' || ALPHABET.contains(&u8::try_from(c).unwrap())), "{code}");
    }
}

#[test]
fn a_code_is_the_same_however_it_is_typed_and_for_one_account() {
    let kept = hash("a", "01AB-CDEF-0123-4567");
    for typed in ["01ABCDEF01234567", " o1ab cdef ol23 4567 ", "OIAB-CDEF-O123-4567"] {
        assert_eq!(hash("a", typed), kept, "{typed}");
    }
    assert_ne!(hash("b", "01AB-CDEF-0123-4567"), kept);
    assert_ne!(hash("a", "01AB-CDEF-0123-4568"), kept);
}
