//! Tables: tab-separated lines, and the one list of invariants that all profiles share.

use std::collections::BTreeMap;

/// Lines of tab-separated cells. Empty cells at the end of a line are left away.
#[derive(Debug, Default)]
pub struct Table(String);

impl Table {
    /// Adds a line. Runs of white space inside a cell become one blank when one is a tab or a line end.
    pub fn row<T: AsRef<str>>(&mut self, cells: &[T]) {
        let used = cells.iter().rposition(|cell| !cell.as_ref().is_empty()).map_or(0, |last| last + 1);
        for (at, cell) in cells.iter().take(used).enumerate() {
            if at > 0 {
                self.0.push('\t');
            }
            self.0.push_str(&one_line(cell.as_ref()));
        }
        self.0.push('\n');
    }

    /// Adds lines that are those of a table already.
    pub(crate) fn append(&mut self, lines: &str) {
        self.0.push_str(lines);
    }

    /// The file's text.
    #[must_use]
    pub fn into_text(self) -> String {
        self.0
    }
}

/// The text without tabs and line ends.
pub(crate) fn one_line(text: &str) -> String {
    if text.contains(['\t', '\n', '\r']) {
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    } else {
        text.to_owned()
    }
}

/// All invariants by id. The id is the key; keys that stand for several expressions get `~2`, `~3`.
#[derive(Debug, Default)]
pub struct Constraints {
    by_id: BTreeMap<String, (bool, String)>,
    ids: BTreeMap<(String, bool, String), String>,
    numbers: BTreeMap<String, usize>,
}

impl Constraints {
    /// The id of an invariant, added when new.
    pub(crate) fn id(&mut self, key: &str, is_error: bool, expression: &str) -> String {
        let wanted = (key.to_owned(), is_error, one_line(expression));
        if let Some(id) = self.ids.get(&wanted) {
            return id.clone();
        }
        let number = self.numbers.entry(key.to_owned()).or_default();
        *number += 1;
        let id = if *number == 1 { key.to_owned() } else { format!("{key}~{number}") };
        self.by_id.insert(id.clone(), (is_error, wanted.2.clone()));
        self.ids.insert(wanted, id.clone());
        id
    }

    /// The table: id, severity, expression.
    #[must_use]
    pub fn table(&self) -> String {
        let mut table = Table::default();
        for (id, (is_error, expression)) in &self.by_id {
            table.row(&[id.as_str(), if *is_error { "error" } else { "warning" }, expression]);
        }
        table.into_text()
    }
}
