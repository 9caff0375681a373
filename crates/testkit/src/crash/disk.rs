//! A simulated disk: what is written, what of it is on stable storage, and what a crash leaves.
//!
//! Files and directories are nodes. Bytes reach stable storage when their file is synced, names when
//! their directory is. A killed process leaves everything; a power cut leaves what is stable and, of
//! the rest, anything: none, all, a part that ends in the middle of a write, some sectors and not
//! others, sectors of garbage where the file grew; of the names of each directory a beginning of the
//! changes, in their order. Stricter than ext4 and XFS, which keep more order than that.
//!
//! Left out: a disk that takes back what it said was stable, and directories that are renamed.

use crate::dice::Dice;
use std::{
    collections::{BTreeMap, HashMap},
    fs,
    path::{Path, PathBuf},
};

const SECTOR: usize = 512;

/// A file's bytes; beyond `bytes` up to `len` they are zeros.
#[derive(Debug, Clone, Default)]
struct Content {
    bytes: Vec<u8>,
    len: u64,
}

impl Content {
    fn apply(&mut self, change: &Change) {
        match change {
            Change::Write(at, data) => {
                let at = usize::try_from(*at).unwrap();
                let end = at + data.len();
                if self.bytes.len() < end {
                    self.bytes.resize(end, 0);
                }
                self.bytes[at..end].copy_from_slice(data);
                self.len = self.len.max(end as u64);
            }
            Change::Length(len) => {
                self.bytes.truncate(usize::try_from(*len).unwrap());
                self.len = *len;
            }
        }
    }

    fn save(&self, path: &Path) {
        fs::write(path, &self.bytes).unwrap();
        if self.len > self.bytes.len() as u64 {
            fs::OpenOptions::new().write(true).open(path).unwrap().set_len(self.len).unwrap();
        }
    }
}

#[derive(Debug, Clone)]
enum Change {
    Write(u64, Vec<u8>),
    Length(u64),
}

#[derive(Debug, Clone)]
enum NameChange {
    Add(String, usize),
    Remove(String),
    Move(String, String),
}

impl NameChange {
    fn apply(&self, names: &mut BTreeMap<String, usize>) {
        match self {
            Self::Add(name, node) => {
                names.insert(name.clone(), *node);
            }
            Self::Remove(name) => {
                names.remove(name);
            }
            Self::Move(from, to) => {
                if let Some(node) = names.remove(from) {
                    names.insert(to.clone(), node);
                }
            }
        }
    }
}

#[derive(Debug, Clone)]
enum Node {
    File { stable: Content, pending: Vec<(u64, Change)>, len: u64 },
    Directory { stable: BTreeMap<String, usize>, pending: Vec<(u64, NameChange)>, now: BTreeMap<String, usize> },
}

/// What a crash does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loss {
    /// The process is killed: the system has everything that was written.
    Killed,
    /// The power goes, and with it all that was not synced.
    Unsynced,
    /// The power goes, and what was not synced is there in part.
    Torn,
}

/// The disk below one directory.
#[derive(Debug, Clone)]
pub struct Disk {
    nodes: Vec<Node>,
    moment: u64,
}

impl Default for Disk {
    fn default() -> Self {
        Self { nodes: vec![directory()], moment: 0 }
    }
}

fn directory() -> Node {
    Node::Directory { stable: BTreeMap::new(), pending: Vec::new(), now: BTreeMap::new() }
}

fn split(path: &str) -> (&str, &str) {
    path.rsplit_once('/').unwrap_or(("", path))
}

impl Disk {
    /// A disk that holds what is below this directory, all of it stable.
    #[must_use]
    pub fn of(directory: &Path) -> Self {
        let mut disk = Self::default();
        disk.observe(directory);
        disk.settle("");
        disk
    }

    /// A number that grows with every change.
    #[must_use]
    pub fn moment(&self) -> u64 {
        self.moment
    }

    fn find(&self, path: &str) -> Option<usize> {
        let mut at = 0;
        for name in path.split('/').filter(|name| !name.is_empty()) {
            let Node::Directory { now, .. } = &self.nodes[at] else { return None };
            at = *now.get(name)?;
        }
        Some(at)
    }

    fn names(&mut self, directory: &str, change: NameChange) {
        let at = self.find(directory).unwrap_or_else(|| panic!("no directory {directory}"));
        self.moment += 1;
        let moment = self.moment;
        let Node::Directory { now, pending, .. } = &mut self.nodes[at] else { panic!("{directory} is a file") };
        change.apply(now);
        pending.push((moment, change));
    }

    fn add(&mut self, path: &str, node: Node) {
        let (directory, name) = split(path);
        self.nodes.push(node);
        self.names(directory, NameChange::Add(name.to_owned(), self.nodes.len() - 1));
    }

