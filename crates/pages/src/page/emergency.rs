//! A clinician breaks the glass: one patient's record, for a short time, with a reason. SPEC: rows F49, F50.
//!
//! Nobody is listed: who knows whom they look for finds that person, or nobody. What will happen, and who is told, is
//! said before the button.

use crate::{
    Literal, Moment, PatientFacts, Place, Secret, Text, fields,
    html::{Address, Element, Fragment, el},
    page::officer::NoteProblem,
    parts::{self, Field, Tone, actions, deciding, fill_plain, hint, primary, secondary},
    paths,
    render::{Context, Render},
    texts::Texts,
};

/// The page of emergencies.
#[derive(Clone, Debug)]
pub struct Emergency {
    /// Form token.
    pub csrf: Secret,
    /// Minutes for which a record will be open.
    pub minutes: u32,
    /// Where one is.
    pub step: EmergencyStep,
}

/// The two steps.
#[derive(Clone, Debug)]
pub enum EmergencyStep {
    /// Whom?
    Patient {
        /// Records that are open now.
        open: Vec<OpenRecord>,
        /// Nobody, or not one alone, was found.
        has_missed: bool,
        /// Something is missing in the form.
        is_incomplete: bool,
        /// As many are open as one person may have.
        is_full: bool,
        /// So many cases wait that no record can be opened.
        is_closed: bool,
    },
    /// Why?
    Reason {
        /// Who was found.
        patient: PatientFacts,
        /// What was chosen.
        reason: Option<EmergencyReason>,
        /// What was typed.
        words: Secret,
        /// What is wrong with the reason.
        problem: Option<NoteProblem>,
    },
}

/// A record that is open by a broken glass.
#[derive(Clone, Debug)]
pub struct OpenRecord {
    /// Id of the case.
    pub case: Literal,
    /// Whose.
    pub patient: Text,
    /// Until when.
    pub until: Moment,
}

/// Why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EmergencyReason {
    /// The person needs care at once.
    Emergency,
    /// The person cannot say what others need to know.
    CannotSpeak,
    /// To stand in for somebody of the care team.
    StandIn,
    /// Somebody is in danger.
    Safety,
    /// Another.
    Other,
}

impl EmergencyReason {
    /// All of them, in the order of the page.
    pub const ALL: [Self; 5] = [Self::Emergency, Self::CannotSpeak, Self::StandIn, Self::Safety, Self::Other];

    /// In the form.
    #[must_use]
    pub const fn value(self) -> &'static str {
        match self {
            Self::Emergency => "emergency",
            Self::CannotSpeak => "cannot-speak",
            Self::StandIn => "stand-in",
            Self::Safety => "safety",
            Self::Other => "other",
        }
    }

    /// Reads [`EmergencyReason::value`].
    #[must_use]
    pub fn from_value(value: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.value() == value)
    }

    pub(crate) const fn words(self, t: &Texts) -> &'static str {
        match self {
            Self::Emergency => t.emergency_reason_emergency,
            Self::CannotSpeak => t.emergency_reason_cannot_speak,
            Self::StandIn => t.emergency_reason_stand_in,
            Self::Safety => t.emergency_reason_safety,
            Self::Other => t.emergency_reason_other,
        }
    }
}

impl Emergency {
    fn form(&self) -> Element {
        parts::form(paths::EMERGENCY, &self.csrf)
    }

    /// Who is told, and what stays closed.
    fn what_happens(&self, t: &Texts) -> Element {
        let items = [
            fill_plain(t.emergency_happens_time, &[("minutes", &self.minutes.to_string())]),
            t.emergency_happens_recorded.to_owned(),
            t.emergency_happens_officer.to_owned(),
            t.emergency_happens_patient.to_owned(),
            t.emergency_happens_closed.to_owned(),
        ];
        let items = items.into_iter().map(|item| el("li").add(item));
        parts::section("happens", t.emergency_happens)
            .class("part")
            .add(el("ul").class("items").add(Fragment::all(items)))
    }

    fn open(&self, open: &[OpenRecord], t: &Texts) -> Option<Element> {
        (!open.is_empty()).then(|| {
            let rows = open.iter().map(|record| {
                let until = fill_plain(t.emergency_until, &[("moment", &t.moment(record.until))]);
                let words = el("div")
                    .class("label")
                    .add(el("span").class("name").add(&record.patient))
                    .add(el("span").class("line").add(until));
                let end = deciding(secondary(t.emergency_end), fields::END);
                let form = self.form().add(parts::hidden(fields::CASE, record.case.as_str())).add(actions(end));
                el("li").class("entry").add(words).add(form)
            });
            parts::section("open", t.emergency_open)
                .class("part")
                .add(el("p").add(t.emergency_open_lead))
                .add(el("ul").class("entries").add(Fragment::all(rows)))
        })
    }

