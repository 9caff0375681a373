//! Reading tables of facts: lines of cells between tabs. Cells are slices of the table's text, which
//! lives as long as the process.

use std::{fmt, ops::Deref, sync::OnceLock};

/// One line, cell by cell. A cell beyond the end is empty.
#[derive(Debug, Clone)]
pub(super) struct Row(std::str::Split<'static, char>);

impl Row {
    pub(super) fn new(line: &'static str) -> Self {
        Self(line.split('\t'))
    }

    /// The next cell.
    pub(super) fn cell(&mut self) -> &'static str {
        self.0.next().unwrap_or_default()
    }

    /// The next cell, as a list.
    pub(super) fn list(&mut self, separator: char) -> Vec<&'static str> {
        list(self.cell(), separator)
    }
}

/// The lines of a table.
pub(super) fn lines(text: &'static str) -> impl Iterator<Item = Row> {
    text.lines().map(Row::new)
}

/// The parts of a cell; none when it is empty.
pub(super) fn list(cell: &'static str, separator: char) -> Vec<&'static str> {
    if cell.is_empty() { Vec::new() } else { cell.split(separator).collect() }
}

/// A text in blocks: each line whose first cell is the letter, with the lines below it up to the next.
/// Lines before the first such line belong to none.
pub(super) fn blocks(text: &'static str, letter: char) -> impl Iterator<Item = (Row, &'static str)> {
    let is_head = move |line: &str| line.strip_prefix(letter).is_some_and(|rest| rest.starts_with(['\t', '\n']));
    let mut rest = text;
    std::iter::from_fn(move || {
        loop {
            let (line, after) = first_line(rest)?;
            rest = after;
            if is_head(line) {
                let mut end = 0;
                for line in after.split_inclusive('\n').take_while(|line| !is_head(line)) {
                    end += line.len();
                }
                let (body, after) = after.split_at_checked(end)?;
                rest = after;
                let mut head = Row::new(line.trim_end_matches(['\n', '\r']));
                head.cell();
                return Some((head, body));
            }
        }
    })
}

fn first_line(text: &'static str) -> Option<(&'static str, &'static str)> {
    if text.is_empty() {
        return None;
    }
    let end = text.find('\n').map_or(text.len(), |at| at + 1);
    text.split_at_checked(end)
}

/// The body of a block, read at first use.
pub struct Lines<T: 'static> {
    text: &'static str,
    read: fn(&'static str, Shared) -> Vec<T>,
    shared: Shared,
    cell: OnceLock<Vec<T>>,
}

/// What the lines of several blocks refer to.
pub(super) type Shared = &'static super::types::SharedConstraints;

impl<T> Lines<T> {
    pub(super) fn new(text: &'static str, shared: Shared, read: fn(&'static str, Shared) -> Vec<T>) -> Self {
        Self { text, read, shared, cell: OnceLock::new() }
    }
}

impl<T> Deref for Lines<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        self.cell.get_or_init(|| (self.read)(self.text, self.shared))
    }
}

impl<'a, T> IntoIterator for &'a Lines<T> {
    type Item = &'a T;
    type IntoIter = std::slice::Iter<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<T: fmt::Debug> fmt::Debug for Lines<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}
