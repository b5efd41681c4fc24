//! Logins and tokens over real connections.

use super::*;
use crate::embedded::people::{APPLICATION_CREDENTIALS, PROJECTS, USERS};
use crate::embedded::testing::{self, json_of};
use crate::embedded::{Cloud, Spec};
use crate::totp;

/// Status, `X-Subject-Token`, and the body as JSON.
async fn ask(
    cloud: &Cloud,
    method: &str,
    path: &str,
    fields: &[(&str, &str)],
    body: &str,
) -> (u16, String, Value) {
    let reply = testing::ask(cloud.identity().unwrap().public(), method, path, fields, body).await;
    let token = reply.headers().get("x-subject-token").map(|token| token.to_str().unwrap().to_owned());
    (reply.status().as_u16(), token.unwrap_or_default(), json_of(&reply))
}

async fn log_in(cloud: &Cloud, identity: Value, scope: Option<Value>) -> (u16, String, Value) {
    let mut auth = json!({ "identity": identity });
    if let Some(scope) = scope {
        auth["scope"] = scope;
    }
    let body = json!({ "auth": auth }).to_string();
    ask(cloud, "POST", "/v3/auth/tokens", &[("content-type", "application/json")], &body).await
}

fn password(user: usize, password: &str) -> Value {
    json!({ "methods": ["password"], "password": { "user": { "id": USERS[user].id, "password": password } } })
}

fn demo() -> Value {
    password(0, USERS[0].password)
}

fn project(index: usize) -> Option<Value> {
    Some(json!({ "project": { "id": PROJECTS[index].id } }))
}

#[tokio::test(start_paused = true)]
async fn a_token_is_good_until_its_time_is_over() {
    let spec =
        Spec { token_lifetime: Duration::from_secs(60), clock_skew_seconds: -86_400, ..Spec::default() };
    let cloud = Cloud::start(spec).await.unwrap();
    let (status, token, body) = log_in(&cloud, demo(), project(0)).await;
    assert_eq!((status, body["token"]["project"]["name"].as_str()), (201, Some("demo")));
    assert!(token.len() > 100 && token.starts_with("gAAAAA"));
    let fields = [("x-auth-token", token.as_str()), ("x-subject-token", token.as_str())];
    tokio::time::sleep(Duration::from_secs(59)).await;
    assert_eq!(ask(&cloud, "HEAD", "/v3/auth/tokens", &fields, "").await.0, 200);
    assert!(cloud.keystone().is_good(&token));
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(ask(&cloud, "HEAD", "/v3/auth/tokens", &fields, "").await.0, 401);
    assert!(!cloud.keystone().is_good(&token));
}

#[tokio::test(start_paused = true)]
async fn a_revoked_token_is_unknown() {
    let cloud = Cloud::start(Spec::default()).await.unwrap();
    let (ours, theirs) = (log_in(&cloud, demo(), project(0)).await.1, log_in(&cloud, demo(), None).await.1);
    let fields = [("x-auth-token", ours.as_str()), ("x-subject-token", theirs.as_str())];
    assert_eq!(ask(&cloud, "GET", "/v3/auth/tokens", &fields, "").await.0, 200);
    assert_eq!(ask(&cloud, "DELETE", "/v3/auth/tokens", &fields, "").await.0, 204);
    assert_eq!(ask(&cloud, "GET", "/v3/auth/tokens", &fields, "").await.0, 404);
    assert_eq!(cloud.keystone().asked_about(&Method::DELETE), [theirs.as_str()]);
    cloud.keystone().revoke_all();
    assert_eq!(ask(&cloud, "GET", "/v3/auth/projects", &fields, "").await.0, 401);
}

