//! The last requests of a worker, for the page.
//!
//! Only so many are noted between two ticks of the page's clock, and of those that failed so many more: under load a
//! request finds the budget spent, which costs it one atomic load. The lock is the worker's own, and nobody else takes it
//! but who looks. Places are used again with what they hold.

use std::num::NonZeroU64;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http::{Method, StatusCode};
use tokio::time::Instant;

use crate::failure::Reason;
use crate::server::PeerUser;

/// The last requests of one worker, and how many more may be noted.
#[derive(Debug)]
pub(crate) struct Recent {
    budget: AtomicU32,
    of_failures: AtomicU32,
    ring: Mutex<Ring>,
}

#[derive(Debug, Default)]
struct Ring {
    /// Noted so far; the number of the last.
    noted: u64,
    places: Vec<Request>,
}

/// A request whose response has begun.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    /// Of all that its worker noted, from 1.
    pub(crate) number: u64,
    /// When it came.
    pub(crate) at: Instant,
    /// As it came.
    pub(crate) method: Method,
    /// Without a query or a token, and not longer than [`LONGEST_PATH`] and a mark.
    pub(crate) path: String,
    /// Its answer.
    pub(crate) status: StatusCode,
    /// Why it has one of ours.
    pub(crate) reason: Option<Reason>,
    /// The number of its service's label.
    pub(crate) label: usize,
    /// The listener's number.
    pub(crate) door: usize,
    /// Whose it is.
    pub(crate) user: PeerUser,
    /// What they are called, if that is known.
    pub(crate) name: Option<Arc<str>>,
    /// Until the head of its response.
    pub(crate) to_head: Duration,
    /// How it ended, once it has.
    pub(crate) end: Option<End>,
}

/// How a request ended.
#[derive(Clone, Copy, Debug)]
pub(crate) struct End {
    /// From its head to the last byte of the response.
    pub(crate) elapsed: Duration,
    /// Whether all of that went out.
    pub(crate) is_whole: bool,
}

/// What there is to note of a request.
#[derive(Debug)]
pub(crate) struct Note<'a> {
    pub(crate) at: Instant,
    pub(crate) method: &'a Method,
    pub(crate) status: StatusCode,
    pub(crate) reason: Option<Reason>,
    pub(crate) label: usize,
    pub(crate) door: usize,
    pub(crate) user: PeerUser,
    pub(crate) name: Option<&'a Arc<str>>,
    pub(crate) to_head: Duration,
}

impl Default for Recent {
    fn default() -> Self {
        Self {
            budget: AtomicU32::new(BUDGET),
            of_failures: AtomicU32::new(BUDGET_OF_FAILURES),
            ring: Mutex::default(),
        }
    }
}

impl Recent {
    /// Whether one more is to be noted. For the worker alone, which is why nothing is taken twice.
    pub(crate) fn wants(&self, has_failed: bool) -> bool {
        take(&self.budget) || has_failed && take(&self.of_failures)
    }

    /// The page's clock ticks.
    pub(crate) fn refill(&self) {
        self.budget.store(BUDGET, Ordering::Relaxed);
        self.of_failures.store(BUDGET_OF_FAILURES, Ordering::Relaxed);
    }

    /// Notes one; `put_path` writes its path. The number is for [`Recent::end`].
    pub(crate) fn note(&self, note: &Note<'_>, put_path: impl FnOnce(&mut String)) -> Option<NonZeroU64> {
        let mut ring = self.ring.lock().unwrap_or_else(PoisonError::into_inner);
        ring.noted += 1;
        let number = ring.noted;
        let at = place(number);
        let mut path = ring.places.get_mut(at).map(|old| std::mem::take(&mut old.path)).unwrap_or_default();
        path.clear();
        put_path(&mut path);
        shorten(&mut path);
        let request = Request {
            number,
            at: note.at,
            method: note.method.clone(),
            path,
            status: note.status,
            reason: note.reason,
            label: note.label,
            door: note.door,
            user: note.user,
            name: note.name.cloned(),
            to_head: note.to_head,
            end: None,
        };
        match ring.places.get_mut(at) {
            Some(place) => *place = request,
            None => ring.places.push(request),
        }
        NonZeroU64::new(number)
    }

