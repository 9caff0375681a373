//! Where the subject's time goes: `perf record` on its process for one turn, told by rooms.
//!
//! Stacks are unwound by DWARF, so the very binary that is measured is profiled: no frame pointers,
//! no other build. Inlined functions are named by the line tables. A profiled turn is never a
//! measured one. Left out: time that a thread waits (see the latencies for that).

mod rooms;

use addr2line::Loader;
use rooms::{Frame, Room};
use std::{
    collections::{BTreeMap, HashMap, HashSet},
    io::{self, BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

/// Samples a second and thread: a prime, so that it does not beat with timers.
const FREQUENCY: &str = "499";

/// Bytes of stack copied with each sample; deeper frames are not seen.
const CALL_GRAPH: &str = "dwarf,16384";

/// `perf` ends when its file is so large: about 25,000 samples.
const FILE_MAX: &str = "400M";

/// Rows of the lists of functions.
const FUNCTIONS: usize = 25;

/// A `perf record` that runs.
pub(crate) struct Recording {
    perf: Child,
    file: PathBuf,
}

/// What the samples of one turn say.
#[derive(Debug, Default)]
pub(crate) struct Profile {
    samples: u64,
    rooms: BTreeMap<Room, u64>,
    /// Function at the top of the stack, with its room.
    own: HashMap<(String, Room), u64>,
    /// Functions of this workspace anywhere in the stack.
    within: HashMap<String, u64>,
}

fn failed(why: impl std::fmt::Display) -> io::Error {
    io::Error::other(format!("profile: {why}"))
}

/// Says how to get `perf` when it is not there.
pub(crate) fn available() -> io::Result<()> {
    let works = Command::new("perf")
        .args(["record", "-e", "cpu-clock", "-o", "/dev/null", "--", "true"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    match works {
        Ok(status) if status.success() => Ok(()),
        Ok(_) => Err(failed("perf may not record here; as root: sysctl kernel.perf_event_paranoid=1")),
        Err(_) => Err(failed("perf is not installed; on Debian: apt-get install linux-perf")),
    }
}

impl Recording {
    /// Records the threads of a process until [`Recording::finish`].
    pub(crate) fn start(process: u32, directory: &Path) -> io::Result<Self> {
        let file = directory.join("perf.data");
        let perf = Command::new("perf")
            .args(["record", "--quiet", "-e", "cpu-clock", "-F", FREQUENCY, "--call-graph", CALL_GRAPH])
            .args(["--max-size", FILE_MAX, "-p", &process.to_string(), "-o"])
            .arg(&file)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        Ok(Self { perf, file })
    }

    /// Ends it and reads what it saw; `binary` is the program that was recorded.
    pub(crate) fn finish(mut self, binary: &Path) -> io::Result<Profile> {
        Command::new("kill").args(["-INT", &self.perf.id().to_string()]).status()?;
        self.perf.wait()?;
        let binary = binary.canonicalize()?;
        let mut script = Command::new("perf")
            .args(["script", "--no-inline", "-F", "comm,tid,ip,sym,dso", "-i"])
            .arg(&self.file)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let out = script.stdout.take().ok_or_else(|| failed("no output of perf script"))?;
        let profile = read(BufReader::new(out), &mut Names::new(&binary)?);
        script.wait()?;
        let _ = std::fs::remove_file(&self.file);
        profile
    }
}

/// Names of addresses of the binary, inlined functions first.
struct Names {
    loader: Loader,
    binary: String,
    /// What is to be added to a place in the file to get its address.
    shift: u64,
    known: HashMap<u64, Vec<String>>,
}

impl Names {
    fn new(binary: &Path) -> io::Result<Self> {
        let loader = Loader::new(binary).map_err(failed)?;
        let shift = shift(&std::fs::read(binary)?).ok_or_else(|| failed("the binary is no ELF for 64 bits"))?;
        Ok(Self { loader, binary: binary.to_string_lossy().into_owned(), shift, known: HashMap::new() })
    }

    fn of(&mut self, place: u64, symbol: &str) -> Vec<String> {
        let address = place + self.shift;
        let loader = &self.loader;
        self.known
            .entry(address)
            .or_insert_with(|| {
                // The line tables name inlined functions without their modules; their files tell those.
                let mut names = Vec::new();
                if let Ok(mut frames) = loader.find_frames(address) {
                    while let Ok(Some(frame)) = frames.next() {
                        let name = frame.function.as_ref().and_then(|function| function.demangle().ok());
                        let module = frame.location.as_ref().and_then(|place| module(place.file?));
                        names.push(format!(
                            "{}::{}",
                            module.unwrap_or_default(),
                            name.as_deref().map(without_generics).unwrap_or_default()
                        ));
                    }
                }
                // The outermost is the symbol itself.
                names.pop();
                names.push(tidy(symbol));
                names
            })
            .clone()
    }
}

/// The module of a source file: `…/lsm-tree-3.1.10/src/merge.rs` → `lsm_tree::merge`,
/// `/rustc/…/library/core/src/mem/mod.rs` → `core::mem`.
fn module(file: &str) -> Option<String> {
    let (before, within) = file.rsplit_once("/src/")?;
    let package = before.rsplit('/').next()?;
    let package = match package.rsplit_once('-') {
        Some((name, version)) if version.starts_with(|c: char| c.is_ascii_digit()) => name,
        _ => package,
    };
    let within = within.strip_suffix(".rs").unwrap_or(within);
    let within = within.strip_suffix("/mod").or(within.strip_suffix("lib")).unwrap_or(within);
    let path = format!("{}::{}", package.replace('-', "_"), within.replace('/', "::"));
    Some(path.trim_end_matches(':').to_owned())
}

/// `compare<u8>` → `compare`; what begins with a type stays.
fn without_generics(name: &str) -> &str {
    match name.find('<') {
        Some(at) if at > 0 => name.get(..at).unwrap_or(name),
        _ => name,
    }
}

/// Without the hash that old mangling leaves at the end.
fn tidy(name: &str) -> String {
    match name.rsplit_once("::h") {
        Some((rest, hash)) if hash.len() == 16 && hash.bytes().all(|b| b.is_ascii_hexdigit()) => rest.to_owned(),
        _ => name.to_owned(),
    }
}

/// Address minus place in the file, of the segment with the code. SPEC: ELF-64, program headers.
fn shift(elf: &[u8]) -> Option<u64> {
    let number = |at: usize, bytes: usize| {
        let mut value = [0; 8];
        value.get_mut(..bytes)?.copy_from_slice(elf.get(at..at + bytes)?);
        Some(u64::from_le_bytes(value))
    };
    let table = usize::try_from(number(32, 8)?).ok()?;
    let (size, count) = (usize::try_from(number(54, 2)?).ok()?, usize::try_from(number(56, 2)?).ok()?);
    (0..count).find_map(|n| {
        let at = table + n * size;
        let loaded_and_executable = number(at, 4)? == 1 && number(at + 4, 4)? & 1 == 1;
        loaded_and_executable.then(|| number(at + 16, 8)?.checked_sub(number(at + 8, 8)?))?
    })
}

/// Reads what `perf script` prints: per sample a line with thread and number, then its frames.
fn read(script: impl BufRead, names: &mut Names) -> io::Result<Profile> {
    let mut profile = Profile::default();
    let (mut thread, mut frames) = (String::new(), Vec::new());
    for line in script.lines() {
        let line = line?;
        if line.is_empty() {
            profile.add(&thread, &std::mem::take(&mut frames));
        } else if let Some((place, symbol, file)) = frame(&line) {
            if file == names.binary {
                frames.extend(names.of(place, symbol).into_iter().map(|name| Frame { name, kernel: false }));
            } else if symbol != "[unknown]" {
                frames.push(Frame { name: symbol.to_owned(), kernel: file.starts_with("[kernel") });
            }
        } else {
            thread = line.trim().rsplit_once(' ').map_or_else(String::new, |(comm, _)| comm.trim().to_owned());
        }
    }
    profile.add(&thread, &frames);
    Ok(profile)
}

/// `<tab>  5a14a8 symbol (file)`
fn frame(line: &str) -> Option<(u64, &str, &str)> {
    let rest = line.strip_prefix(['\t', ' '])?.trim_start();
    let (place, rest) = rest.split_once(' ')?;
    let place = u64::from_str_radix(place, 16).ok()?;
    let (symbol, file) = rest.rsplit_once(" (")?;
    Some((place, symbol, file.strip_suffix(')')?))
}

impl Profile {
    fn add(&mut self, thread: &str, frames: &[Frame]) {
        let Some(top) = frames.first() else { return };
        self.samples += 1;
        let room = rooms::room(thread, frames);
        *self.rooms.entry(room).or_default() += 1;
        *self.own.entry((top.name.clone(), room)).or_default() += 1;
        let seen: HashSet<&str> =
            frames.iter().map(|frame| frame.name.as_str()).filter(|name| rooms::is_ours(name)).collect();
        for name in seen {
            *self.within.entry(name.to_owned()).or_default() += 1;
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "counts of samples")]
    fn share(&self, samples: u64) -> f64 {
        100.0 * samples as f64 / self.samples.max(1) as f64
    }

    /// Shares of the rooms, in per cent of the subject's processor time.
    pub(crate) fn shares(&self) -> Vec<(&'static str, f64)> {
        self.rooms.iter().map(|(room, samples)| (room.name(), self.share(*samples))).collect()
    }

    fn functions(&self, title: &str) -> String {
        let mut out = format!("\n### {title}: functions by their own time\n\n");
        let mut own: Vec<_> = self.own.iter().collect();
        own.sort_by(|a, b| b.1.cmp(a.1).then_with(|| a.0.cmp(b.0)));
        for ((name, room), samples) in own.into_iter().take(FUNCTIONS) {
            out.push_str(&format!("{:5.1} %  {:22}  {name}\n", self.share(*samples), room.name()));
        }
        out.push_str(&format!("\n### {title}: our functions with all that they call\n\n"));
        let mut within: Vec<_> = self.within.iter().collect();
        within.sort_by(|a, b| b.1.cmp(a.1).then_with(|| a.0.cmp(b.0)));
        for (name, samples) in within.into_iter().take(2 * FUNCTIONS) {
            out.push_str(&format!("{:5.1} %  {name}\n", self.share(*samples)));
        }
        out
    }
}

/// Shares by room with a column for each row of the bench.
pub(crate) fn table(profiles: &[(String, Profile)]) -> String {
    let mut out = String::from("| share of handrail's processor time, % |");
    for (work, profile) in profiles {
        out.push_str(&format!(" {work} ({} samples) |", profile.samples));
    }
    out.push_str("\n|---|");
    out.push_str(&"---|".repeat(profiles.len()));
    out.push('\n');
    for room in Room::ALL {
        let shares: Vec<f64> =
            profiles.iter().map(|(_, profile)| profile.share(profile.rooms.get(room).copied().unwrap_or(0))).collect();
        if shares.iter().any(|share| *share >= 0.05) {
            out.push_str(&format!("| {} |", room.name()));
            for share in shares {
                out.push_str(&format!(" {share:.1} |"));
            }
            out.push('\n');
        }
    }
    out
}

/// The table, and for each row of the bench the functions that take most.
pub(crate) fn text(profiles: &[(String, Profile)]) -> String {
    let mut out = table(profiles);
    for (work, profile) in profiles {
        out.push_str(&profile.functions(work));
    }
    out
}

#[cfg(test)]
mod tests;
