//! `DELETE ?multipart-manifest=delete`: a manifest with all of its segments, as a bulk deletion.

use std::collections::VecDeque;

use http::StatusCode;

use super::super::super::reply::Reply;
use super::super::Ask;
use super::super::auth::Act;
use super::super::bulk::{self, Doomed};
use super::super::object::{Place, find};
use super::super::refusal::Refusal;
use super::super::state::Large;
use super::{MOST_SEGMENTS, Segment, What};

/// Deletes a large object and what it is made of.
pub(in super::super) fn delete(ask: &Ask, place: Place<'_>) -> Result<Reply, Refusal> {
    // Who may not even know of the object gets no report on it.
    find(ask, place, Act::Write)?;
    Ok(bulk::report(ask, bulk::format(ask), doomed(ask, place)))
}

struct Queued {
    container: String,
    name: String,
    is_manifest: bool,
    error: Option<(StatusCode, String)>,
}

fn doomed(ask: &Ask, place: Place<'_>) -> Result<Vec<Doomed>, Refusal> {
    let mut queue = VecDeque::from([Queued {
        container: place.container.to_owned(),
        name: place.name.to_owned(),
        is_manifest: true,
        error: None,
    }]);
    let mut doomed = Vec::new();
    while let Some(mut one) = queue.pop_front() {
        if queue.len() + doomed.len() > 10 * MOST_SEGMENTS {
            return Err(Refusal::html(StatusCode::BAD_REQUEST, "Too many buffered slo segments to delete."));
        }
        if !one.is_manifest {
            let name = format!("/{}/{}", one.container, one.name).into_bytes();
            doomed.push(Doomed { name, error: one.error });
            continue;
        }
        let at = Place { account: place.account, container: &one.container, name: &one.name };
        match find(ask, at, Act::Object) {
            Err(refusal) => one.error = Some((refusal.status, "401 Unauthorized".to_owned())),
            Ok(None) => one.error = Some((StatusCode::NOT_FOUND, String::new())),
            Ok(Some(object)) => match &object.large {
                Large::Static(manifest) => queue.extend(manifest.segments.iter().filter_map(queued)),
                Large::No | Large::Dynamic(..) => {
                    one.error = Some((StatusCode::BAD_REQUEST, "Not an SLO manifest".to_owned()));
                }
            },
        }
        one.is_manifest = false;
        queue.push_back(one);
    }
    Ok(doomed)
}

fn queued(segment: &Segment) -> Option<Queued> {
    let What::Object(part) = &segment.what else { return None };
    let (container, name) = (part.container.clone(), part.name.clone());
    Some(Queued { container, name, is_manifest: part.is_manifest, error: None })
}
