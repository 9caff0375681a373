//! `handrail demo`: a server with a made-up post-acute story in it, and lines to paste.

mod community;
mod payer;
mod people;

use super::{
    client, data, load,
    load::target::{Sent, Target},
};
use crate::{
    config::Config,
    control::{self, Order, Proof, Reply, Wanted},
    fault::Fault,
    listen::Listen,
    listener,
    print::{self, Style, count, shell},
    server::Server,
    tls::{local_ca, private_file},
};
use bytes::Bytes;
use clap::Args;
use fhir::{
    bundle,
    json::{Tree, Value},
};
use people::Person;
use serde::{Deserialize, Serialize};
use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

/// Start a server with a made-up post-acute story in it.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  handrail demo
  handrail demo --patients 200 --seed 42 --data ./big-demo

The first start makes a local CA, keys, a client and the story in the folder; later starts find them
there. Delete the folder to begin anew. Everyone in it is made up.")]
pub(super) struct Demo {
    /// Folder for everything the demo makes
    #[arg(long, value_name = "DIR", default_value = "handrail-demo")]
    data: PathBuf,
    /// Where to listen [default: 127.0.0.1:8443, or a free port when that one is taken]
    #[arg(long, value_name = "HOST:PORT")]
    listen: Option<Listen>,
    /// How many patients
    #[arg(long, value_name = "N", default_value_t = 25)]
    patients: u32,
    /// Which story: the same number tells the same one
    #[arg(long, value_name = "N", default_value_t = 7)]
    seed: u64,
}

/// What a folder's demo is, kept in `DIR/demo.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Told {
    client_id: String,
    patients: u32,
    seed: u64,
    resources: u64,
    /// A patient to ask for.
    patient: Option<String>,
    /// Who can sign in.
    #[serde(default)]
    people: Vec<Person>,
}

impl Demo {
    /// Serves until a signal.
    pub(super) async fn run(self) -> Result<ExitCode, Fault> {
        if control::is_served(&self.data).await {
            return Err(Fault::at(self.data.display(), "a demo already runs on this folder")
                .fix("use it, stop it with Ctrl-C there, or give this one another folder with --data"));
        }
        // The demo's community publishes its revocation lists on this machine.
        let loopback = ["127.0.0.0/8".parse().map_err(Fault::new)?];
        let defaults = Config::defaults().map_err(Fault::new)?;
        let config = Config { listen: self.place().await?, egress_networks: loopback.to_vec(), ..defaults };
        let server = Server::start(&self.data, &config).await?;
        community::begin(&self.data, &server.base_url, &server.assembly).await?;
        let (told, links) = match told(&self.data)? {
            Some(told) if server.assembly.authserver.client(&told.client_id).is_some() => {
                if (told.patients, told.seed) != (self.patients, self.seed) {
                    print::note(format_args!(
                        "{} holds {} patients of seed {} already; delete the folder for another story",
                        self.data.display(),
                        told.patients,
                        told.seed
                    ));
                }
                (told, Vec::new())
            }
            _ => self.tell(&server).await?,
        };
        let base = server.base_url.clone();
        server.run(|| show(&base, &self.data, &told, &links)).await?;
        Ok(ExitCode::SUCCESS)
    }

    /// The place asked for; else the usual one, or a free port when that is taken.
    async fn place(&self) -> Result<Listen, Fault> {
        if let Some(listen) = &self.listen {
            return Ok(listen.clone());
        }
        let usual = Config::defaults().map_err(Fault::new)?.listen;
        let taken = match usual.address().await.and_then(listener::bind) {
            Ok(_) => false,
            Err(why) => why.kind() == std::io::ErrorKind::AddrInUse,
        };
        if taken {
            print::note(format_args!("{usual} is taken; using a free port"));
            return Ok(usual.on_any_port());
        }
        Ok(usual)
    }

