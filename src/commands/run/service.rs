//! What a service manager is told (`sd_notify`(3)): readiness, what the program is doing, in words, reloads and the end.
//!
//! It is ready once it listens, before the first login: who depends on it can connect, and waits for the token as any
//! client does. Without a service manager nothing is told.

use std::sync::{Arc, Mutex, PoisonError};

use sd_notify::NotifyState;
use tokio::sync::watch;
use tracing::debug;

use crate::identity::{Phase, Snapshot, SnapshotCell};
use crate::shutdown::{self, Stop};

/// The service manager, if there is one.
#[derive(Debug)]
pub(super) struct Service(Mutex<State>);

#[derive(Debug)]
struct State {
    /// Of each proxy, in words.
    proxies: Vec<String>,
    /// Proxies that have not answered to the last request to read the settings again.
    rereading: usize,
}

impl Service {
    /// For so many proxies, all of which listen.
    pub(super) fn listening(proxies: usize) -> Arc<Self> {
        let state = State { proxies: vec!["the first login is under way".to_owned(); proxies], rereading: 0 };
        tell(&[NotifyState::Ready, NotifyState::Status(&state.words())]);
        Arc::new(Self(Mutex::new(state)))
    }

    /// Somebody asks for the settings to be read again.
    pub(super) fn rereads(&self) {
        let mut state = self.state();
        state.rereading = state.proxies.len();
        // Without a clock no manager would wait for us.
        if let Ok(now) = NotifyState::monotonic_usec_now() {
            tell(&[NotifyState::Reloading, now]);
        }
    }

    /// One of the proxies has, whatever came of it; `problem` is why it was nothing.
    pub(super) fn has_reread(&self, problem: Option<&str>) {
        let mut state = self.state();
        if state.rereading > 0 {
            state.rereading -= 1;
            if state.rereading == 0 {
                tell(&[NotifyState::Ready]);
            }
        }
        match problem {
            Some(problem) => {
                tell(&[NotifyState::Status(&format!("the new settings are not used: {problem}"))])
            }
            None => tell(&[NotifyState::Status(&state.words())]),
        }
    }

    /// Tells how the proxy of this number stands, each time that changes.
    pub(super) async fn follow(self: Arc<Self>, number: usize, cell: Arc<SnapshotCell>) {
        let mut changes = cell.watch();
        loop {
            let words = words(&cell);
            {
                let mut state = self.state();
                if state.proxies[number] != words {
                    state.proxies[number] = words;
                    tell(&[NotifyState::Status(&state.words())]);
                }
            }
            if changes.changed().await.is_err() {
                return;
            }
        }
    }

    /// Tells of the end once it has come to that.
    pub(super) async fn until_stopped(self: Arc<Self>, mut stop: watch::Receiver<Stop>) {
        shutdown::told(&mut stop, Stop::Drain).await;
        tell(&[NotifyState::Stopping, NotifyState::Status("stopping; requests in flight may finish")]);
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn words(&self) -> String {
        self.proxies.join("; ")
    }
}

fn words(cell: &SnapshotCell) -> String {
    let held = cell.valid().map(|snapshot| held(&snapshot));
    match (cell.phase(), held) {
        (Phase::Fresh, Some(held)) => held,
        (Phase::Failing(error) | Phase::Refused(error), Some(held)) => {
            format!("{held}; but no new token: {error}")
        }
        (_, Some(held)) => held,
        (_, None) => cell.reason().to_string(),
    }
}

fn held(snapshot: &Snapshot) -> String {
    let services = snapshot.routes.service_count();
    format!("serving as user {}, {}, {services} services", snapshot.holder.user.name, snapshot.holder.scope)
}

/// One line each, as the protocol wants it.
fn tell(states: &[NotifyState<'_>]) {
    let lines: Vec<NotifyState<'_>> = states.to_vec();
    if let Err(error) = sd_notify::notify(&lines) {
        debug!(%error, "the service manager cannot be told");
    }
}
