//! Finds the links of a JSON document while it streams by, and replaces those that turn.
//!
//! 1. What is not a link passes byte for byte.
//! 2. Only a link that has begun and not ended is held, and none longer than [`LONGEST_LINK_BYTES`]: a longer one passes.
//! 3. Parts of the document in which the rule has no place are not looked into but for their end.
//! 4. From the first byte that no JSON document has there, and below [`DEEPEST`] containers, all passes.
//! 5. Where the chunks are cut makes no difference.

use bytes::Bytes;
use memchr::memchr2;

use super::pieces::Pieces;
use super::shape::{MOST_STEPS, Set, Shapes};

/// Says where links lead from here.
pub(super) trait Turn {
    /// The link as it reads here, if it is another.
    fn turn(&mut self, link: &str) -> Option<String>;

    /// The same without looking into it, for a link as it stands between its quotes, if that can be told.
    fn at_once(&self, _link: &[u8]) -> Option<Turned<'_>> {
        None
    }
}

/// What becomes of a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turned<'a> {
    /// It stays as it is.
    Not,
    /// So many of its first bytes are replaced by these.
    To(usize, &'a [u8]),
}

impl<F: FnMut(&str) -> Option<String>> Turn for F {
    fn turn(&mut self, link: &str) -> Option<String> {
        self(link)
    }
}

/// What has been seen of one document.
#[derive(Debug)]
pub(super) struct Scanner<'a> {
    shapes: &'a Shapes,
    state: State,
    /// Of the containers that are open, the innermost in the lowest bit: 1 for an object.
    kinds: u128,
    /// How many they are.
    depth: usize,
    /// The shapes that go on in each of them.
    open: [Set; MOST_STEPS],
    /// The shapes that lead to or through the value that comes next.
    coming: Set,
    /// The last byte of the string was a backslash that counts.
    is_escaped: bool,
    /// What earlier chunks had of the name or link that is not over.
    kept: Vec<u8>,
}

/// What the next byte belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Between tokens: before a name or, where `{` was just now, its end.
    Name {
        may_end: bool,
    },
    Colon,
    Value {
        may_end: bool,
    },
    AfterValue,
    /// A number, `true`, `false` or `null`.
    Scalar,
    /// Within a string: a name, a link, any other.
    InName,
    InLink,
    InText,
    /// Within a container that has no place, opened at this depth; within a string in it.
    Skip(usize),
    SkipText(usize),
    /// The document is over, or was none.
    Off,
}

impl<'a> Scanner<'a> {
    pub(super) fn new(shapes: &'a Shapes) -> Self {
        Self {
            shapes,
            state: State::Value { may_end: false },
            kinds: 0,
            depth: 0,
            open: [0; MOST_STEPS],
            coming: shapes.all(),
            is_escaped: false,
            kept: Vec::new(),
        }
    }