#[tokio::test(start_paused = true)]
async fn wrong_passwords_lock_a_user_out_for_a_while() {
    let spec = Spec { lockout: Some((3, Duration::from_secs(600))), ..Spec::default() };
    let cloud = Cloud::start(spec).await.unwrap();
    for _ in 0..3 {
        assert_eq!(log_in(&cloud, password(0, "wrong"), project(0)).await.0, 401);
    }
    assert_eq!(log_in(&cloud, demo(), project(0)).await.0, 401);
    assert_eq!(log_in(&cloud, password(1, USERS[1].password), None).await.0, 201);
    tokio::time::sleep(Duration::from_secs(600)).await;
    assert_eq!(log_in(&cloud, demo(), project(0)).await.0, 201);
    assert_eq!(cloud.keystone().logins(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_token_made_from_a_token_ends_with_it() {
    let cloud = Cloud::start(Spec::default()).await.unwrap();
    let (_, first, body) = log_in(&cloud, demo(), None).await;
    assert!(body["token"].get("catalog").is_none() && body["token"].get("roles").is_none());
    tokio::time::sleep(Duration::from_secs(60)).await;
    let by_token = json!({ "methods": ["token"], "token": { "id": first } });
    let (status, _, second) = log_in(&cloud, by_token, project(1)).await;
    assert_eq!(status, 201);
    assert_eq!(second["token"]["expires_at"], body["token"]["expires_at"]);
    assert_eq!(second["token"]["methods"], json!(["password", "token"]));
    assert_eq!(second["token"]["audit_ids"][1], body["token"]["audit_ids"][0]);
}

#[tokio::test(start_paused = true)]
async fn scopes_need_a_role() {
    let cloud = Cloud::start(Spec::default()).await.unwrap();
    let by_name = json!({ "project": { "name": "second", "domain": { "name": "Default" } } });
    for (user, scope, expected) in [
        (0, project(0), 201),
        (0, Some(by_name), 201),
        (0, project(2), 401),
        (0, Some(json!({ "system": { "all": true } })), 401),
        (1, Some(json!({ "system": { "all": true } })), 201),
        (1, Some(json!({ "domain": { "id": "default" } })), 201),
        (3, None, 201),
        (3, project(0), 401),
    ] {
        let login = password(user, USERS[user].password);
        assert_eq!(log_in(&cloud, login, scope.clone()).await.0, expected, "{user} {scope:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_application_credential_brings_its_scope() {
    let cloud = Cloud::start(Spec::default()).await.unwrap();
    let known = &APPLICATION_CREDENTIALS[0];
    let login = |id: &str, secret: &str| {
        json!({ "methods": ["application_credential"],
                "application_credential": { "id": id, "secret": secret } })
    };
    let (status, _, body) = log_in(&cloud, login(known.id, known.secret), None).await;
    assert_eq!((status, body["token"]["project"]["name"].as_str()), (201, Some("demo")));
    assert_eq!(log_in(&cloud, login(known.id, "wrong"), None).await.0, 401);
    assert_eq!(log_in(&cloud, login("wrong", known.secret), None).await.0, 404);
    assert_eq!(log_in(&cloud, login(known.id, known.secret), project(0)).await.0, 401);
    cloud.keystone().set_credential_end(known.id, cloud.keystone().now());
    assert_eq!(log_in(&cloud, login(known.id, known.secret), None).await.0, 401);
}

#[tokio::test(start_paused = true)]
async fn a_credential_is_made_and_its_secret_told_once() {
    let cloud = Cloud::start(Spec::default()).await.unwrap();
    let token = log_in(&cloud, demo(), project(0)).await.1;
    let fields = [("x-auth-token", token.as_str()), ("content-type", "application/json")];
    let path = format!("/v3/users/{}/application_credentials", USERS[0].id);
    let body = json!({ "application_credential": { "name": "new" } }).to_string();
    let (status, _, made) = ask(&cloud, "POST", &path, &fields, &body).await;
    assert_eq!(status, 201);
    assert_eq!(ask(&cloud, "POST", &path, &fields, &body).await.0, 409);
    let made = &made["application_credential"];
    let one = format!("{path}/{}", made["id"].as_str().unwrap());
    let (_, _, told) = ask(&cloud, "GET", &one, &fields, "").await;
    assert!(told["application_credential"].get("secret").is_none());
    let login = json!({ "methods": ["application_credential"], "application_credential": {
        "name": "new", "user": { "id": USERS[0].id }, "secret": made["secret"] } });
    assert_eq!(log_in(&cloud, login.clone(), None).await.0, 201);
    assert_eq!(ask(&cloud, "DELETE", &one, &fields, "").await.0, 204);
    assert_eq!(log_in(&cloud, login, None).await.0, 404);
}

#[tokio::test(start_paused = true)]
async fn a_passcode_proves_who_one_is() {
    let cloud = Cloud::start(Spec::default()).await.unwrap();
    let step = totp::step(cloud.keystone().now().as_second().unsigned_abs());
    let code = totp::code(USERS[2].totp_seed.unwrap(), step).unwrap();
    let code = code.as_str();
    let login = json!({ "methods": ["totp", "password"],
        "totp": { "user": { "id": USERS[2].id, "passcode": code } },
        "password": { "user": { "id": USERS[2].id, "password": USERS[2].password } } });
    let (status, _, body) = log_in(&cloud, login.clone(), project(0)).await;
    assert_eq!((status, &body["token"]["methods"]), (201, &json!(["totp", "password"])));
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(log_in(&cloud, login, project(0)).await.0, 401);
}

#[tokio::test(start_paused = true)]
async fn the_catalog_names_every_service_where_it_is() {
    let cloud = Cloud::start(Spec::default()).await.unwrap();
    let (_, token, body) = log_in(&cloud, demo(), project(0)).await;
    let catalog = &body["token"]["catalog"];
    let compute = catalog.as_array().unwrap().iter().find(|service| service["type"] == "compute").unwrap();
    assert_eq!(compute["endpoints"].as_array().unwrap().len(), 12);
    let site = cloud.site("compute", "RegionTwo").unwrap();
    let url = format!("http://{}/compute/v2.1", site.internal());
    assert!(compute["endpoints"].as_array().unwrap().iter().any(|endpoint| {
        endpoint["interface"] == "admin" && endpoint["region"] == "RegionTwo" && endpoint["url"] == url
    }));
    let fields = [("x-auth-token", token.as_str())];
    assert_eq!(&ask(&cloud, "GET", "/v3/auth/catalog", &fields, "").await.2["catalog"], catalog);
    cloud.keystone().set_catalog(Some(json!([])));
    assert_eq!(ask(&cloud, "GET", "/v3/auth/catalog", &fields, "").await.2["catalog"], json!([]));
}

#[tokio::test(start_paused = true)]
async fn it_is_the_same_one_below_a_path() {
    let cloud = Cloud::start(Spec::default()).await.unwrap();
    let site = cloud.site("identity", "RegionFour").unwrap();
    let there = async |method, path, fields: &[(&str, &str)]| {
        let reply = testing::ask(site.public(), method, path, fields, "").await;
        (reply.status().as_u16(), json_of(&reply))
    };
    let token = log_in(&cloud, demo(), project(0)).await.1;
    let fields = [("x-auth-token", token.as_str()), ("x-subject-token", token.as_str())];
    let (status, body) = there("GET", "/identity/v3/auth/tokens", &fields).await;
    assert_eq!((status, &body["token"]["project"]["id"]), (200, &json!(PROJECTS[0].id)));
    let (status, versions) = there("GET", "/identity", &[]).await;
    let link = format!("http://{}/identity/v3/", site.public());
    assert_eq!((status, &versions["versions"]["values"][0]["links"][0]["href"]), (300, &json!(link)));
    assert_eq!(there("GET", "/v3/auth/tokens", &fields).await.0, 404);
}

#[tokio::test(start_paused = true)]
async fn what_is_asked_wrongly_is_told_so() {
    let cloud = Cloud::start(Spec::default()).await.unwrap();
    let token = log_in(&cloud, demo(), project(0)).await.1;
    let auth = [("x-auth-token", token.as_str())];
    let json_type = [("content-type", "application/json")];
    let other = format!("/v3/users/{}", USERS[1].id);
    let long = "x".repeat(200_000);
    for (method, path, fields, body, expected) in [
        ("GET", "/", &[][..], "", 300),
        ("GET", "/v3/", &[], "", 200),
        ("POST", "/v3/auth/tokens", &json_type, "{nope", 400),
        ("POST", "/v3/auth/tokens", &[], "{}", 400),
        ("POST", "/v3/auth/tokens", &json_type, long.as_str(), 413),
        ("PUT", "/v3/auth/tokens", &auth, "", 405),
        ("GET", "/v3/auth/tokens", &auth, "", 403),
        ("GET", "/v3/projects", &auth, "", 403),
        ("GET", "/v3/projects", &[], "", 401),
        ("GET", other.as_str(), &auth, "", 403),
        ("GET", "/v3/nosuch", &auth, "", 404),
        ("GET", "/nosuch", &auth, "", 404),
        ("GET", "/v3/auth/nosuch", &auth, "", 404),
        ("DELETE", "/v3/projects", &auth, "", 405),
    ] {
        assert_eq!(ask(&cloud, method, path, fields, body).await.0, expected, "{method} {path}");
    }
}

#[tokio::test(start_paused = true)]
async fn tokens_are_bounded() {
    let mut state = State::new(Duration::from_secs(3600), None);
    let login = Login::parse(&json!({ "auth": { "identity": demo() } })).unwrap();
    let now = Timestamp::now();
    let first = state.log_in(&login, None, now).unwrap().0;
    for _ in 0..20_000 {
        state.log_in(&login, None, now).unwrap();
    }
    assert!(state.token(&first, now).is_none());
    let last = state.log_in(&login, None, now).unwrap().0;
    assert!(state.token(&last, now).is_some());
}
