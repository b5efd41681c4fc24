//! A path as the most lenient server would read it.
//!
//! Which of two spellings are one path differs between servers and the gateways before them. Who refuses a path, or
//! answers it in a server's stead, must know it in every spelling: percent-decoded until nothing is left to decode, `\`
//! as `/`, a segment ended by `;`, `?` or `#`, blanks and control bytes left out.
//!
//! What travels on is never changed by this.

use std::borrow::Cow;

/// The names of a path: decoded, in lower case, without empty segments and `.`, and `..` taken as the step back that
/// it is.
pub(crate) fn names(path: &str) -> Vec<Vec<u8>> {
    let mut names: Vec<Vec<u8>> = Vec::new();
    for segment in decode(path).split(|byte| matches!(byte, b'/' | b'\\')) {
        match &*fold(segment) {
            b"" | b"." => {}
            b".." => {
                names.pop();
            }
            name => names.push(name.to_ascii_lowercase()),
        }
    }
    names
}

/// Whether everyone reads this path as it is written: no byte means anything but itself, and no segment is empty or
/// starts with a dot, but for the last, which may be empty. Nearly every path is told by this, in steps of many bytes.
pub(crate) fn is_plain(path: &[u8]) -> bool {
    let mut rest = path;
    let mut is_plain = path.first() != Some(&b'.');
    // One byte more than a step takes, so that pairs across its end are seen.
    while let Some((window, _)) = rest.split_first_chunk::<{ STEP + 1 }>() {
        is_plain &= is_plain_step(window);
        rest = &rest[STEP..];
    }
    let mut last = [b'a'; STEP + 1];
    last[..rest.len()].copy_from_slice(rest);
    is_plain && is_plain_step(&last)
}

/// Bytes that are looked at together; as many fit in a vector everywhere.
const STEP: usize = 16;

/// Without branches, so that it is compiled to vectors.
fn is_plain_step(window: &[u8; STEP + 1]) -> bool {
    let mut is_odd = false;
    for (byte, next) in window.iter().zip(&window[1..]) {
        // `+,-./0123456789:`, `=`, `@` and letters, `_`, `~`
        let is_known = matches!(byte, b'+'..=b':')
            | (*byte == b'=')
            | matches!(byte, b'@'..=b'Z')
            | (*byte == b'_')
            | byte.is_ascii_lowercase()
            | (*byte == b'~');
        is_odd |= !is_known | ((*byte == b'/') & ((*next == b'/') | (*next == b'.')));
    }
    !is_odd
}

/// Whether a `..` is among the segments, in any spelling. Most paths that are not plain are told without decoding.
pub(crate) fn has_step_back(path: &str) -> bool {
    if !has_two_dots(path.as_bytes()) && !may_hide_a_dot(path.as_bytes()) {
        return false;
    }
    decode(path).split(|byte| matches!(byte, b'/' | b'\\')).any(|segment| &*fold(segment) == b"..")
}

/// Whether there is `..`, wherever it stands; what looks for texts of any length costs more.
pub(super) fn has_two_dots(path: &[u8]) -> bool {
    memchr::memchr_iter(b'.', path).any(|dot| path.get(dot + 1) == Some(&b'.'))
}

/// Whether something is escaped that may be a dot, or a part of another escape: `%2e`, `%25`, or a digit.
fn may_hide_a_dot(path: &[u8]) -> bool {
    let digit = |at: usize| path.get(at + 1);
    memchr::memchr_iter(b'%', path).any(|at| matches!(digit(at), Some(b'%' | b'2' | b'3' | b'4' | b'6')))
}

/// Decodes until there is nothing left to decode, in one pass: a decoded byte may complete an escape that
/// began before it, so the end of what is written is looked at after each byte.
pub(crate) fn decode(path: &str) -> Cow<'_, [u8]> {
    if !path.contains('%') {
        return Cow::Borrowed(path.as_bytes());
    }
    let mut decoded = Vec::with_capacity(path.len());
    for byte in path.bytes() {
        decoded.push(byte);
        while let [.., b'%', high, low] = decoded[..]
            && let (Some(high), Some(low)) = (hex(high), hex(low))
        {
            decoded.truncate(decoded.len() - 3);
            decoded.push(high << 4 | low);
        }
    }
    Cow::Owned(decoded)
}

/// The value of a hexadecimal digit.
fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

/// A segment without its parameters (`;x`), blanks and control bytes.
pub(crate) fn fold(segment: &[u8]) -> Cow<'_, [u8]> {
    let name = segment.split(|byte| matches!(byte, b';' | b'?' | b'#')).next().unwrap_or(segment);
    if name.iter().all(u8::is_ascii_graphic) {
        return Cow::Borrowed(name);
    }
    Cow::Owned(name.iter().copied().filter(|byte| *byte > b' ' && *byte != 0x7f).collect())
}

#[cfg(test)]
mod tests {
    use super::{decode, fold, has_step_back, is_plain, names};

    #[test]
    fn a_plain_path_is_told_wherever_the_odd_byte_stands() {
        let long =
            "/abcdefghijklmnopqrstuvwxyz/ABCDEFGHIJKLMNOPQRSTUVWXYZ/0123456789-_~:@+=,/a.b..c.".as_bytes();
        assert!(is_plain(long) && is_plain(b"") && is_plain(b"/") && is_plain(b"c/o/"));
        for at in 0..long.len() {
            for byte in 0..=u8::MAX {
                let mut path = long.to_vec();
                path[at] = byte;
                let is_known = byte.is_ascii_alphanumeric() || b"-_~:@+=,./".contains(&byte);
                let starts_with_dot = path.starts_with(b".") || path.windows(2).any(|pair| pair == b"/.");
                let expected = is_known && !starts_with_dot && !path.windows(2).any(|pair| pair == b"//");
                assert_eq!(is_plain(&path), expected, "{byte:#x} at {at}");
            }
        }
    }

    proptest::proptest! {
        #[test]
        fn a_plain_path_has_one_reading(path in "[a-c./_%;?\\\\ ]{0,40}") {
            if is_plain(path.as_bytes()) {
                proptest::prop_assert!(!has_step_back(&path));
                proptest::prop_assert_eq!(&*decode(&path), path.as_bytes());
                for segment in path.split('/') {
                    proptest::prop_assert_eq!(&*fold(segment.as_bytes()), segment.as_bytes());
                }
            }
        }
    }

    #[test]
    fn a_step_back_is_seen_in_every_spelling() {
        for path in [
            "/a/../b",
            "/..",
            "a/%2e%2E/b",
            "/a/%252e%252e",
            "/a/.%2e;x/b",
            "/a%2f..%5Cb",
            "/%2%65%2%65/",
            "/a/%%32e.",
        ] {
            assert!(has_step_back(path), "{path}");
        }
        for path in ["/a/b", "/a/..b/c...", "/a/...", "/%C3%A9%20b/%2Fc", "/a%25b", "/a/.", ""] {
            assert!(!has_step_back(path), "{path}");
        }
    }

    #[test]
    fn every_spelling_of_a_path_has_the_same_names() {
        for path in [
            "/v3/auth/tokens",
            "v3//auth/./tokens/",
            "/V3\\auth/Tokens;x=y",
            "/v3/x/../auth/%2574okens",
            "/v3%2Fauth/tokens%20%00",
            "/v3/auth/tokens%3Fnocatalog",
            "/../v3/auth/..;/auth/tokens",
        ] {
            assert_eq!(names(path), ["v3", "auth", "tokens"].map(|name| name.as_bytes().to_vec()), "{path}");
        }
        assert!(names("").is_empty() && names("//.").is_empty());
    }
}
