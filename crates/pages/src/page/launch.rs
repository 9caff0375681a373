//! A clinician chooses a patient, then an app to open for them. SPEC: SMART App Launch 2.2, EHR launch; row B23.

use crate::{
    AppFacts, Checked, Date, Literal, PatientFacts, Place, Secret, Text, fields,
    html::{Address, Element, Fragment, el},
    parts::{self, fill, fill_plain, hint},
    paths,
    render::{Context, Render},
    texts::Texts,
};

/// The way to open an app.
#[derive(Clone, Debug)]
pub struct Launch {
    /// How far it has come.
    pub step: LaunchStep,
}

/// How far it has come.
#[derive(Clone, Debug)]
pub enum LaunchStep {
    /// Choose a patient.
    Patient {
        /// What was looked for.
        filter: Option<Text>,
        /// Found, or lately seen; at most [`crate::limits::ROWS_MAX`].
        patients: Vec<PatientFacts>,
        /// There are more than these.
        has_more: bool,
    },
    /// The patient is chosen: choose a visit and an app.
    App {
        /// Form token.
        csrf: Secret,
        /// Whose record.
        patient: PatientFacts,
        /// Visits to choose from, latest first.
        encounters: Vec<EncounterFacts>,
        /// Apps that can be opened.
        apps: Vec<OpenableApp>,
    },
}

/// An app that can be opened.
#[derive(Clone, Debug)]
pub struct OpenableApp {
    /// Its client id.
    pub id: Literal,
    /// What people see of it.
    pub app: AppFacts,
    /// What it can be opened for, beside nothing in particular.
    pub intents: Vec<IntentFacts>,
}

/// What an app can be opened for.
#[derive(Clone, Debug)]
pub struct IntentFacts {
    /// The word that the app is told; without blanks.
    pub word: Literal,
    /// What people call it.
    pub name: Text,
}

/// What a button of the page says, the value of [`fields::CLIENT`] there: an app, and what it is opened for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Opening<'a> {
    /// Client id.
    pub client: &'a str,
    /// The word of an intent.
    pub intent: Option<&'a str>,
}

impl<'a> Opening<'a> {
    /// Reads the value of a button. Neither part has blanks.
    #[must_use]
    pub fn of(value: &'a str) -> Self {
        match value.split_once(' ') {
            Some((client, intent)) => Self { client, intent: Some(intent) },
            None => Self { client: value, intent: None },
        }
    }

    fn value(self) -> String {
        match self.intent {
            Some(intent) => format!("{} {intent}", self.client),
            None => self.client.to_owned(),
        }
    }
}

/// A visit or a stay.
#[derive(Clone, Debug)]
pub struct EncounterFacts {
    /// Logical id.
    pub id: Literal,
    /// What it is.
    pub kind: VisitKind,
    /// The same in the words of the record, when [`VisitKind::Other`] says nothing.
    pub name: Option<Text>,
    /// First day.
    pub began: Option<Date>,
    /// Last day; `None`: goes on.
    pub ended: Option<Date>,
}

/// What a visit is, by the class of its Encounter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VisitKind {
    /// In a hospital or another house, overnight.
    Stay,
    /// In a skilled nursing facility.
    Nursing,
    /// At home.
    Home,
    /// In an office or a clinic.
    Office,
    /// In an emergency room.
    Emergency,
    /// By video or phone.
    Remote,
    /// None of these.
    Other,
}

impl VisitKind {
    /// Of a code of `Encounter.class`: v3-ActCode, and `SNF` of the PACIO timepoints.
    #[must_use]
    pub fn of_class(code: &str) -> Self {
        match code {
            "IMP" | "ACUTE" | "NONAC" | "OBSENC" | "SS" => Self::Stay,
            "SNF" => Self::Nursing,
            "HH" => Self::Home,
            "AMB" => Self::Office,
            "EMER" => Self::Emergency,
            "VR" => Self::Remote,
            _ => Self::Other,
        }
    }

    const fn words(self, t: &Texts) -> &'static str {
        match self {
            Self::Stay => t.visit_stay,
            Self::Nursing => t.visit_nursing,
            Self::Home => t.visit_home,
            Self::Office => t.visit_office,
            Self::Emergency => t.visit_emergency,
            Self::Remote => t.visit_remote,
            Self::Other => t.launch_visit,
        }
    }
}

impl EncounterFacts {
    pub(super) fn words(&self, t: &Texts) -> String {
        let name = match &self.name {
            Some(name) if self.kind == VisitKind::Other && !name.is_empty() => name.as_str(),
            _ => self.kind.words(t),
        };
        match (self.began, self.ended) {
            (Some(began), Some(ended)) => {
                let (began, ended) = (t.date(began), t.date(ended));
                fill_plain(t.launch_visit_until, &[("name", name), ("began", &began), ("ended", &ended)])
            }
            (Some(began), None) => fill_plain(t.launch_visit_since, &[("name", name), ("began", &t.date(began))]),
            (None, _) => name.to_owned(),
        }
    }
}

