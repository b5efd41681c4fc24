//! What every embedded service is.

use std::fmt::Debug;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use http::Request;
use http_body_util::BodyExt as _;
use hyper::body::Incoming;

use super::reply::Reply;

/// Something that answers requests; each has its own state behind short locks.
///
/// A body that is asked for is announced with `100 Continue` when the client waits for one: services
/// look at the head first, and read what they have decided to take.
pub(super) trait Service: Debug + Send + Sync + 'static {
    /// Answers one request, whatever comes.
    fn answer(&self, request: Request<Incoming>) -> Answer<'_>;
}

/// A reply to come.
pub(super) type Answer<'a> = Pin<Box<dyn Future<Output = Reply> + Send + 'a>>;

/// Throws away the rest of a body that nobody wants: a client that has not waited to be asked has sent it, and
/// reads the reply only then. Closing on it could cost the client the reply.
pub(super) fn discard(mut body: Incoming) {
    tokio::spawn(async move {
        let rest = async { while let Some(Ok(_)) = body.frame().await {} };
        // Dropped, it ends the connection.
        let _ = tokio::time::timeout(PATIENCE, rest).await;
    });
}

/// How long the rest of a body is thrown away before its connection is given up.
const PATIENCE: Duration = Duration::from_secs(60);
