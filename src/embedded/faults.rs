//! What goes wrong in a service, on demand: slow, down, a status of one's choice, a body cut short.
//!
//! Rules are tried in the order in which they were made; the first that fits a request and is not used up
//! decides. Without one the service answers as it should.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http::request::Parts;

/// How a request is answered in place of the right way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// As it should be: to let some requests pass before a fault.
    Works,
    /// As it should be, after so long.
    Slow(Duration),
    /// Not at all: the connection is closed.
    Down,
    /// With this status; each field is a line `Name: value`.
    Status(u16, &'static [&'static str]),
    /// As it should be, but the connection breaks after so many bytes of the body.
    CutAfter(u64),
    /// With these bytes in place of the right body.
    Body(&'static str),
}

type Fits = dyn Fn(&Parts) -> bool + Send + Sync;

struct Rule {
    fits: Arc<Fits>,
    fault: Fault,
    /// Requests that it is for yet; without a number it stays.
    left: Option<u32>,
}

/// The rules of one service.
#[derive(Default)]
pub struct Faults {
    rules: Mutex<Vec<Rule>>,
}

impl Faults {
    /// The next requests are answered so, one each, in this order.
    pub fn next(&self, faults: impl IntoIterator<Item = Fault>) {
        self.next_where(|_| true, faults);
    }

    /// The next requests for which `fits` is true are answered so, one each, in this order.
    pub fn next_where<F>(&self, fits: F, faults: impl IntoIterator<Item = Fault>)
    where
        F: Fn(&Parts) -> bool + Send + Sync + 'static,
    {
        let fits: Arc<Fits> = Arc::new(fits);
        let rules = faults.into_iter().map(|fault| Rule { fits: Arc::clone(&fits), fault, left: Some(1) });
        self.lock().extend(rules);
    }

    /// Every request is answered so from now on, once those of [`Self::next`] are used up.
    pub fn always(&self, fault: Fault) {
        self.always_where(|_| true, fault);
    }

    /// Every request for which `fits` is true is answered so from now on.
    pub fn always_where<F>(&self, fits: F, fault: Fault)
    where
        F: Fn(&Parts) -> bool + Send + Sync + 'static,
    {
        self.lock().push(Rule { fits: Arc::new(fits), fault, left: None });
    }

    /// All is well again.
    pub fn clear(&self) {
        self.lock().clear();
    }

    /// What is to go wrong with this request.
    pub(super) fn of(&self, head: &Parts) -> Fault {
        let mut rules = self.lock();
        let Some(index) = rules.iter().position(|rule| (rule.fits)(head)) else { return Fault::Works };
        match &mut rules[index].left {
            None => rules[index].fault.clone(),
            Some(left) if *left > 1 => {
                *left -= 1;
                rules[index].fault.clone()
            }
            Some(_) => rules.remove(index).fault,
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Rule>> {
        self.rules.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rules = self.lock();
        f.debug_list().entries(rules.iter().map(|rule| (&rule.fault, rule.left))).finish()
    }
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn head(path: &str) -> Parts {
        Request::get(path).body(()).unwrap().into_parts().0
    }

    #[test]
    fn what_comes_next_goes_before_what_is_always() {
        let faults = Faults::default();
        faults.next([Fault::Works, Fault::Down]);
        faults.always_where(|head| head.uri.path() == "/a", Fault::CutAfter(1));
        assert_eq!(faults.of(&head("/a")), Fault::Works);
        assert_eq!(faults.of(&head("/b")), Fault::Down);
        assert_eq!(faults.of(&head("/b")), Fault::Works);
        assert_eq!(faults.of(&head("/a")), Fault::CutAfter(1));
        assert_eq!(faults.of(&head("/a")), Fault::CutAfter(1));
        faults.clear();
        assert_eq!(faults.of(&head("/a")), Fault::Works);
    }
}
