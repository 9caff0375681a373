//! Dates, date-times and times of day as FHIRPath knows them: components with a precision.
//!
//! `fhir::primitive::date_time` answers "which span of time"; FHIRPath compares component by component and
//! answers "unknown" where precision ends. SPEC: FHIRPath N1, "Date/Time Equality", "Comparison",
//! "Date/Time Arithmetic". A value without offset stays without: it compares with one that has an offset
//! only down to the day.

use crate::quantity::CalendarUnit;
use fhir::Instant;
use fhir::primitive::date_time::{civil_from_days, days_from_civil};
use std::cmp::Ordering;
use std::fmt;

/// Which of the three system types.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names are the types")]
pub enum TemporalKind {
    Date,
    DateTime,
    Time,
}

/// How much was written. Seconds and fractions are one precision when values are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the names are the units")]
pub enum Precision {
    Year,
    Month,
    Day,
    Hour,
    Minute,
    Second,
    Millisecond,
}

/// A date, date-time or time of day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Temporal {
    /// The system type.
    pub kind: TemporalKind,
    /// How much was written; what was not has its smallest value.
    pub precision: Precision,
    /// 1 to 9999; 1 in a time of day.
    pub year: u16,
    /// 1 to 12.
    pub month: u8,
    /// 1 to 31.
    pub day: u8,
    /// 0 to 23.
    pub hour: u8,
    /// 0 to 59.
    pub minute: u8,
    /// 0 to 60.
    pub second: u8,
    /// 0 to 999; finer digits are dropped.
    pub millisecond: u16,
    /// Minutes east of UTC, when written.
    pub offset_minutes: Option<i16>,
}

const BLANK: Temporal = Temporal {
    kind: TemporalKind::DateTime,
    precision: Precision::Year,
    year: 1,
    month: 1,
    day: 1,
    hour: 0,
    minute: 0,
    second: 0,
    millisecond: 0,
    offset_minutes: None,
};

fn month_days(year: u16, month: u8) -> u8 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => 29,
        2 => 28,
        _ => 31,
    }
}

/// Reads exactly `width` digits.
fn digits(text: &mut &str, width: usize) -> Option<u16> {
    let head = text.get(..width)?;
    if !head.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    *text = text.get(width..)?;
    head.parse().ok()
}

fn small(text: &mut &str, range: std::ops::RangeInclusive<u8>) -> Option<u8> {
    let number = u8::try_from(digits(text, 2)?).ok()?;
    range.contains(&number).then_some(number)
}

impl Temporal {
    /// Reads `YYYY`, `YYYY-MM` or `YYYY-MM-DD`; `None` for anything else.
    #[must_use]
    pub fn parse_date(text: &str) -> Option<Self> {
        let mut rest = text;
        let mut date = Self { kind: TemporalKind::Date, ..BLANK };
        date.read_date(&mut rest)?;
        rest.is_empty().then_some(date)
    }

    /// Reads a date with an optional `T` and time: `2015`, `2015T`, `2015-02-04T14:34+10:00`.
    #[must_use]
    pub fn parse_date_time(text: &str) -> Option<Self> {
        let mut rest = text;
        let mut value = BLANK;
        value.read_date(&mut rest)?;
        if let Some(after) = rest.strip_prefix('T') {
            rest = after;
            if !rest.is_empty() {
                if value.precision != Precision::Day {
                    return None;
                }
                value.read_time(&mut rest)?;
                value.read_offset(&mut rest)?;
            }
        }
        rest.is_empty().then_some(value)
    }

    /// Reads `HH`, `HH:MM`, `HH:MM:SS` with an optional fraction.
    #[must_use]
    pub fn parse_time(text: &str) -> Option<Self> {
        let mut rest = text;
        let mut time = Self { kind: TemporalKind::Time, ..BLANK };
        time.read_time(&mut rest)?;
        rest.is_empty().then_some(time)
    }

    /// The date-time of an instant, in UTC, to the millisecond.
    #[must_use]
    pub fn from_instant(instant: Instant) -> Option<Self> {
        Self::from_local_millis(
            instant.unix_millis(),
            Self { precision: Precision::Millisecond, offset_minutes: Some(0), ..BLANK },
        )
    }

