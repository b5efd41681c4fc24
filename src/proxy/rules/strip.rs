//! What is taken off a path's start before a rule sees it: the endpoint's root, its version, the own project or account.

use percent_encoding::percent_decode_str;

use crate::routing::Route;

/// Takes off the segments of `root`, if it starts with them. In any letters, as for what is denied.
pub(super) fn root(path: &mut Vec<&[u8]>, root: &str) -> bool {
    let wanted: Vec<&str> = root.split('/').filter(|segment| !segment.is_empty()).collect();
    let starts_with_it = path.len() >= wanted.len()
        && path.iter().zip(&wanted).all(|(segment, wanted)| is_written(segment, wanted));
    if starts_with_it {
        path.drain(..wanted.len());
    }
    starts_with_it
}

/// The path without version and owner, and once more without its first segment where that may be an owner of another
/// name: Nova and Cinder take paths with a project in them and without, whatever the catalog has.
pub(super) fn version_and_owner<'a>(
    mut path: Vec<&'a [u8]>,
    route: &Route,
    project: Option<&str>,
) -> Vec<Vec<&'a [u8]>> {
    if route.is_object_store {
        return vec![object_store(path, route)];
    }
    while path.last().is_some_and(|segment| segment.is_empty()) {
        path.pop();
    }
    if path.first().is_some_and(|segment| is_version(segment)) {
        path.remove(0);
    }
    let Some(first) = path.first() else { return vec![path] };
    if [route.tail(), project].into_iter().flatten().any(|owner| is_written(first, owner)) {
        path.remove(0);
        return vec![path];
    }
    if path.len() > 1 && may_be_a_project(first) {
        return vec![path[1..].to_vec(), path];
    }
    vec![path]
}

/// `container/object`, which may start with a slash.
pub(super) fn object(mut path: Vec<&[u8]>) -> Vec<&[u8]> {
    if path.first().is_some_and(|segment| segment.is_empty()) {
        path.remove(0);
    }
    without_slash_of_container(path)
}

/// Version and account as they are in the endpoint; any other account stays.
fn object_store<'a>(mut path: Vec<&'a [u8]>, route: &Route) -> Vec<&'a [u8]> {
    let owner: Vec<Vec<u8>> = [route.version(), route.tail()]
        .into_iter()
        .flatten()
        .map(|it| percent_decode_str(it).collect())
        .collect();
    if path.len() >= owner.len()
        && path.iter().zip(&owner).all(|(segment, owner)| *segment == owner.as_slice())
    {
        path.drain(..owner.len());
    }
    without_slash_of_container(path)
}

/// Swift reads `c/` as the container, and anything behind as an object.
fn without_slash_of_container(mut path: Vec<&[u8]>) -> Vec<&[u8]> {
    if path.len() <= 2 && path.last().is_some_and(|segment| segment.is_empty()) {
        path.pop();
    }
    path
}

/// Whether a decoded segment is what an endpoint's URL has.
fn is_written(segment: &[u8], written: &str) -> bool {
    percent_decode_str(written).collect::<Vec<u8>>().eq_ignore_ascii_case(segment)
}

/// `v2.1`, in any letters.
fn is_version(segment: &[u8]) -> bool {
    matches!(segment, [b'v' | b'V', rest @ ..]
        if rest.first().is_some_and(u8::is_ascii_digit) && rest.iter().all(|byte| byte.is_ascii_digit() || *byte == b'.'))
}

/// Ids of projects are 32 hexadecimal digits, in some clouds with dashes between.
fn may_be_a_project(segment: &[u8]) -> bool {
    segment.iter().filter(|byte| **byte != b'-').count() == 32
        && segment.iter().all(|byte| byte.is_ascii_hexdigit() || *byte == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_root_is_taken_off_in_any_letters_and_only_whole() {
        for (path, wanted, left) in [
            (&["compute", "v2"][..], "/compute", Some(&["v2"][..])),
            (&["Compute"], "/compute", Some(&[])),
            (&["a b", "c"], "/a%20b", Some(&["c"])),
            (&["a"], "", Some(&["a"])),
            (&["computer"], "/compute", None),
            (&[], "/compute", None),
        ] {
            let mut path: Vec<&[u8]> = path.iter().map(|it| it.as_bytes()).collect();
            let taken = root(&mut path, wanted).then_some(path);
            let left = left.map(|left| left.iter().map(|it| it.as_bytes()).collect::<Vec<_>>());
            assert_eq!(taken, left, "{wanted}");
        }
    }

    #[test]
    fn versions_and_projects_are_known_by_their_form() {
        assert!([&b"v2"[..], b"V2.1", b"v3"].iter().all(|it| is_version(it)));
        assert!([&b"v"[..], b"vx", b"v2x", b"2", b"servers", b"v.1"].iter().all(|it| !is_version(it)));
        assert!(may_be_a_project(b"0123456789abcdef0123456789ABCDEF"));
        assert!(may_be_a_project(b"01234567-89ab-cdef-0123-456789abcdef"));
        assert!(!may_be_a_project(b"servers") && !may_be_a_project(&[b'g'; 32]));
    }
}
