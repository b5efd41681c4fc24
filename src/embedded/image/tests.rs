//! The image service over real connections.

use serde_json::{Value, json};

use crate::embedded::testing::{ask, json_of};
use crate::embedded::{Cloud, Site, Spec};

const JSON: (&str, &str) = ("content-type", "application/json");
const DATA: (&str, &str) = ("content-type", "application/octet-stream");
const PATCH: (&str, &str) = ("content-type", "application/openstack-images-v2.1-json-patch");

async fn send(
    site: &Site,
    token: &str,
    request: (&str, &str),
    field: (&str, &str),
    body: &str,
) -> (u16, http::HeaderMap, Value) {
    let (method, path) = request;
    let reply = ask(site.public(), method, path, &[("x-auth-token", token), field], body).await;
    (reply.status().as_u16(), reply.headers().clone(), json_of(&reply))
}

#[tokio::test(start_paused = true)]
async fn an_image_is_made_filled_read_and_deleted() {
    let cloud = Cloud::start(Spec::default()).await.unwrap();
    let token = &cloud.keystone().issue().unwrap();
    let site = cloud.site("image", "RegionTwo").unwrap();
    let body = json!({ "name": "mine", "disk_format": "raw", "container_format": "bare", "colour": "blue" });
    let (status, headers, made) =
        send(site, token, ("POST", "/image/v2/images"), JSON, &body.to_string()).await;
    assert_eq!((status, &made["status"], &made["colour"]), (201, &json!("queued"), &json!("blue")));
    let own = format!("/image/v2/images/{}", made["id"].as_str().unwrap());
    assert_eq!(headers["location"], format!("http://{}{own}", site.public()));
    let file = format!("{own}/file");
    assert_eq!(send(site, token, ("GET", &file), DATA, "").await.0, 204);
    assert_eq!(send(site, token, ("PUT", &file), DATA, "the data of an image").await.0, 204);
    assert_eq!(send(site, token, ("PUT", &file), DATA, "again").await.0, 409);
    let (_, _, shown) = send(site, token, ("GET", &own), JSON, "").await;
    assert_eq!(shown["checksum"], "64fae0446e76b2df9b26ecb57a980ef8");
    assert!(shown["os_hash_value"].as_str().unwrap().starts_with("9205675893bd0d2edd3d50bbf1af795e"));
    let part = ask(site.public(), "GET", &file, &[("x-auth-token", token), ("range", "bytes=4-7")], "").await;
    assert_eq!((part.status().as_u16(), part.body().as_ref()), (206, &b"data"[..]));
    assert_eq!(part.headers()["content-range"], "bytes 4-7/20");
    assert_eq!(send(site, token, ("DELETE", &own), JSON, "").await.0, 204);
    assert_eq!(send(site, token, ("GET", &own), JSON, "").await.0, 404);
}

