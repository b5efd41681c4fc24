//! Peers for the tests: each listens on a port that the system chose, lives on the
//! test's own runtime and ends with it. Nothing sleeps: a stopped clock jumps
//! ahead only when every peer is waiting.

pub(crate) mod by_hand;
pub(crate) mod config;
pub(crate) mod http;
pub(crate) mod keystone;
pub(crate) mod provider;
pub(crate) mod proxy;
pub(crate) mod service;
pub(crate) mod tls;

pub(crate) use gatestone::embedded::Fault;
pub(crate) use http::{ask, get, received_bytes};
pub(crate) use keystone::Keystone;
pub(crate) use proxy::Proxy;
pub(crate) use service::Service;
