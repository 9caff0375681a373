//! Search parameters that packages added: which there are, how far each is indexed.
//!
//! What is wanted comes from outside ([`crate::Store::set_parameters`]); what was done is in `meta`,
//! in the same batches as the keys themselves. Each has a number that is never given to another.
//! INVARIANT: no search, grant or condition is answered by one that is not ready: it would be
//! answered short, or, negated, too wide.

use crate::{
    engine::{Batch, Fault, Space, View},
    reader::Covers,
};
use fhir::ResourceType;
use policy::{Access, Need};
use search::{
    ParameterId, Predicate, Query, Registry,
    added::{self, Added, Definition},
    query::SortKey,
};
use std::sync::Arc;

const PREFIX: &[u8] = b"parameter/";
const NEXT: &[u8] = b"next-parameter";

/// How far a parameter is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum State {
    /// Resources up to the position have its values and keys; those written since as well.
    Building(Position),
    /// All have.
    Ready,
    /// Resources up to the position have none of its values and keys any more.
    Removing(Position),
}

/// How far an indexer has come: all of `current` first, then all of `history`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) struct Position {
    pub(crate) space: Phase,
    /// The last key done; empty at the start.
    pub(crate) after: Vec<u8>,
    /// Records looked at so far, for people.
    pub(crate) done: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) enum Phase {
    #[default]
    Current,
    History,
}

impl Phase {
    pub(crate) const fn space(self) -> Space {
        match self {
            Self::Current => Space::Current,
            Self::History => Space::History,
        }
    }
}

impl Position {
    /// Whether `other` is further on.
    pub(crate) fn is_before(&self, other: &Self) -> bool {
        (self.space, &self.after) < (other.space, &other.after)
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Known {
    pub(crate) id: ParameterId,
    pub(crate) definition: Definition,
    pub(crate) state: State,
}

impl Known {
    fn is_removed(&self) -> bool {
        matches!(self.state, State::Removing(_))
    }

    /// What is left to be done.
    pub(crate) fn position(&self) -> Option<&Position> {
        match &self.state {
            State::Building(position) | State::Removing(position) => Some(position),
            State::Ready => None,
        }
    }
}

/// The added parameters at one moment, and the registry that knows them.
#[derive(Debug, Clone)]
pub(crate) struct Parameters {
    pub(crate) registry: Arc<Registry>,
    pub(crate) known: Vec<Known>,
    next: u16,
}

/// How far a search parameter of a package is indexed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Indexed {
    /// Resources, then past versions, are looked at one by one.
    Building {
        /// Versions looked at so far.
        done: u64,
        /// About how many percent of the work is done.
        percent: u8,
    },
    /// Searches by it are answered.
    Ready,
    /// Its package is gone and its keys are being removed.
    Removing {
        /// As above.
        done: u64,
        /// As above.
        percent: u8,
    },
}

/// A search parameter that a package added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParameterStatus {
    /// Canonical URL.
    pub url: String,
    /// Name in the query string.
    pub code: String,
    /// Types it searches.
    pub base: Vec<String>,
    /// How far it is.
    pub indexed: Indexed,
}

/// A search parameter that is not ready; the text is public.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NotIndexed(pub(crate) String);

impl Parameters {
    /// Reads them.
    pub(crate) fn load(view: &View, base: &Arc<Registry>) -> Result<Self, Fault> {
        let mut known = Vec::new();
        let mut pairs = view.prefix(Space::Meta, PREFIX)?;
        let damaged = || Fault("a damaged search parameter in meta".into());
        while let Some((key, value)) = pairs.next_pair()? {
            let id = key.strip_prefix(PREFIX).and_then(|id| id.first_chunk::<2>()).ok_or_else(damaged)?;
            let id = ParameterId(u16::from_be_bytes(*id));
            let (state, definition) = decode(&value).ok_or_else(damaged)?;
            known.push(Known { id, definition, state });
        }
        let next = view.value(Space::Meta, NEXT)?;
        let next = next.and_then(|next| next.first_chunk::<2>().map(|next| u16::from_be_bytes(*next)));
        let none = Self { registry: Arc::clone(base), known: Vec::new(), next: next.unwrap_or(added::FIRST) };
        Ok(if known.is_empty() { none } else { none.with(known) })
    }

