//! What must hold of JSON with links in it, however it is cut, and of what is no JSON.

use std::fmt::Write as _;

use bytes::Bytes;
use serde_json::Value;

use super::pieces::Pieces;
use super::rules;
use super::scanner::{LONGEST_LINK_BYTES, LONGEST_NAME_BYTES, Scanner};
use super::shape::Shapes;

/// Reads `SERVICE CUT...`, an end of line, and a document that comes cut at these places.
pub(crate) fn links(data: &[u8]) {
    let (first, document) = match data.iter().position(|byte| *byte == b'\n') {
        Some(end) => (&data[..end], &data[end + 1..]),
        None => (&data[..0], data),
    };
    let first = String::from_utf8_lossy(first);
    let mut words = first.split(' ');
    let service = words.next().and_then(rules::of_service).or_else(|| rules::of_service("compute"));
    let Some(rule) = service else { return };
    let cuts: Vec<usize> = words.filter_map(|word| word.parse().ok()).collect();
    holds(rule.service, &rule.shapes, document, &cuts);
}

/// All the laws of one document.
pub(super) fn holds(service: &str, shapes: &Shapes, document: &[u8], cuts: &[usize]) {
    let whole = pass(shapes, &[document], &mut turn);
    let cut = cut(document, cuts);
    assert!(pass(shapes, &cut, &mut turn) == whole, "cut at {cuts:?} it is another");
    if document.len() < 4096 {
        let single: Vec<&[u8]> = document.chunks(1).collect();
        assert!(pass(shapes, &single, &mut turn) == whole, "byte by byte it is another");
    }
    assert!(pass(shapes, &cut, &mut |_| None) == document, "nothing turns, and yet it is changed");
    // serde_json decides what JSON is.
    let Ok(came) = serde_json::from_slice::<Value>(document) else { return };
    let Ok(text) = std::str::from_utf8(document) else { panic!("JSON is UTF-8") };
    let expected = Reference { text, at: 0, out: String::new(), service }.read();
    assert!(whole == expected.as_bytes(), "{}\nis not\n{expected}", String::from_utf8_lossy(&whole));
    let Ok(went) = serde_json::from_slice::<Value>(&whole) else { panic!("it was JSON, and is none now") };
    same_but_for_links(&came, &went);
}

/// The upstream is `http://up`, and we are `http://here`. What follows may be anything.
pub(super) fn turn(link: &str) -> Option<String> {
    link.strip_prefix("http://up").map(|rest| format!("http://here{rest}"))
}

/// What becomes of a body that comes in these chunks; on the way, that no more is held than a link.
pub(super) fn pass(
    shapes: &Shapes,
    chunks: &[&[u8]],
    turn: &mut dyn FnMut(&str) -> Option<String>,
) -> Vec<u8> {
    let mut scanner = Scanner::new(shapes);
    let mut pieces = Pieces::default();
    let mut whole = Vec::new();
    let mut take = |pieces: &mut Pieces| {
        while let Some(piece) = pieces.take() {
            assert!(!piece.is_empty());
            whole.extend_from_slice(&piece);
        }
        whole.len()
    };
    let (mut came, mut is_changed) = (0, false);
    for chunk in chunks {
        came += chunk.len();
        let mut turn = |link: &str| turn(link).inspect(|_| is_changed = true);
        scanner.feed(&Bytes::copy_from_slice(chunk), &mut turn, &mut pieces);
        let went = take(&mut pieces);
        // What is turned has another length.
        assert!(is_changed || came <= went + LONGEST_LINK_BYTES, "{} bytes are held", came - went);
    }
    scanner.finish(&mut pieces);
    take(&mut pieces);
    whole
}

/// Cuts `bytes` at these places.
fn cut<'a>(bytes: &'a [u8], places: &[usize]) -> Vec<&'a [u8]> {
    let mut places: Vec<usize> = places.iter().map(|place| place % (bytes.len() + 1)).collect();
    places.extend([0, bytes.len()]);
    places.sort_unstable();
    places.windows(2).map(|pair| &bytes[pair[0]..pair[1]]).collect()
}

/// Texts may differ where one is the other turned; nothing else may.
fn same_but_for_links(came: &Value, went: &Value) {
    match (came, went) {
        (Value::String(came), Value::String(went)) => {
            assert!(went == came || Some(went) == turn(came).as_ref(), "{came:?} became {went:?}");
        }
        (Value::Array(came), Value::Array(went)) => {
            assert_eq!(came.len(), went.len());
            came.iter().zip(went).for_each(|(came, went)| same_but_for_links(came, went));
        }
        (Value::Object(came), Value::Object(went)) => {
            assert!(came.keys().eq(went.keys()));
            came.values().zip(went.values()).for_each(|(came, went)| same_but_for_links(came, went));
        }
        (came, went) => assert_eq!(came, went),
    }
}

