//! The letter case of field names, which HTTP does not mind (RFC 9110 §5.1) and some old tools do.
//!
//! hyper keeps names in lower case. It can keep their letters as well, at two fifths of what it costs to pass a small
//! message on; so a head is kept as it came, and the head that hyper writes is spelled by that:
//!
//! 1. A name that stands in both gets the letters that it came with. Where it stands several times, each its own, in
//!    order.
//! 2. A name that we have added is written `Like-This`, as Swift and most others write theirs.
//! 3. No other byte changes, and no name changes its length: spelled or not, a head means the same.

use std::ops::Range;
use std::sync::Arc;

use memchr::{memchr, memchr_iter};

use crate::head_bytes::same_name;

/// A head as it came, for the letters of its names.
#[derive(Clone)]
pub struct Spelling(Arc<[u8]>);

impl Spelling {
    /// Of a whole head, first line and empty line included.
    pub fn of(head: &[u8]) -> Self {
        Self(head.into())
    }
}

impl std::fmt::Debug for Spelling {
    /// What is in the head may be secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Spelling")
    }
}

/// How the names of a head that hyper writes are to be spelled.
#[derive(Clone, Debug)]
pub(crate) enum Letters {
    /// As they came, where they did.
    Came(Spelling),
    /// All by rule 2: nothing is known of how any came.
    Title,
}

impl Letters {
    /// Appends the head that `bytes` begin with, whose names are in lower case, to `out` with its names spelled. Returns its
    /// length, the empty line included; nothing is appended if it is not whole.
    pub(crate) fn spell(&self, bytes: &[u8], out: &mut Vec<u8>) -> Option<usize> {
        let start = out.len();
        out.extend_from_slice(bytes);
        let mut came = match self {
            Self::Came(Spelling(head)) => Some(Lines::of(head)),
            Self::Title => None,
        };
        let mut ends = memchr_iter(b'\n', bytes);
        let mut at = ends.next().map_or(bytes.len(), |end| end + 1);
        for end in ends {
            if bytes[at] == b'\r' {
                out.truncate(start + end + 1);
                return Some(end + 1);
            }
            let (line, spelled) = (&bytes[at..], &mut out[start + at..]);
            match came.as_mut().and_then(|came| came.find(line, end + 1 - at)) {
                Some(name) => spelled[..name.len()].copy_from_slice(name),
                None => title(spelled),
            }
            at = end + 1;
        }
        out.truncate(start);
        None
    }
}

impl From<Option<Spelling>> for Letters {
    fn from(came: Option<Spelling>) -> Self {
        came.map_or(Self::Title, Self::Came)
    }
}

/// The field lines of a head as it came, looked through from behind the one that was found last: nearly always the next
/// one is it.
struct Lines<'a> {
    head: &'a [u8],
    /// Where the first begins.
    first: usize,
    next: usize,
    /// Whether lines before the next were passed over: if not, what is not found behind it was not there.
    has_passed: bool,
}

impl<'a> Lines<'a> {
    fn of(head: &'a [u8]) -> Self {
        let first = after_line(head, 0);
        Self { head, first, next: first, has_passed: false }
    }

    /// The name that `line` of so many bytes begins with, as it came.
    fn find(&mut self, line: &[u8], length: usize) -> Option<&'a [u8]> {
        let (before, last) = (self.next, self.head.len());
        self.find_between(before..last, line, length).or_else(|| {
            let is_round = self.has_passed;
            is_round.then(|| self.find_between(self.first..before, line, length)).flatten()
        })
    }

    fn find_between(&mut self, lines: Range<usize>, line: &[u8], length: usize) -> Option<&'a [u8]> {
        let mut at = lines.start;
        while at < lines.end {
            if let Some(name) = same_name(line, &self.head[at..]) {
                let name = &self.head[at..at + name];
                self.has_passed |= at != self.next;
                // Nearly always, the values are the same as well.
                let end = at + length;
                let is_whole = self.head.get(at + name.len()..end) == Some(&line[name.len()..length]);
                self.next = if is_whole { end } else { after_line(self.head, at) };
                return Some(name);
            }
            at = after_line(self.head, at);
        }
        None
    }
}

/// Where the line after the one at `at` begins.
fn after_line(head: &[u8], at: usize) -> usize {
    memchr(b'\n', &head[at..]).map_or(head.len(), |end| at + end + 1)
}

