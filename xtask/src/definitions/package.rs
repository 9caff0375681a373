//! Reading a FHIR package: an npm-style `.tgz` whose `package/*.json` are the resources.
//!
//! SPEC: the FHIR NPM package specification. Left out: examples, `.index.json`, dependencies.

use aws_lc_rs::digest;
use fhir::json::{Tree, Value};
use std::{collections::BTreeMap, fmt::Write as _, fs, io::Read as _, path::Path};

/// One package with its resources parsed.
#[derive(Debug)]
pub(crate) struct Package {
    /// `hl7.fhir.r4.core`.
    pub(crate) name: String,
    /// `4.0.1`.
    pub(crate) version: String,
    /// SHA-256 of the archive, hexadecimal.
    pub(crate) sha256: String,
    /// Ids of the packages that it depends on.
    pub(crate) dependencies: Vec<String>,
    /// Resources by file name, so that their order is stable.
    resources: BTreeMap<String, Tree>,
}

impl Package {
    /// `hl7.fhir.r4.core#4.0.1`.
    pub(crate) fn id(&self) -> String {
        format!("{}#{}", self.name, self.version)
    }

    /// `us-core-6.1.0`: for file names.
    pub(crate) fn short_name(&self) -> String {
        let name = self.name.strip_prefix("hl7.fhir.").unwrap_or(&self.name);
        let name = name.strip_prefix("us.pacio-").unwrap_or(name);
        format!("{}-{}", name.replace('.', "-"), self.version)
    }

    /// The resources of one type, in the order of their canonical URLs.
    pub(crate) fn resources(&self, kind: &str) -> Vec<Value<'_>> {
        let of_kind = self.resources.values().map(Tree::root).filter(|r| text(*r, "resourceType") == kind);
        let mut list: Vec<_> = of_kind.collect();
        list.sort_by_key(|resource| text(*resource, "url"));
        list
    }
}

/// Text of a member; empty when absent.
pub(crate) fn text(value: Value<'_>, name: &str) -> String {
    value.get(name).and_then(Value::as_str).map(std::borrow::Cow::into_owned).unwrap_or_default()
}

/// Texts of an array member.
pub(crate) fn texts(value: Value<'_>, name: &str) -> Vec<String> {
    let list = value.get(name);
    list.into_iter().flat_map(Value::items).filter_map(|item| Some(item.as_str()?.into_owned())).collect()
}

/// Items of an array member.
pub(crate) fn items<'a>(value: Value<'a>, name: &str) -> impl Iterator<Item = Value<'a>> + use<'a> {
    value.get(name).into_iter().flat_map(Value::items)
}

/// Whether a boolean member is true.
pub(crate) fn is_true(value: Value<'_>, name: &str) -> bool {
    value.get(name).and_then(Value::as_bool).unwrap_or_default()
}

/// The last segment of a canonical URL, without version.
pub(crate) fn last_segment(url: &str) -> &str {
    let url = url.split('|').next().unwrap_or(url);
    url.rsplit('/').next().unwrap_or(url)
}

/// Reads the wanted packages (`name#version`) from a folder, in the order wanted.
pub(crate) fn read_all(directory: &Path, wanted: &[&str]) -> Result<Vec<Package>, String> {
    wanted
        .iter()
        .map(|id| {
            let path = directory.join(format!("{}.tgz", id.replace('#', "-")));
            let package = read(&path).map_err(|e| format!("{}: {e}", path.display()))?;
            if package.id() == *id { Ok(package) } else { Err(format!("{} holds {}", path.display(), package.id())) }
        })
        .collect()
}

/// The examples of a package, as (file name, bytes), in the order of their names.
///
/// # Errors
/// A package that is missing or unreadable.
pub(crate) fn examples(path: &Path) -> Result<BTreeMap<String, Vec<u8>>, String> {
    let archive = fs::read(path).map_err(|e| format!("{}: {e}", path.display()))?;
    let files = files(&archive).map_err(|e| format!("{}: {e}", path.display()))?;
    let examples = files.into_iter().filter_map(|(name, body)| Some((name.strip_prefix("example/")?.to_owned(), body)));
    Ok(examples.filter(|(name, _)| !name.starts_with('.')).collect())
}

fn read(path: &Path) -> Result<Package, String> {
    let archive = fs::read(path).map_err(|e| e.to_string())?;
    let sha256 = digest::digest(&digest::SHA256, &archive).as_ref().iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    });
    let mut resources = BTreeMap::new();
    let mut about = None;
    for (name, body) in files(&archive)? {
        if name.contains('/') || name.starts_with('.') {
            continue;
        }
        if name == "package.json" {
            about = Some(Tree::parse(body).map_err(|e| format!("{name}: {e}"))?);
        } else if name.contains('-') && !name.ends_with(".openapi.json") && !name.starts_with("ImplementationGuide") {
            let tree = Tree::parse(body).map_err(|e| format!("{name}: {e}"))?;
            resources.insert(name, tree);
        }
    }
    let about = about.ok_or("no package/package.json")?;
    let about = about.root();
    let dependencies = about.get("dependencies").into_iter().flat_map(Value::members);
    let dependencies = dependencies.map(|one| format!("{}#{}", one.name(), one.as_str().unwrap_or_default())).collect();
    Ok(Package { name: text(about, "name"), version: text(about, "version"), sha256, dependencies, resources })
}

/// Shows each JSON file of a package, with its path below `package/`, one after another: all of R4 core
/// at once takes more memory than a small machine likes to give.
pub(crate) fn each_file(path: &Path, visit: impl FnMut(&str, Vec<u8>)) -> Result<(), String> {
    let archive = fs::read(path).map_err(|e| format!("{}: {e}", path.display()))?;
    each(&archive, visit).map_err(|e| format!("{}: {e}", path.display()))
}

/// The JSON files of an archive, by their path below `package/`.
fn files(archive: &[u8]) -> Result<BTreeMap<String, Vec<u8>>, String> {
    let mut held = BTreeMap::new();
    each(archive, |name, body| _ = held.insert(name.to_owned(), body))?;
    Ok(held)
}

fn each(archive: &[u8], mut visit: impl FnMut(&str, Vec<u8>)) -> Result<(), String> {
    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(archive));
    for entry in archive.entries().map_err(|e| e.to_string())? {
        let mut entry = entry.map_err(|e| e.to_string())?;
        let name = entry.path().map_err(|e| e.to_string())?.to_string_lossy().into_owned();
        let Some(name) = name.strip_prefix("package/").filter(|name| name.ends_with(".json")) else { continue };
        let mut body = Vec::new();
        entry.read_to_end(&mut body).map_err(|e| format!("{name}: {e}"))?;
        visit(name, body);
    }
    Ok(())
}
