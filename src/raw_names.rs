//! Field names with bytes above ASCII, which RFC 9110 §5.1 forbids and Swift uses for metadata.
//!
//! hyper takes no such name: it refuses a request for it, and loses a whole response. So the bytes that it is to read are
//! looked at first, in place, and changed there:
//!
//! 1. [`Mask`] replaces each such byte *in a name* by `~` and keeps the name as it came. Nothing else is changed, so that
//!    what frames a message cannot come of it: no name that means something has a `~`.
//! 2. [`take`] then takes these fields out of the head that hyper has read.
//! 3. Whoever writes the head on the other side adds them as [`lines`], as they came.
//!
//! A head in ASCII, which is nearly every one, costs a search for its end and one look at its bytes.

use http::header::{Entry, HeaderMap, HeaderName, HeaderValue};

/// What a byte is replaced by.
const MASK: u8 = b'~';
/// `HTTP/1.1 ` in a status line.
const VERSION_BYTES: usize = 9;
/// That and the status.
const FIRST_BYTES: usize = 12;

/// Reads heads as they come, in pieces of any size.
#[derive(Debug, Default)]
pub(crate) struct Mask {
    place: Place,
    /// The start of the head's first line.
    first_line: Vec<u8>,
    first_line_bytes: usize,
    name: Vec<u8>,
    /// Names with a `~` in them or for one, in order.
    names: Vec<Vec<u8>>,
    has_raw: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Place {
    /// Before the first line; empty lines may come (RFC 9112 §2.2).
    #[default]
    Before,
    FirstLine,
    LineStart,
    Name,
    Value,
    /// A CR at the start of a line.
    Cr,
}

impl Mask {
    /// Reads on in a head. Returns how many of the bytes belong to it, once it is whole.
    pub(crate) fn read(&mut self, bytes: &mut [u8]) -> Option<usize> {
        if self.place == Place::Before {
            self.first_line.clear();
            self.first_line_bytes = 0;
        }
        if self.place == Place::Before
            && !matches!(bytes.first(), Some(b'\r' | b'\n'))
            && let Some((first, end)) = plain_end(bytes)
            && bytes[..end].is_ascii()
        {
            self.first_line.extend_from_slice(&bytes[..end.min(FIRST_BYTES)]);
            self.first_line_bytes = first;
            return Some(end);
        }
        for (i, byte) in bytes.iter_mut().enumerate() {
            self.place = match (self.place, *byte) {
                (Place::Before, b'\r' | b'\n') => Place::Before,
                (Place::FirstLine | Place::Value, b'\n') => Place::LineStart,
                (Place::Before | Place::FirstLine, byte) => {
                    self.first_line_bytes += 1;
                    if self.first_line.len() < FIRST_BYTES {
                        self.first_line.push(byte);
                    }
                    Place::FirstLine
                }
                (Place::LineStart | Place::Cr, b'\n') => {
                    self.place = Place::Before;
                    return Some(i + 1);
                }
                (Place::LineStart, b'\r') => Place::Cr,
                (Place::Name, b'\n') => {
                    self.name.clear();
                    Place::LineStart
                }
                (Place::Name, b':') => {
                    self.end_name();
                    Place::Value
                }
                (Place::LineStart | Place::Name, _) => {
                    self.name.push(*byte);
                    if !byte.is_ascii() {
                        self.has_raw = true;
                        *byte = MASK;
                    }
                    Place::Name
                }
                (Place::Value | Place::Cr, _) => Place::Value,
            };
        }
        None
    }

    /// Whether the head that was read last is that of an interim response, behind which another comes.
    pub(crate) fn was_interim(&self) -> bool {
        let status = self.first_line.get(VERSION_BYTES..FIRST_BYTES);
        status.is_some_and(|status| status[0] == b'1' && status != b"101")
    }

    /// Bytes in the first line of the last head, as far as it has come.
    pub(crate) fn first_line_bytes(&self) -> usize {
        self.first_line_bytes
    }

    fn end_name(&mut self) {
        if self.name.iter().any(|byte| !byte.is_ascii() || *byte == MASK) {
            self.names.push(std::mem::take(&mut self.name));
        } else {
            self.name.clear();
        }
    }

