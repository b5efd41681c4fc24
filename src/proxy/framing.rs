//! `Content-Length` and `Transfer-Encoding` of what leaves: written anew from the
//! body that we will send, never passed on as they came (RFC 9112 6).
//!
//! hyper frames by the body's size where the map says nothing, and believes the
//! map where it does. So:
//!
//! 1. `Transfer-Encoding` has gone with the hop-by-hop fields; what was chunked has no known size.
//! 2. A body of known size: `Content-Length` is that number, in one line.
//! 3. A body of unknown size: no `Content-Length`. hyper then chunks, but for GET
//!    and HEAD requests it would send neither framing nor body: there we ask for chunks.
//! 4. Responses to HEAD and 304 have no body, but a length of their own (RFC 9110
//!    8.6): one valid number stays, anything else goes. 1xx and 204 have none.

use http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use http_body::Body;

/// Frames a request by the length of its body, which is `None` if it is not known.
pub(super) fn request(method: &Method, headers: &mut HeaderMap, length: Option<u64>) {
    match length {
        Some(0) if !headers.contains_key(CONTENT_LENGTH) => {}
        Some(length) => set_length(headers, length),
        None => {
            headers.remove(CONTENT_LENGTH);
            if method == Method::GET || method == Method::HEAD {
                headers.insert(TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
            }
        }
    }
}

/// Frames a response by its body. `method` is the request's.
pub(super) fn response(method: &Method, status: StatusCode, headers: &mut HeaderMap, body: &impl Body) {
    if status.is_informational() || status == StatusCode::NO_CONTENT {
        headers.remove(CONTENT_LENGTH);
    } else if method == Method::HEAD || status == StatusCode::NOT_MODIFIED {
        match only_length(headers) {
            Some(length) => set_length(headers, length),
            None => _ = headers.remove(CONTENT_LENGTH),
        }
    } else {
        match body.size_hint().exact() {
            Some(length) => set_length(headers, length),
            None => _ = headers.remove(CONTENT_LENGTH),
        }
    }
}

fn set_length(headers: &mut HeaderMap, length: u64) {
    if only_length(headers) != Some(length) {
        headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
    }
}

/// The length, if there is one line with one number written as numbers are.
fn only_length(headers: &HeaderMap) -> Option<u64> {
    let mut lines = headers.get_all(CONTENT_LENGTH).iter();
    let (Some(line), None) = (lines.next(), lines.next()) else { return None };
    let digits = line.as_bytes();
    let plain = digits.iter().all(u8::is_ascii_digit) && (digits == b"0" || !digits.starts_with(b"0"));
    if !plain {
        return None;
    }
    std::str::from_utf8(digits).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::pin::Pin;
    use std::task::{Context, Poll};

    use bytes::Bytes;
    use http_body::{Frame, SizeHint};

    use super::*;

    /// A body that knows its length, or does not.
    struct Sized(Option<u64>);

    impl Body for Sized {
        type Data = Bytes;
        type Error = Infallible;

        fn poll_frame(
            self: Pin<&mut Self>,
            _cx: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
            Poll::Ready(None)
        }

        fn size_hint(&self) -> SizeHint {
            self.0.map_or_else(SizeHint::default, SizeHint::with_exact)
        }
    }

    fn lines(values: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(CONTENT_LENGTH, value.parse().unwrap());
        }
        headers
    }

    fn lengths(headers: &HeaderMap) -> Vec<&str> {
        headers.get_all(CONTENT_LENGTH).iter().map(|value| value.to_str().unwrap()).collect()
    }

    type Values = &'static [&'static str];

    #[test]
    fn a_response_is_framed_by_its_body() {
        // (request method, status, lines that came, size of the body, lines that leave)
        let table: [(Method, u16, Values, Option<u64>, Values); 11] = [
            (Method::GET, 200, &["5"], Some(5), &["5"]),
            (Method::GET, 200, &["5", "5"], Some(5), &["5"]),
            (Method::GET, 200, &["05"], Some(5), &["5"]),
            (Method::GET, 200, &["7"], None, &[]),
            (Method::GET, 200, &[], Some(5), &["5"]),
            (Method::HEAD, 200, &["1234"], Some(0), &["1234"]),
            (Method::HEAD, 200, &["2, 2"], Some(0), &[]),
            (Method::HEAD, 200, &["2", "3"], Some(0), &[]),
            (Method::GET, 304, &["99"], Some(0), &["99"]),
            (Method::GET, 204, &["3"], Some(0), &[]),
            (Method::GET, 200, &["+5"], Some(5), &["5"]),
        ];
        for (method, status, came, size, leave) in table {
            let mut headers = lines(came);
            response(&method, StatusCode::from_u16(status).unwrap(), &mut headers, &Sized(size));
            assert_eq!(lengths(&headers), leave, "{method} {status} {came:?} {size:?}");
        }
    }

    #[test]
    fn a_request_is_framed_by_its_body() {
        // (method, lines that came, size of the body, lines that leave, chunked asked for)
        let table: [(Method, Values, Option<u64>, Values, bool); 7] = [
            (Method::GET, &[], Some(0), &[], false),
            (Method::POST, &["0"], Some(0), &["0"], false),
            (Method::PUT, &["03"], Some(3), &["3"], false),
            (Method::PUT, &["3"], None, &[], false),
            (Method::GET, &[], None, &[], true),
            (Method::HEAD, &[], None, &[], true),
            (Method::DELETE, &["4"], Some(4), &["4"], false),
        ];
        for (method, came, size, leave, chunked) in table {
            let mut headers = lines(came);
            request(&method, &mut headers, size);
            assert_eq!(lengths(&headers), leave, "{method} {came:?} {size:?}");
            assert_eq!(headers.contains_key(TRANSFER_ENCODING), chunked, "{method} {came:?} {size:?}");
        }
    }
}
