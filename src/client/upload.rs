//! `Upload`: a client's body that can be sent more than once.
//!
//! The body stays here; what hyper's client gets is a [`Reader`] of it. A frame is
//! passed on the moment it comes, and kept until more than 128 KiB have passed.
//! So a body can begin again as long as nothing was asked of it, or all that
//! passed is still kept: a new reader plays what is kept and goes on with the
//! client's body where it stands. The reader before it is cut off with an error,
//! so that its connection cannot take what it got for the whole.
//!
//! A reader may have a gate. While that is closed, the client's body is not
//! polled; since hyper's server sends `100 Continue` upon the first poll, the
//! client is then not even asked for it. See [`super::expect`] for who opens it.

use std::fmt;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker, ready};

use bytes::Bytes;
use http::HeaderMap;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;

mod kept;
#[cfg(test)]
mod tests;

use super::body::RequestBodyError;
use super::progress::Progress;
use crate::in_transit::InTransit;
use kept::{Kept, MOST_KEPT_BYTES};

/// Takes out of trailers what may not travel.
pub type TrailerFilter = fn(&mut HeaderMap);

/// A client's body, as long as the request may have to be sent again.
pub struct Upload {
    shared: Shared,
    progress: Progress,
    length: Option<u64>,
    _in_transit: InTransit,
}

impl Upload {
    /// What a client sends, unless that is known to be nothing. `filter` is applied to its trailers; `is_over` is
    /// set once all of it has been read.
    pub fn from_incoming(
        incoming: Incoming,
        filter: TrailerFilter,
        is_over: Arc<AtomicBool>,
    ) -> Option<Self> {
        if incoming.is_end_stream() {
            return None;
        }
        let length = incoming.size_hint().exact();
        let state = State {
            incoming: Some(incoming),
            keeps_on: false,
            filter,
            is_over,
            has_ended: false,
            is_cut: false,
            kept: Kept::default(),
            turn: 0,
            gate: Gate::None,
            waker: None,
        };
        Some(Self {
            shared: Shared(Arc::new(Mutex::new(state))),
            progress: Progress::default(),
            length,
            _in_transit: InTransit::begin(),
        })
    }

    /// Its length, if the client said it beforehand.
    pub fn length(&self) -> Option<u64> {
        self.length
    }

    /// A handle on how far it has come.
    pub fn progress(&self) -> Progress {
        self.progress.clone()
    }

    /// Whether it can be sent, for the first time or once more.
    pub fn can_begin_again(&self) -> bool {
        self.shared.lock().can_begin_again()
    }

    /// A reader for who takes the body here instead of sending it on.
    pub fn reader(&self) -> Option<Reader> {
        self.begin(Gate::None)
    }

    /// Whether it may come to more than can be kept of it.
    pub(super) fn may_be_spent(&self) -> bool {
        self.length.is_none_or(|length| length > MOST_KEPT_BYTES as u64)
    }

    /// A reader that gives all of it, from its first byte; any reader before it is cut off.
    pub(super) fn begin(&self, gate: Gate) -> Option<Reader> {
        let mut state = self.shared.lock();
        if !state.can_begin_again() {
            return None;
        }
        let cut_off = state.next_turn(gate);
        state.kept.rewind();
        self.progress.note_silence(false);
        let turn = Turn { shared: self.shared.clone(), number: state.turn };
        drop(state);
        wake(cut_off);
        Some(Reader { turn, progress: self.progress.clone(), left: self.length, has_begun: false })
    }
}

impl Drop for Upload {
    /// The request is over. Unless the upstream has answered and goes on, nobody wants the rest: it is let go here, since a
    /// reader may be left in a connection whose upstream takes nothing, and the client is to see that it can stop.
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        if state.keeps_on {
            return;
        }
        let rest = state.incoming.take();
        // A closed gate stays closed as long as a response comes behind it.
        let cut_off = if state.gate == Gate::Closed { None } else { state.next_turn(Gate::None) };
        drop(state);
        drop(rest);
        wake(cut_off);
    }
}

/// Whether a reader may ask for the client's body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Gate {
    /// There is none.
    None,
    /// The upstream has not asked yet.
    Closed,
    /// The upstream has asked.
    Asked,
    /// It was opened without having been asked for.
    Overdue,
}

/// What hyper's client sends: one pass over an [`Upload`].
pub struct Reader {
    turn: Turn,
    progress: Progress,
    /// Bytes that this reader has not given yet, if the length is known.
    left: Option<u64>,
    has_begun: bool,
}

impl Reader {
    /// A handle on this reader's gate.
    pub(super) fn turn(&self) -> Turn {
        self.turn.clone()
    }

    pub(super) fn progress(&self) -> Progress {
        self.progress.clone()
    }
}

impl Body for Reader {
    type Data = Bytes;
    type Error = RequestBodyError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, RequestBodyError>>> {
        let this = self.get_mut();
        this.has_begun = true;
        let Some(mut state) = this.turn.lock() else {
            return Poll::Ready(Some(Err(RequestBodyError::Withdrawn)));
        };
        let polled = state.poll_frame(cx, &this.progress);
        if polled.is_pending() {
            // Whoever opens the gate, or begins again, wakes this reader.
            match &mut state.waker {
                Some(waker) => waker.clone_from(cx.waker()),
                none => *none = Some(cx.waker().clone()),
            }
        }
        let frame = ready!(polled);
        if let (Some(left), Some(Ok(frame))) = (&mut this.left, &frame) {
            *left -= frame.data_ref().map_or(0, |data| data.len() as u64).min(*left);
        }
        Poll::Ready(frame)
    }

