//! The flow of a request, from its head to the head of its response.
//!
//! ```text
//! 1 visitor .............. who has connected was decided when they did
//!   guard ................ may this be asked here at all?
//!   door ................. where a client secret is set: by whom? A stranger may look for us and log in
//! 2 admin, face .......... `/` and `/-/` are answered by ourselves, and `/auth` for Swift
//!   browsers ............. what opens a document gets it in a sandbox
//! 3 hop_by_hop, passage .. stripped once, before anything is added; `Via`, `Max-Forwards`, `TE`
//!   framing .............. length or chunks, written anew
//! 4 SnapshotCell::ready .. once, so that token and route cannot disagree
//! 5 route ................ prefix, or the listener's own service ─► endpoint, path by the seven rules
//! 6 face, rules, minting . what we answer for Keystone; what may be asked; no credential that outlives the port
//!   pace ................. where a service takes so many requests and no more, it waits for its turn
//! 7 inject ............... the client's token went in 3, ours is set
//! 8 Client::forward ...... pool, TLS, streams both ways
//! 9 healing .............. a token that was refused is replaced, and once more from 5
//! 10 hop_by_hop, framing, rewrite, links on the way back
//! ```
//!
//! Whatever stops it on the way is a [`Failure`], and `respond` makes it a reply.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use http::header::{CONNECTION, EXPECT};
use http::request::Parts;
use http::uri::PathAndQuery;
use http::{HeaderValue, Method, Request, Response, StatusCode, Version};
use http_body::Body as _;
use hyper::body::Incoming;

mod access;
mod browsers;
mod door;
mod excerpt;
mod failures;
mod framing;
mod guard;
mod healing;
mod hop_by_hop;
mod in_flight;
mod inject;
mod interim;
mod links;
mod minting;
#[cfg(any(test, fuzzing))]
pub(crate) mod oracles;
mod overload;
mod pace;
mod passage;
mod raw_fields;
mod respond;
mod rewrite;
mod rules;
mod upgrade;
mod visitor;

pub use access::Access;
pub use door::Door;
pub use door::ListenerSettings;
pub use excerpt::Excerpt;
pub use guard::{
    Admitted, AllowedUser, AllowedUsers, Guard, InvalidAllowedHost, Rejection, RequiredField, Unwelcome,
};
pub(crate) use in_flight::{Place, Places};
pub use minting::{Credential, Minting};
pub use overload::Overload;
pub(crate) use pace::Paces;
pub use pace::Rate;
pub use rules::{Action, Asked, Denied, InvalidPattern, Methods, Parameter, Pattern, Rule, RuleSet, Rules};
pub use visitor::Visitor;

use self::healing::{Healing, Used};
use self::links::Turning;
use self::raw_fields::Lines;
use self::upgrade::Tunnel;
use crate::access_log::{AccessLog, Record};
use crate::admin::{Admin, NOT_READY};
use crate::client::{Client, Outgoing, ResponseBody, Upload};
use crate::face::{Face, View};
use crate::failure::Failure;
use crate::identity::{Snapshot, SnapshotCell};
use crate::metrics::Metrics;
use crate::page::events::Watching;
use crate::raw_names::Names;
use crate::reply::ReplyBody;
use crate::routing::Target;
use crate::server::{Activity, Refuse};

/// What the door lets in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Of a listener that has none of its own.
    pub access: Access,
    /// Let requests through that create or return a credential.
    pub allow_minting: bool,
    /// Where a service answers 401, get a new token and send the request once more.
    pub retry_on_401: bool,
    /// How often services may be asked, by the key of their settings.
    pub rates: BTreeMap<String, Rate>,
}

impl Default for Settings {
    fn default() -> Self {
        Self { access: Access::default(), allow_minting: false, retry_on_401: true, rates: BTreeMap::new() }
    }
}

/// Where links in a response point: the host that this client used. Few responses
/// have links, so it is kept as it came and put together when asked for.
struct Base<'a> {
    host: Option<HeaderValue>,
    otherwise: &'a str,
}

impl<'a> Base<'a> {
    fn new(host: Option<HeaderValue>, otherwise: &'a str) -> Self {
        Self { host, otherwise }
    }

    fn url(&self) -> String {
        match self.host.as_ref().and_then(|host| host.to_str().ok()) {
            Some(host) => format!("http://{host}"),
            None => self.otherwise.to_owned(),
        }
    }
}

