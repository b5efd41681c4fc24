//! Replies of the embedded services, and their bodies.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Response, StatusCode};
use http_body::{Body, Frame, SizeHint};
use http_body_util::{BodyExt as _, Full, combinators::UnsyncBoxBody};
use serde_json::Value;

/// A response of a service.
pub(super) type Reply = Response<ReplyBody>;

/// Its body; an error breaks the connection.
pub(super) type ReplyBody = UnsyncBoxBody<Bytes, Broken>;

/// The connection is to break here.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the connection is broken off, as was asked for")]
pub(super) struct Broken;

/// A body that is at hand.
pub(super) fn full(bytes: impl Into<Bytes>) -> ReplyBody {
    Full::new(bytes.into()).map_err(|never| match never {}).boxed_unsync()
}

/// A body that is at hand, but whose length is not told before.
pub(super) fn streamed(bytes: impl Into<Bytes>) -> ReplyBody {
    Streamed(Some(bytes.into())).boxed_unsync()
}

/// A reply with nothing in it.
pub(super) fn empty(status: StatusCode) -> Reply {
    with_body(status, Bytes::new())
}

/// A reply with `application/json`.
pub(super) fn json(status: StatusCode, body: &Value) -> Reply {
    typed(status, "application/json", body.to_string())
}

/// A reply with this media type.
pub(super) fn typed(status: StatusCode, media_type: &'static str, body: impl Into<Bytes>) -> Reply {
    let mut reply = with_body(status, body);
    reply.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    reply
}

fn with_body(status: StatusCode, body: impl Into<Bytes>) -> Reply {
    let mut reply = Response::new(full(body));
    *reply.status_mut() = status;
    reply
}

/// `reply` with a body that breaks off after `after` bytes, though its head says how long it is.
pub(super) fn cut(reply: Reply, after: u64) -> Reply {
    reply.map(|body| Cut { body, left: after }.boxed_unsync())
}

struct Streamed(Option<Bytes>);

impl Body for Streamed {
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        Poll::Ready(self.get_mut().0.take().map(|bytes| Ok(Frame::data(bytes))))
    }
}

struct Cut {
    body: ReplyBody,
    left: u64,
}

impl Body for Cut {
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        let this = self.get_mut();
        if this.left == 0 {
            return Poll::Ready(Some(Err(Broken)));
        }
        let Some(frame) = ready!(Pin::new(&mut this.body).poll_frame(cx)) else {
            return Poll::Ready(Some(Err(Broken)));
        };
        let Ok(mut data) = frame?.into_data() else { return Poll::Ready(Some(Err(Broken))) };
        data.truncate(usize::try_from(this.left).unwrap_or(usize::MAX));
        this.left -= data.len() as u64;
        Poll::Ready(Some(Ok(Frame::data(data))))
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
