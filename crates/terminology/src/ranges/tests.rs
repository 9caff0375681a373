//! Ranges are sets: held against the obvious sets of the standard library.

use super::Ranges;
use proptest::prelude::*;
use std::collections::BTreeSet;

fn sets() -> impl Strategy<Value = BTreeSet<u32>> {
    prop::collection::btree_set(0u32..60, 0..40)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) })]

    #[test]
    fn set_operations_are_those_of_sets(a in sets(), b in sets(), skip in 0usize..50) {
        let (left, right) = (Ranges::of_positions(a.iter().copied()), Ranges::of_positions(b.iter().rev().copied()));
        let same = |ranges: &Ranges, set: BTreeSet<u32>| {
            ranges.iter().collect::<Vec<_>>() == set.iter().copied().collect::<Vec<_>>()
                && ranges.len() == set.len()
                && (0..70).all(|at| ranges.contains(at) == set.contains(&at))
                && ranges.ranges().windows(2).all(|pair| pair[0].1 < pair[1].0)
        };
        prop_assert!(same(&left, a.clone()) && same(&right, b.clone()));
        prop_assert!(same(&left.union(&right), a.union(&b).copied().collect()));
        prop_assert!(same(&left.intersection(&right), a.intersection(&b).copied().collect()));
        prop_assert!(same(&left.minus(&right), a.difference(&b).copied().collect()));
        prop_assert!(left.iter_after(skip).eq(a.iter().copied().skip(skip)));
    }
}
