//! What tests share: seeded clock, fixtures, tokens, in-process server.
