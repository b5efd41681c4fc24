//! `gatestone run`: the proxy, until a signal.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tokio::runtime;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{broadcast, mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};
use tracing::{Instrument as _, Span, info, info_span, warn};

use self::service::Service;
use super::{Exit, complain, explain_refusal, print};
use crate::admin::Listening;
use crate::clock::Clock;
use crate::config::{Config, LogFormat, Mistakes};
use crate::identity::Phase;
use crate::logging;
use crate::metrics::Metrics;
use crate::reloading::Reread;
use crate::run::{Gatestone, Ready, RunError};
use crate::server::{self, ListenAddr, raise_limit};
use crate::shutdown::{Signals, Stop};
use crate::watcher::Watcher;
use crate::worker::Layout;

mod idle;
mod service;
mod watchdog;

/// Runs a proxy for each cloud on one runtime beside the workers'. `load` has just given `configs`, and is called again, with
/// the cloud that a listener names, when their files change and on SIGHUP.
///
/// Each has workers, limits and metrics of its own. One that cannot log in does not stop the others; an address that
/// cannot be had stops all.
pub fn run<L>(configs: Vec<Config>, load: L) -> io::Result<Exit>
where
    L: Fn(Option<&str>) -> Result<Config, Mistakes> + Send + Sync + 'static,
{
    raise_limit();
    let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
    let outcome = runtime.block_on(serve(configs, Arc::new(load)));
    // A file operation that hangs, on a network that is gone, must not keep the program.
    runtime.shutdown_background();
    outcome
}

async fn serve<L>(configs: Vec<Config>, load: Arc<L>) -> io::Result<Exit>
where
    L: Fn(Option<&str>) -> Result<Config, Mistakes> + Send + Sync + 'static,
{
    let mut proxies = Vec::new();
    for listener in configs.iter().flat_map(|config| &config.listeners) {
        if let ListenAddr::Inherited(Some(name)) = &listener.addr {
            server::reserve(name);
        }
    }
    for config in configs {
        let for_messages = config.without_secret();
        match Bound::new(config, Arc::clone(&load)) {
            Ok(bound) => proxies.push(bound),
            Err(error) => return Ok(fail(&error, &for_messages)),
        }
    }
    for name in server::close_rest() {
        warn!("the inherited socket {name} is closed, since no listener takes it; name it by systemd:{name}");
    }
    let several = proxies.len() > 1;
    let (stop, told) = watch::channel(Stop::No);
    let service = Service::of(proxies.len());
    let hangups = hangups(Arc::clone(&service))?;
    tokio::spawn(Signals::catch()?.tell(stop.clone()));
    // From here on signals are understood.
    service.listening();
    tokio::spawn(Arc::clone(&service).until_stopped(told.clone()));
    let workers: Vec<_> =
        proxies.iter_mut().flat_map(|bound| bound.gatestone.counters(bound.layout())).collect();
    tokio::spawn(end_by_itself(&proxies, workers.clone(), stop));
    tokio::spawn(watchdog::feed(workers, told.clone()));
    let mut serving = JoinSet::new();
    for (number, bound) in proxies.into_iter().enumerate() {
        let span = match &bound.for_messages.sources.listener_cloud {
            Some(cloud) => info_span!("of", %cloud),
            None => Span::none(),
        };
        tokio::spawn(Arc::clone(&service).follow(number, bound.gatestone.cell()));
        let run = bound.run(told.clone(), hangups.resubscribe(), Arc::clone(&service));
        serving.spawn(run.instrument(span));
    }
    let mut exit = Exit::Success;
    while let Some(ended) = serving.join_next().await {
        let (outcome, for_messages) = ended.map_err(io::Error::other)?;
        if let Err(error) = outcome {
            let failure = fail(&error, &for_messages);
            if several && !serving.is_empty() {
                complain("the proxies for the other clouds go on");
            }
            if exit == Exit::Success {
                exit = failure;
            }
        }
    }
    // Those that could not log in were told of; what was asked for has been done.
    Ok(match *told.borrow() {
        Stop::Now => Exit::Failure,
        Stop::Drain if several => Exit::Success,
        Stop::Drain | Stop::No => exit,
    })
}

