//! Slicing: which slice a repeat belongs to, how many each has, their order.
//! SPEC: R4 profiling.html#slicing; reslices ("slice/reslice") are slices of a slice.

use super::discriminator::Verdict;
use super::shape::{Active, ActiveSet, SlicingRules};
use crate::finding::Place;
use crate::walk::{Inside, Walk};
use fhir::element::Element;
use fhir::issue::{Issue, IssueType, Severity};
use smallvec::SmallVec;

/// The counts of one sliced element (or resliced slice) of one object.
pub(crate) struct Tally<'t> {
    sliced: Active<'t>,
    counts: SmallVec<[u32; 6]>,
    /// Some repeats could not be told.
    unknown: bool,
    /// The slice of the repeat before this one.
    last: Option<usize>,
    /// A repeat of no slice was there.
    other: bool,
}

pub(crate) type Tallies<'t> = SmallVec<[Tally<'t>; 2]>;

impl<'t> Walk<'t> {
    /// Adds the slice that an element belongs to, and its reslice, to the nodes that apply to it.
    pub(crate) fn sort_into(
        &mut self,
        sliced: Active<'t>,
        element: Element<'t>,
        active: &mut ActiveSet<'t>,
        tallies: &mut Tallies<'t>,
        inside: &Inside<'_, 't>,
        place: &Place<'_>,
    ) {
        let Some(slicing) = &sliced.node().slicing else { return };
        let at = match tallies.iter().position(|tally| tally.sliced.is(sliced)) {
            Some(at) => at,
            None => {
                let counts = SmallVec::from_elem(0, slicing.slices.len());
                tallies.push(Tally { sliced, counts, unknown: false, last: None, other: false });
                tallies.len() - 1
            }
        };
        let mut found = None;
        let mut unknown = false;
        for (index, slice) in slicing.slices.iter().enumerate() {
            match self.belongs(element, &slice.tests, inside) {
                Verdict::Yes => {
                    found = Some((index, slice));
                    break;
                }
                Verdict::Unknown => unknown = true,
                Verdict::No => {}
            }
        }
        let Some(tally) = tallies.get_mut(at) else { return };
        let offset = element.value.or(element.companion).map_or(0, |value| value.span().start);
        let Some((index, slice)) = found else {
            tally.unknown |= unknown;
            tally.other = true;
            if slicing.rules == SlicingRules::Closed && !slicing.slices.is_empty() {
                let names: Vec<&str> = slicing.slices.iter().map(|slice| slice.name).collect();
                let text = format!(
                    "{} is one of the slices {}; found none of them ({})",
                    sliced.id(),
                    names.join(", "),
                    sliced.profile()
                );
                let issue = Issue::error(IssueType::Structure, text);
                let severity = if unknown { Severity::Warning } else { Severity::Error };
                self.findings.add_at(Issue { severity, ..issue }, place, offset);
            }
            return;
        };
        if let Some(count) = tally.counts.get_mut(index) {
            *count += 1;
        }
        let disordered = slicing.is_ordered && tally.last.is_some_and(|last| last > index);
        let after_other = slicing.rules == SlicingRules::OpenAtEnd && tally.other;
        tally.last = Some(index);
        let slice_node = sliced.at(slice.node);
        active.push(slice_node);
        if disordered || after_other {
            let wanted = if disordered { "in the order of the profile" } else { "before all others" };
            let text = format!("{} stands {wanted}; found it later ({})", slice_node.id(), sliced.profile());
            self.findings.add_at(Issue::error(IssueType::Structure, text), place, offset);
        }
        self.sort_into(slice_node, element, active, tallies, inside, place);
    }

    /// The counts of slices, once all repeats of an element are known. `place`: the element without index.
    pub(crate) fn check_tallies(&mut self, tallies: &Tallies<'t>, place: &Place<'_>, offset: usize) {
        for tally in tallies {
            let Some(slicing) = &tally.sliced.node().slicing else { continue };
            for (slice, count) in slicing.slices.iter().zip(&tally.counts) {
                let active = tally.sliced.at(slice.node);
                let node = active.node();
                if *count < node.min {
                    let text = format!(
                        "{} has {count} repeats: expected at least {} ({})",
                        active.id(),
                        node.min,
                        active.profile()
                    );
                    let issue = Issue::error(IssueType::Required, text);
                    let unsure = tally.unknown || slice.tests.is_empty();
                    let severity = if unsure { Severity::Warning } else { Severity::Error };
                    self.findings.add_at(Issue { severity, ..issue }, place, offset);
                } else if *count > node.max {
                    let text = format!(
                        "{} has {count} repeats: expected at most {} ({})",
                        active.id(),
                        node.max,
                        active.profile()
                    );
                    self.findings.add_at(Issue::error(IssueType::Structure, text), place, offset);
                }
            }
        }
    }
}
