//! One endpoint that requests are sent to, with everything about it that a request needs.

use std::sync::Arc;

use http::HeaderValue;

use super::path::{self, Layout};
use crate::catalog::{EndpointUrl, Interface, Region};
use crate::metrics::Label;

/// An endpoint in use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// Where it is.
    pub upstream: EndpointUrl,
    /// `Host` for requests to it: the authority, without the scheme's default port.
    pub host: HeaderValue,
    /// Its service's type as in the catalog; of an override, the key of its settings.
    pub service_type: String,
    /// The key of its service among the settings: the official type where there is one.
    pub settings_key: String,
    /// Its region; `None` for an override, the auth URL and what serves any region.
    pub region: Option<Region>,
    /// Its interface; `None` for an override and the auth URL.
    pub interface: Option<Interface>,
    /// Whether it is Keystone.
    pub is_identity: bool,
    /// Whether any path below it may lead to a Keystone. Hosts go by many names, and one host may serve
    /// everything, so this is true of all but object stores with a path of their own, whose objects may be
    /// called anything; see [`super::Target::may_lead_to_keystone`].
    pub(super) may_lead_to_keystone: bool,
    /// Whether it is Swift or speaks its API.
    pub is_object_store: bool,
    /// Whether the user set it in place of the catalog's.
    pub is_override: bool,
    /// Whether it is refused: `http` while the auth URL is `https`, and not allowed.
    pub is_insecure: bool,
    /// Whether a 403 of it may mean that the token is no longer good, as the user says of it.
    pub retry_on_403: bool,
    /// The prefix under which it is published, with the region where the prefix alone leads elsewhere.
    pub prefix: String,
    /// What it is called in metrics and logs.
    pub label: Arc<Label>,
    /// Endpoints of the same type, region and interface that are not in use.
    pub alternatives: Vec<EndpointUrl>,
    /// Whether everyone reads the upstream's path as it is written.
    pub(super) is_plain: bool,
    /// The parts of the upstream's path.
    pub(super) layout: Layout,
    /// Other endpoints, by their positions, that a request for this one may lead to; see
    /// [`super::RouteTable::sharing`].
    pub(super) sharing: Box<[usize]>,
}

impl Route {
    /// The local path at which the endpoint is published (`/compute/v2.1`): whatever follows it leads
    /// to the same suffix of the endpoint. Only `/info` of an object store without an account in its
    /// URL is an exception, because there it stands for the service's own.
    pub fn face(&self) -> String {
        path::face(&self.prefix, &self.upstream.path, self.layout, self.is_object_store)
    }

    /// The same on a listener that is pinned to the service: empty, or a path such as `/v1/AUTH_p`.
    pub fn face_at_root(&self) -> &str {
        path::face_at_root(&self.upstream.path, self.layout, self.is_object_store)
    }

    /// The region for labels: `*` where there is none.
    pub fn region_label(&self) -> &str {
        self.region.as_ref().map_or("*", |region| &region.0)
    }

    /// What stands before the version in the upstream's path; all of it if there is no version.
    pub(crate) fn root(&self) -> &str {
        self.layout.root(&self.upstream.path)
    }

    /// The version in the upstream's path.
    pub(crate) fn version(&self) -> Option<&str> {
        self.layout.version(&self.upstream.path)
    }

    /// What stands behind the version: mostly a project or an account.
    pub(crate) fn tail(&self) -> Option<&str> {
        self.layout.tail(&self.upstream.path)
    }

    /// Whether there is a version in the upstream's path.
    pub(super) fn has_version(&self) -> bool {
        self.layout.version(&self.upstream.path).is_some()
    }
}

/// `Host` for an endpoint (RFC 9110 section 7.2).
pub(super) fn host_header(url: &EndpointUrl) -> HeaderValue {
    let has_default_port = url.authority.port_u16() == Some(if url.is_https() { 443 } else { 80 });
    let host = if has_default_port { url.host() } else { url.authority.as_str() };
    // An authority is visible ASCII, so this is always a value.
    HeaderValue::from_str(host).unwrap_or_else(|_| HeaderValue::from_static(""))
}

/// Keystone's v3 API below a URL that may end in a version or not: `http://h/identity/v3`.
pub(super) fn keystone_v3(url: &EndpointUrl) -> EndpointUrl {
    let layout = Layout::of(&url.path);
    let root = if layout.tail(&url.path).is_none() { layout.root(&url.path) } else { &url.path };
    EndpointUrl { path: format!("{root}/v3"), ..url.clone() }
}

/// The major version in an endpoint's path: 2 for `/v2.1/p`.
pub(super) fn major_version(url: &EndpointUrl) -> Option<u32> {
    let version = Layout::of(&url.path).version(&url.path)?;
    version.trim_start_matches('v').split('.').next()?.parse().ok()
}
