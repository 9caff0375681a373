//! What somebody typed into a form of ours before they had to prove who they are: it waits for them, so that nothing is
//! lost by a sign-in. In memory alone, for as long as that may take. May have PHI: no Debug.

use oauth::form::Form;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

/// Seconds for which it waits: as long as a sign-in may take.
const LIFE_S: i64 = 15 * 60;

/// How many are kept at once. Each is one person's, of one form, under a page of text.
const DRAFTS_MAX: usize = 1_000;

/// The fields of a form, in order.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Draft(pub(crate) Vec<(String, String)>);

impl Draft {
    /// These fields of a form.
    pub(crate) fn of(form: &Form, names: &[&str]) -> Self {
        let mut draft = Self::default();
        for name in names {
            for value in form.values(name) {
                draft.put(name, value);
            }
        }
        draft
    }

    /// Adds a field.
    pub(crate) fn put(&mut self, name: &str, value: &str) {
        self.0.push((name.to_owned(), value.to_owned()));
    }

    /// All values of a field.
    pub(crate) fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(other, _)| other == name).map(|(_, value)| value.as_str())
    }

    /// The value of a field that comes once.
    pub(crate) fn value(&self, name: &str) -> Option<&str> {
        let mut all = self.0.iter().filter(|(other, _)| other == name).map(|(_, value)| value.as_str());
        all.next().filter(|_| all.next().is_none())
    }
}

/// By account and form token's name: until when, and what.
type Held = HashMap<(Arc<str>, &'static str), (i64, Draft)>;

/// The drafts of everybody.
#[derive(Default)]
pub(crate) struct Drafts(Mutex<Held>);

impl Drafts {
    /// Keeps what was typed into a form, in place of what was there.
    pub(crate) fn keep(&self, account: &Arc<str>, form: &'static str, draft: Draft, now_s: i64) {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        held.retain(|_, (until_s, _)| *until_s > now_s);
        if held.len() < DRAFTS_MAX {
            held.insert((Arc::clone(account), form), (now_s.saturating_add(LIFE_S), draft));
        }
    }

    /// What was kept, once, when it is what is asked for.
    pub(crate) fn take(
        &self,
        account: &Arc<str>,
        form: &'static str,
        now_s: i64,
        is_meant: impl FnOnce(&Draft) -> bool,
    ) -> Option<Draft> {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        held.retain(|_, (until_s, _)| *until_s > now_s);
        let key = (Arc::clone(account), form);
        held.get(&key).filter(|(_, draft)| is_meant(draft))?;
        held.remove(&key).map(|(_, draft)| draft)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_draft_is_one_persons_of_one_form_once_and_for_minutes() {
        let drafts = Drafts::default();
        let (ana, kim): (Arc<str>, Arc<str>) = ("ana".into(), "kim".into());
        let mut draft = Draft::default();
        draft.put("note", "Asked her.");
        drafts.keep(&ana, "cases", draft.clone(), 1_000);
        let any = |_: &Draft| true;
        assert!(drafts.take(&kim, "cases", 1_000, any).is_none() && drafts.take(&ana, "privacy", 1_000, any).is_none());
        assert!(drafts.take(&ana, "cases", 1_000, |_| false).is_none());
        assert!(drafts.take(&ana, "cases", 1_000 + LIFE_S - 1, any) == Some(draft.clone()));
        assert!(drafts.take(&ana, "cases", 1_000, any).is_none(), "once");
        drafts.keep(&ana, "cases", draft, 1_000);
        assert!(drafts.take(&ana, "cases", 1_000 + LIFE_S, any).is_none());
    }
}
