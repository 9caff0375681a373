//! The code systems of a data directory: `DIR/terminology/NAME.codes`, a file each, and the official units.
//!
//! Whole files are read when a server starts, or when a command asks. A damaged file is named with what to
//! do; nothing is left out in silence, because a code system that is missing changes what is checked.

use crate::fault::Fault;
use fhir::ucum::Units;
use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};
use terminology::{CodeSystem, load::Kind};

/// Folder in the data directory.
const FOLDER: &str = "terminology";

/// The official file of units, kept as it is.
const UNITS: &str = "ucum-essence.xml";

/// Bytes of the official file of units. It has 350 KB.
pub(crate) const UNITS_BYTES_MAX: u64 = 16 << 20;

/// Where the code systems of a data directory lie.
pub(crate) fn folder(data: &Path) -> PathBuf {
    data.join(FOLDER)
}

/// The file of a code system.
pub(crate) fn file(data: &Path, kind: Kind) -> PathBuf {
    folder(data).join(format!("{}.codes", kind.name()))
}

/// The file of the units.
pub(crate) fn units_file(data: &Path) -> PathBuf {
    folder(data).join(UNITS)
}

/// A code system of a data directory, `None` when it is not loaded.
///
/// # Errors
/// [`Fault`]: the file cannot be read, or is damaged.
pub(crate) fn read(data: &Path, kind: Kind) -> Result<Option<CodeSystem>, Fault> {
    let path = file(data, kind);
    let bytes = match fs::read(&path) {
        Ok(bytes) => bytes,
        Err(why) if why.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(why) => return Err(Fault::at(path.display(), why)),
    };
    let system = CodeSystem::read(&bytes).map_err(|why| {
        let fix = format!("load it again: handrail terminology load {} PATH --data {}", kind.name(), data.display());
        Fault::at(path.display(), why).fix(fix)
    })?;
    Ok(Some(system))
}

/// The official units of a data directory, `None` when they are not loaded.
///
/// # Errors
/// [`Fault`]: the file cannot be read, or is damaged.
pub(crate) fn read_units(data: &Path) -> Result<Option<Units>, Fault> {
    let path = units_file(data);
    let bytes = match fs::read(&path) {
        Ok(bytes) => bytes,
        Err(why) if why.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(why) => return Err(Fault::at(path.display(), why)),
    };
    let units = Units::with_essence(&bytes).map_err(|why| {
        let fix = format!("load it again: handrail terminology load ucum PATH --data {}", data.display());
        Fault::at(path.display(), why).fix(fix)
    })?;
    Ok(Some(units))
}

/// All that is loaded, for [`terminology::Terminology::new`] and `with_units`.
///
/// # Errors
/// The first file that cannot be read.
pub(crate) fn all(data: &Path) -> Result<(Vec<Arc<CodeSystem>>, Option<Units>), Fault> {
    let mut systems = Vec::new();
    for kind in Kind::ALL {
        systems.extend(read(data, kind)?.map(Arc::new));
    }
    Ok((systems, read_units(data)?))
}
