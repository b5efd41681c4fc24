//! What the events of `/-/events` are made of.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio::time::{Instant, timeout};

use super::{Admin, Beat, Viewer};
use crate::identity::State;
use crate::page::events::Source;

/// Streams of events at a time; who comes then asks now and then.
pub(super) const MOST_WATCHERS: usize = 16;
/// Least time between two events, however often the token's state changes.
const APART: Duration = Duration::from_millis(250);

/// For how long; who goes on looking comes again, and is judged by what holds then: a client's token ends at some time.
const LONGEST: Duration = Duration::from_secs(300);

/// One view after the other, for one who watches.
pub(super) struct News {
    admin: Arc<Admin>,
    viewer: Viewer,
    beat: watch::Receiver<Beat>,
    state: watch::Receiver<State>,
    is_first: bool,
    end: Instant,
    _room: OwnedSemaphorePermit,
}

impl News {
    pub(super) fn new(admin: Arc<Admin>, viewer: Viewer, room: OwnedSemaphorePermit) -> Self {
        let (beat, state) = (admin.beat.subscribe(), admin.cell.watch());
        Self { admin, viewer, beat, state, is_first: true, end: Instant::now() + LONGEST, _room: room }
    }

    /// Waits for what there is to tell.
    async fn changed(&mut self) {
        if timeout(APART, self.beat.wait_for(|beat| beat.is_stopping)).await.is_ok() {
            return;
        }
        tokio::select! {
            _ = self.beat.changed() => {}
            _ = self.state.changed() => {}
        }
    }
}

impl Source for News {
    async fn next(&mut self) -> Option<String> {
        if !std::mem::take(&mut self.is_first) {
            self.changed().await;
        }
        self.beat.mark_unchanged();
        self.state.mark_unchanged();
        let goes_on =
            !self.admin.is_stopping() && self.admin.is_current(&self.viewer) && Instant::now() < self.end;
        goes_on.then(|| self.admin.view(&self.viewer).to_string())
    }
}
