//! Where pages write FHIR resources in somebody's name: the FHIR service, in this process and by an app's road. SPEC: row
//! G9.

use http::{Response, StatusCode};
use http_body_util::Full;
use rest::wire::Accepted;
use std::sync::{Arc, Weak};

/// The desk of the FHIR service, which itself holds the authorization server: neither keeps the other alive.
pub(crate) fn of(rest: Weak<rest::Service>) -> Arc<authserver::Desk> {
    Arc::new(move |caller, address, request| {
        let rest = rest.upgrade();
        Box::pin(async move {
            let Some(rest) = rest else {
                let mut stopped = Response::new(());
                *stopped.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
                return stopped;
            };
            // The record of it stands: what the page answers tells nothing more.
            rest.answer_page(Accepted::new(address), caller, request.map(Full::new)).await.into_inner().map(|_| ())
        })
    })
}
