//! What of the settings is in force: all that a request depends on, made whole from one reading of them, and replaced whole
//! by the next. A connection goes on over it; its next request is under what is in force then.

use std::sync::Arc;

use arc_swap::ArcSwap;

use crate::admin::Admin;
use crate::client::Client;
use crate::config::Config;
use crate::face::Face;
use crate::identity::SnapshotCell;
use crate::metrics::Metrics;
use crate::proxy::{Door, Paces, Places, Proxy, ProxyParts};
use crate::server::Limits;

/// For one worker.
#[derive(Debug)]
pub(crate) struct InForce {
    pub(crate) proxy: Proxy,
    /// By the numbers of listeners.
    pub(crate) doors: Arc<[Arc<Door>]>,
    /// Of connections that come from now on.
    pub(crate) limits: Limits,
}

/// Where a worker finds it.
pub(crate) type Current = Arc<ArcSwap<InForce>>;

/// What outlives all settings.
#[derive(Clone, Debug)]
pub(crate) struct Lasting {
    pub(crate) cell: Arc<SnapshotCell>,
    pub(crate) admin: Arc<Admin>,
    /// The tokens that it has given stay good.
    pub(crate) face: Arc<Face>,
}

/// For all workers.
#[derive(Clone, Debug)]
pub(crate) struct Made {
    parts: ProxyParts,
    doors: Arc<[Arc<Door>]>,
    limits: Limits,
}

impl Made {
    /// Of what `config` says. Who is in flight, or waits for a turn, counts on where the numbers have not changed since
    /// `before`.
    pub(crate) fn new(
        config: &Config,
        lasting: &Lasting,
        client: Client,
        doors: Arc<[Arc<Door>]>,
        before: Option<(&Config, &Self)>,
    ) -> Self {
        let Lasting { cell, admin, face } = lasting.clone();
        let places = match before {
            Some((old, made)) if old.server.max_requests == config.server.max_requests => {
                made.parts.places.clone()
            }
            Some(_) | None => config.server.max_requests.map(Places::new),
        };
        let paces = match before {
            Some((old, made)) if old.proxy.rates == config.proxy.rates => made.parts.paces.clone(),
            Some(_) | None => Paces::new(config.proxy.rates.clone()),
        };
        let parts = ProxyParts {
            cell,
            client,
            admin,
            face,
            token_wait: config.identity.token_wait,
            tunnel_timeout: config.server.tunnel_timeout,
            allow_minting: config.proxy.allow_minting,
            retry_on_401: config.proxy.retry_on_401,
            access_log: config.log.access_log().map(Arc::new),
            places,
            paces,
        };
        let limits = Limits {
            idle: config.server.idle_timeout,
            head: config.server.request_head_timeout,
            body: config.server.body_timeout,
            preserve_header_case: config.server.preserve_header_case,
        };
        Self { parts, doors, limits }
    }

    /// For the worker that counts in `metrics`.
    pub(crate) fn for_worker(&self, metrics: Arc<Metrics>) -> Arc<InForce> {
        let proxy = Proxy::new(self.parts.clone(), metrics);
        Arc::new(InForce { proxy, doors: Arc::clone(&self.doors), limits: self.limits.clone() })
    }
}
