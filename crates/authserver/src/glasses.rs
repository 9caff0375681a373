//! Broken glasses: for some time a clinician reaches one patient's record as in an emergency, and each is a case that a
//! privacy officer reviews. SPEC: rows F49, F50.
//!
//! - A case is a row that stays: who, whom, why, from when to when, what was made of it. It is written when its audit
//!   entry stands: no glass without its record.
//! - A glass is open while its row in the other table is there: a store that is restored begins without them, so no
//!   backup opens one again ([`crate::tables::NOT_RESTORED`]).
//! - [`Glasses::of`] is asked at each request of a clinician with the right, so a new or ended glass counts with the next
//!   request. When one runs out, `oauth::Caller` says.
//!
//! What a glass opens is `policy`'s to say. Calls that change something block on the disk.

mod case;

pub use case::{Case, Reason, Review, Verdict};

use crate::{
    limits, random,
    rate::{Buckets, Limited},
    registering::Recorded,
    tables::{Table, Unavailable},
};
use arc_swap::ArcSwap;
use oauth::caller::Glass;
use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
};

/// How long a glass stays open, for how long a case may wait, and how long it is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GlassRules {
    /// Minutes after which a glass ends by itself.
    pub minutes: u32,
    /// Days within which a case is to be reviewed.
    pub review_days: u32,
    /// Days for which a case is kept after its verdict.
    pub keep_days: u32,
}

impl Default for GlassRules {
    fn default() -> Self {
        Self {
            minutes: limits::GLASS_MINUTES,
            review_days: limits::GLASS_REVIEW_DAYS,
            keep_days: limits::GLASS_KEEP_DAYS,
        }
    }
}

/// Why no glass was broken or ended, and no review kept.
#[derive(Debug)]
pub(crate) enum GlassError {
    /// They have as many open as one person may.
    TooMany,
    /// As many cases as are kept wait for a verdict.
    Full,
    /// There is no such case, or it is past that.
    NotFound,
    /// Nobody judges what they did themselves.
    Own,
    /// The table or the audit log does not take it; the text is for the log.
    Unavailable(String),
}

impl From<Unavailable> for GlassError {
    fn from(error: Unavailable) -> Self {
        Self::Unavailable(error.0)
    }
}

/// Whom a clinician found, and may break the glass for.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Sought {
    /// Logical id.
    pub(crate) patient: Arc<str>,
    /// Their name, for people.
    pub(crate) name: Arc<str>,
    /// As the record has it.
    pub(crate) born: Option<String>,
    ends_s: i64,
}

/// A glass as asked for.
pub(crate) struct NewGlass {
    pub(crate) user: Arc<str>,
    pub(crate) user_name: Arc<str>,
    pub(crate) fhir_user: Option<Arc<str>>,
    pub(crate) patient: Arc<str>,
    pub(crate) patient_name: Arc<str>,
    pub(crate) reason: Reason,
    pub(crate) words: Arc<str>,
}

/// Seconds of a day.
const DAY_S: i64 = 86_400;

type ByUser = HashMap<Arc<str>, Arc<[Glass]>>;

/// All cases, and those whose glass is open.
pub(crate) struct Glasses {
    rules: GlassRules,
    cases: Arc<dyn Table>,
    open: Arc<dyn Table>,
    held: RwLock<BTreeMap<Arc<str>, Arc<Case>>>,
    live: ArcSwap<ByUser>,
    /// By session: whom was found, for minutes.
    sought: Mutex<HashMap<[u8; 32], Sought>>,
    searches: Buckets<Arc<str>>,
    broken: AtomicU64,
    writing: Mutex<()>,
}

impl fmt::Debug for Glasses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Glasses")
    }
}

