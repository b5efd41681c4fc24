//! Why a login failed, as somebody who knows Keystone would find out: at which step, for which reason, by which setting,
//! and what to try.
//!
//! Keystone says the same of a wrong password and of a missing role. A login without scope tells them apart, so there is
//! one more try. Another one is with the usual domain, where that is not the one that is set; it counts for a namesake
//! there, if there is one. That is below any lockout limit that is in use.

use std::time::Duration;

use http::StatusCode;
use tokio::task::JoinSet;

use crate::catalog::EndpointUrl;
use crate::client::{Client, ConnectError, SendError};
use crate::clock::Clock;
use crate::config::Config;
use crate::identity::credentials::{Credentials, Domain, Method, Scope, User};
use crate::identity::{AuthError, NamedProject, probe};

mod scope;
mod shown;

/// What there is to say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Explained {
    /// Where on the way it happened.
    step: &'static str,
    cause: String,
    /// Settings by their keys.
    keys: Vec<&'static str>,
    advice: Vec<String>,
    projects: Vec<NamedProject>,
    skew: Option<(Duration, bool)>,
}

/// Finds out.
pub(super) async fn explain(error: &AuthError, config: &Config, client: &Client) -> Explained {
    let asking = Asking { client, clock: &Clock::system(), config };
    let answer = match &config.identity.credentials.auth_url {
        Some(auth_url) => probe::look(client, asking.clock, auth_url).await,
        None => None,
    };
    let mut explained = match error {
        AuthError::Unreachable { url, source } => asking.unreachable(url, source).await,
        AuthError::ProviderUnwell { .. } | AuthError::ProviderNonsense { .. } => Explained {
            step: "identity provider",
            cause: "what answers at the identity provider's address is no such provider, or is not well".to_owned(),
            keys: PROVIDER_KEYS.to_vec(),
            advice: vec!["check its addresses; if they are right, it is not well: try again later".to_owned()],
            ..Explained::default()
        },
        AuthError::Refused { status, message, .. } => asking.refused(*status, message).await,
        AuthError::MoreFactors { .. } => Explained {
            step: "multi-factor",
            cause: "the account has rules for multi-factor authentication, and the login has too few factors".to_owned(),
            keys: vec!["auth_type"],
            advice: vec![
                "add the seed of the passcodes (OS_TOTP_SECRET, `totp_secret`); it goes along when Keystone asks for it"
                    .to_owned(),
            ],
            ..Explained::default()
        },
        AuthError::ProviderRefused { .. } => Explained {
            step: "identity provider",
            cause: "the identity provider did not vouch for us, or Keystone does not know it".to_owned(),
            keys: vec!["identity_provider", "protocol", "client_id", "client_secret", "username", "password"],
            advice: vec!["its words above say which of the two; names are written letter by letter".to_owned()],
            ..Explained::default()
        },
        AuthError::TooMany { .. } => Explained {
            step: "rate limit",
            cause: "the provider limits logins, and something logs in often".to_owned(),
            advice: vec!["wait a minute; find the program that logs in for each request, and point it at gatestone".to_owned()],
            ..Explained::default()
        },
        AuthError::TimedOut { .. } => Explained {
            step: "connection",
            cause: "the address takes connections, but nobody answers on them".to_owned(),
            keys: vec!["auth_url"],
            advice: vec!["try again; if it lasts, ask the provider whether Keystone is well".to_owned()],
            ..Explained::default()
        },
        AuthError::Unexpected { .. } | AuthError::Garbage { .. } | AuthError::Cut { .. } | AuthError::NotTold { .. } => {
            asking.no_keystone(answer.as_ref()).await
        }
        AuthError::AlreadyExpired { .. } => Explained {
            step: "token",
            cause: "Keystone gives tokens that are over before they begin".to_owned(),
            advice: vec!["give it a password or an application credential in place of a token".to_owned()],
            ..Explained::default()
        },
    };
    explained.skew = answer.and_then(|answer| answer.skew);
    explained
}

struct Asking<'a> {
    client: &'a Client,
    clock: &'a Clock,
    config: &'a Config,
}

