//! Guarded worlds: twin worlds whose difference is hidden by anything that hides: another patient, a relation that ended
//! or is not there, a Consent, a label, a rule of the facility, an expired coverage, for callers of every kind.
//!
//! Who may see what is known here by [`sight`], which judges plain JSON and shares nothing with the code under test. A
//! change of one world counts when nothing that the caller sees differs by it. So worlds also differ in what decides:
//! a Consent that is itself withheld, a CareTeam of a patient whom nobody sees, a Coverage of another payer.
//!
//! A pair of worlds is asked several sequences, each with a token of its own; the last of them writes. What a caller
//! writes is such that no view rests on it, or goes at what is hidden: who may write down a Consent, or who treats
//! whom, changes views by right (docs/access.md).

mod ask;
mod caller;
mod content;
mod sight;

use super::{
    Tally,
    ask::Ask,
    compare::{self, Labels},
    memory::Memory,
};
use crate::{Reply, Server, dice::Dice};
use ask::Asker;
use caller::{Kind, Who};
use serde_json::{Value, json};
use sight::Sight;
use std::{
    cell::Cell,
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
    sync::Arc,
};
use store::{Given, limits};

/// Sequences that one pair of worlds is asked.
pub const SEQUENCES: usize = 8;

/// Requests of a sequence.
const REQUESTS: (usize, usize) = (12, 26);

/// Changes that are tried to tell the worlds apart.
const CHANGES: usize = 14;

/// Seconds after the start of the day at which callers begin to ask.
const ASKS_BEGIN_S: i64 = 3600;

/// Runs of a case while it is made smaller: a run takes some 100 ms in a release build, ten times that in a debug one.
const RUNS_MAX: usize = if cfg!(debug_assertions) { 40 } else { 600 };

/// What happens to the resource of a moment in one world.
#[derive(Debug, Clone, PartialEq)]
enum Event {
    Nothing,
    Put(Value),
    Delete,
}

/// A moment: the clock moves, then each world changes.
#[derive(Debug, Clone)]
struct Moment {
    kind: &'static str,
    id: String,
    after_s: i64,
    events: [Event; 2],
}

type Name = (String, String);

impl Moment {
    fn name(&self) -> Name {
        (self.kind.to_owned(), self.id.clone())
    }

    fn differs(&self) -> bool {
        self.events[0] != self.events[1]
    }
}

/// What a caller can come to know of one resource: its place, and number, moment and content of each version that is
/// seen. Of a deletion: what it ended.
#[derive(Debug, PartialEq)]
struct Known {
    first: usize,
    versions: Vec<(usize, usize, Value, bool)>,
    ends_hidden: bool,
}

/// Something that hides, which a server with a fault forgets: does the proof find it?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Forgets {
    /// Consents are not asked.
    Consents,
    /// Labels withhold nothing.
    Labels,
    /// The rules of the facility do not hold.
    Rules,
    /// Clinicians see everybody.
    Relations,
    /// An organization's purpose, a person's role and a system's standing count for nothing.
    Who,
}

impl Forgets {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Consents, Self::Labels, Self::Rules, Self::Relations, Self::Who];
}

/// Two worlds, a caller, and sequences of requests.
#[derive(Debug, Clone)]
pub struct Guarded {
    forgets: Option<Forgets>,
    seed: u64,
    who: Who,
    small: bool,
    moments: Vec<Moment>,
    sequences: Vec<Vec<Ask>>,
}

/// The first request whose answers differ.
struct Difference {
    sequence: usize,
    at: usize,
    text: String,
}

