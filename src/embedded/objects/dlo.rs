//! Dynamic large objects: an object with `X-Object-Manifest: container/prefix` stands for all objects of that
//! container whose names begin so (`swift/common/middleware/dlo.py`).

use std::sync::Arc;

use http::header::{ACCEPT_RANGES, CONTENT_RANGE, ETAG, RANGE};
use http::{HeaderMap, HeaderName, StatusCode};
use percent_encoding::percent_decode_str;

use super::Ask;
use super::auth::Act;
use super::content::Source;
use super::data::md5_hex;
use super::download::{View, set};
use super::listing::{Entry, Page};
use super::range::{Ranges, Wanted};
use super::refusal::Refusal;
use super::state::{Fields, Large, Object};

/// Looks at the field of a request.
pub(super) fn check(headers: &HeaderMap) -> Result<(), Refusal> {
    let Some(value) = headers.get(NAME) else { return Ok(()) };
    let value = String::from_utf8_lossy(value.as_bytes());
    let fits = value.split_once('/').is_some_and(|(container, prefix)| {
        !container.is_empty() && !prefix.is_empty() && !prefix.starts_with('/') && !value.contains(['?', '&'])
    });
    let text = "X-Object-Manifest must be in the format container/prefix";
    if fits { Ok(()) } else { Err(Refusal::html(StatusCode::BAD_REQUEST, text)) }
}

const NAME: HeaderName = HeaderName::from_static("x-object-manifest");

/// What the fields of an object point to.
pub(super) fn pointer(fields: &Fields) -> Large {
    let pointer = fields.get(NAME.as_str()).and_then(|value| {
        let value = percent_decode_str(str::from_utf8(value.as_bytes()).ok()?).decode_utf8().ok()?;
        let (container, prefix) = value.split_once('/')?;
        Some(Large::Dynamic(container.to_owned(), prefix.to_owned()))
    });
    pointer.unwrap_or(Large::No)
}

/// The segments as one.
pub(super) fn view(
    ask: &Ask,
    account: &str,
    object: &Object,
    container: &str,
    prefix: &str,
) -> Result<View, Refusal> {
    let segments: Vec<Arc<Object>> = {
        let store = ask.inner.store();
        ask.enter(&store, account, container, Act::Listing)?;
        let container = store.container(account, container);
        let container = container.ok_or_else(|| Refusal::of(StatusCode::NOT_FOUND))?;
        let entries = Page::of_prefix(prefix).entries(&container.objects);
        entries.iter().filter_map(segment).collect()
    };
    let etags: String = segments.iter().map(|segment| segment.data.md5()).collect();
    let mut view = View::of(object);
    set(&mut view.headers, ETAG, &format!("\"{}\"", md5_hex(etags.as_bytes())));
    view.length = segments.iter().map(|segment| segment.data.length()).sum();
    let data = segments.iter().map(|segment| Arc::clone(&segment.data)).collect();
    view.source = Source::Several(Arc::new(data));
    // Of several ranges it takes none.
    let ranges = ask.headers.get(RANGE).and_then(|value| Ranges::parse(value.to_str().ok()?));
    view.has_ranges = ranges.as_ref().is_some_and(|ranges| ranges.0.len() == 1);
    let is_out = ranges.filter(|_| view.has_ranges).map(|ranges| ranges.wanted(view.length));
    if is_out == Some(Wanted::Nothing) {
        // It forgets what it is.
        view.headers.clear();
        view.headers.insert(ACCEPT_RANGES, http::HeaderValue::from_static("bytes"));
        set(&mut view.headers, CONTENT_RANGE, &format!("bytes */{}", view.length));
        set(&mut view.headers, http::header::CONTENT_TYPE, "text/html; charset=UTF-8");
    }
    Ok(view)
}

fn segment(entry: &Entry<'_, Arc<Object>>) -> Option<Arc<Object>> {
    match entry {
        Entry::Item(_, object) => Some(Arc::clone(object)),
        Entry::Subdir(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn a_manifest_names_a_container_and_a_prefix() {
        for (value, fits) in [
            ("c/p", true),
            ("c/p/q", true),
            ("c%2F/p", true),
            ("c", false),
            ("c/", false),
            ("/p", false),
            ("c//p", false),
            ("c/p?x", false),
            ("c/p&x", false),
            ("", false),
        ] {
            let headers = HeaderMap::from_iter([(NAME, HeaderValue::from_static(value))]);
            assert_eq!(check(&headers).is_ok(), fits, "{value}");
        }
    }
}
