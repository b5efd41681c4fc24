//! Addresses, and how long things may last: what the configuration fills in.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// How many connections there may be, and how long things may last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Connections at once, over all listeners.
    pub max_connections: usize,
    /// Connections at once of each user, if that is limited.
    pub max_connections_per_user: Option<usize>,
    /// Requests at once, over all listeners, if that is limited.
    pub max_requests: Option<usize>,
    /// How long a connection may be open without a request in flight.
    pub idle_timeout: Duration,
    /// How long the head of a request may take, from its first byte.
    pub request_head_timeout: Duration,
    /// How long a client may take nothing of what waits for it.
    pub body_timeout: Duration,
    /// How long nothing may pass through an upgraded connection.
    pub tunnel_timeout: Duration,
    /// Whether field names keep the letter case they came in.
    pub preserve_header_case: bool,
    /// How long requests in flight may go on after the signal to stop.
    pub shutdown_timeout: Duration,
    /// How long there may be no connection at all before the program ends.
    pub exit_when_idle: Option<Duration>,
    /// Whether whoever uses the proxy may end it.
    pub allow_quit: bool,
}

/// Who may open a Unix socket's file, by the file system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SocketPermissions {
    /// The mode of the file.
    pub mode: u32,
    /// The id of its group, if not that of the process.
    pub group: Option<u32>,
}

/// One address to listen on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ListenAddr {
    /// A loopback address; port 0 takes a free one. `optional` ones (the default
    /// `[::1]:5050`) may be unavailable on a machine without that family.
    Tcp {
        /// Address and port.
        addr: SocketAddr,
        /// Whether a missing address family is no error.
        optional: bool,
    },
    /// A Unix socket.
    Unix(PathBuf),
    /// Sockets that the service manager has opened: those of a name, or all that no listener names.
    Inherited(Option<String>),
}

impl ListenAddr {
    /// Whether both mean the same place, be it optional or not; two with port 0 may be two.
    pub fn is_at(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Tcp { addr: one, .. }, Self::Tcp { addr: other, .. }) => one == other,
            (one, other) => one == other,
        }
    }
}

impl fmt::Display for ListenAddr {
    /// As it is written in the settings.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp { addr, .. } => addr.fmt(f),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
            Self::Inherited(None) => f.write_str("systemd"),
            Self::Inherited(Some(name)) => write!(f, "systemd:{name}"),
        }
    }
}
