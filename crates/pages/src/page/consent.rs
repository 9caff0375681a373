//! Consent: what an app asks to see, and the person's choice. SPEC: SMART App Launch 2.2; rows B27, B28, A18, E2, E3.
//!
//! Things are put in groups that a person thinks in, by [`crate::words`]. A group has one switch; behind "details" each
//! scope has its own, and both must be on. What is private, what changes the record, and what reaches beyond one record
//! stands apart and is off until switched on. Read the answer with [`crate::words::chosen`].

use crate::{
    AppFacts, Lasts, PatientFacts, Secret, Text, fields,
    html::{Address, Element, Fragment, el},
    parts::{self, Tone, capital, deciding, fill, hint},
    paths,
    render::{Context, Render},
    texts::Texts,
    words::{self, Ask, Group, Part, Row, UserReach, Words},
};

/// The consent page.
#[derive(Clone, Debug)]
pub struct Consent {
    /// Form token.
    pub csrf: Secret,
    /// What comes after.
    pub continuation: Secret,
    /// Who asks.
    pub app: AppFacts,
    /// Whose record: of `launch/patient` or a launch. `None`: the records that the person may see (`user/` scopes), or
    /// none at all.
    pub patient: Option<PatientFacts>,
    /// What the app asks for, each with the state of its switch. Without `launch…`, `offline_access` and
    /// `online_access`, which are no choices of this kind.
    pub asks: Vec<Ask>,
    /// How far `user/` scopes reach for this person.
    pub reach: UserReach,
    /// The choices of how long, one or more. With more than [`Lasts::Now`] the page tells of offline access.
    pub lasts: Vec<Lasts>,
    /// Which of them is chosen at first.
    pub lasts_chosen: Lasts,
    /// Nothing was chosen, yet "share" pressed.
    pub was_empty: bool,
    /// Who said who the person is, and as whose member, when it was another organization.
    pub vouched: Option<(Text, Text)>,
}

impl Consent {
    /// The headline's text, and the patient that it names.
    fn headline(&self, t: &Texts) -> (&'static str, Option<&PatientFacts>) {
        let one_record = self.reach == UserReach::OneRecord || self.asks.iter().any(|ask| ask.scope.is_of_patient());
        match &self.patient {
            _ if self.asks.iter().all(|ask| ask.scope.is_identity()) => (t.consent_title_identity, None),
            Some(patient) if one_record => (t.consent_title, Some(patient)),
            _ => (t.consent_title_records, None),
        }
    }

    fn part(&self, part: Part, rows: &[Row<'_>], t: &Texts) -> Element {
        let (id, title, words) = match part {
            Part::Plain => ("what", t.consent_what, t.consent_what_hint.into()),
            Part::Private => ("private", t.consent_private, t.consent_private_hint.into()),
            Part::Change => ("change", t.consent_change, t.consent_change_hint.into()),
            Part::Wide => {
                let patient = self.patient.as_ref().map(|patient| Fragment::from(&patient.name));
                ("wide", t.consent_wide, fill(t.consent_wide_hint, &[("patient", patient.unwrap_or_default())]))
            }
        };
        let choices = rows.iter().map(|row| match row.items.as_slice() {
            [(ask, words)] => single(part, ask, words, t),
            _ => group(row, t),
        });
        parts::section(id, title)
            .class(if part == Part::Plain { "part" } else { "part apart" })
            .add(hint(words))
            .add(Fragment::all(choices))
    }

    fn technical_names(&self, t: &Texts) -> Element {
        let names = self.asks.iter().map(|ask| {
            let words = capital(&words::in_texts(&ask.scope, t).words);
            el("li").add(words).add(" ").add(el("code").add(&ask.scope.exact))
        });
        parts::details(t.technical_names, el("ul").class("items").add(Fragment::all(names))).class("part")
    }

    fn how_long(&self, cx: Context<'_>) -> Element {
        let t = cx.t;
        let link = el("a").href(&Address::of(paths::APPS)).add(t.apps_title);
        let end = fill(t.consent_end, &[("page", link.into()), ("facility", (&cx.frame.facility).into())]);
        let section = parts::section("how-long", t.consent_how_long).class("part");
        if let [only] = self.lasts.as_slice() {
            let words = if *only == Lasts::Now { t.lasts_only_now.to_owned() } else { t.lasts(*only) };
            let told = (*only != Lasts::Now).then(|| hint(t.offline));
            let hidden = parts::hidden(fields::LASTS, &only.value());
            return section.add(told).add(hidden).add(el("p").class("name").add(words)).add(hint(end));
        }
        let buttons = self.lasts.iter().map(|lasts| {
            let input = parts::radio(fields::LASTS, &lasts.value(), *lasts == self.lasts_chosen);
            parts::check(input.flag("required", true), t.lasts(*lasts))
        });
        let choices = el("div").class("checks").attr("role", "radiogroup").attr("aria-labelledby", "how-long");
        let choices = choices.add(Fragment::all(buttons));
        section.add(hint(t.offline)).add(choices).add(hint(end))
    }
}

/// A switch: its words, the box, and its state in a word.
fn switch(name: Fragment, line: Option<String>, input: Element, t: &Texts) -> Element {
    let words = el("span").class("label").add(el("span").class("name").add(name));
    let words = words.add(line.map(|line| el("span").class("line").add(line)));
    let state = el("span")
        .class("state")
        .attr("aria-hidden", "true")
        .add(el("span").class("on").add(t.yes))
        .add(el("span").class("off").add(t.no));
    el("label").class("switch").add(words).add(input.attr("role", "switch")).add(state)
}

/// A row for one scope.
fn single(part: Part, ask: &Ask, words: &Words, t: &Texts) -> Element {
    let is_titled = part == Part::Plain || words.group == Group::Everything;
    let name = if is_titled { words.group.title(t).to_owned() } else { capital(&words.words) };
    let told = is_titled.then(|| capital(&words.words));
    let letters = words.writes.then(|| parts::fill_plain(t.may_list, &[("letters", &words.letters)]));
    let line = match (told, letters) {
        (Some(told), Some(letters)) => Some(format!("{told}. {letters}")),
        (told, letters) => told.or(letters),
    };
    let input = parts::checkbox(fields::SCOPE, ask.scope.exact(), ask.is_on(part));
    el("div").class("choice").add(switch(name.into(), line, input, t))
}

/// A row for a group of scopes: one switch for all, and one for each behind a line.
fn group(row: &Row<'_>, t: &Texts) -> Element {
    let title = row.group.title(t);
    let mut line: Vec<&str> = Vec::new();
    for (_, words) in &row.items {
        if !line.contains(&words.words.as_str()) {
            line.push(&words.words);
        }
    }
    let is_on = row.items.iter().any(|(ask, _)| ask.is_on(Part::Plain));
    let input = parts::checkbox(fields::GROUP, row.group.key(), is_on);
    let items = row.items.iter().map(|(ask, words)| {
        let input = parts::checkbox(fields::SCOPE, ask.scope.exact(), ask.is_on(Part::Plain));
        el("li").add(parts::check(input, capital(&words.words)))
    });
    let items = el("ul").class("items").add(Fragment::all(items));
    let summary = Fragment::all([t.consent_single.into(), unseen(title)]);
    el("div")
        .class("choice")
        .add(switch(title.into(), Some(capital(&line.join(", "))), input, t))
        .add(parts::details(summary, items))
}

/// Tells a reader of single links which of many this is.
fn unseen(name: &str) -> Fragment {
    el("span").class("unseen").add(format!(": {name}")).into()
}

impl Render for Consent {
    fn title(&self, cx: Context<'_>) -> String {
        let (text, patient) = self.headline(cx.t);
        let patient = patient.map_or("", |patient| patient.name.as_str());
        parts::fill_plain(text, &[("app", self.app.name.as_str()), ("patient", patient)])
    }

