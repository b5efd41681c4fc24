//! `Client`: the one way to an upstream. Pooled, HTTP/1.1, plain or TLS.
//!
//! Everything that can be measured and may change (the pool, the HTTP engine)
//! stands behind this type. Redirects are never followed. A pooled connection
//! that the upstream had closed does not show, as far as RFC 9110 9.2.2 lets a
//! request be sent again:
//!
//! 1. the request never left (hyper gives it back): sent on a new connection;
//! 2. the connection had been used before, no byte of an answer came, the method is
//!    idempotent, and there is no body or one that can begin again (see [`Upload`]):
//!    sent again, once, on a new connection;
//! 3. anything else is reported.
//!
//! A request is put together for each try from borrowed parts ([`Outgoing`]), so
//! that whoever calls can send it once more: with another token, or elsewhere.
//!
//! An upstream that answers without success before it has all of a body gets no more of
//! it: its answer is read to its end, then the connection is closed.
//!
//! A response of an HTTP/1.0 upstream ends its connection: hyper would speak
//! HTTP/1.0 to it from then on and lose bodies of unknown length.

use std::error::Error as StdError;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use http::{Request, Response, StatusCode, Version};
use http_body::Body as _;
use hyper::body::Incoming;
use hyper::client::conn::TrySendError;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep, timeout};
use tracing::debug;

mod addresses;
mod body;
mod connect;
mod expect;
mod outgoing;
mod pool;
mod progress;
mod settings;
mod socket;
mod tap;
mod tls;
mod upload;

pub use body::BodyError;
pub use body::RequestBody;
pub use body::RequestBodyError;
pub use body::ResponseBody;
pub use connect::ConnectError;
pub use outgoing::{Interim, Outgoing};
pub use progress::Progress;
pub use settings::{ClientCertificate, ProxySettings, Resolve, Settings, TlsSettings};
pub use tls::TlsSetupError;
pub use upload::{Reader, TrailerFilter, Upload};

use crate::catalog::EndpointUrl;
use crate::in_transit;
use connect::Connector;
use expect::{CONTINUE_WAIT, Expectation, Ignorant};
use outgoing::{Attempt, Beside};
use pool::{Link, Origin, PoolId};
use progress::{Silence, Silent};
use tap::{Heads, Tap};
use upload::{Gate, Turn, Unasked};

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
    /// The response is in a transfer coding other than `chunked`.
    #[error("the upstream's answer has a transfer coding other than chunked")]
    Coding,
    /// The client's own body ended before it was whole, so the upstream never got all of it.
    #[error("the client cut its request short")]
    RequestCut(#[source] hyper::Error),
    /// The request's body has gone to an upstream and is not kept; see [`Upload::can_begin_again`].
    #[error("the request's body cannot be sent again")]
    BodySpent,
    /// The client sent nothing of the rest of its body for too long.
    #[error("the client sent nothing of the rest of its request for {} s", .0.as_secs())]
    ClientSilent(Duration),
    /// No answer, and no progress of the request's body, for too long.
    #[error("the upstream did not answer within {} s", .0.as_secs())]
    TimedOut(Duration),
}

impl From<Silent> for SendError {
    fn from(silent: Silent) -> Self {
        match silent {
            Silent::Client(limit) => Self::ClientSilent(limit),
            Silent::Upstream(limit) => Self::TimedOut(limit),
        }
    }
}

/// Sends requests to upstreams. Cheap to clone; each thread has its own idle connections.
#[derive(Clone, Debug)]
pub struct Client {
    pool: PoolId,
    connector: Connector,
    http: http1::Builder,
    settings: Arc<Settings>,
    ignorant: Ignorant,
}

impl Client {
    /// Reads certificates and prepares TLS; opens no connection.
    pub fn new(settings: &Settings) -> Result<Self, SetupError> {
        let mut http = http1::Builder::new();
        // Swift may answer with 90 metadata fields beside its own; hyper stops at 100.
        http.max_headers(MOST_FIELDS)
            .max_header_size(LARGEST_HEAD_BYTES)
            .max_buf_size(in_transit::LARGE_BYTES as usize);
        Ok(Self {
            pool: PoolId::unique(),
            connector: Connector::new(settings)?,
            http,
            settings: Arc::new(settings.clone()),
            ignorant: Ignorant::default(),
        })
    }

    /// Sends `request` to the origin of `upstream`, and returns the head of the
    /// response as soon as it is there. As long as the body can begin again, the same
    /// request may be sent once more, whatever came of it before; what was left of an
    /// earlier response then ends.
    pub async fn forward(
        &self,
        upstream: &EndpointUrl,
        request: &Outgoing<'_>,
    ) -> Result<Response<ResponseBody>, SendError> {
        let origin = Origin::of(upstream);
        let expectation = self.expectation(&origin, request);
        let response = self.try_forward(&origin, request, expectation).await?;
        if response.status() != StatusCode::EXPECTATION_FAILED || expectation != Expectation::Ours {
            return Ok(response);
        }
        self.ignorant.note(&origin);
        if !request.can_begin_again() {
            return Ok(response);
        }
        drop(response);
        Box::pin(self.try_forward(&origin, request, Expectation::None)).await
    }

