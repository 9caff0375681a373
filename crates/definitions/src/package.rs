//! A FHIR package: an npm-style `.tgz` whose `package/*.json` are the resources.
//!
//! SPEC: the FHIR NPM package specification. Left out: examples, `.index.json`, folders besides
//! `package` (a package with several versions of FHIR).

use crate::{
    archive::{ArchiveError, read_entry, unpack},
    fault::{Fault, FaultKind},
    limits::KEPT_BYTES_MAX,
    terminology::{Block, has_url},
    value::text,
};
use fhir::{
    json::{JsonError, Tree, Value},
    schema::Definitions,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    io::Read,
};

/// Resources that tables are made of, besides terminology; all others are left unread.
const KINDS: [&str; 4] = ["CapabilityStatement", "CompartmentDefinition", "SearchParameter", "StructureDefinition"];

/// What any resource holds.
const RESOURCE: &[u8] = b"\"resourceType\"";

/// Version of FHIR that the tables are of.
const FHIR_VERSION: &str = "4.0";

/// One package with its resources parsed.
#[derive(Debug)]
pub struct Package {
    /// `hl7.fhir.us.core`.
    pub name: String,
    /// `6.1.0`.
    pub version: String,
    /// SHA-256 of the archive, hexadecimal, when the caller took it; it becomes part of the manifest.
    pub sha256: String,
    /// Ids of the packages that it depends on: `hl7.fhir.r4.core#4.0.1`.
    pub dependencies: Vec<String>,
    /// Resources by file name, so that their order is stable.
    resources: BTreeMap<String, Tree>,
    /// Code systems, value sets and concept maps, as lines.
    blocks: Vec<Block>,
    /// What of its terminology, and of definitions that came alone, could not be used.
    faults: Vec<Fault>,
}

/// Why a package cannot be read.
#[derive(Debug)]
#[expect(missing_docs, reason = "the texts of Display say it")]
pub enum PackageError {
    Archive(ArchiveError),
    Json { name: String, error: JsonError },
    NoManifest,
    Name(String),
    Version(String),
    TooMuch,
}

impl fmt::Display for PackageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Archive(error) => error.fmt(f),
            Self::Json { name, error } => write!(f, "{name}: {error}"),
            Self::NoManifest => write!(f, "there is no package/package.json: not a FHIR package"),
            Self::Name(id) => write!(f, "package.json names the package {id:?}, which is no name and version"),
            Self::Version(version) => write!(f, "the package is of FHIR {version}, not of R4 (4.0.1)"),
            Self::TooMuch => write!(f, "its definitions have more than {KEPT_BYTES_MAX} bytes"),
        }
    }
}

impl std::error::Error for PackageError {}

impl From<ArchiveError> for PackageError {
    fn from(error: ArchiveError) -> Self {
        Self::Archive(error)
    }
}

impl Package {
    /// Reads a `.tgz`.
    ///
    /// # Errors
    /// An archive that is unreadable or hostile, an entry that is no JSON, no `package.json`, a
    /// package of another version of FHIR.
    pub fn read(packed: impl Read) -> Result<Self, PackageError> {
        let mut package = Self::empty();
        let mut names = BTreeSet::new();
        let mut about = None;
        let mut kept = 0;
        unpack(packed, |name, entry| {
            let Some(name) = name.strip_prefix("package/").filter(|name| is_wanted(name)) else { return Ok(()) };
            let body = read_entry(name, entry)?;
            if !names.insert(name.to_owned()) {
                return Err(ArchiveError::Twice { name: name.to_owned() }.into());
            }
            // Besides resources there are lists and reports of any form.
            let is_resource = body.windows(RESOURCE.len()).any(|bytes| bytes == RESOURCE);
            let tree = match Tree::parse(body) {
                Ok(tree) => tree,
                Err(_) if !is_resource && name != "package.json" => return Ok(()),
                Err(error) => return Err(PackageError::Json { name: name.to_owned(), error }),
            };
            if name == "package.json" {
                about = Some(tree);
                return Ok(());
            }
            kept += package.add(name, tree);
            if kept > KEPT_BYTES_MAX { Err(PackageError::TooMuch) } else { Ok(()) }
        })?;
        let about = about.ok_or(PackageError::NoManifest)?;
        let about = about.root();
        let versions: Vec<String> =
            ["fhirVersions", "fhir-version-list"].iter().flat_map(|n| crate::value::texts(about, n)).collect();
        if let Some(other) = versions.first().filter(|_| !versions.iter().any(|one| one.starts_with(FHIR_VERSION))) {
            return Err(PackageError::Version(other.clone()));
        }
        let dependencies = about.get("dependencies").into_iter().flat_map(Value::members);
        let dependencies = dependencies.map(|one| format!("{}#{}", one.name(), one.as_str().unwrap_or_default()));
        package.dependencies = dependencies.filter(|id| is_id(id)).collect();
        package.name = text(about, "name");
        package.version = text(about, "version");
        // The order of the entries is not that of the package's tables.
        package.faults.sort_by(|a, b| a.definition.cmp(&b.definition));
        if is_id(&package.id()) { Ok(package) } else { Err(PackageError::Name(package.id())) }
    }

