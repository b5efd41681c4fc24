//! A record as a line: the shapes of `tracing`'s text and JSON, written at a fraction of the cost, since with the access log
//! on there is one for each request.

use std::cell::{Cell, RefCell};
use std::io::Write as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use jiff::Timestamp;

/// How a record is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// For people: `name=value`.
    Text,
    /// For machines: a JSON object.
    Json,
}

/// Where records go.
#[derive(Clone, Debug, Default)]
pub enum Out {
    /// To standard error: each at once, or in one write what `Gathering` holds.
    #[default]
    StandardError,
    /// Into memory, for who wants to look at them.
    Memory(Arc<Mutex<Vec<u8>>>),
}

impl PartialEq for Out {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::StandardError, Self::StandardError) => true,
            (Self::Memory(one), Self::Memory(another)) => Arc::ptr_eq(one, another),
            _ => false,
        }
    }
}

impl Eq for Out {}

impl Out {
    fn write(&self, line: &[u8]) {
        match self {
            // Nobody is left to be told that it did not work.
            Self::StandardError => _ = std::io::stderr().lock().write_all(line),
            Self::Memory(lines) => {
                lines.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(line)
            }
        }
    }
}

/// What each shape puts before a field's value.
#[derive(Clone, Copy)]
pub(super) struct Name {
    pub(super) text: &'static str,
    pub(super) json: &'static str,
}

/// A field's name.
macro_rules! name {
    ($name:literal) => {
        $crate::access_log::line::Name { text: concat!(" ", $name, "="), json: concat!(",\"", $name, "\":") }
    };
}
pub(super) use name;

/// A record under way.
pub(super) struct Line<'a> {
    bytes: &'a mut Vec<u8>,
    shape: Shape,
}

thread_local! {
    /// The record under way, behind those that are held.
    static LINES: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
    /// Whether there is a [`Gathering`].
    static IS_GATHERING: Cell<bool> = const { Cell::new(false) };
    /// The last second, and how it is written.
    static SECOND: Cell<(i64, [u8; SECOND_BYTES])> = const { Cell::new((i64::MIN, [0; SECOND_BYTES])) };
}

/// `2026-11-27T02:25:11`
const SECOND_BYTES: usize = 19;

/// Held records are written as soon as they are so many bytes.
const MOST_HELD: usize = 16 * 1024;

/// While it lives, this thread's records for standard error are held until the thread is about to wait, and then written at
/// once: the system call is most of what a record costs.
#[derive(Debug)]
#[must_use]
pub(crate) struct Gathering(());

impl Gathering {
    /// For a thread that calls [`Gathering::write`] before it waits.
    pub(crate) fn begin() -> Self {
        IS_GATHERING.set(true);
        Self(())
    }

    /// Writes what this thread holds, if anything.
    pub(crate) fn write() {
        LINES.with_borrow_mut(|lines| {
            if !lines.is_empty() {
                Out::StandardError.write(lines);
                lines.clear();
            }
        });
    }
}

impl Drop for Gathering {
    fn drop(&mut self) {
        IS_GATHERING.set(false);
        Self::write();
    }
}

