//! `handrail client`: who may call. Works on a running server and on a data directory at rest.

use super::data;
use crate::{
    control::{ListedInvitation, Order, Proof, Registered, Reply, Shown, Wanted, WantedInvitation},
    cors::Origin,
    fault::Fault,
    print,
    tls::private_file,
};
use clap::{Args, Subcommand, builder::PossibleValuesParser};
use oauth::caller::Standing;
use oauth::{certificate::SUBJECT_MEMBERS, jws::Algorithm, sign::PrivateKey};
use rustls::pki_types::{CertificateDer, pem::PemObject};
use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

/// Register, list and remove the apps and systems that may call.
#[derive(Debug, Args)]
pub(super) struct Client {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Register an app or a system and print its client id
    Add(Box<Add>),
    /// List the registered clients: id, date, name, scopes, kind
    List(At),
    /// Show all that is registered of a client
    Show(OfClient),
    /// Disable a client: its tokens stop working with the next request
    Disable(OfClient),
    /// Let a disabled client work again
    Enable(OfClient),
    /// Make another secret for a client; the newest one before goes on working
    NewSecret {
        #[command(flatten)]
        client: OfClient,
        /// Write the secret here
        #[arg(long, value_name = "FILE")]
        generate_secret: PathBuf,
    },
    /// End all secrets of a client but the newest
    RetireSecrets(OfClient),
    /// Give leave to register: print an initial access token (RFC 7591), which is not shown again
    Invite(Box<Invite>),
    /// List the initial access tokens that still work: name, end, uses left, whom for, kinds, scopes
    Invitations(At),
    /// End an initial access token; what was registered with it stays
    Withdraw {
        /// Its name, as 'handrail client invitations' shows it
        name: String,
        #[command(flatten)]
        at: At,
    },
    /// Say what an app can be opened for at /account/launch, in place of what was said before
    SetIntents {
        #[command(flatten)]
        client: OfClient,
        /// What it can be opened for: a word that the app knows, or WORD=NAME FOR PEOPLE; may be repeated
        #[arg(long = "intent", value_name = "WORD[=NAME]", required_unless_present = "none")]
        intents: Vec<String>,
        /// Nothing in particular
        #[arg(long, conflicts_with = "intents")]
        none: bool,
    },
    /// Say how a system stands to the records: as others, as this facility's own record system, or as one that gets
    /// de-identified data alone
    SetStanding {
        #[command(flatten)]
        client: OfClient,
        /// `ordinary`, `custodian` (consents of patients do not bind it), or `deidentified`
        #[arg(value_parser = PossibleValuesParser::new(Standing::ALL.map(Standing::as_str)))]
        standing: String,
    },
    /// Say what a system may act for, in place of what was said before; it counts with the next request
    SetPurposes {
        #[command(flatten)]
        client: OfClient,
        /// Purpose of use: a code of v3-ActReason, such as HPAYMT; may be repeated
        #[arg(long = "purpose-of-use", value_name = "CODE", required_unless_present = "treatment")]
        purposes: Vec<String>,
        /// Treatment, as every system that nothing else was said of
        #[arg(long, conflicts_with = "purposes")]
        treatment: bool,
    },
    /// Remove a client: its tokens stop working with the next request
    Remove(OfClient),
}

