//! Times of day: what `time` holds. SPEC: R4 datatypes.html#time.

use super::date_time::{Clock, Precision};
use super::scan::Scan;

/// A time of day with its precision, without day and offset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Time {
    /// Milliseconds since midnight of the start of its span. 23:59:60 counts as 23:59:59.
    pub low: i64,
    /// First millisecond after the span.
    pub high: i64,
    /// How much was written: Minute (FHIRPath literals only), Second or Millisecond.
    pub precision: Precision,
}

impl Time {
    /// Reads a FHIR `time`: `HH:MM:SS[.f…]`; `None` when the text is none.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut scan = Scan::new(text);
        let clock = Clock::read(&mut scan)?;
        let fits = scan.is_at_end() && clock.precision >= Precision::Second;
        // WHY: R4 allows second 60; without a day only the last minute of a day can have one.
        let is_real = !clock.is_leap_second() || clock.millis >= 86_399_000;
        (fits && is_real).then(|| Self {
            low: clock.millis,
            high: clock.millis + clock.length(),
            precision: clock.precision,
        })
    }
}