    /// Definitions that came alone, as a package of this name and version (`handrail.local`, `1`).
    #[must_use]
    pub fn of_definitions(name: &str, version: &str, definitions: Vec<Tree>) -> Self {
        let mut package = Self { name: name.to_owned(), version: version.to_owned(), ..Self::empty() };
        for (at, tree) in definitions.into_iter().enumerate() {
            let kind = text(tree.root(), "resourceType");
            if package.add(&format!("{at:06}"), tree) == 0 {
                let (definition, element) = (kind.clone(), String::new());
                package.faults.push(Fault { definition, element, kind: FaultKind::NotRead(kind) });
            }
        }
        package
    }

    fn empty() -> Self {
        Self {
            name: String::new(),
            version: String::new(),
            sha256: String::new(),
            dependencies: Vec::new(),
            resources: BTreeMap::new(),
            blocks: Vec::new(),
            faults: Vec::new(),
        }
    }

    /// Takes a resource in; how many bytes of it are kept, none when it is of a type that is not read.
    fn add(&mut self, name: &str, tree: Tree) -> usize {
        if let Some(block) = Block::of(tree.root()) {
            let bytes = block.len() + 1;
            if has_url(tree.root(), &mut self.faults) {
                self.blocks.push(block);
            }
            return bytes;
        }
        if !KINDS.contains(&text(tree.root(), "resourceType").as_str()) {
            return 0;
        }
        let bytes = tree.bytes().len();
        self.resources.insert(name.to_owned(), tree);
        bytes
    }

    /// Lines of its code systems, value sets and concept maps.
    pub(crate) fn blocks(&self) -> &[Block] {
        &self.blocks
    }

    /// What of it could not be used, as far as is known before it is compiled.
    pub(crate) fn faults(&self) -> &[Fault] {
        &self.faults
    }

    /// `hl7.fhir.us.core#6.1.0`.
    #[must_use]
    pub fn id(&self) -> String {
        format!("{}#{}", self.name, self.version)
    }

    /// `us-core-6.1.0`: for file names of the tables that are committed.
    #[must_use]
    pub fn short_name(&self) -> String {
        let name = self.name.strip_prefix("hl7.fhir.").unwrap_or(&self.name);
        let name = name.strip_prefix("us.pacio-").unwrap_or(name);
        format!("{}-{}", name.replace('.', "-"), self.version)
    }

    /// The resources of one type, in the order of their canonical URLs.
    #[must_use]
    pub fn resources(&self, kind: &str) -> Vec<Value<'_>> {
        let of_kind = self.resources.values().map(Tree::root).filter(|r| text(*r, "resourceType") == kind);
        let mut list: Vec<_> = of_kind.collect();
        list.sort_by_cached_key(|resource| (text(*resource, "url"), text(*resource, "version")));
        list
    }

    /// Ids of the packages that it depends on and that are not known; R4 core always is. What is bound
    /// there cannot be checked.
    #[must_use]
    pub fn missing(&self, known: &Definitions) -> Vec<&str> {
        let missing = self.dependencies.iter().filter(|id| !id.starts_with("hl7.fhir.r4.core#"));
        missing.filter(|id| known.package(id).is_none()).map(String::as_str).collect()
    }

    /// How many resources it has that tables are made of.
    #[must_use]
    pub fn len(&self) -> usize {
        self.resources.len() + self.blocks.len()
    }

    /// It has none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

fn is_wanted(name: &str) -> bool {
    name.ends_with(".json") && !name.contains('/') && !name.starts_with('.') && !name.ends_with(".openapi.json")
}

/// A name and a version that can stand in a cell and in the name of a file.
fn is_id(id: &str) -> bool {
    let is_part = |part: &str| {
        !part.is_empty()
            && part.len() <= 128
            && !part.starts_with('.')
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_+".contains(&byte))
    };
    id.split_once('#').is_some_and(|(name, version)| is_part(name) && is_part(version))
}

/// Shows each JSON file of a package, with its path below `package/`, one after another.
///
/// # Errors
/// An archive that is unreadable or hostile.
pub fn each_file(packed: impl Read, mut visit: impl FnMut(&str, Vec<u8>)) -> Result<(), PackageError> {
    unpack(packed, |name, entry| {
        if let Some(name) = name.strip_prefix("package/").filter(|name| name.ends_with(".json")) {
            visit(name, read_entry(name, entry)?);
        }
        Ok(())
    })
}

/// The examples of a package (`package/example/*.json`), as (file name, bytes), in the order of their
/// names.
///
/// # Errors
/// An archive that is unreadable or hostile.
pub fn examples(packed: impl Read) -> Result<BTreeMap<String, Vec<u8>>, PackageError> {
    let mut examples = BTreeMap::new();
    each_file(packed, |name, body| {
        let example = name.strip_prefix("example/").filter(|name| !name.starts_with('.') && !name.contains('/'));
        if let Some(name) = example {
            examples.insert(name.to_owned(), body);
        }
    })?;
    Ok(examples)
}
