//! Rendering of an entry as AuditEvent JSON after IHE BALP. SPEC: rows F17, F18.