    fn change(&mut self, path: &str, change: Change) {
        let Some(at) = self.find(path) else { panic!("no file {path}") };
        self.moment += 1;
        let moment = self.moment;
        let Node::File { pending, len, .. } = &mut self.nodes[at] else { panic!("{path} is a directory") };
        *len = match &change {
            Change::Write(at, data) => (*len).max(at + data.len() as u64),
            Change::Length(new) => *new,
        };
        pending.push((moment, change));
    }

    /// Whether there is a file or directory of this name.
    #[must_use]
    pub fn exists(&self, path: &str) -> bool {
        self.find(path).is_some()
    }

    /// Bytes of a file as it is now; `None` when there is none.
    #[must_use]
    pub fn len(&self, path: &str) -> Option<u64> {
        match &self.nodes[self.find(path)?] {
            Node::File { len, .. } => Some(*len),
            Node::Directory { .. } => None,
        }
    }

    /// A new directory.
    pub fn make_directory(&mut self, path: &str) {
        self.add(path, directory());
    }

    /// A new file.
    pub fn create(&mut self, path: &str) {
        self.add(path, Node::File { stable: Content::default(), pending: Vec::new(), len: 0 });
    }

    /// Writes into a file.
    pub fn write(&mut self, path: &str, at: u64, data: Vec<u8>) {
        self.change(path, Change::Write(at, data));
    }

    /// Cuts or lengthens a file.
    pub fn set_len(&mut self, path: &str, len: u64) {
        self.change(path, Change::Length(len));
    }

    /// Removes a name.
    pub fn remove(&mut self, path: &str) {
        let (directory, name) = split(path);
        self.names(directory, NameChange::Remove(name.to_owned()));
    }

    /// Renames within a directory.
    ///
    /// # Panics
    /// When the directories differ: nobody does that here.
    pub fn rename(&mut self, from: &str, to: &str) {
        let ((directory, from), (other, to)) = (split(from), split(to));
        assert_eq!(directory, other, "a rename between directories");
        self.names(directory, NameChange::Move(from.to_owned(), to.to_owned()));
    }

    /// What was changed in this file or directory up to a moment is stable.
    pub fn sync(&mut self, path: &str, upto: u64) {
        if let Some(at) = self.find(path) {
            self.settle_node(at, upto);
        }
    }

    fn settle_node(&mut self, at: usize, upto: u64) {
        match &mut self.nodes[at] {
            Node::File { stable, pending, .. } => {
                let count = pending.iter().take_while(|(moment, _)| *moment <= upto).count();
                pending.drain(..count).for_each(|(_, change)| stable.apply(&change));
            }
            Node::Directory { stable, pending, .. } => {
                let count = pending.iter().take_while(|(moment, _)| *moment <= upto).count();
                pending.drain(..count).for_each(|(_, change)| change.apply(stable));
            }
        }
    }

    /// All that was changed in nodes whose path begins so is stable.
    pub fn settle(&mut self, prefix: &str) {
        let mut paths = Vec::new();
        self.walk(0, "", &mut |path, node| {
            if path.starts_with(prefix) {
                paths.push(node);
            }
        });
        for node in paths {
            self.settle_node(node, u64::MAX);
        }
    }

    fn walk(&self, at: usize, path: &str, each: &mut impl FnMut(&str, usize)) {
        each(path, at);
        if let Node::Directory { now, .. } = &self.nodes[at] {
            for (name, node) in now {
                let path = if path.is_empty() { name.clone() } else { format!("{path}/{name}") };
                self.walk(*node, &path, each);
            }
        }
    }

    fn content(&self, at: usize) -> Content {
        let Node::File { stable, pending, .. } = &self.nodes[at] else { panic!("a directory") };
        let mut content = stable.clone();
        pending.iter().for_each(|(_, change)| content.apply(change));
        content
    }

    /// Takes over what a real directory has become since: as changes that are not stable yet.
    pub fn observe(&mut self, real: &Path) {
        self.observe_below(real, "");
    }

    /// The same for one directory of it.
    pub fn observe_part(&mut self, real: &Path, part: &str) {
        self.observe_below(&real.join(part), part);
    }

