//! `handrail udap`: trust communities, who joined by them, partners' servers, and joining one. Rows D1 to D29.

mod check;
mod community;
mod join;

use super::data;
use crate::{
    control::{ListedPartner, Order, Reply},
    fault::Fault,
    print,
};
use clap::{Args, Subcommand};
use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

/// Look after trust communities (UDAP), look at partners' servers, and join one.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  handrail udap community add https://trust.example.org/community --data ./data \\
      --anchors community-root.pem --certificate our.pem --key our.key
  handrail udap check https://north.example.org/fhir --anchors community-root.pem
  handrail udap registrations --data ./data
  handrail udap approve ID --data ./data
  handrail udap join https://north.example.org/fhir --anchors community-root.pem \\
      --certificate payer.pem --key payer.key --contact mailto:it@payer.example.org \\
      --purpose HPAYMT --scope 'system/Encounter.rs'

docs/udap.md says what all this is.")]
pub(super) struct Udap {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// The trust communities that this server is a member of
    Community(community::Community),
    /// Say in plain words what a partner's server says of itself, and what is wrong with it
    Check(check::Check),
    /// Register at a partner's server by a certificate, get an access token and print it
    Join(Box<join::Join>),
    /// List who joined by a trust community: id, date, name, URI, community, state, scopes
    Registrations {
        /// Data directory
        #[arg(long, value_name = "DIR")]
        data: PathBuf,
    },
    /// Let in somebody who joined and waits
    Approve(Registration),
    /// Cancel a registration: its tokens stop working with the next request
    Cancel(Registration),
}

#[derive(Debug, Args)]
struct Registration {
    /// Client id, as 'handrail udap registrations' shows it
    id: String,
    /// Data directory
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
}

impl Udap {
    /// Does it.
    pub(super) async fn run(self) -> Result<ExitCode, Fault> {
        match self.action {
            Action::Community(community) => community.run().await,
            Action::Check(check) => check.run().await,
            Action::Join(join) => join.run().await,
            Action::Registrations { data } => registrations(&data).await,
            Action::Approve(Registration { id, data }) => changed(&data, Order::ApprovePartner { id }, "let in").await,
            Action::Cancel(Registration { id, data }) => {
                let done = "cancelled; its tokens no longer work. While its certificate counts it may join again";
                changed(&data, Order::CancelPartner { id }, done).await
            }
        }
    }
}

async fn registrations(directory: &Path) -> Result<ExitCode, Fault> {
    match data::carry_out(data::existing(directory)?, Order::ListPartners).await? {
        Reply::Partners(partners) => {
            if partners.is_empty() {
                print::note("nobody has joined by a trust community yet");
            }
            for ListedPartner { id, created, name, uri, community, state, scope } in partners {
                print::result(format_args!("{id}\t{created}\t{name}\t{uri}\t{community}\t{state}\t{scope}"));
            }
            Ok(ExitCode::SUCCESS)
        }
        reply => Err(data::unexpected(reply)),
    }
}

async fn changed(directory: &Path, order: Order, done: &str) -> Result<ExitCode, Fault> {
    match data::carry_out(data::existing(directory)?, order).await? {
        Reply::Done => {
            print::note(done);
            Ok(ExitCode::SUCCESS)
        }
        reply => Err(data::unexpected(reply)),
    }
}

/// The certificates in these PEM files, DER, in order.
fn certificates(files: &[PathBuf]) -> Result<Vec<Vec<u8>>, Fault> {
    let all: Result<Vec<_>, Fault> = files.iter().map(|file| super::client::certificates(file)).collect();
    Ok(all?.concat())
}