impl Glasses {
    /// Reads the tables.
    pub(crate) fn open(
        rules: GlassRules,
        cases: Arc<dyn Table>,
        open: Arc<dyn Table>,
        now_s: i64,
    ) -> Result<Self, Unavailable> {
        let mut held = BTreeMap::new();
        for (id, row) in cases.all()? {
            let case = case::decode(&id, &row).ok_or_else(|| Unavailable("a case's row is malformed".into()))?;
            held.insert(Arc::clone(&case.id), Arc::new(case));
        }
        let glasses = Self {
            rules,
            cases,
            held: RwLock::new(held),
            live: ArcSwap::default(),
            sought: Mutex::default(),
            searches: Buckets::new(limits::GLASS_SEARCH_RATE),
            broken: AtomicU64::new(0),
            writing: Mutex::new(()),
            open,
        };
        let mut live: Vec<Arc<Case>> = Vec::new();
        let mut dead = Vec::new();
        for (id, _) in glasses.open.all()? {
            let case = std::str::from_utf8(&id).ok().and_then(|id| glasses.case(id));
            match case.filter(|case| case.is_open(now_s)) {
                Some(case) => live.push(case),
                None => dead.push(id),
            }
        }
        if !dead.is_empty() {
            glasses.open.remove_all(&dead)?;
        }
        let mut by_user = ByUser::new();
        for case in live {
            add(&mut by_user, &case);
        }
        glasses.live.store(Arc::new(by_user));
        Ok(glasses)
    }

    /// The glasses that this account broke and did not end; some of them may have run out.
    pub(crate) fn of(&self, user: &str) -> Arc<[Glass]> {
        self.live.load().get(user).cloned().unwrap_or_default()
    }

    /// Minutes and days.
    pub(crate) fn rules(&self) -> GlassRules {
        self.rules
    }

    /// The case of this id.
    pub(crate) fn case(&self, id: &str) -> Option<Arc<Case>> {
        self.held.read().unwrap_or_else(PoisonError::into_inner).get(id).cloned()
    }

    /// All cases, oldest first.
    pub(crate) fn all(&self) -> Vec<Arc<Case>> {
        let mut all: Vec<_> = self.held.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect();
        all.sort_by(|a, b| (a.opened_s, &a.id).cmp(&(b.opened_s, &b.id)));
        all
    }

    /// Those that wait for a verdict, oldest first.
    pub(crate) fn waiting(&self) -> Vec<Arc<Case>> {
        self.all().into_iter().filter(|case| case.waits()).collect()
    }

    /// Glasses broken since the start.
    pub(crate) fn broken(&self) -> u64 {
        self.broken.load(Ordering::Relaxed)
    }

    /// Whether this person may look for a patient once more.
    pub(crate) fn may_search(&self, user: &Arc<str>, now_ms: i64) -> Result<(), Limited> {
        self.searches.take(Arc::clone(user), now_ms)
    }

    /// Keeps whom somebody found in this session.
    pub(crate) fn found(&self, session: [u8; 32], patient: Arc<str>, name: Arc<str>, born: Option<String>, now_s: i64) {
        let mut sought = self.sought.lock().unwrap_or_else(PoisonError::into_inner);
        sought.retain(|_, one| one.ends_s > now_s);
        if sought.len() < limits::GLASS_SOUGHT_MAX {
            sought.insert(session, Sought { patient, name, born, ends_s: now_s + limits::GLASS_SOUGHT_S });
        }
    }

    /// Whom somebody found in this session, when it is this patient.
    pub(crate) fn sought(&self, session: &[u8; 32], patient: &str, now_s: i64) -> Option<Sought> {
        let sought = self.sought.lock().unwrap_or_else(PoisonError::into_inner);
        sought.get(session).filter(|one| one.ends_s > now_s && *one.patient == *patient).cloned()
    }

    /// Takes whom somebody found in this session, when it is still this patient: `true` for one caller alone.
    pub(crate) fn take_sought(&self, session: &[u8; 32], patient: &str) -> bool {
        let mut sought = self.sought.lock().unwrap_or_else(PoisonError::into_inner);
        sought.get(session).is_some_and(|one| *one.patient == *patient) && sought.remove(session).is_some()
    }

