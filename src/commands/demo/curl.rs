//! A request as a person would type it for curl, and as it is sent.

use std::fmt;
use std::net::SocketAddr;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode, Uri};
use http_body_util::Full;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use crate::body::{ReadError, read_limited};
use crate::shell;

/// A line of curl.
#[derive(Clone, Debug)]
pub(super) struct Curl {
    method: Method,
    url: String,
    fields: Vec<(&'static str, String)>,
    data: Option<String>,
}

/// What came back.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

/// Why nothing came back.
#[derive(Debug, thiserror::Error)]
pub(super) enum CurlError {
    #[error("not a URL: {0}")]
    Request(#[from] http::Error),
    #[error("{0} names no address of this machine")]
    Elsewhere(Uri),
    #[error("no connection: {0}")]
    Connect(#[from] std::io::Error),
    #[error("no answer: {0}")]
    Http(#[from] hyper::Error),
    #[error("no whole answer: {0}")]
    Body(#[from] ReadError),
}

impl Curl {
    pub(super) fn get(url: impl Into<String>) -> Self {
        Self { method: Method::GET, url: url.into(), fields: Vec::new(), data: None }
    }

    pub(super) fn head(url: impl Into<String>) -> Self {
        Self { method: Method::HEAD, ..Self::get(url) }
    }

    pub(super) fn put(url: impl Into<String>, data: Option<&str>) -> Self {
        Self { method: Method::PUT, data: data.map(str::to_owned), ..Self::get(url) }
    }

    pub(super) fn post(url: impl Into<String>, data: &str) -> Self {
        Self { method: Method::POST, data: Some(data.to_owned()), ..Self::get(url) }
    }

    pub(super) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.fields.push((name, value.into()));
        self
    }

    /// Sends it on a connection of its own, as curl does.
    pub(super) async fn send(&self) -> Result<Answer, CurlError> {
        let url: Uri = self.url.parse().map_err(http::Error::from)?;
        let authority = url.authority().map(ToString::to_string).unwrap_or_default();
        let addr: SocketAddr = authority.parse().map_err(|_| CurlError::Elsewhere(url.clone()))?;
        let target = url.path_and_query().map_or("/", |target| target.as_str());
        let mut request = Request::builder().method(&self.method).uri(target).header("host", &authority);
        for (name, value) in &self.fields {
            request = request.header(*name, value);
        }
        let request = request.body(Full::new(Bytes::from(self.data.clone().unwrap_or_default())))?;
        let stream = TcpStream::connect(addr).await?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        let connection = tokio::spawn(connection);
        let (head, body) = sender.send_request(request).await?.into_parts();
        let body = read_limited(body, LONGEST_BYTES).await?;
        connection.abort();
        Ok(Answer { status: head.status, headers: head.headers, body })
    }
}

impl fmt::Display for Curl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("curl")?;
        match (&self.method, &self.data) {
            (&Method::HEAD, _) => f.write_str(" -I")?,
            (&Method::GET, None) => {}
            // curl posts what it is given.
            (&Method::POST, Some(_)) => f.write_str(" -i")?,
            (method, _) => write!(f, " -X {method}")?,
        }
        for (name, value) in &self.fields {
            write!(f, " -H {}", shell::word(&format!("{name}: {value}")))?;
        }
        if let Some(data) = &self.data {
            write!(f, " -d {}", shell::word(data))?;
        }
        write!(f, " {}", shell::word(&self.url))
    }
}

impl Answer {
    /// The value of field `name`, or nothing.
    pub(super) fn field(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The body as JSON; null if it is none.
    pub(super) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// The body as text.
    pub(super) fn text(&self) -> std::borrow::Cow<'_, str> {
        String::from_utf8_lossy(&self.body)
    }
}

/// Nothing here is longer.
const LONGEST_BYTES: usize = 1024 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_reads_as_a_line_of_curl() {
        let url = "http://127.0.0.1:5050/object-store/a";
        for (curl, line) in [
            (Curl::head(url), format!("curl -I {url}")),
            (Curl::get(format!("{url}?format=json&limit=2")), format!("curl '{url}?format=json&limit=2'")),
            (Curl::put(url, Some("it's")), format!(r"curl -X PUT -d 'it'\''s' {url}")),
            (Curl::put(url, None), format!("curl -X PUT {url}")),
            (
                Curl::post(url, "{}").with("Content-Type", "application/json"),
                format!("curl -i -H 'Content-Type: application/json' -d '{{}}' {url}"),
            ),
        ] {
            assert_eq!(curl.to_string(), line);
        }
    }
}
