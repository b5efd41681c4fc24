//! A response's body with its links turned as it streams.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::uri::PathAndQuery;
use http_body::{Body, Frame};

use super::directories::Directories;
use super::drop_digests;
use super::pieces::Pieces;
use super::rules::Rule;
use super::scanner::{Scanner, Turn, Turned};
use crate::client::{BodyError, ResponseBody, TrailerFilter};
use crate::identity::Snapshot;
use crate::routing::{self, Target};

/// What decides where a link leads from here, kept as long as the body.
#[derive(Debug)]
pub(in crate::proxy) struct Here {
    /// Whose routes sent the request.
    pub(in crate::proxy) snapshot: Arc<Snapshot>,
    /// What the client asked for.
    pub(in crate::proxy) asked: PathAndQuery,
    /// What the listener is pinned to, if it is.
    pub(in crate::proxy) pin: Option<routing::Pin>,
    /// Our own address, as the client wrote it.
    pub(in crate::proxy) base: String,
}

/// The body. An error of the upstream's is passed on after what was good.
pub(in crate::proxy) struct TurnedBody {
    body: ResponseBody,
    filter: TrailerFilter,
    here: Here,
    directories: Directories,
    scanner: Scanner<'static>,
    pieces: Pieces,
    last: Last,
}

/// What comes after the pieces.
enum Last {
    /// It is not known yet.
    Open,
    Frame(Result<Frame<Bytes>, BodyError>),
    Nothing,
}

impl TurnedBody {
    pub(super) fn new(body: ResponseBody, filter: TrailerFilter, rule: &'static Rule, here: Here) -> Self {
        let scanner = Scanner::new(&rule.shapes);
        Self {
            body,
            filter,
            here,
            directories: Directories::default(),
            scanner,
            pieces: Pieces::default(),
            last: Last::Open,
        }
    }

    fn feed(&mut self, chunk: &Bytes) {
        let mut turn = Turning { here: &self.here, target: None, directories: &mut self.directories };
        self.scanner.feed(chunk, &mut turn, &mut self.pieces);
    }
}

/// What turns the links of one chunk.
struct Turning<'a> {
    here: &'a Here,
    /// Where the request went, once a link has been looked at.
    target: Option<Target<'a>>,
    directories: &'a mut Directories,
}

impl Turn for Turning<'_> {
    fn turn(&mut self, link: &str) -> Option<String> {
        if !is_absolute(link) {
            return None;
        }
        let Here { snapshot, asked, pin, base } = self.here;
        let routes = &snapshot.routes;
        if self.target.is_none() {
            self.target = match pin {
                Some(pin) => routes.resolve_at(pin, asked.as_str()).ok(),
                None => routes.resolve(asked.as_str()).ok(),
            };
        }
        let target = self.target.as_ref()?;
        let turned = routes.turn_back(target, link, base);
        self.directories.learn(link, turned.as_deref(), || routes.turns_directory_of(link));
        turned
    }

    fn at_once(&self, link: &[u8]) -> Option<Turned<'_>> {
        self.directories.find(link)
    }
}

impl Body for TurnedBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = self.get_mut();
        loop {
            if let Some(piece) = this.pieces.take() {
                return Poll::Ready(Some(Ok(Frame::data(piece))));
            }
            match std::mem::replace(&mut this.last, Last::Nothing) {
                Last::Frame(frame) => return Poll::Ready(Some(frame)),
                Last::Nothing => return Poll::Ready(None),
                Last::Open => this.last = Last::Open,
            }
            let last = match ready!(Pin::new(&mut this.body).poll_frame(cx)) {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(chunk) => {
                        this.feed(&chunk);
                        continue;
                    }
                    Err(mut frame) => {
                        if let Some(trailers) = frame.trailers_mut() {
                            (this.filter)(trailers);
                            drop_digests(trailers);
                        }
                        Last::Frame(Ok(frame))
                    }
                },
                Some(Err(error)) => Last::Frame(Err(error)),
                None => Last::Nothing,
            };
            this.scanner.finish(&mut this.pieces);
            this.last = last;
        }
    }

    fn is_end_stream(&self) -> bool {
        self.pieces.is_empty() && matches!(self.last, Last::Nothing)
    }
}

/// Paths stay: clients join them to the endpoint that they know.
fn is_absolute(link: &str) -> bool {
    let starts = |scheme: &str| link.get(..scheme.len()).is_some_and(|it| it.eq_ignore_ascii_case(scheme));
    starts("http://") || starts("https://")
}
