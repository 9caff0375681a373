//! Simulated crashes, all of them: `cargo xtask crash --commits 2000`. What it does: `testkit::crash`.
//!
//! A child does the work under `strace`. Its trace is played on a simulated disk, and after each call
//! that changed the disk the directory that a crash would leave is made, opened and checked. For some
//! of those directories the opening is traced too, and crashes at each of its calls.
#![expect(clippy::print_stdout, reason = "its output is its purpose")]

use clap::Parser;
use std::{
    error::Error,
    fs::File,
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Command, ExitCode},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};
use testkit::{
    Server,
    crash::{
        check::Ledger,
        disk::{Cache, Disk, Loss},
        flip::{Count, Subject},
        trace::{CALLS, Player, Step},
        workload::{Work, work},
    },
};

/// Crashes a store at every point of a workload.
#[derive(Debug, Clone, Parser)]
struct Arguments {
    /// Requests that commit.
    #[arg(long, default_value_t = 2000)]
    commits: usize,
    /// Resources of half a megabyte among them: 140 make the engine begin a new journal.
    #[arg(long, default_value_t = 150)]
    large: usize,
    /// Decides the work and what is lost.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The audit log waits for its disk (`audit.durability = "strict"`).
    #[arg(long)]
    strict: bool,
    /// Only each so manieth point.
    #[arg(long, default_value_t = 1)]
    every: usize,
    /// Each so manieth point is looked at in depth, under every kind of loss.
    #[arg(long, default_value_t = 40)]
    deep: usize,
    /// Of the directories that are looked at in depth, each so manieth is opened under `strace` too, and
    /// that opening is crashed at up to 60 of its calls. 0 for none.
    #[arg(long, default_value_t = 5)]
    twice: usize,
    /// Then this many single bits are flipped in the files of the store at rest.
    #[arg(long, default_value_t = 0)]
    flips: usize,
    /// Points checked at the same time.
    #[arg(long, default_value_t = 2)]
    threads: usize,
    /// Only this point, for a closer look.
    #[arg(long)]
    point: Option<usize>,
    /// Keeps the directory of a failure here.
    #[arg(long)]
    keep: Option<PathBuf>,
    /// Does the work here (the program calls itself).
    #[arg(long, hide = true)]
    child: Option<PathBuf>,
    /// Opens and closes this (the program calls itself).
    #[arg(long, hide = true, value_names = ["DIR", "BASE"], num_args = 2)]
    open: Option<Vec<String>>,
    /// Where the child acknowledges.
    #[arg(long, hide = true)]
    acknowledgements: Option<PathBuf>,
}

/// Calls of an opening at which it is crashed.
const SECOND_POINTS: usize = 60;

type Failure = Box<dyn Error + Send + Sync>;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let outcome = match (&arguments.child, &arguments.open) {
        (Some(directory), _) => child(directory, &arguments),
        (None, Some(open)) => reopen(open, arguments.strict),
        (None, None) => run(&arguments),
    };
    live::ended("crash", outcome.map(|()| true))
}

/// The work, with an acknowledgement for each answer.
fn child(directory: &Path, arguments: &Arguments) -> Result<(), Failure> {
    let path = arguments.acknowledgements.as_ref().ok_or("no place for acknowledgements")?;
    let mut file = File::options().append(true).create(true).open(path)?;
    let (commits, seed, large) = (arguments.commits, arguments.seed, arguments.large);
    work(directory, Work { commits, seed, large }, arguments.strict, &mut |line| {
        if let Err(why) = file.write_all(line.as_bytes()) {
            eprintln!("an acknowledgement was lost: {why}");
        }
    });
    Ok(())
}

fn reopen(open: &[String], strict: bool) -> Result<(), Failure> {
    let [directory, base_url] = open else { return Err("DIR and BASE".into()) };
    Server::open(Path::new(directory), base_url, strict).map(drop).map_err(|why| why.to_string().into())
}

/// Runs this program again under `strace`.
fn traced(trace: &Path, arguments: impl FnOnce(&mut Command)) -> Result<(), Failure> {
    let mut command = Command::new("strace");
    command.args(["-f", "-ttt", "-y", "-xx", "-s", "268435456", "-e", "signal=none", "-e"]);
    command.arg(format!("trace={CALLS}")).arg("-o").arg(trace).arg(std::env::current_exe()?);
    arguments(&mut command);
    let status = command.status().map_err(|why| format!("strace: {why} (it must be installed)"))?;
    if status.success() { Ok(()) } else { Err(format!("the traced child failed: {status}").into()) }
}

/// What was done, added up.
#[derive(Debug, Default)]
struct Tally {
    points: usize,
    images: usize,
    deep: usize,
    second: usize,
    flips: Count,
}

