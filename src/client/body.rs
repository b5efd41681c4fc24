//! Bodies on the upstream side: what is sent, and what comes back.
//!
//! Both stream: a frame is a shared slice of the buffer it was read into and is
//! never copied. A response's body owns the connection it arrives on, and gives
//! it back to the pool the moment the last byte has been taken out.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use tokio::sync::oneshot;
use tokio::time::{Instant, Sleep};

use super::expect::{Placeholder, Withheld};
use super::pool::Lease;

/// The body of a request to an upstream.
#[derive(Debug, Default)]
pub enum RequestBody {
    /// None at all; the request can be sent again.
    #[default]
    Empty,
    /// A short one that we hold.
    Full(Option<Bytes>),
    /// The client's own, as it comes.
    Streamed {
        /// Where it comes from.
        incoming: Incoming,
        /// Shared with whoever watches for silence.
        progress: Progress,
        /// Takes out of its trailers what may not travel.
        filter: TrailerFilter,
    },
    /// The client's own, once the upstream asks for it.
    Awaited {
        /// Brings the body.
        placeholder: Placeholder,
        /// Shared with whoever watches for silence.
        progress: Progress,
        /// Takes out of its trailers what may not travel.
        filter: TrailerFilter,
    },
}

/// Takes out of trailers what may not travel.
pub type TrailerFilter = fn(&mut HeaderMap);

/// Why the body of a request ended before it was whole.
#[derive(Debug, thiserror::Error)]
pub enum RequestBodyError {
    /// The client cut it short or broke its framing.
    #[error("the client cut its request short")]
    Cut(#[from] hyper::Error),
    /// The upstream answered without asking for it, so it was never read.
    #[error("the body was not asked for")]
    NotAskedFor(#[from] oneshot::error::RecvError),
}

impl RequestBody {
    /// What a client sent: streamed, or nothing if it is known to be empty.
    pub fn from_incoming(incoming: Incoming, filter: TrailerFilter) -> Self {
        if incoming.is_end_stream() {
            Self::Empty
        } else {
            Self::Streamed { incoming, progress: Progress::default(), filter }
        }
    }

    /// A handle on how far this body has come, if it streams.
    pub fn progress(&self) -> Option<Progress> {
        match self {
            Self::Streamed { progress, .. } | Self::Awaited { progress, .. } => Some(progress.clone()),
            Self::Empty | Self::Full(_) => None,
        }
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = RequestBodyError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, RequestBodyError>>> {
        let this = self.get_mut();
        if let Self::Awaited { placeholder, progress, filter } = this {
            match ready!(placeholder.poll(cx)) {
                Ok(incoming) => {
                    *this = Self::Streamed { incoming, progress: progress.clone(), filter: *filter };
                }
                Err(gone) => return Poll::Ready(Some(Err(gone.into()))),
            }
        }
        match this {
            Self::Empty | Self::Awaited { .. } => Poll::Ready(None),
            Self::Full(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Self::Streamed { incoming, progress, filter } => {
                let polled = Pin::new(incoming).poll_frame(cx);
                progress.note_silence(polled.is_pending());
                let mut frame = ready!(polled);
                if let Some(Ok(frame)) = &mut frame {
                    progress.add(frame.data_ref().map_or(0, Bytes::len));
                    if let Some(trailers) = frame.trailers_mut() {
                        filter(trailers);
                    }
                }
                Poll::Ready(frame.map(|frame| frame.map_err(RequestBodyError::Cut)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Empty => true,
            Self::Full(bytes) => bytes.is_none(),
            Self::Streamed { incoming, .. } => incoming.is_end_stream(),
            Self::Awaited { .. } => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Empty => SizeHint::with_exact(0),
            Self::Full(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, |b| b.len() as u64)),
            Self::Streamed { incoming, .. } => incoming.size_hint(),
            Self::Awaited { placeholder, .. } => placeholder.size_hint(),
        }
    }
}

/// How far a body has come, and whose turn it is.
#[derive(Clone, Debug, Default)]
pub struct Progress(Arc<Passed>);

#[derive(Debug, Default)]
struct Passed {
    bytes: AtomicU64,
    client_is_silent: AtomicBool,
}

impl Progress {
    /// Bytes so far.
    pub fn bytes(&self) -> u64 {
        self.0.bytes.load(Ordering::Relaxed)
    }

    /// Whether the upstream would take more, but the client sends nothing.
    pub(super) fn client_is_silent(&self) -> bool {
        self.0.client_is_silent.load(Ordering::Relaxed)
    }

    fn add(&self, bytes: usize) {
        self.0.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    fn note_silence(&self, is_silent: bool) {
        self.0.client_is_silent.store(is_silent, Ordering::Relaxed);
    }
}

/// Ends a wait that has seen no progress for a while. Armed once a request;
/// progress is noted by writing a time, and the timer is set again only when it fires.
#[derive(Debug)]
pub(super) struct Silence {
    timer: Pin<Box<Sleep>>,
    limit: Duration,
    last_progress: Instant,
}

impl Silence {
    pub(super) fn new(limit: Duration) -> Self {
        let now = Instant::now();
        Self { timer: Box::pin(tokio::time::sleep_until(now + limit)), limit, last_progress: now }
    }

    pub(super) fn note_progress(&mut self) {
        self.last_progress = Instant::now();
    }

    /// Ready once nothing has happened for the whole limit.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Duration> {
        loop {
            ready!(self.timer.as_mut().poll(cx));
            let deadline = self.last_progress + self.limit;
            if deadline <= Instant::now() {
                return Poll::Ready(self.limit);
            }
            self.timer.as_mut().reset(deadline);
        }
    }
}

/// Why a response's body ended before it was whole.
#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    /// The upstream cut it short or broke its framing.
    #[error("the upstream cut the response short")]
    Cut(#[from] hyper::Error),
    /// The upstream stopped sending.
    #[error("the upstream sent nothing for {} s in the middle of a response", .0.as_secs())]
    Silent(Duration),
}

/// The body of an upstream's response.
pub struct ResponseBody {
    incoming: Incoming,
    lease: Option<Lease>,
    silence: Silence,
    /// A request's body that was never asked for; its end would end the connection under this response.
    _withheld: Option<Withheld>,
}

impl ResponseBody {
    pub(super) fn new(
        incoming: Incoming,
        lease: Option<Lease>,
        silence: Silence,
        withheld: Option<Withheld>,
    ) -> Self {
        let mut body = Self { incoming, lease, silence, _withheld: withheld };
        body.release_if_over();
        body
    }

    /// A body of known length is over with its last byte: the next request may
    /// come before anyone asks for the frame after it.
    fn release_if_over(&mut self) {
        if self.incoming.is_end_stream()
            && let Some(lease) = self.lease.take()
        {
            lease.release();
        }
    }
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = self.get_mut();
        match Pin::new(&mut this.incoming).poll_frame(cx) {
            Poll::Pending => this.silence.poll(cx).map(|limit| Some(Err(BodyError::Silent(limit)))),
            Poll::Ready(Some(Ok(frame))) => {
                this.silence.note_progress();
                this.release_if_over();
                Poll::Ready(Some(Ok(frame)))
            }
            Poll::Ready(Some(Err(error))) => Poll::Ready(Some(Err(error.into()))),
            Poll::Ready(None) => {
                if let Some(lease) = this.lease.take() {
                    lease.release();
                }
                Poll::Ready(None)
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }
}

impl fmt::Debug for ResponseBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseBody").field("size", &self.size_hint()).finish_non_exhaustive()
    }
}