#[derive(Debug, Args)]
struct At {
    /// Data directory
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  handrail client invite 'Walks Inc.' --data ./data --kind public \\
      --scope 'openid fhirUser launch/patient offline_access patient/*.rs'
  handrail client invite 'Lab' --data ./data --kind backend-service --uses 2 --days 30 \\
      --scope 'system/Observation.rs'

Who has the token registers by POST /oauth/register with it in the Authorization header.
Kinds of client and scopes that come of it are those named here, or less.
The token alone goes to standard output.")]
struct Invite {
    /// Whom it is for: a note for your own list
    note: String,
    /// Data directory
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Scopes that a client may get of it at most, divided by blanks
    #[arg(long, value_name = "SCOPES")]
    scope: String,
    /// Kind of client that may come of it: public, confidential-symmetric, confidential-asymmetric, backend-service or
    /// mutual-tls; may be repeated
    #[arg(long = "kind", value_name = "KIND", required = true)]
    kinds: Vec<String>,
    /// How many clients may come of it
    #[arg(long, value_name = "N", default_value_t = 1)]
    uses: u32,
    /// How many days it works
    #[arg(long, value_name = "DAYS", default_value_t = 7)]
    days: u32,
}

#[derive(Debug, Args)]
struct OfClient {
    /// Client id
    id: String,
    /// Data directory
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  handrail client add lab --data ./data --scope 'system/*.rs' --generate-key lab.jwk
  handrail client add ehr --data ./data --scope 'system/Patient.rs system/Observation.cruds' \\
      --jwks https://ehr.example.org/jwks.json
  handrail client add survey --data ./data --jwks survey-public.json \\
      --scope 'system/Observation.rs?code=http://loinc.org|54522-8'
  handrail client add 'My Walks' --data ./data --public \\
      --redirect https://walks.example.org/callback \\
      --scope 'openid fhirUser launch/patient offline_access patient/Observation.rs'
  handrail client add 'Care Board' --data ./data --generate-secret board.secret --verified \\
      --redirect https://board.example.org/cb --launch https://board.example.org/launch \\
      --scope 'openid fhirUser launch user/*.rs'

