//! Who may use a listener, and for what: the settings that each listener can have of its own.

/// The guard's settings of one listener.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Access {
    /// `Host` values (host, or host:port) that are served beside loopback names.
    pub allowed_hosts: Vec<String>,
}
