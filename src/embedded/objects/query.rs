//! The query of a request: values are bytes until they are asked for as text.

use std::collections::HashMap;

use http::StatusCode;
use percent_encoding::percent_decode;

use super::refusal::Refusal;

/// Parameters by name; of several with one name the last counts.
#[derive(Clone, Debug, Default)]
pub(super) struct Query(HashMap<String, Vec<u8>>);

impl Query {
    /// Reads `a=b&c`.
    pub(super) fn new(query: &str) -> Self {
        let pairs = query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (String::from_utf8_lossy(&decoded(name)).into_owned(), decoded(value))
        });
        Self(pairs.collect())
    }

    /// Whether it is there, with a value or without.
    pub(super) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// Whether it has this value.
    pub(super) fn is(&self, name: &str, value: &str) -> bool {
        self.0.get(name).is_some_and(|given| given == value.as_bytes())
    }

    /// Whether it has a value that means yes.
    pub(super) fn is_true(&self, name: &str) -> bool {
        self.0.get(name).and_then(|value| str::from_utf8(value).ok()).is_some_and(is_true)
    }

    /// The value, which must be UTF-8.
    pub(super) fn text(&self, name: &str) -> Result<Option<&str>, Refusal> {
        let text = self.0.get(name).map(|value| str::from_utf8(value)).transpose();
        text.map_err(|_| {
            Refusal::plain(StatusCode::BAD_REQUEST, format!("\"{name}\" parameter not valid UTF-8"))
        })
    }
}

/// Swift's idea of a true value.
pub(super) fn is_true(value: &str) -> bool {
    ["true", "1", "yes", "on", "t", "y"].iter().any(|word| value.eq_ignore_ascii_case(word))
}

fn decoded(text: &str) -> Vec<u8> {
    percent_decode(text.replace('+', " ").as_bytes()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_decoded_and_text_must_be_utf8() {
        let query = Query::new("a=1&b&c=%C3%A9+x&d=%ff&a=2&reverse=On&&=");
        assert_eq!(query.text("a"), Ok(Some("2")));
        assert_eq!(query.text("b"), Ok(Some("")));
        assert_eq!(query.text("c"), Ok(Some("é x")));
        assert_eq!(query.text("e"), Ok(None));
        assert_eq!(query.text("d").unwrap_err().text(), "\"d\" parameter not valid UTF-8");
        assert!(query.has("b") && query.is("a", "2") && query.is_true("reverse") && !query.is_true("a"));
    }
}
