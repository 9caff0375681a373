//! The audit log for people: who saw a record, the officer's searches, unusual access and its reviews. SPEC: rows F16,
//! F21, F22, F50; issue 7, item 7.
//!
//! What a page finds is what `policy` lets this person see; whatever is shown has to be recorded by who shows it.
//! Unusual accesses are rows of the table `audit_alarms`: the number of their entry and the rule as key, JSON as value;
//! the key `cursor` says how far the log was looked at. All calls block on the disk.

use crate::{
    limits::{REPORT_ENTRIES_MAX, WATCH_PARTS_MAX, WATCHED_AT_ONCE, WATCHED_BEFORE},
    records::{PatientRecord, patient, permit_within, query},
    service::{Inner, Service},
};
use audit::{
    alarm::{Alarm, Known, Names, Rule, Thresholds, Watch},
    report::{Builder, Detail, Report, StaffNames, Terms},
};
use fhir::{Instant, LogicalId, ResourceType};
use oauth::caller::{Role, User};
use policy::Interaction;
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    ops::ControlFlow,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};
use store::{ReadError, Seen, Store, tables::Table};

/// What pages of the log may look up.
const SCOPES: &str = "user/AuditEvent.rs user/Patient.rs";

const CURSOR: &[u8] = b"cursor";
/// Up to which entry the log was never watched; absent: all of it was.
const BEGIN: &[u8] = b"begin";

/// Labels that protect a patient more than others. SPEC: HL7 v3-ActCode, information sensitivity: celebrity, VIP, employee.
const PROTECTING: [&str; 3] = ["CEL", "VIP", "EMP"];

/// What the facility decided on it.
#[derive(Debug, Clone, Default)]
pub struct Watching {
    /// Names of staff in reports.
    pub staff: StaffNames,
    /// From how many on access is unusual.
    pub thresholds: Thresholds,
    /// A code in `meta.tag` or `meta.security` of a Patient that protects them more than others, beside our own.
    pub protected: Option<String>,
}

/// The log, for pages.
pub(crate) struct Ledger {
    store: Arc<Store>,
    clock: Arc<dyn Fn() -> Instant + Send + Sync>,
    rows: Table,
    watching: Mutex<Arc<Watching>>,
    watch: Mutex<Option<Watch>>,
    /// One review at a time, so that the first one stands.
    reviewing: Mutex<()>,
    open: AtomicUsize,
}

/// An unusual access with its review.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) id: String,
    pub(crate) alarm: Alarm,
    pub(crate) review: Option<Review>,
}

impl Row {
    /// Whether it is about this person, by this account or another.
    pub(crate) fn is_of(&self, user: &User) -> bool {
        let is_same = self.alarm.fhir_user.is_some() && self.alarm.fhir_user == user.fhir_user;
        is_same || self.alarm.account.as_deref() == Some(&*user.id)
    }
}

/// How somebody judged it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Review {
    /// `fine`, `misuse` or `unclear`.
    pub(crate) verdict: String,
    pub(crate) note: String,
    /// Name of who judged.
    pub(crate) by: String,
}

/// What cannot be reviewed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum NotReviewed {
    /// There is none of this id.
    Unknown,
    /// It is about the reviewer.
    Own,
    /// Somebody did already.
    Done,
    /// The table does not answer.
    Unavailable(String),
}

/// What a search of the log found.
pub(crate) struct Found {
    pub(crate) events: Vec<(LogicalId, Seen)>,
    pub(crate) next: Option<String>,
}

impl Ledger {
    pub(crate) fn new(
        store: Arc<Store>,
        clock: Arc<dyn Fn() -> Instant + Send + Sync>,
    ) -> Result<Self, store::OpenError> {
        let rows = store.table("audit_alarms")?;
        let engine = |why: String| store::OpenError::Engine(why);
        // What is older than the rules is nobody's news: a log of before begins to be watched at its end.
        let end = store.log().last().0.to_be_bytes();
        if rows.insert_new(CURSOR, &end).map_err(|why| engine(why.to_string()))? {
            rows.put(BEGIN, &end).map_err(|why| engine(why.to_string()))?;
        }
        let ledger = Self {
            store,
            clock,
            rows,
            watching: Mutex::default(),
            watch: Mutex::default(),
            reviewing: Mutex::default(),
            open: AtomicUsize::new(0),
        };
        ledger.count().map_err(engine)?;
        Ok(ledger)
    }

