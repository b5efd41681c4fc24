//! Copies within the store: COPY with `Destination`, PUT with `X-Copy-From` (`swift/common/middleware/copy.py`).
//!
//! A whole plain object is copied without its bytes, which both then share.

use std::sync::Arc;

use http::header::{ETAG, HeaderName, LAST_MODIFIED};
use http::{HeaderValue, Method, StatusCode};
use http_body_util::BodyExt as _;
use percent_encoding::percent_decode_str;

use super::super::reply::Reply;
use super::auth::Act;
use super::data::Collector;
use super::download::{View, set};
use super::object::{Place, find, plain_fields};
use super::query::is_true;
use super::refusal::Refusal;
use super::state::{Large, Object};
use super::upload::{self, Head, judge, keep};
use super::{Ask, Inbox, dlo, path, quoted, slo};

/// COPY of the object at `source`.
pub(super) async fn from(ask: &Ask, source: Place<'_>) -> Result<Reply, Refusal> {
    let required = || Refusal::html(StatusCode::PRECONDITION_FAILED, "Destination header required");
    let destination = ask.field("destination").filter(|value| !value.is_empty()).ok_or_else(required)?;
    let account = account(ask, "destination-account")?.unwrap_or_else(|| source.account.to_owned());
    let (container, name) =
        path::container_and_object(&destination).ok_or_else(|| malformed("Destination"))?;
    let target = Place { account: &account, container: &container, name: &name };
    copy(ask, source, target).await
}

/// PUT that copies onto `target`.
pub(super) async fn onto(ask: &Ask, target: Place<'_>, inbox: &Inbox) -> Result<Reply, Refusal> {
    if upload::length(&ask.headers).is_some_and(|length| length > 0) || !inbox.is_over {
        let text = "Copy requests require a zero byte body";
        return Err(Refusal::plain(StatusCode::BAD_REQUEST, text));
    }
    let account = account(ask, "x-copy-from-account")?.unwrap_or_else(|| target.account.to_owned());
    let source = ask.field("x-copy-from").unwrap_or_default();
    let (container, name) = path::container_and_object(&source).ok_or_else(|| malformed("X-Copy-From"))?;
    let source = Place { account: &account, container: &container, name: &name };
    copy(ask, source, target).await
}

fn malformed(field: &str) -> Refusal {
    let text = format!("{field} header must be of the form <container name>/<object name>");
    Refusal::html(StatusCode::PRECONDITION_FAILED, text)
}

fn account(ask: &Ask, field: &str) -> Result<Option<String>, Refusal> {
    let Some(given) = ask.field(field) else { return Ok(None) };
    let given = percent_decode_str(&given).decode_utf8_lossy().into_owned();
    let wrong = |text| Err(Refusal::html(StatusCode::PRECONDITION_FAILED, text));
    match given.as_str() {
        "" => wrong("Account name cannot be empty"),
        text if text.contains('/') => wrong("Account name cannot contain slashes"),
        _ => Ok(Some(given)),
    }
}

async fn copy(ask: &Ask, source: Place<'_>, target: Place<'_>) -> Result<Reply, Refusal> {
    let missing = || Refusal::of(StatusCode::NOT_FOUND);
    let object = find(ask, source, Act::Object)?.ok_or_else(missing)?;
    let takes_manifest = ask.query.is("multipart-manifest", "get");
    let view = match &object.large {
        Large::Static(manifest) if !takes_manifest => slo::get::view(ask, source.account, &object, manifest),
        Large::Dynamic(container, prefix) if !takes_manifest => {
            dlo::view(ask, source.account, &object, container, prefix)?
        }
        Large::Static(_) | Large::Dynamic(..) | Large::No => View::of(&object),
    };
    // The source is asked for as the request would: with its range, and on its conditions.
    let reply = view.reply(&ask.headers, false)?;
    if !reply.status().is_success() {
        return Ok(reply);
    }
    let mut put = ask.clone();
    put.method = Method::from_bytes(b"COPY").unwrap_or_default();
    put.headers.remove(ETAG);
    put.headers.remove("if-none-match");
    let mut head = judge(&put, target)?;
    inherit(&mut head, ask, &object);
    let answer = match &object.large {
        Large::Static(_) if takes_manifest => {
            let raw = slo::get::raw(&object).ok_or_else(missing)?;
            slo::put::make(ask, target, head, raw.as_bytes())?
        }
        large => {
            if let (Large::Dynamic(container, prefix), true) = (large, takes_manifest) {
                let pointer = HeaderValue::from_str(&format!("{}/{}", quoted(container), quoted(prefix)));
                head.fields.extend(pointer.map(|value| ("x-object-manifest".to_owned(), value)));
            }
            let is_whole = reply.status() == StatusCode::OK && (takes_manifest || matches!(large, Large::No));
            let data = if is_whole { Arc::clone(&object.data) } else { Arc::new(gather(ask, reply).await?) };
            let large = dlo::pointer(&head.fields);
            let etag = data.md5().to_owned();
            keep(ask, target, head, data, large, &etag)?
        }
    };
    Ok(tell(answer, ask, source, &object))
}

/// What the copy has from its source.
fn inherit(head: &mut Head, ask: &Ask, source: &Object) {
    if ask.field("content-type").is_none_or(|value| value.is_empty()) {
        head.content_type = source.content_type.clone();
    }
    if is_fresh(ask) {
        return;
    }
    let given = std::mem::replace(&mut head.fields, plain_fields(source));
    head.fields.extend(given);
    head.delete_at = head.delete_at.or(source.delete_at);
}

fn is_fresh(ask: &Ask) -> bool {
    ask.field("x-fresh-metadata").is_some_and(|value| is_true(&value))
}

/// The bytes of a reply, counted as those of an upload are.
async fn gather(ask: &Ask, reply: Reply) -> Result<super::data::Data, Refusal> {
    let mut collector = Collector::new(&ask.inner.room, None);
    let mut body = reply.into_body();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Refusal::of(StatusCode::CONFLICT))?;
        if let Some(bytes) = frame.data_ref() {
            collector.add(bytes)?;
        }
        // The body never has to wait, so others would.
        tokio::task::yield_now().await;
    }
    Ok(collector.finish())
}

/// Says where the copy is from, and what metadata it has now.
fn tell(mut reply: Reply, ask: &Ask, source: Place<'_>, object: &Object) -> Reply {
    let headers = reply.headers_mut();
    let mut put = |name: &'static str, text: &str| set(headers, HeaderName::from_static(name), text);
    put("x-copied-from-account", &quoted(source.account));
    put("x-copied-from", &quoted(&format!("{}/{}", source.container, source.name)));
    put("x-copied-from-last-modified", &object.modified.http_date());
    debug_assert!(headers.contains_key(LAST_MODIFIED));
    let inherited = object.headers().filter(|_| !is_fresh(ask)).map(|(name, value)| (name, value.clone()));
    let given = ask.headers.iter().map(|(name, value)| (name.clone(), value.clone()));
    for (name, value) in inherited.chain(given) {
        if name.as_str().starts_with("x-object-meta-") {
            headers.insert(name, value);
        }
    }
    reply
}
