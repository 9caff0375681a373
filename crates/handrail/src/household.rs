//! What the facility decided on who may see what: read from its files at start, and again when it is asked for.
//!
//! A file with a mistake never rules. At start the server does not start; later what was in force stays, and who asked
//! is told why. What is read counts with the next request: the store hands the house to whoever decides (row G17).

use crate::{assembly, fault::Fault};
use policy::{House, label::Labels, rules};
use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

/// The files, and what the settings say.
#[derive(Debug, Clone, Default)]
pub(crate) struct Files {
    /// The operator's rules (`policy.file`).
    pub(crate) rules: Option<PathBuf>,
    /// What labels mean and who is cleared for them (`labels.rules`).
    pub(crate) labels: Option<PathBuf>,
    /// Whom clinicians see.
    pub(crate) clinicians: policy::Clinicians,
    /// Days; `None`: as the policy has it.
    pub(crate) encounter_lookback_days: Option<i64>,
    /// Days; `None`: as the policy has it.
    pub(crate) payer_lookback_days: Option<i64>,
}

/// Keeps the house of a running server as its files say.
pub(crate) struct Keeper {
    store: Arc<store::Store>,
    files: Files,
    /// One reading at a time.
    reading: Mutex<()>,
}

/// What a reading found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Read {
    /// Rules in force now.
    pub(crate) rules: usize,
}

impl Keeper {
    /// Reads the files for the first time, before anybody gets an answer.
    ///
    /// # Errors
    /// [`Fault`] with everything that is wrong with them.
    pub(crate) fn begin(store: Arc<store::Store>, files: Files) -> Result<Self, Fault> {
        let keeper = Self { store, files, reading: Mutex::new(()) };
        keeper.read(|| Ok(()))?;
        Ok(keeper)
    }

    /// Reads the files again, and records that. What was in force stays when one is wrong.
    ///
    /// # Errors
    /// [`Fault`] with everything that is wrong.
    pub(crate) fn look(&self) -> Result<Read, Fault> {
        let read = self.read(|| assembly::record(&self.store, "policy-reload"));
        match &read {
            Ok(read) => tracing::info!(rules = read.rules, "the policy was read again"),
            Err(why) => tracing::error!(%why, "the policy was not read: what was in force stays"),
        }
        read
    }

    /// Reads them; what they say is in force when `record` went well, and not before.
    fn read(&self, record: impl FnOnce() -> Result<(), Fault>) -> Result<Read, Fault> {
        let _one = self.reading.lock().unwrap_or_else(PoisonError::into_inner);
        let mut house = House::clone(&self.store.house());
        house.rules = match &self.files.rules {
            Some(file) => Arc::new(rules(file, &self.store.registry())?),
            None => Arc::default(),
        };
        house.labels = Arc::new(match &self.files.labels {
            Some(file) => labels(file)?,
            None => Labels::standard(),
        });
        house.clinicians = self.files.clinicians;
        let in_ms = |days: i64| days.saturating_mul(policy::DAY_MS);
        if let Some(days) = self.files.encounter_lookback_days {
            house.encounter_lookback_ms = in_ms(days);
        }
        if let Some(days) = self.files.payer_lookback_days {
            house.payer_lookback_ms = in_ms(days);
        }
        let read = Read { rules: house.rules.rules().len() };
        record()?;
        self.store.set_house(house);
        Ok(read)
    }
}

/// Reads a file of rules.
///
/// # Errors
/// [`Fault`]: one line for each thing that is wrong with it, `FILE:LINE:COLUMN: …`.
pub(crate) fn rules(file: &Path, registry: &search::Registry) -> Result<rules::Rules, Fault> {
    let text = text(file)?;
    rules::Rules::read(&text, registry).map_err(|faults| told(file, &faults))
}

/// Reads a file on security labels.
///
/// # Errors
/// [`Fault`]: one line for each thing that is wrong with it, `FILE: line LINE: …`.
pub(crate) fn labels(file: &Path) -> Result<Labels, Fault> {
    Labels::read(&text(file)?).map_err(|problems| {
        let lines: Vec<String> = problems.iter().map(|problem| format!("{}: {problem}", file.display())).collect();
        Fault::new(lines.join("\n"))
    })
}

/// The text of a file, as far as a file of rules may be long.
///
/// # Errors
/// [`Fault`].
pub(crate) fn text(file: &Path) -> Result<String, Fault> {
    let max = u64::try_from(policy::limits::RULES_BYTES_MAX).unwrap_or(u64::MAX);
    let length = std::fs::metadata(file).map_err(|why| Fault::at(file.display(), why))?.len();
    if length > max {
        return Err(Fault::at(file.display(), format_args!("longer than {max} bytes")));
    }
    std::fs::read_to_string(file).map_err(|why| Fault::at(file.display(), why))
}

/// What is wrong with a file of rules.
pub(crate) fn told(file: &Path, faults: &[rules::Fault]) -> Fault {
    let name = file.display();
    let lines: Vec<String> = faults.iter().map(|fault| format!("{name}:{fault}")).collect();
    Fault::new(lines.join("\n"))
}
