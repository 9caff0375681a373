//! Emergencies, for privacy officers: the queue, a case with what was looked at, and the verdict. SPEC: row F50.
//!
//! A case stands in the queue from the moment in which the glass was broken. Each look at the queue or a case has its
//! entry, with the patients whose names were shown. Nobody judges what they did themselves, under whichever account.

use super::{CASES_FORM, Reply, Visitor, next};
use crate::{
    drafts::Draft,
    event::Event,
    glasses::{Case, GlassError, Review, Verdict},
    limits,
    outcome::page::Sent,
    records::Look,
    registering::{By, Recorded},
    service::Inner,
};
use audit::entry::{Action, Person};
use oauth::{
    caller::{Role, User},
    form::Form,
};
use pages::{
    Act, CaseFacts, CaseReview, CaseState, CaseVerdict, Cases, EmergencyReason, Literal, LookFacts, MayJudge, Moment,
    NoteProblem, ProblemWhat, ReviewFacts, Secret, Text, fields, limits as page_limits, paths,
};
use std::sync::Arc;

/// Seconds of a day.
const DAY_S: i64 = 86_400;

/// What was typed into the form of a case.
#[derive(Default)]
struct Typed {
    verdict: Option<CaseVerdict>,
    note: String,
    problem: Option<NoteProblem>,
}

impl Typed {
    fn of(draft: &Draft) -> Self {
        let value = |name| draft.value(name).unwrap_or_default();
        let note = value(fields::NOTE).trim().to_owned();
        Self { verdict: CaseVerdict::from_value(value(fields::VERDICT)), note, problem: None }
    }

    /// What is missing or too much.
    fn problem(&self) -> Option<NoteProblem> {
        let is_told = self.verdict == Some(CaseVerdict::Justified) || !self.note.is_empty();
        if self.note.chars().count() > limits::GLASS_WORDS_CHARS_MAX {
            Some(NoteProblem::TooLong(limits::GLASS_WORDS_CHARS_MAX))
        } else if self.verdict.is_some() && is_told {
            None
        } else {
            Some(NoteProblem::Missing)
        }
    }
}

