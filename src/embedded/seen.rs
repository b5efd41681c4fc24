//! What a service was asked, for tests and for the tour: the heads of the last requests, as many as fit into a few
//! megabytes, and how many connections there were.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method};

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

    /// What it takes, about.
    fn size(&self) -> usize {
        let fields: usize =
            self.headers.iter().map(|(name, value)| FIELD + name.as_str().len() + value.len()).sum();
        size_of::<Self>() + self.method.as_str().len() + self.target.len() + fields
    }
}

/// Requests, oldest first, and what they take.
#[derive(Debug, Default)]
struct Kept {
    requests: VecDeque<Asked>,
    bytes: usize,
}

impl Kept {
    /// The oldest go, as many as must.
    fn push(&mut self, asked: Asked) {
        self.bytes += asked.size();
        self.requests.push_back(asked);
        while self.requests.len() > MOST_REQUESTS || self.bytes > MOST_BYTES {
            let Some(oldest) = self.requests.pop_front() else { break };
            self.bytes -= oldest.size();
        }
    }
}

/// The last requests of one service.
#[derive(Debug, Default)]
pub struct Seen {
    kept: Mutex<Kept>,
    count: AtomicUsize,
    connections: AtomicUsize,
}

impl Seen {
    /// The last requests, oldest first.
    pub fn requests(&self) -> Vec<Asked> {
        self.lock().requests.iter().cloned().collect()
    }

    /// The last one.
    pub fn last(&self) -> Option<Asked> {
        self.lock().requests.back().cloned()
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
        let asked = Asked { method: head.method.clone(), target, headers: copied(&head.headers) };
        self.lock().push(asked);
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Fields in bytes of their own: the values that came are slices of the connection's buffer, and would keep all of
/// that.
fn copied(headers: &HeaderMap) -> HeaderMap {
    let copy = |(name, value): (&HeaderName, &HeaderValue)| {
        Some((name.clone(), HeaderValue::from_bytes(value.as_bytes()).ok()?))
    };
    headers.iter().filter_map(copy).collect()
}

/// Requests that are remembered.
const MOST_REQUESTS: usize = 2048;

/// What they may take together.
const MOST_BYTES: usize = 4 << 20;

/// What a field takes beside its text.
const FIELD: usize = 160;

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::Request;

    use super::*;

    fn head(target: &str, value: HeaderValue) -> Parts {
        Request::get(target).header("x-value", value).body(()).unwrap().into_parts().0
    }

    #[test]
    fn large_heads_push_old_ones_out_before_small_ones_do() {
        let seen = Seen::default();
        let large = HeaderValue::from_bytes(&vec![b'v'; MOST_BYTES / 4]).unwrap();
        for n in 0..10 {
            seen.asked(&head(&format!("/{n}"), large.clone()));
        }
        let targets: Vec<_> = seen.requests().into_iter().map(|asked| asked.target).collect();
        assert_eq!((targets, seen.count()), (["/7", "/8", "/9"].map(str::to_owned).to_vec(), 10));
        for _ in 0..MOST_REQUESTS + 1 {
            seen.asked(&head("/small", HeaderValue::from_static("v")));
        }
        assert_eq!(seen.requests().len(), MOST_REQUESTS);
        let sizes: usize = seen.requests().iter().map(Asked::size).sum();
        assert_eq!(seen.lock().bytes, sizes);
    }

    #[test]
    fn what_is_remembered_keeps_nothing_of_the_connections_buffer() {
        let buffer = Bytes::from_static(b"blue-and-all-that-came-with-it");
        let seen = Seen::default();
        seen.asked(&head("/", HeaderValue::from_maybe_shared(buffer.slice(..4)).unwrap()));
        let asked = seen.last().unwrap();
        assert_eq!(asked.field("x-value"), Some("blue"));
        assert_ne!(asked.headers["x-value"].as_bytes().as_ptr(), buffer.as_ptr());
    }
}
