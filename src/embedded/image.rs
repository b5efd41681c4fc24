//! Images and their data, as Glance answers (Image API v2).
//!
//! What an image's owner makes is seen by that project alone, and images that are public by all. There
//! is no import, no sharing by members and no second store.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http::header::{
    ALLOW, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, EXPECT, HOST, LOCATION, RANGE, WWW_AUTHENTICATE,
};
use http::request::Parts;
use http::{HeaderName, HeaderValue, Method, Request, StatusCode};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use serde_json::{Value, json};

mod list;
mod patch;
mod record;
mod schema;
#[cfg(test)]
mod tests;

use self::record::{Image, Stored, Wrong, defaults};
use super::catalog::Row;
use super::data::{Collector, Data};
use super::keystone::{Bearer, Keystone};
use super::range::{Ranges, Wanted};
use super::reply::{self, Reply};
use super::service::{self, Answer, Service};
use super::store::Room;
use super::time::Time;
use crate::body::read_limited;

/// The service.
#[derive(Debug)]
pub(super) struct Images {
    row: &'static Row,
    keystone: Arc<Keystone>,
    /// Where clients without a token are sent.
    login: String,
    room: Room,
    time: Time,
    images: Mutex<Vec<Image>>,
}

/// Why a request is not done: the status, and what Glance says about it.
#[derive(Debug)]
struct No {
    status: StatusCode,
    words: String,
    fields: Vec<(HeaderName, String)>,
}

impl No {
    fn new(status: u16, words: &str) -> Self {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Self { status, words: words.to_owned(), fields: Vec::new() }
    }

    fn image(id: &str) -> Self {
        Self::new(404, &format!("No image found with ID {id}"))
    }

    fn path() -> Self {
        Self::new(404, "The resource could not be found.")
    }

    fn method(method: &Method, allowed: &str) -> Self {
        let words = format!("The method {method} is not allowed for this resource.");
        Self { fields: vec![(ALLOW, allowed.to_owned())], ..Self::new(405, &words) }
    }

    fn reply(self) -> Reply {
        let reason = self.status.canonical_reason().unwrap_or_default();
        let text = format!("{} {reason}\n\n{}\n\n   ", self.status.as_u16(), self.words);
        let mut reply = reply::typed(self.status, "text/plain; charset=UTF-8", text);
        for (name, value) in self.fields {
            set(&mut reply, name, &value);
        }
        reply
    }
}

impl From<Wrong> for No {
    fn from(wrong: Wrong) -> Self {
        match wrong {
            Wrong::ReadOnly(name) => Self::new(403, &format!("Attribute '{name}' is read-only.")),
            Wrong::Schema(words) => Self::new(400, &words),
            Wrong::LongName => Self::new(400, "Custom property should not be greater than 255 characters."),
            Wrong::TooMany { what, attempted, most } => {
                let words = format!(
                    "The limit has been exceeded on the number of allowed image {what}. Attempted: {attempted}, Maximum: {most}"
                );
                Self::new(413, &words)
            }
            Wrong::TooLarge => {
                let words = format!(
                    "This embedded cloud keeps at most {} bytes of properties with an image; remove some.",
                    record::MOST_PROPERTY_BYTES
                );
                Self::new(413, &words)
            }
            Wrong::Publicize => Self::new(403, "You are not authorized to complete publicize_image action."),
        }
    }
}

impl Images {
    pub(super) fn new(
        row: &'static Row,
        keystone: Arc<Keystone>,
        login: String,
        room: Room,
        time: Time,
    ) -> Self {
        let images = list::from_the_start(&room, time.now());
        Self { row, keystone, login, room, time, images: Mutex::new(images) }
    }

    async fn respond(&self, request: Request<Incoming>) -> Reply {
        let (head, mut body) = request.into_parts();
        let outcome = self.route(&head, &mut body).await;
        if !head.headers.contains_key(EXPECT) {
            service::discard(body);
        }
        outcome.unwrap_or_else(No::reply)
    }

