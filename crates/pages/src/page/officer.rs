//! What a privacy officer looks at: the queues that wait, the log, one event, unusual access with its review. SPEC: rows
//! F16, F22, F50; issue 7, item 7.
//!
//! Nobody reviews what they did themselves: the page says so in place of the form, and the server refuses it.

use crate::{
    Literal, Moment, Place, Secret, Text, fields,
    html::{Address, Element, Fragment, el},
    page::seen::{SeenRole, why},
    parts::{self, Field, Tone, actions, deciding, fill, fill_plain, hint, primary, secondary},
    paths,
    render::{Context, Render},
    texts::Texts,
};

/// The landing page: what waits, and where to look.
#[derive(Clone, Debug)]
pub struct Officer {
    /// What waits for a review, each with how many.
    pub queues: Vec<(OfficerQueue, usize)>,
}

/// A list of what waits for a review.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OfficerQueue {
    /// Unusual access.
    Unusual,
    /// Broken glasses.
    Cases,
}

impl OfficerQueue {
    fn of(self, t: &Texts) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Unusual => (paths::UNUSUAL, t.unusual_title, t.unusual_queue),
            Self::Cases => (paths::CASES, t.cases_title, t.cases_queue),
        }
    }
}

impl Render for Officer {
    fn title(&self, cx: Context<'_>) -> String {
        cx.t.officer_title.to_owned()
    }

    fn here(&self) -> Address {
        Address::of(paths::OFFICER)
    }

    fn place(&self) -> Option<Place> {
        Some(Place::Officer)
    }

    fn body(&self, cx: Context<'_>) -> Fragment {
        let t = cx.t;
        let row = |path: &'static str, title: &'static str, line: String| {
            let words = el("span")
                .class("label")
                .add(el("span").class("name").add(title))
                .add(el("span").class("line").add(line));
            let link = el("a").class("row").href(&Address::of(path)).add(words);
            el("li").add(link.add(parts::icon("M9 5l7 7-7 7")))
        };
        let queues = self.queues.iter().map(|(queue, open)| {
            let (path, title, lead) = queue.of(t);
            let waits = match open {
                0 => t.officer_nothing_waits.to_owned(),
                1 => t.officer_one_waits.to_owned(),
                open => fill_plain(t.officer_many_wait, &[("count", &open.to_string())]),
            };
            row(path, title, format!("{lead} {waits}"))
        });
        let events = row(paths::EVENTS, t.events_title, t.events_queue.to_owned());
        let rows = el("ul").class("rows").add(Fragment::all(queues)).add(events);
        Fragment::all([parts::lead(t.officer_lead).into(), Fragment::from(rows)])
    }
}

/// What was asked of the log.
#[derive(Clone, Debug, Default)]
pub struct EventAsked {
    /// Name of a person.
    pub person: Option<Text>,
    /// Id of a patient.
    pub patient: Option<Text>,
    /// Id of an app.
    pub app: Option<Text>,
    /// `YYYY-MM-DD`.
    pub from: Option<Literal>,
    /// `YYYY-MM-DD`.
    pub until: Option<Literal>,
    /// What was refused or failed alone.
    pub refused: bool,
    /// What was done under a broken glass alone.
    pub emergency: bool,
}

/// The log, searched.
#[derive(Clone, Debug)]
pub struct Events {
    /// What was asked.
    pub asked: EventAsked,
    /// What was found, the latest first; at most [`crate::limits::ROWS_MAX`].
    pub found: Vec<EventFacts>,
    /// Where the next page begins.
    pub next: Option<Literal>,
    /// What does not go about it.
    pub problem: Option<EventsProblem>,
}

/// Why nothing is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventsProblem {
    /// A day that is none.
    Day,
    /// That is no id of a patient.
    Patient,
    /// It would look at too much.
    TooMuch,
}

/// One event.
#[derive(Clone, Debug)]
pub struct EventFacts {
    /// Its id.
    pub id: Literal,
    /// When.
    pub at: Moment,
    /// Who; `None`: nobody was signed in.
    pub who: Option<Text>,
    /// Their role.
    pub role: Option<SeenRole>,
    /// What: our word or FHIR's, with the resource.
    pub what: Text,
    /// Patients, by id.
    pub patients: Vec<Literal>,
    /// Refused or failed.
    pub refused: bool,
    /// Under a broken glass.
    pub emergency: bool,
}

