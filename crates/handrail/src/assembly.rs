//! The parts put together: store, authorization server and FHIR service on one data directory.
//!
//! Used by the server and by commands that hold the directory themselves (`load --data`, `client`).

use crate::{
    clock,
    config::{LISTEN_DEFAULT, Validation},
    control::Hands,
    desk,
    fault::Fault,
    knowledge::{self, Knowledge},
    library::{Library, Parts},
    packages::{self, Packages},
    tls::{self, private_file},
    users,
};
use audit::{
    checkpoint::{Checkpoint, Signer},
    entry::{Action, Entry, Kind, Outcome},
};
use authserver::{Facility, egress::Fetch};
use fhir::LogicalId;
use std::{cell::RefCell, io, path::Path, sync::Arc};
use store::backup::{Contents, Other};
use uuid::{Builder, Uuid};

/// What is open on a data directory.
pub(crate) struct Assembly {
    /// The store, with the audit log.
    pub(crate) store: Arc<store::Store>,
    /// The authorization server.
    pub(crate) authserver: Arc<authserver::Service>,
    /// The FHIR service.
    pub(crate) rest: Arc<rest::Service>,
    /// The packages.
    pub(crate) library: Arc<Library>,
}

impl Assembly {
    /// What orders are carried out with.
    pub(crate) fn hands(&self) -> Hands {
        Hands {
            library: Arc::clone(&self.library),
            authserver: Arc::clone(&self.authserver),
            rest: Arc::clone(&self.rest),
            store: Arc::clone(&self.store),
            household: None,
        }
    }
}

/// The FHIR base URL that a directory is opened with.
#[derive(Debug, Clone, Copy)]
pub(crate) enum BaseUrl<'a> {
    /// A server's, and how it asks its clients for certificates.
    Of(&'a str, Option<&'a authserver::client_certificate::Asked>),
    /// The one that the directory had last: another would have all indices made anew.
    AsItWas,
}

/// Opens the data directory, which is made when it does not exist.
///
/// # Errors
/// [`Fault`], with what an operator can do.
pub(crate) fn open(
    directory: &Path,
    base_url: BaseUrl<'_>,
    strict_audit: bool,
    validation: &Validation,
    egress: Arc<dyn Fetch>,
) -> Result<Assembly, Fault> {
    open_for(Facility::default(), directory, base_url, strict_audit, validation, egress)
}

/// The same for a server with pages.
///
/// # Errors
/// [`Fault`], with what an operator can do.
pub(crate) fn open_for(
    facility: Facility,
    directory: &Path,
    base_url: BaseUrl<'_>,
    strict_audit: bool,
    validation: &Validation,
    egress: Arc<dyn Fetch>,
) -> Result<Assembly, Fault> {
    private_file::make_directory(directory).map_err(|why| Fault::at(directory.display(), why))?;
    warn_of_others(directory);
    packages::sweep(directory);
    let packages = Packages::open(directory)?;
    let registry = Arc::clone(search::registry());
    let asked_at = base_url;
    let store = match base_url {
        BaseUrl::Of(url, _) => {
            let options = store::Options { base_url: url.to_owned(), strict_audit };
            store::Store::open(directory, registry, options)
        }
        BaseUrl::AsItWas => {
            let options = store::Options { base_url: format!("https://{LISTEN_DEFAULT}/fhir"), strict_audit };
            store::Store::open_as_it_was(directory, registry, options)
        }
    };
    let store = store.map_err(|why| opening(directory, &why))?;
    let base_url = store.base_url().to_owned();
    sign_checkpoints(directory, &store)?;
    let store = Arc::new(store);
    count_consents(&store, policy::consent::Settings::default());
    let mut authserver = authserver::Service::new(authserver::Parts {
        store: Arc::clone(&store),
        base_url: base_url.clone(),
        clock: clock::system(),
        egress,
        enforceable: {
            let store = Arc::clone(&store);
            Arc::new(move |scope| match scope.context {
                oauth::scope::ScopeContext::System => policy::enforceable(scope, &store.registry()),
                oauth::scope::ScopeContext::Patient | oauth::scope::ScopeContext::User => {
                    policy::enforceable_for_people(scope, &store.registry())
                }
            })
        },
        facility,
    })
    .map_err(|why| Fault::at(directory.display(), why))?;
    if let BaseUrl::Of(_, Some(asked)) = asked_at {
        authserver.asks_for_certificates(asked.clone());
    }
    let authserver = Arc::new(authserver);
    let steps = rest::Steps::start().map_err(|why| Fault::at(directory.display(), why))?;
    let knowledge = Arc::new(Knowledge::of(packages.definitions(), directory)?);
    let checks = knowledge::checks(&knowledge, validation)?;
    let rest = rest::Service::new(rest::Parts {
        store: Arc::clone(&store),
        schema: fhir::schema::r4(),
        checks,
        tokens: Arc::clone(&authserver) as Arc<_>,
        oauth_url: format!("{}/oauth", base_url.trim_end_matches("/fhir")),
        base_url,
        clock: clock::system(),
        new_id: Arc::new(new_id),
        rest_until: Arc::new(move |moment| Box::pin(steps.until(moment))),
        lend: Arc::new(lend),
        software: env!("CARGO_PKG_VERSION"),
    });
    let rest = Arc::new(rest);
    rest.meet(Arc::new(users::Known(Arc::clone(&authserver))));
    authserver.writes_by(desk::of(Arc::downgrade(&rest)));
    let library = Library::open(Parts {
        packages,
        knowledge,
        required: validation.required.clone(),
        store: Arc::clone(&store),
        rest: Arc::clone(&rest),
    });
    let library = Arc::new(library.map_err(|why| Fault::at(directory.display(), why))?);
    Ok(Assembly { store, authserver, rest, library })
}

