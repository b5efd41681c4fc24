//! `/info`: what this store can do, and its bounds; and `/healthcheck`.

use http::{HeaderValue, Method, StatusCode};
use serde_json::json;

use super::super::reply::{self, Reply};
use super::account::options;
use super::refusal::Refusal;
use super::{Ask, bulk, container, listing, metadata, slo, upload};

const METHODS: &str = "GET, OPTIONS, HEAD";

/// Answers a request for `/info`.
pub(super) fn info(ask: &Ask) -> Result<Reply, Refusal> {
    match ask.method {
        Method::GET | Method::HEAD => {}
        Method::OPTIONS => return Ok(options(METHODS)),
        _ => return Err(Refusal::method(METHODS)),
    }
    let policies = container::POLICIES.iter().enumerate().map(|(n, name)| {
        let mut policy = json!({ "name": name, "aliases": name });
        if n == 0 {
            policy["default"] = true.into();
        }
        policy
    });
    let body = json!({
        "swift": {
            "version": "2.38.3",
            "strict_cors_mode": true,
            "policies": policies.collect::<Vec<_>>(),
            "allow_account_management": true,
            "account_autocreate": true,
            "allow_open_expired": false,
            "max_file_size": upload::MOST_BYTES,
            "max_meta_name_length": metadata::MOST_NAME,
            "max_meta_value_length": metadata::MOST_VALUE,
            "max_meta_count": metadata::MOST_FIELDS,
            "max_meta_overall_size": metadata::MOST_BYTES,
            "max_header_size": metadata::MOST_HEADER,
            "max_request_line": 8192,
            "max_object_name_length": upload::MOST_NAME,
            "container_listing_limit": listing::MOST_ENTRIES,
            "account_listing_limit": listing::MOST_ENTRIES,
            "max_account_name_length": 256,
            "max_container_name_length": container::MOST_NAME,
            "extra_header_count": 0,
        },
        "slo": {
            "max_manifest_segments": slo::MOST_SEGMENTS,
            "max_manifest_size": slo::MOST_BYTES,
            "yield_frequency": 10,
            "min_segment_size": 1,
            "allow_async_delete": false,
        },
        "tempurl": {
            "methods": ["GET", "HEAD", "PUT", "POST", "DELETE"],
            "incoming_remove_headers": ["x-timestamp", "x-open-expired"],
            "incoming_allow_headers": [],
            "outgoing_remove_headers": ["x-object-meta-*"],
            "outgoing_allow_headers": ["x-object-meta-public-*"],
            "allowed_digests": ["sha1", "sha256", "sha512"],
            "deprecated_digests": ["sha1"],
        },
        "bulk_delete": {
            "max_deletes_per_request": bulk::MOST_NAMES,
            "max_failed_deletes": bulk::MOST_FAILURES,
        },
    });
    let text = body.to_string();
    let length = HeaderValue::from(text.len());
    let mut reply = reply::typed(StatusCode::OK, "application/json; charset=UTF-8", text);
    reply.headers_mut().insert(http::header::CONTENT_LENGTH, length);
    Ok(reply)
}

/// It is alive.
pub(super) fn healthcheck() -> Reply {
    reply::typed(StatusCode::OK, "text/plain", "OK")
}
