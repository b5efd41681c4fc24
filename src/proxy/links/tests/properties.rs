//! Laws, over documents that look like those of services, whole and broken.

use super::{Bytes, Pieces, Scanner, Value, json, oracle, pass, shapes, table, table_of};
use crate::proxy::links::directories::Directories;
use crate::proxy::links::scanner::Turned;
use crate::routing::Pin;
use proptest::prelude::*;

const SERVICES: [&str; 6] =
    ["compute", "identity", "orchestration", "baremetal", "network", "resource-optimization"];

/// Names that mean something, in the right places and in wrong ones.
fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => prop::sample::select(vec![
            "servers", "server", "links", "href", "next", "self", "servers_links", "flavor", "metadata", "versions",
            "values", "catalog", "token", "endpoints", "url", "stack", "resources", "nodes", "ports", "scope", "audits",
        ])
        .prop_map(str::to_owned),
        1 => "[a-z\"\\\\/é]{0,6}",
    ]
}

fn link() -> impl Strategy<Value = String> {
    prop_oneof![
        2 => "http://up/[a-z\"\\\\/?#é]{0,8}",
        1 => "(https?://|/|//)?(elsewhere|up)?[a-z/]{0,8}",
        1 => "[\\PC]{0,8}",
    ]
}

fn document() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        4 => link().prop_map(Value::from),
        1 => any::<i32>().prop_map(Value::from),
        1 => Just(Value::Null),
        1 => any::<bool>().prop_map(Value::from),
    ];
    let below = leaf.prop_recursive(6, 60, 5, |inner| {
        prop_oneof![
            1 => prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            2 => prop::collection::vec((name(), inner), 0..5)
                .prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
        ]
    });
    let links = prop::collection::vec(link(), 0..3).prop_map(|links| {
        links.into_iter().map(|href| json!({ "rel": "self", "href": href })).collect::<Value>()
    });
    (below, links, name()).prop_map(|(mut top, links, name)| {
        if let Value::Object(top) = &mut top {
            top.insert("servers".to_owned(), json!([{ "links": links, "metadata": { "links": links } }]));
            top.insert(format!("{name}_links"), links);
        }
        top
    })
}

/// Bytes that are nearly JSON.
fn broken() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        (document(), any::<prop::sample::Index>(), any::<Option<u8>>()).prop_map(|(document, at, byte)| {
            let mut bytes = document.to_string().into_bytes();
            let at = at.index(bytes.len());
            match byte {
                Some(byte) => bytes[at] = byte,
                None => bytes.truncate(at),
            }
            bytes
        }),
        "([\\[\\]{},:]|\"(links|href|versions|next|http://up/|\\\\|\\\\u00|\\\\ud83d|\u{0})\"?| |1|null){0,40}"
            .prop_map(String::into_bytes),
        prop::collection::vec(any::<u8>(), 0..64),
    ]
}

/// What bases of endpoints are made of, and what means something in a path.
fn segment() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "compute",
        "v2.1",
        "servers",
        "volume",
        "v3",
        "p",
        "heat",
        "v1",
        "AUTH_ab",
        "AUTH_q",
        "identity",
        "images",
        "v2.0",
        "placement",
        "info",
        "ab",
        "a b",
        "..",
        ".",
        "%2e%2e",
        "a%2Fb",
        "-",
        "a;b",
        "",
        "v2",
        "cd-1_2",
    ])
}

/// Where endpoints are, and above.
const BASES: [&[&str]; 10] = [
    &[],
    &["compute"],
    &["compute", "v2.1"],
    &["volume"],
    &["volume", "v3"],
    &["heat", "v1"],
    &["v1"],
    &["v1", "AUTH_ab"],
    &["v2.0"],
    &["identity", "v3"],
];

