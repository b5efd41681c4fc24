//! Logins by an identity provider, and by OAuth 2.0 clients of Keystone's own, by the options of keystoneauth's plugins
//! (`loading/_plugins/identity/v3.py`).

use crate::identity::credentials::{
    Challenge, Federation, Flow, Grant, Method, OAuth2Client, OpenId, ProviderUrl, TokenKind,
};

use super::Reader;
use super::kind::Oidc;

impl Reader<'_> {
    /// `v3oidc*`
    pub(super) fn federated(&mut self, oidc: Oidc) -> Option<Method> {
        let identity_provider = self.wanted("identity_provider", "the provider's name at Keystone");
        let protocol = self.wanted("protocol", "the name of its protocol at Keystone, such as openid");
        let grant = match oidc {
            Oidc::AccessToken => self.secret("access_token").map(Grant::AccessToken),
            Oidc::ClientCredentials | Oidc::Password | Oidc::Device => {
                self.provider(oidc).map(|provider| Grant::Provider(Box::new(provider)))
            }
        };
        let (identity_provider, protocol, grant) = (identity_provider?, protocol?, grant?);
        Some(Method::Federated(Box::new(Federation { identity_provider, protocol, grant })))
    }

    /// `v3oauth2clientcredential`
    pub(super) fn oauth2(&mut self) -> Option<Method> {
        let endpoint = self.url("oauth2_endpoint");
        if endpoint == Ok(None) {
            self.wanted("oauth2_endpoint", "where bearer tokens are given, at Keystone /v3/OS-OAUTH2/token");
        }
        let client_id = self.wanted("oauth2_client_id", "the application credential's id");
        let client_secret = self.secret("oauth2_client_secret");
        let (endpoint, client_id, client_secret) = (endpoint.ok().flatten()?, client_id?, client_secret?);
        Some(Method::OAuth2(Box::new(OAuth2Client { endpoint, client_id, client_secret })))
    }

    fn provider(&mut self, oidc: Oidc) -> Option<OpenId> {
        let client_id = self.wanted("client_id", "our id at the provider");
        let client_secret = match oidc {
            Oidc::ClientCredentials => Some(self.secret("client_secret")),
            _ if self.draft.has("client_secret") => Some(self.secret("client_secret")),
            _ => None,
        };
        let discovery_endpoint = self.url("discovery_endpoint");
        let token_endpoint = self.url("access_token_endpoint");
        if (Ok(None), Ok(None)) == (discovery_endpoint.clone(), token_endpoint.clone()) {
            let (one, other) =
                (self.draft.name("access_token_endpoint"), self.draft.name("discovery_endpoint"));
            self.wrong(format!(
                "where the provider gives tokens is not set: set {one}, or {other} for where it says so"
            ));
        }
        let token_kind = match self.draft.text("access_token_type") {
            None | Some("access_token") => Some(TokenKind::Access),
            Some("id_token") => Some(TokenKind::Id),
            Some(_) => self.one_of("access_token_type", "`access_token` and `id_token`"),
        };
        let flow = match oidc {
            Oidc::ClientCredentials | Oidc::AccessToken => Some(Flow::ClientCredentials),
            Oidc::Password => self.by_password(),
            Oidc::Device => self.by_device(),
        };
        Some(OpenId {
            client_id: client_id?,
            client_secret: match client_secret {
                Some(secret) => Some(secret?),
                None => None,
            },
            scope: self.draft.text("openid_scope").unwrap_or("openid profile").to_owned(),
            discovery_endpoint: discovery_endpoint.ok()?,
            token_endpoint: token_endpoint.ok()?,
            token_kind: token_kind?,
            flow: flow?,
        })
    }

    fn by_password(&mut self) -> Option<Flow> {
        let username = self.wanted("username", "the user at the provider");
        let password = self.secret("password");
        let passcode = match self.draft.text("idp_otp_key").map(str::to_owned) {
            Some(name) => Some((name, self.passcode()?)),
            None => None,
        };
        Some(Flow::Password { username: username?, password: password?, passcode })
    }

    fn by_device(&mut self) -> Option<Flow> {
        let endpoint = self.url("device_authorization_endpoint");
        if endpoint == Ok(None) && !self.draft.has("discovery_endpoint") {
            let (one, other) =
                (self.draft.name("device_authorization_endpoint"), self.draft.name("discovery_endpoint"));
            self.wrong(format!(
                "where such a login begins is not set: set {one}, or {other} for where it is said"
            ));
        }
        let challenge = match self.draft.text("code_challenge_method") {
            None => Some(None),
            Some("S256") => Some(Some(Challenge::S256)),
            Some("plain") => Some(Some(Challenge::Plain)),
            Some(_) => self.one_of("code_challenge_method", "`S256` and `plain`"),
        };
        Some(Flow::Device { endpoint: endpoint.ok()?, challenge: challenge? })
    }

    /// A URL, if there is one; the error has been told.
    fn url(&mut self, key: &str) -> Result<Option<ProviderUrl>, ()> {
        let Some(text) = self.draft.text(key) else { return Ok(None) };
        let place = self.draft.place(key);
        if text.contains('@') {
            // Not quoted: what stands before the `@` may be a password.
            self.mistakes.at(place, "the URL holds user information (`user@`), which is not used; remove it");
            return Err(());
        }
        match text.parse::<ProviderUrl>() {
            Ok(url) => {
                if !url.origin.is_https() && !is_loopback(url.origin.host()) {
                    self.warnings.push(format!(
                        "{place}: {url} is plain http, by which secrets go unencrypted; is there https?"
                    ));
                }
                Ok(Some(url))
            }
            Err(error) => {
                self.mistakes.at(place, format!("it is no URL of a provider: {error}"));
                Err(())
            }
        }
    }

    pub(super) fn wanted(&mut self, key: &str, what: &str) -> Option<String> {
        let value = self.draft.text(key).map(str::to_owned);
        if value.is_none() {
            let name = self.draft.name(key);
            self.wrong(format!("{name} is not set; it is {what}"));
        }
        value
    }

    fn one_of<T>(&mut self, key: &str, known: &str) -> Option<T> {
        let text = self.draft.text(key).unwrap_or_default();
        self.mistakes.at(self.draft.place(key), format!("`{text}` is not among what there is, {known}"));
        None
    }
}

pub(super) fn is_loopback(host: &str) -> bool {
    let address = host.trim_matches(['[', ']']).parse::<std::net::IpAddr>();
    match address {
        Ok(address) => address.to_canonical().is_loopback(),
        Err(_) => host.eq_ignore_ascii_case("localhost"),
    }
}
