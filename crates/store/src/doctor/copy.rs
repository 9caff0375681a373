//! A copy of the engine's files that may be opened: tables are linked, the rest copied. It is gone
//! when it is dropped.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// The copy.
#[derive(Debug)]
pub(super) struct Copy(PathBuf);

impl Copy {
    /// Copies `data/engine` below `scratch`, or below the data directory itself.
    pub(super) fn new(data: &Path, scratch: Option<&Path>) -> io::Result<Self> {
        let name = format!("doctor-{}", std::process::id());
        let copy = Self(scratch.unwrap_or(data).join(name));
        if copy.0.exists() {
            fs::remove_dir_all(&copy.0)?;
        }
        fill(&data.join("engine"), &copy.0.join("engine"))?;
        Ok(copy)
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.0) {
            tracing::warn!(%error, "the doctor's copy could not be removed: {}", self.0.display());
        }
    }
}

fn fill(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    // INVARIANT: the engine never writes into a table again, it only removes its name.
    let linkable = from.file_name().is_some_and(|name| name == "tables");
    for entry in fs::read_dir(from)? {
        let path = entry?.path();
        let Some(target) = path.file_name().map(|name| to.join(name)) else { continue };
        if path.is_dir() {
            fill(&path, &target)?;
        } else if !(linkable && fs::hard_link(&path, &target).is_ok()) {
            fs::copy(&path, &target)?;
        }
    }
    Ok(())
}
