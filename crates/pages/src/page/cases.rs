//! Emergencies in which somebody looked at a record, for privacy officers: those that wait for a verdict, oldest first,
//! and each with what was looked at. SPEC: row F50.

use crate::{
    EmergencyReason, Literal, Moment, Place, Secret, Text, fields,
    html::{Address, Element, Fragment, el},
    page::officer::NoteProblem,
    parts::{self, Field, Tone, actions, fill_plain, hint, primary},
    paths,
    render::{Context, Render},
    texts::Texts,
};

/// The queue.
#[derive(Clone, Debug)]
pub struct Cases {
    /// Those that wait, oldest first; at most [`crate::limits::ROWS_MAX`].
    pub waiting: Vec<CaseFacts>,
    /// How many wait.
    pub count: u32,
    /// The latest that have their verdict, newest first.
    pub done: Vec<CaseFacts>,
    /// Days within which a case is to be looked at.
    pub days: u32,
    /// So much waits that nobody can open a record in an emergency.
    pub is_full: bool,
}

/// One case in a list.
#[derive(Clone, Debug)]
pub struct CaseFacts {
    /// Its id.
    pub id: Literal,
    /// Who looked.
    pub who: Text,
    /// At whose record.
    pub patient: Text,
    /// Why.
    pub reason: EmergencyReason,
    /// Since when.
    pub since: Moment,
    /// How it stands.
    pub state: CaseState,
}

/// How a case stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CaseState {
    /// The record is open now.
    Open,
    /// It waits for a verdict.
    Waits,
    /// It waits for longer than it should.
    Late,
    /// Somebody wants to know more.
    FollowUp,
    /// It was right.
    Justified,
    /// It was not.
    NotJustified,
}

impl CaseState {
    const fn words(self, t: &Texts) -> &'static str {
        match self {
            Self::Open => t.case_open,
            Self::Waits => t.case_waits,
            Self::Late => t.case_late,
            Self::FollowUp => t.case_follow_up,
            Self::Justified => t.case_justified,
            Self::NotJustified => t.case_not_justified,
        }
    }

    const fn is_warning(self) -> bool {
        matches!(self, Self::Late | Self::NotJustified)
    }
}

/// One case.
#[derive(Clone, Debug)]
pub struct CaseReview {
    /// Form token.
    pub csrf: Secret,
    /// What stands in the list.
    pub facts: CaseFacts,
    /// Why, in the clinician's own words.
    pub words: Text,
    /// When the record was closed again, or will be.
    pub until: Moment,
    /// What was looked at; `None`: the log does not answer.
    pub looks: Option<Vec<LookFacts>>,
    /// There are more.
    pub has_more: bool,
    /// What was made of it, first to last.
    pub reviews: Vec<ReviewFacts>,
    /// Whether the reader may judge it now.
    pub may_judge: MayJudge,
    /// What is wrong; a verdict that was not chosen is missing, too.
    pub problem: Option<NoteProblem>,
    /// What was chosen.
    pub verdict: Option<CaseVerdict>,
    /// What was typed.
    pub note: Secret,
}

/// Whether somebody may judge a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MayJudge {
    /// They may.
    Yes,
    /// It is their own.
    Own,
    /// It has its verdict.
    Done,
}

/// What somebody did in an emergency.
#[derive(Clone, Debug)]
pub struct LookFacts {
    /// When.
    pub at: Moment,
    /// What it was.
    pub act: Act,
    /// What was touched, each `Type/id`.
    pub what: Vec<Literal>,
}

/// What can be done with a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// Opened.
    Read,
    /// Found by a search.
    Searched,
    /// Written or changed.
    Wrote,
    /// Deleted.
    Deleted,
    /// Something else.
    Other,
}

impl Act {
    const fn words(self, t: &Texts) -> &'static str {
        match self {
            Self::Read => t.look_read,
            Self::Searched => t.look_searched,
            Self::Wrote => t.look_wrote,
            Self::Deleted => t.look_deleted,
            Self::Other => t.look_other,
        }
    }
}

