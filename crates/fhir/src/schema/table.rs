//! Reading the committed tables: lines of cells between tabs. Cells are slices of the binary.

/// One line, cell by cell. A cell beyond the end is empty.
#[derive(Debug, Clone)]
pub(super) struct Row(std::str::Split<'static, char>);

impl Row {
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
    text.lines().map(|line| Row(line.split('\t')))
}

/// The parts of a cell; none when it is empty.
pub(super) fn list(cell: &'static str, separator: char) -> Vec<&'static str> {
    if cell.is_empty() { Vec::new() } else { cell.split(separator).collect() }
}