    pub(crate) fn watching(&self) -> Arc<Watching> {
        Arc::clone(&self.watching.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The records that this person may see: their own, those of whom they care for.
    pub(crate) fn records(&self, user: &Arc<User>) -> Option<Vec<PatientRecord>> {
        let kind = ResourceType::parse("Patient").ok()?;
        let permit = permit_within(&self.store, user, SCOPES, &Interaction::SearchType(kind))?;
        let snapshot = self.store.snapshot((self.clock)());
        let page = snapshot.search(&permit, &query(&self.store, kind, &[])?, None, "").ok()?;
        let mut found: Vec<PatientRecord> = page.matches.iter().filter_map(patient).collect();
        // Their own first.
        let own = user.fhir_user.as_deref().and_then(|own| own.strip_prefix("Patient/"));
        found.sort_by_key(|record| (Some(&*record.id) != own, record.name.clone()));
        Some(found)
    }

    /// Who saw this record; `None`: not for this person.
    pub(crate) fn report(
        &self,
        user: &Arc<User>,
        patient: &LogicalId,
        end: Option<Instant>,
        count: usize,
    ) -> Result<Option<Report>, String> {
        let asked = Interaction::AccessReport(patient.clone());
        let Some(permit) = permit_within(&self.store, user, SCOPES, &asked) else { return Ok(None) };
        let detail = if user.role == Role::Caregiver { Detail::Record } else { Detail::Kinds };
        let staff = self.watching().staff;
        let mut builder = Builder::new(Terms { patient, start: None, end, count, staff, detail });
        let mut read = 0;
        let snapshot = self.store.snapshot((self.clock)());
        let done = snapshot.accesses(&permit, patient, end, &mut |entry| {
            read += 1;
            if read > REPORT_ENTRIES_MAX { ControlFlow::Break(()) } else { builder.add(entry) }
        });
        match done {
            Ok(()) => Ok(Some(builder.finish())),
            Err(ReadError::NotFound) => Ok(None),
            Err(why) => Err(format!("{why:?}")),
        }
    }

    /// The events that these criteria mean, as this person may see them.
    pub(crate) fn search(
        &self,
        user: &Arc<User>,
        criteria: &[(&str, &str)],
        cursor: Option<&str>,
    ) -> Result<Found, ReadError> {
        let unavailable = || ReadError::NotFound;
        let kind = ResourceType::parse("AuditEvent").map_err(|_| unavailable())?;
        let permit =
            permit_within(&self.store, user, SCOPES, &Interaction::SearchType(kind)).ok_or_else(unavailable)?;
        let query = query(&self.store, kind, criteria).ok_or_else(unavailable)?;
        let page = self.store.snapshot((self.clock)()).search(&permit, &query, cursor, &user.id)?;
        // An entry's further events stand with it.
        let entry = |found: &store::Found| self.store.audit_event(&found.id).ok().map(|seen| (found.id.clone(), seen));
        Ok(Found { events: page.matches.iter().filter_map(entry).collect(), next: page.next })
    }

    /// One event, as this person may see it.
    pub(crate) fn event(&self, user: &Arc<User>, id: &LogicalId) -> Option<Seen> {
        let kind = ResourceType::parse("AuditEvent").ok()?;
        let permit = permit_within(&self.store, user, SCOPES, &Interaction::Read(kind, id.clone()))?;
        self.store.snapshot((self.clock)()).read(&permit, kind, id).ok()?;
        self.store.audit_event(id).ok()
    }

    /// The logical id of an entry's event.
    pub(crate) fn event_id(&self, sequence: u64) -> Option<LogicalId> {
        self.store.audit_id(sequence).ok()
    }

    /// How many wait for a review.
    pub(crate) fn open(&self) -> usize {
        self.open.load(Ordering::Relaxed)
    }

    fn count(&self) -> Result<(), String> {
        let open = self.alarms()?.iter().filter(|row| row.review.is_none()).count();
        self.open.store(open, Ordering::Relaxed);
        Ok(())
    }

    /// All unusual accesses: those that wait first, each part with the latest first.
    pub(crate) fn alarms(&self) -> Result<Vec<Row>, String> {
        let all = self.rows.all().map_err(|why| why.to_string())?;
        let mut rows: Vec<Row> = all.iter().filter_map(|(key, value)| row(key, value)).collect();
        rows.sort_by_key(|row| (row.review.is_some(), std::cmp::Reverse((row.alarm.sequence, row.alarm.rule))));
        Ok(rows)
    }

    /// The one of this id.
    pub(crate) fn alarm(&self, id: &str) -> Result<Option<Row>, String> {
        let value = self.rows.value(id.as_bytes()).map_err(|why| why.to_string())?;
        Ok(value.and_then(|value| row(id.as_bytes(), &value)))
    }

    /// Keeps a review, once and for all; `record` writes the entry first. Nobody reviews what they did.
    pub(crate) fn review<R>(
        &self,
        user: &User,
        id: &str,
        verdict: &str,
        note: &str,
        record: impl FnOnce(&Row) -> Result<R, String>,
    ) -> Result<(Row, R), NotReviewed> {
        let broken = NotReviewed::Unavailable;
        let _one = self.reviewing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut row = self.alarm(id).map_err(broken)?.ok_or(NotReviewed::Unknown)?;
        if row.is_of(user) {
            return Err(NotReviewed::Own);
        }
        if row.review.is_some() {
            return Err(NotReviewed::Done);
        }
        let recorded = record(&row).map_err(broken)?;
        row.review = Some(Review { verdict: verdict.into(), note: note.into(), by: user.name.to_string() });
        self.rows.put(id.as_bytes(), &value(&row)).map_err(|why| NotReviewed::Unavailable(why.to_string()))?;
        self.count().map_err(NotReviewed::Unavailable)?;
        Ok((row, recorded))
    }

    /// Looks at what was recorded since, a part at a time and so many parts at most; gives what is unusual about it, kept
    /// already. How far it looked is kept once, at the end: rows of what is seen again are there already.
    fn watch(&self) -> Result<Vec<Alarm>, String> {
        let failed = |why: ReadError| format!("{why:?}");
        let mut kept = self.watch.lock().unwrap_or_else(PoisonError::into_inner);
        let number = |key: &[u8]| {
            let value = self.rows.value(key).map_err(|why| why.to_string())?;
            Ok::<_, String>(value.and_then(|value| Some(u64::from_be_bytes(*value.first_chunk::<8>()?))))
        };
        let (cursor, begin) = (number(CURSOR)?, number(BEGIN)?.unwrap_or(0));
        let watching = self.watching();
        let known = Patients { store: &self.store, now: (self.clock)(), protected: watching.protected.as_deref() };
        let (mut at, mut warming) = (cursor.unwrap_or(0), None);
        // WHY: not back before all went well: what failed in the middle begins again where it was kept, counting nothing
        // twice.
        let mut watch = match kept.take() {
            Some(watch) => watch,
            None => {
                // What was told already is not told again: entries up to the cursor only make the counts.
                warming = cursor;
                at = at.saturating_sub(WATCHED_BEFORE).max(begin);
                Watch::new(watching.thresholds)
            }
        };
        let mut told = Vec::new();
        for _ in 0..WATCH_PARTS_MAX {
            let entries = self.store.audit_briefly_after(at, WATCHED_AT_ONCE).map_err(failed)?;
            let Some(last) = entries.last().map(|seen| seen.sequence) else { break };
            for seen in &entries {
                let alarms = watch.see(seen.sequence, &seen.entry, &known);
                if warming.is_some_and(|until| seen.sequence <= until) {
                    continue;
                }
                for alarm in alarms {
                    let row =
                        Row { id: format!("{:016x}-{}", alarm.sequence, alarm.rule.as_str()), alarm, review: None };
                    // A row that is there, with its review, stays: a crash before the cursor was kept.
                    self.rows.insert_new(row.id.as_bytes(), &value(&row)).map_err(|why| why.to_string())?;
                    told.push(row.alarm);
                }
            }
            at = last;
        }
        if at > cursor.unwrap_or(0) {
            self.rows.put(CURSOR, &at.to_be_bytes()).map_err(|why| why.to_string())?;
        }
        *kept = Some(watch);
        drop(kept);
        if !told.is_empty() {
            // A review that is kept meanwhile is not counted as open.
            let _one = self.reviewing.lock().unwrap_or_else(PoisonError::into_inner);
            self.count()?;
        }
        self.store.keep_up_audit().map_err(failed)?;
        Ok(told)
    }
}

/// Patients as the rules ask of them.
struct Patients<'a> {
    store: &'a Store,
    now: Instant,
    protected: Option<&'a str>,
}

impl Patients<'_> {
    fn json(&self, patient: &LogicalId) -> Option<Value> {
        let kind = ResourceType::parse("Patient").ok()?;
        let caller = oauth::Caller::operator_within("audit", "system/Patient.r").ok()?;
        let permit = crate::records::permit_of(self.store, &caller, &Interaction::Read(kind, patient.clone()))?;
        let found = self.store.snapshot(self.now).read(&permit, kind, patient).ok()?;
        serde_json::from_slice(&found.json.into_bytes().ok()?).ok()
    }
}

