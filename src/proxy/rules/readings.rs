//! Every way in which some server behind us may read a path.
//!
//! The bytes of a path travel on as they came, and servers and the gateways before them differ in what they do with
//! them. So a rule is not asked about the path but about each of its readings: what can be made of it by these steps,
//! in any order and any number.
//!
//! 1. Percent-decoding. Everyone does it once at least, so nothing undecoded is a reading.
//! 2. `\` is taken as `/`.
//! 3. What follows `?` or `#` is cut off.
//! 4. `;` and what follows it in a segment is left out.
//! 5. Control bytes are left out, and blanks at either end of a segment.
//! 6. Empty segments are left out.
//! 7. `.` is left out, `..` takes the segment before it along, an escaped dot being one.
//! 8. Not of an object store, whose objects may be called anything: `.json` or `.xml` at the end is left out, as by
//!    Nova, Cinder, Neutron and Heat (Routes' `{.format}`).
//!
//! Nearly every path has one reading. Whoever sends one with more than [`MOST`] is not after an honest answer.

use std::collections::BTreeSet;

use super::super::excerpt::Excerpt;
use crate::routing::lenient;

/// All readings of a path, without its first slash.
#[derive(Debug)]
pub(super) enum Readings<'a> {
    /// There is one, and that is the path.
    Plain(&'a [u8]),
    /// What can be made of it.
    Several(BTreeSet<Vec<u8>>),
}

impl Readings<'_> {
    /// Calls `judge` with each of them, until it is against one.
    pub(super) fn each<E>(&self, mut judge: impl FnMut(&[u8]) -> Result<(), E>) -> Result<(), E> {
        match self {
            Self::Plain(path) => judge(path),
            Self::Several(all) => all.iter().try_for_each(|reading| judge(reading)),
        }
    }
}

/// A path of too many readings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Ambiguous(pub(super) Excerpt);

/// Beyond this, nobody is going to judge them all.
const MOST: usize = 512;
/// Of all of them together, so that a long path costs no more than a short one of many.
const MOST_BYTES: usize = 1 << 20;

/// All readings of a path as it will be sent, without the query. `is_plain` is what [`lenient::is_plain`] says of it.
pub(super) fn of(path: &[u8], is_plain: bool, is_object_store: bool) -> Result<Readings<'_>, Ambiguous> {
    debug_assert!(!is_plain || lenient::is_plain(path));
    let path = path.strip_prefix(b"/").unwrap_or(path);
    if is_plain && is_whole(path, is_object_store) {
        return Ok(Readings::Plain(path));
    }
    let steps: &[Step] = if is_object_store { &STEPS[..STEPS.len() - 1] } else { &STEPS };
    let ambiguous = || Ambiguous(Excerpt::new(path));
    let written = closure([path.to_vec()].into(), steps).ok_or_else(ambiguous)?;
    let mut decoded_steps = steps.to_vec();
    decoded_steps.push(decoded);
    let decoded = written.iter().map(|path| decoded(path)).collect();
    Ok(Readings::Several(closure(decoded, &decoded_steps).ok_or_else(ambiguous)?))
}

/// Whether no step does anything to a plain path.
fn is_whole(path: &[u8], is_object_store: bool) -> bool {
    !path.ends_with(b"/") && (is_object_store || format_at_end(path) == 0)
}

type Step = fn(&[u8]) -> Vec<u8>;

/// The last is not for object stores.
const STEPS: [Step; 7] = [
    backslashes_turned,
    cut,
    without_parameters,
    without_blanks,
    without_empty,
    without_dots,
    without_format,
];

/// What can be made of these; nothing if that is too much.
fn closure(start: BTreeSet<Vec<u8>>, steps: &[Step]) -> Option<BTreeSet<Vec<u8>>> {
    let mut bytes: usize = start.iter().map(Vec::len).sum();
    let mut waiting: Vec<Vec<u8>> = start.iter().cloned().collect();
    let mut found = start;
    while let Some(path) = waiting.pop() {
        for step in steps {
            let made = step(&path);
            if made != path && !found.contains(&made) {
                bytes += made.len();
                found.insert(made.clone());
                waiting.push(made);
            }
        }
        if found.len() > MOST || bytes > MOST_BYTES {
            return None;
        }
    }
    Some(found)
}

/// Step 1, once.
fn decoded(path: &[u8]) -> Vec<u8> {
    percent_encoding::percent_decode(path).collect()
}

/// Step 2.
fn backslashes_turned(path: &[u8]) -> Vec<u8> {
    path.iter().map(|byte| if *byte == b'\\' { b'/' } else { *byte }).collect()
}

