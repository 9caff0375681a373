//! Broken glasses whose cases nobody judged in time: watched, so that nobody has to find out. Row F50.

use authserver::Service;
use fhir::Instant;

const DAY_S: i64 = 86_400;

/// Cases that wait for a verdict, at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Waiting {
    /// All.
    pub(crate) cases: usize,
    /// Those that wait for longer than they should.
    pub(crate) late: usize,
    /// Seconds for which the oldest has waited.
    pub(crate) oldest_s: i64,
}

impl Waiting {
    /// Now.
    pub(crate) fn of(authserver: &Service, now: Instant) -> Self {
        let days = i64::from(authserver.glass_rules().review_days);
        let opened: Vec<i64> = authserver.glass_cases_waiting().iter().map(|case| case.opened_s).collect();
        Self::counted(&opened, days, now.unix_seconds())
    }

    fn counted(opened_s: &[i64], days: i64, now_s: i64) -> Self {
        let ages = || opened_s.iter().map(|opened_s| now_s.saturating_sub(*opened_s).max(0));
        Self {
            cases: opened_s.len(),
            late: ages().filter(|age| *age >= days.saturating_mul(DAY_S)).count(),
            oldest_s: ages().max().unwrap_or(0),
        }
    }
}

/// On which day the log was told.
#[derive(Default)]
pub(crate) struct GlassWatch {
    said: Option<i64>,
}

impl GlassWatch {
    /// Says once a day that cases wait for too long.
    pub(crate) fn look(&mut self, authserver: &Service, now: Instant) {
        let waiting = Waiting::of(authserver, now);
        if self.is_due(waiting, now.unix_seconds()) {
            let late = waiting.late;
            tracing::warn!(late, "broken glasses wait too long for a privacy officer's verdict (/account/cases)");
        }
    }

    fn is_due(&mut self, waiting: Waiting, now_s: i64) -> bool {
        let today = now_s.div_euclid(DAY_S);
        waiting.late > 0 && self.said.replace(today) != Some(today)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// F50: alarms when a case waits for more than so many days, once a day.
    #[test]
    fn f50_late_cases_are_told_of_once_a_day() {
        let now_s = 100 * DAY_S;
        let counted = |opened_s: &[i64]| Waiting::counted(opened_s, 3, now_s);
        assert_eq!(counted(&[]), Waiting::default());
        let fresh = counted(&[now_s - 3 * DAY_S + 1, now_s]);
        assert_eq!(fresh, Waiting { cases: 2, late: 0, oldest_s: 3 * DAY_S - 1 });
        let late = counted(&[now_s - 3 * DAY_S, now_s + 5]);
        assert_eq!((late.cases, late.late), (2, 1));
        let mut watch = GlassWatch::default();
        assert!(!watch.is_due(fresh, now_s));
        assert!(watch.is_due(late, now_s) && !watch.is_due(late, now_s + 3600));
        assert!(watch.is_due(late, now_s + DAY_S));
    }
}
