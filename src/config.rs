//! `Config`: complete and valid settings, from flags, environment, file and defaults.

mod yaml;

use crate::{client, identity, proxy, routing, server};

/// Everything `run` needs, checked.
#[derive(Clone, Debug)]
pub struct Config {
    /// The token.
    pub identity: identity::Settings,
    /// Endpoints.
    pub routing: routing::Preferences,
    /// Upstreams.
    pub client: client::Settings,
    /// The door.
    pub proxy: proxy::Settings,
    /// Listeners.
    pub server: server::Settings,
    /// Logs.
    pub log: LogSettings,
    /// Runtimes, one a core unless set.
    pub workers: usize,
    /// Things to tell the user at start that are no mistakes, one sentence each.
    pub warnings: Vec<String>,
}

/// What is logged, and how. All logs go to standard error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogSettings {
    /// Text or JSON.
    pub format: LogFormat,
    /// A level (`error`, `warn`, `info`, `debug`, `trace`).
    pub level: tracing::Level,
    /// One record a request.
    pub access_log: bool,
}

/// Shape of a log record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}
