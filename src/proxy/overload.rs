//! What there is not enough of, and how a client is told: 503 `overloaded`, worth another try soon.

use std::time::Duration;

use bytes::Bytes;

use super::pace::Rate;
use super::respond;
use crate::failure::{Failure, Reason};

/// What there is not enough of.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Overload {
    /// Connections, over all listeners.
    #[error(
        "all {most} connections of this proxy are in use; try again soon, or whoever runs it raises max_connections"
    )]
    Connections {
        /// `max_connections`, or what the limit of open files has room for.
        most: usize,
    },
    /// File descriptors: for this connection, or for one to a service.
    #[error(
        "this proxy has no file descriptors left; try again soon, or whoever runs it raises the limit of open files \
         (LimitNOFILE= in a systemd unit, ulimit -n)"
    )]
    Descriptors,
    /// Requests in flight.
    #[error(
        "{most} requests are in flight already; try again soon, or whoever runs this proxy raises max_requests"
    )]
    Requests {
        /// `max_requests`.
        most: usize,
    },
    /// A service's turns within the time that a request may wait for one.
    #[error(
        "{service} takes {} requests in {:?}, and this one's turn would come after more than {:?}; ask less often, or \
         whoever runs this proxy raises rate_limit or rate_wait in [service.{service}]", .rate.requests, .rate.per, .rate.wait
    )]
    Turns {
        /// The key of its settings.
        service: String,
        /// How often it may be asked.
        rate: Rate,
        /// When the turn would come.
        away: Duration,
    },
}

impl From<Overload> for Failure {
    fn from(overload: Overload) -> Self {
        let retry_after = match &overload {
            Overload::Connections { .. } | Overload::Descriptors | Overload::Requests { .. } => SOON,
            Overload::Turns { rate, away, .. } => away.saturating_sub(rate.wait),
        };
        Self::new(Reason::Overloaded, overload.to_string()).retry_after(retry_after)
    }
}

impl Overload {
    /// The whole answer, for a connection that nobody is going to serve.
    pub(crate) fn on_the_wire(self) -> Bytes {
        respond::on_the_wire(&respond::respond(&self.into()))
    }
}

/// When there may be room again.
pub(super) const SOON: Duration = Duration::from_secs(1);
