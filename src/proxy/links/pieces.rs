//! What of a body is ready to go: long parts as slices of what came, short ones joined.
//!
//! A frame costs more than the copy of a few KiB, and a slice keeps the whole block that it is of.

use std::collections::VecDeque;
use std::ops::Range;

use bytes::{Bytes, BytesMut};

#[derive(Debug, Default)]
pub(super) struct Pieces {
    ready: VecDeque<Bytes>,
    joined: BytesMut,
    expected: usize,
}

impl Pieces {
    /// A chunk of so many bytes comes.
    pub(super) fn expect(&mut self, bytes: usize) {
        self.expected = bytes.min(LONG_BYTES * 4);
    }

    /// A part of a chunk as it came.
    pub(super) fn pass(&mut self, chunk: &Bytes, range: Range<usize>) {
        let is_whole = range.len() == chunk.len();
        if range.is_empty() {
            return;
        }
        if range.len() >= LONG_BYTES || is_whole && self.joined.is_empty() {
            self.end();
            self.ready.push_back(chunk.slice(range));
        } else {
            self.add(&chunk[range]);
        }
    }

    /// Something else.
    pub(super) fn add(&mut self, bytes: &[u8]) {
        if self.joined.capacity() - self.joined.len() < bytes.len() {
            self.joined.reserve(self.expected.max(self.joined.len()).max(bytes.len()));
        }
        self.joined.extend_from_slice(bytes);
    }

    /// Nothing comes for a while that could be joined.
    pub(super) fn end(&mut self) {
        if !self.joined.is_empty() {
            self.ready.push_back(self.joined.split().freeze());
        }
    }

    /// The next piece.
    pub(super) fn take(&mut self) -> Option<Bytes> {
        self.ready.pop_front()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.ready.is_empty()
    }
}

/// From here on a frame of its own costs less than the copy.
const LONG_BYTES: usize = 16 * 1024;
