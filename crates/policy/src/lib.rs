//! Decisions: who may do what, as predicates; the only maker of Permit.