    /// Never before the first frame: a body that has come to nothing was announced all the same.
    fn is_end_stream(&self) -> bool {
        self.has_begun && self.turn.lock().is_some_and(|state| state.is_at_end())
    }

    fn size_hint(&self) -> SizeHint {
        self.left.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}

/// One pass over the body: names a reader and its gate for as long as no other has begun.
#[derive(Clone)]
pub(super) struct Turn {
    shared: Shared,
    number: u64,
}

impl Turn {
    /// The upstream asks for the body.
    pub(super) fn ask(&self) {
        self.open(Gate::Asked);
    }

    /// The upstream has answered, and goes on taking the body.
    pub(super) fn keep_on(&self) {
        if let Some(mut state) = self.lock() {
            state.keeps_on = true;
        }
    }

    /// The upstream has answered and shall get no more of the body, if it has not had all of it.
    pub(super) fn stop(&self) {
        if let Some(mut state) = self.lock()
            && !state.is_at_end()
        {
            state.gate = Gate::Closed;
        }
    }

    /// The upstream had its time to ask.
    pub(super) fn let_go(&self) {
        if self.gate() == Gate::Closed {
            self.open(Gate::Overdue);
        }
    }

    /// How the gate stands; there is none once another turn has begun.
    pub(super) fn gate(&self) -> Gate {
        self.lock().map_or(Gate::None, |state| state.gate)
    }

    fn open(&self, how: Gate) {
        let Some(mut state) = self.lock() else { return };
        state.gate = how;
        let waiting = state.waker.take();
        drop(state);
        wake(waiting);
    }

    /// The state, if this turn is not over.
    fn lock(&self) -> Option<MutexGuard<'_, State>> {
        let state = self.shared.lock();
        (state.turn == self.number).then_some(state)
    }
}

/// Keeps a reader waiting at its closed gate while the response comes, and so its connection open; dropping it
/// ends that connection, whose request can no longer become whole.
pub(super) struct Unasked(Turn);

impl Unasked {
    /// `None` if the gate is not closed.
    pub(super) fn of(turn: &Turn) -> Option<Self> {
        (turn.gate() == Gate::Closed).then(|| Self(turn.clone()))
    }
}

impl Drop for Unasked {
    fn drop(&mut self) {
        let Some(mut state) = self.0.lock() else { return };
        let cut_off = state.next_turn(Gate::None);
        drop(state);
        wake(cut_off);
    }
}

fn wake(waker: Option<Waker>) {
    if let Some(waker) = waker {
        waker.wake();
    }
}

#[derive(Clone)]
struct Shared(Arc<Mutex<State>>);

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The body, and where its one reader stands.
struct State {
    /// Nothing once nobody wants the rest of it.
    incoming: Option<Incoming>,
    /// Whether it goes on although the request has been answered.
    keeps_on: bool,
    filter: TrailerFilter,
    /// For who watches the client's connection.
    is_over: Arc<AtomicBool>,
    has_ended: bool,
    is_cut: bool,
    kept: Kept,
    /// Counts readers; only the last one gets anything.
    turn: u64,
    gate: Gate,
    /// Of the reader's connection, while it waits.
    waker: Option<Waker>,
}

impl State {
    fn can_begin_again(&self) -> bool {
        !self.kept.is_spent() && !self.is_cut && self.incoming.is_some()
    }

    /// Cuts the reader off, and says whom to wake so that it notices.
    fn next_turn(&mut self, gate: Gate) -> Option<Waker> {
        self.turn += 1;
        self.gate = gate;
        self.waker.take()
    }

    fn is_at_end(&self) -> bool {
        self.kept.is_played() && (self.has_ended || self.incoming.as_ref().is_some_and(Body::is_end_stream))
    }

    fn poll_frame(
        &mut self,
        cx: &mut Context<'_>,
        progress: &Progress,
    ) -> Poll<Option<Result<Frame<Bytes>, RequestBodyError>>> {
        if self.gate == Gate::Closed {
            return Poll::Pending;
        }
        if let Some(frame) = self.kept.next_frame() {
            return Poll::Ready(Some(Ok(frame)));
        }
        if self.has_ended {
            return Poll::Ready(None);
        }
        let Some(incoming) = &mut self.incoming else {
            return Poll::Ready(Some(Err(RequestBodyError::Withdrawn)));
        };
        let polled = Pin::new(&mut *incoming).poll_frame(cx);
        progress.note_silence(polled.is_pending());
        let polled = ready!(polled);
        if incoming.is_end_stream() || polled.is_none() {
            self.is_over.store(true, Ordering::Relaxed);
        }
        match polled {
            Some(Ok(mut frame)) => {
                if let Some(data) = frame.data_ref() {
                    progress.add(data.len());
                    self.kept.note_data(data);
                } else if let Some(trailers) = frame.trailers_mut() {
                    (self.filter)(trailers);
                    self.kept.note_trailers(trailers);
                    self.has_ended = true;
                    self.is_over.store(true, Ordering::Relaxed);
                }
                Poll::Ready(Some(Ok(frame)))
            }
            Some(Err(error)) => {
                self.is_cut = true;
                Poll::Ready(Some(Err(error.into())))
            }
            None => {
                self.has_ended = true;
                Poll::Ready(None)
            }
        }
    }
}

// What passes is nobody's business in a log.

impl fmt::Debug for Upload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upload").field("length", &self.length).finish_non_exhaustive()
    }
}

impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader").field("left", &self.left).finish_non_exhaustive()
    }
}
