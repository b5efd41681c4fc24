//! `Tap`: the socket of a connection, with what hyper's server leaves to do.
//!
//! 1. Whether bytes wait to be written. hyper takes a response's last frame out of its body long before a slow reader has
//!    taken it off our hands; as long as the socket refuses bytes, the connection is not idle.
//! 2. Whether the client is still there. hyper stops reading once a request is whole (it is told to, with `half_close`, so
//!    that a client may end its side and still be answered), so this reads on a little, keeps the bytes for hyper, and
//!    notes the end. While an upload is held up nobody reads, so it tells how to find out otherwise.
//! 3. What goes beside hyper's own bytes: the [`Lane`](super::lane::Lane).
//! 4. hyper answers a head that it cannot read by itself, with a bare status. Bytes that it writes while there is no
//!    request are such an answer, and are replaced by one of ours. (Behind a response that is not yet written they are not
//!    known from it, and stay.)
//!
//! 5. Field names that hyper cannot hold: see [`raw_names`](crate::raw_names). Where a head begins is known behind a request
//!    that came alone; behind pipelined ones it is not looked for, and hyper refuses such a name.
//!
//! Body bytes pass untouched; each call costs them a flag or two.

use std::fmt;
use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};

use bytes::{Buf as _, Bytes, BytesMut};
use http::StatusCode;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::Activity;
use super::connection::LARGEST_HEAD_BYTES;
use super::listener::Transport;
use super::presence::Presence;
use crate::raw_names::Mask;

/// Makes a response of ours, head and body, for a status that hyper chose.
#[derive(Clone)]
pub(crate) struct Refuse(Arc<dyn Fn(StatusCode) -> Bytes + Send + Sync>);

impl Refuse {
    pub(crate) fn new(make: impl Fn(StatusCode) -> Bytes + Send + Sync + 'static) -> Self {
        Self(Arc::new(make))
    }
}

impl fmt::Debug for Refuse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Refuse")
    }
}

/// A socket, and whom to tell.
pub(super) struct Tap<T> {
    socket: T,
    activity: Arc<Activity>,
    refuse: Refuse,
    /// Read from the socket and not yet by hyper.
    ahead: BytesMut,
    has_ended: bool,
    /// Requests that had begun when hyper's buffer was last empty.
    flushed: u64,
    /// The same, when no request was in flight.
    settled: u64,
    is_refused: bool,
    heads: Heads,
    /// Whether what hyper has read last ends in an empty line.
    ends_as_chunks_do: bool,
    mask: Mask,
    waker: Option<Waker>,
}

/// Where in the client's bytes we are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Heads {
    /// So many bytes behind a head.
    Behind(u64),
    /// In the middle of one.
    Within,
    /// Not known any more.
    Lost,
}

/// How hyper's own 100 begins.
const CONTINUE: &[u8] = b"HTTP/1.1 100 ";
/// Bytes read ahead; a pipelined request, at most.
const AHEAD_BYTES: usize = 4096;

impl<T: Transport> Tap<T> {
    pub(super) fn new(socket: T, activity: Arc<Activity>, refuse: Refuse) -> Self {
        Self {
            socket,
            activity,
            refuse,
            ahead: BytesMut::new(),
            has_ended: false,
            flushed: 0,
            settled: 0,
            is_refused: false,
            heads: Heads::Behind(0),
            ends_as_chunks_do: false,
            mask: Mask::default(),
            waker: None,
        }
    }

    /// Ends the connection so that the other side sees an error.
    pub(super) fn reset(self) {
        self.socket.reset();
    }

    /// The socket, if the client may still be sending what nobody has read: closed like that, the kernel would
    /// answer with a reset, and the client might lose the response over it (RFC 9112 §9.6).
    pub(super) fn unread(self) -> Option<T> {
        let has_unread = self.is_refused || self.activity.has_unread() || !self.ahead.is_empty();
        (has_unread && !self.has_ended).then_some(self.socket)
    }

    fn noted(&self, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        self.activity.note_unsent(written.is_pending());
        written
    }

    /// Reads on while a request is in flight whose body has been read.
    fn read_ahead(&mut self, cx: &mut Context<'_>) {
        if self.has_ended
            || !self.ahead.is_empty()
            || !self.activity.has_request()
            || self.activity.has_unread()
        {
            return;
        }
        let mut space = [const { MaybeUninit::uninit() }; AHEAD_BYTES];
        let mut buf = ReadBuf::uninit(&mut space);
        match Pin::new(&mut self.socket).poll_read(cx, &mut buf) {
            Poll::Pending => {}
            Poll::Ready(Ok(())) if buf.filled().is_empty() => {
                self.has_ended = true;
                self.activity.note_left(self.socket.presence());
            }
            Poll::Ready(Ok(())) => self.ahead.extend_from_slice(buf.filled()),
            Poll::Ready(Err(_)) => {
                self.has_ended = true;
                self.activity.note_left(Presence::Gone);
            }
        }
    }

    /// Looks at bytes that hyper reads.
    fn look_at(&mut self, bytes: &mut [u8]) {
        if self.activity.has_request() || self.activity.is_read_on() {
            if let Heads::Behind(count) = &mut self.heads {
                *count += bytes.len() as u64;
            }
            self.ends_as_chunks_do = bytes.ends_with(b"\r\n\r\n");
            self.activity.note_body(bytes.len());
            return;
        }
        self.activity.note_head();
        if let Heads::Behind(count) = self.heads
            && !self.activity.body_ended_at(count, self.ends_as_chunks_do)
        {
            self.heads = Heads::Lost;
        }
        if self.heads == Heads::Lost {
            return;
        }
        self.ends_as_chunks_do = bytes.ends_with(b"\r\n\r\n");
        let Some(end) = self.mask.read(bytes) else {
            self.heads = Heads::Within;
            return;
        };
        self.heads = Heads::Behind((bytes.len() - end) as u64);
        if let Some(names) = self.mask.take_names() {
            self.activity.note_names(names);
        }
    }

