//! What must hold of a `Host`, whatever is in it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::Authority;

/// Reads two authorities, a line each.
pub(crate) fn authority(data: &[u8]) {
    let mut lines = data.splitn(2, |byte| *byte == b'\n');
    let one = lines.next().unwrap_or_default();
    let other = lines.next().unwrap_or_default();
    let (one, other) = (holds(one), holds(other));
    let (Some(one), Some(other)) = (one, other) else { return };
    assert_eq!(one.is_same_as(&other), other.is_same_as(&one));
    // The same host cannot be loopback here and none there.
    if one.has_host_of(&other) {
        assert_eq!(one.is_loopback(), other.is_loopback(), "{one} and {other}");
    }
    if one.is_same_as(&other) {
        assert_eq!((one.has_host_of(&other), one.http_port()), (true, other.http_port()));
    }
}

/// One is read as the parts of the text say, taken apart by what has no share in the reading.
fn holds(text: &[u8]) -> Option<Authority<'_>> {
    let expected = std::str::from_utf8(text).ok().and_then(expected);
    let Some(read) = Authority::parse(text) else {
        assert!(expected.is_none(), "{:?} is an authority", String::from_utf8_lossy(text));
        return None;
    };
    let Some((host, port)) = expected else {
        panic!("{:?} is no authority, but read as {read}", String::from_utf8_lossy(text))
    };
    assert_eq!(read.port(), port);
    let address = match host.strip_prefix('[') {
        Some(address) => address.trim_end_matches(']').parse::<Ipv6Addr>().ok().map(IpAddr::V6),
        None => host.parse::<Ipv4Addr>().ok().map(IpAddr::V4),
    };
    let is_loopback = match address {
        Some(IpAddr::V4(address)) => address.octets()[0] == 127,
        Some(IpAddr::V6(address)) => {
            let mapped = address.to_ipv4_mapped().is_some_and(|address| address.octets()[0] == 127);
            address.segments() == [0, 0, 0, 0, 0, 0, 0, 1] || mapped
        }
        None => host.eq_ignore_ascii_case("localhost"),
    };
    assert_eq!(read.is_loopback(), is_loopback, "{read}");
    if let Some(address) = address {
        assert!(read.is_address(address), "{read}");
    }
    // What is shown is the same when it is read again, and what `http` makes of it is the same host.
    let shown = read.to_string();
    let again = Authority::parse(shown.as_bytes());
    assert!(again.is_some_and(|again| again.is_same_as(&read) && again.port() == port), "{shown}");
    let Ok(by_http) = std::str::from_utf8(text).unwrap_or_default().parse::<http::uri::Authority>() else {
        panic!("{shown} is no authority to the http crate")
    };
    assert_eq!((by_http.host(), by_http.port_u16()), (host, port));
    Some(read)
}

/// RFC 3986 3.2.2 without what nobody writes in a `Host`: host and port, if that is what it is.
fn expected(text: &str) -> Option<(&str, Option<u16>)> {
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (text, None),
    };
    let is_host = match host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        Some(address) => address.parse::<Ipv6Addr>().is_ok(),
        None => !host.is_empty() && host.chars().all(|c| c.is_ascii_alphanumeric() || "-._".contains(c)),
    };
    let port = match port {
        None => None,
        Some(digits) => {
            let is_number =
                !digits.is_empty() && digits.len() <= 5 && digits.chars().all(|c| c.is_ascii_digit());
            Some(digits.parse::<u16>().ok().filter(|_| is_number)?)
        }
    };
    is_host.then_some((host, port))
}
