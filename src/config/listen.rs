//! Where to listen: addresses and Unix sockets; and which service stands there, if one is named.
//!
//! Whoever reaches the port has the rights of our credentials, so an address that
//! other machines can reach is refused unless it is said who of them may ([`super::listeners`]). Names of hosts are
//! not looked up.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;

use crate::routing::Pin;
use crate::server::ListenAddr;

use super::places::Places;

/// An address, and the service that stands there alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Opening {
    pub(super) addr: ListenAddr,
    pub(super) pin: Option<Pin>,
}

/// `127.0.0.1:5050` and, where the machine has IPv6, `[::1]:5050`: Node and Java
/// resolve `localhost` to `::1`.
pub(super) fn default() -> Vec<Opening> {
    localhost(PORT).into_iter().map(|addr| Opening { addr, pin: None }).collect()
}

/// Reads an address, or `SERVICE=ADDRESS`. No address has a `=` before a `:`, and no name of a service has a `:`.
pub(super) fn parse(text: &str, places: &Places, base: &Path) -> Result<Vec<Opening>, String> {
    let pinned = text.split_once('=').filter(|(service, _)| !service.contains([':', '/']));
    let (pin, address) = match pinned {
        Some((service, address)) => {
            (Some(service.trim().parse::<Pin>().map_err(|error| error.to_string())?), address)
        }
        None => (None, text),
    };
    let addresses = address_or_two(address, places, base)?;
    Ok(addresses.into_iter().map(|addr| Opening { addr, pin: pin.clone() }).collect())
}

/// A free port of 127.0.0.1.
pub(super) fn private() -> Vec<ListenAddr> {
    localhost(0)
}

/// Reads `127.0.0.1:5050`, `[::1]:5050`, `localhost:5050` (both of these) or
/// `unix:/path`, where a relative path stands in `base`.
fn address_or_two(text: &str, places: &Places, base: &Path) -> Result<Vec<ListenAddr>, String> {
    let text = text.trim();
    if text == "systemd" {
        return Ok(vec![ListenAddr::Inherited(None)]);
    }
    if let Some(name) = text.strip_prefix("systemd:") {
        let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_graphic() && byte != b':');
        let wrong =
            || format!("`{name}` is no name of a socket; write `systemd:` and its FileDescriptorName=");
        return if is_name { Ok(vec![ListenAddr::Inherited(Some(name.to_owned()))]) } else { Err(wrong()) };
    }
    if let Some(path) = text.strip_prefix("unix:") {
        return unix(path, places, base);
    }
    if let Some(port) = text.strip_prefix("localhost:") {
        return Ok(localhost(port.parse().map_err(|_| format!("`{port}` is not a port"))?));
    }
    match text.parse::<SocketAddr>() {
        Ok(addr) => Ok(vec![ListenAddr::Tcp { addr, optional: false }]),
        Err(_) if text.parse::<u16>().is_ok() => {
            Err(format!("`{text}` is a port without an address; write `localhost:{text}`"))
        }
        Err(_) if text.parse::<IpAddr>().is_ok() => Err(format!("`{text}` is an address without a port")),
        Err(_) if looks_like_host_and_port(text) => Err(refused(text)),
        Err(_) => {
            Err(format!("`{text}` is not an address such as `127.0.0.1:5050`, `[::1]:5050` or `unix:/path`"))
        }
    }
}

/// Each address once; one that must be there wins over one that may. Where two differ in what stands there, both stay,
/// to be complained about.
pub(super) fn distinct(openings: Vec<Opening>) -> Vec<Opening> {
    let mut distinct: Vec<Opening> = Vec::new();
    for opening in openings {
        let same = distinct.iter_mut().find(|it| is_same(&it.addr, &opening.addr) && it.pin == opening.pin);
        match (same, &opening.addr) {
            (Some(known), ListenAddr::Tcp { optional: false, .. }) => known.addr = opening.addr,
            (Some(_), ListenAddr::Tcp { .. } | ListenAddr::Unix(_) | ListenAddr::Inherited(_)) => {}
            (None, _) => distinct.push(opening),
        }
    }
    distinct
}

/// Whether two addresses are one; each port 0 is a port of its own.
pub(super) fn is_same(one: &ListenAddr, other: &ListenAddr) -> bool {
    match (one, other) {
        (ListenAddr::Tcp { addr: a, .. }, ListenAddr::Tcp { addr: b, .. }) => a == b && a.port() != 0,
        (ListenAddr::Unix(a), ListenAddr::Unix(b)) => a == b,
        (ListenAddr::Inherited(a), ListenAddr::Inherited(b)) => a == b,
        (ListenAddr::Tcp { .. } | ListenAddr::Unix(_) | ListenAddr::Inherited(_), _) => false,
    }
}

/// With port 0 the two would be two ports, so it stands for IPv4 alone.
fn localhost(port: u16) -> Vec<ListenAddr> {
    let v4 = ListenAddr::Tcp { addr: (Ipv4Addr::LOCALHOST, port).into(), optional: false };
    let v6 = ListenAddr::Tcp { addr: (Ipv6Addr::LOCALHOST, port).into(), optional: true };
    if port == 0 { vec![v4] } else { vec![v4, v6] }
}

fn unix(path: &str, places: &Places, base: &Path) -> Result<Vec<ListenAddr>, String> {
    if path.is_empty() {
        return Err("`unix:` wants a path".to_owned());
    }
    if path.starts_with('@') {
        return Err("abstract Unix sockets have no permissions, so they are refused; name a path".to_owned());
    }
    let path = places.resolve(path, base);
    if path.as_os_str().len() > LONGEST_SOCKET_PATH {
        return Err(format!(
            "`{}` is longer than a Unix socket's path can be ({LONGEST_SOCKET_PATH} bytes)",
            path.display()
        ));
    }
    Ok(vec![ListenAddr::Unix(path)])
}

