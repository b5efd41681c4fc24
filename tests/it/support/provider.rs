//! An OpenID provider: its tokens live for a while, its refresh tokens are good for one use each.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use super::Keystone;
use super::http::fields;
use super::service::{Bytes, Service};

/// The provider, whose tokens a Keystone trusts.
#[derive(Clone)]
pub(crate) struct Provider {
    service: Service,
    state: Arc<Mutex<State>>,
}

/// What it knows.
pub(crate) struct State {
    /// Every request to its endpoints: what it was about, and the form.
    pub forms: Vec<(String, BTreeMap<String, String>)>,
    /// Fields `Authorization` of those.
    pub authorizations: Vec<String>,
    /// The one that is good.
    pub refresh_token: Option<String>,
    /// How long that is told to live.
    pub refresh_lifetime: Option<u64>,
    /// Leave out the `id_token` where it refreshes.
    pub forgets_id_token: bool,
    /// Answers to questions about a device's code before the person has entered it.
    pub pending: Vec<&'static str>,
    tokens: usize,
    refreshed_at: Instant,
}

impl Provider {
    /// Its access tokens live so long.
    pub(crate) async fn start(keystone: &Keystone, lifetime: Duration) -> Self {
        let state = Arc::new(Mutex::new(State {
            forms: Vec::new(),
            authorizations: Vec::new(),
            refresh_token: None,
            refresh_lifetime: None,
            forgets_id_token: false,
            pending: Vec::new(),
            tokens: 0,
            refreshed_at: Instant::now(),
        }));
        let (keystone, answering) = (keystone.clone(), Arc::clone(&state));
        let service = Service::start(move |head, body| {
            let (status, answer) = answer(&keystone, lifetime, &mut answering.lock().unwrap(), head, body);
            let answer = answer.to_string();
            Bytes::Keep(format!("HTTP/1.1 {status} X\r\nContent-Length: {}\r\n\r\n{answer}", answer.len()))
        })
        .await;
        Self { service, state }
    }

    /// The address of one of its endpoints.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.service.addr)
    }

    pub(crate) fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// How often each grant was asked for.
    pub(crate) fn grants(&self, grant: &str) -> usize {
        let state = self.state();
        state.forms.iter().filter(|(_, form)| form.get("grant_type").is_some_and(|it| it == grant)).count()
    }
}

fn answer(
    keystone: &Keystone,
    lifetime: Duration,
    state: &mut State,
    head: &str,
    body: &[u8],
) -> (u16, Value) {
    let target = head.split(' ').nth(1).unwrap_or_default().to_owned();
    if target == "/.well-known/openid-configuration" {
        let host = fields(head, "host")[0].to_owned();
        let url = |path: &str| format!("http://{host}{path}");
        return (
            200,
            json!({ "issuer": url(""), "token_endpoint": url("/token"),
                "device_authorization_endpoint": url("/device") }),
        );
    }
    let form = form(body);
    state.forms.push((target.clone(), form.clone()));
    state.authorizations.extend(fields(head, "authorization").iter().map(|it| (*it).to_owned()));
    if target == "/device" {
        return (
            200,
            json!({ "device_code": "the device code", "user_code": "ABCD-EFGH", "expires_in": 600, "interval": 5,
                "verification_uri": "https://provider.example/device" }),
        );
    }
    let get = |name: &str| form.get(name).map(String::as_str);
    let no = |error: &str| (400, json!({ "error": error, "error_description": "because" }));
    match get("grant_type") {
        Some("refresh_token") => {
            let is_late =
                state.refresh_lifetime.is_some_and(|it| state.refreshed_at.elapsed().as_secs() > it);
            if is_late || state.refresh_token.as_deref() != get("refresh_token") {
                return no("invalid_grant");
            }
        }
        Some("password") if get("password") != Some("p&ss wörd+") => return no("invalid_grant"),
        Some("urn:ietf:params:oauth:grant-type:device_code") => {
            if get("device_code") != Some("the device code") {
                return no("invalid_grant");
            }
            if !state.pending.is_empty() {
                return no(state.pending.remove(0));
            }
        }
        Some("password" | "client_credentials") => {}
        _ => return no("unsupported_grant_type"),
    }
    state.tokens += 1;
    let token = format!("access-{}", state.tokens);
    keystone.inside().trust_bearer(&token, lifetime);
    state.refresh_token = Some(format!("refresh-{}", state.tokens));
    state.refreshed_at = Instant::now();
    let mut answer = json!({ "access_token": token, "token_type": "Bearer", "expires_in": lifetime.as_secs(),
        "refresh_token": state.refresh_token, "refresh_expires_in": state.refresh_lifetime,
        "id_token": format!("id-{}", state.tokens) });
    keystone.inside().trust_bearer(&format!("id-{}", state.tokens), lifetime);
    if state.forgets_id_token && get("grant_type") == Some("refresh_token") {
        answer["id_token"] = Value::Null;
    }
    (200, answer)
}

fn form(body: &[u8]) -> BTreeMap<String, String> {
    let decode = |text: &str| {
        percent_encoding::percent_decode_str(&text.replace('+', " ")).decode_utf8().unwrap().into_owned()
    };
    let body = std::str::from_utf8(body).unwrap();
    body.split('&')
        .filter_map(|pair| pair.split_once('='))
        .map(|(name, value)| (decode(name), decode(value)))
        .collect()
}
