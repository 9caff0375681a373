//! What lies in files, folders and packages, read as a stream: memory holds a few pieces at a time.
//!
//! Reading happens on its own thread and waits when the target is slower. Left out: XML, gzip of
//! anything but packages, links to folders.

use crate::{fault::Fault, limits};
use bytes::Bytes;
use fhir::{
    bundle,
    json::{Tree, Value},
};
use std::{
    fs::{self, File},
    io::{self, BufRead, BufReader, Read},
    path::{Path, PathBuf},
};
use tokio::sync::mpsc;

/// Pieces that wait for the target.
const AHEAD: usize = 16;

/// A resource on its way.
#[derive(Debug, Clone)]
pub(super) struct Resource {
    /// File, and place within it.
    pub(super) label: String,
    /// Its type, as it says.
    pub(super) type_name: String,
    /// Its id, when it has one.
    pub(super) id: Option<String>,
    /// Its `urn:` name within a Bundle.
    pub(super) full_url: Option<String>,
    /// Its JSON.
    pub(super) json: Bytes,
}

/// What was found.
#[derive(Debug)]
pub(super) enum Found {
    /// A resource of its own.
    One(Resource),
    /// Resources that go together.
    Together(String, Vec<Resource>),
    /// A transaction or batch, to be sent as it is.
    Request {
        /// File.
        label: String,
        /// Whether its entries stand for themselves.
        is_batch: bool,
        /// Type of each entry's resource, as far as it has one.
        types: Vec<String>,
        /// The Bundle.
        json: Bytes,
    },
    /// Something that cannot be read, and why.
    Unreadable(String, String),
}

/// What was found, and how far the reading is.
#[derive(Debug)]
pub(super) struct Piece {
    /// It.
    pub(super) found: Found,
    /// Bytes of files read so far.
    pub(super) bytes_so_far: u64,
}

impl Piece {
    /// Its file, for the progress line.
    pub(super) fn label(&self) -> String {
        match &self.found {
            Found::One(resource) => resource.label.clone(),
            Found::Together(label, _) | Found::Request { label, .. } | Found::Unreadable(label, _) => label.clone(),
        }
    }
}

/// The files to read, in order, and their bytes.
#[derive(Debug)]
pub(super) struct Files {
    pub(super) files: Vec<PathBuf>,
    pub(super) bytes: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Json,
    Ndjson,
    Package,
}

fn format(path: &Path) -> Option<Format> {
    let name = path.file_name()?.to_str()?.to_ascii_lowercase();
    if name.ends_with(".tgz") || name.ends_with(".tar.gz") {
        Some(Format::Package)
    } else if name.ends_with(".ndjson") || name.ends_with(".jsonl") {
        Some(Format::Ndjson)
    } else if name.ends_with(".json") {
        Some(Format::Json)
    } else {
        None
    }
}

/// Lists the files below these paths, by name within each folder.
///
/// # Errors
/// [`Fault`] for a path that is not there, a named file of another format, a folder without any.
pub(super) fn find(paths: &[PathBuf]) -> Result<Files, Fault> {
    let mut files = Vec::new();
    for path in paths {
        let kind = fs::metadata(path).map_err(|why| Fault::at(path.display(), why))?;
        if kind.is_dir() {
            let before = files.len();
            walk(path, &mut files)?;
            if files.len() == before {
                return Err(Fault::at(path.display(), "no .json, .ndjson or .tgz file lies there"));
            }
        } else if format(path).is_some() {
            files.push(path.clone());
        } else {
            return Err(Fault::at(path.display(), "not a file that load knows")
                .fix("it takes FHIR JSON (.json), NDJSON (.ndjson) and FHIR packages (.tgz); XML is not taken"));
        }
    }
    let bytes = files.iter().filter_map(|file| fs::metadata(file).ok()).map(|file| file.len()).sum();
    Ok(Files { files, bytes })
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), Fault> {
    let list = fs::read_dir(folder).and_then(|list| list.collect::<io::Result<Vec<_>>>());
    let mut list = list.map_err(|why| Fault::at(folder.display(), why))?;
    list.sort_by_key(fs::DirEntry::file_name);
    for entry in list {
        let (path, kind) = (entry.path(), entry.file_type().map_err(|why| Fault::at(folder.display(), why))?);
        let hidden = entry.file_name().to_string_lossy().starts_with('.');
        if kind.is_dir() && !hidden {
            walk(&path, files)?;
        } else if !kind.is_dir() && !hidden && path.is_file() && format(&path).is_some() {
            files.push(path);
        }
    }
    Ok(())
}

