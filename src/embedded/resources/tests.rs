//! The compute-like services over real connections.

use http::Response;
use serde_json::{Value, json};

use crate::embedded::people::PROJECTS;
use crate::embedded::testing::{ask, json_of};
use crate::embedded::{Cloud, Site, Spec};

async fn cloud() -> (Cloud, String) {
    let cloud = Cloud::start(Spec::default()).await.unwrap();
    let token = cloud.keystone().issue().unwrap();
    (cloud, token)
}

async fn get(site: &Site, token: &str, path: &str) -> Response<bytes::Bytes> {
    ask(site.public(), "GET", path, &[("x-auth-token", token)], "").await
}

#[tokio::test(start_paused = true)]
async fn servers_come_in_pages_that_link_to_each_other() {
    let (cloud, token) = cloud().await;
    for (region, path) in [("RegionOne", "/v2.1"), ("RegionTwo", "/compute/v2.1")] {
        let site = cloud.site("compute", region).unwrap();
        let (mut next, mut names) = (format!("{path}/servers?limit=10"), Vec::new());
        let origin = format!("http://{}", site.public());
        loop {
            let page = json_of(&get(site, &token, &next).await);
            names.extend(page["servers"].as_array().unwrap().iter().map(|server| server["name"].clone()));
            let Some(link) = page["servers_links"][0]["href"].as_str() else { break };
            next = link.strip_prefix(&origin).unwrap().to_owned();
        }
        names.dedup();
        assert_eq!(names.len(), 25, "{region}");
    }
}

