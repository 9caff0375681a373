//! Verification of the audit log of a data directory, from its files alone: also while a server runs.

use crate::{OpenError, engine::audit_files};
use audit::verify::{Broken, Report};
use std::path::Path;

/// Reads all segments, checkpoints and public keys of this data directory.
///
/// # Errors
/// [`OpenError::Engine`] when the directory holds no audit log or cannot be read; a log that is not
/// what was recorded is the inner [`Broken`].
pub fn verify_audit(directory: &Path) -> Result<Result<Report, Broken>, OpenError> {
    let directory = directory.join("audit");
    let fault = |error: std::io::Error| OpenError::Engine(format!("audit log: {error}"));
    // WHY: before the segments, so that a running server's log has every record that they speak of.
    let checkpoints = audit_files::checkpoint_bytes(&directory).map_err(fault)?;
    let segments = audit_files::segments(&directory).map_err(fault)?;
    if segments.is_empty() {
        return Err(OpenError::Engine("there is no audit log here".into()));
    }
    let keys = audit_files::keys(&directory).map_err(fault)?;
    Ok(audit::verify::verify(segments, &checkpoints, &keys))
}
