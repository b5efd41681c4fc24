//! Discovery: what stock clients ask of the catalog that a local login shows leads to every service, in every region.
//!
//! The clients' ways from a catalog's URL to what they ask for are written down here as they take them:
//! `keystoneauth1/discover.py` (which openstacksdk uses), gophercloud's `openstack/utils/base_endpoint.go`,
//! python-swiftclient's `client.py` and the `swift.go` of `ncw/swift` (rclone, restic).

use std::collections::BTreeSet;
use std::net::SocketAddr;

use gatestone::config::Config;
use gatestone::embedded::people::PROJECTS;
use gatestone::embedded::{Cloud, Spec};
use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};
use serde_json::{Value, json};

use crate::support::http::Reply;
use crate::support::{Keystone, Proxy, Service, ask, config, get};

/// An endpoint, as the catalog here shows it and as the real one does.
#[derive(Debug)]
struct Pair {
    service_type: String,
    region: String,
    here: String,
    there: String,
}

impl Pair {
    fn is_object_store(&self) -> bool {
        self.service_type == "object-store"
    }
}

/// The embedded cloud with its four regions, the proxy, and each public endpoint on both sides.
async fn cloud() -> (Cloud, Proxy, Vec<Pair>) {
    let cloud = Cloud::start(Spec::default()).await.unwrap();
    let proxy = Proxy::with(config::password(&cloud.auth_url()));
    let here = endpoints(&log_in(proxy.addr).await["token"]["catalog"]);
    let real = ask(
        cloud.identity().unwrap().public(),
        format!("GET /v3/auth/catalog HTTP/1.1\r\nHost: x\r\nX-Auth-Token: {}\r\n\r\n", token_of(&cloud)),
    )
    .await;
    let there = endpoints(&real.json()["catalog"]);
    let pairs: Vec<Pair> = there
        .into_iter()
        .map(|(service_type, region, there)| {
            let is_it = |it: &&(String, String, String)| it.0 == service_type && it.1 == region;
            let here = here.iter().find(is_it).unwrap().2.clone();
            Pair { service_type, region, here, there }
        })
        .collect();
    assert_eq!(pairs.len(), cloud.sites().len());
    (cloud, proxy, pairs)
}

async fn log_in(addr: SocketAddr) -> Value {
    let body = json!({ "auth": { "identity": { "methods": ["password"] } } }).to_string();
    let length = body.len();
    ask(
        addr,
        format!("POST /v3/auth/tokens HTTP/1.1\r\nHost: {addr}\r\nContent-Length: {length}\r\n\r\n{body}"),
    )
    .await
    .json()
}

/// Type, region and URL of what is public.
fn endpoints(catalog: &Value) -> Vec<(String, String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let services = catalog.as_array().unwrap().iter();
    services
        .flat_map(|service| {
            let public =
                service["endpoints"].as_array().unwrap().iter().filter(|it| it["interface"] == "public");
            public.map(|it| (text(&service["type"]), text(&it["region"]), text(&it["url"])))
        })
        .collect()
}

/// The token that the proxy holds.
fn token_of(cloud: &Cloud) -> String {
    cloud.keystone().tokens().pop().unwrap()
}

/// `GET` of an absolute URL, with lines of the head.
async fn fetch(url: &str, lines: &str) -> Reply {
    let (authority, path) = split(url);
    let path = if path.is_empty() { "/" } else { path };
    ask(authority.parse().unwrap(), format!("GET {path} HTTP/1.1\r\nHost: {authority}\r\n{lines}\r\n")).await
}

/// Authority and path of a URL.
fn split(url: &str) -> (&str, &str) {
    let rest = url.strip_prefix("http://").unwrap();
    rest.split_at(rest.find('/').unwrap_or(rest.len()))
}

fn origin(url: &str) -> &str {
    url.strip_suffix(split(url).1).unwrap()
}

/// The versions that a document names.
fn versions(reply: &Reply) -> BTreeSet<String> {
    let Ok(body) = serde_json::from_slice::<Value>(&reply.body) else { return BTreeSet::new() };
    let lists = [&body["versions"], &body["versions"]["values"]];
    let listed = lists.into_iter().filter_map(Value::as_array).flatten().chain([&body["version"]]);
    listed.filter_map(|it| it["id"].as_str()).map(str::to_owned).collect()
}