    fn read_date(&mut self, rest: &mut &str) -> Option<()> {
        self.year = digits(rest, 4).filter(|year| *year > 0)?;
        self.precision = Precision::Year;
        let Some(after) = rest.strip_prefix('-') else { return Some(()) };
        *rest = after;
        self.month = small(rest, 1..=12)?;
        self.precision = Precision::Month;
        let Some(after) = rest.strip_prefix('-') else { return Some(()) };
        *rest = after;
        self.day = small(rest, 1..=month_days(self.year, self.month))?;
        self.precision = Precision::Day;
        Some(())
    }

    fn read_time(&mut self, rest: &mut &str) -> Option<()> {
        self.hour = small(rest, 0..=23)?;
        self.precision = Precision::Hour;
        let Some(after) = rest.strip_prefix(':') else { return Some(()) };
        *rest = after;
        self.minute = small(rest, 0..=59)?;
        self.precision = Precision::Minute;
        let Some(after) = rest.strip_prefix(':') else { return Some(()) };
        *rest = after;
        self.second = small(rest, 0..=60)?;
        self.precision = Precision::Second;
        let Some(after) = rest.strip_prefix('.') else { return Some(()) };
        let width = after.bytes().take_while(u8::is_ascii_digit).count();
        if width == 0 {
            return None;
        }
        let mut millis = 0u16;
        for at in 0..3 {
            let digit = if at < width { after.as_bytes().get(at).map_or(0, |b| b - b'0') } else { 0 };
            millis = millis * 10 + u16::from(digit);
        }
        self.millisecond = millis;
        self.precision = Precision::Millisecond;
        *rest = after.get(width..)?;
        Some(())
    }

    fn read_offset(&mut self, rest: &mut &str) -> Option<()> {
        if let Some(after) = rest.strip_prefix('Z') {
            self.offset_minutes = Some(0);
            *rest = after;
            return Some(());
        }
        let sign: i16 = match rest.bytes().next() {
            None => return Some(()),
            Some(b'+') => 1,
            Some(b'-') => -1,
            Some(_) => return None,
        };
        *rest = rest.get(1..)?;
        let hours = small(rest, 0..=14)?;
        *rest = rest.strip_prefix(':')?;
        let minutes = small(rest, 0..=59)?;
        self.offset_minutes = Some(sign * (i16::from(hours) * 60 + i16::from(minutes)));
        Some(())
    }

    /// Milliseconds since 1970-01-01T00:00 on the value's own clock.
    fn local_millis(&self) -> i64 {
        let days = days_from_civil(i64::from(self.year), u32::from(self.month), u32::from(self.day));
        days * 86_400_000 + self.millis_of_day()
    }

    fn millis_of_day(&self) -> i64 {
        ((i64::from(self.hour) * 60 + i64::from(self.minute)) * 60 + i64::from(self.second)) * 1000
            + i64::from(self.millisecond)
    }

    /// `shape` with the components of this moment; `None` outside the years 1 to 9999.
    fn from_local_millis(millis: i64, shape: Self) -> Option<Self> {
        let (year, month, day) = civil_from_days(millis.div_euclid(86_400_000));
        let of_day = millis.rem_euclid(86_400_000);
        let component = |value: i64| u8::try_from(value).ok();
        Some(Self {
            year: u16::try_from(year).ok().filter(|year| (1..=9999).contains(year))?,
            month: u8::try_from(month).ok()?,
            day: u8::try_from(day).ok()?,
            hour: component(of_day / 3_600_000)?,
            minute: component(of_day / 60_000 % 60)?,
            second: component(of_day / 1000 % 60)?,
            millisecond: u16::try_from(of_day % 1000).ok()?,
            ..shape
        })
    }

    fn utc(self) -> Self {
        let Some(offset) = self.offset_minutes else { return self };
        let millis = self.local_millis() - i64::from(offset) * 60_000;
        Self::from_local_millis(millis, Self { offset_minutes: Some(0), ..self }).unwrap_or(self)
    }

