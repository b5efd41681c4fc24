//! Containers: made, described, listed and removed.

use std::sync::Arc;

use http::header::{ACCEPT_RANGES, LAST_MODIFIED};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};

use super::super::reply::{Reply, full};
use super::Ask;
use super::account::{bounded, done, options};
use super::auth::{self, Act};
use super::download::set;
use super::listing::{Entry, Page};
use super::metadata;
use super::refusal::Refusal;
use super::render::{Format, Kind, Line, Member};
use super::state::{Container, Fields, Large, Object, share};

const METHODS: &str = "GET, DELETE, OPTIONS, HEAD, PUT, POST";

/// The longest name.
pub(super) const MOST_NAME: usize = 256;

/// Storage policies; the first is the default.
pub(super) const POLICIES: &[&str] = &["standard", "archive"];

/// Fields that only owners see and set.
const ACCESS: &[&str] =
    &["x-container-read", "x-container-write", "x-container-sync-key", "x-container-sync-to"];

/// Answers a request for a container.
pub(super) fn answer(ask: &Ask, account: &str, container: &str) -> Result<Reply, Refusal> {
    match ask.method {
        Method::GET | Method::HEAD => show(ask, account, container),
        Method::PUT => make(ask, account, container),
        Method::POST => change(ask, account, container),
        Method::DELETE => {
            delete(ask, account, container)?;
            Ok(done(StatusCode::NO_CONTENT))
        }
        Method::OPTIONS => Ok(options(METHODS)),
        _ => Err(Refusal::method(METHODS)),
    }
}

fn show(ask: &Ask, account: &str, name: &str) -> Result<Reply, Refusal> {
    let format = Format::wanted(&ask.query, &ask.headers)?;
    let page = Page::read(&ask.query, true)?;
    let store = ask.inner.store();
    let entry = ask.enter(&store, account, name, Act::Listing)?;
    let container = store.container(account, name).ok_or_else(missing)?;
    let fields = fields(container, entry == auth::Entry::Owner);
    if ask.method == Method::HEAD {
        let mut reply = done(StatusCode::NO_CONTENT);
        *reply.body_mut() = full("");
        reply.headers_mut().extend(fields);
        format.describe(reply.headers_mut());
        return Ok(reply);
    }
    let lines: Vec<Line> = page.entries(&container.objects).into_iter().map(line).collect();
    drop(store);
    let mut reply = format.reply(Kind::Container, name, &lines);
    reply.headers_mut().extend(fields);
    Ok(reply)
}

fn line(entry: Entry<'_, Arc<Object>>) -> Line {
    let (name, object) = match entry {
        Entry::Subdir(name) => return Line::Subdir(name),
        Entry::Item(name, object) => (name, object),
    };
    let (bytes, large_etag) = match &object.large {
        Large::Static(manifest) => (manifest.size, Some(format!("\"{}\"", manifest.etag))),
        Large::No | Large::Dynamic(..) => (object.data.length(), None),
    };
    // swift.common.utils.override_bytes_from_content_type puts it together anew, without blanks.
    let content_type = String::from_utf8_lossy(object.content_type.as_bytes());
    let content_type = content_type.split(';').map(str::trim).collect::<Vec<_>>().join(";");
    let mut members = vec![
        ("bytes", Member::Number(bytes)),
        ("hash", Member::Text(object.data.md5().to_owned())),
        ("name", Member::Text(name.to_owned())),
        ("content_type", Member::Text(content_type)),
        ("last_modified", Member::Text(object.modified.iso())),
    ];
    members.extend(large_etag.map(|etag| ("slo_etag", Member::JsonText(etag))));
    Line::Item(name.to_owned(), members)
}

fn fields(container: &Container, is_owner: bool) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let mut put = |name, value: &str| set(&mut headers, HeaderName::from_static(name), value);
    put("x-container-object-count", &container.objects.len().to_string());
    put("x-container-bytes-used", &container.bytes.to_string());
    put("x-timestamp", &container.made.to_string());
    put("x-storage-policy", container.policy);
    set(&mut headers, LAST_MODIFIED, &container.changed.http_date());
    headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    for (name, value) in &container.fields {
        let is_secret = ACCESS.contains(&name.as_str()) || name.starts_with("x-container-meta-temp-url-key");
        if let Ok(name) = HeaderName::try_from(name)
            && (is_owner || !is_secret)
        {
            headers.insert(name, value.clone());
        }
    }
    headers
}

