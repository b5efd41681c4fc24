//! From the path after a prefix to the upstream path: the seven rules.
//!
//! Let P be the path of the endpoint. Its *version segment* is the last segment like `v2.1` that has at
//! most one segment, the *tail*, after it; *root* is what stands before it. Let R be the raw bytes after
//! the prefix. The first rule that matches decides, see [`PathRule`]. No project id is ever inserted, and
//! an empty result is `/`.
//!
//! Whatever is published as an endpoint's local address, [`face`] and any suffix of it lead to the same
//! suffix of the endpoint.

use std::fmt;

/// Which rule placed a request's path below an endpoint's; the numbers are shown by `check PATH`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PathRule {
    /// There is no version in P: P + R.
    NoVersion = 1,
    /// An object store is asked for exactly `/info`: root + R.
    Info = 2,
    /// An object store is asked for an account of its own kind, with the version: root + R.
    Account = 3,
    /// Anything else of an object store: P + R.
    Objects = 4,
    /// R is empty or `/`: root + `/`, where clients look for the list of versions.
    Versions = 5,
    /// R starts with a version: root + R.
    Versioned = 6,
    /// Anything else: P + R.
    BelowEndpoint = 7,
}

impl PathRule {
    /// From 1 to 7.
    pub fn number(self) -> u8 {
        self as u8
    }

    /// Whether the request's path stands below the root rather than below P.
    pub(super) fn starts_at_root(self) -> bool {
        match self {
            Self::NoVersion | Self::Objects | Self::BelowEndpoint => false,
            Self::Info | Self::Account | Self::Versions | Self::Versioned => true,
        }
    }
}

impl fmt::Display for PathRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoVersion => "the endpoint has no version, so the path follows it",
            Self::Info => "/info of an object store stands at its root",
            Self::Account => "the path names an account with its version, so it follows the root",
            Self::Objects => "the path follows the object store's endpoint",
            Self::Versions => "an empty path means the list of versions at the root",
            Self::Versioned => "the path starts with a version, so it follows the root",
            Self::BelowEndpoint => "the path has no version, so it follows the endpoint",
        })
    }
}

/// The parts of an endpoint's path, as lengths: `/root` `/v2.1` `/tail`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Layout {
    /// End of the root.
    root: usize,
    /// End of the version; equal to `root` if there is none, and then both are the path's length.
    version: usize,
}

impl Layout {
    /// Reads the path of an endpoint, which has no slash at its end.
    pub(super) fn of(path: &str) -> Self {
        let last = path.rfind('/').unwrap_or_default();
        if is_version_segment(&path[last..]) {
            return Self { root: last, version: path.len() };
        }
        let before = path[..last].rfind('/').unwrap_or_default();
        if is_version_segment(&path[before..last]) {
            return Self { root: before, version: last };
        }
        Self { root: path.len(), version: path.len() }
    }

    /// What stands before the version; the whole path if there is none.
    pub(super) fn root(self, path: &str) -> &str {
        &path[..self.root]
    }

    /// The version, such as `v2.1`.
    pub(super) fn version(self, path: &str) -> Option<&str> {
        path[self.root..self.version].strip_prefix('/')
    }

    /// The one segment after the version.
    pub(super) fn tail(self, path: &str) -> Option<&str> {
        path[self.version..].strip_prefix('/')
    }
}

/// The rule for `rest`, the path after the prefix without the query, at an endpoint of this path.
pub(super) fn choose(path: &str, layout: Layout, is_object_store: bool, rest: &str) -> PathRule {
    let Some(version) = layout.version(path) else {
        return PathRule::NoVersion;
    };
    if is_object_store {
        return match (rest, layout.tail(path)) {
            ("/info", _) => PathRule::Info,
            (_, Some(account)) if names_account(rest, version, account) => PathRule::Account,
            _ => PathRule::Objects,
        };
    }
    if matches!(rest, "" | "/") {
        PathRule::Versions
    } else if is_version_segment(&rest[..first_segment_end(rest)]) {
        PathRule::Versioned
    } else {
        PathRule::BelowEndpoint
    }
}

