//! My apps: what a person lets see their record, and the end of it. SPEC: rows B62, B61 (`management_endpoint`).

use crate::{GrantFacts, Secret, Text};

/// The list.
#[derive(Clone, Debug)]
pub struct Apps {
    /// What stands, latest first; at most [`crate::limits::ROWS_MAX`].
    pub grants: Vec<GrantFacts>,
    /// Name of an app whose access has just ended.
    pub ended: Option<Text>,
}

/// One of them.
#[derive(Clone, Debug)]
pub struct App {
    /// Form token.
    pub csrf: Secret,
    /// What it may see, since when, until when.
    pub grant: GrantFacts,
}
