//! What is below what: numbers for concepts, and ranges of numbers for all that is below each.
//!
//! Concepts are numbered along a spanning tree, parents before children, siblings in the order of the
//! source. All below a concept in that tree has neighbouring numbers; what is below it by a second parent
//! adds ranges (tree cover with interval labels; Agrawal, Borgida, Jagadish 1989). Whether one concept is
//! below another is then a binary search in a few ranges.

use crate::{limits, ranges};

/// Lists of `T` by position, in two allocations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Lists<T> {
    /// Where each ends; it starts where the one before ends.
    pub(crate) ends: Vec<u32>,
    pub(crate) items: Vec<T>,
}

impl<T> Default for Lists<T> {
    fn default() -> Self {
        Self { ends: Vec::new(), items: Vec::new() }
    }
}

impl<T> Lists<T> {
    pub(crate) fn get(&self, at: u32) -> &[T] {
        let at = at as usize;
        let start = at.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or(0);
        let end = self.ends.get(at).copied().unwrap_or(start);
        self.items.get(start as usize..end as usize).unwrap_or_default()
    }

    /// Closes the list that was being filled through `items`.
    pub(crate) fn close(&mut self) -> Option<()> {
        self.ends.push(u32::try_from(self.items.len()).ok()?);
        Some(())
    }
}

impl<T: Copy + Default> Lists<T> {
    /// From pairs (position, item) in any order; within a position their order is kept.
    pub(crate) fn from_pairs(len: usize, pairs: impl Iterator<Item = (u32, T)> + Clone) -> Self {
        let mut ends = vec![0u32; len];
        for (at, _) in pairs.clone() {
            if let Some(count) = ends.get_mut(at as usize) {
                *count += 1;
            }
        }
        let mut total = 0u32;
        let mut next: Vec<u32> = Vec::with_capacity(len);
        for end in &mut ends {
            next.push(total);
            total = total.saturating_add(*end);
            *end = total;
        }
        let mut items = vec![T::default(); total as usize];
        for (at, item) in pairs {
            let Some(place) = next.get_mut(at as usize) else { continue };
            if let Some(slot) = items.get_mut(*place as usize) {
                *slot = item;
            }
            *place += 1;
        }
        Self { ends, items }
    }
}

/// The hierarchy of a code system, by its new numbers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Hierarchy {
    pub(crate) parents: Lists<u32>,
    pub(crate) children: Lists<u32>,
    /// All at or below each concept.
    pub(crate) cover: Lists<(u32, u32)>,
}

/// The hierarchy with the order that it asks for.
#[derive(Debug)]
pub(crate) struct Ordered {
    pub(crate) hierarchy: Hierarchy,
    /// Old number by new number.
    pub(crate) order: Vec<u32>,
    /// Edges (child, parent), by old numbers, that were left out because they close a circle.
    pub(crate) circles: Vec<(u32, u32)>,
}

/// Too many ranges: more than [`limits::COVER_RANGES_MAX`].
#[derive(Debug)]
pub(crate) struct Tangled;

const NONE: u32 = u32::MAX;

fn at<T: Copy>(list: &[T], index: u32, other: T) -> T {
    list.get(index as usize).copied().unwrap_or(other)
}

fn set<T>(list: &mut [T], index: u32, value: T) {
    if let Some(slot) = list.get_mut(index as usize) {
        *slot = value;
    }
}

/// Orders `len` concepts with these edges (child, parent).
pub(crate) fn order(len: usize, mut edges: Vec<(u32, u32)>) -> Result<Ordered, Tangled> {
    let count = u32::try_from(len).map_err(|_| Tangled)?;
    edges.retain(|(child, parent)| child != parent && *child < count && *parent < count);
    edges.sort_unstable();
    edges.dedup();
    let children = Lists::from_pairs(len, edges.iter().map(|(child, parent)| (*parent, *child)));
    let circles = circles(count, &children, &edges);
    if !circles.is_empty() {
        edges.retain(|edge| circles.binary_search(edge).is_err());
    }
    let children = Lists::from_pairs(len, edges.iter().map(|(child, parent)| (*parent, *child)));
    let parents = Lists::from_pairs(len, edges.iter().copied());
    let tree = tree_parents(count, &parents, &children);
    let order = preorder(count, &tree, &children);
    let mut new = vec![0u32; len];
    for (number, old) in (0..count).zip(&order) {
        set(&mut new, *old, number);
    }
    let renumber = |lists: &Lists<u32>| {
        let mut held = Lists::default();
        for old in &order {
            let from = held.items.len();
            held.items.extend(lists.get(*old).iter().map(|one| at(&new, *one, 0)));
            held.items.get_mut(from..).unwrap_or_default().sort_unstable();
            held.close().ok_or(Tangled)?;
        }
        Ok(held)
    };
    let (parents, children) = (renumber(&parents)?, renumber(&children)?);
    let cover = cover(count, &parents, &children)?;
    Ok(Ordered { hierarchy: Hierarchy { parents, children, cover }, order, circles })
}

