//! `Place`: a listener that is bound, and what the settings in force say of it.

use std::os::unix::fs::MetadataExt;
use std::sync::Arc;

use crate::proxy::{Door, ListenerSettings};
use crate::run::RunError;
use crate::server::{BoundAddr, ListenAddr};

/// A listener that is bound.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) addr: BoundAddr,
    /// Which of the settings' listeners at start led to it: one may have led to several sockets that were inherited.
    pub(crate) number: usize,
    /// What the settings in force say of it; where they say nothing any more, what those before said.
    pub(crate) own: ListenerSettings,
    pub(crate) door: Arc<Door>,
}

/// Rule 2: each listener with what its address has in the new settings; of those that share an address, port 0 that is,
/// in their order.
pub(super) fn matched(places: &[Place], listeners: &[ListenerSettings]) -> Vec<Place> {
    let mut used: Vec<(usize, usize)> = Vec::new();
    let mut matched = places.to_vec();
    for place in &mut matched {
        let known = used.iter().find(|(number, _)| *number == place.number).map(|(_, at)| *at);
        let is_free = |at: &usize| used.iter().all(|(_, taken)| taken != at);
        let found = known.or_else(|| {
            (0..listeners.len()).filter(is_free).find(|at| listeners[*at].addr.is_at(&place.own.addr))
        });
        if let Some(at) = found {
            used.push((place.number, at));
            place.own = listeners[at].clone();
        }
    }
    matched
}

/// Where the file of a Unix socket was open to more than its settings mean now, and who connects was judged by user, it has
/// to stay so: the mode changes at the next start alone.
pub(super) fn stays_shut(place: &Place, before: &ListenerSettings) -> Result<(), RunError> {
    let (ListenAddr::Unix(path), None, Some(_)) =
        (&place.own.addr, &place.own.access.users, &before.access.users)
    else {
        return Ok(());
    };
    let meant = place.own.access.socket_permissions().mode;
    match std::fs::metadata(path) {
        Ok(file) if file.mode() & 0o777 & !meant != 0 => {
            Err(RunError::LeftOpen { path: path.clone(), mode: file.mode() & 0o777, meant })
        }
        // Whoever removed it has shut it.
        Ok(_) | Err(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::door;

    fn listener(port: u16, optional: bool, secret: &str) -> ListenerSettings {
        let addr = ListenAddr::Tcp { addr: ([127, 0, 0, 1], port).into(), optional };
        ListenerSettings { client_secret: Some(secret.to_owned().into()), ..addr.into() }
    }

    fn places(listeners: &[ListenerSettings]) -> Vec<Place> {
        let place = |(number, own): (usize, &ListenerSettings)| Place {
            addr: BoundAddr::Tcp(([127, 0, 0, 1], 1000 + number as u16).into()),
            number,
            own: own.clone(),
            door: Arc::new(door(own, &BoundAddr::Tcp(([127, 0, 0, 1], 1).into())).unwrap()),
        };
        listeners.iter().enumerate().map(place).collect()
    }

    fn secrets(places: &[Place]) -> Vec<&str> {
        places.iter().map(|place| place.own.client_secret.as_ref().unwrap().expose()).collect()
    }

    #[test]
    fn a_listener_that_is_gone_from_the_settings_keeps_its_number_and_what_it_had() {
        let before = places(&[listener(1, false, "a"), listener(2, false, "b"), listener(3, false, "c")]);
        let mut now = before;
        for round in ["d", "e"] {
            now = matched(&now, &[listener(3, false, round), listener(1, false, "a")]);
            assert_eq!(secrets(&now), ["a", "b", round]);
        }
    }

    #[test]
    fn whether_an_address_may_be_missing_makes_it_no_other() {
        let now = matched(&places(&[listener(1, true, "a")]), &[listener(1, false, "b")]);
        assert_eq!(secrets(&now), ["b"]);
    }

    #[test]
    fn several_free_ports_keep_their_order() {
        let before = places(&[listener(0, false, "a"), listener(0, false, "b")]);
        let now = matched(&before, &[listener(0, false, "c"), listener(0, false, "d")]);
        assert_eq!(secrets(&now), ["c", "d"]);
        assert_eq!(secrets(&matched(&before, &[listener(0, false, "c")])), ["c", "b"]);
    }

    #[test]
    fn sockets_of_one_name_are_of_one_listener() {
        let own = listener(1, false, "a");
        let mut both = places(&[own.clone(), own]);
        both[1].number = 0;
        assert_eq!(secrets(&matched(&both, &[listener(1, false, "b")])), ["b", "b"]);
    }
}
