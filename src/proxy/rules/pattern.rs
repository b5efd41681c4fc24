//! `Pattern`: paths in a rule, segment by segment.
//!
//! `*` stands for any text within a segment, `**` as a whole segment for any number of segments, none among them:
//! `/servers/**` is `/servers` and everything below, `/servers/*` is what stands directly below. A pattern is written
//! as the path reads, without percent-encoding. A slash at the end makes no difference.

use std::fmt;

use super::path::Path;

/// A path in a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    text: String,
    segments: Vec<Segment>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Segment {
    /// `**`
    Any,
    /// Text between the stars.
    Glob(Vec<Vec<u8>>),
}

/// Why a text is no pattern.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPattern {
    /// It does not start with `/`.
    #[error("the path `{0}` must start with `/`; it is what follows the service and its version")]
    NotAbsolute(String),
    /// It is written as in a URL.
    #[error("the path `{0}` is percent-encoded; write it as it reads, such as `/my files/*`")]
    Encoded(String),
    /// `**` beside other text.
    #[error("`**` stands alone between slashes, not as in `{0}`")]
    StarsInside(String),
    /// What no request has after it has been read.
    #[error("the path `{0}` has `.`, `..` or nothing between slashes, as no request will be read")]
    Dots(String),
}

impl Pattern {
    /// Whether a path is meant.
    pub(super) fn covers(&self, path: Path<'_>, in_any_letters: bool) -> bool {
        // As for `*` in a text: on a mismatch the last `**` takes one segment more.
        let (mut at, mut pattern) = (path, 0);
        let mut last_any: Option<(usize, Path<'_>)> = None;
        loop {
            match self.segments.get(pattern) {
                Some(Segment::Any) => {
                    last_any = Some((pattern, at));
                    pattern += 1;
                    continue;
                }
                Some(Segment::Glob(parts)) => {
                    if let Some((segment, rest)) = at.split_first()
                        && glob(parts, segment, in_any_letters)
                    {
                        (at, pattern) = (rest, pattern + 1);
                        continue;
                    }
                }
                None if at.is_at_end() => return true,
                None => {}
            }
            let Some((any, taken)) = &mut last_any else { return false };
            let Some((_, rest)) = taken.split_first() else { return false };
            *taken = rest;
            (at, pattern) = (rest, *any + 1);
        }
    }

    /// What the first segment of a path has to be, if it has to be one text.
    pub(super) fn first_text(&self) -> Option<&[u8]> {
        match self.segments.first()? {
            Segment::Glob(parts) if parts.len() == 1 => parts.first().map(Vec::as_slice),
            Segment::Glob(_) | Segment::Any => None,
        }
    }

    /// Whether it is `/**`.
    pub(super) fn covers_everything(&self) -> bool {
        self.segments.iter().all(|segment| *segment == Segment::Any) && !self.segments.is_empty()
    }
}

impl std::str::FromStr for Pattern {
    type Err = InvalidPattern;

