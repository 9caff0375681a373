//! The form of a new choice.

use super::{
    of_person,
    words::{ChoiceMatter, EntryFacts, KINDS},
};
use crate::{
    Literal, Place, Secret, Text, fields,
    html::{Address, Element, Fragment, el},
    page::seen,
    parts::{self, Field, Tone, actions, capital, deciding, fill, hint, primary},
    paths,
    render::{Context, Render},
    texts::Texts,
};

/// The form.
#[derive(Clone, Debug)]
pub struct ChoiceForm {
    /// Form token.
    pub csrf: Secret,
    /// Whose record.
    pub patient: Literal,
    /// Their name; `None`: the reader's own record.
    pub name: Option<Text>,
    /// Whom it can be about, carers first.
    pub parties: Vec<ChoiceParty>,
    /// Entries that it can be about, the latest.
    pub entries: Vec<EntryFacts>,
    /// Purposes that it can be for: codes of v3-ActReason.
    pub purposes: Vec<Literal>,
    /// What was chosen.
    pub draft: ChoiceDraft,
    /// What is missing.
    pub problems: Vec<ChoiceProblem>,
}

/// Somebody whom a choice can name.
#[derive(Clone, Debug)]
pub struct ChoiceParty {
    /// Their resource.
    pub reference: Literal,
    /// Their name.
    pub name: Text,
    /// They care for the patient.
    pub is_carer: bool,
}

/// What was chosen so far, as the fields have it.
#[derive(Clone, Debug, Default)]
pub struct ChoiceDraft {
    /// [`fields::SHARE`], [`fields::WITHHOLD`] or nothing.
    pub effect: Literal,
    /// [`fields::EVERYBODY`], [`fields::BUT_CARERS`] or a reference.
    pub who: Literal,
    /// [`fields::EVERYTHING`], [`fields::KINDS`], [`fields::MATTERS`] or [`fields::ENTRY`].
    pub what: Literal,
    /// Words of [`KINDS`].
    pub kinds: Vec<Literal>,
    /// Words of [`ChoiceMatter`].
    pub matters: Vec<Literal>,
    /// A reference.
    pub entry: Literal,
    /// Codes.
    pub purposes: Vec<Literal>,
    /// A day.
    pub until: Literal,
    /// The box is on.
    pub emergency: bool,
}

/// What is missing or does not go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChoiceProblem {
    /// To share or not.
    Effect,
    /// With whom.
    Who,
    /// To share with everybody but carers makes no sense.
    ButShared,
    /// What.
    What,
    /// Not a day to come.
    Until,
    /// Who acts for the patient would hide something from themselves.
    Own,
}

impl ChoiceProblem {
    const fn words(self, t: &Texts) -> &'static str {
        match self {
            Self::Effect => t.choice_problem_effect,
            Self::Who => t.choice_problem_who,
            Self::ButShared => t.choice_problem_but,
            Self::What => t.choice_problem_what,
            Self::Until => t.choice_problem_until,
            Self::Own => t.choice_problem_own,
        }
    }
}

fn question(title: &'static str) -> Element {
    el("fieldset").class("checks part").add(el("legend").add(title))
}

fn line(text: impl Into<Fragment>) -> Element {
    el("span").class("line").add(text)
}

fn label(text: impl Into<Fragment>) -> Element {
    el("span").class("label").add(el("span").add(text))
}

impl ChoiceForm {
    fn radio(&self, name: &str, value: &str, chosen: &Literal, words: impl Into<Fragment>) -> Element {
        parts::check(parts::radio(name, value, chosen.as_str() == value), words)
    }

    fn effect(&self, t: &Texts) -> Element {
        let one =
            |value, words, more| self.radio(fields::EFFECT, value, &self.draft.effect, label(words).add(line(more)));
        question(t.choice_effect).add(one(fields::WITHHOLD, t.choice_withhold, t.choice_withhold_hint)).add(one(
            fields::SHARE,
            t.choice_share,
            t.choice_share_hint,
        ))
    }

    fn who(&self, t: &Texts) -> Element {
        let one = |value: &str, words: Fragment| self.radio(fields::WHO, value, &self.draft.who, words);
        let carers: Vec<&ChoiceParty> = self.parties.iter().filter(|party| party.is_carer).collect();
        let but = (!carers.is_empty()).then(|| {
            let names = carers.iter().enumerate().map(|(at, party)| {
                let before = if at == 0 { "" } else { ", " };
                Fragment::all([Fragment::from(before), (&party.name).into()])
            });
            let words = label(t.choice_but_carers)
                .add(line(fill(t.choice_carers, &[("who", Fragment::all(names))])))
                .add(line(t.choice_carers_hint));
            one(fields::BUT_CARERS, words.into())
        });
        let parties = self.parties.iter().map(|party| one(party.reference.as_str(), label(&party.name).into()));
        question(t.choice_who)
            .add(one(fields::EVERYBODY, label(t.choice_everybody).into()))
            .add(but)
            .add(Fragment::all(parties))
    }

