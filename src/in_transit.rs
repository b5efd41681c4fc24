//! Bodies in transit on one worker, and so how much of one is read at once.
//!
//! 1. Much at once is fast: a GiB takes a fifth less CPU time in pieces of 1 MiB than of 256 KiB (measured). But a reader
//!    that is slow holds about four pieces of its body.
//! 2. So a few bodies are read in large pieces, and many in smaller ones. What twenty stalled downloads hold stays the
//!    same, whether it was one of them that came first or last.
//!
//! Workers are threads, and count for themselves.

use std::cell::Cell;

thread_local! {
    static BODIES: Cell<usize> = const { Cell::new(0) };
}

/// One body, as long as it is here.
#[derive(Debug)]
pub(crate) struct InTransit(());

impl InTransit {
    pub(crate) fn begin() -> Self {
        BODIES.set(BODIES.get() + 1);
        Self(())
    }
}

impl Drop for InTransit {
    fn drop(&mut self) {
        // It may be dropped elsewhere, where a runtime has several threads.
        BODIES.set(BODIES.get().saturating_sub(1));
    }
}

/// Bytes to be read at once on this thread. One less than a power of two, so that hyper, which makes room for the next
/// power of what it got, makes no room that is then not used.
pub(crate) fn most_at_once() -> u64 {
    if BODIES.get() <= FEW { LARGE_BYTES - 1 } else { SMALL_BYTES - 1 }
}

/// So many bodies are read in large pieces.
const FEW: usize = 4;
/// Bytes of a large piece; what hyper's buffers hold at most.
pub(crate) const LARGE_BYTES: u64 = 1024 * 1024;
/// Bytes of a small one.
const SMALL_BYTES: u64 = 256 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_bodies_are_read_in_small_pieces() {
        let few: Vec<InTransit> = (0..FEW).map(|_| InTransit::begin()).collect();
        assert_eq!(most_at_once(), LARGE_BYTES - 1);
        let one_more = InTransit::begin();
        assert_eq!(most_at_once(), SMALL_BYTES - 1);
        drop(few);
        assert_eq!(most_at_once(), LARGE_BYTES - 1);
        drop(one_more);
        assert_eq!(BODIES.get(), 0);
    }
}
