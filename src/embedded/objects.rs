//! The object store, as Swift answers.
//!
//! ```text
//! Objects ─► path (what it is about) ─► tempurl, auth (who asks) ─► account, container, object
//!              object     upload, copy, slo, dlo ─► state (accounts, containers, objects) ─► data (bytes)
//!                         download ─► conditional, range ─► content (the body as it streams)
//!              listing    pages of names ─► render (text, JSON, XML)
//! ```
//!
//! Heads are judged before bodies are read, so that a client that waits for `100 Continue` never sends what is not
//! taken. Every byte that is kept is counted by `store::Room`.
//!
//! It has no versions of objects, no symbolic links, quotas, forms, static web pages, archives to unpack or
//! synchronisation, and does not say in `/info` that it has. Segments of a large object that are dynamic large
//! objects themselves are taken as they are stored.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_LENGTH, EXPECT};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode};
use http_body::Body as _;
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::ext::ReasonPhrase;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

mod accept;
mod account;
mod auth;
mod bulk;
mod conditional;
mod container;
mod content;
mod copy;
mod dlo;
mod download;
mod info;
mod json;
mod listing;
mod metadata;
mod object;
mod path;
mod query;
mod refusal;
mod render;
mod report;
mod slo;
mod stamp;
mod state;
mod tempurl;
#[cfg(test)]
mod tests;
mod types;
mod upload;

use self::auth::{Act, Caller, Entry, Tokens};
use self::path::Target;
use self::query::Query;
use self::refusal::Refusal;
use self::stamp::Stamp;
use self::state::Store;
use super::catalog::Row;
use super::keystone::Keystone;
use super::reply::{Reply, full};
use super::service::{self, Answer, Service};
use super::store::{self, Room};
use super::time::Time;
use super::{data, range};

/// The service.
#[derive(Clone, Debug)]
pub(super) struct Objects(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    row: &'static Row,
    tokens: Arc<dyn Tokens>,
    /// Where callers without a token are sent.
    login: String,
    room: Room,
    time: Time,
    store: Mutex<Store>,
}

impl Inner {
    fn now(&self) -> Stamp {
        Stamp::from(self.time.now())
    }

    /// The store, without what has expired.
    fn store(&self) -> MutexGuard<'_, Store> {
        let mut store = self.store.lock().unwrap_or_else(PoisonError::into_inner);
        store.expire(self.now());
        store
    }
}

impl Objects {
    /// An empty store; `login` is Keystone's address, without a version.
    pub(super) fn new(
        row: &'static Row,
        keystone: Arc<Keystone>,
        login: String,
        room: Room,
        time: Time,
    ) -> Self {
        Self::with_tokens(row, keystone, login, room, time)
    }

    /// The same, for tests that make up who is behind a token.
    fn with_tokens(
        row: &'static Row,
        tokens: Arc<dyn Tokens>,
        login: String,
        room: Room,
        time: Time,
    ) -> Self {
        Self(Arc::new(Inner { row, tokens, login, room, time, store: Mutex::default() }))
    }
}

impl Service for Objects {
    fn answer(&self, request: Request<Incoming>) -> Answer<'_> {
        Box::pin(async move {
            let (head, body) = request.into_parts();
            let is_head = head.method == Method::HEAD;
            let waits = head.headers.contains_key(EXPECT);
            let mut inbox = Inbox::new(body);
            let outcome = match Ask::new(&self.0, &head) {
                Ok(ask) => ask.answer(&mut inbox).await,
                Err(refusal) => Err(refusal),
            };
            let mut reply = outcome.unwrap_or_else(|refusal| refusal.reply());
            inbox.close(waits, &mut reply);
            self.0.finish(reply, is_head)
        })
    }
}

impl Inner {
    /// What every reply has.
    fn finish(&self, mut reply: Reply, is_head: bool) -> Reply {
        let id = format!("tx{:021x}-{:010x}", fastrand::u128(..1 << 84), self.now().seconds());
        for name in ["x-trans-id", "x-openstack-request-id"] {
            download::set(reply.headers_mut(), HeaderName::from_static(name), &id);
        }
        // An error has nothing to say to HEAD, while an object has a length that is told.
        if is_head && !reply.headers().contains_key(CONTENT_LENGTH) {
            *reply.body_mut() = full(Bytes::new());
            reply.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
        }
        let reason = refusal::reason(reply.status());
        if Some(reason) != reply.status().canonical_reason() {
            reply.extensions_mut().insert(ReasonPhrase::from_static(reason.as_bytes()));
        }
        reply
    }
}