    /// The names of the heads since the last call, if bytes were replaced in any.
    pub(crate) fn take_names(&mut self) -> Option<Names> {
        if !self.has_raw {
            self.names.clear();
            return None;
        }
        self.has_raw = false;
        Some(Names(std::mem::take(&mut self.names)))
    }
}

/// Where the first line of a head ends, and where the whole of it, if all of it is there and its last line ends as the
/// standard has it.
fn plain_end(bytes: &[u8]) -> Option<(usize, usize)> {
    let mut ends = memchr::memchr_iter(b'\n', bytes);
    let first = ends.next()?;
    let mut end = first;
    loop {
        match bytes[end + 1..] {
            [b'\r', b'\n', ..] => return Some((first, end + 3)),
            // A line of its own, in the other way.
            [b'\n', ..] => return None,
            _ => end = ends.next()?,
        }
    }
}

/// Names in which bytes were replaced, and those that had a `~` anyway, in order.
#[derive(Clone, Debug)]
pub(crate) struct Names(Vec<Vec<u8>>);

impl Names {
    /// How many of them have bytes that were replaced.
    pub(crate) fn raw_count(&self) -> usize {
        self.0.iter().filter(|name| !name.is_ascii()).count()
    }
}

/// A field whose name hyper cannot hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RawField {
    /// With at least one byte above ASCII.
    pub(crate) name: Vec<u8>,
    pub(crate) value: HeaderValue,
}

/// Takes the fields with raw names out of a head, as they were. Those that cannot be told apart any more go as well.
pub(crate) fn take(headers: &mut HeaderMap, names: &Names) -> Vec<RawField> {
    let mut fields = Vec::new();
    let masked: Vec<Option<HeaderName>> = names.0.iter().map(|name| mask(name)).collect();
    for (i, name) in masked.iter().enumerate() {
        let Some(name) = name else { continue };
        if masked[..i].contains(&Some(name.clone())) {
            continue;
        }
        let Entry::Occupied(entry) = headers.entry(name) else { continue };
        let values: Vec<HeaderValue> = entry.remove_entry_mult().1.collect();
        let came: Vec<&Vec<u8>> = names
            .0
            .iter()
            .zip(&masked)
            .filter(|(_, other)| other.as_ref() == Some(name))
            .map(|(raw, _)| raw)
            .collect();
        if values.len() != came.len() {
            continue;
        }
        for (raw, value) in came.into_iter().zip(values) {
            if raw.is_ascii() {
                headers.append(name.clone(), value);
            } else {
                fields.push(RawField { name: raw.clone(), value });
            }
        }
    }
    fields
}

fn mask(name: &[u8]) -> Option<HeaderName> {
    let masked: Vec<u8> = name.iter().map(|byte| if byte.is_ascii() { *byte } else { MASK }).collect();
    HeaderName::from_bytes(&masked).ok()
}

