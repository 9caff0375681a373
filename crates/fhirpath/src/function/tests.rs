//! The table of functions.

use super::*;

#[test]
fn the_table_is_sorted_so_that_each_name_is_found() {
    for entry in TABLE {
        assert_eq!(Function::named(entry.0).map(|found| found.0), Some(entry.1), "{}", entry.0);
    }
    assert!(Function::named("nosuch").is_none());
}
