//! What every embedded service is.

use std::fmt::Debug;
use std::future::Future;
use std::pin::Pin;

use http::Request;
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