  handrail client add ehr --data ./data --scope 'system/*.cruds' --custodian --generate-key ehr.jwk
  handrail client add lab --data ./data --subject-dn 'CN=lab,O=Example Hospital' --scope 'system/*.rs'

A client with --redirect is an app: people sign in and say what it may see; its scopes are patient/ and user/ ones.
Without, it is a system that acts for itself, and has system/ scopes.
Scopes are SMART v2 (c create, r read, u update, d delete, s search) or v1 (.read, .write, .*).
What follows ? grants just the resources that the same search finds.
The client id alone goes to standard output.")]
struct Add {
    /// Name of the app or system, for people
    name: String,
    /// Data directory; made when it does not exist
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// What it may ask for, divided by blanks
    #[arg(long, value_name = "SCOPES")]
    scope: String,
    #[command(flatten)]
    proof: ProofOf,
    /// Where a person's browser is sent back to, compared to the letter; may be repeated
    #[arg(long = "redirect", value_name = "URI")]
    redirect_uris: Vec<String>,
    /// It is a program on the person's device: it may have a scheme of its own, or any port of 127.0.0.1
    #[arg(long)]
    native: bool,
    /// Where it is opened from a patient's page here (EHR launch)
    #[arg(long = "launch", value_name = "URL")]
    launch_url: Option<String>,
    /// What it can be opened for there: a word that the app knows, such as reconcile-medications, or WORD=NAME FOR PEOPLE;
    /// may be repeated
    #[arg(long = "intent", value_name = "WORD[=NAME]", requires = "launch_url")]
    intents: Vec<String>,
    /// Who made it, for people
    #[arg(long, value_name = "NAME")]
    maker: Option<String>,
    /// What it is for, in a few words of its maker's, for people
    #[arg(long, value_name = "WORDS")]
    purpose: Option<String>,
    /// Its logo: https URL of a PNG, JPEG or GIF
    #[arg(long, value_name = "URL")]
    logo: Option<String>,
    /// This facility has looked at it and trusts it: people are told so
    #[arg(long)]
    verified: bool,
    /// Hold it to the FAPI 2.0 profile: pushed requests, tokens bound to a key or certificate
    #[arg(long)]
    fapi2: bool,
    /// Its certificate alone lets it call, without a token
    #[arg(long)]
    without_token: bool,
    /// What the system may act for: a code of v3-ActReason, such as HPAYMT or HRESCH; may be repeated. Treatment (TREAT)
    /// when nothing is said
    #[arg(long = "purpose-of-use", value_name = "CODE", conflicts_with = "redirect_uris")]
    purposes_of_use: Vec<String>,
    /// It may look into tokens of other clients
    #[arg(long)]
    introspects_any: bool,
    /// It is this facility's own record system: consents of patients do not bind it
    #[arg(long, conflicts_with = "redirect_uris")]
    custodian: bool,
    /// It gets de-identified data alone: for research and statistics
    #[arg(long, conflicts_with_all = ["redirect_uris", "custodian"])]
    deidentified: bool,
    /// Web origin that may call with its tokens, such as https://app.example.org; may be repeated
    #[arg(long = "origin", value_name = "ORIGIN")]
    origins: Vec<String>,
}

/// How it proves who it is.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct ProofOf {
    /// By keys: a JWKS file with the public ones, or the https URL of one
    #[arg(long, value_name = "FILE|URL")]
    jwks: Option<String>,
    /// By a key pair that is made now (ES384): the private key is written here as a JWK
    #[arg(long, value_name = "FILE")]
    generate_key: Option<PathBuf>,
    /// By a secret that is made now and written here: for an app with a server behind it
    #[arg(long, value_name = "FILE")]
    generate_secret: Option<PathBuf>,
    /// By its own certificate in the TLS handshake: a PEM file; several in it are all good
    #[arg(long, value_name = "FILE")]
    certificate: Option<PathBuf>,
    /// By a certificate of a trusted authority with this subject, as RFC 4514 writes it: CN=lab,O=Example
    #[arg(long, value_name = "NAME")]
    subject_dn: Option<String>,
    /// The same, with this host name in it
    #[arg(long, value_name = "HOST")]
    san_dns: Option<String>,
    /// The same, with this URI in it
    #[arg(long, value_name = "URI")]
    san_uri: Option<String>,
    /// The same, with this address in it
    #[arg(long, value_name = "ADDRESS")]
    san_ip: Option<String>,
    /// The same, with this e-mail address in it
    #[arg(long, value_name = "ADDRESS")]
    san_email: Option<String>,
    /// Not at all: an app in a browser or on a phone, which can keep no secret
    #[arg(long)]
    public: bool,
}

impl ProofOf {
    /// The name of a certificate, when one is given.
    fn subject(&self) -> Option<Proof> {
        let values = [&self.subject_dn, &self.san_dns, &self.san_uri, &self.san_ip, &self.san_email];
        let mut given = SUBJECT_MEMBERS.into_iter().zip(values);
        given.find_map(|(member, value)| value.clone().map(|value| Proof::Subject { member: member.to_owned(), value }))
    }
}

impl Client {
    /// Does it.
    pub(super) async fn run(self) -> Result<ExitCode, Fault> {
        let set_disabled = |client: OfClient, disabled| {
            let note = if disabled { "disabled; its tokens no longer work" } else { "enabled" };
            (client.data, Order::SetClientDisabled { id: client.id, disabled }, note)
        };
        let (data, order, note) = match self.action {
            Action::Add(add) => return add.run().await,
            Action::List(at) => return list(&at.data).await,
            Action::Show(client) => return show(&client).await,
            Action::NewSecret { client, generate_secret } => return new_secret(client, &generate_secret).await,
            Action::Disable(client) => set_disabled(client, true),
            Action::Enable(client) => set_disabled(client, false),
            Action::Invite(invite) => return invite.run().await,
            Action::Invitations(at) => return invitations(&at.data).await,
            Action::Withdraw { name, at } => (
                at.data,
                Order::WithdrawClientInvitation { name },
                "it no longer works; what was registered with it stays",
            ),
            Action::RetireSecrets(client) => {
                (client.data, Order::RetireClientSecrets { id: client.id }, "the newest secret alone works now")
            }
            Action::SetIntents { client, intents, none: _ } => (
                client.data,
                Order::SetClientIntents { id: client.id, intents },
                "the page that opens apps shows it so from now on",
            ),
            Action::SetStanding { client, standing } => (
                client.data,
                Order::SetClientStanding { id: client.id, standing },
                "it needs a new token: what it had has ended",
            ),
            Action::SetPurposes { client, purposes, treatment: _ } => (
                client.data,
                Order::SetClientPurposes { id: client.id, purposes },
                "it counts for the tokens that it has, with the next request",
            ),
            Action::Remove(client) => {
                (client.data, Order::RemoveClient { id: client.id }, "removed; its tokens no longer work")
            }
        };
        match data::carry_out(data::existing(&data)?, order).await? {
            Reply::Done | Reply::Removed => {
                print::note(note);
                Ok(ExitCode::SUCCESS)
            }
            reply => Err(data::unexpected(reply)),
        }
    }
}

impl Add {
    async fn run(self) -> Result<ExitCode, Fault> {
        for origin in &self.origins {
            Origin::parse(origin).map_err(|why| Fault::at(format_args!("--origin {origin}"), why))?;
        }
        let subject = self.proof.subject();
        let ProofOf { jwks, generate_key, generate_secret, certificate, .. } = self.proof;
        let secret = generate_secret.as_deref().map(SecretFile::reserve).transpose()?;
        let proof = match (jwks, &generate_key, &secret, certificate) {
            (Some(url), ..) if url.starts_with("https://") => Proof::JwksUrl(url),
            (Some(url), ..) if url.starts_with("http://") => {
                return Err(Fault::at(url, "keys are fetched over https only"));
            }
            (Some(file), ..) => Proof::Jwks(std::fs::read_to_string(&file).map_err(|why| Fault::at(file, why))?),
            (None, Some(file), ..) => Proof::Jwks(generate(file)?),
            (None, None, Some(_), _) => Proof::Secret,
            (None, None, None, Some(file)) => Proof::Certificates(certificates(&file)?),
            (None, None, None, None) => subject.unwrap_or(Proof::Public),
        };
        let client = Wanted {
            name: self.name,
            maker: self.maker,
            purpose: self.purpose,
            logo: self.logo,
            scope: self.scope,
            proof,
            redirect_uris: self.redirect_uris,
            is_native: self.native,
            launch_url: self.launch_url,
            intents: self.intents,
            origins: self.origins,
            is_verified: self.verified,
            is_fapi2: self.fapi2,
            calls_without_token: self.without_token,
            purposes_of_use: self.purposes_of_use,
            introspects_any: self.introspects_any,
            standing: match (self.custodian, self.deidentified) {
                (true, _) => Standing::Custodian,
                (_, true) => Standing::Deidentified,
                _ => Standing::Ordinary,
            }
            .as_str()
            .to_owned(),
        };
        let added = data::carry_out(&self.data, Order::AddClient { client: Box::new(client) }).await;
        if let (Some(file), Ok(Reply::Refused(_)) | Err(_)) = (&generate_key, &added) {
            // Nothing was registered: the key would only lie about.
            let _ = std::fs::remove_file(file);
        }
        match added? {
            Reply::Added { id, secret: shown } => {
                if let Some(file) = &generate_key {
                    print::note(format_args!("private key written to {}; keep it secret", file.display()));
                }
                if let (Some(file), Some(shown)) = (secret, shown) {
                    file.keep(&shown)?;
                }
                print::result(id);
                Ok(ExitCode::SUCCESS)
            }
            reply => Err(data::unexpected(reply)),
        }
    }
}

/// A file for a secret, made before the secret is: a secret that cannot be written down would be lost.
struct SecretFile<'a> {
    path: &'a Path,
    is_kept: bool,
}

