//! Links of a response, turned so that they lead back here.
//!
//! 1. Absolute URLs and absolute paths are looked at; a path is meant at the upstream of the request, and
//!    is turned into a path. `//host/..` and relative links stay.
//! 2. Candidates are all endpoints of the link's host and port, with `http` and `https` and their default
//!    ports alike: the request's own first, then those with the longest root.
//! 3. A link is turned only if the path here leads forward to the very URL of the link. So a link to what
//!    no prefix reaches stays as it is, and none can be turned into something else.
//! 4. Query and fragment are kept byte for byte.
//! 5. Where a service stands at a listener's root, only its own endpoint is a candidate: no path there leads to another.

use std::cmp::Reverse;

use super::pin::{Pin, is_ours};
use super::route::Route;
use super::{RouteTable, Target, split_query, split_region};
use crate::catalog::EndpointUrl;

impl RouteTable {
    /// The link as it reads here, or `None` if it stays as it is.
    ///
    /// `target` is where the request went, `public_base` our own address as the client wrote it, such as
    /// `http://127.0.0.1:5050`.
    pub fn turn_back(&self, target: &Target<'_>, link: &str, public_base: &str) -> Option<String> {
        let parsed = Link::parse(link)?;
        let origin = parsed.origin.as_ref().unwrap_or(&target.route.upstream);
        let path = match target.pin {
            Some(pin) => self.path_at_root(pin, target.route, &parsed, origin)?,
            None => self.path_below_prefix(target, &parsed, origin)?,
        };
        let base = if parsed.origin.is_some() { public_base.trim_end_matches('/') } else { "" };
        Some(format!("{base}{path}{}", parsed.fragment))
    }

    /// Whether all links to names in the same directory as `link`, an absolute URL, are turned as it is, or stay as it
    /// does: no base of an endpoint reaches into the name, and it is not read as the account in an object store, right
    /// behind the version. A name that may be a version, `info` or `-` is for the caller to leave out.
    pub(crate) fn turns_directory_of(&self, link: &str) -> bool {
        let Some(Link { origin: Some(origin), path, query: "", fragment: "" }) = Link::parse(link) else {
            return false;
        };
        let Some((before_name, _)) = path.rsplit_once('/') else { return false };
        let directory = &path[..=before_name.len()];
        let is_version = |segment: &str| matches!(segment.as_bytes(), [b'v' | b'V', b'0'..=b'9', ..]);
        let is_behind_version = before_name.rsplit('/').next().is_some_and(is_version);
        let reaches_into_it = |base: &str| base.len() >= directory.len() && base.starts_with(directory);
        let tells_names_apart = |route: &Route| {
            [route.root(), &route.upstream.path].into_iter().any(reaches_into_it)
                || (route.is_object_store && is_behind_version)
        };
        !self.routes.iter().any(|route| route.upstream.same_origin(&origin) && tells_names_apart(route))
    }

    /// Rule 2.
    fn path_below_prefix(
        &self,
        target: &Target<'_>,
        link: &Link<'_>,
        origin: &EndpointUrl,
    ) -> Option<String> {
        let here = |prefix: &str, route: &Route| self.path_here(prefix, route, link, origin);
        let own = target.route;
        here(target.prefix, own).or_else(|| here(&own.prefix, own)).or_else(|| {
            let at_origin = self.routes.iter().filter(|route| route.upstream.same_origin(origin));
            let mut others: Vec<&Route> = at_origin.collect();
            others.sort_by_key(|route| Reverse(route.root().len()));
            others.into_iter().find_map(|route| here(&route.prefix, route))
        })
    }

    /// Rule 5.
    fn path_at_root(
        &self,
        pin: &Pin,
        route: &Route,
        link: &Link<'_>,
        origin: &EndpointUrl,
    ) -> Option<String> {
        let path = if link.path.is_empty() { "/" } else { link.path };
        let bases = [route.root(), &route.upstream.path];
        bases.into_iter().find_map(|base| {
            let rest = below(path, base)?;
            let here = format!("{}{}", if rest.is_empty() { "/" } else { rest }, link.query);
            let forward = self.resolve_at(pin, &here).ok().filter(|_| !is_ours(rest))?;
            leads_to(&forward, origin, path).then_some(here)
        })
    }

    /// The path and query here that lead to the link at this route.
    fn path_here(
        &self,
        prefix: &str,
        route: &Route,
        link: &Link<'_>,
        origin: &EndpointUrl,
    ) -> Option<String> {
        if !route.upstream.same_origin(origin) {
            return None;
        }
        let path = if link.path.is_empty() { "/" } else { link.path };
        let keeps_version = split_region(prefix).0 == "v3";
        let bases = [route.root(), &route.upstream.path];
        bases.into_iter().find_map(|base| {
            let mut rest = below(path, base)?;
            if keeps_version {
                rest = below(rest, "/v3")?;
            }
            let here = format!("/{prefix}{rest}{}", link.query);
            let forward = self.resolve(&here).ok()?;
            leads_to(&forward, origin, path).then_some(here)
        })
    }
}

/// Rule 3. The query travels unchanged, so the path tells.
fn leads_to(forward: &Target<'_>, origin: &EndpointUrl, path: &str) -> bool {
    let (forward_path, _) = split_query(forward.path_and_query.as_str());
    forward.route.upstream.same_origin(origin) && forward_path == path
}

/// Whether a redirect goes to the URL that was just asked for, by `https` in place of `http`: a client
/// that follows it through us would come back to the same place for ever.
pub fn is_https_twin(target: &Target<'_>, location: &str) -> bool {
    let Some(link) = Link::parse(location) else {
        return false;
    };
    let Some(origin) = &link.origin else {
        return false;
    };
    let path = if link.path.is_empty() { "/" } else { link.path };
    let asked = split_query(target.path_and_query.as_str());
    let upstream = &target.route.upstream;
    !upstream.is_https() && origin.is_https() && upstream.same_origin(origin) && asked == (path, link.query)
}

/// A link, taken apart without changing a byte.
struct Link<'a> {
    /// Scheme and authority; `None` for a path.
    origin: Option<EndpointUrl>,
    path: &'a str,
    /// With its `?`.
    query: &'a str,
    /// With its `#`.
    fragment: &'a str,
}

impl<'a> Link<'a> {
    /// Reads an absolute URL or an absolute path.
    fn parse(link: &'a str) -> Option<Self> {
        let (origin, rest) = if link.starts_with('/') {
            if link.starts_with("//") {
                return None;
            }
            (None, link)
        } else {
            let authority = link.find("://")? + "://".len();
            let length = link[authority..].find(['/', '?', '#']);
            let (origin, rest) = link.split_at(length.map_or(link.len(), |length| authority + length));
            (Some(EndpointUrl::parse(origin).ok()?), rest)
        };
        let (rest, fragment) = rest.split_at(rest.find('#').unwrap_or(rest.len()));
        let (path, query) = split_query(rest);
        Some(Self { origin, path, query, fragment })
    }
}

/// What follows a base in a path, at a segment's end.
fn below<'a>(path: &'a str, base: &str) -> Option<&'a str> {
    path.strip_prefix(base).filter(|below| below.is_empty() || below.starts_with('/'))
}
