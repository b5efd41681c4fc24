//! Whether a client that will send nothing more is still there.
//!
//! The end of a connection's incoming bytes says that the client has shut down its writing side, and no more: it
//! may be waiting for its answer (`printf .. | nc -N`, RFC 9112 §9.6 speaks of "half-closed" connections) or be
//! gone. The kernel knows, since both ends are on this machine:
//!
//! 1. TCP: the client's own socket is listed in `/proc/net/tcp*` with an inode as long as a process holds it. Once it
//!    is closed the inode is 0, and then the line goes.
//! 2. Unix sockets: both directions closed raise `POLLHUP`, one alone does not.
//! 3. Where neither can be asked (another system, a client on another machine), it is taken for gone after
//!    [`PATIENCE`].

use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

/// How to find out.
#[derive(Debug)]
pub enum Presence {
    /// By the client's socket, as it stands in the kernel's table.
    Tcp {
        /// The client's address.
        client: SocketAddr,
        /// Ours.
        own: SocketAddr,
    },
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
            Self::Tcp { client, own } => {
                // The table may be long, and is made while it is read.
                let read = tokio::task::spawn_blocking(move || holds_socket(client, own)).await;
                read.map_err(io::Error::other).flatten().ok().map(|is_there| !is_there)
            }
            Self::Unix(ref own) => Some(is_hung_up(own)),
        }
    }
}

fn is_hung_up(own: &OwnedFd) -> bool {
    let mut fds = [PollFd::new(own, PollFlags::HUP)];
    let now = Timespec { tv_sec: 0, tv_nsec: 0 };
    poll(&mut fds, Some(&now)).is_err() || fds[0].revents().intersects(PollFlags::HUP | PollFlags::ERR)
}

/// Whether a process holds the socket at `client` that is connected to `own`.
fn holds_socket(client: SocketAddr, own: SocketAddr) -> io::Result<bool> {
    let table = match client {
        SocketAddr::V4(_) => std::fs::read_to_string("/proc/net/tcp")?,
        SocketAddr::V6(_) => std::fs::read_to_string("/proc/net/tcp6")?,
    };
    Ok(inode(&table, client, own).is_some_and(|inode| inode != 0))
}

/// The inode in the line of such a table that is about `local` and `remote`.
fn inode(table: &str, local: SocketAddr, remote: SocketAddr) -> Option<u64> {
    let (local, remote) = (in_hex(local), in_hex(remote));
    table.lines().skip(1).find_map(|line| {
        let mut words = line.split_ascii_whitespace();
        if words.nth(1)? != local || words.next()? != remote {
            return None;
        }
        words.nth(6)?.parse().ok()
    })
}

/// An address as the kernel's tables have it: words of four bytes in the machine's order, and the port.
fn in_hex(addr: SocketAddr) -> String {
    let word = |bytes: &[u8]| format!("{:08X}", u32::from_ne_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]));
    let ip: String = match addr {
        SocketAddr::V4(v4) => word(&v4.ip().octets()),
        SocketAddr::V6(v6) => v6.ip().octets().chunks_exact(4).map(word).collect(),
    };
    format!("{ip}:{:04X}", addr.port())
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream};
    use std::os::unix::net::UnixStream;

    use super::*;

    const TABLE: &str = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:13BA 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 111 1 0 100 0 0 10 0
   1: 0100007F:C350 0100007F:13BA 01 00000000:00000000 00:00000000 00000000  1000        0 222 1 0 20 4 30 10 -1
   2: 0100007F:C351 0100007F:13BA 05 00000000:00000000 00:00000000 00000000     0        0 0 2 0 20 4 30 10 -1
";

    #[test]
    fn a_line_is_found_by_both_addresses() {
        let own: SocketAddr = "127.0.0.1:5050".parse().unwrap();
        for (client, found) in
            [("127.0.0.1:50000", Some(222)), ("127.0.0.1:50001", Some(0)), ("127.0.0.1:1", None)]
        {
            assert_eq!(inode(TABLE, client.parse().unwrap(), own), found, "{client}");
        }
        assert_eq!(in_hex("[::1]:80".parse().unwrap()), "00000000000000000000000001000000:0050");
    }

    #[test]
    #[cfg_attr(not(target_os = "linux"), ignore = "Linux alone has the table")]
    fn a_client_that_has_ended_its_side_is_there_until_it_closes() {
        for bind in ["127.0.0.1:0", "[::1]:0"] {
            let Ok(listener) = TcpListener::bind(bind) else { continue };
            let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            let (own, from) = listener.accept().unwrap();
            let own_addr = own.local_addr().unwrap();
            client.shutdown(std::net::Shutdown::Write).unwrap();
            assert!(holds_socket(from, own_addr).unwrap());
            drop(client);
            assert!(!holds_socket(from, own_addr).unwrap());
        }
    }

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
