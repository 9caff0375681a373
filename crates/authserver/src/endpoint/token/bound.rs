//! The key that a token will be bound to. SPEC: RFC 8705 section 3, RFC 9449 section 5; FAPI 2.0 section 5.3.2.1; row A8.

use crate::{
    client::{Binding, Client, Kind},
    endpoint::Posted,
    event::Event,
    outcome::Refusal,
    service::Inner,
};
use oauth::caller::Confirmation;

/// The key that the request proves and tokens are bound to: that of its DPoP proof, else the certificate of a client that
/// is known by it or that must bind its tokens.
pub(crate) fn to(
    inner: &Inner,
    client: &Client,
    posted: &Posted,
    url: &str,
    event: &mut Event,
) -> Result<Option<Confirmation>, Refusal> {
    let by_certificate = client.binding == Some(Binding::Certificate);
    if let Some(header) = posted.dpop.as_ref().filter(|_| !by_certificate) {
        let proof = inner.proofs.take(header, "POST", url, None, inner.now().unix_seconds()).map_err(|why| {
            event.reason = Some(why.to_string());
            if why.wants_nonce() { Refusal::DpopNonce } else { Refusal::DpopProof }
        })?;
        if client.is_fapi2 && !oauth::fapi2::Profile::Fapi2.allows(proof.algorithm()) {
            event.reason = Some(oauth::fapi2::Violation::Algorithm.to_string());
            return Err(Refusal::DpopProof);
        }
        return Ok(Some(Confirmation::Key(proof.key())));
    }
    let binds = matches!(client.kind, Kind::MutualTls(_)) || client.is_fapi2 || by_certificate;
    let must = client.is_fapi2 || client.binding.is_some();
    match posted.certificate.as_ref().filter(|_| binds && client.binding != Some(Binding::Key)) {
        Some(shown) => Ok(Some(Confirmation::Certificate(shown.thumbprint))),
        None if must => Err(Refusal::Unbound),
        None => Ok(None),
    }
}
