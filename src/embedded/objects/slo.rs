//! Static large objects: a manifest names segments, and its object is read as all of them in order
//! (`swift/common/middleware/slo.py`).
//!
//! ```text
//! parse (what the client sent) ─► put (checked against the store) ─► Manifest ─► get, walk; delete
//! ```

use std::sync::Arc;

use super::super::store::Share;
use super::data::Data;

pub(super) mod base64;
pub(super) mod delete;
pub(super) mod get;
mod parse;
pub(super) mod put;
pub(super) mod walk;

/// The most segments that are objects.
pub(super) const MOST_SEGMENTS: usize = 1000;

/// The longest manifest.
pub(super) const MOST_BYTES: u64 = 8 * 1024 * 1024;

/// How deep manifests may name manifests.
const DEEPEST: usize = 10;

/// What a large object is made of.
#[derive(Debug)]
pub(super) struct Manifest {
    pub(super) segments: Vec<Segment>,
    /// Bytes of all segments.
    pub(super) size: u64,
    /// The entity tag of the whole, without quotes.
    pub(super) etag: String,
    pub(super) _share: Share,
}

/// A part of a large object.
#[derive(Debug)]
pub(super) struct Segment {
    pub(super) length: u64,
    pub(super) what: What,
}

/// Where a part comes from.
#[derive(Debug)]
pub(super) enum What {
    /// It was in the manifest.
    Inline(Arc<Data>),
    /// An object, or a part of it.
    Object(Part),
}

/// A part of an object.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) container: String,
    pub(super) name: String,
    /// What the object must have yet.
    pub(super) etag: String,
    pub(super) bytes: u64,
    /// Where it begins.
    pub(super) first: u64,
    /// Whether the object is a manifest itself.
    pub(super) is_manifest: bool,
}
