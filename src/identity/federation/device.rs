//! A login that a person ends on another device (RFC 8628), tied together by PKCE (RFC 7636) where it is set.
//!
//! The address and the code are told once, in the log; on a terminal a dot for each question shows that it waits.

use std::io::{self, IsTerminal as _, Write as _};
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use tokio::time::{Instant, sleep};
use tracing::{debug, warn};

use super::super::credentials::{Challenge, ProviderUrl};
use super::super::error::AuthError;
use super::super::keystone::clean;
use super::super::oauth::{Asking, DeviceCode, Granted, Said};
use super::lacks;
use crate::secret::Secret;

/// RFC 8628 section 3.4.
pub(super) const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// Waits until someone has entered the code, or its time is over.
pub(super) async fn log_in(
    asking: &Asking<'_>,
    begin: &ProviderUrl,
    endpoint: &ProviderUrl,
    scope: &str,
    challenge: Option<Challenge>,
) -> Result<Granted, AuthError> {
    let pkce = challenge.map(|method| Pkce::new(begin, method)).transpose()?;
    let mut form = vec![("client_id", asking.client_id), ("scope", scope)];
    if let Some(Pkce { challenge, method, .. }) = &pkce {
        form.extend([("code_challenge", challenge.as_str()), ("code_challenge_method", *method)]);
    }
    let code: DeviceCode = match asking.post(begin, &form).await? {
        Said::Yes(code) => code,
        Said::No(error, description) => return Err(asking.refused(begin, &error, &description)),
    };
    tell(&code, code.address().ok_or_else(|| lacks(begin, "verification_uri"))?);
    let mut form = vec![
        ("grant_type", GRANT_TYPE),
        ("device_code", code.device_code.expose()),
        // Not needed beside a secret, but some want it there.
        ("client_id", asking.client_id),
    ];
    form.extend(pkce.as_ref().map(|pkce| ("code_verifier", pkce.verifier.expose())));
    let end = Instant::now() + code.expires_in.unwrap_or(LIFETIME).min(LONGEST);
    let mut interval = code.interval.unwrap_or(INTERVAL).clamp(SHORTEST_INTERVAL, LONGEST_INTERVAL);
    let mut progress = Progress::default();
    loop {
        sleep(interval).await;
        match asking.post::<Granted>(endpoint, &form).await {
            Ok(Said::Yes(granted)) => return Ok(granted),
            Ok(Said::No(error, _)) if error == "authorization_pending" => {}
            Ok(Said::No(error, _)) if error == "slow_down" => interval += SLOWER,
            Ok(Said::No(error, description)) => return Err(asking.refused(endpoint, &error, &description)),
            Err(refusal) if refusal.is_refusal() => return Err(refusal),
            // RFC 8628 section 3.5: after a time-out less often.
            Err(error) => {
                debug!(%error, "the provider was not asked");
                interval = (interval * 2).min(LONGEST_INTERVAL);
            }
        }
        if Instant::now() >= end {
            return Err(asking.refused(endpoint, "expired_token", "nobody entered the code in time"));
        }
        progress.show();
    }
}

fn tell(code: &DeviceCode, address: &str) {
    let minutes = code.expires_in.unwrap_or(LIFETIME).as_secs() / 60;
    let (url, user_code) = (clean(address), clean(&code.user_code));
    match code.verification_uri_complete.as_deref().map(clean) {
        Some(complete) => warn!(
            "to log in, open {complete} and confirm the code {user_code} (or enter it at {url}); it is good for {minutes} minutes"
        ),
        None => {
            warn!("to log in, open {url} and enter the code {user_code}; it is good for {minutes} minutes")
        }
    }
}

/// What ties the two halves of a login together.
struct Pkce {
    verifier: Secret,
    challenge: String,
    method: &'static str,
}

impl Pkce {
    /// RFC 7636 sections 4.1 and 4.2.
    fn new(begin: &ProviderUrl, method: Challenge) -> Result<Self, AuthError> {
        let mut random = zeroize::Zeroizing::new([0; 32]);
        aws_lc_rs::rand::fill(&mut *random).map_err(|_| AuthError::ProviderNonsense {
            url: begin.to_string(),
            why: "it was not asked, since this system has no randomness to give".to_owned(),
        })?;
        let verifier = Secret::new(URL_SAFE_NO_PAD.encode(*random));
        let (challenge, method) = match method {
            Challenge::Plain => (verifier.expose().to_owned(), "plain"),
            Challenge::S256 => (s256(verifier.expose()), "S256"),
        };
        Ok(Self { verifier, challenge, method })
    }
}

fn s256(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(digest(&SHA256, verifier.as_bytes()))
}

/// Dots on a terminal, and a line's end after them.
#[derive(Default)]
struct Progress {
    shown: bool,
}

impl Progress {
    fn show(&mut self) {
        let mut out = io::stderr().lock();
        if io::stderr().is_terminal() {
            self.shown = true;
            // Where not even this can be written, nobody waits for it.
            let _ = out.write_all(b".").and_then(|()| out.flush());
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.shown {
            let _ = io::stderr().lock().write_all(b"\n");
        }
    }
}

/// Where the provider does not say (RFC 8628 section 3.2).
const INTERVAL: Duration = Duration::from_secs(5);
const SHORTEST_INTERVAL: Duration = Duration::from_secs(1);
const LONGEST_INTERVAL: Duration = Duration::from_secs(60);
/// What `slow_down` asks for (RFC 8628 section 3.5).
const SLOWER: Duration = Duration::from_secs(5);
/// Of a code whose life is not told.
const LIFETIME: Duration = Duration::from_secs(600);
/// Whatever a provider says.
pub(super) const LONGEST: Duration = Duration::from_secs(1800);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn challenges_are_those_of_rfc_7636_appendix_b() {
        let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        assert_eq!(s256(verifier), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
        let begin = "https://p.example/device".parse().unwrap();
        let pkce = Pkce::new(&begin, Challenge::S256).unwrap();
        // RFC 7636 section 4.1: 43 to 128 characters.
        assert_eq!((pkce.verifier.expose().len(), pkce.challenge), (43, s256(pkce.verifier.expose())));
    }
}
