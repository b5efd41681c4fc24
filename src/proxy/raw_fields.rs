//! Fields with raw UTF-8 in their names, on their way through: Swift takes and gives them as metadata.
//!
//! 1. In a request they are invalid (RFC 9110 §5.1) and refused, unless they are what Swift takes: user metadata
//!    (`X-Object-Meta-..` and its like) in UTF-8.
//!    Names with an underscore do not pass, as among other names.
//! 2. In a response they pass as they came. Only those that cannot be told apart any more are left out, and counted:
//!    what hyper would do instead is lose the whole response.

use http::HeaderMap;

use crate::failure::{Failure, Reason};
use crate::metrics::Metrics;
use crate::raw_names::{self, Names};

/// Field lines for the next head that goes to the client; an extension of the response.
#[derive(Clone, Debug)]
pub(super) struct Lines(pub(super) Vec<u8>);

/// Rule 1.
pub(super) fn of_request(headers: &mut HeaderMap, names: &Names) -> Result<Vec<u8>, Failure> {
    let mut fields = raw_names::take(headers, names);
    if !fields.iter().all(|field| is_metadata(&field.name)) {
        return Err(Failure::new(
            Reason::BadRequest,
            "a field name of the request has bytes that are not ASCII (RFC 9110 5.1); only names of Swift's metadata may, in UTF-8",
        ));
    }
    fields.retain(|field| !field.name.contains(&b'_'));
    Ok(raw_names::lines(&fields))
}

/// Rule 2.
pub(super) fn of_response(headers: &mut HeaderMap, names: &Names, metrics: &Metrics) -> Option<Lines> {
    let fields = raw_names::take(headers, names);
    metrics.fields_dropped(names.raw_count() - fields.len());
    (!fields.is_empty()).then(|| Lines(raw_names::lines(&fields)))
}

/// Whether this is `X-`, a kind, `-Meta-` and more, in UTF-8.
fn is_metadata(name: &[u8]) -> bool {
    let Ok(name) = std::str::from_utf8(name) else { return false };
    let name = name.to_ascii_lowercase();
    let rest = ["x-account-", "x-container-", "x-object-"].iter().find_map(|kind| name.strip_prefix(kind));
    rest.is_some_and(|rest| rest.starts_with("meta-"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_is_known_by_its_name() {
        for name in ["X-Object-Meta-Gr\u{f6}\u{df}e", "x-container-meta-\u{e12}", "X-ACCOUNT-META-\u{e9}"] {
            assert!(is_metadata(name.as_bytes()), "{name}");
        }
        for name in [
            "X-Object-Meta\u{e9}",
            "X-Objec\u{e9}t-Meta-A",
            "X-Object-Sysmeta-\u{e9}",
            "Content-Length\u{e9}",
            "\u{e9}",
            "X-Auth-Token\u{e9}",
        ] {
            assert!(!is_metadata(name.as_bytes()), "{name}");
        }
        assert!(!is_metadata(b"X-Object-Meta-\xff"));
    }
}
