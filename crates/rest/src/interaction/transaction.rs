//! A transaction: all of its changes in one commit, or none. SPEC: R4 http.html#transaction,
//! #trules; rows B31, F8, F63.
//!
//! In this order: every entry is decided; ids are assigned and links resolved (so cycles are no
//! matter); every resource is validated; deletes, creates and updates are committed together, each
//! with its audit entry; reads are answered from after the commit. A read that finds nothing says
//! so in its entry: the changes stand by then.

mod commit;
mod links;
mod plan;

use super::{Answer, Call, bundle};
use crate::{failure::Failure, limits, trail::Trail};
use commit::Outcome;
use fhir::json::Tree;
use plan::Plan;

/// Plans and commits. When a condition that was looked up before the commit does not hold in it any
/// more, the whole is planned anew.
pub(super) async fn perform(call: &Call<'_>, tree: &Tree, trail: &Trail) -> Result<Answer, Failure> {
    let permitted = fhir::bundle::entries(tree.root())
        .map(|entry| {
            let index = entry.index;
            bundle::permit(call, entry, trail).map_err(|failure| failure.of_entry(index))
        })
        .collect::<Result<Vec<_>, Failure>>()?;
    for _ in 0..limits::PLANS_MAX {
        let plan = call.service.aside.run(tree.bytes().len(), || Plan::make(call, &permitted)).await?;
        match commit::commit(call, &permitted, plan, trail).await? {
            Outcome::Done(done) => return commit::answer(call, permitted, done, trail).await,
            Outcome::PlanAnew => {}
        }
    }
    Err(Failure::Conflict)
}
