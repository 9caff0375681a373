//! Days of the story. Times carry the offset of the facilities, five hours west of Greenwich.

use fhir::primitive::date_time::{civil_from_days, days_from_civil};

/// A day, counted from 1970-01-01.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Day(i64);

impl Day {
    pub(crate) fn new(year: i64, month: u32, day: u32) -> Self {
        Self(days_from_civil(year, month, day))
    }

    pub(crate) fn plus(self, days: u32) -> Self {
        Self(self.0 + i64::from(days))
    }

    pub(crate) fn minus(self, days: u32) -> Self {
        Self(self.0 - i64::from(days))
    }

    /// `2024-05-17`.
    pub(crate) fn date(self) -> String {
        let (year, month, day) = civil_from_days(self.0);
        format!("{year:04}-{month:02}-{day:02}")
    }

    /// `2024-05-17T10:30:00-05:00`.
    pub(crate) fn at(self, hour: u32, minute: u32) -> String {
        format!("{}T{hour:02}:{minute:02}:00-05:00", self.date())
    }
}