fn run(arguments: &Arguments) -> Result<(), Failure> {
    let place = tempfile::Builder::new().prefix("crash").tempdir()?;
    let (data, trace, heard) = (place.path().join("data"), place.path().join("trace"), place.path().join("heard"));
    std::fs::create_dir_all(&data)?;
    let started = Instant::now();
    traced(&trace, |command| {
        command.arg("--child").arg(&data).arg("--acknowledgements").arg(&heard);
        command.args(["--commits", &arguments.commits.to_string(), "--seed", &arguments.seed.to_string()]);
        command.args(["--large", &arguments.large.to_string()]);
        if arguments.strict {
            command.arg("--strict");
        }
    })?;
    let (bytes, seconds) = (std::fs::metadata(&trace)?.len() >> 20, started.elapsed().as_secs());
    println!("{} commits done, {bytes} MiB of trace, {seconds} s", arguments.commits);
    std::fs::remove_dir_all(&data)?;

    let failed = AtomicBool::new(false);
    let whole = Mutex::new((Tally::default(), Vec::new()));
    std::thread::scope(|scope| {
        for thread in 0..arguments.threads.max(1) {
            let (failed, whole, place) = (&failed, &whole, place.path());
            let (data, trace, heard) = (&data, &trace, &heard);
            scope.spawn(move || {
                let place = place.join(format!("thread-{thread}"));
                let mut judge = Judge { arguments, thread, place, failed, tally: Tally::default(), started };
                let outcome = judge.play(data, trace, heard);
                let mut whole = whole.lock().unwrap_or_else(PoisonError::into_inner);
                whole.0.points = whole.0.points.max(judge.tally.points);
                whole.0.images += judge.tally.images;
                whole.0.deep += judge.tally.deep;
                whole.0.second += judge.tally.second;
                for (kind, count) in judge.tally.flips.0 {
                    *whole.0.flips.0.entry(kind).or_default() += count;
                }
                if let Err(why) = outcome {
                    failed.store(true, Ordering::Relaxed);
                    whole.1.push(why.to_string());
                }
            });
        }
    });
    let (tally, failures) = whole.into_inner().unwrap_or_else(PoisonError::into_inner);
    let Tally { points, images, deep, second, flips } = tally;
    let seconds = started.elapsed().as_secs();
    println!("{points} crash points, {images} directories opened and checked ({deep} in depth),");
    println!("{second} of them after a second crash, while the first was mended; {seconds} s");
    for ((kind, found), count) in &flips.0 {
        println!("flipped bits: {kind}: {found:?} {count}");
    }
    if failures.is_empty() {
        println!("nothing acknowledged was lost, nothing is half there");
        return Ok(());
    }
    Err(failures.join("\n").into())
}

/// Plays the trace and checks its share of the points.
struct Judge<'a> {
    arguments: &'a Arguments,
    thread: usize,
    place: PathBuf,
    failed: &'a AtomicBool,
    tally: Tally,
    started: Instant,
}

