//! A YAML file as a tree of texts, each with the line it stands on.
//!
//! Everything in a `clouds.yaml` is text to us, so scalars keep what is written:
//! `project_id: 0123`, `password: yes` and `password: 1e3` are those four, three and
//! three characters, where a reader that infers types would make 83, true and 1000
//! of them. Anchors, aliases and merge keys work; the last of equal keys wins, as in
//! PyYAML. JSON is YAML, so `clouds.json` goes the same way.
//!
//! Errors never quote the file: the line that is wrong may be the one with the password.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::Deserialize;
use serde::de::{self, MapAccess, SeqAccess, Visitor};
use serde_saphyr::{DuplicateKeyPolicy, Error, Spanned};
use zeroize::Zeroizing;

/// A value and the line of the file it stands on.
#[derive(Clone, Debug)]
pub(super) struct Node {
    /// What is written.
    pub(super) value: Value,
    /// Counted from 1.
    pub(super) line: u64,
    /// The file, for messages.
    pub(super) file: Arc<str>,
}

/// What is written at one place of the file.
#[derive(Clone)]
pub(super) enum Value {
    /// Nothing, `~` or `null`.
    Null,
    /// A scalar's own characters. May be a secret.
    Text(Zeroizing<String>),
    /// A sequence.
    List(Vec<Node>),
    /// A mapping.
    Map(BTreeMap<String, Node>),
}

/// Why a text is not the tree we expect.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub(super) enum YamlError {
    /// The text breaks YAML's rules, or ours against files that grow when read.
    #[error("line {line}: {message}")]
    Syntax {
        /// Counted from 1; 0 if unknown.
        line: u64,
        /// Without any of the file's text.
        message: &'static str,
    },
    /// Two documents or more.
    #[error("it holds several YAML documents (`---`), where one is expected")]
    SeveralDocuments,
    /// A list or a text.
    #[error("it is not a mapping of keys to values")]
    NotAMap,
}

/// Reads one document whose top is a mapping; an empty file is an empty mapping.
pub(super) fn parse(text: &str, file: &Arc<str>) -> Result<BTreeMap<String, Node>, YamlError> {
    let options = serde_saphyr::options! {
        duplicate_keys: DuplicateKeyPolicy::PassThrough,
        non_finite_float_policy: serde_saphyr::NonFiniteFloatPolicy::PassThrough,
        with_snippet: false,
        budget: serde_saphyr::budget! {
            max_nodes: 100_000,
            max_events: 300_000,
            max_depth: 64,
        },
        alias_limits: serde_saphyr::alias_limits! {
            max_total_replayed_events: 100_000,
        },
    };
    let raw: Spanned<Raw> =
        serde_saphyr::from_str_with_options(text, options).map_err(|error| explain(&error))?;
    match resolve(raw, text, file).value {
        Value::Map(map) => Ok(map),
        Value::Null => Ok(BTreeMap::new()),
        Value::Text(_) | Value::List(_) => Err(YamlError::NotAMap),
    }
}

impl Node {
    /// The text, if there is one and it is not empty.
    pub(super) fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) if !text.is_empty() => Some(text),
            Value::Null | Value::Text(_) | Value::List(_) | Value::Map(_) => None,
        }
    }

    /// The mapping, if it is one.
    pub(super) fn map(&self) -> Option<&BTreeMap<String, Self>> {
        match &self.value {
            Value::Map(map) => Some(map),
            Value::Null | Value::Text(_) | Value::List(_) => None,
        }
    }

    /// File and line, for messages.
    pub(super) fn place(&self) -> String {
        format!("{}:{}", self.file, self.line)
    }

    /// Whether nothing is written.
    pub(super) fn is_null(&self) -> bool {
        matches!(self.value, Value::Null)
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Text(_) => f.write_str("[text]"),
            Self::List(list) => list.fmt(f),
            Self::Map(map) => map.fmt(f),
        }
    }
}

