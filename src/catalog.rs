//! The service catalog: which endpoints Keystone lists, as values.
//!
//! Rules (Identity API v3, `GET /v3/auth/catalog`, and keystoneauth's `access/service_catalog.py`):
//!
//! 1. Catalog order is kept; it decides wherever nothing else does.
//! 2. An endpoint's region is its `region_id`, or else its `region`; `*`, empty and null mean any.
//! 3. A service without a type, and an endpoint whose interface or URL cannot be used, is left out of
//!    [`Catalog::endpoints`] and listed in [`Catalog::skipped`] with the reason. It never costs the others.
//!
//! Choosing among endpoints is the business of [`crate::routing`].

use std::fmt;
use std::str::FromStr;

pub mod service_types;
mod url;
mod wire;

pub use url::EndpointUrl;
pub use url::UrlError;
pub use wire::WireEndpoint;
pub use wire::WireService;

/// A region's id, compared exactly.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Region(pub String);

/// Which of an endpoint's addresses is meant (Identity API v3, `interface`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Interface {
    /// For everyone; the default.
    Public,
    /// Within the cloud's own networks.
    Internal,
    /// For operators.
    Admin,
}

/// One address of a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// The service's type exactly as the catalog has it (`compute`, `volumev3`).
    pub service_type: String,
    /// The service's name (`nova`), if it has one.
    pub service_name: Option<String>,
    /// Who it is for.
    pub interface: Interface,
    /// Where it is; `None` serves any region.
    pub region: Option<Region>,
    /// Its URL.
    pub url: EndpointUrl,
}

/// Something that cannot be used, in the words it was written in, and why.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Skipped {
    /// Type of its service, if it has one.
    pub service_type: Option<String>,
    /// Region, as written.
    pub region: Option<String>,
    /// Interface, as written.
    pub interface: Option<String>,
    /// URL, as written.
    pub url: Option<String>,
    /// Why, as a clause: lower case, no full stop.
    pub reason: String,
}

/// Every endpoint that can be used, and what cannot.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Catalog {
    /// In catalog order.
    pub endpoints: Vec<Endpoint>,
    /// What was left out.
    pub skipped: Vec<Skipped>,
}

impl Catalog {
    /// Makes the catalog of what Keystone sent.
    pub fn from_wire(services: Vec<WireService>) -> Self {
        let mut catalog = Self::default();
        for service in services {
            catalog.add(service);
        }
        catalog
    }

    /// Whether nothing in it can be used.
    pub fn is_empty(&self) -> bool {
        self.endpoints.is_empty()
    }

    fn add(&mut self, service: WireService) {
        let Some(service_type) = service.r#type.filter(|written| !written.is_empty()) else {
            let name = service.name.unwrap_or_else(|| "without a name".into());
            self.skipped
                .push(Skipped { reason: format!("a service ({name}) has no type"), ..Skipped::default() });
            return;
        };
        let service_name = service.name.filter(|name| !name.is_empty());
        for endpoint in service.endpoints {
            match endpoint.parse() {
                Ok((interface, region, url)) => self.endpoints.push(Endpoint {
                    service_type: service_type.clone(),
                    service_name: service_name.clone(),
                    interface,
                    region,
                    url,
                }),
                Err(reason) => self.skipped.push(Skipped {
                    service_type: Some(service_type.clone()),
                    region: endpoint.region_id.or(endpoint.region),
                    interface: endpoint.interface,
                    url: endpoint.url,
                    reason,
                }),
            }
        }
    }
}

/// A word that names no interface.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no interface; use `public`, `internal` or `admin`")]
pub struct UnknownInterface(pub String);

impl FromStr for Interface {
    type Err = UnknownInterface;

    /// Case counts, and the old `publicURL` forms are accepted, both as in keystoneauth.
    fn from_str(written: &str) -> Result<Self, UnknownInterface> {
        match written.strip_suffix("URL").unwrap_or(written) {
            "public" => Ok(Self::Public),
            "internal" => Ok(Self::Internal),
            "admin" => Ok(Self::Admin),
            _ => Err(UnknownInterface(written.to_owned())),
        }
    }
}

impl fmt::Display for Interface {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Public => "public",
            Self::Internal => "internal",
            Self::Admin => "admin",
        })
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests;
