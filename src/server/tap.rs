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
//! 6. The letters of names: see [`spelling`](crate::spelling). They are noted where a head begins is known, and put into
//!    the heads of responses.
//!
//! Body bytes pass untouched; each call costs them a flag or two.

use std::fmt;
use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};

use bytes::{Buf as _, Bytes, BytesMut};
use http::StatusCode;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, ReadBuf, Take};

use super::Activity;
use super::connection::LARGEST_HEAD_BYTES;
use super::listener::Transport;
use super::presence::Presence;
use crate::in_transit;
use crate::raw_names::Mask;
use crate::rewritten::Rewritten;
use crate::spelling::Spelling;

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
    socket: Take<T>,
    activity: Arc<Activity>,
    refuse: Refuse,
    /// Read from the socket and not yet by hyper.
    ahead: BytesMut,
    has_ended: bool,
    is_refused: bool,
    heads: Heads,
    /// Whether what hyper has read last ends in an empty line.
    ends_as_chunks_do: bool,
    mask: Mask,
    /// What has come of a head that is not whole yet.
    piece: Vec<u8>,
    /// The head that goes, in its letters.
    out: Rewritten,
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
            socket: socket.take(0),
            activity,
            refuse,
            ahead: BytesMut::new(),
            has_ended: false,
            is_refused: false,
            heads: Heads::Behind(0),
            ends_as_chunks_do: false,
            mask: Mask::default(),
            piece: Vec::new(),
            out: Rewritten::default(),
            waker: None,
        }
    }

    /// Ends the connection so that the other side sees an error.
    pub(super) fn reset(self) {
        self.socket.into_inner().reset();
    }

    /// With what hyper has read and not used.
    pub(super) fn with(mut self, unused: Bytes) -> Self {
        if !unused.is_empty() {
            let read_since = std::mem::replace(&mut self.ahead, BytesMut::from(unused));
            self.ahead.extend_from_slice(&read_since);
        }
        self
    }

    /// Between two requests, where what comes next is a head; empty lines before it say nothing (RFC 9112 §2.2).
    pub(super) fn at_rest(mut self) -> Self {
        if self.heads != Heads::Within {
            let empty = self.ahead.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
            self.ahead.advance(empty);
            self.heads = Heads::Behind(0);
            self.activity.note_rest();
        }
        self
    }

    /// Returns once there is something to be read.
    pub(super) async fn readable(&self) {
        if self.ahead.is_empty() {
            // An error is found again by reading.
            _ = poll_fn(|cx| self.socket.get_ref().poll_read_ready(cx)).await;
        }
    }

    /// The socket, if the client may still be sending what nobody has read: closed like that, the kernel would
    /// answer with a reset, and the client might lose the response over it (RFC 9112 §9.6).
    pub(super) fn unread(self) -> Option<T> {
        let has_unread = self.is_refused || self.activity.has_unread() || !self.ahead.is_empty();
        (has_unread && !self.has_ended).then(|| self.socket.into_inner())
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
        self.socket.set_limit(AHEAD_BYTES as u64);
        match Pin::new(&mut self.socket).poll_read(cx, &mut buf) {
            Poll::Pending => {}
            Poll::Ready(Ok(())) if buf.filled().is_empty() => {
                self.has_ended = true;
                self.activity.note_left(self.socket.get_ref().presence());
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
        if let Heads::Behind(count) = self.heads
            && !self.activity.body_ended_at(count, self.ends_as_chunks_do)
        {
            self.heads = Heads::Lost;
        }
        if self.heads == Heads::Lost {
            self.activity.note_head();
            return;
        }
        self.ends_as_chunks_do = bytes.ends_with(b"\r\n\r\n");
        let Some(end) = self.mask.read(bytes) else {
            self.heads = Heads::Within;
            self.activity.note_head();
            self.piece.extend_from_slice(bytes);
            return;
        };
        let piece = std::mem::take(&mut self.piece);
        if self.activity.keeps_letters() {
            self.activity.note_spelling(match piece.is_empty() {
                true => Spelling::of(&bytes[..end]),
                false => Spelling::of(&[piece.as_slice(), &bytes[..end]].concat()),
            });
        }
        self.heads = Heads::Behind((bytes.len() - end) as u64);
        if let Some(names) = self.mask.take_names() {
            self.activity.note_names(names);
        }
    }

    /// Answers bytes that are hyper's own, if these are: whether they have been dealt with.
    fn replaces(&mut self, bytes: &[u8]) -> bool {
        if self.activity.settled() != self.activity.begun() || self.activity.has_request() {
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
            let is_continue = first.starts_with(CONTINUE) && self.activity.flushed() == self.activity.begun();
            if lane.goes_first() || is_continue {
                let written = lane.poll_write(cx, self.socket.get_mut());
                self.activity.note_unsent(written.is_pending());
                ready!(written)?;
            }
            if self.activity.lane().wants_head()
                && let Some(Range { start, end }) = final_head(first)
            {
                let mut head = first[..start].to_vec();
                let letters = self.activity.letters();
                if letters.and_then(|letters| letters.spell(&first[start..], &mut head)).is_none() {
                    head.extend_from_slice(&first[start..end + 2]);
                }
                head.truncate(head.len() - 2);
                self.activity.letters_are_used();
                if self.activity.lane().take_head(&head) {
                    return Poll::Ready(Ok(Some(end + 2)));
                }
            }
        }
        if self.replaces(first) {
            return Poll::Ready(Ok(Some(total)));
        }
        Poll::Ready(Ok(None))
    }

    /// Takes the head that begins what is to be written, if it is the next response's, to put its names in their letters.
    fn spell_head(&mut self, first: &[u8]) {
        let Some(letters) = self.activity.letters() else { return };
        let start =
            if first.starts_with(CONTINUE) { final_head(first).map(|head| head.start) } else { Some(0) };
        self.out.begin(|out| {
            out.extend_from_slice(&first[..start?]);
            Some(start? + letters.spell(&first[start?..], out)?)
        });
        if !self.out.is_done() {
            self.activity.letters_are_used();
        }
    }

    fn know(&mut self, waker: &Waker) {
        if !self.waker.as_ref().is_some_and(|known| known.will_wake(waker)) {
            self.waker = Some(waker.clone());
            self.activity.lane().serve_by(waker);
        }
    }
}

/// Where a final response's head is, without its empty line. A 100 may stand before it.
fn final_head(bytes: &[u8]) -> Option<Range<usize>> {
    let mut start = 0;
    loop {
        let end = start + memchr::memmem::find(&bytes[start..], b"\r\n\r\n")? + 2;
        if !bytes[start..].starts_with(CONTINUE) {
            return Some(start..end);
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
            this.socket.set_limit(in_transit::most_at_once());
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
        self.poll_write_vectored(cx, &[IoSlice::new(buf)])
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if this.out.is_done() {
            let first = bufs.first().map_or(&[][..], |buf| buf);
            if let Some(done) = ready!(this.poll_before(cx, first, bufs.iter().map(|buf| buf.len()).sum()))? {
                return Poll::Ready(Ok(done));
            }
            this.spell_head(first);
        }
        let written = if this.out.is_done() {
            Pin::new(this.socket.get_mut()).poll_write_vectored(cx, bufs)
        } else {
            this.out.poll_write(cx, this.socket.get_mut(), bufs)
        };
        this.noted(written)
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.get_ref().is_write_vectored()
    }

    /// hyper calls this only when its own buffer is empty.
    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        this.know(cx.waker());
        if !this.out.is_done() {
            let written = this.out.poll_rest(cx, this.socket.get_mut());
            this.activity.note_unsent(written.is_pending());
            ready!(written)?;
        }
        let lane = this.activity.lane();
        if lane.is_used() {
            let written = lane.poll_write(cx, this.socket.get_mut());
            this.activity.note_unsent(written.is_pending());
            ready!(written)?;
            this.activity.lane().note_empty();
        }
        this.activity.note_flushed();
        if this.activity.has_request() {
            if this.activity.has_unread() {
                this.activity.note_uploader(|| this.socket.get_ref().presence());
            }
            this.read_ahead(cx);
        }
        Pin::new(this.socket.get_mut()).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        ready!(this.out.poll_rest(cx, this.socket.get_mut()))?;
        if this.activity.lane().is_used() {
            ready!(this.activity.lane().poll_write(cx, this.socket.get_mut()))?;
        }
        Pin::new(this.socket.get_mut()).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::final_head;

    #[test]
    fn lines_are_put_into_the_final_head() {
        let head = "HTTP/1.1 200 OK\r\nA: b\r\n";
        let interim = "HTTP/1.1 100 Continue\r\n\r\n";
        for (bytes, end) in [
            (format!("{head}\r\nbody\r\n\r\n"), Some(0..head.len())),
            (format!("{interim}{head}\r\n"), Some(interim.len()..interim.len() + head.len())),
            (interim.to_owned(), None),
            (head.to_owned(), None),
        ] {
            assert_eq!(final_head(bytes.as_bytes()), end, "{bytes}");
        }
    }
}
