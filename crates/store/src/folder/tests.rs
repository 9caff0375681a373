//! Sets of places, and folders that are brought up to date; that folders mean what the matcher means is held by the
//! property in `tests/plans.rs`.

use super::*;
use crate::{Snapshot, tests::world::*};

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

/// All that a folder says, for comparison.
#[derive(Debug, PartialEq)]
struct Said {
    rows: Vec<Row>,
    values: Vec<(ParameterId, Vec<u8>, Vec<u16>)>,
    versions: Vec<Option<Vec<u8>>>,
}

fn said(reader: &Reader, contents: &Contents) -> Said {
    let number = reader.types.number(kind("Observation")).0;
    let whole = |packed: &Packed| reader.view.memory().dictionaries.whole(number, packed).unwrap();
    Said {
        rows: contents.rows.clone(),
        values: contents.all().map(|(parameter, value, at)| (parameter, value.to_vec(), at.to_vec())).collect(),
        versions: contents.versions.iter().map(|packed| packed.as_ref().map(whole)).collect(),
    }
}

fn made_anew(snapshot: &Snapshot, patient: &str) -> Option<Said> {
    let (reader, of) = (&snapshot.reader, kind("Observation"));
    let rows = members(reader, of, &id(patient)).unwrap()?;
    Some(said(reader, &Contents::make(reader, of, &id(patient), rows).unwrap()))
}

/// Whatever happens to the resources in it, a folder that is brought up to date is the one that would be made anew.
#[test]
fn brought_up_it_is_as_if_made_anew() {
    let world = World::new();
    let of = kind("Observation");
    let mut chance = 1u64;
    let mut below = |count: u64| {
        chance = chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (chance >> 33) % count
    };
    let mut live: Vec<String> = Vec::new();
    let (mut behind, mut full, mut created) = (0, 0, 0);
    for round in 0..400 {
        let mut changes = Vec::new();
        let mut within = Vec::new();
        for _ in 0..=below(2) {
            let patient = ["p1", "p2"][below(2) as usize];
            let json = observation(patient, ["a", "b", "c"][below(3) as usize], 1 + below(4) as u32);
            match below(10) {
                0..4 if live.len() < 20 => {
                    created += 1;
                    let name = format!("o{created}");
                    changes.push(world.create(&json, &name));
                    within.push(name.clone());
                    live.push(name);
                }
                4..7 if !live.is_empty() => {
                    let name = live[below(live.len() as u64) as usize].clone();
                    if !within.contains(&name) {
                        changes.push(world.update(&json, &name, None));
                        within.push(name);
                    }
                }
                _ if !live.is_empty() => {
                    let at = below(live.len() as u64) as usize;
                    if !within.contains(&live[at]) {
                        changes.push(world.delete("Observation", &live[at]));
                        within.push(live.swap_remove(at));
                    }
                }
                _ => {}
            }
        }
        world.commit(changes, round);
        let snapshot = world.store().snapshot(at(0));
        let reader = &snapshot.reader;
        for patient in ["p1", "p2"] {
            let prefix = key::folder(patient, reader.types.number(of));
            behind += u32::from(matches!(reader.view.folder(&prefix), Shelved::Behind(..)));
            let Some(folder) = folder(reader, of, &id(patient)).unwrap() else { continue };
            let expected = made_anew(&snapshot, patient);
            full += u32::from(expected.is_none());
            assert_eq!(folder.contents.as_ref().map(|contents| said(reader, contents)), expected, "{patient} {round}");
        }
    }
    assert!(behind > 100 && full > 0, "{behind} {full}");
}
