//! An image: what is known of it, and how it is told (Image API v2, "Images").

use std::collections::BTreeMap;
use std::sync::Arc;

use aws_lc_rs::digest;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::embedded::data::{Data, hex};

/// One image.
#[derive(Clone, Debug)]
pub(super) struct Image {
    pub(super) id: String,
    pub(super) owner: String,
    pub(super) created_at: Timestamp,
    pub(super) updated_at: Timestamp,
    /// Counts images, so that those of one second have an order.
    pub(super) number: u64,
    /// `name`, `disk_format` and the like; the rest at their defaults.
    pub(super) base: Map<String, Value>,
    /// What its owner added.
    pub(super) extra: BTreeMap<String, Value>,
    pub(super) tags: Vec<String>,
    pub(super) data: Option<Arc<Stored>>,
}

/// The bytes of an image, and their second hash.
#[derive(Debug)]
pub(super) struct Stored {
    pub(super) data: Data,
    pub(super) sha512: String,
}

impl Stored {
    pub(super) fn new(data: Data) -> Self {
        let mut hash = digest::Context::new(&digest::SHA512);
        let mut at = 0;
        while let Some(bytes) = data.slice(at, u64::MAX) {
            hash.update(&bytes);
            at += bytes.len() as u64;
        }
        Self { sha512: hex(hash.finish().as_ref()), data }
    }
}

/// What an image has that its maker may set, with defaults.
pub(super) fn defaults() -> Map<String, Value> {
    let defaults = json!({
        "name": null, "disk_format": null, "container_format": null, "visibility": "shared",
        "protected": false, "min_ram": 0, "min_disk": 0, "os_hidden": false,
    });
    match defaults {
        Value::Object(defaults) => defaults,
        _ => Map::new(),
    }
}

impl Image {
    /// As Glance tells it; its own links are paths.
    pub(super) fn describe(&self) -> Value {
        let mut told = self.base.clone();
        let mut set = |name: &str, value: Value| told.insert(name.to_owned(), value);
        let stored = self.data.as_deref();
        let size = stored.map(|stored| stored.data.length());
        set("status", json!(if stored.is_some() { "active" } else { "queued" }));
        set("size", json!(size));
        set("virtual_size", json!(size));
        set("checksum", json!(stored.map(|stored| stored.data.md5())));
        set("os_hash_algo", json!(stored.map(|_| "sha512")));
        set("os_hash_value", json!(stored.map(|stored| &stored.sha512)));
        set("owner", json!(self.owner));
        set("id", json!(self.id));
        set("created_at", json!(time(self.created_at)));
        set("updated_at", json!(time(self.updated_at)));
        set("tags", json!(self.tags));
        set("self", json!(format!("/v2/images/{}", self.id)));
        set("file", json!(format!("/v2/images/{}/file", self.id)));
        set("schema", json!("/v2/schemas/image"));
        if stored.is_some() {
            set("stores", json!("store1"));
        }
        for (name, value) in &self.extra {
            set(name, value.clone());
        }
        Value::Object(told)
    }

    /// Sets one thing; the words and whether it is forbidden rather than wrong, if it may not be.
    pub(super) fn set(&mut self, name: &str, value: &Value) -> Result<(), Wrong> {
        if READ_ONLY.contains(&name) {
            return Err(Wrong::ReadOnly(name.to_owned()));
        }
        let fits = match name {
            "tags" => {
                let tags = value.as_array().and_then(|tags| tags.iter().map(text).collect());
                let tags: Vec<String> = tags.ok_or_else(|| Wrong::schema(name, value))?;
                if tags.len() > MOST_TAGS {
                    return Err(Wrong::TooMany { what: "tags", attempted: tags.len(), most: MOST_TAGS });
                }
                self.tags = tags;
                return Ok(());
            }
            "name" => value.is_null() || text(value).is_some(),
            "disk_format" => value.is_null() || is_one_of(value, DISK_FORMATS),
            "container_format" => value.is_null() || is_one_of(value, CONTAINER_FORMATS),
            "visibility" => is_one_of(value, VISIBILITIES),
            "protected" | "os_hidden" => value.is_boolean(),
            "min_ram" | "min_disk" => value.is_u64(),
            _ => match value.as_str() {
                Some(text) => return self.add_property(name, text),
                None => false,
            },
        };
        if !fits {
            return Err(Wrong::schema(name, value));
        }
        if value == "public" {
            return Err(Wrong::Publicize);
        }
        self.base.insert(name.to_owned(), value.clone());
        Ok(())
    }