    /// With these, and the registry that follows.
    pub(crate) fn with(&self, known: Vec<Known>) -> Self {
        let added: Vec<Added> = known
            .iter()
            .map(|one| Added { id: one.id, definition: one.definition.clone(), retired: one.is_removed() })
            .collect();
        let registry = Arc::new(Registry::with(self.registry.schema(), &added));
        Self { registry, known, next: self.next }
    }

    /// With other states of the same parameters.
    pub(crate) fn with_states(&self, known: Vec<Known>) -> Self {
        Self { registry: Arc::clone(&self.registry), known, next: self.next }
    }

    /// What they become when these are wanted; `None` when nothing changes.
    pub(crate) fn wanting(&self, wanted: &[Definition]) -> Result<Option<Self>, Fault> {
        let mut next = self.next;
        let mut changed = false;
        let mut known = self.known.clone();
        for one in &mut known {
            let is_wanted = wanted.contains(&one.definition);
            if is_wanted == one.is_removed() {
                let start = Position::default();
                one.state = if is_wanted { State::Building(start) } else { State::Removing(start) };
                changed = true;
            }
        }
        for definition in wanted {
            if !known.iter().any(|one| one.definition == *definition) {
                if next == u16::MAX {
                    return Err(Fault("the numbers of search parameters are used up: restore into a new store".into()));
                }
                let state = State::Building(Position::default());
                known.push(Known { id: ParameterId(next), definition: definition.clone(), state });
                next += 1;
                changed = true;
            }
        }
        Ok(changed.then(|| Self { next, ..self.with(known) }))
    }

    /// As they are when everything was indexed anew with this registry.
    pub(crate) fn rebuilt(&self) -> Self {
        let stay = self.known.iter().filter(|one| !one.is_removed());
        let known: Vec<_> = stay.map(|one| Known { state: State::Ready, ..one.clone() }).collect();
        self.with(known)
    }

    /// Writes what differs from before.
    pub(crate) fn write(&self, before: &Self, batch: &mut Batch<'_>) {
        for one in &before.known {
            if !self.known.iter().any(|now| now.id == one.id) {
                batch.remove(Space::Meta, &key(one.id));
            }
        }
        for one in &self.known {
            let was = before.known.iter().find(|was| was.id == one.id);
            if was.is_none_or(|was| was.state != one.state) {
                batch.put(Space::Meta, &key(one.id), &encode(one));
            }
        }
        if self.next != before.next {
            batch.put(Space::Meta, NEXT, &self.next.to_be_bytes());
        }
    }

    /// Whether something is left to be done.
    pub(crate) fn is_busy(&self) -> bool {
        self.known.iter().any(|one| one.state != State::Ready)
    }

    /// Whether searches by it are answered.
    pub(crate) fn is_ready(&self, id: ParameterId) -> bool {
        !id.is_added() || self.known.iter().any(|one| one.id == id && one.state == State::Ready)
    }

    fn ready(&self, id: ParameterId) -> Result<(), NotIndexed> {
        if self.is_ready(id) {
            return Ok(());
        }
        Err(NotIndexed(match self.known.iter().find(|one| one.id == id) {
            Some(Known { definition, state: State::Building(position), .. }) => format!(
                "the search parameter '{}' was added and is being indexed ({}); without it this search can be \
                 answered now, with it when that is done",
                definition.code,
                position.words()
            ),
            Some(Known { definition, .. }) => {
                format!("the search parameter '{}' was removed with its package", definition.code)
            }
            None => "a search parameter that this asks for was removed with its package".into(),
        }))
    }

    /// Whether a predicate can be answered.
    pub(crate) fn answers(&self, predicate: &Predicate) -> Result<(), NotIndexed> {
        let mut answered = Ok(());
        predicate.asks(&mut |parameter| {
            answered = self.ready(parameter);
            answered.is_err()
        });
        answered
    }

    /// Whether a permit can be held against resources of this type.
    pub(crate) fn holds(&self, permit: &dyn Covers, kind: ResourceType, need: Need) -> Result<(), NotIndexed> {
        match permit.access(kind, need) {
            Access::Where(grant) if permit.asks_added() => self.answers(grant),
            Access::Where(_) | Access::Everything | Access::Nothing => Ok(()),
        }
    }