/// Rule 2.
fn title(line: &mut [u8]) {
    let mut begins = true;
    for byte in line.iter_mut().take_while(|byte| **byte != b':') {
        if begins {
            byte.make_ascii_uppercase();
        }
        begins = *byte == b'-';
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn spelled(came: &str, head: &str) -> String {
        let mut out = b"before".to_vec();
        let length =
            Letters::Came(Spelling::of(came.as_bytes())).spell(format!("{head}body").as_bytes(), &mut out);
        assert_eq!(length, Some(head.len()));
        String::from_utf8(out.split_off(6)).unwrap()
    }

    #[test]
    fn names_get_their_letters_back_and_added_ones_are_in_title_case() {
        let came = "GET /A HTTP/1.1\r\nHOST: a\r\nx-Auth-toKEN: t\r\nETag: \"X-A: b\"\r\nVIA: x\r\n\r\n";
        let head =
            "GET /a HTTP/1.1\r\nhost: b\r\netag: \"x-a: b\"\r\nx-a: etag: VIA:\r\nx-auth-token: t\r\n\r\n";
        let expected =
            "GET /a HTTP/1.1\r\nHOST: b\r\nETag: \"x-a: b\"\r\nX-A: etag: VIA:\r\nx-Auth-toKEN: t\r\n\r\n";
        assert_eq!(spelled(came, head), expected);
    }

    #[test]
    fn each_of_several_lines_of_a_name_gets_its_own_letters() {
        let came = "HTTP/1.1 200 OK\r\nSet-Cookie: a\r\nB: 1\r\nset-cookie: c\r\nSET-cookie: d\r\n\r\n";
        let head = "HTTP/1.1 200 OK\r\nset-cookie: a\r\nset-cookie: c\r\nset-cookie: d\r\nb: 1\r\n\r\n";
        let expected = "HTTP/1.1 200 OK\r\nSet-Cookie: a\r\nset-cookie: c\r\nSET-cookie: d\r\nB: 1\r\n\r\n";
        assert_eq!(spelled(came, head), expected);
    }

    #[test]
    fn heads_of_any_form_are_taken() {
        for came in ["", "\n", "HTTP/1.1 200 OK\nA-b: c\n\n", "\r\n\r\nGET / HTTP/1.1\r\nno colon\r\n\r\n"] {
            assert_eq!(spelled(came, "HTTP/1.1 200\r\na-c: d\r\n\r\n"), "HTTP/1.1 200\r\nA-C: d\r\n\r\n");
        }
        let mut out = Vec::new();
        assert_eq!(Letters::Title.spell(b"HTTP/1.1 200 OK\r\na: not whole\r\n", &mut out), None);
        assert!(out.is_empty());
        Letters::Title.spell(b"HTTP/1.1 200 x:y\r\nx-storage-url: http://x\r\n\r\n", &mut out);
        assert_eq!(out, b"HTTP/1.1 200 x:y\r\nX-Storage-Url: http://x\r\n\r\n");
    }

    #[test]
    fn a_value_that_was_replaced_hides_no_line() {
        let came = "GET / HTTP/1.1\r\nHOST: a\r\nACCEPT: b\r\nX-C: d\r\n\r\n";
        for length in 0..60 {
            let host = "h".repeat(length);
            let head = format!("GET / HTTP/1.1\r\nhost: {host}\r\naccept: b\r\nx-c: d\r\n\r\n");
            let expected = format!("GET / HTTP/1.1\r\nHOST: {host}\r\nACCEPT: b\r\nX-C: d\r\n\r\n");
            assert_eq!(spelled(came, &head), expected);
        }
    }

    #[test]
    fn debug_does_not_show_the_head() {
        assert_eq!(format!("{:?}", Spelling::of(b"secret")), "Spelling");
    }

    proptest! {
        #[test]
        fn only_letters_of_names_change(came in "[ -~\r\n:]{0,200}", head in "(h\r\n([a-z-]{1,9}: [ -~]{0,9}\r\n){0,9}\r\n)") {
            let spelled = spelled(&came, &head);
            prop_assert!(spelled.eq_ignore_ascii_case(&head));
            for (line, before) in spelled.lines().zip(head.lines()) {
                let values = |line: &str| line.split_once(':').map(|it| it.1.to_owned());
                prop_assert_eq!(values(line), values(before));
            }
        }
    }
}
