//! `gatestone run`: the proxy, until a signal.

use std::io;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use serde_json::json;
use tokio::runtime;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{mpsc, watch};
use tokio::time::{MissedTickBehavior, interval};
use tracing::{info, warn};

use super::{Exit, complain, explain_refusal, print};
use crate::admin::Listening;
use crate::clock::Clock;
use crate::config::{Config, LogFormat, Mistakes};
use crate::identity::{Phase, ReloadOutcome, SnapshotCell};
use crate::run::{Gatestone, Ready, RunError};
use crate::server::raise_limit;
use crate::shutdown::{Signals, Stop};
use crate::watcher::Watcher;
use crate::worker::Layout;

/// Runs the proxy on a runtime of its own beside the workers'. `load` has just given `config`, and is
/// called again when its files change and on SIGHUP.
pub fn run<L>(config: Config, load: L) -> io::Result<Exit>
where
    L: Fn() -> Result<Config, Mistakes> + Send + Sync + 'static,
{
    raise_limit();
    let (tell, reloads) = mpsc::channel(1);
    let watcher = Watcher::new(&config, load, tell);
    let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
    let outcome = runtime.block_on(async {
        let mut polls = interval(POLL);
        polls.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let followed: Arc<OnceLock<Arc<SnapshotCell>>> = Arc::default();
        let cell = Arc::clone(&followed);
        let is_refused = move || followed.get().is_some_and(|cell| matches!(cell.phase(), Phase::Refused(_)));
        tokio::spawn(watcher.run(polls, hangups()?, is_refused));
        serve(config, reloads, &cell).await
    });
    // A file operation that hangs, on a network that is gone, must not keep the program.
    runtime.shutdown_background();
    outcome
}

/// SIGHUP, caught from now on; several in a row are as good as one.
fn hangups() -> io::Result<mpsc::Receiver<()>> {
    let mut signal = signal(SignalKind::hangup())?;
    let (tell, told) = mpsc::channel(1);
    tokio::spawn(async move {
        while signal.recv().await.is_some() {
            // Full: one is waiting to be seen already.
            let _ = tell.try_send(());
        }
    });
    Ok(told)
}

async fn serve(
    config: Config,
    reloads: mpsc::Receiver<ReloadOutcome>,
    cell: &OnceLock<Arc<SnapshotCell>>,
) -> io::Result<Exit> {
    for warning in &config.warnings {
        warn!("{warning}");
    }
    let for_messages = config.without_secret();
    let format = config.log.format;
    let layout = Layout::PerCore(config.workers);
    let gatestone = match Gatestone::bind(config, Clock::system()) {
        Ok(gatestone) => gatestone,
        Err(error) => return Ok(fail(&error, &for_messages)),
    };
    // It is empty, since this is done once.
    let _ = cell.set(gatestone.cell());
    for addr in gatestone.addresses() {
        info!(%addr, "listening");
    }
    let (stop, told) = watch::channel(Stop::No);
    tokio::spawn(Signals::catch()?.tell(stop));
    match gatestone.run(layout, told.clone(), reloads, |ready| announce(ready, format)).await {
        Ok(()) if *told.borrow() == Stop::Now => Ok(Exit::Failure),
        Ok(()) => Ok(Exit::Success),
        Err(error) => Ok(fail(&error, &for_messages)),
    }
}

pub(super) fn fail(error: &RunError, config: &Config) -> Exit {
    match error {
        RunError::NoLogin(refusal) if refusal.is_refusal() => {
            complain(explain_refusal(refusal, config));
            Exit::Refused
        }
        RunError::UnknownRegion { .. } | RunError::AllowedHost(_) => {
            complain(error);
            Exit::Usage
        }
        RunError::NoLogin(_)
        | RunError::Bind(_)
        | RunError::Client(_)
        | RunError::NoListener
        | RunError::NoUsers { .. }
        | RunError::System(_) => {
            complain(error);
            Exit::Failure
        }
    }
}

/// The one line that says that requests are served now.
fn announce(ready: &Ready, format: LogFormat) {
    let snapshot = &ready.snapshot;
    let user = &snapshot.holder.user.name;
    let scope = snapshot.holder.scope.to_string();
    let region = snapshot.routes.region().map_or("any", |region| region.0.as_str());
    let services = snapshot.routes.service_count();
    let line = match format {
        LogFormat::Text => format!(
            "gatestone ready on {} as user {user}, {scope}, region {region}, {services} services",
            ready.listeners.iter().map(ToString::to_string).collect::<Vec<_>>().join(" and ")
        ),
        LogFormat::Json => json!({
            "message": "gatestone ready",
            "listen": ready.listeners.iter().map(|it| it.addr.to_string()).collect::<Vec<_>>(),
            "listeners": ready.listeners.iter().map(Listening::to_json).collect::<Vec<_>>(),
            "user": user,
            "scope": scope,
            "region": region,
            "services": services,
        })
        .to_string(),
    };
    if let Err(error) = print(line) {
        warn!(%error, "standard output cannot be written");
    }
}

/// How often the files of the settings are looked at: a change is taken within some four seconds.
pub(super) const POLL: Duration = Duration::from_secs(2);