    /// Answers bytes that are hyper's own, if these are: whether they have been dealt with.
    fn replaces(&mut self, bytes: &[u8]) -> bool {
        if self.settled != self.activity.begun() || self.activity.has_request() {
            return false;
        }
        // `HTTP/1.0` where the request before was.
        let status =
            bytes.strip_prefix(b"HTTP/1.").and_then(|rest| StatusCode::from_bytes(rest.get(2..5)?).ok());
        let Some(status) = status.filter(StatusCode::is_client_error) else { return false };
        // hyper has one limit for all of the head.
        let is_mostly_target = status == StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE
            && self.mask.first_line_bytes() > LARGEST_HEAD_BYTES / 2;
        let status = if is_mostly_target { StatusCode::URI_TOO_LONG } else { status };
        self.activity.lane().put(&(self.refuse.0)(status));
        self.is_refused = true;
        true
    }

    /// What is to be done before hyper's bytes, and with its head. How many of them are dealt with then.
    fn poll_before(
        &mut self,
        cx: &mut Context<'_>,
        first: &[u8],
        total: usize,
    ) -> Poll<io::Result<Option<usize>>> {
        let lane = self.activity.lane();
        if lane.is_used() {
            // A 100 comes in its turn behind other interim responses.
            let is_continue = first.starts_with(CONTINUE) && self.flushed == self.activity.begun();
            if lane.goes_first() || is_continue {
                let written = lane.poll_write(cx, &mut self.socket);
                self.activity.note_unsent(written.is_pending());
                ready!(written)?;
            }
            if self.activity.lane().wants_head()
                && let Some(end) = end_of_head(first)
                && self.activity.lane().take_head(&first[..end])
            {
                return Poll::Ready(Ok(Some(end + 2)));
            }
        }
        if self.replaces(first) {
            return Poll::Ready(Ok(Some(total)));
        }
        Poll::Ready(Ok(None))
    }

    fn know(&mut self, waker: &Waker) {
        if !self.waker.as_ref().is_some_and(|known| known.will_wake(waker)) {
            self.waker = Some(waker.clone());
            self.activity.lane().serve_by(waker);
        }
    }
}

/// Where the empty line of a final response's head is. A 100 may stand before it.
fn end_of_head(bytes: &[u8]) -> Option<usize> {
    let mut start = 0;
    loop {
        let end = start + memchr::memmem::find(&bytes[start..], b"\r\n\r\n")? + 2;
        if !bytes[start..].starts_with(CONTINUE) {
            return Some(end);
        }
        start = end + 2;
    }
}

impl<T: Transport> AsyncRead for Tap<T> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buf.filled().len();
        if !this.ahead.is_empty() {
            let n = this.ahead.len().min(buf.remaining());
            buf.put_slice(&this.ahead[..n]);
            this.ahead.advance(n);
        } else if !this.has_ended {
            ready!(Pin::new(&mut this.socket).poll_read(cx, buf))?;
            this.has_ended = buf.filled().len() == before && buf.remaining() > 0;
        }
        if buf.filled().len() > before {
            this.look_at(&mut buf.filled_mut()[before..]);
        }
        Poll::Ready(Ok(()))
    }
}

impl<T: Transport> AsyncWrite for Tap<T> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if let Some(done) = ready!(this.poll_before(cx, buf, buf.len()))? {
            return Poll::Ready(Ok(done));
        }
        let written = Pin::new(&mut this.socket).poll_write(cx, buf);
        this.noted(written)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let first = bufs.first().map_or(&[][..], |buf| buf);
        if let Some(done) = ready!(this.poll_before(cx, first, bufs.iter().map(|buf| buf.len()).sum()))? {
            return Poll::Ready(Ok(done));
        }
        let written = Pin::new(&mut this.socket).poll_write_vectored(cx, bufs);
        this.noted(written)
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }

    /// hyper calls this only when its own buffer is empty.
    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        this.know(cx.waker());
        let lane = this.activity.lane();
        if lane.is_used() {
            let written = lane.poll_write(cx, &mut this.socket);
            this.activity.note_unsent(written.is_pending());
            ready!(written)?;
            this.activity.lane().note_empty();
        }
        this.flushed = this.activity.begun();
        if this.activity.has_request() {
            if this.activity.has_unread() {
                this.activity.note_uploader(|| this.socket.presence());
            }
            this.read_ahead(cx);
        } else {
            this.settled = this.activity.begun();
        }
        Pin::new(&mut this.socket).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.activity.lane().is_used() {
            ready!(this.activity.lane().poll_write(cx, &mut this.socket))?;
        }
        Pin::new(&mut this.socket).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::end_of_head;

    #[test]
    fn lines_are_put_into_the_final_head() {
        let head = "HTTP/1.1 200 OK\r\nA: b\r\n";
        let interim = "HTTP/1.1 100 Continue\r\n\r\n";
        for (bytes, end) in [
            (format!("{head}\r\nbody\r\n\r\n"), Some(head.len())),
            (format!("{interim}{head}\r\n"), Some(interim.len() + head.len())),
            (interim.to_owned(), None),
            (head.to_owned(), None),
        ] {
            assert_eq!(end_of_head(bytes.as_bytes()), end, "{bytes}");
        }
    }
}
