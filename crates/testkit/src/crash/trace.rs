//! What a process did to its disk, as `strace -f -ttt -y -xx` wrote it down.
//!
//! Every call that changes files below one directory becomes a change of the simulated disk, in the
//! order in which the calls ended; a sync makes stable what had ended when it began. Lines written to
//! one other file (the acknowledgements) are handed on when their write begins: from then on
//! somebody may have read them. What the parser does not know, it refuses.

use super::disk::Disk;
use std::{collections::HashMap, path::Path};

/// What `strace` must write down.
pub const CALLS: &str = "openat,write,pwrite64,writev,lseek,ftruncate,fsync,fdatasync,rename,renameat,renameat2,unlink,\
                         unlinkat,mkdir,mkdirat,rmdir,link,linkat,dup,dup2,dup3,fcntl,fallocate,copy_file_range";

/// What one line of the trace did.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// Nothing to a disk.
    Nothing,
    /// It changed the disk, or made something stable.
    Disk,
    /// A log file (below this path) is stable up to the moment when the sync began.
    Synced(String, usize),
    /// Lines for whoever waits outside.
    Acknowledged(String),
}

/// A file as a process has it open.
#[derive(Debug, Clone, Copy, Default)]
struct Open {
    at: u64,
    append: bool,
}

/// A call that has begun.
#[derive(Debug)]
struct Begun {
    text: String,
    moment: u64,
    line: usize,
}

/// Plays a trace on a disk.
#[derive(Debug)]
pub struct Player {
    below: String,
    acknowledgements: String,
    open: HashMap<u64, Open>,
    begun: HashMap<String, Begun>,
}

/// One argument of a call.
#[derive(Debug)]
enum Argument {
    Text(Vec<u8>),
    Handle(u64, String),
    Other(String),
}

fn unhex(text: &str) -> Vec<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16).unwrap() as u8;
    text.as_bytes().chunks_exact(4).map(|chunk| digit(chunk[2]) << 4 | digit(chunk[3])).collect()
}

fn path_of(text: &str) -> String {
    String::from_utf8(unhex(text)).unwrap()
}

/// `name(arguments) = result`, taken apart.
fn call(text: &str) -> Option<(&str, Vec<Argument>, i64)> {
    let (name, rest) = text.split_once('(')?;
    let (arguments, result) = rest.rsplit_once(") = ").or_else(|| {
        let (arguments, result) = rest.rsplit_once(" = ")?;
        Some((arguments.trim_end().strip_suffix(')')?, result))
    })?;
    let result = result.split([' ', '<']).next()?.parse().ok()?;
    let mut list = Vec::new();
    // Texts and paths are hexadecimal, so no comma is inside of one.
    for argument in arguments.split(", ") {
        let argument = argument.trim();
        list.push(if let Some(text) = argument.strip_prefix('"') {
            assert!(text.ends_with('"'), "strace cut a text off");
            Argument::Text(unhex(text.trim_end_matches('"')))
        } else if let Some((handle, path)) = argument.split_once('<') {
            let path = path.trim_end_matches("(deleted)").trim_end_matches('>');
            Argument::Handle(handle.parse().unwrap_or(u64::MAX), path_of(path))
        } else {
            Argument::Other(argument.to_owned())
        });
    }
    Some((name, list, result))
}

impl Player {
    /// A player for a trace of a process whose data is below `below` and who writes what it
    /// acknowledges into `acknowledgements`.
    #[must_use]
    pub fn new(below: &Path, acknowledgements: &Path) -> Self {
        let text = |path: &Path| path.to_str().expect("a path in UTF-8").to_owned();
        Self {
            below: text(below),
            acknowledgements: text(acknowledgements),
            open: HashMap::new(),
            begun: HashMap::new(),
        }
    }

    fn inside(&self, path: &str) -> Option<String> {
        let rest = path.strip_prefix(&self.below)?;
        if rest.is_empty() { Some(String::new()) } else { rest.strip_prefix('/').map(str::to_owned) }
    }

    /// Plays a line, the `number`th.
    ///
    /// # Panics
    /// On a call that it does not understand.
    pub fn play(&mut self, number: usize, line: &str, disk: &mut Disk) -> Step {
        let Some((process, rest)) = line.trim_start().split_once(' ') else { return Step::Nothing };
        let Some((_, rest)) = rest.trim_start().split_once(' ') else { return Step::Nothing };
        let moment = disk.moment();
        if let Some(begin) = rest.strip_suffix(" <unfinished ...>") {
            let begun = Begun { text: begin.to_owned(), moment, line: number };
            let step = self.acknowledged(begin);
            self.begun.insert(process.to_owned(), begun);
            return step;
        }
        if let Some(resumed) = rest.strip_prefix("<... ") {
            let begun = self.begun.remove(process).expect("a call that began");
            let (_, end) = resumed.split_once('>').expect("resumed");
            let text = format!("{}{end}", begun.text);
            return self.whole(&text, begun.moment, begun.line, disk);
        }
        if !rest.contains('(') {
            return Step::Nothing;
        }
        match self.acknowledged(rest) {
            Step::Nothing => self.whole(rest, moment, number, disk),
            step => step,
        }
    }