impl Known for Patients<'_> {
    fn names(&self, patient: &LogicalId) -> Option<Names> {
        let patient = self.json(patient)?;
        let mut names = Names::default();
        for name in patient.get("name")?.as_array()? {
            let given = name.get("given").and_then(Value::as_array).into_iter().flatten();
            names.given.extend(given.filter_map(Value::as_str).map(str::to_owned));
            names.family.extend(name.get("family").and_then(Value::as_str).map(str::to_owned));
        }
        Some(names)
    }

    fn is_protected(&self, patient: &LogicalId) -> bool {
        let Some(patient) = self.json(patient) else { return false };
        let codes = ["/meta/security", "/meta/tag"].map(|at| patient.pointer(at).and_then(Value::as_array));
        let code = |coding: &Value| coding.get("code").and_then(Value::as_str).map(str::to_owned);
        let is_known = |code: &str| PROTECTING.contains(&code) || self.protected == Some(code);
        codes.into_iter().flatten().flatten().filter_map(code).any(|code| is_known(&code))
    }
}

fn value(row: &Row) -> Vec<u8> {
    let alarm = &row.alarm;
    let review = row.review.as_ref();
    let review = review.map(|review| json!({"verdict": review.verdict, "note": review.note, "by": review.by}));
    json!({
        "rule": alarm.rule.as_str(),
        "sequence": alarm.sequence,
        "at": alarm.at.unix_millis(),
        "account": alarm.account.as_deref(),
        "fhirUser": alarm.fhir_user.as_deref(),
        "who": &*alarm.who,
        "patient": alarm.patient.as_ref().map(LogicalId::as_str),
        "count": alarm.count,
        "review": review,
    })
    .to_string()
    .into_bytes()
}

