//! What Keystone tells: tokens, projects, users, lists, as JSON (Identity API v3).

use jiff::Timestamp;
use serde_json::{Value, json};

use super::receipts::Receipt;
use super::state::{Credential, Held, Issued};
use crate::embedded::people::{DOMAIN, Project, ROLES, User};

/// `token`, without a catalog.
pub(super) fn token(issued: &Issued, password_end: Option<Timestamp>) -> Value {
    let mut token = json!({
        "methods": issued.methods,
        "user": {
            "domain": named(DOMAIN.0, DOMAIN.1), "id": issued.user.id, "name": issued.user.name,
            "password_expires_at": password_end.map(plain_time),
        },
        "audit_ids": issued.audit_ids,
        "expires_at": time(issued.expires_at),
        "issued_at": time(issued.issued_at),
    });
    match issued.held {
        Held::Nothing => return token,
        Held::Project(project) => {
            token["project"] =
                json!({ "domain": named(DOMAIN.0, DOMAIN.1), "id": project.id, "name": project.name });
            token["is_domain"] = json!(false);
        }
        Held::Domain => token["domain"] = named(DOMAIN.0, DOMAIN.1),
        Held::System => token["system"] = json!({ "all": true }),
    }
    token["roles"] = role_names(issued).iter().map(|name| named(role_id(name), name)).collect();
    if let Some((id, name)) = &issued.credential {
        token["application_credential"] = json!({ "id": id, "name": name, "restricted": true });
    }
    token
}

/// What there is instead of a token (`keystone/receipt/handlers.py`).
pub(super) fn receipt(receipt: &Receipt) -> Value {
    json!({
        "receipt": {
            "methods": receipt.methods,
            "user": {
                "domain": named(DOMAIN.0, DOMAIN.1), "id": receipt.user.id, "name": receipt.user.name,
            },
            "expires_at": time(receipt.expires_at),
            "issued_at": time(receipt.issued_at),
        },
        "required_auth_methods": [receipt.user.needs],
    })
}

/// The names of a token's roles.
pub(super) fn role_names(issued: &Issued) -> Vec<&'static str> {
    match issued.held {
        Held::Nothing => Vec::new(),
        Held::Project(project) => issued.user.roles_on(project).to_vec(),
        Held::Domain | Held::System => ROLES.iter().map(|(name, _)| *name).collect(),
    }
}

pub(super) fn project(project: &Project, base: &str) -> Value {
    json!({
        "id": project.id, "name": project.name, "domain_id": DOMAIN.0, "description": "", "enabled": true,
        "parent_id": DOMAIN.0, "is_domain": false, "tags": [], "options": {},
        "links": { "self": format!("{base}/projects/{}", project.id) },
    })
}

pub(super) fn domain(base: &str) -> Value {
    json!({
        "id": DOMAIN.0, "name": DOMAIN.1, "description": "The default domain", "enabled": true, "tags": [],
        "options": {}, "links": { "self": format!("{base}/domains/{}", DOMAIN.0) },
    })
}

pub(super) fn user(user: &User, password_end: Option<Timestamp>, base: &str) -> Value {
    json!({
        "id": user.id, "name": user.name, "domain_id": DOMAIN.0, "enabled": true,
        "password_expires_at": password_end.map(plain_time), "options": {},
        "links": { "self": format!("{base}/users/{}", user.id) },
    })
}

pub(super) fn role(name: &str, base: &str) -> Value {
    let mut role = plain_role(name);
    role["links"] = json!({ "self": format!("{base}/roles/{}", role_id(name)) });
    role
}

fn plain_role(name: &str) -> Value {
    json!({
        "id": role_id(name), "name": name, "domain_id": null, "description": null,
        "options": { "immutable": true },
    })
}

/// Whether a request names this role, by id or by name.
pub(super) fn is_role(asked: &Value, name: &str) -> bool {
    asked["id"] == role_id(name) || asked["name"] == name
}

