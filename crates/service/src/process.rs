//! A process: what its services are built with, how they are run together, and how one of them is run alone. Which
//! services those are makes no difference here.

use crate::peers::http_client;
use crate::server::{admin_router, serve};
use crate::{
    Lifecycle, Peer, Peers, ReadyCheck, ServerConfig, SettingError, Settings, StartError, Worker, assemble, lifecycle,
    metrics, telemetry, tokens,
};
use axum::Router;
use feeds::{FeedRegistry, RemoteLog};
use pg::Database;
use std::future::Future;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;
use tokio::net::TcpListener;
use web::{JwksSource, Routes, TokenVerifier};

/// The issuer of tokens and the URL of links, unless `OMS_PUBLIC_URL` says otherwise: the gateway of a development
/// machine.
const DEFAULT_PUBLIC_URL: &str = "http://127.0.0.1:8080";
const UPKEEP: Duration = Duration::from_secs(5);

/// What a service is built with.
#[derive(Clone)]
pub struct Deps {
    /// The database it keeps its schemas in.
    pub database: Database,
    /// The other services, wherever they run.
    pub peers: Peers,
    /// The logs of all services, by name.
    pub feeds: FeedRegistry,
    /// Where it starts what runs beside requests.
    pub lifecycle: Lifecycle,
    /// All settings.
    pub settings: Settings,
    /// Verifies tokens that do not come in the `Authorization` header, such as a WebSocket's.
    pub verifier: TokenVerifier,
    /// The URL that clients see, without a slash at its end; the issuer of tokens.
    pub public_url: String,
}

/// A service as it was built.
#[derive(Debug)]
pub struct Service {
    /// Its short name: `command`, `query`, `inventory`, `invoice`, `auth`.
    pub name: &'static str,
    /// Everything it answers.
    pub routes: Routes<()>,
    /// Everything it does besides.
    pub workers: Vec<Worker>,
    /// What it cannot or would rather not do without.
    pub checks: Vec<ReadyCheck>,
}

/// A process that is about to run services.
pub struct Process {
    deps: Deps,
    listen: SocketAddr,
    listener: Option<TcpListener>,
    admin_listen: Option<SocketAddr>,
    server: ServerConfig,
    patience: Duration,
}

/// The services by short name, with the port each listens on alone, the setting of its URL and the log it owns.
const SERVICES: [(&str, u16, &str, Option<&str>); 5] = [
    ("command", 8081, "OMS_COMMAND_URL", Some("orders")),
    ("query", 8082, "OMS_QUERY_URL", None),
    ("inventory", 8083, "OMS_INVENTORY_URL", Some("inventory")),
    ("invoice", 8084, "OMS_INVOICE_URL", Some("invoices")),
    ("auth", 8085, "OMS_AUTH_URL", None),
];

impl Process {
    /// A process that runs the services named in `own` (short names) and finds the others by their URLs.
    ///
    /// # Errors
    /// [`StartError`] when a setting is wrong.
    pub fn new(settings: Settings, database: Database, own: &[&str]) -> Result<Self, StartError> {
        let default_port = match own {
            [one] => SERVICES.iter().find(|service| service.0 == *one).map_or(8080, |service| service.1),
            _ => 8080,
        };
        let listen = settings.parse("OMS_LISTEN", SocketAddr::from(([127, 0, 0, 1], default_port)))?;
        if !settings.switch("OMS_RATE_LIMIT", true)? && !listen.ip().is_loopback() {
            let reason = format!("off is for loopback only, and this listens on {listen}");
            return Err(SettingError::wrong("OMS_RATE_LIMIT", "off", reason).into());
        }
        if settings.text("OMS_PAYMENT_PROVIDER", "none") == "simulated" && !listen.ip().is_loopback() {
            let reason = format!("it takes no money and is for loopback only, and this listens on {listen}");
            return Err(SettingError::wrong("OMS_PAYMENT_PROVIDER", "simulated", reason).into());
        }
        let public_url = settings.url("OMS_PUBLIC_URL")?.unwrap_or_else(|| DEFAULT_PUBLIC_URL.to_owned());
        let lifecycle = Lifecycle::new();
        let feeds = FeedRegistry::new(lifecycle.spawner());
        let token = tokens::service_token(&settings)?;
        let client = http_client().map_err(|error| StartError::step("setting up the HTTP client", error))?;

        let mut urls = Vec::new();
        for (name, _, variable, log) in SERVICES {
            let url = if own.contains(&name) { None } else { settings.url(variable)? };
            if let (Some(log), Some(base_url), Some(token)) = (log, &url, &token) {
                let remote = RemoteLog { base_url: base_url.clone(), service_token: token.expose().to_owned() };
                feeds.add_remote(log, &remote).map_err(|error| StartError::step("setting up a feed", error))?;
            }
            urls.push((name, url));
        }
        let peers = Peers::new(|name, router| {
            let url = urls.iter().find(|(other, _)| *other == name).and_then(|(_, url)| url.as_deref());
            match url {
                _ if own.contains(&name) => Peer::in_process(name, router.clone()),
                Some(url) => Peer::http(name, url, token.clone(), client.clone()),
                None => Peer::nowhere(name),
            }
        });
        let verifier = tokens::verifier(&settings, &public_url, &peers.auth)?;
        Ok(Self {
            server: ServerConfig::from_settings(&settings, listen, &public_url)?,
            admin_listen: settings.parse_optional("OMS_ADMIN_LISTEN")?,
            patience: settings.duration("OMS_SHUTDOWN_TIMEOUT", Duration::from_secs(20))?,
            deps: Deps { database, peers, feeds, lifecycle, settings, verifier, public_url },
            listen,
            listener: None,
        })
    }

