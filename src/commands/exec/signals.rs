//! Signals that we get in the command's stead, passed on as they are.
//!
//! 1. HUP, INT, QUIT, TERM, USR1 and USR2. Others stay what they are to any process: a stop stops us, and the
//!    terminal's (Ctrl-Z) the command as well.
//! 2. What was ignored when we were started (`nohup`; INT and QUIT in the background of a script) stays ignored,
//!    by us and by the command, which inherits that.
//! 3. Ctrl-C and Ctrl-\ go from the terminal to its whole foreground group. While the command and we are in it, INT
//!    and QUIT are not passed on: a command must not be interrupted twice.
//! 4. CHLD is caught, too: where it is ignored, the system forgets how the command ended.

use std::fs::{self, File};
use std::io;

use rustix::process::{Pid, Signal as Number, getpgid, getpgrp, kill_process};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;
use tracing::debug;

/// The signals, caught from the moment this is made.
pub(super) struct Signals(mpsc::Receiver<Caught>);

/// One that we got.
#[derive(Clone, Copy, Debug)]
pub(super) struct Caught(Number);

impl Signals {
    /// Starts catching. Call it within a runtime.
    pub(super) fn catch() -> io::Result<Self> {
        let (tell, told) = mpsc::channel(WAITING);
        let ignored = ignored();
        let mut children = signal(SignalKind::child())?;
        tokio::spawn(async move { while children.recv().await.is_some() {} });
        for number in PASSED_ON.into_iter().filter(|number| !is_in(ignored, *number)) {
            let mut caught = signal(SignalKind::from_raw(number.as_raw()))?;
            let tell = tell.clone();
            tokio::spawn(async move {
                while caught.recv().await.is_some() {
                    // Full: as many are on their way already.
                    let _ = tell.try_send(Caught(number));
                }
            });
        }
        Ok(Self(told))
    }

    /// Waits for the next.
    pub(super) async fn next(&mut self) -> Caught {
        match self.0.recv().await {
            Some(caught) => caught,
            None => std::future::pending().await,
        }
    }
}

impl Caught {
    /// As the system counts them.
    pub(super) fn number(self) -> i32 {
        self.0.as_raw()
    }

    /// Sends it to the command, unless the terminal did (rule 3).
    pub(super) fn pass_on(self, pid: u32) {
        let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) else { return };
        if (self.0 == Number::INT || self.0 == Number::QUIT) && in_foreground_with(pid) {
            return;
        }
        if let Err(error) = kill_process(pid, self.0) {
            // It has ended, or runs as somebody else by now.
            debug!(%error, signal = self.number(), "a signal was not passed on");
        }
    }
}

/// Whether the process group that the terminal's keys are for is ours and that of this process.
fn in_foreground_with(pid: Pid) -> bool {
    let Ok(terminal) = File::open("/dev/tty") else { return false };
    let ours = getpgrp();
    let is_ours = |group: rustix::io::Result<Pid>| group.is_ok_and(|group| group == ours);
    is_ours(rustix::termios::tcgetpgrp(&terminal)) && is_ours(getpgid(Some(pid)))
}

/// The signals that were ignored when we were started, a bit each; none where the system does not tell.
fn ignored() -> u64 {
    fs::read_to_string("/proc/self/status").map_or(0, |status| ignored_in(&status))
}

/// proc_pid_status(5).
fn ignored_in(status: &str) -> u64 {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0)
}

fn is_in(mask: u64, number: Number) -> bool {
    let bit = u32::try_from(number.as_raw() - 1).unwrap_or(u32::MAX);
    mask.checked_shr(bit).is_some_and(|rest| rest & 1 == 1)
}

const PASSED_ON: [Number; 6] =
    [Number::HUP, Number::INT, Number::QUIT, Number::TERM, Number::USR1, Number::USR2];

/// Signals on their way; the system itself keeps one of a kind.
const WAITING: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nohup_ignores_is_known() {
        // SIGHUP is 1, SIGINT 2, SIGQUIT 3, SIGPIPE 13.
        let mask = ignored_in("Name:\tx\nSigIgn:\t0000000000001003\nSigCgt:\tffffffffffffffff\n");
        let found: Vec<_> = PASSED_ON.into_iter().filter(|number| is_in(mask, *number)).collect();
        assert_eq!(found, [Number::HUP, Number::INT]);
        assert_eq!(ignored_in("nothing of the kind"), 0);
    }
}
