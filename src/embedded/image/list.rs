//! Lists of images: who sees which, in pages whose links are paths, and those that are there from the start.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde_json::{Value, json};

use super::No;
use super::record::{Image, Stored, defaults};
use crate::embedded::data::{Data, hex};
use crate::embedded::people::PROJECTS;
use crate::embedded::store::Room;

/// Whether a project sees an image.
pub(super) fn is_seen_by(image: &Image, owner: &str) -> bool {
    image.owner == owner || image.base.get("visibility").is_some_and(|visibility| visibility == "public")
}

/// A page of what a project sees.
pub(super) fn page(images: &[Image], owner: &str, query: Option<&str>) -> Result<Value, No> {
    let pairs = pairs(query.unwrap_or_default());
    let value = |name: &str| pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    let limit = match value("limit").map(str::parse::<i64>) {
        None => DEFAULT_LIMIT,
        Some(Ok(limit)) if limit >= 0 => usize::try_from(limit).unwrap_or(usize::MAX).min(MOST_ON_A_PAGE),
        Some(Ok(_)) => return Err(No::new(400, "limit param must be positive")),
        Some(Err(_)) => return Err(No::new(400, "limit param must be an integer")),
    };
    let mut seen: Vec<&Image> = images
        .iter()
        .filter(|image| is_seen_by(image, owner))
        .filter(|image| pairs.iter().all(|(name, value)| fits(image, name, value)))
        .collect();
    let (key, is_ascending) = order(value("sort"), value("sort_key"), value("sort_dir"));
    seen.sort_by_cached_key(|image| (image.describe()[key].to_string(), image.number));
    if !is_ascending {
        seen.reverse();
    }
    let start = match value("marker") {
        None => 0,
        Some(marker) => {
            let at = seen.iter().position(|image| image.id == marker);
            at.ok_or_else(|| No::new(400, &format!("No image found with ID {marker}")))? + 1
        }
    };
    let end = start.saturating_add(limit).min(seen.len());
    // Glance writes the query anew.
    let written = |text: &str| utf8_percent_encode(text, PLAIN).to_string();
    let kept = pairs.iter().filter(|(name, _)| name != "marker");
    let mut parts: Vec<String> =
        kept.map(|(name, value)| format!("{}={}", written(name), written(value))).collect();
    let path = |parts: &[String]| {
        if parts.is_empty() { "/v2/images".to_owned() } else { format!("/v2/images?{}", parts.join("&")) }
    };
    let mut page = json!({
        "images": seen[start..end].iter().map(|image| image.describe()).collect::<Vec<_>>(),
        "first": path(&parts),
        "schema": "/v2/schemas/images",
    });
    // Glance links on from each full page, be there more or not.
    if limit > 0
        && end - start == limit
        && let Some(last) = seen[start..end].last()
    {
        parts.push(format!("marker={}", last.id));
        page["next"] = json!(path(&parts));
    }
    Ok(page)
}

/// Whether an image has what a filter asks for; what is no filter fits.
fn fits(image: &Image, name: &str, value: &str) -> bool {
    match name {
        "limit" | "marker" | "sort" | "sort_key" | "sort_dir" => true,
        "tag" => image.tags.iter().any(|tag| tag == value),
        "visibility" if value == "all" => true,
        _ => match &image.describe()[name] {
            Value::Null => false,
            Value::String(text) => text == value,
            other => other.to_string().eq_ignore_ascii_case(value),
        },
    }
}

/// What to sort by: `sort=name:asc`, or `sort_key` and `sort_dir`; the newest first.
fn order<'a>(sort: Option<&'a str>, key: Option<&'a str>, direction: Option<&'a str>) -> (&'a str, bool) {
    match sort {
        Some(sort) => {
            let first = sort.split(',').next().unwrap_or(sort);
            let (key, direction) = first.split_once(':').unwrap_or((first, "desc"));
            (key, direction == "asc")
        }
        None => (key.unwrap_or("created_at"), direction == Some("asc")),
    }
}

fn pairs(query: &str) -> Vec<(String, String)> {
    let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    pairs.map(|(name, value)| (decoded(name), decoded(value))).collect()
}

/// An id of the shape of a UUID.
pub(super) fn new_id() -> String {
    let digits = hex(&fastrand::u128(..).to_be_bytes());
    format!("{}-{}-{}-{}-{}", &digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..])
}

/// A few public images, with data that is no system's.
pub(super) fn from_the_start(room: &Room, now: Timestamp) -> Vec<Image> {
    let names = ["cirros-0.6.3", "debian-13-generic", "fedora-cloud-44"];
    let image = |(n, name): (usize, &&str)| {
        let mut base = defaults();
        for (key, value) in [("name", *name), ("disk_format", "qcow2"), ("container_format", "bare")] {
            base.insert(key.to_owned(), json!(value));
        }
        base.insert("visibility".to_owned(), json!("public"));
        let data = Data::of(format!("this is not {name}\n").repeat(200).as_bytes(), room).ok()?;
        Some(Image {
            id: format!("{:08x}-1111-4111-8111-111111111111", 0x1ca6_e000 + n),
            owner: PROJECTS[2].id.to_owned(),
            created_at: now,
            updated_at: now,
            number: n as u64,
            base,
            extra: BTreeMap::new(),
            tags: Vec::new(),
            data: Some(Arc::new(Stored::new(data))),
        })
    };
    names.iter().enumerate().filter_map(image).collect()
}

/// What Python's `urlencode` leaves as it is.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'_').remove(b'.').remove(b'-').remove(b'~');

/// Glance's `limit_param_default`.
const DEFAULT_LIMIT: usize = 25;

/// Glance's `api_limit_max`.
const MOST_ON_A_PAGE: usize = 1000;