/// What answers requests; one a worker.
#[derive(Clone, Debug)]
pub struct Proxy {
    cell: Arc<SnapshotCell>,
    client: Client,
    admin: Arc<Admin>,
    face: Arc<Face>,
    metrics: Arc<Metrics>,
    token_wait: Duration,
    tunnel_timeout: Duration,
    allow_minting: bool,
    retry_on_401: bool,
    access_log: Option<Arc<AccessLog>>,
    places: Option<Places>,
    paces: Paces,
    refusing_heads: Refuse,
}

/// What a [`Proxy`] is made of.
#[derive(Clone, Debug)]
pub(crate) struct ProxyParts {
    pub(crate) cell: Arc<SnapshotCell>,
    pub(crate) client: Client,
    pub(crate) admin: Arc<Admin>,
    pub(crate) face: Arc<Face>,
    pub(crate) token_wait: Duration,
    pub(crate) tunnel_timeout: Duration,
    pub(crate) allow_minting: bool,
    pub(crate) retry_on_401: bool,
    pub(crate) access_log: Option<Arc<AccessLog>>,
    /// Places for requests in flight, if they are limited.
    pub(crate) places: Option<Places>,
    /// How often services may be asked.
    pub(crate) paces: Paces,
}

impl Proxy {
    pub(crate) fn new(parts: ProxyParts, metrics: Arc<Metrics>) -> Self {
        let ProxyParts {
            cell,
            client,
            admin,
            face,
            token_wait,
            tunnel_timeout,
            allow_minting,
            retry_on_401,
            access_log,
            places,
            paces,
        } = parts;
        let refusing_heads = respond::refusing_heads(Arc::clone(&metrics));
        Self {
            cell,
            client,
            admin,
            face,
            metrics,
            token_wait,
            tunnel_timeout,
            allow_minting,
            retry_on_401,
            access_log,
            places,
            paces,
            refusing_heads,
        }
    }

    /// What answers a head that is not one.
    pub(crate) fn refusing_heads(&self) -> Refuse {
        self.refusing_heads.clone()
    }

    /// Whether a log names users.
    pub(crate) fn shows_users(&self) -> bool {
        self.access_log.is_some()
    }

    pub(crate) fn metrics(&self) -> &Arc<Metrics> {
        &self.metrics
    }

