//! The bytes of an object or an image: chunks that downloads share, and the room they take.

use bytes::Bytes;
use md5::{Digest, Md5};

use super::store::{Full, Room, Share};

/// Bytes that are complete.
#[derive(Debug)]
pub(super) struct Data {
    chunks: Vec<Bytes>,
    length: u64,
    md5: String,
    _share: Share,
}

/// Chunks are of this size, all but the last.
const CHUNK: usize = 64 * 1024;

impl Data {
    /// These bytes.
    pub(super) fn of(bytes: &[u8], room: &Room) -> Result<Self, Full> {
        let mut collector = Collector::new(room, None);
        collector.add(bytes)?;
        Ok(collector.finish())
    }

    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// Their MD5 in hexadecimal digits, which is the object's entity tag.
    pub(super) fn md5(&self) -> &str {
        &self.md5
    }

    /// As much as there is at once from `at` on, at most to `end`; nothing if there is nothing.
    pub(super) fn slice(&self, at: u64, end: u64) -> Option<Bytes> {
        let end = end.min(self.length);
        if at >= end {
            return None;
        }
        // Both are below the length of something in memory.
        let (chunk, offset) = (at / CHUNK as u64, at % CHUNK as u64);
        let chunk = self.chunks.get(usize::try_from(chunk).ok()?)?;
        let offset = usize::try_from(offset).ok()?;
        let length = usize::try_from(end - at).unwrap_or(usize::MAX).min(chunk.len() - offset);
        Some(chunk.slice(offset..offset + length))
    }
}

/// Bytes on their way in; what is dropped here was never kept.
#[derive(Debug)]
pub(super) struct Collector {
    chunks: Vec<Bytes>,
    /// The chunk that is being filled; what comes is copied, since a slice of a connection's buffer
    /// would keep all of the buffer.
    last: Vec<u8>,
    length: u64,
    expected: Option<u64>,
    md5: Md5,
    share: Share,
}

impl Collector {
    /// For a body of this length, if that is known.
    pub(super) fn new(room: &Room, expected: Option<u64>) -> Self {
        Self {
            chunks: Vec::new(),
            last: Vec::new(),
            length: 0,
            expected,
            md5: Md5::new(),
            share: room.share(),
        }
    }

    /// Takes more in, if there is room.
    pub(super) fn add(&mut self, mut bytes: &[u8]) -> Result<(), Full> {
        self.share.grow(bytes.len() as u64)?;
        self.md5.update(bytes);
        while !bytes.is_empty() {
            if self.last.is_empty() {
                let expected =
                    self.expected.map_or(bytes.len() as u64, |all| all.saturating_sub(self.length));
                self.last.reserve_exact(usize::try_from(expected).map_or(CHUNK, |left| left.min(CHUNK)));
            }
            let (now, later) = bytes.split_at(bytes.len().min(CHUNK - self.last.len()));
            self.last.extend_from_slice(now);
            self.length += now.len() as u64;
            bytes = later;
            if self.last.len() == CHUNK {
                self.close_chunk();
            }
        }
        Ok(())
    }

    fn close_chunk(&mut self) {
        let chunk = std::mem::take(&mut self.last);
        self.chunks.push(Bytes::from(chunk.into_boxed_slice()));
    }

    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// That is all.
    pub(super) fn finish(mut self) -> Data {
        if !self.last.is_empty() {
            self.close_chunk();
        }
        let md5 = hex(&self.md5.finalize());
        Data { chunks: self.chunks, length: self.length, md5, _share: self.share }
    }
}

/// MD5 of a few bytes, in hexadecimal digits.
pub(super) fn md5_hex(bytes: &[u8]) -> String {
    hex(&Md5::digest(bytes))
}

/// Hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_went_in_comes_out_in_chunks() {
        let bytes: Vec<u8> = (0..200_000u32).map(|n| n.to_le_bytes()[0]).collect();
        let mut collector = Collector::new(&Room::new(200_000), None);
        for part in bytes.chunks(777) {
            collector.add(part).unwrap();
        }
        let data = collector.finish();
        assert_eq!(data.length(), 200_000);
        assert_eq!(data.md5(), md5_hex(&bytes));
        let mut read = Vec::new();
        while let Some(slice) = data.slice(read.len() as u64, u64::MAX) {
            read.extend_from_slice(&slice);
        }
        assert_eq!(read, bytes);
        assert_eq!(data.slice(65_530, 65_540).unwrap(), bytes[65_530..65_536]);
        assert_eq!(data.slice(200_000, 200_001), None);
        assert_eq!(data.slice(9, 9), None);
    }

    #[test]
    fn entity_tags_are_md5() {
        let room = Room::new(11);
        assert_eq!(Data::of(b"hello world", &room).unwrap().md5(), "5eb63bbbe01eeed093cb22bb8f5acdc3");
        assert_eq!(Data::of(b"", &room).unwrap().md5(), "d41d8cd98f00b204e9800998ecf8427e");
        assert!(Data::of(b"hello worlds", &room).is_err());
    }
}
