//! What the other files of a run hold, for references to lead there.
//!
//! Found by `Type/id`, by the `fullUrl` of a Bundle's entry, and by the canonical `url` of a definition. The files are
//! read once more, when the first reference leads out of its own file; what is kept is where each resource stands, not
//! the resource. Of several of one name the first counts, in the order of the files, and that is said.
//! Left out: absolute URLs of files that stand for themselves, as nothing tells their base.

use super::{files, is_stdin, parse};
use crate::print;
use fhir::{
    bundle,
    json::{Tree, Value},
    reference::Reference,
};
use std::{
    borrow::Cow,
    cell::{Cell, OnceCell},
    collections::{HashMap, hash_map::Entry},
    path::{Path, PathBuf},
};
use validation::Resolver;

/// The files of a run.
pub(super) struct Neighbours {
    files: Vec<PathBuf>,
    /// Standard input, which can be read only once.
    input: Option<Vec<u8>>,
    known: OnceCell<HashMap<String, Place>>,
}

/// Where a resource stands.
struct Place {
    file: usize,
    /// Number of the Bundle's entry.
    entry: Option<usize>,
    /// Another file that has one of this name, until it was said.
    other: Cell<Option<usize>>,
}

impl Neighbours {
    /// Those of these files. Standard input is read here when it is one of them.
    pub(super) fn new(files: Vec<PathBuf>) -> Self {
        let input = files.iter().find(|file| is_stdin(file)).and_then(|file| files::read(file).ok());
        Self { files, input, known: OnceCell::new() }
    }

    /// The files, in their order.
    pub(super) fn files(&self) -> &[PathBuf] {
        &self.files
    }

    /// The bytes of one of them.
    ///
    /// # Errors
    /// It cannot be read.
    pub(super) fn read(&self, file: &Path) -> std::io::Result<Vec<u8>> {
        match &self.input {
            Some(input) if is_stdin(file) => Ok(input.clone()),
            _ => files::read(file),
        }
    }

    fn tree(&self, file: usize) -> Option<Tree> {
        parse(self.read(self.files.get(file)?).ok()?).ok()
    }

    fn known(&self) -> &HashMap<String, Place> {
        self.known.get_or_init(|| {
            let mut known = HashMap::new();
            for file in 0..self.files.len() {
                let Some(tree) = self.tree(file) else { continue };
                let mut put = |name: String, entry: Option<usize>| match known.entry(name) {
                    Entry::Vacant(free) => drop(free.insert(Place { file, entry, other: Cell::new(None) })),
                    Entry::Occupied(taken) => {
                        let place: &mut Place = taken.into_mut();
                        if place.file != file && place.other.get().is_none() {
                            place.other.set(Some(file));
                        }
                    }
                };
                names(tree.root()).for_each(|name| put(name, None));
                for entry in bundle::entries(tree.root()) {
                    let full_url = entry.full_url.map(Cow::into_owned).filter(|url| url.contains(':'));
                    let own = entry.resource.into_iter().flat_map(names);
                    own.chain(full_url).for_each(|name| put(name, Some(entry.index)));
                }
            }
            known
        })
    }

    fn find(&self, name: &str) -> Option<Tree> {
        let place = self.known().get(name)?;
        if let Some(other) = place.other.take()
            && let (Some(first), Some(other)) = (self.files.get(place.file), self.files.get(other))
        {
            let (first, other) = (first.display(), other.display());
            print::note(format_args!("{name} is in {first} and in {other}: references lead to the first"));
        }
        let tree = self.tree(place.file)?;
        match place.entry {
            None => Some(tree),
            Some(at) => Some(bundle::entries(tree.root()).nth(at)?.resource?.to_tree()),
        }
    }
}

/// `Type/id`, and the canonical with and without its version.
fn names(resource: Value<'_>) -> impl Iterator<Item = String> {
    let text = |name: &str| resource.get(name).and_then(Value::as_str);
    let own = text("resourceType").zip(text("id")).map(|(kind, id)| format!("{kind}/{id}"));
    let url = text("url");
    let versioned = url.as_deref().zip(text("version")).map(|(url, version)| format!("{url}|{version}"));
    own.into_iter().chain(versioned).chain(url.map(Cow::into_owned))
}

impl Resolver for Neighbours {
    fn resource(&self, reference: &str) -> Option<Tree> {
        match Reference::parse(reference, None)? {
            Reference::Relative(kind, id, version) => {
                let found = self.find(&format!("{kind}/{id}"))?;
                let is_asked_for = version.is_none_or(|asked| {
                    let own = found.root().get("meta").and_then(|meta| meta.get("versionId")).and_then(Value::as_str);
                    own.as_deref() == Some(asked.to_string().as_str())
                });
                is_asked_for.then_some(found)
            }
            Reference::Urn(url) | Reference::Absolute(url) => self.find(&url),
            Reference::Contained(_) | Reference::Conditional(..) => None,
        }
    }

    fn canonical(&self, canonical: &str) -> Option<Tree> {
        self.find(canonical)
    }
}