    /// Sends a request of our own (origin-form target, `Host` set) in the same way.
    pub async fn send(
        &self,
        upstream: &EndpointUrl,
        request: Request<RequestBody>,
    ) -> Result<Response<ResponseBody>, SendError> {
        let (head, body) = request.into_parts();
        let may_repeat = head.method.is_idempotent() && body.is_end_stream();
        let attempt = |body| Attempt::of(Request::from_parts(head.clone(), body));
        let again = || may_repeat.then(|| attempt(RequestBody::Empty));
        self.deliver(&Origin::of(upstream), &mut attempt(body), again).await
    }

    fn expectation(&self, origin: &Origin, request: &Outgoing<'_>) -> Expectation {
        match request.body {
            None => Expectation::None,
            Some(_) if request.expects() => Expectation::Clients,
            Some(upload) if upload.may_be_spent() && !self.ignorant.has(origin) => Expectation::Ours,
            Some(_) => Expectation::None,
        }
    }

    async fn try_forward(
        &self,
        origin: &Origin,
        request: &Outgoing<'_>,
        expectation: Expectation,
    ) -> Result<Response<ResponseBody>, SendError> {
        let mut attempt = request.attempt(expectation).ok_or(SendError::BodySpent)?;
        let again = || request.method.is_idempotent().then(|| request.attempt(expectation)).flatten();
        self.deliver(origin, &mut attempt, again).await
    }

    /// Sends `attempt` on a pooled connection if there is one, else on a new one. If that
    /// was stale, the attempt is sent on a new one: itself if it came back, or `again`.
    async fn deliver(
        &self,
        origin: &Origin,
        attempt: &mut Attempt,
        again: impl FnOnce() -> Option<Attempt>,
    ) -> Result<Response<ResponseBody>, SendError> {
        let now = Instant::now();
        let pooled = if attempt.lines.is_none() { pool::take(self.pool, origin, now) } else { None };
        if let Some(link) = pooled {
            match self.exchange(link, origin, attempt, now).await {
                Ok(response) => return Ok(response),
                Err(failure) => {
                    failure.note(self.pool, origin);
                    failure.prepare_second_try(attempt, again)?;
                }
            }
            debug!(upstream = %origin.authority, "a pooled connection was stale");
        }
        // Boxed, so that a request on a pooled connection carries nothing of it.
        let link = Box::pin(self.open(origin, attempt.lines.take())).await?;
        self.exchange(link, origin, attempt, Instant::now()).await.map_err(|failure| {
            failure.note(self.pool, origin);
            failure.error
        })
    }

    /// Drops connections that have been idle for too long, on this thread, of all clients: those before the settings changed
    /// as well.
    pub fn sweep() {
        pool::sweep();
    }

    async fn open(&self, origin: &Origin, lines: Option<Vec<u8>>) -> Result<Link, SendError> {
        let stream = self.connector.connect(origin).await?;
        let heads = Arc::<Heads>::default();
        let keeps_letters = self.settings.preserve_header_case;
        let io = TokioIo::new(Tap::new(TokioIo::new(stream), Arc::clone(&heads), lines, keeps_letters));
        let (sender, connection) = self.http.handshake(io).await.map_err(SendError::Closed)?;
        let connection = connection.with_upgrades();
        let authority = origin.authority.clone();
        let (hold, released) = oneshot::channel();
        let (written, limit) = (Arc::clone(&heads), self.settings.body_timeout);
        tokio::spawn(async move {
            tokio::select! {
                ended = connection => if let Err(error) = ended {
                    debug!(upstream = %authority, %error, "an upstream connection ended");
                },
                () = stuck(released, &written, limit) => {
                    debug!(upstream = %authority, "an upstream took nothing of what was left for it");
                }
            }
        });
        Ok(Link::new(self.pool, origin, sender, heads, hold, self.settings.idle_timeout))
    }

