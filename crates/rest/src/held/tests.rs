//! Steps of time.

use super::*;
use std::time::Duration;

#[test]
fn steps_double_from_the_first() {
    let ms = Duration::from_millis;
    for (elapsed, expected) in [(0, 1), (1, 1), (2, 2), (3, 4), (5, 8), (900, 1024)] {
        assert_eq!(step(ms(elapsed)), ms(expected));
    }
    assert_eq!(step(Duration::from_micros(7)), step(Duration::from_micros(900)));
    assert!(step(Duration::MAX) >= Duration::MAX);
}
