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
    /// Proxies that have not ended.
    left: usize,
    /// Of those, how many have not answered to the last request to read the settings again.
    rereading: usize,
}

impl Service {
    /// For so many proxies; nothing is told yet.
    pub(super) fn of(proxies: usize) -> Arc<Self> {
        let state = State {
            proxies: vec!["the first login is under way".to_owned(); proxies],
            left: proxies,
            rereading: 0,
        };
        Arc::new(Self(Mutex::new(state)))
    }

    /// All of them listen.
    pub(super) fn listening(&self) {
        tell(&[NotifyState::Ready, NotifyState::Status(&self.state().words())]);
    }

    /// Somebody asks for the settings to be read again.
    pub(super) fn rereads(&self) {
        let mut state = self.state();
        state.rereading = state.left;
        // Without a clock no manager would wait for us.
        if let Ok(now) = NotifyState::monotonic_usec_now() {
            tell(&[NotifyState::Reloading, now]);
        }
    }

    /// One of the proxies has read them, whatever came of it: `problem` is why it was nothing. `on_request` if it was asked.
    pub(super) fn has_reread(&self, on_request: bool, problem: Option<&str>) {
        let mut state = self.state();
        if on_request {
            state.answered();
        }
        let words =
            problem.map_or_else(|| state.words(), |it| format!("the new settings are not used: {it}"));
        tell(&[NotifyState::Status(&one_line(&words))]);
    }

    /// One of the proxies is no more.
    pub(super) fn has_ended(&self) {
        let mut state = self.state();
        state.left = state.left.saturating_sub(1);
        state.answered();
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
        one_line(&self.proxies.join("; "))
    }

    fn answered(&mut self) {
        if self.rereading > 0 {
            self.rereading -= 1;
            if self.rereading == 0 {
                tell(&[NotifyState::Ready]);
            }
        }
    }
}

/// A line is a message of its own in the protocol.
fn one_line(text: &str) -> String {
    let words: Vec<&str> =
        text.split(char::is_control).map(str::trim).filter(|words| !words.is_empty()).collect();
    words.join(" ")
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

fn tell(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        debug!(%error, "the service manager cannot be told");
    }
}

#[cfg(test)]
mod tests {
    use super::one_line;

    #[test]
    fn no_text_makes_a_line_of_its_own() {
        assert_eq!(one_line("two mistakes:\n  1. a\n  2. b\u{1b}[0m\r\n"), "two mistakes: 1. a 2. b [0m");
    }
}