/// `None` for what is no row: the cursor.
fn row(key: &[u8], value: &[u8]) -> Option<Row> {
    let id = String::from_utf8(key.to_vec()).ok()?;
    let value: Value = serde_json::from_slice(value).ok()?;
    let text = |name: &str| value.get(name).and_then(Value::as_str);
    let review = value.get("review").filter(|review| review.is_object()).map(|review| {
        let text = |name: &str| review.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        Review { verdict: text("verdict"), note: text("note"), by: text("by") }
    });
    let alarm = Alarm {
        rule: Rule::parse(text("rule")?)?,
        sequence: value.get("sequence")?.as_u64()?,
        at: Instant::from_unix_millis(value.get("at")?.as_i64()?),
        account: text("account").map(Arc::from),
        fhir_user: text("fhirUser").map(Arc::from),
        who: text("who")?.into(),
        patient: text("patient").and_then(|id| LogicalId::parse(id).ok()),
        count: u32::try_from(value.get("count")?.as_u64()?).ok()?,
    };
    Some(Row { id, alarm, review })
}

impl Inner {
    pub(crate) fn ledger(&self) -> Option<Arc<Ledger>> {
        self.ledger.get().map(Arc::clone)
    }
}

impl Service {
    /// What reports tell, and what is unusual. Before the first [`Service::watch_audit`].
    pub fn set_watching(&self, watching: Watching) {
        if let Some(ledger) = self.inner.ledger() {
            *ledger.watching.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(watching);
        }
    }

    /// Looks at what was recorded since the last time, and keeps what is unusual; how many of each rule, by its word. To
    /// be called every few seconds; it blocks on the disk.
    ///
    /// # Errors
    /// Why the log or the table does not answer, for the operator.
    pub fn watch_audit(&self) -> Result<BTreeMap<&'static str, u64>, String> {
        let mut told = BTreeMap::new();
        let Some(ledger) = self.inner.ledger() else { return Ok(told) };
        for alarm in ledger.watch()? {
            *told.entry(alarm.rule.as_str()).or_default() += 1;
        }
        Ok(told)
    }

    /// Unusual accesses that wait for a review.
    #[must_use]
    pub fn unusual_open(&self) -> usize {
        self.inner.ledger().map_or(0, |ledger| ledger.open())
    }
}

#[cfg(test)]
pub(crate) mod tests;
