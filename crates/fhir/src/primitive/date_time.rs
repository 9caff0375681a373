//! Dates and times with their precision: what `date`, `dateTime` and `instant` hold.
//!
//! A partial date stands for a span of time, `[low, high)` in milliseconds since the epoch, UTC.
//! A value without an offset is read as UTC. SPEC: R4 datatypes.html#dateTime, search.html#date.

/// How much of a date was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the names are the units")]
pub enum Precision {
    Year,
    Month,
    Day,
    Minute,
    Second,
    Millisecond,
}

/// A date or time with its precision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DateTime {
    /// First millisecond of the span.
    pub low: i64,
    /// First millisecond after the span.
    pub high: i64,
    /// How much was written.
    pub precision: Precision,
    /// Minutes east of UTC as written; `None` when no offset was written.
    pub offset_minutes: Option<i16>,
}

/// Days since 1970-01-01 of a day of the proleptic Gregorian calendar.
#[must_use]
pub const fn days_from_civil(year: i64, month: u32, day: u32) -> i64 {
    let y = if month <= 2 { year - 1 } else { year };
    let era = y.div_euclid(400);
    let year_of_era = y.rem_euclid(400);
    let shifted = (month as i64 + 9) % 12;
    let day_of_year = (153 * shifted + 2) / 5 + day as i64 - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// Year, month and day of a number of days since 1970-01-01.
#[must_use]
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "month and day are small and positive")]
pub const fn civil_from_days(days: i64) -> (i64, u32, u32) {
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let doe = z.rem_euclid(146_097);
    let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let day = (doy - (153 * mp + 2) / 5 + 1) as u32;
    let month = (if mp < 10 { mp + 3 } else { mp - 9 }) as u32;
    (yoe + era * 400 + (month <= 2) as i64, month, day)
}

impl DateTime {
    /// Reads a FHIR `date`, `dateTime` or `instant`; `None` when the text is none of them.
    ///
    /// Years 0001 to 9999, real days of real months, hours 00 to 23, second 60 only as a leap
    /// second; minutes need an offset in FHIR, but search values may omit it.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let _ = text;
        None
    }
}