#[tokio::test(start_paused = true)]
async fn each_service_has_its_version_document_at_its_root() {
    let (cloud, _) = cloud().await;
    for (service, region, path, status, link) in [
        ("compute", "RegionTwo", "/compute", 200, "/compute/v2.1/"),
        ("compute", "RegionThree", "/v1/compute/", 200, "/v1/compute/v2.1/"),
        ("network", "RegionOne", "/", 200, "/v2.0/"),
        ("volumev3", "RegionTwo", "/volume/", 300, "/volume/v3/"),
        ("orchestration", "RegionOne", "/", 300, "/v1/"),
    ] {
        let site = cloud.site(service, region).unwrap();
        let reply = get(site, "", path).await;
        assert_eq!(reply.status(), status, "{service}");
        let href = &json_of(&reply)["versions"][0]["links"][0]["href"];
        assert_eq!(*href, format!("http://{}{link}", site.public()));
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_made_is_there_until_it_is_deleted() {
    let (cloud, token) = cloud().await;
    let site = cloud.site("compute", "RegionThree").unwrap();
    let base = format!("/v1/compute/v2.1/{}/servers", PROJECTS[0].id);
    let fields = [("x-auth-token", token.as_str()), ("openstack-api-version", "compute 2.79")];
    let body = json!({ "server": { "name": "new", "flavorRef": "1" } }).to_string();
    let made = ask(site.public(), "POST", &base, &fields, &body).await;
    assert_eq!(
        (made.status().as_u16(), &made.headers()["openstack-api-version"]),
        (202, &"compute 2.79".parse().unwrap())
    );
    let id = json_of(&made)["server"]["id"].as_str().unwrap().to_owned();
    let own = format!("{base}/{id}");
    assert_eq!(made.headers()["location"], format!("http://{}{own}", site.public()));
    assert_eq!(json_of(&get(site, &token, &own).await)["server"]["flavorRef"], "1");
    assert_eq!(ask(site.public(), "DELETE", &own, &fields, "").await.status(), 204);
    assert_eq!(json_of(&get(site, &token, &own).await)["itemNotFound"]["code"], 404);
}

#[tokio::test(start_paused = true)]
async fn a_stack_is_found_by_its_name() {
    let (cloud, token) = cloud().await;
    let site = cloud.site("orchestration", "RegionOne").unwrap();
    let base = format!("/v1/{}/stacks", PROJECTS[0].id);
    let found = get(site, &token, &format!("{base}/stack-01")).await;
    assert_eq!(found.status(), 302);
    let location = found.headers()["location"].to_str().unwrap().to_owned();
    let path = location.strip_prefix(&format!("http://{}", site.public())).unwrap();
    assert_eq!(json_of(&get(site, &token, path).await)["stack"]["stack_name"], "stack-01");
}

#[tokio::test(start_paused = true)]
async fn what_is_asked_wrongly_is_told_in_each_projects_shape() {
    let (cloud, token) = cloud().await;
    let uri = format!("Keystone uri=\"{}\"", cloud.auth_url());
    for (service, path, shape) in [
        ("compute", "/v2.1/servers/x", "itemNotFound"),
        ("network", "/v2.0/networks/x", "NeutronError"),
        ("placement", "/placement/resource_providers/x", "errors"),
        ("orchestration", "/v1/stacks/x", "explanation"),
    ] {
        let site = cloud.site(service, "RegionOne").unwrap();
        let reply = get(site, &token, path).await;
        assert_eq!(reply.status(), 404);
        assert!(json_of(&reply).get(shape).is_some(), "{service}");
        let refused = get(site, "bad", path).await;
        assert_eq!(
            (refused.status().as_u16(), &refused.headers()["www-authenticate"]),
            (401, &uri.parse().unwrap())
        );
    }
    let site = cloud.site("compute", "RegionOne").unwrap();
    for path in ["/v2.1/servers?limit=x", "/v2.1/servers?limit=-1", "/v2.1/servers?marker=nobody"] {
        assert_eq!(get(site, &token, path).await.status(), 400, "{path}");
    }
    for body in ["", "[]", "{\"server\": 1}", "\u{0}"] {
        let fields = [("x-auth-token", token.as_str())];
        assert_eq!(ask(site.public(), "POST", "/v2.1/servers", &fields, body).await.status(), 400, "{body}");
    }
    let fields = [("x-auth-token", token.as_str()), ("openstack-api-version", "compute 9.9")];
    assert_eq!(ask(site.public(), "GET", "/v2.1/servers", &fields, "").await.status(), 406);
}

#[tokio::test(start_paused = true)]
async fn what_is_made_is_bounded_and_the_refusal_says_how() {
    let (cloud, token) = cloud().await;
    let site = cloud.site("compute", "RegionOne").unwrap();
    let fields = [("x-auth-token", token.as_str())];
    let make = async |body: &str| ask(site.public(), "POST", "/v2.1/servers", &fields, body).await;
    let body = |length: usize| format!("{:<length$}", json!({ "server": { "name": "n" } }).to_string());
    assert_eq!(make(&body(8192)).await.status(), 202);
    let refused = make(&body(8193)).await;
    assert_eq!(refused.status(), 413);
    assert!(str::from_utf8(refused.body()).unwrap().contains("at most 8192 bytes"));
    for _ in 1..1000 {
        assert_eq!(make(&body(2)).await.status(), 202);
    }
    let refused = make(&body(2)).await;
    assert_eq!(refused.status(), 403);
    assert!(json_of(&refused)["forbidden"]["message"].as_str().unwrap().contains("at most 1000 things"));
}

#[tokio::test(start_paused = true)]
async fn pages_of_neutron_lead_on_and_back_by_the_same_way() {
    let (cloud, token) = cloud().await;
    let site = cloud.site("network", "RegionOne").unwrap();
    let origin = format!("http://{}", site.public());
    let ids = |page: &Value| -> Vec<String> {
        let ports = page["ports"].as_array().unwrap().iter();
        ports.map(|port| port["id"].as_str().unwrap().to_owned()).collect()
    };
    let link = |page: &Value, rel: &str| {
        let links = page["ports_links"].as_array().into_iter().flatten();
        let href = links.filter(|link| link["rel"] == rel).find_map(|link| link["href"].as_str());
        href.map(|href| href.strip_prefix(&origin).unwrap().to_owned())
    };
    let (mut path, mut there) = ("/v2.0/ports?limit=5&fields=id".to_owned(), Vec::new());
    loop {
        let page = json_of(&get(site, &token, &path).await);
        there.push(ids(&page));
        let Some(next) = link(&page, "next") else { break };
        assert!(next.contains("&fields=id"), "{next}");
        path = next;
    }
    assert_eq!(there.iter().map(Vec::len).collect::<Vec<_>>(), [5, 5, 2]);
    let mut back = vec![there[2].clone()];
    for _ in 0..2 {
        let previous = link(&json_of(&get(site, &token, &path).await), "previous").unwrap();
        assert!(previous.contains("&fields=id"), "{previous}");
        back.insert(0, ids(&json_of(&get(site, &token, &previous).await)));
        path = previous;
    }
    assert_eq!(back, there);
    assert_eq!(link(&json_of(&get(site, &token, &path).await), "previous"), None);
}

#[tokio::test(start_paused = true)]
async fn a_list_is_filtered_by_name() {
    let (cloud, token) = cloud().await;
    for (service, path, list, expected) in [
        ("network", "/v2.0/ports?name=port%2D07", "ports", 1),
        ("network", "/v2.0/ports?name=port", "ports", 0),
        ("compute", "/v2.1/servers?name=server-07", "servers", 1),
        ("compute", "/v2.1/servers/detail?name=%5Eserver%5C-07%24", "servers", 1),
        ("compute", "/v2.1/servers?name=server-0", "servers", 9),
        ("compute", "/v2.1/servers?name=%5Eerver-07", "servers", 0),
        ("compute", "/v2.1/flavors?name=none", "flavors", 4),
    ] {
        let site = cloud.site(service, "RegionOne").unwrap();
        let page = json_of(&get(site, &token, path).await);
        assert_eq!(page[list].as_array().unwrap().len(), expected, "{path}");
    }
    // The second page is of the same list.
    let site = cloud.site("compute", "RegionOne").unwrap();
    let page = json_of(&get(site, &token, "/v2.1/servers?limit=5&name=server-0").await);
    let next = page["servers_links"][0]["href"].as_str().unwrap();
    let path = next.strip_prefix(&format!("http://{}", site.public())).unwrap();
    assert_eq!(json_of(&get(site, &token, path).await)["servers"].as_array().unwrap().len(), 4);
}
