//! Interim responses (RFC 9110 §15.2): what an upstream says before its answer, other than 100, as it goes to the client.
//!
//! 1. An HTTP/1.1 client gets each in its turn, before the final response; an HTTP/1.0 client gets none.
//! 2. They lose what a response loses, and framing, which they cannot have.
//! 3. A 100 is not passed here: the client gets its own the moment the upstream asks for the body.

use std::sync::Arc;

use http::{HeaderMap, StatusCode, Version};

use super::{hop_by_hop, respond};
use crate::client::Interim;
use crate::server::Activity;

/// Where they go, if the client may have them.
pub(super) fn to(activity: &Arc<Activity>, version: Version) -> Option<Arc<dyn Interim>> {
    if version == Version::HTTP_11 { Some(Arc::<Activity>::clone(activity)) } else { None }
}

impl Interim for Activity {
    fn pass(&self, status: StatusCode, headers: &HeaderMap) {
        if status == StatusCode::CONTINUE {
            return;
        }
        let mut headers = headers.clone();
        hop_by_hop::strip_interim(&mut headers);
        // One too many is left out; it is only ever a hint.
        self.lane().push(&on_the_wire(status, &headers));
    }
}

fn on_the_wire(status: StatusCode, headers: &HeaderMap) -> Vec<u8> {
    let reason = status.canonical_reason().unwrap_or_default();
    let mut head = format!("HTTP/1.1 {} {reason}\r\n", status.as_str()).into_bytes();
    respond::put_fields(&mut head, headers);
    head.extend_from_slice(b"\r\n");
    head
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interim_response_has_a_head_and_no_body() {
        let mut headers = HeaderMap::new();
        headers.append("link", "</a.css>; rel=preload".parse().unwrap());
        headers.append("link", "</b.css>; rel=preload".parse().unwrap());
        let head = on_the_wire(StatusCode::EARLY_HINTS, &headers);
        let text =
            "HTTP/1.1 103 Early Hints\r\nlink: </a.css>; rel=preload\r\nlink: </b.css>; rel=preload\r\n\r\n";
        assert_eq!(head, text.as_bytes());
        let unknown = on_the_wire(StatusCode::from_u16(199).unwrap(), &HeaderMap::new());
        assert_eq!(unknown, b"HTTP/1.1 199 \r\n\r\n");
    }
}
