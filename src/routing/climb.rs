//! Whether a path steps above where it starts.
//!
//! The bytes travel on unchanged, so what counts is how a server may read them. The path is read once
//! decoded (`%252e` stays an ordinary name), `;x` is dropped from segments, and an empty segment gives no
//! depth, since some servers merge slashes. Whether `%2F`, `\` and `%5C` separate segments differs
//! between servers (browsers and what reads URLs as they do take `\` alone): the path must hold in each of
//! these readings, as any one alone misses a step (`/a%2Fb/../..` climbs only where `%2F` is no separator,
//! `/a%2F..%2F..` only where it is).

use super::lenient::has_two_dots;

/// Whether some reading of `path`, which starts at depth 0, goes below it, or, once it has come to `floor`, below that.
pub(super) fn climbs_out(path: &str, floor: usize) -> bool {
    has_dots(path) && (0..8).any(|reading| Reading::of(reading).climbs_out(path.as_bytes(), floor))
}

/// Which bytes separate segments beside `/`.
struct Reading {
    encoded_slash: bool,
    backslash: bool,
    encoded_backslash: bool,
}

impl Reading {
    /// One of the eight.
    fn of(bits: u8) -> Self {
        Self { encoded_slash: bits & 1 != 0, backslash: bits & 2 != 0, encoded_backslash: bits & 4 != 0 }
    }

    fn climbs_out(&self, path: &[u8], floor: usize) -> bool {
        let (mut depth, mut least) = (0, 0);
        let mut segment = Segment::default();
        let mut rest = path;
        loop {
            let next = next_byte(rest);
            if let Some((byte, encoded, after)) = next {
                rest = after;
                let separates = match byte {
                    b'/' => !encoded || self.encoded_slash,
                    b'\\' if encoded => self.encoded_backslash,
                    b'\\' => self.backslash,
                    _ => false,
                };
                if !separates {
                    segment.push(byte);
                    continue;
                }
            }
            match segment.step(depth).filter(|reached| *reached >= least) {
                Some(reached) => depth = reached,
                None => return true,
            }
            if depth >= floor {
                least = floor;
            }
            if next.is_none() {
                return false;
            }
            segment = Segment::default();
        }
    }
}

/// What matters of a segment: whether it is empty, `.`, `..` or a name.
#[derive(Default)]
struct Segment {
    dots: usize,
    is_name: bool,
    has_parameters: bool,
}

impl Segment {
    fn push(&mut self, byte: u8) {
        match byte {
            _ if self.has_parameters => {}
            b';' => self.has_parameters = true,
            b'.' => self.dots += 1,
            _ => self.is_name = true,
        }
    }

    /// The depth after this segment; `None` below 0.
    fn step(&self, depth: usize) -> Option<usize> {
        match self.dots {
            0 | 1 if !self.is_name => Some(depth),
            2 if !self.is_name => depth.checked_sub(1),
            _ => Some(depth + 1),
        }
    }
}

/// The first byte, decoded, whether it was encoded, and what follows.
fn next_byte(path: &[u8]) -> Option<(u8, bool, &[u8])> {
    let (first, after) = path.split_first()?;
    if *first == b'%'
        && let [high, low, after @ ..] = after
    {
        let digit = |byte: &u8| char::from(*byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        if let (Some(high), Some(low)) = (digit(high), digit(low)) {
            return Some((high * 16 + low, true, after));
        }
    }
    Some((*first, false, after))
}

/// Whether there may be a `..` at all; nearly every path ends here.
fn has_dots(path: &str) -> bool {
    let path = path.as_bytes();
    let is_dot = |at: usize| matches!(path.get(at + 1..at + 3), Some([b'2', b'e' | b'E']));
    has_two_dots(path) || memchr::memchr_iter(b'%', path).any(is_dot)
}

#[cfg(test)]
mod tests {
    use super::climbs_out;

    #[test]
    fn steps_above_the_start_are_seen_in_every_spelling() {
        for path in [
            "/..",
            "/../x",
            "/a/../..",
            "/a/../../b",
            "/%2e%2e/x",
            "/.%2E",
            "/%2e.",
            "/..;x=1/y",
            "/..%3Bx/y",
            "/a%2F..%2F..",
            "/a%2f..%2f../b",
            "/..%2Fx",
            "/..%5Cx",
            "/..\\x",
            "/a\\..\\..",
            "/a%2Fb/../..",
            "/a\\b/../..",
            "/a%2Fb\\..\\..",
            "/a\\b%2F..%2F..",
            "/a%5Cb/..\\..",
            "/a\\b/..%5C..",
            "/a%2Fb\\c/../..",
            "/a//../..",
            "/a/./../..",
            "/a/;x/../..",
            "/a/../../a/b/c",
        ] {
            assert!(climbs_out(path, 0), "{path}");
        }
    }

    #[test]
    fn paths_that_stay_below_pass() {
        for path in [
            "",
            "/",
            "/a/b/../..",
            "/a/..",
            "/...",
            "/..a",
            "/a..",
            "/. ./x",
            "/%252e%252e/x",
            "/..%252Fx/../y",
            "/a;../b",
            "/a%2F..%2Fb",
            "/a/b%2F..%2F../c",
            "/%2",
            "/%",
            "/a%2e%2e",
            "/ü/../ü",
        ] {
            assert!(!climbs_out(path, 0), "{path}");
        }
    }

    #[test]
    fn an_account_ends_where_the_reading_ends_it() {
        for (path, climbs) in [
            ("/v1/AUTH_p/c/../d", false),
            ("/v1/AUTH_p/c/../../AUTH_q", true),
            ("/v1/AUTH_p%2f..%2F..", true),
            ("/v1/AUTH_p%2F../AUTH_q", true),
            ("/v1/AUTH_p%2Fb/../KEY_q", true),
            ("/v1/AUTH_p%5C../x", true),
            ("/v1/AUTH_p\\../x", true),
            ("/v1/AUTH_p;x/../y", true),
            ("/v1/AUTH_p..", false),
        ] {
            assert_eq!(climbs_out(path, 2), climbs, "{path}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_break_it(path in "\\PC{0,30}", dotted in "(/|%2F|%2e|\\.|;|\\\\|%5c|a|%){0,30}") {
            let _ = climbs_out(&path, 0);
            // Decoding by others: a literal walk that goes below is always seen.
            let mut depth = 0_i32;
            let literal = dotted.split('/').any(|segment| {
                depth += match segment { "" | "." => 0, ".." => -1, _ => 1 };
                depth < 0
            });
            assert!(!literal || climbs_out(&dotted, 0), "{dotted}");
        }
    }
}