/// What somebody made of a case.
#[derive(Clone, Debug)]
pub struct ReviewFacts {
    /// Who.
    pub by: Text,
    /// When.
    pub at: Moment,
    /// What they found.
    pub verdict: CaseVerdict,
    /// In their words.
    pub note: Text,
}

/// A verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CaseVerdict {
    /// It was right.
    Justified,
    /// It was not.
    NotJustified,
    /// More has to be known.
    FollowUp,
}

impl CaseVerdict {
    /// All of them, in the order of the page.
    pub const ALL: [Self; 3] = [Self::Justified, Self::NotJustified, Self::FollowUp];

    /// In the form.
    #[must_use]
    pub const fn value(self) -> &'static str {
        match self {
            Self::Justified => "justified",
            Self::NotJustified => "not-justified",
            Self::FollowUp => "follow-up",
        }
    }

    /// Reads [`CaseVerdict::value`].
    #[must_use]
    pub fn from_value(value: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|verdict| verdict.value() == value)
    }

    const fn words(self, t: &Texts) -> &'static str {
        match self {
            Self::Justified => t.case_justified,
            Self::NotJustified => t.case_not_justified,
            Self::FollowUp => t.case_follow_up,
        }
    }

    const fn hint(self, t: &Texts) -> &'static str {
        match self {
            Self::Justified => t.verdict_justified_hint,
            Self::NotJustified => t.verdict_not_justified_hint,
            Self::FollowUp => t.verdict_follow_up_hint,
        }
    }
}

fn rows(cases: &[CaseFacts], t: &Texts) -> Element {
    let rows = cases.iter().map(|case| {
        let address = Address::of(paths::CASE).with(fields::CASE, case.id.as_str());
        let title = fill_plain(t.case_who, &[("person", case.who.as_str()), ("patient", case.patient.as_str())]);
        let since = format!("{} · {}", t.moment(case.since), case.reason.words(t));
        let state = el("span").class(if case.state.is_warning() { "line warning" } else { "line" });
        let words = el("span")
            .class("label")
            .add(el("span").class("name").add(el("bdi").add(title)))
            .add(el("span").class("line").add(since))
            .add(state.add(case.state.words(t)));
        let link = el("a").class("row").href(&address).add(words).add(parts::icon("M9 5l7 7-7 7"));
        el("li").add(link)
    });
    el("ul").class("rows").add(Fragment::all(rows))
}

impl Render for Cases {
    fn title(&self, cx: Context<'_>) -> String {
        cx.t.cases_title.to_owned()
    }

    fn here(&self) -> Address {
        Address::of(paths::CASES)
    }

    fn place(&self) -> Option<Place> {
        Some(Place::Cases(self.count))
    }

    fn body(&self, cx: Context<'_>) -> Fragment {
        let t = cx.t;
        let full = self.is_full.then(|| parts::notice(Tone::Trouble, el("p").add(t.cases_full), t));
        let late = self.waiting.iter().any(|case| case.state == CaseState::Late).then(|| {
            let words = fill_plain(t.cases_late, &[("days", &self.days.to_string())]);
            parts::notice(Tone::Attention, el("p").add(words), t)
        });
        let waiting = if self.waiting.is_empty() {
            Fragment::from(el("p").add(t.cases_none))
        } else {
            rows(&self.waiting, t).into()
        };
        let shown = u32::try_from(self.waiting.len()).unwrap_or(u32::MAX);
        let more = (self.count > shown).then(|| hint(fill_plain(t.cases_more, &[("count", &self.count.to_string())])));
        let done = (!self.done.is_empty())
            .then(|| parts::section("done", t.cases_done).class("part").add(rows(&self.done, t)));
        Fragment::all([
            Fragment::from(parts::lead(t.cases_lead)),
            full.into(),
            late.into(),
            parts::section("waiting", t.cases_waiting).class("part").add(waiting).add(more).into(),
            done.into(),
        ])
    }
}

