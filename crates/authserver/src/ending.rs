//! The end of what was given: of one token, of a consent with all its tokens, of all that a person or a client has. SPEC:
//! RFC 7009; rows B22, B58, B61, A11. It takes effect with the next request, and lasts over a restart.

use crate::{service::Inner, tables::Unavailable};
use std::sync::Arc;

impl Inner {
    /// Ends a family and its access tokens; whether there was one. Blocks on the disk.
    pub(crate) fn end_family(&self, id: &str) -> Result<bool, Unavailable> {
        // The row of the family first: without it no token of it comes back after a crash in between.
        let there = self.families.revoke(id);
        self.tokens.revoke_family(id)?;
        there
    }

    /// As [`Inner::end_family`], for a code that came again: what is being redeemed at this moment does not begin.
    pub(crate) fn end_family_of_code(&self, id: &str) -> Result<bool, Unavailable> {
        let there = self.families.revoke_of_code(id, self.now().unix_seconds());
        self.tokens.revoke_family(id)?;
        there
    }

    /// Ends all that a person gave, or gave to one client; how many consents. Blocks on the disk.
    pub(crate) fn end_all_of(&self, user: &str, client_id: Option<&str>) -> Result<usize, Unavailable> {
        self.end_families(&self.families.of_user(user, client_id))
    }

    /// Ends all that a client has; how many tokens and consents. Blocks on the disk.
    pub(crate) fn end_client(&self, client_id: &str) -> Result<usize, Unavailable> {
        let own = self.end_families(&self.families.of_client(client_id));
        Ok(self.tokens.revoke_all(client_id)? + own?)
    }

    /// Each is ended, whatever becomes of the others.
    fn end_families(&self, ids: &[Arc<str>]) -> Result<usize, Unavailable> {
        let mut failed = None;
        for id in ids {
            if let Err(why) = self.end_family(id) {
                failed = Some(why);
            }
        }
        failed.map_or(Ok(ids.len()), Err)
    }
}