fn patients(filter: Option<&Text>, patients: &[PatientFacts], has_more: bool, t: &Texts) -> Fragment {
    let rows = patients.iter().map(|patient| {
        let address = Address::of(paths::LAUNCH).with(fields::PATIENT, patient.id.as_str());
        let link = el("a").class("row").href(&address).add(parts::patient(patient, t));
        el("li").add(link.add(parts::icon("M9 5l7 7-7 7")))
    });
    let list = match (patients, filter) {
        ([], Some(_)) => el("p").attr("role", "status").add(t.pick_not_found),
        ([], None) => el("p").add(t.launch_none),
        _ => el("ul").class("rows").attr("aria-label", t.pick_list).add(Fragment::all(rows)),
    };
    let more = has_more.then(|| hint(fill_plain(t.pick_more, &[("count", &patients.len().to_string())])));
    Fragment::all([
        parts::lead(t.launch_lead).into(),
        Fragment::from(parts::finder(paths::LAUNCH, filter, None::<Element>, t)),
        list.into(),
        more.into(),
    ])
}

fn apps(
    csrf: &Secret,
    patient: &PatientFacts,
    encounters: &[EncounterFacts],
    apps: &[OpenableApp],
    cx: Context<'_>,
) -> Fragment {
    let t = cx.t;
    let other = el("p").add(el("a").class("quiet").href(&Address::of(paths::LAUNCH)).add(t.launch_other));
    let card = el("p").class("choice").add(parts::patient(patient, t));
    if apps.is_empty() {
        return Fragment::all([card, el("p").add(t.launch_no_apps), other]);
    }
    let visits = (!encounters.is_empty()).then(|| {
        let none = el("option").attr("value", "").add(t.launch_no_visit);
        // The latest that still goes on is the likely one.
        let current = encounters.iter().position(|encounter| encounter.ended.is_none());
        let options = encounters.iter().enumerate().map(|(at, encounter)| {
            let option = el("option").attr("value", encounter.id.as_str()).flag("selected", current == Some(at));
            option.add(encounter.words(t))
        });
        let select = el("select").id(fields::ENCOUNTER).attr("name", fields::ENCOUNTER).add(none);
        let label = el("label").attr("for", fields::ENCOUNTER).add(t.launch_visit);
        el("div").class("field").add(label).add(select.add(Fragment::all(options)))
    });
    let opening = |id: &Literal, intent: Option<&Literal>| {
        Opening { client: id.as_str(), intent: intent.map(Literal::as_str) }.value()
    };
    let rows = apps.iter().map(|OpenableApp { id, app, intents }| {
        let maker = match &app.maker {
            Some(maker) => fill(t.made_by, &[("maker", maker.into())]),
            None => t.maker_unknown.into(),
        };
        let unchecked = (app.checked == Checked::ByNobody).then(|| {
            let words = fill(t.unchecked_title, &[("facility", (&cx.frame.facility).into())]);
            el("span").class("line warning").add(words)
        });
        let words = el("span").class("label").add(el("span").class("name").add(&app.name));
        let words = words.add(el("span").class("line").add(maker)).add(unchecked);
        let button = el("button").class("row").attr("name", fields::CLIENT).attr("value", &opening(id, None));
        let button = button.add(parts::logo(app)).add(words).add(parts::icon("M9 5l7 7-7 7"));
        let intents = (!intents.is_empty()).then(|| {
            let button = |intent: &IntentFacts| {
                let value = opening(id, Some(&intent.word));
                parts::secondary(&intent.name).attr("name", fields::CLIENT).attr("value", &value)
            };
            let group = parts::actions(Fragment::all(intents.iter().map(button))).attr("role", "group");
            group.attr("aria-label", &fill_plain(t.launch_intents, &[("app", app.name.as_str())]))
        });
        el("li").add(button).add(intents)
    });
    let list = el("ul").class("rows").add(Fragment::all(rows));
    let form = parts::form(paths::LAUNCH, csrf)
        .add(parts::hidden(fields::PATIENT, patient.id.as_str()))
        .add(visits)
        .add(parts::section("apps", t.launch_apps).class("part").add(hint(t.launch_next)).add(list));
    Fragment::all([card, form, other])
}

impl Render for Launch {
    fn title(&self, cx: Context<'_>) -> String {
        match &self.step {
            LaunchStep::Patient { .. } => cx.t.launch_title.to_owned(),
            LaunchStep::App { patient, .. } => fill_plain(cx.t.launch_for, &[("patient", patient.name.as_str())]),
        }
    }

    fn heading(&self, cx: Context<'_>) -> Fragment {
        match &self.step {
            LaunchStep::Patient { .. } => cx.t.launch_title.into(),
            LaunchStep::App { patient, .. } => fill(cx.t.launch_for, &[("patient", (&patient.name).into())]),
        }
    }

    fn here(&self) -> Address {
        let address = Address::of(paths::LAUNCH);
        match &self.step {
            LaunchStep::Patient { filter, .. } => address.with_some(fields::FILTER, filter.as_ref().map(Text::as_str)),
            LaunchStep::App { patient, .. } => address.with(fields::PATIENT, patient.id.as_str()),
        }
    }

    fn place(&self) -> Option<Place> {
        Some(Place::Launch)
    }

    fn body(&self, cx: Context<'_>) -> Fragment {
        match &self.step {
            LaunchStep::Patient { filter, patients: found, has_more } => {
                patients(filter.as_ref(), found, *has_more, cx.t)
            }
            LaunchStep::App { csrf, patient, encounters, apps: choice } => apps(csrf, patient, encounters, choice, cx),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_button_says_the_app_and_what_it_is_opened_for() {
        for opening in
            [Opening { client: "c1", intent: None }, Opening { client: "c1", intent: Some("reconcile-medications") }]
        {
            assert_eq!(Opening::of(&opening.value()), opening);
        }
        assert_eq!(Opening::of("c1 "), Opening { client: "c1", intent: Some("") });
    }
}
