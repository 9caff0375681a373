//! `handrail udap check URL`: a partner's server, line by line. Rows D1 to D11.

use super::certificates;
use crate::{
    clock,
    command::{
        doctor,
        remote::{Reach, Remote},
    },
    egress::{Egress, Network},
    fault::Fault,
    partner::{self, Answered, Seen},
    tls::trust,
};
use authserver::egress::Fetch;
use clap::Args;
use http::header;
use oauth::x509::Anchors;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use std::{path::PathBuf, process::ExitCode, sync::Arc};

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  handrail udap check https://north.example.org/fhir
  handrail udap check https://north.example.org/fhir --anchors community-root.pem \\
      --community https://trust.example.org/community

It fetches BASE/.well-known/udap and says what the server offers, what is wrong by which rule, whether
its certificate leads to the anchors, whether it was revoked, and when it ends. The exit code is 1 when
there is a problem: then others will refuse this server too.")]
pub(super) struct Check {
    /// FHIR base URL of the server, to the letter
    url: String,
    #[command(flatten)]
    whom: Whom,
    #[command(flatten)]
    reach: Reach,
}

/// Whom to believe.
#[derive(Debug, Args)]
pub(super) struct Whom {
    /// PEM file with anchors of the trust community; may be repeated
    #[arg(long, value_name = "FILE")]
    anchors: Vec<PathBuf>,
    /// URI of the trust community to ask for
    #[arg(long, value_name = "URI")]
    community: Option<String>,
    /// Network that revocation lists and answers may come from although it is not public, such as 127.0.0.0/8; may be
    /// repeated
    #[arg(long = "allow-network", value_name = "NETWORK")]
    networks: Vec<Network>,
}

impl Whom {
    /// The anchors, when any are named.
    pub(super) fn anchors(&self) -> Result<Option<Anchors>, Fault> {
        if self.anchors.is_empty() {
            return Ok(None);
        }
        Anchors::new(&certificates(&self.anchors)?).map(Some).map_err(Fault::new)
    }
}

impl Check {
    pub(super) async fn run(self) -> Result<ExitCode, Fault> {
        let mut server = Remote::new(&self.url, &self.reach)?;
        let seen = see(&mut server, &self.url, &self.whom).await?;
        Ok(doctor::report(&seen.lines))
    }
}

/// Fetches a server's metadata and looks at it.
pub(super) async fn see(server: &mut Remote, base: &str, whom: &Whom) -> Result<Seen, Fault> {
    let anchors = whom.anchors()?;
    let query = whom.community.as_deref().map_or_else(String::new, |community| {
        format!("?community={}", utf8_percent_encode(community, NON_ALPHANUMERIC))
    });
    let answer = server.get(&format!("/.well-known/udap{query}")).await?;
    let answered = Answered {
        status: answer.status(),
        content_type: answer.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()),
        body: answer.body(),
        community: whom.community.as_deref(),
    };
    let now = clock::now();
    let mut seen = partner::look(base, &answered, anchors.as_ref(), now.unix_seconds());
    // The addresses are the certificate's: fetched as guarded as a server would.
    let tls = trust::client_config(None).map_err(Fault::new)?;
    let fetch: Arc<dyn Fetch> = Arc::new(Egress::new(tls, whom.networks.clone()));
    seen.ask_status(&fetch, now).await;
    Ok(seen)
}