/// Step 3.
fn cut(path: &[u8]) -> Vec<u8> {
    path.split(|byte| matches!(byte, b'?' | b'#')).next().unwrap_or_default().to_vec()
}

/// Step 4.
fn without_parameters(path: &[u8]) -> Vec<u8> {
    joined(segments(path).map(|segment| segment.split(|byte| *byte == b';').next().unwrap_or_default()))
}

/// Step 5.
fn without_blanks(path: &[u8]) -> Vec<u8> {
    let visible: Vec<u8> = path.iter().copied().filter(|byte| !byte.is_ascii_control()).collect();
    joined(segments(&visible).map(<[u8]>::trim_ascii))
}

/// Step 6.
fn without_empty(path: &[u8]) -> Vec<u8> {
    joined(segments(path).filter(|segment| !segment.is_empty()))
}

/// Step 7 (RFC 3986 section 5.2.4, and a dot escaped as WHATWG's URL standard has it).
fn without_dots(path: &[u8]) -> Vec<u8> {
    let mut kept: Vec<&[u8]> = Vec::new();
    let mut all = segments(path).peekable();
    while let Some(segment) = all.next() {
        match dots(segment) {
            Some(1) => {}
            Some(2) => {
                kept.pop();
            }
            Some(_) | None => {
                kept.push(segment);
                continue;
            }
        }
        if all.peek().is_none() && !kept.is_empty() {
            // A path that ends with dots ends with a slash then.
            kept.push(b"");
        }
    }
    joined(kept.into_iter())
}

/// How many dots a segment of nothing else has.
fn dots(mut segment: &[u8]) -> Option<usize> {
    let mut dots = 0;
    while !segment.is_empty() {
        segment = match segment {
            [b'.', rest @ ..] | [b'%', b'2', b'e' | b'E', rest @ ..] => rest,
            _ => return None,
        };
        dots += 1;
    }
    Some(dots)
}

/// Step 8. A slash behind it is no part of a name there.
fn without_format(path: &[u8]) -> Vec<u8> {
    if let Some(path) = path.strip_suffix(b"/") {
        return path.to_vec();
    }
    path[..path.len() - format_at_end(path)].to_vec()
}

/// How long `.json` or `.xml` at the end is, behind a name.
fn format_at_end(path: &[u8]) -> usize {
    let is_it = |format: &&&[u8]| {
        let start = path.len().checked_sub(format.len());
        start.is_some_and(|start| {
            start > 0 && path[start - 1] != b'/' && path[start..].eq_ignore_ascii_case(format)
        })
    };
    FORMATS.iter().find(is_it).map_or(0, |format| format.len())
}

const FORMATS: [&[u8]; 2] = [b".json", b".xml"];

fn segments(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    path.split(|byte| *byte == b'/')
}

fn joined<'a>(segments: impl Iterator<Item = &'a [u8]>) -> Vec<u8> {
    segments.collect::<Vec<_>>().join(&b'/')
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of a path without its first slash.
    fn is_plain(path: &str, is_object_store: bool) -> bool {
        lenient::is_plain(format!("/{path}").as_bytes()) && is_whole(path.as_bytes(), is_object_store)
    }

    #[test]
    fn a_plain_path_is_its_own_only_reading() {
        for (path, is_object_store, expected) in [
            ("", false, true),
            ("servers/1", false, true),
            ("v2.1/flavors/m1.small", false, true),
            ("c/o", true, true),
            ("c/", true, false),
            ("c/o/", true, false),
            ("servers/", false, false),
            ("servers.json", false, false),
            ("c/o.json", true, true),
            ("c//o", true, false),
            ("/c", true, false),
            ("c/./o", true, false),
            ("c/..", true, false),
            ("../c", true, false),
            ("c/.hidden", true, false),
            ("c/%6f", true, false),
            ("c/a b", true, false),
            ("c;x", true, false),
            ("c\\o", true, false),
            ("c/\u{e9}", true, false),
        ] {
            assert_eq!(is_plain(path, is_object_store), expected, "{path}");
            let path = format!("/{path}");
            let is_plain = lenient::is_plain(path.as_bytes());
            assert!(of(path.as_bytes(), is_plain, is_object_store).is_ok());
        }
    }

    proptest::proptest! {
        #[test]
        fn what_is_plain_no_step_changes(path in "[a-c./_%;?\\\\ ]{0,12}", is_object_store: bool) {
            let steps = if is_object_store { &STEPS[..STEPS.len() - 1] } else { &STEPS[..] };
            if is_plain(&path, is_object_store) {
                for step in steps.iter().chain([&(decoded as Step)]) {
                    proptest::prop_assert_eq!(step(path.as_bytes()), path.as_bytes());
                }
            }
        }
    }
}
