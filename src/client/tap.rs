//! `Tap`: the socket of an upstream connection, with what hyper's client leaves to do.
//!
//! 1. An upstream that refuses a large body often answers and closes at once. What we write then fails, before its answer
//!    has been read, and hyper would report that alone. So a write that fails is left pending: what has been answered is
//!    read, and if nothing was, reading finds the end as well.
//! 2. Field names that hyper cannot hold (see [`raw_names`](crate::raw_names)) are masked in the heads of responses, and
//!    added to the first head that is written.
//! 3. The letters of names (see [`spelling`](crate::spelling)) are taken down from the heads of responses, and put into
//!    those of requests.
//! 4. Interim responses are passed on as they come.
//!
//! Body bytes pass untouched.

use std::fmt;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use memchr::memmem;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, ReadBuf, Take};

use super::outgoing::Interim;
use crate::in_transit;
use crate::raw_names::{Mask, Names};
use crate::rewritten::Rewritten;
use crate::spelling::{Letters, Spelling};

/// What a connection's user tells its socket, and learns from it.
#[derive(Debug, Default)]
pub(super) struct Heads {
    /// Whether the head of a response is to come.
    is_due: AtomicBool,
    /// Whether anything has come since a head was due.
    has_begun: AtomicBool,
    /// Whether the head of a request is to go, in letters of its own.
    has_letters: AtomicBool,
    both: Mutex<Both>,
    /// Bytes that the socket has taken.
    written: AtomicU64,
}

/// What belongs to the request that goes, and to the response that comes.
#[derive(Default)]
struct Both {
    letters: Option<Letters>,
    interim: Option<Arc<dyn Interim>>,
    came: Came,
}

/// What hyper does not tell of a response's head.
#[derive(Debug, Default)]
pub(super) struct Came {
    /// The names that it could not hold.
    pub(super) names: Option<Names>,
    /// The letters of the others.
    pub(super) spelling: Option<Spelling>,
}

impl fmt::Debug for Both {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Both").field("came", &self.came).finish_non_exhaustive()
    }
}

impl Heads {
    /// A request goes, with its names in these letters, if not in lower case; what comes next is the head of its
    /// response, or before it interim ones for `interim`.
    pub(super) fn expect(&self, letters: Option<Letters>, interim: Option<Arc<dyn Interim>>) {
        self.has_begun.store(false, Ordering::Relaxed);
        self.has_letters.store(letters.is_some(), Ordering::Relaxed);
        *self.both() = Both { letters, interim, came: Came::default() };
        self.is_due.store(true, Ordering::Relaxed);
    }

    /// Whether anything of an answer has come, even if it was never whole.
    pub(super) fn has_begun(&self) -> bool {
        self.has_begun.load(Ordering::Relaxed)
    }

    /// What hyper does not tell of the response's head that has come.
    pub(super) fn came(&self) -> Came {
        std::mem::take(&mut self.both().came)
    }

    /// Bytes that have been written.
    pub(super) fn written(&self) -> u64 {
        self.written.load(Ordering::Relaxed)
    }

    fn letters(&self) -> Option<Letters> {
        if self.has_letters.swap(false, Ordering::Relaxed) { self.both().letters.take() } else { None }
    }

    fn note(&self, came: Came) {
        self.is_due.store(false, Ordering::Relaxed);
        let mut both = self.both();
        both.interim = None;
        both.came = came;
    }

    fn both(&self) -> MutexGuard<'_, Both> {
        self.both.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A socket that goes on being read when writing to it has failed.
pub(super) struct Tap<T> {
    socket: Take<T>,
    has_failed: bool,
    heads: Arc<Heads>,
    keeps_letters: bool,
    mask: Mask,
    /// What has come of a head that is not whole yet.
    piece: Vec<u8>,
    /// For the first head that is written.
    lines: Option<Vec<u8>>,
    /// The head that goes, where it is not as hyper gives it.
    out: Rewritten,
    /// Whether hyper has nothing left to be written before the next head.
    is_clear: bool,
}

impl<T> fmt::Debug for Tap<T> {
    /// Heads are secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tap").field("heads", &self.heads).finish_non_exhaustive()
    }
}

impl<T: AsyncRead> Tap<T> {
    /// `lines` are put at the end of the first head. With `keeps_letters` those of a response's names are noted.
    pub(super) fn new(socket: T, heads: Arc<Heads>, lines: Option<Vec<u8>>, keeps_letters: bool) -> Self {
        Self {
            socket: socket.take(0),
            has_failed: false,
            heads,
            keeps_letters,
            mask: Mask::default(),
            piece: Vec::new(),
            lines,
            out: Rewritten::default(),
            is_clear: true,
        }
    }

