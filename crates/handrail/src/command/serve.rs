//! `handrail serve`: a server on a data directory.

use crate::{config::Config, fault::Fault, listen::Listen, print, server::Server, tls::local_ca};
use clap::Args;
use std::{path::PathBuf, process::ExitCode};

/// Start a server on a data directory.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  handrail serve --data ./data
  handrail serve --data ./data --listen 0.0.0.0:8443
  handrail serve --data /var/lib/handrail --config /etc/handrail.toml

Without certificate files in the configuration the server makes a local CA in DIR/tls; clients
trust it by DIR/tls/ca.pem. That is for trying out: give a real server its own certificate.

SIGTERM or Ctrl-C stops it; requests in flight finish first. SIGHUP reads the certificate anew.")]
pub(super) struct Serve {
    /// Data directory; made when it does not exist
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Configuration file (TOML)
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Where to listen; port 0 picks a free one [default: 127.0.0.1:8443]
    #[arg(long, value_name = "HOST:PORT")]
    listen: Option<Listen>,
}

impl Serve {
    /// Serves until a signal.
    pub(super) async fn run(self) -> Result<ExitCode, Fault> {
        let mut config = Config::read(self.config.as_deref())
            .map_err(|why| Fault::at("the configuration cannot be used", why).fix("the README lists every setting"))?;
        if let Some(listen) = self.listen {
            config.listen = listen;
        }
        let server = Server::start(&self.data, &config).await?;
        if server.is_local() {
            print::note(format_args!(
                "using a local CA, for trying out; clients trust {}",
                local_ca::ca_path(&self.data).display()
            ));
        }
        if server.base_url != server.local_url {
            print::note(format_args!("FHIR base for others: {}", server.base_url));
        }
        let listening = format!("listening on {}", server.local_url);
        server.run(|| print::result(listening)).await?;
        Ok(ExitCode::SUCCESS)
    }
}
