//! The command's environment: ours without any login, and with what points it at the proxy.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::net::SocketAddr;
use std::os::unix::ffi::OsStrExt;

use clap::ValueEnum;

use super::super::complain;
use crate::secret::Secret;
use crate::tools::{self, Tool, Variables};

/// Puts it together; tells which variables held a secret under a name of their own.
pub(super) fn of_command(
    ours: Vec<(OsString, OsString)>,
    set: Variables,
    proxy: SocketAddr,
    secrets: &[Secret],
) -> BTreeMap<OsString, OsString> {
    let readable: BTreeMap<String, String> =
        ours.iter().map(|(name, value)| (lossy(name), lossy(value))).collect();
    let get = |name: &str| readable.get(name).filter(|value| !value.is_empty()).cloned();
    let mut environment = BTreeMap::new();
    for (name, value) in ours {
        let known = lossy(&name);
        // Compared byte by byte: a value need not be text.
        let has_secret = secrets.iter().any(|secret| holds(value.as_bytes(), secret));
        let misleads = Tool::value_variants().iter().any(|tool| tool.is_in_the_way(&known));
        if misleads || tools::is_hidden(&known, get) {
            continue;
        }
        if has_secret {
            complain(format_args!("{known} holds a secret of the login; the command does not get it"));
            continue;
        }
        environment.insert(name, value);
    }
    let past = tools::past_http_proxies(proxy, get);
    environment.extend(set.into_iter().chain(past).map(|(name, value)| (name.into(), value.into())));
    environment
}

/// A short secret could be part of anything, so it has to be all of the value.
fn holds(value: &[u8], secret: &Secret) -> bool {
    let secret = secret.expose().as_bytes();
    let is_in = |value: &[u8]| {
        value == secret
            || (secret.len() >= LONG_ENOUGH && value.windows(secret.len()).any(|part| part == secret))
    };
    // In a URL it is percent-encoded.
    is_in(value)
        || value.contains(&b'%') && is_in(&percent_encoding::percent_decode(value).collect::<Vec<_>>())
}

fn lossy(text: &std::ffi::OsStr) -> String {
    text.to_string_lossy().into_owned()
}

/// Bytes of a secret that do not stand in other values by chance.
const LONG_ENOUGH: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    fn of(ours: &[(&str, &str)], secret: &str) -> Vec<String> {
        let ours = ours.iter().map(|(name, value)| (OsString::from(name), OsString::from(value))).collect();
        let set = vec![("OS_AUTH_URL".to_owned(), "http://here".to_owned())];
        let proxy = "127.0.0.1:1".parse().unwrap();
        let environment = of_command(ours, set, proxy, &[Secret::new(secret)]);
        environment.iter().map(|(name, value)| format!("{}={}", name.display(), value.display())).collect()
    }

    #[test]
    fn the_login_goes_and_the_rest_stays() {
        let ours = [
            ("PATH", "/bin"),
            ("OS_AUTH_URL", "https://there"),
            ("OS_PASSWORD", "hunter2hunter2"),
            ("TF_VAR_password", "hunter2hunter2"),
            ("CLOUD_URL", "https://demo:hunter2hunter2@there"),
            ("OTHER_URL", "https://demo:hunter2%68unter2@there"),
            ("OS_TEST_PASSWORD", "another"),
            ("OS_LOGIN", "somebody"),
            ("SWIFT_ENDPOINT_TYPE", "internalURL"),
            ("OS_COMPUTE_API_VERSION", "2.90"),
        ];
        assert_eq!(
            of(&ours, "hunter2hunter2"),
            ["OS_AUTH_URL=http://here", "OS_COMPUTE_API_VERSION=2.90", "PATH=/bin"]
        );
    }

    #[test]
    fn a_short_secret_has_to_be_the_whole_value() {
        assert_eq!(
            of(&[("USER", "demo"), ("HOME", "/home/demo")], "demo"),
            ["HOME=/home/demo", "OS_AUTH_URL=http://here"]
        );
    }

    #[test]
    fn a_proxy_of_the_caller_is_not_asked_for_loopback() {
        let environment = of(&[("http_proxy", "http://p"), ("no_proxy", "a")], "x");
        assert!(environment.contains(&"no_proxy=a,127.0.0.1".to_owned()));
    }
}
