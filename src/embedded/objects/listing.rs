//! Pages of names: prefix, delimiter, markers, limit and order, by the rules of `swift/container/backend.py`.
//!
//! A delimiter makes the listing jump from one directory to the next, so its cost follows what is listed, not
//! what is there.

use std::collections::BTreeMap;
use std::ops::Bound;

use http::StatusCode;

use super::query::Query;
use super::refusal::Refusal;

/// The most entries of a page.
pub(super) const MOST_ENTRIES: usize = 10_000;

/// What to list.
#[derive(Clone, Debug, Default)]
pub(super) struct Page {
    prefix: String,
    delimiter: String,
    path: Option<String>,
    marker: String,
    end_marker: String,
    limit: usize,
    is_reverse: bool,
}

/// A line of a listing.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Entry<'a, V> {
    /// Something with a name.
    Item(&'a str, &'a V),
    /// Names that begin so, all of them.
    Subdir(String),
}

impl Page {
    /// All names with a prefix.
    pub(super) fn of_prefix(prefix: &str) -> Self {
        Self { prefix: prefix.to_owned(), limit: usize::MAX, ..Self::default() }
    }

    /// Reads it from a query; a `path` counts for containers only.
    pub(super) fn read(query: &Query, has_path: bool) -> Result<Self, Refusal> {
        let text = |name| Ok::<_, Refusal>(query.text(name)?.unwrap_or_default().to_owned());
        let mut page = Self {
            prefix: text("prefix")?,
            delimiter: text("delimiter")?,
            path: None,
            marker: text("marker")?,
            end_marker: text("end_marker")?,
            limit: limit(query.text("limit")?)?,
            is_reverse: query.is_true("reverse"),
        };
        text("format")?;
        if let Some(path) = query.text("path")?.filter(|_| has_path) {
            let dir = format!("{}/", path.trim_end_matches('/'));
            let path = if path.is_empty() { String::new() } else { dir };
            page.prefix.clone_from(&path);
            page.delimiter = "/".to_owned();
            page.path = Some(path);
        }
        Ok(page)
    }

    /// The entries of this page.
    pub(super) fn entries<'a, V>(&self, all: &'a BTreeMap<String, V>) -> Vec<Entry<'a, V>> {
        let (marker, end_marker) =
            if self.is_reverse { (&self.end_marker, &self.marker) } else { (&self.marker, &self.end_marker) };
        let mut low = if marker.is_empty() || *marker < self.prefix {
            Bound::Included(self.prefix.clone())
        } else {
            Bound::Excluded(marker.clone())
        };
        let end = after(&self.prefix).filter(|_| !self.prefix.is_empty());
        let mut high = match end {
            Some(end) if end_marker.is_empty() || *end_marker >= end => Bound::Excluded(end),
            _ if !end_marker.is_empty() => Bound::Excluded(end_marker.clone()),
            _ => Bound::Unbounded,
        };
        let mut found = Vec::new();
        'jump: while found.len() < self.limit && is_range(&low, &high) {
            for (name, value) in directed(all.range((low.clone(), high.clone())), self.is_reverse) {
                if found.len() >= self.limit {
                    return found;
                }
                let Some(subdir) = self.subdir(name) else {
                    if self.path.as_ref() != Some(name) {
                        found.push(Entry::Item(name, value));
                    }
                    continue;
                };
                if self.is_reverse {
                    high = Bound::Excluded(subdir.to_owned());
                } else {
                    let Some(next) = after(subdir) else { break 'jump };
                    low = Bound::Included(next);
                }
                if self.path.is_none() && subdir != marker {
                    found.push(Entry::Subdir(subdir.to_owned()));
                }
                continue 'jump;
            }
            break;
        }
        found
    }

    /// The directory that stands for this name.
    fn subdir<'n>(&self, name: &'n str) -> Option<&'n str> {
        if self.delimiter.is_empty() {
            return None;
        }
        let rest = name.get(self.prefix.len()..)?;
        let end = self.prefix.len() + rest.find(&self.delimiter)? + self.delimiter.len();
        // A path lists the marker of a directory itself, and nothing of what is in it.
        let is_listed = self.path.is_some() && end == name.len();
        name.get(..end).filter(|_| !is_listed)
    }
}

fn limit(given: Option<&str>) -> Result<usize, Refusal> {
    let is_number = |text: &&str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let Some(text) = given.filter(is_number) else { return Ok(MOST_ENTRIES) };
    let limit = text.parse().ok().filter(|limit| *limit <= MOST_ENTRIES);
    limit.ok_or_else(|| {
        Refusal::html(StatusCode::PRECONDITION_FAILED, format!("Maximum limit is {MOST_ENTRIES}"))
    })
}

/// Whether a map can be asked for it; it panics otherwise.
fn is_range(low: &Bound<String>, high: &Bound<String>) -> bool {
    match (low, high) {
        (Bound::Unbounded, _) | (_, Bound::Unbounded) => true,
        (Bound::Included(low) | Bound::Excluded(low), Bound::Included(high) | Bound::Excluded(high)) => {
            low < high
        }
    }
}

fn directed<'a, T: 'a>(
    range: impl DoubleEndedIterator<Item = T> + 'a,
    is_reverse: bool,
) -> Box<dyn Iterator<Item = T> + 'a> {
    if is_reverse { Box::new(range.rev()) } else { Box::new(range) }
}

