//! The flow of a request.

pub mod error;
pub mod excerpt;
pub mod guard;
pub mod hop_by_hop;
pub mod inject;
pub mod minting;
pub mod respond;

/// What the door lets in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// `Host` values (host, or host:port) that are served beside loopback names.
    pub allowed_hosts: Vec<String>,
    /// Let requests through that create or return a credential.
    pub allow_minting: bool,
}