fn event_row(event: &EventFacts, t: &Texts) -> Element {
    let address = Address::of(paths::EVENT).with(fields::EVENT, event.id.as_str());
    let who: Fragment = match &event.who {
        Some(who) => who.into(),
        None => t.event_nobody.into(),
    };
    let mut facts: Vec<Fragment> = vec![t.moment(event.at).into()];
    facts.extend(event.role.map(|role| Fragment::from(role.words(t))));
    facts.extend(event.emergency.then(|| Fragment::from(t.seen_emergency)));
    facts.extend(event.refused.then(|| Fragment::from(t.event_refused)));
    let words = el("span")
        .class("label")
        .add(el("span").class("name").add(who))
        .add(el("span").class("line").add(&event.what))
        .add(parts::joined(facts));
    el("li").add(el("a").class("row").href(&address).add(words).add(parts::icon("M9 5l7 7-7 7")))
}

impl Events {
    fn form(&self, t: &Texts) -> Element {
        let asked = &self.asked;
        let text = |name, label, value: &Option<Text>| {
            Field::text(name, label)
                .value(value.as_ref().map(Text::as_str))
                .set("autocomplete", "off")
                .free()
                .element(t)
        };
        let day = |name, label, value: &Option<Literal>| {
            Field::date(name, label).value(value.as_ref().map(Literal::as_str)).free().element(t)
        };
        let boxes = [
            (fields::REFUSED, t.events_refused, asked.refused),
            (fields::EMERGENCY, t.events_emergency, asked.emergency),
        ]
        .map(|(name, words, is_on)| parts::check(parts::checkbox(name, fields::YES, is_on), words));
        let boxes = el("fieldset").add(el("legend").add(t.events_only)).add(Fragment::all(boxes));
        el("form")
            .attr("method", "get")
            .attr("role", "search")
            .action(&Address::of(paths::EVENTS))
            .add(text(fields::PERSON, t.events_person, &asked.person))
            .add(text(fields::PATIENT, t.events_patient, &asked.patient))
            .add(text(fields::CLIENT, t.events_app, &asked.app))
            .add(day(fields::FROM, t.events_from, &asked.from))
            .add(day(fields::UNTIL, t.events_until, &asked.until))
            .add(boxes)
            .add(actions(secondary(t.find)))
    }

    fn address(&self) -> Address {
        let asked = &self.asked;
        let text = |text: &Option<Text>| text.as_ref().map(|text| text.as_str().to_owned());
        let literal = |text: &Option<Literal>| text.as_ref().map(|text| text.as_str().to_owned());
        let flag = |is_on: bool| is_on.then(|| fields::YES.to_owned());
        let all = [
            (fields::PERSON, text(&asked.person)),
            (fields::PATIENT, text(&asked.patient)),
            (fields::CLIENT, text(&asked.app)),
            (fields::FROM, literal(&asked.from)),
            (fields::UNTIL, literal(&asked.until)),
            (fields::REFUSED, flag(asked.refused)),
            (fields::EMERGENCY, flag(asked.emergency)),
        ];
        let given = all.into_iter().filter_map(|(name, value)| Some((name, value?)));
        given.fold(Address::of(paths::EVENTS), |address, (name, value)| address.with(name, &value))
    }
}

impl Render for Events {
    fn title(&self, cx: Context<'_>) -> String {
        cx.t.events_title.to_owned()
    }

    fn here(&self) -> Address {
        self.address()
    }

    fn place(&self) -> Option<Place> {
        Some(Place::Officer)
    }

    fn body(&self, cx: Context<'_>) -> Fragment {
        let t = cx.t;
        let problem = self.problem.map(|problem| {
            let words = match problem {
                EventsProblem::Day => t.events_day_wrong,
                EventsProblem::Patient => t.events_patient_wrong,
                EventsProblem::TooMuch => t.events_too_much,
            };
            parts::notice(Tone::Trouble, el("p").add(words), t)
        });
        let found: Fragment = if self.found.is_empty() {
            let none = self.problem.is_none().then(|| parts::lead(t.events_none));
            none.into()
        } else {
            let rows = self.found.iter().map(|event| event_row(event, t));
            let rows = el("ul").class("rows").add(Fragment::all(rows));
            let next = self.next.as_ref().map(|next| {
                let address = self.address().with(fields::CURSOR, next.as_str());
                el("p").add(el("a").class("button secondary").href(&address).add(t.events_next))
            });
            Fragment::all([Fragment::from(rows), next.into()])
        };
        let found = parts::section("found", t.events_found).class("part").add(found);
        Fragment::all([
            parts::lead(t.events_lead).into(),
            Fragment::from(problem),
            self.form(t).into(),
            found.into(),
            el("p").add(el("a").class("quiet").href(&Address::of(paths::OFFICER)).add(t.officer_title)).into(),
        ])
    }
}

