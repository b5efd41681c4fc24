//! How many requests may be in flight at once.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::overload::Overload;

/// Places for requests, over all listeners and workers.
#[derive(Clone, Debug)]
pub(crate) struct Places {
    most: usize,
    free: Arc<Semaphore>,
}

impl Places {
    /// So many.
    pub(crate) fn new(most: usize) -> Self {
        Self { most, free: Arc::new(Semaphore::new(most)) }
    }

    /// Takes one until it is dropped.
    ///
    /// # Errors
    ///
    /// There is none left.
    pub(super) fn take(&self) -> Result<OwnedSemaphorePermit, Overload> {
        Arc::clone(&self.free).try_acquire_owned().map_err(|_| Overload::Requests { most: self.most })
    }
}
