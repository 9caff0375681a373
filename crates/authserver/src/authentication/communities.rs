//! A client of a trust community proves who it is. SPEC: HL7 FHIR UDAP Security 2.0 sections 4.2 and 5.2; rows D12, D21, D25,
//! D26.
//!
//! Signature and claims first, with the key of the certificate that comes along; then the certificates must hold, in the
//! community that the client registered in, and have the client's URI among their names. Another certificate than before
//! is as good, and noted.

use super::{ClientRefusal, Proof, Proven, Unauthenticated};
use crate::{endpoint::Posted, service::Inner};
use oauth::{client_assertion, udap::assertion::Unverified, x509::Certificate};

/// `udap` with another value than the one that there is.
const VERSION: &str = "udap must be 1";
const FORM: &str = "UDAP takes client_assertion and its type, no Authorization header and no client_secret";
const NOT_UDAP: &str = "udap=1 is for clients of trust communities";
const UDAP: &str = "a client of a trust community sends udap=1";

impl Inner {
    /// Who asks with `udap=1`. All but the replay.
    pub(super) async fn by_community(&self, posted: &Posted, version: &str) -> Result<Proven, Unauthenticated> {
        let nobody = |why| Unauthenticated { why, claimed: None };
        if version != "1" {
            return Err(nobody(ClientRefusal::UdapForm(VERSION)));
        }
        let form = &posted.form;
        let is_alone = posted.authorization.is_none() && form.value("client_secret").is_none();
        let assertion = form.value("client_assertion").filter(|_| is_alone);
        let assertion = assertion.filter(|_| form.value("client_assertion_type") == Some(client_assertion::TYPE));
        let assertion = assertion.ok_or_else(|| nobody(ClientRefusal::UdapForm(FORM)))?;
        let unverified = Unverified::parse(assertion).map_err(|why| nobody(ClientRefusal::Udap(why)))?;
        let refused = |why| Unauthenticated { why, claimed: Some(unverified.client_id().to_owned()) };
        if form.value("client_id").is_some_and(|other| other != unverified.client_id()) {
            return Err(refused(ClientRefusal::OtherClientId));
        }
        let leaf = unverified.x5c().first().and_then(|der| Certificate::read(der).ok());
        let leaf = leaf.ok_or_else(|| refused(ClientRefusal::Leaf))?;
        let verified = unverified.verify(leaf.key(), &self.endpoints.token, self.now().unix_seconds());
        let assertion = verified.map_err(|why| refused(ClientRefusal::Udap(why)))?;
        let client = self.working(unverified.client_id()).map_err(refused)?;
        let Some(udap) = client.kind.udap() else { return Err(refused(ClientRefusal::UdapForm(NOT_UDAP))) };
        let community = self.communities.get(&udap.community).ok_or_else(|| refused(ClientRefusal::Unknown))?;
        let vouched = self.trust.vouched(&community, unverified.x5c(), &udap.uri).await;
        vouched.map_err(|why| refused(ClientRefusal::Distrust(why)))?;
        let renewed = (!udap.has_shown(unverified.x5c())).then(|| unverified.x5c().to_vec());
        Ok(Proven { client, proof: Proof::Community { assertion, renewed } })
    }

    /// Whether an assertion was refused because a client of a trust community left `udap=1` out.
    pub(super) fn for_want_of_udap(&self, assertion: &str) -> Option<Unauthenticated> {
        let claimed = Unverified::parse(assertion).ok()?.client_id().to_owned();
        self.clients.client(&claimed)?.kind.udap()?;
        Some(Unauthenticated { why: ClientRefusal::UdapForm(UDAP), claimed: Some(claimed) })
    }
}
