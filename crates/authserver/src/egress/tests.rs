//! How long a fetched document is kept. Row C9.

use super::life_s;

/// Row C9: never cached longer than Cache-Control says.
#[test]
fn cache_life_follows_cache_control() {
    let table = [
        ("max-age=60", 0, Some(60)),
        ("public, max-age=60", 10, Some(50)),
        ("max-age=60", 90, Some(0)),
        ("MAX-AGE=\"60\"", 0, Some(60)),
        ("max-age=60, no-cache", 0, Some(0)),
        ("no-store", 0, Some(0)),
        ("private=\"x\", max-age=5, max-age=50", 0, Some(5)),
        ("max-age=soon", 0, Some(0)),
        ("max-age=-1", 0, Some(0)),
        ("public", 0, None),
        ("", 0, None),
    ];
    for (field, age, expected) in table {
        assert_eq!(life_s(field, age), expected, "{field:?} aged {age}");
    }
}
