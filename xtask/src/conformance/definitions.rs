//! The committed tables are those that the packages give.

use crate::definitions;
use std::path::Path;

/// Draws the tables again and compares.
pub(super) fn fresh(directory: &Path) -> Result<String, String> {
    let tables = definitions::generate(&directory.join("packages"))?;
    definitions::compare(&tables, &definitions::folder())?;
    Ok(format!("{} tables", tables.len()))
}
