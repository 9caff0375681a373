//! Tests of `throttle`. Rows B26, F66.

use super::*;

fn by(login: u8, address: &str, device: Option<u8>) -> Try {
    Try { login: [login; 32], address: address.parse().unwrap(), device: device.map(|device| [device; 32]) }
}

/// Tries until one is refused; how many went through.
fn until_refused(throttle: &Throttle, attempt: &Try, now_ms: i64) -> u32 {
    (0..10_000).find(|_| throttle.password(attempt, now_ms).is_err()).unwrap()
}

#[test]
fn waits_double_up_to_the_longest() {
    let throttle = Throttle::new();
    let attempt = by(1, "192.0.2.1", None);
    assert_eq!(until_refused(&throttle, &attempt, 0), own::PAIR_TRIES.0);
    let mut now_s = 0;
    let mut waits = Vec::new();
    for _ in 0..12 {
        let limited = throttle.password(&attempt, now_s * 1000).unwrap_err();
        waits.push(limited.retry_after_s);
        now_s += i64::try_from(limited.retry_after_s).unwrap();
        assert!(throttle.password(&attempt, now_s * 1000 - 1).is_err());
        assert!(throttle.password(&attempt, now_s * 1000).is_ok());
    }
    assert_eq!(waits, [2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900]);
    // A day later it is as new.
    let later_ms = (now_s + own::TRIES_FORGOTTEN_S) * 1000;
    assert_eq!(until_refused(&throttle, &attempt, later_ms), own::PAIR_TRIES.0);
}

#[test]
fn a_right_password_makes_it_as_new() {
    let throttle = Throttle::new();
    let attempt = by(1, "192.0.2.1", None);
    for _ in 0..200 {
        for _ in 0..own::PAIR_TRIES.0 - 1 {
            throttle.password(&attempt, 0).unwrap();
        }
        // Only failures count: a ward of people signs in from one address.
        for _ in 0..own::PAIR_TRIES.0 - 1 {
            throttle.was_right(&attempt);
        }
    }
}

/// Who fills the hashers must not get rid of a wait by it: a try that nobody looked at clears nothing.
#[test]
fn a_try_that_was_not_looked_at_clears_no_wait() {
    let throttle = Throttle::new();
    let attempt = by(1, "192.0.2.1", None);
    assert_eq!(until_refused(&throttle, &attempt, 0), own::PAIR_TRIES.0);
    let wait_s = throttle.password(&attempt, 0).unwrap_err().retry_after_s;
    let later_ms = i64::try_from(wait_s).unwrap() * 1000;
    throttle.password(&attempt, later_ms).unwrap();
    throttle.give_back(&attempt);
    assert!(throttle.password(&attempt, later_ms).is_err(), "the wait stays");
    // It is not counted either: the next wait is as long as this one would have been.
    let again_ms = later_ms + 2 * later_ms;
    throttle.password(&attempt, again_ms).unwrap();
    assert_eq!(throttle.password(&attempt, again_ms).unwrap_err().retry_after_s, 2 * wait_s);
    // A person whose tries were all turned away because of others has as many as before.
    let person = by(2, "192.0.2.2", None);
    for _ in 0..1000 {
        throttle.password(&person, 0).unwrap();
        throttle.give_back(&person);
    }
    assert_eq!(until_refused(&throttle, &person, 0), own::PAIR_TRIES.0);
}

/// Nobody can lock another person out: a device that signed in before has a lane of its own.
#[test]
fn a_crowd_of_strangers_does_not_keep_the_owner_out() {
    let throttle = Throttle::new();
    let crowd = |n: u32| format!("198.51.{}.{}", n / 200, n % 200);
    let through = (0..2000).filter(|n| throttle.password(&by(1, &crowd(*n), None), 0).is_ok()).count();
    assert_eq!(through, 60, "and a crowd does not guess on");
    assert!(throttle.password(&by(1, "203.0.113.9", None), 0).is_err(), "a stranger waits with them");
    assert!(throttle.password(&by(1, "203.0.113.9", Some(7)), 0).is_ok());
    assert!(throttle.password(&by(2, "203.0.113.9", None), 0).is_ok(), "another account");
    assert!(throttle.unguessable("203.0.113.9".parse().unwrap(), 0).is_ok(), "a passkey, a recovery code");
    // A stolen device does not guess on either.
    assert!(until_refused(&throttle, &by(1, "203.0.113.10", Some(7)), 0) <= own::DEVICE_TRIES.0);
}

/// Guessing one password at many accounts.
#[test]
fn spraying_from_one_address_stops() {
    let throttle = Throttle::new();
    let through = (0..250).filter(|n| throttle.password(&by(*n, "192.0.2.1", None), 0).is_ok()).count();
    assert_eq!(through, 60);
    // One host has a whole /64.
    let through = (0..250).filter(|n| throttle.password(&by(*n, &format!("2001:db8::{n:x}"), None), 0).is_ok()).count();
    assert_eq!(through, 60);
    assert!(throttle.password(&by(1, "2001:db8:0:1::1", None), 0).is_ok());
}

#[test]
fn codes_are_few_for_strangers_who_know_the_password() {
    let throttle = Throttle::new();
    let through = (0..500).filter(|n| throttle.code(&by(1, &format!("192.0.2.{}", n % 250), None), 0).is_ok()).count();
    assert_eq!(through, 10);
    let day_ms = 24 * 3600 * 1000;
    let more = (0..500).filter(|n| throttle.code(&by(1, "192.0.2.1", None), n * day_ms / 500).is_ok()).count();
    assert!(more <= 144, "{more}");
    let own = by(1, "192.0.2.1", Some(7));
    assert!(throttle.code(&own, 0).is_ok(), "the owner's device");
    throttle.code_was_right(&own);
}

#[test]
fn a_refused_try_counts_nowhere_and_is_told_once() {
    let throttle = Throttle::new();
    let attempt = by(1, "192.0.2.1", None);
    until_refused(&throttle, &attempt, 0);
    let firsts = (0..50).filter(|_| throttle.password(&attempt, 0).unwrap_err().first).count();
    assert_eq!(firsts, 0, "the first was told within until_refused");
    assert!(throttle.password(&by(2, "192.0.2.1", None), 0).is_ok(), "the address was not used up");
    assert!(throttle.password(&by(1, "192.0.2.2", None), 0).is_ok(), "nor the account");
}