    async fn route(&self, head: &Parts, body: &mut Incoming) -> Result<Reply, No> {
        let path = head.uri.path().strip_prefix(self.row.root()).ok_or_else(No::path)?;
        let segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
        if segments.first() != Some(&"v2") {
            let is_asked_for = segments == ["versions"];
            let status = if is_asked_for { StatusCode::OK } else { StatusCode::MULTIPLE_CHOICES };
            return Ok(reply::json(status, &schema::versions(&self.url(head))));
        }
        let bearer = self.bearer(head).ok_or_else(|| self.unauthorized())?;
        let owner = bearer.project_id.ok_or_else(|| No::new(403, "The token is for no project."))?;
        let reply = match (&segments[1..], &head.method) {
            (["images"], &Method::GET) => {
                let query = head.uri.query();
                reply::json(StatusCode::OK, &list::page(&self.images(), &owner, query)?)
            }
            (["images"], &Method::POST) => self.make(head, body, owner).await?,
            (["images"], method) => return Err(No::method(method, "GET, POST")),
            (["images", id], &Method::GET) => reply::json(StatusCode::OK, &self.find(&owner, id)?.describe()),
            (["images", id], &Method::PATCH) => self.change(head, body, &owner, id).await?,
            (["images", id], &Method::DELETE) => self.delete(&owner, id)?,
            (["images", _], method) => return Err(No::method(method, "GET, PATCH, DELETE")),
            (["images", id, "file"], &Method::GET) => self.download(head, &owner, id)?,
            (["images", id, "file"], &Method::PUT) => self.upload(head, body, &owner, id).await?,
            (["images", _, "file"], method) => return Err(No::method(method, "GET, PUT")),
            (["images", id, "tags", tag], &Method::PUT | &Method::DELETE) => {
                self.tag(&owner, id, tag, head.method == Method::PUT)?
            }
            (["images", id, "members"], &Method::GET) => {
                self.find(&owner, id)?;
                reply::json(StatusCode::OK, &json!({ "members": [], "schema": "/v2/schemas/members" }))
            }
            (["schemas", name], &Method::GET) => {
                reply::json(StatusCode::OK, &schema::schema(name).ok_or_else(No::path)?)
            }
            _ => return Err(No::path()),
        };
        Ok(reply)
    }

    async fn make(&self, head: &Parts, body: &mut Incoming, owner: String) -> Result<Reply, No> {
        let asked = json_of(body).await?;
        let asked =
            asked.as_object().ok_or_else(|| No::new(400, "Provided object does not match schema 'image'"))?;
        let now = self.time.now();
        let given = asked.get("id").map(|id| id.as_str().filter(|id| is_id(id)).map(str::to_owned));
        let id = match given {
            None => list::new_id(),
            Some(id) => {
                id.ok_or_else(|| No::new(400, "Provided object does not match schema 'image': id"))?
            }
        };
        let mut images = self.images();
        if images.iter().any(|image| image.id == id) {
            return Err(No::new(409, &format!("Image ID {id} already exists!")));
        }
        if images.len() >= MOST_IMAGES {
            return Err(No::new(413, "This embedded cloud keeps no more images; delete one."));
        }
        let number = images.iter().map(|image| image.number).max().unwrap_or(0) + 1;
        let mut image = Image {
            id,
            owner,
            created_at: now,
            updated_at: now,
            number,
            base: defaults(),
            extra: BTreeMap::new(),
            tags: Vec::new(),
            data: None,
        };
        for (name, value) in asked.iter().filter(|(name, _)| *name != "id") {
            match value.as_str() {
                Some(given) if name == "owner" && given == image.owner => {}
                Some(given) if name == "owner" => {
                    let words = format!("You are not permitted to create images owned by '{given}'.");
                    return Err(No::new(403, &words));
                }
                _ => image.set(name, value)?,
            }
        }
        let mut reply = reply::json(StatusCode::CREATED, &image.describe());
        set(&mut reply, LOCATION, &format!("{}/v2/images/{}", self.url(head), image.id));
        set(&mut reply, IMPORT_METHODS, "glance-direct,web-download,copy-image");
        set(&mut reply, STORES, "store1");
        images.push(image);
        Ok(reply)
    }

