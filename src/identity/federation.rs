//! Logging in at Keystone by what an OpenID provider says of us (`keystoneauth1/identity/v3/oidc.py`,
//! `federation.py`).
//!
//! 1. A token of the provider's: by its refresh token where it has given one, which no Python client does; else as the
//!    settings say.
//! 2. `POST /v3/OS-FEDERATION/identity_providers/{id}/protocols/{id}/auth` with it, which gives a token without scope.
//! 3. With that a token for the scope that is wanted. It ends when the first does.
//!
//! A refresh token is good for one use or for many; the last one that came is kept, in memory alone. Where the provider
//! says how long it lives, a login follows before that.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::header::{AUTHORIZATION, LOCATION};
use http::{HeaderMap, Method as HttpMethod, StatusCode, Uri};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use tokio::time::timeout;
use tracing::info;

use super::credentials::{
    Federation, Flow, Grant, Method, OAuth2Client, OpenId, Passcode, ProviderUrl, Scope, TokenKind,
};
use super::error::{AuthError, LOGIN_TIMEOUT};
use super::issuer::{Issuer as _, Login};
use super::keystone::{Keystone, keystone_message};
use super::oauth::{self, Asking, Description, Granted, Said};
use crate::catalog::EndpointUrl;
use crate::client::RequestBody;
use crate::secret::Secret;
use crate::totp;

mod device;

/// What a provider has given us to go on with.
#[derive(Clone, Debug, Default)]
pub(super) struct Session(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    refresh_token: Option<Secret>,
    description: Option<Description>,
}

impl Session {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a login may need a person: without a refresh token, or with one that is not good any more.
pub(super) fn may_need_a_person(method: &Method) -> bool {
    let Method::Federated(federation) = method else { return false };
    let Grant::Provider(provider) = &federation.grant else { return false };
    matches!(provider.flow, Flow::Device { .. })
}

impl Keystone {
    /// Rules 1 to 3.
    pub(super) async fn log_in_by_federation(&self, federation: &Federation) -> Result<Login, AuthError> {
        let (token, refresh_within) = match &federation.grant {
            Grant::AccessToken(token) => (token.clone(), None),
            Grant::Provider(provider) => self.token_of_provider(provider).await?,
        };
        let login = timeout(LOGIN_TIMEOUT, self.by_token_of_provider(federation, &token)).await;
        let login = login.map_err(|_| AuthError::TimedOut { url: self.url() })??;
        Ok(Login { refresh_within, ..login })
    }

    /// Rules 2 and 3.
    async fn by_token_of_provider(
        &self,
        federation: &Federation,
        token: &Secret,
    ) -> Result<Login, AuthError> {
        let login = self.unscoped(federation, token).await?;
        if self.credentials().scope == Scope::Unspecified {
            return Ok(login);
        }
        let unscoped = Method::Token(Secret::new(login.token.header().to_str().unwrap_or_default()));
        let (sent, head, body) = self.send_login(&[&unscoped], None).await?;
        self.outcome(sent, &head, body)
    }

    /// An application credential's login, with a bearer token beside the other.
    pub(super) async fn log_in_with_bearer(&self, client: &OAuth2Client) -> Result<Login, AuthError> {
        let (sent, head, body) = self.send_login(&[&self.credentials().method], None).await?;
        let login = self.outcome(sent, &head, body)?;
        let asking = Asking {
            client: self.client(),
            client_id: &client.client_id,
            client_secret: Some(&client.client_secret),
            who: &self.credentials().method,
        };
        let granted = asking.token(&client.endpoint, &[("grant_type", "client_credentials")]).await?;
        let bearer = granted
            .access_token
            .as_ref()
            .and_then(oauth::bearer)
            .ok_or_else(|| lacks(&client.endpoint, "access_token"))?;
        let lifetime = granted.expires_in.map_or(login.lifetime, |lifetime| lifetime.min(login.lifetime));
        Ok(Login { lifetime, token: login.token.with_authorization(bearer), ..login })
    }

