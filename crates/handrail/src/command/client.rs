//! `handrail client`: who may call. Works on a running server and on a data directory at rest.

use super::data;
use crate::{
    control::{Keys, Order, Reply},
    cors::Origin,
    fault::Fault,
    print,
    tls::private_file,
};
use clap::{Args, Subcommand};
use oauth::{jws::Algorithm, sign::PrivateKey};
use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

/// Register, list and remove the systems that may call.
#[derive(Debug, Args)]
pub(super) struct Client {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Register a system and print its client id
    Add(Add),
    /// List the registered systems
    List {
        /// Data directory
        #[arg(long, value_name = "DIR")]
        data: PathBuf,
    },
    /// Remove a system: its tokens stop working with the next request
    Remove {
        /// Client id
        id: String,
        /// Data directory
        #[arg(long, value_name = "DIR")]
        data: PathBuf,
    },
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  handrail client add lab --data ./data --scope 'system/*.rs' --generate-key lab.jwk
  handrail client add ehr --data ./data --scope 'system/Patient.rs system/Observation.cruds' \\
      --jwks https://ehr.example.org/jwks.json
  handrail client add survey --data ./data --jwks survey-public.json \\
      --scope 'system/Observation.rs?code=http://loinc.org|54522-8'

Scopes are SMART v2 (c create, r read, u update, d delete, s search) or v1 (.read, .write, .*).
What follows ? grants just the resources that the same search finds.
The client id alone goes to standard output.")]
struct Add {
    /// Name of the system, for people
    name: String,
    /// Data directory; made when it does not exist
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// What it may ask for: system/ scopes, divided by blanks
    #[arg(long, value_name = "SCOPES")]
    scope: String,
    #[command(flatten)]
    keys: KeysOf,
    /// Web origin that may call with its tokens, such as https://app.example.org; may be repeated
    #[arg(long = "origin", value_name = "ORIGIN")]
    origins: Vec<String>,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct KeysOf {
    /// Its public keys: a JWKS file, or the https URL of one
    #[arg(long, value_name = "FILE|URL")]
    jwks: Option<String>,
    /// Make a key pair (ES384), write the private key here as a JWK, register the public one
    #[arg(long, value_name = "FILE")]
    generate_key: Option<PathBuf>,
}

impl Client {
    /// Does it.
    pub(super) async fn run(self) -> Result<ExitCode, Fault> {
        match self.action {
            Action::Add(add) => add.run().await,
            Action::List { data } => list(&data).await,
            Action::Remove { id, data } => remove(&data, id).await,
        }
    }
}

impl Add {
    async fn run(self) -> Result<ExitCode, Fault> {
        for origin in &self.origins {
            Origin::parse(origin).map_err(|why| Fault::at(format_args!("--origin {origin}"), why))?;
        }
        let keys = match (&self.keys.jwks, &self.keys.generate_key) {
            (Some(url), _) if url.starts_with("https://") => Keys::Url(url.clone()),
            (Some(url), _) if url.starts_with("http://") => {
                return Err(Fault::at(url, "keys are fetched over https only"));
            }
            (Some(file), _) => Keys::Inline(std::fs::read_to_string(file).map_err(|why| Fault::at(file, why))?),
            (None, Some(file)) => Keys::Inline(generate(file)?),
            (None, None) => return Err(Fault::new("a client needs keys").fix("give --jwks or --generate-key")),
        };
        let order = Order::AddClient { name: self.name, scope: self.scope, keys, origins: self.origins };
        let added = data::carry_out(&self.data, order).await;
        if let (Some(file), Ok(Reply::Refused(_)) | Err(_)) = (&self.keys.generate_key, &added) {
            // Nothing was registered: the key would only lie about.
            let _ = std::fs::remove_file(file);
        }
        match added? {
            Reply::Added(id) => {
                if let Some(file) = &self.keys.generate_key {
                    print::note(format_args!("private key written to {}; keep it secret", file.display()));
                }
                print::result(id);
                Ok(ExitCode::SUCCESS)
            }
            reply => Err(unexpected(reply)),
        }
    }
}

/// Makes a key pair; the private one goes to a new file, the public one comes back as JSON.
pub(super) fn generate(file: &Path) -> Result<String, Fault> {
    let key = PrivateKey::generate(Algorithm::Es384).map_err(Fault::new)?;
    let mut secret = key.to_private_jwk().map_err(Fault::new)?;
    secret.push('\n');
    private_file::write_new(file, secret.as_bytes()).map_err(|why| {
        let fault = Fault::at(file.display(), &why);
        match why.kind() {
            std::io::ErrorKind::AlreadyExists => fault.fix("name a new file, or move the old key away"),
            _ => fault,
        }
    })?;
    Ok(serde_json::json!({ "keys": [key.public().to_jwk()] }).to_string())
}

async fn list(directory: &Path) -> Result<ExitCode, Fault> {
    match data::carry_out(data::existing(directory)?, Order::ListClients).await? {
        Reply::Clients(clients) => {
            if clients.is_empty() {
                print::note("no clients are registered; 'handrail client add --help' shows how");
            }
            for client in clients {
                print::result(format_args!("{}\t{}\t{}\t{}", client.id, client.created, client.name, client.scope));
            }
            Ok(ExitCode::SUCCESS)
        }
        reply => Err(unexpected(reply)),
    }
}

async fn remove(directory: &Path, id: String) -> Result<ExitCode, Fault> {
    match data::carry_out(data::existing(directory)?, Order::RemoveClient { id }).await? {
        Reply::Removed => {
            print::note("removed; its tokens no longer work");
            Ok(ExitCode::SUCCESS)
        }
        reply => Err(unexpected(reply)),
    }
}

fn unexpected(reply: Reply) -> Fault {
    match reply {
        Reply::Refused(why) => Fault::new(why),
        other => Fault::new(format_args!("the server gave an unexpected reply: {other:?}")),
    }
}
