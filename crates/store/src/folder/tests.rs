//! Sets of places; that folders mean what the matcher means is held by the property in `tests/plans.rs`.

use super::*;

fn places(set: &Set) -> Vec<usize> {
    (0..set.0.len() * 64).filter(|at| set.0[at / 64] >> (at % 64) & 1 == 1).collect()
}

#[test]
fn a_set_has_its_places_and_no_other() {
    for count in [0, 1, 63, 64, 65, 130] {
        assert_eq!(places(&Set::all(count)), (0..count).collect::<Vec<_>>());
        let mut set = Set::none(count);
        assert!(places(&set).is_empty());
        (0..count).filter(|at| at % 3 == 0).for_each(|at| set.add(at as u16));
        let mut others = set.clone();
        others.turn(count);
        assert_eq!(places(&others), (0..count).filter(|at| at % 3 != 0).collect::<Vec<_>>());
        others.or(&set);
        assert_eq!(places(&others), places(&Set::all(count)));
        others.and(&set);
        assert_eq!(places(&others), places(&set));
    }
}