impl Judge<'_> {
    fn play(&mut self, data: &Path, trace: &Path, heard: &Path) -> Result<(), Failure> {
        let mut disk = Disk::default();
        let mut player = Player::new(data, heard);
        let mut ledger = Ledger::new(self.arguments.strict);
        std::fs::create_dir_all(&self.place)?;
        let mut cache = Cache::new(self.place.join("cache"));
        let mut lines = BufReader::with_capacity(1 << 20, File::open(trace)?);
        let (mut line, mut number) = (Vec::new(), 0);
        loop {
            line.clear();
            if lines.read_until(b'\n', &mut line)? == 0 || self.failed.load(Ordering::Relaxed) {
                return self.flips(&disk, &ledger, &mut cache);
            }
            number += 1;
            let text = std::str::from_utf8(&line)?.trim_end();
            match player.play(number, text, &mut disk) {
                Step::Nothing => continue,
                Step::Acknowledged(text) => {
                    text.lines().for_each(|text| ledger.hear(number, text));
                    continue;
                }
                Step::Synced(_, began) => ledger.settle(began),
                Step::Disk => {}
            }
            self.tally.points += 1;
            self.point(&disk, &ledger, &mut cache, number)?;
        }
    }

    /// Single bits flipped in the files that the work has left.
    fn flips(&mut self, disk: &Disk, ledger: &Ledger, cache: &mut Cache) -> Result<(), Failure> {
        let (threads, wanted) = (self.arguments.threads.max(1), self.arguments.flips);
        if wanted == 0 || self.failed.load(Ordering::Relaxed) {
            return Ok(());
        }
        let rest = self.place.join("rest");
        disk.image(Loss::Killed, 0, &rest, cache);
        let subject = Subject::new(&rest, ledger);
        let mut wrong = Vec::new();
        for number in (0..wanted).filter(|number| number % threads == self.thread) {
            match subject.flip(number, self.arguments.seed, &self.place) {
                Ok((name, found)) => self.tally.flips.add(&name, found),
                Err(why) => wrong.push(why),
            }
        }
        if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\n").into()) }
    }

    /// One crash point: an image of one kind of loss, in turns; of all kinds now and then.
    fn point(&mut self, disk: &Disk, ledger: &Ledger, cache: &mut Cache, line: usize) -> Result<(), Failure> {
        let point = self.tally.points;
        let wanted = match self.arguments.point {
            Some(wanted) => wanted == point && self.thread == 0,
            None => {
                point.is_multiple_of(self.arguments.every)
                    && point / self.arguments.every % self.arguments.threads.max(1) == self.thread
            }
        };
        if !wanted {
            return Ok(());
        }
        let turn = point / self.arguments.every / self.arguments.threads.max(1);
        let deep = turn.is_multiple_of(self.arguments.deep) || self.arguments.point.is_some();
        let kinds = [Loss::Torn, Loss::Unsynced, Loss::Torn, Loss::Killed];
        for (at, loss) in kinds.into_iter().enumerate() {
            if deep || turn % kinds.len() == at {
                let seed = self.arguments.seed.wrapping_mul(1_000_003) ^ (point * 8 + at) as u64;
                self.image(disk, ledger, cache, loss, seed, deep)
                    .map_err(|why| format!("point {point} (line {line} of the trace, {loss:?}, kind {at}): {why}"))?;
            }
        }
        if turn.is_multiple_of(500) {
            println!("point {point}, {} acknowledged, {} s", ledger.acknowledged, self.started.elapsed().as_secs());
        }
        Ok(())
    }

    fn image(
        &mut self,
        disk: &Disk,
        ledger: &Ledger,
        cache: &mut Cache,
        loss: Loss,
        seed: u64,
        deep: bool,
    ) -> Result<(), String> {
        let image = self.place.join("image");
        disk.image(loss, seed, &image, cache);
        let twice = deep && self.arguments.twice > 0 && self.tally.deep % self.arguments.twice == 1;
        if twice {
            let second = self.place.join("again");
            disk.image(loss, seed, &second, cache);
            self.again(ledger, &second, loss, seed).map_err(|why| format!("while it was mended: {why}"))?;
        }
        self.tally.images += 1;
        self.tally.deep += usize::from(deep);
        let checked = ledger.check(&image, loss, deep);
        if checked.is_err()
            && let Some(keep) = &self.arguments.keep
        {
            let _ = std::fs::remove_dir_all(&image);
            disk.image(loss, seed, &image, cache);
            let _ = Command::new("cp").arg("-a").arg(&image).arg(keep).status();
        }
        std::fs::remove_dir_all(&image).map_err(|why| why.to_string())?;
        checked
    }

    /// Crashes the opening of a directory at each of its calls.
    fn again(&mut self, ledger: &Ledger, image: &Path, loss: Loss, seed: u64) -> Result<(), String> {
        let failed = |why: &dyn std::fmt::Display| why.to_string();
        let mut disk = Disk::of(image);
        let trace = self.place.join("trace");
        traced(&trace, |command| {
            command.arg("--open").arg(image).arg(ledger.base_url());
            if self.arguments.strict {
                command.arg("--strict");
            }
        })
        .map_err(|why| failed(&why))?;
        let mut player = Player::new(image, &self.place.join("nobody"));
        let mut cache = Cache::new(self.place.join("cache-again"));
        let third = self.place.join("third");
        let calls = BufReader::new(File::open(&trace).map_err(|why| failed(&why))?).split(b'\n').count();
        let stride = calls / SECOND_POINTS + 1;
        let mut lines = BufReader::new(File::open(&trace).map_err(|why| failed(&why))?);
        let (mut line, mut number, mut call) = (Vec::new(), 0, 0);
        loop {
            line.clear();
            if lines.read_until(b'\n', &mut line).map_err(|why| failed(&why))? == 0 {
                break;
            }
            number += 1;
            let text = std::str::from_utf8(&line).map_err(|why| failed(&why))?.trim_end();
            if !matches!(player.play(number, text, &mut disk), Step::Disk | Step::Synced(..)) {
                continue;
            }
            call += 1;
            if call % stride != usize::try_from(seed).unwrap_or(0) % stride {
                continue;
            }
            // A power cut that took reads with it is still one when the process is killed later.
            let again = if loss == Loss::Killed && number % 2 == 0 { Loss::Killed } else { Loss::Torn };
            disk.image(again, seed ^ number as u64, &third, &mut cache);
            let judged = if loss == Loss::Killed { again } else { loss };
            ledger.check(&third, judged, false).map_err(|why| format!("call {number}, {again:?}: {why}"))?;
            std::fs::remove_dir_all(&third).map_err(|why| failed(&why))?;
            self.tally.second += 1;
            self.tally.images += 1;
        }
        let _ = std::fs::remove_dir_all(self.place.join("cache-again"));
        std::fs::remove_dir_all(image).map_err(|why| failed(&why))
    }
}
