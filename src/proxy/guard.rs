//! The guard: whether a request may come in at all, told from its head.
//!
//! 1. **Form** (RFC 9112 §3.2). Origin-form and absolute-form targets only. `CONNECT`, `TRACE`,
//!    the authority-form and `OPTIONS *` are refused, and so are `get` and other known methods in
//!    other letters: methods are case-sensitive (RFC 9110 §9.1), but not every server knows.
//! 2. **Framing** (RFC 9112 §6.1). `Transfer-Encoding` is one line that says `chunked`, in
//!    HTTP/1.1 and without `Content-Length`. hyper lets more through. Other codings below one
//!    `chunked` are well-formed, and answered with 501.
//! 3. **Expectation** (RFC 9110 §10.1.1). `Expect` is `100-continue`, else 417.
//! 4. **Host** (RFC 9112 §3.2). Exactly one, strictly read (`guard/authority.rs`); HTTP/1.0 may have none.
//!    On TCP it is a loopback name with any port (ports get published and forwarded), the address and
//!    port that the connection came to, or listed in `allowed_hosts`. This is what stops DNS rebinding: a page at
//!    `evil.example` whose name now resolves to us still says `evil.example`. `*.localhost` has to be
//!    listed, since not every resolver keeps such names from the network. On a Unix socket any
//!    well-formed `Host` will do: no browser reaches it, and `curl --unix-socket` sends what the URL says.
//! 5. **Absolute-form** (RFC 9112 §3.2.2). `http`, no user information, and the authority is that of
//!    `Host`; without `Host` it passes rule 4 in its place.
//! 6. **Browsers.** `Sec-Fetch-Site`, if present, is one line of `same-origin` or `none` (typed or
//!    bookmarked). `same-site` is not enough: other ports of this machine are the same site. A link
//!    from another page is `cross-site` and is refused too.
//! 7. **Browsers, older.** `Origin`, if present, is one line of `http://` and the authority of `Host`;
//!    `null` never is. A preflight carries the `Origin` it asks for, so a foreign one ends here.
//!
//! 8. **Browsers, workers.** A script that asks to be a service worker (`Service-Worker`) is refused: it would stand
//!    between the browser and everything here from then on.
//! 9. **A field that must be there**, where `require_header` names one. No page of another origin can send one without a
//!    preflight. `/-/livez` and `/-/readyz` need none.
//!
//! Caveat: browsers send `Sec-Fetch-Site` to loopback names and `https` only. On a host from
//! `allowed_hosts` a foreign page can cause a `GET` that carries no mark, but cannot read the answer.
//!
//! Which user is at the other end is decided once a connection, in `guard/peers.rs`.

mod authority;
mod peers;
#[cfg(any(test, fuzzing))]
pub(crate) use self::authority::oracle;
pub(super) use self::peers::Peers;
pub use self::peers::{AllowedUser, AllowedUsers, Unwelcome};

use std::net::SocketAddr;

use http::request::Parts;
use http::uri::Scheme;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri, Version};

use self::authority::Authority;
use super::access::Access;
use super::browsers;
use super::excerpt::Excerpt;

/// What is known of a request that may come in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Admitted {
    /// Whether a browser opens a document by it.
    pub is_navigation: bool,
}

/// Decides about the heads of requests on one listener.
#[derive(Clone, Debug)]
pub struct Guard {
    allowed: Vec<AllowedHost>,
    required: Option<RequiredField>,
}

