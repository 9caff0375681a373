//! `handrail terminology`: code systems from their official files into a data directory.
//!
//! Files are read as streams, from folders and ZIP archives as they are. Every few seconds the load is written
//! down; after an interruption the same command goes on where it was. The finished system replaces an older
//! one in one step; a server reads it at its next start.

use super::{data, load::progress};
use crate::{
    fault::Fault,
    print::{self, Style, bytes, count, many},
    terminologies,
    tls::private_file,
    zip,
};
use clap::{Args, Subcommand, ValueEnum};
use fhir::ucum::Units;
use std::{
    fmt::Write as _,
    fs::{self, File},
    io::{BufRead, BufReader, Read},
    path::{Path, PathBuf},
    process::ExitCode,
    time::{Duration, Instant, SystemTime},
};
use terminology::load::{Go, Kind, Load, LoadError, Role};

/// Folders within folders that are looked into.
const DEPTH_MAX: usize = 16;

/// Time between two points from which an interrupted load goes on.
const CHECKPOINT_EVERY: Duration = Duration::from_secs(10);

/// Load code systems from their official files, list and remove them.
#[derive(Debug, Args)]
pub(super) struct Terminology {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Load a code system from its official files
    Load(Loading),
    /// List the code systems of a data directory
    List {
        /// Data directory
        #[arg(long, value_name = "DIR")]
        data: PathBuf,
    },
    /// Remove a code system from a data directory
    Remove {
        /// Code system
        system: System,
        /// Data directory
        #[arg(long, value_name = "DIR")]
        data: PathBuf,
    },
}

/// What can be loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum System {
    Loinc,
    Snomed,
    #[value(name = "icd-10-cm")]
    Icd10Cm,
    Icf,
    Ucum,
}

impl System {
    fn kind(self) -> Option<Kind> {
        match self {
            Self::Loinc => Some(Kind::Loinc),
            Self::Snomed => Some(Kind::Snomed),
            Self::Icd10Cm => Some(Kind::Icd10Cm),
            Self::Icf => Some(Kind::Icf),
            Self::Ucum => None,
        }
    }
}

/// Load a code system from its official files.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  handrail terminology load loinc Loinc_2.80.zip --data ./data
  handrail terminology load snomed SnomedCT_ManagedServiceUS_PRODUCTION_US1000124/ --data ./data
  handrail terminology load icd-10-cm icd10cm-order-2026.txt --data ./data
  handrail terminology load icf icf-claml.xml --data ./data
  handrail terminology load ucum ucum-essence.xml --data ./data

Folders and ZIP archives are searched for the files that are needed; the others are passed over. The
files are not copied: what is kept of them is in DIR/terminology. An interrupted load goes on where it
was when the same command is given again. docs/terminology.md says where to get the files.")]
struct Loading {
    /// Code system
    system: System,
    /// Files, folders and ZIP archives
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Data directory
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Version, when the files do not tell it
    #[arg(long, value_name = "VERSION")]
    version: Option<String>,
}

impl Terminology {
    /// Does it.
    pub(super) fn run(self) -> Result<ExitCode, Fault> {
        match self.action {
            Action::Load(loading) => loading.run(),
            Action::List { data } => list(data::existing(&data)?),
            Action::Remove { system, data } => remove(data::existing(&data)?, system),
        }
    }
}

/// A file to read, in a folder or an archive.
struct Source {
    /// For people, and to know it again.
    label: String,
    role: Role,
    bytes: u64,
    changed: SystemTime,
    place: Place,
}

enum Place {
    File(PathBuf),
    Zipped(PathBuf, zip::Entry),
}

impl Source {
    fn open(&self) -> Result<Box<dyn BufRead>, Fault> {
        let read: Box<dyn Read> = match &self.place {
            Place::File(path) => Box::new(File::open(path).map_err(|why| Fault::at(path.display(), why))?),
            Place::Zipped(path, entry) => zip::open(path, entry).map_err(|why| Fault::at(path.display(), why))?,
        };
        Ok(Box::new(BufReader::with_capacity(1 << 18, read)))
    }

    /// A line by which it is known again, unless it was changed.
    fn mark(&self) -> String {
        let changed = self.changed.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        format!("{}\t{}\t{}", self.label, self.bytes, changed.as_millis())
    }
}

impl Loading {
    fn run(self) -> Result<ExitCode, Fault> {
        let directory = data::existing(&self.data)?;
        let folder = terminologies::folder(directory);
        private_file::make_directory(&folder).map_err(|why| Fault::at(folder.display(), why))?;
        match self.system.kind() {
            Some(kind) => self.load(directory, kind),
            None => self.load_units(directory),
        }
    }

