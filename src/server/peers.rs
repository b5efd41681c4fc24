//! Whose socket is at the other end of a TCP connection on this machine.
//!
//! 1. The client's own socket is looked up by the connection's four-tuple, once. It tells a user only if the entry that
//!    comes back has exactly these four, an inode other than 0 (a closed socket has none, and says user 0), and a state
//!    of a connection that has been made (in TIME_WAIT and CLOSE nobody holds it any more).
//! 2. Socket diagnostics of the kernel (`sock_diag(7)`) answer that in some microseconds, whatever the number of sockets
//!    there are, and need no privilege. `/proc/net/tcp` and `tcp6` say the same, but are made as a whole for each
//!    reading: the second way, for kernels and sandboxes without the first. Which one works is found out at start.
//! 3. An IPv6 socket that is connected to `::ffff:127.0.0.1` is the other end of an IPv4 one: addresses are compared as
//!    what they mean, and both tables are read.
//!
//! Why the entry is the socket that sent us this: as long as our own end is connected, no other connection can be made
//! with the same four-tuple, since its first segment would reach our end and be refused there. So whoever asks looks at
//! its own end afterwards, and an entry that still waits for an answer (SYN_SENT) does not count.
//!
//! Ids are as they look from our user namespace: those that it does not have are all 65534.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream};

#[cfg(target_os = "linux")]
mod diagnostics;
mod table;

/// Both ends of a connection, as we see them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ends {
    /// The other one's.
    pub peer: SocketAddr,
    /// Ours.
    pub own: SocketAddr,
}

/// How the kernel is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lookup {
    /// By socket diagnostics.
    Diagnostics,
    /// By reading `/proc/net/tcp` and `/proc/net/tcp6`.
    Tables,
    /// Not at all: it does not answer, or nobody wants to know.
    None,
}

impl Lookup {
    /// The first way that finds the user of a connection which we make to ourselves.
    pub fn choose() -> Self {
        let works = |way: &Self| way.knows_ourselves().unwrap_or(false);
        [Self::Diagnostics, Self::Tables].into_iter().find(works).unwrap_or(Self::None)
    }

    /// Whether asking may take long enough for other connections to notice.
    pub fn is_slow(self) -> bool {
        match self {
            Self::Tables => true,
            Self::Diagnostics | Self::None => false,
        }
    }

    /// The user who holds the socket at the other end, if somebody does (rule 1).
    pub fn holder(self, ends: Ends) -> io::Result<Option<u32>> {
        let entry = match self {
            #[cfg(target_os = "linux")]
            Self::Diagnostics => diagnostics::entry(ends)?,
            #[cfg(not(target_os = "linux"))]
            Self::Diagnostics => return Err(io::ErrorKind::Unsupported.into()),
            Self::Tables => table::entry(ends)?,
            Self::None => return Err(io::ErrorKind::Unsupported.into()),
        };
        Ok(entry.and_then(|entry| entry.holder(ends)))
    }

    fn knows_ourselves(self) -> io::Result<bool> {
        let mut bound = Err(io::ErrorKind::AddrNotAvailable.into());
        for address in [Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()] {
            bound = bound.or_else(|_: io::Error| TcpListener::bind(SocketAddr::new(address, 0)));
        }
        let listener = bound?;
        let client = TcpStream::connect(listener.local_addr()?)?;
        let (own, peer) = listener.accept()?;
        let found = self.holder(Ends { peer, own: own.local_addr()? })?;
        drop(client);
        Ok(found == Some(rustix::process::geteuid().as_raw()))
    }
}

/// A socket as the kernel lists it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Entry {
    local: SocketAddr,
    remote: SocketAddr,
    /// As in `include/net/tcp_states.h`.
    state: u8,
    uid: u32,
    inode: u64,
}

impl Entry {
    /// Rule 1.
    fn holder(&self, ends: Ends) -> Option<u32> {
        let is_it = is_same(self.local, ends.peer) && is_same(self.remote, ends.own);
        (is_it && self.inode != 0 && CONNECTED.contains(&self.state)).then_some(self.uid)
    }
}

/// Rule 3.
fn is_same(one: SocketAddr, other: SocketAddr) -> bool {
    one.ip().to_canonical() == other.ip().to_canonical() && one.port() == other.port()
}

/// ESTABLISHED, FIN_WAIT1, FIN_WAIT2, CLOSE_WAIT, LAST_ACK, CLOSING.
const CONNECTED: [u8; 6] = [1, 4, 5, 8, 9, 11];

