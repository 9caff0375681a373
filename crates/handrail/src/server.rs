//! A whole server on a data directory: socket, certificate, services, control socket, and its end.
//!
//! The order matters. Start: the port is taken first (the base URL needs it), then the directory is
//! opened and its chain of commits verified, and only then does anyone get an answer. Stop: the
//! socket closes, requests in flight finish, the end is recorded, the store closes.

use crate::{
    assembly::{self, Assembly, BaseUrl},
    clock,
    communities::CommunityWatch,
    config::{Config, Durability, table},
    control::Control,
    cors::Cors,
    egress::Egress,
    fault::Fault,
    glasses::GlassWatch,
    health::Health,
    household::Keeper,
    http_client::Url,
    keeping::{self, Keeping},
    limits,
    listen::Listen,
    listener::peer::WayIn,
    listener::{self, Capacity},
    log::sparing::Sparing,
    metrics::{self, Metrics},
    open_files,
    router::Router,
    security_headers::SecurityHeaders,
    signatures::SignatureTrust,
    tls::{
        self, Handshakes,
        certificate::{Certificate, Certificates},
        client::{Mode, watch::ClientWatch},
        watch::{Source, Watch},
    },
    users,
};
use authserver::client_certificate::Asked;
use std::{
    collections::HashSet,
    path::Path,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::{
    net::TcpListener,
    signal::unix::{Signal, SignalKind, signal},
    sync::watch,
    time::{MissedTickBehavior, interval},
};

/// Time between two signed checkpoints of the audit log: what an attacker on the machine could cut unnoticed.
const CHECKPOINT: Duration = Duration::from_secs(60);

/// A server that is ready to serve.
pub(crate) struct Server {
    /// The FHIR base on the address that we listen on.
    pub(crate) local_url: String,
    /// The FHIR base that others use.
    pub(crate) base_url: String,
    /// The FHIR base for clients with certificates.
    pub(crate) mtls_url: Option<String>,
    /// Where metrics are read.
    pub(crate) metrics_url: Option<String>,
    /// Store and services.
    pub(crate) assembly: Assembly,
    doors: Vec<listener::Door>,
    is_local: bool,
    watches: Vec<Watch>,
    client_watch: ClientWatch,
    metrics: Option<(TcpListener, metrics::listener::Render)>,
    router: Arc<Router>,
    capacity: Capacity,
    stopping: Arc<AtomicBool>,
    control: Control,
    household: Arc<Keeper>,
    keeping: Keeping,
    syslog_tls: Option<Arc<rustls::ClientConfig>>,
}

impl Server {
    /// Takes the port, opens the directory, starts the services. Nothing is answered before [`Server::run`].
    ///
    /// # Errors
    /// [`Fault`], with what an operator can do.
    pub(crate) async fn start(directory: &Path, config: &Config) -> Result<Self, Fault> {
        let listener = take_port(&config.listen, table::LISTEN.flag).await?;
        let metrics_listener = match &config.metrics_listen {
            Some(listen) => Some(take_port(listen, table::METRICS_LISTEN.flag).await?),
            None => None,
        };
        let mtls_listener = match &config.mtls {
            Some(mtls) => Some(take_port(&mtls.listen, table::MTLS_LISTEN.flag).await?),
            None => None,
        };
        let mtls_at = mtls_listener.as_ref().map(TcpListener::local_addr).transpose().map_err(Fault::new)?;
        let mtls_url = config
            .mtls
            .as_ref()
            .zip(mtls_at)
            .map(|(mtls, address)| mtls.base_url.clone().unwrap_or_else(|| mtls.listen.base_url(address.port())));
        let metrics_at = metrics_listener.as_ref().map(TcpListener::local_addr).transpose().map_err(Fault::new)?;
        let address = listener.local_addr().map_err(Fault::new)?;
        let local_url = config.listen.base_url(address.port());
        let base_url = config.base_url.clone().unwrap_or_else(|| local_url.clone());

        let source = match &config.certificate {
            Some(files) => Source::Files(files.clone()),
            None => Source::LocalCa { host: config.listen.host().to_owned() },
        };
        let is_local = matches!(source, Source::LocalCa { .. });
        tls::private_file::make_directory(directory).map_err(|why| Fault::at(directory.display(), why))?;
        let metrics = Arc::new(Metrics::new());
        let (mut certificates, mut watches) = (Vec::new(), Vec::new());
        for source in [source].into_iter().chain(config.more_certificates.iter().cloned().map(Source::Files)) {
            let (chain, key) = source.read(directory)?;
            let certificate = Arc::new(Certificate::from_pem(&chain, &key).map_err(|why| source.fault(&why))?);
            certificates.push(Arc::clone(&certificate));
            let served = (chain, key);
            let mut watch = Watch::new(certificate, source, directory.to_owned(), metrics.certificate(), served);
            watch.look_at_staple(clock::now());
            watches.push(watch);
        }
        let certificates = Arc::new(Certificates::new(certificates));

        let asked = asked(config, mtls_url.as_deref());
        let trust = tls::trust::client_config(config.egress_ca.as_deref()).map_err(Fault::new)?;
        let egress = Arc::new(Egress::new(trust, config.egress_networks.clone()));
        let strict_audit = config.durability == Durability::Strict;
        let mut facility = users::facility(config.facility_name.as_deref(), config.breached_passwords.as_deref())?;
        facility.brand.clone_from(&config.brand);
        facility.strict_community = config.strict_community;
        facility.glass = config.glass;
        facility.contact.clone_from(&config.contact);
        facility.outside = config.openid.as_ref().map(users::outside).transpose()?;
        let base = BaseUrl::Of(&base_url, asked.as_ref());
        let assembly = assembly::open_for(facility, directory, base, strict_audit, &config.validation, egress)?;
        assembly::count_consents(&assembly.store, config.consents);
        let syslog_tls = config.keeping.syslog.as_ref().map(keeping::Syslog::tls).transpose();
        let syslog_tls = syslog_tls.map_err(|why| Fault::at(table::AUDIT_SYSLOG.name, why))?;
        assembly.authserver.set_watching(config.watching.clone());
        let clients = Arc::clone(&assembly.authserver);
        assembly.rest.set_accounting(rest::Accounting {
            staff: config.watching.staff,
            disclosures: config.disclosures,
            client_name: Arc::new(move |id| clients.client(id).map(|client| client.name.to_string())),
        });
        let household = Arc::new(Keeper::begin(
            Arc::clone(&assembly.store),
            Arc::clone(&assembly.authserver),
            config.household.clone(),
        )?);
        household.cast(&assembly.rest);
        assembly.rest.seat(Arc::clone(&household) as Arc<_>);
        assembly.rest.record_provenance(config.records_provenance);
        let authserver = Arc::clone(&assembly.authserver);
        let believed = SignatureTrust::new(&config.signature_anchors, config.signature_communities, authserver)?;
        assembly.rest.believe(Arc::new(believed));
        let control = Control::listen(directory, &assembly, Arc::clone(&household))
            .map_err(|why| Fault::at("the control socket", why))?;

        let stopping = Arc::new(AtomicBool::new(false));
        let mut client_watch = ClientWatch::begin(&config.client_trust, Arc::clone(&metrics))?;
        let proxies = config.proxies.clone().map(Arc::new);
        // People's browsers come to the first door: who has no certificate of an anchor is not asked for one there.
        let mut doors = vec![(listener, config.client_certificates, true)];
        if let (Some(listener), Some(mtls)) = (mtls_listener, &config.mtls) {
            doors.push((listener, mtls.mode, mtls.mode == Mode::Required));
        }
        let doors: Vec<listener::Door> = doors
            .into_iter()
            .map(|(listener, mode, hints)| {
                let trust = client_watch.trust();
                let way_in = Arc::new(WayIn { mode, trust: Arc::clone(&trust), proxies: proxies.clone() });
                let handshakes = Handshakes::new(Arc::clone(&certificates), mode, trust, hints).map_err(Fault::new)?;
                Ok(listener::Door { listener, handshakes: Arc::new(handshakes), way_in })
            })
            .collect::<Result<_, Fault>>()?;
        client_watch.tells(doors.iter().map(|door| Arc::clone(&door.handshakes)).collect());
        let capacity = Capacity {
            connections: open_files::room_for(config.connections_max),
            requests: config.requests_in_flight_max,
        };
        let router = Arc::new(router(config, &base_url, &assembly, Arc::clone(&stopping), Arc::clone(&metrics))?);
        let sources = metrics::Sources {
            metrics: Arc::clone(&metrics),
            store: Arc::clone(&assembly.store),
            authserver: Arc::clone(&assembly.authserver),
            household: Arc::clone(&household),
            ready: {
                let router = Arc::clone(&router);
                Box::new(move || router.health.is_ready())
            },
            directory: directory.to_owned(),
            connections_max: capacity.connections,
            requests_in_flight_max: capacity.requests,
        };
        let render: metrics::listener::Render = Arc::new(move || sources.page());
        Ok(Self {
            local_url,
            base_url,
            metrics_url: metrics_at.map(|address| format!("http://{address}/metrics")),
            assembly,
            mtls_url,
            doors,
            is_local,
            watches,
            client_watch,
            metrics: metrics_listener.map(|listener| (listener, render)),
            router,
            capacity,
            stopping,
            control,
            household,
            keeping: config.keeping.clone(),
            syslog_tls,
        })
    }

    /// Whether the certificate is the local CA's.
    pub(crate) fn is_local(&self) -> bool {
        self.is_local
    }

    /// Serves until SIGTERM or SIGINT, and ends well. A second signal ends at once. `ready` is called
    /// when requests are taken and a signal would end the server well.
    ///
    /// # Errors
    /// [`Fault`] when the process cannot listen for signals, or TLS cannot be set up.
    pub(crate) async fn run(self, ready: impl FnOnce()) -> Result<(), Fault> {
        let mut terminate = signal(SignalKind::terminate()).map_err(Fault::new)?;
        let mut interrupt = signal(SignalKind::interrupt()).map_err(Fault::new)?;
        let hang_up = signal(SignalKind::hangup()).map_err(Fault::new)?;
        let (stop, stopped) = watch::channel(false);
        assembly::record(&self.assembly.store, "start")?;
        tracing::info!(
            version = env!("CARGO_PKG_VERSION"),
            listen = self.local_url,
            base = self.base_url,
            mtls = self.mtls_url,
            metrics = self.metrics_url,
            local_ca = self.is_local,
            "started"
        );
        let housekeeping = tokio::spawn(housekeeping(
            Arc::clone(&self.assembly.authserver),
            Arc::clone(&self.assembly.store),
            Arc::clone(&self.router.metrics),
            (self.watches, self.client_watch),
            (Arc::clone(&self.household), Arc::clone(&self.router.rest)),
            hang_up,
        ));
        let shadowing = tokio::spawn(shadowing(Arc::clone(&self.household), Arc::clone(&self.router.rest)));
        let tending = tokio::spawn(tending(Arc::clone(&self.assembly.authserver)));
        let watching =
            tokio::spawn(keeping::watch(Arc::clone(&self.assembly.authserver), Arc::clone(&self.router.metrics)));
        let sending = self.keeping.syslog.as_ref().zip(self.syslog_tls).map(|(syslog, tls)| {
            let (store, metrics) = (Arc::clone(&self.assembly.store), Arc::clone(&self.router.metrics));
            tokio::spawn(keeping::syslog::send(store, syslog.to.clone(), tls, metrics))
        });
        let keeping = tokio::spawn(keeping::keep(
            Arc::clone(&self.assembly.store),
            self.keeping,
            Arc::clone(&self.router.metrics),
        ));
        let scraping = self.metrics.map(|(listener, render)| tokio::spawn(metrics::listener::serve(listener, render)));
        let mut serving = tokio::spawn(listener::serve(self.doors, self.router, self.capacity, stopped));
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
        tending.abort();
        shadowing.abort();
        watching.abort();
        keeping.abort();
        if let Some(sending) = sending {
            sending.abort();
        }
        if let Some(scraping) = scraping {
            scraping.abort();
        }
        drop(self.control);
        self.household.keep_shadow();
        assembly::record(&self.assembly.store, "stop")?;
        tracing::info!("stopped");
        Ok(())
    }
}

/// What the discovery documents say of clients' certificates; `None` when nobody is asked for one.
fn asked(config: &Config, mtls_url: Option<&str>) -> Option<Asked> {
    let modes = [Some(config.client_certificates), config.mtls.as_ref().map(|mtls| mtls.mode)];
    let has = |mode| modes.contains(&Some(mode));
    let asks = has(Mode::Optional) || has(Mode::Required) || config.proxies.is_some();
    asks.then(|| Asked {
        has_anchors: !config.client_trust.anchors.is_empty(),
        takes_self_signed: has(Mode::Optional) || config.proxies.is_some(),
        host: mtls_url.map(|url| url.trim_end_matches("/fhir").to_owned()),
    })
}

async fn take_port(listen: &Listen, flag: &str) -> Result<TcpListener, Fault> {
    let address = listen.address().await.map_err(|why| Fault::at(listen, why))?;
    listener::bind(address).map_err(|why| {
        let fault = Fault::at(listen, &why);
        match why.kind() {
            std::io::ErrorKind::AddrInUse => {
                fault.fix(format!("choose another port with --{flag} HOST:PORT; port 0 picks one"))
            }
            std::io::ErrorKind::PermissionDenied => {
                fault.fix(format!("ports below 1024 need a privilege; try --{flag} 127.0.0.1:8443"))
            }
            std::io::ErrorKind::AddrNotAvailable => fault.fix("that address is not one of this machine"),
            _ => fault,
        }
    })
}

fn router(
    config: &Config,
    base_url: &str,
    assembly: &Assembly,
    stopping: Arc<AtomicBool>,
    metrics: Arc<Metrics>,
) -> Result<Router, Fault> {
    let base = Url::parse(base_url).map_err(Fault::new)?;
    let mut hosts: HashSet<String> = config.allowed_hosts.iter().cloned().collect();
    hosts.insert(base.host().to_owned());
    // The names of the local certificate: whoever can reach them is on this machine.
    let own = ["localhost", "127.0.0.1", "::1", config.listen.host()];
    hosts.extend(own.iter().map(|host| (*host).to_owned()));
    if let Some(mtls) = &config.mtls {
        hosts.insert(mtls.listen.host().to_owned());
        if let Some(url) = &mtls.base_url {
            hosts.insert(Url::parse(url).map_err(Fault::new)?.host().to_owned());
        }
    }
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
        metrics,
        handshake_lines: Sparing::default(),
    })
}

