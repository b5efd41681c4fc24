//! How many connections each user has, so that one of them does not take them all.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use super::peer::{Peer, PeerAddress};

/// Whose connections are counted together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Who {
    /// A user of this machine.
    User(u32),
    /// Those of whom no more is known than where they are.
    Address(IpAddr),
    /// At a Unix socket, where the system does not say who.
    Nobody,
}

/// Counts connections by user, over all listeners and workers.
#[derive(Debug)]
pub(crate) struct Quota {
    most: Option<usize>,
    open: Mutex<HashMap<Who, usize>>,
}

/// One connection's part of it.
#[derive(Debug)]
pub(crate) struct Share(Option<(Arc<Quota>, Who)>);

impl Quota {
    /// So many for each; without a number they are not counted.
    pub(crate) fn new(most: Option<usize>) -> Self {
        Self { most, open: Mutex::default() }
    }

    /// Whether it matters whose a connection is.
    pub(crate) fn needs_users(&self) -> bool {
        self.most.is_some()
    }

    /// One more for whoever this is.
    ///
    /// # Errors
    ///
    /// How many there may be, which they have already.
    pub(crate) fn take(self: &Arc<Self>, peer: &Peer) -> Result<Share, usize> {
        let Some(most) = self.most else { return Ok(Share(None)) };
        let who = match (peer.user.id(), peer.address) {
            (Some(id), _) => Who::User(id),
            (None, PeerAddress::Tcp(ends)) => Who::Address(ends.peer.ip().to_canonical()),
            (None, PeerAddress::Unix) => Who::Nobody,
        };
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let count = open.entry(who).or_default();
        if *count >= most {
            return Err(most);
        }
        *count += 1;
        Ok(Share(Some((Arc::clone(self), who))))
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let Some((quota, who)) = &self.0 else { return };
        let mut open = quota.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Entry::Occupied(mut count) = open.entry(*who) {
            *count.get_mut() -= 1;
            if *count.get() == 0 {
                count.remove();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::peer::PeerUser;
    use super::super::peers::Ends;
    use super::*;

    fn peer(from: &str, user: PeerUser) -> Peer {
        let ends = Ends { peer: from.parse().unwrap(), own: "127.0.0.1:5050".parse().unwrap() };
        Peer { address: PeerAddress::Tcp(ends), user }
    }

    #[test]
    fn each_user_has_so_many_and_gets_them_back() {
        let quota = Arc::new(Quota::new(Some(2)));
        let alice = |port| peer(&format!("127.0.0.1:{port}"), PeerUser::Id(1));
        let bob = peer("127.0.0.1:3", PeerUser::Id(2));
        let first = quota.take(&alice(1)).unwrap();
        let _second = quota.take(&alice(2)).unwrap();
        assert_eq!(quota.take(&alice(3)).unwrap_err(), 2);
        assert!(quota.take(&bob).is_ok());
        drop(first);
        assert!(quota.take(&alice(3)).is_ok());
        assert_eq!(quota.open.lock().unwrap().len(), 1, "nobody is remembered for nothing");
    }

    #[test]
    fn those_elsewhere_are_counted_by_their_address() {
        let quota = Arc::new(Quota::new(Some(1)));
        let _one = quota.take(&peer("10.0.0.1:1", PeerUser::Elsewhere)).unwrap();
        assert!(quota.take(&peer("10.0.0.1:2", PeerUser::Elsewhere)).is_err());
        assert!(quota.take(&peer("[::ffff:10.0.0.1]:2", PeerUser::Elsewhere)).is_err());
        assert!(quota.take(&peer("10.0.0.2:1", PeerUser::Elsewhere)).is_ok());
    }

    #[test]
    fn without_a_number_nobody_is_counted() {
        let quota = Arc::new(Quota::new(None));
        let _all: Vec<_> = (0..100)
            .map(|port| quota.take(&peer(&format!("10.0.0.1:{port}"), PeerUser::Unknown)).unwrap())
            .collect();
        assert!(quota.open.lock().unwrap().is_empty());
    }
}
