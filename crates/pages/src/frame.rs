//! What stands around every page: the facility's name, who is signed in, where else they may go.

use crate::{Secret, Text};

/// Around a page.
#[derive(Clone, Debug)]
pub struct Frame {
    /// Name of the facility, as its people know it.
    pub facility: Text,
    /// Fresh and random for each response: 16 bytes or more, as base64url. Only scripts that carry it run (row A18).
    pub nonce: Secret,
    /// Who is signed in; `None` before that.
    pub person: Option<Signed>,
}

/// Who is signed in.
#[derive(Clone, Debug)]
pub struct Signed {
    /// Their name.
    pub name: Text,
    /// Token of the form that signs them out (row A18).
    pub csrf: Secret,
    /// Where they may go, in this order. Empty in the middle of something, such as a consent.
    pub places: Vec<Place>,
}

/// A place that the head of a page leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// The apps that the person lets in.
    Apps,
    /// Who saw my record.
    Seen,
    /// What I share.
    Choices,
    /// What a privacy officer looks after.
    Officer,
    /// Passkeys, password, devices.
    Security,
    /// A clinician opens an app.
    Launch,
    /// A clinician sees a record in an emergency.
    Emergency,
    /// A privacy officer looks at emergencies; so many wait.
    Cases(u32),
    /// An administrator looks after the facility's apps.
    Clients,
    /// An administrator looks after organizations that joined by a trust community.
    Partners,
}