    fn component(&self, precision: Precision) -> u32 {
        match precision {
            Precision::Year => u32::from(self.year),
            Precision::Month => u32::from(self.month),
            Precision::Day => u32::from(self.day),
            Precision::Hour => u32::from(self.hour),
            Precision::Minute => u32::from(self.minute),
            Precision::Second | Precision::Millisecond => u32::from(self.second) * 1000 + u32::from(self.millisecond),
        }
    }

    fn comparable_precision(&self) -> Precision {
        self.precision.min(Precision::Second)
    }

    /// Order of two values; `None` when their precision or a missing offset leaves it open, or when one
    /// is a time of day and the other is not.
    #[must_use]
    pub fn compare(&self, other: &Self) -> Option<Ordering> {
        if (self.kind == TemporalKind::Time) != (other.kind == TemporalKind::Time) {
            return None;
        }
        let timed = self.precision >= Precision::Hour && other.precision >= Precision::Hour;
        let both = self.offset_minutes.is_some() && other.offset_minutes.is_some();
        let (left, right) = if timed && both { (self.utc(), other.utc()) } else { (*self, *other) };
        let shared = left.comparable_precision().min(right.comparable_precision());
        let steps =
            [Precision::Year, Precision::Month, Precision::Day, Precision::Hour, Precision::Minute, Precision::Second];
        for step in steps {
            if step > shared {
                return None;
            }
            let one_offset = left.offset_minutes.is_some() != right.offset_minutes.is_some();
            if step == Precision::Hour && one_offset {
                return None;
            }
            match left.component(step).cmp(&right.component(step)) {
                Ordering::Equal => {}
                order => return Some(order),
            }
            if left.comparable_precision() == step && right.comparable_precision() == step {
                return Some(Ordering::Equal);
            }
        }
        Some(Ordering::Equal)
    }

    /// A total order for sorting: by the first moment of each, then the coarser first.
    pub(crate) fn sort_order(&self, other: &Self) -> Ordering {
        let key = |value: &Self| (value.utc().local_millis(), value.precision);
        key(self).cmp(&key(other))
    }

    /// This value moved by a whole number of units; `None` when it leaves the years 1 to 9999.
    ///
    /// Units finer than the precision count as whole units of the precision. A day that a month does not
    /// have becomes its last. A time of day wraps around.
    #[must_use]
    pub fn add(&self, amount: i64, unit: CalendarUnit) -> Option<Self> {
        if self.kind == TemporalKind::Time {
            let millis = amount.checked_mul(unit.milliseconds()?)?;
            let moved = (self.millis_of_day() + millis % 86_400_000).rem_euclid(86_400_000);
            return Self::from_local_millis(moved, *self).map(|time| Self { year: 1, month: 1, day: 1, ..time });
        }
        let months = match unit {
            CalendarUnit::Year => amount.checked_mul(12)?,
            CalendarUnit::Month => amount,
            _ => {
                let millis = amount.checked_mul(unit.milliseconds()?)?;
                return match self.precision {
                    Precision::Year => self.add(millis / (365 * 86_400_000), CalendarUnit::Year),
                    Precision::Month => self.add(millis / (30 * 86_400_000), CalendarUnit::Month),
                    Precision::Day => {
                        let whole = millis / 86_400_000 * 86_400_000;
                        Self::from_local_millis(self.local_millis().checked_add(whole)?, *self)
                    }
                    _ => Self::from_local_millis(self.local_millis().checked_add(millis)?, *self),
                };
            }
        };
        let months = if self.precision == Precision::Year { months / 12 * 12 } else { months };
        let total = (i64::from(self.year) * 12 + i64::from(self.month) - 1).checked_add(months)?;
        let year = u16::try_from(total.div_euclid(12)).ok().filter(|year| (1..=9999).contains(year))?;
        let month = u8::try_from(total.rem_euclid(12) + 1).ok()?;
        Some(Self { year, month, day: self.day.min(month_days(year, month)), ..*self })
    }

    /// The same day as a date.
    #[must_use]
    pub fn to_date(self) -> Self {
        Self {
            kind: TemporalKind::Date,
            precision: self.precision.min(Precision::Day),
            hour: 0,
            minute: 0,
            second: 0,
            millisecond: 0,
            offset_minutes: None,
            ..self
        }
    }

