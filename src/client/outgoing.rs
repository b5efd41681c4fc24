//! `Outgoing`: a request in borrowed parts, so that it can be sent several times.

use std::fmt;
use std::sync::Arc;

use http::header::{EXPECT, HeaderValue};
use http::uri::PathAndQuery;
use http::{HeaderMap, Method, Request, StatusCode, Uri};

use super::body::RequestBody;
use super::expect::Expectation;
use super::upload::{Gate, Turn, Upload};
use crate::spelling::Spelling;

/// Takes interim responses (RFC 9110 15.2) as they come.
pub trait Interim: Send + Sync {
    /// One of them, a 100 too; it has no body.
    fn pass(&self, status: StatusCode, headers: &HeaderMap);
}

/// A request as it is to leave. Each try clones the header map once.
#[derive(Clone, Copy)]
pub struct Outgoing<'a> {
    /// The method.
    pub method: &'a Method,
    /// The request target, in origin-form.
    pub target: &'a PathAndQuery,
    /// All of its fields: stripped, framed by the body, and with `Host` and token set
    /// as the last of all. What is marked sensitive stays so.
    pub headers: &'a HeaderMap,
    /// The client's body, if there is one.
    pub body: Option<&'a Upload>,
    /// The letters of its names as they came, if they are known.
    pub spelling: Option<&'a Spelling>,
    /// Fields that `headers` cannot hold, each a whole line.
    pub lines: Option<&'a [u8]>,
    /// Who wants interim responses, if anyone does.
    pub interim: Option<&'a Arc<dyn Interim>>,
}

impl fmt::Debug for Outgoing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outgoing")
            .field("method", self.method)
            .field("target", self.target)
            .finish_non_exhaustive()
    }
}

impl Outgoing<'_> {
    /// Whether the client expects to be told to go on.
    pub(super) fn expects(&self) -> bool {
        self.headers.contains_key(EXPECT)
    }

    /// Whether there is no body, or one that can begin (once more).
    pub(super) fn can_begin_again(&self) -> bool {
        self.body.is_none_or(Upload::can_begin_again)
    }

    /// The request for one try; nothing if its body has gone.
    pub(super) fn attempt(&self, expectation: Expectation) -> Option<Attempt> {
        let (body, turn) = match self.body {
            None => (RequestBody::Empty, None),
            Some(upload) => {
                let gate = if expectation == Expectation::None { Gate::None } else { Gate::Closed };
                let reader = upload.begin(gate)?;
                let turn = reader.turn();
                (RequestBody::Upload(reader), Some(turn))
            }
        };
        let mut request = Request::new(body);
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = Uri::from(self.target.clone());
        *request.headers_mut() = self.headers.clone();
        if expectation == Expectation::Ours {
            request.headers_mut().insert(EXPECT, HeaderValue::from_static("100-continue"));
        }
        if let Some(turn) = turn.clone() {
            hyper::ext::on_informational(&mut request, move |response| {
                if response.status() == StatusCode::CONTINUE {
                    turn.ask();
                }
            });
        }
        let beside = Beside { turn, spelling: self.spelling.cloned(), interim: self.interim.cloned() };
        Some(Attempt { request: Some(request), beside, lines: self.lines.map(<[u8]>::to_vec) })
    }
}

/// A request on its way.
pub(super) struct Attempt {
    /// Until it leaves.
    pub(super) request: Option<Request<RequestBody>>,
    pub(super) beside: Beside,
    /// Fields beside the request's own. A request that has any gets a connection to itself.
    pub(super) lines: Option<Vec<u8>>,
}

/// What a request has that is not in it.
#[derive(Default)]
pub(super) struct Beside {
    /// The pass over its body, if it has one.
    pub(super) turn: Option<Turn>,
    /// The letters of its names as they came, if they are known.
    pub(super) spelling: Option<Spelling>,
    /// Who wants interim responses, if anyone does.
    pub(super) interim: Option<Arc<dyn Interim>>,
}

impl Attempt {
    /// A request of our own.
    pub(super) fn of(request: Request<RequestBody>) -> Self {
        Self { request: Some(request), beside: Beside::default(), lines: None }
    }
}
