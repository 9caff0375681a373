//! A case against store and model: everything that the store says must be what the model says.

use super::{
    case::{Case, Change, Looked},
    coverage::Coverage,
    model::{Known, Model, Place, Version, is_narrowed},
    queries::Asked,
};
use crate::{
    Given, Method, Options, Page, ReadError, Snapshot, Store, limits,
    tests::world::{BASE, World, at, everything, kind},
    writer::prepare::{Action, Prepared},
};
use fhir::{LogicalId, ResourceType, VersionId};
use policy::Need;
use search::query::Total;
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    sync::Arc,
};

/// Where store and model differ.
#[derive(Debug, Clone)]
pub(super) struct Difference {
    /// Round in which it was asked.
    pub(super) round: usize,
    /// Which question of the round; `None`: something else than a search.
    pub(super) asked: Option<usize>,
    pub(super) what: String,
}

/// A continued search: its cursor, and where its last match stood.
struct Later {
    round: usize,
    asked: usize,
    cursor: String,
    after: Place,
    last: LogicalId,
}

/// Runs a case.
pub(super) fn check(case: &Case, coverage: &mut Coverage) -> Result<(), Difference> {
    let run = catch_unwind(AssertUnwindSafe(|| Run::new(case, coverage).all()));
    run.unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        Err(Difference { round: usize::MAX, asked: None, what: format!("a panic: {}", text.unwrap_or_default()) })
    })
}

fn opened(path: &Path, search: limits::Search) -> Store {
    let options = Options { base_url: BASE.into(), strict_audit: false };
    Store::open_given(path, Arc::clone(search::registry()), options, Given { secret: [7; 32], search }).unwrap()
}

struct Run<'a> {
    case: &'a Case,
    coverage: &'a mut Coverage,
    world: World,
    model: Model,
    /// Milliseconds that have passed.
    time: i64,
}

type Outcome = Result<(), String>;

/// Fails with both sides when they are not the same.
fn same<T: PartialEq + std::fmt::Debug>(what: &str, store: &T, model: &T) -> Outcome {
    if store == model { Ok(()) } else { Err(format!("{what}\n  store: {store:?}\n  model: {model:?}")) }
}