    /// Lines written to the acknowledgements.
    fn acknowledged(&self, text: &str) -> Step {
        let Some(rest) = text.strip_prefix("write(") else { return Step::Nothing };
        let Some((_, rest)) = rest.split_once('<') else { return Step::Nothing };
        let Some((path, rest)) = rest.split_once('>') else { return Step::Nothing };
        if path_of(path) != self.acknowledgements {
            return Step::Nothing;
        }
        let text = rest.trim_start_matches(", \"").split('"').next().unwrap_or_default();
        Step::Acknowledged(path_of(text))
    }

    #[expect(clippy::too_many_lines, reason = "one arm for each call")]
    fn whole(&mut self, text: &str, began: u64, line: usize, disk: &mut Disk) -> Step {
        use Argument::{Handle, Other, Text};
        let Some((name, arguments, result)) = call(text) else { return Step::Nothing };
        if result < 0 {
            return Step::Nothing;
        }
        let result = u64::try_from(result).unwrap();
        let path = |text: &[u8]| self.inside(std::str::from_utf8(text).unwrap());
        match (name, arguments.as_slice()) {
            ("openat", [_, Text(file), Other(flags), ..]) => {
                let append = flags.contains("O_APPEND");
                self.open.insert(result, Open { at: 0, append });
                let Some(path) = self.inside(std::str::from_utf8(file).unwrap()) else { return Step::Nothing };
                if !disk.exists(&path) {
                    assert!(flags.contains("O_CREAT"), "{path} is not known");
                    disk.create(&path);
                    return Step::Disk;
                }
                if flags.contains("O_TRUNC") && disk.len(&path).is_some_and(|len| len > 0) {
                    disk.set_len(&path, 0);
                    return Step::Disk;
                }
                Step::Nothing
            }
            ("write", [Handle(handle, file), Text(data), ..]) => {
                let Some(path) = self.inside(file).filter(|path| disk.exists(path)) else { return Step::Nothing };
                let open = self.open.entry(*handle).or_default();
                if open.append {
                    open.at = disk.len(&path).unwrap();
                }
                let written = usize::try_from(result).unwrap();
                disk.write(&path, open.at, data[..written].to_vec());
                open.at += result;
                Step::Disk
            }
            ("pwrite64", [Handle(_, file), Text(data), _, Other(at)]) => {
                let Some(path) = self.inside(file).filter(|path| disk.exists(path)) else { return Step::Nothing };
                disk.write(&path, at.parse().unwrap(), data[..usize::try_from(result).unwrap()].to_vec());
                Step::Disk
            }
            ("lseek", [Handle(handle, _), ..]) => {
                self.open.entry(*handle).or_default().at = result;
                Step::Nothing
            }
            ("ftruncate", [Handle(_, file), Other(len)]) => {
                let Some(path) = self.inside(file).filter(|path| disk.exists(path)) else { return Step::Nothing };
                disk.set_len(&path, len.parse().unwrap());
                Step::Disk
            }
            ("fsync" | "fdatasync", [Handle(_, file)]) => {
                let Some(path) = self.inside(file) else { return Step::Nothing };
                disk.sync(&path, began);
                if path.ends_with(".log") { Step::Synced(path, line) } else { Step::Disk }
            }
            ("rename", [Text(from), Text(to)]) | ("renameat" | "renameat2", [_, Text(from), _, Text(to), ..]) => {
                match (path(from), path(to)) {
                    (Some(from), Some(to)) => {
                        disk.rename(&from, &to);
                        Step::Disk
                    }
                    (None, None) => Step::Nothing,
                    _ => panic!("a rename over the edge: {text}"),
                }
            }
            ("unlink" | "rmdir", [Text(file)]) => match path(file) {
                Some(path) => {
                    disk.remove(&path);
                    Step::Disk
                }
                None => Step::Nothing,
            },
            ("unlinkat", [Handle(_, directory), Text(file), ..]) => {
                let file = std::str::from_utf8(file).unwrap();
                let file = if file.starts_with('/') { file.to_owned() } else { format!("{directory}/{file}") };
                match self.inside(&file) {
                    Some(path) => {
                        disk.remove(&path);
                        Step::Disk
                    }
                    None => Step::Nothing,
                }
            }
            ("unlinkat", [_, Text(file), ..]) => match path(file) {
                Some(path) => {
                    disk.remove(&path);
                    Step::Disk
                }
                None => Step::Nothing,
            },
            ("mkdir", [Text(file), ..]) | ("mkdirat", [_, Text(file), ..]) => match path(file) {
                Some(path) if !path.is_empty() => {
                    disk.make_directory(&path);
                    Step::Disk
                }
                _ => Step::Nothing,
            },
            ("fcntl", [Handle(handle, _), Other(command), ..]) if command.contains("F_DUPFD") => {
                let open = self.open.get(handle).copied().unwrap_or_default();
                self.open.insert(result, open);
                Step::Nothing
            }
            ("fcntl", _) => Step::Nothing,
            _ if !text.contains(&hex(&self.below)) => Step::Nothing,
            _ => panic!("a call that is not understood: {}", &text[..text.len().min(300)]),
        }
    }
}

fn hex(text: &str) -> String {
    text.bytes().map(|byte| format!("\\x{byte:02x}")).collect()
}
