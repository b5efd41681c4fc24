//! `ReplyBody`: what goes back to the client, an upstream's body, as it came or changed on the way, or one of ours.
//!
//! It carries the request's record and closes it when the last byte has been
//! taken out. An error of the upstream's body is passed on as it is: hyper then
//! ends the response short of its length or without the last chunk, so that a
//! cut body is seen as cut.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt as _;
use http_body_util::combinators::UnsyncBoxBody;

use crate::access_log::Record;
use crate::client::{BodyError, ResponseBody, TrailerFilter};
use crate::spelling::Spelling;

/// The body of a response to a client.
pub struct ReplyBody {
    source: Source,
    spelling: Option<Spelling>,
    record: Option<Record>,
}

enum Source {
    Ours(Option<Bytes>),
    Upstream {
        body: ResponseBody,
        filter: TrailerFilter,
    },
    /// Boxed, so that nothing here knows how it is changed.
    Streamed(UnsyncBoxBody<Bytes, BodyError>),
}

impl ReplyBody {
    /// A body that we hold.
    pub(crate) fn ours(text: impl Into<Bytes>) -> Self {
        let text = text.into();
        Self { source: Source::Ours((!text.is_empty()).then_some(text)), spelling: None, record: None }
    }

    /// An upstream's body, as it comes, but for what `filter` takes out of its trailers.
    pub(crate) fn upstream(mut body: ResponseBody, filter: TrailerFilter) -> Self {
        let spelling = body.spelling();
        Self { source: Source::Upstream { body, filter }, spelling, record: None }
    }

    /// An upstream's body that is changed as it comes.
    pub(crate) fn streamed(body: impl Body<Data = Bytes, Error = BodyError> + Send + 'static) -> Self {
        Self { source: Source::Streamed(body.boxed_unsync()), spelling: None, record: None }
    }

    /// The letters in which the names in the response's head came.
    pub(crate) fn spelled(self, spelling: Option<Spelling>) -> Self {
        Self { spelling, ..self }
    }

    /// Those, if they are known. To be taken once.
    pub(crate) fn spelling(&mut self) -> Option<Spelling> {
        self.spelling.take()
    }

    /// Attaches the record that is to be closed with this body.
    pub(crate) fn with_record(mut self, mut record: Record) -> Self {
        if self.is_end_stream() {
            record.complete();
        } else {
            self.record = Some(record);
        }
        self
    }

    fn note(&mut self, frame: &Frame<Bytes>) {
        if let Some(record) = &mut self.record
            && let Some(data) = frame.data_ref()
        {
            record.sent(data.len());
        }
        if self.is_end_stream() {
            self.close();
        }
    }

    fn close(&mut self) {
        if let Some(mut record) = self.record.take() {
            record.complete();
        }
    }
}

impl Body for ReplyBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = self.get_mut();
        let frame = match &mut this.source {
            Source::Ours(text) => text.take().map(|text| Ok(Frame::data(text))),
            Source::Upstream { body, filter } => {
                let mut frame = ready!(Pin::new(body).poll_frame(cx));
                if let Some(Ok(frame)) = &mut frame
                    && let Some(trailers) = frame.trailers_mut()
                {
                    filter(trailers);
                }
                frame
            }
            Source::Streamed(body) => ready!(Pin::new(body).poll_frame(cx)),
        };
        match frame {
            Some(Ok(frame)) => {
                this.note(&frame);
                Poll::Ready(Some(Ok(frame)))
            }
            Some(Err(error)) => {
                this.record = None;
                Poll::Ready(Some(Err(error)))
            }
            None => {
                this.close();
                Poll::Ready(None)
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.source {
            Source::Ours(text) => text.is_none(),
            Source::Upstream { body, .. } => body.is_end_stream(),
            Source::Streamed(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.source {
            Source::Ours(text) => SizeHint::with_exact(text.as_ref().map_or(0, |text| text.len() as u64)),
            Source::Upstream { body, .. } => body.size_hint(),
            Source::Streamed(body) => body.size_hint(),
        }
    }
}

impl fmt::Debug for ReplyBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReplyBody").field("size", &self.size_hint()).finish_non_exhaustive()
    }
}
