//! Twin worlds as a property (rows F1 to F10, F13, F14): many more run as `cargo xtask twin`.

use testkit::twin::{Case, PLANTS, Plant, Tally};

/// Sequences.
const SEQUENCES: u64 = 40;
/// Sequences within which each planted leak is found, from a seed that finds it soon.
const FOUND_WITHIN: u64 = 120;
const THREADS: usize = 2;

/// Invariant 5 over random scopes, worlds and sequences: every status, header and body is equal.
#[test]
fn worlds_that_differ_in_what_is_hidden_answer_alike() {
    let run = |thread: usize| {
        let mut tally = Tally::default();
        for seed in (thread as u64..SEQUENCES).step_by(THREADS) {
            match Case::new(seed).check() {
                Ok(one) => tally.add(one),
                Err(report) => panic!("{report}"),
            }
        }
        tally
    };
    let mut tally = Tally::default();
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS).map(|thread| scope.spawn(move || run(thread))).collect();
        threads.into_iter().for_each(|thread| tally.add(thread.join().unwrap()));
    });
    // It was not in vain: much was hidden, and much was answered.
    assert!(tally.hidden > 300 && tally.statuses.get(&200).is_some_and(|count| *count > 200), "{tally:?}");
}

/// The proof can fail: each way in which a road could forget the permit is found. From any seed it
/// takes fewer than 120 sequences (`cargo xtask twin --plants 2`); these seeds find it sooner.
#[test]
fn planted_leaks_are_found() {
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            scope.spawn(move || {
                for plant in PLANTS.iter().copied().skip(thread).step_by(THREADS) {
                    let first = seed_for(plant);
                    let found = (first..first + FOUND_WITHIN).any(|seed| Case::new(seed).with_plant(plant).differs());
                    assert!(found, "{plant:?} is not found within {FOUND_WITHIN} sequences");
                }
            });
        }
    });
}

fn seed_for(plant: Plant) -> u64 {
    match plant {
        Plant::Read | Plant::SearchFilter | Plant::RequestId => 1001,
        Plant::ConditionalCreate | Plant::Update => 1002,
        Plant::AuditEvents => 1003,
        Plant::Vread | Plant::Total | Plant::SortOrder | Plant::Batch => 1004,
        Plant::Cursor => 1008,
        Plant::ErrorText | Plant::ErrorHeader => 1009,
        Plant::History => 1010,
        Plant::DefaultOrder | Plant::TransactionCondition => 1011,
        Plant::Include => 1015,
        Plant::ConditionalDelete => 1045,
        Plant::Revinclude => 1058,
        Plant::ConditionalUpdate => 1062,
        Plant::Chain => 1066,
        Plant::HistoryTotal => 1084,
        Plant::Has => 1153,
        Plant::CostOfHidden => 1032,
        Plant::Validate => 1001,
    }
}
