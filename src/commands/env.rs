//! `gatestone env`: lines for a shell that point a tool at a running proxy.
//!
//! Made for `eval "$(gatestone env --for swift)"`: POSIX shell, no comments (an interactive zsh would run them),
//! nothing at all when no proxy answers. It needs no credentials and prints none.

use std::collections::BTreeSet;
use std::io::{self, IsTerminal};
use std::net::SocketAddr;
use std::path::Path;

use serde_json::Value;
use tokio::runtime;

use super::{Exit, ask, complain, print};
use crate::config::Environment;
use crate::server::ListenAddr;
use crate::shell;
use crate::tools::{self, Held, Tool, Variables};

/// Prints for the first of `addresses` at which a proxy answers.
pub fn run(addresses: &[ListenAddr], tool: Tool, environment: &dyn Environment) -> io::Result<Exit> {
    let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
    let (addr, status) = match runtime.block_on(find(addresses)) {
        Ok(found) => found,
        Err(why) => {
            complain(format_args!(
                "{why}\n  start a proxy with `gatestone run`, or say with --listen where one listens for all services, \
                 without a client secret"
            ));
            return Ok(Exit::Failure);
        }
    };
    if status["ready"] != true {
        let reason = status["reason"].as_str().unwrap_or("no reason given");
        complain(format_args!("the proxy is not ready, so project and region may be missing: {reason}"));
    }
    let held = Held::from_status(&status);
    let set = match addr {
        ListenAddr::Tcp { addr, .. } => {
            let mut set = tool.variables(&format!("http://{addr}"), &held);
            set.extend(tools::past_http_proxies(*addr, |name| environment.get(name)));
            set
        }
        ListenAddr::Unix(socket) if tool == Tool::Curl => on_socket(socket),
        ListenAddr::Inherited(_) => {
            complain(
                "the settings say systemd, whose socket may be anywhere; name its address with --listen",
            );
            return Ok(Exit::Failure);
        }
        ListenAddr::Unix(socket) => {
            complain(format_args!(
                "the proxy listens at {} alone, and of the tools only curl can use a Unix socket\n  \
                 let it listen on loopback, too: --listen localhost:5050",
                socket.display()
            ));
            return Ok(Exit::Failure);
        }
    };
    print(script(&unset(tool, &set, &environment.names()), &set))?;
    if io::stdout().is_terminal() {
        let name =
            clap::ValueEnum::to_possible_value(&tool).map_or_else(String::new, |it| it.get_name().to_owned());
        complain(format_args!("to use it: eval \"$(gatestone env --for {name})\""));
    }
    Ok(Exit::Success)
}

/// The first that answers as a proxy does; TCP before Unix sockets, which few tools can use.
async fn find(addresses: &[ListenAddr]) -> Result<(&ListenAddr, Value), String> {
    let (tcp, unix): (Vec<_>, Vec<_>) =
        addresses.iter().partition(|addr| matches!(addr, ListenAddr::Tcp { .. }));
    let mut failures = Vec::new();
    for addr in tcp.into_iter().chain(unix) {
        let answer = ask::get(addr, "/-/status").await.and_then(ask::well);
        let status = answer.map(|body| serde_json::from_slice::<Value>(&body).unwrap_or_default());
        match status {
            Ok(status) if status["listen"].is_array() => match pinned(&status, addr) {
                None => return Ok((addr, status)),
                Some(service) => failures.push(format!(
                    "the listener at {} has {service} at its root and no other service",
                    shown(addr)
                )),
            },
            Ok(_) => failures.push(format!("what answers at {} is no gatestone", shown(addr))),
            Err(why) => failures.push(why),
        }
    }
    Err(failures.join("; "))
}

/// The service that stands at the root of the listener at `addr`, if one does.
fn pinned<'a>(status: &'a Value, addr: &ListenAddr) -> Option<&'a str> {
    let shown = addr.to_string();
    let mut listeners = status["listeners"].as_array()?.iter();
    let here = listeners.find(|it| it["address"].as_str().is_some_and(|it| it.ends_with(&shown)))?;
    here["service"].as_str()
}

fn shown(addr: &ListenAddr) -> String {
    match addr {
        ListenAddr::Tcp { addr, .. } => SocketAddr::to_string(addr),
        ListenAddr::Unix(socket) => socket.display().to_string(),
        ListenAddr::Inherited(_) => addr.to_string(),
    }
}

