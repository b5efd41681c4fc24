//! A service that stands at a listener's root, for tools that take only a host and a port.
//!
//! The whole path of a request is then what elsewhere follows the prefix, and the same seven rules place it. So a path
//! that names what the service itself knows (`/v1/AUTH_p/c/o`) reaches it unchanged, with whatever a client has signed.

use std::fmt;
use std::str::FromStr;

use percent_encoding::percent_decode_str;

use super::names;
use super::no_route::{NoRoute, shown};
use super::prefixes::with_region;
use super::split_region;
use crate::catalog::Region;

/// The service to which a listener is pinned, and in which region; without one, it is where a prefix without a region
/// leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pin {
    /// As the first segment of a path on other listeners.
    prefix: String,
}

/// What can be no pin.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPin {
    /// Not a name as a path segment has it.
    #[error("`{0}` is no name of a service; write a type such as `object-store`, or `object-store@REGION`")]
    Name(String),
    /// A name of our own.
    #[error(
        "`{0}` is a name of Gatestone itself; name a service, such as `object-store`, or `identity` for Keystone"
    )]
    Ours(String),
}

impl Pin {
    /// To a service by any of its names, in a region.
    pub fn new(service: &str, region: Option<&Region>) -> Result<Self, InvalidPin> {
        if names::OURS.contains(&service) || ["v3", names::LEGACY_KEYSTONE].contains(&service) {
            return Err(InvalidPin::Ours(service.to_owned()));
        }
        if !names::can_be_prefix(service) {
            return Err(InvalidPin::Name(shown(service)));
        }
        let prefix = match region {
            Some(region) => with_region(service, &region.0),
            None => service.to_owned(),
        };
        Ok(Self { prefix })
    }

    /// The name of the service.
    pub fn service(&self) -> &str {
        split_region(&self.prefix).0
    }

    /// Its region, if one is named.
    pub fn region(&self) -> Option<Region> {
        let (_, region) = split_region(&self.prefix);
        Some(Region(percent_decode_str(region?).decode_utf8_lossy().into_owned()))
    }

    /// As a first segment: `object-store@GRA`.
    pub(super) fn prefix(&self) -> &str {
        &self.prefix
    }

    /// Why there is no such service in the region, for those who can only correct the pin.
    pub(super) fn explain(&self, why: NoRoute) -> NoRoute {
        match why {
            NoRoute::UnknownService { nearest, prefixes, .. } => {
                NoRoute::PinnedUnknown { pin: shown(&self.to_string()), nearest, services: prefixes }
            }
            NoRoute::RegionMissing { region, regions, settings_key, .. } => {
                NoRoute::PinnedRegionMissing { pin: shown(&self.to_string()), region, regions, settings_key }
            }
            other => other,
        }
    }
}

/// Whether a path is ours on every listener, whatever stands there.
pub(crate) fn is_ours(path: &str) -> bool {
    path.strip_prefix("/-").is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

impl FromStr for Pin {
    type Err = InvalidPin;

    /// Reads `SERVICE` or `SERVICE@REGION`.
    fn from_str(text: &str) -> Result<Self, InvalidPin> {
        match text.split_once('@') {
            Some((_, "")) => Err(InvalidPin::Name(shown(text))),
            Some((service, region)) => Self::new(service, Some(&Region(region.to_owned()))),
            None => Self::new(text, None),
        }
    }
}

impl fmt::Display for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.service())?;
        self.region().map_or(Ok(()), |region| write!(f, "@{region}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pin_names_a_service_and_perhaps_a_region() {
        for (text, service, region) in [
            ("object-store", "object-store", None),
            ("compute@GRA11", "compute", Some("GRA11")),
            ("nova@a@b%/c d", "nova", Some("a@b%/c d")),
        ] {
            let pin: Pin = text.parse().unwrap();
            let seen = pin.region().map(|region| region.0);
            assert_eq!((pin.service(), seen.as_deref(), pin.to_string()), (service, region, text.to_owned()));
        }
        for text in ["", "@R", "a@", "a/b", "-", "auth", "s3", "v3", "v3@R", "v2.0", "a b", "ü", ".."] {
            assert!(text.parse::<Pin>().is_err(), "{text}");
        }
    }

    #[test]
    fn only_the_whole_segment_is_ours() {
        for (path, ours) in [("/-", true), ("/-/x", true), ("/-x", false), ("/", false), ("/a/-/", false)] {
            assert_eq!(is_ours(path), ours, "{path}");
        }
    }
}