    /// The same date as a date-time of the same precision.
    #[must_use]
    pub fn to_date_time(self) -> Self {
        Self { kind: TemporalKind::DateTime, ..self }
    }

    /// The time of day of a date-time.
    #[must_use]
    pub fn to_time(self) -> Self {
        Self { kind: TemporalKind::Time, year: 1, month: 1, day: 1, offset_minutes: None, ..self }
    }

    /// The smallest (`high` false) or largest moment that this value may stand for, to `digits` of precision
    /// (4 year, 6 month, 8 day, 10 hour, 12 minute, 14 second, 17 millisecond; times of day 2, 4, 6, 9).
    #[must_use]
    pub fn boundary(&self, high: bool, digits: Option<i64>) -> Option<Self> {
        let precision = match (self.kind, digits) {
            (TemporalKind::Date, None) => Precision::Day,
            (_, None) | (TemporalKind::Time, Some(9)) => Precision::Millisecond,
            (TemporalKind::Time, Some(2)) => Precision::Hour,
            (TemporalKind::Time, Some(4)) => Precision::Minute,
            (TemporalKind::Time, Some(6)) => Precision::Second,
            (TemporalKind::Time, Some(_)) => return None,
            (_, Some(4)) => Precision::Year,
            (_, Some(6)) => Precision::Month,
            (_, Some(8)) => Precision::Day,
            (TemporalKind::DateTime, Some(10)) => Precision::Hour,
            (TemporalKind::DateTime, Some(12)) => Precision::Minute,
            (TemporalKind::DateTime, Some(14)) => Precision::Second,
            (TemporalKind::DateTime, Some(17)) => Precision::Millisecond,
            _ => return None,
        };
        let mut value = *self;
        if high {
            if self.precision < Precision::Month {
                value.month = 12;
            }
            if self.precision < Precision::Day {
                value.day = month_days(value.year, value.month);
            }
            if self.precision < Precision::Hour {
                value.hour = 23;
            }
            if self.precision < Precision::Minute {
                value.minute = 59;
            }
            if self.precision < Precision::Second {
                value.second = 59;
            }
            if self.precision < Precision::Millisecond {
                value.millisecond = 999;
            }
        }
        value.precision = precision;
        if precision >= Precision::Hour && self.kind == TemporalKind::DateTime {
            value.offset_minutes = self.offset_minutes.or(Some(if high { -12 * 60 } else { 14 * 60 }));
        } else {
            value.offset_minutes = None;
        }
        Some(value)
    }

    /// Number of digits that were written, as `precision()` counts them.
    #[must_use]
    pub fn digits(&self) -> i64 {
        let date = match self.precision {
            Precision::Year => 4,
            Precision::Month => 6,
            Precision::Day => 8,
            Precision::Hour => 10,
            Precision::Minute => 12,
            Precision::Second => 14,
            Precision::Millisecond => 17,
        };
        if self.kind == TemporalKind::Time { date - 8 } else { date }
    }
}

impl fmt::Display for Temporal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.kind != TemporalKind::Time {
            write!(f, "{:04}", self.year)?;
            if self.precision >= Precision::Month {
                write!(f, "-{:02}", self.month)?;
            }
            if self.precision >= Precision::Day {
                write!(f, "-{:02}", self.day)?;
            }
            if self.precision >= Precision::Hour {
                f.write_str("T")?;
            }
        }
        if self.precision >= Precision::Hour {
            write!(f, "{:02}", self.hour)?;
        }
        if self.precision >= Precision::Minute {
            write!(f, ":{:02}", self.minute)?;
        }
        if self.precision >= Precision::Second {
            write!(f, ":{:02}", self.second)?;
        }
        if self.precision >= Precision::Millisecond {
            write!(f, ".{:03}", self.millisecond)?;
        }
        match self.offset_minutes {
            Some(0) => f.write_str("Z"),
            Some(offset) => {
                let sign = if offset < 0 { '-' } else { '+' };
                let minutes = offset.unsigned_abs();
                write!(f, "{sign}{:02}:{:02}", minutes / 60, minutes % 60)
            }
            None => Ok(()),
        }
    }
}
