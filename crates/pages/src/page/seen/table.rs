//! The report as a table (CSV), for who wants to keep it or look through it in a spreadsheet. SPEC: RFC 4180; row F61.
//!
//! A cell that a spreadsheet would take for a formula gets an apostrophe before it: names come from outside.

use super::{Seen, SeenWho, why};
use crate::{Language, texts};

impl Seen {
    /// All lines as CSV in UTF-8, with a byte order mark, so that spreadsheets read its letters.
    #[must_use]
    pub fn to_csv(&self, language: Language) -> String {
        let t = texts::of(language);
        let mut out = format!("\u{feff}{}\r\n", t.seen_csv_head);
        for (date, line) in self.days.iter().flat_map(|day| day.lines.iter().map(|line| (day.date, line))) {
            let (person, role) = match &line.who {
                SeenWho::You => (t.seen_you, ""),
                SeenWho::Person(name, role) => (name.as_str(), role.words(t)),
                SeenWho::Role(role) => ("", role.words(t)),
                SeenWho::System => ("", t.seen_system),
            };
            let number = |value: Option<u8>| value.unwrap_or(1);
            let day = format!("{:04}-{:02}-{:02}", date.year, number(date.month), number(date.day));
            let (first, last) = line.times;
            let time = |moment: crate::Moment| format!("{:02}:{:02}", moment.hour, moment.minute);
            let reasons: Vec<String> = line.why.iter().map(|code| why(code, t)).collect();
            let flag = |is: bool| if is { t.yes } else { t.no };
            let text =
                |text: &Option<crate::Text>| text.as_ref().map(|text| text.as_str().to_owned()).unwrap_or_default();
            let cells = [
                day,
                time(first),
                time(last),
                person.to_owned(),
                role.to_owned(),
                text(&line.organization),
                text(&line.app),
                line.what(t).join("; "),
                reasons.join("; "),
                flag(line.emergency).to_owned(),
                flag(line.disclosed).to_owned(),
            ];
            out.push_str(&cells.map(|cell| quoted(&cell)).join(","));
            out.push_str("\r\n");
        }
        out
    }
}

/// A cell as text, whatever it looks like.
fn quoted(cell: &str) -> String {
    let is_formula = cell.trim_start().starts_with(['=', '+', '-', '@', '|', '%', '\t', '\r']);
    let guard = if is_formula { "'" } else { "" };
    format!("\"{guard}{}\"", cell.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    //! F61: what a spreadsheet would run stays text.

    use super::quoted;

    #[test]
    fn f61_no_cell_is_a_formula() {
        assert_eq!(quoted("Dora \"D\" Roth, MD"), r#""Dora ""D"" Roth, MD""#);
        for cell in ["=HYPERLINK(1)", "+1", "-2", "@SUM(A1)", " =1", "|cmd", "%1"] {
            assert!(quoted(cell).starts_with("\"'"), "{cell}");
        }
        assert_eq!(quoted("2026-11-23"), "\"2026-11-23\"");
    }
}
