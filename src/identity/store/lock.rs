//! The lock beside the file, `FILE.lock`: who holds it logs in, the others wait.
//!
//! A lock of the system's (`flock`) ends with the process that holds it, however that ends, so none
//! is left behind. The file itself stays: removing it would let two hold "the" lock, one of them on
//! a file that is gone. The system can only wait with a whole thread, so this asks again and again,
//! in pauses that nobody notices beside a login.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::time::{Instant, sleep};
use tracing::warn;

use crate::identity::private_file::{self, apart};

/// The right to log in and to write the file, given up when dropped.
#[derive(Debug)]
pub struct StoreLock {
    /// Closing the file unlocks it.
    _file: File,
}

/// Where the lock of a token cache is.
pub fn lock_path(cache: &Path) -> PathBuf {
    let mut name = cache.as_os_str().to_owned();
    name.push(".lock");
    name.into()
}

pub(super) async fn lock(cache: &Path, wait: Duration) -> Option<StoreLock> {
    let path = lock_path(cache);
    let opened = {
        let path = path.clone();
        let open = move || private_file::open(&path, OpenOptions::new().write(true).create(true));
        apart(open).await
    };
    let file = match opened {
        Ok(file) => file,
        Err(error) => {
            warn!(path = %path.display(), %error, "logging in without the lock, which cannot be opened");
            return None;
        }
    };
    let deadline = Instant::now() + wait;
    loop {
        match file.try_lock() {
            Ok(()) => return Some(StoreLock { _file: file }),
            Err(TryLockError::WouldBlock) if Instant::now() < deadline => sleep(PAUSE).await,
            Err(TryLockError::WouldBlock) => {
                warn!(
                    path = %path.display(),
                    waited_ms = wait.as_millis(),
                    "logging in without the lock, which another process holds"
                );
                return None;
            }
            Err(TryLockError::Error(error)) => {
                warn!(path = %path.display(), %error, "logging in without the lock, which this file system lacks");
                return None;
            }
        }
    }
}

/// Between two tries to take the lock. A login takes longer.
const PAUSE: Duration = Duration::from_millis(25);