impl CaseReview {
    fn looks(&self, t: &Texts) -> Element {
        let section = parts::section("looks", t.case_looks).class("part");
        let Some(looks) = &self.looks else {
            return section.add(parts::notice(Tone::Trouble, el("p").add(t.case_looks_unknown), t));
        };
        if looks.is_empty() {
            return section.add(el("p").add(t.case_looks_none));
        }
        let rows = looks.iter().map(|look| {
            let what = look.what.iter().map(|one| el("code").add(one));
            let mut line = el("span").class("line");
            for (at, one) in what.enumerate() {
                line = if at > 0 { line.add(" · ").add(one) } else { line.add(one) };
            }
            let words = format!("{}: {}", t.moment(look.at), look.act.words(t));
            let label = el("div").class("label").add(el("span").class("name").add(words)).add(line);
            el("li").class("entry").add(label)
        });
        section
            .add(el("ul").class("entries").add(Fragment::all(rows)))
            .add(self.has_more.then(|| hint(t.case_looks_more)))
    }

    fn reviews(&self, t: &Texts) -> Option<Element> {
        (!self.reviews.is_empty()).then(|| {
            let rows = self.reviews.iter().map(|review| {
                let words = format!("{} · {}", t.moment(review.at), review.verdict.words(t));
                let label = el("div")
                    .class("label")
                    .add(el("span").class("name").add(&review.by))
                    .add(el("span").class("line").add(words))
                    .add(el("span").class("line").add(&review.note));
                el("li").class("entry").add(label)
            });
            parts::section("reviews", t.case_reviews)
                .class("part")
                .add(el("ul").class("entries").add(Fragment::all(rows)))
        })
    }

    fn judging(&self, t: &Texts) -> Fragment {
        match self.may_judge {
            MayJudge::Done => return None::<Element>.into(),
            MayJudge::Own => return parts::notice(Tone::Attention, el("p").add(t.case_own), t).into(),
            MayJudge::Yes => {}
        }
        let choices = CaseVerdict::ALL.into_iter().map(|one| {
            let input = parts::radio(fields::VERDICT, one.value(), self.verdict == Some(one)).flag("required", true);
            let words = el("span").class("label").add(el("span").class("name").add(one.words(t)));
            parts::check(input, words.add(el("span").class("line").add(one.hint(t))))
        });
        let choices = el("fieldset").class("checks").add(el("legend").add(t.case_verdict)).add(Fragment::all(choices));
        let note = Field::lines(fields::NOTE, t.case_note, self.note.as_str()).hint(t.case_note_hint).optional();
        let form = parts::form(paths::CASE, &self.csrf)
            .add(parts::hidden(fields::CASE, self.facts.id.as_str()))
            .add(choices)
            .add(note.among_others().element(t))
            .add(actions(primary(t.case_judge)));
        parts::section("judge", t.case_judge_title).class("part").add(form).into()
    }
}

impl Render for CaseReview {
    fn title(&self, cx: Context<'_>) -> String {
        let names = [("person", self.facts.who.as_str()), ("patient", self.facts.patient.as_str())];
        fill_plain(cx.t.case_title, &names)
    }

    fn heading(&self, cx: Context<'_>) -> Fragment {
        let names = [("person", (&self.facts.who).into()), ("patient", (&self.facts.patient).into())];
        parts::fill(cx.t.case_title, &names)
    }

    fn here(&self) -> Address {
        Address::of(paths::CASE).with(fields::CASE, self.facts.id.as_str())
    }

    fn place(&self) -> Option<Place> {
        Some(Place::Cases(0))
    }

    fn body(&self, cx: Context<'_>) -> Fragment {
        let t = cx.t;
        let problem = self.problem.map(|problem| problem.words(t.case_problem, t));
        let problem = problem.map(|words| parts::notice(Tone::Trouble, el("p").add(words), t));
        let facts = parts::facts([
            (t.case_state, self.facts.state.words(t).into()),
            (t.case_reason, self.facts.reason.words(t).into()),
            (t.case_words, (&self.words).into()),
            (t.case_from, t.moment(self.facts.since).into()),
            (t.case_until, t.moment(self.until).into()),
        ]);
        let back = el("p").add(el("a").class("quiet").href(&Address::of(paths::CASES)).add(t.cases_title));
        Fragment::all([
            Fragment::from(problem),
            facts.into(),
            self.looks(t).into(),
            self.reviews(t).into(),
            self.judging(t),
            back.into(),
        ])
    }
}