/// Edges that lead back up, sorted; without them no concept is below itself.
fn circles(count: u32, children: &Lists<u32>, edges: &[(u32, u32)]) -> Vec<(u32, u32)> {
    let mut is_child = vec![false; count as usize];
    edges.iter().for_each(|(child, _)| set(&mut is_child, *child, true));
    let roots = (0..count).filter(|one| !at(&is_child, *one, true));
    let mut state = vec![0u8; count as usize];
    let mut found = Vec::new();
    let mut stack: Vec<(u32, usize)> = Vec::new();
    for start in roots.chain(0..count) {
        if at(&state, start, 2) != 0 {
            continue;
        }
        set(&mut state, start, 1);
        stack.push((start, 0));
        while let Some((node, next)) = stack.last_mut() {
            let node = *node;
            let Some(child) = children.get(node).get(*next).copied() else {
                set(&mut state, node, 2);
                stack.pop();
                continue;
            };
            *next += 1;
            match at(&state, child, 2) {
                0 => {
                    set(&mut state, child, 1);
                    stack.push((child, 0));
                }
                1 => found.push((child, node)),
                _ => {}
            }
        }
    }
    found.sort_unstable();
    found
}

/// For each concept the deepest of its parents: the fewer ranges the others need.
fn tree_parents(count: u32, parents: &Lists<u32>, children: &Lists<u32>) -> Vec<u32> {
    let mut waiting: Vec<u32> = (0..count).map(|one| u32::try_from(parents.get(one).len()).unwrap_or(NONE)).collect();
    let mut depth = vec![0u32; count as usize];
    let mut ready: Vec<u32> = (0..count).filter(|one| at(&waiting, *one, NONE) == 0).collect();
    while let Some(node) = ready.pop() {
        for child in children.get(node) {
            let deeper = at(&depth, *child, 0).max(at(&depth, node, 0).saturating_add(1));
            set(&mut depth, *child, deeper);
            let left = at(&waiting, *child, NONE).saturating_sub(1);
            set(&mut waiting, *child, left);
            if left == 0 {
                ready.push(*child);
            }
        }
    }
    let deepest = |one: u32| {
        let all = parents.get(one).iter().copied();
        // Of equals the first: `max_by_key` takes the last.
        all.rev().max_by_key(|parent| at(&depth, *parent, 0)).unwrap_or(NONE)
    };
    (0..count).map(deepest).collect()
}

/// Parents before children, siblings in their order.
fn preorder(count: u32, tree: &[u32], children: &Lists<u32>) -> Vec<u32> {
    let mut order = Vec::with_capacity(count as usize);
    let mut stack = Vec::new();
    for root in (0..count).filter(|one| at(tree, *one, NONE) == NONE) {
        stack.push(root);
        while let Some(node) = stack.pop() {
            order.push(node);
            stack.extend(children.get(node).iter().rev().filter(|child| at(tree, **child, NONE) == node));
        }
    }
    order
}

/// What is at or below each concept. A child by a second parent may have a smaller number than it.
fn cover(count: u32, parents: &Lists<u32>, children: &Lists<u32>) -> Result<Lists<(u32, u32)>, Tangled> {
    let mut waiting: Vec<u32> = (0..count).map(|one| u32::try_from(children.get(one).len()).unwrap_or(NONE)).collect();
    let mut own: Vec<Box<[(u32, u32)]>> = vec![Box::default(); count as usize];
    let mut ready: Vec<u32> = (0..count).rev().filter(|one| at(&waiting, *one, NONE) == 0).collect();
    let mut total = 0usize;
    let mut held = Vec::new();
    while let Some(node) = ready.pop() {
        held.clear();
        held.push((node, node + 1));
        for child in children.get(node) {
            held.extend_from_slice(own.get(*child as usize).map_or(&[], |ranges| ranges));
        }
        if held.len() > limits::COVER_RANGES_MAX {
            return Err(Tangled);
        }
        let merged = ranges::Ranges::of(held.clone());
        total += merged.ranges().len();
        if total > limits::COVER_RANGES_MAX {
            return Err(Tangled);
        }
        set(&mut own, node, merged.ranges().into());
        for parent in parents.get(node) {
            let left = at(&waiting, *parent, NONE).saturating_sub(1);
            set(&mut waiting, *parent, left);
            if left == 0 {
                ready.push(*parent);
            }
        }
    }
    let mut lists = Lists { ends: Vec::with_capacity(count as usize), items: Vec::with_capacity(total) };
    for ranges in own {
        lists.items.extend_from_slice(&ranges);
        lists.close().ok_or(Tangled)?;
    }
    Ok(lists)
}

#[cfg(test)]
mod tests;
