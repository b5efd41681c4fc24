//! The way through the segments of a large object, manifests within manifests included, one step at a time: what it
//! holds does not grow with the size of what it goes through.

use std::sync::Arc;

use http::{HeaderMap, StatusCode};

use super::super::super::reply::Broken;
use super::super::auth::{Act, Caller};
use super::super::data::Data;
use super::super::state::{Large, Object};
use super::super::{Ask, Inner};
use super::{DEEPEST, Manifest, Part, What};

/// Looks objects up for a caller.
#[derive(Debug)]
pub(in super::super) struct Reader {
    inner: Arc<Inner>,
    account: String,
    caller: Caller,
    headers: HeaderMap,
}

impl Reader {
    pub(in super::super) fn new(ask: &Ask, account: &str) -> Arc<Self> {
        Arc::new(Self {
            inner: Arc::clone(&ask.inner),
            account: account.to_owned(),
            caller: ask.caller.clone(),
            headers: ask.headers.clone(),
        })
    }

    /// The object, or the status that a request for it would get.
    pub(super) fn look_up(&self, container: &str, name: &str) -> Result<Arc<Object>, StatusCode> {
        let store = self.inner.store();
        let inside = store.container(&self.account, container);
        let list = inside.and_then(|inside| inside.access("x-container-read"));
        let entry = self.caller.enter(&self.account, Some(container), Act::Object, list, &self.headers);
        entry.map_err(|refusal| refusal.status)?;
        let object = inside.and_then(|inside| inside.objects.get(name));
        object.cloned().ok_or(StatusCode::NOT_FOUND)
    }
}

/// Where it has come to.
#[derive(Clone, Debug)]
pub(in super::super) struct Walk {
    reader: Arc<Reader>,
    /// The manifests that it is in, the outermost first.
    stack: Vec<Level>,
}

#[derive(Clone, Debug)]
struct Level {
    manifest: Arc<Manifest>,
    /// The next segment, and where it begins in the whole.
    index: usize,
    offset: u64,
    /// What is wanted of the whole.
    first: u64,
    end: u64,
}

/// Bytes, and which of them.
type Step = (Arc<Data>, u64, u64);

impl Walk {
    /// Through all of it.
    pub(super) fn new(reader: Arc<Reader>, manifest: Arc<Manifest>) -> Self {
        let end = manifest.size;
        Self { reader, stack: vec![Level { manifest, index: 0, offset: 0, first: 0, end }] }
    }

    /// Through a part of it.
    pub(in super::super) fn within(&self, first: u64, end: u64) -> Self {
        let mut walk = self.clone();
        walk.stack.truncate(1);
        for level in &mut walk.stack {
            (level.first, level.end) = (first, end);
        }
        walk
    }

    /// The next bytes that there are; nothing at the end.
    pub(in super::super) fn next(&mut self) -> Result<Option<Step>, Broken> {
        while let Some(level) = self.stack.last_mut() {
            let manifest = Arc::clone(&level.manifest);
            let Some(segment) = manifest.segments.get(level.index).filter(|_| level.offset < level.end)
            else {
                self.stack.pop();
                continue;
            };
            let start = level.offset;
            let next = start.checked_add(segment.length).ok_or(Broken)?;
            (level.index, level.offset) = (level.index + 1, next);
            let (first, end) = (level.first.max(start), level.end.min(next));
            if first >= end {
                continue;
            }
            let (first, end) = (first - start, end - start);
            match &segment.what {
                What::Inline(data) => return Ok(Some((Arc::clone(data), first, end))),
                What::Object(part) => {
                    if let Some(step) = self.enter(part, part.first + first, part.first + end)? {
                        return Ok(Some(step));
                    }
                }
            }
        }
        Ok(None)
    }

    /// Into a segment, if it is still what it was.
    fn enter(&mut self, part: &Part, first: u64, end: u64) -> Result<Option<Step>, Broken> {
        let object = self.reader.look_up(&part.container, &part.name).map_err(|_| Broken)?;
        if !part.is_manifest {
            let is_same = object.data.md5() == part.etag && object.data.length() == part.bytes;
            let step = (Arc::clone(&object.data), first, end);
            return if is_same { Ok(Some(step)) } else { Err(Broken) };
        }
        let Large::Static(manifest) = &object.large else { return Err(Broken) };
        if self.stack.len() >= DEEPEST {
            return Err(Broken);
        }
        let manifest = Arc::clone(manifest);
        self.stack.push(Level { manifest, index: 0, offset: 0, first, end });
        Ok(None)
    }
}