    /// Adds a property, or changes one.
    fn add_property(&mut self, name: &str, text: &str) -> Result<(), Wrong> {
        if is_long(name) {
            return Err(Wrong::LongName);
        }
        let others = || self.extra.iter().filter(|(known, _)| *known != name);
        let attempted = others().count() + 1;
        if attempted > MOST_PROPERTIES {
            return Err(Wrong::TooMany { what: "properties", attempted, most: MOST_PROPERTIES });
        }
        let bytes: usize =
            others().map(|(name, value)| name.len() + value.as_str().map_or(0, str::len)).sum();
        if bytes + name.len() + text.len() > MOST_PROPERTY_BYTES {
            return Err(Wrong::TooLarge);
        }
        self.extra.insert(name.to_owned(), Value::from(text));
        Ok(())
    }

    /// Adds a tag, unless it is there.
    pub(super) fn add_tag(&mut self, tag: &str) -> Result<(), Wrong> {
        if self.tags.iter().any(|known| known == tag) {
            return Ok(());
        }
        if is_long(tag) {
            return Err(Wrong::schema("tags", &json!(tag)));
        }
        let attempted = self.tags.len() + 1;
        if attempted > MOST_TAGS {
            return Err(Wrong::TooMany { what: "tags", attempted, most: MOST_TAGS });
        }
        self.tags.push(tag.to_owned());
        Ok(())
    }

    /// Whether there is such a thing to replace or to remove.
    pub(super) fn has(&self, name: &str) -> bool {
        self.extra.contains_key(name) || self.base.contains_key(name) || name == "tags"
    }
}

/// Why something cannot be set.
#[derive(Debug)]
pub(super) enum Wrong {
    ReadOnly(String),
    Schema(String),
    Publicize,
    /// The name of a property.
    LongName,
    TooMany {
        what: &'static str,
        attempted: usize,
        most: usize,
    },
    /// All properties together.
    TooLarge,
}

impl Wrong {
    fn schema(name: &str, value: &Value) -> Self {
        Self::Schema(format!("Provided object does not match schema 'image': {value} is no value of {name}"))
    }
}

/// A name or a tag.
fn text(value: &Value) -> Option<String> {
    value.as_str().filter(|text| !is_long(text)).map(str::to_owned)
}

fn is_long(text: &str) -> bool {
    text.chars().count() > MOST_CHARACTERS
}

fn is_one_of(value: &Value, known: &[&str]) -> bool {
    value.as_str().is_some_and(|value| known.contains(&value))
}

fn time(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// Glance's `image_property_quota`.
const MOST_PROPERTIES: usize = 128;

/// Glance's `image_tag_quota`.
const MOST_TAGS: usize = 128;

/// Of names and tags; values of properties may be longer (a signature is, `img_signature`).
const MOST_CHARACTERS: usize = 255;

/// Names and values of all properties of an image; Glance has no such bound, but also a disk.
pub(super) const MOST_PROPERTY_BYTES: usize = 64 * 1024;

/// What an image has that nobody sets; `id` and `owner` are given when it is made.
pub(super) const READ_ONLY: &[&str] = &[
    "id",
    "owner",
    "locations",
    "status",
    "size",
    "virtual_size",
    "checksum",
    "os_hash_algo",
    "os_hash_value",
    "created_at",
    "updated_at",
    "self",
    "file",
    "schema",
    "direct_url",
    "stores",
];
const DISK_FORMATS: &[&str] =
    &["ami", "ari", "aki", "vhd", "vhdx", "vmdk", "raw", "qcow2", "vdi", "iso", "ploop"];
const CONTAINER_FORMATS: &[&str] = &["ami", "ari", "aki", "bare", "ovf", "ova", "docker", "compressed"];
const VISIBILITIES: &[&str] = &["community", "public", "private", "shared"];
