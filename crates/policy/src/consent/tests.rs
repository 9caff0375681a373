//! Consents, read and evaluated by hand-made cases.