impl<'a> SecretFile<'a> {
    fn reserve(path: &'a Path) -> Result<Self, Fault> {
        private_file::write_new(path, b"").map_err(|why| taken(path, &why))?;
        Ok(Self { path, is_kept: false })
    }

    fn keep(mut self, secret: &Shown) -> Result<(), Fault> {
        let line = format!("{}\n", secret.0);
        private_file::write(self.path, line.as_bytes()).map_err(|why| Fault::at(self.path.display(), why))?;
        self.is_kept = true;
        print::note(format_args!("secret written to {}; it is not shown again", self.path.display()));
        Ok(())
    }
}

impl Drop for SecretFile<'_> {
    fn drop(&mut self) {
        if !self.is_kept {
            let _ = std::fs::remove_file(self.path);
        }
    }
}

impl Invite {
    async fn run(self) -> Result<ExitCode, Fault> {
        let Self { note, data, scope, kinds, uses, days } = self;
        let invitation = WantedInvitation { note, kinds, scope, uses, days };
        match data::carry_out(data::existing(&data)?, Order::InviteClient { invitation }).await? {
            Reply::ClientInvited(token) => {
                print::note("hand it on by a way that nobody else reads; it is not shown again");
                print::result(token.0);
                Ok(ExitCode::SUCCESS)
            }
            reply => Err(data::unexpected(reply)),
        }
    }
}

