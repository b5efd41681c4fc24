//! `Client`: the one way to an upstream. Pooled, HTTP/1.1, plain or TLS.
//!
//! Everything that can be measured and may change (the pool, the HTTP engine)
//! stands behind this type. Redirects are never followed. A pooled connection
//! that the upstream had closed does not show, as far as RFC 9110 9.2.2 lets a
//! request be sent again:
//!
//! 1. the request never left (hyper gives it back): sent on a new connection;
//! 2. the connection had been used before, no byte of an answer came, the method
//!    is idempotent and there is no body, or none that was asked for: sent again, once, on a new connection;
//! 3. anything else is reported.
//!
//! A response of an HTTP/1.0 upstream ends its connection: hyper would speak
//! HTTP/1.0 to it from then on and lose bodies of unknown length.

use std::error::Error as StdError;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use http::{HeaderMap, Method, Request, Response, Uri, Version};
use http_body::Body as _;
use hyper::body::Incoming;
use hyper::client::conn::TrySendError;
use hyper::client::conn::http1::{self, SendRequest};
use tokio::time::timeout;
use tracing::debug;

mod body;
mod connect;
mod expect;
mod pool;
mod settings;
mod tls;

pub use body::RequestBody;
pub use body::RequestBodyError;
pub use body::ResponseBody;
pub use body::{BodyError, Progress, TrailerFilter};
pub use connect::ConnectError;
pub use expect::Placeholder;
pub use settings::{ClientCertificate, ProxySettings, Resolve, Settings, TlsSettings};
pub use tls::TlsSetupError;

use crate::catalog::EndpointUrl;
use body::Silence;
use connect::Connector;
use expect::{CONTINUE_WAIT, Withheld};
use pool::{Lease, Origin, PoolId};

/// Why the client could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// Certificates, keys or roots.
    #[error(transparent)]
    Tls(#[from] TlsSetupError),
    /// A proxy on the way of a kind that we cannot speak to.
    #[error("{variable} names a proxy of scheme {scheme}; only http:// proxies can be used")]
    ProxyScheme {
        /// The variable.
        variable: &'static str,
        /// What stands before `://` in it.
        scheme: String,
    },
    /// A proxy's URL that cannot be read; it is not shown, since it may hold a password.
    #[error("{variable} is not a URL of the form http://host:port")]
    ProxyUrl {
        /// The variable.
        variable: &'static str,
    },
}

/// Why a request got no response.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// There was no connection.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The upstream closed or reset the connection before it answered.
    #[error("the upstream closed the connection without an answer")]
    Closed(#[source] hyper::Error),
    /// What came back is not HTTP.
    #[error("the upstream's answer is not valid HTTP")]
    Malformed(#[source] hyper::Error),
    /// The client's own body ended before it was whole, so the upstream never got all of it.
    #[error("the client cut its request short")]
    RequestCut(#[source] hyper::Error),
    /// No answer, and no progress of the request's body, for too long.
    #[error("the upstream did not answer within {} s", .0.as_secs())]
    TimedOut(Duration),
}

/// Sends requests to upstreams. Cheap to clone; each thread has its own idle connections.
#[derive(Clone, Debug)]
pub struct Client {
    pool: PoolId,
    connector: Connector,
    http: http1::Builder,
    settings: Arc<Settings>,
}

impl Client {
    /// Reads certificates and prepares TLS; opens no connection.
    pub fn new(settings: &Settings) -> Result<Self, SetupError> {
        let mut http = http1::Builder::new();
        // Swift may answer with 90 metadata fields beside its own; hyper stops at 100.
        http.max_headers(MOST_FIELDS).max_header_size(LARGEST_HEAD_BYTES).max_buf_size(READ_BUFFER_BYTES);
        Ok(Self {
            pool: PoolId::unique(),
            connector: Connector::new(settings)?,
            http,
            settings: Arc::new(settings.clone()),
        })
    }

    /// Sends `request` (origin-form target, `Host` set) to the origin of `upstream`,
    /// and returns the head of the response as soon as it is there.
    pub async fn send(
        &self,
        upstream: &EndpointUrl,
        request: Request<RequestBody>,
    ) -> Result<Response<ResponseBody>, SendError> {
        let origin = Origin { scheme: upstream.scheme.clone(), authority: upstream.authority.clone() };
        let mut request = request;
        let withheld = Withheld::take_from(&mut request);
        if let Some(sender) = pool::take(self.pool, &origin) {
            let again = SecondTry::of(&request, withheld.as_ref());
            match self.exchange(sender, &origin, request, withheld.as_ref()).await {
                Ok(response) => return Ok(response),
                Err(failure) => {
                    request = failure.into_second_try(again)?;
                    debug!(upstream = %origin.authority, "a pooled connection was stale");
                }
            }
        }
        let sender = self.open(&origin).await?;
        let outcome = self.exchange(sender, &origin, request, withheld.as_ref()).await;
        outcome.map_err(|failure| failure.error)
    }

    /// Drops connections that have been idle for too long, on this thread.
    pub fn sweep(&self) {
        pool::sweep(self.pool);
    }

    async fn open(&self, origin: &Origin) -> Result<SendRequest<RequestBody>, SendError> {
        let stream = self.connector.connect(origin).await?;
        let (sender, connection) = self.http.handshake(stream).await.map_err(SendError::Closed)?;
        let authority = origin.authority.clone();
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                debug!(upstream = %authority, %error, "an upstream connection ended");
            }
        });
        Ok(sender)
    }

    /// One request and the head of its response on one connection.
    async fn exchange(
        &self,
        mut sender: SendRequest<RequestBody>,
        origin: &Origin,
        request: Request<RequestBody>,
        withheld: Option<&Withheld>,
    ) -> Result<Response<ResponseBody>, Unsent> {
        let progress = request.body().progress();
        let mut silence = Silence::new(self.settings.response_timeout);
        let answer = sender.try_send_request(request);
        let answer = await_head(answer, &mut silence, progress, withheld).await;
        let response = match answer {
            Ok(answer) => answer.map_err(|mut failed| Unsent {
                request: failed.take_message(),
                error: classify(failed.into_error()),
            })?,
            Err(limit) => return Err(Unsent { request: None, error: SendError::TimedOut(limit) }),
        };
        let withheld = withheld.filter(|withheld| withheld.is_kept()).cloned();
        let may_serve_again = response.version() != Version::HTTP_10 && withheld.is_none();
        let lease = may_serve_again.then(|| Lease {
            pool: self.pool,
            origin: origin.clone(),
            sender,
            keep_for: self.settings.idle_timeout,
        });
        Ok(response.map(|incoming| ResponseBody::new(incoming, lease, silence, withheld)))
    }
}