/// Reads the files on a thread of its own.
pub(super) fn read(files: Vec<PathBuf>) -> mpsc::Receiver<Piece> {
    let (sender, receiver) = mpsc::channel(AHEAD);
    tokio::task::spawn_blocking(move || {
        let mut reading = Reading { sender, bytes_before: 0 };
        for path in files {
            let length = fs::metadata(&path).map_or(0, |file| file.len());
            // A reader that has gone ended the load: nothing more to do.
            if reading.file(&path).is_none() {
                return;
            }
            reading.bytes_before += length;
        }
    });
    receiver
}

struct Reading {
    sender: mpsc::Sender<Piece>,
    bytes_before: u64,
}

impl Reading {
    fn send(&self, found: Found, into_file: u64) -> Option<()> {
        self.sender.blocking_send(Piece { found, bytes_so_far: self.bytes_before + into_file }).ok()
    }

    fn file(&self, path: &Path) -> Option<()> {
        let label = path.display().to_string();
        let read = match format(path) {
            Some(Format::Package) => package(path),
            Some(Format::Ndjson) => return self.ndjson(path, &label),
            _ => whole(path).map(|bytes| document(&label, bytes)),
        };
        match read {
            Ok(found) => found.into_iter().try_for_each(|found| self.send(found, 0)),
            Err(why) => self.send(Found::Unreadable(label, why), 0),
        }
    }

    fn ndjson(&self, path: &Path, label: &str) -> Option<()> {
        let file = match File::open(path) {
            Ok(file) => file,
            Err(why) => return self.send(Found::Unreadable(label.to_owned(), why.to_string()), 0),
        };
        let (mut lines, mut into_file) = (BufReader::new(file), 0);
        for number in 1u64.. {
            let mut line = Vec::new();
            let label = format!("{label}:{number}");
            match lines.by_ref().take(limits::LOAD_FILE_BYTES_MAX).read_until(b'\n', &mut line) {
                Ok(0) => break,
                Ok(length) => into_file += length as u64,
                Err(why) => return self.send(Found::Unreadable(label, why.to_string()), into_file),
            }
            // The end of the line is not part of the document: where it breaks off is within the line.
            line.truncate(line.trim_ascii_end().len());
            if line.is_empty() {
                continue;
            }
            for found in document(&label, line.into()) {
                self.send(found, into_file)?;
            }
        }
        Some(())
    }
}

fn whole(path: &Path) -> Result<Bytes, String> {
    let file = File::open(path).map_err(|why| why.to_string())?;
    bounded(file)
}

