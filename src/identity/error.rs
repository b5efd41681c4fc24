//! `AuthError`: why Keystone gave no token, in words that say what to do.

use std::time::Duration;

use http::StatusCode;

use crate::body::ReadError;
use crate::client::{ConnectError, SendError};

/// Longest wait for a login as a whole. Keystone hashes passwords with bcrypt and
/// may ask an LDAP server; beyond this a new try is the better bet.
pub const LOGIN_TIMEOUT: Duration = Duration::from_secs(60);

/// Why there is no token.
#[derive(Debug, thiserror::Error)]
pub enum AuthError {
    /// Keystone could not be reached, or closed without an answer.
    #[error("{url} does not answer: {}", causes(.source))]
    Unreachable {
        /// Where we asked.
        url: String,
        /// What happened.
        source: SendError,
    },
    /// Nothing came within [`LOGIN_TIMEOUT`].
    #[error("{url} did not answer the login within {} s", LOGIN_TIMEOUT.as_secs())]
    TimedOut {
        /// Where we asked.
        url: String,
    },
    /// Keystone said no: 400, 401 or 403.
    #[error("{url} refused the login of {who} with {status}: {message}")]
    Refused {
        /// Where we asked.
        url: String,
        /// Method, user and domain.
        who: String,
        /// Its status.
        status: StatusCode,
        /// Its own words.
        message: String,
    },
    /// Keystone wants more proofs than we have.
    #[error(
        "{url} wants more than {given} of {who}: {wanted}; give it the rest too, for a one-time passcode the seed that an \
         authenticator has (OS_TOTP_SECRET, `totp_secret`)"
    )]
    MoreFactors {
        /// Where we asked.
        url: String,
        /// Method, user and domain.
        who: String,
        /// The methods that it had.
        given: String,
        /// Those that it wants.
        wanted: String,
    },
    /// The identity provider that vouches for us said no.
    #[error("{url} refused {who}: {error} ({description})")]
    ProviderRefused {
        /// Where we asked.
        url: String,
        /// Client or user, and the provider's name at Keystone.
        who: String,
        /// A code of RFC 6749 5.2 or RFC 8628 3.5, or a status.
        error: String,
        /// Its own words.
        description: String,
    },
    /// The identity provider answered with something else than yes or no.
    #[error("the identity provider's {url} answered with {status}; if this lasts, check that address")]
    ProviderUnwell {
        /// Where we asked.
        url: String,
        /// Its status.
        status: StatusCode,
        /// How long it wants us to wait.
        retry_after: Option<Duration>,
    },
    /// What the identity provider says is of no use.
    #[error("the identity provider's {url} cannot be used: {why}")]
    ProviderNonsense {
        /// Where we asked.
        url: String,
        /// What is wrong with it.
        why: String,
    },
    /// Too many logins: 429.
    #[error("{url} says that there were too many logins (429)")]
    TooMany {
        /// Where we asked.
        url: String,
        /// How long Keystone wants us to wait.
        retry_after: Option<Duration>,
    },
    /// Any other status: a broken Keystone, or something else at that address.
    #[error(
        "{url} answered the login with {status}; if this lasts, check that OS_AUTH_URL is Keystone's own address"
    )]
    Unexpected {
        /// Where we asked.
        url: String,
        /// Its status.
        status: StatusCode,
        /// How long it wants us to wait.
        retry_after: Option<Duration>,
    },
    /// The answer is not one of Identity v3.
    #[error("{url} answered the login with something that is not an Identity v3 token: {why}")]
    Garbage {
        /// Where we asked.
        url: String,
        /// What is wrong with it.
        why: String,
    },
    /// The answer did not arrive whole.
    #[error("{url} answered the login with a body that cannot be read")]
    Cut {
        /// Where we asked.
        url: String,
        /// What happened.
        source: ReadError,
    },
    /// A question about a token, the catalog or the account was not answered.
    #[error("{url} {what}: {why}")]
    NotTold {
        /// Where we asked.
        url: String,
        /// What came of it, as a verb phrase.
        what: &'static str,
        /// In which way.
        why: String,
    },
    /// The token's life was over before it began.
    #[error("{url} issued a token that has already expired")]
    AlreadyExpired {
        /// Where we asked.
        url: String,
    },
}

impl AuthError {
    /// Whether trying the same credentials again can only do harm.
    pub fn is_refusal(&self) -> bool {
        matches!(self, Self::Refused { .. } | Self::MoreFactors { .. } | Self::ProviderRefused { .. })
    }

    /// Whether Keystone's certificate is not trusted: at start a mistake, later perhaps a change under way.
    pub fn is_distrust(&self) -> bool {
        matches!(self, Self::Unreachable { source: SendError::Connect(ConnectError::Untrusted(_)), .. })
    }

    /// How long Keystone wants us to wait, if it says.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::TooMany { retry_after, .. }
            | Self::ProviderUnwell { retry_after, .. }
            | Self::Unexpected { retry_after, .. } => *retry_after,
            Self::Unreachable { .. }
            | Self::TimedOut { .. }
            | Self::Refused { .. }
            | Self::MoreFactors { .. }
            | Self::ProviderRefused { .. }
            | Self::ProviderNonsense { .. }
            | Self::Garbage { .. }
            | Self::Cut { .. }
            | Self::NotTold { .. }
            | Self::AlreadyExpired { .. } => None,
        }
    }
}

/// An error and what lies below it in one line, with what helps where we know it.
fn causes(error: &SendError) -> String {
    let mut line = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        let text = error.to_string();
        if !line.ends_with(&text) {
            line.push_str(": ");
            line.push_str(&text);
        }
        cause = error.source();
    }
    if let SendError::Connect(ConnectError::Untrusted(_)) = error {
        line.push_str(
            "; if its certificate comes from a private authority, set OS_CACERT to that authority's PEM file",
        );
    }
    line
}