/// Lays `over` upon `under`, mapping by mapping; anything else is replaced.
pub(super) fn merge(under: &mut BTreeMap<String, Node>, over: BTreeMap<String, Node>) {
    for (key, node) in over {
        match (under.get_mut(&key), node) {
            (Some(Node { value: Value::Map(old), .. }), Node { value: Value::Map(new), .. }) => {
                merge(old, new)
            }
            (_, node) => {
                under.insert(key, node);
            }
        }
    }
}

/// A node before its characters are looked up: serde tells types, not spellings.
enum Raw {
    Null,
    Text(Zeroizing<String>),
    /// A plain scalar that looks like a number or a boolean; its place says what is written.
    Inferred,
    List(Vec<Spanned<Self>>),
    Map(Vec<(String, Spanned<Self>)>),
}

fn resolve(raw: Spanned<Raw>, source: &str, file: &Arc<str>) -> Node {
    let value = match raw.value {
        Raw::Null => Value::Null,
        Raw::Text(text) => Value::Text(text),
        Raw::Inferred => Value::Text(Zeroizing::new(written(raw.defined, source).to_owned())),
        Raw::List(list) => Value::List(list.into_iter().map(|item| resolve(item, source, file)).collect()),
        Raw::Map(map) => {
            Value::Map(map.into_iter().map(|(key, item)| (key, resolve(item, source, file))).collect())
        }
    };
    Node { value, line: raw.referenced.line(), file: Arc::clone(file) }
}

/// The characters at a place of the source.
fn written(at: serde_saphyr::Location, source: &str) -> &str {
    let span = at.span();
    let place = span.byte_offset().zip(span.byte_len()).and_then(|(offset, len)| {
        let start = usize::try_from(offset).ok()?;
        source.get(start..start.checked_add(usize::try_from(len).ok()?)?)
    });
    place.unwrap_or_default().trim()
}

fn explain(error: &Error) -> YamlError {
    let line = error.location().map_or(0, |location| location.line());
    let message = match error.without_snippet() {
        Error::MultipleDocuments { .. } => return YamlError::SeveralDocuments,
        Error::UnknownAnchor { .. } => {
            "an alias (`*name`) without its anchor; quote a text that begins with `*`"
        }
        Error::Budget { .. }
        | Error::AliasReplayLimitExceeded { .. }
        | Error::AliasExpansionLimitExceeded { .. }
        | Error::AliasReplayStackDepthExceeded { .. } => {
            "the file is larger than any sensible one once its aliases are written out"
        }
        _ => {
            "this is not valid YAML; look for indentation, a missing space after `:`, and texts with special characters that want quotes"
        }
    };
    YamlError::Syntax { line, message }
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: de::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RawVisitor)
    }
}

struct RawVisitor;

