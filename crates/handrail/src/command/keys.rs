//! `handrail keys`: the keys that the server signs id tokens with. Works on a running server, and on a data directory at
//! rest.

use super::data;
use crate::{
    control::{Order, Reply},
    fault::Fault,
    print,
};
use clap::{Args, Subcommand};
use std::{path::PathBuf, process::ExitCode};

/// Look after the keys that the server signs with.
#[derive(Debug, Args)]
pub(super) struct Keys {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Make new signing keys; the old ones are published for a while longer
    #[command(after_help = "Example:
  handrail keys rotate --data ./data

The server signs with the new keys at once. The old ones stay in /oauth/jwks until everything that was
signed with them has ended, so nobody has to sign in again. Once a year is usual, and whenever somebody
may have read the data directory.")]
    Rotate {
        /// Data directory
        #[arg(long, value_name = "DIR")]
        data: PathBuf,
    },
}

impl Keys {
    /// Does it.
    pub(super) async fn run(self) -> Result<ExitCode, Fault> {
        let Action::Rotate { data } = self.action;
        match data::carry_out(data::existing(&data)?, Order::RotateKeys).await? {
            Reply::Done => {
                print::note("new keys sign from now on; the old ones stay published for a while");
                Ok(ExitCode::SUCCESS)
            }
            reply => Err(data::unexpected(reply)),
        }
    }
}
