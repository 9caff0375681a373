//! How two worlds come to be: one list of moments, at each of which either world may change a
//! resource. Both end with the same visible content.

use super::{
    dice::Dice,
    house::House,
    lens::Lens,
    shape::{Shape, TYPES, Type},
};
use std::collections::BTreeMap;

/// What happens to the resource of a moment in one world.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Event {
    Nothing,
    Put(Shape),
    Delete,
    /// Another client does so many searches: nothing but the audit log grows.
    Noise(usize),
}

/// A moment: the clock moves, then each world changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moment {
    pub(super) kind: Type,
    pub(super) id: String,
    /// Seconds since the moment before; 0: at the same time.
    pub(super) after_s: i64,
    /// How many resources it makes, which differ in their ids alone: more than one is a crowd.
    pub(super) copies: usize,
    /// In the first world and in the second.
    pub(super) events: [Event; 2],
}

/// What a caller can come to know of one resource.
#[derive(Debug, PartialEq, Eq)]
struct Known {
    /// Place among the moments: decides the default order.
    first: usize,
    /// Number, moment, content (of a deletion: what it ended) of each visible version.
    versions: Vec<(usize, usize, Shape, bool)>,
    /// The newest version is hidden.
    ends_hidden: bool,
}

/// Makes the moments of two worlds that look the same through the lens.
pub(super) fn roll(dice: &mut Dice, lens: &Lens) -> Vec<Moment> {
    let mut histories = Vec::new();
    for kind in TYPES {
        for at in 0..kind.ids() {
            let id = kind.id(at);
            for _ in 0..6 {
                let history = history(dice, lens, kind, &id);
                if is_fair(lens, &history) {
                    histories.push(history);
                    break;
                }
            }
        }
    }
    // Histories are mixed, each in its own order.
    let mut moments = Vec::new();
    histories.retain(|history| !history.is_empty());
    while !histories.is_empty() {
        let at = dice.below(histories.len());
        moments.push(histories[at].remove(0));
        histories.retain(|history| !history.is_empty());
    }
    for _ in 0..dice.below(3) {
        let noise = Event::Noise(1 + dice.below(9));
        let events = if dice.chance(50) { [noise, Event::Nothing] } else { [Event::Nothing, noise] };
        let at = dice.below(moments.len() + 1);
        moments.insert(at, Moment { kind: Type::Patient, id: "noise".to_owned(), after_s: 0, copies: 1, events });
    }
    moments
}

fn history(dice: &mut Dice, lens: &Lens, kind: Type, id: &str) -> Vec<Moment> {
    let length = *dice.pick(&[0, 1, 1, 1, 1, 2, 2, 3, 4]);
    let mut moments = Vec::new();
    for _ in 0..length {
        let event = if dice.chance(15) { Event::Delete } else { Event::Put(Shape::roll(dice, kind, id)) };
        let twin = match &event {
            Event::Put(shape) if !lens.sees(shape) => other(dice, lens, kind, id, &event),
            Event::Delete if dice.chance(30) => Event::Nothing,
            _ => event.clone(),
        };
        let events = if dice.chance(50) { [event, twin] } else { [twin, event] };
        let after_s = i64::from(!dice.chance(30));
        moments.push(Moment { kind, id: id.to_owned(), after_s, copies: 1, events });
    }
    moments
}

/// Lets some observations and conditions name a patient whom they are not about, as performer or asserter: with that,
/// one patient's record lies within another's compartment as R4 has it.
pub(super) fn entangle(dice: &mut Dice, moments: &mut [Moment]) {
    for moment in moments.iter_mut().filter(|moment| matches!(moment.kind, Type::Observation | Type::Condition)) {
        let names = [0, 1].map(|_| format!("Patient/{}", Type::Patient.id(dice.below(4))));
        let is_same = moment.events[0] == moment.events[1];
        if !dice.chance(40) {
            continue;
        }
        for (at, event) in moment.events.iter_mut().enumerate() {
            if let Event::Put(shape) = event {
                shape.other.clone_from(&names[if is_same { 0 } else { at }]);
            }
        }
    }
}