/// The local path at which an endpoint is published: its prefix and, so that clients find the version
/// where they expect it, version and tail. An object store without a tail is published at the prefix
/// alone, because there `/v1` may be a container.
pub(super) fn face(prefix: &str, path: &str, layout: Layout, is_object_store: bool) -> String {
    format!("/{prefix}{}", face_at_root(path, layout, is_object_store))
}

/// The same where the endpoint stands at a listener's root, so without a prefix.
pub(super) fn face_at_root(path: &str, layout: Layout, is_object_store: bool) -> &str {
    if is_object_store && layout.tail(path).is_none() { "" } else { &path[layout.root..] }
}

/// Whether `rest` starts `/{version}/X` where X begins with the account's reseller prefix, up to its
/// first `_`, or is the account if that has none.
fn names_account(rest: &str, version: &str, account: &str) -> bool {
    let after = rest.strip_prefix('/').and_then(|rest| rest.strip_prefix(version));
    let Some(named) = after.and_then(|rest| rest.strip_prefix('/')) else {
        return false;
    };
    match account.find('_') {
        Some(end) => named.starts_with(&account[..=end]),
        None => named[..named.find('/').unwrap_or(named.len())] == *account,
    }
}

/// Whether a segment with its slash is a version: `^v\d+(\.\d+)*$`.
pub(super) fn is_version_segment(segment: &str) -> bool {
    segment.strip_prefix("/v").is_some_and(|numbers| {
        numbers
            .split('.')
            .all(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
    })
}

/// Where the first segment of `/a/b` ends.
fn first_segment_end(path: &str) -> usize {
    path.get(1..).and_then(|rest| rest.find('/')).map_or(path.len(), |end| end + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoints_path_has_root_version_and_tail() {
        for (path, root, version, tail) in [
            ("", "", None, None),
            ("/v2.1", "", Some("v2.1"), None),
            ("/v2.1/p", "", Some("v2.1"), Some("p")),
            ("/compute/v2.1", "/compute", Some("v2.1"), None),
            ("/swift/v1/AUTH_p", "/swift", Some("v1"), Some("AUTH_p")),
            ("/placement", "/placement", None, None),
            ("/v1/a/b", "/v1/a/b", None, None),
            ("/v1/compute/v2.1/p", "/v1/compute", Some("v2.1"), Some("p")),
            ("/v1/v2", "/v1", Some("v2"), None),
            ("/v1/volume", "", Some("v1"), Some("volume")),
            ("/version", "/version", None, None),
            ("/v2.", "/v2.", None, None),
            ("/v", "/v", None, None),
            ("/V2", "/V2", None, None),
            ("/xv2", "/xv2", None, None),
            ("//v3", "/", Some("v3"), None),
            ("/v3//p", "/v3//p", None, None),
        ] {
            let layout = Layout::of(path);
            let seen = (layout.root(path), layout.version(path), layout.tail(path));
            assert_eq!(seen, (root, version, tail), "{path}");
        }
    }

    #[test]
    fn accounts_are_known_by_version_and_reseller_prefix() {
        for (rest, account, expected) in [
            ("/v1/AUTH_b/c", "AUTH_p", true),
            ("/v1/AUTH_", "AUTH_p", true),
            ("/v1/AUTH", "AUTH_p", false),
            ("/v1/KEY_b", "AUTH_p", false),
            ("/v1.0/AUTH_p", "AUTH_p", false),
            ("/v2/AUTH_p", "AUTH_p", false),
            ("/v1", "AUTH_p", false),
            ("/v1/", "AUTH_p", false),
            ("/v1/p/c", "p", true),
            ("/v1/p", "p", true),
            ("/v1/px", "p", false),
            ("", "p", false),
        ] {
            assert_eq!(names_account(rest, "v1", account), expected, "{rest} {account}");
        }
    }
}
