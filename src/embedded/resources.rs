//! Compute and its like: version documents, collections in pages, self links, micro-versions.
//!
//! One service for five projects; what differs between them is in the tables of [`api`] and in `render`.
//! Nothing is ever started: a server is an entry in a list.

use std::sync::{Arc, Mutex, PoisonError};

use http::header::{CONTENT_TYPE, HOST, LOCATION, WWW_AUTHENTICATE};
use http::request::Parts;
use http::{HeaderName, HeaderValue, Method, Request, StatusCode};
use hyper::body::Incoming;
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

mod api;
mod entries;
mod microversion;
mod render;
#[cfg(test)]
mod tests;

use self::api::{Api, Collection, Style};
use self::entries::{Entries, Entry, MOST_MADE};
use self::render::{Page, Place};
use super::catalog::Row;
use super::keystone::{Bearer, Keystone};
use super::reply::{self, Reply};
use super::service::{Answer, Service};
use crate::body::read_limited;

/// The service.
#[derive(Debug)]
pub(super) struct Resources {
    row: &'static Row,
    keystone: Arc<Keystone>,
    entries: Mutex<Entries>,
}

impl Resources {
    pub(super) fn new(row: &'static Row, keystone: Arc<Keystone>) -> Self {
        Self { row, keystone, entries: Mutex::default() }
    }

    async fn respond(&self, request: Request<Incoming>) -> Reply {
        let (head, body) = request.into_parts();
        let Some(api) = api::find(self.row.service_type) else { return reply::empty(StatusCode::NOT_FOUND) };
        let refuse = |status, words: &str| reply::json(status, &render::error(api, status, words));
        let microversion = match microversion::read(api, &head.headers) {
            Ok(microversion) => microversion,
            Err(asked) => {
                let words = format!("Version {asked} is not supported by the API.");
                return refuse(StatusCode::NOT_ACCEPTABLE, &words);
            }
        };
        let Ok(body) = read_limited(body, LONGEST_BODY_BYTES).await else {
            let words = format!(
                "The request is too large: this embedded cloud takes bodies of at most {LONGEST_BODY_BYTES} bytes."
            );
            return refuse(StatusCode::PAYLOAD_TOO_LARGE, &words);
        };
        let mut reply = self.route(api, &head, &body).unwrap_or_else(|no| no.reply(api, &self.keystone));
        microversion::write(api, microversion, reply.headers_mut());
        reply
    }

    fn route(&self, api: &'static Api, head: &Parts, body: &[u8]) -> Result<Reply, No> {
        let host = head.headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or("localhost");
        let mut place =
            Place { origin: format!("http://{host}"), root: self.row.root(), base: String::new() };
        let rest = head.uri.path().strip_prefix(place.root).ok_or(No::Lost)?;
        let mut segments: Vec<&str> = rest.split('/').filter(|segment| !segment.is_empty()).collect();
        if segments.is_empty() {
            let (status, versions) = render::versions(api, &place);
            return Ok(reply::json(status, &versions));
        }
        if let Some(version) = api.version {
            if segments.remove(0) != version {
                return Err(No::Lost);
            }
            place.base = format!("/{version}");
        }
        let bearer = self.bearer(head);
        let project_id = bearer.as_ref().and_then(|bearer| bearer.project_id.clone());
        if let (Some(first), Some(id)) = (segments.first(), &project_id)
            && first == id
        {
            place.base = format!("{}/{first}", place.base);
            segments.remove(0);
        }
        if segments.is_empty() {
            return Ok(reply::json(StatusCode::OK, &json!({ "version": render::version(api, &place) })));
        }
        bearer.ok_or(No::Unauthorized)?;
        let project_id = project_id.ok_or(No::Forbidden)?;
        let collection = api.collections.iter().find(|collection| collection.name == segments[0]);
        let call = Call { api, head, place, project_id, collection: collection.ok_or(No::Lost)? };
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        match (&head.method, &segments[1..]) {
            (&Method::GET | &Method::HEAD, []) => call.list(&mut entries, false),
            (&Method::GET | &Method::HEAD, ["detail"]) => call.list(&mut entries, true),
            (&Method::POST, []) => call.make(&mut entries, body),
            (&Method::POST, [id, "remote-consoles"]) => call.console(&mut entries, id),
            (&Method::GET | &Method::HEAD, [id]) => call.show(&mut entries, id),
            (&Method::GET, [_, id]) if api.style == Style::Heat => call.show(&mut entries, id),
            (&Method::DELETE, [id]) => call.delete(&mut entries, id),
            _ => Err(No::Lost),
        }
    }

    fn bearer(&self, head: &Parts) -> Option<Bearer> {
        self.keystone.bearer(head.headers.get("x-auth-token")?.to_str().ok()?)
    }
}