    fn search(&self, has_missed: bool, is_incomplete: bool, t: &Texts) -> Fragment {
        let missed = has_missed.then(|| {
            let words = vec![el("p").add(t.emergency_not_found), el("p").add(t.emergency_not_found_next)];
            parts::notice(Tone::Trouble, words, t)
        });
        let incomplete = is_incomplete.then(|| parts::notice(Tone::Trouble, el("p").add(t.emergency_incomplete), t));
        let field = |name, label| Field::text(name, label).set("autocomplete", "off").free().element(t);
        let number = el("fieldset")
            .class("checks")
            .add(el("legend").add(t.emergency_by_number))
            .add(field(fields::NUMBER, t.emergency_number));
        let name = el("fieldset")
            .class("checks")
            .add(el("legend").add(t.emergency_by_name))
            .add(field(fields::GIVEN, t.emergency_given))
            .add(field(fields::FAMILY, t.emergency_family))
            .add(Field::date(fields::BORN, t.emergency_born).set("autocomplete", "off").free().element(t));
        let form = self.form().add(number).add(name).add(actions(deciding(primary(t.emergency_find), fields::FIND)));
        let section = parts::section("whom", t.emergency_whom).class("part").add(hint(t.emergency_whom_hint)).add(form);
        Fragment::all([Fragment::from(missed), incomplete.into(), section.into()])
    }
}

impl Render for Emergency {
    fn title(&self, cx: Context<'_>) -> String {
        match self.step {
            EmergencyStep::Patient { .. } => cx.t.emergency_title.to_owned(),
            EmergencyStep::Reason { .. } => cx.t.emergency_reason_title.to_owned(),
        }
    }

    /// Whom somebody found stands in no address: the language switch leads to the begin.
    fn here(&self) -> Address {
        Address::of(paths::EMERGENCY)
    }

    fn place(&self) -> Option<Place> {
        Some(Place::Emergency)
    }

    fn body(&self, cx: Context<'_>) -> Fragment {
        let t = cx.t;
        match &self.step {
            EmergencyStep::Patient { open, has_missed, is_incomplete, is_full, is_closed } => {
                let full = is_full.then(|| parts::notice(Tone::Attention, el("p").add(t.emergency_full), t));
                let closed = is_closed.then(|| parts::notice(Tone::Trouble, el("p").add(t.emergency_closed), t));
                Fragment::all([
                    parts::lead(t.emergency_lead).into(),
                    Fragment::from(closed),
                    full.into(),
                    self.open(open, t).into(),
                    self.search(*has_missed, *is_incomplete, t),
                    self.what_happens(t).into(),
                ])
            }
            EmergencyStep::Reason { patient, reason, words, problem } => {
                let problem = problem.map(|problem| problem.words(t.emergency_no_reason, t));
                let problem = problem.map(|words| parts::notice(Tone::Trouble, el("p").add(words), t));
                let choices = EmergencyReason::ALL.into_iter().map(|one| {
                    let input = parts::radio(fields::REASON, one.value(), *reason == Some(one)).flag("required", true);
                    parts::check(input, el("span").class("label").add(one.words(t)))
                });
                let choices =
                    el("fieldset").class("checks").add(el("legend").add(t.emergency_why)).add(Fragment::all(choices));
                let own = Field::lines(fields::WORDS, t.emergency_words, words.as_str())
                    .hint(t.emergency_words_hint)
                    .among_others();
                let form = self
                    .form()
                    .add(parts::hidden(fields::PATIENT, patient.id.as_str()))
                    .add(choices)
                    .add(own.element(t))
                    .add(self.what_happens(t))
                    .add(actions(deciding(el("button").class("danger").add(t.emergency_break), fields::BREAK)));
                let back = el("p").add(el("a").class("quiet").href(&self.here()).add(t.emergency_other_patient));
                Fragment::all([
                    Fragment::from(problem),
                    el("p").class("choice").add(parts::patient(patient, t)).into(),
                    form.into(),
                    back.into(),
                ])
            }
        }
    }
}
