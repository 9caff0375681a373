//! The fuzzing targets. In `cargo test` each runs on its seeds, on every input that once broke it, and on a
//! fixed number of seeded mutations of them: the same on every machine. `cargo xtask fuzz TARGET` runs it long.
//!
//! Seeds and regressions: `__fuzz__/TARGET/corpus`, synthetic, one file each, named for what they show.
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "helpers of tests; clippy.toml exempts only the tests"
)]

use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::path::Path;

/// Runs mutations of the seeds of a target. Under a fuzzing engine this is the engine's work.
fn mutations(target: &str, count: usize, check: fn(&[u8])) {
    if std::env::var_os("BOLERO_TEST_NAME").is_some() {
        return;
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/__fuzz__").join(target).join("corpus");
    let mut files: Vec<_> =
        std::fs::read_dir(&folder).expect("seeds").map(|file| file.expect("a seed").path()).collect();
    files.sort();
    let seeds: Vec<Vec<u8>> = files.iter().map(|file| std::fs::read(file).expect("a seed")).collect();
    let mut random = ChaCha8Rng::seed_from_u64(target.len() as u64);
    for _ in 0..count {
        let bytes = mutated(&seeds, &mut random);
        let checked = std::panic::catch_unwind(|| check(&bytes));
        assert!(checked.is_ok(), "{target} on {:?}", String::from_utf8_lossy(&bytes));
    }
}

/// A seed with up to eight changes.
fn mutated(seeds: &[Vec<u8>], random: &mut ChaCha8Rng) -> Vec<u8> {
    let mut bytes = seeds[random.random_range(0..seeds.len())].clone();
    for _ in 0..random.random_range(1..=8) {
        let at = random.random_range(0..=bytes.len());
        let to = random.random_range(at..=bytes.len().min(at + 16));
        match random.random_range(0..6) {
            0 => bytes.splice(at..to, [random.random()]).for_each(drop),
            1 => bytes.insert(at, random.random()),
            2 => bytes.drain(at..to).for_each(drop),
            3 => {
                let again = bytes[at..to].to_vec();
                bytes.splice(at..at, again).for_each(drop);
            }
            4 => {
                let other = &seeds[random.random_range(0..seeds.len())];
                let from = random.random_range(0..=other.len());
                let until = random.random_range(from..=other.len().min(from + 32));
                bytes.splice(at..to, other[from..until].iter().copied()).for_each(drop);
            }
            _ => {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= 1 << (random.next_u32() % 8);
                }
            }
        }
    }
    bytes
}

/// A test per target: the mutations, then the files (and, under an engine, whatever it makes).
macro_rules! targets {
    ($($target:ident: $count:literal),* $(,)?) => {$(
        #[test]
        fn $target() {
            mutations(stringify!($target), $count, fuzz::$target);
            bolero::check!().with_iterations(0).for_each(|bytes: &[u8]| fuzz::$target(bytes));
        }
    )*};
}

targets! {
    json: 6000,
    fhirpath: 3000,
    search: 3000,
    scope: 1500,
    jwt: 200,
    dpop: 150,
    certificate: 1500,
    signature: 1200,
    authorize: 1500,
    credentials: 2000,
    registration: 2000,
    udap: 600,
    bundle: 120,
    head: 300,
    xml: 4000,
    profile: 600,
    package: 1000,
    snapshot: 500,
    value_set: 1500,
    code_system_file: 3000,
}
