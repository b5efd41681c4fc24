//! One listener, as its requests see it: what is let in, what stands there, and whether a client secret is wanted.
//!
//! 1. A listener for all services has ours at `/`, `/-` and `/-/`. One that is pinned to a service has only `/-` and
//!    `/-/`; `/` is the service's.
//! 2. There, a `GET` of `/auth/v1.0` with `X-Auth-User` or `X-Storage-User` is a login by Swift's v1 authentication, and
//!    is ours. Without those fields it is the service's, as every other path is.
//! 3. Where a client secret is set, requests carry a token that a login with it has given. Whoever has none may ask for
//!    `livez`, `readyz`, versions, and a login; nothing else, not even whether a service exists.

use std::sync::atomic::{AtomicUsize, Ordering};

use http::HeaderName;
use http::Method;
use http::header::HOST;
use http::request::Parts;

use super::Base;
use super::access::Access;
use super::guard::{Guard, InvalidAllowedHost, Peers, Unwelcome};
use super::rules::Rules;
use super::visitor::{RefusalLog, Visitor};
use crate::admin::Viewer;
use crate::catalog::service_types;
use crate::face::{ClientKey, SwiftLogin};
use crate::failure::{Failure, Reason};
use crate::identity::Snapshot;
use crate::routing::{self, NoRoute, Pin, RouteTable, Target};
use crate::secret::Secret;
use crate::server::{BoundAddr, ListenAddr, Peer};
use crate::users::Names;

/// An address to listen on, and what is special there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListenerSettings {
    /// The address.
    pub addr: ListenAddr,
    /// The service that stands at its root; all services below their prefixes if there is none.
    pub service: Option<Pin>,
    /// What a client must know to log in; without one, requests need no login.
    pub client_secret: Option<Secret>,
    /// Who may use it, and for what.
    pub access: Access,
}

impl From<ListenAddr> for ListenerSettings {
    /// One for all services and everybody.
    fn from(addr: ListenAddr) -> Self {
        Self { addr, service: None, client_secret: None, access: Access::default() }
    }
}

/// One listener, as its requests see it.
#[derive(Debug)]
pub struct Door {
    number: usize,
    peers: Peers,
    refusals: RefusalLog,
    guard: Guard,
    rules: Rules,
    /// Where links point for a client that named no host: `http://127.0.0.1:5050`.
    base: String,
    pin: Option<Pin>,
    key: Option<ClientKey>,
}

impl Door {
    /// The door at `addr`, which `own` has led to.
    pub fn new(own: &ListenerSettings, addr: &BoundAddr) -> Result<Self, InvalidAllowedHost> {
        let base = match addr {
            BoundAddr::Tcp(addr) => format!("http://{addr}"),
            BoundAddr::Unix(_) => "http://localhost".to_owned(),
        };
        let access = &own.access;
        Ok(Self {
            number: NUMBERS.fetch_add(1, Ordering::Relaxed),
            peers: Peers::new(access.users.clone(), access.allow_root, access.networks.clone()),
            refusals: RefusalLog::default(),
            guard: Guard::new(access)?,
            rules: access.rules.clone(),
            base,
            pin: own.service.clone(),
            key: own.client_secret.as_ref().map(ClientKey::new),
        })
    }

    /// Its own among all that there have been.
    pub(crate) fn number(&self) -> usize {
        self.number
    }

    /// Who looks at our pages here.
    pub(super) fn viewer(&self, base: String, is_stranger: bool, visitor: &Visitor) -> Viewer {
        let user = self.rules.need_users().then_some(visitor.peer.user);
        let way_in = is_stranger.then(|| self.way_in(&base));
        let may_end_us = self.rules.are_none();
        Viewer { base, way_in, door: self.number, pin: self.pin.clone(), may_end_us, user }
    }

    /// Whether connections over TCP are judged by their user.
    pub(crate) fn needs_users(&self) -> bool {
        self.peers.need_users() || self.rules.need_users()
    }

    /// Decides about a connection, once. With `shows_users` something is going to show the name.
    pub(crate) async fn admit(&self, peer: Peer, names: &Names, shows_users: bool) -> Visitor {
        let refused = self.peers.check(&peer, |id| id.to_string().into()).is_err();
        let name = match peer.user.id() {
            Some(id) if refused || shows_users => Some(names.of(id).await),
            Some(_) | None => None,
        };
        let shown = |id: u32| name.clone().unwrap_or_else(|| id.to_string().into());
        let refusal = self.peers.check(&peer, shown).err();
        if let Some(why) = &refusal {
            self.refusals.refused(&peer, why);
        }
        let address = shows_users.then(|| peer.address.to_string().into());
        Visitor { peer, name, address, refusal }
    }

