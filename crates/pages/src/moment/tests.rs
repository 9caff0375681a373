//! Days and times from seconds and from FHIR dates.

use super::*;

fn day(year: i32, month: u8, day: u8) -> Date {
    Date { year, month: Some(month), day: Some(day) }
}

#[test]
fn seconds_become_days() {
    assert_eq!(Date::from_unix(0), day(1970, 1, 1));
    assert_eq!(Date::from_unix(-1), day(1969, 12, 31));
    assert_eq!(Date::from_unix(951_782_400), day(2000, 2, 29));
    assert_eq!(Date::from_unix(951_868_800), day(2000, 3, 1));
    assert_eq!(Date::from_unix(4_107_542_399), day(2100, 2, 28));
    assert_eq!(Date::from_unix(4_107_542_400), day(2100, 3, 1));
    assert_eq!(Date::from_unix(i64::MAX).year, 9999);
}

#[test]
fn the_facilitys_clock_decides_the_day() {
    let noon = Moment::from_unix(1_772_546_700, -300);
    assert_eq!((noon.date, noon.hour, noon.minute, noon.is_utc), (day(2026, 3, 3), 9, 5, false));
    let late = Moment::from_unix(1_772_510_400, -300);
    assert_eq!((late.date, late.hour), (day(2026, 3, 2), 23));
    assert!(Moment::from_unix(0, 0).is_utc);
}

#[test]
fn fhir_dates_of_any_precision() {
    assert_eq!(Date::parse("1943-05-17"), Some(day(1943, 5, 17)));
    assert_eq!(Date::parse("1943-05"), Some(Date { year: 1943, month: Some(5), day: None }));
    assert_eq!(Date::parse("1943"), Some(Date { year: 1943, month: None, day: None }));
    for wrong in ["", "43", "1943-13", "1943-5-1", "1943-05-17T10:00:00Z", "1943-05-17-01", "+943", "1943-00"] {
        assert_eq!(Date::parse(wrong), None, "{wrong}");
    }
}
