//! `handrail pki community`: a trust community for trying out UDAP. Rows D7 to D10.

use super::{fault, moment, word};
use crate::{
    clock,
    fault::Fault,
    listen::Listen,
    listener,
    pki::{
        self, Curve, KeyKind, Reason,
        community::{self, Issued, NewCommunity, NewMember, StatusBy, desk},
    },
    print::{self, many, shell},
};
use clap::{Args, Subcommand};
use fhir::Instant;
use std::{path::PathBuf, process::ExitCode, sync::Arc};

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  handrail pki community lab init --name 'Lab of two hospitals'
  handrail pki community lab member north --uri https://north.example.org/fhir
  handrail pki community lab member payer --uri https://payer.example.org/fhir --curve p256
  handrail pki community lab serve                       lists and answers, until Ctrl-C
  handrail pki community lab revoke payer --reason key-compromise

Members trust lab/root.pem. The URI of a server is its FHIR base, to the letter.
It is for laboratories: nobody checks here who a member is.")]
pub(super) struct Community {
    /// Folder of the community
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Make a community in a new folder
    Init {
        /// Its name
        #[arg(long, value_name = "NAME", default_value = "handrail lab community")]
        name: String,
        /// Where its lists and answers will be found: this stands in every certificate
        #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8089")]
        url: String,
        /// Days that its own certificates count
        #[arg(long, value_name = "N", default_value_t = 3650, value_parser = clap::value_parser!(u32).range(1..=36500))]
        days: u32,
        /// Seconds that a revocation list counts: who has one may not look again before
        #[arg(long, value_name = "N", default_value_t = 60, value_parser = clap::value_parser!(u32).range(2..=31_536_000))]
        list_seconds: u32,
        /// Seconds that an answer (OCSP) counts
        #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=31_536_000))]
        answer_seconds: u32,
        /// Curve of its keys [default: RSA, 2048 bits]
        #[arg(long, value_enum)]
        curve: Option<Curve>,
    },
    /// Make a member's certificate
    Member(Box<Member>),
    /// Revoke all certificates of a name, or the one of a serial number; 'ca' is the intermediate
    Revoke {
        /// Name of its files, or its serial number
        which: String,
        /// Why
        #[arg(long, value_enum, default_value_t = Reason::Unspecified)]
        reason: Reason,
    },
    /// List every certificate that was made
    List,
    /// Publish lists and answers over http, until a signal
    Serve {
        /// Where to listen [default: host and port of the community's URL]
        #[arg(long, value_name = "HOST:PORT")]
        listen: Option<Listen>,
    },
}

#[derive(Debug, Args)]
struct Member {
    /// Name of its files, and its common name unless another is given
    name: String,
    /// What it may speak for, to the letter: a server's FHIR base, a client's address; may be repeated
    #[arg(long, value_name = "URI", required = true)]
    uri: Vec<String>,
    /// Common name
    #[arg(long, value_name = "NAME")]
    common_name: Option<String>,
    /// Organization
    #[arg(long, value_name = "NAME")]
    organization: Option<String>,
    /// Host name in it; may be repeated
    #[arg(long, value_name = "HOST")]
    dns: Vec<String>,
    /// Days that it counts
    #[arg(long, value_name = "N", default_value_t = 365, value_parser = clap::value_parser!(u32).range(1..=3650))]
    days: u32,
    /// Curve of its key [default: RSA, 2048 bits, which every member can verify]
    #[arg(long, value_enum)]
    curve: Option<Curve>,
    /// How its certificate says that its status can be learnt
    #[arg(long, value_enum, default_value_t = StatusBy::Both)]
    status: StatusBy,
    /// Certify the key of this request (PEM) instead of making one; nothing else of it counts
    #[arg(long, value_name = "FILE", conflicts_with = "curve")]
    csr: Option<PathBuf>,
    /// Replace the files of that name; the old certificate counts until it ends or is revoked
    #[arg(long)]
    renew: bool,
}