    /// It has ended, which is noted if it is still there.
    pub(crate) fn end(&self, number: NonZeroU64, end: End) {
        let mut ring = self.ring.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(request) = ring.places.get_mut(place(number.get()))
            && request.number == number.get()
        {
            request.end = Some(end);
        }
    }

    /// Those that `shown` is true of, in no order.
    pub(crate) fn add_to(&self, all: &mut Vec<Request>, shown: impl Fn(&Request) -> bool) {
        let ring = self.ring.lock().unwrap_or_else(PoisonError::into_inner);
        all.extend(ring.places.iter().filter(|request| shown(request)).cloned());
    }
}

fn take(budget: &AtomicU32) -> bool {
    let is_left = budget.load(Ordering::Relaxed) > 0;
    if is_left {
        budget.fetch_sub(1, Ordering::Relaxed);
    }
    is_left
}

fn place(number: u64) -> usize {
    ((number - 1) % PLACES) as usize
}

/// Cuts what is too long to be looked at.
fn shorten(path: &mut String) {
    if path.len() > LONGEST_PATH {
        path.truncate(path.floor_char_boundary(LONGEST_PATH));
        path.push('…');
        path.shrink_to(2 * LONGEST_PATH);
    }
}

/// How many are kept.
const PLACES: u64 = 50;
/// How many are noted between two ticks.
const BUDGET: u32 = 40;
/// And of those that failed, besides.
const BUDGET_OF_FAILURES: u32 = 20;
/// Bytes of a path.
const LONGEST_PATH: usize = 240;

#[cfg(test)]
mod tests {
    use super::*;

    fn note(status: StatusCode) -> Note<'static> {
        Note {
            at: Instant::now(),
            method: &Method::GET,
            status,
            reason: None,
            label: 2,
            door: 1,
            user: PeerUser::NotAsked,
            name: None,
            to_head: Duration::ZERO,
        }
    }

    #[tokio::test]
    async fn the_last_are_kept_and_one_that_is_gone_does_not_end_another() {
        let recent = Recent::default();
        let numbers: Vec<_> = (0..120)
            .map(|i| recent.note(&note(StatusCode::OK), |path| path.push_str(&format!("/{i}"))).unwrap())
            .collect();
        let end = End { elapsed: Duration::from_secs(1), is_whole: true };
        recent.end(numbers[0], end);
        recent.end(numbers[119], end);
        let mut all = Vec::new();
        recent.add_to(&mut all, |request| request.door == 1);
        assert_eq!(all.len(), 50);
        let mut ended: Vec<_> = all.iter().filter(|it| it.end.is_some()).map(|it| it.path.as_str()).collect();
        assert_eq!(ended, ["/119"]);
        ended = all.iter().map(|it| it.path.as_str()).collect();
        assert!(ended.contains(&"/70") && !ended.contains(&"/69"), "{ended:?}");
    }

    #[test]
    fn a_budget_bounds_what_is_noted_until_the_next_tick() {
        let recent = Recent::default();
        let count = |has_failed| (0..1000).filter(|_| recent.wants(has_failed)).count();
        assert_eq!((count(false), count(true), count(true)), (40, 20, 0));
        recent.refill();
        assert_eq!(count(true), 60);
    }

    #[tokio::test]
    async fn a_long_path_is_cut_between_characters() {
        let recent = Recent::default();
        recent.note(&note(StatusCode::OK), |path| path.push_str(&"é".repeat(10_000)));
        let mut all = Vec::new();
        recent.add_to(&mut all, |_| true);
        assert!(all[0].path.len() < 260 && all[0].path.ends_with("é…") && all[0].path.capacity() < 1000);
    }
}
