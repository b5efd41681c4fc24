//! Who may connect, decided once a connection.
//!
//! 1. TCP from this machine: the users of `allow_users`; by default the one that runs the proxy. Root as well, unless
//!    `allow_root` is off. A connection that nobody holds any more, or of which the kernel does not say whose it is, is
//!    refused: whoever sends a request and closes at once must not pass for somebody else.
//! 2. TCP from elsewhere: the networks of `allow_remote`, none by default.
//! 3. Unix sockets: the mode and group of the socket's file say who may connect; where `allow_users` is set, it has to
//!    be one of those as well.

use std::fmt;
use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::sync::Arc;

use ipnet::IpNet;

use crate::server::{Peer, PeerAddress, PeerUser};
use crate::users;

/// Users that are let in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AllowedUsers(Vec<AllowedUser>);

/// An entry of `allow_users`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AllowedUser {
    /// `self`: who runs the proxy.
    Myself,
    /// `any`: everyone, and nobody asks who it is.
    Any,
    /// A user by name, and the id of it.
    Named(String, u32),
    /// An id, or a range of them, such as those of a rootless container.
    Ids(RangeInclusive<u32>),
}

impl AllowedUsers {
    /// These.
    pub fn new(users: Vec<AllowedUser>) -> Self {
        Self(users)
    }

    /// Whether everyone is.
    pub fn is_any(&self) -> bool {
        self.0.contains(&AllowedUser::Any)
    }

    /// Whether others than who runs the proxy are.
    pub fn has_others(&self) -> bool {
        self.0.iter().any(|user| *user != AllowedUser::Myself)
    }

    /// Whether this one is, `own` being the one that runs the proxy.
    pub fn covers(&self, id: u32, own: u32) -> bool {
        self.0.iter().any(|user| match user {
            AllowedUser::Myself => id == own,
            AllowedUser::Any => true,
            AllowedUser::Named(_, named) => id == *named,
            AllowedUser::Ids(ids) => ids.contains(&id),
        })
    }

    /// The setting as it would be with one more.
    fn with(&self, more: &str) -> String {
        let mut texts: Vec<String> = self.0.iter().map(|user| format!("\"{user}\"")).collect();
        texts.push(format!("\"{more}\""));
        format!("allow_users = [{}]", texts.join(", "))
    }
}

impl Default for AllowedUsers {
    fn default() -> Self {
        Self(vec![AllowedUser::Myself])
    }
}

impl fmt::Display for AllowedUser {
    /// As it is written in the settings.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Myself => f.write_str("self"),
            Self::Any => f.write_str("any"),
            Self::Named(name, _) => f.write_str(name),
            Self::Ids(ids) if ids.start() == ids.end() => write!(f, "{}", ids.start()),
            Self::Ids(ids) => write!(f, "{}-{}", ids.start(), ids.end()),
        }
    }
}

/// Why a connection is not let in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unwelcome {
    /// Rule 1 or 3.
    #[error(
        "user {name} (id {id}) is not let in; to change that, whoever runs this proxy adds them to its settings: {line}"
    )]
    User {
        /// By the system's look-up, or the id.
        name: Arc<str>,
        /// As the kernel says.
        id: u32,
        /// The setting that lets this user in.
        line: String,
    },
    /// Rule 1, root where it is shut out.
    #[error("root is not let in; to change that, whoever runs this proxy sets allow_root = true")]
    Root,
    /// Rule 1, closed before it was looked at, or the kernel is silent.
    #[error(
        "nobody knows which user is at the other end of this connection, since nobody held it when it was looked at; \
         keep it open until the answer has come (allow_users = [\"any\"] serves everyone, and does not ask)"
    )]
    Unknown,
    /// This user has as many as they may have.
    #[error(
        "this user or machine has {most} connections here already; close some, or whoever runs this proxy raises \
         max_connections_per_user"
    )]
    TooMany {
        /// `max_connections_per_user`.
        most: usize,
    },
    /// Rule 2.
    #[error(
        "{address} is in none of the networks that are let in; to change that, whoever runs this proxy adds it to its \
         settings: {line}"
    )]
    Network {
        /// Where it came from.
        address: IpAddr,
        /// The setting that lets it in.
        line: String,
    },
}

