//! Words for a POSIX shell (XCU 2.2.2), whatever is in them.

use std::borrow::Cow;

/// As it is where a shell leaves it so, else quoted.
pub(crate) fn word(text: &str) -> Cow<'_, str> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@%+=,".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) { text.into() } else { quoted(text).into() }
}

/// Quoted.
pub(crate) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn a_shell_reads_back_what_was_written() {
        for text in [
            "",
            "plain",
            "it's",
            "''",
            "$(id) `id` \"x\" \\",
            "a\nb",
            "-n",
            "Ünï *",
            "http://[::1]/a;id",
            "~",
        ] {
            for written in [word(text).into_owned(), quoted(text)] {
                let script = format!("printf %s. {written}");
                // What begins with a dash is no option of printf's behind its format.
                let done = Command::new("sh").args(["-c", &script]).output().unwrap();
                assert_eq!(String::from_utf8(done.stdout).unwrap(), format!("{text}."), "{written}");
            }
        }
    }

    #[test]
    fn what_needs_no_quotes_gets_none() {
        assert_eq!(word("http://127.0.0.1:5050/object-store@GRA"), "http://127.0.0.1:5050/object-store@GRA");
        assert_eq!(word("http://[::1]:5050/"), "'http://[::1]:5050/'");
    }
}
