//! A whole server on a data directory: socket, certificate, services, control socket, and its end.
//!
//! The order matters. Start: the port is taken first (the base URL needs it), then the directory is
//! opened and its chain of commits verified, and only then does anyone get an answer. Stop: the
//! socket closes, requests in flight finish, the end is recorded, the store closes.

use crate::{
    assembly::{self, Assembly, BaseUrl},
    clock,
    config::{CertificateFiles, Config, Durability},
    control::Control,
    cors::Cors,
    egress::Egress,
    fault::Fault,
    health::Health,
    http_client::Url,
    listen::Listen,
    listener::{self, Capacity},
    open_files,
    router::Router,
    security_headers::SecurityHeaders,
    tls::{self, certificate::Certificate, local_ca},
};
use audit::entry::{Action, Entry, Kind, Outcome};
use std::{
    collections::HashSet,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
    sync::watch,
    time::{MissedTickBehavior, interval},
};
use tokio_rustls::TlsAcceptor;

/// Time between two looks at whether the certificate was renewed or is ending.
const CERTIFICATE_LOOK: Duration = Duration::from_secs(3600);

/// Time between two signed checkpoints of the audit log: what an attacker on the machine could cut unnoticed.
const CHECKPOINT: Duration = Duration::from_secs(60);

/// Days before the certificate's end at which the log begins to warn.
const CERTIFICATE_WARN_DAYS: i64 = 14;

/// A server that is ready to serve.
pub(crate) struct Server {
    /// The FHIR base on the address that we listen on.
    pub(crate) local_url: String,
    /// The FHIR base that others use.
    pub(crate) base_url: String,
    /// Store and services.
    pub(crate) assembly: Assembly,
    directory: PathBuf,
    listener: TcpListener,
    certificate: Arc<Certificate>,
    source: Source,
    router: Arc<Router>,
    capacity: Capacity,
    stopping: Arc<AtomicBool>,
    control: Control,
}

/// Where the certificate comes from.
#[derive(Debug, Clone)]
enum Source {
    Files(CertificateFiles),
    LocalCa { host: String },
}

impl Server {
    /// Takes the port, opens the directory, starts the services. Nothing is answered before [`Server::run`].
    ///
    /// # Errors
    /// [`Fault`], with what an operator can do.
    pub(crate) async fn start(directory: &Path, config: &Config) -> Result<Self, Fault> {
        let listener = take_port(&config.listen).await?;
        let address = listener.local_addr().map_err(Fault::new)?;
        let local_url = config.listen.base_url(address.port());
        let base_url = config.base_url.clone().unwrap_or_else(|| local_url.clone());

        let source = match &config.certificate {
            Some(files) => Source::Files(files.clone()),
            None => Source::LocalCa { host: config.listen.host().to_owned() },
        };
        tls::private_file::make_directory(directory).map_err(|why| Fault::at(directory.display(), why))?;
        let (chain, key) = source.read(directory)?;
        let certificate = Arc::new(Certificate::from_pem(&chain, &key).map_err(|why| source.fault(&why))?);

        let trust = tls::trust::client_config(config.egress_ca.as_deref()).map_err(Fault::new)?;
        let egress = Arc::new(Egress::new(trust, config.egress_networks.clone()));
        let assembly =
            assembly::open(directory, BaseUrl::Of(&base_url), config.durability == Durability::Strict, egress)?;
        let control = Control::listen(directory, Arc::clone(&assembly.authserver))
            .map_err(|why| Fault::at("the control socket", why))?;

        let stopping = Arc::new(AtomicBool::new(false));
        let router = router(config, &base_url, &assembly, Arc::clone(&stopping))?;
        Ok(Self {
            local_url,
            base_url,
            assembly,
            directory: directory.to_owned(),
            listener,
            certificate,
            source,
            router: Arc::new(router),
            capacity: Capacity {
                connections: open_files::room_for(config.connections_max),
                requests: config.requests_in_flight_max,
            },
            stopping,
            control,
        })
    }