/// Tells all proxies to stop once who uses one of them asks for it, or nobody uses any for as long as is set.
fn end_by_itself(
    proxies: &[Bound],
    workers: Vec<Arc<Metrics>>,
    stop: watch::Sender<Stop>,
) -> impl Future<Output = ()> + use<> {
    let quits = proxies.iter().map(|bound| bound.gatestone.quit());
    let mut asked: JoinSet<()> = quits.map(|quit| async move { quit.notified().await }).collect();
    let quiet = proxies.iter().filter_map(|bound| bound.for_messages.server.exit_when_idle).max();
    let cells: Vec<_> = proxies.iter().map(|bound| bound.gatestone.cell()).collect();
    let is_refused = move || cells.iter().any(|cell| matches!(cell.phase(), Phase::Refused(_)));
    async move {
        let idle = async {
            match quiet {
                Some(quiet) => idle::idle(workers, is_refused, quiet).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            Some(_) = asked.join_next() => info!("asked to end, by POST /-/quit"),
            () = idle => info!("nobody has asked for anything for exit_when_idle; ending"),
        }
        // A signal may have said so before, or more.
        stop.send_if_modified(|stop| std::mem::replace(stop, (*stop).max(Stop::Drain)) < Stop::Drain);
    }
}

/// The proxy of one cloud, which holds its addresses, and what follows its settings.
struct Bound {
    gatestone: Gatestone,
    for_messages: Config,
    rereads: mpsc::Receiver<Reread>,
    follow: Box<dyn FnOnce(mpsc::Receiver<()>) + Send>,
}

impl Bound {
    fn new<L>(config: Config, load: Arc<L>) -> Result<Self, RunError>
    where
        L: Fn(Option<&str>) -> Result<Config, Mistakes> + Send + Sync + 'static,
    {
        for warning in &config.warnings {
            warn!("{warning}");
        }
        let for_messages = config.without_secret();
        let (tell, rereads) = mpsc::channel(1);
        let of = config.sources.listener_cloud.clone();
        let watcher = Watcher::new(&config, move || load(of.as_deref()), tell);
        let gatestone = Gatestone::bind(config, Clock::system())?;
        let cell = gatestone.cell();
        let follow = Box::new(move |hangups| {
            let mut polls = interval(POLL);
            polls.set_missed_tick_behavior(MissedTickBehavior::Delay);
            let is_refused = move || matches!(cell.phase(), Phase::Refused(_));
            tokio::spawn(watcher.run(polls, hangups, is_refused).instrument(Span::current()));
        });
        for addr in gatestone.addresses() {
            info!(%addr, "listening");
        }
        Ok(Self { gatestone, for_messages, rereads, follow })
    }

    fn layout(&self) -> Layout {
        Layout::PerCore(self.for_messages.workers)
    }

    /// Serves until it is told to stop, or cannot.
    async fn run(
        self,
        told: watch::Receiver<Stop>,
        hangups: broadcast::Receiver<()>,
        service: Arc<Service>,
    ) -> (Result<(), RunError>, Config) {
        let Self { gatestone, for_messages, rereads, follow } = self;
        follow(passed_on(hangups));
        let (format, layout) = (for_messages.log.format, Layout::PerCore(for_messages.workers));
        let on_reload = |reread: &Reread| {
            if let Ok(config) = &reread.outcome {
                logging::set_level(config.log.level);
            }
            service.has_reread(reread.on_request, reread.outcome.as_ref().err().map(String::as_str));
        };
        let outcome = gatestone.run(layout, told, rereads, |ready| announce(ready, format), on_reload).await;
        service.has_ended();
        (outcome, for_messages)
    }
}

/// SIGHUP, caught from now on, for all proxies.
fn hangups(service: Arc<Service>) -> io::Result<broadcast::Receiver<()>> {
    let mut signal = signal(SignalKind::hangup())?;
    let (tell, told) = broadcast::channel(1);
    tokio::spawn(async move {
        while signal.recv().await.is_some() {
            service.rereads();
            // Nobody listens any more.
            let _ = tell.send(());
        }
    });
    Ok(told)
}

/// The same for one of them; several in a row are as good as one.
fn passed_on(mut hangups: broadcast::Receiver<()>) -> mpsc::Receiver<()> {
    let (tell, told) = mpsc::channel(1);
    tokio::spawn(async move {
        while let Ok(()) | Err(broadcast::error::RecvError::Lagged(_)) = hangups.recv().await {
            // Full: one is waiting to be seen already.
            if let Err(mpsc::error::TrySendError::Closed(())) = tell.try_send(()) {
                return;
            }
        }
    });
    told
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
        | RunError::Reachable { .. }
        | RunError::OpenToAll { .. }
        | RunError::LeftOpen { .. }
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
