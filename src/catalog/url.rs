//! [`EndpointUrl`]: the URLs that requests are sent to, checked once.
//!
//! RFC 3986, narrowed to what an endpoint may be: `http` or `https`, a host, no user information, no query
//! and no fragment. Templates that Keystone or a user left unexpanded (`%(tenant_id)s`, `$(project_id)s`)
//! are no URL. The path is kept byte for byte, but for trailing slashes.

use std::fmt;
use std::net::Ipv6Addr;
use std::str::FromStr;

use http::uri::{Authority, PathAndQuery, Scheme};

/// The URL of an endpoint or of Keystone: `http` or `https`, an authority without
/// user information, and a path as written, without query, fragment or trailing slashes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct EndpointUrl {
    /// `http` or `https`.
    pub scheme: Scheme,
    /// Host, and port if one is written.
    pub authority: Authority,
    /// Empty, or starts with `/` and does not end in one.
    pub path: String,
}

/// Why a text is no [`EndpointUrl`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    /// Nothing is written.
    #[error("the URL is empty")]
    Empty,
    /// A space, a control character or another character that no URL has.
    #[error("the URL has a character that URLs do not have")]
    Character,
    /// A placeholder that nobody filled in.
    #[error("the URL has a placeholder that is not filled in")]
    Placeholder,
    /// No `http://` and no `https://`.
    #[error("the URL does not start with http:// or https://")]
    Scheme,
    /// `user@` or `user:password@`.
    #[error("the URL has user information before the host")]
    UserInformation,
    /// No host, or something that is none.
    #[error("the URL has no valid host")]
    Host,
    /// A port that is no number from 1 to 65535.
    #[error("the URL's port is no number from 1 to 65535")]
    Port,
    /// `?` and what follows.
    #[error("the URL has a query")]
    Query,
    /// `#` and what follows.
    #[error("the URL has a fragment")]
    Fragment,
    /// A `%` that is not followed by two hexadecimal digits.
    #[error("the URL's path has a % without two hexadecimal digits")]
    Escape,
    /// `.` or `..` as a segment of the path.
    #[error("the URL's path has a segment . or ..")]
    DotSegment,
}

impl EndpointUrl {
    /// Reads a URL.
    pub fn parse(written: &str) -> Result<Self, UrlError> {
        if written.is_empty() {
            return Err(UrlError::Empty);
        }
        if written.chars().any(|c| c.is_control() || c.is_whitespace() || !c.is_ascii()) {
            return Err(UrlError::Character);
        }
        if ["%(", "$(", "{"].iter().any(|open| written.contains(open)) {
            return Err(UrlError::Placeholder);
        }
        let (scheme, rest) = split_scheme(written).ok_or(UrlError::Scheme)?;
        if rest.contains('#') {
            return Err(UrlError::Fragment);
        }
        if rest.contains('?') {
            return Err(UrlError::Query);
        }
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let authority = parse_authority(authority)?;
        let path = path.trim_end_matches('/');
        check_path(path)?;
        Ok(Self { scheme, authority, path: path.to_owned() })
    }

    /// The host, an IPv6 address in its brackets.
    pub fn host(&self) -> &str {
        self.authority.host()
    }

    /// The port written, or 80 for `http` and 443 for `https`.
    pub fn port_or_default(&self) -> u16 {
        self.authority.port_u16().unwrap_or_else(|| default_port(&self.scheme))
    }

    /// Whether both name one server: hosts alike but for letter case, and ports that are equal or both
    /// the default of their scheme. `http` and `https` count alike, since services behind a TLS
    /// terminator write `http` in their links.
    pub fn same_origin(&self, other: &Self) -> bool {
        let has_default_port = |url: &Self| url.port_or_default() == default_port(&url.scheme);
        self.host().eq_ignore_ascii_case(other.host())
            && (self.port_or_default() == other.port_or_default()
                || (has_default_port(self) && has_default_port(other)))
    }

    /// Whether it is `https`.
    pub fn is_https(&self) -> bool {
        self.scheme == Scheme::HTTPS
    }
}

impl FromStr for EndpointUrl {
    type Err = UrlError;

    fn from_str(written: &str) -> Result<Self, UrlError> {
        Self::parse(written)
    }
}

impl fmt::Display for EndpointUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}{}", self.scheme, self.authority, self.path)
    }
}

/// Splits `http://` or `https://` off, in any letter case.
fn split_scheme(url: &str) -> Option<(Scheme, &str)> {
    let (scheme, rest) = url.split_once("://")?;
    if scheme.eq_ignore_ascii_case("http") {
        Some((Scheme::HTTP, rest))
    } else if scheme.eq_ignore_ascii_case("https") {
        Some((Scheme::HTTPS, rest))
    } else {
        None
    }
}

