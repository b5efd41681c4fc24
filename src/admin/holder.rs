//! Whose token it is, for programs.

use serde_json::{Value, json};

use crate::identity::{HeldScope, Snapshot};

pub(super) fn holder(snapshot: &Snapshot) -> Value {
    let holder = &snapshot.holder;
    let mut value = json!({
        "user": { "id": holder.user.id, "name": holder.user.name },
        "roles": holder.roles.iter().map(|role| role.name.as_str()).collect::<Vec<_>>(),
        "password_expires_at": holder.user.password_expires_at,
    });
    if let Some(domain) = &holder.user.domain {
        value["user"]["domain"] = json!({ "id": domain.id, "name": domain.name });
    }
    value["scope"] = match &holder.scope {
        HeldScope::Project(project) => {
            let domain = project.domain.as_ref().map(|it| json!({ "id": it.id, "name": it.name }));
            json!({ "project": { "id": project.id, "name": project.name, "domain": domain } })
        }
        HeldScope::Domain(domain) => json!({ "domain": { "id": domain.id, "name": domain.name } }),
        HeldScope::System => json!({ "system": { "all": true } }),
        HeldScope::Unscoped | HeldScope::Standalone => Value::Null,
    };
    value
}

/// Projects to choose from, where the token is for none, and how to choose; else nothing.
pub(super) fn projects(snapshot: &Snapshot) -> Value {
    if !matches!(snapshot.holder.scope, HeldScope::Unscoped) {
        return Value::Null;
    }
    let choices: Vec<Value> = snapshot
        .account
        .projects
        .iter()
        .map(|project| {
            let domain = project.domain.as_ref().map(|domain| domain.id.as_str());
            json!({
                "id": project.id,
                "name": project.name,
                "domain_id": project.domain_id.as_deref().or(domain),
                "set": format!("OS_PROJECT_ID={}", project.id),
            })
        })
        .collect();
    choices.into()
}