/// `normalize_version_number`: the major version.
fn major(segment: &str) -> Option<u32> {
    let numbers = segment.strip_prefix('v')?;
    let is_version = numbers.split('.').all(|it| !it.is_empty() && it.bytes().all(|it| it.is_ascii_digit()));
    is_version.then(|| numbers.split('.').next()?.parse().ok())?
}

/// keystoneauth's `_get_discovery_url_choices`, in its order.
fn keystoneauth(catalog_url: &str, project_id: Option<&str>, wanted: Option<u32>) -> Vec<String> {
    let catalog_url = catalog_url.to_owned();
    let trimmed = catalog_url.trim_end_matches('/');
    let (origin, path) = (origin(trimmed), split(trimmed).1);
    let mut parts: Vec<&str> = path.split('/').collect();
    let last = |parts: &[&str]| parts.last().copied().unwrap_or_default().to_owned();
    match project_id {
        Some(id) if last(&parts) == id => {
            parts.pop();
        }
        None if parts.len() > 1 && major(parts[parts.len() - 2]).is_some() => {
            parts.pop();
        }
        _ => {}
    }
    let mut choices = Vec::new();
    if let Some(found) = major(&last(&parts)) {
        if wanted == Some(found) {
            choices.push(format!("{origin}{}/", parts.join("/")));
        }
        parts.pop();
    }
    let hacked = format!("{origin}{}", parts.join("/"));
    choices.push(if hacked == catalog_url { hacked } else { format!("{}/", hacked.trim_end_matches('/')) });
    choices.push(catalog_url);
    choices.dedup();
    choices
}

/// Go's `url.Parse`, a cut at the first `v[0-9.]+/?` of the decoded path, and `URL.String`.
fn gophercloud(endpoint: &str, with_version: bool) -> String {
    let path = percent_decode_str(split(endpoint).1).decode_utf8().unwrap().into_owned();
    let is_digit = |byte: &u8| byte.is_ascii_digit() || *byte == b'.';
    let bytes = path.as_bytes();
    let start = (0..bytes.len()).find(|at| bytes[*at] == b'v' && bytes.get(at + 1).is_some_and(is_digit));
    let Some(start) = start else { return endpoint.to_owned() };
    let digits = bytes[start + 1..].iter().take_while(|byte| is_digit(byte)).count();
    let mut end = start + 1 + digits;
    end += usize::from(bytes.get(end) == Some(&b'/'));
    let cut = &path[..if with_version { end } else { start }];
    format!("{}{}", origin(endpoint), utf8_percent_encode(cut, GO_PATH))
}

/// What Go encodes in a path (`net/url`, `shouldEscape`).
const GO_PATH: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'[')
    .add(b'\\')
    .add(b']')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// gophercloud's `NormalizeURL`.
fn normalized(url: &str) -> String {
    if url.ends_with('/') { url.to_owned() } else { format!("{url}/") }
}

/// python-swiftclient's `_map_url`: `/v1` and all after it is replaced.
fn swiftclient_info(storage_url: &str) -> String {
    match storage_url.find("/v1") {
        Some(at) => format!("{}/info", &storage_url[..at]),
        None => format!("{storage_url}/info"),
    }
}

/// `ncw/swift`, `QueryInfo`: `path.Join(storage_url, "..", "..", "info")`.
fn rclone_info(storage_url: &str) -> String {
    let path = split(storage_url).1;
    let parts: Vec<&str> = path.split('/').collect();
    format!("{}{}/info", origin(storage_url), parts[..parts.len() - 2].join("/"))
}

/// A list that each service has.
fn collection(service_type: &str) -> &'static str {
    match service_type {
        "compute" => "servers",
        "network" => "networks",
        "volumev3" => "volumes",
        "placement" => "resource_providers",
        "orchestration" => "stacks",
        "image" => "images",
        "identity" => "auth/projects",
        other => panic!("{other}"),
    }
}

