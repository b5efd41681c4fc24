//! `Expect: 100-continue` from end to end (RFC 9110 10.1.1).
//!
//! hyper's server sends `100 Continue` when a request's body is first polled. So
//! the client's body is withheld: what hyper's client gets to send is a
//! placeholder, and the body itself is handed over when the upstream's own 100
//! comes. An upstream that never sends one costs a bounded wait. One that answers
//! otherwise gets nothing, and the client is never asked.

use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use http::header::EXPECT;
use http::{Request, StatusCode};
use http_body::{Body, SizeHint};
use hyper::body::Incoming;
use tokio::sync::oneshot;

use super::body::{Progress, RequestBody, TrailerFilter};

/// How long to wait for the upstream's 100 before the body goes without it; the same as curl's.
pub(super) const CONTINUE_WAIT: Duration = Duration::from_secs(1);

/// Stands for a body that the upstream has not asked for yet.
pub struct Placeholder {
    body: oneshot::Receiver<Incoming>,
    size: SizeHint,
}

impl Placeholder {
    /// The body once it is handed over; an error if it never will be.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<Incoming, oneshot::error::RecvError>> {
        Pin::new(&mut self.body).poll(cx)
    }

    pub(super) fn size_hint(&self) -> SizeHint {
        self.size
    }
}

impl fmt::Debug for Placeholder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Placeholder").field("size", &self.size).finish_non_exhaustive()
    }
}

/// A body that the client has not been asked for. While it lives, so does the
/// exchange; dropping it ends the upstream's connection, whose request can no longer become whole.
#[derive(Clone, Debug)]
pub(super) struct Withheld(Arc<Mutex<Option<Kept>>>);

/// The body, and the way to its placeholder.
#[derive(Debug)]
struct Kept {
    incoming: Incoming,
    hand_over: oneshot::Sender<Incoming>,
    progress: Progress,
    filter: TrailerFilter,
}

impl Withheld {
    /// Replaces the body of a request that carries `Expect` by a placeholder.
    pub(super) fn take_from(request: &mut Request<RequestBody>) -> Option<Self> {
        if !request.headers().contains_key(EXPECT) {
            return None;
        }
        let (incoming, progress, filter) = match std::mem::take(request.body_mut()) {
            RequestBody::Streamed { incoming, progress, filter } => (incoming, progress, filter),
            other => {
                *request.body_mut() = other;
                return None;
            }
        };
        let (hand_over, _) = oneshot::channel();
        let kept = Kept { incoming, hand_over, progress, filter };
        let withheld = Self(Arc::new(Mutex::new(Some(kept))));
        withheld.stand_in(request);
        Some(withheld)
    }

    /// Gives `request` a new placeholder for the body; the one before it is worth nothing any more.
    /// False if the body has gone.
    pub(super) fn stand_in(&self, request: &mut Request<RequestBody>) -> bool {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(kept) = kept.as_mut() else { return false };
        let (hand_over, body) = oneshot::channel();
        kept.hand_over = hand_over;
        *request.body_mut() = RequestBody::Awaited {
            placeholder: Placeholder { body, size: kept.incoming.size_hint() },
            progress: kept.progress.clone(),
            filter: kept.filter,
        };
        let on_continue = self.clone();
        hyper::ext::on_informational(request, move |interim| {
            if interim.status() == StatusCode::CONTINUE {
                on_continue.hand_over();
            }
        });
        true
    }

    /// Lets the body go to the upstream; once.
    pub(super) fn hand_over(&self) {
        let taken = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(Kept { incoming, hand_over, .. }) = taken {
            // A receiver that is gone means that the exchange is over.
            let _ = hand_over.send(incoming);
        }
    }

    /// Whether the client has never been asked for it.
    pub(super) fn is_kept(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }
}
