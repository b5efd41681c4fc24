//! Connections that hyper holds on one worker, with its buffers: those with a request, and some between two.
//!
//! hyper's buffers are four fifths of what a connection costs, and to set them up again costs a twentieth of a small
//! request. So few connections keep them between requests, and of many each gives them back at once.

use std::cell::Cell;

thread_local! {
    static HELD: Cell<usize> = const { Cell::new(0) };
}

/// One that hyper holds.
#[derive(Debug)]
pub(super) struct AtHand(());

impl AtHand {
    pub(super) fn take() -> Self {
        HELD.set(HELD.get() + 1);
        Self(())
    }

    /// Whether they are too many for any to be held between requests.
    pub(super) fn are_too_many() -> bool {
        HELD.get() > MOST_HELD
    }
}

impl Drop for AtHand {
    fn drop(&mut self) {
        // It may be dropped elsewhere, where a runtime has several threads.
        HELD.set(HELD.get().saturating_sub(1));
    }
}

/// So many may be: one and a half MiB.
const MOST_HELD: usize = 64;
