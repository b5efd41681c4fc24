//! The page's news, as server-sent events (HTML Living Standard, 9.2): a view each time the page's clock ticks or the token
//! changes, for as long as somebody looks and the proxy is not about to stop.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderValue, Response};
use http_body::{Body, Frame};

use crate::client::BodyError;
use crate::reply::ReplyBody;

/// Marks a response that goes on for as long as somebody looks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Watching;

/// How soon a browser tries again when the stream has ended.
const RETRY: Duration = Duration::from_secs(2);

/// What gives the data of one event after the other; nothing is the end.
pub(crate) trait Source: Send + Unpin + 'static {
    /// The next one's.
    fn next(&mut self) -> impl Future<Output = Option<String>> + Send;
}

/// A response that tells the news of `source`.
pub(crate) fn stream(source: impl Source) -> Response<ReplyBody> {
    let mut response = Response::new(ReplyBody::streamed(Events::new(source)));
    let fields = response.headers_mut();
    fields.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    fields.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    fields.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response.extensions_mut().insert(Watching);
    response
}

type Next<S> = Pin<Box<dyn Future<Output = (S, Option<String>)> + Send>>;

struct Events<S> {
    next: Option<Next<S>>,
    is_first: bool,
}

impl<S: Source> Events<S> {
    fn new(source: S) -> Self {
        Self { next: Some(next(source)), is_first: true }
    }
}

fn next<S: Source>(mut source: S) -> Next<S> {
    Box::pin(async move {
        let data = source.next().await;
        (source, data)
    })
}

impl<S: Source> Body for Events<S> {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let Some(waiting) = &mut self.next else { return Poll::Ready(None) };
        let (source, data) = ready!(waiting.as_mut().poll(cx));
        let Some(data) = data else {
            self.next = None;
            return Poll::Ready(None);
        };
        self.next = Some(next(source));
        let first = std::mem::take(&mut self.is_first);
        let retry = if first { format!("retry: {}\n", RETRY.as_millis()) } else { String::new() };
        // The data is JSON without a line break.
        Poll::Ready(Some(Ok(Frame::data(format!("{retry}data: {data}\n\n").into()))))
    }
}

/// For tests: so many, and no more.
#[cfg(test)]
impl Source for std::vec::IntoIter<String> {
    async fn next(&mut self) -> Option<String> {
        Iterator::next(self)
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt as _;

    use super::*;

    #[tokio::test]
    async fn each_is_an_event_and_the_first_says_when_to_come_back() {
        let mut response = stream(vec!["1".to_owned(), "{}".to_owned()].into_iter());
        assert_eq!(response.headers()[CONTENT_TYPE], "text/event-stream");
        for expected in ["retry: 2000\ndata: 1\n\n", "data: {}\n\n"] {
            let frame = response.body_mut().frame().await.unwrap().unwrap();
            assert_eq!(frame.into_data().unwrap(), expected);
        }
        assert!(response.body_mut().frame().await.is_none());
    }
}