fn make(ask: &Ask, account: &str, name: &str) -> Result<Reply, Refusal> {
    ask.enter_as_owner(account)?;
    let changes = changes(ask)?;
    let policy = policy(ask)?;
    let length = name.len();
    if length > MOST_NAME {
        let text = format!("Container name length of {length} longer than {MOST_NAME}");
        return Err(Refusal::html(StatusCode::BAD_REQUEST, text));
    }
    let now = ask.inner.now();
    let room = &ask.inner.room;
    let mut store = ask.inner.store();
    let owner = store.make_account(account, now, room)?;
    if let Some(there) = owner.containers.get_mut(name) {
        if policy.is_some_and(|policy| policy != there.policy) {
            return Err(Refusal::of(StatusCode::CONFLICT));
        }
        apply(there, name, &changes, ask)?;
        there.changed = now;
        return Ok(done(StatusCode::ACCEPTED));
    }
    let mut fields = Fields::new();
    metadata::change(&mut fields, &changes, META, ACCESS);
    let policy = policy.unwrap_or(POLICIES[0]);
    let share = share(room, name, &fields)?;
    let objects = std::collections::BTreeMap::new();
    let made = Container { made: now, changed: now, policy, fields, objects, bytes: 0, share };
    owner.containers.insert(name.to_owned(), made);
    owner.policies.insert(policy);
    Ok(done(StatusCode::CREATED))
}

fn change(ask: &Ask, account: &str, name: &str) -> Result<Reply, Refusal> {
    ask.enter_as_owner(account)?;
    let changes = changes(ask)?;
    let now = ask.inner.now();
    let mut store = ask.inner.store();
    let container = store.container_mut(account, name).ok_or_else(missing)?;
    apply(container, name, &changes, ask)?;
    container.changed = now;
    Ok(done(StatusCode::NO_CONTENT))
}

/// Removes a container that is empty.
pub(super) fn delete(ask: &Ask, account: &str, name: &str) -> Result<(), Refusal> {
    ask.enter_as_owner(account)?;
    let mut store = ask.inner.store();
    let container = store.container(account, name).ok_or_else(missing)?;
    if !container.objects.is_empty() {
        return Err(Refusal::of(StatusCode::CONFLICT));
    }
    if let Some(account) = store.account_mut(account) {
        account.containers.remove(name);
    }
    Ok(())
}

const META: &str = "x-container-meta-";

fn apply(container: &mut Container, name: &str, changes: &HeaderMap, ask: &Ask) -> Result<(), Refusal> {
    let mut fields = container.fields.clone();
    metadata::change(&mut fields, changes, META, ACCESS);
    bounded(&fields, META)?;
    container.share = share(&ask.inner.room, name, &fields)?;
    container.fields = fields;
    Ok(())
}

/// The fields of a request, with clean access lists.
fn changes(ask: &Ask) -> Result<HeaderMap, Refusal> {
    let mut headers = ask.headers.clone();
    for (name, is_write) in [("x-container-read", false), ("x-container-write", true)] {
        let Some(list) = ask.field(name) else { continue };
        let clean = auth::clean(&list, is_write);
        let clean = clean.map_err(|text| Refusal::html(StatusCode::BAD_REQUEST, text))?;
        set(&mut headers, HeaderName::from_static(name), &clean);
    }
    metadata::check(&headers, "container")?;
    Ok(headers)
}

fn policy(ask: &Ask) -> Result<Option<&'static str>, Refusal> {
    let Some(asked) = ask.field("x-storage-policy").filter(|name| !name.is_empty()) else { return Ok(None) };
    let known = POLICIES.iter().find(|policy| policy.eq_ignore_ascii_case(&asked));
    let wrong = || Refusal::plain(StatusCode::BAD_REQUEST, format!("Invalid X-Storage-Policy '{asked}'"));
    known.copied().ok_or_else(wrong).map(Some)
}

fn missing() -> Refusal {
    Refusal::of(StatusCode::NOT_FOUND)
}