impl Guarded {
    /// The case of a seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let mut dice = Dice::new(seed ^ 0x6775_6172_6465_6400);
        let who = Who::roll(&mut dice);
        let mut moments = moments(&mut dice, &who);
        let small = dice.chance(60);
        part(&mut dice, &who, &mut moments);
        let marked: Vec<Name> = moments.iter().filter(|one| one.differs()).map(Moment::name).collect();
        let [one, two] = [0, 1].map(|world| known(&who, &moments, world));
        let names: BTreeSet<Name> = moments.iter().map(Moment::name).collect();
        let is_hidden =
            |known: &BTreeMap<Name, Known>, name: &Name| known.get(name).is_none_or(|one| one.versions.is_empty());
        let hidden = names.iter().filter(|name| is_hidden(&one, name) && is_hidden(&two, name)).cloned().collect();
        let mut uneven: Vec<String> = Vec::new();
        for moment in moments.iter().filter(|moment| moment.differs()) {
            if moment.kind == "Patient" {
                uneven.push(moment.id.clone());
            }
            for event in &moment.events {
                if let Event::Put(one) = event {
                    uneven.extend(sight::subject(one).and_then(|it| it.strip_prefix("Patient/").map(str::to_owned)));
                }
            }
            if matches!(moment.kind, "Provenance" | "Person") {
                uneven.extend(content::PATIENTS.map(str::to_owned));
            }
        }
        let asker = Asker { who: &who, marked, hidden, uneven };
        let sequences = (0..SEQUENCES)
            .map(|at| {
                let writes = at + 1 == SEQUENCES && who.writes();
                let count = REQUESTS.0 + dice.below(REQUESTS.1 - REQUESTS.0);
                (0..count).map(|_| asker.roll(&mut dice, writes)).collect()
            })
            .collect();
        Self { forgets: None, seed, who, small, moments, sequences }
    }

    /// The same before servers that forget something.
    #[must_use]
    pub fn forgetting(mut self, forgets: Forgets) -> Self {
        self.forgets = Some(forgets);
        self
    }

    /// Whether the worlds are told apart; not made smaller.
    #[must_use]
    pub fn differs(&self) -> bool {
        self.run(&mut Tally::default()).is_some()
    }

    /// Runs all sequences; a difference comes made small, in words.
    ///
    /// # Errors
    /// The shortest case found whose answers differ.
    pub fn check(&self) -> Result<Tally, String> {
        let mut tally = Tally::default();
        match self.run(&mut tally) {
            None => Ok(tally),
            Some(_) => Err(report(&smallest(self))),
        }
    }

    /// Whether the service answers reads of everything as the reference says, in both worlds: how many were asked, and
    /// how many of them are seen.
    ///
    /// # Errors
    /// What it says otherwise.
    pub fn check_sight(&self) -> Result<[usize; 2], String> {
        let [mut compared, mut shown] = [0, 0];
        if matches!(self.who.kind, Kind::Nobody | Kind::Deidentified) {
            return Ok([0, 0]);
        }
        for world in [0, 1] {
            let mut asked = World::new(self, world);
            asked.begin(&self.who);
            let known = known(&self.who, &self.moments, world);
            let names: BTreeSet<Name> = self.moments.iter().map(Moment::name).collect();
            for name in names {
                let plain = super::ask::Plain::get(format!("{}/{}", name.0, name.1));
                let reply = asked.send(&self.who, &plain);
                let wanted = known.get(&name).is_some_and(|known| {
                    !known.ends_hidden && known.versions.last().is_some_and(|(.., deleted)| !deleted)
                });
                compared += 1;
                shown += usize::from(wanted);
                if (reply.status == 200) != wanted {
                    let mut text = format!(
                        "seed {}, world {world}: {}/{} is answered {}, the reference says {wanted}\n{:?}\n",
                        self.seed, name.0, name.1, reply.status, self.who
                    );
                    for one in self.contents(world) {
                        let _ = writeln!(text, "{one}");
                    }
                    return Err(text);
                }
            }
        }
        Ok([compared, shown])
    }

    fn contents(&self, world: usize) -> Vec<Value> {
        let mut now: BTreeMap<Name, Value> = BTreeMap::new();
        for moment in &self.moments {
            match &moment.events[world] {
                Event::Nothing => {}
                Event::Put(one) => drop(now.insert(moment.name(), one.clone())),
                Event::Delete => drop(now.remove(&moment.name())),
            }
        }
        now.into_values().collect()
    }

    fn is_fair(&self) -> bool {
        known(&self.who, &self.moments, 0) == known(&self.who, &self.moments, 1)
    }

    fn run(&self, tally: &mut Tally) -> Option<Difference> {
        let [mut one, mut two] = [0, 1].map(|which| World::new(self, which));
        tally.hidden += self.moments.iter().filter(|moment| moment.differs()).count();
        *tally.kinds.entry(format!("{:?}", self.who.kind)).or_default() += self.sequences.len();
        for (sequence, asks) in self.sequences.iter().enumerate() {
            tally.sequences += 1;
            let mut labels = [Labels::default(), Labels::default()];
            one.begin(&self.who);
            two.begin(&self.who);
            for (at, ask) in asks.iter().enumerate() {
                let text = match (one.ask(&self.who, ask), two.ask(&self.who, ask)) {
                    (None, None) => None,
                    (Some(ours), Some(theirs)) => {
                        *tally.statuses.entry(ours.status).or_default() += 1;
                        if let Ask::Send(plain) = ask
                            && ours.status == 200
                        {
                            tally.forms.extend(plain.forms());
                        }
                        compare::difference(&ours, &theirs, &mut labels)
                    }
                    _ => Some("one world has a next page, the other has none".to_owned()),
                };
                if let Some(text) = text {
                    return Some(Difference { sequence, at, text });
                }
            }
        }
        None
    }
}

