//! The course of one patient's stay as numbers: which stages, when, and how ability moves.
//!
//! Ability is a hidden number on the scale of section GG (1 dependent to 6 independent). It starts
//! low in the hospital and moves a little between assessments, mostly up: two of three improve, some
//! stay as they are, some decline. Answers follow it with the difficulty of each item and a little noise.

use crate::{calendar::Day, random::Random};

/// Where a patient is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Setting {
    Hospital,
    Snf,
    HomeHealth,
}

/// Which assessment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Occasion {
    /// Before leaving the hospital.
    HospitalDischarge,
    /// At the start of a SNF stay or of home health.
    Start,
    /// In between, when something changed.
    Interim,
    /// At the end.
    End,
}

/// One assessment.
#[derive(Debug, Clone)]
pub(crate) struct Assessment {
    pub(crate) occasion: Occasion,
    pub(crate) day: Day,
    pub(crate) mobility: f64,
    pub(crate) self_care: f64,
    /// 0 to 15, higher is better.
    pub(crate) cognition: f64,
    /// 0 to 27, lower is better.
    pub(crate) mood: f64,
}

/// One stage of the stay.
#[derive(Debug, Clone)]
pub(crate) struct Stage {
    pub(crate) setting: Setting,
    pub(crate) start: Day,
    /// None: still there.
    pub(crate) end: Option<Day>,
    pub(crate) assessments: Vec<Assessment>,
}

/// How it goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trend {
    Improves,
    Holds,
    Declines,
}

/// The whole course.
#[derive(Debug, Clone)]
pub(crate) struct Course {
    pub(crate) trend: Trend,
    pub(crate) stages: Vec<Stage>,
}

struct State {
    mobility: f64,
    self_care: f64,
    cognition: f64,
    mood: f64,
}

impl State {
    fn assess(&self, occasion: Occasion, day: Day) -> Assessment {
        let Self { mobility, self_care, cognition, mood } = *self;
        Assessment { occasion, day, mobility, self_care, cognition, mood }
    }

    fn pass_time(&mut self, trend: Trend, random: &mut Random) {
        let step = match trend {
            Trend::Improves => random.real(0.45, 0.95),
            Trend::Holds => random.real(-0.15, 0.2),
            Trend::Declines => random.real(-0.7, -0.25),
        };
        self.mobility = (self.mobility + step).clamp(1.0, 6.0);
        self.self_care = (self.self_care + step * random.real(0.7, 1.1)).clamp(1.0, 6.0);
        self.cognition = (self.cognition + step * random.real(0.2, 1.2)).clamp(0.0, 15.0);
        self.mood = (self.mood - step * random.real(0.5, 2.0)).clamp(0.0, 27.0);
    }
}

impl Course {
    pub(crate) fn new(random: &mut Random) -> Self {
        let trend = match random.range(0, 99) {
            0..65 => Trend::Improves,
            65..85 => Trend::Holds,
            _ => Trend::Declines,
        };
        let mut state = State {
            mobility: random.real(1.6, 3.2),
            self_care: random.real(2.0, 3.6),
            cognition: random.real(6.0, 14.5),
            mood: random.real(1.0, 12.0),
        };
        let start = Day::new(2024, 1, 2).plus(random.range(0, 480));
        let mut end = start.plus(random.range(4, 9));
        let hospital = Stage {
            setting: Setting::Hospital,
            start,
            end: Some(end),
            assessments: vec![state.assess(Occasion::HospitalDischarge, end.minus(1))],
        };
        let mut stages = vec![hospital];
        let (snf, home) = match random.range(0, 9) {
            0..4 => (true, false),
            4..8 => (true, true),
            _ => (false, true),
        };
        let ongoing = random.chance(15);
        if snf {
            let last = !home;
            end = stage(&mut stages, Setting::Snf, end, random, &mut state, trend, last && ongoing);
        }
        if home {
            stage(&mut stages, Setting::HomeHealth, end, random, &mut state, trend, ongoing);
        }
        Self { trend, stages }
    }
}

fn stage(
    stages: &mut Vec<Stage>,
    setting: Setting,
    start: Day,
    random: &mut Random,
    state: &mut State,
    trend: Trend,
    ongoing: bool,
) -> Day {
    let days = if setting == Setting::Snf { random.range(18, 42) } else { random.range(40, 90) };
    let end = start.plus(days);
    state.pass_time(trend, random);
    let mut assessments = vec![state.assess(Occasion::Start, start.plus(random.range(1, 3)))];
    if ongoing || trend == Trend::Declines || random.chance(25) {
        state.pass_time(trend, random);
        assessments.push(state.assess(Occasion::Interim, start.plus(days / 2)));
    }
    if !ongoing {
        state.pass_time(trend, random);
        assessments.push(state.assess(Occasion::End, end.minus(1)));
    }
    stages.push(Stage { setting, start, end: (!ongoing).then_some(end), assessments });
    end
}
