//! `docs/conformance.md`: each row of the security requirements that this stage answers names its tests, or says why it
//! has none.
//!
//! The table below has the rows' numbers and tags, no text: S must, D should, M may, I looked at by a public suite, P
//! this project's own rule, K to be confirmed in its RFC. Sections: A transport, B SMART App Launch, C Backend Services
//! and bulk data, D UDAP, E US Core and (g)(10), F access, audit, provenance and labels, G consent and relationships, H
//! safety. An empty cell is a row that stands elsewhere (F51 to F67: `docs/threats.md`) or that other issues answer.
//! Left out: whether a test shows what its row says; that the file of one of them cites the row is checked.

use super::threats::is_there;

/// Tags of each row by section; its place is its number. Empty: not a row of the page.
const SECTIONS: [(char, &[&str]); 8] = [
    (
        'A',
        &[
            "SI", "D", "P", "P", "P", "P", "K", "K", "P", "P", "P", "S", "S", "I", "P", "P", "P", "S", "DP", "D", "P",
            "S", "D", "P", "M", "M",
        ],
    ),
    (
        'B',
        &[
            "SI", "S", "SI", "SI", "DM", "S", "I", "S", "I", "IP", "SK", "S", "SD", "K", "S", "S", "SIMP", "S", "SK",
            "SP", "K", "SP", "SM", "S", "S", "P", "SI", "P", "P", "SP", "S", "DI", "P", "S", "SDM", "I", "S", "I",
            "IP", "SP", "S", "P", "SD", "D", "D", "SIP", "SDI", "SI", "S", "SDI", "D", "I", "SI", "I", "S", "MK", "S",
            "DP", "SP", "P", "SI", "D", "S", "P", "D", "I", "SD", "I", "SP", "SD", "SI", "S", "S",
        ],
    ),
    (
        'C',
        &[
            "S", "S", "SP", "S", "K", "S", "S", "SI", "SDP", "SD", "SD", "I", "K", "I", "I", "SIP", "I", "I", "DSP",
            "P", "P",
        ],
    ),
    (
        'D',
        &[
            "S", "S", "S", "SP", "SP", "S", "I", "SDM", "SK", "K", "S", "S", "SK", "S", "I", "SID", "SI", "SDP", "DP",
            "S", "SP", "P", "SD", "SI", "S", "S", "SKI", "SP", "P", "S", "SD", "I", "M", "S", "SP", "S", "S", "P", "P",
        ],
    ),
    ('E', &["SDM", "S", "S", "S", "S", "S"]),
    (
        'F',
        &[
            "P", "P", "P", "P", "P", "P", "P", "P", "P", "P", "P", "P", "P", "P", "P", "P", "P", "P", "P", "P", "P",
            "P", "DP", "P", "P", "KP", "DP", "P", "P", "KP", "P", "P", "P", "KP", "P", "P", "P", "P", "P", "SP", "P",
            "P", "SDP", "P", "P", "P", "P", "P", "P", "P", "", "", "", "", "", "", "", "", "", "", "", "", "", "", "",
            "", "", "P",
        ],
    ),
    ('G', &["KP", "P", "P", "P", "P", "P", "P", "P", "P", "P", "P", "P", "P", "KP", "P", "P", "P", "P"]),
    (
        'H',
        &[
            "", "", "", "", "", "", "", "", "", "", "", "", "", "", "", "", "", "", "", "", "", "", "P", "P", "", "",
            "", "", "", "", "", "", "P", "P", "", "", "P",
        ],
    ),
];

/// Rows that are missing, doubled, or tagged otherwise; tests that are not there or cite nothing; cells that name
/// neither a test nor a reason. `sources`: path and text of every Rust file.
pub(super) fn faults(page: &str, sources: &[(String, String)]) -> Vec<String> {
    let mut faults = Vec::new();
    for (section, rows) in SECTIONS {
        for (index, tags) in rows.iter().enumerate().filter(|(_, tags)| !tags.is_empty()) {
            let row = format!("{section}{}", index + 1);
            let lines: Vec<(usize, Vec<&str>)> = page
                .lines()
                .enumerate()
                .filter_map(|(at, line)| Some((at + 1, cells(line)?)))
                .filter(|(_, cells)| cells.first() == Some(&row.as_str()))
                .collect();
            let [(at, cells)] = lines.as_slice() else {
                faults.push(format!("docs/conformance.md: {row} has {} lines: it must have one", lines.len()));
                continue;
            };
            let fault = |what: String| format!("docs/conformance.md:{at}: {row}: {what}");
            let [_, tagged, _, shown] = cells.as_slice() else {
                faults.push(fault("a line has row, tags, what, and what shows it".into()));
                continue;
            };
            if tagged != tags {
                faults.push(fault(format!("its tags are {tags}")));
            }
            faults.extend(of_cell(&row, tags, shown, sources).into_iter().map(fault));
        }
    }
    faults
}

