//! What a service was asked, for tests and for the tour: the heads of the last requests, and how many
//! connections there were.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use http::request::Parts;
use http::{HeaderMap, Method};

/// The head of a request.
#[derive(Clone, Debug)]
pub struct Asked {
    /// `GET`.
    pub method: Method,
    /// Path and query, as they came.
    pub target: String,
    /// Its fields.
    pub headers: HeaderMap,
}

impl Asked {
    /// The value of the first line of field `name`, if it is text.
    pub fn field(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

/// The last requests of one service.
#[derive(Debug, Default)]
pub struct Seen {
    requests: Mutex<VecDeque<Asked>>,
    count: AtomicUsize,
    connections: AtomicUsize,
}

impl Seen {
    /// The last requests, oldest first.
    pub fn requests(&self) -> Vec<Asked> {
        self.lock().iter().cloned().collect()
    }

    /// The last one.
    pub fn last(&self) -> Option<Asked> {
        self.lock().back().cloned()
    }

    /// How many requests there were.
    pub fn count(&self) -> usize {
        self.count.load(Ordering::Relaxed)
    }

    /// How many connections there were.
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }

    pub(super) fn connected(&self) {
        self.connections.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn asked(&self, head: &Parts) {
        self.count.fetch_add(1, Ordering::Relaxed);
        let target = head.uri.path_and_query().map_or_else(|| head.uri.to_string(), ToString::to_string);
        let asked = Asked { method: head.method.clone(), target, headers: head.headers.clone() };
        let mut requests = self.lock();
        if requests.len() == KEPT {
            requests.pop_front();
        }
        requests.push_back(asked);
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Asked>> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Requests that are remembered.
const KEPT: usize = 2048;
