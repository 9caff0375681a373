//! Tests of `totp`, with the vectors of RFC 6238 appendix B (their last six digits).

use super::*;

const SEED: &[u8] = b"12345678901234567890";

#[test]
fn the_codes_of_the_rfc() {
    for (seconds, expected) in [
        (59, "287082"),
        (1_111_111_109, "081804"),
        (1_111_111_111, "050471"),
        (1_234_567_890, "005924"),
        (2_000_000_000, "279037"),
        (20_000_000_000_i64, "353130"),
    ] {
        assert_eq!(code(SEED, seconds / 30), expected);
        assert_eq!(step_of(SEED, expected, seconds, 0), Some(seconds / 30));
    }
}

/// Row B26: a code that was read over a shoulder.
#[test]
fn a_step_is_spent_with_its_code_and_those_before() {
    let now_s = 1_111_111_111;
    let now = now_s / 30;
    assert_eq!(step_of(SEED, "050471", now_s, now), None);
    assert_eq!(step_of(SEED, &code(SEED, now - 1), now_s, now), None);
    assert_eq!(step_of(SEED, &code(SEED, now + 1), now_s, now), Some(now + 1));
}

#[test]
fn a_clock_may_be_a_step_off_and_no_more() {
    let now = 37_037_037;
    for (step, fits) in [(now - 2, false), (now - 1, true), (now, true), (now + 1, true), (now + 2, false)] {
        assert_eq!(step_of(SEED, &code(SEED, step), now * 30 + 15, 0).is_some(), fits, "{step}");
    }
    assert_eq!(step_of(SEED, " 050 471 ", 1_111_111_111, 0), Some(37_037_037));
    for wrong in ["", "050472", "50471", "0504710", "abcdef", "０５０４７１"] {
        assert_eq!(step_of(SEED, wrong, 1_111_111_111, 0), None, "{wrong}");
    }
}

#[test]
fn apps_are_told_what_they_need() {
    assert_eq!(base32(SEED), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
    assert_eq!(
        uri(SEED, "care.example", "ana@x"),
        "otpauth://totp/care%2Eexample:ana%40x?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=care%2Eexample\
         &algorithm=SHA1&digits=6&period=30"
    );
    assert_ne!(seed().unwrap(), seed().unwrap());
}