/// What happens in both worlds alike.
fn moments(dice: &mut Dice, who: &Who) -> Vec<Moment> {
    let alike = |kind, id: &str, after_s, event: Event| Moment {
        kind,
        id: id.to_owned(),
        after_s,
        events: [event.clone(), event],
    };
    let mut moments = Vec::new();
    for one in content::directory() {
        let kind = match one["resourceType"].as_str() {
            Some("Practitioner") => "Practitioner",
            Some("PractitionerRole") => "PractitionerRole",
            Some("Organization") => "Organization",
            _ => "Group",
        };
        moments.push(alike(kind, one["id"].as_str().unwrap_or_default(), 0, Event::Put(one.clone())));
    }
    let begun = moments.len();
    let mut histories: Vec<Vec<Moment>> = Vec::new();
    for (kind, ids) in content::RECORDS {
        for id in ids {
            let is_kept = kind == "Patient" && matches!(*id, "pat" | "other");
            if !is_kept && dice.chance(15) {
                continue;
            }
            let count = *dice.pick(&[1, 1, 1, 1, 2, 2, 3]);
            let mut history: Vec<Moment> = (0..count)
                .map(|_| alike(kind, id, i64::from(!dice.chance(40)), Event::Put(put(dice, who, kind, id))))
                .collect();
            if content::LEAVES.contains(&kind) && dice.chance(10) {
                history.push(alike(kind, id, 1, Event::Delete));
            }
            histories.push(history);
        }
    }
    while !histories.is_empty() {
        let at = dice.below(histories.len());
        moments.push(histories[at].remove(0));
        histories.retain(|history| !history.is_empty());
    }
    if let Some(first) = moments.get_mut(begun) {
        first.after_s = 1;
    }
    moments
}

fn put(dice: &mut Dice, who: &Who, kind: &str, id: &str) -> Value {
    let mut one = content::roll(dice, kind, id);
    if kind == "Consent" && who.is_organization() {
        content::without_sensitivities(&mut one);
    }
    if who.labelling { content::labelled(one) } else { one }
}

/// Lets the worlds differ in what the caller does not see.
fn part(dice: &mut Dice, who: &Who, moments: &mut Vec<Moment>) {
    let mut seen = known(who, moments, 0);
    for _ in 0..CHANGES {
        let mut tried = moments.clone();
        // Several at once: most are hidden.
        for _ in 0..=dice.below(3) {
            change(dice, who, &mut tried, &seen);
        }
        let [one, two] = [0, 1].map(|world| known(who, &tried, world));
        if one == two {
            *moments = tried;
            seen = one;
        }
    }
}

