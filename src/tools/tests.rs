use std::collections::BTreeMap;

use super::*;

const AT: &str = "http://127.0.0.1:5050";

fn status() -> Value {
    json!({
        "region": "GRA11",
        "holder": {
            "user": { "id": "u", "name": "demo", "domain": { "id": "default", "name": "Default" } },
            "scope": { "project": { "id": "p", "name": "it's", "domain": { "id": "default", "name": "Default" } } },
        },
        "services": [
            { "type": "identity", "region": null, "interface": null },
            { "type": "compute", "region": "GRA11", "interface": "public" },
            { "type": "object-store", "region": "GRA", "interface": "public" },
        ],
    })
}

fn as_map(variables: Variables) -> BTreeMap<String, String> {
    let count = variables.len();
    let map: BTreeMap<_, _> = variables.into_iter().collect();
    assert_eq!(map.len(), count, "a variable is set twice");
    map
}

fn lines(tool: Tool, held: &Held) -> Vec<String> {
    tool.variables(AT, held).into_iter().map(|(name, value)| format!("{name}={value}")).collect()
}

#[test]
fn each_tool_gets_what_it_reads() {
    let held = Held::from_status(&status());
    let openrc = [
        "OS_AUTH_URL=http://127.0.0.1:5050/v3",
        "OS_IDENTITY_API_VERSION=3",
        "OS_AUTH_TYPE=password",
        "OS_USERNAME=demo",
        "OS_PASSWORD=unused",
        "OS_USER_DOMAIN_NAME=Default",
        "OS_PROJECT_ID=p",
        "OS_PROJECT_NAME=it's",
        "OS_PROJECT_DOMAIN_NAME=Default",
        "OS_REGION_NAME=GRA11",
        "OS_OBJECT_STORE_REGION_NAME=GRA",
    ];
    let v1 = ["ST_AUTH=http://127.0.0.1:5050/auth/v1.0", "ST_USER=gatestone", "ST_KEY=unused"];
    let table: [(Tool, Vec<&str>); 7] = [
        (Tool::Openstack, openrc.to_vec()),
        (Tool::Terraform, openrc.to_vec()),
        (Tool::Swift, [&["ST_AUTH_VERSION=1.0"][..], &v1].concat()),
        (Tool::Restic, v1.to_vec()),
        (
            Tool::Rclone,
            vec![
                "RCLONE_CONFIG_GATESTONE_TYPE=swift",
                "RCLONE_CONFIG_GATESTONE_ENV_AUTH=false",
                "RCLONE_CONFIG_GATESTONE_AUTH_VERSION=1",
                "RCLONE_CONFIG_GATESTONE_AUTH=http://127.0.0.1:5050/auth/v1.0",
                "RCLONE_CONFIG_GATESTONE_USER=gatestone",
                "RCLONE_CONFIG_GATESTONE_KEY=unused",
            ],
        ),
        (
            Tool::Duplicity,
            vec![
                "SWIFT_AUTHURL=http://127.0.0.1:5050/v3",
                "SWIFT_USERNAME=demo",
                "SWIFT_PASSWORD=unused",
                "SWIFT_AUTHVERSION=3",
                "SWIFT_USER_DOMAIN_NAME=Default",
                "SWIFT_PROJECT_NAME=it's",
                "SWIFT_PROJECT_DOMAIN_NAME=Default",
                "SWIFT_REGIONNAME=GRA",
            ],
        ),
        (Tool::Curl, vec!["GATESTONE_URL=http://127.0.0.1:5050"]),
    ];
    for (tool, expected) in table {
        assert_eq!(lines(tool, &held), expected, "{tool:?}");
    }
    let v1 = [
        "SWIFT_AUTHURL=http://127.0.0.1:5050/auth/v1.0",
        "SWIFT_USERNAME=gatestone",
        "SWIFT_PASSWORD=unused",
    ];
    assert_eq!(lines(Tool::Duplicity, &Held::default()), [&v1[..], &["SWIFT_AUTHVERSION=1"]].concat());
}

#[test]
fn the_scope_is_the_one_that_is_held() {
    for (scope, expected) in [
        (json!({ "domain": { "id": "d", "name": "D" } }), Some("OS_DOMAIN_ID=d")),
        (json!({ "system": { "all": true } }), Some("OS_SYSTEM_SCOPE=all")),
        (json!({ "project": { "id": "p", "name": "n" } }), Some("OS_PROJECT_ID=p")),
        (Value::Null, None),
    ] {
        let held = Held::from_status(&json!({ "holder": { "user": {}, "scope": scope } }));
        let set = lines(Tool::Openstack, &held);
        assert_eq!(set.get(6).map(String::as_str), expected);
        assert_eq!(set.len(), 6 + usize::from(expected.is_some()), "{set:?}");
    }
}

