//! Tests of `request`.

use serde_json::json;

use super::*;
use crate::identity::NamedProject;

fn named(id: &str, name: &str) -> Named {
    Named { id: id.to_owned(), name: name.to_owned() }
}

fn project() -> HeldScope {
    let domain = Some(named("default", "Default"));
    HeldScope::Project(NamedProject { id: "p1".to_owned(), name: "Demo".to_owned(), domain, domain_id: None })
}

fn with_scope(scope: &Value) -> Result<Login, Malformed> {
    let body = json!({ "auth": { "identity": { "methods": ["password"], "password": {} }, "scope": scope } });
    Login::parse(body.to_string().as_bytes())
}

/// What a login with this scope gets.
fn granted(scope: &Value, held: &HeldScope) -> Option<Granted> {
    with_scope(scope).unwrap().scope.grant(held).ok()
}

#[test]
fn the_held_scope_is_granted_by_each_of_its_names_and_no_other() {
    let (held, unscoped) = (Some(Granted::Held), Some(Granted::Unscoped));
    for (scope, expected) in [
        (json!({ "project": { "id": "p1" } }), held),
        (json!({ "project": { "id": "P1" } }), None),
        (json!({ "project": { "id": "p2", "name": "demo" } }), None),
        (json!({ "project": { "id": "Demo" } }), None),
        (json!({ "project": { "name": "Demo", "domain": { "id": "default" } } }), held),
        (json!({ "project": { "name": "dEMO", "domain": { "name": "DEFAULT" } } }), held),
        (json!({ "project": { "name": "demo" } }), held),
        (json!({ "project": { "name": "demo", "domain": { "id": "Default" } } }), None),
        (json!({ "project": { "name": "demo", "domain": { "name": "Acme" } } }), None),
        (json!({ "project": { "name": "demo2", "domain": { "id": "default" } } }), None),
        (json!({ "domain": { "id": "default" } }), None),
        (json!({ "system": { "all": true } }), None),
        (json!({ "OS-TRUST:trust": { "id": "t" } }), None),
        (json!("unscoped"), unscoped),
        (json!({ "unscoped": {} }), unscoped),
    ] {
        assert_eq!(granted(&scope, &project()), expected, "{scope}");
    }
    let domain = HeldScope::Domain(named("d1", "Acme"));
    for (scope, expected) in [
        (json!({ "domain": { "id": "d1" } }), held),
        (json!({ "domain": { "name": "acme" } }), held),
        (json!({ "domain": { "id": "acme" } }), None),
        (json!({ "project": { "id": "d1" } }), None),
    ] {
        assert_eq!(granted(&scope, &domain), expected, "{scope}");
    }
    assert_eq!(granted(&json!({ "system": { "all": true } }), &HeldScope::System), held);
    assert_eq!(granted(&json!({ "project": { "id": "p1" } }), &HeldScope::Unscoped), None);
    assert!(!Granted::Held.is_held(&HeldScope::Unscoped) && !Granted::Unscoped.is_held(&project()));
}

#[test]
fn a_project_whose_domain_is_not_known_is_known_by_what_is() {
    let held = |domain_id: Option<&str>| {
        HeldScope::Project(NamedProject {
            id: "p1".to_owned(),
            name: "demo".to_owned(),
            domain: None,
            domain_id: domain_id.map(str::to_owned),
        })
    };
    let asked = |domain: Value| json!({ "project": { "name": "demo", "domain": domain } });
    for (domain_id, domain, expected) in [
        (Some("d"), json!({ "id": "d" }), Some(Granted::Held)),
        (Some("d"), json!({ "id": "e" }), None),
        (Some("d"), json!({ "name": "e" }), Some(Granted::Held)),
        (None, json!({ "id": "e" }), Some(Granted::Held)),
    ] {
        assert_eq!(granted(&asked(domain.clone()), &held(domain_id)), expected, "{domain_id:?} {domain}");
    }
}

#[test]
fn every_method_is_a_login_and_an_application_credential_has_its_scope() {
    for methods in [
        json!(["password"]),
        json!(["totp", "password"]),
        json!(["token"]),
        json!(["saml2"]),
        json!(["application_credential"]),
    ] {
        let body = json!({ "auth": { "identity": { "methods": methods } } }).to_string();
        let login = Login::parse(body.as_bytes()).unwrap();
        assert_eq!(login.scope, AskedScope::Held);
        assert_eq!(json!(login.methods), methods);
    }
    let credential = json!({ "auth": {
        "identity": { "methods": ["application_credential"], "application_credential": { "id": "x", "secret": "y" } },
        "scope": { "project": { "id": "another" } } } });
    assert_eq!(Login::parse(credential.to_string().as_bytes()).unwrap().scope, AskedScope::Held);
}

#[test]
fn what_is_no_login_is_told_what_it_lacks() {
    let methods = |methods: Value| json!({ "auth": { "identity": { "methods": methods } } }).to_string();
    for (body, expected) in [
        (String::new(), Malformed::Json),
        ("{\"auth\":".to_owned(), Malformed::Json),
        ("[]".to_owned(), Malformed::Json),
        ("\u{0}".to_owned(), Malformed::Json),
        ("{}".to_owned(), Malformed::Missing("auth")),
        ("{\"auth\":null}".to_owned(), Malformed::Missing("auth")),
        ("{\"auth\":7}".to_owned(), Malformed::Invalid("auth")),
        ("{\"auth\":{}}".to_owned(), Malformed::Missing("identity")),
        ("{\"auth\":{\"identity\":1}}".to_owned(), Malformed::Missing("methods")),
        (methods(json!("password")), Malformed::Invalid("methods")),
        (methods(json!([])), Malformed::Invalid("methods")),
        (methods(json!([7])), Malformed::Invalid("methods")),
        (methods(json!(["x".repeat(1000)])), Malformed::Invalid("methods")),
        (methods(json!(vec!["x"; 1000])), Malformed::Invalid("methods")),
    ] {
        assert_eq!(Login::parse(body.as_bytes()).unwrap_err(), expected, "{body:.80}");
    }
    for (scope, expected) in [
        (json!(null), Malformed::Scope),
        (json!("scoped"), Malformed::Scope),
        (json!({}), Malformed::Scope),
        (json!({ "project": { "id": "p1" }, "domain": { "id": "d" } }), Malformed::Scope),
        (json!({ "project": "p1" }), Malformed::Invalid("scope")),
        (json!({ "project": {} }), Malformed::Invalid("scope/project")),
        (json!({ "domain": { "id": 7 } }), Malformed::Invalid("scope/domain")),
    ] {
        assert_eq!(with_scope(&scope).unwrap_err(), expected, "{scope}");
    }
}

#[test]
fn the_refusal_says_which_scope_is_held() {
    let failure = AskedScope::System.grant(&project()).unwrap_err();
    assert_eq!(failure.reason, Reason::WrongScope);
    assert!(failure.message.contains("project Demo (id p1)"), "{}", failure.message);
    let failure = AskedScope::System.grant(&HeldScope::Unscoped).unwrap_err();
    assert!(failure.message.contains("has no scope"), "{}", failure.message);
}

proptest::proptest! {
    #[test]
    fn no_body_breaks_it(body in "(\\{|\\}|\"auth\"|:|\"identity\"|\"methods\"|\\[|\\]|\"scope\"|,|7|null|\"project\"|\\PC){0,20}") {
        let _ = Login::parse(body.as_bytes());
    }
}
