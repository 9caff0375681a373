//! What a choice, or its end, would do; and the button that makes it count.

use super::words::{ChoiceFacts, ChoiceWords, EntryFacts};
use crate::{
    Literal, Place, Secret, Text, fields,
    html::{Address, Element, Fragment, el},
    parts::{self, Tone, actions, deciding, fill, hint, primary, secondary},
    paths,
    render::{Context, Render},
    texts::Texts,
};

/// The page before a choice counts.
#[derive(Clone, Debug)]
pub struct ChoicePreview {
    /// Form token.
    pub csrf: Secret,
    /// Stands for all that the page shows: a form without it, or with that of another page, is not taken.
    pub shown: Secret,
    /// Whose record.
    pub patient: Literal,
    /// It is the reader's own.
    pub is_own: bool,
    /// What is about to be done.
    pub step: ChoiceStep,
    /// For whom something changes, and who is named.
    pub watched: Vec<WatchedFacts>,
    /// So many others were looked at, for whom nothing changes.
    pub unchanged: usize,
    /// Not all was looked at.
    pub is_part: bool,
    /// Something has changed since the page that was confirmed.
    pub is_stale: bool,
}

/// What is about to be done.
#[derive(Clone, Debug)]
pub enum ChoiceStep {
    /// A new choice; and the fields of its form.
    New(ChoiceWords, Vec<(Literal, Literal)>),
    /// One ends.
    End(ChoiceFacts),
}

/// What changes for one.
#[derive(Clone, Debug)]
pub struct WatchedFacts {
    /// Who.
    pub name: Text,
    /// They have no account here.
    pub is_outside: bool,
    /// How many entries they no longer see, and some of these.
    pub hides: (usize, Vec<EntryFacts>),
    /// How many they see anew, and some of these.
    pub shows: (usize, Vec<EntryFacts>),
}

impl WatchedFacts {
    fn element(&self, t: &Texts) -> Element {
        let name = || Fragment::from(&self.name);
        if self.hides.0 == 0 && self.shows.0 == 0 {
            let text = if self.is_outside { t.choice_outside } else { t.choice_nothing };
            return el("li").add(el("p").add(fill(text, &[("who", name())])));
        }
        let part = |(count, some): &(usize, Vec<EntryFacts>), one: &'static str, many: &'static str| {
            (*count > 0).then(|| {
                let text = if *count == 1 { one } else { many };
                let headline = fill(text, &[("who", name()), ("count", count.to_string().into())]);
                let rows = some.iter().map(|entry| el("li").add(entry.fragment(t)));
                let more = count.saturating_sub(some.len());
                let more =
                    (more > 0).then(|| el("li").add(parts::fill_plain(t.choice_more, &[("count", &more.to_string())])));
                Fragment::all([
                    Fragment::from(el("h3").add(headline)),
                    el("ul").class("items").add(Fragment::all(rows)).add(more).into(),
                ])
            })
        };
        el("li").add(part(&self.hides, t.choice_hides_one, t.choice_hides)).add(part(
            &self.shows,
            t.choice_shows_one,
            t.choice_shows,
        ))
    }
}

impl Render for ChoicePreview {
    fn title(&self, cx: Context<'_>) -> String {
        match self.step {
            ChoiceStep::New(..) => cx.t.choice_check_title,
            ChoiceStep::End(_) => cx.t.choice_end_title,
        }
        .to_owned()
    }

    /// What was chosen stands in no address: the language switch leads to the begin.
    fn here(&self) -> Address {
        match &self.step {
            ChoiceStep::New(..) => Address::of(paths::CHOICE_NEW).with(fields::PATIENT, self.patient.as_str()),
            ChoiceStep::End(choice) => Address::of(paths::CHOICE_END)
                .with(fields::PATIENT, self.patient.as_str())
                .with(fields::CHOICE, choice.id.as_str()),
        }
    }

    fn place(&self) -> Option<Place> {
        Some(Place::Choices)
    }

    fn body(&self, cx: Context<'_>) -> Fragment {
        let t = cx.t;
        let stale = self.is_stale.then(|| parts::notice(Tone::Trouble, el("p").add(t.choice_stale), t));
        let changes = self.watched.iter().map(|one| one.element(t));
        let none = self.watched.is_empty().then(|| el("p").add(t.choice_none));
        let unchanged = match self.unchanged {
            0 => None,
            1 => Some(hint(t.choice_unchanged_one)),
            count => Some(hint(parts::fill_plain(t.choice_unchanged, &[("count", &count.to_string())]))),
        };
        let changes = (!self.watched.is_empty()).then(|| el("ul").class("plain").add(Fragment::all(changes)));
        let section = parts::section("changes", t.choice_changes)
            .class("part")
            .add(none)
            .add(changes)
            .add(unchanged)
            .add(self.is_part.then(|| parts::notice(Tone::Attention, el("p").add(t.choice_part), t)))
            .add(hint(t.choice_others))
            .add(self.is_own.then(|| hint(t.choice_own)));
        let list = Address::of(paths::CHOICES).with(fields::PATIENT, self.patient.as_str());
        let (said, form) = match &self.step {
            ChoiceStep::New(words, kept) => {
                let kept = kept.iter().map(|(name, value)| parts::hidden(name.as_str(), value.as_str()));
                let said = el("div").class("choice").add(el("h2").add(words.headline(t))).add(words.facts(t));
                let buttons = Fragment::all([
                    deciding(primary(t.choice_yes), fields::CONFIRM),
                    deciding(secondary(t.choice_back), fields::CHANGE),
                ]);
                (said, parts::form(paths::CHOICE_NEW, &self.csrf).add(Fragment::all(kept)).add(actions(buttons)))
            }
            ChoiceStep::End(choice) => {
                let said = el("div").class("choice").add(choice.element("h2", cx));
                let form = parts::form(paths::CHOICE_END, &self.csrf)
                    .add(parts::hidden(fields::CHOICE, choice.id.as_str()))
                    .add(actions(deciding(primary(t.choice_end_yes), fields::CONFIRM)));
                (said, form)
            }
        };
        let form = form
            .add(parts::hidden(fields::PATIENT, self.patient.as_str()))
            .add(parts::hidden(fields::SHOWN, self.shown.as_str()));
        let leave = el("p").add(el("a").class("quiet").href(&list).add(t.choice_leave));
        Fragment::all([
            Fragment::from(stale),
            said.into(),
            section.into(),
            el("p").add(t.choice_at_once).into(),
            form.into(),
            leave.into(),
        ])
    }
}
