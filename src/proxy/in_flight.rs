//! How many requests may be in flight at once.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::failures;
use crate::failure::Failure;

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
    /// There is none left: [`Reason::Overloaded`](crate::failure::Reason::Overloaded).
    pub(super) fn take(&self) -> Result<OwnedSemaphorePermit, Failure> {
        Arc::clone(&self.free).try_acquire_owned().map_err(|_| failures::too_many_requests(self.most))
    }
}