#[tokio::test(start_paused = true)]
async fn keystoneauth_finds_here_what_it_finds_there() {
    let (cloud, _proxy, pairs) = cloud().await;
    let token = format!("X-Auth-Token: {}\r\n", token_of(&cloud));
    let mut found = 0;
    // An object store without an account in its URL is here without a version, too; it has none to find.
    for pair in pairs.iter().filter(|pair| !(pair.is_object_store() && pair.there.ends_with("/v1"))) {
        let versions_of_interest = [None, Some(1), Some(2), Some(3)];
        for project_id in [Some(PROJECTS[0].id), None] {
            for wanted in versions_of_interest {
                let here = keystoneauth(&pair.here, project_id, wanted);
                // The catalog here names Keystone's version, also where the cloud's own leaves it out.
                let is_bare = pair.service_type == "identity" && !pair.there.ends_with("/v3");
                let there = format!("{}{}", pair.there, if is_bare { "/v3" } else { "" });
                let there = keystoneauth(&there, project_id, wanted);
                assert_eq!(here.len(), there.len(), "{pair:?}: {here:?}, {there:?}");
                for (here, there) in here.iter().zip(&there) {
                    let (ours, real) = (fetch(here, "").await, fetch(there, &token).await);
                    let context = format!("{here} for {there}");
                    if pair.is_object_store() {
                        // Swift has no versions to find: at its root nothing, here the account, which is no such document.
                        let ends = [ours.status, real.status].iter().all(|it| (200..500).contains(it));
                        assert!(ends && ours.reason().is_empty(), "{context}");
                    } else {
                        assert_eq!((ours.status, ours.reason()), (real.status, ""), "{context}");
                    }
                    if pair.service_type != "identity" {
                        assert_eq!(versions(&ours), versions(&real), "{context}");
                    }
                    found += versions(&ours).len();
                }
            }
        }
    }
    assert!(found > 100, "{found}");
}

