//! `handrail explain`: which way a search goes, in words. Works on a running server and on a data
//! directory at rest. The search is run once, and recorded as any other.

use super::data;
use crate::{
    control::{Order, Reply},
    fault::Fault,
    print,
};
use clap::Args;
use std::{path::PathBuf, process::ExitCode};

/// Show which way a search goes and what it reads.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  handrail explain 'Observation?patient=p1&code=http://loinc.org|8480-6' --data ./data
  handrail explain 'Observation?date=ge2024-01-01&_sort=-date' --data ./data \\
      --scope 'system/Observation.rs?category=survey'

The search is run once, its first page, and recorded in the audit log. What is shown is the search
and numbers, never what was found.")]
pub(super) struct Explain {
    /// The search, as it would stand in a URL: Type?parameters
    search: String,
    /// Data directory
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// As a client with these scopes would search it; else all is seen
    #[arg(long, value_name = "SCOPES")]
    scope: Option<String>,
}

impl Explain {
    /// Does it.
    pub(super) async fn run(self) -> Result<ExitCode, Fault> {
        let order = Order::Explain { search: self.search, scope: self.scope };
        match data::carry_out(data::existing(&self.data)?, order).await? {
            Reply::Explained(text) => {
                print::result(text);
                Ok(ExitCode::SUCCESS)
            }
            reply => Err(data::unexpected(reply)),
        }
    }
}
