//! `handrail doctor`: what is wrong with a server and its data directory, and what to do about it.

use super::{data, settings::Given};
use crate::{
    clock,
    config::{Config, table},
    control,
    doctor::{self, Line, Weight, clients, communities, glass, machine, people},
    fault::Fault,
    packages,
    print::{self, Style, many},
    terminologies,
};
use clap::Args;
use std::{path::Path, process::ExitCode};

/// Say in plain words what is wrong with a server and its data directory.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  handrail doctor --data ./data
  handrail doctor --config /etc/handrail.toml

Give it the same file, environment and flags as 'handrail serve'. It looks at the certificate, the
trust communities and accounts of a running server, the clock, the disk, the limits of the system, permissions, packages, loaded code systems, the whole
audit log, and, while no server
runs on the directory, every commit, version, index row and counter of the store. It changes
nothing. The exit code is 1 when there is a problem.")]
pub(super) struct Doctor {
    #[command(flatten)]
    given: Given,
}

/// What is to be examined.
pub(super) struct Examination(Config);

impl Doctor {
    /// The configuration; what is wrong with it is the first finding.
    pub(super) fn read(self) -> Result<Examination, Fault> {
        self.given.read().map(Examination)
    }
}

impl Examination {
    /// Looks at everything and prints what it found.
    pub(super) async fn run(self) -> Result<ExitCode, Fault> {
        let config = self.0;
        let Some(directory) = config.data.as_deref() else {
            return Err(Fault::new("no data directory is named").fix(format!("--{} DIR", table::DATA.flag)));
        };
        let directory = data::existing(directory)?;
        let mut lines = vec![Line::well("settings", "every setting is known and fits; 'handrail config' lists them")];
        lines.extend(machine::certificate(&config, directory));
        lines.extend(machine::more_certificates(&config));
        lines.extend(clients::trust(&config));
        lines.extend(machine::permissions(&config, directory));
        lines.push(machine::disk(directory));
        lines.extend(machine::system(&config));
        lines.extend(communities::asked(directory, clock::now().unix_seconds()).await);
        lines.extend(people::asked(directory, &config.household).await);
        lines.extend(glass::asked(directory).await);
        let served = control::is_served(directory).await;
        lines.extend(store(directory, served));
        lines.push(beside("packages", packages::examined(directory), "added package"));
        let loaded = terminologies::all(directory).map(|(systems, units)| systems.len() + usize::from(units.is_some()));
        lines.push(beside("terminology", loaded, "loaded code system"));
        let verified = store::verify_audit(directory);
        let last_signed = match &verified {
            Ok(Ok(report)) => report.last_checkpoint.map(|(_, at)| at),
            _ => None,
        };
        lines.push(machine::clock(last_signed));
        lines.push(match &verified {
            Ok(verified) => doctor::of_audit(verified, directory),
            Err(why) => Line::problem("audit log", why.to_string(), "restore the last backup into a new directory"),
        });
        Ok(report(&lines))
    }
}

/// What lies beside the store and a start needs whole: how many, or why a start would refuse one.
fn beside(subject: &'static str, found: Result<usize, Fault>, thing: &str) -> Line {
    match found {
        Ok(0) => Line::well(subject, "only what is compiled in"),
        Ok(held) => Line::well(subject, many(u64::try_from(held).unwrap_or(u64::MAX), thing)),
        Err(fault) => {
            let (found, advice) = fault.into_parts();
            Line { advice, ..Line::problem(subject, found, "") }
        }
    }
}

fn store(directory: &Path, served: bool) -> Vec<Line> {
    if served {
        let found = "a server runs on this directory, so the store itself was not looked at";
        let advice = "'handrail backup' and 'handrail restore' examine a copy of it while the server runs";
        return vec![Line { weight: Weight::Note, ..Line::warning("store", found, advice) }];
    }
    match store::doctor::examine(directory, search::registry(), None) {
        Ok(report) => doctor::of_store(&report),
        Err(why) => vec![Line::problem("store", why.to_string(), "see whether another process holds the directory")],
    }
}

/// Prints lines and what they come to.
pub(super) fn report(lines: &[Line]) -> ExitCode {
    let style = Style::of_stdout();
    let width = lines.iter().map(|line| line.subject.len()).max().unwrap_or_default();
    for line in lines {
        let text = format!("{:8} {:width$}  {}", line.weight.word(), line.subject, line.found);
        print::result(match line.weight {
            Weight::Well | Weight::Note => text,
            Weight::Warning | Weight::Problem => style.strong(text),
        });
        if let Some(advice) = &line.advice {
            print::result(style.faint(format_args!("{:8} {:width$}  -> {advice}", "", "")));
        }
    }
    let of = |weight| lines.iter().filter(|line| line.weight == weight).count() as u64;
    let (problems, warnings) = (of(Weight::Problem), of(Weight::Warning));
    print::result("");
    print::result(match (problems, warnings) {
        (0, 0) => style.strong("All is well."),
        _ => style.strong(format_args!("{}, {}.", many(problems, "problem"), many(warnings, "warning"))),
    });
    if problems > 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}
