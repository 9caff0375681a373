//! `docs/threats.md`: each of its rows names a test, and the test is there.
//!
//! A test is named `crate::module::name` in the last column: a function of that name in a file of the crate
//! that lies in, or holds, that module. A row without a test must say `later:` and where. Left out: whether
//! the test shows what the row says.

/// Threats of `security.md` that the page must speak of.
const ROWS: std::ops::RangeInclusive<u32> = 55..=66;

/// Rows without a test, tests that are not there, threats that the page leaves out. `sources`: path and text of
/// every Rust file.
pub(super) fn faults(page: &str, sources: &[(String, String)]) -> Vec<String> {
    let mut faults = Vec::new();
    let mut rows = 0;
    for (at, line) in page.lines().enumerate() {
        let Some(cells) = cells(line) else { continue };
        let (Some(first), Some(last)) = (cells.first(), cells.last()) else { continue };
        if *first == "threat" || first.chars().all(|mark| mark == '-') {
            continue;
        }
        rows += 1;
        let mut named: Vec<&str> = last.split('`').skip(1).step_by(2).filter(|word| word.contains("::")).collect();
        if named.is_empty() && !last.starts_with("later:") {
            faults.push(format!("docs/threats.md:{}: no test is named: name one, or say `later:` and where", at + 1));
        }
        named.retain(|test| !is_there(test, sources));
        faults.extend(named.iter().map(|test| format!("docs/threats.md:{}: `{test}` is not there", at + 1)));
    }
    if rows == 0 {
        faults.push("docs/threats.md: no table".to_owned());
    }
    for row in ROWS.filter(|row| !page.contains(&format!("F{row}"))) {
        faults
            .push(format!("docs/threats.md: F{row} is left out: say what is done against it, or that it is not built"));
    }
    faults
}

fn cells(line: &str) -> Option<Vec<&str>> {
    let inner = line.trim().strip_prefix('|')?.strip_suffix('|')?;
    Some(inner.split('|').map(str::trim).collect())
}

/// Whether some file of the crate holds the function, and is the module or holds it.
pub(super) fn is_there(test: &str, sources: &[(String, String)]) -> bool {
    let mut parts: Vec<&str> = test.split("::").collect();
    let (Some(name), false) = (parts.pop(), parts.is_empty()) else { return false };
    let package = parts.remove(0);
    let folders = [format!("crates/{package}/"), format!("xtask/{package}/"), format!("{package}/src/")];
    sources.iter().any(|(path, text)| {
        let is_module = |module: &&str| {
            path.split('/').any(|part| part.strip_suffix(".rs").unwrap_or(part) == *module)
                || text.contains(&format!("mod {module} {{"))
        };
        folders.iter().any(|folder| path.starts_with(folder.as_str()))
            && text.contains(&format!("fn {name}("))
            && parts.iter().all(is_module)
    })
}
