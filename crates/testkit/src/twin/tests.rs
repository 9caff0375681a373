//! The proof can fail: a caller who may see more tells the same worlds apart, and the shortest
//! sequence says so.

use super::*;

#[test]
fn who_may_see_tells_the_worlds_apart() {
    let mut seen = (0..3).map(|seed| Case::new(seed).with_scope("system/*.cruds")).filter(Case::differs);
    let first = seen.next().expect("a difference that everyone sees who may see all");
    let report = first.check_within(40).expect_err("it differs");
    assert!(report.lines().filter(|line| line.contains("curl")).count() <= 2, "{report}");
}

#[test]
fn a_seed_is_a_case() {
    let [one, two] = [7, 7].map(|seed| format!("{:?}", Case::new(seed)));
    assert_eq!(one, two);
    assert_ne!(one, format!("{:?}", Case::new(8)));
}
