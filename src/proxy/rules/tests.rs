//! Tests of whole rules over a catalog; those of the parts stand beside them.

use http::HeaderMap;

use super::*;
use crate::catalog::{Catalog, Endpoint, EndpointUrl, Interface, Region};
use crate::proxy::AllowedUser;
use crate::routing::{Build, Preferences, ServicePreferences};

/// `https://h` serves everything by path, Swift has a port of its own; Nova stands with a project and without.
fn table() -> RouteTable {
    let rows = [
        ("compute", "https://h/compute/v2.1"),
        ("block-storage", "https://h/volume/v3/p"),
        ("network", "https://n:9696"),
        ("object-store", "https://s:8080/v1/AUTH_p"),
        ("placement", "https://h"),
        ("s3", "https://s3"),
    ];
    let endpoints = rows.map(|(service_type, url)| Endpoint {
        service_type: service_type.to_owned(),
        service_name: None,
        interface: Interface::Public,
        region: Some(Region("R".to_owned())),
        url: url.parse().unwrap(),
    });
    let buckets = ServicePreferences { names: vec!["buckets".to_owned()], ..ServicePreferences::default() };
    let services = [("s3".to_owned(), buckets)].into();
    RouteTable::build(Build {
        catalog: &Catalog { endpoints: endpoints.into(), skipped: Vec::new() },
        auth_url: Some(&"https://h/identity/v3".parse::<EndpointUrl>().unwrap()),
        preferences: &Preferences { interfaces: vec![Interface::Public], services, ..Preferences::default() },
        project_id: Some("p"),
        user_id: Some("u"),
        project_scoped: true,
        previous: None,
    })
}

fn rule(action: Action) -> Rule {
    Rule::new("rule 1".to_owned(), action)
}

fn about(action: Action, service: &str, method: &str, path: &str) -> Rule {
    let list = |text: &str| if text.is_empty() { Vec::new() } else { vec![text.to_owned()] };
    let methods = list(method).into_iter().map(|name| match name.as_str() {
        "read" => Methods::Read,
        "write" => Methods::Write,
        _ => Methods::Named(name),
    });
    Rule {
        services: list(service),
        methods: methods.collect(),
        paths: list(path).iter().map(|path| path.parse().unwrap()).collect(),
        ..rule(action)
    }
}

fn deny(service: &str, method: &str, path: &str) -> Rules {
    Rules::new(false, vec![about(Action::Deny, service, method, path)], &[])
}

fn allow(service: &str, method: &str, path: &str) -> Rules {
    Rules::new(false, vec![about(Action::Allow, service, method, path)], &[])
}

/// Whether a request with these fields, by this user, is let through; what goes nowhere is not.
fn lets(
    rules: &Rules,
    method: &str,
    path: &str,
    fields: &[(&'static str, &'static str)],
    user: Option<u32>,
) -> bool {
    let routes = table();
    let headers: HeaderMap =
        fields.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect();
    let Ok(target) = routes.resolve(path) else { return false };
    let asked = Asked {
        method: &method.parse().unwrap(),
        headers: &headers,
        target: &target,
        routes: &routes,
        project: Some("p"),
        user,
        is_upgrade: false,
    };
    rules.check(&asked).is_ok()
}

fn passes(rules: &Rules, method: &str, path: &str) -> bool {
    lets(rules, method, path, &[], None)
}

#[test]
fn without_rules_everything_is_allowed() {
    assert!(passes(&Rules::default(), "DELETE", "/compute/servers/1"));
}

#[test]
fn the_first_rule_that_matches_decides_and_the_rest_is_the_opposite_of_the_last() {
    let mut rules = vec![
        about(Action::Allow, "object-store", "", "/public/**"),
        about(Action::Deny, "object-store", "write", ""),
    ];
    let both = Rules::new(false, rules.clone(), &[]);
    assert!(passes(&both, "PUT", "/object-store/public/o"));
    assert!(!passes(&both, "PUT", "/object-store/private/o"));
    assert!(passes(&both, "GET", "/object-store/private/o"));
    assert!(passes(&both, "PUT", "/compute/servers"));
    rules.reverse();
    let reversed = Rules::new(false, rules, &[]);
    assert!(!passes(&reversed, "PUT", "/object-store/public/o"));
    assert!(!passes(&reversed, "GET", "/compute/servers"));
}

