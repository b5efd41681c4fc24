//! Addresses to listen on, and the connections that come in there.
//!
//! The configuration decides which get here.

use std::fmt;
use std::io;
use std::net::{SocketAddr, TcpListener as StdTcpListener, TcpStream as StdTcpStream};
use std::os::fd::AsFd;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener as StdUnixListener, UnixStream as StdUnixStream};
use std::path::{Path, PathBuf};
use std::task::{Context, Poll};

use socket2::{Domain, SockAddr, Socket, Type};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};

use super::inherited;
use super::peers::Ends;
use super::presence::Presence;
use super::{ListenAddr, SocketPermissions};

/// Why an address cannot be listened on.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// Somebody is there already.
    #[error(
        "{addr} is already in use; stop the program that listens there (another gatestone?), or choose another address with --listen, for example --listen 127.0.0.1:0 for any free port"
    )]
    InUse {
        /// The address.
        addr: String,
    },
    /// We may not.
    #[error(
        "no permission to listen on {addr}; choose a port above 1023 or a folder that you can write to, with --listen"
    )]
    Forbidden {
        /// The address.
        addr: String,
    },
    /// The file of a socket cannot get the group that is set.
    #[error(
        "{addr} cannot be given to the group of socket_group: {source}; who runs the proxy has to be a member of it"
    )]
    Group {
        /// The address.
        addr: String,
        /// The system's reason.
        source: io::Error,
    },
    /// A socket of the service manager's cannot be used.
    #[error(
        "the inherited socket {name} cannot be used: {source}; its unit has to open a stream socket (ListenStream=) and to \
         leave accepting to the service (Accept=no)"
    )]
    Inherited {
        /// By its unit or `FileDescriptorName=`.
        name: String,
        /// The system's reason.
        source: io::Error,
    },
    /// The service manager has opened no such socket.
    #[error(
        "no socket{} was inherited{}; start the program by a .socket unit of systemd, or name an address with --listen", 
        of_name(.name.as_deref()), among(.names)
    )]
    NotInherited {
        /// The name that was asked for, if any.
        name: Option<String>,
        /// Those that there are.
        names: String,
    },
    /// Anything else.
    #[error("cannot listen on {addr}: {source}; choose another address with --listen")]
    Failed {
        /// The address.
        addr: String,
        /// The system's reason.
        source: io::Error,
    },
}

fn of_name(name: Option<&str>) -> String {
    name.map_or_else(String::new, |name| format!(" named {name}"))
}

fn among(names: &str) -> String {
    if names.is_empty() { String::new() } else { format!(" (there are {names})") }
}

/// An address that is listened on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BoundAddr {
    /// With the port that the system chose, if it was to choose.
    Tcp(SocketAddr),
    /// Path of a socket.
    Unix(PathBuf),
}

impl fmt::Display for BoundAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(addr) => write!(f, "http://{addr}"),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

/// A bound listener, not yet tied to a runtime.
#[derive(Debug)]
pub struct Listener {
    socket: ListeningSocket,
    addr: BoundAddr,
}

#[derive(Debug)]
enum ListeningSocket {
    Tcp(StdTcpListener),
    /// An inherited one's file is not ours to remove.
    Unix(StdUnixListener, Option<SocketFile>),
}

/// Removes the socket's file when the listener goes.
#[derive(Debug)]
pub(crate) struct SocketFile(PathBuf);

impl Drop for SocketFile {
    fn drop(&mut self) {
        // If it is gone already there is nothing left to do.
        let _ = std::fs::remove_file(&self.0);
    }
}

