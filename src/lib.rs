//! Gatestone: a local authenticating reverse proxy for OpenStack clouds.
//!
//! It accepts requests without credentials on loopback, adds a Keystone token that
//! it keeps fresh, and forwards them to the endpoint that the service catalog names
//! for the first segment of their path.
//!
//! A request:
//!
//! ```text
//! client ─► server (accept, limits) ─► worker ─► proxy::Proxy::handle
//!   guard, door ─► SnapshotCell::ready ─► RouteTable::resolve ─► face, minting ─► strip, inject ─► Client::send
//!   reply ◄─ strip, frame anew, links turned back ◄────────────────────────────────────────┘
//! metrics and access log: when the response's body ends, however it ends
//! ```
//!
//! A token:
//!
//! ```text
//! configuration ─► Credentials ─► Refresher ─► Keystone ─► Snapshot ─► SnapshotCell ─► every request
//!    files changed, SIGHUP ─► Watcher ─► Reload ─┘
//! ```
//!
//! Dependencies point one way: `main` and `commands` use [`watcher`], [`config`] and [`run`]; those use
//! `acceptors` and [`worker`]; those [`proxy`]; that [`admin`]; that `face`; those [`identity`] and [`routing`]; those [`reply`],
//! [`server`], [`catalog`] and [`client`]; below are `failure`, `metrics`, `body`, `backoff`,
//! `clock` and `secret`. `tools` stands alone: `commands` and `cli` use it.

mod acceptors;
pub mod access_log;
pub mod admin;
pub mod backoff;
pub mod body;
pub mod catalog;
pub mod cli;
pub mod client;
pub mod clock;
pub mod commands;
pub mod config;
pub mod duration;
pub mod embedded;
mod face;
pub mod failure;
mod head_bytes;
pub mod identity;
mod in_force;
mod in_transit;
pub mod logging;
pub mod metrics;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod oracles;
mod page;
pub mod proxy;
mod raw_names;
pub mod reloading;
pub mod reply;
mod rewritten;
pub mod routing;
pub mod run;
pub mod secret;
pub mod server;
mod shell;
pub mod shutdown;
pub mod spelling;
pub mod tools;
mod totp;
pub mod users;
pub mod watcher;
pub mod worker;
