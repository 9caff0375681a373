//! OAuth 2.0, SMART and JOSE as protocol; the only maker of Caller.