#[test]
fn a_path_is_what_follows_service_version_and_owner() {
    for (service, pattern, path) in [
        ("compute", "/servers/*", "/compute/servers/1"),
        ("compute", "/servers/*", "/compute/v2.1/servers/1"),
        ("compute", "/servers/*", "/compute/v2/p/servers/1"),
        ("compute", "/servers/*", "/compute/v2.1/0123456789abcdef0123456789abcdef/servers/1"),
        ("compute", "/servers", "/compute/servers/"),
        ("compute", "/servers", "/compute/Servers.json"),
        ("compute", "/", "/compute/"),
        ("block-storage", "/volumes", "/volume/volumes"),
        ("block-storage", "/volumes", "/volume/v3/p/volumes"),
        ("block-storage", "/volumes", "/volume/v3/volumes"),
        ("network", "/networks/*", "/network/v2.0/networks/1.json"),
        ("object-store", "/c/o", "/object-store/c/o"),
        ("object-store", "/c/o", "/object-store/v1/AUTH_p/c/o"),
        ("object-store", "/c", "/object-store/c/"),
        ("object-store", "/v1/AUTH_q/c/o", "/object-store/v1/AUTH_q/c/o"),
        ("identity", "/users", "/identity/v3/users"),
        ("s3", "/v2/key", "/buckets/v2/key"),
        ("s3", "/bucket", "/buckets/bucket/"),
    ] {
        assert!(!passes(&deny(service, "", pattern), "GET", path), "{path}");
        assert!(passes(&deny("image", "", pattern), "GET", path), "{path}");
    }
    assert!(!passes(&allow("object-store", "", "/c/**"), "GET", "/object-store/v1/AUTH_q/c/o"));
    assert!(
        passes(&deny("object-store", "", "/c/o"), "GET", "/object-store/C/o"),
        "letters count for objects"
    );
    assert!(passes(&deny("object-store", "", "/c/o"), "GET", "/object-store/c/o.json"));
}

/// Spellings of `DELETE`ing `/servers/1` that some server takes for it.
#[test]
fn no_spelling_gets_around_a_rule() {
    let denying = deny("compute", "DELETE", "/servers/*");
    let allowing = allow("compute", "", "/flavors/**");
    for path in [
        "/servers/1",
        "/servers//1",
        "//servers/1",
        "/./servers/1",
        "/flavors/../servers/1",
        "/flavors/%2e%2E/servers/1",
        "/flavors/%252e%252e/servers/1",
        "/flavors%2f..%2fservers%2f1",
        "/flavors/..;x/servers/1",
        "/flavors/..%3Bx/servers/1",
        "/flavors%5C..%5Cservers/1",
        "/flavors\\..\\servers\\1",
        "/%73ervers/1",
        "/%2573ervers/1",
        "/%252573ervers/1",
        "/SERVERS/1",
        "/servers;a=b/1",
        "/servers/1;a=b",
        "/servers/1.json",
        "/servers/1.XML",
        "/servers/1%3Fx=/images",
        "/servers/1%23",
        "/servers/1/",
        "/servers/1//",
        "/servers%00/1",
        "/servers%20/1",
        "/servers%09/1%0a",
        "/servers/1/x/..",
        "/servers/1/x/../",
        "/servers%2F1",
        "/x%2Fy/../servers/1",
        "/x/y%2F..%2F../servers/1",
        "/v2.1/servers/1",
        "/v2.1/p/servers/1",
        "/%70/servers/1",
        "/P/servers/1",
        "/v2.1/0123456789abcdef0123456789abcdef/servers/1",
        "/v2.1/flavors/../servers/1",
    ] {
        let path = format!("/compute{path}");
        assert!(!passes(&denying, "DELETE", &path), "{path}");
        assert!(!passes(&allowing, "DELETE", &path), "{path}");
    }
    for path in ["/compute/servers", "/compute/servers/1/ips", "/compute/flavors/1", "/compute/serversx/1"] {
        assert!(passes(&denying, "DELETE", path), "{path}");
    }
    assert!(passes(&allowing, "GET", "/compute/v2.1/flavors/1"));
    assert!(passes(
        &allow("object-store", "", "/my files/**"),
        "GET",
        "/object-store/my%20files/a%20b%2Fc%25;d//e"
    ));
}

