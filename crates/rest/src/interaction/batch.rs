//! A batch: each entry by itself, as if it had come alone. SPEC: R4 http.html#transaction; row B31.

use super::{Answer, Call, Proof, bundle, patch};
use crate::{
    body::{Content, Expects},
    failure::Failure,
    labels::Mark,
    outcome,
    trail::Trail,
    wire::Return,
};
use fhir::json::{Tree, Writer};

/// Does the entries in their order. One that fails is an OperationOutcome in its place; only the
/// audit log can stop the whole.
pub(super) async fn perform(call: &Call<'_>, tree: &Tree, trail: &Trail) -> Result<Answer, Failure> {
    let house = call.service.parts.store.house();
    let (mut mark, mut entries) = (Mark::new(&house.labels), Vec::new());
    for entry in fhir::bundle::entries(tree.root()) {
        entries.push(perform_entry(call, entry, trail, &mut mark).await?);
    }
    let reply = bundle::response("batch-response", mark, |w| entries.iter().for_each(|entry| w.raw(entry)));
    Ok(Answer::read(reply))
}

/// The answer of one entry, recorded.
async fn perform_entry(
    call: &Call<'_>,
    entry: fhir::bundle::Entry<'_>,
    trail: &Trail,
    mark: &mut Mark<'_>,
) -> Result<Vec<u8>, Failure> {
    let mut trail = trail.of_entry(bundle::method(&entry));
    let mut w = Writer::new();
    let log = call.service.parts.store.log();
    match attempt(call, entry, &mut trail).await {
        Ok((Answer { reply, proof, .. }, body_is_outcome)) => {
            trail.note(&call.service.shadows, None);
            let _recorded = match proof {
                Proof::ToRecord => log.record(&trail.done())?,
                Proof::Recorded(receipt) => receipt,
            };
            bundle::done(&mut w, &reply, body_is_outcome, mark);
        }
        Err(Failure::Audit) => return Err(Failure::Audit),
        Err(failure) => {
            trail.note(&call.service.shadows, Some(&failure));
            let mapped = outcome::map(failure);
            log.record(&trail.failed(&mapped, || "unknown"))?;
            bundle::failed(&mut w, &mapped);
        }
    }
    Ok(w.into_bytes())
}

async fn attempt(
    call: &Call<'_>,
    entry: fhir::bundle::Entry<'_>,
    trail: &mut Trail,
) -> Result<(Answer, bool), Failure> {
    let mut permitted = bundle::permit(call, entry, trail)?;
    *trail = permitted.trail(trail);
    let bundle::Permitted { entry, asked, permit, .. } = permitted;
    let writes = matches!(asked.expects, Expects::Resource | Expects::Patch);
    let body_is_outcome = writes && asked.prefer.returns == Some(Return::OperationOutcome);
    let content = match asked.expects {
        Expects::Patch => patch::of_entry(entry.resource)?,
        Expects::Nothing => Content::Nothing,
        _ => Content::of_entry(entry.resource),
    };
    if writes && matches!(content, Content::Nothing) {
        return Err(super::resource::missing_resource());
    }
    let one = Call { service: call.service, caller: call.caller, asked, permit };
    Ok((super::perform_one(one, content, trail).await?, body_is_outcome))
}
