//! `handrail pki`: a private certification authority for those who have none. Rows A6, A11. [`community`]: a trust
//! community for trying out.

mod community;

use crate::{
    clock,
    fault::Fault,
    pki::{
        self, Curve, PkiError, Reason, Use,
        authority::{Authority, Issued, Made, Wanted},
    },
    print::{self, many, shell},
};
use authserver::client_certificate::Presented;
use clap::{Args, Subcommand};
use fhir::Instant;
use std::{net::IpAddr, path::PathBuf, process::ExitCode};

/// Where the authority is.
const FOLDER: &str = "handrail-pki";

/// Make a private CA and certificates of clients and servers, and revoke them.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  handrail pki init --name 'Example Hospital clients'
  handrail pki client lab --organization 'Example Hospital'
  handrail pki client ehr --csr ehr.csr          its key stays with it
  handrail pki server fhir.example.org
  handrail pki revoke lab --reason key-compromise
  handrail pki crl                               renews the revocation list

Then tell the server whom to believe, and whom no longer:
  handrail serve --data ./data --tls-client-certificates optional \\
      --tls-client-anchors handrail-pki/ca.pem --tls-client-crls handrail-pki/crl.pem

Keep the folder where only its owner reads it: who has ca.key can be any client.")]
pub(super) struct Pki {
    /// Folder of the authority [default: handrail-pki]
    #[arg(long, value_name = "DIR", global = true)]
    pki: Option<PathBuf>,
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Make an authority in a new folder, with an empty revocation list
    Init {
        /// Its name
        #[arg(long, value_name = "NAME", default_value = "handrail private CA")]
        name: String,
        /// Days that it counts
        #[arg(long, value_name = "N", default_value_t = 3650, value_parser = clap::value_parser!(u32).range(1..=36500))]
        days: u32,
        /// Days that a revocation list counts; after them nobody is let in until there is a new one
        #[arg(long, value_name = "N", default_value_t = 90, value_parser = clap::value_parser!(u32).range(1..=3650))]
        crl_days: u32,
        /// Curve of its key
        #[arg(long, value_enum, default_value_t = Curve::P256)]
        curve: Curve,
    },
    /// Make a client's certificate
    Client(ClientOf),
    /// Make a server's certificate for these host names and addresses
    Server {
        /// Host name or address; the first one names the files
        #[arg(required = true, value_name = "HOST")]
        hosts: Vec<String>,
        #[command(flatten)]
        common: Common,
    },
    /// Revoke all certificates of a name, or the one of a serial number, and write the list
    Revoke {
        /// Name of its files, or its serial number
        which: String,
        /// Why
        #[arg(long, value_enum, default_value_t = Reason::Unspecified)]
        reason: Reason,
    },
    /// Write the revocation list anew, before the old one ends
    Crl {
        /// Days that it counts, from now on for each list
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=3650))]
        days: Option<u32>,
    },
    /// List every certificate that was made
    List,
    /// A trust community (UDAP) for trying out: root, intermediate, revocation lists and answers over http
    Community(community::Community),
}

#[derive(Debug, Args)]
struct ClientOf {
    /// Name of its files, and its common name unless another is given
    name: String,
    /// Common name
    #[arg(long, value_name = "NAME")]
    common_name: Option<String>,
    /// Organization
    #[arg(long, value_name = "NAME")]
    organization: Option<String>,
    /// Host name in it; may be repeated
    #[arg(long, value_name = "HOST")]
    dns: Vec<String>,
    /// URI in it; may be repeated
    #[arg(long, value_name = "URI")]
    uri: Vec<String>,
    /// Address in it; may be repeated
    #[arg(long, value_name = "ADDRESS")]
    ip: Vec<IpAddr>,
    /// E-mail address in it; may be repeated
    #[arg(long, value_name = "ADDRESS")]
    email: Vec<String>,
    /// Certify the key of this request (PEM) instead of making one; nothing else of it counts
    #[arg(long, value_name = "FILE")]
    csr: Option<PathBuf>,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, Args)]
struct Common {
    /// Days that it counts
    #[arg(long, value_name = "N", default_value_t = 365, value_parser = clap::value_parser!(u32).range(1..=3650))]
    days: u32,
    /// Curve of its key
    #[arg(long, value_enum, default_value_t = Curve::P256)]
    curve: Curve,
    /// Replace the files of that name; the old certificate counts until it ends or is revoked
    #[arg(long)]
    renew: bool,
}