    /// One request and the head of its response on one connection. The request is back in `attempt` if it never left.
    async fn exchange(
        &self,
        mut link: Link,
        origin: &Origin,
        attempt: &mut Attempt,
        now: Instant,
    ) -> Result<Response<ResponseBody>, Unanswered> {
        let Attempt { request, beside: Beside { turn, spelling, interim }, .. } = attempt;
        let progress = request.as_ref().and_then(|request| request.body().progress());
        let mut silence = Silence::new(&self.settings, progress, link.timer.take(), now);
        let letters = self.settings.preserve_header_case.then(|| spelling.clone().into());
        link.heads.expect(letters, interim.clone());
        let answer = {
            // Not a variable: it would stay in the future.
            let answer = pin!(link.sender.try_send_request(request.take().ok_or_else(Unanswered::spent)?));
            await_head(answer, &mut silence, turn.as_ref()).await
        };
        let mut response = match answer {
            Ok(answer) => answer.map_err(|mut failed| {
                attempt.request = failed.take_message();
                Unanswered { has_begun: link.heads.has_begun(), error: classify(failed.into_error()) }
            })?,
            Err(silent) => return Err(Unanswered::with(silent.into())),
        };
        let turn = &attempt.beside.turn;
        silence.head_came();
        let came = link.heads.came();
        if let Some(names) = came.names {
            response.extensions_mut().insert(names);
        }
        if let Some(turn) = turn {
            self.ignorant.learn(origin, turn, response.status());
            if response.status().is_success() {
                turn.keep_on();
            } else {
                // What is refused, or wanted elsewhere, needs no more of the body here (RFC 9112 9.3).
                turn.stop();
            }
        }
        let unasked = turn.as_ref().and_then(Unasked::of);
        let is_clear = framing_is_clear(&response).map_err(Unanswered::with)?;
        let may_serve_again = is_clear
            && response.version() != Version::HTTP_10
            && response.status() != StatusCode::SWITCHING_PROTOCOLS
            && unasked.is_none();
        let link = if may_serve_again { Ok(link) } else { Err(link.into_hold()) };
        Ok(response.map(|incoming| ResponseBody::new(incoming, link, silence, unasked, came.spelling)))
    }
}

/// Field lines in a response's head.
const MOST_FIELDS: usize = 512;
/// Bytes in a response's head: 90 metadata fields of Swift may be 4 KiB in all, but proxies add.
const LARGEST_HEAD_BYTES: usize = 256 * 1024;

/// Returns once nobody holds a connection any more and nothing has been written to it for `limit`: hyper ends none
/// before all that it has buffered is written, and waits for that however long.
async fn stuck(released: oneshot::Receiver<()>, heads: &Heads, limit: Duration) {
    _ = released.await;
    loop {
        let before = heads.written();
        sleep(limit).await;
        if heads.written() == before {
            return;
        }
    }
}

type Answer = Result<Response<Incoming>, TrySendError<Request<RequestBody>>>;

/// Whether the response says in one way alone where it ends (RFC 9112 6.3). With a length beside chunks the
/// chunks count, and the connection serves no other request; other codings we could only pass on as they are,
/// which is refused.
fn framing_is_clear(response: &Response<Incoming>) -> Result<bool, SendError> {
    let headers = response.headers();
    let mut codings = headers.get_all(TRANSFER_ENCODING).iter();
    match (codings.next(), codings.next()) {
        (None, _) => Ok(true),
        (Some(coding), None) if coding.as_bytes().eq_ignore_ascii_case(b"chunked") => {
            Ok(!headers.contains_key(CONTENT_LENGTH))
        }
        (Some(_), _) => Err(SendError::Coding),
    }
}

/// Waits for the head, as long as it comes or the request's body moves.
async fn await_head(
    mut answer: Pin<&mut impl Future<Output = Answer>>,
    silence: &mut Silence,
    turn: Option<&Turn>,
) -> Result<Answer, Silent> {
    if let Some(turn) = turn.filter(|turn| turn.gate() == Gate::Closed) {
        match Box::pin(timeout(CONTINUE_WAIT, answer.as_mut())).await {
            Ok(answer) => return Ok(answer),
            Err(_) => turn.let_go(),
        }
    }
    poll_fn(|cx| match answer.as_mut().poll(cx) {
        Poll::Ready(answer) => Poll::Ready(Ok(answer)),
        Poll::Pending => silence.poll(cx).map(Err),
    })
    .await
}

/// Why a request got no answer.
struct Unanswered {
    /// Whether something of an answer came: whatever was wrong, the connection was not stale.
    has_begun: bool,
    error: SendError,
}

impl Unanswered {
    /// For a reason that has nothing to do with how old the connection was.
    fn with(error: SendError) -> Self {
        Self { has_begun: true, error }
    }

    /// The request has left before.
    fn spent() -> Self {
        Self::with(SendError::BodySpent)
    }

    /// That there was no answer is a bad sign for the other connections to `origin`.
    fn note(&self, pool: PoolId, origin: &Origin) {
        if matches!(self.error, SendError::Closed(_) | SendError::TimedOut(_)) {
            pool::distrust(pool, origin);
        }
    }

    /// Makes `attempt` what to send on a new connection, or gives the error if that would not be right.
    fn prepare_second_try(
        self,
        attempt: &mut Attempt,
        again: impl FnOnce() -> Option<Attempt>,
    ) -> Result<(), SendError> {
        if attempt.request.is_some() {
            return Ok(());
        }
        if self.has_begun || !matches!(self.error, SendError::Closed(_)) {
            return Err(self.error);
        }
        *attempt = again().ok_or(self.error)?;
        Ok(())
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

/// Whether the error came out of the client's body rather than off the upstream's socket.
fn cause_is_a_body(error: &hyper::Error) -> bool {
    let mut cause = error.source();
    while let Some(error) = cause {
        if matches!(error.downcast_ref(), Some(RequestBodyError::Cut(_))) {
            return true;
        }
        cause = error.source();
    }
    false
}
