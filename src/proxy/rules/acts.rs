//! What a request comes to, beside what its method and path say.
//!
//! 1. A method in `_method` of the query is one more method: some frameworks take it for the request's own. Fields of the
//!    kind (`X-HTTP-Method-Override`) do not travel (`hop_by_hop`).
//! 2. Swift: `COPY` reads here and writes to `Destination`; `X-Copy-From` and `X-Symlink-Target` read there (`swift
//!    common/middleware/copy.py`, `symlink.py`); `X-Delete-At` and `X-Delete-After` delete later.
//! 3. Swift: `X-Object-Manifest` and `multipart-manifest=put` read objects that are found only later or in a body,
//!    `bulk-delete` and `multipart-manifest=delete` delete them, `extract-archive`, `X-Versions-Location` and
//!    `X-History-Location` write them.
//! 4. S3: `x-amz-copy-source` reads there; `POST ?delete` deletes what its body names.
//!
//! What only a body says is not seen, where nothing in the head tells that it does.

use std::borrow::Cow;

use http::{HeaderMap, HeaderName, Method};

use crate::routing::lenient;

/// One thing that a request does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Act<'a> {
    /// A method, in the letters of the request.
    pub(super) method: Cow<'a, str>,
    /// To what.
    pub(super) at: Place<'a>,
}

/// What an act is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place<'a> {
    /// The request's own path.
    Path,
    /// `container/object`, percent-encoded, in the account of that name or the request's own.
    Object {
        /// As the field has it.
        name: &'a [u8],
        /// As the field has it.
        account: Option<&'a [u8]>,
    },
    /// Nobody knows.
    Anywhere,
}

/// What a request does beside its own method, to its own path.
pub(super) fn more<'a>(method: &'a Method, headers: &'a HeaderMap, query: &'a str) -> Vec<Act<'a>> {
    let mut acts = Vec::new();
    let only_reads = matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS);
    if only_reads && query.is_empty() {
        return acts;
    }
    let in_query = pairs(query).filter(|(name, _)| name.eq_ignore_ascii_case(b"_method"));
    for (_, value) in in_query {
        for method in value.split(|byte| *byte == b',') {
            let method = String::from_utf8_lossy(method.trim_ascii()).into_owned();
            acts.push(Act { method: method.into(), at: Place::Path });
        }
    }
    // Whoever only reads does nothing of the rest.
    if only_reads {
        return acts;
    }
    let mut add = |method: &'static str, at| acts.push(Act { method: method.into(), at });
    let named = |name: &HeaderName| headers.get_all(name).iter().map(|value| value.as_bytes());
    let object = |name, account: &HeaderName| Place::Object { name, account: named(account).next() };
    for (field, account) in &SOURCES {
        named(field).for_each(|name| add("GET", object(name, account)));
    }
    if method.as_str().eq_ignore_ascii_case("COPY") {
        add("GET", Place::Path);
        named(&DESTINATION).for_each(|name| add("PUT", object(name, &DESTINATION_ACCOUNT)));
        if !headers.contains_key(DESTINATION) {
            add("PUT", Place::Anywhere);
        }
    }
    for (field, method, at) in FIELDS {
        if headers.contains_key(field) {
            add(method, at);
        }
    }
    for (name, value) in pairs(query) {
        for (known, said, method) in QUERIES {
            if name.eq_ignore_ascii_case(known) && (said.is_empty() || value.eq_ignore_ascii_case(said)) {
                add(method, Place::Anywhere);
            }
        }
        if *method == Method::POST && name.eq_ignore_ascii_case(b"delete") {
            add("DELETE", Place::Anywhere);
        }
    }
    acts
}

/// Names and values of a query, decoded.
pub(super) fn pairs(query: &str) -> impl Iterator<Item = (Cow<'_, [u8]>, Cow<'_, [u8]>)> {
    let pairs = query.trim_start_matches('?').split(['&', ';']).filter(|pair| !pair.is_empty());
    pairs.map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (lenient::decode(name), lenient::decode(value))
    })
}

/// Rules 2 and 4: where an object is named that is read, and whose account it is in.
const SOURCES: [(HeaderName, HeaderName); 3] = [
    (HeaderName::from_static("x-copy-from"), HeaderName::from_static("x-copy-from-account")),
    (HeaderName::from_static("x-symlink-target"), HeaderName::from_static("x-symlink-target-account")),
    // S3 has no accounts; its names are the first part of the value.
    (HeaderName::from_static("x-amz-copy-source"), HeaderName::from_static("x-amz-copy-source-account")),
];

