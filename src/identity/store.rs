//! `TokenStore`: the token, kept over restarts in a file.
//!
//! 1. What is kept is what a login brings, as it came: the token, when the login was sent, how long
//!    the token lives, and the answer's body, from which catalog and routes are made again.
//! 2. The file is believed only if nobody else could have read or written it (`private_file`), if it
//!    was made with the credentials at hand (`fingerprint`), and if the token lives by the wall clock.
//!    Whatever is wrong with it, a login replaces it; nothing here is fatal.
//! 3. A lock beside it lets programs that start together log in once: the first logs in, the others
//!    wait for what it keeps. It is an advice: after a time one goes on without it.
//!
//! ```no_run
//! # use std::time::{Duration, SystemTime};
//! # use gatestone::identity::{credentials::Credentials, store::{StoredLogin, TokenStore}};
//! # async fn log_in() -> StoredLogin { unimplemented!() }
//! # async fn obtain(store: TokenStore, credentials: &Credentials) {
//! let _lock = store.lock(Duration::from_secs(30)).await;
//! if store.load(credentials, SystemTime::now()).await.is_err() {
//!     let login = log_in().await;
//!     let _ = store.save(credentials, login).await;
//! }
//! # }
//! ```

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::HeaderValue;

use super::credentials::Credentials;
use super::private_file::{self, Distrust, apart};
use crate::clock::Moment;

mod fingerprint;
mod lock;
mod record;
#[cfg(test)]
mod tests;

pub use lock::StoreLock;
pub use lock::lock_path;

/// What a login brought, as plain data.
#[derive(Clone, PartialEq, Eq)]
pub struct StoredLogin {
    /// The token.
    pub token: HeaderValue,
    /// When the login was sent, on the wall clock: the one that goes on over a restart.
    pub sent: SystemTime,
    /// `expires_at` - `issued_at`.
    pub lifetime: Duration,
    /// The body of Keystone's answer as it was received: JSON.
    pub body: Bytes,
}

impl StoredLogin {
    /// When the login was sent, on both clocks; `now` is the present.
    ///
    /// Where the monotonic clock does not reach back so far (it may begin when the machine starts),
    /// the present stands for it, and the wall clock alone holds the deadline.
    pub fn sent_at(&self, now: Moment) -> Moment {
        let age = now.wall.duration_since(self.sent).unwrap_or_default();
        let monotonic = now.monotonic.checked_sub(age).unwrap_or(now.monotonic);
        Moment { monotonic, wall: self.sent }
    }
}

impl fmt::Debug for StoredLogin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { token: _, sent, lifetime, body } = self;
        f.debug_struct("StoredLogin")
            .field("sent", sent)
            .field("lifetime", lifetime)
            .field("body_bytes", &body.len())
            .finish_non_exhaustive()
    }
}

