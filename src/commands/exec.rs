//! `gatestone exec`: a command with a proxy of its own, and without the credentials.
//!
//! 1. The proxy listens on a free port of 127.0.0.1, in this process. The command starts once there is a token.
//! 2. It gets our environment without any login, and with what points stock tools at the proxy (`tools`). A
//!    `clouds.yaml` made for it stands in front of those that clients would find (`folder`).
//! 3. Nor does it get a descriptor of a file with credentials (`descriptors`).
//! 4. Standard input, output and error are its own; we write warnings and errors to the last.
//! 5. Signals are passed on (`signals`). Its exit status is ours: 128 and the number of a signal that ended it,
//!    127 when there is no such command, 126 when it cannot be run (POSIX, XCU 2.8.2).
//! 6. The proxy ends with the command; what it left running in the background finds nobody there.
//!
//! This process holds the credentials and is not dumpable (`main.rs`), so that on Linux the command finds no more
//! in our `/proc` than our arguments, unless it is root.

use std::ffi::{OsStr, OsString};
use std::io::{self, IsTerminal as _};
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::process::{Child, Command};
use tokio::runtime;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::{JoinError, JoinHandle};
use tokio::time::{MissedTickBehavior, interval, sleep};
use tracing::warn;

use self::folder::Folder;
use self::signals::Signals;
use super::{Exit, ask, complain, run};
use crate::cli::ExecArgs;
use crate::clock::Clock;
use crate::config::{Config, Mistakes};
use crate::identity::Phase;
use crate::run::{Gatestone, RunError};
use crate::secret::Secret;
use crate::server::{BoundAddr, ListenAddr};
use crate::shutdown::Stop;
use crate::tools::{self, Held};
use crate::watcher::Watcher;
use crate::worker::Layout;

mod descriptors;
mod environment;
mod folder;
mod signals;

/// Runs the command to its end. `load` has just given `config`, and is called again when its files change;
/// `environment` is ours.
pub fn run<L>(
    config: Config,
    load: L,
    args: &ExecArgs,
    environment: Vec<(OsString, OsString)>,
) -> io::Result<Exit>
where
    L: Fn() -> Result<Config, Mistakes> + Send + Sync + 'static,
{
    if let Err(open) = descriptors::check(&config.sources.files) {
        complain(open);
        return Ok(Exit::Usage);
    }
    let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
    let outcome = runtime.block_on(async {
        // From here on no signal ends us before the command.
        let mut signals = Signals::catch()?;
        let proxy = match Proxy::start(config, load, &mut signals).await? {
            Ok(proxy) => proxy,
            Err(exit) => return Ok(exit),
        };
        let exit = proxy.serve(args, environment, &mut signals).await;
        proxy.end().await;
        exit
    });
    // A file operation that hangs, on a network that is gone, must not keep the program.
    runtime.shutdown_background();
    outcome
}

/// The running proxy.
struct Proxy {
    addr: std::net::SocketAddr,
    secrets: Vec<Secret>,
    /// The cloud's name in the caller's `clouds.yaml`.
    cloud: Option<String>,
    stop: watch::Sender<Stop>,
    task: JoinHandle<Result<(), RunError>>,
}

impl Proxy {
    /// Starts it and waits for its first token.
    async fn start<L>(config: Config, load: L, signals: &mut Signals) -> io::Result<Result<Self, Exit>>
    where
        L: Fn() -> Result<Config, Mistakes> + Send + Sync + 'static,
    {
        for warning in &config.warnings {
            warn!("{warning}");
        }
        let for_messages = config.without_secret();
        let layout = Layout::PerCore(config.workers);
        let secrets = config.identity.credentials.secrets().into_iter().cloned().collect();
        let cloud = config.sources.cloud.clone();
        let (tell, reloads) = mpsc::channel(1);
        let watcher = Watcher::new(&config, load, tell);
        let gatestone = match Gatestone::bind(config, Clock::system()) {
            Ok(gatestone) => gatestone,
            Err(error) => return Ok(Err(run::fail(&error, &for_messages))),
        };
        let tcp = |addr| match addr {
            BoundAddr::Tcp(addr) => Some(addr),
            BoundAddr::Unix(_) => None,
        };
        let addr = gatestone.addresses().into_iter().find_map(tcp).ok_or(io::ErrorKind::AddrNotAvailable)?;
        let mut polls = interval(run::POLL);
        polls.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // SIGHUP is the command's, so nobody asks for the settings to be read again.
        let (_, requests) = mpsc::channel(1);
        let cell = gatestone.cell();
        let followed = Arc::clone(&cell);
        let is_refused = move || matches!(followed.phase(), Phase::Refused(_));
        tokio::spawn(watcher.run(polls, requests, is_refused));
        let (stop, told) = watch::channel(Stop::No);
        let (tell_ready, mut ready) = oneshot::channel();
        let on_ready = move |_: &_| {
            // Nobody waits any more if we were told to end.
            let _ = tell_ready.send(());
        };
        let mut task = tokio::spawn(gatestone.run(layout, told, reloads, on_ready, |_| {}));
        let progress = async {
            sleep(QUIET).await;
            if io::stderr().is_terminal() {
                complain(format_args!(
                    "waiting for the first token, then the command starts: {}",
                    cell.reason()
                ));
            }
            std::future::pending::<()>().await;
        };
        let exit = tokio::select! {
            Ok(()) = &mut ready => return Ok(Ok(Self { addr, secrets, cloud, stop, task })),
            () = progress => Exit::Failure,
            ended = &mut task => return Ok(Err(explain(ended, &for_messages))),
            signal = signals.next() => Exit::Command(by_signal(signal.number())),
            () = sleep(PATIENCE) => {
                complain(format_args!(
                    "no token within {} s, so the command was not started: {}",
                    PATIENCE.as_secs(),
                    cell.reason()
                ));
                Exit::Failure
            }
        };
        stop.send_replace(Stop::Now);
        // Whatever it ends with, there is something else to tell.
        let _ = task.await;
        Ok(Err(exit))
    }

