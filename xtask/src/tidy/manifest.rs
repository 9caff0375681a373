//! Manifests: one dependency list, each line with its reason; the workspace's lints in every crate.

/// Faults of the workspace's manifest.
pub(super) fn workspace_faults(text: &str) -> Vec<String> {
    let lines = section(text, "[workspace.dependencies]");
    let own = |line: &&str| !line.contains("path = \"crates/");
    let without = lines.into_iter().filter(own).filter(|line| !line.contains(" # "));
    without
        .map(|line| format!("Cargo.toml: `{}` has no reason: say behind ` # ` why the crate is here", key(line)))
        .collect()
}

/// Faults of a crate's manifest.
pub(super) fn crate_faults(path: &str, text: &str) -> Vec<String> {
    let mut faults = Vec::new();
    if !section(text, "[lints]").iter().any(|line| line.replace(' ', "") == "workspace=true") {
        faults.push(format!("{path}: no `[lints]` with `workspace = true`"));
    }
    for name in ["[dependencies]", "[dev-dependencies]", "[build-dependencies]"] {
        for line in section(text, name) {
            let compact = line.replace(' ', "");
            if !compact.contains(".workspace=true") && !compact.contains("workspace=true") {
                let key = key(line);
                faults
                    .push(format!("{path}: `{key}` is not from the workspace's list: write `{key}.workspace = true`"));
            }
        }
    }
    faults
}

/// Names of what a crate depends on, development dependencies not counted.
pub(super) fn dependencies(text: &str) -> Vec<String> {
    let lines = section(text, "[dependencies]").into_iter().chain(section(text, "[build-dependencies]"));
    lines.map(|line| key(line).to_owned()).collect()
}

/// Lines of a section with a key, without comments.
fn section<'a>(text: &'a str, head: &str) -> Vec<&'a str> {
    let below = text.lines().skip_while(|line| line.trim() != head).skip(1);
    let lines = below.take_while(|line| !line.trim_start().starts_with('['));
    lines.filter(|line| line.contains('=') && !line.trim_start().starts_with('#')).collect()
}

fn key(line: &str) -> &str {
    line.split(['=', '.', ' ']).next().unwrap_or(line)
}
