//! `handrail udap community`: the trust communities that this server is a member of. Rows D1, D4 to D6, D9, D20, D24.

use super::certificates;
use crate::{
    command::data,
    control::{ListedCommunity, Order, Reply, Shown, WantedCommunity},
    fault::Fault,
    print::{self, many},
};
use clap::{Args, Subcommand, ValueEnum};
use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

/// Purposes that members may name when nothing else is said: treatment, and what a payer needs for it.
const PURPOSES: [&str; 2] = ["TREAT", "HPAYMT"];

/// The trust communities that this server is a member of.
#[derive(Debug, Args)]
pub(super) struct Community {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Make this server a member of a trust community; the first one is the default
    Add(Box<Add>),
    /// List the communities: URI, name, profile, end of the first certificate, who agrees, registrations
    List(At),
    /// Show all that is known of a community
    Show(OfCommunity),
    /// Leave a community: what its members registered goes with it, and their tokens end
    Remove(OfCommunity),
}

#[derive(Debug, Args)]
struct At {
    /// Data directory
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
}

#[derive(Debug, Args)]
struct OfCommunity {
    /// URI of the community
    uri: String,
    #[command(flatten)]
    at: At,
}

/// Which version of the guide the members keep to.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Profile {
    /// 1.0: apps need no PKCE
    Stu1,
    /// 1.1 and 2.0
    Stu2,
}

/// What counts when nobody says whether a certificate was revoked.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum WhenUnavailable {
    /// It is not believed
    Refuse,
    /// It is believed, and the log says so
    Accept,
}

/// Who agrees to a new member.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Approval {
    /// Nobody: its certificate is enough
    Open,
    /// You: 'handrail udap approve', or an administrator on the page
    Operator,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:
  handrail udap community add https://trust.example.org/community --data ./data \\
      --anchors community-root.pem --certificate our.pem --key our.key --name 'Example Trust'

The certificate file holds our chain, our own first. It must name our FHIR base as a URI, to the letter.
With --replace the settings and files of a community that is there are changed, as for a renewed certificate.")]
struct Add {
    /// URI of the community: what partners name it by
    uri: String,
    #[command(flatten)]
    at: At,
    /// PEM file with anchors of the community; may be repeated
    #[arg(long, value_name = "FILE", required = true)]
    anchors: Vec<PathBuf>,
    /// Our certificate in it (PEM, intermediates after it)
    #[arg(long, value_name = "FILE")]
    certificate: PathBuf,
    /// Our private key (PEM, or a JWK)
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// Its name, for people
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Which version of the guide its members keep to
    #[arg(long, value_enum, default_value_t = Profile::Stu2)]
    profile: Profile,
    /// What counts when nobody says whether a certificate was revoked
    #[arg(long, value_enum, default_value_t = WhenUnavailable::Refuse)]
    when_unavailable: WhenUnavailable,
    /// A purpose of use that its members may name (v3-ActReason); may be repeated [default: TREAT and HPAYMT]
    #[arg(long = "purpose", value_name = "CODE")]
    purposes: Vec<String>,
    /// URI of a certification that its members must have; may be repeated
    #[arg(long = "require-certification", value_name = "URI")]
    certifications: Vec<String>,
    /// Who agrees to a new member
    #[arg(long, value_enum, default_value_t = Approval::Open)]
    approval: Approval,
    /// Registrations that it may have
    #[arg(long, value_name = "N")]
    registrations: Option<usize>,
    /// Its members may vouch for people who sign in here
    #[arg(long)]
    identity_providers: bool,
    /// Change the community of this URI, which is there already
    #[arg(long)]
    replace: bool,
}

fn word(value: impl ValueEnum) -> String {
    value.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
}

impl Community {
    pub(super) async fn run(self) -> Result<ExitCode, Fault> {
        match self.action {
            Action::Add(add) => add.run().await,
            Action::List(At { data }) => list(&data).await,
            Action::Show(OfCommunity { uri, at }) => show(&at.data, &uri).await,
            Action::Remove(OfCommunity { uri, at }) => {
                let order = Order::RemoveCommunity { uri };
                super::changed(
                    &at.data,
                    order,
                    "left; what its members registered is gone, and their tokens no longer work",
                )
                .await
            }
        }
    }
}

impl Add {
    async fn run(self) -> Result<ExitCode, Fault> {
        let key = std::fs::read_to_string(&self.key).map_err(|why| Fault::at(self.key.display(), why))?;
        let purposes = match self.purposes.as_slice() {
            [] => PURPOSES.map(str::to_owned).to_vec(),
            named => named.to_vec(),
        };
        let community = WantedCommunity {
            uri: self.uri,
            name: self.name,
            anchors: certificates(&self.anchors)?,
            chain: certificates(std::slice::from_ref(&self.certificate))?,
            key: Shown(key),
            profile: word(self.profile),
            when_unavailable: word(self.when_unavailable),
            purposes,
            certifications: self.certifications,
            approval: word(self.approval),
            registrations_max: self.registrations,
            identity_providers: self.identity_providers,
        };
        let order = Order::PutCommunity { community: Box::new(community), replace: self.replace };
        match data::carry_out(data::existing(&self.at.data)?, order).await? {
            Reply::CommunityPut { ends } => {
                print::note(format_args!("a member now; our certificates there count until {ends}"));
                Ok(ExitCode::SUCCESS)
            }
            reply => Err(data::unexpected(reply)),
        }
    }
}

async fn all(directory: &Path) -> Result<Vec<ListedCommunity>, Fault> {
    match data::carry_out(data::existing(directory)?, Order::ListCommunities).await? {
        Reply::Communities(communities) => Ok(communities),
        reply => Err(data::unexpected(reply)),
    }
}

async fn list(directory: &Path) -> Result<ExitCode, Fault> {
    let communities = all(directory).await?;
    if communities.is_empty() {
        print::note("a member of no community; 'handrail udap community add --help' shows how");
    }
    for one in communities {
        let registrations = many(one.registrations, "registration");
        let ListedCommunity { uri, name, profile, ends, approval, .. } = one;
        print::result(format_args!("{uri}\t{name}\t{profile}\t{ends}\t{approval}\t{registrations}"));
    }
    Ok(ExitCode::SUCCESS)
}

async fn show(directory: &Path, uri: &str) -> Result<ExitCode, Fault> {
    let community = all(directory).await?.into_iter().find(|community| community.uri == uri);
    let community = community
        .ok_or_else(|| Fault::new("no community of this URI").fix("'handrail udap community list' shows them"))?;
    let facts = [
        ("uri", community.uri),
        ("name", community.name),
        ("profile", community.profile),
        ("ends", community.ends),
        ("approval", community.approval),
        ("when-unavailable", community.when_unavailable),
        ("purposes", community.purposes),
        ("certifications", community.certifications),
        ("identity-providers", if community.identity_providers { "yes" } else { "no" }.to_owned()),
        ("registrations", format!("{} of {}", community.registrations, community.registrations_max)),
        ("certificate", community.certificate),
    ];
    let anchors = community.anchors.into_iter().map(|anchor| ("anchor", anchor));
    for (name, value) in facts.into_iter().chain(anchors).filter(|(_, value)| !value.is_empty()) {
        print::result(format_args!("{name}\t{value}"));
    }
    Ok(ExitCode::SUCCESS)
}