/// Why a request may not come in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// Rule 1, `CONNECT`.
    #[error(
        "this is no tunnelling proxy; unset HTTPS_PROXY for it and use http://HOST:PORT/SERVICE/.. as the URL"
    )]
    Connect,
    /// Rule 1, `TRACE` or a known method in other letters.
    #[error("method `{0}` is not served; use GET, HEAD, PUT, POST, PATCH, DELETE, COPY or OPTIONS")]
    Method(Excerpt),
    /// Rule 1, authority-form, or a text without `/`.
    #[error("the request target must be a path that starts with `/`")]
    TargetForm,
    /// Rule 1, `OPTIONS *`.
    #[error("`*` is not served; ask for the options of a path, such as /object-store/")]
    Asterisk,
    /// Rule 2.
    #[error("Transfer-Encoding must be one line that says `chunked`, in HTTP/1.1 and without Content-Length")]
    TransferEncoding,
    /// Rule 2, well-formed and of a kind that nobody here decodes.
    #[error("transfer coding `{0}` is not served; send the body as it is, or in chunks alone")]
    Coding(Excerpt),
    /// Rule 3.
    #[error("cannot meet the expectation `{0}`; send `Expect: 100-continue` or none")]
    Expectation(Excerpt),
    /// Rule 4, none in HTTP/1.1.
    #[error("the Host field is missing; send the host and port of the URL")]
    MissingHost,
    /// Rule 4, more than one.
    #[error("there is more than one Host field; send one")]
    SeveralHosts,
    /// Rule 4, not `host` or `host:port`.
    #[error("Host `{0}` is not of the form host or host:port; send those of the URL")]
    MalformedHost(Excerpt),
    /// Rule 4, neither loopback nor listed.
    #[error(
        "this proxy is not known as `{0}`; use localhost or 127.0.0.1, or list it: allowed_hosts = [\"{0}\"]"
    )]
    HostNotAllowed(Excerpt),
    /// Rule 5, another scheme than `http`.
    #[error("this listener speaks http; use an http:// URL")]
    TargetScheme,
    /// Rule 5, authority with user information or otherwise malformed.
    #[error("the request target must name host:port without user information")]
    TargetAuthority,
    /// Rule 5, `Host` says something else.
    #[error("the request target and the Host field differ; send the same host and port in both")]
    TargetNotHost,
    /// Rule 6.
    #[error(
        "a web page of another origin caused this request (Sec-Fetch-Site: {0}); open the URL itself, or use a client \
         that is not a browser"
    )]
    CrossSite(Excerpt),
    /// Rule 7.
    #[error(
        "a web page of origin `{0}` caused this request; pages may use the proxy only under the host and port they \
         were loaded from"
    )]
    ForeignOrigin(Excerpt),
    /// Rule 8.
    #[error("nothing here can be a service worker; register one of your own host")]
    ServiceWorker,
    /// Rule 9.
    #[error("this listener wants `{0}` in every request (require_header); have the client send it")]
    FieldMissing(RequiredField),
}

/// A field that must be in every request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequiredField {
    /// Its name.
    pub name: HeaderName,
    /// Its value, if not any will do.
    pub value: Option<HeaderValue>,
}

impl RequiredField {
    fn is(&self, name: &HeaderName, value: &HeaderValue) -> bool {
        *name == self.name && self.value.as_ref().is_none_or(|wanted| value == wanted)
    }
}

impl std::fmt::Display for RequiredField {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let value = self.value.as_ref().and_then(|value| value.to_str().ok()).unwrap_or("..");
        write!(f, "{}: {value}", self.name)
    }
}

/// An entry of `allowed_hosts` that is not a host.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "allowed_hosts: `{0}` is not of the form host or host:port; leave out scheme and path, write IPv6 in brackets"
)]
pub struct InvalidAllowedHost(Excerpt);

impl Guard {
    /// A guard for a listener.
    pub fn new(access: &Access) -> Result<Self, InvalidAllowedHost> {
        let allowed =
            access.allowed_hosts.iter().map(|text| AllowedHost::parse(text)).collect::<Result<_, _>>()?;
        Ok(Self { allowed, required: access.required_field.clone() })
    }

    /// What is only for us, and does not travel.
    pub fn required(&self) -> Option<&HeaderName> {
        self.required.as_ref().map(|field| &field.name)
    }

    /// Applies the rules in the order of their numbers. `own` is the address that the connection came to; none at a
    /// Unix socket.
    #[inline(never)] // so that benches/guard can tell what it costs
    pub fn check(&self, head: &Parts, own: Option<SocketAddr>) -> Result<Admitted, Rejection> {
        check_form(&head.method, &head.uri)?;
        let fields = Fields::collect(&head.headers, self.required.as_ref());
        fields.check_framing(head.version)?;
        fields.check_expectation()?;
        let host = fields.host(head.version)?;
        if let Some(host) = host {
            self.check_host(&host, own)?;
        }
        let authority = match target_authority(&head.uri)? {
            Some(target) => {
                match host {
                    Some(host) if !host.is_same_as(&target) => return Err(Rejection::TargetNotHost),
                    Some(_) => {}
                    None => self.check_host(&target, own)?,
                }
                Some(target)
            }
            None => host,
        };
        fields.check_fetch_site()?;
        fields.check_origin(authority.as_ref())?;
        if fields.is_service_worker {
            return Err(Rejection::ServiceWorker);
        }
        match &self.required {
            Some(field) if !fields.has_required && !is_probe(head.uri.path()) => {
                Err(Rejection::FieldMissing(field.clone()))
            }
            Some(_) | None => Ok(Admitted { is_navigation: fields.is_navigation }),
        }
    }

