//! `handrail backup` and `handrail restore`: a moment of a data directory as one file, and back.

use super::data;
use crate::{
    assembly::{self, BaseUrl},
    config::Validation,
    control,
    fault::Fault,
    print::{self, Style, count, many},
    tls::private_file,
};
use authserver::egress::NoFetch;
use clap::Args;
use std::{
    fs::{self, File, OpenOptions},
    io::{self, BufReader, BufWriter, Write},
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};
use store::backup::{self, Contents};

/// Write a backup of a data directory, also while its server runs.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  handrail backup --data ./data --to handrail-2026-11-23.backup
  handrail backup --data ./data --to - | age -r KEY > handrail.backup.age

The backup is one moment: no write is half in it, and requests go on meanwhile. It holds resources,
history, indices, the audit log, registered clients, and the keys and local CA of the directory. It
is not encrypted and only its owner may read it; keep it as safe as the data. It is read once more
before this says that it is good.")]
pub(super) struct Backup {
    /// Data directory
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// File to write, which must not exist yet; - for standard output
    #[arg(long, value_name = "FILE")]
    to: PathBuf,
}

/// Make a new data directory of a backup.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  handrail restore handrail-2026-11-23.backup --data ./restored
  handrail restore handrail-2026-11-23.backup --check

Everything is checked before the directory appears under its name: the backup block by block, the
chain of commits, every version, index row and counter, the audit log with its signatures. Access
tokens are not restored; clients get new ones. The old directory is left alone: keep its audit log,
which tells what happened since the backup.")]
pub(super) struct Restore {
    /// The backup
    #[arg(value_name = "FILE")]
    from: PathBuf,
    /// Data directory to make; it must not exist, or be empty
    #[arg(long, value_name = "DIR", required_unless_present = "check")]
    data: Option<PathBuf>,
    /// Only read the backup to its end and say whether it is whole
    #[arg(long, conflicts_with = "data")]
    check: bool,
}

impl Backup {
    /// Writes it.
    pub(super) async fn run(self) -> Result<ExitCode, Fault> {
        let directory = data::existing(&self.data)?;
        if self.to == Path::new("-") {
            written(directory, &mut io::stdout().lock()).await?;
            return Ok(ExitCode::SUCCESS);
        }
        let place = |why: io::Error| Fault::at(self.to.display(), why);
        if self.to.exists() {
            return Err(Fault::at(self.to.display(), "is there already").fix("name a file that does not exist"));
        }
        let part = beside(&self.to, "part");
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = BufWriter::new(options.open(&part).map_err(place)?);
        let whole = async {
            written(directory, &mut file).await?;
            file.flush().and_then(|()| file.get_ref().sync_all()).map_err(place)?;
            read_through(&part)
        };
        let contents = whole.await.inspect_err(|_| drop(fs::remove_file(&part)))?;
        fs::rename(&part, &self.to).map_err(place)?;
        sync_folder(&self.to).map_err(place)?;
        let bytes = fs::metadata(&self.to).map_err(place)?.len();
        let style = Style::of_stdout();
        print::result(style.strong(format_args!("OK: {} ({})", self.to.display(), print::bytes(bytes))));
        say(&contents);
        Ok(ExitCode::SUCCESS)
    }
}

/// Has the backup written: by the server that runs on the directory, else from the directory itself.
async fn written(directory: &Path, to: &mut dyn Write) -> Result<(), Fault> {
    let asked = control::ask_backup(directory).await;
    match asked.map_err(|why| Fault::at("the server on this data directory", why))? {
        Some(mut stream) => io::copy(&mut stream, to).map(drop).map_err(|why| Fault::at("the backup broke off", why)),
        None => {
            let opened = assembly::open(directory, BaseUrl::AsItWas, false, &Validation::default(), Arc::new(NoFetch))?;
            assembly::back_up(directory, &opened.store, to).map(drop)
        }
    }
}

fn read_through(path: &Path) -> Result<Contents, Fault> {
    let place = |why: &dyn std::fmt::Display| Fault::at(path.display(), why);
    let mut file = BufReader::with_capacity(1 << 20, File::open(path).map_err(|why| place(&why))?);
    backup::check(&mut file).map_err(|why| place(&why))
}

