//! What is stored: accounts, their containers, their objects. Everything here takes room and gives it
//! back; objects that have expired go when the store is next looked at.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use http::{HeaderName, HeaderValue};

use super::super::store::{Full, Room, Share};
use super::data::Data;
use super::slo::Manifest;
use super::stamp::Stamp;

/// Fields that are kept with something.
pub(super) type Fields = BTreeMap<String, HeaderValue>;

/// Everything.
#[derive(Debug, Default)]
pub(super) struct Store {
    accounts: BTreeMap<String, Account>,
    expiring: BTreeSet<(i64, Place)>,
}

/// Where an object is: account, container, name.
type Place = (String, String, String);

/// An account.
#[derive(Debug)]
pub(super) struct Account {
    pub(super) made: Stamp,
    /// Those that begin with `x-account-meta-`.
    pub(super) fields: Fields,
    pub(super) containers: BTreeMap<String, Container>,
    /// Policies that it has had containers of.
    pub(super) policies: BTreeSet<&'static str>,
    pub(super) share: Share,
}

/// A container.
#[derive(Debug)]
pub(super) struct Container {
    pub(super) made: Stamp,
    pub(super) changed: Stamp,
    pub(super) policy: &'static str,
    /// Those that begin with `x-container-`: metadata and access.
    pub(super) fields: Fields,
    pub(super) objects: BTreeMap<String, Arc<Object>>,
    pub(super) bytes: u64,
    pub(super) share: Share,
}

/// An object; it never changes, but is replaced.
#[derive(Debug)]
pub(super) struct Object {
    pub(super) data: Arc<Data>,
    pub(super) content_type: HeaderValue,
    /// `content-encoding`, `x-object-meta-colour` and such.
    pub(super) fields: Fields,
    pub(super) modified: Stamp,
    pub(super) delete_at: Option<i64>,
    pub(super) large: Large,
    pub(super) _share: Share,
}

/// Whether an object stands for others.
#[derive(Clone, Debug)]
pub(super) enum Large {
    /// It does not.
    No,
    /// For those that its data lists.
    Static(Arc<Manifest>),
    /// For those of a container whose names begin so.
    Dynamic(String, String),
}

/// What the smallest thing takes: maps, fields of its own, the allocator's share.
pub(super) const OVERHEAD: u64 = 1024;

/// Room for something with this name and these fields.
pub(super) fn share(room: &Room, name: &str, fields: &Fields) -> Result<Share, Full> {
    let fields: usize = fields.iter().map(|(name, value)| name.len() + value.len() + FIELD).sum();
    let mut share = room.share();
    share.grow(OVERHEAD + (name.len() + fields) as u64)?;
    Ok(share)
}

/// What a field takes beside its text.
const FIELD: usize = 96;

impl Store {
    pub(super) fn account(&self, account: &str) -> Option<&Account> {
        self.accounts.get(account)
    }

    pub(super) fn account_mut(&mut self, account: &str) -> Option<&mut Account> {
        self.accounts.get_mut(account)
    }

    /// The account, made if it is not there.
    pub(super) fn make_account(
        &mut self,
        account: &str,
        now: Stamp,
        room: &Room,
    ) -> Result<&mut Account, Full> {
        if !self.accounts.contains_key(account) {
            let fields = Fields::new();
            let share = share(room, account, &fields)?;
            let containers = BTreeMap::new();
            let made = Account { made: now, fields, containers, policies: BTreeSet::new(), share };
            self.accounts.insert(account.to_owned(), made);
        }
        self.accounts.get_mut(account).ok_or(Full { capacity: 0 })
    }

    /// Everything in an account goes with it.
    pub(super) fn remove_account(&mut self, account: &str) -> bool {
        self.expiring.retain(|(_, place)| place.0 != account);
        self.accounts.remove(account).is_some()
    }

    pub(super) fn container(&self, account: &str, container: &str) -> Option<&Container> {
        self.accounts.get(account)?.containers.get(container)
    }

    pub(super) fn container_mut(&mut self, account: &str, container: &str) -> Option<&mut Container> {
        self.accounts.get_mut(account)?.containers.get_mut(container)
    }

    pub(super) fn object(&self, account: &str, container: &str, name: &str) -> Option<&Arc<Object>> {
        self.container(account, container)?.objects.get(name)
    }

    /// Puts an object in the place of what was there; false if the container is gone.
    pub(super) fn put(&mut self, place: (&str, &str, &str), object: Object) -> bool {
        let delete_at = object.delete_at;
        let Some(container) = self.container_mut(place.0, place.1) else { return false };
        container.bytes += object.data.length();
        let old = container.objects.insert(place.2.to_owned(), Arc::new(object));
        if let Some(old) = &old {
            container.bytes -= old.data.length();
        }
        let place = (place.0.to_owned(), place.1.to_owned(), place.2.to_owned());
        if let Some(at) = old.and_then(|old| old.delete_at) {
            self.expiring.remove(&(at, place.clone()));
        }
        if let Some(at) = delete_at {
            self.expiring.insert((at, place));
        }
        true
    }

    /// Removes an object; false if it is not there.
    pub(super) fn remove(&mut self, account: &str, container: &str, name: &str) -> bool {
        let Some(inside) = self.container_mut(account, container) else { return false };
        let Some(old) = inside.objects.remove(name) else { return false };
        inside.bytes -= old.data.length();
        if let Some(at) = old.delete_at {
            self.expiring.remove(&(at, (account.to_owned(), container.to_owned(), name.to_owned())));
        }
        true
    }

    /// Removes what has expired.
    pub(super) fn expire(&mut self, now: Stamp) {
        while let Some((_, place)) = self.expiring.first().filter(|(at, _)| *at <= now.seconds()).cloned() {
            self.expiring.pop_first();
            self.remove(&place.0, &place.1, &place.2);
        }
    }
}

impl Account {
    /// Objects and bytes of all containers, or of those of one policy.
    pub(super) fn sums(&self, policy: Option<&str>) -> (u64, u64, u64) {
        let counted = self.containers.values().filter(|one| policy.is_none_or(|policy| one.policy == policy));
        counted.fold((0, 0, 0), |(containers, objects, bytes), container| {
            (containers + 1, objects + container.objects.len() as u64, bytes + container.bytes)
        })
    }
}

impl Container {
    /// A field that tells who may do what.
    pub(super) fn access(&self, field: &str) -> Option<&str> {
        self.fields.get(field).and_then(|value| value.to_str().ok())
    }
}

impl Object {
    /// The name of a field, if there can be such a field.
    pub(super) fn headers(&self) -> impl Iterator<Item = (HeaderName, &HeaderValue)> {
        self.fields.iter().filter_map(|(name, value)| Some((HeaderName::try_from(name).ok()?, value)))
    }
}
