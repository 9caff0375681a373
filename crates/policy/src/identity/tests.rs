//! Who stands for whom.