#[test]
fn another_service_of_the_same_host_is_no_way_around() {
    for path in [
        "/placement/compute/v2.1/servers/1",
        "/placement/%43ompute/servers/1",
        "/placement//compute/servers/1",
    ] {
        assert!(!passes(&deny("compute", "", "/servers/*"), "GET", path), "{path}");
        assert!(!passes(&deny("compute", "", ""), "GET", path), "{path}");
    }
    assert!(!passes(&deny("identity", "", ""), "GET", "/placement/identity/v3/users"));
    assert!(passes(&deny("identity", "", ""), "GET", "/placement/resource_providers"));
    assert!(passes(&deny("compute", "", ""), "GET", "/placement/computers"));
}

#[test]
fn methods_are_meant_in_every_way_they_can_be_said() {
    let rules = deny("compute", "DELETE", "");
    for (method, path, fields) in [
        ("DELETE", "/compute/x", &[][..]),
        ("GET", "/compute/x?a&_method=GET,%20DELETE", &[]),
        ("POST", "/compute/x?_method=Delete", &[]),
        ("Delete", "/compute/x", &[]),
    ] {
        assert!(!lets(&rules, method, path, fields, None), "{method} {path} {fields:?}");
    }
    assert!(!passes(&deny("", "GET", ""), "HEAD", "/compute/x"));
    assert!(passes(&allow("", "GET", ""), "HEAD", "/compute/x"));
    assert!(!passes(&allow("", "read", ""), "get", "/compute/x"));
    assert!(!passes(&deny("", "write", ""), "FROBNICATE", "/compute/x"));
    assert!(passes(&deny("", "write", ""), "OPTIONS", "/compute/x"));
}

#[test]
fn objects_are_reached_by_other_ways_than_their_path() {
    let rules = Rules::new(
        false,
        vec![
            about(Action::Deny, "object-store", "", "/private/**"),
            about(Action::Deny, "object-store", "DELETE", "/kept/**"),
        ],
        &[],
    );
    for (method, path, fields) in [
        ("PUT", "/object-store/public/o", &[("x-copy-from", "private/o")][..]),
        ("PUT", "/object-store/public/o", &[("x-copy-from", "/%70rivate/o")]),
        ("PUT", "/object-store/public/o", &[("x-copy-from", "c/o"), ("x-copy-from-account", "AUTH_q")]),
        ("COPY", "/object-store/public/o", &[("destination", "private/o")]),
        ("COPY", "/object-store/private/o", &[("destination", "public/o")]),
        ("COPY", "/object-store/public/o", &[]),
        ("PUT", "/object-store/public/o", &[("x-symlink-target", "private/o")]),
        ("PUT", "/object-store/public/o", &[("x-object-manifest", "private/o")]),
        ("PUT", "/object-store/public/o?multipart-manifest=put", &[]),
        ("POST", "/object-store/?bulk-delete", &[]),
        ("POST", "/object-store/kept/o", &[("x-delete-at", "1")]),
        ("PUT", "/object-store/kept/o", &[("x-delete-after", "1")]),
    ] {
        assert!(!lets(&rules, method, path, fields, None), "{method} {path} {fields:?}");
    }
    for (method, path, fields) in [
        ("PUT", "/object-store/public/o", &[("x-copy-from", "other/o")][..]),
        ("COPY", "/object-store/public/o", &[("destination", "other/o")]),
        ("PUT", "/object-store/kept/o", &[]),
        ("POST", "/object-store/public/o", &[("x-delete-at", "1")]),
        ("DELETE", "/object-store/public/o", &[]),
    ] {
        assert!(lets(&rules, method, path, fields, None), "{method} {path} {fields:?}");
    }
}

#[test]
fn nothing_but_reading_passes_where_it_is_the_only_thing() {
    let rules = Rules::new(true, vec![rule(Action::Allow)], &[]);
    for method in ["PUT", "POST", "DELETE", "PATCH", "COPY", "PURGE", "get"] {
        assert!(!passes(&rules, method, "/compute/servers"), "{method}");
    }
    for method in ["GET", "HEAD", "OPTIONS"] {
        assert!(passes(&rules, method, "/compute/servers"), "{method}");
        assert!(!passes(&rules, method, "/compute/x?_method=PUT"));
    }
    assert!(rules.hides_keys());
}

