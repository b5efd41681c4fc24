//! Services without a Keystone: what stands in a login's place (keystoneauth's `none`, `http_basic` and `admin_token`,
//! `plugin.py:FixedEndpointPlugin`).
//!
//! One endpoint, if there is one, is that of every service; endpoint overrides come before it. Nobody is asked, so such a
//! login cannot fail, and what it brings does not end.

use std::time::Duration;

use bytes::Bytes;
use http::HeaderValue;
use serde_json::{Value, json};

use super::credentials::{FixedProof, Standalone};
use super::error::AuthError;
use super::issuer::Login;
use super::oauth;
use super::snapshot::Token;
use crate::catalog::service_types;
use crate::clock::Moment;

/// A "login" at this moment.
pub(super) fn log_in(standalone: &Standalone, now: Moment) -> Result<Login, AuthError> {
    let body = Bytes::from(body(standalone).to_string());
    let login = Login::read(token(&standalone.proof), now, body);
    let login = login.map_err(|why| AuthError::Garbage { url: "the settings".to_owned(), why })?;
    Ok(Login { lifetime: LIFETIME, ..login })
}

fn token(proof: &FixedProof) -> Token {
    match proof {
        // What keystoneauth sends (`noauth.py`).
        FixedProof::None => Token::of_no_worth("notused"),
        FixedProof::Basic { username, password } => Token::of_authorization(oauth::basic(username, password)),
        // The settings have made sure that a field can have it.
        FixedProof::Token(token) => {
            Token::new(HeaderValue::from_str(token.expose()).unwrap_or(HeaderValue::from_static("")))
        }
    }
}

/// As Keystone would say it.
fn body(standalone: &Standalone) -> Value {
    let user = match &standalone.proof {
        FixedProof::Basic { username, .. } => username.as_str(),
        FixedProof::None | FixedProof::Token(_) => "nobody",
    };
    let catalog: Vec<Value> =
        standalone.endpoint.iter().map(ToString::to_string).flat_map(|url| everywhere(&url)).collect();
    json!({ "token": { "user": { "id": user, "name": user }, "catalog": catalog, "standalone": true } })
}

/// Every service there, whatever region and interface are asked for.
fn everywhere(url: &str) -> Vec<Value> {
    let endpoints: Vec<Value> = ["public", "internal", "admin"]
        .map(|interface| json!({ "interface": interface, "region_id": "*", "url": url }))
        .into();
    let types = service_types::officials().into_iter().filter(|name| *name != "identity");
    types.map(|name| json!({ "type": name, "endpoints": endpoints })).collect()
}

/// "Another login" costs nothing, and so no life has to be endless.
const LIFETIME: Duration = Duration::from_secs(86_400);
