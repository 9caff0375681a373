//! Precision, spans, offsets, real days, leap seconds; laws.

use super::*;
use proptest::prelude::*;

fn span(text: &str) -> (String, String) {
    let one = DateTime::parse_search(text).unwrap_or_else(|| panic!("{text}"));
    let show = |millis| crate::Instant::from_unix_millis(millis).to_string();
    (show(one.low), show(one.high))
}

#[test]
fn a_partial_date_is_a_span() {
    for (text, low, high) in [
        ("2024", "2024-01-01T00:00:00.000Z", "2025-01-01T00:00:00.000Z"),
        ("2024-02", "2024-02-01T00:00:00.000Z", "2024-03-01T00:00:00.000Z"),
        ("2024-12", "2024-12-01T00:00:00.000Z", "2025-01-01T00:00:00.000Z"),
        ("2024-02-29", "2024-02-29T00:00:00.000Z", "2024-03-01T00:00:00.000Z"),
        ("2024-02-29T23:30", "2024-02-29T23:30:00.000Z", "2024-02-29T23:31:00.000Z"),
        ("2024-02-29T23:30-05:00", "2024-03-01T04:30:00.000Z", "2024-03-01T04:31:00.000Z"),
        ("2024-02-29T23:30:15Z", "2024-02-29T23:30:15.000Z", "2024-02-29T23:30:16.000Z"),
        ("2024-02-29T23:30:15.5+02:00", "2024-02-29T21:30:15.500Z", "2024-02-29T21:30:15.501Z"),
        ("2024-02-29T23:30:15.1234567Z", "2024-02-29T23:30:15.123Z", "2024-02-29T23:30:15.124Z"),
        ("2016-12-31T23:59:60Z", "2016-12-31T23:59:59.000Z", "2017-01-01T00:00:00.000Z"),
        ("2017-01-01T00:59:60+01:00", "2016-12-31T23:59:59.000Z", "2017-01-01T00:00:00.000Z"),
        ("0001-01-01", "0001-01-01T00:00:00.000Z", "0001-01-02T00:00:00.000Z"),
        ("9999", "9999-01-01T00:00:00.000Z", "10000-01-01T00:00:00.000Z"),
    ] {
        assert_eq!(span(text), (low.to_owned(), high.to_owned()), "{text}");
    }
}

#[test]
fn precision_and_offset_are_kept_as_written() {
    let one = DateTime::parse("2024-02-29T23:30:15.5-05:30").unwrap();
    assert_eq!((one.precision, one.offset_minutes), (Precision::Millisecond, Some(-330)));
    assert_eq!(DateTime::parse("2024-02-29T23:30:15Z").unwrap().offset_minutes, Some(0));
    assert_eq!(DateTime::parse("2024-02").unwrap().precision, Precision::Month);
}

#[test]
fn what_is_no_date_is_refused() {
    for text in [
        "",
        "0000",
        "24",
        "2024-",
        "2024-1",
        "2024-13",
        "2024-00",
        "2024-02-30",
        "2023-02-29",
        "1900-02-29",
        "2024-04-31",
        "2024-02-29T",
        "2024-02-29T24:00:00Z",
        "2024-02-29T23:60:00Z",
        "2024-02-29T23:30:61Z",
        "2024-02-29T23:30:60Z",
        "2024-02-29T23:59:60+01:00",
        "2024-02-29T23:30:15.Z",
        "2024-02-29T23:30:15+14:01",
        "2024-02-29T23:30:15+05",
        "2024-02-29T23:30:15+05:60",
        "2024-02-29T23:30:15ZZ",
        "2024-02-29 23:30:15Z",
        "2024-02-29T23",
        " 2024",
        "2024 ",
        "-2024",
        "+2024",
        "2024-02-29t23:30:15z",
        "2024/02/29",
        "20240229",
        "2024-02-29T23:30:15,5Z",
        "２０２４",
    ] {
        assert_eq!(DateTime::parse_search(text), None, "{text}");
        assert_eq!(DateTime::parse(text), None, "{text}");
    }
}

#[test]
fn only_a_search_may_leave_seconds_and_offset_away() {
    for text in ["2024-02-29T23:30", "2024-02-29T23:30Z", "2024-02-29T23:30:15", "2024-02-29T23:30:15.1"] {
        assert_eq!(DateTime::parse(text), None, "{text}");
        assert!(DateTime::parse_search(text).is_some(), "{text}");
    }
}

proptest! {
    #[test]
    fn any_text_is_read_without_panic(text in "\\PC*") {
        let _ = DateTime::parse_search(&text);
    }

    #[test]
    fn nearly_a_date_is_read_without_panic(text in "[0-9]{0,5}-?[0-9]{0,3}-?[0-9]{0,3}T?[0-9:.]{0,14}[-+Z]?[0-9:]{0,6}") {
        if let Some(one) = DateTime::parse_search(&text) {
            prop_assert!(one.low < one.high);
        }
    }

    #[test]
    fn an_instant_reads_back_as_itself(millis in -62_135_596_800_000i64..253_402_300_799_999) {
        let one = DateTime::parse(&crate::Instant::from_unix_millis(millis).to_string());
        prop_assert_eq!(one.map(|one| (one.low, one.high)), Some((millis, millis + 1)));
    }

    #[test]
    fn a_coarser_date_spans_the_finer(millis in -62_135_596_800_000i64..253_402_300_799_999) {
        let text = crate::Instant::from_unix_millis(millis).to_string();
        let mut inner = DateTime::parse(&text).unwrap();
        for end in [19, 16, 10, 7, 4] {
            let outer = DateTime::parse_search(&text[..end]).unwrap();
            prop_assert!(outer.low <= inner.low && inner.high <= outer.high, "{} in {}", text, &text[..end]);
            inner = outer;
        }
    }

    #[test]
    fn days_and_civil_dates_are_inverse(days in -800_000i64..3_000_000) {
        let (year, month, day) = civil_from_days(days);
        prop_assert_eq!(days_from_civil(year, month, day), days);
        prop_assert!((1..=days_of_month(year, month)).contains(&day));
    }

    #[test]
    fn the_offset_moves_the_instant(minutes in -840i64..=840, second in 0i64..86_400) {
        let clock = format!("{:02}:{:02}:{:02}", second / 3600, second / 60 % 60, second % 60);
        let sign = if minutes < 0 { '-' } else { '+' };
        let (hours, rest) = (minutes.abs() / 60, minutes.abs() % 60);
        let there = DateTime::parse(&format!("2024-06-15T{clock}{sign}{hours:02}:{rest:02}")).unwrap();
        let utc = DateTime::parse(&format!("2024-06-15T{clock}Z")).unwrap();
        prop_assert_eq!(there.low, utc.low - minutes * 60_000);
    }
}
