//! Twin worlds as a property (rows F1 to F10, F13, F14): many more run as `cargo xtask twin`.

use testkit::twin::{Case, Forgets, Guarded, ORGANIZATIONS, PEOPLE, PLANTS, Plant, Tally};

/// Sequences.
const SEQUENCES: u64 = 40;
/// Sequences within which each planted leak is found, from a seed that finds it soon.
const FOUND_WITHIN: u64 = 120;
const THREADS: usize = 2;
/// Sequences of apps that act for people.
const SEQUENCES_OF_PEOPLE: u64 = 10;
/// Sequences of systems of organizations.
const SEQUENCES_OF_ORGANIZATIONS: u64 = 8;

/// Invariant 5 over random scopes, worlds and sequences: every status, header and body is equal.
#[test]
fn worlds_that_differ_in_what_is_hidden_answer_alike() {
    let tally = tally(0, SEQUENCES);
    // It was not in vain: much was hidden, and much was answered.
    assert!(tally.hidden > 300 && tally.statuses.get(&200).is_some_and(|count| *count > 200), "{tally:?}");
}

/// The same for people, whose records others' resources name: B39, B40, F3, F7.
#[test]
fn what_others_records_say_tells_people_nothing() {
    let tally = tally(PEOPLE, SEQUENCES_OF_PEOPLE);
    assert!(tally.hidden > 60 && tally.statuses.get(&200).is_some_and(|count| *count > 80), "{tally:?}");
}

/// The same for payers and hospitals that came by UDAP: G14, G15, D28.
#[test]
fn who_is_no_member_is_not_there_for_an_organization() {
    let tally = tally(ORGANIZATIONS, SEQUENCES_OF_ORGANIZATIONS);
    assert!(tally.hidden > 60 && tally.statuses.get(&200).is_some_and(|count| *count > 50), "{tally:?}");
}

/// Worlds guarded by relations, consents, labels, rules and coverages, each asked several sequences: F1 to F10, G4, G7,
/// G10, G12 to G17, F41, F49, F68.
const GUARDED: u64 = 6;

/// Whatever hides it: another patient, a relation that is over, a Consent, a label, a rule, an expired coverage.
#[test]
fn what_hides_tells_nothing_whatever_it_is() {
    let tally = together(|seed| Guarded::new(seed).check(), 0, GUARDED);
    assert!(tally.hidden > 15 && tally.statuses.get(&200).is_some_and(|count| *count > 150), "{tally:?}");
    assert!(tally.kinds.len() >= 3, "{tally:?}");
}

/// The proof can fail: a server that forgets one of the things that hide is found out.
#[test]
fn what_hides_and_is_forgotten_is_found() {
    for forgets in Forgets::ALL {
        let found = (0..40).any(|seed| Guarded::new(seed).forgetting(forgets).differs());
        assert!(found, "{forgets:?} is not found");
    }
}

/// The reference that says what is hidden is right where it can be asked: each read is answered as it says.
#[test]
fn the_reference_of_guarded_worlds_is_right() {
    let (mut asked, mut seen) = (0, 0);
    for seed in 0..3 {
        let [compared, shown] = Guarded::new(seed).check_sight().unwrap_or_else(|text| panic!("{text}"));
        asked += compared;
        seen += shown;
    }
    assert!(asked > 200 && seen > 20 && seen < asked, "{seen} of {asked}");
}

fn tally(first: u64, sequences: u64) -> Tally {
    together(|seed| Case::new(seed).check(), first, sequences)
}

fn together(check: impl Fn(u64) -> Result<Tally, String> + Sync, first: u64, sequences: u64) -> Tally {
    let run = |thread: usize| {
        let mut tally = Tally::default();
        for seed in (first + thread as u64..first + sequences).step_by(THREADS) {
            match check(seed) {
                Ok(one) => tally.add(one),
                Err(report) => panic!("{report}"),
            }
        }
        tally
    };
    let mut tally = Tally::default();
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS)
            .map(|thread| {
                scope.spawn({
                    let run = &run;
                    move || run(thread)
                })
            })
            .collect();
        threads.into_iter().for_each(|thread| tally.add(thread.join().unwrap()));
    });
    tally
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

/// And so it is for people.
#[test]
fn planted_leaks_into_records_are_found() {
    // Seeds that find them at once; from any seed it takes some twenty sequences.
    for (plant, seed) in
        [(Plant::Read, 0), (Plant::SearchFilter, 0), (Plant::Revinclude, 4), (Plant::Update, 6), (Plant::Has, 22)]
    {
        let found =
            (PEOPLE + seed..PEOPLE + seed + FOUND_WITHIN).any(|seed| Case::new(seed).with_plant(plant).differs());
        assert!(found, "{plant:?} is not found within {FOUND_WITHIN} sequences");
    }
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
