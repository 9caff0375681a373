//! The table at the end of a load: by type read, stored, refused; then each refusal with its reason.

use crate::print::{self, Style, count};
use std::collections::BTreeMap;

/// Refusals that are listed one by one.
const LISTED: usize = 50;

#[derive(Debug, Default, Clone, Copy)]
struct Counts {
    read: u64,
    stored: u64,
    refused: u64,
}

/// The counts.
#[derive(Debug, Default)]
pub(super) struct Tally {
    by_type: BTreeMap<String, Counts>,
    refusals: Vec<(String, String)>,
    refused: u64,
}

impl Tally {
    /// One was read.
    pub(super) fn read(&mut self, type_name: &str) {
        self.of(type_name).read += 1;
    }

    /// One was stored.
    pub(super) fn store(&mut self, type_name: &str) {
        self.of(type_name).stored += 1;
    }

    /// One was refused.
    pub(super) fn refuse(&mut self, type_name: &str, label: String, why: &str) {
        self.of(type_name).refused += 1;
        self.note(label, why);
    }

    /// Something could not be read at all.
    pub(super) fn unreadable(&mut self, label: String, why: &str) {
        self.of("(unreadable)").refused += 1;
        self.note(label, why);
    }

    /// How many were refused.
    pub(super) fn refused(&self) -> u64 {
        self.refused
    }

    fn of(&mut self, type_name: &str) -> &mut Counts {
        self.by_type.entry(type_name.to_owned()).or_default()
    }

    fn note(&mut self, label: String, why: &str) {
        self.refused += 1;
        if self.refusals.len() < LISTED {
            self.refusals.push((label, why.to_owned()));
        }
    }

    /// Prints it.
    pub(super) fn show(&self) {
        for line in self.lines(Style::of_stdout()) {
            print::result(line);
        }
    }

    fn lines(&self, style: Style) -> Vec<String> {
        let width = self.by_type.keys().map(String::len).max().unwrap_or(0).max("type".len());
        let row = |name: &str, cells: [String; 3]| {
            let [read, stored, refused] = cells;
            format!("{name:width$}  {read:>9}  {stored:>9}  {refused:>9}")
        };
        let mut lines = vec![style.strong(row("type", ["read", "stored", "refused"].map(str::to_owned)))];
        let mut total = Counts::default();
        for (name, counts) in &self.by_type {
            lines.push(row(name, [counts.read, counts.stored, counts.refused].map(count)));
            total.read += counts.read;
            total.stored += counts.stored;
            total.refused += counts.refused;
        }
        lines.push(style.strong(row("total", [total.read, total.stored, total.refused].map(count))));
        if !self.refusals.is_empty() {
            lines.push(String::new());
            lines.push(style.strong("refused:"));
            lines.extend(self.refusals.iter().map(|(label, why)| format!("  {label}: {why}")));
            let more = self.refused - self.refusals.len() as u64;
            if more > 0 {
                lines.push(format!("  … and {} more", count(more)));
            }
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_adds_up_and_names_refusals() {
        let mut tally = Tally::default();
        for _ in 0..1200 {
            tally.read("Observation");
            tally.store("Observation");
        }
        tally.read("Patient");
        tally.refuse("Patient", "a.json".into(), "gender: not a code");
        tally.unreadable("b.json".into(), "line 1, column 1: not JSON");
        let lines = tally.lines(Style::of_stdout());
        assert!(lines.iter().any(|line| line.contains("Observation") && line.contains("1 200")));
        assert!(lines.contains(&"  a.json: gender: not a code".to_owned()));
        assert_eq!(tally.refused(), 2);
    }
}
