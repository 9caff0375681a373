//! `_include` and `_revinclude`: what goes along with a page, each once, each under its own permit
//! for reading. SPEC: R4 search.html#include; row F2.

use super::{Budget, account::Shape};
use crate::{
    ReadError,
    engine::{
        Space,
        key::{self, Row},
        record::Damaged,
    },
    reader::{Covers, Reader, Stored},
};
use fhir::{LogicalId, ResourceType};
use policy::{Access, Need};
use search::{Values, encoded::EncodedValues, query::Include, query::Query};
use std::collections::HashSet;

/// The resources that go along with these matches, in the order in which they are met.
pub(crate) fn included(
    reader: &Reader,
    permit: &dyn Covers,
    query: &Query,
    matches: &[Stored],
    budget: &Budget,
) -> Result<Vec<Stored>, ReadError> {
    let mut gathered = Gathered {
        reader,
        permit,
        budget,
        seen: matches.iter().map(|stored| (stored.kind, stored.row)).collect(),
        found: Vec::new(),
    };
    let note = |shape| budget.account.note(query.resource_type, shape);
    if !query.includes.is_empty() && !matches.is_empty() {
        note(Shape::IncludedTargets);
    }
    if !query.revincludes.is_empty() && !matches.is_empty() {
        note(Shape::IncludedReferrers);
    }
    for stored in matches {
        for include in query.includes.iter().filter(|include| include.source == stored.kind) {
            gathered.targets(stored, include)?;
        }
        for include in &query.revincludes {
            gathered.referrers(stored, include)?;
        }
    }
    Ok(gathered.found)
}

struct Gathered<'a> {
    reader: &'a Reader,
    permit: &'a dyn Covers,
    budget: &'a Budget,
    seen: HashSet<(ResourceType, Row)>,
    found: Vec<Stored>,
}

impl Gathered<'_> {
    fn targets(&mut self, stored: &Stored, include: &Include) -> Result<(), ReadError> {
        let mut targets = Vec::new();
        EncodedValues::new(stored.values()?).any(include.parameter, &mut |value| {
            if let search::ValueRef::Reference { target: Some((kind, id)), .. } = value
                && include.target.is_none_or(|wanted| wanted == kind)
            {
                targets.push((kind, id.to_owned()));
            }
            false
        });
        for (kind, id) in targets {
            if *self.permit.access(kind, Need::Read) == Access::Nothing {
                continue;
            }
            if let Some(place) = self.reader.place(kind, &id)?.filter(|place| !place.deleted) {
                self.add(kind, place.row)?;
            }
        }
        Ok(())
    }

    fn referrers(&mut self, stored: &Stored, include: &Include) -> Result<(), ReadError> {
        if include.target.is_some_and(|target| target != stored.kind)
            || *self.permit.access(include.source, Need::Read) == Access::Nothing
        {
            return Ok(());
        }
        let id = LogicalId::parse(stored.head()?.id).map_err(|_| Damaged("id"))?;
        let prefix = self.reader.referrers(include.source, include.parameter, (stored.kind, &id));
        let mut keys = self.reader.view.prefix(Space::Index, &prefix)?;
        while let Some(key) = keys.next_key()? {
            self.budget.key()?;
            self.add(include.source, key::row_of(&key).ok_or(Damaged("index key"))?)?;
        }
        Ok(())
    }

    fn add(&mut self, kind: ResourceType, row: Row) -> Result<(), ReadError> {
        if !self.seen.insert((kind, row)) {
            return Ok(());
        }
        self.budget.load()?;
        let Some(stored) = self.reader.current(kind, row)? else { return Ok(()) };
        if self.reader.covers(self.permit.access(kind, Need::Read), &stored)? {
            if self.found.len() >= self.reader.search.included_max {
                return Err(ReadError::TooCostly("it includes too many resources; ask for fewer a page"));
            }
            self.found.push(stored);
        }
        Ok(())
    }
}