/// Writes the record that `fill` makes.
pub(super) fn write(out: &Out, shape: Shape, now: SystemTime, fill: impl FnOnce(&mut Line<'_>)) {
    LINES.with_borrow_mut(|bytes| {
        bytes.extend_from_slice(match shape {
            Shape::Text => b"",
            Shape::Json => b"{\"timestamp\":\"",
        });
        put_time(bytes, now);
        bytes.extend_from_slice(match shape {
            Shape::Text => b"  INFO gatestone::access: request",
            Shape::Json => b"\",\"level\":\"INFO\",\"message\":\"request\"",
        });
        let mut line = Line { bytes, shape };
        fill(&mut line);
        bytes.extend_from_slice(match shape {
            Shape::Text => b"\n",
            Shape::Json => b",\"target\":\"gatestone::access\"}\n",
        });
        let is_held = *out == Out::StandardError && IS_GATHERING.get() && bytes.len() < MOST_HELD;
        if !is_held {
            out.write(bytes);
            bytes.clear();
        }
    });
}

/// RFC 3339, in microseconds.
fn put_time(bytes: &mut Vec<u8>, now: SystemTime) {
    // Before 1970 it is 1970: the clock is wrong either way.
    let since = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let seconds = i64::try_from(since.as_secs()).unwrap_or(i64::MAX);
    let (last, mut written) = SECOND.get();
    if last != seconds {
        let text = Timestamp::from_second(seconds).unwrap_or(Timestamp::MAX).to_string();
        if let Some(second) = text.as_bytes().first_chunk() {
            written = *second;
        }
        SECOND.set((seconds, written));
    }
    bytes.extend_from_slice(&written);
    bytes.push(b'.');
    put_digits(bytes, since.subsec_micros(), 6);
    bytes.push(b'Z');
}

/// The last digits of a number, so many.
fn put_digits(bytes: &mut Vec<u8>, number: u32, count: u32) {
    bytes.extend((0..count).rev().map(|place| b'0' + (number / 10_u32.pow(place) % 10) as u8));
}

impl Line<'_> {
    fn name(&mut self, name: Name) {
        self.bytes.extend_from_slice(match self.shape {
            Shape::Text => name.text.as_bytes(),
            Shape::Json => name.json.as_bytes(),
        });
    }

    pub(super) fn text(&mut self, name: Name, text: &str) {
        self.name(name);
        if is_plain(text) {
            self.bytes.push(b'"');
            self.bytes.extend_from_slice(text.as_bytes());
            self.bytes.push(b'"');
            return;
        }
        // Writing to memory cannot fail.
        match self.shape {
            Shape::Text => _ = write!(self.bytes, "{text:?}"),
            Shape::Json => {
                for char in serde_json::to_string(text).unwrap_or_default().chars() {
                    // JSON allows these; terminals obey the first and some readers break lines at the others.
                    let is_obeyed = matches!(char, '\u{7f}'..='\u{9f}' | '\u{2028}' | '\u{2029}');
                    _ = match is_obeyed {
                        true => write!(self.bytes, "\\u{:04x}", u32::from(char)),
                        false => write!(self.bytes, "{char}"),
                    };
                }
            }
        }
    }

    pub(super) fn text_if_any(&mut self, name: Name, text: Option<&str>) {
        if let Some(text) = text {
            self.text(name, text);
        }
    }

    /// As it is.
    pub(super) fn word(&mut self, name: Name, text: &str) {
        match self.shape {
            Shape::Text => {
                self.name(name);
                self.bytes.extend_from_slice(text.as_bytes());
            }
            Shape::Json => self.text(name, text),
        }
    }

    pub(super) fn number(&mut self, name: Name, number: u64) {
        self.name(name);
        _ = serde_json::to_writer(&mut *self.bytes, &number);
    }

    /// In milliseconds, to the microsecond.
    pub(super) fn millis(&mut self, name: Name, time: Duration) {
        self.number(name, u64::try_from(time.as_millis()).unwrap_or(u64::MAX));
        self.bytes.push(b'.');
        put_digits(self.bytes, time.subsec_micros(), 3);
    }

    pub(super) fn flag(&mut self, name: Name, is_so: bool) {
        self.name(name);
        self.bytes.extend_from_slice(if is_so { b"true" } else { b"false" });
    }
}

/// Whether it stands in quotes as it is, in either shape. Looks at all of it, many bytes at once.
fn is_plain(text: &str) -> bool {
    let is_plain = |byte| matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\';
    text.bytes().fold(true, |all, byte| all & is_plain(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(shape: Shape) -> String {
        let lines = Arc::default();
        let now = SystemTime::UNIX_EPOCH + Duration::from_micros(1_795_746_311_050_007);
        for _ in 0..2 {
            write(&Out::Memory(Arc::clone(&lines)), shape, now, |line| {
                line.word(name!("method"), "GET");
                line.text(name!("path"), "/a b\"\n\u{e9}\u{9b}\u{2028}");
                line.number(name!("status"), 200);
                line.millis(name!("elapsed_ms"), Duration::from_micros(1_002_030));
                line.flag(name!("cut"), true);
                line.text_if_any(name!("user"), None);
                line.text_if_any(name!("peer"), Some("127.0.0.1:1"));
            });
        }
        String::from_utf8(lines.lock().unwrap().clone()).unwrap()
    }

    #[test]
    fn text_is_as_tracing_writes_it() {
        let line = "2026-11-27T02:25:11.050007Z  INFO gatestone::access: request method=GET \
            path=\"/a b\\\"\\n\u{e9}\\u{9b}\\u{2028}\" status=200 elapsed_ms=1002.030 cut=true peer=\"127.0.0.1:1\"\n";
        assert_eq!(written(Shape::Text), line.repeat(2));
    }

    #[test]
    fn json_is_an_object_a_line() {
        let written = written(Shape::Json);
        let record: serde_json::Value = serde_json::from_str(written.lines().next().unwrap()).unwrap();
        let expected = serde_json::json!({
            "timestamp": "2026-11-27T02:25:11.050007Z", "level": "INFO", "message": "request",
            "target": "gatestone::access", "method": "GET", "path": "/a b\"\n\u{e9}\u{9b}\u{2028}", "status": 200,
            "elapsed_ms": 1002.03, "cut": true, "peer": "127.0.0.1:1",
        });
        assert_eq!(record, expected);
        assert!(!written.contains(['\u{9b}', '\u{2028}']), "{written}");
    }

    #[test]
    fn a_clock_before_1970_does_no_harm() {
        let lines = Arc::default();
        let now = SystemTime::UNIX_EPOCH - Duration::from_secs(5);
        write(&Out::Memory(Arc::clone(&lines)), Shape::Text, now, |_| {});
        assert!(lines.lock().unwrap().starts_with(b"1970-01-01T00:00:00.000000Z "));
    }
}
