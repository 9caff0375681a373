//! A seeded generator of synthetic post-acute stays.
//!
//! [`Story`] gives one transaction Bundle of the facilities, clinicians and payers, then one for each
//! patient: a hospital stay, then a skilled nursing facility, home health, or both, with the
//! assessments, timepoints, goals, devices, orders and reports that PFE 2.0.0 and RT 1.0.0 describe.
//! A patient has between 80 and 170 resources, about 116 on average, 200 KB of JSON. The same seed gives the same
//! bytes on every machine; a patient's bytes do not depend on how many others are asked for. Nothing
//! is kept between patients, so any number streams in constant memory.
//!
//! Ids are `storySEED-p00001-…`, put by `PUT`: loading again is harmless, and seeds do not mix.
//! All persons, places and numbers are invented; no questionnaire wording is reproduced.
//! Left out: consents (issue 7), medications, documents, narrative text in `text`.

mod assessment;
mod bundle;
mod calendar;
mod care;
mod cast;
mod codes;
mod course;
mod json;
mod names;
mod person;
mod random;
mod scene;
mod stay;

use crate::{cast::Cast, course::Course, random::Random, scene::Scene};

/// Bundles as JSON bytes: the shared one first, then one for each patient.
#[derive(Debug)]
pub struct Story {
    seed: u64,
    prefix: String,
    cast: Cast,
    patients: u32,
    /// Next to give; 0 is the shared Bundle.
    next: u64,
}

impl Story {
    /// The story of this seed with this many patients.
    #[must_use]
    pub fn new(seed: u64, patients: u32) -> Self {
        let prefix = format!("story{seed}");
        let cast = Cast::new(&prefix, &mut Random::new(seed, 0));
        Self { seed, prefix, cast, patients, next: 0 }
    }

    /// Bundles that are still to come.
    #[must_use]
    pub fn remaining(&self) -> u64 {
        (u64::from(self.patients) + 1).saturating_sub(self.next)
    }

    fn patient(&self, number: u64) -> Vec<u8> {
        let mut random = Random::new(self.seed, number);
        let course = Course::new(&mut random);
        let mut scene = Scene::new(&self.cast, random, format!("{}-p{number:05}", self.prefix));
        let caregivers = person::add(&mut scene, &course);
        let stays = stay::plan(&mut scene, &course);
        let conditions = care::conditions(&mut scene, &stays);
        let mut panels = Vec::new();
        for (at, stay) in stays.iter().enumerate() {
            stay::add(&mut scene, stay, &conditions);
            panels.push(assessment::add(&mut scene, stay));
            stay::timepoints(&mut scene, stay, &conditions, panels.get(at).map_or(&[], Vec::as_slice));
        }
        care::add(&mut scene, &course, &stays, &conditions, &panels, &caregivers);
        bundle::transaction(&scene.into_resources())
    }
}

impl Iterator for Story {
    type Item = Vec<u8>;

    fn next(&mut self) -> Option<Vec<u8>> {
        let number = self.next;
        if number > u64::from(self.patients) {
            return None;
        }
        self.next = number + 1;
        Some(if number == 0 { bundle::transaction(self.cast.resources()) } else { self.patient(number) })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = usize::try_from(self.remaining()).unwrap_or(usize::MAX);
        (left, Some(left))
    }
}