/// Field lines in a response's head.
const MOST_FIELDS: usize = 512;
/// Bytes in a response's head: 90 metadata fields of Swift may be 4 KiB in all, but proxies add.
const LARGEST_HEAD_BYTES: usize = 256 * 1024;
/// Bytes read at once. More is faster for large objects, and a stalled download
/// holds about four of these (measured; see the server's own).
const READ_BUFFER_BYTES: usize = 384 * 1024;

type Answer = Result<Response<Incoming>, TrySendError<Request<RequestBody>>>;

/// Waits for the head, as long as it comes or the request's body moves.
async fn await_head(
    answer: impl Future<Output = Answer>,
    silence: &mut Silence,
    progress: Option<Progress>,
    withheld: Option<&Withheld>,
) -> Result<Answer, Duration> {
    let mut answer = pin!(answer);
    if let Some(withheld) = withheld {
        match timeout(CONTINUE_WAIT, answer.as_mut()).await {
            Ok(answer) => return Ok(answer),
            Err(_) => withheld.hand_over(),
        }
    }
    let mut seen = 0;
    poll_fn(|cx| {
        if let Poll::Ready(answer) = answer.as_mut().poll(cx) {
            silence.note_progress();
            return Poll::Ready(Ok(answer));
        }
        loop {
            let Poll::Ready(limit) = silence.poll(cx) else { return Poll::Pending };
            let passed = progress.as_ref().map_or(0, Progress::bytes);
            let is_clients_turn = progress.as_ref().is_some_and(Progress::client_is_silent);
            if passed == seen && !is_clients_turn {
                return Poll::Ready(Err(limit));
            }
            seen = passed;
            silence.note_progress();
        }
    })
    .await
}

/// A request that got no answer, with the request itself if it never left.
struct Unsent {
    request: Option<Request<RequestBody>>,
    error: SendError,
}

impl Unsent {
    /// The request to send on a new connection, or the error if that would not be right.
    fn into_second_try(self, again: Option<SecondTry>) -> Result<Request<RequestBody>, SendError> {
        match (self.request, &self.error, again) {
            (Some(request), _, _) => Ok(request),
            (None, SendError::Closed(_), Some(again)) => again.into_request().ok_or(self.error),
            (None, _, _) => Err(self.error),
        }
    }
}

/// What is needed to send a request once more whose body is empty or has not been touched.
struct SecondTry {
    withheld: Option<Withheld>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
}

impl SecondTry {
    fn of(request: &Request<RequestBody>, withheld: Option<&Withheld>) -> Option<Self> {
        let is_whole = request.body().is_end_stream() || withheld.is_some();
        let may_repeat = request.method().is_idempotent() && is_whole;
        may_repeat.then(|| Self {
            withheld: withheld.cloned(),
            method: request.method().clone(),
            uri: request.uri().clone(),
            headers: request.headers().clone(),
        })
    }

    /// `None` if a body that was withheld has gone to the upstream after all.
    fn into_request(self) -> Option<Request<RequestBody>> {
        let mut request = Request::new(RequestBody::Empty);
        *request.method_mut() = self.method;
        *request.uri_mut() = self.uri;
        *request.headers_mut() = self.headers;
        match self.withheld {
            Some(withheld) => withheld.stand_in(&mut request).then_some(request),
            None => Some(request),
        }
    }
}

fn classify(error: hyper::Error) -> SendError {
    if error.is_parse() {
        SendError::Malformed(error)
    } else if cause_is_a_body(&error) {
        SendError::RequestCut(error)
    } else {
        SendError::Closed(error)
    }
}

/// Whether the error came out of the request's body rather than off the upstream's socket.
fn cause_is_a_body(error: &hyper::Error) -> bool {
    let mut cause = error.source();
    while let Some(error) = cause {
        if error.is::<RequestBodyError>() {
            return true;
        }
        cause = error.source();
    }
    false
}
