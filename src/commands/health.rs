//! `gatestone health`: ask a running proxy how it is, for container checks and
//! start scripts. It needs no credentials and reads none.

use std::io::{self, IsTerminal as _};
use std::time::Duration;

use tokio::runtime;
use tokio::time::{Instant, sleep};

use super::{Exit, ask, complain, print};
use crate::server::ListenAddr;

/// Between questions, while waiting.
const PAUSE: Duration = Duration::from_millis(200);

/// Asks until the answer is yes, at most for `wait`. One that is full lives, though it serves nobody more: who ended it for
/// that would send its clients to the next, and fill that.
pub fn run(addresses: &[ListenAddr], ready: bool, wait: Option<Duration>) -> io::Result<Exit> {
    let path = if ready { "/-/readyz" } else { "/-/livez" };
    let asking = async {
        let deadline = Instant::now() + wait.unwrap_or_default();
        let is_watched = io::stderr().is_terminal();
        let mut told = String::new();
        loop {
            match ask_any(addresses, path, !ready).await {
                Ok(()) => return Ok(()),
                Err(why) if Instant::now() >= deadline => return Err(why),
                Err(why) => {
                    if is_watched && told != why {
                        complain(format_args!("waiting: {why}"));
                        told = why;
                    }
                    sleep(PAUSE).await;
                }
            }
        }
    };
    match runtime::Builder::new_current_thread().enable_all().build()?.block_on(asking) {
        Ok(()) => print("ok").map(|()| Exit::Success),
        Err(why) => {
            complain(why);
            Ok(Exit::Failure)
        }
    }
}

/// One address that answers well is enough.
async fn ask_any(addresses: &[ListenAddr], path: &str, may_be_full: bool) -> Result<(), String> {
    let mut failures = Vec::new();
    for addr in addresses {
        let answer = ask::get(addr, path).await;
        if may_be_full && answer.as_ref().is_ok_and(ask::is_full) {
            return Ok(());
        }
        match answer.and_then(ask::well) {
            Ok(_) => return Ok(()),
            Err(why) => failures.push(why),
        }
    }
    Err(failures.join("; "))
}
