//! What must hold of `clouds.yaml` and `secure.yaml`, whatever is in them.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::Arc;

use serde_json::Value as Json;
use zeroize::Zeroizing;

use super::{Clouds, mapping, normalized};
use crate::catalog::Region;
use crate::config::login;
use crate::config::mistakes::Mistakes;
use crate::config::places::Places;
use crate::config::settings::Placed;
use crate::config::yaml::{self, Node, Value};

/// Reads a `clouds.yaml` and, after a line `%%%`, a `secure.yaml`.
pub(crate) fn clouds(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let (text, secure) = text.split_once("\n%%%\n").unwrap_or((text, ""));
    let (Some(mut tree), Some(secure)) = (tree(text), tree(secure)) else { return };
    merges(&tree, &secure);
    yaml::merge(&mut tree, secure);
    if !has_file_of_its_own(&tree) {
        nothing_secret_is_told(&tree);
    }
}

type Tree = BTreeMap<String, Node>;

/// What is read, read again from its own writing, is the same; and JSON is what serde_json makes of it.
fn tree(text: &str) -> Option<Tree> {
    let file: Arc<str> = Arc::from("/nowhere/clouds.yaml");
    let tree = yaml::parse(text, &file).ok()?;
    let mut written = String::new();
    write_map(&mut written, &tree);
    // A merge key is one in quotes too, and a key that stands before a colon has 1024 characters at most, which are ten
    // here for one (YAML 1.2.2, 7.4.2); and what aliases made large is not read again.
    if !has_key(&tree, &|key| key == "<<" || key.len() > 100) && written.len() < 100_000 && depth(&tree) < 60
    {
        match yaml::parse(&written, &file) {
            Ok(again) => assert!(same_map(&tree, &again), "{written}"),
            Err(error) => panic!("{error}: {written}"),
        }
        if let Ok(json @ Json::Object(_)) = serde_json::from_str(text) {
            let node = Node { value: Value::Map(tree.clone()), line: 1, file };
            same_as_json(&node, &json, text);
        }
    }
    Some(tree)
}

fn same_as_json(node: &Node, json: &Json, text: &str) {
    match (&node.value, json) {
        (Value::Null, Json::Null) => {}
        (Value::Text(seen), Json::String(expected)) => assert_eq!(**seen, *expected),
        (Value::Text(seen), Json::Bool(expected)) => assert_eq!(**seen, expected.to_string()),
        (Value::Text(seen), Json::Number(_)) => {
            assert!(text.contains(&**seen), "{} is not written like that", **seen);
            assert_eq!(serde_json::from_str::<Json>(seen).ok().as_ref(), Some(json));
        }
        (Value::List(seen), Json::Array(expected)) => {
            assert_eq!(seen.len(), expected.len());
            seen.iter().zip(expected).for_each(|(seen, expected)| same_as_json(seen, expected, text));
        }
        (Value::Map(seen), Json::Object(expected)) => {
            assert_eq!(seen.len(), expected.len());
            for (key, expected) in expected {
                same_as_json(&seen[key], expected, text);
            }
        }
        (seen, expected) => panic!("{seen:?} is not {expected}"),
    }
}

/// Everything of the upper one is there, and of the lower what the upper does not hide.
fn merges(under: &Tree, over: &Tree) {
    let mut merged = under.clone();
    yaml::merge(&mut merged, over.clone());
    lies_over(&merged, under, over);
    let mut twice = merged.clone();
    yaml::merge(&mut twice, over.clone());
    assert!(same_map(&twice, &merged));
    let mut alone = Tree::new();
    yaml::merge(&mut alone, under.clone());
    assert!(same_map(&alone, under));
}

fn lies_over(merged: &Tree, under: &Tree, over: &Tree) {
    for key in merged.keys() {
        match (under.get(key).map(|it| &it.value), over.get(key).map(|it| &it.value)) {
            (Some(Value::Map(under)), Some(Value::Map(over))) => {
                let Some(merged) = merged[key].map() else { panic!("{key} is no mapping") };
                lies_over(merged, under, over);
            }
            (_, Some(over)) => assert!(same(&merged[key].value, over), "{key}"),
            (Some(under), None) => assert!(same(&merged[key].value, under), "{key}"),
            (None, None) => panic!("{key} comes from nowhere"),
        }
    }
    assert!(under.keys().chain(over.keys()).all(|key| merged.contains_key(key)));
}

/// Whoever reads what is told cannot tell one secret from another; and who gets nothing is told why.
fn nothing_secret_is_told(tree: &Tree) {
    let mut other = tree.clone();
    other.values_mut().for_each(change_secrets);
    for region in [None, Some("GRA"), Some("R 2")] {
        let (told, told_of_other) = (told(tree.clone(), region), told(other.clone(), region));
        assert!(told == told_of_other, "a secret is told:\n{told}\n{told_of_other}");
    }
    for node in tree.values() {
        if let Some(map) = node.map() {
            let once = normalized(map);
            assert!(same_map(&normalized(&once), &once));
        }
    }
}