impl Service for Resources {
    fn answer(&self, request: Request<Incoming>) -> Answer<'_> {
        Box::pin(self.respond(request))
    }
}

/// A request to one collection of one project.
struct Call<'a> {
    api: &'static Api,
    head: &'a Parts,
    place: Place,
    project_id: String,
    collection: &'static Collection,
}

impl Call<'_> {
    fn list(&self, entries: &mut Entries, is_detailed: bool) -> Result<Reply, No> {
        let all = entries.list(&self.project_id, self.collection);
        let name = self.query("name").map(|name| percent_decode_str(name).decode_utf8_lossy());
        let is_wanted = |entry: &&Entry| name.as_deref().is_none_or(|name| self.is_called(entry, name));
        let all: Vec<&Entry> = all.iter().filter(is_wanted).collect();
        let limit = match self.query("limit") {
            None => MOST_ON_A_PAGE,
            Some(text) => text.parse::<usize>().map_err(|_| No::BadLimit)?.min(MOST_ON_A_PAGE),
        };
        let at = match self.query("marker") {
            None => None,
            Some(marker) => Some(all.iter().position(|entry| entry.id == marker).ok_or(No::BadMarker)?),
        };
        let is_neutron = self.api.style == Style::Neutron;
        let is_reverse =
            is_neutron && self.query("page_reverse").is_some_and(|value| value.eq_ignore_ascii_case("true"));
        // A reverse page ends before its marker, but is in the same order.
        let (start, end) = if is_reverse {
            let end = at.unwrap_or(all.len());
            (end.saturating_sub(limit), end)
        } else {
            let start = at.map_or(0, |at| at + 1);
            (start, start.saturating_add(limit).min(all.len()))
        };
        // Heat and placement tell no next page.
        let links = matches!(self.api.style, Style::Nova | Style::Cinder | Style::Neutron) && limit > 0;
        let path = if is_detailed { "/detail" } else { "" };
        let others = self.others();
        let url = |marker: &str, more: &str| {
            let Place { origin, root, base } = &self.place;
            let name = self.collection.name;
            format!("{origin}{root}{base}/{name}{path}?limit={limit}&marker={marker}{others}{more}")
        };
        let last = all[start..end].last();
        let next = last.filter(|_| links && end < all.len()).map(|entry| url(&entry.id, ""));
        let first = all[start..end].first().filter(|_| is_neutron && start > 0);
        let previous = first.map(|entry| url(&entry.id, "&page_reverse=True"));
        let page = Page { entries: all[start..end].to_vec(), is_detailed, next, previous };
        Ok(reply::json(StatusCode::OK, &render::page(self.api, self.collection, &page, &self.place)))
    }

    fn show(&self, entries: &mut Entries, id: &str) -> Result<Reply, No> {
        let all = entries.list(&self.project_id, self.collection);
        let by_id = all.iter().find(|entry| entry.id == id);
        // Heat knows stacks by name too, and sends to where the id is.
        if self.api.style == Style::Heat
            && by_id.is_none()
            && let Some(entry) = all.iter().find(|entry| entry.name == id)
        {
            let mut reply = reply::json(StatusCode::FOUND, &json!({ "code": "302 Found" }));
            let Place { origin, root, base } = &self.place;
            set(&mut reply, LOCATION, &format!("{origin}{root}{base}/stacks/{}/{}", entry.name, entry.id));
            return Ok(reply);
        }
        let entry = by_id.ok_or_else(|| No::NotFound(id.to_owned()))?;
        Ok(reply::json(StatusCode::OK, &self.one(entry)))
    }

    fn make(&self, entries: &mut Entries, body: &[u8]) -> Result<Reply, No> {
        let asked: Value = serde_json::from_slice(body).map_err(|_| No::BadJson)?;
        let given = match self.api.style {
            Style::Placement | Style::Heat => &asked,
            Style::Nova | Style::Cinder | Style::Neutron => &asked[self.collection.one],
        };
        let given = given.as_object().ok_or(No::BadJson)?;
        let entry = entries.make(&self.project_id, self.collection, given).map_err(|_| No::Enough)?;
        let status = match self.api.style {
            Style::Nova | Style::Cinder => StatusCode::ACCEPTED,
            Style::Neutron | Style::Placement | Style::Heat => StatusCode::CREATED,
        };
        let mut reply = reply::json(status, &self.one(&entry));
        if self.api.style != Style::Neutron {
            let Place { origin, root, base } = &self.place;
            set(&mut reply, LOCATION, &format!("{origin}{root}{base}/{}/{}", self.collection.name, entry.id));
        }
        Ok(reply)
    }

    fn delete(&self, entries: &mut Entries, id: &str) -> Result<Reply, No> {
        let all = entries.list(&self.project_id, self.collection);
        let at = all.iter().position(|entry| entry.id == id).ok_or_else(|| No::NotFound(id.to_owned()))?;
        all.remove(at);
        Ok(reply::empty(StatusCode::NO_CONTENT))
    }

    /// A console is somewhere else, and its URL is nobody's link to an API.
    fn console(&self, entries: &mut Entries, id: &str) -> Result<Reply, No> {
        self.show(entries, id)?;
        let url = format!("http://console.invalid:6080/vnc_auto.html?path=%3Ftoken%3D{id}");
        let console = json!({ "remote_console": { "protocol": "vnc", "type": "novnc", "url": url } });
        Ok(reply::json(StatusCode::OK, &console))
    }

    /// Placement's entries stand alone, the others under their name.
    fn one(&self, entry: &Entry) -> Value {
        let described = render::entry(self.api, self.collection, entry, &self.place);
        match self.api.style {
            Style::Placement => described,
            Style::Nova | Style::Cinder | Style::Neutron | Style::Heat => {
                json!({ self.collection.one: described })
            }
        }
    }

    /// Whether an entry has the name that a list was asked for. Nova takes a regular expression, of which clients use the
    /// anchors, and only for servers.
    fn is_called(&self, entry: &Entry, asked: &str) -> bool {
        if self.api.style != Style::Nova {
            return entry.name == asked;
        }
        let plain = asked.replace('\\', "");
        let (text, begins) = plain.strip_prefix('^').map_or((&*plain, false), |text| (text, true));
        let (text, ends) = text.strip_suffix('$').map_or((text, false), |text| (text, true));
        let fits = match (begins, ends) {
            (true, true) => entry.name == text,
            (true, false) => entry.name.starts_with(text),
            (false, true) => entry.name.ends_with(text),
            (false, false) => entry.name.contains(text),
        };
        fits || self.collection.name != "servers"
    }

    /// What a query has beside the page, as it came, each with `&` before it.
    fn others(&self) -> String {
        let pairs = self.head.uri.query().unwrap_or_default().split('&').filter(|pair| !pair.is_empty());
        let is_other = |pair: &&str| !OF_PAGES.contains(&pair.split('=').next().unwrap_or(pair));
        pairs.filter(is_other).flat_map(|pair| ["&", pair]).collect()
    }

    fn query(&self, name: &str) -> Option<&str> {
        let pairs = self.head.uri.query()?.split('&');
        pairs.filter_map(|pair| pair.split_once('=')).find(|(key, _)| *key == name).map(|(_, value)| value)
    }
}

