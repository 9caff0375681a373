//! AuditEvent after IHE BALP, hash chain, signed checkpoints; the only maker of Audited.