    /// Takes the next chunk and gives on what can go. `turn` says what a link is here, if it is another.
    pub(super) fn feed(&mut self, chunk: &Bytes, turn: &mut dyn Turn, pieces: &mut Pieces) {
        pieces.expect(chunk.len());
        let bytes = &chunk[..];
        // Next to look at, and first that has not been passed on.
        let (mut at, mut from) = (0, 0);
        // Where the open link began, if it did in this chunk.
        let mut start = 0;
        while at < bytes.len() {
            match self.state {
                State::Off => break,
                State::Skip(floor) => at = self.skip(bytes, at, floor),
                State::SkipText(floor) => {
                    let Some(end) = self.end_of_text(bytes, at) else { break };
                    self.state = State::Skip(floor);
                    at = end + 1;
                }
                State::InText => {
                    let Some(end) = self.end_of_text(bytes, at) else { break };
                    self.end_value();
                    at = self.stride(bytes, end + 1);
                }
                State::InName => {
                    let end = self.end_of_text(bytes, at);
                    let part = &bytes[at..end.unwrap_or(bytes.len())];
                    if end.is_none() || !self.kept.is_empty() {
                        self.keep_name(part);
                    }
                    let Some(end) = end else { break };
                    self.end_name(part);
                    at = self.stride(bytes, end + 1);
                    start = at - 1;
                }
                State::InLink => {
                    let Some(end) = self.end_of_text(bytes, at) else { break };
                    at = end + 1;
                    self.end_value();
                    if self.kept.len() + (at - start) > LONGEST_LINK_BYTES {
                        self.release(pieces);
                        continue;
                    }
                    if self.kept.is_empty()
                        && let Some(turned) = turn.at_once(&bytes[start + 1..end])
                    {
                        if let Turned::To(length, here) = turned {
                            pieces.pass(chunk, from..start + 1);
                            pieces.add(here);
                            from = start + 1 + length;
                        }
                        continue;
                    }
                    let turned = if self.kept.is_empty() {
                        turned(&bytes[start..at], turn)
                    } else {
                        let mut whole = std::mem::take(&mut self.kept);
                        let before = whole.len();
                        whole.extend_from_slice(&bytes[..at]);
                        let turned = turned(&whole, turn);
                        whole.truncate(before);
                        self.kept = whole;
                        turned
                    };
                    match turned {
                        Some(turned) => {
                            pieces.pass(chunk, from..start);
                            pieces.add(&turned);
                            self.kept.clear();
                            from = at;
                        }
                        None => self.release(pieces),
                    }
                }
                State::Scalar if is_scalar(bytes[at]) => {
                    at += bytes[at..].iter().take_while(|byte| is_scalar(**byte)).count();
                }
                State::Name { .. }
                | State::Colon
                | State::Value { .. }
                | State::AfterValue
                | State::Scalar => {
                    self.step(bytes[at]);
                    start = at;
                    at += 1;
                }
            }
        }
        if self.state == State::InLink {
            pieces.pass(chunk, from..start);
            from = start;
            if self.kept.len() + (bytes.len() - start) > LONGEST_LINK_BYTES {
                self.release(pieces);
                self.state = State::InText;
            } else {
                self.kept.extend_from_slice(&bytes[start..]);
                from = bytes.len();
            }
        }
        pieces.pass(chunk, from..bytes.len());
        pieces.end();
    }

    /// The body is over: what is held goes as it came.
    pub(super) fn finish(&mut self, pieces: &mut Pieces) {
        if self.state == State::InLink {
            self.release(pieces);
        }
        self.state = State::Off;
        pieces.end();
    }

    fn release(&mut self, pieces: &mut Pieces) {
        pieces.add(&self.kept);
        self.kept.clear();
    }

    /// One byte between or of tokens other than strings.
    fn step(&mut self, byte: u8) {
        if matches!(byte, b' ' | b'\t' | b'\n' | b'\r') {
            if self.state == State::Scalar {
                self.end_value();
            }
            return;
        }
        match (self.state, byte) {
            (State::Value { .. }, b'{' | b'[') => self.enter(byte == b'{'),
            (State::Value { .. }, b'"') => self.state = self.text(),
            (State::Value { .. }, b'-' | b'0'..=b'9' | b't' | b'f' | b'n') => self.state = State::Scalar,
            (State::Scalar | State::AfterValue, b',') => self.go_on(),
            (State::Scalar | State::AfterValue, b'}' | b']')
            | (State::Name { may_end: true }, b'}')
            | (State::Value { may_end: true }, b']') => self.leave(byte == b'}'),
            (State::Name { .. }, b'"') => self.state = State::InName,
            (State::Colon, b':') => self.state = State::Value { may_end: false },
            _ => self.state = State::Off,
        }
    }

    /// A container begins as the coming value.
    fn enter(&mut self, is_object: bool) {
        let at = self.depth;
        let inside = if is_object {
            self.shapes.through_object(self.coming, at)
        } else {
            self.shapes.through_array(self.coming, at)
        };
        if !self.push(is_object) {
            return;
        }
        match self.open.get_mut(at) {
            Some(open) if inside != 0 => {
                *open = inside;
                self.coming = inside;
                self.state =
                    if is_object { State::Name { may_end: true } } else { State::Value { may_end: true } };
            }
            _ => self.state = State::Skip(at),
        }
    }

    fn leave(&mut self, is_object: bool) {
        if self.pop(is_object) {
            self.end_value();
        }
    }

    /// After a comma.
    fn go_on(&mut self) {
        let innermost = self.depth.checked_sub(1).and_then(|at| self.open.get(at));
        self.state = match innermost {
            None => State::Off,
            Some(_) if self.kinds & 1 == 1 => State::Name { may_end: false },
            Some(open) => {
                self.coming = *open;
                State::Value { may_end: false }
            }
        };
    }

    /// A value is over; the outermost is the document.
    fn end_value(&mut self) {
        self.state = if self.depth == 0 { State::Off } else { State::AfterValue };
    }

    fn keep_name(&mut self, bytes: &[u8]) {
        let room = (LONGEST_NAME_BYTES + 1).saturating_sub(self.kept.len());
        self.kept.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }

