//! What a path names: Swift takes `/v1/ACCOUNT/CONTAINER/OBJECT` apart after it has decoded it as a
//! whole, so `%2F` divides as `/` does, and an object's name may begin with or contain slashes. Ceph's object
//! gateway may leave the account out (`rgw swift account in url`): it is then that of the token's project.

use http::StatusCode;
use percent_encoding::percent_decode_str;

use super::refusal::Refusal;

/// What a request is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Target {
    /// What the store can do.
    Info,
    /// Whether it is alive.
    Healthcheck,
    /// An account.
    Account(String),
    /// A container of an account.
    Container(String, String),
    /// An object in a container of an account.
    Object(String, String, String),
}

impl Target {
    /// The account, if there is one.
    pub(super) fn account(&self) -> Option<&str> {
        match self {
            Self::Info | Self::Healthcheck => None,
            Self::Account(account) | Self::Container(account, _) | Self::Object(account, _, _) => {
                Some(account)
            }
        }
    }
}

/// Reads a path; `root` is what stands before the version, `account` the one that paths leave out here.
pub(super) fn target(path: &str, root: &str, account: Option<&str>) -> Result<Target, Refusal> {
    let decoded = percent_decode_str(path).decode_utf8();
    let Ok(decoded) = decoded else { return Err(not_utf8()) };
    if decoded.contains('\0') {
        return Err(not_utf8());
    }
    let missing = || Refusal::of(StatusCode::NOT_FOUND);
    let rest = decoded.strip_prefix(root).and_then(|rest| rest.strip_prefix('/')).ok_or_else(missing)?;
    match rest {
        "info" => return Ok(Target::Info),
        "healthcheck" => return Ok(Target::Healthcheck),
        _ => {}
    }
    let mut parts = rest.splitn(if account.is_some() { 3 } else { 4 }, '/');
    let version = parts.next().unwrap_or_default();
    let mut next = || parts.next().unwrap_or_default().to_owned();
    let account = account.map_or_else(&mut next, str::to_owned);
    let (container, object) = (next(), next());
    if version.is_empty() || (container.is_empty() && !object.is_empty()) {
        return Err(missing());
    }
    if account.is_empty() {
        return Err(Refusal::html(StatusCode::PRECONDITION_FAILED, "Bad URL"));
    }
    if !matches!(version, "v1" | "v1.0") {
        return Err(Refusal::of(StatusCode::BAD_REQUEST));
    }
    Ok(match (container.is_empty(), object.is_empty()) {
        (true, _) => Target::Account(account),
        (false, true) => Target::Container(account, container),
        (false, false) => Target::Object(account, container, object),
    })
}

/// Reads `container/object` from a field such as `Destination`.
pub(super) fn container_and_object(value: &str) -> Option<(String, String)> {
    let decoded = percent_decode_str(value).decode_utf8().ok()?;
    let (container, object) = decoded.strip_prefix('/').unwrap_or(&decoded).split_once('/')?;
    let whole = !container.is_empty() && !object.is_empty() && !decoded.contains('\0');
    whole.then(|| (container.to_owned(), object.to_owned()))
}

fn not_utf8() -> Refusal {
    Refusal::html(StatusCode::PRECONDITION_FAILED, "Invalid UTF8 or contains NULL")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(path: &str) -> Result<Target, u16> {
        target(path, "/swift", None).map_err(|refusal| refusal.status.as_u16())
    }

    #[test]
    fn an_account_that_is_left_out_is_the_callers() {
        let read = |path| target(path, "/swift", Some("A")).map_err(|refusal| refusal.status.as_u16());
        let object = |name: &str| Target::Object("A".into(), "c".into(), name.into());
        for (path, expected) in [
            ("/swift/info", Ok(Target::Info)),
            ("/swift/v1", Ok(Target::Account("A".into()))),
            ("/swift/v1/", Ok(Target::Account("A".into()))),
            ("/swift/v1/c", Ok(Target::Container("A".into(), "c".into()))),
            ("/swift/v1/c/o/p/", Ok(object("o/p/"))),
            ("/swift/v1//o", Err(404)),
            ("/swift/v2/c", Err(400)),
            ("/swift", Err(404)),
        ] {
            assert_eq!(read(path), expected, "{path}");
        }
    }

    #[test]
    fn a_path_names_an_account_a_container_or_an_object() {
        let account = || Target::Account("A".into());
        let container = || Target::Container("A".into(), "c".into());
        let object = |name: &str| Target::Object("A".into(), "c".into(), name.into());
        for (path, expected) in [
            ("/swift/info", Ok(Target::Info)),
            ("/swift/healthcheck", Ok(Target::Healthcheck)),
            ("/swift/v1/A", Ok(account())),
            ("/swift/v1/A/", Ok(account())),
            ("/swift/v1.0/A", Ok(account())),
            ("/swift/v1/A/c", Ok(container())),
            ("/swift/v1/A/c/", Ok(container())),
            ("/swift/v1/A/c/o/p/", Ok(object("o/p/"))),
            ("/swift/v1/A/c//", Ok(object("/"))),
            ("/swift/v1/A/c%2Fo", Ok(object("o"))),
            ("/swift/v1/A/c/%C3%A9%25", Ok(object("é%"))),
            ("/swift/v1/A//o", Err(404)),
            ("/swift/v1/A/%ff", Err(412)),
            ("/swift/v1/A/a%00", Err(412)),
            ("/swift/v1", Err(412)),
            ("/swift/v1/", Err(412)),
            ("/swift/", Err(404)),
            ("/swift", Err(404)),
            ("/swiftly/v1/A", Err(404)),
            ("/v1/A", Err(404)),
            ("/swift/v2/A", Err(400)),
        ] {
            assert_eq!(read(path), expected, "{path}");
        }
    }

    #[test]
    fn a_destination_needs_both_parts() {
        assert_eq!(container_and_object("/c/%C3%A9/x"), Some(("c".into(), "é/x".into())));
        assert_eq!(container_and_object("c/o"), Some(("c".into(), "o".into())));
        for wrong in ["", "/", "c", "c/", "/c", "//o", "%ff/o", "c/%00"] {
            assert_eq!(container_and_object(wrong), None, "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn no_path_is_too_odd(path in "(/swift)?(/|v1|%|[a-f0-9]|\\PC){0,40}") {
            let _ = read(&path);
            let _ = container_and_object(&path);
        }
    }
}