fn change(dice: &mut Dice, who: &Who, moments: &mut Vec<Moment>, seen: &BTreeMap<Name, Known>) {
    let world = dice.below(2);
    let is_seen = |at: usize, moment: &Moment| {
        let known = seen.get(&moment.name());
        known.is_some_and(|known| known.versions.iter().any(|(_, own, ..)| *own == at))
    };
    let is_changing = |moment: &Moment| content::RECORDS.iter().any(|(kind, _)| *kind == moment.kind);
    if dice.chance(25) {
        // Something that is in one world alone.
        let (kind, ids) = *dice.pick(&content::RECORDS);
        let id = (*dice.pick(ids)).to_owned();
        let at = moments.len() - dice.below(moments.len().min(30));
        let mut events = [Event::Nothing, Event::Nothing];
        events[world] = Event::Put(put(dice, who, kind, &id));
        moments.insert(at, Moment { kind, id, after_s: i64::from(dice.chance(50)), events });
        return;
    }
    let hidden: Vec<usize> =
        (0..moments.len()).filter(|at| is_changing(&moments[*at]) && !is_seen(*at, &moments[*at])).collect();
    if hidden.is_empty() {
        return;
    }
    let at = *dice.pick(&hidden);
    let (kind, id) = (moments[at].kind, moments[at].id.clone());
    let event = match dice.below(10) {
        0..3 if !(kind == "Patient" && matches!(&*id, "pat" | "other")) => Event::Nothing,
        3 | 4 => match &moments[at].events[world] {
            // The same, withdrawn, ended or of another.
            Event::Put(one) => Event::Put(ended(dice, one.clone())),
            _ => return,
        },
        _ => Event::Put(put(dice, who, kind, &id)),
    };
    moments[at].events[world] = event;
}

/// A relation, coverage or consent that is over.
fn ended(dice: &mut Dice, mut one: Value) -> Value {
    let over = json!({"end": "2025-06-30"});
    match one["resourceType"].as_str() {
        Some("Consent") => one["status"] = "inactive".into(),
        Some("CareTeam") => one["status"] = "inactive".into(),
        Some("RelatedPerson") if dice.chance(50) => one["active"] = false.into(),
        Some("RelatedPerson") => one["period"] = over,
        Some("Coverage") if dice.chance(50) => one["status"] = "cancelled".into(),
        Some("Coverage") => one["period"] = json!({"end": "2024-06-30"}),
        Some("Encounter") => one["status"] = "cancelled".into(),
        Some("ServiceRequest") => one["status"] = "completed".into(),
        Some("Claim") => one["status"] = "cancelled".into(),
        _ => one["meta"]["tag"] = json!([{"system": "urn:test:tag", "code": "t9"}]),
    }
    one
}

/// What a caller sees of one world.
fn known(who: &Who, moments: &[Moment], world: usize) -> BTreeMap<Name, Known> {
    // Number, content, whether it is deleted.
    let mut state: BTreeMap<Name, (usize, &Value, bool)> = BTreeMap::new();
    let mut versions: BTreeMap<Name, Vec<(usize, usize, &Value, bool)>> = BTreeMap::new();
    for (at, moment) in moments.iter().enumerate() {
        let name = moment.name();
        let after = match (&moment.events[world], state.get(&name)) {
            (Event::Nothing, _) | (Event::Delete, None | Some((_, _, true))) => continue,
            (Event::Delete, Some((version, one, false))) => (version + 1, *one, true),
            (Event::Put(one), before) => (before.map_or(1, |before| before.0 + 1), one, false),
        };
        versions.entry(name.clone()).or_default().push((after.0, at, after.1, after.2));
        state.insert(name, after);
    }
    let now = state.values().filter(|(.., deleted)| !deleted).map(|(_, one, _)| (*one).clone()).collect();
    let sight = Sight::new(who, now);
    let mut all = BTreeMap::new();
    for (name, list) in versions {
        let first = list.first().map_or(0, |(_, at, ..)| *at);
        let seen: Vec<bool> = list.iter().map(|(_, _, one, _)| sight.sees(one)).collect();
        let ends_hidden = seen.last() != Some(&true);
        let shown = list.into_iter().zip(seen).filter(|(_, seen)| *seen);
        let versions: Vec<_> =
            shown.map(|((number, at, one, deleted), _)| (number, at, who.shown(one), deleted)).collect();
        if !versions.is_empty() {
            all.insert(name, Known { first, versions, ends_hidden });
        }
    }
    // To create is free for who has to do with a patient, whatever of the record is withheld (docs/access.md): who
    // writes learns with whom they have to do.
    if who.writes() && who.is_person() {
        let related = Known { first: 0, versions: vec![(0, 0, json!(sight.related()), false)], ends_hidden: false };
        all.insert((String::new(), "related".to_owned()), related);
    }
    all
}