    fn observe_below(&mut self, real: &Path, path: &str) {
        let at = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}/{name}") };
        let mut there: BTreeMap<String, PathBuf> = BTreeMap::new();
        for entry in fs::read_dir(real).unwrap() {
            let entry = entry.unwrap();
            there.insert(entry.file_name().into_string().unwrap(), entry.path());
        }
        let Some(Node::Directory { now, .. }) = self.find(path).map(|at| &self.nodes[at]) else { panic!("{path}") };
        let gone: Vec<String> = now.keys().filter(|name| !there.contains_key(*name)).cloned().collect();
        for (name, real) in there {
            let path = at(&name);
            if real.is_dir() {
                if !self.exists(&path) {
                    self.make_directory(&path);
                }
                self.observe_below(&real, &path);
                continue;
            }
            if !self.exists(&path) {
                self.create(&path);
            }
            self.observe_file(&real, &path);
        }
        gone.iter().for_each(|name| self.remove(&at(name)));
    }

    fn observe_file(&mut self, real: &Path, path: &str) {
        let mut bytes = fs::read(real).unwrap();
        let len = bytes.len() as u64;
        let before = self.content(self.find(path).unwrap());
        bytes.truncate(bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1));
        if len != before.len && (len < before.len || len > bytes.len() as u64) {
            self.set_len(path, len);
        }
        let same = bytes.iter().zip(&before.bytes).take_while(|(new, old)| new == old).count();
        if same < bytes.len() {
            self.write(path, same as u64, bytes.split_off(same));
        }
    }

    /// Makes the directory that a crash now would leave.
    pub fn image(&self, loss: Loss, seed: u64, to: &Path, cache: &mut Cache) {
        let mut dice = Dice::new(seed);
        self.save(0, loss, &mut dice, to, cache);
    }

    fn save(&self, at: usize, loss: Loss, dice: &mut Dice, to: &Path, cache: &mut Cache) {
        match &self.nodes[at] {
            Node::Directory { stable, pending, .. } => {
                fs::create_dir_all(to).unwrap();
                let mut names = stable.clone();
                let kept = match loss {
                    Loss::Killed => pending.len(),
                    Loss::Unsynced => 0,
                    Loss::Torn => dice.below(pending.len() + 1),
                };
                pending[..kept].iter().for_each(|(_, change)| change.apply(&mut names));
                names.iter().for_each(|(name, node)| self.save(*node, loss, dice, &to.join(name), cache));
            }
            Node::File { stable, pending, .. } => {
                // Tables are never written again: one copy does for all images.
                let is_table = to.parent().is_some_and(|parent| parent.ends_with("tables"));
                if pending.is_empty() && is_table {
                    return cache.link(at, stable, to);
                }
                match loss {
                    Loss::Killed => self.content(at).save(to),
                    _ if pending.is_empty() || loss == Loss::Unsynced => stable.save(to),
                    Loss::Torn => torn(stable, pending, dice).save(to),
                    Loss::Unsynced => {}
                }
            }
        }
    }
}

/// What is left of a file with changes that were not synced.
fn torn(stable: &Content, pending: &[(u64, Change)], dice: &mut Dice) -> Content {
    let mut content = stable.clone();
    match dice.below(4) {
        0 => {}
        1 => pending.iter().for_each(|(_, change)| content.apply(change)),
        2 => {
            // In order, and the last of them cut off somewhere.
            let kept = dice.below(pending.len());
            pending[..kept].iter().for_each(|(_, change)| content.apply(change));
            if let Change::Write(at, data) = &pending[kept].1 {
                content.apply(&Change::Write(*at, data[..dice.below(data.len() + 1)].to_vec()));
            }
        }
        _ => {
            // Any sector of any write may be there or not, whatever the length says.
            let mut whole = stable.clone();
            pending.iter().for_each(|(_, change)| whole.apply(change));
            let garbage = dice.chance(20);
            let mut len = stable.len;
            for (_, change) in pending {
                let Change::Write(at, data) = change else { continue };
                let (mut from, end) = (usize::try_from(*at).unwrap(), usize::try_from(*at).unwrap() + data.len());
                while from < end {
                    let to = ((from / SECTOR + 1) * SECTOR).min(end);
                    if dice.chance(50) && to <= whole.bytes.len() {
                        content.apply(&Change::Write(from as u64, whole.bytes[from..to].to_vec()));
                        len = len.max(to as u64);
                    } else if garbage && from as u64 >= stable.bytes.len() as u64 {
                        let noise = (from..to).map(|_| u8::try_from(dice.below(256)).unwrap()).collect();
                        content.apply(&Change::Write(from as u64, noise));
                    }
                    from = to;
                }
            }
            let len = if dice.chance(50) { whole.len } else { len.max(content.len.min(whole.len)) };
            content.apply(&Change::Length(len));
        }
    }
    content
}

/// Files that all images share by a link.
#[derive(Debug)]
pub struct Cache {
    directory: PathBuf,
    known: HashMap<usize, u64>,
}

impl Cache {
    /// A cache in this directory, which must lie on the file system of the images.
    #[must_use]
    pub fn new(directory: PathBuf) -> Self {
        fs::create_dir_all(&directory).unwrap();
        Self { directory, known: HashMap::new() }
    }

    fn link(&mut self, node: usize, content: &Content, to: &Path) {
        let path = self.directory.join(node.to_string());
        if self.known.get(&node) != Some(&content.len) {
            let _ = fs::remove_file(&path);
            content.save(&path);
            self.known.insert(node, content.len);
        }
        fs::hard_link(&path, to).unwrap();
    }
}
