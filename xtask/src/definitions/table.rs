//! Tables: tab-separated lines, and the one list of invariants that all tables share.

use std::collections::BTreeMap;

/// Lines of tab-separated cells. Empty cells at the end of a line are left away.
#[derive(Debug, Default)]
pub(crate) struct Table(String);

impl Table {
    /// Adds a line. Runs of white space inside a cell become one blank.
    pub(crate) fn row<T: AsRef<str>>(&mut self, cells: &[T]) {
        let used = cells.iter().rposition(|cell| !cell.as_ref().is_empty()).map_or(0, |last| last + 1);
        for (at, cell) in cells.iter().take(used).enumerate() {
            if at > 0 {
                self.0.push('\t');
            }
            self.0.push_str(&one_line(cell.as_ref()));
        }
        self.0.push('\n');
    }

    /// The file's text.
    pub(crate) fn into_text(self) -> String {
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
pub(crate) struct Constraints(BTreeMap<String, (String, bool, String)>);

impl Constraints {
    /// The id of an invariant, added when new.
    pub(crate) fn id(&mut self, key: &str, is_error: bool, expression: &str) -> String {
        let wanted = (key.to_owned(), is_error, one_line(expression));
        let mut id = key.to_owned();
        let mut number = 1;
        while let Some(have) = self.0.get(&id) {
            if *have == wanted {
                return id;
            }
            number += 1;
            id = format!("{key}~{number}");
        }
        self.0.insert(id.clone(), wanted);
        id
    }

    /// The table: id, severity, expression.
    pub(crate) fn table(&self) -> Result<String, String> {
        let mut table = Table::default();
        for (id, (key, is_error, expression)) in &self.0 {
            if key.contains([' ', '~']) {
                return Err(format!("invariant key {key:?} holds a blank or a tilde"));
            }
            table.row(&[id.as_str(), if *is_error { "error" } else { "warning" }, expression]);
        }
        Ok(table.into_text())
    }
}