    /// Rule 4, for a host that is well-formed.
    fn check_host(&self, host: &Authority<'_>, own: Option<SocketAddr>) -> Result<(), Rejection> {
        let is_ours = host.is_loopback()
            || own.is_none_or(|own| host.is_address(own.ip()) && host.http_port() == own.port());
        if is_ours || self.allowed.iter().any(|allowed| allowed.covers(host)) {
            Ok(())
        } else {
            Err(Rejection::HostNotAllowed(Excerpt::new(host.to_string())))
        }
    }
}

/// An entry of `allowed_hosts`, known to be well-formed.
#[derive(Clone, Debug)]
struct AllowedHost(String);

impl AllowedHost {
    fn parse(text: &str) -> Result<Self, InvalidAllowedHost> {
        match Authority::parse(text.as_bytes()) {
            Some(_) => Ok(Self(text.to_owned())),
            None => Err(InvalidAllowedHost(Excerpt::new(text))),
        }
    }

    /// Whether the entry names this host, and this port if it names one.
    fn covers(&self, host: &Authority<'_>) -> bool {
        Authority::parse(self.0.as_bytes()).is_some_and(|allowed| {
            allowed.has_host_of(host) && allowed.port().is_none_or(|port| port == host.http_port())
        })
    }
}

/// Rule 1.
fn check_form(method: &Method, uri: &Uri) -> Result<(), Rejection> {
    if method == Method::CONNECT {
        return Err(Rejection::Connect);
    }
    let is_known_in_other_letters = || {
        METHODS.iter().any(|known| method.as_str().eq_ignore_ascii_case(known) && method.as_str() != *known)
    };
    let has_lower_case = method.as_str().bytes().any(|byte| byte.is_ascii_lowercase());
    if method == Method::TRACE || has_lower_case && is_known_in_other_letters() {
        return Err(Rejection::Method(Excerpt::new(method.as_str())));
    }
    if uri.path() == "*" {
        return Err(Rejection::Asterisk);
    }
    // The authority-form has an empty path.
    if !uri.path().starts_with('/') {
        return Err(Rejection::TargetForm);
    }
    Ok(())
}

/// Methods that some server might know in any letters.
const METHODS: [&str; 10] =
    ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "COPY", "OPTIONS", "CONNECT", "TRACE"];

/// What asks whether we are alive, of which nobody learns anything else.
fn is_probe(path: &str) -> bool {
    matches!(path, "/-/livez" | "/-/readyz")
}

/// Rule 5: the authority of an absolute-form target.
fn target_authority(uri: &Uri) -> Result<Option<Authority<'_>>, Rejection> {
    let Some(scheme) = uri.scheme() else { return Ok(None) };
    if *scheme != Scheme::HTTP {
        return Err(Rejection::TargetScheme);
    }
    let authority = uri.authority().and_then(|authority| Authority::parse(authority.as_str().as_bytes()));
    authority.map(Some).ok_or(Rejection::TargetAuthority)
}

/// Whether these are codings of which the last, and it alone, is `chunked`.
fn is_of_other_codings(value: &HeaderValue) -> bool {
    let mut codings = value.as_bytes().rsplit(|byte| *byte == b',').map(<[u8]>::trim_ascii);
    let is_chunked = |coding: &[u8]| coding.eq_ignore_ascii_case(b"chunked");
    let is_other = |coding: &[u8]| {
        !coding.is_empty()
            && coding.iter().all(u8::is_ascii_graphic)
            && !is_chunked(coding)
            && coding != b"identity"
    };
    codings.next().is_some_and(is_chunked) && codings.all(is_other)
}

