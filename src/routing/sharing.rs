//! Which endpoints share a host, so that one's requests may be taken for the other's.

use std::collections::HashMap;

use super::Route;

/// Notes for each route which others may get its requests, if their host decides by the path.
pub(super) fn note(routes: &mut [Route]) {
    let mut by_host: HashMap<(&str, u16), Vec<usize>> = HashMap::new();
    for (i, route) in routes.iter().enumerate() {
        let host = (route.upstream.host(), route.upstream.port_or_default());
        by_host.entry(host).or_default().push(i);
    }
    let mut sharing: Vec<Box<[usize]>> = vec![Box::default(); routes.len()];
    for all in by_host.values().filter(|all| all.len() > 1) {
        for route in all {
            let is_reached = |other: &&usize| {
                let below = routes[**other].root().strip_prefix(routes[*route].root());
                *other != route && below.is_some_and(|below| below.is_empty() || below.starts_with('/'))
            };
            sharing[*route] = all.iter().filter(is_reached).copied().collect();
        }
    }
    for (route, sharing) in routes.iter_mut().zip(sharing) {
        route.sharing = sharing;
    }
}
