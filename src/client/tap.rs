//! `Tap`: the socket of an upstream connection, with what hyper's client leaves to do.
//!
//! An upstream that refuses a large body often answers and closes at once. What we write then fails, before its answer
//! has been read, and hyper would report that alone. So a write that fails is left pending: what has been answered is
//! read, and if nothing was, reading finds the end as well.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A socket that goes on being read when writing to it has failed.
#[derive(Debug)]
pub(super) struct Tap<T> {
    socket: T,
    has_failed: bool,
}

impl<T> Tap<T> {
    pub(super) fn new(socket: T) -> Self {
        Self { socket, has_failed: false }
    }

    /// Lets nothing through but success; reading will tell the rest.
    fn unless_failed<R>(&mut self, written: Poll<io::Result<R>>) -> Poll<io::Result<R>> {
        match written {
            Poll::Ready(Err(_)) => {
                self.has_failed = true;
                Poll::Pending
            }
            written => written,
        }
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Tap<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_read(cx, buf)
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Tap<T> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        if self.has_failed {
            return Poll::Pending;
        }
        let written = Pin::new(&mut self.socket).poll_write(cx, buf);
        self.unless_failed(written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if self.has_failed {
            return Poll::Pending;
        }
        let written = Pin::new(&mut self.socket).poll_write_vectored(cx, bufs);
        self.unless_failed(written)
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.has_failed {
            return Poll::Pending;
        }
        let flushed = Pin::new(&mut self.socket).poll_flush(cx);
        self.unless_failed(flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(cx)
    }
}