    /// Loads the story, registers the client and makes the accounts; the links of these.
    async fn tell(&self, server: &Server) -> Result<(Told, Vec<String>), Fault> {
        let mut target = Target::own(std::sync::Arc::clone(&server.assembly.rest), "handrail demo");
        let bar = load::progress(self.patients.into());
        bar.set_message("telling the story");
        let (mut resources, mut patient, mut cast) = (0, None, people::Cast::default());
        let mut payer = payer::Payer::default();
        for stay in story::Story::new(self.seed, self.patients) {
            let json = Bytes::from(stay);
            let tree = Tree::parse(json.clone()).map_err(|why| Fault::at("the story", why))?;
            for entry in bundle::entries(tree.root()) {
                resources += 1;
                if let Some(resource) = entry.resource {
                    cast.look(resource);
                    payer.look(resource);
                }
                let text = |name: &str| entry.resource.and_then(|resource| resource.get(name)).and_then(Value::as_str);
                if text("resourceType").as_deref() == Some("Patient") {
                    bar.inc(1);
                    patient = patient.or_else(|| text("id").map(|id| id.into_owned()));
                }
            }
            if let Sent::Refused(reasons) = target.send(json).await? {
                let why = reasons.into_iter().next().map(|reason| reason.text).unwrap_or_default();
                return Err(Fault::at("the story was refused, which is a fault in handrail", why));
            }
        }
        bar.finish_and_clear();
        if let Some(organization) = payer.known()
            && let Sent::Refused(reasons) = target.send(organization).await?
        {
            let why = reasons.into_iter().next().map(|reason| reason.text).unwrap_or_default();
            return Err(Fault::at("the story's payer was refused, which is a fault in handrail", why));
        }

        let key = key_path(&self.data);
        match std::fs::remove_file(&key) {
            Err(why) if why.kind() != std::io::ErrorKind::NotFound => return Err(Fault::at(key.display(), why)),
            _ => {}
        }
        let proof = Proof::Jwks(client::generate(&key)?);
        // It stands for the facility's own record system.
        let client = Wanted {
            name: "demo".into(),
            scope: "system/*.cruds".into(),
            proof,
            standing: "custodian".into(),
            ..Wanted::default()
        };
        let order = Order::AddClient { client: Box::new(client) };
        let client_id = match control::perform(&server.assembly.hands(), order) {
            Reply::Added { id, .. } => id,
            other => return Err(Fault::new(format_args!("the demo client could not be registered: {other:?}"))),
        };
        let mut people = cast.into_people();
        people.push(Person::office());
        let links = people::invite(&server.assembly, &people)?;
        let told = Told { client_id, patients: self.patients, seed: self.seed, resources, patient, people };
        let text = serde_json::to_string(&told).map_err(Fault::new)?;
        let path = told_path(&self.data);
        private_file::write(&path, text.as_bytes()).map_err(|why| Fault::at(path.display(), why))?;
        Ok((told, links))
    }
}

fn told_path(directory: &Path) -> PathBuf {
    directory.join("demo.json")
}

fn key_path(directory: &Path) -> PathBuf {
    directory.join("demo-key.jwk")
}

/// What the folder holds already; `None` for a new one, and for one whose story was not finished.
fn told(directory: &Path) -> Result<Option<Told>, Fault> {
    let path = told_path(directory);
    match std::fs::read(&path) {
        Ok(text) => Ok(serde_json::from_slice(&text).ok()),
        Err(why) if why.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(why) => Err(Fault::at(path.display(), why)),
    }
}

/// Prints what is there and the lines to paste.
fn show(base: &str, directory: &Path, told: &Told, links: &[String]) {
    let style = Style::of_stdout();
    let word = |path: &Path| shell(&data::absolute(path).to_string_lossy());
    let (ca, key) = (word(&local_ca::ca_path(directory)), word(&key_path(directory)));
    let program = std::env::current_exe().map_or_else(|_| "handrail".to_owned(), |path| word(&path));
    let people = count(told.patients.into());
    let line =
        |name: &str, value: &str| print::result(format_args!("  {} {value}", style.faint(format_args!("{name:<12}"))));
    let client_id = &told.client_id;
    let bearer = format!("curl --cacert {ca} -H \"Authorization: Bearer $TOKEN\"");
    let observations = match &told.patient {
        Some(id) => format!("Observation?patient={id}&_sort=-date&_count=5"),
        None => "Observation?_count=5".to_owned(),
    };

    print::result("");
    print::result(format_args!("  {}", style.strong("handrail · secure FHIR R4 for post-acute care")));
    print::result(format_args!(
        "  {people} made-up patients and their stays, {} resources, seed {}",
        count(told.resources),
        told.seed
    ));
    print::result("");
    line("FHIR base", base);
    line("CA file", &ca);
    line("client id", client_id);
    line("private key", &key);
    print::result("");
    print::result(format_args!("  {}", style.strong("Paste these into another terminal:")));
    print::result("");
    print::result(format_args!("curl --cacert {ca} {base}/metadata"));
    print::result("");
    print::result(format_args!("TOKEN=$({program} token --server {base} --client {client_id} --key {key} --ca {ca})"));
    print::result("");
    print::result(format_args!("{bearer} '{base}/Patient?_sort=family&_count=5'"));
    print::result("");
    print::result(format_args!("{bearer} '{base}/{observations}'"));
    print::result("");
    let again = format!("{program} user invite --data {}", word(directory));
    people::show(&style, base.trim_end_matches("/fhir"), &again, &told.people, links);
    community::show(&style, base, directory, &program);
    print::result(style.faint("  A token lives five minutes; its line gets another. Ctrl-C stops the server."));
    print::result(
        style.faint(format_args!(
            "  Everything is in {}; delete it to begin anew.",
            data::absolute(directory).display()
        )),
    );
    print::result("");
    print::result(format_args!("listening on {base}"));
}
