//! What has passed of a body, kept so that it can be played once more.
//!
//! Bounded in two ways. After [`MOST_KEPT_BYTES`] nothing is kept any more. And a
//! frame is a slice of the block that hyper's server read it into, which it pins
//! whole: 8 KiB at least and several hundred at most, however short the frame (20,000
//! bytes sent one by one pinned 160 MiB, measured). So the first few frames are kept
//! as the slices they are, which is all that nearly every body of this size consists
//! of, and those after them are copied into one piece of memory.

use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use http_body::Frame;

/// The longest body that can be played again once it has passed.
pub(in crate::client) const MOST_KEPT_BYTES: usize = 128 * 1024;

/// Frames kept as slices of hyper's blocks. Its reads grow from 8 KiB by doubling,
/// so five of them make up 128 KiB that came at full speed.
const MOST_SLICES: usize = 8;

/// The beginning of a body, or all of it, and how much has been played again.
#[derive(Default)]
pub(super) struct Kept {
    slices: Vec<Bytes>,
    tail: BytesMut,
    trailers: Option<HeaderMap>,
    bytes: usize,
    played: usize,
    is_spent: bool,
}

impl Kept {
    /// Whether more has passed than is kept.
    pub(super) fn is_spent(&self) -> bool {
        self.is_spent
    }

    /// Keeps what is on its way to the reader, which must have played all that is kept.
    pub(super) fn note_data(&mut self, data: &Bytes) {
        if self.is_spent {
            return;
        }
        self.bytes += data.len();
        if self.bytes > MOST_KEPT_BYTES {
            *self = Self { is_spent: true, ..Self::default() };
        } else if self.slices.len() < MOST_SLICES {
            self.slices.push(data.clone());
            self.played = self.slices.len();
        } else {
            self.tail.extend_from_slice(data);
        }
    }

    /// Keeps the trailers, with which a body ends.
    pub(super) fn note_trailers(&mut self, trailers: &HeaderMap) {
        if !self.is_spent {
            self.trailers = Some(trailers.clone());
            self.played = self.slices.len() + 1;
        }
    }

    /// From the start again.
    pub(super) fn rewind(&mut self) {
        if !self.tail.is_empty() {
            self.slices.push(self.tail.split().freeze());
        }
        self.played = 0;
    }

    /// Whether [`next_frame`](Self::next_frame) has nothing more to give.
    pub(super) fn is_played(&self) -> bool {
        self.played >= self.slices.len() + usize::from(self.trailers.is_some())
    }

    /// The next frame of what is kept.
    pub(super) fn next_frame(&mut self) -> Option<Frame<Bytes>> {
        if self.is_played() {
            return None;
        }
        let frame = match self.slices.get(self.played) {
            Some(data) => Frame::data(data.clone()),
            None => Frame::trailers(self.trailers.clone()?),
        };
        self.played += 1;
        Some(frame)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn play(kept: &mut Kept) -> (Vec<u8>, Option<HeaderMap>) {
        let (mut data, mut trailers) = (Vec::new(), None);
        while let Some(frame) = kept.next_frame() {
            assert!(trailers.is_none(), "nothing comes after the trailers");
            match frame.into_data() {
                Ok(bytes) => data.extend_from_slice(&bytes),
                Err(frame) => trailers = frame.into_trailers().ok(),
            }
        }
        (data, trailers)
    }

    #[test]
    fn what_passed_is_played_as_often_as_it_is_asked_for() {
        let mut kept = Kept::default();
        kept.note_data(&Bytes::from_static(b"one "));
        kept.note_data(&Bytes::from_static(b"two"));
        let mut trailers = HeaderMap::new();
        trailers.insert("x-checksum", http::HeaderValue::from_static("1"));
        kept.note_trailers(&trailers);
        assert!(kept.is_played(), "the reader has had it");
        for _ in 0..3 {
            kept.rewind();
            assert_eq!(play(&mut kept), (b"one two".to_vec(), Some(trailers.clone())));
        }
    }

    #[test]
    fn the_first_frames_are_kept_as_they_are_and_the_rest_in_one_piece() {
        let mut kept = Kept::default();
        let frames: Vec<Bytes> = (0..1000).map(|i| Bytes::from(format!("frame {i}, "))).collect();
        let whole = frames.concat();
        for (i, frame) in frames.iter().enumerate() {
            if i == 500 {
                kept.rewind();
                assert_eq!(play(&mut kept).0, frames[..500].concat());
            }
            kept.note_data(frame);
        }
        kept.rewind();
        assert_eq!(kept.slices.len(), MOST_SLICES + 2);
        assert_eq!(kept.slices[0].as_ptr(), frames[0].as_ptr(), "not copied");
        assert_eq!(play(&mut kept).0, whole);
    }

    #[test]
    fn one_byte_more_than_the_bound_and_all_of_it_is_dropped() {
        let mut kept = Kept::default();
        for _ in 0..MOST_KEPT_BYTES / 1024 {
            kept.note_data(&Bytes::from_static(&[b'x'; 1024]));
        }
        assert!(!kept.is_spent());
        kept.note_data(&Bytes::from_static(b"x"));
        assert!(kept.is_spent());
        kept.note_data(&Bytes::from_static(b"x"));
        kept.note_trailers(&HeaderMap::new());
        kept.rewind();
        assert_eq!(play(&mut kept), (Vec::new(), None));
        assert_eq!(kept.slices.capacity() + kept.tail.capacity(), 0);
    }
}