impl<'a> Run<'a> {
    fn new(case: &'a Case, coverage: &'a mut Coverage) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let store = Some(opened(directory.path(), case.limits));
        Self { case, coverage, world: World { directory, store }, model: Model::default(), time: 0 }
    }

    fn all(&mut self) -> Result<(), Difference> {
        let mut later: Vec<Later> = Vec::new();
        for (at, round) in self.case.rounds.iter().enumerate() {
            let general = |what| Difference { round: at, asked: None, what };
            if round.reopens {
                self.world.store = None;
                self.world.store = Some(opened(self.world.directory.path(), self.case.limits));
                self.coverage.saw("a store opened again");
            }
            self.change(&round.changes);
            let snapshot = self.world.store().snapshot(super::model::NOW);
            self.counters().map_err(general)?;
            for gone_on in later.drain(..) {
                let asked = &self.case.rounds[gone_on.round].asked[gone_on.asked];
                let told = |what| Difference { round: gone_on.round, asked: Some(gone_on.asked), what };
                self.goes_on(&snapshot, asked, &gone_on).map_err(told)?;
            }
            for (number, asked) in round.asked.iter().enumerate() {
                let told = |what| Difference { round: at, asked: Some(number), what };
                self.search(&snapshot, asked).map_err(told)?;
                if asked.goes_on_later {
                    later.extend(self.begun(&snapshot, asked, (at, number)));
                }
            }
            for looked in &round.looked {
                self.look(&snapshot, looked).map_err(general)?;
            }
        }
        Ok(())
    }

    /// Applies changes, up to two dozen different resources in each transaction.
    fn change(&mut self, changes: &[Change]) {
        let mut changes = changes.iter().peekable();
        while changes.peek().is_some() {
            let mut of_one: Vec<(&str, &LogicalId)> = Vec::new();
            let mut prepared = Vec::new();
            while let Some(change) =
                changes.next_if(|change| of_one.len() < 24 && !of_one.contains(&(change.of, &change.id)))
            {
                of_one.push((change.of, &change.id));
                prepared.push(self.prepared(change));
                self.note(change);
            }
            self.model.audited += prepared.len() as u64;
            // Some transactions share their millisecond: an update then keeps its place in time.
            let step = if prepared.len() % 2 == 0 { 0 } else { 4 };
            self.world.commit(prepared, self.time);
            self.time += step;
        }
    }

    fn prepared(&self, change: &Change) -> Prepared {
        let (kind, id) = (kind(change.of), change.id.clone());
        let action = match &change.becomes {
            None => Action::Delete { if_match: None },
            Some(values) => {
                let json = format!(r#"{{"resourceType":"{}"}}"#, change.of);
                let tree = fhir::json::Tree::parse(json.into_bytes()).unwrap();
                let template = fhir::stamp::Template::new(tree.root(), &id);
                let body = self.world.store().preparer().with_values(template, values, kind, &id);
                Action::Update { body, if_match: None, if_none_match_any: false, labels: crate::Labels::Given }
            }
        };
        Prepared { kind, id, permit: everything(), action }
    }

    /// The same in the model.
    fn note(&mut self, change: &Change) {
        let of = kind(change.of);
        let row = self.model.row(of, &change.id).map(|(row, _)| row);
        let last = row.and_then(|row| self.model.rows[row].versions.last()).cloned();
        let version = match (&change.becomes, last) {
            (None, None) => return,
            (None, Some(last)) if last.is_deletion => return,
            (None, Some(last)) => {
                self.coverage.saw("a deletion");
                Version { last_updated: at(self.time), values: last.values, is_deletion: true }
            }
            (Some(values), last) => {
                self.coverage.saw(match last {
                    None => "a creation",
                    Some(last) if last.is_deletion => "a creation after a deletion",
                    Some(_) => "an update",
                });
                Version { last_updated: at(self.time), values: values.clone(), is_deletion: false }
            }
        };
        match row {
            Some(row) => self.model.rows[row].versions.push(version),
            None => self.model.rows.push(Known { kind: of, id: change.id.clone(), versions: vec![version] }),
        }
    }

    fn counters(&mut self) -> Outcome {
        for (name, live) in self.model.live() {
            same(name, &self.world.store().live_resources(kind(name)).unwrap(), &live)?;
        }
        // What lies in the audit log is no resource of the engine, and still one of a search.
        let mut query = super::queries::whole("AuditEvent");
        query.total = Total::Accurate;
        let snapshot = self.world.store().snapshot(super::model::NOW);
        let (page, explanation) = snapshot.explain_under(everything().as_ref(), &query, None, "me");
        self.coverage.went(&explanation);
        match page {
            Ok(page) => same("audit events", &page.total, &Some(self.model.audited)),
            Err(error) => self.refused(&error),
        }
    }

    /// A search that cost too much is no difference where little is allowed.
    fn refused(&mut self, error: &ReadError) -> Outcome {
        let tight = self.case.limits.keys_max < limits::SEARCH_KEYS_MAX;
        if tight && matches!(error, ReadError::TooCostly(_)) {
            self.coverage.saw("a search refused as too costly");
            return Ok(());
        }
        Err(format!("the store refuses: {error:?}"))
    }

    fn page(
        &mut self,
        snapshot: &Snapshot,
        asked: &Asked,
        total: Total,
        cursor: Option<&str>,
    ) -> Result<Page, ReadError> {
        let (page, explanation) = snapshot.explain_under(asked.permit.as_ref(), &asked.query(total), cursor, "me");
        self.coverage.went(&explanation);
        page
    }

    fn search(&mut self, snapshot: &Snapshot, asked: &Asked) -> Outcome {
        self.coverage.asked(asked);
        let model = std::mem::take(&mut self.model);
        let outcome = self.search_of(snapshot, asked, &model);
        self.model = model;
        outcome
    }

    fn search_of(&mut self, snapshot: &Snapshot, asked: &Asked, model: &Model) -> Outcome {
        let expected = model.found(asked);
        for total in [Total::Accurate, Total::WhenKnown, Total::None, Total::Estimate] {
            // Pages are walked with each, but for two kinds of total one page tells all.
            let every_page = matches!(total, Total::Accurate | Total::WhenKnown);
            if let Err(error) = self.walk(snapshot, asked, total, (model, &expected), every_page)? {
                self.refused(&error)?;
            }
        }
        let counted = Asked { count: 0, ..asked.clone() };
        match self.page(snapshot, &counted, Total::None, None) {
            Ok(page) => {
                same("a count", &(page.matches.len(), page.next.is_some()), &(0, false))?;
                same("the total of a count", &page.total, &Some(expected.len() as u64))
            }
            Err(error) => self.refused(&error),
        }
    }

    fn walk(
        &mut self,
        snapshot: &Snapshot,
        asked: &Asked,
        total: Total,
        (model, expected): (&Model, &[(Place, &Known)]),
        every_page: bool,
    ) -> Result<Result<(), ReadError>, String> {
        let whole = expected.len() as u64;
        let mut rest = expected;
        let mut cursor: Option<String> = None;
        loop {
            let page = match self.page(snapshot, asked, total, cursor.as_deref()) {
                Ok(page) => page,
                Err(error) => return Ok(Err(error)),
            };
            let (due, after) = rest.split_at(asked.count.min(rest.len()));
            self.one_page(model, asked, &page, due)?;
            same("whether a page follows", &page.next.is_some(), &!after.is_empty())?;
            let is_whole = cursor.is_none() && page.next.is_none();
            let told = match total {
                Total::Accurate => Some(whole),
                Total::Estimate if page.total.is_none() && self.case.limits.keys_max < limits::SEARCH_KEYS_MAX => None,
                Total::Estimate => Some(whole),
                _ if is_whole => Some(whole),
                _ if is_narrowed(asked) => None,
                _ => page.total.map(|_| whole),
            };
            same("the total", &page.total, &told)?;
            rest = after;
            cursor = page.next;
            if cursor.is_none() || !every_page {
                return Ok(Ok(()));
            }
        }
    }

    fn one_page(&mut self, model: &Model, asked: &Asked, page: &Page, due: &[(Place, &Known)]) -> Outcome {
        let names = |found: &[crate::Found]| -> Vec<(ResourceType, LogicalId)> {
            found.iter().map(|found| (found.resource_type, found.id.clone())).collect()
        };
        let expected: Vec<_> = due.iter().map(|(_, known)| (known.kind, known.id.clone())).collect();
        same("the matches of a page", &names(&page.matches), &expected)?;
        for (found, (_, known)) in page.matches.iter().zip(due) {
            let version = known.versions.last().map(|version| (known.versions.len() as u32, version.last_updated));
            same("the version", &Some((found.version.number(), found.last_updated)), &version)?;
        }
        let included = model.included(asked, due);
        if !included.is_empty() {
            self.coverage.saw("something included");
        }
        same("what goes along", &names(&page.included), &included)
    }

    /// The first page of a search that goes on when the store has changed.
    fn begun(&mut self, snapshot: &Snapshot, asked: &Asked, (round, number): (usize, usize)) -> Option<Later> {
        let page = self.page(snapshot, asked, Total::None, None).ok()?;
        let (cursor, last) = (page.next?, page.matches.last()?.id.clone());
        let after = self.model.found(asked).into_iter().find(|(_, known)| known.id == last)?.0;
        Some(Later { round, asked: number, cursor, after, last })
    }

    /// Its second page: what now stands after the place where the first one ended.
    fn goes_on(&mut self, snapshot: &Snapshot, asked: &Asked, later: &Later) -> Outcome {
        let model = self.model.clone();
        let expected: Vec<_> = model.found(asked).into_iter().filter(|(place, _)| *place > later.after).collect();
        let gone = model.row(kind(asked.of), &later.last).is_none_or(|(_, known)| known.live().is_none());
        self.coverage.saw(if gone { "a cursor at a deleted match" } else { "a cursor over a change" });
        let page = match self.page(snapshot, asked, Total::None, Some(&later.cursor)) {
            Ok(page) => page,
            Err(error) => return self.refused(&error),
        };
        let (due, after) = expected.split_at(asked.count.min(expected.len()));
        self.one_page(&model, asked, &page, due)?;
        same("whether a page follows", &page.next.is_some(), &!after.is_empty())
    }

    /// Read, every version by its number, and the history page by page.
    fn look(&mut self, snapshot: &Snapshot, looked: &Looked) -> Outcome {
        let (of, permit) = (kind(looked.of), looked.permit.as_ref());
        let model = self.model.clone();
        let known = model.row(of, &looked.id).map(|(_, known)| known);
        let versions = known.map_or(&[][..], |known| known.versions.as_slice());
        let sees = |version: &Version| known.is_some_and(|known| model.covers(permit, Need::Read, known, version));
        let said = |version: Option<(usize, &Version)>| match version {
            None => "not found".to_owned(),
            Some((_, version)) if !sees(version) => "not found".to_owned(),
            Some((_, version)) if version.is_deletion => "gone".to_owned(),
            Some((at, _)) => format!("version {}", at + 1),
        };
        let says = |answer: Result<crate::Found, ReadError>| match answer {
            Ok(found) => format!("version {}", found.version.number()),
            Err(ReadError::NotFound) => "not found".to_owned(),
            Err(ReadError::Gone) => "gone".to_owned(),
            Err(error) => format!("{error:?}"),
        };
        let newest = versions.iter().enumerate().next_back();
        self.coverage.saw(match said(newest).as_str() {
            "not found" => "a read that finds nothing",
            "gone" => "a read of what is gone",
            _ => "a read",
        });
        same("a read", &says(snapshot.read_under(permit, of, &looked.id)), &said(newest))?;
        for number in 1..=versions.len() + 1 {
            let version = versions.get(number - 1).map(|version| (number - 1, version));
            let asked = VersionId::new(u32::try_from(number).unwrap()).unwrap();
            same("a vread", &says(snapshot.vread_under(permit, of, &looked.id, asked)), &said(version))?;
        }
        let seen: Vec<(u32, bool)> = versions
            .iter()
            .enumerate()
            .rev()
            .filter(|(_, version)| sees(version))
            .map(|(at, version)| (at as u32 + 1, version.is_deletion))
            .collect();
        let (mut found, mut cursor) = (Vec::new(), None::<String>);
        loop {
            match snapshot.history_under(permit, of, &looked.id, looked.count, cursor.as_deref()) {
                Ok(page) => {
                    same("the total of a history", &page.total, &(seen.len() as u64))?;
                    let one = |found: &crate::Found| (found.version.number(), found.method == Method::Delete);
                    found.extend(page.versions.iter().map(one));
                    cursor = page.next;
                }
                Err(ReadError::NotFound) => break,
                Err(error) => return Err(format!("history: {error:?}")),
            }
            if cursor.is_none() {
                break;
            }
        }
        if seen.len() > looked.count {
            self.coverage.saw("a history over several pages");
        }
        same("a history", &found, &seen)
    }
}