impl Community {
    /// Does it.
    pub(super) async fn run(self) -> Result<ExitCode, Fault> {
        let (folder, now) = (self.folder, clock::now());
        let open = || community::Community::open(&folder).map_err(fault);
        match self.action {
            Action::Init { name, url, days, list_seconds, answer_seconds, curve } => {
                let key = KeyKind::of(curve);
                let new = NewCommunity { name, url, days, list_s: list_seconds, answer_s: answer_seconds, key };
                let made = community::Community::init(&folder, &new, now).map_err(fault)?;
                print::result(made.anchor_path().display());
                let word = shell(&folder.display().to_string());
                print::note(format_args!(
                    "a new community; members trust {}. Its lists are to be found at {}:\n  handrail pki community {word} serve",
                    made.anchor_path().display(),
                    made.url(),
                ));
            }
            Action::Member(member) => {
                let wanted = member.wanted()?;
                let made = open()?.issue(&wanted, now).map_err(fault)?;
                let fact = |name: &str, value: &dyn std::fmt::Display| print::result(format_args!("{name}\t{value}"));
                fact("certificate", &made.certificate.display());
                if let Some(key) = &made.key {
                    fact("key", &key.display());
                }
                fact("serial", &made.issued.serial);
                fact("ends", &moment(made.issued.ends_s));
                made.issued.uris.iter().for_each(|uri| fact("uri", uri));
            }
            Action::Revoke { which, reason } => {
                let revoked = open()?.revoke(&which, reason, now).map_err(fault)?;
                print::note(format_args!(
                    "{} revoked; lists and answers say so from now on, and who holds an older one asks again when it ends",
                    many(revoked as u64, "certificate")
                ));
            }
            Action::List => list(open()?.issued(), now),
            Action::Serve { listen } => {
                // Opened for its address alone: the folder stays free for other commands.
                let url = open()?.url().to_owned();
                let listen = match listen {
                    Some(listen) => listen,
                    None => place(&url)?,
                };
                let desk = Arc::new(desk::Desk::open(&folder).map_err(fault)?);
                let address = listen.address().await.map_err(|why| Fault::at(&listen, why))?;
                let listener = listener::bind(address).map_err(|why| Fault::at(&listen, why))?;
                let at = listener.local_addr().map_err(Fault::new)?;
                print::result(format_args!("listening on http://{at}"));
                print::note(format_args!("certificates of this community say {url}"));
                let serving = tokio::spawn(desk::serve(listener, desk));
                tokio::signal::ctrl_c().await.map_err(Fault::new)?;
                serving.abort();
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl Member {
    fn wanted(self) -> Result<NewMember, Fault> {
        let read = |path: PathBuf| std::fs::read_to_string(&path).map_err(|why| Fault::at(path.display(), why));
        Ok(NewMember {
            common_name: self.common_name.unwrap_or_else(|| self.name.clone()),
            name: self.name,
            organization: self.organization,
            uris: self.uri,
            others: pki::alternative_names(&self.dns, &[], &[], &[]).map_err(fault)?,
            days: self.days,
            key: KeyKind::of(self.curve),
            status: self.status,
            request: self.csr.map(read).transpose()?,
            renew: self.renew,
        })
    }
}

/// Host and port of the address that stands in certificates.
fn place(url: &str) -> Result<Listen, Fault> {
    let uri: http::Uri = url.parse().map_err(Fault::new)?;
    let (host, port) = (uri.host().unwrap_or_default(), uri.port_u16().unwrap_or(80));
    format!("{host}:{port}").parse().map_err(|why| Fault::at(url, why).fix("say where with --listen HOST:PORT"))
}

fn list(issued: &[Issued], now: Instant) {
    for one in issued {
        let state = match one.revoked {
            Some((at_s, reason)) => format!("revoked {} ({})", moment(at_s), word(reason)),
            None if one.ends_s <= now.unix_seconds() => "ended".to_owned(),
            None => "counts".to_owned(),
        };
        let (serial, name, uris) = (&one.serial, &one.name, one.uris.join(" "));
        print::result(format_args!("{serial}\t{name}\t{}\t{state}\t{uris}", moment(one.ends_s)));
    }
}
