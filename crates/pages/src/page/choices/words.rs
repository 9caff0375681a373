//! One choice in words.

use crate::{
    Date, Literal, Text,
    html::{Element, Fragment, el},
    page::seen,
    parts::{self, capital, fill, hint},
    render::Context,
    texts::Texts,
    words::{self, Group},
};

/// A choice of a record.
#[derive(Clone, Debug)]
pub struct ChoiceFacts {
    /// Its id.
    pub id: Literal,
    /// What it says; `None`: words cannot tell.
    pub words: Option<ChoiceWords>,
    /// When it was written down.
    pub recorded: Option<Date>,
    /// Whose act it is.
    pub by: Option<Text>,
    /// What it is at this moment.
    pub state: ChoiceState,
    /// The reader may end it.
    pub may_end: bool,
}

/// What a choice is at this moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChoiceState {
    /// It counts.
    InForce,
    /// Its time is over or has not begun.
    OutOfPeriod,
    /// A newer one took its place.
    Replaced,
    /// It was ended, or never begun.
    NotActive,
}

/// What a choice says.
#[derive(Clone, Debug)]
pub struct ChoiceWords {
    /// Or does not.
    pub shares: bool,
    /// With whom.
    pub who: ChoiceWho,
    /// What.
    pub what: ChoiceWhat,
    /// For which purposes (codes of v3-ActReason); none: any.
    pub purposes: Vec<Literal>,
    /// Its last day.
    pub until: Option<Date>,
    /// What is not shared may be seen in an emergency.
    pub emergency: bool,
}

/// With whom.
#[derive(Clone, Debug)]
pub enum ChoiceWho {
    /// Everybody.
    Everybody,
    /// Everybody but these; an empty name: one that nobody knows.
    But(Vec<Text>),
    /// These.
    These(Vec<Text>),
}

/// What.
#[derive(Clone, Debug)]
pub enum ChoiceWhat {
    /// The whole record.
    Everything,
    /// Types of resources.
    Types(Vec<Literal>),
    /// What is marked as such.
    Matters(Vec<ChoiceMatter>),
    /// These alone.
    Entries(Vec<EntryFacts>),
}

/// An entry of a record.
#[derive(Clone, Debug)]
pub struct EntryFacts {
    /// `Type/id`.
    pub reference: Literal,
    /// Its type.
    pub kind: Literal,
    /// In the words of the record.
    pub title: Option<Text>,
    /// Of when it is.
    pub date: Option<Date>,
}

/// A private matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum ChoiceMatter {
    Mind,
    Substances,
    Hiv,
    Violence,
    Sexuality,
    Genes,
}

impl ChoiceMatter {
    /// All, in the order of the page.
    pub const ALL: [Self; 6] = [Self::Mind, Self::Substances, Self::Hiv, Self::Violence, Self::Sexuality, Self::Genes];

    /// In the form.
    #[must_use]
    pub const fn value(self) -> &'static str {
        match self {
            Self::Mind => "mind",
            Self::Substances => "substances",
            Self::Hiv => "hiv",
            Self::Violence => "violence",
            Self::Sexuality => "sexuality",
            Self::Genes => "genes",
        }
    }

    /// Reads [`ChoiceMatter::value`].
    #[must_use]
    pub fn from_value(value: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.value() == value)
    }

    pub(crate) const fn words(self, t: &Texts) -> &'static str {
        match self {
            Self::Mind => t.matter_mind,
            Self::Substances => t.matter_substances,
            Self::Hiv => t.matter_hiv,
            Self::Violence => t.matter_violence,
            Self::Sexuality => t.matter_sexuality,
            Self::Genes => t.matter_genes,
        }
    }
}

/// Kinds that a choice can be about: the word in the form, its group, and the types that it means, which are those about
/// a patient that [`crate::words`] has in that group.
pub const KINDS: [(&str, Group, &[&str]); 9] = [
    (
        "health",
        Group::Health,
        &[
            "Condition",
            "AllergyIntolerance",
            "AdverseEvent",
            "Flag",
            "DetectedIssue",
            "ClinicalImpression",
            "RiskAssessment",
            "FamilyMemberHistory",
        ],
    ),
    (
        "results",
        Group::Results,
        &["Observation", "DiagnosticReport", "Specimen", "ImagingStudy", "QuestionnaireResponse", "MolecularSequence"],
    ),
    (
        "medicines",
        Group::Medicines,
        &[
            "MedicationRequest",
            "MedicationDispense",
            "MedicationAdministration",
            "MedicationStatement",
            "Immunization",
            "ImmunizationRecommendation",
        ],
    ),
    (
        "moving",
        Group::Moving,
        &["DeviceRequest", "DeviceUseStatement", "NutritionOrder", "VisionPrescription", "Device"],
    ),
    ("visits", Group::Visits, &["Encounter", "EpisodeOfCare", "Appointment", "Procedure", "ServiceRequest"]),
    ("care", Group::Care, &["CarePlan", "CareTeam", "Goal", "Task"]),
    ("notes", Group::Notes, &["DocumentReference", "DocumentManifest", "Composition", "Media", "Communication"]),
    ("money", Group::Money, &["Coverage", "Claim", "ClaimResponse", "ExplanationOfBenefit", "Account", "Invoice"]),
    ("identity", Group::Identity, &["Patient", "RelatedPerson", "Person"]),
];

