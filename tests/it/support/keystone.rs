//! The embedded cloud's Keystone, in the words of the tests.

use std::sync::Arc;
use std::time::Duration;

use gatestone::embedded::catalog::LAYOUT;
use gatestone::embedded::keystone::is_login;
use gatestone::embedded::{Cloud, Fault, Faults, Site, Spec};
use http::Method;
use serde_json::Value;

/// A Keystone whose catalog the test gives.
#[derive(Clone, Debug)]
pub(crate) struct Keystone {
    pub url: String,
    cloud: Arc<Cloud>,
}

impl Keystone {
    /// With an hour of life for each token, and a clock that is ten years off: Keystone's own time is
    /// nobody's business.
    pub(crate) async fn start(catalog: Value) -> Self {
        let spec = Spec { layout: &LAYOUT[..1], clock_skew_seconds: -TEN_YEARS, ..Spec::default() };
        let cloud = Arc::new(Cloud::start(spec).await.unwrap());
        cloud.keystone().set_catalog(Some(catalog));
        Self { url: cloud.auth_url(), cloud }
    }

    /// Life of the tokens from now on.
    pub(crate) fn lifetime(&self, lifetime: Duration) {
        self.cloud.keystone().set_token_lifetime(lifetime);
    }

    /// The next logins are answered so, in this order; those after them as before.
    pub(crate) fn next(&self, faults: impl IntoIterator<Item = Fault>) {
        self.faults().next_where(is_login, faults);
    }

    /// All is so from now on: an outage for every request, anything else for logins alone.
    pub(crate) fn always(&self, fault: Fault) {
        self.faults().clear();
        match fault {
            Fault::Works => {}
            Fault::Down | Fault::Status(500.., _) => self.faults().always(fault),
            _ => self.faults().always_where(is_login, fault),
        }
    }

    pub(crate) fn catalog(&self, catalog: Value) {
        self.cloud.keystone().set_catalog(Some(catalog));
    }

    /// How many logins were tried.
    pub(crate) fn logins(&self) -> usize {
        let requests = self.site().seen().requests();
        requests.iter().filter(|asked| asked.method == "POST" && asked.target == "/v3/auth/tokens").count()
    }

    /// The bodies of the logins that no fault kept from being looked at.
    pub(crate) fn bodies(&self) -> Vec<Value> {
        self.cloud.keystone().login_requests()
    }

    /// The tokens so far, in order.
    pub(crate) fn tokens(&self) -> Vec<String> {
        self.cloud.keystone().tokens()
    }

    /// The first token is 1.
    pub(crate) fn token(&self, number: usize) -> String {
        self.tokens()[number - 1].clone()
    }

    /// Revokes every token there is.
    pub(crate) fn revoke_all(&self) {
        self.cloud.keystone().revoke_all();
    }

    /// Whether a service would take this token.
    pub(crate) fn takes(&self, token: &str) -> bool {
        self.cloud.keystone().is_good(token)
    }

    /// Path and query of the last request.
    pub(crate) fn last_target(&self) -> String {
        self.site().seen().last().unwrap().target
    }

    /// The service itself, for what has no word here.
    pub(crate) fn inside(&self) -> &gatestone::embedded::Keystone {
        self.cloud.keystone()
    }

    /// Tokens that somebody asked to have checked (`HEAD`) or revoked (`DELETE`), in order.
    pub(crate) fn asked(&self, method: &Method) -> Vec<String> {
        self.cloud.keystone().asked_about(method)
    }

    fn site(&self) -> &Site {
        self.cloud.identity().unwrap()
    }

    fn faults(&self) -> &Faults {
        self.site().faults()
    }
}

const TEN_YEARS: i64 = 10 * 365 * 86_400;
