//! `handrail udap check URL`: a partner's server, line by line. Rows D1 to D11.

use super::certificates;
use crate::{
    clock,
    command::{
        doctor,
        remote::{Reach, Remote},
    },
    fault::Fault,
    partner::{self, Answered, Seen},
};
use clap::Args;
use http::header;
use oauth::x509::Anchors;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use std::{path::PathBuf, process::ExitCode};

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  handrail udap check https://north.example.org/fhir
  handrail udap check https://north.example.org/fhir --anchors community-root.pem \\
      --community https://trust.example.org/community

It fetches BASE/.well-known/udap and says what the server offers, what is wrong by which rule, whether
its certificate leads to the anchors, and when it ends. The exit code is 1 when
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
    Ok(partner::look(base.trim_end_matches('/'), &answered, anchors.as_ref(), clock::now().unix_seconds()))
}
