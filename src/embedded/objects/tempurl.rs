//! Temporary URLs: a request signed with a key of the account or the container is let in without a token
//! (`swift/common/middleware/tempurl.py`).
//!
//! It knows no ranges of client addresses.

use aws_lc_rs::hmac;
use http::header::{CONTENT_DISPOSITION, EXPIRES, HeaderName};
use http::{Method, StatusCode};
use jiff::Timestamp;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::super::reply::Reply;
use super::auth::Caller;
use super::download::set;
use super::path::Target;
use super::refusal::Refusal;
use super::stamp::http_date;
use super::state::Fields;
use super::{Ask, quoted};

/// Looks at the signature of a request, if it has one.
pub(super) fn admit(ask: &mut Ask) -> Result<(), Refusal> {
    let has = |name| ask.query.has(name);
    if ask.method == Method::OPTIONS || !(has("temp_url_sig") || has("temp_url_expires")) {
        return Ok(());
    }
    ask.caller = signer(ask).ok_or_else(invalid)?;
    let is_safe = ask.method == Method::GET || ask.method == Method::HEAD;
    let refused = ["x-object-manifest", "x-symlink-target", "x-copy-from"];
    if let Some(name) = refused.into_iter().find(|name| !is_safe && ask.headers.contains_key(*name)) {
        let name = super::metadata::titled(name);
        let text = format!("The header '{name}' is not allowed in this tempurl");
        return Err(Refusal::html(StatusCode::BAD_REQUEST, text));
    }
    Ok(())
}

fn invalid() -> Refusal {
    Refusal::unauthorized([super::auth::realm("unknown")]).with_html("401 Unauthorized: Temp URL invalid\n")
}

fn signer(ask: &Ask) -> Option<Caller> {
    let text = |name| ask.query.text(name).ok().flatten();
    let expires = expires(text("temp_url_expires")?, ask.inner.now().seconds())?;
    let (algorithm, signature) = signature(text("temp_url_sig")?)?;
    let Target::Object(account, container, name) = &ask.target else { return None };
    if ask.query.has("temp_url_ip_range") || name.trim_matches('/').is_empty() {
        return None;
    }
    let path = match text("temp_url_prefix") {
        Some(prefix) if !name.starts_with(prefix) => return None,
        Some(prefix) => format!("prefix:/v1/{account}/{container}/{prefix}"),
        None => format!("/v1/{account}/{container}/{name}"),
    };
    let methods: &[&str] = match ask.method.as_str() {
        "HEAD" => &["HEAD", "GET", "POST", "PUT"],
        "GET" => &["GET"],
        "PUT" => &["PUT"],
        "POST" => &["POST"],
        "DELETE" => &["DELETE"],
        _ => return None,
    };
    let store = ask.inner.store();
    let of_account = store.account(account).map(|account| keys(&account.fields, "x-account-meta-"));
    let of_container =
        store.container(account, container).map(|container| keys(&container.fields, "x-container-meta-"));
    drop(store);
    let fits = |key: &Vec<u8>| {
        let key = hmac::Key::new(algorithm, key);
        methods.iter().any(|method| {
            let message = format!("{method}\n{expires}\n{path}");
            hmac::verify(&key, message.as_bytes(), &signature).is_ok()
        })
    };
    if of_account.unwrap_or_default().iter().any(fits) {
        return Some(Caller::TempUrl(account.clone(), None));
    }
    let is_of_container = of_container.unwrap_or_default().iter().any(fits);
    is_of_container.then(|| Caller::TempUrl(account.clone(), Some(container.clone())))
}

fn keys(fields: &Fields, prefix: &str) -> Vec<Vec<u8>> {
    let names = ["temp-url-key", "temp-url-key-2"].map(|name| format!("{prefix}{name}"));
    names.iter().filter_map(|name| fields.get(name)).map(|value| value.as_bytes().to_vec()).collect()
}

/// Seconds of 1970 or a date, if it is not over.
fn expires(text: &str, now: i64) -> Option<i64> {
    let date = || {
        let time: Timestamp = text.parse().ok()?;
        Some(time.as_second())
    };
    let expires = text.parse().ok().or_else(date)?;
    (expires >= now).then_some(expires)
}

