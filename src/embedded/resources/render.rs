//! How each project writes an entry, a page, its versions and an error.

use http::StatusCode;
use serde_json::{Map, Value, json};

use super::api::{Api, Collection, Style};
use super::entries::Entry;

/// Where things are: `http://host:port` and paths below it.
#[derive(Clone, Debug)]
pub(super) struct Place {
    /// `http://127.0.0.1:8774`.
    pub(super) origin: String,
    /// What stands before the version: `/compute`.
    pub(super) root: &'static str,
    /// Version and project as they were asked for: `/v2.1`.
    pub(super) base: String,
}

impl Place {
    fn url(&self, collection: &str, id: &str) -> String {
        format!("{}{}{}/{collection}/{id}", self.origin, self.root, self.base)
    }
}

/// A page of a list.
#[derive(Debug)]
pub(super) struct Page<'a> {
    pub(super) entries: Vec<&'a Entry>,
    pub(super) is_detailed: bool,
    /// URL of the page after this one.
    pub(super) next: Option<String>,
    /// Neutron tells the page before too.
    pub(super) previous: Option<String>,
}

/// One entry, whole.
pub(super) fn entry(api: &Api, collection: &Collection, entry: &Entry, place: &Place) -> Value {
    let mut fields = brief(api, collection, entry, place);
    for (name, value) in collection.fields {
        fields.insert((*name).to_owned(), json!(value));
    }
    for (name, value) in &entry.given {
        fields.insert(name.clone(), value.clone());
    }
    Value::Object(fields)
}

fn brief(api: &Api, collection: &Collection, entry: &Entry, place: &Place) -> Map<String, Value> {
    let (id, name) = (&entry.id, &entry.name);
    let own = place.url(collection.name, id);
    let fields = match api.style {
        Style::Nova | Style::Cinder => {
            let bookmark = format!("{}{}/{}/{id}", place.origin, place.root, collection.name);
            json!({ "id": id, "name": name,
                    "links": [{ "rel": "self", "href": own }, { "rel": "bookmark", "href": bookmark }] })
        }
        Style::Neutron => json!({ "id": id, "name": name, "tenant_id": entry.project_id,
                                  "project_id": entry.project_id }),
        Style::Placement => {
            let path = format!("{}/{}/{id}", place.root, collection.name);
            let links = ["", "/inventories", "/usages"].map(|part| {
                let rel = part.strip_prefix('/').unwrap_or("self");
                json!({ "rel": rel, "href": format!("{path}{part}") })
            });
            json!({ "uuid": id, "name": name, "generation": 0, "links": links })
        }
        Style::Heat => {
            let own = place.url(collection.name, &format!("{name}/{id}"));
            json!({ "id": id, "stack_name": name, "links": [{ "rel": "self", "href": own }] })
        }
    };
    match fields {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}

/// A list, or what of it fits on a page.
pub(super) fn page(api: &Api, collection: &Collection, page: &Page<'_>, place: &Place) -> Value {
    let described = page.entries.iter().map(|one| match api.style {
        Style::Nova | Style::Cinder if !page.is_detailed => Value::Object(brief(api, collection, one, place)),
        _ => entry(api, collection, one, place),
    });
    let mut list = json!({ collection.name: described.collect::<Vec<_>>() });
    let mut links = Vec::new();
    for (rel, href) in [("next", &page.next), ("previous", &page.previous)] {
        if let Some(href) = href {
            links.push(json!({ "rel": rel, "href": href }));
        }
    }
    if !links.is_empty() {
        list[format!("{}_links", collection.name)] = json!(links);
    }
    list
}

/// The document at the root, and its status.
pub(super) fn versions(api: &Api, place: &Place) -> (StatusCode, Value) {
    let status = match api.style {
        Style::Cinder | Style::Heat => StatusCode::MULTIPLE_CHOICES,
        Style::Nova | Style::Neutron | Style::Placement => StatusCode::OK,
    };
    (status, json!({ "versions": [version(api, place)] }))
}

/// The one version there is.
pub(super) fn version(api: &Api, place: &Place) -> Value {
    let id = match api.style {
        Style::Cinder => "v3.0",
        Style::Placement => "v1.0",
        Style::Heat => "v1.0",
        Style::Nova | Style::Neutron => api.version.unwrap_or_default(),
    };
    let href = match api.version {
        Some(version) => format!("{}{}/{version}/", place.origin, place.root),
        None => String::new(),
    };
    let mut described = json!({ "id": id, "status": "CURRENT", "links": [{ "rel": "self", "href": href }] });
    if let Some(versions) = &api.microversions {
        let (least, most) = (
            format!("{}.{}", versions.major, versions.least),
            format!("{}.{}", versions.major, versions.most),
        );
        if api.style == Style::Placement {
            described["max_version"] = json!(most);
        } else {
            described["version"] = json!(most);
            described["updated"] = json!("2013-07-23T11:33:21Z");
        }
        described["min_version"] = json!(least);
    }
    described
}

/// An error in the project's own shape.
pub(super) fn error(api: &Api, status: StatusCode, message: &str) -> Value {
    let code = status.as_u16();
    let name = match status {
        StatusCode::NOT_FOUND => "itemNotFound",
        StatusCode::FORBIDDEN => "forbidden",
        StatusCode::BAD_REQUEST => "badRequest",
        _ => "computeFault",
    };
    match api.style {
        Style::Nova | Style::Cinder => json!({ name: { "code": code, "message": message } }),
        Style::Neutron => {
            json!({ "NeutronError": { "type": status.canonical_reason(), "message": message, "detail": "" } })
        }
        Style::Placement => {
            json!({ "errors": [{ "status": code, "title": status.canonical_reason(), "detail": message }] })
        }
        Style::Heat => json!({
            "code": code, "title": status.canonical_reason(), "explanation": message,
            "error": { "message": message, "traceback": null, "type": "EntityNotFound" },
        }),
    }
}