/// One event, with all that the log says of it.
#[derive(Clone, Debug)]
pub struct EventDetail {
    /// As in the list.
    pub facts: EventFacts,
    /// The account, the resource that stands for the person.
    pub account: Option<Literal>,
    /// The app.
    pub app: Option<Text>,
    /// The organization.
    pub organization: Option<Text>,
    /// Network address.
    pub address: Option<Literal>,
    /// Codes of v3-ActReason.
    pub why: Vec<Literal>,
    /// What was searched for.
    pub query: Option<Text>,
    /// Resources, as references; cut at [`crate::limits::ROWS_MAX`].
    pub touched: Vec<Literal>,
    /// Why it failed.
    pub reason: Option<Text>,
    /// What counted in the decision, as `consent c1: permit`.
    pub counted: Vec<Text>,
    /// Of the request.
    pub request: Option<Literal>,
    /// Its place in the log.
    pub place_in_log: Literal,
}

impl Render for EventDetail {
    fn title(&self, cx: Context<'_>) -> String {
        cx.t.event_title.to_owned()
    }

    fn here(&self) -> Address {
        Address::of(paths::EVENT).with(fields::EVENT, self.facts.id.as_str())
    }

    fn place(&self) -> Option<Place> {
        Some(Place::Officer)
    }

    fn body(&self, cx: Context<'_>) -> Fragment {
        let t = cx.t;
        let facts = &self.facts;
        let mut rows: Vec<(&'static str, Fragment)> = vec![(t.event_when, t.moment(facts.at).into())];
        let who: Fragment = match (&facts.who, facts.role) {
            (Some(who), Some(role)) => fill(t.seen_person, &[("person", who.into()), ("role", role.words(t).into())]),
            (Some(who), None) => who.into(),
            (None, _) => t.event_nobody.into(),
        };
        rows.push((t.event_who, who));
        let codes = |list: &[Literal]| {
            let items = list.iter().map(|one| el("li").add(el("code").add(one)));
            Fragment::from(el("ul").class("items").add(Fragment::all(items)))
        };
        rows.extend(self.account.as_ref().map(|account| (t.event_account, el("code").add(account).into())));
        rows.extend(self.organization.as_ref().map(|organization| (t.event_organization, organization.into())));
        rows.extend(self.app.as_ref().map(|app| (t.event_app, app.into())));
        rows.extend(self.address.as_ref().map(|address| (t.event_address, el("code").add(address).into())));
        rows.push((t.event_what, (&facts.what).into()));
        rows.extend((!facts.patients.is_empty()).then(|| (t.event_patients, codes(&facts.patients))));
        rows.extend((!self.touched.is_empty()).then(|| (t.event_touched, codes(&self.touched))));
        rows.extend(self.query.as_ref().map(|query| (t.event_query, el("code").add(query).into())));
        if !self.why.is_empty() {
            let words: Vec<String> = self.why.iter().map(|code| why(code, t)).collect();
            rows.push((t.event_why, words.join("; ").into()));
        }
        rows.extend(facts.emergency.then(|| (t.event_emergency, t.yes.into())));
        rows.push((t.event_outcome, if facts.refused { t.event_refused } else { t.event_done }.into()));
        rows.extend(self.reason.as_ref().map(|reason| (t.event_reason, reason.into())));
        if !self.counted.is_empty() {
            let items = self.counted.iter().map(|one| el("li").add(one));
            rows.push((t.event_counted, el("ul").class("items").add(Fragment::all(items)).into()));
        }
        rows.extend(self.request.as_ref().map(|request| (t.event_request, el("code").add(request).into())));
        rows.push((t.event_place, el("code").add(&self.place_in_log).into()));
        Fragment::all([
            parts::facts(rows).into(),
            Fragment::from(el("p").add(el("a").class("quiet").href(&Address::of(paths::EVENTS)).add(t.events_title))),
        ])
    }
}

/// Why an access was unusual.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnusualRule {
    /// Much in a short time.
    Rate,
    /// Many patients in a short time.
    Breadth,
    /// The patient has the same family name.
    Family,
    /// A patient who is to be protected more than others.
    Protected,
    /// Their own record, by an account of the staff.
    Own,
    /// Something shown after many refusals.
    Refusals,
}

