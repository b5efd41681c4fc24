//! What Keystone was asked, for tests: logins and questions about tokens, the last of each, and none that is large.

use std::collections::VecDeque;

use http::Method;
use serde_json::Value;

/// What was asked.
#[derive(Debug, Default)]
pub(super) struct Noted {
    /// Successful logins.
    pub(super) logins: usize,
    /// The last tokens, oldest first.
    pub(super) tokens: VecDeque<String>,
    /// The bodies of the last logins.
    pub(super) requests: VecDeque<Value>,
    /// The last tokens that somebody asked about or had revoked.
    pub(super) subjects: VecDeque<(Method, String)>,
}

impl Noted {
    /// `length` is the body's, as it came.
    pub(super) fn login_asked(&mut self, body: &Value, length: usize) {
        if length < MOST_BYTES {
            keep(&mut self.requests, body.clone());
        }
    }

    pub(super) fn logged_in(&mut self, token: &str) {
        self.logins += 1;
        keep(&mut self.tokens, token.to_owned());
    }

    pub(super) fn asked_about(&mut self, method: &Method, token: &str) {
        if token.len() < MOST_BYTES {
            keep(&mut self.subjects, (method.clone(), token.to_owned()));
        }
    }
}

fn keep<T>(kept: &mut VecDeque<T>, one: T) {
    if kept.len() == MOST {
        kept.pop_front();
    }
    kept.push_back(one);
}

const MOST: usize = 256;

const MOST_BYTES: usize = 4096;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_large_is_not_noted() {
        let mut noted = Noted::default();
        for length in [MOST_BYTES, MOST_BYTES - 1] {
            let text = "x".repeat(length);
            noted.login_asked(&Value::from(text.clone()), length);
            noted.asked_about(&Method::GET, &text);
        }
        assert_eq!((noted.requests.len(), noted.subjects.len()), (1, 1));
        assert_eq!(noted.subjects[0].1.len(), MOST_BYTES - 1);
    }
}