async fn invitations(directory: &Path) -> Result<ExitCode, Fault> {
    match data::carry_out(data::existing(directory)?, Order::ListClientInvitations).await? {
        Reply::ClientInvitations(all) => {
            for ListedInvitation { name, note, uses_left, ends, kinds, scope } in all {
                print::result(format_args!("{name}\t{ends}\t{uses_left}\t{note}\t{kinds}\t{scope}"));
            }
            Ok(ExitCode::SUCCESS)
        }
        reply => Err(data::unexpected(reply)),
    }
}

async fn new_secret(client: OfClient, file: &Path) -> Result<ExitCode, Fault> {
    let directory = data::existing(&client.data)?;
    let file = SecretFile::reserve(file)?;
    match data::carry_out(directory, Order::NewClientSecret { id: client.id }).await? {
        Reply::Added { secret: Some(secret), .. } => {
            file.keep(&secret)?;
            print::note("when the app uses it: handrail client retire-secrets");
            Ok(ExitCode::SUCCESS)
        }
        reply => Err(data::unexpected(reply)),
    }
}

/// The certificates in a PEM file, DER.
pub(super) fn certificates(file: &Path) -> Result<Vec<Vec<u8>>, Fault> {
    let pem = std::fs::read(file).map_err(|why| Fault::at(file.display(), why))?;
    let read = CertificateDer::pem_slice_iter(&pem).map(|certificate| certificate.map(|der| der.to_vec()));
    let certificates: Vec<Vec<u8>> =
        read.collect::<Result<_, _>>().map_err(|_| Fault::at(file.display(), "this is not a PEM file"))?;
    if certificates.is_empty() {
        return Err(Fault::at(file.display(), "there is no certificate in it"));
    }
    Ok(certificates)
}

/// Makes a key pair; the private one goes to a new file, the public one comes back as JSON.
pub(super) fn generate(file: &Path) -> Result<String, Fault> {
    let key = PrivateKey::generate(Algorithm::Es384).map_err(Fault::new)?;
    let mut secret = key.to_private_jwk().map_err(Fault::new)?;
    secret.push('\n');
    private_file::write_new(file, secret.as_bytes()).map_err(|why| taken(file, &why))?;
    Ok(serde_json::json!({ "keys": [key.public().to_jwk()] }).to_string())
}

fn taken(file: &Path, why: &std::io::Error) -> Fault {
    let fault = Fault::at(file.display(), why);
    match why.kind() {
        std::io::ErrorKind::AlreadyExists => fault.fix("name a new file, or move the old one away"),
        _ => fault,
    }
}

async fn all(directory: &Path) -> Result<Vec<Registered>, Fault> {
    match data::carry_out(data::existing(directory)?, Order::ListClients).await? {
        Reply::Clients(clients) => Ok(clients),
        reply => Err(data::unexpected(reply)),
    }
}

async fn list(directory: &Path) -> Result<ExitCode, Fault> {
    let clients = all(directory).await?;
    if clients.is_empty() {
        print::note("no clients are registered; 'handrail client add --help' shows how");
    }
    for client in clients {
        let state = if client.is_disabled { ", disabled" } else { "" };
        let Registered { id, created, name, scope, kind, .. } = client;
        print::result(format_args!("{id}\t{created}\t{name}\t{scope}\t{kind}{state}"));
    }
    Ok(ExitCode::SUCCESS)
}

async fn show(wanted: &OfClient) -> Result<ExitCode, Fault> {
    let client = all(&wanted.data).await?.into_iter().find(|client| client.id == wanted.id);
    let client = client.ok_or_else(|| Fault::new("no client of this id").fix("'handrail client list' shows them"))?;
    let state = if client.is_disabled { "disabled" } else { "works" };
    let first = [
        ("client id", &client.id),
        ("name", &client.name),
        ("kind", &client.kind),
        ("scopes", &client.scope),
        ("registered", &client.created),
        ("state", &state.to_owned()),
    ];
    for (name, value) in first.into_iter().chain(client.facts.iter().map(|(name, value)| (name.as_str(), value))) {
        print::result(format_args!("{name}\t{value}"));
    }
    Ok(ExitCode::SUCCESS)
}
