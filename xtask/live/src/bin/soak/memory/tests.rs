//! Flat, a sawtooth, a start that fills caches, and a leak.

use super::Verdict;
use live::subject::Memory;

fn verdict(anonymous_mib: impl Fn(u64) -> u64) -> Verdict {
    let memory =
        |second| Memory { resident: (anonymous_mib(second) + 10) << 20, anonymous: anonymous_mib(second) << 20 };
    Verdict::of(&(0..900).map(memory).collect::<Vec<_>>())
}

#[test]
fn what_is_flat_and_what_is_not() {
    assert!(verdict(|_| 60).is_flat());
    assert!(verdict(|second| 60 + second % 17).is_flat(), "a sawtooth of memtables");
    assert!(verdict(|second| 20 + second.min(290) / 5).is_flat(), "caches that fill at first");
    let leak = verdict(|second| 60 + second / 60);
    assert!(!leak.is_flat(), "a MiB each minute: {leak:?}");
    assert!((leak.rise - 10.0).abs() < 1.0 && (leak.of_files - 10.0).abs() < 0.1 && leak.peak > 80.0, "{leak:?}");
}
