//! Whether a client that will send nothing more is still there.
//!
//! The end of a connection's incoming bytes says that the client has shut down its writing side, and no more: it
//! may be waiting for its answer (`printf .. | nc -N`, RFC 9112 §9.6 speaks of "half-closed" connections) or be
//! gone. The kernel knows, since both ends are on this machine:
//!
//! 1. TCP: a user is known for the client's own socket as long as a process holds it ([`super::peers`]).
//! 2. Unix sockets: both directions closed raise `POLLHUP`, one alone does not.
//! 3. Where neither can be asked (another system, a client on another machine), it is taken for gone after
//!    [`PATIENCE`].

use std::io;
use std::os::fd::OwnedFd;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::peers::{Ends, Lookup};

/// How to find out.
#[derive(Debug)]
pub enum Presence {
    /// By the client's socket, as the kernel knows it.
    Tcp(Ends),
    /// By our own end.
    Unix(OwnedFd),
    /// There is no way.
    Unknown,
    /// It is known already.
    Gone,
}

/// How long a client may be half gone where nobody can tell.
const PATIENCE: Duration = Duration::from_secs(3);
/// Before the second question.
const PAUSE: Duration = Duration::from_millis(500);
/// Between later ones; each may cost a reading of all sockets there are.
const MOST_PAUSE: Duration = Duration::from_secs(4);

impl Presence {
    /// Returns once the client is gone.
    pub(super) async fn ended(&self) {
        let mut pause = PAUSE;
        loop {
            match self.is_gone().await {
                Some(true) => return,
                Some(false) => tokio::time::sleep(pause).await,
                None => return tokio::time::sleep(PATIENCE).await,
            }
            pause = MOST_PAUSE.min(pause * 2);
        }
    }

    /// Whether the client is gone, if that can be told.
    pub(super) async fn is_gone(&self) -> Option<bool> {
        match *self {
            Self::Gone => Some(true),
            Self::Unknown => None,
            Self::Tcp(ends) => match Lookup::Diagnostics.holder(ends) {
                Ok(holder) => Some(holder.is_none()),
                Err(_) => {
                    // The table may be long, and is made while it is read.
                    let read = tokio::task::spawn_blocking(move || Lookup::Tables.holder(ends)).await;
                    read.map_err(io::Error::other).flatten().ok().map(|holder| holder.is_none())
                }
            },
            Self::Unix(ref own) => Some(is_hung_up(own)),
        }
    }
}

fn is_hung_up(own: &OwnedFd) -> bool {
    let mut fds = [PollFd::new(own, PollFlags::HUP)];
    let now = Timespec { tv_sec: 0, tv_nsec: 0 };
    poll(&mut fds, Some(&now)).is_err() || fds[0].revents().intersects(PollFlags::HUP | PollFlags::ERR)
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixStream;

    use super::*;

    #[test]
    fn a_unix_socket_hangs_up_when_both_directions_are_closed() {
        let (own, client) = UnixStream::pair().unwrap();
        let own = OwnedFd::from(own);
        client.shutdown(std::net::Shutdown::Write).unwrap();
        assert!(!is_hung_up(&own));
        drop(client);
        assert!(is_hung_up(&own));
    }
}
