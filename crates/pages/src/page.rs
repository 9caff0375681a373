//! The pages, one file each: a struct with what the caller knows, and how it becomes HTML.

pub(crate) mod apps;
pub(crate) mod cases;
pub(crate) mod choices;
pub(crate) mod clients;
pub(crate) mod consent;
pub(crate) mod done;
pub(crate) mod emergency;
pub(crate) mod invitation;
pub(crate) mod launch;
pub(crate) mod officer;
pub(crate) mod partners;
pub(crate) mod passkey;
pub(crate) mod pick_patient;
pub(crate) mod pick_visit;
pub(crate) mod problem;
pub(crate) mod recovery;
pub(crate) mod second_factor;
pub(crate) mod security;
pub(crate) mod seen;
pub(crate) mod sent_back;
pub(crate) mod sent_on;
pub(crate) mod sign_in;
