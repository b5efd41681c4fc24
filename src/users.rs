//! Names of this machine's users and groups, by the system's own look-up (files, LDAP, `systemd-userdbd`).
//!
//! A look-up may ask a server and take its time, so that names for logs and messages are looked up aside and kept.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use nix::unistd::{Group, Uid, User};

/// The user id that we act with.
pub fn own_id() -> u32 {
    rustix::process::geteuid().as_raw()
}

/// The id of a user, if there is one of that name.
///
/// # Errors
///
/// The system's look-up failed.
pub fn id_of(name: &str) -> io::Result<Option<u32>> {
    Ok(User::from_name(name)?.map(|user| user.uid.as_raw()))
}

/// The id of a group, if there is one of that name.
///
/// # Errors
///
/// The system's look-up failed.
pub fn group_id_of(name: &str) -> io::Result<Option<u32>> {
    Ok(Group::from_name(name)?.map(|group| group.gid.as_raw()))
}

/// Whether ids here are others than outside: in a user namespace (`user_namespaces(7)`), which has not all of them.
pub fn are_mapped() -> bool {
    std::fs::read_to_string("/proc/self/uid_map").is_ok_and(|map| !is_identity(&map))
}

fn is_identity(map: &str) -> bool {
    map.split_whitespace().eq(["0", "0", "4294967295"])
}

/// Names by id, each looked up once.
#[derive(Debug, Default)]
pub struct Names {
    known: Mutex<HashMap<u32, Arc<str>>>,
}

impl Names {
    /// The name of a user; the id in digits where there is none.
    pub async fn of(&self, id: u32) -> Arc<str> {
        if let Some(name) = self.known.lock().unwrap_or_else(PoisonError::into_inner).get(&id) {
            return Arc::clone(name);
        }
        let look_up = move || User::from_uid(Uid::from_raw(id)).ok().flatten().map(|user| user.name);
        let found = tokio::task::spawn_blocking(look_up).await.ok().flatten();
        let name: Arc<str> = found.unwrap_or_else(|| id.to_string()).into();
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        // Ids of a machine are few; of a range that somebody walks through, not all are kept.
        if known.len() < MOST_NAMES {
            known.insert(id, Arc::clone(&name));
        }
        name
    }
}

const MOST_NAMES: usize = 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn names_and_ids_lead_to_each_other() {
        assert_eq!(id_of("root").unwrap(), Some(0));
        assert_eq!(id_of("no such user here").unwrap(), None);
        assert!(is_identity("         0          0 4294967295\n") && !is_identity("0 100000 65536\n"));
        assert_eq!(group_id_of("no such group here").unwrap(), None);
        let names = Names::default();
        for _ in 0..2 {
            assert_eq!(&*names.of(0).await, "root");
            assert_eq!(&*names.of(4_000_000_001).await, "4000000001");
        }
    }
}