/// What is wrong with the last cell of a row.
fn of_cell(row: &str, tags: &str, shown: &str, sources: &[(String, String)]) -> Vec<String> {
    let mut faults = Vec::new();
    let tests: Vec<&str> = shown.split('`').skip(1).step_by(2).filter(|word| word.contains("::")).collect();
    let says = |word: &str| {
        shown
            .split_once(word)
            .is_some_and(|(before, reason)| (before.is_empty() || before.ends_with("; ")) && reason.trim().len() > 10)
    };
    let binds = tags.contains(['S', 'P', 'D']);
    if tests.is_empty() && !says("none: ") && !says("open: ") {
        let need = if binds { "name a test" } else { "say something" };
        faults.push(format!("{need}, or `none:` and why there can be none, or `open:` and what is missing"));
    }
    let missing: Vec<&str> = tests.iter().copied().filter(|test| !is_there(test, sources)).collect();
    faults.extend(missing.iter().map(|test| format!("`{test}` is not there")));
    let is_cited = |test: &&str| {
        let function = test.rsplit("::").next().unwrap_or_default();
        sources.iter().any(|(path, text)| {
            text.contains(&format!("fn {function}("))
                && is_there(test, &[(path.clone(), text.clone())])
                && cites(text, row)
        })
    };
    if !tests.is_empty() && missing.is_empty() && !tests.iter().any(is_cited) {
        faults.push("none of its tests stands in a file that cites it".into());
    }
    faults
}

/// Whether a text cites a row: as `B48`, as `b48_` in the name of a test, or within a span such as `B16 to B21`.
fn cites(text: &str, row: &str) -> bool {
    let is_word = |at: usize, length: usize| {
        let is_part = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
        !is_part(text[..at].chars().next_back()) && !is_part(text[at + length..].chars().next())
    };
    if text.match_indices(row).any(|(at, found)| is_word(at, found.len())) {
        return true;
    }
    let name = format!("{}_", row.to_ascii_lowercase());
    let before_name = |at: usize| text[..at].chars().next_back();
    if text.match_indices(&name).any(|(at, _)| matches!(before_name(at), Some('_' | ' '))) {
        return true;
    }
    let Some((section, number)) = numbered(row) else { return false };
    text.match_indices(" to ").any(|(at, found)| {
        let first = text[..at].rsplit(|c: char| !c.is_ascii_alphanumeric()).next().and_then(numbered);
        let last = text[at + found.len()..].split(|c: char| !c.is_ascii_alphanumeric()).next().and_then(numbered);
        matches!((first, last), (Some((a, from)), Some((b, to))) if a == section && b == section && (from..=to).contains(&number))
    })
}

fn numbered(row: &str) -> Option<(char, u32)> {
    let mut characters = row.chars();
    let section = characters.next().filter(|c| SECTIONS.iter().any(|(section, _)| section == c))?;
    Some((section, characters.as_str().parse().ok()?))
}

fn cells(line: &str) -> Option<Vec<&str>> {
    let inner = line.trim().strip_prefix('|')?.strip_suffix('|')?;
    Some(inner.split('|').map(str::trim).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_cited_by_number_name_or_span() {
        for text in ["/// Row B48.", "rows A1, B48", "fn b48_x() {}", "async fn a1_b48_x()", "Rows B40 to B50", "(B48)"]
        {
            assert!(cites(text, "B48"), "{text}");
        }
        for text in ["B480", "AB48", "B4 8", "fn ab48_x()", "B40 to B47", "A40 to A50", "b48", ""] {
            assert!(!cites(text, "B48"), "{text}");
        }
    }

    #[test]
    fn a_cell_names_tests_or_says_why_not() {
        let sources = [("crates/a/tests/it/b.rs".to_owned(), "/// Row B48.\nfn shown() {}".to_owned())];
        let faults = |row: &str, shown: &str| of_cell(row, "S", shown, &sources).len();
        for right in [
            "`a::b::shown`",
            "`a::b::shown`; open: at the endpoint",
            "none: nothing of it is built",
            "open: the whole of it",
        ] {
            assert_eq!(faults("B48", right), 0, "{right}");
        }
        for wrong in ["", "`a::b::missing`", "shown", "none:", "none: no", "soon", "xopen: the whole of it"] {
            assert_eq!(faults("B48", wrong), 1, "{wrong}");
        }
        assert_eq!(faults("B49", "`a::b::shown`"), 1, "it cites another row");
    }

    #[test]
    fn every_row_has_one_line() {
        let count = SECTIONS.iter().flat_map(|(_, rows)| *rows).filter(|tags| !tags.is_empty()).count();
        assert_eq!(faults("", &[]).len(), count);
        let page = "| row | tags | what | shown by |\n| E1 | SDM | x | none: it is a habit |\n| E2 | D | x | none: it is a habit |";
        assert_eq!(faults(page, &[]).len(), count - 1, "E1 is right, E2 has wrong tags");
    }
}
