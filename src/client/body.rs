//! Bodies on the upstream side: what is sent, and what comes back.
//!
//! Both stream: a frame is a shared slice of the buffer it was read into and is
//! never copied. A response's body owns the connection it arrives on, and gives
//! it back to the pool the moment the last byte has been taken out.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;

use super::pool::{Hold, Link};
use super::progress::{Progress, Silence, Silent};
use super::upload::{Reader, Unasked};
use crate::in_transit::InTransit;
use crate::spelling::Spelling;

/// The body of a request on its way to an upstream.
#[derive(Debug, Default)]
pub enum RequestBody {
    /// None at all; the request can be sent again.
    #[default]
    Empty,
    /// A short one that we hold.
    Full(Option<Bytes>),
    /// The client's own, as it comes.
    Upload(Reader),
}

/// Why the body of a request ended before it was whole.
#[derive(Debug, thiserror::Error)]
pub enum RequestBodyError {
    /// The client cut it short or broke its framing.
    #[error("the client cut its request short")]
    Cut(#[from] hyper::Error),
    /// This connection gets no more of it: the upstream answered without asking for
    /// it, or the body has begun again elsewhere.
    #[error("the body was withdrawn from this connection")]
    Withdrawn,
}

impl RequestBody {
    /// A handle on how far this body has come, if it streams.
    pub(super) fn progress(&self) -> Option<Progress> {
        match self {
            Self::Upload(reader) => Some(reader.progress()),
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
        match self.get_mut() {
            Self::Empty => Poll::Ready(None),
            Self::Full(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Self::Upload(reader) => Pin::new(reader).poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Empty => true,
            Self::Full(bytes) => bytes.is_none(),
            Self::Upload(reader) => reader.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Empty => SizeHint::with_exact(0),
            Self::Full(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, |b| b.len() as u64)),
            Self::Upload(reader) => reader.size_hint(),
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
    /// The connection, if it may serve another request.
    link: Option<Link>,
    /// If it may not.
    _hold: Option<Hold>,
    silence: Silence,
    /// A request's body that was never asked for, or not to its end; that would end the connection under this response.
    _unasked: Option<Unasked>,
    spelling: Option<Spelling>,
    _in_transit: InTransit,
}

impl ResponseBody {
    pub(super) fn new(
        incoming: Incoming,
        link: Result<Link, Hold>,
        silence: Silence,
        unasked: Option<Unasked>,
        spelling: Option<Spelling>,
    ) -> Self {
        let (link, hold) = match link {
            Ok(link) => (Some(link), None),
            Err(hold) => (None, Some(hold)),
        };
        let mut body = Self {
            incoming,
            link,
            _hold: hold,
            silence,
            _unasked: unasked,
            spelling,
            _in_transit: InTransit::begin(),
        };
        body.release_if_over();
        body
    }

    /// The letters of the names in its head, if they were noted. To be taken once.
    pub(crate) fn spelling(&mut self) -> Option<Spelling> {
        self.spelling.take()
    }

    /// A body of known length is over with its last byte: the next request may
    /// come before anyone asks for the frame after it.
    fn release_if_over(&mut self) {
        if self.incoming.is_end_stream() {
            self.release();
        }
    }

    fn release(&mut self) {
        if let Some(mut link) = self.link.take() {
            link.timer = self.silence.take_timer();
            link.release();
        }
    }

    /// The connection ends here, and is a bad sign for the others.
    fn distrust(&mut self) {
        if let Some(link) = self.link.take() {
            link.distrust();
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
            Poll::Pending => {
                let (Silent::Client(limit) | Silent::Upstream(limit)) = ready!(this.silence.poll(cx));
                this.distrust();
                Poll::Ready(Some(Err(BodyError::Silent(limit))))
            }
            Poll::Ready(Some(Ok(frame))) => {
                this.silence.note_progress();
                this.release_if_over();
                Poll::Ready(Some(Ok(frame)))
            }
            Poll::Ready(Some(Err(error))) => {
                this.distrust();
                Poll::Ready(Some(Err(error.into())))
            }
            Poll::Ready(None) => {
                this.release();
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
