//! Days and times as a page shows them: the name of the month, no numbers to puzzle over.
//!
//! Left out: time zones by name. The caller says how far local time is from UTC; at no distance the page says `UTC`.

/// Seconds of a day.
const DAY_S: i64 = 86_400;

/// A day of the calendar: a birthday, an end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Date {
    /// 1 to 9999.
    pub year: i32,
    /// 1 to 12; `None` when only the year is known, as a FHIR date may be.
    pub month: Option<u8>,
    /// 1 to 31.
    pub day: Option<u8>,
}

impl Date {
    /// From a FHIR date: `1943`, `1943-05` or `1943-05-17`. `None` for anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('-');
        let mut number = |width: usize, most: i32| -> Option<Option<i32>> {
            let Some(part) = parts.next() else { return Some(None) };
            let is_number = part.len() == width && part.bytes().all(|byte| byte.is_ascii_digit());
            let value = part.parse::<i32>().ok().filter(|value| is_number && (1..=most).contains(value))?;
            Some(Some(value))
        };
        let (year, month, day) = (number(4, 9999)??, number(2, 12)?, number(2, 31)?);
        let small = |value: Option<i32>| value.and_then(|value| u8::try_from(value).ok());
        parts.next().is_none().then_some(Self { year, month: small(month), day: small(day) })
    }

    /// The day that these seconds since 1970 (UTC) fall on.
    #[must_use]
    pub fn from_unix(seconds: i64) -> Self {
        // Days since 1 March of the year 0, in eras of 400 years; the year begins in March, so that leap days end it.
        let days = seconds.div_euclid(DAY_S) + 719_468;
        let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
        let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month_from_march = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
        let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
        let year = era * 400 + year_of_era + i64::from(month <= 2);
        Self { year: i32::try_from(year).unwrap_or(9999), month: u8::try_from(month).ok(), day: u8::try_from(day).ok() }
    }
}

/// A day with the time on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment {
    pub(crate) date: Date,
    /// 0 to 23.
    pub(crate) hour: u8,
    /// 0 to 59.
    pub(crate) minute: u8,
    /// The clock is that of UTC, and the page says so.
    pub(crate) is_utc: bool,
}

impl Moment {
    /// From seconds since 1970 and the minutes that the facility's clocks are ahead of UTC (behind: negative).
    #[must_use]
    pub fn from_unix(seconds: i64, ahead_minutes: i32) -> Self {
        let local = seconds.saturating_add(i64::from(ahead_minutes) * 60);
        let second = local.rem_euclid(DAY_S);
        let small = |value: i64| u8::try_from(value).unwrap_or(0);
        Self {
            date: Date::from_unix(local),
            hour: small(second / 3_600),
            minute: small(second % 3_600 / 60),
            is_utc: ahead_minutes == 0,
        }
    }
}

#[cfg(test)]
mod tests;
