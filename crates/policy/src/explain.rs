//! Why a request was refused, for the operator: the audit log and `denied` log lines.
//!
//! Holds ids and scopes, which may be logged; no query, no content. The caller gets the public text
//! of [`Denied`] instead. SPEC: rows F13, F24, G18.

use crate::{denied::Denied, grants::Grants, interaction::Interaction};
use oauth::Caller;
use std::fmt::Write;

/// One sentence or two: who asked for what, what was missing, what they hold.
#[must_use]
pub fn explain(caller: &Caller, grants: &Grants, interaction: &Interaction, denied: &Denied) -> String {
    let mut text = format!("client {} asked for {}", caller.grant().client_id, interaction.code());
    if let Some(resource_type) = interaction.resource_type() {
        let _ = write!(text, " on {resource_type}");
    }
    let _ = write!(text, ": {denied}; granted: {}", caller.grant().scope_text);
    if !grants.unusable().is_empty() {
        let _ = write!(text, "; of these without effect: {}", grants.unusable().join(" "));
    }
    text
}