/// A field that shall have one line: how many there are, and the last.
#[derive(Clone, Copy, Default)]
enum Lines<'a> {
    #[default]
    None,
    One(&'a HeaderValue),
    Several(&'a HeaderValue),
}

impl<'a> Lines<'a> {
    fn add(&mut self, value: &'a HeaderValue) {
        *self = match self {
            Self::None => Self::One(value),
            Self::One(_) | Self::Several(_) => Self::Several(value),
        };
    }
}

/// The fields that the rules are about, found in one pass over the head.
#[derive(Default)]
struct Fields<'a> {
    host: Lines<'a>,
    origin: Lines<'a>,
    fetch_site: Lines<'a>,
    transfer_encoding: Lines<'a>,
    has_content_length: bool,
    unmet_expectation: Option<&'a HeaderValue>,
    is_service_worker: bool,
    has_required: bool,
    is_navigation: bool,
}

impl<'a> Fields<'a> {
    fn collect(headers: &'a HeaderMap, required: Option<&RequiredField>) -> Self {
        let mut fields = Self::default();
        for (name, value) in headers {
            match name.as_str() {
                "host" => fields.host.add(value),
                "origin" => fields.origin.add(value),
                "sec-fetch-site" => fields.fetch_site.add(value),
                "transfer-encoding" => fields.transfer_encoding.add(value),
                name @ ("sec-fetch-mode" | "sec-fetch-dest") => {
                    fields.is_navigation |= browsers::tells_navigation(name, value);
                }
                "service-worker" => fields.is_service_worker = true,
                "content-length" => fields.has_content_length = true,
                "expect" if !value.as_bytes().eq_ignore_ascii_case(b"100-continue") => {
                    fields.unmet_expectation = Some(value);
                }
                _ => fields.has_required |= required.is_some_and(|required| required.is(name, value)),
            }
        }
        fields
    }

    /// Rule 2.
    fn check_framing(&self, version: Version) -> Result<(), Rejection> {
        match self.transfer_encoding {
            Lines::None => Ok(()),
            Lines::One(value)
                if value.as_bytes().eq_ignore_ascii_case(b"chunked")
                    && version == Version::HTTP_11
                    && !self.has_content_length =>
            {
                Ok(())
            }
            Lines::One(value)
                if is_of_other_codings(value) && version == Version::HTTP_11 && !self.has_content_length =>
            {
                Err(Rejection::Coding(Excerpt::new(value)))
            }
            Lines::One(_) | Lines::Several(_) => Err(Rejection::TransferEncoding),
        }
    }

    /// Rule 3.
    fn check_expectation(&self) -> Result<(), Rejection> {
        self.unmet_expectation.map_or(Ok(()), |value| Err(Rejection::Expectation(Excerpt::new(value))))
    }

    /// Rule 4: the host, without deciding about it.
    fn host(&self, version: Version) -> Result<Option<Authority<'a>>, Rejection> {
        match self.host {
            Lines::None if version <= Version::HTTP_10 => Ok(None),
            Lines::None => Err(Rejection::MissingHost),
            Lines::Several(_) => Err(Rejection::SeveralHosts),
            Lines::One(value) => match Authority::parse(value.as_bytes()) {
                Some(host) => Ok(Some(host)),
                None => Err(Rejection::MalformedHost(Excerpt::new(value))),
            },
        }
    }

    /// Rule 6.
    fn check_fetch_site(&self) -> Result<(), Rejection> {
        match self.fetch_site {
            Lines::None => Ok(()),
            Lines::One(value) if matches!(value.as_bytes(), b"same-origin" | b"none") => Ok(()),
            Lines::One(value) | Lines::Several(value) => Err(Rejection::CrossSite(Excerpt::new(value))),
        }
    }

    /// Rule 7.
    fn check_origin(&self, authority: Option<&Authority<'_>>) -> Result<(), Rejection> {
        let (Lines::One(value) | Lines::Several(value)) = self.origin else { return Ok(()) };
        let is_ours = || {
            let origin = Authority::parse(value.as_bytes().strip_prefix(b"http://")?)?;
            Some(origin.is_same_as(authority?))
        };
        if matches!(self.origin, Lines::One(_)) && is_ours() == Some(true) {
            Ok(())
        } else {
            Err(Rejection::ForeignOrigin(Excerpt::new(value)))
        }
    }
}

#[cfg(test)]
mod tests;