#[test]
fn an_upgrade_is_no_reading() {
    let routes = table();
    let target = routes.resolve("/compute/x").unwrap();
    let (method, headers) = (Method::GET, HeaderMap::new());
    let (project, user) = (None, None);
    let asked = Asked {
        method: &method,
        headers: &headers,
        target: &target,
        routes: &routes,
        project,
        user,
        is_upgrade: true,
    };
    assert!(Rules::new(true, Vec::new(), &[]).check(&asked).is_err());
    assert!(Rules::default().check(&asked).is_ok());
}

#[test]
fn users_have_rules_of_their_own_and_the_unknown_have_the_worst() {
    let users = |ids: u32| Some(AllowedUsers::new(vec![AllowedUser::Ids(ids..=ids)]));
    let denying =
        Rules::new(false, vec![Rule { users: users(7), ..about(Action::Deny, "", "write", "") }], &[]);
    let allowing = Rules::new(false, vec![Rule { users: users(7), ..rule(Action::Allow) }], &[]);
    assert!(denying.need_users() && !Rules::default().need_users());
    let lets = |rules: &Rules, user| lets(rules, "PUT", "/compute/x", &[], user);
    assert!(!lets(&denying, Some(7)) && lets(&denying, Some(8)) && !lets(&denying, None));
    assert!(lets(&allowing, Some(7)) && !lets(&allowing, Some(8)) && !lets(&allowing, None));
}

#[test]
fn queries_and_fields_are_conditions_too() {
    let sig = Parameter { name: "temp_url_sig".to_owned(), value: None };
    let rules = Rules::new(false, vec![Rule { query: vec![sig], ..rule(Action::Deny) }], &[]);
    assert!(!passes(&rules, "GET", "/object-store/c/o?x&temp%5Furl_sig=1"));
    assert!(passes(&rules, "GET", "/object-store/c/o?x"));
    let rules =
        Rules::new(false, vec![Rule { fields: vec![http::header::RANGE], ..rule(Action::Deny) }], &[]);
    assert!(!lets(&rules, "GET", "/object-store/c/o", &[("range", "bytes=0-1")], None));
    assert!(passes(&rules, "GET", "/object-store/c/o"));
}

#[test]
fn an_override_of_no_region_is_taken_for_what_is_denied() {
    let regions = |action, region: &str| {
        Rules::new(false, vec![Rule { regions: vec![region.to_owned()], ..rule(action) }], &[])
    };
    assert!(!passes(&regions(Action::Deny, "R"), "GET", "/compute/x"));
    assert!(passes(&regions(Action::Deny, "S"), "GET", "/compute/x"));
    // Keystone at the auth URL has none.
    assert!(!passes(&regions(Action::Deny, "S"), "GET", "/identity/v3/users"));
    assert!(!passes(&regions(Action::Allow, "R"), "GET", "/identity/v3/users"));
}

#[test]
fn ready_made_sets_hold() {
    let set = |set| Rules::new(false, Vec::new(), &[set]);
    let objects = set(RuleSet::ObjectsReadOnly);
    assert!(!passes(&objects, "PUT", "/object-store/c/o") && passes(&objects, "GET", "/object-store/c/o"));
    assert!(passes(&objects, "POST", "/compute/servers"));
    let identity = set(RuleSet::NoIdentity);
    assert!(!passes(&identity, "GET", "/identity/v3/users") && passes(&identity, "DELETE", "/compute/x"));
    let deletes = set(RuleSet::NoDeletes);
    for (method, path) in [
        ("DELETE", "/compute/servers/1"),
        ("POST", "/compute/servers/1/action"),
        ("POST", "/volume/v3/p/volumes/1/action"),
        ("POST", "/object-store/?bulk-delete"),
        ("PUT", "/object-store/c/o?multipart-manifest=delete"),
    ] {
        assert!(!passes(&deletes, method, path), "{method} {path}");
    }
    assert!(
        passes(&deletes, "POST", "/object-store/c/action") && passes(&deletes, "PUT", "/object-store/c/o")
    );
    let exception = Rules::new(
        false,
        vec![about(Action::Allow, "object-store", "DELETE", "/tmp/**")],
        &[RuleSet::NoDeletes],
    );
    assert!(passes(&exception, "DELETE", "/object-store/tmp/o") && passes(&exception, "GET", "/compute/x"));
    assert!(!passes(&exception, "DELETE", "/object-store/c/o"));
}

