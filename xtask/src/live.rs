//! Programs that run the real binary: they live in the package `live`, so that the small tasks of
//! xtask need neither an HTTP stack nor the engine to build.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    process::Command,
};

/// Where cargo puts what it builds.
fn built(profile: &str, name: &str) -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| crate::repository().join("target"), PathBuf::from);
    target.join(profile).join(name)
}

fn succeed(command: &mut Command) -> Result<(), String> {
    let status = command.current_dir(crate::repository()).status().map_err(|error| error.to_string())?;
    if status.success() { Ok(()) } else { Err(format!("{} failed", command.get_program().display())) }
}

fn build(program: &str, release: bool) -> Result<(), String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["build", "--quiet", "-p", "handrail", "--bin", "handrail", "-p", "live", "--bin", program]);
    if release {
        command.arg("--release");
    }
    succeed(&mut command)
}

/// `cargo xtask bench`: builds for release and measures beside the references.
pub(crate) fn bench(arguments: &[OsString]) -> Result<(), String> {
    build("bench", true)?;
    let mut command = Command::new(built("release", "bench"));
    command.arg("--handrail").arg(built("release", "handrail"));
    command.arg("--json").arg(built("", "bench.json"));
    succeed(command.args(arguments))
}

/// `cargo xtask kill`, `kill-apps`, `soak`, `sign-ins` and `siege`: builds for release and runs the program on that binary.
pub(crate) fn on_release(program: &str, arguments: &[OsString]) -> Result<(), String> {
    build(program, true)?;
    succeed(Command::new(built("release", program)).arg("--handrail").arg(built("release", "handrail")).args(arguments))
}

/// Builds a program of `live` for release and runs it; what it writes to is in memory where the
/// machine has a place for that, since every commit waits for its disk.
fn in_memory(program: &str, arguments: &[OsString]) -> Result<(), String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    succeed(Command::new(cargo).args(["build", "--quiet", "--release", "-p", "live", "--bin", program]))?;
    let mut command = Command::new(built("release", program));
    let memory = Path::new("/dev/shm");
    if std::env::var_os("TMPDIR").is_none() && memory.is_dir() {
        command.env("TMPDIR", memory);
    }
    succeed(command.args(arguments))
}

/// `cargo xtask twin`: builds for release and runs sequences.
pub(crate) fn twin(arguments: &[OsString]) -> Result<(), String> {
    in_memory("twin", arguments)
}

/// `cargo xtask decide`: builds for release and compares decisions.
pub(crate) fn decide(arguments: &[OsString]) -> Result<(), String> {
    in_memory("decide", arguments)
}

/// `cargo xtask crash`: builds for release and crashes a store at every point of a workload.
pub(crate) fn crash(arguments: &[OsString]) -> Result<(), String> {
    in_memory("crash", arguments)
}

/// `cargo xtask oracle`: the store's property with other seeds and as many queries as asked for. It
/// is a test, not a program of its own: it needs what only the store's tests see, permits of any
/// predicate and the planner's own account. Its stores are in memory as those of [`twin`].
pub(crate) fn oracle(queries: u64, seed: u64, replay: Option<u64>) -> Result<(), String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["test", "--quiet", "-p", "store", "--lib", "--"]);
    command.args(["tests::oracle::a_search_finds_what_the_matcher_means", "--exact", "--nocapture"]);
    command.env("ORACLE_QUERIES", queries.to_string()).env("ORACLE_SEED", seed.to_string());
    if let Some(replay) = replay {
        command.env("ORACLE_REPLAY", replay.to_string());
    }
    let memory = Path::new("/dev/shm");
    if std::env::var_os("TMPDIR").is_none() && memory.is_dir() {
        command.env("TMPDIR", memory);
    }
    succeed(&mut command)
}

/// The guides' packages against the running server, over TLS.
pub(crate) fn guides(directory: &Path) -> Result<String, String> {
    let packages = directory.join("packages");
    if !packages.is_dir() {
        return Err(format!("no folder {}", packages.display()));
    }
    let packages = packages.canonicalize().map_err(|error| error.to_string())?;
    build("guides", false)?;
    let mut command = Command::new(built("debug", "guides"));
    succeed(command.arg("--handrail").arg(built("debug", "handrail")).arg(packages))?;
    Ok("PFE and RT load, read back equal, and answer the use cases".into())
}

/// `cargo xtask peers DIR`: the bench's engines, then other engines at the same inputs. `tar` unpacks the packages
/// for those, into the places where they look for them.
pub(crate) fn peers(directory: &Path) -> Result<(), String> {
    let directory = directory.canonicalize().map_err(|error| format!("{}: {error}", directory.display()))?;
    let (work, home) = (built("", "peers"), built("", "peers").join("home"));
    let (core, profiles) = (home.join(".fhir/packages/hl7.fhir.r4.core#4.0.1"), work.join("profiles"));
    let folders = [
        (&core, "hl7.fhir.r4.core-4.0.1", 0),
        (&profiles, "hl7.fhir.us.core-6.1.0", 1),
        (&profiles, "hl7.fhir.us.pacio-pfe-2.0.0", 1),
    ];
    for (folder, package, strip) in folders {
        std::fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        let mut tar = Command::new("tar");
        tar.arg("-xzf").arg(directory.join(format!("packages/{package}.tgz"))).arg("-C").arg(folder);
        succeed(tar.arg(format!("--strip-components={strip}")).arg("--exclude=package/example"))?;
    }
    build("bench", true)?;
    let mut bench = Command::new(built("release", "bench"));
    bench.args(["--only", "engines", "--report-only", "--guides"]).arg(&directory).arg("--work").arg(&work);
    succeed(bench.arg("--json").arg(work.join("bench.json")))?;
    let folder = crate::repository().join("xtask/peers");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut build = Command::new(cargo);
    build.args(["build", "--quiet", "--release", "--manifest-path"]).arg(folder.join("Cargo.toml"));
    succeed(build.arg("--target-dir").arg(folder.join("target")))?;
    succeed(Command::new(folder.join("target/release/peers")).arg(&work).arg(&profiles).env("HOME", &home))
}