    /// Runs the command with it.
    async fn serve(
        &self,
        args: &ExecArgs,
        environment: Vec<(OsString, OsString)>,
        signals: &mut Signals,
    ) -> io::Result<Exit> {
        let url = format!("http://{}", self.addr);
        let held = match self.held().await {
            Ok(held) => held,
            Err(why) => {
                complain(format_args!("our own proxy does not answer: {why}"));
                return Ok(Exit::Failure);
            }
        };
        let folder = Folder::make(self.cloud.as_deref(), &url, &held)?;
        let mut set = match args.tool {
            Some(tool) => tool.variables(&url, &held),
            None => tools::together(&url, &held),
        };
        if !set.iter().any(|(name, _)| name == tools::URL) {
            set.push((tools::URL.to_owned(), url));
        }
        set.extend(folder.variables());
        let environment = environment::of_command(environment, set, self.addr, &self.secrets);
        let Some((program, arguments)) = args.command.split_first() else { return Ok(Exit::Usage) };
        let mut command = Command::new(program);
        command.args(arguments).env_clear().envs(environment);
        let child = match command.spawn() {
            Ok(child) => child,
            Err(error) => return Ok(not_started(program, &error)),
        };
        // The environment that was put together has served.
        drop(command);
        Ok(Exit::Command(status_of(wait(child, signals).await?)))
    }

    /// What it holds, asked as `gatestone env` does.
    async fn held(&self) -> Result<Held, String> {
        let addr = ListenAddr::Tcp { addr: self.addr, optional: false };
        let body = ask::get(&addr, "/-/status").await.and_then(ask::well)?;
        let status: Value = serde_json::from_slice(&body).map_err(|error| error.to_string())?;
        Ok(Held::from_status(&status))
    }

    async fn end(self) {
        self.stop.send_replace(Stop::Drain);
        match self.task.await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => complain(format_args!("the proxy ended before the command: {error}")),
            Err(_) => complain("the proxy ended before the command, by a fault of its own"),
        }
    }
}

fn explain(ended: Result<Result<(), RunError>, JoinError>, config: &Config) -> Exit {
    match ended {
        Ok(Err(error)) => run::fail(&error, config),
        Ok(Ok(())) | Err(_) => {
            complain("the proxy ended before the command was started");
            Exit::Failure
        }
    }
}

/// Waits for the command, and passes signals on to it meanwhile.
async fn wait(mut child: Child, signals: &mut Signals) -> io::Result<ExitStatus> {
    loop {
        let signal = tokio::select! {
            status = child.wait() => return status,
            signal = signals.next() => signal,
        };
        // Not waited for yet, so that the number is no other process's.
        if let Some(pid) = child.id() {
            signal.pass_on(pid);
        }
    }
}

fn not_started(program: &OsStr, error: &io::Error) -> Exit {
    let program = program.display();
    if error.kind() == io::ErrorKind::NotFound {
        complain(format_args!("there is no command {program}"));
        return Exit::Command(NOT_FOUND);
    }
    complain(format_args!("the command {program} cannot be run: {error}"));
    Exit::Command(NOT_EXECUTABLE)
}

/// As a shell tells it.
fn status_of(status: ExitStatus) -> u8 {
    match (status.code(), status.signal()) {
        // The system keeps eight bits of it.
        (Some(code), _) => u8::try_from(code).unwrap_or(u8::MAX),
        (None, Some(signal)) => by_signal(signal),
        (None, None) => u8::MAX,
    }
}

fn by_signal(number: i32) -> u8 {
    u8::try_from(number).map_or(u8::MAX, |number| number.saturating_add(128))
}

/// No such command.
const NOT_FOUND: u8 = 127;

/// There is one, and it cannot be run.
const NOT_EXECUTABLE: u8 = 126;

/// For the first token: a restart of Keystone fits in, and nobody looks at a silent terminal for longer.
const PATIENCE: Duration = Duration::from_secs(60);
/// And after which somebody at a terminal is told what it waits for.
const QUIET: Duration = Duration::from_secs(2);