/// Without its secret, which is told once.
pub(super) fn credential(credential: &Credential, base: &str) -> Value {
    let roles = credential.user.roles_on(credential.project);
    json!({
        "id": credential.id, "name": credential.name, "description": credential.description,
        "user_id": credential.user.id, "project_id": credential.project.id, "system": null,
        "expires_at": credential.expires_at.map(plain_time), "unrestricted": credential.unrestricted,
        "roles": roles.iter().map(|name| plain_role(name)).collect::<Value>(),
        "links": { "self": format!("{base}/application_credentials/{}", credential.id) },
    })
}

/// A list under its name, in one page.
pub(super) fn list(name: &str, entries: &[Value], url: &str) -> Value {
    json!({ name: entries, "links": { "next": null, "self": url, "previous": null } })
}

/// `services`, `endpoints` or `regions` of a catalog.
pub(super) fn of_catalog(name: &str, catalog: &Value, base: &str) -> Vec<Value> {
    let services = catalog.as_array().map(Vec::as_slice).unwrap_or_default();
    let endpoints = || {
        services.iter().flat_map(|service| {
            let endpoints = service["endpoints"].as_array().map(Vec::as_slice).unwrap_or_default();
            endpoints.iter().map(move |endpoint| (service, endpoint))
        })
    };
    let linked = |mut entry: Value| {
        let url = format!("{base}/{name}/{}", entry["id"].as_str().unwrap_or_default());
        entry["links"] = json!({ "self": url });
        entry
    };
    match name {
        "services" => services
            .iter()
            .map(|service| {
                linked(json!({
                    "id": service["id"], "name": service["name"], "type": service["type"], "enabled": true,
                }))
            })
            .collect(),
        "endpoints" => endpoints()
            .map(|(service, endpoint)| {
                let mut entry = endpoint.clone();
                entry["service_id"] = service["id"].clone();
                entry["enabled"] = json!(true);
                linked(entry)
            })
            .collect(),
        _ => {
            let mut regions: Vec<&Value> = Vec::new();
            for (_, endpoint) in endpoints() {
                if !regions.contains(&&endpoint["region_id"]) {
                    regions.push(&endpoint["region_id"]);
                }
            }
            let region = |id: &Value| json!({ "id": id, "description": "", "parent_region_id": null });
            regions.into_iter().map(|id| linked(region(id))).collect()
        }
    }
}

/// The one version there is.
pub(super) fn version(root: &str) -> Value {
    json!({
        "id": "v3.14", "status": "stable", "updated": "2020-04-07T00:00:00Z",
        "links": [{ "rel": "self", "href": format!("{root}/v3/") }],
        "media-types": [{
            "base": "application/json", "type": "application/vnd.openstack.identity-v3+json",
        }],
    })
}

/// The resources that there are here, as JSON-Home.
pub(super) fn json_home() -> Value {
    let relation = |name: &str| format!("https://docs.openstack.org/api/openstack-identity/3/rel/{name}");
    let resources = RESOURCES.iter().map(|(name, href)| (relation(name), json!({ "href": href })));
    json!({ "resources": resources.collect::<serde_json::Map<_, _>>() })
}

const RESOURCES: &[(&str, &str)] = &[
    ("auth_tokens", "/auth/tokens"),
    ("auth_catalog", "/auth/catalog"),
    ("auth_projects", "/auth/projects"),
    ("auth_domains", "/auth/domains"),
    ("auth_system", "/auth/system"),
    ("projects", "/projects"),
    ("domains", "/domains"),
    ("users", "/users"),
    ("roles", "/roles"),
    ("services", "/services"),
    ("endpoints", "/endpoints"),
    ("regions", "/regions"),
];

fn named(id: &str, name: &str) -> Value {
    json!({ "id": id, "name": name })
}

fn role_id(name: &str) -> &'static str {
    ROLES.iter().find(|(role, _)| *role == name).map_or("", |(_, id)| id)
}

/// `2026-11-24T03:32:49.000000Z`.
fn time(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%S%.6fZ").to_string()
}

/// The same without a zone, as Keystone tells the ends of passwords and credentials.
fn plain_time(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%S%.6f").to_string()
}
