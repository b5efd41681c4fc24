//! The layers of a cloud entry as mappings: laid over each other, and looked up.

use std::collections::BTreeMap;

use super::super::draft::{SECRETS, TEXTS};
use super::super::values;
use super::super::yaml::{Node, Value};

/// Keys to values, at any place of the file.
pub(super) type Map = BTreeMap<String, Node>;

/// Lays one layer over another (`loader.py:_auth_update`).
pub(super) fn update(under: &mut Map, over: Map) {
    for (key, node) in over {
        match (under.get_mut(&key), node) {
            (Some(Node { value: Value::Map(old), .. }), Node { value: Value::Map(new), .. })
                if key == "auth" =>
            {
                old.extend(new);
            }
            // A key without a value takes nothing away.
            (Some(_), node) if node.is_null() => {}
            (_, node) => {
                under.insert(key, node);
            }
        }
    }
}

/// The keys about the login: those below `auth`, and those that stand beside it. Which of the
/// two wins depends on the key (`loader.py:_fix_backwards_auth` and `_validate_auth`).
pub(super) fn flatten(map: &Map) -> Map {
    let empty = Map::new();
    let auth = map.get("auth").and_then(Node::map).unwrap_or(&empty);
    let mut flat = Map::new();
    let keys = TEXTS.iter().chain(&SECRETS).map(|(key, _)| *key);
    let files: Vec<String> = SECRETS.iter().map(|(key, _)| format!("{key}_file")).collect();
    for key in keys.chain(files.iter().map(String::as_str)) {
        let spellings =
            std::iter::once(key).chain(OLD_NAMES.iter().filter(|(_, new)| *new == key).map(|(old, _)| *old));
        let found = spellings.into_iter().find_map(|spelling| {
            let (beside, below) = (set(map, spelling), set(auth, spelling));
            if key.contains("project") || key.contains("domain") || key == "token" {
                beside.or(below)
            } else {
                below.or(beside)
            }
        });
        if let Some(node) = found {
            flat.insert(key.to_owned(), node.clone());
        }
    }
    flat
}

fn set<'a>(map: &'a Map, key: &str) -> Option<&'a Node> {
    map.get(key).filter(|node| !node.is_null())
}

/// `{region_name}` and its like, as Python's `str.format` on openstacksdk's side.
pub(super) fn filled_in(text: &str, map: &Map) -> String {
    let mut filled = text.to_owned();
    for (key, node) in map {
        let placeholder = format!("{{{key}}}");
        // URLs are shown, and a secret in one would be an odd thing to ask for.
        if !is_secret(key)
            && filled.contains(&placeholder)
            && let Some(value) = node.text()
        {
            filled = filled.replace(&placeholder, value);
        }
    }
    filled
}

/// Whether a key is one of [`SECRETS`], by an older name too.
fn is_secret(key: &str) -> bool {
    let renamed = OLD_NAMES.iter().find(|(old, _)| *old == key).map_or(key, |(_, new)| *new);
    SECRETS.iter().any(|(secret, _)| *secret == renamed)
}

/// A text, the texts of a list, or those between commas.
pub(super) fn texts(node: &Node) -> Vec<String> {
    match &node.value {
        Value::List(items) => items.iter().filter_map(|item| item.text().map(str::to_owned)).collect(),
        Value::Text(text) => values::list(text),
        Value::Null | Value::Map(_) => Vec::new(),
    }
}

/// File, line and key.
pub(super) fn place(node: &Node, key: &str) -> String {
    format!("{}, `{key}`", node.place())
}

/// Spellings of the past and what they are now.
const OLD_NAMES: [(&str, &str); 5] = [
    ("tenant_id", "project_id"),
    ("tenant_name", "project_name"),
    ("auth_token", "token"),
    ("user_name", "username"),
    ("auth_plugin", "auth_type"),
];
