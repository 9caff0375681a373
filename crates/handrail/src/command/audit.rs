//! `handrail audit verify`: is the audit log what was recorded? SPEC: row F23.

use super::data;
use crate::{
    fault::Fault,
    print::{self, Style, count},
};
use clap::{Args, Subcommand};
use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

/// Look after the audit log.
#[derive(Debug, Args)]
pub(super) struct Audit {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Verify the whole log: its hash chain and its signed checkpoints
    #[command(after_help = "Example:
  handrail audit verify --data ./data
  handrail audit verify --data /archive/audit     (what audit.export_directory holds)

Reads the log files only, so it also works while the server runs. Finds any entry that was changed,
removed, inserted or moved, and says where; the exit code is 1 then. What it cannot find is a cut of
the newest entries that no checkpoint covers yet; it says how many those are.")]
    Verify {
        /// Data directory
        #[arg(long, value_name = "DIR")]
        data: PathBuf,
    },
}

impl Audit {
    /// Does it.
    pub(super) fn run(self) -> Result<ExitCode, Fault> {
        match self.action {
            Action::Verify { data } => verify(data::existing(&data)?),
        }
    }
}

fn verify(directory: &Path) -> Result<ExitCode, Fault> {
    let style = Style::of_stdout();
    match store::verify_audit(directory).map_err(|why| Fault::at(directory.display(), why))? {
        Ok(report) => {
            if report.first > 1 {
                print::result(format_args!(
                    "begins with entry {}: a signed cut says that older ones were given up",
                    report.first
                ));
            }
            let entries = report.last.saturating_sub(report.first.saturating_sub(1));
            print::result(style.strong(format_args!("OK: {} entries, all as they were recorded", count(entries))));
            if entries > 0 {
                print::result(format_args!("entries      {} to {}", report.first, report.last));
            }
            match report.last_checkpoint {
                Some((sequence, at)) => print::result(format_args!(
                    "checkpoints  {}, all signed; the last covers entry {sequence}, {at}",
                    count(report.checkpoints)
                )),
                None => print::result("checkpoints  none yet"),
            }
            print::result(format_args!(
                "not covered  {} newest entries, by no checkpoint yet",
                count(report.uncovered())
            ));
            if report.torn_end {
                print::result("the last record is unfinished: a server is writing it just now, or crashed within it");
            }
            Ok(ExitCode::SUCCESS)
        }
        Err(broken) => {
            print::result(style.strong(format_args!("DAMAGED: {broken}")));
            if let Some(segment) = store::audit_segment_of(directory, &broken) {
                print::result(format_args!("segment      {}, record {}", segment.display(), broken.sequence));
            }
            print::result("entries before that place are as they were recorded; compare with your copies of the log");
            Ok(ExitCode::FAILURE)
        }
    }
}
