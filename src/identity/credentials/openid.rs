//! Who we are to an OAuth 2.0 or OpenID provider.

use std::fmt;
use std::str::FromStr;

use http::uri::PathAndQuery;

use super::Passcode;
use crate::catalog::{EndpointUrl, UrlError};
use crate::secret::Secret;

/// A login at Keystone by what a provider says of us (Identity API v3, OS-FEDERATION).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Federation {
    /// The provider's name at Keystone.
    pub identity_provider: String,
    /// The name of the protocol there, such as `openid`.
    pub protocol: String,
    /// Where its token comes from.
    pub grant: Grant,
}

/// Where a provider's token comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Grant {
    /// It was given to us, and is not renewed.
    AccessToken(Secret),
    /// We ask the provider.
    Provider(Box<OpenId>),
}

/// A client of an OpenID provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenId {
    /// Our id there.
    pub client_id: String,
    /// Our secret, if we have one.
    pub client_secret: Option<Secret>,
    /// What is asked for, words with blanks between.
    pub scope: String,
    /// Where the provider describes itself (OpenID Connect Discovery 1.0).
    pub discovery_endpoint: Option<ProviderUrl>,
    /// Where tokens are given, if that is not left to its description.
    pub token_endpoint: Option<ProviderUrl>,
    /// Which of its tokens Keystone gets.
    pub token_kind: TokenKind,
    /// How it knows us, or whoever we act for.
    pub flow: Flow,
}

/// Which token of a provider's answer is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenKind {
    /// `access_token`
    Access,
    /// `id_token`
    Id,
}

/// How a provider knows us (RFC 6749 section 4, RFC 8628).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Flow {
    /// By the client's own secret.
    ClientCredentials,
    /// By a user's password.
    Password {
        /// The name.
        username: String,
        /// The password.
        password: Secret,
        /// A one-time passcode, and the parameter that it goes in.
        passcode: Option<(String, Passcode)>,
    },
    /// By a person, who enters a code in a browser elsewhere.
    Device {
        /// Where such a login begins, if that is not left to the provider's description.
        endpoint: Option<ProviderUrl>,
        /// How the two halves of it are tied together (RFC 7636), if they are.
        challenge: Option<Challenge>,
    },
}

/// A method of PKCE.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Challenge {
    /// `plain`
    Plain,
    /// `S256`
    S256,
}

/// An OAuth 2.0 client of Keystone's own: an application credential that gets a bearer token beside the other
/// (`v3oauth2clientcredential`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OAuth2Client {
    /// Where bearer tokens are given.
    pub endpoint: ProviderUrl,
    /// The application credential's id.
    pub client_id: String,
    /// Its secret.
    pub client_secret: Secret,
}

/// An address of a provider's; unlike an endpoint's it may have a query, and its slashes stay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderUrl {
    /// Scheme, host and port.
    pub origin: EndpointUrl,
    /// What is asked for there.
    pub target: PathAndQuery,
}

impl FromStr for ProviderUrl {
    type Err = UrlError;

    fn from_str(written: &str) -> Result<Self, UrlError> {
        let (address, _) = written.split_once('?').unwrap_or((written, ""));
        let origin = EndpointUrl::parse(address)?;
        let rest = written.split_once("://").map_or("", |(_, rest)| rest);
        let at = rest.find(['/', '?']).unwrap_or(rest.len());
        let target = match &rest[at..] {
            "" => PathAndQuery::from_static("/"),
            query if query.starts_with('?') => {
                format!("/{query}").parse().map_err(|_| UrlError::Character)?
            }
            target => target.parse().map_err(|_| UrlError::Character)?,
        };
        if written.contains('#') {
            return Err(UrlError::Fragment);
        }
        Ok(Self { origin: EndpointUrl { path: String::new(), ..origin }, target })
    }
}

impl fmt::Display for ProviderUrl {
    /// Without the query, in which there may be anything.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.origin, self.target.path())
    }
}

impl Federation {
    /// A passcode that was given serves once, but then there may be a refresh token.
    pub(super) fn is_renewable(&self) -> bool {
        matches!(self.grant, Grant::Provider(_))
    }

    pub(super) fn each_secret<'a>(&'a self, see: &mut dyn FnMut(&'a Secret)) {
        match &self.grant {
            Grant::AccessToken(token) => see(token),
            Grant::Provider(provider) => {
                provider.client_secret.iter().for_each(&mut *see);
                if let Flow::Password { password, passcode, .. } = &provider.flow {
                    see(password);
                    if let Some((_, Passcode::Given(secret) | Passcode::Seed(secret))) = passcode {
                        see(secret);
                    }
                }
            }
        }
    }

    pub(super) fn forget(&mut self) {
        match &mut self.grant {
            Grant::AccessToken(token) => *token = Secret::new(""),
            Grant::Provider(provider) => {
                provider.client_secret = None;
                if let Flow::Password { password, passcode, .. } = &mut provider.flow {
                    *password = Secret::new("");
                    *passcode = None;
                }
            }
        }
    }
}

impl fmt::Display for Federation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.grant {
            Grant::AccessToken(_) => f.write_str("an access token given to us")?,
            Grant::Provider(provider) => match &provider.flow {
                Flow::ClientCredentials => write!(f, "client {}", provider.client_id)?,
                Flow::Password { username, .. } => write!(f, "user {username}")?,
                Flow::Device { .. } => f.write_str("the person who entered the code")?,
            },
        }
        write!(f, " of identity provider {}", self.identity_provider)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_providers_keep_their_slashes_and_their_query() {
        for (text, target, shown) in [
            ("https://p.example", "/", "https://p.example/"),
            ("https://p.example/token/", "/token/", "https://p.example/token/"),
            ("http://p:8080/a/token?p=b2c_1&x", "/a/token?p=b2c_1&x", "http://p:8080/a/token"),
            ("https://p.example?p=1", "/?p=1", "https://p.example/"),
        ] {
            let url: ProviderUrl = text.parse().unwrap();
            assert_eq!((url.target.as_str(), url.to_string().as_str()), (target, shown));
            assert_eq!(url.origin.path, "");
        }
        for text in
            ["", "p.example/token", "https://u:p@p.example/", "https://p/a#b", "https://p/a?b#c", "ftp://p/"]
        {
            assert!(text.parse::<ProviderUrl>().is_err(), "{text}");
        }
    }
}