    /// `part` is what this chunk has of the name.
    fn end_name(&mut self, part: &[u8]) {
        let mut kept = std::mem::take(&mut self.kept);
        let name = if kept.is_empty() { part } else { &kept[..] };
        let steps = self.depth.saturating_sub(1);
        let open = self.open.get(steps).copied().unwrap_or(0);
        self.coming = if name.len() > LONGEST_NAME_BYTES {
            0
        } else if name.contains(&b'\\') {
            let plain = decoded(&[b"\"", name, b"\""].concat());
            plain.map_or(0, |name| self.shapes.by_name(open, steps, name.as_bytes()))
        } else {
            self.shapes.by_name(open, steps, name)
        };
        kept.clear();
        self.kept = kept;
        self.state = State::Colon;
    }

    /// From the end of a string over what mostly comes before the next one. Anything else is left to [`Self::step`].
    fn stride(&mut self, bytes: &[u8], at: usize) -> usize {
        let is_within_object = self.depth != 0 && self.kinds & 1 == 1;
        let (next, comes) = match self.state {
            State::Colon => (self.text(), b':'),
            State::AfterValue if is_within_object => (State::InName, b','),
            _ => return at,
        };
        let length = match bytes[at..] {
            [first, b' ', b'"', ..] if first == comes => 3,
            [first, b'"', ..] if first == comes => 2,
            _ => return at,
        };
        self.state = next;
        at + length
    }

    /// What a string is that comes as the value.
    fn text(&self) -> State {
        if self.shapes.is_end(self.coming, self.depth) { State::InLink } else { State::InText }
    }

    /// Looks for the end of the container that was opened at depth `floor`.
    fn skip(&mut self, bytes: &[u8], mut at: usize, floor: usize) -> usize {
        while let Some(byte) = bytes.get(at) {
            at += 1;
            match byte {
                b'"' => match self.end_of_text(bytes, at) {
                    Some(end) => at = end + 1,
                    None => {
                        self.state = State::SkipText(floor);
                        return bytes.len();
                    }
                },
                b'{' | b'[' if !self.push(*byte == b'{') => return at,
                b'}' | b']' => {
                    if !self.pop(*byte == b'}') {
                        return at;
                    }
                    if self.depth == floor {
                        self.end_value();
                        return at;
                    }
                }
                _ => {}
            }
        }
        at
    }

    fn push(&mut self, is_object: bool) -> bool {
        if self.depth == DEEPEST {
            self.state = State::Off;
            return false;
        }
        self.kinds = self.kinds << 1 | u128::from(is_object);
        self.depth += 1;
        true
    }

    fn pop(&mut self, is_object: bool) -> bool {
        if self.depth == 0 || (self.kinds & 1 == 1) != is_object {
            self.state = State::Off;
            return false;
        }
        self.kinds >>= 1;
        self.depth -= 1;
        true
    }

    /// Where the quote is that ends the string which `at` is in.
    fn end_of_text(&mut self, bytes: &[u8], mut at: usize) -> Option<usize> {
        loop {
            let rest = bytes.get(at..).filter(|rest| !rest.is_empty())?;
            if std::mem::take(&mut self.is_escaped) {
                at += 1;
                continue;
            }
            at += memchr2(b'"', b'\\', rest)?;
            if bytes[at] == b'"' {
                return Some(at);
            }
            self.is_escaped = true;
            at += 1;
        }
    }
}

/// Whether it can be a byte of a number, `true`, `false` or `null`.
fn is_scalar(byte: u8) -> bool {
    matches!(byte, b'-' | b'+' | b'.' | b'0'..=b'9' | b'a'..=b'z' | b'E')
}

/// What a link with its quotes is turned to, with quotes; `None` if it stays.
fn turned(link: &[u8], turn: &mut dyn Turn) -> Option<Vec<u8>> {
    let link = decoded(link)?;
    serde_json::to_vec(&turn.turn(&link)?).ok()
}

/// A string with its quotes, as it is meant; `None` if it is none.
fn decoded(quoted: &[u8]) -> Option<String> {
    serde_json::from_slice(quoted).ok()
}

/// Of a link, with its quotes. Servers take no longer request lines either.
pub(super) const LONGEST_LINK_BYTES: usize = 8 * 1024;

/// Longer names are none of those in the table.
pub(super) const LONGEST_NAME_BYTES: usize = 128;

/// Containers within each other, as serde_json and others allow them.
const DEEPEST: usize = 128;
