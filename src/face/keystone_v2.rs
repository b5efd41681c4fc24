//! The Identity API v2.0, for clients that stopped there. Keystone took it out in 2018 (Queens), so all that is
//! answered of it is ours (`keystone/token/controllers.py` and `keystone/assignment/controllers.py` of Newton;
//! `keystoneauth1/fixture/v2.py`).
//!
//! 1. Paths are read as `keystone_v3` reads them, below Keystone's root: `/v2.0/tokens`, `/identity/v2.0/tokens`.
//! 2. `POST /v2.0/tokens` is always ours, as a login by v3 is; `GET`, `HEAD` and `DELETE` of `/v2.0/tokens/{id}` are if it
//!    is a local token. Of the real one `keystone_v3` has said that it is not known.
//! 3. `GET` and `HEAD` of `/v2.0`, its version document, and of `/v2.0/tenants` are ours.
//! 4. It knows one kind of scope, the project, which it calls tenant. Where something else is held, a token shows none.
//! 5. The list of versions does not name it, as Keystone's does not: who can choose shall take v3.

use std::sync::Arc;

use http::request::Parts;
use http::{HeaderValue, Method, Response, StatusCode};
use serde_json::json;

mod documents;
mod login;

use super::local_tokens::LocalToken;
use super::request::Login;
use super::{Face, View, bare, catalog, read_login, reply};
use crate::client::Upload;
use crate::failure::Failure;
use crate::reply::ReplyBody;
use crate::routing::{Target, lenient};

/// What is asked of us.
#[derive(Debug)]
pub(crate) enum Asked {
    /// The description of v2.0.
    Version,
    /// A token.
    LogIn,
    /// What a local token is good for.
    ShowToken {
        /// The token, as sent.
        id: HeaderValue,
        /// What is known of it.
        token: Arc<LocalToken>,
    },
    /// The end of a local token.
    Revoke {
        /// The token, as sent.
        id: HeaderValue,
    },
    /// The project that a login here may be for.
    Tenants,
}

impl Asked {
    /// Whether it is asked before a login, or is one.
    pub(super) fn is_open(&self) -> bool {
        match self {
            Self::Version | Self::LogIn => true,
            Self::ShowToken { .. } | Self::Revoke { .. } | Self::Tenants => false,
        }
    }
}

/// What a request asks of us; `find` knows the local tokens.
pub(super) fn recognise(
    head: &Parts,
    target: &Target<'_>,
    find: impl Fn(&HeaderValue) -> Option<Arc<LocalToken>>,
) -> Option<Asked> {
    if !target.route.is_identity {
        return None;
    }
    let is_read = matches!(head.method, Method::GET | Method::HEAD);
    let names = lenient::names(target.below_root());
    let names: Vec<&[u8]> = names.iter().map(Vec::as_slice).collect();
    match names[..] {
        [b"v2.0"] if is_read => Some(Asked::Version),
        [b"v2.0", b"tenants"] if is_read => Some(Asked::Tenants),
        [b"v2.0", b"tokens"] if head.method == Method::POST => Some(Asked::LogIn),
        [b"v2.0", b"tokens", id] if is_read || head.method == Method::DELETE => {
            let mut id = HeaderValue::from_bytes(id).ok()?;
            id.set_sensitive(true);
            let token = find(&id)?;
            Some(if is_read { Asked::ShowToken { id, token } } else { Asked::Revoke { id } })
        }
        _ => None,
    }
}

impl Face {
    /// The answer. Only a login's body is looked at.
    pub(super) async fn answer_v2(
        &self,
        asked: Asked,
        view: View<'_>,
        upload: Option<&Upload>,
    ) -> Result<Response<ReplyBody>, Failure> {
        match asked {
            Asked::Version => {
                Ok(reply(StatusCode::OK, &json!({ "version": documents::version(&view.v2_url()) })))
            }
            Asked::LogIn => {
                let login = Login::parse_v2(&read_login(upload).await?)?;
                let admission = self.check(&login.offered, view.key, || Some(view.v3_url())).await?;
                let scope = login.scope.grant(&view.snapshot.holder.scope)?;
                let (id, token) = self.issue(login.methods, scope, admission)?;
                Ok(token_reply(&id, &token, view))
            }
            Asked::ShowToken { id, token } => Ok(token_reply(&id, &token, view)),
            Asked::Revoke { id } => {
                self.tokens.revoke(&id);
                Ok(bare(StatusCode::NO_CONTENT, "".into()))
            }
            Asked::Tenants => Ok(reply(StatusCode::OK, &documents::tenants(&view.snapshot.holder))),
        }
    }
}

fn token_reply(id: &HeaderValue, token: &LocalToken, view: View<'_>) -> Response<ReplyBody> {
    let holder = &view.snapshot.holder;
    let tenant = documents::tenant(holder).filter(|_| token.scope.is_held(&holder.scope));
    let catalog = if tenant.is_some() { catalog::of_v2(view) } else { Vec::new() };
    let body = documents::access(id, token, holder, tenant, &catalog);
    reply(StatusCode::OK, &json!({ "access": body }))
}

#[cfg(test)]
mod tests;
