//! What must hold whatever comes: one function for each thing of ours that parses bytes.
//!
//! Each reads its input from a text that a person can write, checks it against what the contract says, written a second
//! time, and panics where the two differ. They stand beside the code that they judge; `cargo test` calls them with inputs
//! made of the right words (below), the fuzzer (`fuzz/`) with anything. Neither is in what is built for users.

use http::{HeaderMap, HeaderName, HeaderValue};

#[cfg(test)]
mod tests;

/// Paths, catalogs and links: see `routing`.
pub fn routes(data: &[u8]) {
    crate::routing::oracle::routes(data);
}

/// Links in JSON that comes in pieces: see `proxy::links`.
pub fn links(data: &[u8]) {
    crate::proxy::oracles::links(data);
}

/// Links in a response's fields: see `proxy::rewrite`.
pub fn fields(data: &[u8]) {
    crate::proxy::oracles::fields(data);
}

/// Fields that end here: see `proxy::hop_by_hop`.
pub fn hop_by_hop(data: &[u8]) {
    crate::proxy::oracles::hop_by_hop(data);
}

/// `Host`: see `proxy::guard`.
pub fn authority(data: &[u8]) {
    crate::proxy::oracles::authority(data);
}

/// `clouds.yaml` and `secure.yaml`: see `config::clouds`.
pub fn clouds(data: &[u8]) {
    crate::config::oracle::clouds(data);
}

/// Keystone's answer to a login: see `identity`.
pub fn identity(data: &[u8]) {
    crate::identity::oracle::identity(data);
}

/// Fields, a line each; what can be none is left out.
pub(crate) fn headers(data: &[u8]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for line in data.split(|byte| *byte == b'\n').take(MOST_FIELDS) {
        let Some(colon) = line.iter().position(|byte| *byte == b':') else { continue };
        let name = HeaderName::from_bytes(line[..colon].trim_ascii());
        let value = HeaderValue::from_bytes(line[colon + 1..].trim_ascii());
        if let (Ok(name), Ok(value)) = (name, value) {
            headers.append(name, value);
        }
    }
    headers
}

/// As many as a server takes.
const MOST_FIELDS: usize = 100;
