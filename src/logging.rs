//! The program's log: text for people or JSON for machines, on standard error, so that standard output stays for answers;
//! from a level on that may change while it runs.

use std::io::{self, IsTerminal as _};
use std::sync::OnceLock;

use tracing::Level;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{Registry, fmt, reload};

use crate::config::{LogFormat, LogSettings};

/// A process has one log.
static LEVEL: OnceLock<reload::Handle<LevelFilter, Registry>> = OnceLock::new();

/// Begins it. Once a process; what is logged before is lost.
pub fn start(settings: &LogSettings) {
    let (filter, level) = reload::Layer::new(LevelFilter::from_level(settings.level));
    let log = tracing_subscriber::registry().with(filter);
    let layer = fmt::layer().with_writer(io::stderr);
    match settings.format {
        LogFormat::Text => log.with(layer.with_ansi(io::stderr().is_terminal())).init(),
        LogFormat::Json => log.with(layer.json().flatten_event(true)).init(),
    }
    // Nobody else has begun one, or `init` would have told.
    _ = LEVEL.set(level);
}

/// From now on.
pub fn set_level(level: Level) {
    let Some(handle) = LEVEL.get() else { return };
    let level = LevelFilter::from_level(level);
    if handle.with_current(|current| *current != level).unwrap_or(false) {
        // It fails if the log is gone, with the program.
        _ = handle.reload(level);
    }
}
