//! The catalog as Keystone writes it (Identity API v3, `token.catalog` and `GET /v3/auth/catalog`).
//!
//! Read leniently: unknown fields are ignored, a field of a wrong type counts as absent, and an entry
//! that is no object as an empty one. A single broken entry then costs itself alone; [`super::Catalog`]
//! decides what can be used.

use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use super::{EndpointUrl, Interface, Region};

/// A service with its endpoints.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WireService {
    /// `compute`.
    pub r#type: Option<String>,
    /// `nova`.
    pub name: Option<String>,
    /// Its addresses.
    pub endpoints: Vec<WireEndpoint>,
}

/// An address of a service.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WireEndpoint {
    /// `public`, `internal` or `admin`.
    pub interface: Option<String>,
    /// The region's id.
    pub region_id: Option<String>,
    /// The same under its older name.
    pub region: Option<String>,
    /// Its URL.
    pub url: Option<String>,
}

impl WireEndpoint {
    /// What it says, or why it cannot be used.
    pub(super) fn parse(&self) -> Result<(Interface, Option<Region>, EndpointUrl), String> {
        let interface = self.interface.as_deref().ok_or("the endpoint has no interface")?;
        let interface = interface.parse::<Interface>().map_err(|error| error.to_string())?;
        let url = self.url.as_deref().ok_or("the endpoint has no URL")?;
        let url = EndpointUrl::parse(url).map_err(|error| error.to_string())?;
        let region = [&self.region_id, &self.region].into_iter().flatten().find(|id| !id.is_empty());
        let region = region.filter(|id| *id != "*").map(|id| Region(id.clone()));
        Ok((interface, region, url))
    }
}

impl<'de> Deserialize<'de> for WireService {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut fields = fields(Value::deserialize(deserializer)?);
        let endpoints = match fields.remove("endpoints") {
            Some(Value::Array(entries)) => entries.into_iter().map(WireEndpoint::from_value).collect(),
            _ => Vec::new(),
        };
        Ok(Self { r#type: text(&mut fields, "type"), name: text(&mut fields, "name"), endpoints })
    }
}

impl<'de> Deserialize<'de> for WireEndpoint {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Value::deserialize(deserializer).map(Self::from_value)
    }
}

impl WireEndpoint {
    fn from_value(value: Value) -> Self {
        let mut fields = fields(value);
        Self {
            interface: text(&mut fields, "interface"),
            region_id: text(&mut fields, "region_id"),
            region: text(&mut fields, "region"),
            url: text(&mut fields, "url"),
        }
    }
}

fn fields(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}

/// Takes a text out; a number, as in the region `1`, is one too.
fn text(fields: &mut Map<String, Value>, name: &str) -> Option<String> {
    match fields.remove(name)? {
        Value::String(text) => Some(text),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}
