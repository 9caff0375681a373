//! The cover of a concept is all that a walk downwards reaches; circles are cut.

use super::order;
use crate::ranges;
use proptest::prelude::*;
use std::collections::BTreeSet;

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(300) })]

    #[test]
    fn the_cover_is_what_a_walk_reaches(len in 1usize..40, raw in prop::collection::vec((0u32..40, 0u32..40), 0..90)) {
        let ordered = order(len, raw.clone()).expect("small");
        let count = u32::try_from(len).expect("small");
        let mut seen = ordered.order.clone();
        seen.sort_unstable();
        prop_assert!(seen.into_iter().eq(0..count), "each concept has one number");
        let old = |new: u32| ordered.order[new as usize];
        let edges: BTreeSet<(u32, u32)> = raw
            .into_iter()
            .filter(|(child, parent)| child != parent && *child < count && *parent < count)
            .filter(|edge| !ordered.circles.contains(edge))
            .collect();
        for top in 0..count {
            let mut reached = BTreeSet::from([old(top)]);
            let mut waiting = vec![old(top)];
            while let Some(node) = waiting.pop() {
                for (child, _) in edges.iter().filter(|(_, parent)| *parent == node) {
                    if reached.insert(*child) {
                        waiting.push(*child);
                    }
                    prop_assert!(*child != old(top), "no circle is left");
                }
            }
            for one in 0..count {
                let below = ranges::hold(ordered.hierarchy.cover.get(top), one);
                prop_assert_eq!(below, reached.contains(&old(one)));
            }
            let parents: BTreeSet<u32> = ordered.hierarchy.parents.get(top).iter().map(|one| old(*one)).collect();
            let wanted: BTreeSet<u32> = edges.iter().filter(|(child, _)| *child == old(top)).map(|edge| edge.1).collect();
            prop_assert_eq!(parents, wanted);
        }
    }
}

#[test]
fn a_tree_keeps_its_order_and_needs_one_range_each() {
    // 0 > (1 > 2 3), 4 > 5
    let ordered = order(6, vec![(1, 0), (2, 1), (3, 1), (5, 4)]).expect("small");
    assert_eq!(ordered.order, [0, 1, 2, 3, 4, 5]);
    assert_eq!(ordered.hierarchy.cover.get(0), [(0, 4)]);
    assert_eq!(ordered.hierarchy.cover.get(4), [(4, 6)]);
    assert!(ordered.circles.is_empty());
}

#[test]
fn a_circle_is_cut_and_named() {
    let ordered = order(3, vec![(1, 0), (2, 1), (0, 2)]).expect("small");
    assert_eq!(ordered.circles, [(0, 2)]);
    assert_eq!(ordered.hierarchy.cover.get(0), [(0, 3)]);
}