/// How it was judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnusualVerdict {
    /// There was a good reason.
    Fine,
    /// It was misuse.
    Misuse,
    /// It cannot be told.
    Unclear,
}

impl UnusualVerdict {
    /// All of them, in the order of the page.
    pub const ALL: [Self; 3] = [Self::Fine, Self::Misuse, Self::Unclear];

    /// In the form.
    #[must_use]
    pub const fn value(self) -> &'static str {
        match self {
            Self::Fine => fields::FINE,
            Self::Misuse => fields::MISUSE,
            Self::Unclear => fields::UNCLEAR,
        }
    }

    /// Reads [`UnusualVerdict::value`].
    #[must_use]
    pub fn from_value(value: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|verdict| verdict.value() == value)
    }

    fn words(self, t: &Texts) -> &'static str {
        match self {
            Self::Fine => t.verdict_fine,
            Self::Misuse => t.verdict_misuse,
            Self::Unclear => t.verdict_unclear,
        }
    }
}

impl UnusualRule {
    fn words(self, t: &Texts) -> &'static str {
        match self {
            Self::Rate => t.unusual_rate,
            Self::Breadth => t.unusual_breadth,
            Self::Family => t.unusual_family,
            Self::Protected => t.unusual_protected,
            Self::Own => t.unusual_own,
            Self::Refusals => t.unusual_refusals,
        }
    }
}

/// One unusual access.
#[derive(Clone, Debug)]
pub struct UnusualFacts {
    /// Its id.
    pub id: Literal,
    /// Why it is here.
    pub rule: UnusualRule,
    /// When.
    pub at: Moment,
    /// Who.
    pub who: Text,
    /// Whose record, by id.
    pub patient: Option<Literal>,
    /// How many.
    pub count: u32,
    /// How it was judged.
    pub verdict: Option<UnusualVerdict>,
}

/// The list of them.
#[derive(Clone, Debug)]
pub struct Unusual {
    /// Those that wait first; at most [`crate::limits::ROWS_MAX`].
    pub found: Vec<UnusualFacts>,
    /// There are more.
    pub has_more: bool,
    /// One was judged just now.
    pub done: bool,
}

impl Render for Unusual {
    fn title(&self, cx: Context<'_>) -> String {
        cx.t.unusual_title.to_owned()
    }

    fn here(&self) -> Address {
        Address::of(paths::UNUSUAL)
    }

    fn place(&self) -> Option<Place> {
        Some(Place::Officer)
    }

    fn body(&self, cx: Context<'_>) -> Fragment {
        let t = cx.t;
        let done = self.done.then(|| parts::notice(Tone::Good, el("p").add(t.unusual_done), t));
        let back = el("p").add(el("a").class("quiet").href(&Address::of(paths::OFFICER)).add(t.officer_title));
        if self.found.is_empty() {
            return Fragment::all([
                Fragment::from(done),
                parts::lead(t.unusual_none).into(),
                hint(t.unusual_none_next).into(),
                back.into(),
            ]);
        }
        let rows = self.found.iter().map(|one| {
            let address = Address::of(paths::UNUSUAL_ONE).with(fields::ALARM, one.id.as_str());
            let mut facts: Vec<Fragment> = vec![t.moment(one.at).into()];
            facts.push(one.verdict.map_or(t.unusual_waits, |verdict| verdict.words(t)).into());
            let words = el("span")
                .class("label")
                .add(el("span").class("name").add(one.rule.words(t)))
                .add(el("span").class("line").add(&one.who))
                .add(parts::joined(facts));
            el("li").add(el("a").class("row").href(&address).add(words).add(parts::icon("M9 5l7 7-7 7")))
        });
        let more = self.has_more.then(|| hint(fill_plain(t.unusual_more, &[("count", &self.found.len().to_string())])));
        Fragment::all([
            Fragment::from(done),
            parts::lead(t.unusual_lead).into(),
            el("ul").class("rows").add(Fragment::all(rows)).into(),
            more.into(),
            back.into(),
        ])
    }
}

