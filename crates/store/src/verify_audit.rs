//! Verification of the audit log of a data directory, from its files alone: also while a server runs.

use crate::{OpenError, engine::audit_files};
use audit::verify::{Broken, Report, What};
use std::path::{Path, PathBuf};

/// Reads all segments, checkpoints and public keys of this data directory, or of a directory that a server exported its
/// log to.
///
/// # Errors
/// [`OpenError::Engine`] when the directory holds no audit log or cannot be read; a log that is not
/// what was recorded is the inner [`Broken`].
pub fn verify_audit(directory: &Path) -> Result<Result<Report, Broken>, OpenError> {
    let directory = audit_directory(directory);
    let fault = |error: std::io::Error| OpenError::Engine(format!("audit log: {error}"));
    // WHY: before the segments, so that a running server's log has every record that they speak of.
    let checkpoints = audit_files::checkpoint_bytes(&directory).map_err(fault)?;
    let segments = audit_files::segments(&directory).map_err(fault)?;
    if segments.is_empty() {
        return Err(OpenError::Engine("there is no audit log here".into()));
    }
    let keys = audit_files::keys(&directory).map_err(fault)?;
    let cut = audit_files::cut(&directory).map_err(fault)?;
    Ok(audit::verify::verify_with_cut(segments, &checkpoints, &keys, cut.as_ref()))
}

/// Where the log of a data directory lies; an exported one lies in its directory itself.
fn audit_directory(directory: &Path) -> PathBuf {
    let below = directory.join("audit");
    if below.is_dir() { below } else { directory.to_owned() }
}

/// The file in which the broken place lies, or would: for who looks at it.
#[must_use]
pub fn audit_segment_of(directory: &Path, broken: &Broken) -> Option<PathBuf> {
    let directory = audit_directory(directory);
    match broken.what {
        What::Segment => audit_files::unfollowing(&directory).ok().flatten(),
        _ => audit_files::segment_of(&directory, broken.sequence).ok().flatten(),
    }
}
