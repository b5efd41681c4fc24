//! `Excerpt`: a piece of what a stranger sent, made fit for our own messages.
//!
//! 1. Printable ASCII stays; everything else is escaped as in Rust (`\n`, `\xff`),
//!    so that no reply and no log line can be broken from outside.
//! 2. Backticks and double quotes are escaped too: messages put excerpts between them.
//! 3. At most [`Excerpt::MAX_BYTES`] bytes are shown, then `..`.

use std::fmt;

/// A text from a request, escaped and cut, safe to show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Excerpt(String);

impl Excerpt {
    /// Bytes of the original that are shown; a host name and port mostly fit.
    pub const MAX_BYTES: usize = 80;

    /// Escapes and cuts `text`.
    pub fn new(text: impl AsRef<[u8]>) -> Self {
        let text = text.as_ref();
        let shown = text.get(..Self::MAX_BYTES).unwrap_or(text);
        let mut safe = String::with_capacity(shown.len());
        for &byte in shown {
            match byte {
                b'`' => safe.push_str("\\x60"),
                _ => safe.extend(byte.escape_ascii().map(char::from)),
            }
        }
        if shown.len() < text.len() {
            safe.push_str("..");
        }
        Self(safe)
    }

    /// The safe text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Excerpt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_quotes_and_raw_bytes_are_escaped() {
        assert_eq!(Excerpt::new(b"a\r\nb\x1b[\xff\"`\\").as_str(), r#"a\r\nb\x1b[\xff\"\x60\\"#);
    }

    #[test]
    fn long_texts_are_cut() {
        let shown = Excerpt::new("x".repeat(Excerpt::MAX_BYTES + 1));
        assert_eq!(shown.as_str(), format!("{}..", "x".repeat(Excerpt::MAX_BYTES)));
        assert_eq!(Excerpt::new("x".repeat(Excerpt::MAX_BYTES)).as_str().len(), Excerpt::MAX_BYTES);
    }
}
