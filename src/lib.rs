//! Gatestone: a local authenticating reverse proxy for OpenStack clouds.

pub mod catalog;
pub mod client;
pub mod config;
pub mod identity;
pub mod proxy;
pub mod routing;
pub mod secret;
pub mod server;