/// Has the runtime serve others on another thread while this one works. Outside of it there are no others.
fn lend(work: &mut (dyn FnMut() + Send)) {
    use tokio::runtime::{Handle, RuntimeFlavor};
    match Handle::try_current().map(|runtime| runtime.runtime_flavor()) {
        Ok(RuntimeFlavor::MultiThread) => tokio::task::block_in_place(work),
        _ => work(),
    }
}

/// A directory that was there before may be open to others on this machine; its files hold health data.
fn warn_of_others(directory: &Path) {
    #[cfg(unix)]
    if let Ok(metadata) = std::fs::metadata(directory) {
        let mode = std::os::unix::fs::PermissionsExt::mode(&metadata.permissions());
        if mode & 0o077 != 0 {
            let directory = directory.display();
            tracing::warn!(%directory, "others on this machine can enter the data directory; chmod 700 keeps them out");
        }
    }
}

/// Records what the program itself did (BALP: application activity): start, stop, backup, restore.
///
/// # Errors
/// [`Fault`] when the audit log cannot be written.
pub(crate) fn record(store: &store::Store, subtype: &str) -> Result<(), Fault> {
    let entry = Entry {
        recorded: clock::now(),
        kind: Kind::Application,
        subtype: subtype.into(),
        action: Action::Execute,
        outcome: Outcome::Success,
        outcome_text: None,
        client_id: None,
        token_name: None,
        person: None,
        organization: None,
        grounds: None,
        address: None,
        request_id: "".into(),
        query: None,
        touched: Vec::new(),
        patients: Vec::new(),
    };
    store.log().record(&entry).map(drop).map_err(Fault::new)
}

/// Folders beside the store whose files belong to a backup: keys of the log, the local CA.
const BESIDE: [&str; 2] = ["keys", "tls"];

/// Writes a backup, recorded before its first byte.
///
/// # Errors
/// [`Fault`]; what was written by then is no backup.
pub(crate) fn back_up(directory: &Path, store: &store::Store, to: &mut dyn io::Write) -> Result<Contents, Fault> {
    let mut others = Vec::new();
    for folder in BESIDE {
        let listed = match std::fs::read_dir(directory.join(folder)) {
            Err(why) if why.kind() == io::ErrorKind::NotFound => continue,
            listed => listed.map_err(|why| Fault::at(folder, why))?,
        };
        for entry in listed {
            let path = entry.map_err(|why| Fault::at(folder, why))?.path();
            let Some(name) = path.file_name().and_then(|name| name.to_str()).filter(|_| path.is_file()) else {
                continue;
            };
            let bytes = std::fs::read(&path).map_err(|why| Fault::at(path.display(), why))?;
            others.push((format!("{folder}/{name}"), bytes));
        }
    }
    for name in packages::files(directory)? {
        let bytes = std::fs::read(directory.join(&name)).map_err(|why| Fault::at(&name, why))?;
        others.push((name, bytes));
    }
    record(store, "backup")?;
    store.backup(&others, clock::now(), to).map_err(Fault::new)
}

