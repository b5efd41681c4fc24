//! `Authority`: host and port as they stand in `Host`, in an absolute-form target
//! and in `Origin`, read strictly (RFC 3986 §3.2, RFC 9110 §7.2).
//!
//! 1. `host` or `host:port`. No user information, path, blank, or empty host;
//!    a colon wants a port of one to five digits that fits in 16 bits.
//! 2. An IPv6 address stands in brackets and has no zone.
//! 3. Four decimal numbers are an IPv4 address. Short, octal and hexadecimal forms
//!    (`127.1`, `0x7f.0.0.1`) are names, and so match no address.
//! 4. A name has letters, digits, `-`, `.` and `_` only. It is compared without
//!    regard to case. A trailing dot belongs to the name: `localhost.` is not `localhost`,
//!    because resolvers that know the one need not know the other.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Host and perhaps a port.
#[derive(Clone, Copy, Debug)]
pub(super) struct Authority<'a> {
    host: Host<'a>,
    port: Option<u16>,
}

#[derive(Clone, Copy, Debug)]
enum Host<'a> {
    Ip(IpAddr),
    /// Of ASCII, by rule 4.
    Name(&'a [u8]),
}

/// The port of `http` where none is written (RFC 9110 §4.2.1).
const HTTP_PORT: u16 = 80;

impl<'a> Authority<'a> {
    /// Reads `text`; `None` if it breaks one of the rules above.
    pub(super) fn parse(text: &'a [u8]) -> Option<Self> {
        let (host, port) = match text {
            [b'[', rest @ ..] => {
                let end = rest.iter().position(|byte| *byte == b']')?;
                let address: Ipv6Addr = std::str::from_utf8(&rest[..end]).ok()?.parse().ok()?;
                (Host::Ip(address.into()), &rest[end + 1..])
            }
            _ => {
                let end = text.iter().position(|byte| *byte == b':').unwrap_or(text.len());
                (Host::parse_unbracketed(&text[..end])?, &text[end..])
            }
        };
        Some(Self { host, port: parse_port(port)? })
    }

    /// Whether the host is `localhost` or a loopback address.
    pub(super) fn is_loopback(&self) -> bool {
        match self.host {
            Host::Ip(address) => address.to_canonical().is_loopback(),
            Host::Name(name) => name.eq_ignore_ascii_case(b"localhost"),
        }
    }

    /// Whether the host is just this address.
    pub(super) fn is_address(&self, address: IpAddr) -> bool {
        matches!(self.host, Host::Ip(own) if own.to_canonical() == address.to_canonical())
    }

    /// Whether both have the same host, whatever the ports.
    pub(super) fn has_host_of(&self, other: &Authority<'_>) -> bool {
        match (self.host, other.host) {
            (Host::Ip(one), Host::Ip(two)) => one == two,
            (Host::Name(one), Host::Name(two)) => one.eq_ignore_ascii_case(two),
            (Host::Ip(_), Host::Name(_)) | (Host::Name(_), Host::Ip(_)) => false,
        }
    }

    /// Whether both mean the same host and port of `http`.
    pub(super) fn is_same_as(&self, other: &Authority<'_>) -> bool {
        self.has_host_of(other) && self.http_port() == other.http_port()
    }

    /// The port as written.
    pub(super) fn port(&self) -> Option<u16> {
        self.port
    }

    /// The port that `http` uses.
    pub(super) fn http_port(&self) -> u16 {
        self.port.unwrap_or(HTTP_PORT)
    }
}

impl fmt::Display for Authority<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.host {
            Host::Ip(IpAddr::V4(address)) => write!(f, "{address}")?,
            Host::Ip(IpAddr::V6(address)) => write!(f, "[{address}]")?,
            Host::Name(name) => write!(f, "{}", name.escape_ascii())?,
        }
        self.port.map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

