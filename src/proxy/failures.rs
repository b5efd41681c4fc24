//! What can go wrong on the way to an upstream and back, as a [`Failure`] with
//! words that say what to do.

use std::error::Error as StdError;
use std::io;
use std::time::Duration;

use http::StatusCode;
use http::header::LOCATION;
use http::response::Parts;
use tracing::{info, warn};

use super::guard::{Rejection, Unwelcome};
use super::minting::Minting;
use super::overload::{Overload, SOON};
use super::rules::Denied;
use crate::client::{ConnectError, SendError};
use crate::failure::{Failure, Fault, Reason};
use crate::identity::NoToken;
use crate::routing::{NoRoute, Target, is_https_twin};
use crate::server::are_used_up;

/// When a client may try again after a failure that may pass by itself.
const TRY_AGAIN: Duration = Duration::from_secs(5);

/// Why the upstream gave no answer.
pub(super) fn of_send(error: &SendError, target: &Target<'_>) -> Failure {
    let upstream = &target.route.upstream;
    let service = &target.route.service_type;
    let place = format!("{}://{}, the {service} endpoint", upstream.scheme, upstream.authority);
    let setting = format!("[service.{}] endpoint_override", target.route.settings_key);
    if is_for_want_of_descriptors(error) {
        return Overload::Descriptors.into();
    }
    let (reason, message) = match error {
        SendError::Connect(ConnectError::Refused(_)) => (
            Reason::UpstreamRefused,
            format!("nothing listens at {place}; if that is not where the service is, set {setting}"),
        ),
        SendError::Connect(ConnectError::Unreachable(_)) => (
            Reason::UpstreamUnreachable,
            format!("no connection to {place}; check network and DNS, or set resolve, a proxy, or {setting}"),
        ),
        SendError::Connect(ConnectError::Tls(_) | ConnectError::Untrusted(_)) => (
            Reason::UpstreamTls,
            format!(
                "TLS with {place} failed: {}; if its certificate comes from a private authority, set OS_CACERT to that authority's PEM file",
                innermost(error)
            ),
        ),
        SendError::Connect(ConnectError::TimedOut(limit)) => (
            Reason::UpstreamTimeout,
            format!(
                "no connection to {place} within {} s; check the network, or raise connect_timeout",
                limit.as_secs()
            ),
        ),
        SendError::Closed(_) => (
            Reason::UpstreamClosed,
            format!(
                "{place}, closed the connection without an answer; the request may or may not have been carried out"
            ),
        ),
        SendError::Malformed(_) => (
            Reason::UpstreamClosed,
            format!("{place}, answered with something that is not valid HTTP; ask its operators"),
        ),
        SendError::Coding => (
            Reason::UpstreamClosed,
            format!(
                "{place}, answered in a transfer coding other than chunked, which HTTP/1.1 lets a server use only if it was asked to (RFC 9112 6.1); ask its operators"
            ),
        ),
        SendError::RequestCut(_) => {
            (Reason::BadRequest, "the request's body ended before it was whole; send it again".to_owned())
        }
        SendError::ClientSilent(limit) => (
            Reason::RequestTimeout,
            format!(
                "nothing more of the request's body came for {} s; send it again, or raise body_timeout",
                limit.as_secs()
            ),
        ),
        SendError::BodySpent => (
            Reason::UpstreamClosed,
            format!(
                "{place}, would have needed the request's body once more, which is not kept; send it again"
            ),
        ),
        SendError::TimedOut(limit) => (
            Reason::UpstreamTimeout,
            format!(
                "{place}, did not answer within {} s; raise response_timeout if it needs longer",
                limit.as_secs()
            ),
        ),
    };
    Failure::new(reason, message)
}