#[cfg(test)]
mod tests {
    use std::net::Shutdown;

    use socket2::SockRef;

    use super::*;

    #[test]
    fn an_entry_tells_a_user_only_if_it_is_just_this_connection_and_somebody_holds_it() {
        let ends = Ends { peer: "127.0.0.1:50000".parse().unwrap(), own: "127.0.0.1:5050".parse().unwrap() };
        let fine = Entry { local: ends.peer, remote: ends.own, state: 1, uid: 1000, inode: 7 };
        assert_eq!(fine.holder(ends), Some(1000));
        let mapped = Entry {
            local: "[::ffff:127.0.0.1]:50000".parse().unwrap(),
            remote: "[::ffff:127.0.0.1]:5050".parse().unwrap(),
            ..fine
        };
        assert_eq!(mapped.holder(ends), Some(1000));
        for state in [4, 5, 8, 9, 11] {
            assert_eq!(Entry { state, ..fine }.holder(ends), Some(1000), "{state}");
        }
        // SYN_SENT, SYN_RECV, TIME_WAIT, CLOSE, LISTEN, NEW_SYN_RECV, none of them.
        for state in [2, 3, 6, 7, 10, 12, 0, 255] {
            assert_eq!(Entry { state, ..fine }.holder(ends), None, "{state}");
        }
        assert_eq!(Entry { inode: 0, uid: 0, ..fine }.holder(ends), None);
        for other in ["127.0.0.1:50001", "127.0.0.2:50000", "[::1]:50000", "0.0.0.0:50000"] {
            assert_eq!(Entry { local: other.parse().unwrap(), ..fine }.holder(ends), None, "{other}");
            assert_eq!(Entry { remote: other.parse().unwrap(), ..fine }.holder(ends), None, "{other}");
        }
        // The other way round it is our own end.
        assert_eq!(Entry { local: ends.own, remote: ends.peer, ..fine }.holder(ends), None);
    }

    #[cfg(target_os = "linux")]
    const WAYS: [Lookup; 2] = [Lookup::Diagnostics, Lookup::Tables];

    #[cfg(target_os = "linux")]
    #[test]
    fn the_kernel_tells_whose_connection_it_is_until_it_is_closed() {
        let me = Some(rustix::process::geteuid().as_raw());
        for (bind, to) in [
            ("127.0.0.1:0", "127.0.0.1"),
            ("127.0.0.1:0", "::ffff:127.0.0.1"),
            ("127.9.8.7:0", "127.9.8.7"),
            ("[::1]:0", "::1"),
        ] {
            let Ok(listener) = TcpListener::bind(bind) else { continue };
            let to = SocketAddr::new(to.parse().unwrap(), listener.local_addr().unwrap().port());
            for way in WAYS {
                let client = TcpStream::connect(to).unwrap();
                let (own, peer) = listener.accept().unwrap();
                let ends = Ends { peer, own: own.local_addr().unwrap() };
                assert_eq!(way.holder(ends).unwrap(), me, "{way:?} {to}");
                client.shutdown(Shutdown::Write).unwrap();
                assert_eq!(way.holder(ends).unwrap(), me, "{way:?} {to}, half-closed");
                drop(client);
                assert_eq!(way.holder(ends).unwrap(), None, "{way:?} {to}, closed");
                assert!(own.peer_addr().is_ok());
            }
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_client_that_resets_leaves_no_socket_and_our_end_is_not_connected() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        for way in WAYS {
            let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            let (own, peer) = listener.accept().unwrap();
            let ends = Ends { peer, own: own.local_addr().unwrap() };
            SockRef::from(&client).set_linger(Some(std::time::Duration::ZERO)).unwrap();
            drop(client);
            assert_eq!(way.holder(ends).unwrap(), None, "{way:?}");
            assert!(own.peer_addr().is_err());
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_listening_socket_at_the_same_port_is_not_taken_for_the_client() {
        let other = TcpListener::bind("127.0.0.1:0").unwrap();
        let ends = Ends { peer: other.local_addr().unwrap(), own: "127.0.0.1:1".parse().unwrap() };
        for way in WAYS {
            assert_eq!(way.holder(ends).unwrap(), None, "{way:?}");
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn both_ways_pass_the_test_at_start() {
        assert_eq!(Lookup::choose(), Lookup::Diagnostics);
        assert!(Lookup::Tables.knows_ourselves().unwrap());
        assert!(Lookup::None.knows_ourselves().is_err());
    }
}
