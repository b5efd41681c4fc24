//! How many requests may be in flight at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::overload::Overload;

/// Places for requests, over all listeners and workers.
#[derive(Clone, Debug)]
pub(crate) struct Places(Arc<Count>);

#[derive(Debug)]
struct Count {
    most: usize,
    taken: AtomicUsize,
}

/// One of them, until it is dropped.
#[derive(Debug)]
pub(crate) struct Place(Arc<Count>);

impl Places {
    /// So many.
    pub(crate) fn new(most: usize) -> Self {
        Self(Arc::new(Count { most, taken: AtomicUsize::new(0) }))
    }

    /// Takes one.
    ///
    /// # Errors
    ///
    /// There is none left.
    pub(super) fn take(&self) -> Result<Place, Overload> {
        let Count { most, taken } = &*self.0;
        if taken.fetch_add(1, Ordering::Relaxed) >= *most {
            taken.fetch_sub(1, Ordering::Relaxed);
            return Err(Overload::Requests { most: *most });
        }
        Ok(Place(Arc::clone(&self.0)))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.taken.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_free_again_when_it_is_dropped() {
        let places = Places::new(2);
        let (one, _two) = (places.take().unwrap(), places.take().unwrap());
        for _ in 0..3 {
            assert_eq!(places.take().unwrap_err(), Overload::Requests { most: 2 });
        }
        drop(one);
        assert!(places.take().is_ok());
    }
}
