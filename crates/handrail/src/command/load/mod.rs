//! `handrail load`: files, Bundles, NDJSON, folders and FHIR packages into a server or a directory.
//!
//! - [`source`]: what lies there, read as a stream. [`target`]: where it goes, always as a FHIR
//!   transaction through the whole pipeline (permit, validation, audit), on a server or here.
//! - [`plan`]: which resources go together. [`tally`]: the table at the end.

mod plan;
mod source;
mod tally;
pub(super) mod target;

use super::{remote::Reach, settings::AtRest};
use crate::fault::Fault;
use clap::{ArgGroup, Args};
use indicatif::{ProgressBar, ProgressStyle};
use plan::Planner;
use std::{path::PathBuf, process::ExitCode, time::Duration};
use tally::Tally;
use target::Target;

/// Load resources, Bundles, NDJSON, folders and FHIR packages.
#[derive(Debug, Args)]
#[command(
    group = ArgGroup::new("where").required(true).args(["server", "data"]),
    after_help = "Examples:
  handrail load examples/ --server https://127.0.0.1:8443/fhir --token \"$TOKEN\" --ca data/tls/ca.pem
  handrail load hl7.fhir.us.pacio-pfe-2.0.0.tgz --data ./data
  handrail load export.ndjson bundle.json --server URL --client ID --key lab.jwk
  handrail load export.ndjson --server URL --client ID --certificate lab.pem \\
      --certificate-key lab.key

What becomes of it:
  a FHIR package (.tgz)            its examples, in one transaction: they may name each other
  a transaction or batch Bundle    sent as it is
  any other Bundle                 its entries, in one transaction
  resources, NDJSON, folders       transactions of up to 200 resources
Resources with an id are stored under it, the others get one. Ids are chosen by the facility's own
record system alone ('handrail client add --custodian'): to others the server answers 'no such
resource'. What is refused is left out, named with its reason at the end, and makes the exit code 1.

What is loaded is checked as any write is. With --data the rules of the configuration hold (required
profiles and the other settings of [validation]), read from --config and the environment as 'handrail
serve' does.")]
pub(super) struct Load {
    /// Files and folders
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// FHIR base URL of a server
    #[arg(long, value_name = "URL")]
    server: Option<String>,
    /// Access token for the server
    #[arg(long, value_name = "TOKEN", allow_hyphen_values = true, requires = "server", conflicts_with_all = ["data", "client", "key"])]
    token: Option<String>,
    /// Client id: gets tokens as needed, for loads of more than five minutes
    #[arg(long, value_name = "ID", requires = "server", conflicts_with = "data")]
    client: Option<String>,
    /// The client's private key
    #[arg(long, value_name = "FILE", requires = "client", conflicts_with = "data")]
    key: Option<PathBuf>,
    /// CA file (PEM) that the server's certificate is signed by, if the machine does not trust it
    #[arg(long, value_name = "FILE", requires = "server", conflicts_with = "data")]
    ca: Option<PathBuf>,
    /// Certificate (PEM, its chain after it) to show when the server asks for one
    #[arg(long, value_name = "FILE", requires_all = ["server", "certificate_key"], conflicts_with = "data")]
    certificate: Option<PathBuf>,
    /// The certificate's private key (PEM)
    #[arg(long, value_name = "FILE", requires = "certificate", conflicts_with = "data")]
    certificate_key: Option<PathBuf>,
    /// Data directory that no server runs on
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    #[command(flatten)]
    at_rest: AtRest,
}

impl Load {
    /// Loads.
    pub(super) async fn run(self) -> Result<ExitCode, Fault> {
        let found = source::find(&self.paths)?;
        let target = self.target().await?;
        let bar = progress(found.bytes);
        let mut planner = Planner::new(target);
        let mut pieces = source::read(found.files);
        let mut ended = Ok(());
        while let Some(piece) = pieces.recv().await {
            bar.set_position(piece.bytes_so_far);
            bar.set_message(piece.label());
            ended = planner.take(piece).await;
            if ended.is_err() {
                break;
            }
        }
        if ended.is_ok() {
            ended = planner.finish().await;
        }
        bar.finish_and_clear();
        let tally: Tally = planner.into_tally();
        tally.show();
        ended?;
        Ok(if tally.refused() == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }

    async fn target(&self) -> Result<Target, Fault> {
        let (ca, certificate, certificate_key) = (&self.ca, &self.certificate, &self.certificate_key);
        let reach =
            Reach { ca: ca.clone(), certificate: certificate.clone(), certificate_key: certificate_key.clone() };
        match (&self.server, &self.data, &self.token, &self.client, &self.key) {
            (Some(server), _, Some(token), ..) => Target::server(server, &reach, token.clone()),
            (Some(server), _, None, Some(client), key) if key.is_some() || certificate.is_some() => {
                Target::server_as(server, &reach, client.clone(), key.as_deref()).await
            }
            (Some(_), ..) => Err(Fault::new("a server asks for a token").fix(
                "--token \"$(handrail token …)\", or --client ID with --key FILE or with --certificate FILE --certificate-key FILE",
            )),
            (None, Some(directory), ..) => Target::directory(directory, &self.at_rest.read()?).await,
            (None, None, ..) => Err(Fault::new("nowhere to load to").fix("give --server URL or --data DIR")),
        }
    }
}

/// A bar over bytes, on standard error, drawn only on a terminal.
pub(super) fn progress(length: u64) -> ProgressBar {
    let bar = ProgressBar::new(length);
    let style = ProgressStyle::with_template("{bar:32} {percent:>3}% {elapsed_precise} {wide_msg}");
    if let Ok(style) = style {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}