fn say(contents: &Contents) {
    if let Some(taken) = contents.taken {
        print::result(format_args!("taken        {taken}"));
    }
    print::result(format_args!("store        {} keys", count(contents.pairs)));
    print::result(format_args!("audit log    {}", print::bytes(contents.audit_bytes)));
    print::result(format_args!("other files  {} (keys, certificates)", count(contents.files)));
}

impl Restore {
    /// Makes it.
    pub(super) fn run(self) -> Result<ExitCode, Fault> {
        let style = Style::of_stdout();
        let Some(data) = &self.data else {
            let contents = read_through(&self.from)?;
            print::result(style.strong("OK: the backup is whole"));
            say(&contents);
            return Ok(ExitCode::SUCCESS);
        };
        let taken = || Fault::at(data.display(), "is not empty").fix("a backup is restored into a new directory");
        match fs::read_dir(data) {
            Ok(mut entries) => {
                if entries.next().is_some() {
                    return Err(taken());
                }
            }
            Err(why) if why.kind() == io::ErrorKind::NotFound => {}
            Err(why) => return Err(Fault::at(data.display(), why)),
        }
        let part = beside(data, "restoring");
        if part.exists() {
            return Err(Fault::at(part.display(), "is left of an earlier restore").fix("remove it and try again"));
        }
        let made = self.make(&part).and_then(|made| {
            let place = |why: io::Error| Fault::at(data.display(), why);
            if data.is_dir() {
                fs::remove_dir(data).map_err(place)?;
            }
            fs::rename(&part, data).map_err(place)?;
            sync_folder(data).map_err(place)?;
            Ok(made)
        });
        let (contents, facts) = made.inspect_err(|_| drop(fs::remove_dir_all(&part)))?;
        {
            let opened = assembly::open(data, BaseUrl::AsItWas, false, &Validation::default(), Arc::new(NoFetch))?;
            assembly::record(&opened.store, "restore")?;
        }
        print::result(style.strong(format_args!("OK: {} is restored and verified", data.display())));
        say(&contents);
        print::result(format_args!(
            "verified     {}, {}, {}, {}",
            many(facts.resources, "resource"),
            many(facts.versions, "version"),
            many(facts.index_rows, "index row"),
            many(facts.audit_records, "audit record")
        ));
        print::result("access tokens were left out: clients get new ones by themselves");
        Ok(ExitCode::SUCCESS)
    }

    /// Writes the directory out and examines it.
    fn make(&self, to: &Path) -> Result<(Contents, store::doctor::Facts), Fault> {
        let place = |why: &dyn std::fmt::Display| Fault::at(self.from.display(), why);
        let mut file = BufReader::with_capacity(1 << 20, File::open(&self.from).map_err(|why| place(&why))?);
        private_file::make_directory(to).map_err(|why| Fault::at(to.display(), why))?;
        let registry = search::registry();
        let (contents, others) =
            backup::restore(&mut file, to, &not_restored(), registry).map_err(|why| place(&why))?;
        for other in &others {
            assembly::put_beside(to, other)?;
        }
        let report = store::doctor::examine(to, registry, None).map_err(|why| place(&why))?;
        if let Some(worst) = report.findings.first().filter(|_| !report.is_sound()) {
            return Err(Fault::new(format_args!("what was restored is not sound: {}: {}", worst.place, worst.what))
                .fix("use another backup; this one was taken of a damaged directory"));
        }
        match store::verify_audit(to).map_err(|why| place(&why))? {
            Ok(_) => Ok((contents, report.facts)),
            Err(broken) => Err(Fault::new(format_args!("the restored audit log does not verify: {broken}"))),
        }
    }
}

/// A neighbour with an ending.
fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(".");
    name.push(ending);
    path.with_file_name(name)
}

/// Brings the names in the folder of this path to stable storage.
fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

/// Tables that a store that is restored begins without.
fn not_restored() -> Vec<&'static str> {
    authserver::NOT_RESTORED.into_iter().chain(crate::household::ledger::NOT_RESTORED).collect()
}
