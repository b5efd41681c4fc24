//! `Socket`: TCP to an upstream, with what makes the kernel notice that it has vanished.
//!
//! A host that is switched off, or a firewall that has forgotten a connection, sends
//! nothing at all. Two things find that out within a minute:
//!
//! 1. keepalive, while nothing is on its way: after [`ASK_AFTER`] of silence the
//!    kernel asks, and [`QUESTIONS`] unanswered ones, [`ASK_EVERY`] apart, end it;
//! 2. `TCP_USER_TIMEOUT`, while something is: sent bytes that nobody acknowledges
//!    end it after [`UNACKNOWLEDGED`]. By itself the kernel tries for a quarter of
//!    an hour. Linux then also lets it decide in place of the count in 1, so the
//!    two must agree.
//!
//! Linux counts a peer that acknowledges everything but takes nothing (its window
//! stays shut) as one that does not acknowledge. An upstream may well be slow to
//! take an upload, so 2 is lifted for good once a connection has refused bytes; the
//! deadlines of the request are left then.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper_util::client::legacy::connect::{Connected, Connection};
use socket2::{SockRef, TcpKeepalive};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// Silence before the kernel asks whether the upstream is still there; below what
/// firewalls and load balancers remember a silent connection for.
const ASK_AFTER: Duration = Duration::from_secs(30);
/// Between two questions.
const ASK_EVERY: Duration = Duration::from_secs(10);
/// Unanswered questions: two may get lost.
const QUESTIONS: u32 = 3;
/// How long sent bytes may go unacknowledged; a network that is gone for less does no harm.
#[cfg(target_os = "linux")]
const UNACKNOWLEDGED: Duration =
    Duration::from_secs(ASK_AFTER.as_secs() + QUESTIONS as u64 * ASK_EVERY.as_secs());

/// A connection to an upstream.
#[derive(Debug)]
pub(super) struct Socket {
    stream: TcpStream,
    has_refused: bool,
}

impl Socket {
    /// Sets what is said above, and that small writes are not held back (`TCP_NODELAY`).
    pub(super) fn new(stream: TcpStream) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        let socket = SockRef::from(&stream);
        let keepalive = TcpKeepalive::new().with_time(ASK_AFTER).with_interval(ASK_EVERY);
        socket.set_tcp_keepalive(&keepalive.with_retries(QUESTIONS))?;
        #[cfg(target_os = "linux")]
        socket.set_tcp_user_timeout(Some(UNACKNOWLEDGED))?;
        Ok(Self { stream, has_refused: false })
    }

    fn note_refusal(&mut self, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if written.is_pending() && !self.has_refused {
            self.has_refused = true;
            #[cfg(target_os = "linux")]
            SockRef::from(&self.stream).set_tcp_user_timeout(None)?;
        }
        written
    }
}

impl Connection for Socket {
    fn connected(&self) -> Connected {
        self.stream.connected()
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Socket {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.note_refusal(written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        self.note_refusal(written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt;
    use tokio::net::TcpListener;

    use super::*;

    async fn pair() -> (Socket, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (peer, _) = listener.accept().await.unwrap();
        (Socket::new(stream).unwrap(), peer)
    }

    #[tokio::test]
    async fn small_writes_are_not_held_back_and_a_vanished_peer_is_noticed_within_a_minute() {
        let (socket, _peer) = pair().await;
        let asked = SockRef::from(&socket.stream);
        assert!(asked.tcp_nodelay().unwrap());
        assert!(asked.keepalive().unwrap());
        let (after, every) = (asked.tcp_keepalive_time().unwrap(), asked.tcp_keepalive_interval().unwrap());
        let retries = asked.tcp_keepalive_retries().unwrap();
        assert_eq!(after + every * retries, Duration::from_secs(60));
        #[cfg(target_os = "linux")]
        assert_eq!(asked.tcp_user_timeout().unwrap(), Some(Duration::from_secs(60)));
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn a_peer_that_takes_nothing_for_a_while_is_not_taken_for_one_that_has_vanished() {
        let (mut socket, _peer) = pair().await;
        let much = vec![0; 64 << 20];
        tokio::select! {
            biased;
            _ = socket.write_all(&much) => panic!("the kernel holds more than is thought here"),
            () = std::future::ready(()) => {}
        }
        assert_eq!(SockRef::from(&socket.stream).tcp_user_timeout().unwrap(), None);
    }
}