impl Pki {
    /// Does it.
    pub(super) async fn run(self) -> Result<ExitCode, Fault> {
        let now = clock::now();
        if let (Action::Community(_), Some(folder)) = (&self.action, &self.pki) {
            return Err(Fault::at(folder.display(), "a community has its own folder")
                .fix("name it after 'community' and leave --pki away"));
        }
        let folder = self.pki.unwrap_or_else(|| FOLDER.into());
        match self.action {
            Action::Init { name, days, crl_days, curve } => {
                let authority = Authority::init(&folder, &name, (days, crl_days), curve, now).map_err(fault)?;
                print::result(authority.certificate_path().display());
                print::note(format_args!(
                    "a new authority; its key stays in {0}. Give servers:\n  tls.client_anchors = [\"{1}\"]\n  tls.client_crls = [\"{2}\"]\n\
                     The revocation list counts {crl_days} days: renew it in time with 'handrail pki crl --pki {0}'",
                    shell(&folder.display().to_string()),
                    authority.certificate_path().display(),
                    authority.list_path().display(),
                ));
            }
            Action::Client(client) => {
                let names =
                    pki::alternative_names(&client.dns, &client.uri, &client.ip, &client.email).map_err(fault)?;
                let read = |path: PathBuf| std::fs::read_to_string(&path).map_err(|why| Fault::at(path.display(), why));
                let wanted = Wanted {
                    common_name: client.common_name.unwrap_or_else(|| client.name.clone()),
                    organization: client.organization,
                    names,
                    request: client.csr.map(read).transpose()?,
                    ..client.common.wanted(client.name, Use::Client)
                };
                let made = Authority::open(&folder).and_then(|mut authority| authority.issue(&wanted, now));
                tell(&made.map_err(fault)?);
            }
            Action::Server { hosts, common } => {
                let first = hosts.first().cloned().unwrap_or_default();
                let names = pki::alternative_names(&hosts, &[], &[], &[]).map_err(fault)?;
                let name = first.replace(':', "_").replace('*', "any");
                let wanted = Wanted { common_name: first, names, ..common.wanted(name, Use::Server) };
                let made = Authority::open(&folder).and_then(|mut authority| authority.issue(&wanted, now));
                tell(&made.map_err(fault)?);
            }
            Action::Revoke { which, reason } => {
                let mut authority = Authority::open(&folder).map_err(fault)?;
                let revoked = authority.revoke(&which, reason, now).map_err(fault)?;
                print::result(authority.list_path().display());
                print::note(format_args!(
                    "{} revoked. A server that reads this file refuses it within seconds, on open connections too; \
                     copy it to those that read another",
                    many(revoked as u64, "certificate")
                ));
            }
            Action::Crl { days } => {
                let mut authority = Authority::open(&folder).map_err(fault)?;
                if let Some(days) = days {
                    authority.set_list_days(days);
                }
                let until_s = authority.write_list(now).map_err(fault)?;
                print::result(authority.list_path().display());
                print::note(format_args!("it counts until {}", moment(until_s)));
            }
            Action::Community(community) => return community.run().await,
            Action::List => list(Authority::open(&folder).map_err(fault)?.issued(), now),
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl Common {
    fn wanted(&self, name: String, kind: Use) -> Wanted {
        Wanted {
            common_name: name.clone(),
            name,
            organization: None,
            names: Vec::new(),
            kind,
            days: self.days,
            curve: self.curve,
            request: None,
            renew: self.renew,
        }
    }
}

/// What was made, a fact a line, for people and scripts.
fn tell(made: &Made) {
    let fact = |name: &str, value: &dyn std::fmt::Display| print::result(format_args!("{name}\t{value}"));
    fact("certificate", &made.certificate.display());
    if let Some(key) = &made.key {
        fact("key", &key.display());
    }
    fact("serial", &made.issued.serial);
    fact("ends", &moment(made.issued.ends_s));
    if let Some(presented) = Presented::new(vec![made.der.clone()], false) {
        if let Some(facts) = presented.facts() {
            fact("subject", &facts.subject);
        }
        fact("thumbprint", &oauth::caller::Confirmation::Certificate(presented.thumbprint).member().1);
    }
    if let Some(key) = &made.key {
        print::note(format_args!(
            "{} is secret: give it to its holder alone, over a way that you trust",
            key.display()
        ));
    }
}

fn list(issued: &[Issued], now: Instant) {
    if issued.is_empty() {
        print::note("no certificates yet; 'handrail pki client --help' shows how");
    }
    for one in issued {
        let state = match one.revoked {
            Some((at_s, reason)) => format!("revoked {} ({})", moment(at_s), word(reason)),
            None if one.ends_s <= now.unix_seconds() => "ended".to_owned(),
            None => "counts".to_owned(),
        };
        let kind = if one.kind == Use::Client { "client" } else { "server" };
        let (serial, name) = (&one.serial, &one.name);
        print::result(format_args!("{serial}\t{kind}\t{name}\t{}\t{state}", moment(one.ends_s)));
    }
}

pub(super) fn word(reason: Reason) -> String {
    clap::ValueEnum::to_possible_value(&reason).map_or_else(String::new, |value| value.get_name().to_owned())
}

pub(super) fn moment(seconds: i64) -> Instant {
    Instant::from_unix_millis(seconds.saturating_mul(1000))
}

pub(super) fn fault(why: PkiError) -> Fault {
    let fault = Fault::new(&why);
    match why {
        PkiError::Exists(_) => fault.fix("use it, or name another folder"),
        PkiError::Missing(_) => fault.fix("make one with 'init', or name its folder"),
        PkiError::Busy(_) => fault.fix("wait for it"),
        _ => fault,
    }
}
