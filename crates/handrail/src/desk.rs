//! Where pages write FHIR resources in somebody's name: the FHIR service, in this process and by an app's road. SPEC: row
//! G9.

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use oauth::Caller;
use rest::wire::Accepted;
use std::{net::IpAddr, pin::Pin, sync::Weak};

/// The FHIR service, which itself holds the authorization server: neither keeps the other alive.
pub(crate) struct Desk(pub(crate) Weak<rest::Service>);

impl authserver::Desk for Desk {
    fn send<'a>(
        &'a self,
        caller: Caller,
        address: IpAddr,
        request: Request<Bytes>,
    ) -> Pin<Box<dyn Future<Output = Response<Bytes>> + Send + 'a>> {
        Box::pin(async move {
            let Some(rest) = self.0.upgrade() else {
                let mut stopped = Response::new(Bytes::new());
                *stopped.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
                return stopped;
            };
            // The record of it stands: what the page answers tells nothing more.
            let answer = rest.answer_page(Accepted::new(address), caller, request.map(Full::new)).await.into_inner();
            let (parts, body) = answer.into_parts();
            let body = body.collect().await.map_or_else(|never| match never {}, |body| body.to_bytes());
            Response::from_parts(parts, body)
        })
    }
}