fn looks_like_host_and_port(text: &str) -> bool {
    text.rsplit_once(':').is_some_and(|(host, port)| !host.contains('/') && port.parse::<u16>().is_ok())
}

/// Whether other machines may be able to reach it.
pub(super) fn is_reachable(addr: &ListenAddr) -> bool {
    match addr {
        ListenAddr::Tcp { addr, .. } => !addr.ip().is_loopback(),
        // What an inherited one is, only the socket tells.
        ListenAddr::Unix(_) | ListenAddr::Inherited(_) => false,
    }
}

/// Why such an address is not listened on.
pub(super) fn refused(text: &str) -> String {
    format!(
        "`{text}` is refused: the port would hand the rights of your cloud account to everyone who can reach it; \
         name the networks that may with allow_remote, such as [\"10.0.0.0/8\"], or listen on a loopback address \
         (`127.0.0.1`, `[::1]`, `localhost`) or `unix:/path`"
    )
}

/// Close to Keystone's 5000, so that it is remembered.
const PORT: u16 = 5050;

/// `sun_path` has 108 bytes with its final zero on Linux.
const LONGEST_SOCKET_PATH: usize = 107;

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::path::PathBuf;

    use super::*;

    fn openings(text: &str) -> Result<Vec<Opening>, String> {
        let places = Places::new(&BTreeMap::new(), PathBuf::from("/here"), PathBuf::from("/etc"));
        super::parse(text, &places, Path::new("/base"))
    }

    fn parse(text: &str) -> Result<Vec<ListenAddr>, String> {
        let openings = openings(text)?;
        assert!(openings.iter().all(|opening| opening.pin.is_none()), "{openings:?}");
        Ok(openings.into_iter().map(|opening| opening.addr).collect())
    }

    fn tcp(addr: &str, optional: bool) -> ListenAddr {
        ListenAddr::Tcp { addr: addr.parse().unwrap(), optional }
    }

    #[test]
    fn loopback_and_unix_sockets_are_accepted() {
        assert_eq!(parse("127.0.0.1:5050"), Ok(vec![tcp("127.0.0.1:5050", false)]));
        assert_eq!(parse("127.8.9.10:0"), Ok(vec![tcp("127.8.9.10:0", false)]));
        assert_eq!(parse("[::1]:80"), Ok(vec![tcp("[::1]:80", false)]));
        assert_eq!(parse("localhost:80"), Ok(vec![tcp("127.0.0.1:80", false), tcp("[::1]:80", true)]));
        assert_eq!(parse("unix:/run/g.sock"), Ok(vec![ListenAddr::Unix(PathBuf::from("/run/g.sock"))]));
        let inherited = |name: Option<&str>| Ok(vec![ListenAddr::Inherited(name.map(str::to_owned))]);
        assert_eq!((parse("systemd"), parse("systemd:web")), (inherited(None), inherited(Some("web"))));
        assert_eq!(parse("unix:g.sock"), Ok(vec![ListenAddr::Unix(PathBuf::from("/base/g.sock"))]));
    }

    #[test]
    fn anything_else_is_refused_with_the_reason() {
        for text in ["cloud.example:80", ":80"] {
            assert!(parse(text).unwrap_err().contains("everyone who can reach it"), "{text}");
        }
        for text in ["0.0.0.0:5050", "[::]:5050", "192.168.0.1:80", "[::ffff:127.0.0.1]:80"] {
            assert!(parse(text).unwrap().iter().all(is_reachable), "{text}");
        }
        for text in [
            "5050",
            "127.0.0.1",
            "::1",
            "unix:",
            "unix:@g",
            "systemd:",
            "systemd:a b",
            "",
            "http://localhost:80",
            "localhost:http",
        ] {
            assert!(!parse(text).unwrap_err().contains("everyone"), "{text}");
        }
        assert!(parse(&format!("unix:/{}", "x".repeat(120))).is_err());
    }

    #[test]
    fn a_service_before_the_address_is_what_stands_there() {
        for (text, pin, count) in [
            ("object-store=127.0.0.1:80", "object-store", 1),
            (" compute@GRA11 = localhost:80 ", "compute@GRA11", 2),
            ("image=unix:/a=b", "image", 1),
        ] {
            let found = openings(text).unwrap();
            assert_eq!(found.len(), count, "{text}");
            assert!(found.iter().all(|it| it.pin.as_ref().unwrap().to_string() == pin), "{text}");
        }
        // A socket may be called anything.
        assert_eq!(parse("unix:/a=b"), Ok(vec![ListenAddr::Unix(PathBuf::from("/a=b"))]));
        for text in ["=127.0.0.1:80", "v3=127.0.0.1:80", "a b=127.0.0.1:80", "compute=", "compute=host:80"] {
            assert!(openings(text).is_err(), "{text}");
        }
    }

    #[test]
    fn equal_addresses_are_one() {
        let both = [openings("localhost:80").unwrap(), openings("[::1]:80").unwrap()].concat();
        let addresses: Vec<_> = distinct(both).into_iter().map(|it| it.addr).collect();
        assert_eq!(addresses, [tcp("127.0.0.1:80", false), tcp("[::1]:80", false)]);
        for (one, other) in [("127.0.0.1:0", "127.0.0.1:0"), ("127.0.0.1:80", "image=127.0.0.1:80")] {
            let two = [openings(one).unwrap(), openings(other).unwrap()].concat();
            assert_eq!(distinct(two).len(), 2, "{one} {other}");
        }
    }
}
