//! Where to listen: loopback addresses and Unix sockets, nothing else.
//!
//! Whoever reaches the port has the rights of our credentials, so an address that
//! other machines can reach is refused, not warned about.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;

use crate::server::ListenAddr;

use super::places::Places;

/// `127.0.0.1:5050` and, where the machine has IPv6, `[::1]:5050`: Node and Java
/// resolve `localhost` to `::1`.
pub(super) fn default() -> Vec<ListenAddr> {
    localhost(PORT)
}

/// A free port of 127.0.0.1.
pub(super) fn private() -> Vec<ListenAddr> {
    localhost(0)
}

/// Reads `127.0.0.1:5050`, `[::1]:5050`, `localhost:5050` (both of these) or
/// `unix:/path`, where a relative path stands in `base`.
pub(super) fn parse(text: &str, places: &Places, base: &Path) -> Result<Vec<ListenAddr>, String> {
    let text = text.trim();
    if text == "systemd" {
        return Err("sockets inherited from systemd are not supported yet; name an address".to_owned());
    }
    if let Some(path) = text.strip_prefix("unix:") {
        return unix(path, places, base);
    }
    if let Some(port) = text.strip_prefix("localhost:") {
        return Ok(localhost(port.parse().map_err(|_| format!("`{port}` is not a port"))?));
    }
    match text.parse::<SocketAddr>() {
        Ok(addr) if addr.ip().is_loopback() => Ok(vec![ListenAddr::Tcp { addr, optional: false }]),
        Ok(_) => Err(refused(text)),
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

/// Each address once; one that must be there wins over one that may.
pub(super) fn distinct(addresses: Vec<ListenAddr>) -> Vec<ListenAddr> {
    let mut distinct: Vec<ListenAddr> = Vec::new();
    for address in addresses {
        let same = distinct.iter_mut().find(|known| match (&**known, &address) {
            // Each port 0 is a port of its own.
            (ListenAddr::Tcp { addr: a, .. }, ListenAddr::Tcp { addr: b, .. }) => a == b && a.port() != 0,
            (ListenAddr::Unix(a), ListenAddr::Unix(b)) => a == b,
            (ListenAddr::Tcp { .. }, ListenAddr::Unix(_)) | (ListenAddr::Unix(_), ListenAddr::Tcp { .. }) => {
                false
            }
        });
        match (same, address) {
            (Some(known), ListenAddr::Tcp { addr, optional: false }) => {
                *known = ListenAddr::Tcp { addr, optional: false }
            }
            (Some(_), ListenAddr::Tcp { .. } | ListenAddr::Unix(_)) => {}
            (None, address) => distinct.push(address),
        }
    }
    distinct
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

fn refused(text: &str) -> String {
    format!(
        "`{text}` is refused: the port would hand the rights of your cloud account to everyone who can reach it; \
         only loopback addresses (`127.0.0.1`, `[::1]`, `localhost`) and `unix:/path` are accepted"
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

    fn parse(text: &str) -> Result<Vec<ListenAddr>, String> {
        let places = Places::new(&BTreeMap::new(), PathBuf::from("/here"), PathBuf::from("/etc"));
        super::parse(text, &places, Path::new("/base"))
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
        assert_eq!(parse("unix:g.sock"), Ok(vec![ListenAddr::Unix(PathBuf::from("/base/g.sock"))]));
    }

    #[test]
    fn anything_else_is_refused_with_the_reason() {
        for text in [
            "0.0.0.0:5050",
            "[::]:5050",
            "192.168.0.1:80",
            "cloud.example:80",
            "[::ffff:127.0.0.1]:80",
            ":80",
        ] {
            assert!(parse(text).unwrap_err().contains("everyone who can reach it"), "{text}");
        }
        for text in [
            "5050",
            "127.0.0.1",
            "::1",
            "unix:",
            "unix:@g",
            "systemd",
            "",
            "http://localhost:80",
            "localhost:http",
        ] {
            assert!(!parse(text).unwrap_err().contains("everyone"), "{text}");
        }
        assert!(parse(&format!("unix:/{}", "x".repeat(120))).is_err());
    }

    #[test]
    fn equal_addresses_are_one() {
        let both = [parse("localhost:80").unwrap(), parse("[::1]:80").unwrap()].concat();
        assert_eq!(distinct(both), [tcp("127.0.0.1:80", false), tcp("[::1]:80", false)]);
        let free = [parse("127.0.0.1:0").unwrap(), parse("127.0.0.1:0").unwrap()].concat();
        assert_eq!(distinct(free).len(), 2);
    }
}