/// The fields as they stand in a head.
pub(crate) fn lines(fields: &[RawField]) -> Vec<u8> {
    let mut lines = Vec::new();
    for field in fields {
        lines.extend_from_slice(&field.name);
        lines.extend_from_slice(b": ");
        lines.extend_from_slice(field.value.as_bytes());
        lines.extend_from_slice(b"\r\n");
    }
    lines
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HEAD: &str = "PUT /v1/ä HTTP/1.1\r\nHost: ä\r\nX-Object-Meta-Größe: ä\r\nX-Meta-~~: 1\r\nX-Meta-é: 2\r\nA: b\r\n\r\n";
    const MASKED: &str = "PUT /v1/ä HTTP/1.1\r\nHost: ä\r\nX-Object-Meta-Gr~~~~e: ä\r\nX-Meta-~~: 1\r\nX-Meta-~~: 2\r\nA: b\r\n\r\n";

    #[test]
    fn names_are_masked_and_nothing_else_wherever_the_pieces_end() {
        for cut in 0..HEAD.len() {
            let mut bytes = [HEAD.as_bytes(), b"body"].concat();
            let mut mask = Mask::default();
            let (first, second) = bytes.split_at_mut(cut);
            assert_eq!(mask.read(first), None, "{cut}");
            assert_eq!(mask.read(second), Some(HEAD.len() - cut), "{cut}");
            assert_eq!(&bytes[..HEAD.len()], MASKED.as_bytes(), "{cut}");
            let names = mask.take_names().unwrap();
            assert_eq!(
                names.0,
                ["X-Object-Meta-Größe", "X-Meta-~~", "X-Meta-é"].map(|name| name.as_bytes().to_vec())
            );
            assert!(mask.take_names().is_none());
        }
    }

    #[test]
    fn fields_are_taken_as_they_came_and_others_stay() {
        let mut mask = Mask::default();
        mask.read(&mut HEAD.as_bytes().to_vec());
        let names = mask.take_names().unwrap();
        let mut headers = HeaderMap::new();
        for (name, value) in
            [("x-object-meta-gr~~~~e", "ä"), ("x-meta-~~", "1"), ("x-meta-~~", "2"), ("a", "b")]
        {
            headers.append(name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        let fields = take(&mut headers, &names);
        assert_eq!(lines(&fields), "X-Object-Meta-Größe: ä\r\nX-Meta-é: 2\r\n".as_bytes());
        assert_eq!(headers.get_all("x-meta-~~").iter().collect::<Vec<_>>(), ["1"]);
        assert_eq!(headers.len(), 2);
        assert_eq!(headers["a"], "b");
    }

    #[test]
    fn what_cannot_be_told_apart_goes() {
        let names = Names(vec!["X-é".into(), "X-ü".into()]);
        let mut headers = HeaderMap::new();
        headers.append("x-~~", HeaderValue::from_static("1"));
        assert!(take(&mut headers, &names).is_empty());
        assert!(headers.is_empty());
    }

    #[test]
    fn heads_end_at_an_empty_line_of_either_kind() {
        for (bytes, end) in [
            (&b"GET / HTTP/1.1\r\n\r\nrest"[..], Some(18)),
            (b"\r\n\r\nGET / HTTP/1.1\r\n\xc3: 1\r\n\r\n", Some(28)),
            (b"GET / HTTP/1.1\n\xc3: 1\n\nrest", Some(21)),
            (b"HTTP/1.1 100 Continue\n\nHTTP/1.1 200 OK\r\n\r\n", Some(23)),
            (b"GET / HTTP/1.1\nA: b\n\r\nbody\r\n\r\n", Some(22)),
            (b"GET / HTTP/1.1\r\nA: b\n\nbody\r\n\r\n", Some(22)),
            (b"GET / HTTP/1.1\r\n\xc3: 1\r\n", None),
            (b"GET / HTTP/1.1\r\nno colon \xc3\r\n\r\n", Some(30)),
        ] {
            assert_eq!(
                Mask::default().read(&mut bytes.to_vec()),
                end,
                "{:?}",
                String::from_utf8_lossy(bytes)
            );
        }
    }

    #[test]
    fn interim_responses_are_known() {
        for (head, is_interim) in [
            ("HTTP/1.1 103 Early Hints\r\n\r\n", true),
            ("HTTP/1.1 100\r\nX-\u{e9}: 1\r\n\r\n", true),
            ("HTTP/1.1 101 Switching Protocols\r\n\r\n", false),
            ("HTTP/1.1 200 OK\r\nX-\u{e9}: 1\r\n\r\n", false),
            ("HTTP\r\n\r\n", false),
        ] {
            let mut mask = Mask::default();
            assert!(mask.read(&mut head.as_bytes().to_vec()).is_some());
            assert_eq!(mask.was_interim(), is_interim, "{head}");
        }
    }

    proptest! {
        #[test]
        fn ascii_stays_as_it_is(head in "[ -~\r\n:]{0,200}", cut in 0usize..200) {
            let mut bytes = head.clone().into_bytes();
            let cut = cut.min(bytes.len());
            let mut mask = Mask::default();
            let (first, second) = bytes.split_at_mut(cut);
            mask.read(first);
            mask.read(second);
            prop_assert_eq!(bytes, head.into_bytes());
            prop_assert!(mask.take_names().is_none());
        }

        #[test]
        fn no_masked_name_means_anything(name in "[a-z-]{0,12}[ä-ü][a-z-]{0,12}") {
            let mut head = format!("GET / HTTP/1.1\r\n{name}: 1\r\n\r\n").into_bytes();
            Mask::default().read(&mut head);
            prop_assert!(head.is_ascii());
            prop_assert!(head.contains(&b'~'));
        }
    }
}
