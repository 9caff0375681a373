//! The authorization server: discovery, token, introspection, revocation, clients and keys.
