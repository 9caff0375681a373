//! All texts of the pages: one file for each language, the same keys in both.
//!
//! `en.rs` declares the keys; `es.rs` must fill each, or it does not compile; a key that no page uses is a warning,
//! which the build refuses. Rules of wording: `docs/pages.md`; the tests measure them.

mod en;
mod es;

#[cfg(test)]
mod tests;

use crate::{Date, Language, Lasts, Moment, html::fill_plain};
pub(crate) use en::Texts;

/// Declares texts with their keys, in English; `with` parts that have a file of their own.
macro_rules! declare {
    ($(#[$doc:meta])* $name:ident $(with $($part:ident: $of:ident),+)?; $($key:ident: $text:literal,)*) => {
        $(#[$doc])*
        pub(crate) struct $name {
            $($(pub(crate) $part: $of,)+)?
            $(pub(crate) $key: &'static str,)*
        }

        pub(super) const ENGLISH: $name = $name { $($($part: $part::ENGLISH,)+)? $($key: $text,)* };

        #[cfg(test)]
        impl $name {
            /// Keys and texts, in the order of the files; those of a part begin with its name.
            pub(crate) fn all(&self) -> Vec<(String, &'static str)> {
                let own = vec![$((stringify!($key).to_owned(), self.$key)),*];
                let parts: [Vec<(String, &'static str)>; _] = [$($({
                    let part = self.$part.all().into_iter();
                    part.map(|(key, text)| (format!("{}_{key}", stringify!($part)), text)).collect()
                }),+)?];
                own.into_iter().chain(parts.into_iter().flatten()).collect()
            }
        }
    };
}
use declare;

/// The texts of a language.
pub(crate) const fn of(language: Language) -> &'static Texts {
    match language {
        Language::English => &en::ENGLISH,
        Language::Spanish => &es::SPANISH,
    }
}

impl Texts {
    /// The word between the last two of a list. Spanish says `e` before the sound of `i`.
    pub(crate) fn and_before(&self, next: &str) -> &'static str {
        let sounds_like_i = next.starts_with(['i', 'I', 'í', 'Í']) || next.starts_with("hi") || next.starts_with("Hi");
        if self.and == "y" && sounds_like_i && !next.starts_with("hie") { "e" } else { self.and }
    }

    /// A day in words.
    pub(crate) fn date(&self, date: Date) -> String {
        let month = date.month.map(|month| self.month(month));
        let (year, day) = (date.year.to_string(), date.day.map(|day| day.to_string()));
        match (month, day) {
            (Some(month), Some(day)) => fill_plain(self.date_full, &[("month", month), ("day", &day), ("year", &year)]),
            (Some(month), None) => fill_plain(self.date_month, &[("month", month), ("year", &year)]),
            (None, _) => year,
        }
    }

    /// The time of a day in words, without its zone.
    pub(crate) fn time(&self, moment: Moment) -> String {
        let half = if moment.hour < 12 { self.before_noon } else { self.after_noon };
        let hour = match moment.hour % 12 {
            0 => "12".to_owned(),
            hour => hour.to_string(),
        };
        let minute = format!("{:02}", moment.minute);
        fill_plain(self.time, &[("hour", &hour), ("minute", &minute), ("half", half)])
    }

    /// A day with its time in words.
    pub(crate) fn moment(&self, moment: Moment) -> String {
        let time = self.time(moment);
        let zone = if moment.is_utc { " UTC" } else { "" };
        fill_plain(self.moment, &[("date", &self.date(moment.date)), ("time", &time)]) + zone
    }

    /// How long something lasts.
    pub(crate) fn lasts(&self, lasts: Lasts) -> String {
        let count = |text: &str, count: u32| fill_plain(text, &[("count", &count.to_string())]);
        match lasts {
            Lasts::Now => self.lasts_now.to_owned(),
            Lasts::UntilEnded => self.lasts_until_ended.to_owned(),
            Lasts::Days(1) => self.lasts_day.to_owned(),
            Lasts::Days(30) => self.lasts_month.to_owned(),
            Lasts::Days(365) => self.lasts_year.to_owned(),
            Lasts::Days(days) if days > 365 && days % 365 == 0 => count(self.lasts_years, days / 365),
            Lasts::Days(days) if days > 30 && days % 30 == 0 && days < 365 => count(self.lasts_months, days / 30),
            Lasts::Days(days) => count(self.lasts_days, days),
        }
    }

    const fn month(&self, month: u8) -> &'static str {
        match month {
            1 => self.month_1,
            2 => self.month_2,
            3 => self.month_3,
            4 => self.month_4,
            5 => self.month_5,
            6 => self.month_6,
            7 => self.month_7,
            8 => self.month_8,
            9 => self.month_9,
            10 => self.month_10,
            11 => self.month_11,
            _ => self.month_12,
        }
    }
}
