//! What Keystone says in JSON, said of what is held (`keystone/api/discovery.py`, `keystone/common/render_token.py`,
//! `keystone/api/auth.py`). Only the catalog has its own file.

use std::time::SystemTime;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::View;
use super::local_tokens::LocalToken;
use crate::identity::{HeldScope, Holder, Named, NamedProject};

/// The list at Keystone's root, for whom v3 is at `v3_url`.
pub(super) fn versions(v3_url: &str) -> Value {
    json!({ "values": [version(v3_url)] })
}

/// v3, with the address at which it is reached here: gophercloud goes wherever this says
/// (`openstack/utils/choose_version.go`).
pub(super) fn version(v3_url: &str) -> Value {
    json!({
        "id": "v3.14",
        "status": "stable",
        "updated": "2020-04-07T00:00:00Z",
        "links": [{ "rel": "self", "href": format!("{v3_url}/") }],
        "media-types": [{
            "base": "application/json",
            "type": "application/vnd.openstack.identity-v3+json",
        }],
    })
}

/// A token's description, without the catalog.
pub(super) fn token(token: &LocalToken, holder: &Holder) -> Value {
    let user = &holder.user;
    let mut body = json!({
        "methods": token.methods,
        "user": { "id": user.id, "name": user.name, "password_expires_at": user.password_expires_at },
        "audit_ids": [token.audit_id],
        "expires_at": time(token.expires.wall),
        "issued_at": time(token.issued.wall),
    });
    if let Some(domain) = &user.domain {
        body["user"]["domain"] = named(domain);
    }
    if !token.scope.is_held(&holder.scope) {
        return body;
    }
    match &holder.scope {
        HeldScope::Project(project) => {
            body["project"] = scoped_project(project);
            body["is_domain"] = false.into();
        }
        HeldScope::Domain(domain) => body["domain"] = named(domain),
        HeldScope::System => body["system"] = json!({ "all": true }),
        HeldScope::Unscoped | HeldScope::Standalone => {}
    }
    body["roles"] = holder.roles.iter().map(named).collect();
    body
}

/// Keystone's answer about a token that it cannot validate (`keystone/token/provider.py`).
pub(super) fn unknown_token() -> Value {
    json!({ "error": { "code": 404, "message": "Failed to validate token", "title": "Not Found" } })
}

/// The projects that a login here may be for: the held one. A user's other projects are not held.
pub(super) fn projects(view: View<'_>) -> Value {
    let projects: Vec<Value> = match &view.snapshot.holder.scope {
        HeldScope::Project(project) => vec![listed_project(project, view)],
        HeldScope::Domain(_) | HeldScope::System | HeldScope::Unscoped | HeldScope::Standalone => Vec::new(),
    };
    json!({ "projects": projects, "links": links(view, "projects") })
}

/// The domains that a login here may be for.
pub(super) fn domains(view: View<'_>) -> Value {
    let domains: Vec<Value> = match &view.snapshot.holder.scope {
        HeldScope::Domain(domain) => {
            let address = format!("{}/domains/{}", view.v3_url(), domain.id);
            vec![json!({
                "id": domain.id, "name": domain.name, "enabled": true, "links": { "self": address },
            })]
        }
        HeldScope::Project(_) | HeldScope::System | HeldScope::Unscoped | HeldScope::Standalone => Vec::new(),
    };
    json!({ "domains": domains, "links": links(view, "domains") })
}

/// Whether a login here may be for the system.
pub(super) fn system(view: View<'_>) -> Value {
    let system: Vec<Value> = match &view.snapshot.holder.scope {
        HeldScope::System => vec![json!({ "all": true })],
        HeldScope::Project(_) | HeldScope::Domain(_) | HeldScope::Unscoped | HeldScope::Standalone => {
            Vec::new()
        }
    };
    json!({ "system": system, "links": { "self": format!("{}/auth/system", view.v3_url()) } })
}

fn links(view: View<'_>, list: &str) -> Value {
    json!({ "next": null, "previous": null, "self": format!("{}/auth/{list}", view.v3_url()) })
}

fn scoped_project(project: &NamedProject) -> Value {
    let mut body = json!({ "id": project.id, "name": project.name });
    if let Some(domain) = &project.domain {
        body["domain"] = named(domain);
    }
    body
}

/// A project in a list. What is not known of it beside its names is left out.
fn listed_project(project: &NamedProject, view: View<'_>) -> Value {
    let domain_id = project.domain.as_ref().map(|domain| &domain.id).or(project.domain_id.as_ref());
    json!({
        "id": project.id,
        "name": project.name,
        "domain_id": domain_id,
        "enabled": true,
        "is_domain": false,
        "links": { "self": format!("{}/projects/{}", view.v3_url(), project.id) },
    })
}

fn named(it: &Named) -> Value {
    json!({ "id": it.id, "name": it.name })
}

/// RFC 3339 with microseconds, as Keystone writes it. A clock that no calendar has is shown as its last day.
pub(super) fn time(time: SystemTime) -> String {
    let time = Timestamp::try_from(time).unwrap_or(Timestamp::MAX);
    format!("{time:.6}")
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::time;

    #[test]
    fn times_have_microseconds_and_a_z() {
        let at = |seconds, nanos| time(SystemTime::UNIX_EPOCH + Duration::new(seconds, nanos));
        assert_eq!(at(1_516_054_445, 0), "2018-01-15T22:14:05.000000Z");
        assert_eq!(at(1_516_054_445, 123_456_789), "2018-01-15T22:14:05.123456Z");
    }
}
