//! What v2.0 says in JSON, said of what is held.

use http::HeaderValue;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::face::documents::time;
use crate::face::local_tokens::LocalToken;
use crate::identity::{HeldScope, Holder};

/// v2.0, with the address at which it is reached here (`keystone/version/controllers.py`).
pub(super) fn version(v2_url: &str) -> Value {
    json!({
        "id": "v2.0",
        "status": "deprecated",
        "updated": "2016-08-04T00:00:00Z",
        "links": [{ "rel": "self", "href": format!("{v2_url}/") }],
        "media-types": [{
            "base": "application/json",
            "type": "application/vnd.openstack.identity-v2.0+json",
        }],
    })
}

/// The held project, if one is.
pub(super) fn tenant(holder: &Holder) -> Option<Value> {
    match &holder.scope {
        HeldScope::Project(project) => {
            Some(json!({ "id": project.id, "name": project.name, "description": null, "enabled": true }))
        }
        HeldScope::Domain(_) | HeldScope::System | HeldScope::Unscoped | HeldScope::Standalone => None,
    }
}

/// The list of it.
pub(super) fn tenants(holder: &Holder) -> Value {
    json!({ "tenants": tenant(holder).into_iter().collect::<Vec<_>>(), "tenants_links": [] })
}

/// A token's description; with a `tenant` if it has a scope to show.
pub(super) fn access(
    id: &HeaderValue,
    token: &LocalToken,
    holder: &Holder,
    tenant: Option<Value>,
    catalog: &[Value],
) -> Value {
    let roles = if tenant.is_some() { &holder.roles[..] } else { &[] };
    let names: Vec<Value> = roles.iter().map(|role| json!({ "name": role.name })).collect();
    let ids: Vec<&str> = roles.iter().map(|role| role.id.as_str()).collect();
    let mut body = json!({
        "token": {
            "id": id.to_str().unwrap_or_default(),
            "expires": whole_seconds(token),
            "issued_at": time(token.issued.wall),
            "audit_ids": [token.audit_id],
        },
        "serviceCatalog": catalog,
        "user": {
            "id": holder.user.id,
            "name": holder.user.name,
            "username": holder.user.name,
            "roles": names,
            "roles_links": [],
        },
        "metadata": { "is_admin": 0, "roles": ids },
    });
    if let Some(tenant) = tenant {
        body["token"]["tenant"] = tenant;
    }
    body
}

/// The end of a token as v2.0 writes it, which old clients read with a fixed pattern.
fn whole_seconds(token: &LocalToken) -> String {
    let time = Timestamp::try_from(token.expires.wall).unwrap_or(Timestamp::MAX);
    format!("{time:.0}")
}
