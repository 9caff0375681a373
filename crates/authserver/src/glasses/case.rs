//! A case: one glass that was broken, and what was made of it; and its row, JSON. PHI: no Debug.

use serde_json::{Value, json};
use std::sync::Arc;

/// Why somebody broke the glass: what they chose of a list. Their own words stand beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reason {
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

impl Reason {
    /// All of them, in the order of the page.
    pub const ALL: [Self; 5] = [Self::Emergency, Self::CannotSpeak, Self::StandIn, Self::Safety, Self::Other];

    /// As it is kept and recorded.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Emergency => "emergency",
            Self::CannotSpeak => "cannot-speak",
            Self::StandIn => "stand-in",
            Self::Safety => "safety",
            Self::Other => "other",
        }
    }

    /// Reads [`Reason::as_str`].
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == text)
    }
}

/// What a privacy officer made of a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// It was right.
    Justified,
    /// It was not.
    NotJustified,
    /// More has to be known: the case goes on waiting.
    FollowUp,
}

impl Verdict {
    /// All of them, in the order of the page.
    pub const ALL: [Self; 3] = [Self::Justified, Self::NotJustified, Self::FollowUp];

    /// As it is kept and recorded.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Justified => "justified",
            Self::NotJustified => "not-justified",
            Self::FollowUp => "follow-up",
        }
    }

    /// Reads [`Verdict::as_str`].
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|verdict| verdict.as_str() == text)
    }
}

/// One look at a case.
#[derive(Clone, PartialEq, Eq)]
pub struct Review {
    /// Account of the reviewer.
    pub by: Arc<str>,
    /// Their name.
    pub by_name: Arc<str>,
    /// What they found.
    pub verdict: Verdict,
    /// In their words; may be empty.
    pub note: Arc<str>,
    /// When, seconds since the epoch.
    pub at_s: i64,
}

/// A glass that was broken. Times in seconds since the epoch.
#[derive(Clone, PartialEq, Eq)]
pub struct Case {
    /// Its id, which the audit entries of its use name.
    pub id: Arc<str>,
    /// Account of the clinician.
    pub user: Arc<str>,
    /// Their name.
    pub user_name: Arc<str>,
    /// The resource that stands for them.
    pub fhir_user: Option<Arc<str>>,
    /// Logical id of the patient.
    pub patient: Arc<str>,
    /// The patient's name, as the clinician saw it.
    pub patient_name: Arc<str>,
    /// Why.
    pub reason: Reason,
    /// Why, in their own words.
    pub words: Arc<str>,
    /// When the glass was broken.
    pub opened_s: i64,
    /// When it ends by itself.
    pub until_s: i64,
    /// When it was ended before.
    pub ended_s: Option<i64>,
    /// What was made of it, first to last.
    pub reviews: Vec<Review>,
}

impl Case {
    /// Whether the glass is open.
    #[must_use]
    pub fn is_open(&self, now_s: i64) -> bool {
        self.ended_s.is_none() && now_s < self.until_s
    }

    /// When it ended or will end.
    #[must_use]
    pub fn end_s(&self) -> i64 {
        self.ended_s.unwrap_or(self.until_s)
    }

    /// Whether it waits for a verdict.
    #[must_use]
    pub fn waits(&self) -> bool {
        self.judged_s().is_none()
    }

    /// When it got its verdict.
    #[must_use]
    pub fn judged_s(&self) -> Option<i64> {
        self.reviews.last().filter(|review| review.verdict != Verdict::FollowUp).map(|review| review.at_s)
    }
}

/// The row's value; the key is the id.
pub(super) fn encode(case: &Case) -> Vec<u8> {
    let review = |review: &Review| {
        json!({
            "by": &*review.by,
            "by_name": &*review.by_name,
            "verdict": review.verdict.as_str(),
            "note": &*review.note,
            "at_s": review.at_s,
        })
    };
    let row = json!({
        "user": &*case.user,
        "user_name": &*case.user_name,
        "fhir_user": case.fhir_user.as_deref(),
        "patient": &*case.patient,
        "patient_name": &*case.patient_name,
        "reason": case.reason.as_str(),
        "words": &*case.words,
        "opened_s": case.opened_s,
        "until_s": case.until_s,
        "ended_s": case.ended_s,
        "reviews": case.reviews.iter().map(review).collect::<Vec<_>>(),
    });
    row.to_string().into_bytes()
}

/// Reads [`encode`].
pub(super) fn decode(id: &[u8], row: &[u8]) -> Option<Case> {
    let row: Value = serde_json::from_slice(row).ok()?;
    let text = |row: &Value, name: &str| row.get(name)?.as_str().map(Arc::<str>::from);
    let optional = |name: &str| row.get(name).filter(|value| !value.is_null());
    let review = |row: &Value| {
        Some(Review {
            by: text(row, "by")?,
            by_name: text(row, "by_name")?,
            verdict: Verdict::parse(&text(row, "verdict")?)?,
            note: text(row, "note")?,
            at_s: row.get("at_s")?.as_i64()?,
        })
    };
    Some(Case {
        id: std::str::from_utf8(id).ok()?.into(),
        user: text(&row, "user")?,
        user_name: text(&row, "user_name")?,
        fhir_user: match optional("fhir_user") {
            None => None,
            Some(reference) => Some(reference.as_str()?.into()),
        },
        patient: text(&row, "patient")?,
        patient_name: text(&row, "patient_name")?,
        reason: Reason::parse(&text(&row, "reason")?)?,
        words: text(&row, "words")?,
        opened_s: row.get("opened_s")?.as_i64()?,
        until_s: row.get("until_s")?.as_i64()?,
        ended_s: match optional("ended_s") {
            None => None,
            Some(ended) => Some(ended.as_i64()?),
        },
        reviews: row.get("reviews")?.as_array()?.iter().map(review).collect::<Option<_>>()?,
    })
}
