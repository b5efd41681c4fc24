//! `Watcher`: reads the settings again when their files change, and when a person asks by SIGHUP.
//!
//! 1. Files are looked at now and then (`files`), which also works on network file systems, in
//!    containers, and where Kubernetes swaps a symbolic link for another.
//! 2. What was read is handed on whole, to [`crate::reloading`].
//! 3. Settings with mistakes are logged and told, and those before stay in force. They are read again
//!    from time to time, since what mends them may be a file that is not watched yet.
//! 4. From then on those files are watched that were read last.
//! 5. What `credential_command` printed is asked for anew before it ends, and after Keystone has refused it.
//!
//! Reading may wait for a disk or a network, so it is done apart from the thread that accepts
//! connections.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::sync::mpsc;
use tokio::task::spawn_blocking;
use tokio::time::Interval;
use tracing::{error, info, warn};

use crate::config::{Config, Mistakes};
use crate::reloading::Reread;

use self::files::{Files, Stamp};

mod files;
#[cfg(test)]
mod tests;

/// Follows the settings for as long as somebody wants to know.
#[derive(Debug)]
pub struct Watcher<L> {
    load: Arc<L>,
    files: Files,
    reloads: mpsc::Sender<Reread>,
    warnings: Vec<String>,
    mistakes: Option<String>,
    polls_since_reading: u32,
    /// Whether there is a command to ask, and when what it said is to be asked for anew.
    is_by_command: bool,
    ask_at: Option<SystemTime>,
}

/// Why the settings are read again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cause {
    Request,
    Change,
    Retry,
}

/// Nobody listens any more.
struct Unheard;

impl<L: Fn() -> Result<Config, Mistakes> + Send + Sync + 'static> Watcher<L> {
    /// Follows the files of `config`, which `load` has just read; `load` reads it again.
    pub fn new(config: &Config, load: L, reloads: mpsc::Sender<Reread>) -> Self {
        Self {
            load: Arc::new(load),
            files: Files::new(config.sources.files.clone()),
            reloads,
            warnings: config.warnings.clone(),
            mistakes: None,
            polls_since_reading: 0,
            is_by_command: config.sources.is_by_command,
            ask_at: ask_at(config, SystemTime::now()),
        }
    }

    /// Looks at each of `polls` and reads at each of `requests`, until nobody listens. `is_refused` says whether Keystone
    /// has refused the credentials in force.
    pub async fn run(
        mut self,
        mut polls: Interval,
        mut requests: mpsc::Receiver<()>,
        is_refused: impl Fn() -> bool,
    ) {
        loop {
            let cause = tokio::select! {
                Some(()) = requests.recv() => Some(Cause::Request),
                _ = polls.tick() => self.poll(is_refused()).await,
                () = self.reloads.closed() => return,
            };
            if let Some(cause) = cause
                && let Err(Unheard) = self.read(cause).await
            {
                return;
            }
        }
    }

    async fn poll(&mut self, is_refused: bool) -> Option<Cause> {
        let paths = self.files.paths().to_vec();
        let stamps = spawn_blocking(move || Stamp::of_all(&paths)).await.ok()?;
        self.polls_since_reading += 1;
        if self.files.have_changed(stamps) {
            return Some(Cause::Change);
        }
        let is_over = self.ask_at.is_some_and(|at| at <= SystemTime::now());
        let is_due = self.mistakes.is_some() || is_refused && self.is_by_command || is_over;
        (is_due && self.polls_since_reading >= RETRY_POLLS).then_some(Cause::Retry)
    }

    async fn read(&mut self, cause: Cause) -> Result<(), Unheard> {
        self.polls_since_reading = 0;
        let (load, paths) = (Arc::clone(&self.load), self.files.paths().to_vec());
        let reading = spawn_blocking(move || {
            // Taken before: what changes while it is read is another change.
            let stamps = Stamp::of_all(&paths);
            let loaded = load();
            let files = loaded.as_ref().map_or_else(|_| paths.clone(), |config| config.sources.files.clone());
            (Files::after_reading(files, &paths, &stamps), loaded)
        });
        let (files, loaded) = match reading.await {
            Ok(read) => read,
            Err(fault) if fault.is_panic() => {
                error!(%fault, "the settings could not be read, by a fault of this program; those before stay in force");
                let problem = "the settings could not be read, by a fault of this program".to_owned();
                return self.tell(Err(problem), cause).await;
            }
            // The runtime is ending.
            Err(_) => return Err(Unheard),
        };
        self.files = files;
        let outcome = match loaded {
            Ok(config) => {
                self.accept(&config, cause);
                Ok(Box::new(config))
            }
            Err(mistakes) => match self.reject(&mistakes, cause) {
                Some(text) => Err(text),
                None => return Ok(()),
            },
        };
        self.tell(outcome, cause).await
    }

    async fn tell(&self, outcome: Result<Box<Config>, String>, cause: Cause) -> Result<(), Unheard> {
        let reread = Reread { outcome, on_request: cause == Cause::Request };
        self.reloads.send(reread).await.map_err(|_| Unheard)
    }

    fn accept(&mut self, config: &Config, cause: Cause) {
        self.mistakes = None;
        self.is_by_command = config.sources.is_by_command;
        self.ask_at = ask_at(config, SystemTime::now());
        info!(on_request = cause == Cause::Request, "settings read again");
        for warning in config.warnings.iter().filter(|warning| !self.warnings.contains(warning)) {
            warn!("{warning}");
        }
        self.warnings.clone_from(&config.warnings);
    }

    /// The mistakes in words, unless they have been told and nothing has changed.
    fn reject(&mut self, mistakes: &Mistakes, cause: Cause) -> Option<String> {
        let text = mistakes.to_string();
        if cause == Cause::Retry && self.mistakes.as_ref() == Some(&text) {
            return None;
        }
        error!("the new settings are not used, those before stay in force: {text}");
        self.mistakes = Some(text.clone());
        Some(text)
    }
}

/// With a sixth of its life left, and at least a minute.
fn ask_at(config: &Config, now: SystemTime) -> Option<SystemTime> {
    let expires = config.sources.expires?;
    let left = expires.duration_since(now).unwrap_or_default();
    Some(now + left.saturating_sub((left / 6).max(LEAST_LIFE_LEFT)))
}

const LEAST_LIFE_LEFT: Duration = Duration::from_secs(60);

/// Polls after which settings with mistakes are read again: half a minute.
const RETRY_POLLS: u32 = 15;
