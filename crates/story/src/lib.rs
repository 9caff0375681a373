//! A seeded generator of synthetic post-acute stays.
