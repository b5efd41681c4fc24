//! What Keystone was asked, for tests: logins and questions about tokens, the last of each.

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
    pub(super) fn login_asked(&mut self, body: &Value) {
        keep(&mut self.requests, body.clone());
    }

    pub(super) fn logged_in(&mut self, token: &str) {
        self.logins += 1;
        keep(&mut self.tokens, token.to_owned());
    }

    pub(super) fn asked_about(&mut self, method: &Method, token: &str) {
        keep(&mut self.subjects, (method.clone(), token.to_owned()));
    }
}

fn keep<T>(kept: &mut VecDeque<T>, one: T) {
    if kept.len() == MOST {
        kept.pop_front();
    }
    kept.push_back(one);
}

const MOST: usize = 256;