    /// Breaks a glass: it counts when this returns. `record` writes the entry first. A glass that is open for this
    /// patient already ends with it, so that its case says why it was followed by another.
    pub(crate) fn break_one(
        &self,
        new: NewGlass,
        now_s: i64,
        record: impl FnOnce(&Case) -> Result<Recorded, GlassError>,
    ) -> Result<(Arc<Case>, Recorded), GlassError> {
        let _guard = self.lock();
        let own = self.of(&new.user);
        let mine = own.iter().filter(|glass| glass.until_s > now_s && glass.patient != new.patient);
        if mine.count() >= limits::GLASSES_OF_ONE_MAX {
            return Err(GlassError::TooMany);
        }
        let leaves = self.leaves()?;
        let id = random::name().map_err(|_| GlassError::Unavailable("no randomness".into()))?;
        let case = Case {
            id: id.into(),
            user: new.user,
            user_name: new.user_name,
            fhir_user: new.fhir_user,
            patient: new.patient,
            patient_name: new.patient_name,
            reason: new.reason,
            words: new.words,
            opened_s: now_s,
            until_s: now_s + i64::from(self.rules.minutes) * 60,
            ended_s: None,
            reviews: Vec::new(),
        };
        let recorded = record(&case)?;
        self.forget(&leaves)?;
        self.cases.put(case.id.as_bytes(), &case::encode(&case))?;
        self.open.put(case.id.as_bytes(), b"")?;
        let before: Vec<Arc<str>> = own
            .iter()
            .filter(|glass| glass.patient == case.patient && glass.until_s > now_s)
            .map(|glass| Arc::clone(&glass.id))
            .collect();
        for id in before {
            self.close(&id, now_s)?;
        }
        let case = Arc::new(case);
        self.keep(Arc::clone(&case));
        let mut live = ByUser::clone(&self.live.load());
        add(&mut live, &case);
        self.live.store(Arc::new(live));
        self.broken.fetch_add(1, Ordering::Relaxed);
        Ok((case, recorded))
    }

    /// Ends a glass of this person before its time. It no longer counts when this returns, whatever else fails.
    pub(crate) fn end(
        &self,
        id: &str,
        user: &str,
        now_s: i64,
        record: impl FnOnce(&Case) -> Result<Recorded, GlassError>,
    ) -> Result<Recorded, GlassError> {
        let _guard = self.lock();
        let case = self.case(id).filter(|case| *case.user == *user && case.is_open(now_s));
        let case = case.ok_or(GlassError::NotFound)?;
        self.close(id, now_s)?;
        record(&case)
    }

    /// Ends all glasses of somebody who may break none any more; those that were open.
    pub(crate) fn end_all_of(&self, user: &str, now_s: i64) -> Result<Vec<Arc<Case>>, Unavailable> {
        let _guard = self.lock();
        let own = self.of(user);
        let open: Vec<Arc<Case>> =
            own.iter().filter_map(|glass| self.case(&glass.id)).filter(|case| case.is_open(now_s)).collect();
        for case in &open {
            self.close(&case.id, now_s)?;
        }
        Ok(open)
    }

    /// Keeps what somebody made of a case; `record` writes the entry first. One who finds that it needs more leaves it
    /// waiting.
    pub(crate) fn review(
        &self,
        id: &str,
        review: Review,
        fhir_user: Option<&str>,
        record: impl FnOnce(&Case, &Review) -> Result<Recorded, GlassError>,
    ) -> Result<Recorded, GlassError> {
        let _guard = self.lock();
        let case = self.case(id).filter(|case| case.waits()).ok_or(GlassError::NotFound)?;
        let is_same_person = fhir_user.is_some() && case.fhir_user.as_deref() == fhir_user;
        if case.user == review.by || is_same_person {
            return Err(GlassError::Own);
        }
        let recorded = record(&case, &review)?;
        let mut changed = Case::clone(&case);
        changed.reviews.push(review);
        self.cases.put(id.as_bytes(), &case::encode(&changed))?;
        self.keep(Arc::new(changed));
        Ok(recorded)
    }