    fn from_str(text: &str) -> Result<Self, InvalidPattern> {
        let path = text.strip_prefix('/').ok_or_else(|| InvalidPattern::NotAbsolute(text.to_owned()))?;
        let is_encoded = |bytes: &[u8]| bytes[0] == b'%' && bytes[1..].iter().all(u8::is_ascii_hexdigit);
        if text.as_bytes().windows(3).any(is_encoded) {
            return Err(InvalidPattern::Encoded(text.to_owned()));
        }
        let path = path.strip_suffix('/').unwrap_or(path);
        let segments = path.split('/').filter(|_| !path.is_empty()).map(|segment| match segment {
            "**" => Ok(Segment::Any),
            "" | "." | ".." => Err(InvalidPattern::Dots(text.to_owned())),
            _ if segment.contains("**") => Err(InvalidPattern::StarsInside(segment.to_owned())),
            _ => Ok(Segment::Glob(segment.split('*').map(|part| part.as_bytes().to_vec()).collect())),
        });
        Ok(Self { text: text.to_owned(), segments: segments.collect::<Result<_, _>>()? })
    }
}

impl fmt::Display for Pattern {
    /// As it was written.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Whether `text` is these parts with anything between them.
fn glob(parts: &[Vec<u8>], text: &[u8], in_any_letters: bool) -> bool {
    let is_same = |one: &[u8], other: &[u8]| {
        if in_any_letters { one.eq_ignore_ascii_case(other) } else { one == other }
    };
    let [first, middle @ .., last] = parts else {
        return parts.first().is_some_and(|only| is_same(only, text));
    };
    if text.len() < first.len() + last.len() {
        return false;
    }
    let (start, rest) = text.split_at(first.len());
    let (mut rest, end) = rest.split_at(rest.len() - last.len());
    if !is_same(start, first) || !is_same(end, last) {
        return false;
    }
    // The first place that fits leaves the most for the others.
    middle.iter().filter(|part| !part.is_empty()).all(|part| {
        match rest.windows(part.len()).position(|window| is_same(window, part)) {
            Some(found) => {
                rest = &rest[found + part.len()..];
                true
            }
            None => false,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn covers(pattern: &str, path: &str) -> bool {
        pattern.parse::<Pattern>().unwrap().covers(Path::of(&path.as_bytes()[1..]), false)
    }

    #[test]
    fn stars_stay_within_a_segment_and_two_of_them_do_not() {
        for (pattern, path, expected) in [
            ("/", "/", true),
            ("/", "/a", false),
            ("/a", "/a", true),
            ("/a/", "/a", true),
            ("/a", "/A", false),
            ("/a", "/ab", false),
            ("/*", "/a", true),
            ("/*", "/", false),
            ("/*", "/a/b", false),
            ("/**", "/", true),
            ("/**", "/a/b/c", true),
            ("/a/**", "/a", true),
            ("/a/**", "/a/b/c", true),
            ("/a/**", "/ab/c", false),
            ("/a/*/**", "/a", false),
            ("/**/action", "/servers/1/action", true),
            ("/**/action", "/action", true),
            ("/**/action", "/action/1", false),
            ("/**/b/**/d", "/a/b/b/c/d", true),
            ("/**/b/**/d", "/a/d/b/c", false),
            ("/a*", "/abc", true),
            ("/*c", "/abc", true),
            ("/a*c", "/ac", true),
            ("/a*c", "/acb", false),
            ("/a*b*c", "/axxbxxc", true),
            ("/a*b*b*c", "/abc", false),
            ("/ab*ba", "/aba", false),
            ("/a b/*", "/a b/c", true),
        ] {
            assert_eq!(covers(pattern, path), expected, "{pattern} {path}");
        }
    }

    #[test]
    fn letters_count_unless_told_otherwise() {
        let pattern: Pattern = "/os-Key*s".parse().unwrap();
        assert!(pattern.covers(Path::of(b"OS-KEYPAIRS"), true));
        assert!(!pattern.covers(Path::of(b"OS-KEYPAIRS"), false));
    }

    #[test]
    fn what_would_never_match_is_no_pattern() {
        for text in ["", "a", "/a%20b", "/a/***", "/a**", "/a//b", "/a/../b", "/./a"] {
            assert!(text.parse::<Pattern>().is_err(), "{text}");
        }
        assert!("/100%".parse::<Pattern>().is_ok());
    }

    proptest::proptest! {
        #[test]
        fn it_agrees_with_a_plain_search(pattern in "(/(\\*\\*|[ab*]{1,3})){0,5}", path in "(/[ab]{0,3}){0,6}") {
            fn plain(pattern: &[&str], path: &[&str]) -> bool {
                match pattern {
                    [] => path.is_empty(),
                    ["**", rest @ ..] => (0..=path.len()).any(|skip| plain(rest, &path[skip..])),
                    [first, rest @ ..] => {
                        path.split_first().is_some_and(|(it, path)| one(first.as_bytes(), it.as_bytes()) && plain(rest, path))
                    }
                }
            }
            fn one(pattern: &[u8], text: &[u8]) -> bool {
                match pattern {
                    [] => text.is_empty(),
                    [b'*', rest @ ..] => (0..=text.len()).any(|skip| one(rest, &text[skip..])),
                    [first, rest @ ..] => text.split_first().is_some_and(|(it, text)| it == first && one(rest, text)),
                }
            }
            let pattern = if pattern.is_empty() { "/".to_owned() } else { pattern };
            if let Ok(read) = pattern.parse::<Pattern>() {
                let segments = |text: &'_ str| -> Vec<String> { text.split('/').skip(1).map(str::to_owned).collect() };
                let reading = path.strip_prefix('/').unwrap_or_default();
                let (wanted, path) = (segments(&pattern), segments(&path));
                let wanted: Vec<&str> = wanted.iter().map(String::as_str).filter(|it| !it.is_empty()).collect();
                let path: Vec<&str> = path.iter().map(String::as_str).filter(|_| !reading.is_empty()).collect();
                proptest::prop_assert_eq!(read.covers(Path::of(reading.as_bytes()), false), plain(&wanted, &path));
            }
        }
    }
}
