//! `Tap`: the socket of an upstream connection, with what hyper's client leaves to do.
//!
//! 1. An upstream that refuses a large body often answers and closes at once. What we write then fails, before its answer
//!    has been read, and hyper would report that alone. So a write that fails is left pending: what has been answered is
//!    read, and if nothing was, reading finds the end as well.
//! 2. Field names that hyper cannot hold (see [`raw_names`](crate::raw_names)) are masked in the heads of responses, and
//!    added to the first head that is written.
//!
//! Body bytes pass untouched.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use bytes::{Buf as _, BytesMut};
use memchr::memmem;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::raw_names::{Mask, Names};

/// What a connection's user tells its socket, and learns from it.
#[derive(Debug, Default)]
pub(super) struct Heads {
    is_due: AtomicBool,
    /// Whether anything has come since a head was due.
    has_begun: AtomicBool,
    has_names: AtomicBool,
    names: Mutex<Option<Names>>,
    /// Bytes that the socket has taken.
    written: AtomicU64,
}

impl Heads {
    /// A request goes; what comes next is the head of its response.
    pub(super) fn expect(&self) {
        self.has_begun.store(false, Ordering::Relaxed);
        self.is_due.store(true, Ordering::Relaxed);
    }

    /// Whether anything of an answer has come, even if it was never whole.
    pub(super) fn has_begun(&self) -> bool {
        self.has_begun.load(Ordering::Relaxed)
    }

    /// The names in the response's head that hyper could not hold.
    pub(super) fn names(&self) -> Option<Names> {
        if !self.has_names.swap(false, Ordering::Relaxed) {
            return None;
        }
        self.names.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Bytes that have been written.
    pub(super) fn written(&self) -> u64 {
        self.written.load(Ordering::Relaxed)
    }

    fn came(&self, names: Option<Names>) {
        self.is_due.store(false, Ordering::Relaxed);
        if names.is_some() {
            *self.names.lock().unwrap_or_else(PoisonError::into_inner) = names;
            self.has_names.store(true, Ordering::Relaxed);
        }
    }
}

/// A socket that goes on being read when writing to it has failed.
#[derive(Debug)]
pub(super) struct Tap<T> {
    socket: T,
    has_failed: bool,
    heads: Arc<Heads>,
    mask: Mask,
    /// For the first head that is written.
    lines: Option<Vec<u8>>,
    /// That head, as it goes.
    out: BytesMut,
}

impl<T> Tap<T> {
    /// `lines` are put at the end of the first head.
    pub(super) fn new(socket: T, heads: Arc<Heads>, lines: Option<Vec<u8>>) -> Self {
        Self { socket, has_failed: false, heads, mask: Mask::default(), lines, out: BytesMut::new() }
    }

    /// Masks names in the heads that are due.
    fn look_at(&mut self, bytes: &mut [u8]) {
        if !bytes.is_empty() {
            self.heads.has_begun.store(true, Ordering::Relaxed);
        }
        let mut rest = bytes;
        while let Some(end) = self.mask.read(rest) {
            if !self.mask.was_interim() {
                self.heads.came(self.mask.take_names());
                return;
            }
            // What an interim response has of them is left out.
            self.mask.take_names();
            rest = &mut rest[end..];
        }
    }

    /// Counts what has been written.
    fn counted(&self, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if let Poll::Ready(Ok(bytes)) = &written {
            self.heads.written.fetch_add(*bytes as u64, Ordering::Relaxed);
        }
        written
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

impl<T: AsyncWrite + Unpin> Tap<T> {
    /// Writes the head with lines of ours in it. How many of hyper's bytes are dealt with then.
    fn poll_head(&mut self, cx: &mut Context<'_>, first: &[u8]) -> Poll<io::Result<Option<usize>>> {
        if self.lines.is_some()
            && let Some(end) = memmem::find(first, b"\r\n\r\n")
            && let Some(lines) = self.lines.take()
        {
            self.out.extend_from_slice(&first[..end + 2]);
            self.out.extend_from_slice(&lines);
            self.out.extend_from_slice(b"\r\n");
            return Poll::Ready(Ok(Some(end + 4)));
        }
        while !self.out.is_empty() {
            let n = ready!(Pin::new(&mut self.socket).poll_write(cx, &self.out))?;
            if n == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.out.advance(n);
        }
        Poll::Ready(Ok(None))
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Tap<T> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buf.filled().len();
        ready!(Pin::new(&mut this.socket).poll_read(cx, buf))?;
        if this.heads.is_due.load(Ordering::Relaxed) {
            this.look_at(&mut buf.filled_mut()[before..]);
        }
        Poll::Ready(Ok(()))
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Tap<T> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        if self.has_failed {
            return Poll::Pending;
        }
        let written = match ready!(self.poll_head(cx, buf)) {
            Ok(None) => Pin::new(&mut self.socket).poll_write(cx, buf),
            Ok(Some(done)) => Poll::Ready(Ok(done)),
            Err(error) => Poll::Ready(Err(error)),
        };
        let written = self.counted(written);
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
        let first = bufs.first().map_or(&[][..], |buf| buf);
        let written = match ready!(self.poll_head(cx, first)) {
            Ok(None) => Pin::new(&mut self.socket).poll_write_vectored(cx, bufs),
            Ok(Some(done)) => Poll::Ready(Ok(done)),
            Err(error) => Poll::Ready(Err(error)),
        };
        let written = self.counted(written);
        self.unless_failed(written)
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.has_failed {
            return Poll::Pending;
        }
        let flushed = match ready!(self.poll_head(cx, &[])) {
            Ok(_) => Pin::new(&mut self.socket).poll_flush(cx),
            Err(error) => Poll::Ready(Err(error)),
        };
        self.unless_failed(flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(cx)
    }
}
