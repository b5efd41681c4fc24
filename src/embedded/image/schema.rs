//! Glance's versions, and its schemas in short.

use serde_json::{Map, Value, json};

/// The document at the root.
pub(super) fn versions(url: &str) -> Value {
    let minors = [15, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0];
    let minors = minors.iter().map(|minor| (format!("v2.{minor}"), "SUPPORTED"));
    let all = minors.chain([("v2.16".to_owned(), "CURRENT")]);
    let all = all.map(|(id, status)| {
        json!({ "id": id, "status": status, "links": [{ "rel": "self", "href": format!("{url}/v2/") }] })
    });
    json!({ "versions": all.collect::<Vec<_>>() })
}

/// `image`, `images`, `member` or `members`.
pub(super) fn schema(name: &str) -> Option<Value> {
    Some(match name {
        "image" => image(),
        "member" => member(),
        "images" => list("images", &image()),
        "members" => list("members", &member()),
        _ => return None,
    })
}

fn image() -> Value {
    let link = |rel: &str, href: &str| json!({ "rel": rel, "href": href });
    json!({
        "name": "image",
        "properties": properties(PROPERTIES),
        "additionalProperties": { "type": "string" },
        "links": [link("self", "{self}"), link("enclosure", "{file}"), link("describedby", "{schema}")],
    })
}

fn member() -> Value {
    let names = ["created_at", "image_id", "member_id", "schema", "status", "updated_at"];
    json!({ "name": "member", "properties": properties(&names.map(|name| (name, "string", false))) })
}

fn list(name: &str, item: &Value) -> Value {
    let links = ["first", "next", "describedby"].map(|rel| {
        let target = if rel == "describedby" { "schema" } else { rel };
        json!({ "rel": rel, "href": format!("{{{target}}}") })
    });
    json!({
        "name": name,
        "properties": {
            name: { "type": "array", "items": item }, "first": { "type": "string" },
            "next": { "type": "string" }, "schema": { "type": "string" },
        },
        "links": links,
    })
}

fn properties(table: &[(&str, &str, bool)]) -> Map<String, Value> {
    let property = |(name, kind, is_read_only): &(&str, &str, bool)| {
        let mut property = json!({ "type": kind });
        if *is_read_only {
            property["readOnly"] = json!(true);
        }
        ((*name).to_owned(), property)
    };
    table.iter().map(property).collect()
}

const PROPERTIES: &[(&str, &str, bool)] = &[
    ("id", "string", false),
    ("name", "string", false),
    ("status", "string", true),
    ("visibility", "string", false),
    ("protected", "boolean", false),
    ("os_hidden", "boolean", false),
    ("checksum", "string", true),
    ("os_hash_algo", "string", true),
    ("os_hash_value", "string", true),
    ("owner", "string", false),
    ("size", "integer", true),
    ("virtual_size", "integer", true),
    ("container_format", "string", false),
    ("disk_format", "string", false),
    ("created_at", "string", true),
    ("updated_at", "string", true),
    ("tags", "array", false),
    ("direct_url", "string", true),
    ("min_ram", "integer", false),
    ("min_disk", "integer", false),
    ("self", "string", true),
    ("file", "string", true),
    ("schema", "string", true),
    ("locations", "array", false),
];
