//! What a command that `gatestone exec` starts is not to have.
//!
//! 1. Every `OS_*` but API versions and what belongs to test suites and logging; the logins of `swift`, duplicity
//!    (also for OVH's `pca://`) and rclone's defaults for Swift; our own settings, since some are secrets; the
//!    folder of systemd's credentials.
//! 2. Every setting of an rclone remote whose type is `swift`; other remotes are the command's own affair.
//!
//! What has the secret of the login in its value goes, too, under any name; `exec` sees to that.

use super::names::is_preference;

/// Whether a variable is taken away; `get` reads the others.
pub fn is_hidden(name: &str, get: impl Fn(&str) -> Option<String>) -> bool {
    is_login(name) || is_of_swift_remote(name, get)
}

fn is_login(name: &str) -> bool {
    match name.split_once('_') {
        Some(("OS", _)) => !is_preference(name),
        Some(("GATESTONE" | "PCA", _)) => true,
        Some(("ST", rest)) => matches!(rest, "AUTH" | "AUTH_VERSION" | "USER" | "KEY"),
        // The compiler of that name has variables, too.
        Some(("SWIFT", rest)) => {
            ["AUTH", "USER", "PASS", "KEY", "TOKEN", "SECRET", "TENANT", "PROJECT_DOMAIN", "REGION"]
                .iter()
                .any(|part| rest.contains(part))
        }
        Some(("RCLONE", rest)) => rest.starts_with("SWIFT_") || rest.starts_with("CONFIG_GATESTONE_"),
        _ => name == "CREDENTIALS_DIRECTORY",
    }
}

/// `RCLONE_CONFIG_NAME_KEY`, where a name may have `_` in it, too.
fn is_of_swift_remote(name: &str, get: impl Fn(&str) -> Option<String>) -> bool {
    let Some(rest) = name.strip_prefix("RCLONE_CONFIG_") else { return false };
    rest.match_indices('_').any(|(end, _)| {
        get(&format!("RCLONE_CONFIG_{}_TYPE", &rest[..end])).is_some_and(|remote| remote == "swift")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_login_is_hidden_and_the_rest_is_not() {
        for name in [
            "OS_PASSWORD",
            "OS_PASSWORD_FILE",
            "OS_CLOUD",
            "OS_IDENTITY_API_VERSION",
            "OS_IMAGE_ENDPOINT_OVERRIDE",
            "OS_CLIENT_CONFIG_FILE",
            "OS_ANYTHING_NEW",
            "ST_AUTH",
            "ST_KEY",
            "SWIFT_PASSWORD",
            "SWIFT_PREAUTHTOKEN",
            "PCA_PASSWORD",
            "GATESTONE_HTTPS_PROXY",
            "RCLONE_SWIFT_KEY",
            "CREDENTIALS_DIRECTORY",
        ] {
            assert!(is_hidden(name, |_| None), "{name}");
        }
        for name in [
            "PATH",
            "HOME",
            "OS_COMPUTE_API_VERSION",
            "OS_LOG_LEVEL",
            "OSTYPE",
            "ST_HOME",
            "SWIFT_EXEC",
            "SWIFT_DEFAULT_CONTAINER_POLICY",
            "RCLONE_CONFIG",
            "RCLONE_CONFIG_PASS",
            "AWS_SECRET_ACCESS_KEY",
            "https_proxy",
        ] {
            assert!(!is_hidden(name, |_| None), "{name}");
        }
    }

    #[test]
    fn remotes_of_swift_are_hidden_whole_and_others_are_not() {
        let get = |name: &str| match name {
            "RCLONE_CONFIG_MY_CLOUD_TYPE" => Some("swift".to_owned()),
            "RCLONE_CONFIG_MINIO_TYPE" => Some("s3".to_owned()),
            _ => None,
        };
        for (name, hidden) in [
            ("RCLONE_CONFIG_MY_CLOUD_TYPE", true),
            ("RCLONE_CONFIG_MY_CLOUD_KEY", true),
            ("RCLONE_CONFIG_MY_OTHER_KEY", false),
            ("RCLONE_CONFIG_MINIO_SECRET_ACCESS_KEY", false),
        ] {
            assert_eq!(is_hidden(name, get), hidden, "{name}");
        }
    }
}