impl<'de> Visitor<'de> for RawVisitor {
    type Value = Raw;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any YAML value")
    }

    fn visit_unit<E>(self) -> Result<Raw, E> {
        Ok(Raw::Null)
    }

    fn visit_none<E>(self) -> Result<Raw, E> {
        Ok(Raw::Null)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Raw, E> {
        Ok(Raw::Inferred)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Raw, E> {
        Ok(Raw::Inferred)
    }

    fn visit_i128<E>(self, _: i128) -> Result<Raw, E> {
        Ok(Raw::Inferred)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Raw, E> {
        Ok(Raw::Inferred)
    }

    fn visit_u128<E>(self, _: u128) -> Result<Raw, E> {
        Ok(Raw::Inferred)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Raw, E> {
        Ok(Raw::Inferred)
    }

    fn visit_str<E>(self, text: &str) -> Result<Raw, E> {
        Ok(Raw::Text(Zeroizing::new(text.to_owned())))
    }

    fn visit_string<E>(self, text: String) -> Result<Raw, E> {
        Ok(Raw::Text(Zeroizing::new(text)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Raw, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Raw::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Raw, A::Error> {
        let mut map = Vec::new();
        while let Some(entry) = entries.next_entry()? {
            map.push(entry);
        }
        Ok(Raw::Map(map))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(yaml: &str) -> Result<BTreeMap<String, Node>, YamlError> {
        super::parse(yaml, &Arc::from("f"))
    }

    fn text_of(yaml: &str) -> String {
        parse(yaml).unwrap()["k"].text().unwrap_or_default().to_owned()
    }

    #[test]
    fn scalars_keep_the_characters_that_are_written() {
        for written in [
            "0123",
            "1234",
            "yes",
            "No",
            "true",
            "on",
            "1e3",
            "0x1F",
            "1_000",
            "1.10",
            "+5",
            "-07",
            ".inf",
            ".nan",
            "12345678901234567890123456789",
            "1:30",
            "2024-01-01",
            "p@ss: word",
            "a#b",
            "12e999",
        ] {
            let quoted = if written.contains(": ") { format!("'{written}'") } else { written.to_owned() };
            assert_eq!(text_of(&format!("a: 1\nk: {quoted} # note\nz: 2\n")), written);
            assert_eq!(text_of(&format!("{{\"k\": {quoted}, \"é\": 3}}")), written);
        }
        assert_eq!(text_of("é: ü\nk: 007"), "007");
        assert_eq!(text_of("k: '007'"), "007");
        assert_eq!(text_of("k: |\n  two\n  lines\n"), "two\nlines\n");
        assert!(parse("k: ~\nl:\nm: null").unwrap().values().all(Node::is_null));
    }

    #[test]
    fn anchors_and_merge_keys_keep_the_characters_too() {
        let tree = parse("base: &b\n  password: 0042\nx: &x 007\nk:\n  <<: *b\n  other: *x\n").unwrap();
        let k = tree["k"].map().unwrap();
        assert_eq!(k["password"].text(), Some("0042"));
        assert_eq!(k["other"].text(), Some("007"));
    }

    #[test]
    fn the_last_of_equal_keys_wins() {
        assert_eq!(text_of("k: 1\nk: 2"), "2");
    }

    #[test]
    fn lines_are_told() {
        let tree = parse("a: 1\nb:\n  - x\n  - y\nc: z\n").unwrap();
        assert_eq!((tree["a"].line, tree["c"].line), (1, 5));
    }

    #[test]
    fn what_is_not_one_mapping_is_refused_without_quoting_it() {
        assert_eq!(parse("- hunter2").unwrap_err(), YamlError::NotAMap);
        assert_eq!(parse("hunter2").unwrap_err(), YamlError::NotAMap);
        assert_eq!(parse("a: 1\n---\nb: 2\n").unwrap_err(), YamlError::SeveralDocuments);
        assert!(parse("").unwrap().is_empty());
        assert!(parse("# only a comment\n").unwrap().is_empty());
        assert_eq!(parse("---\na: 1\n").unwrap().len(), 1);
        for broken in [
            "k: \"hunter2\nz: 1",
            "k: hunter2: x",
            "k: *hunter2",
            "k: @hunter2",
            "k: !hunter2",
            "\tk: hunter2",
            "k: %hunter2",
        ] {
            match parse(broken) {
                Ok(_) => {}
                Err(error) => assert!(!format!("{error} {error:?}").contains("hunter2"), "{error}"),
            }
        }
    }

    #[test]
    fn a_file_that_explodes_is_refused() {
        let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
        for i in 1..9 {
            let alias = format!("*a{},", i - 1).repeat(10);
            bomb += &format!("a{i}: &a{i} [{alias}]\n");
        }
        assert!(matches!(parse(&bomb), Err(YamlError::Syntax { .. })));
    }

    #[test]
    fn merging_goes_into_mappings() {
        let mut under = parse("clouds: {a: {auth: {username: u}, region_name: R}}").unwrap();
        merge(&mut under, parse("clouds: {a: {auth: {password: p}}, b: {}}").unwrap());
        let clouds = under["clouds"].map().unwrap();
        let auth = clouds["a"].map().unwrap()["auth"].map().unwrap();
        assert_eq!((auth["username"].text(), auth["password"].text()), (Some("u"), Some("p")));
        assert!(clouds.contains_key("b"));
        assert!(!format!("{under:?}").contains("\"p\""));
    }
}