    /// Serves on a listener that is bound already, instead of binding `OMS_LISTEN`.
    #[must_use]
    pub fn with_listener(mut self, listener: TcpListener) -> Self {
        self.listener = Some(listener);
        self
    }

    /// What the services are to be built with.
    #[must_use]
    pub const fn deps(&self) -> &Deps {
        &self.deps
    }

    /// The same process with tokens verified by another key set than auth-service's: for tests of one service.
    ///
    /// # Errors
    /// [`StartError`] when a setting is wrong.
    pub fn with_keys(mut self, keys: JwksSource) -> Result<Self, StartError> {
        self.deps.verifier = tokens::verifier_of(&self.deps.settings, &self.deps.public_url, keys)?;
        Ok(self)
    }

    /// Where the process listens.
    #[must_use]
    pub const fn listen(&self) -> SocketAddr {
        self.listen
    }

    /// Puts the services together, starts their workers, and gives the router that answers for all of them. Requests
    /// are served by [`Process::run`]; tests send theirs to the router.
    pub fn start(&self, services: Vec<Service>, tables: Vec<Routes<()>>) -> Router {
        let Deps { peers, lifecycle, verifier, .. } = &self.deps;
        let (mut tables, mut workers, mut checks) = (tables, Vec::new(), Vec::new());
        for service in services {
            tables.push(service.routes);
            workers.extend(service.workers);
            checks.extend(service.checks);
        }
        let router = assemble(tables, checks, verifier.clone(), lifecycle, &self.server);
        peers.connect(router.clone());
        workers.push(tokens::follow_revocations(verifier.clone(), peers.auth.clone()));
        for worker in workers {
            lifecycle.start(worker);
        }
        router
    }

    /// Runs the services until SIGTERM or Ctrl-C, then stops in order. `tables` are routes beside the services' own,
    /// such as the console's. `ready` is called once the listener serves.
    ///
    /// # Errors
    /// [`StartError`] when an address cannot be listened on, or the listener breaks.
    pub async fn run(
        mut self,
        services: Vec<Service>,
        tables: Vec<Routes<()>>,
        ready: impl FnOnce(SocketAddr),
    ) -> Result<(), StartError> {
        let listener = match self.listener.take() {
            Some(listener) => listener,
            None => bind(self.listen, "OMS_LISTEN").await?,
        };
        let address = listener.local_addr().map_err(|error| StartError::step("listening", error))?;
        let checks: Vec<_> = services.iter().flat_map(|service| service.checks.iter().cloned()).collect();
        let router = self.start(services, tables);
        let Deps { lifecycle, settings, .. } = self.deps;
        if let Some(address) = self.admin_listen {
            let listener = bind(address, "OMS_ADMIN_LISTEN").await?;
            let (router, inner, patience) = (admin_router(checks, &lifecycle), lifecycle.clone(), self.patience);
            lifecycle.spawn("admin listener", move |_stop| async move {
                if let Err(error) = serve(listener, router, &inner, patience).await {
                    tracing::error!(%error, "the admin listener broke");
                }
            });
        }
        lifecycle.spawn("metrics upkeep", |stop| async move {
            while tokio::time::timeout(UPKEEP, stop.cancelled()).await.is_err() {
                metrics::handle().inspect(|handle| handle.run_upkeep());
            }
        });
        settings.warn_unknown();

        let on_signal = lifecycle.clone();
        lifecycle.spawn("signals", |stop| async move {
            tokio::select! {
                () = lifecycle::stop_signal() => {
                    tracing::info!("stopping");
                    on_signal.begin_drain();
                }
                () = stop.cancelled() => {}
            }
        });
        tracing::info!(%address, "listening");
        ready(address);
        let served = serve(listener, router, &lifecycle, self.patience).await;
        lifecycle.shut_down(self.patience).await;
        served.map_err(|error| StartError::step("serving", error))
    }
}

async fn bind(address: SocketAddr, variable: &str) -> Result<TcpListener, StartError> {
    let refused = |error| SettingError::wrong(variable, &address.to_string(), error);
    TcpListener::bind(address).await.map_err(|error: std::io::Error| StartError::Setting(refused(error)))
}

/// Runs one service alone: what the `main.rs` of each service calls, with its short name, its `Config::from_settings`
/// and its `build`.
pub fn run_alone<C, F>(
    name: &'static str,
    configure: impl FnOnce(&Settings) -> Result<C, SettingError>,
    build: impl FnOnce(C, Deps) -> F,
) -> ExitCode
where
    F: Future<Output = Result<Service, StartError>>,
{
    let done = Settings::load().map_err(StartError::from).and_then(|settings| {
        telemetry::init(&settings)?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
            .map_err(|error| StartError::step("starting the runtime", error))?;
        runtime.block_on(Box::pin(run_one(name, settings, configure, build)))
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // The log may not be there yet, and this line is for the person at the terminal.
            eprintln!("{name}-service cannot run: {}", error.chain());
            ExitCode::from(2)
        }
    }
}

async fn run_one<C, F>(
    name: &'static str,
    settings: Settings,
    configure: impl FnOnce(&Settings) -> Result<C, SettingError>,
    build: impl FnOnce(C, Deps) -> F,
) -> Result<(), StartError>
where
    F: Future<Output = Result<Service, StartError>>,
{
    metrics::handle();
    let config = configure(&settings)?;
    let url = settings.required("DATABASE_URL")?;
    let connections = settings.parse("OMS_DATABASE_CONNECTIONS", 16)?;
    let database = Database::new(&url, connections)?;
    database.check_durability().await?;
    let process = Process::new(settings, database, &[name])?;
    let service = build(config, process.deps().clone()).await?;
    process.run(vec![service], Vec::new(), |_address| {}).await
}
