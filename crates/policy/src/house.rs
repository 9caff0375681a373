//! What the facility decided on who may see what, beside what standards say. One value for the whole server: the store
//! hands it to all who compile grants, and grants that were compiled under another are compiled anew.

use crate::{consent, label::Labels, rules::Rules};
use std::sync::Arc;

/// What the facility decided. The default is what a server does that was told nothing.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct House {
    /// How consents count. `None`: not at all, which no server does that was started; a caller is then withheld nothing
    /// by them (rows G1 to G8).
    pub consents: Option<consent::Settings>,
    /// What labels mean here, and who is cleared for which (rows F40 to F47).
    pub labels: Arc<Labels>,
    /// The operator's rules.
    pub rules: Arc<Rules>,
}