fn is_for_want_of_descriptors(error: &SendError) -> bool {
    let SendError::Connect(error) = error else { return false };
    let mut next: Option<&(dyn StdError + 'static)> = Some(error);
    while let Some(error) = next {
        if error.downcast_ref::<io::Error>().is_some_and(are_used_up) {
            return true;
        }
        next = error.source();
    }
    false
}

/// What rustls or the system say at the bottom; neither ever holds a secret.
fn innermost(error: &dyn StdError) -> String {
    let mut bottom = error;
    while let Some(cause) = bottom.source() {
        bottom = cause;
    }
    bottom.to_string()
}

/// A 101 that nobody asked for (RFC 9110 15.2.2): no upgrade has been requested.
pub(super) fn unasked_upgrade(target: &Target<'_>) -> Failure {
    Failure::new(
        Reason::UpstreamClosed,
        format!("{} switched protocols without being asked to", target.route.upstream.authority),
    )
}

/// A redirect to the very same URL with `https` in place of `http`: turned back it
/// would lead the client here again, for ever.
pub(super) fn check_redirect(head: &Parts, target: &Target<'_>) -> Result<(), Failure> {
    let is_redirect = matches!(
        head.status,
        StatusCode::MOVED_PERMANENTLY
            | StatusCode::FOUND
            | StatusCode::SEE_OTHER
            | StatusCode::TEMPORARY_REDIRECT
            | StatusCode::PERMANENT_REDIRECT
    );
    let location = head.headers.get(LOCATION).and_then(|location| location.to_str().ok());
    match location {
        Some(location) if is_redirect && is_https_twin(target, location) => {
            let (service, key) = (&target.route.service_type, &target.route.settings_key);
            Err(Failure::new(
                Reason::UpstreamRedirectsToHttps,
                format!(
                    "the {service} endpoint {} only answers over https; set [service.{key}] endpoint_override to its https URL, or ask for the catalog to be corrected",
                    target.route.upstream
                ),
            ))
        }
        _ => Ok(()),
    }
}

/// Errors and refusals are always logged; how loud depends on whose fault it was.
pub(super) fn log(failure: &Failure) {
    let reason = failure.reason.as_str();
    if matches!(failure.reason, Reason::PeerRefused | Reason::PeerUnknown) {
        // Told once a connection, and not for each: `visitor`.
        return;
    }
    match failure.reason.fault() {
        Fault::Client => info!(reason, detail = %failure.message, "refused"),
        Fault::Upstream | Fault::Identity | Fault::Ours => {
            warn!(reason, detail = %failure.message, "failed");
        }
    }
}

impl From<Unwelcome> for Failure {
    fn from(why: Unwelcome) -> Self {
        let reason = match &why {
            Unwelcome::User { .. } | Unwelcome::Root | Unwelcome::Network { .. } => Reason::PeerRefused,
            Unwelcome::Unknown => Reason::PeerUnknown,
            Unwelcome::TooMany { .. } => {
                return Self::new(Reason::Overloaded, why.to_string()).retry_after(SOON);
            }
        };
        Self::new(reason, why.to_string())
    }
}

impl From<NoToken> for Failure {
    fn from(why: NoToken) -> Self {
        let reason = match &why {
            NoToken::Starting | NoToken::Revoked => Reason::NoToken,
            NoToken::Slow | NoToken::Unreachable(_) | NoToken::Unchecked(_) => Reason::IdentityUnreachable,
            NoToken::Refused(_) | NoToken::SpentToken => Reason::CredentialsRefused,
        };
        Self::new(reason, why.to_string()).retry_after(TRY_AGAIN)
    }
}

impl From<NoRoute> for Failure {
    fn from(why: NoRoute) -> Self {
        let reason = match &why {
            NoRoute::ClimbsOut | NoRoute::Malformed => Reason::BadRequest,
            NoRoute::UnknownService { .. }
            | NoRoute::PinnedUnknown { .. }
            | NoRoute::NoKeystone
            | NoRoute::NoProjectScope { .. }
            | NoRoute::Reserved { .. }
            | NoRoute::OverrideUnusable { .. } => Reason::NoSuchService,
            NoRoute::RegionMissing { .. }
            | NoRoute::PinnedRegionMissing { .. }
            | NoRoute::InterfaceMissing { .. } => Reason::NoSuchRegion,
            NoRoute::InsecureEndpoint { .. } => Reason::InsecureEndpoint,
        };
        Self::new(reason, why.to_string())
    }
}

impl From<Rejection> for Failure {
    fn from(rejection: Rejection) -> Self {
        let reason = match &rejection {
            Rejection::Connect
            | Rejection::Method(_)
            | Rejection::TargetForm
            | Rejection::Asterisk
            | Rejection::TransferEncoding
            | Rejection::MissingHost
            | Rejection::SeveralHosts
            | Rejection::MalformedHost(_)
            | Rejection::TargetScheme
            | Rejection::TargetAuthority
            | Rejection::TargetNotHost => Reason::BadRequest,
            Rejection::Coding(_) => Reason::CodingUnknown,
            Rejection::Expectation(_) => Reason::ExpectationFailed,
            Rejection::HostNotAllowed(_) => Reason::HostRefused,
            Rejection::CrossSite(_) | Rejection::ForeignOrigin(_) | Rejection::ServiceWorker => {
                Reason::CrossSite
            }
            Rejection::FieldMissing(_) => Reason::FieldRequired,
        };
        Self::new(reason, rejection.to_string())
    }
}

impl From<Denied> for Failure {
    fn from(denied: Denied) -> Self {
        Self::new(Reason::RuleDenied, denied.to_string())
    }
}

impl From<Minting> for Failure {
    fn from(minting: Minting) -> Self {
        Self::new(Reason::MintsCredential, minting.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::super::excerpt::Excerpt;
    use super::super::minting::Credential;
    use super::*;

    #[test]
    fn rejections_become_failures_of_the_client() {
        for (rejection, reason) in [
            (Rejection::MissingHost, Reason::BadRequest),
            (Rejection::Asterisk, Reason::BadRequest),
            (Rejection::HostNotAllowed(Excerpt::new("evil.example")), Reason::HostRefused),
            (Rejection::CrossSite(Excerpt::new("cross-site")), Reason::CrossSite),
            (Rejection::ForeignOrigin(Excerpt::new("null")), Reason::CrossSite),
            (Rejection::Expectation(Excerpt::new("x")), Reason::ExpectationFailed),
        ] {
            let failure = Failure::from(rejection.clone());
            assert_eq!(failure, Failure::new(reason, rejection.to_string()));
            assert_eq!(failure.fault(), Fault::Client);
        }
    }

    #[test]
    fn minting_names_the_setting() {
        let failure = Failure::from(Minting(Credential::Token));
        assert_eq!(failure.reason, Reason::MintsCredential);
        assert!(failure.message.contains("allow_minting = true"), "{}", failure.message);
    }
}