/// Why there is no kept token that can be used. Reads as the end of "the kept token is not used: ..".
#[derive(Debug, thiserror::Error)]
pub enum NotUsed {
    /// There is no file, as at the first start.
    #[error("there is none")]
    Missing,
    /// The system does not let us read it.
    #[error("it cannot be read: {0}")]
    Unreadable(#[source] io::Error),
    /// Somebody may have put a link there to a file of theirs.
    #[error("it is a symbolic link")]
    Link,
    /// A directory, a pipe or the like.
    #[error("it is not a plain file")]
    NotPlain,
    /// Another user's; the id.
    #[error("it belongs to user id {0}, not to us")]
    Foreign(u32),
    /// Others may read it, or have written it; the mode.
    #[error("others may read or write it (mode {0:04o}); its token may be known to them")]
    Exposed(u32),
    /// Beyond what a login can bring.
    #[error("it is too large")]
    TooLarge,
    /// Not what we write.
    #[error("its content is damaged")]
    Garbage,
    /// Written by another version of this program; the version of its form.
    #[error("it has the form {0}, which this version does not read")]
    OtherForm(u32),
    /// Kept for another cloud, user, scope or secret.
    #[error("it was made with other credentials")]
    OtherCredentials,
    /// The login was sent later than now, so one of the two times is wrong.
    #[error("by this machine's clock it was made in the future")]
    FromTheFuture,
    /// Its life is over.
    #[error("it has expired")]
    Expired,
}

impl NotUsed {
    /// Whether this is how things are at the first start or after a long pause: nothing to tell about.
    pub fn is_ordinary(&self) -> bool {
        matches!(self, Self::Missing | Self::Expired)
    }
}

impl From<Distrust> for NotUsed {
    fn from(distrust: Distrust) -> Self {
        match distrust {
            Distrust::Missing => Self::Missing,
            Distrust::Unreadable(error) => Self::Unreadable(error),
            Distrust::Link => Self::Link,
            Distrust::NotPlain => Self::NotPlain,
            Distrust::Foreign(uid) => Self::Foreign(uid),
            Distrust::Exposed(mode) => Self::Exposed(mode),
            Distrust::TooLarge => Self::TooLarge,
        }
    }
}

/// Why a token could not be kept.
#[derive(Debug, thiserror::Error)]
pub enum NotSaved {
    /// The system does not let us write.
    #[error(
        "the token cannot be kept in {}: {source}; let this user write its folder, or set token_cache to \
         another place",
        path.display()
    )]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// Keystone's answer is none that can be written as JSON text.
    #[error("the token cannot be kept: the identity service's answer is not text")]
    NotText,
}

/// The file that keeps the token.
#[derive(Clone, Debug)]
pub struct TokenStore {
    path: PathBuf,
}

impl TokenStore {
    /// Touches nothing yet.
    pub fn new(path: PathBuf) -> Self {
        Self { path }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The lock beside the file, held until the value is dropped; `None`, which is logged, after
    /// `wait` or where there can be no lock.
    pub async fn lock(&self, wait: Duration) -> Option<StoreLock> {
        lock::lock(&self.path, wait).await
    }

    /// What was kept, if these credentials made it and it is good at the time `now`.
    ///
    /// # Errors
    ///
    /// Why it is not used; a login is due then.
    pub async fn load(&self, credentials: &Credentials, now: SystemTime) -> Result<StoredLogin, NotUsed> {
        let (path, credentials) = (self.path.clone(), credentials.clone());
        let loaded = apart(move || Ok(load(&path, &credentials, now))).await;
        loaded.unwrap_or_else(|error| Err(NotUsed::Unreadable(error)))
    }

    /// Keeps a login in place of the one before.
    ///
    /// # Errors
    ///
    /// Why it is not kept; the token is as good as before.
    pub async fn save(&self, credentials: &Credentials, login: StoredLogin) -> Result<(), NotSaved> {
        let (path, credentials) = (self.path.clone(), credentials.clone());
        let saved = apart(move || Ok(save(&path, &credentials, &login))).await;
        saved.unwrap_or_else(|source| Err(NotSaved::Unwritable { path: self.path.clone(), source }))
    }
}

fn load(path: &Path, credentials: &Credentials, now: SystemTime) -> Result<StoredLogin, NotUsed> {
    let login = record::read(&private_file::read(path)?, credentials)?;
    if login.sent > now {
        return Err(NotUsed::FromTheFuture);
    }
    match login.sent.checked_add(login.lifetime) {
        Some(expires) if expires > now => Ok(login),
        Some(_) => Err(NotUsed::Expired),
        None => Err(NotUsed::Garbage),
    }
}

fn save(path: &Path, credentials: &Credentials, login: &StoredLogin) -> Result<(), NotSaved> {
    let content = record::write(login, credentials).ok_or(NotSaved::NotText)?;
    private_file::replace(path, &content)
        .map_err(|source| NotSaved::Unwritable { path: path.to_owned(), source })
}
