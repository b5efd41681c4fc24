//! The proxy under test: on a free port, on the test's runtime.

use std::net::SocketAddr;

use gatestone::clock::Clock;
use gatestone::config::Config;
use gatestone::reloading::Reread;
use gatestone::run::{Gatestone, RunError};
use gatestone::server::BoundAddr;
use gatestone::shutdown::Stop;
use gatestone::worker::Layout;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use super::config;
use super::keystone::Keystone;

/// A running proxy.
#[derive(Debug)]
pub(crate) struct Proxy {
    /// The first listener's.
    pub addr: SocketAddr,
    /// Those of all listeners.
    pub addrs: Vec<SocketAddr>,
    stop: watch::Sender<Stop>,
    /// Settings read again, as the watcher would send them.
    reloads: mpsc::Sender<Reread>,
    task: JoinHandle<Result<(), RunError>>,
}

impl Proxy {
    /// With a password login at `keystone` and default settings.
    pub(crate) fn start(keystone: &Keystone) -> Self {
        Self::with(config::password(&keystone.url))
    }

    pub(crate) fn with(config: Config) -> Self {
        Self::with_clock(config, Clock::system())
    }

    pub(crate) fn with_clock(config: Config, clock: Clock) -> Self {
        let gatestone = Gatestone::bind(config, clock).unwrap();
        let tcp = |addr| match addr {
            BoundAddr::Tcp(addr) => Some(addr),
            BoundAddr::Unix(_) => None,
        };
        let addrs: Vec<SocketAddr> = gatestone.addresses().into_iter().filter_map(tcp).collect();
        let (stop, told) = watch::channel(Stop::No);
        let (reloads, read_again) = mpsc::channel(1);
        let task = tokio::spawn(gatestone.run(Layout::Single, told, read_again, |_| {}, |_| {}));
        Self { addr: addrs[0], addrs, stop, reloads, task }
    }

    /// The settings have been read again.
    pub(crate) async fn reread(&self, config: Config) {
        let reread = Reread { outcome: Ok(Box::new(config)), on_request: false };
        self.reloads.send(reread).await.unwrap();
    }

    /// The same because a person asked.
    pub(crate) async fn asked_to_reread(&self, config: Config) {
        let reread = Reread { outcome: Ok(Box::new(config)), on_request: true };
        self.reloads.send(reread).await.unwrap();
    }

    /// They have mistakes.
    pub(crate) async fn could_not_reread(&self, problem: &str) {
        let reread = Reread { outcome: Err(problem.to_owned()), on_request: false };
        self.reloads.send(reread).await.unwrap();
    }

    /// Tells it to stop.
    pub(crate) fn tell(&self, what: Stop) {
        self.stop.send_replace(what);
    }

    /// Waits for the end.
    pub(crate) async fn ended(self) -> Result<(), RunError> {
        self.task.await.unwrap()
    }
}