/// The first text behind all that begin with `text`.
fn after(text: &str) -> Option<String> {
    let mut text = text.to_owned();
    while let Some(last) = text.pop() {
        let next = match last {
            '\u{d7ff}' => Some('\u{e000}'),
            last => char::from_u32(u32::from(last) + 1),
        };
        if let Some(next) = next {
            text.push(next);
            return Some(text);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn list(names: &[&str], query: &str) -> Result<String, String> {
        let all: BTreeMap<String, ()> = names.iter().map(|name| ((*name).to_owned(), ())).collect();
        let page = Page::read(&Query::new(query), true).map_err(|refusal| refusal.text())?;
        let names = page.entries(&all).into_iter().map(|entry| match entry {
            Entry::Item(name, ()) => name.to_owned(),
            Entry::Subdir(name) => format!("{name}*"),
        });
        Ok(names.collect::<Vec<_>>().join(" "))
    }

    /// As a real Swift listed the same names.
    #[test]
    fn listings_are_those_of_swift() {
        let names = ["a", "b", "b/1", "b/2/x", "c/", "c/1", "d", "e/f/g", "é"];
        let too_many = Err("Maximum limit is 10000".to_owned());
        let ok = |text: &str| Ok(text.to_owned());
        for (query, expected) in [
            ("", ok("a b b/1 b/2/x c/ c/1 d e/f/g é")),
            ("prefix=b", ok("b b/1 b/2/x")),
            ("delimiter=/", ok("a b b/* c/* d e/* é")),
            ("delimiter=/&prefix=b/", ok("b/1 b/2/*")),
            ("marker=b", ok("b/1 b/2/x c/ c/1 d e/f/g é")),
            ("end_marker=c", ok("a b b/1 b/2/x")),
            ("limit=2", ok("a b")),
            ("limit=0", ok("")),
            ("limit=abc", ok("a b b/1 b/2/x c/ c/1 d e/f/g é")),
            ("limit=-1", ok("a b b/1 b/2/x c/ c/1 d e/f/g é")),
            ("limit=10000", ok("a b b/1 b/2/x c/ c/1 d e/f/g é")),
            ("limit=10001", too_many.clone()),
            ("limit=99999999999999999999999", too_many),
            ("reverse=on", ok("é e/f/g d c/1 c/ b/2/x b/1 b a")),
            ("reverse=true&marker=c/&limit=2", ok("b/2/x b/1")),
            ("reverse=1&end_marker=b&delimiter=/", ok("é e/* d c/* b/*")),
            ("path=", ok("a b c/ d é")),
            ("path=b", ok("b/1")),
            ("path=b/", ok("b/1")),
            ("path=c", ok("c/1")),
            ("path=/", ok("")),
            ("delimiter=b", ok("a b* c/ c/1 d e/f/g é")),
            ("delimiter=/&marker=b/", ok("c/* d e/* é")),
            ("delimiter=/&marker=b", ok("b/* c/* d e/* é")),
            ("delimiter=/&marker=b/1", ok("b/* c/* d e/* é")),
            ("delimiter=/&limit=3", ok("a b b/*")),
            ("prefix=zzz", ok("")),
            ("reverse=on&delimiter=/", ok("é e/* d c/* b/* b a")),
            ("reverse=on&delimiter=/&marker=b/&limit=1", ok("b")),
            ("delimiter=//", ok("a b b/1 b/2/x c/ c/1 d e/f/g é")),
            ("prefix=b/2&delimiter=/", ok("b/2/*")),
            ("prefix=b&delimiter=/", ok("b b/*")),
            ("delimiter=/&end_marker=b/1", ok("a b")),
            ("reverse=on&delimiter=/&end_marker=b/1", ok("é e/* d c/* b/*")),
            ("delimiter=/&prefix=/", ok("")),
            ("marker=z&end_marker=a", ok("")),
            ("prefix=%ff", Err("\"prefix\" parameter not valid UTF-8".to_owned())),
        ] {
            assert_eq!(list(&names, query), expected, "{query}");
        }
    }

    #[test]
    fn what_follows_a_prefix_is_a_text_too() {
        for (text, expected) in [
            ("a", Some("b")),
            ("a\u{d7ff}", Some("a\u{e000}")),
            ("a\u{10ffff}", Some("b")),
            ("\u{10ffff}", None),
            ("", None),
        ] {
            assert_eq!(after(text).as_deref(), expected, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn no_page_is_too_odd_and_pages_join_to_the_whole(
            names in proptest::collection::vec("[ab/\u{d7ff}\u{10ffff}]{1,4}", 0..12),
            prefix in "[ab/\u{10ffff}]{0,2}", delimiter in "/?a?", marker in "[ab/]{0,3}", end in "[ab/]{0,3}",
            is_reverse: bool,
        ) {
            let all: BTreeMap<String, ()> = names.into_iter().map(|name| (name, ())).collect();
            let page = |marker: &str, limit| Page {
                prefix: prefix.clone(), delimiter: delimiter.clone(), path: None, marker: marker.to_owned(),
                end_marker: end.clone(), limit, is_reverse,
            };
            let name = |entry: &Entry<'_, ()>| match entry {
                Entry::Item(name, ()) => (*name).to_owned(),
                Entry::Subdir(name) => name.clone(),
            };
            let whole: Vec<String> = page(&marker, 100).entries(&all).iter().map(name).collect();
            for name in &whole {
                prop_assert!(name.starts_with(&prefix));
            }
            let mut joined = Vec::new();
            let mut marker = marker;
            while let Some(next) = page(&marker, 1).entries(&all).first().map(name) {
                prop_assert!(joined.len() < 100, "pages do not end");
                marker.clone_from(&next);
                joined.push(next);
            }
            // In reverse an object named like its directory may be told twice, once as either.
            if !is_reverse && delimiter.is_empty() {
                prop_assert_eq!(joined, whole);
            }
        }
    }
}
