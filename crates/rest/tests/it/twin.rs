//! Twin worlds as a property (rows F1 to F10, F13, F14): many more run as `cargo xtask twin`.

use testkit::twin::{Case, Tally};

/// Sequences, on as many threads.
const SEQUENCES: u64 = 120;
const THREADS: u64 = 4;

/// Invariant 5 over random scopes, worlds and sequences: every status, header and body is equal.
#[test]
fn worlds_that_differ_in_what_is_hidden_answer_alike() {
    let run = |thread: u64| {
        let mut tally = Tally::default();
        for seed in (thread..SEQUENCES).step_by(THREADS as usize) {
            let case = if seed % 60 == 0 { Case::crowded(seed) } else { Case::new(seed) };
            match case.check() {
                Ok(one) => tally.add(&one),
                Err(report) => panic!("cargo xtask twin --replay {seed}\n{report}"),
            }
        }
        tally
    };
    let mut tally = Tally::default();
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS).map(|thread| scope.spawn(move || run(thread))).collect();
        threads.into_iter().for_each(|thread| tally.add(&thread.join().unwrap()));
    });
    // It was not in vain: much was hidden, and much was answered.
    assert!(tally.hidden > 1000 && tally.statuses.get(&200).is_some_and(|count| *count > 500), "{tally:?}");
}