    fn load(&self, directory: &Path, kind: Kind) -> Result<ExitCode, Fault> {
        let mut sources = Vec::new();
        for path in &self.paths {
            find(path, kind, 0, &mut sources)?;
        }
        if sources.is_empty() {
            return Err(Fault::new(format_args!("no file of {} is there", kind.name()))
                .fix(format!("name the files, or their folder or archive: {}", kind.files())));
        }
        sources.sort_by(|a, b| (a.role, &a.label).cmp(&(b.role, &b.label)));
        let kept = terminologies::folder(directory).join(format!("{}.loading", kind.name()));
        let mut load = resumed(kind, &kept, &sources).unwrap_or_else(|| Load::new(kind));
        let bar = progress(sources.iter().map(|source| source.bytes).sum());
        let read = read_all(&mut load, &sources, &kept, &bar);
        bar.finish_and_clear();
        read?;
        if let Some(version) = &self.version {
            load.set_version(version);
        }
        let (system, circles) = load.finish().map_err(|why| fault(&why, kind))?;
        let mut bytes = Vec::new();
        system.write(&mut bytes).map_err(Fault::new)?;
        let path = terminologies::file(directory, kind);
        private_file::write(&path, &bytes).map_err(|why| Fault::at(path.display(), why))?;
        remove_if_there(&kept)?;
        let about = system.about();
        if about.version.is_empty() {
            print::note("the files do not tell the version: --version VERSION says it");
        }
        for (child, parent) in circles.iter().take(5) {
            print::note(format_args!("{child} below {parent} closes a circle: left out"));
        }
        print::result(format_args!("loaded {}: {}", described(&system), many(bytes.len() as u64, "byte")));
        print::note("a server on this directory reads it at its next start");
        Ok(ExitCode::SUCCESS)
    }

    fn load_units(&self, directory: &Path) -> Result<ExitCode, Fault> {
        let [path] = self.paths.as_slice() else {
            return Err(Fault::new("one file is needed").fix("name ucum-essence.xml"));
        };
        let place = |why: std::io::Error| Fault::at(path.display(), why);
        let len = fs::metadata(path).map_err(place)?.len();
        if len > terminologies::UNITS_BYTES_MAX {
            return Err(Fault::at(path.display(), "too large to be the file of units").fix("name ucum-essence.xml"));
        }
        let bytes = fs::read(path).map_err(place)?;
        let units = Units::with_essence(&bytes)
            .map_err(|why| Fault::at(path.display(), why).fix("get ucum-essence.xml from ucum.org"))?;
        let to = terminologies::units_file(directory);
        private_file::write(&to, &bytes).map_err(|why| Fault::at(to.display(), why))?;
        print::result(format_args!("loaded ucum: {}", many(units.len() as u64, "unit")));
        print::note("a server on this directory reads it at its next start");
        Ok(ExitCode::SUCCESS)
    }
}

/// The files of a path that the system is loaded from.
fn find(path: &Path, kind: Kind, depth: usize, into: &mut Vec<Source>) -> Result<(), Fault> {
    let place = |why: std::io::Error| Fault::at(path.display(), why);
    let about = fs::metadata(path).map_err(|why| place(why).fix("check the path"))?;
    if about.is_dir() {
        if depth > DEPTH_MAX {
            return Ok(());
        }
        let mut inside = Vec::new();
        for entry in fs::read_dir(path).map_err(place)? {
            inside.push(entry.map_err(place)?.path());
        }
        inside.sort();
        for one in inside {
            // Links within a release lead nowhere that is needed.
            if fs::symlink_metadata(&one).is_ok_and(|about| !about.is_symlink()) {
                find(&one, kind, depth + 1, into)?;
            }
        }
        return Ok(());
    }
    let label = path.display().to_string();
    let changed = about.modified().unwrap_or(SystemTime::UNIX_EPOCH);
    if path.extension().is_some_and(|end| end.eq_ignore_ascii_case("zip")) {
        for entry in zip::entries(path).map_err(place)? {
            if let Some(role) = kind.role(&entry.name) {
                let label = format!("{label}:{}", entry.name);
                let (bytes, place) = (entry.bytes, Place::Zipped(path.to_owned(), entry));
                into.push(Source { label, role, bytes, changed, place });
            }
        }
        return Ok(());
    }
    match kind.role(&label) {
        Some(role) => {
            into.push(Source { label, role, bytes: about.len(), changed, place: Place::File(path.to_owned()) })
        }
        None if depth == 0 => {
            return Err(Fault::at(path.display(), format_args!("is not a file of {}", kind.name()))
                .fix(format!("it is loaded from {}", kind.files())));
        }
        None => {}
    }
    Ok(())
}

/// Reads all files; writes down now and then how far it is.
fn read_all(load: &mut Load, sources: &[Source], kept: &Path, bar: &indicatif::ProgressBar) -> Result<(), Fault> {
    let mut before = 0;
    let mut last = Instant::now();
    for source in sources {
        if load.has_read(&source.label) {
            before += source.bytes;
            continue;
        }
        let mut input = source.open()?;
        let name = source.label.rsplit(['/', '\\', ':']).next().unwrap_or(&source.label);
        let read = load.read(source.role, &source.label, &mut input, &mut |load, progress| {
            bar.set_position(before + progress.bytes);
            bar.set_message(format!("{} concepts, {name}", count(progress.concepts as u64)));
            if last.elapsed() >= CHECKPOINT_EVERY {
                keep(load, sources, kept);
                last = Instant::now();
            }
            Go::On
        });
        read.map_err(|why| fault(&why, load.kind()))?;
        if !load.bad_lines().is_empty() {
            return Err(fault(&LoadError::Lines(load.bad_lines().to_vec()), load.kind()));
        }
        before += source.bytes;
        if sources.len() > 1 {
            keep(load, sources, kept);
        }
    }
    Ok(())
}