impl Visitor<'_> {
    /// The queue.
    pub(super) fn cases_page(&self) -> Reply {
        let user = match self.privacy_officer() {
            Ok(user) => user,
            Err(reply) => return *reply,
        };
        let glasses = &self.inner.glasses;
        let (waiting, all, is_full) = (glasses.waiting(), glasses.all(), glasses.is_full());
        let count = u32::try_from(waiting.len()).unwrap_or(u32::MAX);
        let shown: Vec<&Arc<Case>> = waiting.iter().take(page_limits::ROWS_MAX).collect();
        let done: Vec<&Arc<Case>> = all.iter().rev().filter(|case| !case.waits()).take(page_limits::ROWS_MAX).collect();
        let mut event = self.event("break-glass-shown", Action::Execute, &user.id);
        let mut patients: Vec<Arc<str>> = Vec::new();
        for case in shown.iter().chain(&done) {
            if !patients.contains(&case.patient) {
                patients.push(Arc::clone(&case.patient));
            }
        }
        event.about(&patients);
        let facts = |cases: Vec<&Arc<Case>>| cases.into_iter().map(|case| self.case_facts(case)).collect();
        let view =
            Cases { waiting: facts(shown), count, done: facts(done), days: glasses.rules().review_days, is_full };
        self.place(view, Sent::Shown).did(event)
    }

    /// One case.
    pub(super) async fn case_page(&self) -> Reply {
        let user = match self.privacy_officer() {
            Ok(user) => user,
            Err(reply) => return *reply,
        };
        let case = self.head.query(fields::CASE).and_then(|id| self.inner.glasses.case(id));
        match case {
            Some(case) => {
                let is_meant = |draft: &Draft| draft.value(fields::CASE) == Some(&*case.id);
                let draft = self.inner.drafts.take(&user.id, CASES_FORM, self.inner.now().unix_seconds(), is_meant);
                let typed = draft.as_ref().map(Typed::of).unwrap_or_default();
                self.case_shown(&user, &case, typed, Sent::Shown).await
            }
            None => self.problem(ProblemWhat::NotFound, Sent::NotFound),
        }
    }

    async fn case_shown(&self, user: &Arc<User>, case: &Arc<Case>, typed: Typed, sent: Sent) -> Reply {
        let (records, officer, whose) = (Arc::clone(&self.inner.records), Arc::clone(user), Arc::clone(case));
        let looks = tokio::task::spawn_blocking(move || records.looks(&officer, &whose)).await.ok().flatten();
        let has_more = looks.as_ref().is_some_and(|found| found.has_more);
        let looks = looks.map(|found| found.looks.iter().map(look_facts).collect());
        let review = |review: &Review| ReviewFacts {
            by: Text::new(&review.by_name),
            at: Moment::from_unix(review.at_s, 0),
            verdict: verdict_of(review.verdict),
            note: Text::note(&review.note),
        };
        let is_own = case.user == user.id || (user.fhir_user.is_some() && user.fhir_user == case.fhir_user);
        let view = CaseReview {
            csrf: Secret::new(self.csrf(CASES_FORM).0),
            facts: self.case_facts(case),
            words: Text::note(&case.words),
            until: Moment::from_unix(case.end_s(), 0),
            looks,
            has_more,
            reviews: case.reviews.iter().map(review).collect(),
            may_judge: match (case.waits(), is_own) {
                (false, _) => MayJudge::Done,
                (true, true) => MayJudge::Own,
                (true, false) => MayJudge::Yes,
            },
            problem: typed.problem,
            verdict: typed.verdict,
            note: Secret::new(&*typed.note),
        };
        let mut event = self.event("break-glass-shown", Action::Execute, &user.id);
        event.detail("case", &case.id);
        event.about(&[Arc::clone(&case.patient)]);
        self.place(view, sent).did(event)
    }

    /// A verdict.
    pub(super) async fn case_judged(&self, form: &Form) -> Reply {
        let user = match self.privacy_officer() {
            Ok(user) => user,
            Err(reply) => return *reply,
        };
        let case = form.value(fields::CASE).and_then(|id| self.inner.glasses.case(id));
        let Some(case) = case else { return self.problem(ProblemWhat::NotFound, Sent::NotFound) };
        let draft = Draft::of(form, &[fields::CASE, fields::VERDICT, fields::NOTE]);
        let typed = Typed::of(&draft);
        if let Err(reply) = self.fresh(next::TO_CASES) {
            self.inner.drafts.keep(&user.id, CASES_FORM, draft, self.inner.now().unix_seconds());
            return *reply;
        }
        let problem = typed.problem();
        let verdict = typed.verdict.and_then(|verdict| Verdict::parse(verdict.value()));
        let (None, Some(verdict)) = (problem, verdict) else {
            return self.case_shown(&user, &case, Typed { problem, ..typed }, Sent::NotTaken).await;
        };
        let review = Review {
            by: Arc::clone(&user.id),
            by_name: Arc::clone(&user.name),
            verdict,
            note: typed.note.into(),
            at_s: self.inner.now().unix_seconds(),
        };
        let (inner, by) = (Arc::clone(self.inner), By::Person(Box::new(Person::of(&user)), self.address));
        let (id, fhir_user) = (Arc::clone(&case.id), user.fhir_user.clone());
        let done = tokio::task::spawn_blocking(move || inner.judge(&id, review, fhir_user.as_deref(), &by)).await;
        match done {
            Ok(Ok(recorded)) => self.on(paths::CASES, Vec::new()).recorded(recorded),
            Ok(Err(GlassError::Own)) => {
                let mut event = self.event("break-glass-reviewed", Action::Update, &user.id);
                event.detail("case", &case.id);
                let reply = self.problem(ProblemWhat::NotAllowed, Sent::Refused);
                reply.failed(event, "nobody judges what they did themselves", &Sent::Refused)
            }
            // Somebody else was quicker: their verdict stands.
            Ok(Err(GlassError::NotFound | GlassError::TooMany | GlassError::Full)) => {
                self.on(format!("{}?{}={}", paths::CASE, fields::CASE, case.id), Vec::new())
            }
            Ok(Err(GlassError::Unavailable(why))) => self.unavailable(&why),
            Err(_) => self.unavailable("the task of a verdict ended early"),
        }
    }

    fn case_facts(&self, case: &Case) -> CaseFacts {
        let now_s = self.inner.now().unix_seconds();
        let days = i64::from(self.inner.glasses.rules().review_days);
        let state = match case.reviews.last().map(|review| review.verdict) {
            Some(Verdict::Justified) => CaseState::Justified,
            Some(Verdict::NotJustified) => CaseState::NotJustified,
            _ if now_s >= case.opened_s + days * DAY_S => CaseState::Late,
            Some(Verdict::FollowUp) => CaseState::FollowUp,
            None if case.is_open(now_s) => CaseState::Open,
            None => CaseState::Waits,
        };
        CaseFacts {
            id: (&*case.id).into(),
            who: Text::new(&case.user_name),
            patient: Text::new(&case.patient_name),
            // The same words stand in both tables; a test walks them.
            reason: EmergencyReason::from_value(case.reason.as_str()).unwrap_or(EmergencyReason::Other),
            since: Moment::from_unix(case.opened_s, 0),
            state,
        }
    }

    /// The page is for privacy officers alone.
    fn privacy_officer(&self) -> Result<Arc<User>, Box<Reply>> {
        let (session, user) = self.who(next::TO_CASES)?;
        if user.role == Role::PrivacyOfficer {
            return Ok(user);
        }
        let event = self.event("break-glass-shown", Action::Execute, &session.account);
        let reply = self.problem(ProblemWhat::NotAllowed, Sent::Refused);
        Err(Box::new(reply.failed(event, "not a privacy officer", &Sent::Refused)))
    }
}

impl Inner {
    /// Keeps a verdict, once its entry stands. Blocks on the disk.
    fn judge(&self, id: &str, review: Review, fhir_user: Option<&str>, by: &By) -> Result<Recorded, GlassError> {
        self.glasses.review(id, review, fhir_user, |case, review| {
            let mut event = Event::new("break-glass-reviewed", Action::Update);
            event.detail("case", &case.id);
            event.detail("verdict", review.verdict.as_str());
            event.detail("note", &review.note);
            event.about(&[Arc::clone(&case.patient)]);
            self.did(by, event).map_err(|why| GlassError::Unavailable(why.to_string()))
        })
    }
}

fn verdict_of(verdict: Verdict) -> CaseVerdict {
    CaseVerdict::from_value(verdict.as_str()).unwrap_or(CaseVerdict::FollowUp)
}

fn look_facts(look: &Look) -> LookFacts {
    LookFacts {
        at: Moment::from_unix(look.at_s, 0),
        act: match look.code.as_str() {
            "read" | "vread" | "history-instance" => Act::Read,
            "search-type" | "search-system" => Act::Searched,
            "create" | "update" | "patch" => Act::Wrote,
            "delete" => Act::Deleted,
            _ => Act::Other,
        },
        what: look.what.iter().map(|one| Literal::from(one.as_str())).collect(),
    }
}

#[cfg(test)]
mod tests;
