//! What a login by v2.0 asks for (`keystone/token/controllers.py`, `Auth.authenticate`).
//!
//! 1. Credentials of any kind will do, also those that extensions named (`RAX-KSKEY:apiKeyCredentials`).
//! 2. No tenant: the held scope. Keystone gave a token without a scope then, for which clients looked through the tenants
//!    and logged in again; with one project, that is a detour.
//! 3. A tenant, by its id or else its name: the held project or none. An empty text is no tenant, as with Keystone.

use serde_json::Value;

use crate::face::request::{AskedScope, Login, Malformed, Selection};
use crate::secret::Secret;

impl Login {
    /// Reads the body of `POST /v2.0/tokens`.
    pub(in crate::face) fn parse_v2(body: &[u8]) -> Result<Self, Malformed> {
        let body: Value = serde_json::from_slice(body).map_err(|_| Malformed::Json)?;
        let auth = body.get("auth").filter(|auth| !auth.is_null()).ok_or(Malformed::Missing("auth"))?;
        let auth = auth.as_object().ok_or(Malformed::Invalid("auth"))?;
        let is_token = auth.contains_key("token");
        if !is_token && !auth.keys().any(|key| key.ends_with("Credentials")) {
            return Err(Malformed::Missing("passwordCredentials or token"));
        }
        let text = |name: &'static str| match auth.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone()).filter(|text| !text.is_empty())),
            Some(_) => Err(Malformed::Invalid(name)),
        };
        let project = match (text("tenantId")?, text("tenantName")?) {
            (Some(id), _) => Some(Selection::Id(id)),
            (None, Some(name)) => Some(Selection::Name(name)),
            (None, None) => None,
        };
        let scope = match project {
            _ if text("trust_id")?.is_some() => AskedScope::Trust,
            Some(project) => AskedScope::Project { project, domain: None },
            None => AskedScope::Held,
        };
        let method = if is_token { "token" } else { "password" };
        // `passwordCredentials/password`, `RAX-KSKEY:apiKeyCredentials/apiKey`, `token/id` and their like.
        let proofs = auth.values().filter_map(Value::as_object).flatten();
        let proofs =
            proofs.filter(|(name, _)| matches!(name.as_str(), "password" | "apiKey" | "secretKey" | "id"));
        let offered = proofs.filter_map(|(_, proof)| proof.as_str()).map(Secret::new).collect();
        Ok(Self { methods: vec![method.to_owned()], scope, offered })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn scope_of(auth: &Value) -> Result<AskedScope, Malformed> {
        Login::parse_v2(json!({ "auth": auth }).to_string().as_bytes()).map(|login| login.scope)
    }

    #[test]
    fn any_credentials_will_do_and_the_tenant_is_the_scope() {
        let named =
            |name: &str| AskedScope::Project { project: Selection::Name(name.to_owned()), domain: None };
        let by_id = |id: &str| AskedScope::Project { project: Selection::Id(id.to_owned()), domain: None };
        for (auth, expected) in [
            (json!({ "passwordCredentials": { "username": "a", "password": "b" } }), AskedScope::Held),
            (json!({ "apiAccessKeyCredentials": {}, "tenantName": "demo" }), named("demo")),
            (json!({ "RAX-KSKEY:apiKeyCredentials": {}, "tenantId": "p1" }), by_id("p1")),
            (json!({ "token": { "id": "x" }, "tenantName": "demo" }), named("demo")),
            (json!({ "passwordCredentials": {}, "tenantName": "demo", "tenantId": "p1" }), by_id("p1")),
            (json!({ "passwordCredentials": {}, "tenantName": "", "tenantId": null }), AskedScope::Held),
            (json!({ "token": {}, "tenantId": "p1", "trust_id": "t" }), AskedScope::Trust),
        ] {
            assert_eq!(scope_of(&auth), Ok(expected), "{auth}");
        }
        let methods =
            |auth: Value| Login::parse_v2(json!({ "auth": auth }).to_string().as_bytes()).unwrap().methods;
        assert_eq!(methods(json!({ "token": {} })), ["token"]);
        assert_eq!(methods(json!({ "passwordCredentials": {} })), ["password"]);
    }

    #[test]
    fn what_is_no_login_is_told_what_it_lacks() {
        for (body, expected) in [
            ("", Malformed::Json),
            ("[]", Malformed::Missing("auth")),
            ("{}", Malformed::Missing("auth")),
            ("{\"auth\":null}", Malformed::Missing("auth")),
            ("{\"auth\":7}", Malformed::Invalid("auth")),
            ("{\"auth\":{}}", Malformed::Missing("passwordCredentials or token")),
            (
                "{\"auth\":{\"identity\":{\"methods\":[]}}}",
                Malformed::Missing("passwordCredentials or token"),
            ),
            ("{\"auth\":{\"token\":{},\"tenantName\":7}}", Malformed::Invalid("tenantName")),
        ] {
            assert_eq!(Login::parse_v2(body.as_bytes()).unwrap_err(), expected, "{body}");
        }
    }
}