    /// Whether a predicate can be answered under a permit, on the types that it joins too.
    pub(crate) fn answers_under(
        &self,
        permit: &dyn Covers,
        kind: ResourceType,
        predicate: &Predicate,
    ) -> Result<(), NotIndexed> {
        self.holds(permit, kind, Need::Search)?;
        self.answers(predicate)?;
        let mut joined = Vec::new();
        crate::transaction::joined_types(predicate, &mut joined);
        joined.into_iter().try_for_each(|kind| self.holds(permit, kind, Need::Search))
    }

    /// Whether a search can be answered under a permit: order and what goes along, too.
    pub(crate) fn answers_query(&self, permit: &dyn Covers, query: &Query) -> Result<(), NotIndexed> {
        self.answers_under(permit, query.resource_type, &query.predicate)?;
        for key in &query.sort {
            if let SortKey::Parameter(parameter, _) = key {
                self.ready(*parameter)?;
            }
        }
        let mut includes = query.includes.iter().chain(&query.revincludes).peekable();
        if includes.peek().is_some() {
            includes.try_for_each(|include| self.ready(include.parameter))?;
            ResourceType::all().try_for_each(|kind| self.holds(permit, kind, Need::Read))?;
        }
        Ok(())
    }
}

impl Position {
    fn words(&self) -> &'static str {
        match self.space {
            Phase::Current => "current versions first",
            Phase::History => "past versions are left",
        }
    }
}

fn key(id: ParameterId) -> Vec<u8> {
    [PREFIX, &id.0.to_be_bytes()].concat()
}

/// `state(1) phase(1) done(8) length(1) key definition`.
fn encode(known: &Known) -> Vec<u8> {
    let nowhere = Position::default();
    let (state, position) = match &known.state {
        State::Building(position) => (1, position),
        State::Ready => (2, &nowhere),
        State::Removing(position) => (3, position),
    };
    let mut out = vec![state, u8::from(position.space == Phase::History)];
    out.extend_from_slice(&position.done.to_be_bytes());
    // INVARIANT: keys of versions have 10 or 14 bytes.
    out.push(u8::try_from(position.after.len()).unwrap_or(0));
    out.extend_from_slice(&position.after);
    out.extend_from_slice(known.definition.to_text().as_bytes());
    out
}

fn decode(value: &[u8]) -> Option<(State, Definition)> {
    let ([state, phase], rest) = value.split_first_chunk::<2>()?;
    let (done, rest) = rest.split_first_chunk::<8>()?;
    let (length, rest) = rest.split_first()?;
    let (after, definition) = rest.split_at_checked(usize::from(*length))?;
    let space = match phase {
        0 => Phase::Current,
        1 => Phase::History,
        _ => return None,
    };
    let position = Position { space, after: after.to_vec(), done: u64::from_be_bytes(*done) };
    let state = match state {
        1 => State::Building(position),
        2 => State::Ready,
        3 => State::Removing(position),
        _ => return None,
    };
    Some((state, Definition::parse(std::str::from_utf8(definition).ok()?)?))
}

impl From<NotIndexed> for crate::ReadError {
    fn from(error: NotIndexed) -> Self {
        Self::NotIndexed(error.0)
    }
}

impl From<NotIndexed> for crate::CommitError {
    fn from(error: NotIndexed) -> Self {
        Self::NotIndexed(error.0)
    }
}

impl Known {
    /// As it is told; `all`: about how many versions there are.
    pub(crate) fn status(&self, all: u64) -> ParameterStatus {
        let percent = |position: &Position| {
            let percent = position.done.saturating_mul(100) / all.max(1);
            u8::try_from(percent.min(99)).unwrap_or(99)
        };
        ParameterStatus {
            url: self.definition.url.clone(),
            code: self.definition.code.clone(),
            base: self.definition.base.clone(),
            indexed: match &self.state {
                State::Building(position) => Indexed::Building { done: position.done, percent: percent(position) },
                State::Ready => Indexed::Ready,
                State::Removing(position) => Indexed::Removing { done: position.done, percent: percent(position) },
            },
        }
    }
}