impl Asking<'_> {
    fn credentials(&self) -> &Credentials {
        &self.config.identity.credentials
    }

    async fn unreachable(&self, asked: &str, source: &SendError) -> Explained {
        let (Ok(url), Some(auth_url)) = (asked.parse::<EndpointUrl>(), &self.credentials().auth_url) else {
            return Explained::default();
        };
        let is_keystone = url.authority == auth_url.authority;
        let host = url.host();
        let (step, cause, mut advice) = match source {
            SendError::Connect(ConnectError::Refused(_)) => (
                "connection",
                format!("nothing listens at port {} of {host}", url.port_or_default()),
                vec!["check the port; Keystone's own is 5000, behind a gateway it is mostly 443".to_owned()],
            ),
            SendError::Connect(ConnectError::Unreachable(why)) if is_look_up(why.as_ref()) => (
                "name look-up",
                format!("the name {host} has no address here"),
                vec![
                    "check the name for slips; if it is internal to the cloud, join its VPN, or set `resolve`".to_owned(),
                ],
            ),
            SendError::Connect(ConnectError::Unreachable(_) | ConnectError::TimedOut(_)) | SendError::TimedOut(_) => (
                "connection",
                format!("{host} cannot be reached from here"),
                vec!["check VPN, firewall, and HTTPS_PROXY if there is a proxy on the way".to_owned()],
            ),
            SendError::Connect(ConnectError::Untrusted(_)) => (
                "TLS",
                format!("the certificate of {host} comes from nobody that this machine trusts, or is not its own"),
                vec![
                    "get the PEM file of the cloud's authority and set OS_CACERT (`cacert`) to it".to_owned(),
                    "if the name in the certificate is another, use that one in the auth URL".to_owned(),
                ],
            ),
            SendError::Connect(ConnectError::Tls(_)) => {
                ("TLS", format!("{host} does not speak TLS as we do, or not at all"), Vec::new())
            }
            SendError::Closed(_) | SendError::Malformed(_) => {
                ("connection", format!("{host} does not answer in HTTP"), Vec::new())
            }
            _ => ("connection", "the connection broke".to_owned(), vec!["try again".to_owned()]),
        };
        if is_keystone {
            advice.extend(self.elsewhere().await);
        }
        let keys = if is_keystone { vec!["auth_url"] } else { PROVIDER_KEYS.to_vec() };
        Explained { step, cause, keys, advice, ..Explained::default() }
    }

    /// Where a Keystone is in the neighbourhood, as advice.
    async fn elsewhere(&self) -> Option<String> {
        let candidates = neighbours(self.credentials().auth_url.as_ref()?);
        // All at once, since somebody waits; the likeliest wins, not the fastest.
        let mut looking = JoinSet::new();
        for (i, candidate) in candidates.iter().cloned().enumerate() {
            let (client, clock) = (self.client.clone(), self.clock.clone());
            looking.spawn(async move {
                let answer = probe::look(&client, &clock, &candidate).await;
                answer.is_some_and(|answer| answer.is_keystone).then_some(i)
            });
        }
        let found = looking.join_all().await.into_iter().flatten().min()?;
        Some(format!("a Keystone answers at {}; set OS_AUTH_URL (`auth_url`) to that", candidates[found]))
    }

    async fn no_keystone(&self, answer: Option<&probe::Answer>) -> Explained {
        let step = "version document";
        let keys = vec!["auth_url"];
        if let Some(probe::Answer { location: Some(location), status, is_keystone: false, .. }) = answer
            && status.is_redirection()
        {
            return Explained {
                step,
                cause: format!(
                    "the auth URL leads on to {location} ({}), and logins do not follow",
                    status.as_u16()
                ),
                keys,
                advice: vec![format!("set OS_AUTH_URL (`auth_url`) to {location}")],
                ..Explained::default()
            };
        }
        let cause = match answer {
            Some(answer) if answer.is_keystone => {
                "Keystone is there, but answers logins with an error".to_owned()
            }
            Some(answer) => {
                format!("what is at the auth URL is no Keystone: it says {} there", answer.status)
            }
            None => "what is at the auth URL does not answer".to_owned(),
        };
        let elsewhere = self.elsewhere().await;
        let otherwise = || {
            "the auth URL is in the openrc file that the cloud's dashboard offers (API Access); the dashboard's own \
             address is another"
                .to_owned()
        };
        Explained {
            step,
            cause,
            keys,
            advice: vec![elsewhere.unwrap_or_else(otherwise)],
            ..Explained::default()
        }
    }

    async fn refused(&self, status: StatusCode, message: &str) -> Explained {
        let said = |parts: &[&str]| parts.iter().any(|part| message.to_ascii_lowercase().contains(part));
        let of_account = |cause: &str, advice: &str| Explained {
            step: "account",
            cause: cause.to_owned(),
            keys: vec!["username", "user_id", "password"],
            advice: vec![advice.to_owned()],
            ..Explained::default()
        };
        if said(&["password is expired", "password has expired"]) {
            return of_account(
                "the password has expired",
                "set a new one in the cloud's dashboard or with `openstack user password set`",
            );
        }
        if said(&["account is locked"]) {
            return of_account(
                "the account is locked after wrong passwords",
                "stop whatever logs in with the old password, and wait until the lock ends, or ask an administrator",
            );
        }
        if said(&["account is disabled", "user is disabled", "disabled for user"]) {
            return of_account("the account is disabled", "ask an administrator of the cloud to enable it");
        }
        if status == StatusCode::BAD_REQUEST {
            return self.no_keystone(self.look_again().await.as_ref()).await;
        }
        match &self.credentials().method {
            Method::ApplicationCredential { .. } | Method::OAuth2(_) => Explained {
                step: "application credential",
                cause: if said(&["could not find"]) {
                    "there is no such application credential: it was deleted, or is of another cloud or user"
                } else {
                    "its secret is wrong, or it has expired, or its user has lost the role on its project"
                }
                .to_owned(),
                keys: vec![
                    "application_credential_id",
                    "application_credential_name",
                    "application_credential_secret",
                    "oauth2_client_id",
                    "oauth2_client_secret",
                ],
                advice: vec!["make a new one; its secret is shown once, when it is made".to_owned()],
                ..Explained::default()
            },
            // Not asked once more: a person may have to enter a code for it.
            Method::Federated(_) => Explained {
                step: "federation",
                cause: format!(
                    "Keystone does not take what the provider says, or maps it to nobody, or that user has no role on {}",
                    self.credentials().scope
                ),
                keys: vec!["identity_provider", "protocol", "access_token", "project_id", "project_name"],
                advice: vec![
                    "leave the scope out and see whether that works: then it is the role".to_owned(),
                    "an administrator of the cloud sees why in Keystone's log (mappings)".to_owned(),
                ],
                ..Explained::default()
            },
            Method::Token(_) => Explained {
                step: "token",
                cause: "the token has expired or was revoked, or its user has no role on what is asked for"
                    .to_owned(),
                keys: vec!["token", "project_id", "project_name"],
                advice: vec![
                    "give it a password or an application credential, which can be renewed".to_owned(),
                ],
                ..Explained::default()
            },
            _ => self.password_or_scope().await,
        }
    }

    async fn look_again(&self) -> Option<probe::Answer> {
        probe::look(self.client, self.clock, self.credentials().auth_url.as_ref()?).await
    }

    /// A login without scope tells the two apart.
    async fn password_or_scope(&self) -> Explained {
        let credentials = self.credentials();
        if credentials.scope == Scope::Unspecified {
            return self.wrong_proof().await;
        }
        match probe::projects(self.client, self.clock, credentials).await {
            Ok(projects) => scope::explain(&credentials.scope, projects),
            Err(error) if error.is_refusal() => self.wrong_proof().await,
            Err(_) => Explained {
                step: "login",
                cause:
                    "Keystone refused the login and then did not answer another, so the reason is not known"
                        .to_owned(),
                keys: vec!["auth_url"],
                advice: vec!["try again when it is well".to_owned()],
                ..Explained::default()
            },
        }
    }

    /// Password, user, or the user's domain.
    async fn wrong_proof(&self) -> Explained {
        let credentials = self.credentials();
        if let Some((other, advice)) = other_domain(credentials)
            && probe::projects(self.client, self.clock, &other).await.is_ok()
        {
            return Explained {
                step: "domain",
                cause: "the user and the password are right, but the domain is not".to_owned(),
                keys: vec!["user_domain_id", "user_domain_name", "domain_id", "domain_name"],
                advice: vec![advice],
                ..Explained::default()
            };
        }
        let has_passcode =
            credentials.method.factors().iter().any(|factor| matches!(factor, Method::Totp { .. }));
        let (step, cause, more) = if has_passcode {
            (
                "password",
                "the password or the passcode is wrong, or there is no such user in this domain, or the account is disabled or locked",
                true,
            )
        } else {
            (
                "password",
                "the password is wrong, or there is no such user in this domain, or the account is disabled or locked",
                false,
            )
        };
        let mut advice = vec![
            "log in at the cloud's dashboard with the same user, password and domain".to_owned(),
            "check the user's domain: most clouds call it `Default`, and its id is `default`".to_owned(),
            "do not try often: after a few wrong passwords many clouds lock an account, and say the same of it".to_owned(),
        ];
        if more {
            advice.push(
                "check that the seed is this user's, and that this machine's clock goes right".to_owned(),
            );
        }
        Explained {
            step,
            cause: cause.to_owned(),
            keys: vec![
                "username",
                "user_id",
                "user_domain_name",
                "user_domain_id",
                "password",
                "totp_secret",
                "passcode",
            ],
            advice,
            ..Explained::default()
        }
    }
}