/// Writes down how far a load is: marks of the files, an empty line, the load. A load that cannot be written
/// down goes on all the same.
fn keep(load: &Load, sources: &[Source], kept: &Path) {
    if !load.bad_lines().is_empty() {
        return;
    }
    let mut head = String::new();
    for source in sources {
        let _ = writeln!(head, "{}", source.mark());
    }
    let mut bytes = (head + "\n").into_bytes();
    let written = load.checkpoint(&mut bytes).and_then(|()| private_file::write(kept, &bytes));
    if let Err(why) = written {
        print::note(format_args!("{}: {why}; after an interruption this load begins again", kept.display()));
    }
}

/// A load that was interrupted, if the files that it has read are still the same.
fn resumed(kind: Kind, kept: &Path, sources: &[Source]) -> Option<Load> {
    let bytes = fs::read(kept).ok()?;
    let end = bytes.windows(2).position(|two| two == b"\n\n")?;
    let marks: Vec<&str> = std::str::from_utf8(bytes.get(..end)?).ok()?.lines().collect();
    let load = Load::resume(kind, bytes.get(end + 2..)?).ok()?;
    // What it has read is named in its head: nothing of that may have changed or gone.
    let same =
        |label: &str| sources.iter().any(|source| source.label == label && marks.contains(&source.mark().as_str()));
    let fits = load.files().all(same);
    if !fits {
        print::note("the files have changed since the load was interrupted: it begins again");
        return None;
    }
    print::note(format_args!("going on after {}", many(load.files().count() as u64, "file")));
    Some(load)
}

fn fault(why: &LoadError, kind: Kind) -> Fault {
    let fault = Fault::new(why);
    match why {
        LoadError::Lines(_) => fault.fix("get the files again, unchanged, and give the same command"),
        LoadError::Missing(_) => fault.fix(format!("it is loaded from {}", kind.files())),
        _ => fault,
    }
}

fn described(system: &terminology::CodeSystem) -> String {
    let about = system.about();
    let version = if about.version.is_empty() { "of unknown version" } else { &about.version };
    format!("{} {version}, {}", about.url, many(u64::from(system.len()), "concept"))
}

fn list(directory: &Path) -> Result<ExitCode, Fault> {
    let style = Style::of_stdout();
    let (systems, units) = terminologies::all(directory)?;
    for system in &systems {
        let about = system.about();
        let kind = Kind::ALL.into_iter().find(|kind| kind.url() == about.url);
        let size = kind.and_then(|kind| fs::metadata(terminologies::file(directory, kind)).ok());
        print::result(format_args!(
            "{}\t{}\t{}\t{}\t{}",
            style.strong(kind.map_or("", Kind::name)),
            about.version,
            many(u64::from(system.len()), "concept"),
            bytes(size.map_or(0, |about| about.len())),
            style.faint(&about.url)
        ));
    }
    if let Some(units) = &units {
        print::result(format_args!("{}\t\t{}", style.strong("ucum"), many(units.len() as u64, "unit")));
    }
    for kind in Kind::ALL {
        if terminologies::folder(directory).join(format!("{}.loading", kind.name())).exists() {
            print::note(format_args!("a load of {} was interrupted; the same command goes on with it", kind.name()));
        }
    }
    if systems.is_empty() && units.is_none() {
        print::note("no code systems are loaded; 'handrail terminology load --help' shows how");
    }
    Ok(ExitCode::SUCCESS)
}

fn remove(directory: &Path, system: System) -> Result<ExitCode, Fault> {
    let (name, path) = match system.kind() {
        Some(kind) => {
            remove_if_there(&terminologies::folder(directory).join(format!("{}.loading", kind.name())))?;
            (kind.name(), terminologies::file(directory, kind))
        }
        None => ("ucum", terminologies::units_file(directory)),
    };
    if !remove_if_there(&path)? {
        return Err(Fault::new(format_args!("{name} is not loaded"))
            .fix(format!("handrail terminology list --data {}", print::shell(&directory.display().to_string()))));
    }
    print::note(format_args!("removed {name}; a server on this directory knows it until its next start"));
    Ok(ExitCode::SUCCESS)
}

fn remove_if_there(path: &Path) -> Result<bool, Fault> {
    match fs::remove_file(path) {
        Ok(()) => Ok(true),
        Err(why) if why.kind() == std::io::ErrorKind::NotFound => Ok(false),
        Err(why) => Err(Fault::at(path.display(), why)),
    }
}
