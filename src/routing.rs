//! From a request's path to an upstream URL.

use std::collections::BTreeMap;

use crate::catalog::{EndpointUrl, Interface, Region};

/// What the user asked for about endpoints.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Preferences {
    /// The listener's region; `None` takes the first in catalog order, once.
    pub region: Option<Region>,
    /// Interfaces in order of preference; never empty after [`Preferences::default`] is filled in.
    pub interfaces: Vec<Interface>,
    /// Per service, keyed by official service type with `-` (`object-store`), or by the
    /// catalog type the user wrote if it is none of the official ones.
    pub services: BTreeMap<String, ServicePreferences>,
}

/// What the user asked for about one service.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServicePreferences {
    /// Its own region, before the listener's.
    pub region: Option<Region>,
    /// Its own interfaces, before the listener's; empty for none.
    pub interfaces: Vec<Interface>,
    /// A URL to use in place of the catalog's; may hold `%(project_id)s`,
    /// `%(tenant_id)s`, `$(project_id)s`, expanded for each token.
    pub endpoint_override: Option<String>,
    /// More prefixes for it, before the catalog's types.
    pub names: Vec<String>,
    /// Allow a plain `http` endpoint although the auth URL is `https`.
    pub allow_http: bool,
}