    /// Rule 1, and how soon another is to follow.
    async fn token_of_provider(&self, provider: &OpenId) -> Result<(Secret, Option<Duration>), AuthError> {
        let asking = Asking {
            client: self.client(),
            client_id: &provider.client_id,
            client_secret: provider.client_secret.as_ref(),
            who: &self.credentials().method,
        };
        let endpoint = self.token_endpoint(provider).await?;
        let refresh_token = self.session().state().refresh_token.clone();
        let refreshed = match &refresh_token {
            Some(token) => refresh(&asking, &endpoint, token).await?,
            None => None,
        };
        // Some give no id_token then.
        let granted = match refreshed.filter(|granted| granted.token(provider.token_kind).is_some()) {
            Some(granted) => granted,
            None => {
                self.session().state().refresh_token = None;
                self.granted(&asking, provider, &endpoint).await?
            }
        };
        if let Some(next) = granted.refresh_token.as_ref().filter(|next| !next.is_empty()) {
            self.session().state().refresh_token = Some(next.clone());
        }
        let has_refresh_token = self.session().state().refresh_token.is_some();
        let token = granted.token(provider.token_kind).cloned().ok_or_else(|| {
            lacks(
                &endpoint,
                match provider.token_kind {
                    TokenKind::Access => "access_token",
                    TokenKind::Id => "id_token",
                },
            )
        })?;
        Ok((token, granted.refresh_expires_in.filter(|_| has_refresh_token)))
    }

    /// What the settings say.
    async fn granted(
        &self,
        asking: &Asking<'_>,
        provider: &OpenId,
        endpoint: &ProviderUrl,
    ) -> Result<Granted, AuthError> {
        let scope = ("scope", provider.scope.as_str());
        match &provider.flow {
            Flow::ClientCredentials => {
                asking.token(endpoint, &[("grant_type", "client_credentials"), scope]).await
            }
            Flow::Password { username, password, passcode } => {
                let code = passcode.as_ref().map(|(name, passcode)| (name, self.code(passcode)));
                let mut form = vec![
                    ("grant_type", "password"),
                    ("username", username.as_str()),
                    ("password", password.expose()),
                    scope,
                ];
                form.extend(code.as_ref().map(|(name, code)| (name.as_str(), code.expose())));
                asking.token(endpoint, &form).await
            }
            Flow::Device { endpoint: begin, challenge } => {
                let begin = match begin {
                    Some(begin) => begin.clone(),
                    None => {
                        let described = self.description(provider).await?.device_authorization_endpoint;
                        self.described(provider, described, "device_authorization_endpoint")?
                    }
                };
                device::log_in(asking, &begin, endpoint, &provider.scope, *challenge).await
            }
        }
    }

    fn code(&self, passcode: &Passcode) -> Secret {
        match passcode {
            Passcode::Given(code) => code.clone(),
            Passcode::Seed(seed) => {
                let code = totp::code(seed.expose(), totp::step(self.now().unix_seconds()));
                Secret::new(code.as_deref().map_or("", String::as_str))
            }
        }
    }

    /// Whether a redirect leads to another host than Keystone's.
    fn leads_away(&self, headers: &HeaderMap) -> bool {
        let location = headers.get(LOCATION).and_then(|location| location.to_str().ok());
        let host = location
            .and_then(|location| location.parse::<Uri>().ok())
            .and_then(|uri| uri.host().map(str::to_owned));
        let own = self.credentials().auth_url.as_ref().map(EndpointUrl::host);
        host.is_some_and(|host| own.is_none_or(|own| !own.eq_ignore_ascii_case(&host)))
    }

    async fn token_endpoint(&self, provider: &OpenId) -> Result<ProviderUrl, AuthError> {
        if let Some(endpoint) = &provider.token_endpoint {
            return Ok(endpoint.clone());
        }
        let Description { token_endpoint, grant_types_supported, .. } = self.description(provider).await?;
        let grant = grant_type(&provider.flow);
        if let (Some(supported), Some(discovery)) = (grant_types_supported, &provider.discovery_endpoint)
            && !supported.is_empty()
            && !supported.iter().any(|it| it == grant)
        {
            return Err(AuthError::ProviderNonsense {
                url: discovery.to_string(),
                why: format!("the provider does not support `{grant}`"),
            });
        }
        self.described(provider, token_endpoint, "token_endpoint")
    }

    /// What the provider says of itself, asked once.
    async fn description(&self, provider: &OpenId) -> Result<Description, AuthError> {
        let known = self.session().state().description.clone();
        let (None, Some(discovery)) = (&known, &provider.discovery_endpoint) else {
            return Ok(known.unwrap_or_default());
        };
        let description = oauth::describe(self.client(), discovery).await?;
        if description.token_endpoint.is_some() {
            self.session().state().description = Some(description.clone());
        }
        Ok(description)
    }