/// Looks at the certificates of registrations by trust communities; apart from the rest, for others may answer slowly
/// (row D9).
async fn tending(authserver: Arc<authserver::Service>) {
    let mut tend = interval(Duration::from_secs(authserver::limits::TEND_S));
    tend.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tend.tick().await;
        authserver.tend().await;
    }
}

/// Looks at what was answered for rules in shadow, apart from the answers (row G16).
async fn shadowing(household: Arc<Keeper>, rest: Arc<rest::Service>) {
    let mut look = interval(limits::SHADOW_LOOK);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        look.tick().await;
        if household.has_shadow() {
            let (household, rest) = (Arc::clone(&household), Arc::clone(&rest));
            let looks = move || household.look_at_shadow(&rest, limits::SHADOW_TIME);
            drop(tokio::task::spawn_blocking(looks).await);
        }
    }
}

/// What a running server does by itself: forgets expired tokens, signs the audit log, follows its certificates, anchors
/// and revocation lists. SIGHUP makes it look at them at once (rows A5, A11), and at the policy (row G16).
async fn housekeeping(
    authserver: Arc<authserver::Service>,
    store: Arc<store::Store>,
    metrics: Arc<Metrics>,
    (watches, client_watch): (Vec<Watch>, ClientWatch),
    (household, rest): (Arc<Keeper>, Arc<rest::Service>),
    mut hang_up: Signal,
) {
    let sweep_s = u64::try_from(authserver::limits::SWEEP_S).unwrap_or(30);
    let mut sweep = interval(Duration::from_secs(sweep_s));
    sweep.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut sign = interval(CHECKPOINT);
    sign.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut look = interval(limits::CERTIFICATE_LOOK);
    let watches = Arc::new(Mutex::new(watches));
    let mut look_at_clients = interval(limits::CLIENT_TRUST_LOOK);
    look_at_clients.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let client_watch = Arc::new(Mutex::new(client_watch));
    let mut look_at_communities = interval(limits::COMMUNITY_LOOK);
    let mut communities = CommunityWatch::default();
    let mut look_at_glasses = interval(limits::GLASS_LOOK);
    let mut glasses = GlassWatch::default();
    let look_now = || {
        let watches = Arc::clone(&watches);
        tokio::task::spawn_blocking(move || {
            let mut watches = watches.lock().unwrap_or_else(PoisonError::into_inner);
            watches.iter_mut().for_each(|watch| watch.look(clock::now()));
        })
    };
    let look_at_clients_now = |wholly| {
        let watch = Arc::clone(&client_watch);
        let look = move || watch.lock().unwrap_or_else(PoisonError::into_inner).look(clock::now(), wholly);
        tokio::task::spawn_blocking(look)
    };
    loop {
        tokio::select! {
            _ = sweep.tick() => {
                let authserver = Arc::clone(&authserver);
                let _ = tokio::task::spawn_blocking(move || authserver.sweep()).await;
            }
            _ = sign.tick() => {
                let (store, metrics) = (Arc::clone(&store), Arc::clone(&metrics));
                let _ = tokio::task::spawn_blocking(move || {
                    if let Some(signed) = assembly::checkpoint(&store) {
                        metrics.signed(signed.sequence, signed.time.unix_seconds());
                    }
                })
                .await;
            }
            _ = look_at_communities.tick() => communities.look(&authserver, clock::now()),
            _ = look_at_glasses.tick() => glasses.look(&authserver, clock::now()),
            _ = look.tick() => drop(look_now().await),
            _ = look_at_clients.tick() => drop(look_at_clients_now(false).await),
            _ = hang_up.recv() => {
                let (household, rest) = (Arc::clone(&household), Arc::clone(&rest));
                drop(tokio::task::spawn_blocking(move || household.look(&rest)).await);
                drop(look_at_clients_now(true).await);
                drop(look_now().await);
            }
        }
    }
}