/// Who may connect to one listener.
#[derive(Clone, Debug)]
pub(in crate::proxy) struct Peers {
    users: Option<AllowedUsers>,
    allow_root: bool,
    networks: Vec<IpNet>,
    own: u32,
}

impl Peers {
    /// `users` is what is set, if anything is.
    pub(in crate::proxy) fn new(users: Option<AllowedUsers>, allow_root: bool, networks: Vec<IpNet>) -> Self {
        Self { users, allow_root, networks, own: users::own_id() }
    }

    /// Whether connections over TCP are judged by their user, so that the kernel has to say.
    pub(in crate::proxy) fn need_users(&self) -> bool {
        !self.allow_root || !self.users.as_ref().is_some_and(AllowedUsers::is_any)
    }

    /// Applies the rules. The name is only for who is refused.
    pub(in crate::proxy) fn check(
        &self,
        peer: &Peer,
        name: impl FnOnce(u32) -> Arc<str>,
    ) -> Result<(), Unwelcome> {
        let users = match (&self.users, peer.address) {
            (None, PeerAddress::Unix) => return Ok(()),
            (Some(users), _) => users,
            (None, PeerAddress::Tcp(_)) => &AllowedUsers::default(),
        };
        match (peer.user, peer.address) {
            (PeerUser::Elsewhere | PeerUser::NotAsked, PeerAddress::Tcp(ends)) => {
                let address = ends.peer.ip().to_canonical();
                // Nobody was asked, so that everyone on this machine may.
                let is_local = peer.user == PeerUser::NotAsked && address.is_loopback() && users.is_any();
                if is_local || self.networks.iter().any(|network| network.contains(&address)) {
                    Ok(())
                } else {
                    Err(Unwelcome::Network { address, line: with_network(&self.networks, address) })
                }
            }
            (PeerUser::Id(id), _) if id == ROOT && self.own != ROOT => {
                // Who lists it by name or id says the same as `allow_root`.
                let is_listed = users.covers(id, self.own) && !users.is_any();
                if self.allow_root || is_listed { Ok(()) } else { Err(Unwelcome::Root) }
            }
            (PeerUser::Id(id), _) if users.covers(id, self.own) => Ok(()),
            (PeerUser::Id(id), _) => {
                let name = name(id);
                Err(Unwelcome::User { line: users.with(&name), name, id })
            }
            (_, _) if users.is_any() => Ok(()),
            (PeerUser::Unknown | PeerUser::Elsewhere | PeerUser::NotAsked, _) => Err(Unwelcome::Unknown),
        }
    }
}

fn with_network(networks: &[IpNet], more: IpAddr) -> String {
    let mut texts: Vec<String> = networks.iter().map(|network| format!("\"{network}\"")).collect();
    texts.push(format!("\"{more}\""));
    format!("allow_remote = [{}]", texts.join(", "))
}

