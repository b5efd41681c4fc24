//! GET and HEAD of a large object, of one part of it by number, and of its manifest.

use std::sync::Arc;

use http::header::{CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG, HeaderName, RANGE};
use http::{HeaderMap, StatusCode};
use serde_json::Value;

use super::super::super::reply::{Reply, empty, full};
use super::super::Ask;
use super::super::content::Source;
use super::super::data::md5_hex;
use super::super::download::{View, content_range, set};
use super::super::json;
use super::super::range::Ranges;
use super::super::refusal::Refusal;
use super::super::state::Object;
use super::Manifest;
use super::walk::{Reader, Walk};

/// A large object as a whole.
pub(in super::super) fn view(ask: &Ask, account: &str, object: &Object, manifest: &Arc<Manifest>) -> View {
    let mut view = View::of(object);
    set(&mut view.headers, ETAG, &format!("\"{}\"", manifest.etag));
    set(&mut view.headers, HeaderName::from_static("x-manifest-etag"), object.data.md5());
    view.length = manifest.size;
    view.source = Source::Segments(Walk::new(Reader::new(ask, account), Arc::clone(manifest)));
    view
}

/// Answers a request for a large object.
pub(in super::super) fn show(
    ask: &Ask,
    account: &str,
    object: &Object,
    manifest: &Arc<Manifest>,
    is_head: bool,
) -> Result<Reply, Refusal> {
    let number = part_number(ask)?;
    let view = view(ask, account, object, manifest);
    match number {
        Some(number) => part(view, manifest, number, is_head),
        None => view.reply(&ask.headers, is_head),
    }
}

fn part_number(ask: &Ask) -> Result<Option<usize>, Refusal> {
    let Some(text) = ask.query.text("part-number")? else { return Ok(None) };
    let wrong = |text: &'static str| Refusal::html(StatusCode::BAD_REQUEST, text);
    let number = text.trim().parse().ok().filter(|number| *number > 0);
    let number = number.ok_or_else(|| wrong("Part number must be an integer greater than 0"))?;
    let range = ask.headers.get(RANGE).and_then(|range| range.to_str().ok()).and_then(Ranges::parse);
    if range.is_some() {
        return Err(wrong("Range requests are not supported with part number queries"));
    }
    Ok(Some(number))
}

fn part(mut view: View, manifest: &Manifest, number: usize, is_head: bool) -> Result<Reply, Refusal> {
    let count = HeaderName::from_static("x-parts-count");
    set(&mut view.headers, count, &manifest.segments.len().to_string());
    let Some(segment) = manifest.segments.get(number - 1) else {
        let mut reply = view.nothing();
        let text = if is_head { "" } else { "The requested part number is not satisfiable" };
        *reply.body_mut() = full(text);
        return Ok(reply);
    };
    let first = manifest.segments.iter().take(number - 1).map(|segment| segment.length).sum();
    let end = first + segment.length;
    if !is_head {
        return view.partial(&[(first, end)]);
    }
    let mut reply = empty(StatusCode::PARTIAL_CONTENT);
    set(&mut view.headers, CONTENT_RANGE, &content_range(first, end, view.length));
    set(&mut view.headers, CONTENT_LENGTH, &segment.length.to_string());
    *reply.headers_mut() = view.headers;
    Ok(reply)
}

/// Answers a request for the manifest.
pub(in super::super) fn show_manifest(ask: &Ask, object: &Object, is_head: bool) -> Result<Reply, Refusal> {
    let mut view = View::of(object);
    if !ask.query.is("format", "raw") {
        set(&mut view.headers, CONTENT_TYPE, "application/json; charset=utf-8");
        return view.reply(&ask.headers, is_head);
    }
    let raw = raw(object).ok_or_else(|| Refusal::of(StatusCode::INTERNAL_SERVER_ERROR))?;
    set(&mut view.headers, ETAG, &md5_hex(raw.as_bytes()));
    let mut reply = empty(StatusCode::OK);
    let mut headers = HeaderMap::new();
    std::mem::swap(&mut headers, &mut view.headers);
    set(&mut headers, CONTENT_LENGTH, &raw.len().to_string());
    *reply.headers_mut() = headers;
    if !is_head {
        *reply.body_mut() = full(raw);
    }
    Ok(reply)
}

/// The manifest as a client would send it.
pub(in super::super) fn raw(object: &Object) -> Option<String> {
    let Value::Array(segments) = serde_json::from_slice(&text(object)).ok()? else { return None };
    let told =
        [("data", "data"), ("etag", "hash"), ("path", "name"), ("range", "range"), ("size_bytes", "bytes")];
    let segment = |segment: Value| {
        let members = told.iter().filter_map(|(name, stored)| Some((*name, in_json(segment.get(*stored)?))));
        json::object(members)
    };
    Some(json::array(segments.into_iter().map(segment)))
}

fn in_json(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), json::string)
}

fn text(object: &Object) -> Vec<u8> {
    let mut text = Vec::new();
    while let Some(bytes) = object.data.slice(text.len() as u64, u64::MAX) {
        text.extend_from_slice(&bytes);
    }
    text
}
