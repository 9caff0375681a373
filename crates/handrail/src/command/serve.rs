//! `handrail serve`: a server on a data directory.

use super::settings::Given;
use crate::{
    config::{Config, table},
    fault::Fault,
    log::Format,
    print,
    server::Server,
    tls::local_ca,
};
use clap::Args;
use std::process::ExitCode;

/// Start a server on a data directory.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  handrail serve --data ./data
  handrail serve --data ./data --listen 0.0.0.0:8443 --metrics-listen 127.0.0.1:9464
  handrail serve --config /etc/handrail.toml

A flag goes before the environment, the environment before the file; 'handrail config' shows what is
in effect. Without certificate files the server makes a local CA in DIR/tls; clients trust it by
DIR/tls/ca.pem. That is for trying out: give a real server its own certificate.

SIGTERM or Ctrl-C stops it; requests in flight finish first. A renewed certificate is taken up
within a minute, with SIGHUP at once.")]
pub(super) struct Serve {
    #[command(flatten)]
    given: Given,
}

impl Serve {
    /// The configuration, before anything starts.
    pub(super) fn read(self) -> Result<Config, Fault> {
        self.given.read()
    }
}

/// Serves until a signal.
pub(super) async fn run(config: Config) -> Result<ExitCode, Fault> {
    let Some(data) = config.data.as_deref() else {
        return Err(Fault::new("no data directory is named").fix(format!(
            "--{} DIR, {}, or {} in the file",
            table::DATA.flag,
            table::DATA.variable,
            table::DATA.name
        )));
    };
    let server = Server::start(data, &config).await?;
    // For people; what reads JSON lines finds the same in the line "started".
    if config.log.format == Format::Text {
        if server.is_local() {
            let ca = local_ca::ca_path(data);
            print::note(format_args!("using a local CA, for trying out; clients trust {}", ca.display()));
        }
        if server.base_url != server.local_url {
            print::note(format_args!("FHIR base for others: {}", server.base_url));
        }
        if let Some(url) = &server.mtls_url {
            print::note(format_args!("for clients with certificates: {url}"));
        }
        if let Some(url) = &server.metrics_url {
            print::note(format_args!("metrics for Prometheus: {url}"));
        }
    }
    let listening = format!("listening on {}", server.local_url);
    server.run(|| print::result(listening)).await?;
    Ok(ExitCode::SUCCESS)
}
