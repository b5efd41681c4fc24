//! The file's form: one JSON object with a version.
//!
//! Read twice: first the version alone, since another one may have any fields.

use std::time::Duration;

use bytes::Bytes;
use http::HeaderValue;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::fingerprint::Fingerprint;
use super::{NotUsed, StoredLogin};
use crate::identity::credentials::Credentials;
use crate::secret::Secret;

#[derive(Deserialize)]
struct Form {
    version: u32,
}

#[derive(Serialize)]
struct Writing<'a> {
    version: u32,
    fingerprint: Fingerprint,
    token: &'a str,
    sent: String,
    lifetime_ms: u64,
    body: &'a str,
}

#[derive(Deserialize)]
struct Written {
    fingerprint: Fingerprint,
    token: Secret,
    sent: String,
    lifetime_ms: u64,
    body: String,
}

/// The content of the file; `None` if it cannot be text.
pub(super) fn write(login: &StoredLogin, credentials: &Credentials) -> Option<Zeroizing<Vec<u8>>> {
    let token = login.token.to_str().ok()?;
    let body = std::str::from_utf8(&login.body).ok()?;
    let writing = Writing {
        version: VERSION,
        fingerprint: Fingerprint::new(credentials)?,
        token,
        sent: Timestamp::try_from(login.sent).ok()?.to_string(),
        lifetime_ms: u64::try_from(login.lifetime.as_millis()).ok()?,
        body,
    };
    // Room for all of it, quotes escaped, so that no copy is left behind by growing.
    let mut content = Zeroizing::new(Vec::with_capacity(2 * body.len() + token.len() + 1024));
    serde_json::to_writer(&mut *content, &writing).ok()?;
    Some(content)
}

/// What the content says, if these credentials made it.
pub(super) fn read(content: &[u8], credentials: &Credentials) -> Result<StoredLogin, NotUsed> {
    let Form { version } = serde_json::from_slice(content).map_err(|_| NotUsed::Garbage)?;
    if version != VERSION {
        return Err(NotUsed::OtherForm(version));
    }
    let written: Written = serde_json::from_slice(content).map_err(|_| NotUsed::Garbage)?;
    let sent: Timestamp = written.sent.parse().map_err(|_| NotUsed::Garbage)?;
    let mut token = HeaderValue::from_str(written.token.expose()).map_err(|_| NotUsed::Garbage)?;
    if token.is_empty() {
        return Err(NotUsed::Garbage);
    }
    token.set_sensitive(true);
    if !written.fingerprint.fits(credentials) {
        return Err(NotUsed::OtherCredentials);
    }
    Ok(StoredLogin {
        token,
        sent: sent.try_into().map_err(|_| NotUsed::Garbage)?,
        lifetime: Duration::from_millis(written.lifetime_ms),
        body: Bytes::from(written.body),
    })
}

/// Raised when the form changes; older files are then replaced at the next login.
const VERSION: u32 = 1;