/// Puts a file of a backup in its place: one of [`BESIDE`] or of a package, nothing else.
///
/// # Errors
/// [`Fault`].
pub(crate) fn put_beside(directory: &Path, (name, bytes): &Other) -> Result<(), Fault> {
    let plain = |name: &&str| {
        let fits = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
        !name.is_empty() && !name.starts_with('.') && name.bytes().all(fits)
    };
    if packages::is_file(name) {
        let path = directory.join(name);
        let folder = path.parent().unwrap_or(directory);
        private_file::make_directory(folder).map_err(|why| Fault::at(folder.display(), why))?;
        return private_file::write(&path, bytes).map_err(|why| Fault::at(name, why));
    }
    let place = name.split_once('/').filter(|(folder, file)| BESIDE.contains(folder) && plain(file));
    let (folder, file) = place.ok_or_else(|| Fault::at(name, "a backup of handrail holds no such file"))?;
    let folder = directory.join(folder);
    private_file::make_directory(&folder).map_err(|why| Fault::at(folder.display(), why))?;
    private_file::write(&folder.join(file), bytes).map_err(|why| Fault::at(name, why))
}

/// Signs a checkpoint of the audit log over everything recorded so far (row F23). Waits for the disk.
/// `None` when nothing was recorded since the last one, or it failed.
pub(crate) fn checkpoint(store: &store::Store) -> Option<Checkpoint> {
    store.log().checkpoint(clock::now()).unwrap_or_else(|why| {
        tracing::error!(%why, "the audit log could not be signed");
        None
    })
}

impl Drop for Assembly {
    fn drop(&mut self) {
        let _ = checkpoint(&self.store);
    }
}

/// Has checkpoints of the audit log signed with the key of this directory, which is made at first.
fn sign_checkpoints(directory: &Path, store: &store::Store) -> Result<(), Fault> {
    let folder = directory.join("keys");
    let path = folder.join("audit-checkpoint.pk8");
    let failed = |why: &dyn std::fmt::Display| Fault::at(path.display(), why);
    let key = match std::fs::read(&path) {
        Ok(key) => key,
        Err(why) if why.kind() == io::ErrorKind::NotFound => {
            let key = Signer::new_key().map_err(|why| failed(&why))?;
            private_file::make_directory(&folder).map_err(|why| failed(&why))?;
            private_file::write(&path, &key).map_err(|why| failed(&why))?;
            key
        }
        Err(why) => return Err(failed(&why)),
    };
    let signer = Signer::from_pkcs8(&key).map_err(|why| failed(&why))?;
    store.sign_checkpoints(signer).map_err(|why| opening(directory, &why))
}

fn opening(directory: &Path, why: &store::OpenError) -> Fault {
    let fault = Fault::at(directory.display(), why);
    match why {
        store::OpenError::Locked => {
            fault.fix("stop the other process, or speak to its server (load: --server URL --token TOKEN)")
        }
        _ => fault,
    }
}

/// Ids that a thread has ready: randomness for this many is asked for at once, since every request has an id.
const IDS_READY: usize = 64;

thread_local! {
    static READY: RefCell<Vec<Uuid>> = const { RefCell::new(Vec::new()) };
}

/// A logical id that no resource has: 122 random bits.
fn new_id() -> LogicalId {
    let uuid = READY.with_borrow_mut(|ready| {
        if ready.is_empty() {
            let mut random = [0; 16 * IDS_READY];
            if tls::provider().secure_random.fill(&mut random).is_ok() {
                ready.extend(random.as_chunks().0.iter().map(|bytes| Builder::from_random_bytes(*bytes).into_uuid()));
            }
        }
        ready.pop().unwrap_or_else(Uuid::new_v4)
    });
    let mut text = Uuid::encode_buffer();
    #[expect(clippy::expect_used, reason = "36 characters of [0-9a-f-] are a logical id")]
    LogicalId::parse(uuid.hyphenated().encode_lower(&mut text)).expect("a UUID is a logical id")
}

/// From now on consents count so. There is no store that is open without them.
pub(crate) fn count_consents(store: &store::Store, settings: policy::consent::Settings) {
    let mut house = policy::House::clone(&store.house());
    house.consents = Some(settings);
    store.set_house(house);
}

#[cfg(test)]
mod tests {
    //! F66: a large body keeps no one waiting.

    use super::lend;
    use std::{sync::mpsc::channel, time::Duration};

    /// One thread serves requests; what it works on waits for what only another request can do.
    #[test]
    fn others_are_served_while_a_thread_is_lent() {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
        let (send, mut receive) = channel();
        let large = runtime.spawn(async move {
            let mut was_served = false;
            lend(&mut || {
                let receive = &mut receive;
                was_served = receive.recv_timeout(Duration::from_secs(60)).is_ok();
            });
            was_served
        });
        let small = runtime.spawn(async move { send.send(()) });
        assert!(runtime.block_on(large).unwrap());
        assert!(runtime.block_on(small).unwrap().is_ok());
    }

    #[test]
    fn without_a_runtime_it_is_done_here() {
        let mut done = false;
        lend(&mut || done = true);
        assert!(done);
    }
}
