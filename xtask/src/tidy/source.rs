//! Rust files: their head, their length, calls that belong elsewhere, leftovers.

use std::collections::BTreeMap;

/// Lines of a file beyond which it must be on the list.
const LINES_MAX: usize = 1000;

/// A text that may stand in some files only.
struct Ban {
    text: &'static str,
    /// Starts of the paths where it may stand.
    allowed: &'static [&'static str],
    /// It may stand in tests.
    in_tests: bool,
    instead: &'static str,
}

const BANS: &[Ban] = &[
    Ban {
        text: "SystemTime::now",
        allowed: &["crates/handrail/", "crates/testkit/", "xtask/"],
        in_tests: false,
        instead: "take `now: fhir::Instant` as an argument",
    },
    Ban {
        text: "Instant::now",
        allowed: &[
            "crates/handrail/",
            "crates/testkit/",
            "xtask/",
            "crates/store/",
            "crates/audit/",
            "crates/rest/",
            "crates/authserver/",
        ],
        in_tests: false,
        instead: "a pure crate reads no clock: take the time, or a budget of steps, as an argument",
    },
    Ban {
        text: "std::fs",
        allowed: &[
            "crates/handrail/",
            "crates/testkit/",
            "xtask/",
            "crates/store/src/engine",
            "crates/store/examples/",
            "crates/pages/examples/",
        ],
        in_tests: true,
        instead: "go through `store::engine`, or take the bytes as an argument",
    },
    Ban {
        text: "tokio::fs",
        allowed: &["crates/handrail/", "xtask/"],
        in_tests: true,
        instead: "go through `store::engine`, or take the bytes as an argument",
    },
    Ban {
        text: "StatusCode",
        allowed: &[
            "crates/handrail/",
            "crates/testkit/",
            "xtask/",
            "crates/rest/src/wire",
            "crates/rest/src/outcome",
            "crates/authserver/src/outcome",
        ],
        in_tests: true,
        instead: "return an error; `rest::outcome` and `authserver::outcome` give it its status",
    },
    Ban {
        text: "println!",
        allowed: &["crates/handrail/", "crates/store/examples/", "xtask/"],
        in_tests: false,
        instead: "use `tracing`, without PHI",
    },
];

/// Leftovers that may stand nowhere. Put together here so that this file does not hold them.
const LEFTOVERS: &[(&str, &str)] = &[
    (concat!("db", "g!("), "take it out"),
    (concat!("to", "do!("), "build it, or leave the path out"),
    (concat!("unimple", "mented!("), "build it, or leave the path out"),
    (concat!("FIX", "ME"), "mend it, or write an issue"),
    (concat!("TO", "DO"), "do it, or write an issue"),
    (concat!("#[al", "low("), "use `#[expect(lint, reason = \"…\")]`"),
    (concat!("#![al", "low("), "use `#[expect(lint, reason = \"…\")]`"),
    (concat!("#[ig", "nore"), "a test runs or is taken out"),
];

/// Faults of one file.
pub(super) fn faults(path: &str, text: &str) -> Vec<String> {
    let mut faults = Vec::new();
    let first = text.lines().find(|line| !line.trim().is_empty() && !line.starts_with("#!["));
    if !first.is_some_and(|line| line.starts_with("//!")) {
        faults.push(format!(
            "{path}:1: no `//!`: say what the file is for, which section of which standard, what it leaves out"
        ));
    }
    let mut in_tests = is_test(path);
    for (at, line) in text.lines().enumerate() {
        let trimmed = line.trim_start();
        if trimmed.starts_with("#[cfg(test)]")
            && !text.lines().nth(at + 1).is_some_and(|next| next.trim_end().ends_with(';'))
        {
            in_tests = true;
        }
        for (leftover, instead) in LEFTOVERS {
            if line.contains(leftover) {
                faults.push(format!("{path}:{}: `{leftover}`: {instead}", at + 1));
            }
        }
        if trimmed.starts_with("//") {
            continue;
        }
        for ban in BANS {
            let is_allowed = ban.allowed.iter().any(|start| path.starts_with(start)) || (ban.in_tests && in_tests);
            if !is_allowed && holds_word(line, ban.text) {
                faults.push(format!("{path}:{}: `{}`: {}", at + 1, ban.text, ban.instead));
            }
        }
    }
    faults
}

/// A file that only tests are built from.
fn is_test(path: &str) -> bool {
    path.ends_with("/tests.rs") || path.contains("/tests/") || path.contains("/benches/")
}

/// Whether the text stands in the line as a whole word (`eprintln!` holds no `println!`).
fn holds_word(line: &str, text: &str) -> bool {
    line.match_indices(text).any(|(at, _)| {
        let before = line.get(..at).and_then(|head| head.chars().next_back());
        let after = line.get(at + text.len()..).and_then(|tail| tail.chars().next());
        let is_part = |letter: Option<char>| letter.is_some_and(|letter| letter.is_alphanumeric() || letter == '_');
        !is_part(before) && !is_part(after)
    })
}

/// Files over the limit that are not on the list; entries of the list that have had their day.
///
/// The list has a line `path lines` for each: a file may become shorter, not longer.
pub(super) fn length_faults(lengths: &[(String, usize)], list: &str) -> Vec<String> {
    let mut listed = BTreeMap::new();
    let mut faults = Vec::new();
    for line in list.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        match line.rsplit_once(' ').and_then(|(path, lines)| Some((path, lines.parse::<usize>().ok()?))) {
            Some((path, lines)) => _ = listed.insert(path, lines),
            None => faults.push(format!("xtask/tidy-long-files.txt: {line:?} is not `path lines`")),
        }
    }
    for (path, lines) in lengths {
        match listed.remove(path.as_str()) {
            None if *lines > LINES_MAX => {
                faults.push(format!("{path}: {lines} lines: look for the seam and split it by subject"));
            }
            Some(_) if *lines <= LINES_MAX => {
                faults.push(format!("xtask/tidy-long-files.txt: {path} has {lines} lines now: take it off the list"));
            }
            Some(most) if *lines > most => {
                faults.push(format!("{path}: {lines} lines, {most} on the list, which only shrinks"));
            }
            _ => {}
        }
    }
    faults.extend(listed.keys().map(|path| format!("xtask/tidy-long-files.txt: {path} is not there: take it off")));
    faults
}