/// A request whose caller is known.
#[derive(Clone, Debug)]
struct Ask {
    inner: Arc<Inner>,
    method: Method,
    target: Target,
    query: Query,
    headers: HeaderMap,
    caller: Caller,
}

impl Ask {
    fn new(inner: &Arc<Inner>, head: &http::request::Parts) -> Result<Self, Refusal> {
        let caller = Caller::of(&head.headers, &*inner.tokens, &inner.login);
        let left_out = (!inner.row.is_of_a_project()).then(|| caller.own_account());
        let mut ask = Self {
            inner: Arc::clone(inner),
            method: head.method.clone(),
            target: path::target(head.uri.path(), inner.row.root(), left_out.as_deref())?,
            query: Query::new(head.uri.query().unwrap_or_default()),
            headers: head.headers.clone(),
            caller,
        };
        tempurl::admit(&mut ask)?;
        Ok(ask)
    }

    async fn answer(&self, inbox: &mut Inbox) -> Result<Reply, Refusal> {
        let is_temporary = matches!(self.caller, Caller::TempUrl(..));
        if !is_temporary && bulk::is_bulk_delete(self) {
            return bulk::delete(self, inbox).await;
        }
        match &self.target {
            Target::Info => info::info(self),
            Target::Healthcheck => Ok(info::healthcheck()),
            Target::Account(account) => account::answer(self, account),
            Target::Container(account, container) => container::answer(self, account, container),
            Target::Object(account, container, name) => {
                let place = object::Place { account, container, name };
                let reply = object::answer(self, place, inbox).await?;
                Ok(if is_temporary { tempurl::dress(self, name, reply) } else { reply })
            }
        }
    }

    /// A field that is text.
    fn field(&self, name: &str) -> Option<String> {
        metadata::joined(&self.headers, name)?.to_str().ok().map(str::to_owned)
    }

    /// Lets the caller into a container or not; `store` holds its access lists.
    fn enter(&self, store: &Store, account: &str, container: &str, act: Act) -> Result<Entry, Refusal> {
        let field = if act == Act::Write { "x-container-write" } else { "x-container-read" };
        let list = store.container(account, container).and_then(|container| container.access(field));
        self.caller.enter(account, Some(container), act, list, &self.headers)
    }

    /// Lets the owner in.
    fn enter_as_owner(&self, account: &str) -> Result<(), Refusal> {
        match self.caller.enter(account, None, Act::Write, None, &self.headers)? {
            Entry::Owner => Ok(()),
            Entry::Guest => Err(self.caller.denied(account)),
        }
    }
}

/// The body of a request.
#[derive(Debug)]
struct Inbox {
    body: Incoming,
    /// Whether all of it was read.
    is_over: bool,
}

impl Inbox {
    fn new(body: Incoming) -> Self {
        let is_over = body.is_end_stream();
        Self { body, is_over }
    }

    /// The next bytes, nothing at the end, an error where it is cut short.
    async fn next(&mut self) -> Result<Option<Bytes>, Refusal> {
        loop {
            match self.body.frame().await {
                None => {
                    self.is_over = true;
                    return Ok(None);
                }
                Some(Err(_)) => {
                    self.is_over = true;
                    // Nobody is there to read it.
                    return Err(Refusal::of(StatusCode::from_u16(499).unwrap_or(StatusCode::BAD_REQUEST)));
                }
                Some(Ok(frame)) => {
                    if let Ok(data) = frame.into_data() {
                        return Ok(Some(data));
                    }
                }
            }
        }
    }

    /// Sees to a body that nobody has read: a client that waits for `100 Continue` keeps it, that of any other
    /// is thrown away.
    fn close(self, waits: bool, reply: &mut Reply) {
        if self.is_over {
            return;
        }
        let is_endless =
            matches!(reply.status(), StatusCode::INSUFFICIENT_STORAGE | StatusCode::PAYLOAD_TOO_LARGE);
        if waits || is_endless {
            reply.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        if !waits {
            service::discard(self.body);
        }
    }
}

/// No room is left.
impl From<store::Full> for Refusal {
    fn from(full: store::Full) -> Self {
        Self::plain(StatusCode::INSUFFICIENT_STORAGE, full.to_string())
    }
}

/// Percent-encoded as Python's `quote` does it, which leaves slashes.
fn quoted(text: &str) -> String {
    const ESCAPED: &AsciiSet =
        &NON_ALPHANUMERIC.remove(b'/').remove(b'_').remove(b'.').remove(b'-').remove(b'~');
    utf8_percent_encode(text, ESCAPED).to_string()
}