    /// Masks names in the heads that are due.
    fn look_at(&mut self, bytes: &mut [u8]) {
        if !bytes.is_empty() {
            self.heads.has_begun.store(true, Ordering::Relaxed);
        }
        let mut rest = bytes;
        while let Some(end) = self.mask.read(rest) {
            let (head, behind) = rest.split_at_mut(end);
            let piece = std::mem::take(&mut self.piece);
            let whole = if piece.is_empty() { None } else { Some([piece.as_slice(), &*head].concat()) };
            let head = whole.as_deref().unwrap_or(head);
            let names = self.mask.take_names();
            if !self.mask.was_interim() {
                let spelling = self.keeps_letters.then(|| Spelling::of(head));
                self.heads.note(Came { names, spelling });
                return;
            }
            let interim = self.heads.both().interim.clone();
            if let Some(interim) = interim
                && let Some((status, headers)) = parse_interim(head)
            {
                interim.pass(status, &headers);
            }
            rest = behind;
        }
        self.piece.extend_from_slice(rest);
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

    /// Takes the head that begins what is to be written, if it is to go in other bytes.
    fn rewrite_head(&mut self, first: &[u8]) {
        if !self.is_clear {
            // Letters that are still there are of a head that went out behind another: never those of a body.
            _ = self.heads.letters();
            return;
        }
        self.is_clear = false;
        let (letters, lines) = (self.heads.letters(), self.lines.take());
        if letters.is_none() && lines.is_none() {
            return;
        }
        self.out.begin(|out| {
            let length = match letters {
                Some(letters) => letters.spell(first, out)?,
                None => {
                    let end = memmem::find(first, EMPTY_LINE)? + EMPTY_LINE.len();
                    out.extend_from_slice(&first[..end]);
                    end
                }
            };
            if let Some(lines) = lines {
                out.truncate(out.len() - b"\r\n".len());
                out.extend_from_slice(&lines);
                out.extend_from_slice(b"\r\n");
            }
            Some(length)
        });
    }
}

/// An empty line, and the end of the one before it.
const EMPTY_LINE: &[u8] = b"\r\n\r\n";

/// An interim response, with the names that stand for raw bytes.
fn parse_interim(head: &[u8]) -> Option<(StatusCode, HeaderMap)> {
    let mut fields = [httparse::EMPTY_HEADER; MOST_INTERIM_FIELDS];
    let mut response = httparse::Response::new(&mut fields);
    if !response.parse(head).is_ok_and(|parsed| parsed.is_complete()) {
        return None;
    }
    let mut headers = HeaderMap::new();
    for field in response.headers.iter() {
        let name = HeaderName::from_bytes(field.name.as_bytes()).ok()?;
        headers.append(name, HeaderValue::from_bytes(field.value).ok()?);
    }
    Some((StatusCode::from_u16(response.code?).ok()?, headers))
}

/// Fields of an interim response; one with more is not passed on.
const MOST_INTERIM_FIELDS: usize = 64;

impl<T: AsyncRead + Unpin> AsyncRead for Tap<T> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buf.filled().len();
        this.socket.set_limit(in_transit::most_at_once());
        ready!(Pin::new(&mut this.socket).poll_read(cx, buf))?;
        if this.heads.is_due.load(Ordering::Relaxed) {
            this.look_at(&mut buf.filled_mut()[before..]);
        }
        Poll::Ready(Ok(()))
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Tap<T> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(cx, &[IoSlice::new(buf)])
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if this.has_failed {
            return Poll::Pending;
        }
        this.rewrite_head(bufs.first().map_or(&[], |first| first));
        let written = if this.out.is_done() {
            Pin::new(this.socket.get_mut()).poll_write_vectored(cx, bufs)
        } else {
            this.out.poll_write(cx, this.socket.get_mut(), bufs)
        };
        let written = this.counted(written);
        this.unless_failed(written)
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.get_ref().is_write_vectored()
    }

    /// hyper calls this only when its own buffer is empty.
    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.has_failed {
            return Poll::Pending;
        }
        this.is_clear = true;
        let flushed = match ready!(this.out.poll_rest(cx, this.socket.get_mut())) {
            Ok(()) => Pin::new(this.socket.get_mut()).poll_flush(cx),
            Err(error) => Poll::Ready(Err(error)),
        };
        this.unless_failed(flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(self.socket.get_mut()).poll_shutdown(cx)
    }
}