    /// Whether the certificate is the local CA's.
    pub(crate) fn is_local(&self) -> bool {
        matches!(self.source, Source::LocalCa { .. })
    }

    /// Serves until SIGTERM or SIGINT, and ends well. A second signal ends at once. `ready` is called
    /// when requests are taken and a signal would end the server well.
    ///
    /// # Errors
    /// [`Fault`] when the process cannot listen for signals, or TLS cannot be set up.
    pub(crate) async fn run(self, ready: impl FnOnce()) -> Result<(), Fault> {
        let tls = tls::server_config(Arc::clone(&self.certificate)).map_err(Fault::new)?;
        let mut terminate = signal(SignalKind::terminate()).map_err(Fault::new)?;
        let mut interrupt = signal(SignalKind::interrupt()).map_err(Fault::new)?;
        let (stop, stopped) = watch::channel(false);
        record(&self.assembly, "start")?;
        let housekeeping = tokio::spawn(housekeeping(
            Arc::clone(&self.assembly.authserver),
            Arc::clone(&self.assembly.store),
            Arc::clone(&self.certificate),
            self.source.clone(),
            self.directory.clone(),
        ));
        let mut serving = tokio::spawn(listener::serve(
            self.listener,
            TlsAcceptor::from(Arc::new(tls)),
            self.router,
            self.capacity,
            stopped,
        ));
        ready();
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
            ended = &mut serving => {
                return Err(Fault::new(format_args!("the listener ended: {ended:?}")));
            }
        }
        tracing::info!("stopping: requests in flight finish first");
        self.stopping.store(true, Ordering::Relaxed);
        let _ = stop.send(true);
        let cut = tokio::select! {
            cut = serving => cut.unwrap_or_default(),
            _ = terminate.recv() => return Err(Fault::new("stopped at once by a second signal")),
            _ = interrupt.recv() => return Err(Fault::new("stopped at once by a second signal")),
        };
        if cut > 0 {
            tracing::warn!(connections = cut, "connections were cut because they did not finish in time");
        }
        housekeeping.abort();
        drop(self.control);
        record(&self.assembly, "stop")?;
        tracing::info!("stopped");
        Ok(())
    }
}

impl Source {
    fn read(&self, directory: &Path) -> Result<(Vec<u8>, Vec<u8>), Fault> {
        match self {
            Self::Files(files) => {
                let read = |path: &Path| std::fs::read(path).map_err(|why| Fault::at(path.display(), why));
                Ok((read(&files.certificate)?, read(&files.key)?))
            }
            Self::LocalCa { host } => {
                let leaf = local_ca::leaf(directory, host, clock::now()).map_err(Fault::new)?;
                Ok((leaf.chain.into_bytes(), leaf.key.into_bytes()))
            }
        }
    }

    fn fault(&self, why: &tls::certificate::CertificateError) -> Fault {
        match self {
            Self::Files(files) => Fault::at(files.certificate.display(), why),
            Self::LocalCa { .. } => Fault::new(why).fix("delete DIR/tls to have a new local CA made"),
        }
    }
}

async fn take_port(listen: &Listen) -> Result<TcpListener, Fault> {
    let address = listen.address().await.map_err(|why| Fault::at(listen, why))?;
    listener::bind(address).map_err(|why| {
        let fault = Fault::at(listen, &why);
        match why.kind() {
            std::io::ErrorKind::AddrInUse => fault.fix("choose another port with --listen HOST:PORT; port 0 picks one"),
            std::io::ErrorKind::PermissionDenied => {
                fault.fix("ports below 1024 need a privilege; try --listen 127.0.0.1:8443")
            }
            std::io::ErrorKind::AddrNotAvailable => fault.fix("that address is not one of this machine"),
            _ => fault,
        }
    })
}

