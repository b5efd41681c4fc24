//! Room for objects and images: one bound for all of them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Bytes that may be kept, counted over all services of a cloud.
#[derive(Clone, Debug)]
pub(super) struct Room(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    capacity: u64,
    used: AtomicU64,
}

/// No room is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "this embedded cloud is full: it keeps at most {capacity} bytes, all in memory; delete something, or start it with more room"
)]
pub(super) struct Full {
    /// The bound.
    pub(super) capacity: u64,
}

/// A part of the room, given back when dropped.
#[derive(Debug)]
pub(super) struct Share {
    room: Room,
    bytes: u64,
}

impl Room {
    /// Room for so many bytes.
    pub(super) fn new(capacity: u64) -> Self {
        Self(Arc::new(Inner { capacity, used: AtomicU64::new(0) }))
    }

    /// A share to begin with; it grows as bytes come.
    pub(super) fn share(&self) -> Share {
        Share { room: self.clone(), bytes: 0 }
    }
}

impl Share {
    /// Takes `more` bytes into it.
    pub(super) fn grow(&mut self, more: u64) -> Result<(), Full> {
        let Inner { capacity, used } = &*self.room.0;
        let grown = |used: u64| used.checked_add(more).filter(|sum| sum <= capacity);
        used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, grown)
            .map_err(|_| Full { capacity: *capacity })?;
        self.bytes += more;
        Ok(())
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.room.0.used.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_is_bounded_and_given_back() {
        let room = Room::new(10);
        let mut first = room.share();
        first.grow(8).unwrap();
        let mut second = room.share();
        assert_eq!(second.grow(3), Err(Full { capacity: 10 }));
        second.grow(2).unwrap();
        drop(first);
        second.grow(8).unwrap();
    }
}