/// One of them, with its review.
#[derive(Clone, Debug)]
pub struct UnusualOne {
    /// Form token.
    pub csrf: Secret,
    /// What it is.
    pub facts: UnusualFacts,
    /// The event that set it off.
    pub event: Literal,
    /// What was found out, and by whom, when it was judged.
    pub review: Option<(Text, Text)>,
    /// The reader is who it is about: somebody else has to judge it.
    pub is_own: bool,
    /// What was chosen.
    pub verdict: Option<UnusualVerdict>,
    /// What was typed.
    pub note: Secret,
    /// What is wrong with the note.
    pub problem: Option<NoteProblem>,
}

/// What is wrong with a note.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoteProblem {
    /// It is needed and not there.
    Missing,
    /// It has more than so many characters.
    TooLong(usize),
}

impl NoteProblem {
    /// `missing`: what is said when it is not there.
    pub(super) fn words(self, missing: &str, t: &Texts) -> String {
        match self {
            Self::Missing => missing.to_owned(),
            Self::TooLong(most) => parts::fill_plain(t.note_too_long, &[("count", &most.to_string())]),
        }
    }
}

impl Render for UnusualOne {
    fn title(&self, cx: Context<'_>) -> String {
        self.facts.rule.words(cx.t).to_owned()
    }

    fn here(&self) -> Address {
        Address::of(paths::UNUSUAL_ONE).with(fields::ALARM, self.facts.id.as_str())
    }

    fn place(&self) -> Option<Place> {
        Some(Place::Officer)
    }

    fn body(&self, cx: Context<'_>) -> Fragment {
        let t = cx.t;
        let facts = &self.facts;
        let mut rows: Vec<(&'static str, Fragment)> =
            vec![(t.event_when, t.moment(facts.at).into()), (t.event_who, (&facts.who).into())];
        rows.extend(facts.patient.as_ref().map(|id| (t.event_patients, el("code").add(id).into())));
        rows.extend((facts.count > 1).then(|| (t.unusual_count, facts.count.to_string().into())));
        let event = Address::of(paths::EVENT).with(fields::EVENT, self.event.as_str());
        let event = el("p").add(el("a").href(&event).add(t.unusual_event));
        let review: Fragment = match (&self.review, facts.verdict, self.is_own) {
            (Some((note, by)), Some(verdict), _) => {
                let rows = [
                    (t.unusual_verdict, verdict.words(t).into()),
                    (t.unusual_note, note.into()),
                    (t.unusual_by, by.into()),
                ];
                parts::section("review", t.unusual_reviewed).class("part").add(parts::facts(rows)).into()
            }
            (_, _, true) => parts::notice(Tone::Attention, el("p").add(t.unusual_is_own), t).into(),
            _ => self.form(t),
        };
        Fragment::all([
            parts::facts(rows).into(),
            Fragment::from(event),
            review,
            el("p").add(el("a").class("quiet").href(&Address::of(paths::UNUSUAL)).add(t.unusual_title)).into(),
        ])
    }
}

impl UnusualOne {
    fn form(&self, t: &Texts) -> Fragment {
        let problem = self.problem.map(|problem| problem.words(t.unusual_note_missing, t));
        let note = Field::lines(fields::NOTE, t.unusual_note, self.note.as_str())
            .hint(t.unusual_note_hint)
            .problem(problem)
            .element(t);
        let choices = UnusualVerdict::ALL.map(|one| {
            let input = parts::radio(fields::VERDICT, one.value(), self.verdict == Some(one)).flag("required", true);
            parts::check(input, one.words(t))
        });
        let choices = el("fieldset").add(el("legend").add(t.unusual_verdict)).add(Fragment::all(choices));
        let form = parts::form(paths::UNUSUAL_ONE, &self.csrf)
            .add(parts::hidden(fields::ALARM, self.facts.id.as_str()))
            .add(choices)
            .add(note)
            .add(hint(t.unusual_next))
            .add(actions(deciding(primary(t.unusual_save), fields::REVIEW)));
        parts::section("review", t.unusual_review).class("part").add(form).into()
    }
}