/// Hexadecimal digits, whose number tells the algorithm, or `sha256:` and Base64.
fn signature(text: &str) -> Option<(hmac::Algorithm, Vec<u8>)> {
    if let Some((algorithm, base64)) = text.split_once(':') {
        let algorithm = match algorithm {
            "sha1" => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
            "sha256" => hmac::HMAC_SHA256,
            "sha512" => hmac::HMAC_SHA512,
            _ => return None,
        };
        let base64 = base64.replace('-', "+").replace('_', "/");
        let padding = "=".repeat((4 - base64.len() % 4) % 4);
        return Some((algorithm, super::slo::base64::decode(&format!("{base64}{padding}"))?));
    }
    let algorithm = match text.len() {
        40 => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
        64 => hmac::HMAC_SHA256,
        128 => hmac::HMAC_SHA512,
        _ => return None,
    };
    let digits: Option<Vec<u8>> = text.chars().map(|c| u8::try_from(c.to_digit(16)?).ok()).collect();
    Some((algorithm, digits?.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect()))
}

/// What a reply through such a URL looks like: no metadata, and a name to save it under.
pub(super) fn dress(ask: &Ask, name: &str, mut reply: Reply) -> Reply {
    let hidden: Vec<HeaderName> = reply.headers().keys().filter(|name| is_hidden(name)).cloned().collect();
    for name in hidden {
        reply.headers_mut().remove(name);
    }
    let is_read = ask.method == Method::GET || ask.method == Method::HEAD;
    if !is_read || !reply.status().is_success() {
        return reply;
    }
    let text = |name| ask.query.text(name).ok().flatten().filter(|text| !text.is_empty());
    let disposition = match (ask.query.has("inline"), text("filename")) {
        (true, Some(file)) => Some(saved_as("inline", file)),
        (true, None) => Some("inline".to_owned()),
        (false, Some(file)) => Some(saved_as("attachment", file)),
        (false, None) if reply.headers().contains_key(CONTENT_DISPOSITION) => None,
        (false, None) => {
            let file = name.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
            Some(saved_as("attachment", file))
        }
    };
    if let Some(disposition) = disposition {
        set(reply.headers_mut(), CONTENT_DISPOSITION, &disposition.replace('\n', "%0A"));
    }
    let expires = text("temp_url_expires").and_then(|text| expires(text, 0));
    set(reply.headers_mut(), EXPIRES, &http_date(expires.unwrap_or_default()));
    reply
}

fn is_hidden(name: &HeaderName) -> bool {
    name.as_str().starts_with("x-object-meta-") && !name.as_str().starts_with("x-object-meta-public-")
}

fn saved_as(kind: &str, file: &str) -> String {
    const NAME: &AsciiSet =
        &NON_ALPHANUMERIC.remove(b'/').remove(b'_').remove(b'.').remove(b'-').remove(b'~').remove(b' ');
    let name = utf8_percent_encode(file, NAME);
    format!("{kind}; filename=\"{name}\"; filename*=UTF-8''{}", quoted(file))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_and_dates_are_read() {
        let bytes = |text: &str| signature(text).map(|(_, bytes)| bytes.len());
        assert_eq!(bytes(&"0f".repeat(20)), Some(20));
        assert_eq!(bytes(&"0f".repeat(32)), Some(32));
        assert_eq!(bytes("sha256:_w"), Some(1));
        for wrong in ["", "x", "md5:AA==", &"0g".repeat(20), &"é".repeat(20)] {
            assert_eq!(bytes(wrong), None, "{wrong}");
        }
        assert_eq!(expires("4000000000", 5), Some(4_000_000_000));
        assert_eq!(expires("4", 5), None);
        assert_eq!(expires("1970-01-01T00:01:00Z", 5), Some(60));
        assert_eq!(expires("rubbish", 5), None);
    }

    #[test]
    fn a_name_to_save_under_is_told_twice() {
        assert_eq!(saved_as("inline", "a é"), "inline; filename=\"a %C3%A9\"; filename*=UTF-8''a%20%C3%A9");
    }
}