    async fn change(&self, head: &Parts, body: &mut Incoming, owner: &str, id: &str) -> Result<Reply, No> {
        let media_type = text_of(head, CONTENT_TYPE);
        if !patch::MEDIA_TYPES.split(", ").any(|known| known == media_type) {
            let words = format!(
                "The request media type {media_type} is not supported by this server.\n\nImage PATCH expects Content-Type one of: {}",
                patch::MEDIA_TYPES
            );
            let fields = vec![(HeaderName::from_static("accept-patch"), patch::MEDIA_TYPES.to_owned())];
            return Err(No { fields, ..No::new(415, &words) });
        }
        let patch = json_of(body).await?;
        let now = self.time.now();
        let mut images = self.images();
        let image = own(&mut images, owner, id)?;
        *image = patch::apply(image, &patch)?;
        image.updated_at = now;
        Ok(reply::json(StatusCode::OK, &image.describe()))
    }

    fn delete(&self, owner: &str, id: &str) -> Result<Reply, No> {
        let mut images = self.images();
        let at = images.iter().position(|image| image.id == id && image.owner == owner);
        let at = at.ok_or_else(|| No::new(404, &format!("Failed to find image {id} to delete")))?;
        if images[at].base.get("protected") == Some(&Value::Bool(true)) {
            return Err(No::new(403, &format!("Image {id} is protected and cannot be deleted.")));
        }
        images.remove(at);
        Ok(no_content())
    }

    fn tag(&self, owner: &str, id: &str, tag: &str, is_to_be: bool) -> Result<Reply, No> {
        let mut images = self.images();
        let image = own(&mut images, owner, id)?;
        let at = image.tags.iter().position(|known| known == tag);
        match (at, is_to_be) {
            (_, true) => image.add_tag(tag)?,
            (Some(at), false) => {
                image.tags.remove(at);
            }
            (None, false) => return Err(No::path()),
        }
        Ok(no_content())
    }

    async fn upload(&self, head: &Parts, body: &mut Incoming, owner: &str, id: &str) -> Result<Reply, No> {
        let media_type = text_of(head, CONTENT_TYPE);
        if media_type != "application/octet-stream" {
            let words = format!(
                "The request media type {media_type} is not supported by this server.\n\nInvalid content type {media_type}"
            );
            return Err(No::new(415, &words));
        }
        check_ready(own(&mut self.images(), owner, id)?)?;
        let expected = text_of(head, CONTENT_LENGTH).parse().ok();
        let mut collector = Collector::new(&self.room, expected);
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|_| No::new(400, "The upload was cut short."))?;
            if let Some(data) = frame.data_ref() {
                collector.add(data).map_err(|full| No::new(413, &full.to_string()))?;
            }
        }
        let stored = Stored::new(collector.finish());
        let now = self.time.now();
        let mut images = self.images();
        let image = own(&mut images, owner, id)?;
        check_ready(image)?;
        image.data = Some(Arc::new(stored));
        image.updated_at = now;
        Ok(no_content())
    }

    fn download(&self, head: &Parts, owner: &str, id: &str) -> Result<Reply, No> {
        let Some(stored) = self.find(owner, id)?.data else {
            return Ok(reply::empty(StatusCode::NO_CONTENT));
        };
        let length = stored.data.length();
        let wanted =
            Ranges::parse(text_of(head, RANGE)).map_or(Wanted::Whole, |ranges| ranges.wanted(length));
        let (status, start, end) = match wanted {
            Wanted::Parts(parts) if parts.len() == 1 => (StatusCode::PARTIAL_CONTENT, parts[0].0, parts[0].1),
            Wanted::Whole | Wanted::Parts(_) => (StatusCode::OK, 0, length),
            Wanted::Nothing => {
                let fields = vec![(CONTENT_RANGE, format!("bytes */{length}"))];
                return Err(No { fields, ..No::new(416, "The Range request is not satisfiable.") });
            }
        };
        let mut reply = reply::typed(status, "application/octet-stream", gather(&stored.data, start, end));
        set(&mut reply, HeaderName::from_static("content-md5"), stored.data.md5());
        if status == StatusCode::PARTIAL_CONTENT {
            set(&mut reply, CONTENT_RANGE, &format!("bytes {start}-{}/{length}", end - 1));
        }
        Ok(reply)
    }

    /// An image that this project may see.
    fn find(&self, owner: &str, id: &str) -> Result<Image, No> {
        let images = self.images();
        let found = images.iter().find(|image| image.id == id && list::is_seen_by(image, owner));
        found.cloned().ok_or_else(|| No::image(id))
    }

    fn bearer(&self, head: &Parts) -> Option<Bearer> {
        self.keystone.bearer(head.headers.get("x-auth-token")?.to_str().ok()?)
    }

    fn unauthorized(&self) -> No {
        let words = "This server could not verify that you are authorized to access the document you requested. Either you supplied the wrong credentials (e.g., bad password), or your browser does not understand how to supply the credentials required.";
        let fields = vec![(WWW_AUTHENTICATE, format!("Keystone uri=\"{}\"", self.login))];
        No { fields, ..No::new(401, words) }
    }

    /// `http://host:port` and the root.
    fn url(&self, head: &Parts) -> String {
        format!("http://{}{}", text_of(head, HOST), self.row.root())
    }

    fn images(&self) -> MutexGuard<'_, Vec<Image>> {
        self.images.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Service for Images {
    fn answer(&self, request: Request<Incoming>) -> Answer<'_> {
        Box::pin(async {
            let is_head = request.method() == Method::HEAD;
            let has_id = request.uri().path().contains("/v2/");
            let mut reply = self.respond(request).await;
            // Routes has no body for HEAD, and so says nothing of its kind.
            if is_head && reply.status() == StatusCode::METHOD_NOT_ALLOWED {
                set(&mut reply, CONTENT_TYPE, "text/html; charset=UTF-8");
            }
            if has_id && reply.status() != StatusCode::UNAUTHORIZED {
                set(
                    &mut reply,
                    HeaderName::from_static("x-openstack-request-id"),
                    &format!("req-{}", list::new_id()),
                );
            }
            reply
        })
    }
}

