//! Listeners and connections: from an address to requests, and to a graceful end.
//!
//! One accept loop gives each connection to the worker with the fewest open. A
//! listener per worker (`SO_REUSEPORT`) would spread a few long-lived clients
//! unevenly, and would let a second process take the same port unnoticed.

mod activity;
mod at_hand;
mod connection;
mod descriptors;
mod inherited;
mod lane;
mod listener;
mod peer;
mod peers;
mod presence;
mod quota;
mod settings;
mod tap;

pub(crate) use activity::Activity;
pub(crate) use connection::{Limits, serve};
pub(crate) use descriptors::{Spare, room_for_connections};
pub use descriptors::{are_used_up, raise_limit};
pub use inherited::{adopt, close_rest, reserve};
pub(crate) use listener::Acceptor;
pub use listener::{Accepted, BindError, BoundAddr, Listener, Transport};
pub use peer::{Peer, PeerAddress, PeerUser};
pub use peers::{Ends, Lookup};
pub use presence::Presence;
pub(crate) use quota::{Quota, Share};
pub use settings::{ListenAddr, Settings, SocketPermissions};
pub(crate) use tap::Refuse;

/// Connections at a time whose only request is going to be refused: they take no place of those who are served.
pub(crate) const REFUSED_AT_ONCE: usize = 128;
