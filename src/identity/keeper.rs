//! `Keeper`: what is done with tokens beside serving; all of it off unless asked for.
//!
//! 1. `token_cache`: a login is kept over restarts, and shared with others that start or refresh at
//!    the same time.
//! 2. `token_file`: each new token is written for tools that only read one.
//! 3. `revoke_on_exit`: every token that served here and that has not expired is revoked in the end. Those on the way to
//!    it are left to end by themselves: a federated login's first one, without scope, and bearer tokens.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tracing::{debug, info, warn};

use super::Settings;
use super::error::AuthError;
use super::issuer::{Issuer, Login};
use super::snapshot::{Life, Token};
use super::store::{NotUsed, StoredLogin, TokenStore};
use super::token_file;
use crate::clock::{Clock, Moment};

/// Keeps, shares, writes and revokes tokens.
#[derive(Debug)]
pub(super) struct Keeper<I> {
    store: Option<TokenStore>,
    file: Option<PathBuf>,
    revokes: bool,
    obtained: Vec<Obtained<I>>,
    clock: Clock,
}

/// A token that is ours to revoke.
#[derive(Debug)]
struct Obtained<I> {
    issuer: Arc<I>,
    token: Token,
    expires: Moment,
}

/// Whether a login that another process has kept is taken as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trust {
    /// It was good a moment ago.
    AsItIs,
    /// Only if Keystone says that it is good.
    IfGood,
}

/// Where a login came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// Keystone gave it to us.
    Keystone,
    /// It was kept, by us or by another process.
    Cache,
}

impl<I: Issuer> Keeper<I> {
    pub(super) fn new(settings: &Settings, clock: Clock) -> Self {
        Self {
            store: settings.token_cache.clone().map(TokenStore::new),
            file: settings.token_file.clone(),
            revokes: settings.revoke_on_exit,
            obtained: Vec::new(),
            clock,
        }
    }

    /// Where logins are kept; what comes from no Keystone is as cheap to make anew.
    fn store_for(&self, issuer: &I) -> Option<&TokenStore> {
        self.store.as_ref().filter(|_| issuer.credentials().auth_url.is_some())
    }

    /// The login that was kept, if it is good; for the start.
    pub(super) async fn kept(&self, issuer: &I) -> Option<Login> {
        let store = self.store_for(issuer)?;
        match self.load(store, issuer).await {
            Ok(login) => {
                info!(path = %store.path().display(), "the token of an earlier login is used");
                Some(login)
            }
            Err(why) if why.is_ordinary() => None,
            Err(why) => {
                warn!(path = %store.path().display(), "the kept token is not used: {why}");
                None
            }
        }
    }

    /// Logs in, unless another process has kept a login meanwhile that is fresh and not `current`'s.
    pub(super) async fn obtain(
        &mut self,
        issuer: &Arc<I>,
        current: Option<&Token>,
        trust: Trust,
    ) -> Result<(Login, Origin), AuthError> {
        let Some(store) = self.store_for(&**issuer).cloned() else {
            return Ok((self.log_in(issuer).await?, Origin::Keystone));
        };
        let _lock = store.lock(LOCK_WAIT).await;
        if let Ok(login) = self.load(&store, issuer).await
            && current != Some(&login.token)
            && !Life::new(login.sent, login.lifetime, -1.0).refresh_at.is_over(self.clock.now())
            && (trust == Trust::AsItIs || matches!(issuer.check(&login.token).await, Ok(true)))
        {
            debug!("another process has logged in");
            return Ok((login, Origin::Cache));
        }
        let login = self.log_in(issuer).await?;
        if login.token.authorization().is_some() {
            // What is kept is one token, and that alone would not do.
            return Ok((login, Origin::Keystone));
        }
        let stored = StoredLogin {
            token: login.token.header().clone(),
            sent: login.sent.wall,
            lifetime: login.lifetime,
            body: login.raw.clone(),
        };
        if let Err(why) = store.save(issuer.credentials(), stored).await {
            warn!("{why}");
        }
        Ok((login, Origin::Keystone))
    }

    /// Writes the token that is now in use where tools look for it.
    pub(super) async fn write(&self, token: &Token) {
        if let Some(path) = &self.file
            && !token.header().is_empty()
            && let Err(why) = token_file::write(path, token.header()).await
        {
            warn!("{why}");
        }
    }

    /// Revokes what is to be revoked, all at once and within a bound.
    pub(super) async fn end(&mut self) {
        if self.revokes && tokio::time::timeout(END_WAIT, self.revoke_all()).await.is_err() {
            warn!("revoking takes too long; tokens that are left stay valid until they expire");
        }
    }

    async fn revoke_all(&mut self) {
        let now = self.clock.now();
        let mut revocations = JoinSet::new();
        for Obtained { issuer, token, expires } in self.obtained.drain(..) {
            if !expires.is_over(now) {
                revocations.spawn(async move { issuer.revoke(&token).await });
            }
        }
        let (mut revoked, mut failed) = (0, 0);
        while let Some(outcome) = revocations.join_next().await {
            match outcome {
                Ok(Ok(())) => revoked += 1,
                Ok(Err(error)) => {
                    failed += 1;
                    warn!(%error, "a token stays valid until it expires");
                }
                Err(_) => failed += 1,
            }
        }
        info!(revoked, failed, "tokens revoked");
        if let Some(path) = &self.file
            && let Err(why) = token_file::remove(path).await
        {
            warn!("{why}");
        }
    }

    async fn log_in(&mut self, issuer: &Arc<I>) -> Result<Login, AuthError> {
        let login = issuer.log_in().await?;
        if self.revokes {
            let now = self.clock.now();
            self.obtained.retain(|it| !it.expires.is_over(now));
            self.obtained.push(Obtained {
                issuer: Arc::clone(issuer),
                token: login.token.clone(),
                expires: login.sent.plus(login.lifetime),
            });
        }
        Ok(login)
    }

    async fn load(&self, store: &TokenStore, issuer: &I) -> Result<Login, NotUsed> {
        let now = self.clock.now();
        let stored = store.load(issuer.credentials(), now.wall).await?;
        let (sent, lifetime) = (stored.sent_at(now), stored.lifetime);
        let login = Login::read(Token::new(stored.token), sent, stored.body).map_err(|_| NotUsed::Garbage)?;
        // The lifetime as it was counted then, whatever the body says.
        Ok(Login { lifetime, ..login })
    }
}

/// Longest wait for another process that is logging in: a login seldom takes longer, and requests that
/// wait for one here have `token_wait`.
const LOCK_WAIT: Duration = Duration::from_secs(5);
/// Longest that the end may take for it.
const END_WAIT: Duration = Duration::from_secs(5);
