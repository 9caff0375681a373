//! Validation of resources against base R4; the only maker of Validated.