/// Where the addresses of an identity provider are set.
const PROVIDER_KEYS: [&str; 4] =
    ["discovery_endpoint", "access_token_endpoint", "device_authorization_endpoint", "oauth2_endpoint"];

/// The login with the domain as it may have been meant, and how to write that: ids are taken for names and the other way
/// round, and the usual one for another.
fn other_domain(credentials: &Credentials) -> Option<(Credentials, String)> {
    let Method::Password { user: User::Name { name, domain }, password } = &credentials.method else {
        return None;
    };
    let (domain, advice) = match domain {
        Domain::Id(id) if id == "default" => return None,
        Domain::Name(name) if name == "Default" => return None,
        Domain::Id(id) if id.eq_ignore_ascii_case("default") => (
            Domain::Id("default".to_owned()),
            "`Default` is the domain's name, `default` its id: set OS_USER_DOMAIN_ID=default",
        ),
        Domain::Name(name) if name.eq_ignore_ascii_case("default") => (
            Domain::Name("Default".to_owned()),
            "domains are written letter by letter: set OS_USER_DOMAIN_NAME=Default",
        ),
        Domain::Id(_) | Domain::Name(_) => (
            Domain::Id("default".to_owned()),
            "the user is one of the usual domain: set OS_USER_DOMAIN_NAME=Default (`user_domain_name`)",
        ),
    };
    let user = User::Name { name: name.clone(), domain };
    let method = Method::Password { user, password: password.clone() };
    Some((Credentials { method, ..credentials.clone() }, advice.to_owned()))
}