/// On every Unix.
const ROOT: u32 = 0;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::Ends;

    const OWN: u32 = 1000;

    fn peers(users: Option<&[AllowedUser]>, allow_root: bool, networks: &[&str]) -> Peers {
        let networks = networks.iter().map(|network| network.parse().unwrap()).collect();
        let users = users.map(|users| AllowedUsers::new(users.to_vec()));
        Peers { own: OWN, ..Peers::new(users, allow_root, networks) }
    }

    fn tcp(from: &str, user: PeerUser) -> Peer {
        let ends = Ends { peer: from.parse().unwrap(), own: "127.0.0.1:5050".parse().unwrap() };
        Peer { address: PeerAddress::Tcp(ends), user }
    }

    fn unix(user: PeerUser) -> Peer {
        Peer { address: PeerAddress::Unix, user }
    }

    fn check(peers: &Peers, peer: &Peer) -> Result<(), Unwelcome> {
        peers.check(peer, |id| if id == 1001 { "bob".into() } else { id.to_string().into() })
    }

    const HERE: &str = "127.0.0.1:50000";

    #[test]
    fn by_default_who_runs_the_proxy_and_root_are_let_in() {
        let default = peers(None, true, &[]);
        assert_eq!(check(&default, &tcp(HERE, PeerUser::Id(OWN))), Ok(()));
        assert_eq!(check(&default, &tcp(HERE, PeerUser::Id(0))), Ok(()));
        let refused = check(&default, &tcp(HERE, PeerUser::Id(1001))).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "user bob (id 1001) is not let in; to change that, whoever runs this proxy adds them to its settings: \
             allow_users = [\"self\", \"bob\"]"
        );
        assert_eq!(check(&default, &tcp(HERE, PeerUser::Unknown)), Err(Unwelcome::Unknown));
        assert_eq!(check(&peers(None, false, &[]), &tcp(HERE, PeerUser::Id(0))), Err(Unwelcome::Root));
    }

    #[test]
    fn a_list_says_who_else_and_who_not() {
        let list = [
            AllowedUser::Named("bob".to_owned(), 1001),
            AllowedUser::Ids(100_000..=165_535),
            AllowedUser::Ids(7..=7),
        ];
        let some = peers(Some(&list), true, &[]);
        for (id, is_in) in [
            (1001, true),
            (100_000, true),
            (165_535, true),
            (7, true),
            (OWN, false),
            (165_536, false),
            (8, false),
        ] {
            assert_eq!(check(&some, &tcp(HERE, PeerUser::Id(id))).is_ok(), is_in, "{id}");
            assert_eq!(check(&some, &unix(PeerUser::Id(id))).is_ok(), is_in, "{id}");
        }
        let refused = check(&some, &tcp(HERE, PeerUser::Id(8))).unwrap_err().to_string();
        assert!(refused.ends_with("allow_users = [\"bob\", \"100000-165535\", \"7\", \"8\"]"), "{refused}");
        // A closed socket says user 0; it is never looked at by its number.
        assert_eq!(check(&some, &tcp(HERE, PeerUser::Unknown)), Err(Unwelcome::Unknown));
        assert_eq!(check(&some, &unix(PeerUser::Unknown)), Err(Unwelcome::Unknown));
    }

    #[test]
    fn any_is_everyone_here_and_nobody_elsewhere() {
        let any = peers(Some(&[AllowedUser::Any]), true, &[]);
        for user in [PeerUser::Id(5), PeerUser::Unknown, PeerUser::NotAsked, PeerUser::Id(0)] {
            assert_eq!(check(&any, &tcp(HERE, user)), Ok(()), "{user:?}");
            assert_eq!(check(&any, &unix(user)), Ok(()), "{user:?}");
        }
        for user in [PeerUser::Elsewhere, PeerUser::NotAsked] {
            assert!(check(&any, &tcp("10.0.0.1:1", user)).is_err(), "{user:?}");
        }
        assert!(!any.need_users());
        // Everyone but root is a thing that somebody may want.
        let but_root = peers(Some(&[AllowedUser::Any]), false, &[]);
        assert_eq!(check(&but_root, &unix(PeerUser::Id(0))), Err(Unwelcome::Root));
    }

    #[test]
    fn the_file_of_a_unix_socket_is_the_check_unless_users_are_named() {
        assert_eq!(check(&peers(None, true, &[]), &unix(PeerUser::Id(1001))), Ok(()));
        assert!(check(&peers(Some(&[AllowedUser::Myself]), true, &[]), &unix(PeerUser::Id(1001))).is_err());
    }

    #[test]
    fn other_machines_are_let_in_by_their_network_alone() {
        let some = peers(None, true, &["10.0.0.0/8", "fd00::/8"]);
        for (from, is_in) in [
            ("10.1.2.3:1", true),
            ("[::ffff:10.1.2.3]:1", true),
            ("[fd12::1]:1", true),
            ("11.0.0.1:1", false),
        ] {
            assert_eq!(check(&some, &tcp(from, PeerUser::Elsewhere)).is_ok(), is_in, "{from}");
        }
        let refused = check(&some, &tcp("11.0.0.1:1", PeerUser::Elsewhere)).unwrap_err().to_string();
        assert!(
            refused.ends_with("allow_remote = [\"10.0.0.0/8\", \"fd00::/8\", \"11.0.0.1\"]"),
            "{refused}"
        );
        // Whoever is on this machine is judged by user, whatever address they use.
        assert!(check(&some, &tcp("10.1.2.3:1", PeerUser::Id(1001))).is_err());
        assert_eq!(check(&some, &tcp("10.1.2.3:1", PeerUser::Unknown)), Err(Unwelcome::Unknown));
    }
}