fn origin() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "http://up",
        "http://up:80",
        "https://up",
        "http://UP",
        "http://up:9292",
        "http://up:8080",
        "http://up:9696",
        "http://up:8041",
        "http://elsewhere",
        "http://u@up",
    ])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn what_is_learnt_of_a_directory_is_what_each_of_its_links_is_turned_to(
        origin in origin(),
        base in prop::sample::select(BASES.to_vec()),
        below in prop::collection::vec(segment(), 0..3),
        names in prop::collection::vec(segment(), 2..12),
        asked in prop::sample::select(vec!["/compute/servers", "/identity/users", "/v3/users", "/volumev3/", "/metric/x"]),
        pinned in prop::option::of(prop::sample::select(vec!["compute", "image", "network"])),
    ) {
        let table = table_of("ab");
        let pin = pinned.map(|service| service.parse::<Pin>().unwrap());
        let target = match &pin {
            Some(pin) => table.resolve_at(pin, "/servers").unwrap(),
            None => table.resolve(asked).unwrap(),
        };
        let links: Vec<String> = names
            .iter()
            .map(|name| [&[origin][..], base, &below, &[*name]].concat().join("/"))
            .collect();
        let mut directories = Directories::default();
        for link in &links {
            let turned = table.turn_back(&target, link, "http://here:5050");
            match directories.find(link.as_bytes()) {
                Some(Turned::To(length, here)) => {
                    let followed = format!("{}{}", std::str::from_utf8(here).unwrap(), &link[length..]);
                    prop_assert_eq!(turned.as_ref(), Some(&followed), "{}", link);
                }
                Some(Turned::Not) => prop_assert_eq!(turned.as_ref(), None, "{}", link),
                None => {}
            }
            directories.learn(link, turned.as_deref(), || table.turns_directory_of(link));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]
    #[test]
    fn links_are_those_of_the_table_and_all_else_is_the_same_to_the_byte(
        document in document(),
        service in prop::sample::select(&SERVICES[..]),
        is_pretty in any::<bool>(),
        cuts in prop::collection::vec(0..2000_usize, 0..8),
    ) {
        let came = if is_pretty { serde_json::to_string_pretty(&document) } else { serde_json::to_string(&document) };
        oracle::holds(service, shapes(service), came.unwrap().as_bytes(), &cuts);
    }

    #[test]
    fn what_is_nearly_json_is_no_less_the_same(
        bytes in broken(),
        service in prop::sample::select(&SERVICES[..]),
        cuts in prop::collection::vec(0..2000_usize, 0..8),
    ) {
        oracle::holds(service, shapes(service), &bytes, &cuts);
    }

    #[test]
    fn a_turned_link_leads_forward_to_what_it_was(
        request in "/(compute|compute@R|nova|volumev3|image|identity|v3)/",
        host in "(up|up:80|up:9292|up:9696|up:8080|elsewhere)",
        path in "(/(compute|volume|identity|image|heat|v1|AUTH_p|v2\\.1|v3|p|\\.\\.|a%2Fb|[a-z]{0,3})){0,5}",
        query in "(\\?[a-z=/?]{0,5})?",
    ) {
        const BASE: &str = "http://127.0.0.1:5050";
        let table = table();
        let target = table.resolve(&request).unwrap();
        let link = format!("http://{host}{path}{query}");
        let came = json!({ "versions": [{ "links": [{ "href": link }] }] }).to_string();
        let mut turn = |link: &str| table.turn_back(&target, link, BASE);
        let out = pass(shapes("compute"), &[came.as_bytes()], &mut turn);
        let out: Value = serde_json::from_slice(&out).unwrap();
        let out = out["versions"][0]["links"][0]["href"].as_str().unwrap();
        if let Some(here) = out.strip_prefix(BASE) {
            let forward = table.resolve(here).unwrap();
            let upstream = &forward.route.upstream;
            let forward = format!("{}://{}{}", upstream.scheme, upstream.authority, forward.path_and_query);
            let slash = if path.is_empty() { "/" } else { "" };
            let host = if host == "up:80" { "up" } else { &host };
            prop_assert_eq!(forward, format!("http://{host}{path}{slash}{query}"));
        } else {
            prop_assert_eq!(out, link);
        }
    }

    #[test]
    fn memory_is_bounded_whatever_comes(bytes in prop::collection::vec(any::<u8>(), 0..200), times in 1..200_usize) {
        let mut scanner = Scanner::new(shapes("compute"));
        let mut pieces = Pieces::default();
        let (mut came, mut gone) = (0, 0);
        for _ in 0..times {
            came += bytes.len();
            scanner.feed(&Bytes::copy_from_slice(&bytes), &mut |_: &str| None, &mut pieces);
            while let Some(piece) = pieces.take() {
                gone += piece.len();
            }
            prop_assert!(came - gone <= 8 * 1024);
        }
    }
}