    fn described(
        &self,
        provider: &OpenId,
        written: Option<String>,
        name: &str,
    ) -> Result<ProviderUrl, AuthError> {
        let url = provider.discovery_endpoint.as_ref().map(ToString::to_string).unwrap_or_default();
        let wrong = |why: String| AuthError::ProviderNonsense { url: url.clone(), why };
        let written = written.ok_or_else(|| wrong(format!("it names no `{name}`")))?;
        let found: ProviderUrl =
            written.parse().map_err(|error| wrong(format!("its `{name}` does not do: {error}")))?;
        let is_https = provider.discovery_endpoint.as_ref().is_some_and(|url| url.origin.is_https());
        if is_https && !found.origin.is_https() {
            return Err(wrong(format!(
                "its `{name}` is plain http, by which secrets would go unencrypted; set that address yourself if it is meant"
            )));
        }
        Ok(found)
    }

    /// Rule 2.
    async fn unscoped(&self, federation: &Federation, token: &Secret) -> Result<Login, AuthError> {
        let segment = |text| utf8_percent_encode(text, RESERVED);
        let path = format!(
            "/OS-FEDERATION/identity_providers/{}/protocols/{}/auth",
            segment(&federation.identity_provider),
            segment(&federation.protocol),
        );
        let bearer = oauth::bearer(token).ok_or_else(|| AuthError::ProviderNonsense {
            url: self.address(&path),
            why: "the provider's token is no text".to_owned(),
        })?;
        let sent = self.now();
        let request = self.request(HttpMethod::POST, &path).header(AUTHORIZATION, bearer);
        let (head, body) = self.exchange(request, RequestBody::Empty, &path).await?;
        let refused = |description: String| AuthError::ProviderRefused {
            url: self.address(&path),
            who: self.credentials().method.to_string(),
            error: head.status.as_u16().to_string(),
            description,
        };
        match head.status {
            // Others than Keystone have paths that they do not know, too.
            StatusCode::NOT_FOUND if keystone_message(&body).starts_with("Could not find") => Err(refused(format!(
                "this Keystone knows no identity provider `{}` with protocol `{}`",
                federation.identity_provider, federation.protocol
            ))),
            // mod_auth_openidc sends those on who bring no token that it looks at.
            status if status.is_redirection() && self.leads_away(&head.headers) => Err(refused(
                "Keystone's web server wants a browser here and looks at no bearer token; its administrator can have it \
                 do so (AuthType oauth20 or auth-openidc)"
                    .to_owned(),
            )),
            _ => self.outcome(sent, &head, body),
        }
    }
}

/// All but what needs no escape (RFC 3986 section 2.3).
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Rule 1; nothing if the refresh token is not good any more.
async fn refresh(
    asking: &Asking<'_>,
    endpoint: &ProviderUrl,
    token: &Secret,
) -> Result<Option<Granted>, AuthError> {
    let form = [("grant_type", "refresh_token"), ("refresh_token", token.expose())];
    let no = |error: &dyn std::fmt::Display| {
        info!(%error, "the provider does not take the refresh token any more");
        Ok(None)
    };
    match asking.post::<Granted>(endpoint, &form).await {
        Ok(Said::Yes(granted)) => Ok(Some(granted)),
        Ok(Said::No(error, _)) => no(&error),
        // Not all of them say it as the RFC has it.
        Err(refusal @ AuthError::ProviderRefused { .. }) => no(&refusal),
        Err(AuthError::ProviderUnwell { status, .. })
            if matches!(status, StatusCode::BAD_REQUEST | StatusCode::NOT_FOUND | StatusCode::GONE) =>
        {
            no(&status)
        }
        Err(error) => Err(error),
    }
}

fn grant_type(flow: &Flow) -> &'static str {
    match flow {
        Flow::ClientCredentials => "client_credentials",
        Flow::Password { .. } => "password",
        Flow::Device { .. } => device::GRANT_TYPE,
    }
}

fn lacks(endpoint: &ProviderUrl, name: &str) -> AuthError {
    AuthError::ProviderNonsense { url: endpoint.to_string(), why: format!("it has no `{name}`") }
}
