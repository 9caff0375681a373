//! Dates and times with their precision: what `date`, `dateTime` and `instant` hold.
//!
//! A partial date stands for a span of time, `[low, high)` in milliseconds since the epoch, UTC.
//! A value without an offset is read as UTC. Digits beyond the millisecond are dropped. The leap
//! second 23:59:60 is counted to the second before it, so that it stays within its day.
//! SPEC: R4 datatypes.html#dateTime, search.html#date.

use super::scan::Scan;

#[cfg(test)]
mod tests;

const SECOND: i64 = 1000;
const MINUTE: i64 = 60 * SECOND;
const DAY: i64 = 24 * 60 * MINUTE;

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
    /// second (the last of a month in UTC). A time has seconds and an offset within ±14:00.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (one, offset_may_lack) = read(text)?;
        (one.precision <= Precision::Day || (one.precision >= Precision::Second && !offset_may_lack)).then_some(one)
    }

    /// Reads the value of a date search parameter: as [`DateTime::parse`], but the seconds and the
    /// offset may be missing. SPEC: R4 search.html#date.
    #[must_use]
    pub fn parse_search(text: &str) -> Option<Self> {
        read(text).map(|(one, _)| one)
    }
}

/// Days of a month; 0 when there is no such month.
#[must_use]
pub const fn days_of_month(year: i64, month: u32) -> u32 {
    match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 0,
    }
}

/// The value, and whether it is a time without offset.
fn read(text: &str) -> Option<(DateTime, bool)> {
    let mut scan = Scan::new(text);
    let year = i64::from(scan.digits(4)?);
    if year == 0 {
        return None;
    }
    if scan.is_at_end() {
        return Some((dates(days_from_civil(year, 1, 1), days_from_civil(year + 1, 1, 1), Precision::Year), false));
    }
    let month = scan.after(b'-')?.digits(2).filter(|month| (1..=12).contains(month))?;
    let first = days_from_civil(year, month, 1);
    let length = days_of_month(year, month);
    if scan.is_at_end() {
        return Some((dates(first, first + i64::from(length), Precision::Month), false));
    }
    let day = scan.after(b'-')?.digits(2).filter(|day| (1..=length).contains(day))?;
    let days = first + i64::from(day) - 1;
    if scan.is_at_end() {
        return Some((dates(days, days + 1, Precision::Day), false));
    }
    let clock = Clock::read(scan.after(b'T')?)?;
    let offset_minutes = scan.offset()?;
    if !scan.is_at_end() {
        return None;
    }
    let low = days * DAY + clock.millis - i64::from(offset_minutes.unwrap_or(0)) * MINUTE;
    if clock.is_leap_second && !ends_a_month(low) {
        return None;
    }
    let high = low + clock.length();
    Some((DateTime { low, high, precision: clock.precision, offset_minutes }, offset_minutes.is_none()))
}

fn dates(first: i64, end: i64, precision: Precision) -> DateTime {
    DateTime { low: first * DAY, high: end * DAY, precision, offset_minutes: None }
}

/// Whether an instant lies in the last second of a month, UTC.
fn ends_a_month(millis: i64) -> bool {
    let (year, month, day) = civil_from_days(millis.div_euclid(DAY));
    day == days_of_month(year, month) && millis.rem_euclid(DAY) >= DAY - SECOND
}

/// A time of day, as written.
#[derive(Debug, Clone, Copy)]
pub(super) struct Clock {
    /// Milliseconds since midnight.
    pub(super) millis: i64,
    pub(super) precision: Precision,
    is_leap_second: bool,
}

impl Clock {
    /// Reads `HH:MM[:SS[.f…]]`.
    pub(super) fn read(scan: &mut Scan<'_>) -> Option<Self> {
        let hour = scan.digits(2).filter(|hour| *hour <= 23)?;
        let minute = scan.after(b':')?.digits(2).filter(|minute| *minute <= 59)?;
        let millis = i64::from(hour) * 60 * MINUTE + i64::from(minute) * MINUTE;
        if scan.peek() != Some(b':') {
            return Some(Self { millis, precision: Precision::Minute, is_leap_second: false });
        }
        let second = scan.after(b':')?.digits(2).filter(|second| *second <= 60)?;
        let is_leap_second = second == 60;
        let millis = millis + i64::from(second.min(59)) * SECOND;
        if scan.peek() != Some(b'.') {
            return Some(Self { millis, precision: Precision::Second, is_leap_second });
        }
        let fraction = scan.after(b'.')?.fraction_millis()?;
        Some(Self { millis: millis + i64::from(fraction), precision: Precision::Millisecond, is_leap_second })
    }

    /// Milliseconds of the span that it stands for.
    pub(super) fn length(self) -> i64 {
        match self.precision {
            Precision::Minute => MINUTE,
            Precision::Second => SECOND,
            _ => 1,
        }
    }

    pub(super) fn is_leap_second(self) -> bool {
        self.is_leap_second
    }
}
