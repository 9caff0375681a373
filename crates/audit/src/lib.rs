//! The audit trail: compact entries in a hash chain, rendered as AuditEvent after IHE BALP when read.
//!
//! - [`entry`]: the facts of one event, and their compact bytes.
//! - [`frame`]: records and segments as bytes; the chain.
//! - [`log`]: order and chain; makes [`Receipt`]s. The bytes go to an [`log::Appender`] (the store's).
//! - [`checkpoint`]: signed statements of how far the chain had come.
//! - [`verify`]: reads a log and its checkpoints and says where it was tampered with.
//! - [`dicom`]: an event as a DICOM audit message.
//! - [`disclosure`]: what counts in the accounting of disclosures.
//! - [`alarm`]: what is unusual about an access.
//! - [`report`]: who saw a record, for people.
//! - [`audited`]: the proof that a response has its record; all that the socket writer accepts.
//! - [`balp`]: rendering; [`facts`]: what a search can ask of an event.
//!
//! SPEC: R4 auditevent.html; IHE BALP; rows F16 to F26.

pub mod alarm;
pub mod audited;
pub mod balp;
mod bytes;
pub mod checkpoint;
pub mod dicom;
pub mod disclosure;
pub mod entry;
pub mod facts;
pub mod frame;
pub mod limits;
pub mod log;
pub mod report;
pub mod verify;

pub use audited::Audited;
pub use entry::Entry;
pub use log::{Log, Receipt};