#[test]
fn an_interface_is_named_where_it_is_not_the_usual_one() {
    let mut status = status();
    assert_eq!(Held::from_status(&status).interface, None);
    status["services"][1]["interface"] = "internal".into();
    assert_eq!(Held::from_status(&status).interface, None);
    status["services"][2]["interface"] = "internal".into();
    assert_eq!(Held::from_status(&status).interface.as_deref(), Some("internal"));
}

#[test]
fn a_proxy_that_is_not_ready_is_pointed_at_all_the_same() {
    let held = Held::from_status(&json!({ "version": "1", "ready": false }));
    assert_eq!(held, Held::default());
    assert!(lines(Tool::Openstack, &held).contains(&"OS_USERNAME=gatestone".to_owned()));
}

#[test]
fn what_is_set_is_in_nobodys_way_after_it_was_unset() {
    let held = Held::from_status(&status());
    for tool in Tool::value_variants() {
        for name in tool.usually_in_the_way() {
            assert!(tool.is_in_the_way(name), "{name} for {tool:?}");
        }
    }
    for name in ["OS_TOKEN", "OS_CLOUD", "OS_COMPUTE_ENDPOINT_OVERRIDE", "OS_USERID", "OS_SWAUTH"] {
        assert!(Tool::Openstack.is_in_the_way(name) && Tool::Terraform.is_in_the_way(name), "{name}");
    }
    // restic takes OS_* where it finds any.
    for (name, _) in Tool::Openstack.variables(AT, &held) {
        assert!(Tool::Restic.is_in_the_way(&name), "{name}");
    }
    for name in ["PATH", "OS_COMPUTE_API_VERSION", "OS_TEST_PATH", "OS_CLIENT_CONFIG_FILE"] {
        assert!(!Tool::value_variants().iter().any(|tool| tool.is_in_the_way(name)), "{name}");
    }
}

#[test]
fn all_together_do_not_contradict_each_other() {
    let held = Held::from_status(&status());
    let set = as_map(together(AT, &held));
    assert!(set.contains_key("OS_AUTH_URL") && set.contains_key("RCLONE_CONFIG_GATESTONE_AUTH"));
    assert!(set.contains_key("SWIFT_AUTHURL") && !set.contains_key("ST_AUTH"));
    for tool in [Tool::Rclone, Tool::Duplicity] {
        let own = as_map(tool.variables(AT, &held));
        assert!(set.keys().all(|name| own.contains_key(name) || !tool.is_in_the_way(name)), "{tool:?}");
    }
}

#[test]
fn loopback_is_asked_for_directly() {
    let addr = "127.0.0.1:5050".parse().unwrap();
    let past = |variables: &[(&str, &str)]| {
        let map: BTreeMap<&str, &str> = variables.iter().copied().collect();
        let found = past_http_proxies(addr, |name| map.get(name).map(|value| (*value).to_owned()));
        found.into_iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>()
    };
    let proxy = ("http_proxy", "http://proxy:3128");
    assert!(past(&[]).is_empty());
    assert!(past(&[("https_proxy", "http://proxy:3128")]).is_empty());
    assert_eq!(past(&[proxy]), ["no_proxy=127.0.0.1", "NO_PROXY=127.0.0.1"]);
    assert_eq!(past(&[proxy, ("no_proxy", "*"), ("NO_PROXY", "a, 127.0.0.1")]), [""; 0]);
    assert_eq!(
        past(&[proxy, ("NO_PROXY", "a.example,b")]),
        ["no_proxy=a.example,b,127.0.0.1", "NO_PROXY=a.example,b,127.0.0.1"]
    );
}

#[test]
fn a_clouds_yaml_names_the_proxy_and_no_secret() {
    let text = clouds_yaml(&["gatestone", "ovh"], AT, &Held::from_status(&status()));
    let clouds: Value = serde_json::from_str(&text).unwrap();
    let ovh = &clouds["clouds"]["ovh"];
    assert_eq!(*ovh, clouds["clouds"]["gatestone"]);
    assert_eq!(ovh["auth"]["auth_url"], "http://127.0.0.1:5050/v3");
    assert_eq!(ovh["auth"]["project_id"], "p");
    assert_eq!((&ovh["region_name"], &ovh["object_store_region_name"]), (&json!("GRA11"), &json!("GRA")));
}
