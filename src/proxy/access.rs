//! Who may use a listener, and for what: the settings that each listener can have of its own.

use ipnet::IpNet;

use super::guard::{AllowedUsers, RequiredField};
use super::rules::Rules;
use crate::server::SocketPermissions;

/// The guard's settings of one listener.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Access {
    /// Users of this machine who may connect. If none are set: who runs the proxy, over TCP; whoever may open the file,
    /// at a Unix socket.
    pub users: Option<AllowedUsers>,
    /// Whether root may connect.
    pub allow_root: bool,
    /// Networks that other machines may connect from.
    pub networks: Vec<IpNet>,
    /// `Host` values (host, or host:port) that are served beside loopback names.
    pub allowed_hosts: Vec<String>,
    /// Mode of a Unix socket's file.
    pub socket_mode: Option<u32>,
    /// Id of the group of a Unix socket's file.
    pub socket_group: Option<u32>,
    /// What every request must have.
    pub required_field: Option<RequiredField>,
    /// What may be asked of which service.
    pub rules: Rules,
}

impl Access {
    /// Who may open a Unix socket's file: as set; else a group that is set; else its owner alone, or everyone where
    /// others are named, of whom the kernel then says who they are.
    pub fn socket_permissions(&self) -> SocketPermissions {
        let default = match self.socket_group {
            Some(_) => 0o660,
            None if self.users.as_ref().is_some_and(AllowedUsers::has_others) => 0o666,
            None => 0o600,
        };
        SocketPermissions { mode: self.socket_mode.unwrap_or(default), group: self.socket_group }
    }
}

impl Default for Access {
    fn default() -> Self {
        Self {
            users: None,
            allow_root: true,
            networks: Vec::new(),
            allowed_hosts: Vec::new(),
            socket_mode: None,
            socket_group: None,
            required_field: None,
            rules: Rules::default(),
        }
    }
}
