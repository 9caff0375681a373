//! Versions, history, indices, plans and commits on an embedded engine.