fn parse_authority(written: &str) -> Result<Authority, UrlError> {
    if written.contains('@') {
        return Err(UrlError::UserInformation);
    }
    // A colon with nothing after it means the default port (RFC 3986 section 3.2.3).
    let written = written.strip_suffix(':').unwrap_or(written);
    let (host, port) = match written.rfind(']') {
        Some(end) => written.split_at(end + 1),
        None => written.split_at(written.find(':').unwrap_or(written.len())),
    };
    if !is_host(host) {
        return Err(UrlError::Host);
    }
    if !port.is_empty() {
        let digits = port.strip_prefix(':').ok_or(UrlError::Host)?;
        let is_number = digits.bytes().all(|byte| byte.is_ascii_digit());
        if !is_number || !digits.parse::<u16>().is_ok_and(|port| port != 0) {
            return Err(UrlError::Port);
        }
    }
    written.parse().map_err(|_| UrlError::Host)
}

fn is_host(host: &str) -> bool {
    if let Some(address) = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        return address.parse::<Ipv6Addr>().is_ok();
    }
    !host.is_empty() && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte))
}

fn check_path(path: &str) -> Result<(), UrlError> {
    for (at, _) in path.match_indices('%') {
        let digits = path.as_bytes().get(at + 1..at + 3).unwrap_or_default();
        if digits.len() < 2 || !digits.iter().all(u8::is_ascii_hexdigit) {
            return Err(UrlError::Escape);
        }
    }
    if path.split('/').any(|segment| matches!(segment, "." | "..")) {
        return Err(UrlError::DotSegment);
    }
    if !path.is_empty() && path.parse::<PathAndQuery>().is_err() {
        return Err(UrlError::Character);
    }
    Ok(())
}

fn default_port(scheme: &Scheme) -> u16 {
    if *scheme == Scheme::HTTPS { 443 } else { 80 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(written: &str) -> EndpointUrl {
        EndpointUrl::parse(written).unwrap()
    }

    #[test]
    fn a_url_is_shown_as_written_but_for_trailing_slashes() {
        for (written, shown) in [
            ("http://h", "http://h"),
            ("http://h/", "http://h"),
            ("HTTPS://Cloud.example:5000/v3//", "https://Cloud.example:5000/v3"),
            ("http://[::1]:8774/v2.1/p", "http://[::1]:8774/v2.1/p"),
            ("http://h:/x", "http://h/x"),
            ("http://h//v3/AUTH_%41", "http://h//v3/AUTH_%41"),
            ("http://nova_api:8774/v2.1", "http://nova_api:8774/v2.1"),
        ] {
            assert_eq!(url(written).to_string(), shown);
        }
    }

    #[test]
    fn what_is_no_endpoint_is_refused_with_its_reason() {
        for (written, error) in [
            ("", UrlError::Empty),
            ("http://h/a b", UrlError::Character),
            ("http://h/\n", UrlError::Character),
            ("http://hé/", UrlError::Character),
            ("http://h/a`b", UrlError::Character),
            ("http://h/v1/%(tenant_id)s", UrlError::Placeholder),
            ("http://h/v1/$(project_id)s", UrlError::Placeholder),
            ("http://{host}/v1", UrlError::Placeholder),
            ("h/v1", UrlError::Scheme),
            ("ftp://h/v1", UrlError::Scheme),
            ("//h/v1", UrlError::Scheme),
            ("http://user:pw@h/v1", UrlError::UserInformation),
            ("http:///v1", UrlError::Host),
            ("http://", UrlError::Host),
            ("http://:80/", UrlError::Host),
            ("http://[::g]/", UrlError::Host),
            ("http://[::1]x/", UrlError::Host),
            ("http://a,b/", UrlError::Host),
            ("http://h:0/", UrlError::Port),
            ("http://h:65536/", UrlError::Port),
            ("http://h:+80/", UrlError::Port),
            ("http://h:1:2/", UrlError::Port),
            ("http://h/v1?x", UrlError::Query),
            ("http://h?x", UrlError::Query),
            ("http://h/v1#x?", UrlError::Fragment),
            ("http://h/%4", UrlError::Escape),
            ("http://h/%zz", UrlError::Escape),
            ("http://h/a/../b", UrlError::DotSegment),
            ("http://h/.", UrlError::DotSegment),
        ] {
            assert_eq!(EndpointUrl::parse(written), Err(error), "{written}");
        }
    }

    #[test]
    fn default_ports_and_schemes_count_alike_in_an_origin() {
        for (one, other, same) in [
            ("http://h", "http://H:80/x", true),
            ("http://h", "https://h", true),
            ("https://h:443", "http://h", true),
            ("http://h:5000", "https://h:5000", true),
            ("http://h:5000", "http://h", false),
            ("http://h:443", "http://h", false),
            ("http://h:443", "https://h", true),
            ("http://h", "http://i", false),
        ] {
            assert_eq!(url(one).same_origin(&url(other)), same, "{one} {other}");
            assert_eq!(url(other).same_origin(&url(one)), same, "{other} {one}");
        }
    }

    #[test]
    fn port_or_default_follows_the_scheme() {
        assert_eq!(url("http://h").port_or_default(), 80);
        assert_eq!(url("https://h").port_or_default(), 443);
        assert_eq!(url("https://[::1]:8").port_or_default(), 8);
        assert_eq!(url("https://[::1]:8").host(), "[::1]");
    }
}