    /// Answers one request, whatever comes. That it has begun is noted.
    pub(crate) async fn handle(
        &self,
        request: Request<Incoming>,
        door: &Door,
        visitor: &Visitor,
        activity: Arc<Activity>,
    ) -> Result<Response<ReplyBody>, Infallible> {
        let mut record = Record::begin(Arc::clone(&self.metrics), Arc::clone(&activity), request.method());
        let (mut head, body) = request.into_parts();
        if let Some(log) = &self.access_log {
            record.describe(log, &head.method, &head.uri, visitor);
        }
        let mut response = match self.serve(&mut head, body, door, visitor, &activity, &mut record).await {
            Ok(response) => response,
            Err(failure) => self.refuse(&failure, &mut record),
        };
        if visitor.refusal.is_some() || !response.status().is_success() && activity.has_unread() {
            // What has not been read of it ends the connection; who sends on it must know (RFC 9112 9.6).
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        match response.extensions_mut().remove::<Lines>() {
            Some(Lines(lines)) => activity.lane().add_to_next_head(lines).await,
            None => activity.lane().emptied().await,
        }
        activity.head_follows(response.body_mut().spelling()).await;
        record.answered(response.status(), response.headers());
        record.note(&head, visitor, door.number());
        if let Some(tunnel) = response.extensions_mut().remove::<Tunnel>() {
            activity.then(tunnel.run(record, self.tunnel_timeout));
            return Ok(response);
        }
        Ok(response.map(|body| body.with_record(record)))
    }

    async fn serve(
        &self,
        head: &mut Parts,
        body: Incoming,
        door: &Door,
        visitor: &Visitor,
        activity: &Arc<Activity>,
        record: &mut Record,
    ) -> Result<Response<ReplyBody>, Failure> {
        // Taken whoever answers, so that they are not the next request's.
        let (names, spelling) = (activity.names(), activity.spelling());
        if let Some(refusal) = &visitor.refusal {
            return Err(refusal.clone().into());
        }
        let admitted = door.guard().check(head, visitor.peer.address.own())?;
        let base = door.base(head);
        let is_stranger = door.key().is_some_and(|key| !self.face.knows(&head.headers, key));
        if door.is_ours(head.uri.path()) {
            if is_stranger && !Admin::is_open(head) {
                return Err(door.refusal(&base.url()));
            }
            record.is_for_a_page();
            let response = self.admin.answer(head, door.viewer(base.url(), is_stranger, visitor))?;
            if response.extensions().get::<Watching>().is_some() {
                record.watches(response.status());
            }
            return Ok(response);
        }
        if let Some(places) = &self.places {
            record.holds(places.take()?);
        }
        if let Some(login) = door.swift_login(head) {
            let base = base.url();
            let admission =
                Box::pin(self.face.check(login.offered(), door.key(), || door.v3_url(&base))).await?;
            let snapshot = self.snapshot(is_stranger).await?;
            let path = door.storage(&login, &snapshot)?;
            return self.face.answer_for_swift(&login, &format!("{base}{path}"), admission);
        }
        if !is_stranger && let Some(response) = passage::answer_at_the_last_stop(head) {
            return Ok(response);
        }
        let upload = Upload::from_incoming(body, hop_by_hop::filter_trailers, activity.body_is_over());
        record.receiving(upload.as_ref().map(Upload::progress));
        let lines = names.map(|names| raw_fields::of_request(&mut head.headers, &names)).transpose()?;
        let upgrading = upgrade::asked_for(head).filter(|_| upload.is_none());
        if let Some(name) = door.guard().required() {
            head.headers.remove(name);
        }
        make_ready(head, upload.as_ref());
        if upgrading.is_some() {
            upgrade::set(&mut head.headers);
        }
        let asked = head.uri.path_and_query().cloned();
        let mut snapshot = self.snapshot(is_stranger).await?;
        let path = asked.as_ref().map_or("/", |asked| asked.as_str());
        if is_stranger && !self.lets_in_to_log_in(door, head, path, &snapshot) {
            return Err(door.refusal(&base.url()));
        }
        let interim = interim::to(activity, head.version);
        let mut is_replay = false;
        loop {
            let target = door.resolve(&snapshot.routes, path)?;
            if let Some(asked) = self.face.recognise(head, &target, &snapshot) {
                let (base, prefix) = (&base.url(), target.prefix);
                let view = View { snapshot: &snapshot, base, prefix, key: door.key() };
                // Boxed, so that other requests carry nothing of it.
                return Box::pin(self.face.answer(asked, view, upload.as_ref())).await;
            }
            record.routed(&target.route.label);
            door.rules().check(&Asked {
                method: &head.method,
                headers: &head.headers,
                target: &target,
                routes: &snapshot.routes,
                project: snapshot.holder.project_id(),
                user: visitor.peer.user.id(),
                is_upgrade: upgrading.is_some(),
            })?;
            if !self.allow_minting && target.may_lead_to_keystone() {
                minting::check(&head.method, target.path_and_query.path())?;
            }
            if !is_replay {
                self.paces.turn(&target.route.settings_key, &self.metrics).await?;
            }
            inject::token(&mut head.headers, &snapshot.token);
            inject::host(&mut head.headers, target.route.host.clone());
            links::ask_plain(&mut head.headers, &target);
            let outgoing = Outgoing {
                method: &head.method,
                target: &target.path_and_query,
                headers: &head.headers,
                body: upload.as_ref(),
                spelling: spelling.as_ref(),
                lines: lines.as_deref().filter(|lines| !lines.is_empty()),
                interim: interim.as_ref(),
            };
            let sent = self.client.forward(&target.route.upstream, &outgoing).await;
            let mut response = sent.map_err(|error| failures::of_send(&error, &target))?;
            if door.rules().hides_keys() {
                hop_by_hop::hide_url_keys(response.headers_mut());
            }
            let mut is_not_replayable = false;
            if let Some(refusal) = healing::refusal(&response, &target) {
                let used = Used { generation: snapshot.generation, upload: upload.as_ref(), is_replay };
                match Box::pin(self.heal(refusal, used)).await? {
                    Healing::Replay(newer) => {
                        record.retried();
                        snapshot = newer;
                        is_replay = true;
                        continue;
                    }
                    Healing::Pass => {}
                    Healing::NotReplayable => is_not_replayable = true,
                }
            }
            if response.status() == StatusCode::SWITCHING_PROTOCOLS {
                let token = snapshot.token.header();
                return upgrade::accept(response, upgrading, token, &self.metrics)
                    .ok_or_else(|| failures::unasked_upgrade(&target));
            }
            if admitted.is_navigation {
                browsers::confine(response.headers_mut());
            }
            let asked = asked.as_ref();
            let response = self.downstream_response(response, &head.method, &target, asked, &snapshot, &base);
            return response
                .map(|response| if is_not_replayable { healing::mark(response) } else { response });
        }
    }

    /// The response as it goes back.
    fn downstream_response(
        &self,
        response: Response<ResponseBody>,
        method: &Method,
        target: &Target<'_>,
        asked: Option<&PathAndQuery>,
        snapshot: &Arc<Snapshot>,
        base: &Base<'_>,
    ) -> Result<Response<ReplyBody>, Failure> {
        let (mut head, mut body) = response.into_parts();
        if let Some(names) = head.extensions.remove::<Names>()
            && let Some(lines) = raw_fields::of_response(&mut head.headers, &names, &self.metrics)
        {
            head.extensions.insert(lines);
        }
        // An HTTP/1.0 upstream must not make our answer one; hyper writes what the client speaks.
        head.version = Version::HTTP_11;
        if hop_by_hop::strip_response(&mut head.headers, snapshot.token.header()) {
            failures::check_redirect(&head, target)?;
            rewrite::links(&mut head.headers, |link| snapshot.routes.turn_back(target, link, &base.url()));
        }
        if let (Some(turning), Some(asked)) = (Turning::of(&head, target), asked)
            && (method == Method::HEAD || head.status == StatusCode::NOT_MODIFIED || !body.is_end_stream())
        {
            turning.loosen(&mut head.headers);
            if !body.is_end_stream() {
                let (snapshot, asked) = (Arc::clone(snapshot), asked.clone());
                let here = links::Here { snapshot, asked, pin: target.pin.cloned(), base: base.url() };
                let spelling = body.spelling();
                let body = ReplyBody::streamed(turning.turn(body, hop_by_hop::filter_trailers, here));
                let body = body.spelled(spelling);
                framing::response(method, head.status, &mut head.headers, &body);
                return Ok(Response::from_parts(head, body));
            }
        }
        framing::response(method, head.status, &mut head.headers, &body);
        Ok(Response::from_parts(head, ReplyBody::upstream(body, hop_by_hop::filter_trailers)))
    }

    /// What is held, waited for within a bound. A stranger does not learn why there is nothing.
    async fn snapshot(&self, is_stranger: bool) -> Result<Arc<Snapshot>, Failure> {
        if let Some(snapshot) = self.cell.valid() {
            return Ok(snapshot);
        }
        Box::pin(self.cell.ready(self.token_wait)).await.map_err(|why| {
            let failure = Failure::from(why);
            if is_stranger { Failure { message: NOT_READY.to_owned(), ..failure } } else { failure }
        })
    }

    /// Whether this is what leads to a login, which nobody has done before: at the addresses that are the same in
    /// every cloud, so that no other tells whether it is there.
    fn lets_in_to_log_in(&self, door: &Door, head: &Parts, path: &str, snapshot: &Snapshot) -> bool {
        let target = door.resolve(&snapshot.routes, path).ok();
        let target = target.filter(|target| matches!(target.prefix, "" | "identity" | "v3" | "v2.0"));
        let asked = target.and_then(|target| self.face.recognise(head, &target, snapshot));
        asked.is_some_and(|asked| asked.is_open())
    }

    fn refuse(&self, failure: &Failure, record: &mut Record) -> Response<ReplyBody> {
        self.metrics.failed(failure.reason);
        record.failed(failure.reason);
        failures::log(failure);
        respond::respond(failure).map(ReplyBody::ours)
    }
}

/// Takes out of a request what does not travel on, and frames it; what we add comes after this.
fn make_ready(head: &mut Parts, upload: Option<&Upload>) {
    let takes_trailers = passage::takes_trailers(&head.headers);
    hop_by_hop::strip_request(&mut head.headers);
    passage::note(head, takes_trailers);
    if head.version == Version::HTTP_10 {
        // RFC 9110 10.1.1: from an HTTP/1.0 client it means nothing.
        head.headers.remove(EXPECT);
    }
    framing::request(&head.method, &mut head.headers, upload.map_or(Some(0), Upload::length));
}