    /// Forgets glasses that have run out, and cases whose verdict is so old that they are kept no longer. A case that
    /// waits stays, however old.
    pub(crate) fn sweep(&self, now_s: i64) -> Result<(), Unavailable> {
        let before_s = now_s - i64::from(self.rules.keep_days) * DAY_S;
        let is_over = |case: &&Arc<Case>| case.judged_s().is_some_and(|judged_s| judged_s <= before_s);
        let over: Vec<Arc<str>> = {
            let held = self.held.read().unwrap_or_else(PoisonError::into_inner);
            held.values()
                .filter(is_over)
                .filter(|case| case.end_s() <= now_s)
                .map(|case| Arc::clone(&case.id))
                .collect()
        };
        if !over.is_empty() {
            let _guard = self.lock();
            self.forget(&over)?;
            tracing::info!(cases = over.len(), "cases of broken glasses were kept for long enough and are forgotten");
        }
        let ended: Vec<Arc<str>> = {
            let live = self.live.load();
            let all = live.values().flat_map(|glasses| glasses.iter());
            all.filter(|glass| glass.until_s <= now_s).map(|glass| Arc::clone(&glass.id)).collect()
        };
        if ended.is_empty() {
            return Ok(());
        }
        let _guard = self.lock();
        self.let_go(&ended);
        self.open.remove_all(&ended.iter().map(|id| id.as_bytes().to_vec()).collect::<Vec<_>>())
    }

    /// Which case leaves for one more to be kept: when there are as many as are kept, the one that was judged first.
    fn leaves(&self) -> Result<Vec<Arc<str>>, GlassError> {
        let held = self.held.read().unwrap_or_else(PoisonError::into_inner);
        if held.len() < limits::GLASS_CASES_MAX {
            return Ok(Vec::new());
        }
        let judged = held.values().filter_map(|case| Some((case.judged_s()?, &case.id)));
        let first = judged.min().ok_or(GlassError::Full)?;
        Ok(vec![Arc::clone(first.1)])
    }

    /// Forgets cases. The lock is held.
    fn forget(&self, ids: &[Arc<str>]) -> Result<(), Unavailable> {
        if ids.is_empty() {
            return Ok(());
        }
        self.cases.remove_all(&ids.iter().map(|id| id.as_bytes().to_vec()).collect::<Vec<_>>())?;
        let mut held = self.held.write().unwrap_or_else(PoisonError::into_inner);
        for id in ids {
            held.remove(id);
        }
        Ok(())
    }

    /// Whether no case can be kept any more: all of as many as there may be wait.
    pub(crate) fn is_full(&self) -> bool {
        matches!(self.leaves(), Err(GlassError::Full))
    }

    /// Out of memory first, so that a failure of the disk concerns a restart alone.
    fn close(&self, id: &str, now_s: i64) -> Result<(), Unavailable> {
        self.let_go(&[id.into()]);
        self.open.remove_all(&[id.as_bytes().to_vec()])?;
        let Some(case) = self.case(id) else { return Ok(()) };
        let case = Case { ended_s: Some(now_s), ..Case::clone(&case) };
        self.cases.put(id.as_bytes(), &case::encode(&case))?;
        self.keep(Arc::new(case));
        Ok(())
    }

    fn let_go(&self, ids: &[Arc<str>]) {
        let live = self.live.load();
        let left = live.iter().filter_map(|(user, glasses)| {
            let left: Vec<Glass> = glasses.iter().filter(|glass| !ids.contains(&glass.id)).cloned().collect();
            (!left.is_empty()).then(|| (Arc::clone(user), left.into()))
        });
        self.live.store(Arc::new(left.collect()));
    }

    fn keep(&self, case: Arc<Case>) {
        self.held.write().unwrap_or_else(PoisonError::into_inner).insert(Arc::clone(&case.id), case);
    }

    fn lock(&self) -> MutexGuard<'_, ()> {
        self.writing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn add(live: &mut ByUser, case: &Case) {
    let glass = Glass { id: Arc::clone(&case.id), patient: Arc::clone(&case.patient), until_s: case.until_s };
    let own = live.entry(Arc::clone(&case.user)).or_default();
    *own = own.iter().cloned().chain([glass]).collect();
}

#[cfg(test)]
mod tests;