impl Who {
    /// What of a resource they are shown.
    fn shown(&self, one: &Value) -> Value {
        let mut one = one.clone();
        if self.kind == Kind::Deidentified
            && let Some(members) = one.as_object_mut()
        {
            members.retain(|name, _| !matches!(name.as_str(), "name" | "identifier"));
        }
        one
    }
}

/// One of the two worlds.
struct World {
    server: Server,
    forgets_who: bool,
    token: Option<String>,
    memory: Memory,
}

/// Limits with which small worlds go every way that a search can go.
fn small() -> limits::Search {
    limits::Search { probe_rows: 3, gather_keys: 2, small_join_rows: 2, casual_keys: 8, ..limits::Search::default() }
}

impl World {
    fn new(case: &Guarded, which: usize) -> Self {
        let search = if case.small { small() } else { limits::Search::default() };
        let server = Server::given(Given { secret: [7; 32], search });
        let (mut passed_s, mut waiting): (i64, Vec<(&Moment, &Value)>) = (0, Vec::new());
        let mut names = BTreeSet::new();
        for moment in &case.moments {
            // Cuts are where they are in the other world.
            let is_cut = moment.after_s > 0 || names.contains(&moment.name()) || moment.events.contains(&Event::Delete);
            if is_cut {
                commit(&server, &mut waiting);
                names.clear();
            }
            server.clock().advance_s(moment.after_s);
            passed_s += moment.after_s;
            match &moment.events[which] {
                Event::Nothing => {}
                Event::Put(one) => waiting.push((moment, one)),
                Event::Delete => {
                    let path = format!("{}/{}", moment.kind, moment.id);
                    let reply = server.request("DELETE", &path).as_operator().header("x-request-id", "script").send();
                    assert!(reply.status < 300, "the script is at fault: {path} {}", reply.text());
                }
            }
            names.insert(moment.name());
        }
        commit(&server, &mut waiting);
        server.clock().advance_s(ASKS_BEGIN_S - passed_s);
        let mut house = case.who.house();
        match case.forgets {
            Some(Forgets::Consents) => house.consents = None,
            Some(Forgets::Labels) => house.labels = Arc::default(),
            Some(Forgets::Rules) => house.rules = Arc::default(),
            Some(Forgets::Relations) => house.clinicians = policy::Clinicians::Everyone,
            Some(Forgets::Who) | None => {}
        }
        server.store().set_house(house);
        let forgets_who = case.forgets == Some(Forgets::Who);
        Self { server, forgets_who, token: None, memory: Memory::default() }
    }

    /// Begins a sequence: a new token, nothing known.
    fn begin(&mut self, who: &Who) {
        self.token = match self.forgets_who && who.kind != Kind::Nobody {
            true => Some(self.server.token_for("system/*.cruds")),
            false => who.token(&self.server),
        };
        self.memory = Memory::default();
    }

    fn ask(&mut self, who: &Who, ask: &Ask) -> Option<Reply> {
        self.server.clock().advance_s(1);
        let plain = self.memory.filled(ask)?;
        let reply = self.send(who, &plain);
        self.memory.learn(&reply);
        Some(reply)
    }

    fn send(&self, who: &Who, plain: &super::ask::Plain) -> Reply {
        let mut request = self.server.request(plain.method, &plain.path);
        if let Some(token) = &self.token {
            request = request.token(token);
        }
        if let Some(purpose) = who.named_purpose.filter(|_| !plain.has("x-purpose-of-use")) {
            request = request.header("x-purpose-of-use", purpose);
        }
        for (name, value) in &plain.headers {
            request = request.header(name, value);
        }
        if let Some((media_type, body)) = &plain.body {
            request = request.body(media_type, body.clone());
        }
        request.send()
    }
}

/// Stores what waits, in one commit.
fn commit(server: &Server, waiting: &mut Vec<(&Moment, &Value)>) {
    let entries: Vec<Value> = waiting
        .drain(..)
        .map(|(moment, one)| {
            json!({"resource": one, "request": {"method": "PUT", "url": format!("{}/{}", moment.kind, moment.id)}})
        })
        .collect();
    if entries.is_empty() {
        return;
    }
    let bundle = json!({"resourceType": "Bundle", "type": "transaction", "entry": entries});
    let reply = server.request("POST", "").as_operator().header("x-request-id", "script").json(&bundle).send();
    assert!(reply.status < 300, "the script is at fault: {} {bundle}", reply.text());
}