impl<'a> Host<'a> {
    fn parse_unbracketed(text: &'a [u8]) -> Option<Self> {
        // Most are names.
        if text.first().is_some_and(u8::is_ascii_digit)
            && let Ok(address) = std::str::from_utf8(text).ok()?.parse::<Ipv4Addr>()
        {
            return Some(Self::Ip(address.into()));
        }
        let is_name = !text.is_empty()
            && text.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_'));
        is_name.then_some(Self::Name(text))
    }
}

/// Reads what stands behind the host: nothing, or a colon and a port. `None` is a wrong one, `Some(None)` no port.
fn parse_port(text: &[u8]) -> Option<Option<u16>> {
    if text.is_empty() {
        return Some(None);
    }
    let digits = text.strip_prefix(b":")?;
    if !(1..=5).contains(&digits.len()) || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let port = digits.iter().fold(0, |port, digit| port * 10 + u32::from(digit - b'0'));
    u16::try_from(port).ok().map(Some)
}

#[cfg(any(test, fuzzing))]
pub(crate) mod oracle;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn well_formed_authorities_are_read() {
        for (text, shown) in [
            ("localhost", "localhost"),
            ("localhost:5050", "localhost:5050"),
            ("127.0.0.1:80", "127.0.0.1:80"),
            ("[::1]", "[::1]"),
            ("[0:0:0:0:0:0:0:1]:5050", "[::1]:5050"),
            ("my_host.example-1.org.:65535", "my_host.example-1.org.:65535"),
            ("a:0", "a:0"),
        ] {
            let read = Authority::parse(text.as_bytes()).map(|authority| authority.to_string());
            assert_eq!(read.as_deref(), Some(shown), "{text}");
        }
    }

    #[test]
    fn malformed_authorities_are_not_read() {
        for text in [
            "",
            ":",
            ":80",
            "a:",
            "a:x",
            "a:+1",
            "a:-1",
            "a:65536",
            "a:000080",
            "a:80:80",
            "a b",
            " a",
            "a ",
            "a/b",
            "a/",
            "u@a",
            "u:p@a",
            "a?b",
            "a#b",
            "a\\b",
            "a,b",
            "a%62",
            "::1",
            "[::1",
            "::1]",
            "[::1]x",
            "[::1]:",
            "[::1]:x",
            "[]",
            "[::1%25lo]",
            "[::1%lo]",
            "[127.0.0.1]",
            "[localhost]",
            "[[::1]]",
            "a\0",
            "a\t",
            "h\u{e4}st",
        ] {
            assert!(Authority::parse(text.as_bytes()).is_none(), "{text:?}");
        }
        assert!(Authority::parse(b"a\xff").is_none());
    }

    #[test]
    fn loopback_is_never_a_matter_of_prefix_or_suffix() {
        for text in
            ["localhost", "LocalHost:1", "127.0.0.1", "127.255.255.254", "[::1]", "[::ffff:127.0.0.1]"]
        {
            assert!(Authority::parse(text.as_bytes()).unwrap().is_loopback(), "{text}");
        }
        for text in [
            "127.0.0.1.evil.com",
            "localhost.evil.com",
            "evil-localhost",
            "evil.localhost",
            "localhost.",
            "127.0.0.1.",
            "127.1",
            "127.0.1",
            "0x7f.0.0.1",
            "2130706433",
            "0177.0.0.1",
            "127.0.0.01",
            "0.0.0.0",
            "[::]",
            "128.0.0.1",
            "[::2]",
            "[::ffff:10.0.0.1]",
            "loopback",
        ] {
            assert!(!Authority::parse(text.as_bytes()).unwrap().is_loopback(), "{text}");
        }
    }

    #[test]
    fn a_missing_port_is_that_of_http() {
        let same = |one: &str, two: &str| {
            Authority::parse(one.as_bytes()).unwrap().is_same_as(&Authority::parse(two.as_bytes()).unwrap())
        };
        assert!(same("A.example", "a.EXAMPLE:80"));
        assert!(same("[::1]:80", "[0:0::1]"));
        assert!(!same("a:5050", "a"));
        assert!(!same("a", "a."));
        assert!(!same("127.0.0.1", "localhost"));
    }
}