#[tokio::test(start_paused = true)]
async fn what_gophercloud_cuts_off_a_url_leaves_one_that_lists_versions() {
    let (_cloud, _proxy, pairs) = cloud().await;
    for pair in pairs.iter().filter(|pair| !pair.is_object_store()) {
        let endpoint = normalized(&pair.here);
        let (base, versioned) = (gophercloud(&endpoint, false), gophercloud(&endpoint, true));
        let list = fetch(&base, "").await;
        assert!(matches!(list.status, 200 | 300), "{base}: {}", list.status);
        let known = versions(&list);
        assert!(!known.is_empty(), "{base}: {}", list.text());
        // `GetServiceVersions`: a version at the end of a URL is believed, else the document there is read.
        let last = versioned.trim_end_matches('/').rsplit('/').next().unwrap();
        if let Some(major) = major(last) {
            assert!(known.iter().any(|id| id.starts_with(&format!("v{major}"))), "{versioned}: {known:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn every_service_is_used_at_its_url_and_at_its_version_with_the_project_behind_it() {
    let (_cloud, _proxy, pairs) = cloud().await;
    let project = PROJECTS[0].id;
    for pair in pairs.iter().filter(|pair| !pair.is_object_store()) {
        let list = collection(&pair.service_type);
        let (origin, path) = (origin(&pair.here), split(&pair.here).1);
        let prefix = path.split('/').nth(1).unwrap();
        let version = match pair.service_type.as_str() {
            "image" => "/v2",
            "network" => "/v2.0",
            "placement" => "",
            _ => path
                .split('/')
                .find_map(|it| major(it).is_some().then(|| &path[path.find(it).unwrap() - 1..]))
                .unwrap(),
        };
        let version = version.trim_end_matches(&format!("/{project}"));
        // keystoneauth puts the project that it took off behind the version that it chose; cinder's and heat's need it.
        let with_project = format!("{version}/{project}");
        let ways = match pair.service_type.as_str() {
            "volumev3" | "compute" | "orchestration" => vec![version.to_owned(), with_project],
            _ => vec![version.to_owned()],
        };
        for way in ways {
            let url = format!("{origin}/{prefix}{way}/{list}");
            let reply = fetch(&url, "").await;
            assert_eq!(reply.status, 200, "{url}: {}", reply.text());
        }
        let direct = match pair.service_type.as_str() {
            // openstacksdk and gophercloud put these versions behind the catalog's URL (`ResourceBase`), if they are not there.
            "network" | "image" if !pair.here.contains("/v2") => format!("{}{version}/{list}", pair.here),
            _ => format!("{}/{list}", pair.here.trim_end_matches('/')),
        };
        assert_eq!(fetch(&direct, "").await.status, 200, "{direct}");
    }
}

#[tokio::test(start_paused = true)]
async fn micro_versions_pass_both_ways() {
    let (_cloud, _proxy, pairs) = cloud().await;
    let mut seen = BTreeSet::new();
    for pair in &pairs {
        let (name, version, too_new) = match pair.service_type.as_str() {
            "compute" => ("compute", "2.53", "2.999"),
            "volumev3" => ("volume", "3.60", "3.999"),
            "placement" => ("placement", "1.30", "1.999"),
            _ => continue,
        };
        let url = format!("{}/{}", pair.here, collection(&pair.service_type));
        let reply = fetch(&url, &format!("OpenStack-API-Version: {name} {version}\r\n")).await;
        let answered = reply.field("openstack-api-version");
        assert_eq!((reply.status, answered), (200, Some(format!("{name} {version}").as_str())), "{url}");
        assert!(reply.field("vary").unwrap().contains("OpenStack-API-Version"), "{}", reply.head);
        let reply = fetch(&url, &format!("OpenStack-API-Version: {name} {too_new}\r\n")).await;
        assert_eq!((reply.status, reply.reason()), (406, ""), "{url}");
        seen.insert((name, &pair.region));
    }
    assert_eq!(seen.len(), 7);
}

#[tokio::test(start_paused = true)]
async fn capabilities_are_found_from_the_storage_url_in_every_region() {
    let (_cloud, proxy, pairs) = cloud().await;
    let stores: Vec<&Pair> = pairs.iter().filter(|pair| pair.is_object_store()).collect();
    assert_eq!(stores.len(), 4);
    for pair in stores {
        let login = get(proxy.addr, &format!("/auth@{}/v1.0", pair.region)).await;
        assert_eq!(login.field("x-storage-url"), Some(pair.here.as_str()));
        // rclone takes two segments off, which leads past a gateway that has no account in its URL, there as here.
        let rclone = (!pair.there.ends_with("/v1")).then(|| rclone_info(&pair.here));
        for url in [swiftclient_info(&pair.here)].into_iter().chain(rclone) {
            let reply = fetch(&url, "").await;
            assert!(reply.status == 200 && reply.json()["swift"].is_object(), "{url}: {}", reply.status);
        }
        // The account, a container and a segment's container of its own.
        let put = |path: &str| {
            let (authority, account) = split(&pair.here);
            format!("PUT {account}{path} HTTP/1.1\r\nHost: {authority}\r\nContent-Length: 0\r\n\r\n")
        };
        for path in ["/c", "/c_segments", "/c/v1/o", "/c/info"] {
            assert_eq!(ask(proxy.addr, put(path)).await.status, 201, "{path}");
        }
        let listed = fetch(&format!("{}?format=json", pair.here), "").await.json();
        let names: Vec<&str> =
            listed.as_array().unwrap().iter().map(|it| it["name"].as_str().unwrap()).collect();
        assert_eq!(names, ["c", "c_segments"], "{}", pair.region);
    }
}

/// Endpoints of odd shapes, which all lead to one service that tells what it got.
async fn odd(rows: &[(&str, &str, &str)], change: impl FnOnce(&mut Config)) -> (Service, Keystone, Proxy) {
    let service = Service::echo().await;
    let mut catalog: Vec<Value> = Vec::new();
    for (service_type, region, path) in rows {
        let endpoint = json!({
            "interface": "public", "region": region, "region_id": region, "url": format!("http://{}{path}", service.addr),
        });
        match catalog.iter_mut().find(|it| it["type"] == *service_type) {
            Some(known) => known["endpoints"].as_array_mut().unwrap().push(endpoint),
            None => {
                catalog.push(json!({ "type": service_type, "name": service_type, "endpoints": [endpoint] }))
            }
        }
    }
    let keystone = Keystone::start(catalog.into()).await;
    let mut settings = config::password(&keystone.url);
    change(&mut settings);
    let proxy = Proxy::with(settings);
    (service, keystone, proxy)
}

#[tokio::test(start_paused = true)]
async fn regions_and_types_with_a_version_in_their_name_do_not_lead_gophercloud_astray() {
    let rows = [
        ("compute", "R", "/nova/v2.1"),
        ("compute", "dev1", "/dev/nova/v2.1"),
        ("compute", "prov2-a", "/prov/nova/v2.1/p1"),
        ("image", "dev1", "/dev/glance"),
        ("network", "prov2-a", "/prov/neutron"),
        ("volumev3", "R", "/cinder/v3/p1"),
        ("volumev3", "dev1", "/dev/cinder/v3/p1"),
        ("sharev2", "dev1", "/dev/manila/v2"),
        ("sharev2", "R", "/manila/v2/p1"),
    ];
    let (service, _keystone, proxy) = odd(&rows, |settings| {
        settings.routing.region = Some(gatestone::catalog::Region("R".to_owned()));
    })
    .await;
    let listed = endpoints(&log_in(proxy.addr).await["token"]["catalog"]);
    for (service_type, region, path) in rows {
        let (.., url) = listed
            .iter()
            .find(|it| it.0 == service_type && it.1 == region)
            .unwrap_or_else(|| panic!("{service_type}"));
        let endpoint = normalized(url);
        let version = path.split('/').find(|it| major(it).is_some());
        let root = &path[..version.map_or(path.len(), |version| path.find(version).unwrap())];
        let to_version =
            &path[..version.map_or(path.len(), |version| path.find(version).unwrap() + version.len())];
        for (asked, expected) in [
            (gophercloud(&endpoint, false), normalized(root)),
            (gophercloud(&endpoint, true), normalized(to_version)),
            (format!("{endpoint}x"), format!("{path}/x")),
            (
                keystoneauth(url, Some("p1"), None).remove(0),
                if version.is_some() { normalized(root) } else { path.to_owned() },
            ),
        ] {
            assert_eq!(fetch(&asked, "").await.status, 200, "{asked}");
            let head = service.heads().pop().unwrap();
            assert_eq!(head.split(' ').nth(1), Some(expected.as_str()), "{asked} for {path}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn object_gateways_of_ceph_are_found_with_and_without_an_account_in_their_url() {
    let rows = [
        ("object-store", "R", "/swift/v1"),
        ("object-store", "S", "/swift/v1/AUTH_p1"),
        ("object-store", "T", "/v1"),
    ];
    let (service, _keystone, proxy) = odd(&rows, |_| {}).await;
    for (region, endpoint, info) in
        [("R", "/swift/v1", "/swift/info"), ("S", "/swift/v1/AUTH_p1", "/swift/info"), ("T", "/v1", "/info")]
    {
        let login = get(proxy.addr, &format!("/auth@{region}/v1.0")).await;
        let storage_url = login.field("x-storage-url").unwrap();
        for (asked, expected) in [
            (swiftclient_info(storage_url), info.to_owned()),
            (storage_url.to_owned(), endpoint.to_owned()),
            (format!("{storage_url}/c?prefix=a"), format!("{endpoint}/c?prefix=a")),
            (format!("{storage_url}/c_segments/v1/o"), format!("{endpoint}/c_segments/v1/o")),
        ] {
            assert_eq!(fetch(&asked, "").await.status, 200, "{asked}");
            let head = service.heads().pop().unwrap();
            assert_eq!(head.split(' ').nth(1), Some(expected.as_str()), "{asked}");
        }
        if region == "S" {
            fetch(&rclone_info(storage_url), "").await;
            assert!(service.heads().pop().unwrap().starts_with("GET /swift/info "));
        }
    }
}