#[test]
fn a_path_of_too_many_readings_is_refused() {
    let nested = format!("%{}41", "25".repeat(600));
    assert!(!passes(&deny("compute", "DELETE", "/servers"), "GET", &format!("/compute/{nested}")));
    assert!(
        passes(&deny("compute", "DELETE", ""), "GET", &format!("/compute/{nested}")),
        "no rule is about paths"
    );
    let long = format!("/object-store/c/{}%{}41", "a".repeat(40_000), "25".repeat(100));
    assert!(!passes(&deny("object-store", "DELETE", "/c"), "GET", &long));
}

/// How servers and gateways read a path, written anew and in words rather than bytes: each is one of these, after
/// another.
#[derive(Clone, Copy, Debug)]
enum Habit {
    Decodes,
    MergesSlashes,
    ResolvesDots,
    DropsParameters,
    TurnsBackslashes,
    CutsAtQuestionMark,
    DropsFormat,
}

fn read_by(habit: Habit, path: &str) -> String {
    let rejoined = |segments: Vec<&str>| format!("/{}", segments.join("/"));
    match habit {
        Habit::Decodes => {
            let mut text = String::new();
            let mut rest = path;
            while let Some(start) = rest.find('%') {
                text.push_str(&rest[..start]);
                let value =
                    rest.get(start + 1..start + 3).and_then(|digits| u8::from_str_radix(digits, 16).ok());
                match value.filter(u8::is_ascii) {
                    Some(byte) => {
                        text.push(char::from(byte));
                        rest = &rest[start + 3..];
                    }
                    None => {
                        text.push('%');
                        rest = &rest[start + 1..];
                    }
                }
            }
            text + rest
        }
        Habit::MergesSlashes => {
            let mut text = path.to_owned();
            while text.contains("//") {
                text = text.replace("//", "/");
            }
            text
        }
        Habit::ResolvesDots => {
            let mut kept: Vec<&str> = Vec::new();
            for segment in path.split('/').skip(1) {
                match segment {
                    "." => {}
                    ".." => drop(kept.pop()),
                    _ => kept.push(segment),
                }
            }
            rejoined(kept)
        }
        Habit::DropsParameters => {
            rejoined(path.split('/').skip(1).map(|it| it.split(';').next().unwrap_or_default()).collect())
        }
        Habit::TurnsBackslashes => path.replace('\\', "/"),
        Habit::CutsAtQuestionMark => path.split('?').next().unwrap_or_default().to_owned(),
        Habit::DropsFormat => path.strip_suffix(".json").unwrap_or(path).to_owned(),
    }
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(4000))]

    /// If what the upstream makes of a path is denied, so is the path.
    #[test]
    fn what_an_upstream_reads_as_denied_is_denied(
        path in "((/|%2F|\\\\|%5c|//)(servers|%73ervers|%2573ervers|1|\\.\\.|%2e%2e|\\.|x|)(|;y|%3bz|\\.json|%3F|%253Fq)){1,5}",
        habits in proptest::collection::vec(0_usize..7, 0..6),
    ) {
        const HABITS: [Habit; 7] = [
            Habit::Decodes,
            Habit::MergesSlashes,
            Habit::ResolvesDots,
            Habit::DropsParameters,
            Habit::TurnsBackslashes,
            Habit::CutsAtQuestionMark,
            Habit::DropsFormat,
        ];
        let path = if path.starts_with('/') { path } else { format!("/{path}") };
        // Whoever serves it decodes once.
        let habits = habits.into_iter().map(|it| HABITS[it]).chain([Habit::Decodes]);
        let read = habits.fold(path.clone(), |path, habit| read_by(habit, &path));
        let segments: Vec<&str> = read.trim_end_matches('/').split('/').collect();
        if let ["", "servers", "1"] = segments[..] {
            let path = format!("/compute{path}");
            proptest::prop_assert!(!passes(&deny("compute", "DELETE", "/servers/1"), "DELETE", &path), "{path} is read as {read}");
            proptest::prop_assert!(!passes(&allow("compute", "", "/flavors/**"), "DELETE", &path), "{path}");
        }
    }
}