fn bounded(reader: impl Read) -> Result<Bytes, String> {
    let mut bytes = Vec::new();
    let read = reader.take(limits::LOAD_FILE_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(|why| why.to_string())?;
    if read as u64 > limits::LOAD_FILE_BYTES_MAX {
        return Err(format!("longer than {} MB", limits::LOAD_FILE_BYTES_MAX / 1024 / 1024));
    }
    Ok(bytes.into())
}

/// What one JSON document is: a resource, a request Bundle, or a Bundle of resources.
fn document(label: &str, bytes: Bytes) -> Vec<Found> {
    let tree = match Tree::parse(bytes.clone()) {
        Ok(tree) => tree,
        Err(why) => return vec![Found::Unreadable(label.to_owned(), why.to_string())],
    };
    let root = tree.root();
    if tree.resource_type().as_deref() != Some("Bundle") {
        return vec![match resource(label.to_owned(), root, &bytes) {
            Ok(resource) => Found::One(resource),
            Err(why) => Found::Unreadable(label.to_owned(), why),
        }];
    }
    let kind = root.get("type").and_then(Value::as_str).unwrap_or_default();
    if matches!(kind.as_ref(), "transaction" | "batch") {
        let type_of = |entry: bundle::Entry<'_>| {
            let resource = entry.resource.and_then(|resource| resource.get("resourceType")).and_then(Value::as_str);
            let url_type =
                || entry.url.as_deref().and_then(|url| url.split(['/', '?']).next()).unwrap_or("?").to_owned();
            resource.map_or_else(url_type, |name| name.into_owned())
        };
        let types = bundle::entries(root).map(type_of).collect();
        return vec![Found::Request { label: label.to_owned(), is_batch: kind == "batch", types, json: bytes.clone() }];
    }
    let (mut together, mut found) = (Vec::new(), Vec::new());
    for entry in bundle::entries(root) {
        let label = format!("{label} entry {}", entry.index);
        let outcome = match entry.resource {
            Some(value) => resource(label.clone(), value, &bytes),
            None => Err("the entry holds no resource".into()),
        };
        match outcome {
            // A search's own OperationOutcome is no data.
            Ok(resource) if resource.type_name == "OperationOutcome" => {}
            Ok(mut resource) => {
                resource.full_url = entry.full_url.map(|url| url.into_owned()).filter(|url| url.starts_with("urn:"));
                together.push(resource);
            }
            Err(why) => found.push(Found::Unreadable(label, why)),
        }
    }
    if !together.is_empty() {
        found.push(Found::Together(label.to_owned(), together));
    }
    found
}

fn resource(label: String, value: Value<'_>, bytes: &Bytes) -> Result<Resource, String> {
    let text = |name: &str| value.get(name).and_then(Value::as_str).map(|text| text.into_owned());
    let type_name = text("resourceType").ok_or("not a FHIR resource: there is no resourceType")?;
    Ok(Resource { label, type_name, id: text("id"), full_url: None, json: bytes.slice(value.span()) })
}

/// The examples of a FHIR package. SPEC: FHIR NPM packages, folder `package/example`.
fn package(path: &Path) -> Result<Vec<Found>, String> {
    let file = File::open(path).map_err(|why| why.to_string())?;
    let bounded_size = flate2::read::GzDecoder::new(BufReader::new(file)).take(limits::LOAD_PACKAGE_BYTES_MAX);
    let mut archive = tar::Archive::new(bounded_size);
    let (mut together, mut found) = (Vec::new(), Vec::new());
    for entry in archive.entries().map_err(|why| why.to_string())? {
        let entry = entry.map_err(|why| why.to_string())?;
        let name = entry.path().map_err(|why| why.to_string())?.to_string_lossy().into_owned();
        let Some(file) = name.strip_prefix("package/example/").filter(|file| is_example(file)) else { continue };
        let label = format!("{}: {file}", path.display());
        let read = bounded(entry).and_then(|bytes| {
            let tree = Tree::parse(bytes.clone()).map_err(|why| why.to_string())?;
            resource(label.clone(), tree.root(), &bytes)
        });
        match read {
            Ok(resource) => together.push(resource),
            Err(why) => found.push(Found::Unreadable(label, why)),
        }
    }
    if together.is_empty() {
        return Err("the package holds no examples (package/example/*.json)".into());
    }
    together.sort_by(|a, b| a.label.cmp(&b.label));
    found.push(Found::Together(path.display().to_string(), together));
    Ok(found)
}

/// Package files beside the examples are the index and manifests of the packer.
fn is_example(file: &str) -> bool {
    file.ends_with(".json") && !file.contains('/') && !file.starts_with('.') && file != "package.json"
}
