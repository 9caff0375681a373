//! F16, F17, F18, F23: a random workload with a kill, every answer with its entry, every entry with its request, and each
//! tampered log named at its segment and record. The short form of `cargo xtask audit-complete`.

use live::completeness::{Plan, run};

fn plan(blind: usize) -> Plan {
    Plan {
        handrail: env!("CARGO_BIN_EXE_handrail").into(),
        kills: 1,
        per_store: 1,
        clients: 4,
        load_ms: 900,
        tamperings: 1,
        seed: 20_261_123,
        blind,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f16_f23_the_log_is_complete_through_a_kill() {
    let sums = run(&plan(0), |_| {}).await.unwrap_or_else(|why| panic!("{why}"));
    assert!(sums.answers.values().sum::<usize>() > 20 && sums.tampered.len() > 14, "{sums}");
    assert!(sums.told > 0 && sums.versions > 40, "{sums}");
}

/// What the test above relies on: one entry that was not written is missed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f16_a_hole_in_the_log_is_seen() {
    let why = run(&plan(1), |_| {}).await.expect_err("an entry is missing and nobody sees it");
    assert!(why.contains("AN ANSWER WITHOUT ITS ENTRIES"), "{why}");
}