#[tokio::test(start_paused = true)]
async fn lists_come_in_pages_with_paths_for_links() {
    let cloud = Cloud::start(Spec::default()).await.unwrap();
    let token = &cloud.keystone().issue().unwrap();
    let site = cloud.site("image", "RegionOne").unwrap();
    let (mut next, mut names) = (Some("/v2/images?limit=2&sort=name:asc".to_owned()), Vec::new());
    while let Some(path) = next {
        let (_, _, page) = send(site, token, ("GET", &path), JSON, "").await;
        names.extend(page["images"].as_array().unwrap().iter().map(|image| image["name"].clone()));
        next = page["next"].as_str().map(str::to_owned);
    }
    assert_eq!(names, ["cirros-0.6.3", "debian-13-generic", "fedora-cloud-44"]);
    let (_, _, page) = send(site, token, ("GET", "/v2/images?name=fedora%2Dcloud-44"), JSON, "").await;
    assert_eq!(page["images"].as_array().unwrap().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_change_is_made_whole_or_not_at_all() {
    let cloud = Cloud::start(Spec::default()).await.unwrap();
    let token = &cloud.keystone().issue().unwrap();
    let site = cloud.site("image", "RegionOne").unwrap();
    let (_, _, made) =
        send(site, token, ("POST", "/v2/images"), JSON, r#"{"name":"a","colour":"blue"}"#).await;
    let own = &format!("/v2/images/{}", made["id"].as_str().unwrap());
    for (patch, expected) in [
        (
            json!([{ "op": "replace", "path": "/name", "value": "b" }, { "op": "remove", "path": "/colour" }]),
            200,
        ),
        (json!([{ "op": "replace", "path": "/name", "value": "c" }, { "op": "move", "path": "/name" }]), 400),
        (json!([{ "op": "replace", "path": "/status", "value": "active" }]), 403),
        (json!([{ "op": "replace", "path": "/weight", "value": "1" }]), 409),
        (json!([{ "op": "add", "path": "/visibility", "value": "public" }]), 403),
        (json!([{ "op": "add", "path": "/min_ram", "value": "much" }]), 400),
        (json!([{ "op": "remove", "path": "/name" }]), 403),
        (json!([{ "op": "add", "path": "", "value": 1 }]), 400),
        (json!({}), 400),
        (json!([{ "op": "add", "path": "/protected", "value": true }]), 200),
    ] {
        let (status, ..) = send(site, token, ("PATCH", own), PATCH, &patch.to_string()).await;
        assert_eq!(status, expected, "{patch}");
    }
    let (_, _, shown) = send(site, token, ("GET", own), JSON, "").await;
    assert_eq!((&shown["name"], shown.get("colour")), (&json!("b"), None));
    assert_eq!(send(site, token, ("DELETE", own), JSON, "").await.0, 403);
    assert_eq!(send(site, token, ("PATCH", own), JSON, "[]").await.0, 415);
}

#[tokio::test(start_paused = true)]
async fn properties_and_tags_of_an_image_are_bounded_as_glance_bounds_them() {
    let cloud = Cloud::start(Spec::default()).await.unwrap();
    let token = &cloud.keystone().issue().unwrap();
    let site = cloud.site("image", "RegionOne").unwrap();
    let (_, _, made) = send(site, token, ("POST", "/v2/images"), JSON, "{}").await;
    let own = &format!("/v2/images/{}", made["id"].as_str().unwrap());
    let add = |path: String, value: Value| json!({ "op": "add", "path": path, "value": value });
    let properties = |first: usize, end: usize, value: &str| -> Value {
        (first..end).map(|n| add(format!("/p{n}"), json!(value))).collect()
    };
    let tags = |count: usize| json!([add("/tags".into(), (0..count).map(|n| n.to_string()).collect())]);
    let (fits, long) = ("\u{e9}".repeat(255), "\u{e9}".repeat(256));
    for (patch, expected) in [
        (properties(0, 128, "v"), 200),
        (properties(128, 129, "v"), 413),
        (properties(127, 128, &"v".repeat(60_000)), 200),
        (properties(126, 127, &"v".repeat(60_000)), 413),
        (json!([{ "op": "remove", "path": "/p127" }]), 200),
        (json!([add(format!("/{long}"), json!("v"))]), 400),
        (json!([add(format!("/{fits}"), json!("v"))]), 200),
        (json!([add("/name".into(), json!(long))]), 400),
        (json!([add("/name".into(), json!(fits))]), 200),
        (json!([add("/tags".into(), json!([long]))]), 400),
        (tags(129), 413),
        (tags(128), 200),
    ] {
        let (status, ..) = send(site, token, ("PATCH", own), PATCH, &patch.to_string()).await;
        assert_eq!(status, expected, "{:.60}", patch.to_string());
    }
    for (method, tag, expected) in [
        ("PUT", "one-more", 413),
        ("PUT", "7", 204),
        ("DELETE", "7", 204),
        ("PUT", &*"t".repeat(256), 400),
        ("PUT", &*"t".repeat(255), 204),
    ] {
        let path = format!("{own}/tags/{tag}");
        assert_eq!(send(site, token, (method, &path), JSON, "").await.0, expected, "{method} {tag}");
    }
}

#[tokio::test(start_paused = true)]
async fn who_has_an_image_and_its_id_are_settled_when_it_is_made() {
    let cloud = Cloud::start(Spec::default()).await.unwrap();
    let token = &cloud.keystone().issue().unwrap();
    let site = cloud.site("image", "RegionOne").unwrap();
    let id = "0a0b0c0d-1111-4111-8111-0123456789ab";
    let (_, _, other) = send(site, token, ("POST", "/v2/images"), JSON, "{}").await;
    let body = json!({ "id": id, "owner": other["owner"] }).to_string();
    let (status, _, made) = send(site, token, ("POST", "/v2/images"), JSON, &body).await;
    assert_eq!((status, &made["id"], &made["owner"]), (201, &json!(id), &other["owner"]));
    let body = json!({ "owner": "somebody" }).to_string();
    assert_eq!(send(site, token, ("POST", "/v2/images"), JSON, &body).await.0, 403);
    let own = &format!("/v2/images/{id}");
    for name in ["id", "owner", "locations"] {
        for operation in ["add", "replace", "remove"] {
            let patch = json!([{ "op": operation, "path": format!("/{name}"), "value": "x" }]).to_string();
            assert_eq!(send(site, token, ("PATCH", own), PATCH, &patch).await.0, 403, "{operation} {name}");
        }
    }
    let (_, _, shown) = send(site, token, ("GET", own), JSON, "").await;
    assert_eq!((&shown["id"], &shown["owner"]), (&json!(id), &other["owner"]));
}

#[tokio::test(start_paused = true)]
async fn what_is_asked_wrongly_is_told_so() {
    let cloud = Cloud::start(Spec { capacity_bytes: 20_000, ..Spec::default() }).await.unwrap();
    let token = &cloud.keystone().issue().unwrap();
    let site = cloud.site("image", "RegionOne").unwrap();
    let formats = r#"{"disk_format":"raw","container_format":"bare"}"#;
    let (_, _, made) = send(site, token, ("POST", "/v2/images"), JSON, formats).await;
    let file = format!("/v2/images/{}/file", made["id"].as_str().unwrap());
    let large = "x".repeat(20_000);
    for (method, path, field, body, expected) in [
        ("GET", "/", JSON, "", 300),
        ("GET", "/versions", JSON, "", 200),
        ("GET", "/v9/images", JSON, "", 300),
        ("GET", "/v2/", JSON, "", 404),
        ("GET", "/v2/images?limit=many", JSON, "", 400),
        ("GET", "/v2/images?limit=-1", JSON, "", 400),
        ("GET", "/v2/images?limit=0", JSON, "", 200),
        ("GET", "/v2/images?marker=x", JSON, "", 400),
        ("POST", "/v2/images", JSON, "{nope", 400),
        ("POST", "/v2/images", JSON, "", 400),
        ("POST", "/v2/images", JSON, "[]", 400),
        ("POST", "/v2/images", JSON, r#"{"id":"x"}"#, 400),
        ("POST", "/v2/images", JSON, r#"{"status":"active"}"#, 403),
        ("PUT", "/v2/images", JSON, "", 405),
        ("HEAD", "/v2/images/x", JSON, "", 405),
        ("GET", "/v2/schemas/image", JSON, "", 200),
        ("GET", "/v2/schemas/other", JSON, "", 404),
        ("PUT", file.as_str(), JSON, "x", 415),
        ("PUT", file.as_str(), DATA, large.as_str(), 413),
        ("PUT", file.as_str(), DATA, "x", 204),
    ] {
        assert_eq!(send(site, token, (method, path), field, body).await.0, expected, "{method} {path}");
    }
    let (status, headers, _) = send(site, "bad", ("GET", "/v2/images"), JSON, "").await;
    assert_eq!(status, 401);
    assert!(headers["www-authenticate"].to_str().unwrap().starts_with("Keystone uri="));
}