/// An image that this project may change.
fn own<'a>(images: &'a mut [Image], owner: &str, id: &str) -> Result<&'a mut Image, No> {
    let found = images.iter_mut().find(|image| image.id == id && image.owner == owner);
    found.ok_or_else(|| No::image(id))
}

/// Whether an image waits for data.
fn check_ready(image: &Image) -> Result<(), No> {
    if image.data.is_some() {
        return Err(No::new(409, "Image status transition from active to saving is not allowed"));
    }
    let missing: Vec<&str> = ["disk_format", "container_format"]
        .into_iter()
        .filter(|name| image.base.get(*name).is_none_or(Value::is_null))
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(No::new(400, &format!("Properties {} must be set prior to saving data.", missing.join(", "))))
}

/// Images of a demonstration are small, so a part of one is copied.
fn gather(data: &Data, start: u64, end: u64) -> Bytes {
    let mut all = Vec::new();
    let mut at = start;
    while let Some(bytes) = data.slice(at, end) {
        at += bytes.len() as u64;
        all.extend_from_slice(&bytes);
    }
    all.into()
}

async fn json_of(body: &mut Incoming) -> Result<Value, No> {
    let body = read_limited(body, LONGEST_JSON_BYTES).await;
    let body = body.map_err(|_| No::new(413, "The request is too large."))?;
    if body.is_empty() {
        return Err(No::new(400, "Body expected in request."));
    }
    serde_json::from_slice(&body).map_err(|_| No::new(400, "Malformed JSON in request body."))
}

/// Glance gives these a type, though there is nothing of it.
fn no_content() -> Reply {
    reply::typed(StatusCode::NO_CONTENT, "text/html; charset=UTF-8", "")
}

fn is_id(text: &str) -> bool {
    let parts: Vec<usize> = text.split('-').map(str::len).collect();
    parts == [8, 4, 4, 4, 12] && text.chars().all(|c| c == '-' || c.is_ascii_hexdigit())
}

fn text_of(head: &Parts, name: HeaderName) -> &str {
    head.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

/// A value that is no field value is left out.
fn set(reply: &mut Reply, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::try_from(value) {
        reply.headers_mut().insert(name, value);
    }
}

const IMPORT_METHODS: HeaderName = HeaderName::from_static("openstack-image-import-methods");
const STORES: HeaderName = HeaderName::from_static("openstack-image-store-ids");

/// Images that are kept; their data is bounded by the cloud's room.
const MOST_IMAGES: usize = 1000;

/// A description of an image, or a change of one.
const LONGEST_JSON_BYTES: usize = 64 * 1024;
