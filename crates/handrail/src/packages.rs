//! FHIR packages of a data directory: `DIR/packages/NAME#VERSION/`, read at start, added and removed while the
//! server runs.
//!
//! Each holds `package.tgz`, the archive as it came, and `tables`, what it was compiled to. The first line of
//! `tables` names the form, the place in the order of adding and the SHA-256 of the rest. A package is compiled in
//! memory by the command that adds it, so a hostile archive never meets the server and leaves nothing behind; it
//! appears under its name whole, by a rename. SPEC: the FHIR NPM package specification.

use crate::{
    fault::Fault,
    limits::{PACKAGE_FILE_BYTES_MAX, PACKAGES_MAX, STAGED_AGE_MAX},
    tls::private_file,
};
use aws_lc_rs::digest::{SHA256, digest};
use definitions::Package;
use fhir::schema::{self, Definitions, Tables};
use std::{
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

const FOLDER: &str = "packages";
const ARCHIVE: &str = "package.tgz";
const TABLES: &str = "tables";
const STAGED: &str = ".adding-";
/// First word of the file of tables; another number is another form.
const FORM: &str = "handrail package 1";

/// What a staged package becomes, in the words of the command.
#[derive(Debug)]
pub(crate) struct Staged {
    /// Name of its folder below `packages`.
    pub(crate) folder: String,
    /// What of it could not be used.
    pub(crate) faults: Vec<String>,
}

/// A package of the directory.
#[derive(Debug, Clone)]
struct Kept {
    id: String,
    order: u64,
    dependencies: Vec<String>,
}

/// The packages of a data directory, and the definitions that follow from them.
pub(crate) struct Packages {
    directory: PathBuf,
    state: Mutex<State>,
}

struct State {
    kept: Vec<Kept>,
    definitions: &'static Definitions,
}

/// What became of an order.
pub(crate) enum Changed {
    /// The definitions are others now.
    Yes(&'static Definitions),
    /// It was so already.
    No,
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn sha256(bytes: &[u8]) -> String {
    hex(digest(&SHA256, bytes).as_ref())
}

/// Whether this names a folder of ours and nothing else.
fn is_id(id: &str) -> bool {
    let part = |part: &str| {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || b".-_+".contains(&byte);
        !part.is_empty() && part.len() <= 128 && !part.starts_with('.') && part.bytes().all(fits)
    };
    id.split_once('#').is_some_and(|(name, version)| part(name) && part(version))
}

fn file_text(order: u64, tables: &Tables) -> String {
    let body = tables.to_text();
    format!("{FORM} {order} {}\n{body}", sha256(body.as_bytes()))
}

/// The order and the tables of a file; `None` when it is of another form.
fn parse(text: &str) -> Result<Option<(u64, Tables)>, String> {
    let (head, body) = text.split_once('\n').ok_or("it is empty")?;
    let Some(rest) = head.strip_prefix(FORM).and_then(|rest| rest.strip_prefix(' ')) else { return Ok(None) };
    let (order, sum) = rest.split_once(' ').ok_or("its first line is damaged")?;
    let order = order.parse().map_err(|_| "its first line is damaged")?;
    if sum != sha256(body.as_bytes()) {
        return Err("it is not what was written: its SHA-256 is another".into());
    }
    match Tables::read(body) {
        Ok(tables) => Ok(Some((order, tables))),
        Err(schema::TablesError::Form) => Ok(None),
        Err(why) => Err(why.to_string()),
    }
}

/// Id, SHA-256 and dependencies that the tables themselves name.
fn manifest(tables: &Tables) -> Result<(String, String, Vec<String>), String> {
    let mut cells = tables.manifest.lines().next().unwrap_or_default().split('\t');
    let id = cells.next().unwrap_or_default().to_owned();
    if !is_id(&id) {
        return Err("its manifest names no package".into());
    }
    let sum = cells.next().unwrap_or_default().to_owned();
    let dependencies = cells.next().unwrap_or_default();
    Ok((id, sum, dependencies.split(',').filter(|one| !one.is_empty()).map(ToOwned::to_owned).collect()))
}

fn compiled(archive: &[u8], known: &Definitions) -> Result<definitions::Compiled, String> {
    let mut package = Package::read(archive).map_err(|why| why.to_string())?;
    package.sha256 = sha256(archive);
    Ok(definitions::compile(&package, schema::r4(), known))
}

fn read_file(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(PACKAGE_FILE_BYTES_MAX + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > PACKAGE_FILE_BYTES_MAX {
        return Err(io::Error::other(format!("has more than {PACKAGE_FILE_BYTES_MAX} bytes")));
    }
    Ok(bytes)
}

/// Compiles an archive and writes it beside the others, under a name of its own that nobody reads yet.
///
/// # Errors
/// [`Fault`]: the archive cannot be read, is hostile, is no package of R4; the disk.
pub(crate) fn stage(data: &Path, archive: &Path, known: &Definitions) -> Result<Staged, Fault> {
    let place = |why: &dyn std::fmt::Display| Fault::at(archive.display(), why);
    let bytes = read_file(archive).map_err(|why| place(&why))?;
    let compiled = compiled(&bytes, known)
        .map_err(|why| place(&why).fix("nothing was added; get the package again from where it is published"))?;
    let text = file_text(0, &compiled.tables);
    if text.len() as u64 > PACKAGE_FILE_BYTES_MAX {
        return Err(place(&format_args!("its definitions make more than {PACKAGE_FILE_BYTES_MAX} bytes of tables")));
    }
    let packages = data.join(FOLDER);
    private_file::make_directory(&packages).map_err(|why| Fault::at(packages.display(), why))?;
    let folder = format!("{STAGED}{}", uuid::Uuid::new_v4().simple());
    let into = packages.join(&folder);
    let written = private_file::make_directory(&into)
        .and_then(|()| private_file::write_new(&into.join(ARCHIVE), &bytes))
        .and_then(|()| private_file::write_new(&into.join(TABLES), text.as_bytes()));
    written.map_err(|why| {
        drop(fs::remove_dir_all(&into));
        Fault::at(into.display(), why)
    })?;
    Ok(Staged { folder, faults: compiled.faults.iter().map(ToString::to_string).collect() })
}

/// Takes back what was staged.
pub(crate) fn unstage(data: &Path, staged: &Staged) {
    let _ = fs::remove_dir_all(data.join(FOLDER).join(&staged.folder));
}

/// Folders of packages, by id.
fn folders(packages: &Path) -> Result<Vec<String>, Fault> {
    let listed = match fs::read_dir(packages) {
        Err(why) if why.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        listed => listed.map_err(|why| Fault::at(packages.display(), why))?,
    };
    let mut ids = Vec::new();
    for entry in listed {
        let name = entry.map_err(|why| Fault::at(packages.display(), why))?.file_name();
        if let Some(name) = name.to_str().filter(|name| is_id(name)) {
            ids.push(name.to_owned());
        }
    }
    ids.sort();
    Ok(ids)
}

/// Paths of the files of all packages below the data directory, for backups.
///
/// # Errors
/// [`Fault`] when the folder cannot be listed.
pub(crate) fn files(data: &Path) -> Result<Vec<String>, Fault> {
    let ids = folders(&data.join(FOLDER))?;
    Ok(ids.iter().flat_map(|id| [ARCHIVE, TABLES].map(|file| format!("{FOLDER}/{id}/{file}"))).collect())
}

/// Whether this is a path of [`files`].
pub(crate) fn is_file(path: &str) -> bool {
    let mut steps = path.split('/');
    let (folder, id, file, end) = (steps.next(), steps.next(), steps.next(), steps.next());
    folder == Some(FOLDER) && id.is_some_and(is_id) && matches!(file, Some(ARCHIVE | TABLES)) && end.is_none()
}

/// Order, id and tables of the packages of a data directory; of those whose tables are of another form no tables,
/// and the last place.
fn kept(data: &Path) -> Result<Vec<(u64, String, Option<Tables>)>, Fault> {
    let packages = data.join(FOLDER);
    let mut found = Vec::new();
    for id in folders(&packages)? {
        let path = packages.join(&id).join(TABLES);
        let damaged = |why: &dyn std::fmt::Display| {
            Fault::at(path.display(), why)
                .fix(format!("remove the folder {} and add the package again", packages.join(&id).display()))
        };
        let bytes = read_file(&path).map_err(|why| damaged(&why))?;
        let text = String::from_utf8(bytes).map_err(|_| damaged(&"it is no text"))?;
        found.push(match parse(&text).map_err(|why| damaged(&why))? {
            Some((order, tables)) => (order, id, Some(tables)),
            None => (u64::MAX, id, None),
        });
    }
    Ok(found)
}

/// How many packages a data directory has, each looked at and found whole. Changes nothing.
///
/// # Errors
/// [`Fault`]: the first that a start would refuse.
pub(crate) fn examined(data: &Path) -> Result<usize, Fault> {
    Ok(kept(data)?.len())
}

/// Removes what commands that were interrupted left staged. What is younger may be of one under way.
pub(crate) fn sweep(data: &Path) {
    let Ok(listed) = fs::read_dir(data.join(FOLDER)) else { return };
    for entry in listed.flatten() {
        let age = entry.metadata().and_then(|about| about.modified()).ok().and_then(|at| at.elapsed().ok());
        if entry.file_name().to_string_lossy().starts_with(STAGED) && age.is_some_and(|age| age > STAGED_AGE_MAX) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// The definitions of all packages of this data directory, upon those that are compiled in.
///
/// # Errors
/// [`Fault`]: a package cannot be read.
pub(crate) fn definitions(data: &Path) -> Result<&'static Definitions, Fault> {
    Ok(Packages::open(data)?.definitions())
}

impl Packages {
    /// Reads the packages of a data directory. One whose tables are of an older form is compiled again.
    ///
    /// # Errors
    /// [`Fault`], with what an operator can do.
    pub(crate) fn open(data: &Path) -> Result<Self, Fault> {
        let packages = data.join(FOLDER);
        let mut found = kept(data)?;
        found.sort_by(|(a, a_id, _), (b, b_id, _)| (a, a_id).cmp(&(b, b_id)));
        let mut state = State { kept: Vec::new(), definitions: Definitions::builtin() };
        let mut all = Vec::new();
        for (order, id, tables) in found {
            let folder = packages.join(&id);
            let damaged = |why: &dyn std::fmt::Display| {
                Fault::at(folder.display(), why).fix("remove this folder and add the package again")
            };
            let (order, tables) = match tables {
                Some(tables) => (order, tables),
                None => {
                    tracing::info!(package = id, "compiled again: its tables are of another version of this program");
                    let archive = read_file(&folder.join(ARCHIVE)).map_err(|why| damaged(&why))?;
                    let known = state.definitions.with(std::mem::take(&mut all));
                    state.definitions = Box::leak(Box::new(known));
                    let compiled = compiled(&archive, state.definitions).map_err(|why| damaged(&why))?;
                    let order = next_order(&state.kept);
                    let text = file_text(order, &compiled.tables);
                    private_file::write(&folder.join(TABLES), text.as_bytes()).map_err(|why| damaged(&why))?;
                    (order, compiled.tables)
                }
            };
            let (named, _, dependencies) = manifest(&tables).map_err(|why| damaged(&why))?;
            if named != id {
                return Err(damaged(&format_args!("it holds the package {named}")));
            }
            state.kept.push(Kept { id, order, dependencies });
            all.push(tables);
        }
        if !all.is_empty() {
            state.definitions = Box::leak(Box::new(state.definitions.with(all)));
        }
        Ok(Self { directory: data.to_owned(), state: Mutex::new(state) })
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Those compiled in and those of the packages.
    pub(crate) fn definitions(&self) -> &'static Definitions {
        self.state().definitions
    }

    /// Ids of the added packages, in the order of adding.
    pub(crate) fn added(&self) -> Vec<String> {
        self.state().kept.iter().map(|one| one.id.clone()).collect()
    }

    /// Gives a staged package its name, and the definitions that are there with it. `accept` may still refuse them.
    ///
    /// # Errors
    /// Why it is not added; nothing is then.
    pub(crate) fn add(
        &self,
        folder: &str,
        accept: impl FnOnce(&'static Definitions) -> Result<(), String>,
    ) -> Result<(String, Changed), String> {
        let random = folder.strip_prefix(STAGED).filter(|rest| rest.bytes().all(|byte| byte.is_ascii_alphanumeric()));
        if random.is_none() {
            return Err("no package is staged under this name".into());
        }
        let packages = self.directory.join(FOLDER);
        let staged = packages.join(folder);
        let mut state = self.state();
        let failed = |why: io::Error| format!("{}: {why}", staged.display());
        let text = String::from_utf8(read_file(&staged.join(TABLES)).map_err(failed)?).unwrap_or_default();
        let (_, tables) = parse(&text)?.ok_or("this server and this command are of different versions")?;
        let (id, sha256, dependencies) = manifest(&tables)?;
        if let Some(known) = state.definitions.package(&id).filter(|known| known.id == id) {
            if known.sha256 == sha256 {
                return Ok((id, Changed::No));
            }
            let own = state.kept.iter().any(|one| one.id == id);
            return Err(if own {
                format!("another archive of {id} was added before; remove it first: handrail package remove '{id}'")
            } else {
                format!("{id} is compiled in, from another archive; it is what this server knows of it")
            });
        }
        if state.kept.len() >= PACKAGES_MAX {
            return Err(format!("there are {PACKAGES_MAX} packages already; remove one that is not needed"));
        }
        let order = next_order(&state.kept);
        private_file::write(&staged.join(TABLES), file_text(order, &tables).as_bytes()).map_err(failed)?;
        let definitions: &'static Definitions = Box::leak(Box::new(state.definitions.with(vec![tables])));
        let named = packages.join(&id);
        fs::rename(&staged, &named).and_then(|()| sync(&packages)).map_err(failed)?;
        if let Err(why) = accept(definitions) {
            let _ = fs::remove_dir_all(&named);
            return Err(why);
        }
        state.kept.push(Kept { id: id.clone(), order, dependencies });
        state.definitions = definitions;
        Ok((id, Changed::Yes(definitions)))
    }

    /// Removes a package: `NAME#VERSION`, or `NAME` when there is one version.
    ///
    /// # Errors
    /// Why it stays: not known, others need it, or `accept` refuses the definitions without it.
    pub(crate) fn remove(
        &self,
        name: &str,
        accept: impl FnOnce(&'static Definitions) -> Result<(), String>,
    ) -> Result<(String, &'static Definitions), String> {
        let mut state = self.state();
        let is_meant = |one: &&Kept| one.id == name || one.id.split('#').next() == Some(name);
        let meant: Vec<&Kept> = state.kept.iter().filter(is_meant).collect();
        let id = match meant.as_slice() {
            [one] => one.id.clone(),
            [] if schema::packages().iter().any(|one| one.id == name || one.name == name) => {
                return Err(format!("{name} is compiled in; only added packages can be removed"));
            }
            [] => return Err(format!("no package {name} was added; handrail package list shows those that were")),
            several => {
                let ids: Vec<&str> = several.iter().map(|one| one.id.as_str()).collect();
                return Err(format!("there are several: {}; name one with its version", ids.join(", ")));
            }
        };
        let needs = |one: &&Kept| {
            let of = |wanted: &String| state.definitions.package(wanted).is_some_and(|found| found.id == id);
            one.id != id && one.dependencies.iter().any(of)
        };
        let needing: Vec<&str> = state.kept.iter().filter(needs).map(|one| one.id.as_str()).collect();
        if !needing.is_empty() {
            return Err(format!("{id} is needed by {}: remove that first", needing.join(", ")));
        }
        let packages = self.directory.join(FOLDER);
        let mut rest = Vec::new();
        for one in state.kept.iter().filter(|one| one.id != id) {
            let path = packages.join(&one.id).join(TABLES);
            let text = read_file(&path).map_err(|why| format!("{}: {why}", path.display()))?;
            let parsed = parse(&String::from_utf8_lossy(&text))?;
            rest.extend(parsed.map(|(_, tables)| tables));
        }
        let definitions: &'static Definitions = if rest.is_empty() {
            Definitions::builtin()
        } else {
            Box::leak(Box::new(Definitions::builtin().with(rest)))
        };
        accept(definitions)?;
        // Gone by its name first, so that no start meets a half of it.
        let aside = packages.join(format!("{STAGED}{}", uuid::Uuid::new_v4().simple()));
        fs::rename(packages.join(&id), &aside)
            .and_then(|()| sync(&packages))
            .map_err(|why| format!("{}: {why}", packages.display()))?;
        let _ = fs::remove_dir_all(aside);
        state.kept.retain(|one| one.id != id);
        state.definitions = definitions;
        Ok((id, definitions))
    }
}

fn next_order(kept: &[Kept]) -> u64 {
    kept.iter().map(|one| one.order).max().unwrap_or(0).saturating_add(1)
}

fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests;
