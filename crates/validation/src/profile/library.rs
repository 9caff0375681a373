//! Profiles by canonical, compiled at first use and kept.
//!
//! The cache is a fixed array of chains that only grow: reading takes no lock, and two threads that compile
//! the same profile at once do no harm. Profiles are told by their address: they live as long as the process.

use super::shape::Shape;
use fhir::schema::Profile;
use std::sync::OnceLock;

/// Chains; with some 500 profiles in the packages each has about two.
const CHAINS: usize = 256;

type Link = OnceLock<Box<Entry>>;

struct Entry {
    profile: &'static Profile,
    shape: Shape,
    next: Link,
}

/// Compiled profiles.
pub(crate) struct Library {
    chains: Vec<Link>,
}

impl Library {
    pub(crate) fn new() -> Self {
        Self { chains: (0..CHAINS).map(|_| Link::new()).collect() }
    }

    /// The shape of a profile, compiled by `compile` when it is not here yet.
    pub(crate) fn shape(&self, profile: &'static Profile, compile: impl FnOnce() -> Shape) -> Option<&Shape> {
        let address = std::ptr::from_ref(profile).addr();
        // Profiles stand in one array: the low bits of their distance tell nothing.
        let mut link = self.chains.get((address >> 4) % CHAINS)?;
        while let Some(entry) = link.get() {
            if std::ptr::eq(entry.profile, profile) {
                return Some(&entry.shape);
            }
            link = &entry.next;
        }
        let mut made = Box::new(Entry { profile, shape: compile(), next: Link::new() });
        loop {
            match link.set(made) {
                Ok(()) => return link.get().map(|entry| &entry.shape),
                Err(back) => {
                    made = back;
                    let entry = link.get()?;
                    if std::ptr::eq(entry.profile, profile) {
                        return Some(&entry.shape);
                    }
                    link = &entry.next;
                }
            }
        }
    }
}
