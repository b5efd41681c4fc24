//! Services without a Keystone (`loading/_plugins/{noauth,http_basic,admin_token}.py`).

use crate::catalog::EndpointUrl;
use crate::identity::credentials::{Credentials, FixedProof, Method, Scope, Standalone};

use super::Reader;
use super::federation::is_loopback;
use super::kind::Fixed;

impl Reader<'_> {
    pub(super) fn standalone(&mut self, fixed: Fixed) -> Option<Credentials> {
        let endpoint = self.endpoint();
        let proof = match fixed {
            Fixed::Nothing => Some(FixedProof::None),
            Fixed::Basic => self.basic(),
            Fixed::Token => self.secret("token").and_then(|token| {
                let is_text = token.expose().bytes().all(|byte| byte.is_ascii_graphic());
                if !is_text {
                    self.mistakes.at(self.draft.place("token"), "it has characters that a token cannot have");
                }
                is_text.then_some(FixedProof::Token(token))
            }),
        };
        if let Ok(Some(url)) = &endpoint
            && fixed != Fixed::Nothing
            && !url.is_https()
            && !is_loopback(url.host())
        {
            let place = self.draft.place("endpoint");
            self.warnings.push(format!(
                "{place}: {url} is plain http, by which the secret goes unencrypted; is there https?"
            ));
        }
        let ignored: Vec<String> = ["auth_url", "project_id", "project_name", "system_scope", "trust_id"]
            .into_iter()
            .filter(|key| self.draft.has(key))
            .map(|key| self.draft.name(key))
            .collect();
        if !ignored.is_empty() {
            self.warnings.push(format!(
                "{}: ignored, since {} means that there is no Keystone",
                ignored.join(", "),
                self.draft.example("auth_type", self.draft.text("auth_type").unwrap_or_default())
            ));
        }
        let standalone = Standalone { endpoint: endpoint.ok()?, proof: proof? };
        Some(Credentials {
            auth_url: None,
            method: Method::Standalone(Box::new(standalone)),
            spare: Vec::new(),
            scope: Scope::Unspecified,
        })
    }

    /// None where overrides say it; the error has been told.
    fn endpoint(&mut self) -> Result<Option<EndpointUrl>, ()> {
        let Some(text) = self.draft.text("endpoint") else { return Ok(None) };
        let place = self.draft.place("endpoint");
        match text.parse::<EndpointUrl>() {
            Ok(url) => Ok(Some(url)),
            // Not quoted: there may be a password in it.
            Err(error) => {
                self.mistakes.at(place, format!("it does not do as the services' URL: {error}"));
                Err(())
            }
        }
    }

    fn basic(&mut self) -> Option<FixedProof> {
        let username = self.wanted("username", "the user that the service knows");
        let password = self.secret("password");
        let (username, password) = (username?, password?);
        if username.contains(':') {
            // RFC 7617 section 2.
            self.mistakes.at(self.draft.place("username"), "a name for HTTP Basic has no `:`");
            return None;
        }
        Some(FixedProof::Basic { username, password })
    }
}
