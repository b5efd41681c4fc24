//! Who is at the other end of a connection, asked once when it has come in.
//!
//! 1. Unix sockets: whoever connected (`SO_PEERCRED`).
//! 2. TCP from this machine: the user who holds the other end ([`super::peers`]). From this machine is what comes from a
//!    loopback address or from another one that is ours.
//! 3. Other TCP: nobody knows.

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr, TcpStream, UdpSocket};
use std::os::unix::net::UnixStream;

use super::peers::{Ends, Lookup};

/// Who is at the other end of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Where.
    pub address: PeerAddress,
    /// Who.
    pub user: PeerUser,
}

/// Where the other end of a connection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PeerAddress {
    /// Over TCP.
    Tcp(Ends),
    /// At a Unix socket.
    Unix,
}

/// The user at the other end of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PeerUser {
    /// Id of a user of this machine.
    Id(u32),
    /// A user of this machine, but nobody holds the other end any more, or the kernel does not say who.
    Unknown,
    /// Somebody on another machine.
    Elsewhere,
    /// Nobody has asked.
    NotAsked,
}

impl fmt::Display for PeerAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(ends) => ends.peer.fmt(f),
            Self::Unix => f.write_str("unix"),
        }
    }
}

impl PeerAddress {
    /// The address of ours that the connection came to.
    pub fn own(&self) -> Option<SocketAddr> {
        match self {
            Self::Tcp(ends) => Some(ends.own),
            Self::Unix => None,
        }
    }
}

impl PeerUser {
    /// The id, if it is known.
    pub fn id(self) -> Option<u32> {
        match self {
            Self::Id(id) => Some(id),
            Self::Unknown | Self::Elsewhere | Self::NotAsked => None,
        }
    }
}

impl Peer {
    /// Whose connection over TCP this is.
    ///
    /// # Errors
    ///
    /// It has been reset before it was looked at.
    pub(crate) async fn of_tcp(stream: &TcpStream, from: SocketAddr, lookup: Lookup) -> io::Result<Self> {
        let ends = Ends { peer: from, own: stream.local_addr()? };
        let user = if lookup == Lookup::None {
            PeerUser::NotAsked
        } else if !is_of_this_machine(ends) {
            PeerUser::Elsewhere
        } else {
            let holder = if lookup.is_slow() {
                let asked = tokio::task::spawn_blocking(move || lookup.holder(ends)).await;
                asked.map_err(io::Error::other).flatten()
            } else {
                lookup.holder(ends)
            };
            // After that, for the reason in `peers`: our end is what keeps others from taking the place of the client.
            match (holder, stream.peer_addr()) {
                (Ok(Some(id)), Ok(_)) => PeerUser::Id(id),
                (Ok(_), Ok(_) | Err(_)) => PeerUser::Unknown,
                (Err(error), _) => {
                    tracing::warn!(%error, "the kernel does not say whose connection this is");
                    PeerUser::Unknown
                }
            }
        };
        Ok(Self { address: PeerAddress::Tcp(ends), user })
    }

    /// The same of one that is open and was not asked about before, since nobody needed to know.
    pub(crate) async fn asked(self, lookup: Lookup) -> Self {
        let (PeerAddress::Tcp(ends), PeerUser::NotAsked) = (self.address, self.user) else { return self };
        if lookup == Lookup::None {
            return self;
        }
        if !is_of_this_machine(ends) {
            return Self { user: PeerUser::Elsewhere, ..self };
        }
        // Our end is open, so nobody else can have taken the client's place.
        let holder = tokio::task::spawn_blocking(move || lookup.holder(ends)).await;
        let user = match holder.map_err(io::Error::other).flatten() {
            Ok(Some(id)) => PeerUser::Id(id),
            Ok(None) | Err(_) => PeerUser::Unknown,
        };
        Self { user, ..self }
    }

    /// Whose connection over a Unix socket this is.
    pub(crate) fn of_unix(stream: &UnixStream) -> Self {
        let user = credentials(stream).map_or(PeerUser::Unknown, PeerUser::Id);
        Self { address: PeerAddress::Unix, user }
    }
}

#[cfg(target_os = "linux")]
fn credentials(stream: &UnixStream) -> Option<u32> {
    rustix::net::sockopt::socket_peercred(stream).ok().map(|credentials| credentials.uid.as_raw())
}

/// By way of a second handle, since the standard library's own is not stable.
#[cfg(not(target_os = "linux"))]
fn credentials(stream: &UnixStream) -> Option<u32> {
    let stream = stream.try_clone().and_then(tokio::net::UnixStream::from_std).ok()?;
    stream.peer_cred().ok().map(|credentials| credentials.uid())
}

/// Rule 2. An address is ours if a socket can be bound to it; port 0 takes a free one, and nothing is sent. Where that
/// cannot be tried, it is taken for ours, which is the stricter.
fn is_of_this_machine(ends: Ends) -> bool {
    let peer = ends.peer.ip().to_canonical();
    let is_elsewhere = |ip: IpAddr| {
        let bound = UdpSocket::bind(SocketAddr::new(ip, 0));
        bound.is_err_and(|error| error.kind() == io::ErrorKind::AddrNotAvailable)
    };
    peer.is_loopback() || peer == ends.own.ip().to_canonical() || !is_elsewhere(peer)
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn a_connection_from_this_machine_has_a_user_until_it_is_closed() {
        let me = PeerUser::Id(rustix::process::geteuid().as_raw());
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (own, from) = listener.accept().unwrap();
        let peer = Peer::of_tcp(&own, from, Lookup::choose()).await.unwrap();
        assert_eq!((peer.user, peer.address.to_string()), (me, from.to_string()));
        assert_eq!(peer.address.own(), Some(listener.local_addr().unwrap()));
        let unasked = Peer::of_tcp(&own, from, Lookup::None).await.unwrap();
        assert_eq!(unasked.user, PeerUser::NotAsked);
        drop(client);
        assert_eq!(Peer::of_tcp(&own, from, Lookup::choose()).await.unwrap().user, PeerUser::Unknown);
    }

    #[test]
    fn a_connection_at_a_unix_socket_has_the_user_who_made_it() {
        let (one, _other) = UnixStream::pair().unwrap();
        assert_eq!(Peer::of_unix(&one).user.id(), Some(rustix::process::geteuid().as_raw()));
    }

    #[test]
    fn what_is_of_this_machine_is_told_from_what_is_not() {
        let ends = |peer: &str, own: &str| Ends { peer: peer.parse().unwrap(), own: own.parse().unwrap() };
        for (peer, own, expected) in [
            ("127.0.0.1:1", "127.0.0.1:2", true),
            ("127.8.0.1:1", "127.0.0.1:2", true),
            ("[::1]:1", "[::1]:2", true),
            ("192.0.2.1:1", "192.0.2.1:2", true),
            // Addresses for documentation (RFC 5737, RFC 3849), which no machine has.
            ("192.0.2.1:1", "192.0.2.2:2", false),
            ("[2001:db8::1]:1", "[2001:db8::2]:2", false),
        ] {
            assert_eq!(is_of_this_machine(ends(peer, own)), expected, "{peer} {own}");
        }
    }
}
