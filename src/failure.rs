//! `Failure`: an answer of ours in place of the cloud's, as a fact with an owner.
//!
//! A [`Reason`] is the word that clients and operators see (design 8); each part of the proxy has its own error
//! type, which becomes a failure there. Status codes are chosen in `proxy/respond.rs` alone.

use std::time::Duration;

/// Why the cloud's answer could not be given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What happened, in a word.
    pub reason: Reason,
    /// What happened and what to do next, for people. No secret, no text of the upstream.
    pub message: String,
    /// When to try again.
    pub retry_after: Option<Duration>,
    /// Keystone's address for a client that is to log in.
    pub log_in_at: Option<String>,
}

/// What happened, in a word; the value of `X-Gatestone-Error`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// The request is malformed, or of a kind that is not served.
    BadRequest,
    /// Nothing more of the request's body came, for too long.
    RequestTimeout,
    /// `Expect` asks for something else than `100-continue`.
    ExpectationFailed,
    /// A client asked the local face for another scope than the held one.
    WrongScope,
    /// A client does not know the listener's client secret, or has no token that was given for it.
    ClientRefused,
    /// The user at the other end may not use this listener.
    PeerRefused,
    /// The kernel could not tell which user is at the other end.
    PeerUnknown,
    /// `Host` is neither loopback nor listed.
    HostRefused,
    /// A web page of another origin caused the request.
    CrossSite,
    /// The listener wants a field that the request does not have.
    FieldRequired,
    /// The listener's rules deny it.
    RuleDenied,
    /// It would create or return a credential.
    MintsCredential,
    /// No service of that name.
    NoSuchService,
    /// The service is not in that region, or has no such interface there.
    NoSuchRegion,
    /// The body of a request that we answer ourselves is too large.
    BodyTooLarge,
    /// The request is in a transfer coding other than `chunked`.
    CodingUnknown,
    /// The request target is too long.
    TargetTooLong,
    /// The head of the request is too large.
    HeaderTooLarge,
    /// The upstream refused the connection.
    UpstreamRefused,
    /// The upstream cannot be reached: name, route, proxy.
    UpstreamUnreachable,
    /// The upstream closed the connection before it answered.
    UpstreamClosed,
    /// The upstream's certificate or TLS is at fault.
    UpstreamTls,
    /// The endpoint is `http` while the auth URL is `https`.
    InsecureEndpoint,
    /// The upstream redirects to the same URL under `https`.
    UpstreamRedirectsToHttps,
    /// There is no token yet.
    NoToken,
    /// Keystone cannot be reached and the token has expired.
    IdentityUnreachable,
    /// Keystone refuses our credentials.
    CredentialsRefused,
    /// Our own limits are reached.
    Overloaded,
    /// The upstream did not answer in time.
    UpstreamTimeout,
}

/// Who has to act, or who has failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fault {
    /// The client's request.
    Client,
    /// The service behind us, the way to it, or its entry in the catalog.
    Upstream,
    /// Keystone, or our credentials there.
    Identity,
    /// This program.
    Ours,
}

impl Failure {
    /// A failure that nothing says when to retry.
    pub fn new(reason: Reason, message: impl Into<String>) -> Self {
        Self { reason, message: message.into(), retry_after: None, log_in_at: None }
    }

    /// The same, worth another try after `delay`.
    #[must_use]
    pub fn retry_after(self, delay: Duration) -> Self {
        Self { retry_after: Some(delay), ..self }
    }

    /// Whose fault it is.
    pub fn fault(&self) -> Fault {
        self.reason.fault()
    }
}

const _: () =
    assert!(Reason::ALL.len() == Reason::UpstreamTimeout as usize + 1, "a reason is missing in ALL");

impl Reason {
    /// Every reason, in the order of their declaration.
    pub const ALL: [Self; 29] = [
        Self::BadRequest,
        Self::RequestTimeout,
        Self::ExpectationFailed,
        Self::WrongScope,
        Self::ClientRefused,
        Self::PeerRefused,
        Self::PeerUnknown,
        Self::HostRefused,
        Self::CrossSite,
        Self::FieldRequired,
        Self::RuleDenied,
        Self::MintsCredential,
        Self::NoSuchService,
        Self::NoSuchRegion,
        Self::BodyTooLarge,
        Self::CodingUnknown,
        Self::TargetTooLong,
        Self::HeaderTooLarge,
        Self::UpstreamRefused,
        Self::UpstreamUnreachable,
        Self::UpstreamClosed,
        Self::UpstreamTls,
        Self::InsecureEndpoint,
        Self::UpstreamRedirectsToHttps,
        Self::NoToken,
        Self::IdentityUnreachable,
        Self::CredentialsRefused,
        Self::Overloaded,
        Self::UpstreamTimeout,
    ];

    /// The word, as in `X-Gatestone-Error`, logs and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::BadRequest => "bad_request",
            Self::RequestTimeout => "request_timeout",
            Self::ExpectationFailed => "expectation_failed",
            Self::WrongScope => "wrong_scope",
            Self::ClientRefused => "client_refused",
            Self::PeerRefused => "peer_refused",
            Self::PeerUnknown => "peer_unknown",
            Self::HostRefused => "host_refused",
            Self::CrossSite => "cross_site",
            Self::FieldRequired => "field_required",
            Self::RuleDenied => "rule_denied",
            Self::MintsCredential => "mints_credential",
            Self::NoSuchService => "no_such_service",
            Self::NoSuchRegion => "no_such_region",
            Self::BodyTooLarge => "body_too_large",
            Self::CodingUnknown => "coding_unknown",
            Self::TargetTooLong => "target_too_long",
            Self::HeaderTooLarge => "header_too_large",
            Self::UpstreamRefused => "upstream_refused",
            Self::UpstreamUnreachable => "upstream_unreachable",
            Self::UpstreamClosed => "upstream_closed",
            Self::UpstreamTls => "upstream_tls",
            Self::InsecureEndpoint => "insecure_endpoint",
            Self::UpstreamRedirectsToHttps => "upstream_redirects_to_https",
            Self::NoToken => "no_token",
            Self::IdentityUnreachable => "identity_unreachable",
            Self::CredentialsRefused => "credentials_refused",
            Self::Overloaded => "overloaded",
            Self::UpstreamTimeout => "upstream_timeout",
        }
    }

    /// Whose fault it is.
    pub fn fault(self) -> Fault {
        match self {
            Self::BadRequest
            | Self::RequestTimeout
            | Self::ExpectationFailed
            | Self::WrongScope
            | Self::ClientRefused
            | Self::PeerRefused
            | Self::HostRefused
            | Self::CrossSite
            | Self::FieldRequired
            | Self::RuleDenied
            | Self::MintsCredential
            | Self::NoSuchService
            | Self::NoSuchRegion
            | Self::BodyTooLarge
            | Self::CodingUnknown
            | Self::TargetTooLong
            | Self::HeaderTooLarge => Fault::Client,
            Self::UpstreamRefused
            | Self::UpstreamUnreachable
            | Self::UpstreamClosed
            | Self::UpstreamTls
            | Self::InsecureEndpoint
            | Self::UpstreamRedirectsToHttps
            | Self::UpstreamTimeout => Fault::Upstream,
            Self::NoToken | Self::IdentityUnreachable | Self::CredentialsRefused => Fault::Identity,
            Self::PeerUnknown | Self::Overloaded => Fault::Ours,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_of_reasons_is_in_the_order_of_their_declaration() {
        for (i, reason) in Reason::ALL.into_iter().enumerate() {
            assert_eq!(reason as usize, i, "{reason:?}");
        }
    }
}
