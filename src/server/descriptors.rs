//! File descriptors: as many as we may have, and what becomes of connections when there are none left.
//!
//! 1. The soft limit is raised to the hard one: it is as low as it is for programs that use `select`, and this is none
//!    (`systemd.exec(5)`, `LimitNOFILE=`).
//! 2. A connection takes one, and a request mostly another, to its service. So of what the limit allows, a quarter is
//!    kept for the way to services, and [`RESERVE`] for files, timers and those who are being refused.
//! 3. One is held in reserve ([`Spare`]). If there is none left all the same, it is given up to accept one connection
//!    more, whose client then gets an answer instead of waiting for one.

use std::fs::File;
use std::io;

use rustix::io::Errno;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// What is neither a client's connection nor one to a service.
const RESERVE: u64 = 64 + super::REFUSED_AT_ONCE as u64;

/// Rule 1. It is no fault if that is refused: fewer connections will do.
pub fn raise_limit() {
    let limit = getrlimit(Resource::Nofile);
    if limit.current != limit.maximum {
        let raised = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum });
        if let Err(error) = raised {
            tracing::debug!(%error, "the limit of open files stays as it is");
        }
    }
}

/// Rule 2: connections that the limit in force leaves room for.
pub(crate) fn room_for_connections() -> usize {
    getrlimit(Resource::Nofile).current.map_or(usize::MAX, room)
}

fn room(limit: u64) -> usize {
    let rest = limit.saturating_sub(RESERVE);
    usize::try_from((rest - rest / 4).max(1)).unwrap_or(usize::MAX)
}

/// Whether an error says that there are no descriptors left, for this program or for the system as a whole.
pub fn are_used_up(error: &io::Error) -> bool {
    matches!(error.raw_os_error().map(Errno::from_raw_os_error), Some(Errno::MFILE | Errno::NFILE))
}

/// Rule 3.
#[derive(Debug, Default)]
pub(crate) struct Spare(Option<File>);

impl Spare {
    /// Gets hold of one, if it is not held and there is one.
    pub(crate) fn hold(&mut self) {
        if self.0.is_none() {
            self.0 = File::open("/dev/null").ok();
        }
    }

    /// Gives it up; whether there was one.
    pub(crate) fn give_up(&mut self) -> bool {
        self.0.take().is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quarter_is_kept_for_services() {
        assert_eq!(room(1024), 624);
        assert_eq!(room(20_000), 14_856);
        assert_eq!(room(100), 1, "it serves somebody at least");
        assert_eq!(room(0), 1);
    }

    #[test]
    fn used_up_is_what_the_system_says_so_of() {
        assert!(are_used_up(&io::Error::from_raw_os_error(Errno::MFILE.raw_os_error())));
        assert!(are_used_up(&io::Error::from_raw_os_error(Errno::NFILE.raw_os_error())));
        assert!(!are_used_up(&io::Error::from(io::ErrorKind::ConnectionReset)));
    }

    #[test]
    fn a_spare_is_given_up_once() {
        let mut spare = Spare::default();
        assert!(!spare.give_up());
        spare.hold();
        assert!(spare.give_up() && !spare.give_up());
    }
}
