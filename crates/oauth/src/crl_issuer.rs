//! Writing certificate revocation lists, complete and delta ones. SPEC: RFC 5280 section 5. Row D9.
//!
//! For a certification authority (`handrail pki community`), and for tests of who reads them. What is signed is as right
//! as what is given: nothing is checked here.

use crate::der::{self, Signing};

const AUTHORITY_KEY: [u32; 4] = [2, 5, 29, 35];
const NUMBER: [u32; 4] = [2, 5, 29, 20];
const DELTA: [u32; 4] = [2, 5, 29, 27];
const ISSUING_POINT: [u32; 4] = [2, 5, 29, 28];
const FRESHEST: [u32; 4] = [2, 5, 29, 46];
const REASON: [u32; 4] = [2, 5, 29, 21];

/// A certificate that is revoked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revoked {
    /// Its serial number, big-endian.
    pub serial: Vec<u8>,
    /// Since when, in seconds since the epoch.
    pub at_s: i64,
    /// CRLReason; 8 in a delta list takes it off the list.
    pub reason: Option<u8>,
}

/// Which certificates a list is about. SPEC: RFC 5280 section 5.2.5.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Scope<'a> {
    /// Those with one of these distribution points; empty: all.
    pub points: &'a [&'a str],
    /// Only those of end entities.
    pub only_users: bool,
    /// Only those of authorities.
    pub only_authorities: bool,
    /// Also those of other issuers.
    pub is_indirect: bool,
}

/// A list to be signed.
#[derive(Debug, Clone, Copy)]
pub struct List<'a> {
    /// Name of its issuer, DER.
    pub issuer: &'a [u8],
    /// Key identifier of its issuer.
    pub key_id: &'a [u8],
    /// Since when it counts, in seconds since the epoch.
    pub this_update_s: i64,
    /// Until when.
    pub next_update_s: Option<i64>,
    /// Its number.
    pub number: u64,
    /// A delta list: number of the complete one that it adds to.
    pub base: Option<u64>,
    /// Which certificates it is about; `None`: all of its issuer.
    pub scope: Option<Scope<'a>>,
    /// Where delta lists to it are.
    pub freshest: &'a [&'a str],
    /// What is revoked.
    pub revoked: &'a [Revoked],
}

/// DistributionPointName of these addresses.
fn point_name(addresses: &[&str]) -> Vec<u8> {
    let names: Vec<Vec<u8>> =
        addresses.iter().map(|address| der::value(der::context_plain(6), address.as_bytes())).collect();
    der::explicit(0, &der::value(der::context(0), &names.concat()))
}

/// CRLDistributionPoints of these addresses, each a point: for a certificate, and for [`List::freshest`].
#[must_use]
pub fn distribution_points(addresses: &[&str]) -> Vec<u8> {
    let points: Vec<Vec<u8>> = addresses.iter().map(|address| der::sequence(&[&point_name(&[address])])).collect();
    der::value(der::SEQUENCE, &points.concat())
}

impl List<'_> {
    /// The CertificateList; `None` when it could not be signed.
    pub fn signed(&self, signing: Signing, sign: impl FnOnce(&[u8]) -> Option<Vec<u8>>) -> Option<Vec<u8>> {
        let until = self.next_update_s.map_or_else(Vec::new, der::time);
        let revoked: Vec<Vec<u8>> = self.revoked.iter().map(Revoked::to_der).collect();
        // SPEC: RFC 5280 section 5.1.2.6: absent when there are none.
        let revoked = if revoked.is_empty() { Vec::new() } else { der::value(der::SEQUENCE, &revoked.concat()) };
        let key_id = der::sequence(&[&der::value(der::context_plain(0), self.key_id)]);
        let mut extensions = vec![
            der::extension(&AUTHORITY_KEY, false, &key_id),
            der::extension(&NUMBER, false, &der::number(self.number)),
        ];
        extensions.extend(self.base.map(|base| der::extension(&DELTA, true, &der::number(base))));
        extensions.extend(self.scope.map(|scope| der::extension(&ISSUING_POINT, true, &scope.to_der())));
        if !self.freshest.is_empty() {
            extensions.push(der::extension(&FRESHEST, false, &distribution_points(self.freshest)));
        }
        let extensions = der::explicit(0, &der::value(der::SEQUENCE, &extensions.concat()));
        let algorithm = signing.identifier();
        let version = der::number(1);
        let this = der::time(self.this_update_s);
        let list = der::sequence(&[&version, &algorithm, self.issuer, &this, &until, &revoked, &extensions]);
        let signature = sign(&list)?;
        Some(der::sequence(&[&list, &algorithm, &der::bits(&signature)]))
    }
}

impl Revoked {
    fn to_der(&self) -> Vec<u8> {
        let extensions = self.reason.map_or_else(Vec::new, |reason| {
            der::sequence(&[&der::extension(&REASON, false, &der::enumerated(reason))])
        });
        der::sequence(&[&der::integer(&self.serial), &der::time(self.at_s), &extensions])
    }
}

impl Scope<'_> {
    fn to_der(self) -> Vec<u8> {
        let flag = |number, is_set| if is_set { der::value(der::context_plain(number), &[0xff]) } else { Vec::new() };
        let points = if self.points.is_empty() { Vec::new() } else { point_name(self.points) };
        let (users, authorities) = (flag(1, self.only_users), flag(2, self.only_authorities));
        der::sequence(&[&points, &users, &authorities, &flag(4, self.is_indirect)])
    }
}
