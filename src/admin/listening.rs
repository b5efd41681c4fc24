//! Where we listen, for programs and for people.

use std::fmt;

use serde_json::{Value, json};

use crate::proxy::ListenerSettings;
use crate::routing::Pin;
use crate::server::BoundAddr;

/// An address that is listened on, and what is special there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listening {
    /// The address.
    pub addr: BoundAddr,
    /// The service that stands at its root.
    pub service: Option<Pin>,
    /// Whether clients must log in with a client secret.
    pub wants_secret: bool,
}

impl Listening {
    /// What `own` says of `addr`.
    pub(crate) fn new(addr: BoundAddr, own: &ListenerSettings) -> Self {
        Self { addr, service: own.service.clone(), wants_secret: own.client_secret.is_some() }
    }

    /// For programs.
    pub fn to_json(&self) -> Value {
        json!({
            "address": self.addr.to_string(),
            "service": self.service.as_ref().map(Pin::service),
            "region": self.service.as_ref().and_then(Pin::region).map(|region| region.0),
            "client_secret": self.wants_secret,
        })
    }
}

impl fmt::Display for Listening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.addr)?;
        match (&self.service, self.wants_secret) {
            (None, false) => Ok(()),
            (None, true) => f.write_str(" (with a client secret)"),
            (Some(service), false) => write!(f, " ({service})"),
            (Some(service), true) => write!(f, " ({service}, with a client secret)"),
        }
    }
}