impl Listener {
    /// Binds `addr`: none for an optional address whose family this machine does not have, and all the sockets that
    /// are inherited. A Unix socket's file gets `permissions`.
    pub fn bind(addr: &ListenAddr, permissions: SocketPermissions) -> Result<Vec<Self>, BindError> {
        match addr {
            ListenAddr::Inherited(name) => inherited::take(name.as_deref()),
            ListenAddr::Tcp { addr, optional } => match bind_tcp(*addr) {
                Ok((socket, addr)) => {
                    let socket = ListeningSocket::Tcp(socket);
                    Ok(vec![Self { socket, addr: BoundAddr::Tcp(addr) }])
                }
                Err(error) if *optional && is_missing_family(&error) => Ok(Vec::new()),
                Err(error) => Err(explain(addr.to_string(), error)),
            },
            ListenAddr::Unix(path) => {
                let failed = |error| explain(path.display().to_string(), error);
                let socket = bind_unix(path).map_err(failed)?;
                // From here on it is removed again.
                let file = SocketFile(path.clone());
                if permissions.group.is_some() {
                    std::os::unix::fs::chown(path, None, permissions.group)
                        .map_err(|source| BindError::Group { addr: path.display().to_string(), source })?;
                }
                std::fs::set_permissions(path, std::fs::Permissions::from_mode(permissions.mode))
                    .map_err(failed)?;
                // Nobody could connect before.
                socket.listen(BACKLOG).map_err(failed)?;
                let socket = ListeningSocket::Unix(socket.into(), Some(file));
                Ok(vec![Self { socket, addr: BoundAddr::Unix(path.clone()) }])
            }
        }
    }

    /// One that somebody else has opened.
    pub(super) fn of_tcp(socket: StdTcpListener) -> io::Result<Self> {
        socket.set_nonblocking(true)?;
        let addr = BoundAddr::Tcp(socket.local_addr()?);
        Ok(Self { socket: ListeningSocket::Tcp(socket), addr })
    }

    /// The same of a Unix socket.
    pub(super) fn of_unix(socket: StdUnixListener) -> io::Result<Self> {
        socket.set_nonblocking(true)?;
        let path = socket.local_addr()?.as_pathname().map(Path::to_owned);
        let addr = BoundAddr::Unix(path.ok_or(io::ErrorKind::AddrNotAvailable)?);
        Ok(Self { socket: ListeningSocket::Unix(socket, None), addr })
    }

    /// Where it listens.
    pub fn addr(&self) -> &BoundAddr {
        &self.addr
    }

    /// Ties it to the current runtime.
    pub(crate) fn into_acceptor(self) -> io::Result<Acceptor> {
        match self.socket {
            ListeningSocket::Tcp(socket) => Ok(Acceptor::Tcp(TcpListener::from_std(socket)?)),
            ListeningSocket::Unix(socket, file) => {
                Ok(Acceptor::Unix { socket: UnixListener::from_std(socket)?, _file: file })
            }
        }
    }
}

fn explain(addr: String, source: io::Error) -> BindError {
    match source.kind() {
        io::ErrorKind::AddrInUse => BindError::InUse { addr },
        io::ErrorKind::PermissionDenied => BindError::Forbidden { addr },
        _ => BindError::Failed { addr, source },
    }
}

fn is_missing_family(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::AddrNotAvailable | io::ErrorKind::Unsupported)
        || error.raw_os_error() == Some(EAFNOSUPPORT)
}

/// "Address family not supported", which has no [`io::ErrorKind`] of its own.
const EAFNOSUPPORT: i32 = if cfg!(target_os = "linux") { 97 } else { 47 };
/// Connections that may wait to be accepted.
const BACKLOG: i32 = 1024;

fn bind_tcp(addr: SocketAddr) -> io::Result<(StdTcpListener, SocketAddr)> {
    let socket = Socket::new(Domain::for_address(addr), Type::STREAM, None)?;
    // So that a restart does not have to wait for old connections to time out.
    socket.set_reuse_address(true)?;
    if addr.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.set_nonblocking(true)?;
    socket.bind(&addr.into())?;
    socket.listen(BACKLOG)?;
    let listener = StdTcpListener::from(socket);
    let addr = listener.local_addr()?;
    Ok((listener, addr))
}

/// Bound, and not listening yet: mode and group are set before anyone can connect.
fn bind_unix(path: &Path) -> io::Result<Socket> {
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    socket.set_nonblocking(true)?;
    let addr = SockAddr::unix(path)?;
    if let Err(error) = socket.bind(&addr) {
        // A file that nobody listens on is left over from a process that was killed.
        let is_left_over = error.kind() == io::ErrorKind::AddrInUse
            && StdUnixStream::connect(path).is_err_and(|e| e.kind() == io::ErrorKind::ConnectionRefused);
        if !is_left_over {
            return Err(error);
        }
        std::fs::remove_file(path)?;
        socket.bind(&addr)?;
    }
    Ok(socket)
}