    /// Refuses who would be let in, for want of room.
    pub(crate) fn turn_away(&self, visitor: &mut Visitor, why: Unwelcome) {
        if visitor.refusal.is_none() {
            self.refusals.refused(&visitor.peer, &why);
            visitor.refusal = Some(why);
        }
    }

    pub(super) fn guard(&self) -> &Guard {
        &self.guard
    }

    pub(super) fn rules(&self) -> &Rules {
        &self.rules
    }

    pub(super) fn base(&self, head: &Parts) -> Base<'_> {
        Base::new(head.headers.get(HOST).cloned(), &self.base)
    }

    /// What a login must know here, if anything.
    pub(super) fn key(&self) -> Option<&ClientKey> {
        self.key.as_ref()
    }

    /// Rule 1.
    pub(super) fn is_ours(&self, path: &str) -> bool {
        routing::is_ours(path) || (path == "/" && self.pin.is_none())
    }

    /// Where a request goes.
    pub(super) fn resolve<'a>(
        &'a self,
        routes: &'a RouteTable,
        path_and_query: &'a str,
    ) -> Result<Target<'a>, NoRoute> {
        match &self.pin {
            Some(pin) => routes.resolve_at(pin, path_and_query),
            None => routes.resolve(path_and_query),
        }
    }

    /// A login by Swift's v1 authentication; rule 2 where a service is at the root.
    pub(super) fn swift_login(&self, head: &Parts) -> Option<SwiftLogin> {
        if self.pin.is_some() && !is_v1_login(head) {
            return None;
        }
        SwiftLogin::recognise(head)
    }

    /// The path at which the object store is reached here that such a login is for.
    pub(super) fn storage(&self, login: &SwiftLogin, snapshot: &Snapshot) -> Result<String, Failure> {
        let Some(pin) = &self.pin else {
            return Ok(login.route(snapshot)?.face());
        };
        let route = snapshot.routes.route_at(pin)?;
        if !route.is_object_store {
            let message =
                format!("this listener is pinned to {pin}, which is no object store; log in at another");
            return Err(Failure::new(Reason::NoSuchService, message));
        }
        Ok(route.face_at_root().to_owned())
    }

    /// The answer to whoever has no token of ours; `base` is our address as the client wrote it.
    pub(super) fn refusal(&self, base: &str) -> Failure {
        let message = format!("{REQUIRED}, so {}, and send the token as X-Auth-Token", self.way_in(base));
        Failure { log_in_at: self.v3_url(base), ..Failure::new(Reason::ClientRefused, message) }
    }

    /// How to get one.
    fn way_in(&self, base: &str) -> String {
        match (self.v3_url(base), self.service()) {
            (Some(v3), _) => format!("log in at {v3} with the client secret as the password"),
            (None, Some("object-store")) => {
                format!("log in at {base}/auth/v1.0 with the client secret as the key")
            }
            (None, _) => "log in at another listener that has the same client secret".to_owned(),
        }
    }

    /// Where Keystone's face is, if it is here.
    pub(super) fn v3_url(&self, base: &str) -> Option<String> {
        matches!(self.service(), None | Some("identity")).then(|| format!("{base}/v3"))
    }

    /// The type of the service at the root.
    fn service(&self) -> Option<&str> {
        let name = self.pin.as_ref()?.service();
        Some(service_types::official(name).or_else(|| service_types::of_project(name)).unwrap_or(name))
    }
}

static NUMBERS: AtomicUsize = AtomicUsize::new(0);

/// Rule 2.
fn is_v1_login(head: &Parts) -> bool {
    head.method == Method::GET
        && head.uri.path() == "/auth/v1.0"
        && [X_AUTH_USER, X_STORAGE_USER].iter().any(|name| head.headers.contains_key(name))
}

const X_AUTH_USER: HeaderName = HeaderName::from_static("x-auth-user");
const X_STORAGE_USER: HeaderName = HeaderName::from_static("x-storage-user");

/// Keystone's words (`keystone/exception.py`, `Unauthorized`), without the full stop.
const REQUIRED: &str = "The request you have made requires authentication";
