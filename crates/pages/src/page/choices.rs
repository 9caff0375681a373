//! What a patient shares, and with whom: the list of choices, the form of a new one, and what it would do, before it
//! counts. SPEC: rows G9, G18; issue 7, item 3; `docs/consent.md`.
//!
//! A choice is told as facts with names, not as one clever sentence: whoever reads it aloud says the same. What cannot be
//! told in words stands in the list all the same.

mod form;
mod preview;
pub(crate) mod words;

pub use form::{ChoiceDraft, ChoiceForm, ChoiceParty, ChoiceProblem};
pub use preview::{ChoicePreview, ChoiceStep, WatchedFacts};
pub use words::{ChoiceFacts, ChoiceMatter, ChoiceState, ChoiceWhat, ChoiceWho, ChoiceWords, EntryFacts, KINDS};

use crate::{
    Literal, Place, Text, fields,
    html::{Address, Element, Fragment, el},
    parts::{self, Tone, fill, hint},
    paths,
    render::{Context, Render},
    texts::Texts,
};

/// The choices of one record.
#[derive(Clone, Debug)]
pub struct Choices {
    /// Whose record.
    pub patient: Literal,
    /// Their name; `None`: the reader's own record.
    pub name: Option<Text>,
    /// Other records that the reader may choose.
    pub others: Vec<(Literal, Text)>,
    /// The reader may make choices for it.
    pub acts: bool,
    /// Those that count now.
    pub in_force: Vec<ChoiceFacts>,
    /// Those that do not.
    pub idle: Vec<ChoiceFacts>,
    /// There are more than these.
    pub has_more: bool,
    /// What was just done.
    pub notice: Option<ChoicesNotice>,
}

/// What was just done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChoicesNotice {
    /// A choice was made.
    Made,
    /// One was ended.
    Ended,
}

impl ChoicesNotice {
    /// In an address.
    #[must_use]
    pub const fn value(self) -> &'static str {
        match self {
            Self::Made => "made",
            Self::Ended => "ended",
        }
    }

    /// Reads [`ChoicesNotice::value`].
    #[must_use]
    pub fn from_value(value: &str) -> Option<Self> {
        [Self::Made, Self::Ended].into_iter().find(|one| one.value() == value)
    }
}

/// A heading for a record: one's own, or that of a person.
pub(super) fn of_person(own: &'static str, others: &'static str, name: Option<&Text>) -> Fragment {
    match name {
        None => own.into(),
        Some(name) => fill(others, &[("person", name.into())]),
    }
}

impl Choices {
    fn row(&self, choice: &ChoiceFacts, cx: Context<'_>) -> Element {
        let t = cx.t;
        let end = choice.may_end.then(|| {
            let address = Address::of(paths::CHOICE_END)
                .with(fields::PATIENT, self.patient.as_str())
                .with(fields::CHOICE, choice.id.as_str());
            el("p").add(el("a").class("button secondary").href(&address).add(t.choices_end))
        });
        let not_yours = (self.acts && !choice.may_end && choice.state == ChoiceState::InForce)
            .then(|| hint(fill(t.choices_not_yours, &[("facility", (&cx.frame.facility).into())])));
        el("li").add(choice.element("h3", cx)).add(not_yours).add(end)
    }

    fn list(&self, choices: &[ChoiceFacts], cx: Context<'_>) -> Element {
        el("ul").class("plain").add(Fragment::all(choices.iter().map(|one| self.row(one, cx))))
    }

    fn others(&self, t: &Texts) -> Option<Element> {
        let others = self.others.iter().map(|(id, name)| {
            let address = Address::of(paths::CHOICES).with(fields::PATIENT, id.as_str());
            let name = fill(t.seen_record_of, &[("person", name.into())]);
            let name = el("span").class("label").add(el("span").class("name").add(name));
            el("li").add(el("a").class("row").href(&address).add(name).add(parts::icon("M9 5l7 7-7 7")))
        });
        (!self.others.is_empty())
            .then(|| el("nav").attr("aria-label", t.seen_others).add(el("ul").class("rows").add(Fragment::all(others))))
    }
}

impl Render for Choices {
    fn title(&self, cx: Context<'_>) -> String {
        if self.name.is_none() { cx.t.choices_title } else { cx.t.choices_title_other }.to_owned()
    }

    fn heading(&self, cx: Context<'_>) -> Fragment {
        of_person(cx.t.choices_title, cx.t.choices_heading_other, self.name.as_ref())
    }

    fn here(&self) -> Address {
        Address::of(paths::CHOICES).with(fields::PATIENT, self.patient.as_str())
    }

    fn place(&self) -> Option<Place> {
        Some(Place::Choices)
    }

    fn body(&self, cx: Context<'_>) -> Fragment {
        let t = cx.t;
        let notice = self.notice.map(|notice| {
            let text = match notice {
                ChoicesNotice::Made => t.choices_made,
                ChoicesNotice::Ended => t.choices_was_ended,
            };
            parts::notice(Tone::Good, el("p").add(text), t)
        });
        let lead = match (self.acts, &self.name) {
            (true, None) => t.choices_lead,
            (true, Some(_)) => t.choices_lead_other,
            (false, _) => t.choices_lead_reader,
        };
        let new = self.acts.then(|| {
            let address = Address::of(paths::CHOICE_NEW).with(fields::PATIENT, self.patient.as_str());
            el("p").add(parts::primary_link(&address, t.choices_new))
        });
        let rules = fill(t.choices_rules, &[("facility", (&cx.frame.facility).into())]);
        let now = parts::section("now", t.choices_now).class("part");
        let now = if self.in_force.is_empty() {
            now.add(el("p").add(t.choices_none)).add(hint(rules))
        } else {
            now.add(self.list(&self.in_force, cx)).add(hint(rules))
        };
        let idle = (!self.idle.is_empty()).then(|| {
            let title = parts::fill_plain(t.choices_idle, &[("count", &self.idle.len().to_string())]);
            parts::details(title, self.list(&self.idle, cx))
        });
        let more = self.has_more.then(|| hint(t.choices_more));
        Fragment::all([
            Fragment::from(notice),
            parts::lead(lead).into(),
            self.others(t).into(),
            new.into(),
            now.into(),
            idle.into(),
            more.into(),
        ])
    }
}