const DESTINATION: HeaderName = HeaderName::from_static("destination");
const DESTINATION_ACCOUNT: HeaderName = HeaderName::from_static("destination-account");

/// Rules 2 and 3: field, and what it does.
const FIELDS: [(HeaderName, &str, Place<'static>); 5] = [
    (HeaderName::from_static("x-delete-at"), "DELETE", Place::Path),
    (HeaderName::from_static("x-delete-after"), "DELETE", Place::Path),
    (HeaderName::from_static("x-object-manifest"), "GET", Place::Anywhere),
    (HeaderName::from_static("x-versions-location"), "PUT", Place::Anywhere),
    (HeaderName::from_static("x-history-location"), "PUT", Place::Anywhere),
];

/// Rule 3: name in the query, value unless any will do, and what it does.
const QUERIES: [(&[u8], &[u8], &str); 4] = [
    (b"bulk-delete", b"", "DELETE"),
    (b"multipart-manifest", b"delete", "DELETE"),
    (b"multipart-manifest", b"put", "GET"),
    (b"extract-archive", b"", "PUT"),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn of_request(
        method: &str,
        fields: &[(&'static str, &'static str)],
        query: &str,
    ) -> Vec<(String, String)> {
        let (method, mut headers) = (method.parse().unwrap(), HeaderMap::new());
        for (name, value) in fields {
            headers.append(*name, value.parse().unwrap());
        }
        let acts = more(&method, &headers, query);
        let shown = |at: &Place<'_>| match at {
            Place::Path => ".".to_owned(),
            Place::Anywhere => "*".to_owned(),
            Place::Object { name, account } => {
                let account = account.map(|it| format!("{}:", it.escape_ascii())).unwrap_or_default();
                format!("{account}{}", name.escape_ascii())
            }
        };
        acts.iter().map(|act| (act.method.to_string(), shown(&act.at))).collect()
    }

    #[test]
    fn what_a_request_does_beside_its_method() {
        for (method, fields, query, more) in [
            ("GET", &[][..], "", &[][..]),
            ("GET", &[], "?limit=1&marker=x", &[]),
            ("GET", &[("X-Copy-From", "/c/o"), ("X-Delete-At", "1")], "", &[]),
            ("GET", &[], "?_method=put,%20PATCH", &[("put", "."), ("PATCH", ".")]),
            ("POST", &[], "?_m%65thod=DEL%45TE", &[("DELETE", ".")]),
            ("PUT", &[("X-Copy-From", "/c/o")], "", &[("GET", "/c/o")]),
            (
                "PUT",
                &[("X-Copy-From", "c/o"), ("X-Copy-From-Account", "AUTH_q")],
                "",
                &[("GET", "AUTH_q:c/o")],
            ),
            ("COPY", &[("Destination", "d/o")], "", &[("GET", "."), ("PUT", "d/o")]),
            ("COPY", &[], "", &[("GET", "."), ("PUT", "*")]),
            // Which of them counts differs between servers.
            (
                "COPY",
                &[("Destination", "d/o"), ("Destination", "e/o")],
                "",
                &[("GET", "."), ("PUT", "d/o"), ("PUT", "e/o")],
            ),
            ("PUT", &[("X-Symlink-Target", "c/o")], "", &[("GET", "c/o")]),
            ("POST", &[("X-Delete-After", "1")], "", &[("DELETE", ".")]),
            ("PUT", &[("X-Object-Manifest", "c/o")], "", &[("GET", "*")]),
            ("PUT", &[], "?multipart-manifest=put", &[("GET", "*")]),
            ("DELETE", &[], "?multipart-manifest=delete", &[("DELETE", "*")]),
            ("GET", &[], "?multipart-manifest=get", &[]),
            ("POST", &[], "?Bulk-Delete", &[("DELETE", "*")]),
            ("PUT", &[], "?extract-archive=tar", &[("PUT", "*")]),
            ("POST", &[], "?delete", &[("DELETE", "*")]),
            ("PUT", &[("x-amz-copy-source", "/b/k")], "", &[("GET", "/b/k")]),
        ] {
            let expected = more.iter().map(|(method, at)| ((*method).to_owned(), (*at).to_owned()));
            assert_eq!(
                of_request(method, fields, query),
                expected.collect::<Vec<_>>(),
                "{method} {fields:?} {query}"
            );
        }
    }
}
