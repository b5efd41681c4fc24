//! `gatestone demo`: the embedded cloud with the proxy in front, so that nobody needs an account to try.
//!
//! Nothing is faked between the two: the proxy logs in, refreshes and forwards as it would anywhere,
//! and what is shown went over real connections. Everything is gone when the command ends.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use super::{Exit, complain};
use crate::catalog::EndpointUrl;
use crate::cli::DemoArgs;
use crate::clock::Clock;
use crate::config::Config;
use crate::embedded::people::{DOMAIN, PROJECTS, USERS};
use crate::embedded::{Cloud, Spec};
use crate::identity::credentials::{Credentials, Domain, Method, Project, Scope, User};
use crate::identity::{Snapshot, SnapshotCell};
use crate::run::{Gatestone, RunError};
use crate::secret::Secret;
use crate::server::{BindError, BoundAddr, ListenAddr};
use crate::shutdown::{Signals, Stop};
use crate::worker::Layout;

mod contents;
mod curl;
mod screen;
mod show;
mod tour;

use self::screen::Screen;

/// Runs the demonstration, or the tour of it.
pub fn run(args: &DemoArgs) -> io::Result<Exit> {
    let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
    let outcome = runtime.block_on(async {
        let (stop, told) = watch::channel(Stop::No);
        tokio::spawn(Signals::catch()?.tell(stop.clone()));
        let demo = match Demo::start(args, stop, told).await {
            Ok(demo) => demo,
            Err(error) => return Ok(fail(&error)),
        };
        let screen = Screen::of_process();
        let exit =
            if args.tour { tour::walk(&demo, screen).await? } else { show::show(&demo, screen).await? };
        Ok(match demo.end().await {
            Ok(()) => exit,
            Err(error) => fail(&error),
        })
    });
    runtime.shutdown_background();
    outcome
}

fn fail(error: &Failed) -> Exit {
    complain(error);
    Exit::Failure
}

/// Why there is no demonstration.
#[derive(Debug, thiserror::Error)]
enum Failed {
    #[error("the embedded cloud does not start: {0}")]
    Cloud(#[source] io::Error),
    #[error(transparent)]
    Proxy(#[from] RunError),
    #[error("the proxy ended before it was told to")]
    Ended,
    #[error("the cloud does not take what it is to show: {0}")]
    Contents(String),
}

/// A running cloud, and the proxy in front of it.
struct Demo {
    cloud: Cloud,
    /// Where the proxy listens.
    addr: SocketAddr,
    /// Where its token is.
    cell: Arc<SnapshotCell>,
    token_lifetime: Duration,
    stop: watch::Sender<Stop>,
    told: watch::Receiver<Stop>,
    proxy: JoinHandle<Result<(), RunError>>,
}

impl Demo {
    async fn start(
        args: &DemoArgs,
        stop: watch::Sender<Stop>,
        told: watch::Receiver<Stop>,
    ) -> Result<Self, Failed> {
        let token_lifetime = args.token_ttl.unwrap_or(if args.tour { TOUR_TTL } else { TTL });
        let spec = Spec { token_lifetime, ..Spec::default() };
        let cloud = Cloud::start(spec).await.map_err(Failed::Cloud)?;
        let auth_url = cloud.auth_url().parse().map_err(io::Error::other).map_err(Failed::Cloud)?;
        let gatestone = bind(auth_url, args.listen)?;
        let (addr, cell) = (address(&gatestone), gatestone.cell());
        let (_, reloads) = mpsc::channel(1);
        let proxy = tokio::spawn(gatestone.run(Layout::PerCore(1), told.clone(), reloads, |_| {}, |_| {}));
        let demo = Self { cloud, addr, cell, token_lifetime, stop, told, proxy };
        if demo.cell.ready(PATIENCE).await.is_err() {
            return Err(demo.end().await.err().unwrap_or(Failed::Ended));
        }
        if !args.empty {
            contents::upload(&demo).await?;
        }
        Ok(demo)
    }

    /// `http://127.0.0.1:5050`.
    fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// The token of now.
    fn snapshot(&self) -> Option<Arc<Snapshot>> {
        self.cell.current()
    }

    /// Stops the proxy, then the cloud.
    async fn end(self) -> Result<(), Failed> {
        self.stop.send_if_modified(|stop| {
            let is_first = *stop < Stop::Drain;
            *stop = (*stop).max(Stop::Drain);
            is_first
        });
        match self.proxy.await {
            Ok(outcome) => Ok(outcome?),
            Err(_) => Err(Failed::Ended),
        }
    }
}

/// The proxy as it would be run for this cloud, at the address that was asked for, else at the usual
/// one, else at any.
fn bind(auth_url: EndpointUrl, listen: Option<SocketAddr>) -> Result<Gatestone, RunError> {
    let mut config = Config::of(login(auth_url));
    config.client.tls.insecure = true;
    config.workers = 1;
    config.server.shutdown_timeout = SHUTDOWN_TIMEOUT;
    if let Some(addr) = listen {
        config.listeners = vec![ListenAddr::Tcp { addr, optional: false }.into()];
    }
    match Gatestone::bind(config.clone(), Clock::system()) {
        Err(RunError::Bind(BindError::InUse { .. })) if listen.is_none() => {
            config.listeners =
                vec![ListenAddr::Tcp { addr: (Ipv4Addr::LOCALHOST, 0).into(), optional: false }.into()];
            Gatestone::bind(config, Clock::system())
        }
        outcome => outcome,
    }
}

/// As an openrc file of this cloud would say it.
fn login(auth_url: EndpointUrl) -> Credentials {
    let domain = || Domain::Name(DOMAIN.1.to_owned());
    Credentials {
        auth_url: Some(auth_url),
        method: Method::Password {
            user: User::Name { name: USERS[0].name.to_owned(), domain: domain() },
            password: Secret::new(USERS[0].password),
        },
        spare: Vec::new(),
        scope: Scope::Project(Project::Name { name: PROJECTS[0].name.to_owned(), domain: domain() }),
    }
}

fn address(gatestone: &Gatestone) -> SocketAddr {
    let tcp = gatestone.addresses().into_iter().find_map(|addr| match addr {
        BoundAddr::Tcp(addr) => Some(addr),
        BoundAddr::Unix(_) => None,
    });
    tcp.unwrap_or_else(|| (Ipv4Addr::LOCALHOST, 0).into())
}

/// Life of the cloud's tokens: short enough to watch them being replaced.
const TTL: Duration = Duration::from_secs(20);

/// On the tour nobody wants to wait.
const TOUR_TTL: Duration = Duration::from_secs(6);

/// For the first login, within one process.
const PATIENCE: Duration = Duration::from_secs(10);

/// The cloud is gone then in any case.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(2);