/// All that is shown of the first clouds and their logins.
fn told(mut tree: Tree, region: Option<&str>) -> String {
    let places = Places::new(&BTreeMap::new(), PathBuf::from("/nowhere"), PathBuf::from("/nowhere"));
    let mut mistakes = Mistakes::default();
    let clouds = mapping(&mut tree, "clouds", &mut mistakes);
    let profiles = mapping(&mut tree, "public-clouds", &mut mistakes);
    let files = vec![PathBuf::from("/nowhere/clouds.yaml")];
    let clouds =
        Clouds { clouds, profiles, files, public_file: None, unreadable: Vec::new(), keeps_tokens: false };
    let region = region.map(|region| Placed { value: Region(region.to_owned()), place: "--region".into() });
    let mut told = format!("{mistakes}{clouds:?}");
    for name in clouds.names().into_iter().take(4) {
        let (mut warnings, mut mistakes) = (Vec::new(), Mistakes::default());
        let name = Placed { value: name.to_owned(), place: "--cloud".into() };
        let cloud = clouds.cloud(&name, region.as_ref(), &places, &mut warnings, &mut mistakes);
        let _ = write!(told, "{mistakes}{mistakes:?}{warnings:?}{cloud:?}");
        let Some(cloud) = cloud else {
            assert!(!mistakes.is_empty(), "cloud `{}` is not there, and nobody is told why", name.value);
            continue;
        };
        let mut mistakes = Mistakes::default();
        let credentials = login::credentials(&cloud.draft, &mut warnings, &mut mistakes);
        let _ = write!(told, "{mistakes}{mistakes:?}{warnings:?}{credentials:?}");
        assert!(credentials.is_some() || !mistakes.is_empty(), "no login, and nobody is told why");
    }
    told
}

/// Other letters in every secret, and as many.
fn change_secrets(node: &mut Node) {
    match &mut node.value {
        Value::Map(map) => {
            for (key, node) in map {
                match &mut node.value {
                    Value::Text(text) if SECRETS.contains(&&*key.replace('-', "_")) => {
                        let other = |c: char| match c {
                            'q' => 'r',
                            c if c.is_ascii_alphanumeric() => 'q',
                            c => c,
                        };
                        *text = Zeroizing::new(text.chars().map(other).collect());
                    }
                    _ => change_secrets(node),
                }
            }
        }
        Value::List(list) => list.iter_mut().for_each(change_secrets),
        Value::Null | Value::Text(_) => {}
    }
}

/// Nothing is read from the machine that this runs on.
fn has_file_of_its_own(tree: &Tree) -> bool {
    tree.iter()
        .any(|(key, node)| key.replace('-', "_").ends_with("_file") || is_in(node, &has_file_of_its_own))
}

fn depth(tree: &Tree) -> usize {
    fn of(node: &Node) -> usize {
        match &node.value {
            Value::Map(map) => depth(map),
            Value::List(list) => 1 + list.iter().map(of).max().unwrap_or_default(),
            Value::Null | Value::Text(_) => 0,
        }
    }
    1 + tree.values().map(of).max().unwrap_or_default()
}

fn has_key(tree: &Tree, is_so: &dyn Fn(&str) -> bool) -> bool {
    tree.iter().any(|(key, node)| is_so(key) || is_in(node, &|tree| has_key(tree, is_so)))
}

fn is_in(node: &Node, is_so: &dyn Fn(&Tree) -> bool) -> bool {
    match &node.value {
        Value::Map(map) => is_so(map),
        Value::List(list) => list.iter().any(|node| is_in(node, is_so)),
        Value::Null | Value::Text(_) => false,
    }
}

fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Null, Value::Null) => true,
        (Value::Text(one), Value::Text(other)) => one == other,
        (Value::List(one), Value::List(other)) => {
            one.len() == other.len()
                && one.iter().zip(other).all(|(one, other)| same(&one.value, &other.value))
        }
        (Value::Map(one), Value::Map(other)) => same_map(one, other),
        _ => false,
    }
}

fn same_map(one: &Tree, other: &Tree) -> bool {
    one.len() == other.len()
        && one.iter().all(|(key, node)| other.get(key).is_some_and(|other| same(&node.value, &other.value)))
}

/// Everything in double quotes, with all but plain letters escaped (YAML 1.2.2, 7.3.1).
fn write(out: &mut String, node: &Node) {
    match &node.value {
        Value::Null => out.push('~'),
        Value::Text(text) => write_text(out, text),
        Value::List(list) => {
            out.push('[');
            for node in list {
                write(out, node);
                out.push(',');
            }
            out.push(']');
        }
        Value::Map(map) => write_map(out, map),
    }
}

fn write_map(out: &mut String, map: &Tree) {
    out.push('{');
    for (key, node) in map {
        write_text(out, key);
        out.push_str(": ");
        write(out, node);
        out.push_str(",\n ");
    }
    out.push('}');
}

fn write_text(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        let _ = match c {
            ' ' | '!' | '#'..='[' | ']'..='~' => write!(out, "{c}"),
            c => write!(out, "\\U{:08x}", u32::from(c)),
        };
    }
    out.push('"');
}

/// What logs in, by any of its names; not the seed of passcodes, of which it shows whether it is one.
const SECRETS: [&str; 8] = [
    "access_token",
    "application_credential_secret",
    "auth_token",
    "client_secret",
    "oauth2_client_secret",
    "passcode",
    "password",
    "token",
];