/// Why a request is not done.
#[derive(Debug)]
enum No {
    Unauthorized,
    Forbidden,
    Lost,
    NotFound(String),
    BadLimit,
    BadMarker,
    BadJson,
    Enough,
}

impl No {
    fn reply(self, api: &Api, keystone: &Keystone) -> Reply {
        let (status, words) = match self {
            // keystonemiddleware answers in the projects' stead, with Keystone's own shape.
            Self::Unauthorized => {
                let words = "The request you have made requires authentication.";
                let body = json!({ "error": { "code": 401, "title": "Unauthorized", "message": words } });
                let mut reply = reply::json(StatusCode::UNAUTHORIZED, &body);
                set(&mut reply, WWW_AUTHENTICATE, &format!("Keystone uri=\"{}\"", keystone.auth_url()));
                return reply;
            }
            Self::Forbidden => (StatusCode::FORBIDDEN, "The token is for no project.".to_owned()),
            Self::Lost => (StatusCode::NOT_FOUND, "The resource could not be found.".to_owned()),
            Self::NotFound(id) => (StatusCode::NOT_FOUND, format!("{id} could not be found.")),
            Self::BadLimit => (StatusCode::BAD_REQUEST, "limit is not a number".to_owned()),
            Self::BadMarker => (StatusCode::BAD_REQUEST, "marker is not there".to_owned()),
            Self::BadJson => {
                (StatusCode::BAD_REQUEST, "The request body is not what it should be.".to_owned())
            }
            Self::Enough => {
                let words = format!(
                    "Quota exceeded: a service of this embedded cloud makes at most {MOST_MADE} things, deleted ones \
                     included; start it anew."
                );
                (StatusCode::FORBIDDEN, words)
            }
        };
        let mut reply = reply::json(status, &render::error(api, status, &words));
        reply.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        reply
    }
}

/// A value that is no field value is left out.
fn set(reply: &mut Reply, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::try_from(value) {
        reply.headers_mut().insert(name, value);
    }
}

/// What says which page of a list is wanted.
const OF_PAGES: &[&str] = &["limit", "marker", "page_reverse"];

/// Nova's `max_limit`, and much the same elsewhere.
const MOST_ON_A_PAGE: usize = 1000;

/// Less than Nova's `max_request_body_size` by far, since everything is kept in memory.
const LONGEST_BODY_BYTES: usize = 8192;