/// A listener on a runtime.
#[derive(Debug)]
pub(crate) enum Acceptor {
    Tcp(TcpListener),
    Unix { socket: UnixListener, _file: Option<SocketFile> },
}

/// A connection that has come in, on no runtime yet: its worker takes it to its own.
#[derive(Debug)]
pub enum Accepted {
    /// Over loopback.
    Tcp(StdTcpStream, SocketAddr),
    /// Over a socket file.
    Unix(StdUnixStream),
}

impl Acceptor {
    pub(crate) async fn accept(&self) -> io::Result<Accepted> {
        match self {
            Self::Tcp(socket) => {
                let (stream, peer) = socket.accept().await?;
                stream.set_nodelay(true)?;
                Ok(Accepted::Tcp(stream.into_std()?, peer))
            }
            Self::Unix { socket, .. } => {
                let (stream, _) = socket.accept().await?;
                Ok(Accepted::Unix(stream.into_std()?))
            }
        }
    }
}

/// A socket that HTTP can be spoken on.
pub trait Transport: AsyncRead + AsyncWrite + Unpin + Send + 'static {
    /// Ends the connection so that the other side sees an error, not an end.
    fn reset(self);

    /// How to find out whether the other side is there, once it has ended its own.
    fn presence(&self) -> Presence;

    /// Ready once there is something to be read, the end or an error too.
    fn poll_read_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>>;
}

impl Transport for TcpStream {
    fn poll_read_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Self::poll_read_ready(self, cx)
    }

    fn reset(self) {
        // Without the option the connection ends in order, which is all that is left.
        let _ = self.set_zero_linger();
    }

    fn presence(&self) -> Presence {
        match (self.peer_addr(), self.local_addr()) {
            (Ok(client), Ok(own))
                if client.ip().to_canonical().is_loopback() && cfg!(target_os = "linux") =>
            {
                Presence::Tcp(Ends { peer: client, own })
            }
            (Ok(_), Ok(_)) => Presence::Unknown,
            // Not connected any more.
            (Err(_), _) | (_, Err(_)) => Presence::Gone,
        }
    }
}

impl Transport for UnixStream {
    fn poll_read_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Self::poll_read_ready(self, cx)
    }

    /// Unix sockets know no reset.
    fn reset(self) {}

    fn presence(&self) -> Presence {
        self.as_fd().try_clone_to_owned().map_or(Presence::Unknown, Presence::Unix)
    }
}

#[cfg(test)]
mod tests {
    use socket2::SockRef;

    use super::*;

    #[tokio::test]
    async fn a_sockets_file_has_the_mode_and_group_that_are_set() {
        use std::os::unix::fs::MetadataExt;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("s");
        let group = std::fs::metadata(dir.path()).unwrap().gid();
        for mode in [0o600, 0o660, 0o666] {
            let permissions = SocketPermissions { mode, group: Some(group) };
            let listener = Listener::bind(&ListenAddr::Unix(path.clone()), permissions).unwrap();
            let file = std::fs::metadata(&path).unwrap();
            assert_eq!((file.mode() & 0o777, file.gid()), (mode, group));
            drop(listener);
        }
    }

    #[tokio::test]
    async fn small_writes_to_a_client_are_not_held_back() {
        let listen = ListenAddr::Tcp { addr: ([127, 0, 0, 1], 0).into(), optional: false };
        let permissions = SocketPermissions { mode: 0o600, group: None };
        let listener = Listener::bind(&listen, permissions).unwrap().remove(0);
        let BoundAddr::Tcp(addr) = listener.addr().clone() else { panic!("it is TCP") };
        let acceptor = listener.into_acceptor().unwrap();
        let _client = TcpStream::connect(addr).await.unwrap();
        let Accepted::Tcp(accepted, _) = acceptor.accept().await.unwrap() else { panic!("it is TCP") };
        assert!(SockRef::from(&accepted).tcp_nodelay().unwrap());
    }
}
