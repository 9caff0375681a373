//! HTTP dates (IMF-fixdate) from and to instants. SPEC: RFC 9110 section 5.6.7. The two obsolete
//! forms are not read: a condition that cannot be read is ignored, as RFC 9110 section 13.1.3 says.

use fhir::{
    Instant,
    primitive::date_time::{civil_from_days, days_from_civil},
};

const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// `Sun, 06 Nov 1994 08:49:37 GMT`; milliseconds are cut off.
pub(crate) fn format(instant: Instant) -> String {
    let seconds = instant.unix_seconds();
    let (days, of_day) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let (year, month, day) = civil_from_days(days);
    let weekday = usize::try_from(days.rem_euclid(7)).ok().and_then(|at| DAYS.get(at)).unwrap_or(&"Thu");
    let month = usize::try_from(month).ok().and_then(|at| MONTHS.get(at.wrapping_sub(1))).unwrap_or(&"Jan");
    let (hour, minute, second) = (of_day / 3600, of_day / 60 % 60, of_day % 60);
    let Ok(year) = u32::try_from(year) else { return String::new() };
    // By hand: every read of a resource says when it was last modified.
    let mut text = String::with_capacity(32);
    text.push_str(weekday);
    text.push_str(", ");
    two(&mut text, i64::from(day));
    text.push(' ');
    text.push_str(month);
    text.push(' ');
    two(&mut text, i64::from(year / 100));
    two(&mut text, i64::from(year % 100));
    for (before, number) in [(' ', hour), (':', minute), (':', second)] {
        text.push(before);
        two(&mut text, number);
    }
    text.push_str(" GMT");
    text
}

/// Two digits.
fn two(text: &mut String, number: i64) {
    for digit in [number / 10, number % 10] {
        text.push(u32::try_from(digit).ok().and_then(|digit| char::from_digit(digit, 10)).unwrap_or('0'));
    }
}

/// Whole seconds since the epoch; `None` when the text is no IMF-fixdate.
pub(crate) fn parse_unix_seconds(text: &str) -> Option<i64> {
    let (_, rest) = text.split_once(", ")?;
    let mut parts = rest.split(' ');
    let day: u32 = parts.next()?.parse().ok()?;
    let month = parts.next()?;
    let month = u32::try_from(MONTHS.iter().position(|name| *name == month)?).ok()? + 1;
    let year: i64 = parts.next()?.parse().ok()?;
    let mut time = parts.next()?.split(':').map(str::parse::<i64>);
    let (hour, minute, second) = (time.next()?.ok()?, time.next()?.ok()?, time.next()?.ok()?);
    let legal = parts.next() == Some("GMT")
        && parts.next().is_none()
        && time.next().is_none()
        && (1..=31).contains(&day)
        && (1970..=9999).contains(&year)
        && (0..24).contains(&hour)
        && (0..60).contains(&minute)
        && (0..=60).contains(&second);
    legal.then(|| days_from_civil(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second)
}

#[cfg(test)]
mod tests {
    use super::{format, parse_unix_seconds};
    use fhir::Instant;

    #[test]
    fn the_rfcs_own_example_both_ways() {
        let text = "Sun, 06 Nov 1994 08:49:37 GMT";
        assert_eq!(parse_unix_seconds(text), Some(784_111_777));
        assert_eq!(format(Instant::from_unix_millis(784_111_777_999)), text);
        assert_eq!(format(Instant::from_unix_millis(0)), "Thu, 01 Jan 1970 00:00:00 GMT");
        assert_eq!(format(Instant::from_unix_millis(253_402_300_799_000)), "Fri, 31 Dec 9999 23:59:59 GMT");
    }

    #[test]
    fn what_is_no_date_is_none() {
        for text in ["", "now", "Sun, 32 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49 GMT", "Sunday, 06-Nov-94"] {
            assert_eq!(parse_unix_seconds(text), None, "{text}");
        }
    }
}