/// `curl --unix-socket "$GATESTONE_SOCKET" "$GATESTONE_URL/..."`.
fn on_socket(socket: &Path) -> Variables {
    vec![
        (tools::URL.to_owned(), "http://localhost".to_owned()),
        ("GATESTONE_SOCKET".to_owned(), socket.display().to_string()),
    ]
}

/// What is usually in the tool's way, and what of it there is here, without what is set anyway.
fn unset(tool: Tool, set: &Variables, here: &[String]) -> BTreeSet<String> {
    let usual = tool.usually_in_the_way().into_iter().map(str::to_owned);
    let own = here.iter().filter(|name| tool.is_in_the_way(name) && is_name(name)).cloned();
    usual.chain(own).filter(|name| !set.iter().any(|(it, _)| it == name)).collect()
}

/// Whether a shell can have a variable of that name.
fn is_name(name: &str) -> bool {
    name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

fn script(unset: &BTreeSet<String>, set: &Variables) -> String {
    let unset: Vec<&str> = unset.iter().map(String::as_str).collect();
    let first = (!unset.is_empty()).then(|| format!("unset {}", unset.join(" ")));
    let exports = set.iter().map(|(name, value)| format!("export {name}={}", shell::quoted(value)));
    first.into_iter().chain(exports).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;
    use crate::admin::Listening;
    use crate::server::BoundAddr;

    #[test]
    fn a_listener_for_one_service_is_told_from_one_for_all() {
        let listening = |addr: BoundAddr, service: Option<&str>| {
            let service = service.map(|service| service.parse().unwrap());
            Listening { addr, service, wants_secret: false }.to_json()
        };
        let (one, other) = ("127.0.0.1:5050".parse().unwrap(), "127.0.0.1:5051".parse().unwrap());
        let status = serde_json::json!({ "listeners": [
            listening(BoundAddr::Tcp(one), None),
            listening(BoundAddr::Tcp(other), Some("object-store@GRA")),
            listening(BoundAddr::Unix("/run/s".into()), Some("compute")),
        ] });
        for (addr, service) in [
            (ListenAddr::Tcp { addr: one, optional: false }, None),
            (ListenAddr::Tcp { addr: other, optional: true }, Some("object-store")),
            (ListenAddr::Unix("/run/s".into()), Some("compute")),
        ] {
            assert_eq!(pinned(&status, &addr), service, "{addr:?}");
        }
    }

    #[test]
    fn a_shell_reads_back_what_was_written() {
        for value in ["", "plain", "it's", "''", "$(id) `id` \"x\" \\", "a\nb", "-n", "Ünï *"] {
            let script = script(&BTreeSet::new(), &vec![("X".to_owned(), value.to_owned())]);
            let done =
                Command::new("sh").args(["-c", "eval \"$1\"; printf %s. \"$X\"", "sh", &script]).output();
            assert_eq!(String::from_utf8(done.unwrap().stdout).unwrap(), format!("{value}."));
        }
    }

    #[test]
    fn a_login_of_the_shell_is_unset_and_what_is_set_stays() {
        let set = Tool::Openstack.variables("http://127.0.0.1:1", &Held::default());
        let here = ["OS_NEW_ENDPOINT_OVERRIDE", "OS_BAD NAME", "OS_COMPUTE_API_VERSION", "PATH"];
        let gone = unset(Tool::Openstack, &set, &here.map(str::to_owned));
        for name in ["OS_TOKEN", "OS_CLOUD", "OS_PROJECT_ID", "OS_REGION_NAME", "OS_NEW_ENDPOINT_OVERRIDE"] {
            assert!(gone.contains(name), "{name}");
        }
        for name in ["OS_PASSWORD", "OS_AUTH_URL", "OS_BAD NAME", "OS_COMPUTE_API_VERSION", "PATH"] {
            assert!(!gone.contains(name), "{name}");
        }
        assert!(script(&gone, &set).starts_with("unset OS_APPLICATION_CREDENTIAL_ID "));
        assert!(!script(&unset(Tool::Curl, &Vec::new(), &[]), &Vec::new()).contains("unset"));
    }

    #[test]
    fn a_unix_socket_is_for_curl() {
        let set = on_socket(Path::new("/run/my socket"));
        assert_eq!(
            script(&unset(Tool::Curl, &set, &[]), &set),
            "export GATESTONE_URL='http://localhost'\nexport GATESTONE_SOCKET='/run/my socket'"
        );
    }
}