    fn heading(&self, cx: Context<'_>) -> Fragment {
        let (text, patient) = self.headline(cx.t);
        let patient = patient.map(|patient| Fragment::from(&patient.name)).unwrap_or_default();
        fill(text, &[("app", (&self.app.name).into()), ("patient", patient)])
    }

    fn here(&self) -> Address {
        Address::of(paths::CONSENT).with(fields::CONTINUATION, self.continuation.as_str())
    }

    fn body(&self, cx: Context<'_>) -> Fragment {
        let t = cx.t;
        let (_, patient) = self.headline(t);
        let facts = patient.map(|patient| {
            let born = parts::born(patient, t).map(|born| Fragment::from(capital(&born)));
            let detail = patient.detail.as_ref().map(Fragment::from);
            parts::joined(born.into_iter().chain(detail).collect()).map(parts::lead)
        });
        let purpose = self.app.purpose.as_ref().map(|words| hint(fill(t.purpose, &[("purpose", words.into())])));
        let empty = self.was_empty.then(|| parts::notice(Tone::Trouble, el("p").add(t.consent_empty), t));
        let sections = words::arrange(&self.asks, self.reach, t);
        let sections = sections.iter().map(|(part, rows)| self.part(*part, rows, t));
        let app = ("app", Fragment::from(&self.app.name));
        let next = match &self.app.returns_to {
            Some(place) => fill(t.consent_next_at, &[app, ("place", el("strong").add(place).into())]),
            None => fill(t.consent_next, &[app]),
        };
        let button = |text| el("button").class("equal").add(text);
        let buttons = el("div")
            .class("actions equals")
            .add(deciding(button(t.share), fields::SHARE))
            .add(deciding(button(t.deny), fields::DENY));
        let person = cx.frame.person.as_ref();
        let person = person.map(|person| hint(fill(t.deciding_as, &[("person", (&person.name).into())])));
        let vouched = self.vouched.as_ref().map(|(place, community)| {
            hint(fill(t.consent_vouched, &[("place", place.into()), ("community", community.into())]))
        });
        let form = parts::form(paths::CONSENT, &self.csrf)
            .add(parts::continuation(&self.continuation))
            .add(Fragment::all(sections))
            .add(self.how_long(cx))
            .add(self.technical_names(t))
            .add(el("p").add(next))
            .add(person)
            .add(vouched)
            .add(buttons);
        Fragment::all([
            Fragment::from(facts.flatten()),
            empty.into(),
            parts::app(&self.app, true, cx).into(),
            parts::unchecked(&self.app, t.unchecked, cx).into(),
            purpose.into(),
            form.into(),
        ])
    }
}