fn router(config: &Config, base_url: &str, assembly: &Assembly, stopping: Arc<AtomicBool>) -> Result<Router, Fault> {
    let base = Url::parse(base_url).map_err(Fault::new)?;
    let mut hosts: HashSet<String> = config.allowed_hosts.iter().cloned().collect();
    hosts.insert(base.host().to_owned());
    // The names of the local certificate: whoever can reach them is on this machine.
    let own = ["localhost", "127.0.0.1", "::1", config.listen.host()];
    hosts.extend(own.iter().map(|host| (*host).to_owned()));
    let authserver = Arc::clone(&assembly.authserver);
    let registered = Box::new(move |origin: &str| authserver.knows_origin(origin));
    let store = Arc::clone(&assembly.store);
    Ok(Router {
        rest: Arc::clone(&assembly.rest),
        authserver: Arc::clone(&assembly.authserver),
        health: Health::new(Box::new(move || store.is_healthy()), stopping),
        cors: Cors::new(config.allowed_origins.iter().cloned(), registered),
        security_headers: SecurityHeaders::new(config.certificate.is_none(), config.hsts_include_subdomains),
        hosts,
        log: config.log,
    })
}

/// Records that the server begins or ends (BALP: application activity).
fn record(assembly: &Assembly, subtype: &str) -> Result<(), Fault> {
    let entry = Entry {
        recorded: clock::now(),
        kind: Kind::Application,
        subtype: subtype.into(),
        action: Action::Execute,
        outcome: Outcome::Success,
        outcome_text: None,
        client_id: None,
        token_name: None,
        address: None,
        request_id: "".into(),
        query: None,
        touched: Vec::new(),
        patients: Vec::new(),
    };
    assembly.store.log().record(&entry).map(drop).map_err(Fault::new)
}

/// What a running server does by itself: forgets expired tokens, signs the audit log, follows its certificate. SIGHUP
/// makes it look at the certificate at once (row A5).
async fn housekeeping(
    authserver: Arc<authserver::Service>,
    store: Arc<store::Store>,
    certificate: Arc<Certificate>,
    source: Source,
    directory: PathBuf,
) {
    let sweep_s = u64::try_from(authserver::limits::SWEEP_S).unwrap_or(30);
    let mut sweep = interval(Duration::from_secs(sweep_s));
    sweep.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut sign = interval(CHECKPOINT);
    sign.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut look = interval(CERTIFICATE_LOOK);
    let mut reload = signal(SignalKind::hangup()).ok();
    let mut last = source.read(&directory).ok();
    loop {
        let hung_up = async {
            match &mut reload {
                Some(reload) => reload.recv().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = sweep.tick() => {
                let authserver = Arc::clone(&authserver);
                let _ = tokio::task::spawn_blocking(move || authserver.sweep()).await;
            }
            _ = sign.tick() => {
                let store = Arc::clone(&store);
                let _ = tokio::task::spawn_blocking(move || assembly::checkpoint(&store)).await;
            }
            _ = look.tick() => follow(&certificate, &source, &directory, &mut last),
            _ = hung_up => follow(&certificate, &source, &directory, &mut last),
        }
    }
}

type Pem = (Vec<u8>, Vec<u8>);

fn follow(certificate: &Certificate, source: &Source, directory: &Path, last: &mut Option<Pem>) {
    match source.read(directory) {
        Ok(pem) if last.as_ref() != Some(&pem) => match certificate.replace(&pem.0, &pem.1) {
            Ok(()) => {
                tracing::info!("the certificate was renewed");
                *last = Some(pem);
            }
            Err(why) => tracing::error!(%why, "the new certificate cannot be used; the old one stays"),
        },
        Ok(_) => {}
        Err(why) => tracing::error!(%why, "the certificate cannot be read; the old one stays"),
    }
    let days = certificate.ends_at_s().map(|ends| (ends - clock::now().unix_seconds()).div_euclid(86_400));
    if let Some(days) = days.filter(|days| *days <= CERTIFICATE_WARN_DAYS) {
        tracing::warn!(days, "the server certificate ends soon");
    }
}