/// Names on one line.
fn names(all: &[Text], t: &Texts) -> Fragment {
    let name = |name: &Text| -> Fragment { if name.is_empty() { t.choices_nameless.into() } else { name.into() } };
    let mut line = Fragment::default();
    for (at, one) in all.iter().enumerate() {
        let before = match at {
            0 => String::new(),
            at if at + 1 == all.len() => format!(" {} ", t.and_before(one.as_str())),
            _ => ", ".to_owned(),
        };
        line = Fragment::all([line, before.into(), name(one)]);
    }
    line
}

impl EntryFacts {
    /// `Blood pressure · March 3, 2026`.
    pub(crate) fn fragment(&self, t: &Texts) -> Fragment {
        let kind = words::of_type(self.kind.as_str(), t).unwrap_or(t.seen_more);
        let mut facts: Vec<Fragment> = vec![match &self.title {
            Some(title) if !title.is_empty() => title.into(),
            _ => capital(kind).into(),
        }];
        facts.extend(self.date.map(|date| Fragment::from(t.date(date))));
        let (mut whole, mut facts) = (Fragment::default(), facts.into_iter());
        whole = Fragment::all([whole, facts.next().unwrap_or_default()]);
        for fact in facts {
            whole = Fragment::all([whole, " · ".into(), fact]);
        }
        whole
    }
}

impl ChoiceWords {
    /// The headline: `Not shared with Dr. Kim Novak`.
    pub(crate) fn headline(&self, t: &Texts) -> Fragment {
        let who = match &self.who {
            ChoiceWho::Everybody => t.choices_everybody.into(),
            ChoiceWho::But(but) => fill(t.choices_but, &[("who", names(but, t))]),
            ChoiceWho::These(these) => names(these, t),
        };
        fill(if self.shares { t.choices_shares } else { t.choices_withholds }, &[("who", who)])
    }

    fn what(&self, t: &Texts) -> Fragment {
        let lines = |lines: Vec<Fragment>| Fragment::all(lines.into_iter().map(|line| el("div").add(line)));
        match &self.what {
            ChoiceWhat::Everything => t.choices_everything.into(),
            ChoiceWhat::Types(types) => {
                let has = |name: &&str| types.iter().any(|one| one.as_str() == *name);
                let whole: Vec<_> = KINDS.iter().filter(|(_, _, meant)| meant.iter().all(&has)).collect();
                let mut all: Vec<Fragment> = whole.iter().map(|(_, group, _)| group.title(t).into()).collect();
                let is_told = |one: &Literal| whole.iter().any(|(_, _, meant)| meant.contains(&one.as_str()));
                all.extend(types.iter().filter(|one| !is_told(one)).map(|one| match words::of_type(one.as_str(), t) {
                    Some(words) => capital(words).into(),
                    None => fill(t.choices_type, &[("name", one.into())]),
                }));
                lines(all)
            }
            ChoiceWhat::Matters(matters) => {
                let mut all: Vec<Fragment> = matters.iter().map(|one| capital(one.words(t)).into()).collect();
                all.push(t.choices_marked.into());
                lines(all)
            }
            ChoiceWhat::Entries(entries) => lines(entries.iter().map(|one| one.fragment(t)).collect()),
        }
    }

    /// All but the headline.
    pub(crate) fn facts(&self, t: &Texts) -> Element {
        let why = if self.purposes.is_empty() {
            t.choices_any_reason.into()
        } else {
            let each = self.purposes.iter().map(|code| el("div").add(capital(&seen::why(code, t))));
            Fragment::all(each)
        };
        let until = self.until.map_or_else(|| t.choices_until_ended.to_owned(), |date| t.date(date));
        let emergency = (!self.shares).then(|| {
            let text = if self.emergency { t.choices_emergency_open } else { t.choices_emergency_closed };
            (t.choices_emergency, Fragment::from(text))
        });
        let facts = [(t.choices_what, self.what(t)), (t.choices_why, why), (t.choices_until, until.into())];
        parts::facts(facts.into_iter().chain(emergency))
    }
}

impl ChoiceFacts {
    /// What it says, when it was written down and by whom. `heading`: the level of its headline.
    pub(crate) fn element(&self, heading: &'static str, cx: Context<'_>) -> Element {
        let t = cx.t;
        let counts = self.state == ChoiceState::InForce;
        let ask = if counts { t.choices_untold_next } else { t.choices_untold_idle };
        let said = match &self.words {
            Some(words) => Fragment::all([Fragment::from(el(heading).add(words.headline(t))), words.facts(t).into()]),
            None => Fragment::all([
                Fragment::from(el(heading).add(t.choices_untold)),
                hint(fill(ask, &[("facility", (&cx.frame.facility).into())])).into(),
            ]),
        };
        let state = match self.state {
            ChoiceState::InForce => None,
            ChoiceState::OutOfPeriod => Some(t.choices_out_of_period),
            ChoiceState::Replaced => Some(t.choices_replaced),
            ChoiceState::NotActive => Some(t.choices_not_active),
        };
        let mut facts: Vec<Fragment> = state.into_iter().map(Fragment::from).collect();
        facts.push(match self.recorded {
            Some(date) => parts::fill_plain(t.choices_recorded, &[("date", &t.date(date))]).into(),
            None => t.choices_undated.into(),
        });
        facts.push(match self.by.as_ref().filter(|by| !by.is_empty()) {
            Some(by) => fill(t.choices_by, &[("person", by.into())]),
            None => t.choices_by_nobody.into(),
        });
        el("div").add(said).add(el("p").add(parts::joined(facts)))
    }
}