/// A name, unless it is one that is in no place, and how many arrays are open below it.
type Step = (Option<String>, usize);

/// The same by recursion over a document that is JSON for certain, with places as text: `.servers[].links`.
struct Reference<'a> {
    text: &'a str,
    at: usize,
    out: String,
    service: &'a str,
}

impl Reference<'_> {
    fn read(mut self) -> String {
        self.value(&mut Vec::new());
        self.out.push_str(&self.text[self.at..]);
        self.out
    }

    fn next(&self) -> u8 {
        self.text.as_bytes().get(self.at).copied().unwrap_or_default()
    }

    /// Copies bytes as long as they are like this.
    fn copy(&mut self, is_like: impl Fn(u8) -> bool) {
        let start = self.at;
        while self.at < self.text.len() && is_like(self.next()) {
            self.at += 1;
        }
        self.out.push_str(&self.text[start..self.at]);
    }

    fn copy_one(&mut self, byte: u8) {
        assert_eq!(self.next(), byte, "at {} of {}", self.at, self.text);
        self.at += 1;
        self.out.push(char::from(byte));
    }

    fn blanks(&mut self) {
        self.copy(|byte| byte.is_ascii_whitespace());
    }

    /// A string with its quotes; not copied.
    fn string(&mut self) -> &str {
        let start = self.at;
        self.at += 1;
        while self.next() != b'"' {
            self.at += if self.next() == b'\\' { 2 } else { 1 };
        }
        self.at += 1;
        &self.text[start..self.at]
    }

    fn value(&mut self, path: &mut Vec<Step>) {
        self.blanks();
        match self.next() {
            b'"' => {
                let written = self.string().to_owned();
                let is_link = self.is_place(path) && written.len() <= LONGEST_LINK_BYTES;
                let decoded = serde_json::from_str::<String>(&written).ok().filter(|_| is_link);
                match decoded.and_then(|link| turn(&link)) {
                    Some(turned) => {
                        let _ = write!(self.out, "{}", Value::from(turned));
                    }
                    None => self.out.push_str(&written),
                }
            }
            b'{' => self.members(b'{', b'}', path),
            b'[' => self.members(b'[', b']', path),
            _ => self.copy(|byte| !byte.is_ascii_whitespace() && !b",]}".contains(&byte)),
        }
        self.blanks();
    }

    fn members(&mut self, open: u8, close: u8, path: &mut Vec<Step>) {
        self.copy_one(open);
        self.blanks();
        while self.next() != close {
            self.blanks();
            if open == b'{' {
                let written = self.string().to_owned();
                self.out.push_str(&written);
                self.blanks();
                self.copy_one(b':');
                // A name that is longer than all in the table is none of them, escapes counted.
                let is_known = written.len() - 2 <= LONGEST_NAME_BYTES;
                path.push((serde_json::from_str(&written).ok().filter(|_| is_known), 0));
                self.value(path);
                path.pop();
            } else if let Some((_, arrays)) = path.last_mut() {
                *arrays += 1;
                self.value(path);
                if let Some((_, arrays)) = path.last_mut() {
                    *arrays -= 1;
                }
            } else {
                // No place begins with an array.
                path.push((None, 0));
                self.value(path);
                path.pop();
            }
            if self.next() == b',' {
                self.copy_one(b',');
            }
        }
        self.copy_one(close);
    }

    fn is_place(&self, path: &[Step]) -> bool {
        !path.is_empty() && rules::places(self.service).iter().any(|place| fits(place, path))
    }
}

/// Whether a place of the table is this one: a name and the arrays below it for each step.
fn fits(place: &str, path: &[Step]) -> bool {
    let steps: Vec<&str> = place.split('.').collect();
    steps.len() == path.len()
        && steps.iter().zip(path).all(|(step, (name, arrays))| {
            let names = step.trim_end_matches("[]");
            let is_name =
                |it: &str, name: &str| it.strip_prefix('*').map_or(it == name, |end| name.ends_with(end));
            let is_named = |name: &String| names.split('|').any(|it| is_name(it, name));
            (step.len() - names.len()) / 2 == *arrays && name.as_ref().is_some_and(is_named)
        })
}
