//! Objects: which request does what, and the ones that need no body of their own.

use std::sync::Arc;

use http::header::{ETAG, IF_MATCH, LAST_MODIFIED};
use http::{HeaderValue, Method, StatusCode};

use super::super::reply::{Reply, empty};
use super::account::{done, options};
use super::auth::Act;
use super::conditional::has_star;
use super::download::{View, set};
use super::refusal::{Refusal, as_html};
use super::state::{Fields, Large, Object, share};
use super::{Ask, Inbox, copy, dlo, metadata, slo, upload};

const METHODS: &str = "GET, DELETE, OPTIONS, HEAD, PUT, POST";

/// What the middleware that copies adds.
const METHODS_AND_COPY: &str = "GET, DELETE, OPTIONS, HEAD, PUT, POST, COPY";

/// Where an object is, or shall be.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place<'a> {
    pub(super) account: &'a str,
    pub(super) container: &'a str,
    pub(super) name: &'a str,
}

/// Answers a request for an object.
pub(super) async fn answer(ask: &Ask, place: Place<'_>, inbox: &mut Inbox) -> Result<Reply, Refusal> {
    match ask.method.as_str() {
        "GET" | "HEAD" => show(ask, place),
        "PUT" if ask.headers.contains_key("x-copy-from") => copy::onto(ask, place, inbox).await,
        "PUT" if ask.query.is("multipart-manifest", "put") => slo::put::put(ask, place, inbox).await,
        "PUT" => upload::put(ask, place, inbox).await,
        "COPY" => copy::from(ask, place).await,
        "POST" => change(ask, place),
        "DELETE" if ask.query.is("multipart-manifest", "delete") => slo::delete::delete(ask, place),
        "DELETE" => {
            delete(ask, place)?;
            Ok(done(StatusCode::NO_CONTENT))
        }
        "OPTIONS" => Ok(options(METHODS_AND_COPY)),
        _ => Err(Refusal::method(METHODS)),
    }
}

fn show(ask: &Ask, place: Place<'_>) -> Result<Reply, Refusal> {
    let Some(object) = find(ask, place, Act::Object)? else {
        let is_demanded = has_star(&ask.headers, &IF_MATCH);
        if is_demanded {
            let mut reply = empty(StatusCode::PRECONDITION_FAILED);
            as_html(&mut reply);
            return Ok(reply);
        }
        return Err(Refusal::of(StatusCode::NOT_FOUND));
    };
    let is_head = ask.method == Method::HEAD;
    let is_manifest_asked = ask.query.is("multipart-manifest", "get");
    match &object.large {
        Large::Static(manifest) if !is_manifest_asked => {
            slo::get::show(ask, place.account, &object, manifest, is_head)
        }
        Large::Static(_) => slo::get::show_manifest(ask, &object, is_head),
        Large::Dynamic(container, prefix) if !is_manifest_asked => {
            dlo::view(ask, place.account, &object, container, prefix)?.reply(&ask.headers, is_head)
        }
        Large::Dynamic(..) | Large::No => View::of(&object).reply(&ask.headers, is_head),
    }
}

/// The object as it is stored; nothing if it is not there though the caller may know that.
pub(super) fn find(ask: &Ask, place: Place<'_>, act: Act) -> Result<Option<Arc<Object>>, Refusal> {
    let store = ask.inner.store();
    ask.enter(&store, place.account, place.container, act)?;
    Ok(store.object(place.account, place.container, place.name).cloned())
}

/// New metadata in the place of the old.
fn change(ask: &Ask, place: Place<'_>) -> Result<Reply, Refusal> {
    let Some(old) = find(ask, place, Act::Write)? else { return Err(Refusal::of(StatusCode::NOT_FOUND)) };
    metadata::check(&ask.headers, "object")?;
    let now = ask.inner.now();
    let delete_at = metadata::delete_at(&ask.headers, now)?;
    let given = metadata::joined(&ask.headers, "content-type").filter(|value| !value.is_empty());
    let mut fields = metadata::of_object(&ask.headers);
    let large = match &old.large {
        Large::Static(manifest) => {
            fields.insert("x-static-large-object".to_owned(), HeaderValue::from_static("True"));
            Large::Static(Arc::clone(manifest))
        }
        Large::Dynamic(..) | Large::No => dlo::pointer(&fields),
    };
    let share = share(&ask.inner.room, place.name, &fields)?;
    let object = Object {
        data: Arc::clone(&old.data),
        content_type: given.unwrap_or_else(|| old.content_type.clone()),
        fields,
        modified: now,
        delete_at,
        large,
        _share: share,
    };
    store(ask, place, object, false)?;
    Ok(done(StatusCode::ACCEPTED))
}

/// Removes an object.
pub(super) fn delete(ask: &Ask, place: Place<'_>) -> Result<(), Refusal> {
    let mut store = ask.inner.store();
    ask.enter(&store, place.account, place.container, Act::Write)?;
    let was_there = store.remove(place.account, place.container, place.name);
    if was_there { Ok(()) } else { Err(Refusal::of(StatusCode::NOT_FOUND)) }
}

/// Puts an object where it shall be; `is_first` if nothing may be there.
pub(super) fn store(ask: &Ask, place: Place<'_>, object: Object, is_first: bool) -> Result<(), Refusal> {
    let mut store = ask.inner.store();
    if is_first && store.object(place.account, place.container, place.name).is_some() {
        return Err(Refusal::of(StatusCode::PRECONDITION_FAILED));
    }
    let is_kept = store.put((place.account, place.container, place.name), object);
    if is_kept { Ok(()) } else { Err(Refusal::of(StatusCode::NOT_FOUND)) }
}

/// The reply to what made an object; the entity tag is as it shall be told.
pub(super) fn created(object: &Object, etag: &str) -> Reply {
    let mut reply = done(StatusCode::CREATED);
    set(reply.headers_mut(), ETAG, etag);
    set(reply.headers_mut(), LAST_MODIFIED, &object.modified.http_date());
    reply
}

/// Fields of an object, without the ones that make it a large one.
pub(super) fn plain_fields(object: &Object) -> Fields {
    let mut fields = object.fields.clone();
    fields.remove("x-static-large-object");
    fields.remove("x-object-manifest");
    fields
}