    fn boxes<'a>(name: &'static str, chosen: &[Literal], all: impl Iterator<Item = (&'a str, String)>) -> Fragment {
        let one = |(value, words): (&str, String)| {
            parts::check(parts::checkbox(name, value, chosen.iter().any(|one| one.as_str() == value)), label(words))
        };
        Fragment::all(all.map(one))
    }

    fn what(&self, t: &Texts) -> Element {
        let draft = &self.draft;
        let one = |value, words, more: Option<&'static str>| {
            self.radio(fields::WHAT, value, &draft.what, label(words).add(more.map(line)))
        };
        let kinds = Self::boxes(
            fields::KIND,
            &draft.kinds,
            KINDS.iter().map(|(value, group, _)| (*value, group.title(t).to_owned())),
        );
        let matters = ChoiceMatter::ALL.into_iter().map(|one| (one.value(), capital(one.words(t))));
        let matters = Self::boxes(fields::MATTER, &draft.matters, matters);
        let entries = self.entries.iter().map(|entry| {
            let reference = entry.reference.as_str();
            self.radio(fields::ENTRY, reference, &draft.entry, label(entry.fragment(t)))
        });
        let entries: Vec<Element> = entries.collect();
        let inside = |content: Fragment, is_open: bool, title: &'static str| {
            parts::details(title, el("div").class("checks").add(content)).flag("open", is_open)
        };
        let mut question = question(t.choice_what)
            .add(one(fields::EVERYTHING, t.choice_everything, None))
            .add(one(fields::KINDS, t.choice_kinds, None))
            .add(inside(kinds, draft.what.as_str() == fields::KINDS, t.choice_kinds_list))
            .add(one(fields::MATTERS, t.choice_matters, Some(t.choice_matters_hint)))
            .add(inside(matters, draft.what.as_str() == fields::MATTERS, t.choice_matters_list));
        if !entries.is_empty() {
            question = question.add(one(fields::ENTRY, t.choice_entry, None)).add(inside(
                Fragment::all(entries),
                draft.what.as_str() == fields::ENTRY,
                t.choice_entry_list,
            ));
        }
        question
    }

    fn more(&self, t: &Texts) -> Element {
        let purposes = self.purposes.iter().map(|code| (code.as_str(), capital(&seen::why(code, t))));
        let why = question(t.choice_why).add(hint(t.choice_why_hint)).add(Self::boxes(
            fields::PURPOSE,
            &self.draft.purposes,
            purposes,
        ));
        let day = Field::date(fields::UNTIL, t.choice_until_day)
            .value(Some(self.draft.until.as_str()))
            .hint(t.choice_until_hint)
            .set("autocomplete", "off")
            .free()
            .element(t);
        let until = question(t.choice_until).add(day);
        let emergency = question(t.choice_emergency_title).add(parts::check(
            parts::checkbox(fields::EMERGENCY, fields::YES, self.draft.emergency),
            label(t.choice_emergency).add(line(t.choice_emergency_hint)),
        ));
        el("div").add(why).add(until).add(emergency)
    }
}

impl Render for ChoiceForm {
    fn title(&self, cx: Context<'_>) -> String {
        cx.t.choice_title.to_owned()
    }

    fn heading(&self, cx: Context<'_>) -> Fragment {
        of_person(cx.t.choice_title, cx.t.choice_heading_other, self.name.as_ref())
    }

    /// What was chosen stands in no address.
    fn here(&self) -> Address {
        Address::of(paths::CHOICE_NEW).with(fields::PATIENT, self.patient.as_str())
    }

    fn place(&self) -> Option<Place> {
        Some(Place::Choices)
    }

    fn body(&self, cx: Context<'_>) -> Fragment {
        let t = cx.t;
        let problems = (!self.problems.is_empty()).then(|| {
            let each = self.problems.iter().map(|problem| el("p").add(problem.words(t)));
            parts::notice(Tone::Trouble, Fragment::all(each), t)
        });
        let form = parts::form(paths::CHOICE_NEW, &self.csrf)
            .add(parts::hidden(fields::PATIENT, self.patient.as_str()))
            .add(self.effect(t))
            .add(self.who(t))
            .add(self.what(t))
            .add(self.more(t))
            .add(actions(deciding(primary(t.choice_preview), fields::PREVIEW)));
        let list = Address::of(paths::CHOICES).with(fields::PATIENT, self.patient.as_str());
        let back = el("p").add(el("a").class("quiet").href(&list).add(t.choice_leave));
        Fragment::all([Fragment::from(problems), parts::lead(t.choice_lead).into(), form.into(), back.into()])
    }
}
