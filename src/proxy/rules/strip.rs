//! What is taken off a path's start before a rule sees it: the endpoint's root, its version, the own project or account.

use percent_encoding::percent_decode_str;

use super::path::Path;
use crate::routing::Route;

/// The path below `root`, if it starts with its segments. In any letters, as for what is denied.
pub(super) fn root<'a>(mut path: Path<'a>, root: &str) -> Option<Path<'a>> {
    if root.is_empty() {
        return Some(path);
    }
    for wanted in root.split('/').filter(|segment| !segment.is_empty()) {
        let (segment, rest) = path.split_first()?;
        if !is_written(segment, wanted) {
            return None;
        }
        path = rest;
    }
    Some(path)
}

/// The path without version and owner, and once more without its first segment where that may be an owner of another
/// name: Nova and Cinder take paths with a project in them and without, whatever the catalog has.
pub(super) fn version_and_owner<'a>(
    path: Path<'a>,
    route: &Route,
    project: Option<&str>,
) -> (Path<'a>, Option<Path<'a>>) {
    if holds_objects(route) {
        return (object_store(path, route).without_slash_of_container(), None);
    }
    let path = path.without_slashes_at_end();
    let path = match path.split_first() {
        Some((first, rest)) if is_version(first) => rest,
        Some(_) | None => path,
    };
    let Some((first, rest)) = path.split_first() else { return (path, None) };
    if [route.tail(), project].into_iter().flatten().any(|owner| is_written(first, owner)) {
        return (rest, None);
    }
    (path, Some(rest).filter(|rest| may_be_a_project(first) && !rest.is_at_end()))
}

/// Whether paths are names that anyone gives: of Swift, and of S3, which has neither versions nor accounts in them.
pub(super) fn holds_objects(route: &Route) -> bool {
    route.is_object_store || route.settings_key == "s3"
}

/// `container/object`, which may start with a slash.
pub(super) fn object(path: Path<'_>) -> Path<'_> {
    let path = match path.split_first() {
        Some((b"", rest)) => rest,
        Some(_) | None => path,
    };
    path.without_slash_of_container()
}

/// Version and account as they are in the endpoint; any other account stays.
fn object_store<'a>(path: Path<'a>, route: &Route) -> Path<'a> {
    let mut below = path;
    for owner in [route.version(), route.tail()].into_iter().flatten() {
        match below.split_first() {
            Some((segment, rest)) if is_exactly(segment, owner) => below = rest,
            Some(_) | None => return path,
        }
    }
    below
}

/// Whether a decoded segment is what an endpoint's URL has, letter by letter.
fn is_exactly(segment: &[u8], written: &str) -> bool {
    segment == written.as_bytes()
        || written.contains('%') && percent_decode_str(written).eq(segment.iter().copied())
}

/// The same in any letters.
fn is_written(segment: &[u8], written: &str) -> bool {
    segment.eq_ignore_ascii_case(written.as_bytes())
        || written.contains('%') && {
            let decoded: Vec<u8> = percent_decode_str(written).collect();
            decoded.eq_ignore_ascii_case(segment)
        }
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
            ("compute/v2", "/compute", Some("v2")),
            ("Compute", "/compute", Some("")),
            ("a b/c", "/a%20b", Some("c")),
            ("a", "", Some("a")),
            ("computer", "/compute", None),
            ("", "/compute", None),
        ] {
            let left = left.map(|left| Path::of(left.as_bytes()));
            assert_eq!(root(Path::of(path.as_bytes()), wanted), left, "{wanted}");
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