/// Members of an organization stay, and are the same in both worlds: what is about a patient who is gone is in no
/// record.
pub(super) fn keep_members(house: &House, moments: &mut [Moment]) {
    for moment in moments.iter_mut().filter(|moment| house.is_member(moment.kind, &moment.id)) {
        let [event, _] = &moment.events;
        let event = if *event == Event::Delete { Event::Nothing } else { event.clone() };
        moment.events = [event.clone(), event];
    }
}

/// Crowds: many of a kind that both worlds have, and many that only one has or that differ. What a
/// search does, and what it tells of a total, may not depend on how many are hidden.
pub(super) fn crowds(dice: &mut Dice, lens: &Lens) -> Vec<Moment> {
    let mut moments = Vec::new();
    for at in 0..4 {
        let kind = if dice.chance(80) { Type::Observation } else { Type::Condition };
        let id = format!("z{at}");
        let mut shape = Shape::roll(dice, kind, &id);
        for _ in 0..20 {
            if lens.sees(&shape) == (at < 2) {
                break;
            }
            shape = Shape::roll(dice, kind, &id);
        }
        // Few codes and patients, so that a search finds crowds of both sorts.
        shape.code = dice.below(2);
        let event = Event::Put(shape.clone());
        let twin = if lens.sees(&shape) { event.clone() } else { Event::Nothing };
        let events = if dice.chance(50) { [event, twin] } else { [twin, event] };
        let copies = *dice.pick(&[30, 70, 70, 100, 200, 300]);
        moments.push(Moment { kind, id, after_s: 1, copies, events });
    }
    moments
}

/// What the other world has in the place of something hidden.
fn other(dice: &mut Dice, lens: &Lens, kind: Type, id: &str, event: &Event) -> Event {
    match dice.below(10) {
        0..5 => Event::Nothing,
        5 => Event::Delete,
        6..9 => {
            for _ in 0..5 {
                let shape = Shape::roll(dice, kind, id);
                if !lens.sees(&shape) {
                    return Event::Put(shape);
                }
            }
            Event::Nothing
        }
        _ => event.clone(),
    }
}

/// Whether both worlds look the same through the lens.
pub(super) fn is_fair(lens: &Lens, moments: &[Moment]) -> bool {
    let [one, two] = [0, 1].map(|world| known(lens, moments, world));
    if one != two {
        return false;
    }
    let order = |known: &BTreeMap<(Type, String), Known>| {
        let mut list: Vec<_> = known.iter().map(|(name, known)| (known.first, name.clone())).collect();
        list.sort();
        list.into_iter().map(|(_, name)| name).collect::<Vec<_>>()
    };
    order(&one) == order(&two)
}

fn known(lens: &Lens, moments: &[Moment], world: usize) -> BTreeMap<(Type, String), Known> {
    let mut all: BTreeMap<(Type, String), Known> = BTreeMap::new();
    let mut state: BTreeMap<(Type, String), (usize, Shape, bool)> = BTreeMap::new();
    for (at, moment) in moments.iter().enumerate() {
        let name = (moment.kind, moment.id.clone());
        let before = state.get(&name).cloned();
        let after = match (&moment.events[world], before) {
            (Event::Nothing | Event::Noise(_), _) | (Event::Delete, None | Some((_, _, true))) => continue,
            (Event::Delete, Some((version, shape, false))) => (version + 1, shape, true),
            (Event::Put(shape), before) => (before.map_or(1, |before| before.0 + 1), shape.clone(), false),
        };
        let known = all.entry(name.clone()).or_insert(Known { first: at, versions: Vec::new(), ends_hidden: false });
        known.ends_hidden = !lens.sees(&after.1);
        if !known.ends_hidden {
            known.versions.push((after.0, at, after.1.clone(), after.2));
        }
        state.insert(name, after);
    }
    all.retain(|_, known| !known.versions.is_empty());
    all
}