/// Where else a Keystone may be, the likeliest first: the same address by the other scheme, the usual mount points, the
/// usual port.
fn neighbours(url: &EndpointUrl) -> Vec<EndpointUrl> {
    let host = url.host();
    let (scheme, other) = if url.is_https() { ("https", "http") } else { ("http", "https") };
    let authority = url.authority.as_str();
    let path = &url.path;
    let texts = [
        format!("{other}://{authority}{path}"),
        format!("{scheme}://{authority}/v3"),
        format!("{scheme}://{authority}/identity/v3"),
        format!("{scheme}://{authority}/keystone/v3"),
        format!("{scheme}://{host}:5000/v3"),
        format!("{other}://{host}:5000/v3"),
        format!("https://{host}/identity/v3"),
    ];
    let mut found: Vec<EndpointUrl> = Vec::new();
    for candidate in texts.iter().filter_map(|text| text.parse::<EndpointUrl>().ok()) {
        if candidate != *url && !found.contains(&candidate) {
            found.push(candidate);
        }
    }
    found
}

/// Whether an error is one of the resolver: the system has no kind for it.
fn is_look_up(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if error.to_string().contains("lookup address information") {
            return true;
        }
        cause = error.source();
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_keystone_is_looked_for_nearby_and_not_where_it_was_not() {
        let url: EndpointUrl = "https://cloud.example:13000/v3".parse().unwrap();
        let found: Vec<String> = neighbours(&url).iter().map(ToString::to_string).collect();
        assert_eq!(found[0], "http://cloud.example:13000/v3");
        assert!(found.contains(&"https://cloud.example:13000/identity/v3".to_owned()), "{found:?}");
        assert!(
            found.contains(&"https://cloud.example:5000/v3".to_owned()) && !found.contains(&url.to_string())
        );
    }
}
