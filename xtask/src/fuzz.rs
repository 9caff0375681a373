//! `cargo xtask fuzz TARGET`: a target of the package `fuzz` under libFuzzer, guided by coverage.
//!
//! The stable compiler instruments for coverage by itself (LLVM's sancov pass), so no other toolchain and no
//! installed tool is needed; there is no address sanitizer, and no unsafe code of ours for one to watch. What
//! is found is kept below `target/fuzz/TARGET`: `corpus`, `crashes`. An input that breaks a target belongs,
//! smallest first, into `xtask/fuzz/tests/it/__fuzz__/TARGET/corpus`, where every `cargo test` runs it.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// What libFuzzer needs to see, and bolero's choice of engine.
const FLAGS: &str = "--cfg fuzzing --cfg fuzzing_libfuzzer -Cpasses=sancov-module \
    -Cllvm-args=-sanitizer-coverage-level=4 -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
    -Cllvm-args=-sanitizer-coverage-pc-table -Cllvm-args=-sanitizer-coverage-trace-compares";

/// Seconds after which one input is a hang: the slowest seed takes a few milliseconds.
const HANG_S: u32 = 10;

/// Megabytes of memory after which a target is at fault.
const MEMORY_MB: u32 = 2048;

/// Builds the targets and runs one of them for this long.
///
/// # Errors
/// A build that fails; an input that breaks the target, with the file that holds it.
pub(crate) fn run(target: &str, minutes: u32, bytes_max: u32) -> Result<(), String> {
    let top = crate::repository();
    let seeds = top.join("xtask/fuzz/tests/it/__fuzz__").join(target).join("corpus");
    if !seeds.is_dir() {
        return Err(format!("no target {target}: {} is not there", seeds.display()));
    }
    let program = build(&top)?;
    let work = top.join("target/fuzz").join(target);
    let (corpus, crashes) = (work.join("corpus"), work.join("crashes"));
    for folder in [&corpus, &crashes] {
        fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    }
    let mut options = vec![
        corpus.display().to_string(),
        seeds.display().to_string(),
        format!("-artifact_prefix={}/", crashes.display()),
        format!("-max_total_time={}", u64::from(minutes) * 60),
        format!("-timeout={HANG_S}"),
        format!("-rss_limit_mb={MEMORY_MB}"),
        format!("-max_len={bytes_max}"),
        "-print_final_stats=1".to_owned(),
        "-use_value_profile=1".to_owned(),
    ];
    let words = top.join("xtask/fuzz/words").join(target);
    if words.is_file() {
        options.push(format!("-dict={}", words.display()));
    }
    let mut command = Command::new(program);
    command.args([target, "--exact", "--nocapture", "--quiet", "--test-threads", "1"]);
    command.env("BOLERO_TEST_NAME", target).env("BOLERO_LIBTEST_HARNESS", "1");
    command.env("BOLERO_LIBFUZZER_ARGS", options.join(" "));
    // Stores that vanish: in memory where the machine has a place for that, since every commit waits for its disk.
    let memory = Path::new("/dev/shm");
    if std::env::var_os("TMPDIR").is_none() && memory.is_dir() {
        command.env("TMPDIR", memory);
    }
    let status = command.current_dir(&top).status().map_err(|error| error.to_string())?;
    if status.success() { Ok(()) } else { Err(format!("{target} broke; see {}", crashes.display())) }
}

/// Builds the instrumented tests apart from everything else and says where they are.
fn build(top: &Path) -> Result<PathBuf, String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args([
        "test",
        "--no-run",
        "--message-format=json-render-diagnostics",
        "-p",
        "fuzz",
        "--test",
        "it",
        "--profile",
        "fuzz",
    ]);
    // With a target named, build scripts and macros are built without the flags.
    command.arg("--target").arg(host()?).arg("--target-dir").arg(top.join("target/fuzz/build"));
    command.env("RUSTFLAGS", FLAGS).env("BOLERO_FUZZER", "libfuzzer").current_dir(top);
    let output = command.stderr(std::process::Stdio::inherit()).output().map_err(|error| error.to_string())?;
    if !output.status.success() {
        return Err("the targets do not build".into());
    }
    let messages = String::from_utf8_lossy(&output.stdout);
    let path = messages.lines().find_map(|line| {
        let (_, rest) = line.split_once("\"executable\":\"")?;
        Some(PathBuf::from(rest.split_once('"')?.0))
    });
    path.ok_or_else(|| "cargo named no program".to_owned())
}

/// The target triple of this machine.
fn host() -> Result<String, String> {
    let output = Command::new("rustc").arg("-vV").output().map_err(|error| error.to_string())?;
    let text = String::from_utf8_lossy(&output.stdout);
    text.lines().find_map(|line| line.strip_prefix("host: ")).map(str::to_owned).ok_or_else(|| "no host".into())
}
