//! The audit trail: compact entries in a hash chain, rendered as AuditEvent after IHE BALP when read.
//!
//! - [`entry`]: the facts of one event, and their compact bytes.
//! - [`log`]: order and chain; makes [`Receipt`]s. The bytes go to an [`log::Appender`] (the store's).
//! - [`audited`]: the proof that a response has its record; all that the socket writer accepts.
//! - [`balp`]: rendering. SPEC: R4 auditevent.html; IHE BALP; rows F16 to F26.

pub mod audited;
pub mod balp;
pub mod entry;
pub mod log;

pub use audited::Audited;
pub use entry::Entry;
pub use log::{Log, Receipt};