/// The smallest case found that still shows a difference.
fn smallest(case: &Guarded) -> Guarded {
    let left = Cell::new(RUNS_MAX);
    let shows = |case: &Guarded| {
        let may = left.get() > 0;
        left.set(left.get().saturating_sub(1));
        may && case.is_fair() && case.run(&mut Tally::default()).is_some()
    };
    let mut best = case.clone();
    if let Some(difference) = best.run(&mut Tally::default()) {
        best.sequences.truncate(difference.sequence + 1);
        best.sequences[difference.sequence].truncate(difference.at + 1);
        let mut alone = best.clone();
        alone.sequences.drain(..difference.sequence);
        if shows(&alone) {
            best = alone;
        }
    }
    loop {
        let before = (best.sequences.iter().map(Vec::len).sum::<usize>(), best.moments.len());
        for at in 0..best.sequences.len() {
            without(&mut best, &shows, |case| &mut case.sequences[at]);
        }
        without(&mut best, &shows, |case| &mut case.moments);
        for at in 0..best.moments.len() {
            if best.moments[at].differs() {
                for world in [0, 1] {
                    let mut less = best.clone();
                    less.moments[at].events[world] = less.moments[at].events[1 - world].clone();
                    if shows(&less) {
                        best = less;
                        break;
                    }
                }
            }
        }
        let sequences = best.sequences.len();
        for sequence in 0..sequences {
            for at in 0..best.sequences[sequence].len() {
                while let Some(Ask::Send(plain)) = best.sequences[sequence].get(at).cloned() {
                    let shorter = plain.simpler().into_iter().map(|simpler| {
                        let mut less = best.clone();
                        less.sequences[sequence][at] = Ask::Send(simpler);
                        less
                    });
                    let Some(shorter) = shorter.into_iter().find(|less| shows(less)) else { break };
                    best = shorter;
                }
            }
        }
        if (best.sequences.iter().map(Vec::len).sum::<usize>(), best.moments.len()) == before {
            return best;
        }
    }
}

fn without<T: Clone>(
    best: &mut Guarded,
    shows: &impl Fn(&Guarded) -> bool,
    list: impl Fn(&mut Guarded) -> &mut Vec<T>,
) {
    let mut size = list(best).len().div_ceil(2);
    while size > 0 {
        let mut at = 0;
        while at < list(best).len() {
            let mut less = best.clone();
            let all = list(&mut less);
            let end = (at + size).min(all.len());
            all.drain(at..end);
            if shows(&less) {
                *best = less;
            } else {
                at += size;
            }
        }
        size /= 2;
    }
}

/// The case in words.
fn report(case: &Guarded) -> String {
    let mut out = format!(
        "replay: cargo xtask twin --guarded --replay {}\n{:?}\nscopes: {}\nthe worlds (first | second):\n",
        case.seed,
        case.who,
        case.who.scope()
    );
    let text = |event: &Event| match event {
        Event::Nothing => "-".to_owned(),
        Event::Put(one) => one.to_string(),
        Event::Delete => "deleted".to_owned(),
    };
    for moment in &case.moments {
        let [one, two] = moment.events.each_ref().map(text);
        let same = if one == two { one } else { format!("{one}\n      | {two}") };
        let _ = writeln!(out, "  +{} s {}/{}: {same}", moment.after_s, moment.kind, moment.id);
    }
    out.push_str("the caller's requests:\n");
    for ask in case.sequences.iter().flatten() {
        let _ = writeln!(out, "  {}", super::report::line(ask));
    }
    match case.run(&mut Tally::default()) {
        Some(difference) => {
            let _ = writeln!(
                out,
                "sequence {}, request {} differs: {}",
                difference.sequence + 1,
                difference.at + 1,
                difference.text
            );
        }
        None => out.push_str("no difference\n"),
    }
    out
}

#[cfg(test)]
mod tests;
