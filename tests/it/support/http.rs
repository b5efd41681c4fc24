//! A client at byte level, and the reading of heads.

use std::net::SocketAddr;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A response as it came off the wire.
#[derive(Debug)]
pub(crate) struct Reply {
    pub status: u16,
    pub head: String,
    pub body: Vec<u8>,
}

impl Reply {
    /// The values of all lines of field `name`.
    pub(crate) fn all(&self, name: &str) -> Vec<&str> {
        fields(&self.head, name)
    }

    /// The value of the only line of field `name`.
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        let all = self.all(name);
        assert!(all.len() < 2, "several {name} in {}", self.head);
        all.first().copied()
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|e| panic!("{e}: {}", self.text()))
    }

    /// The reason in `X-Gatestone-Error`, or nothing if the reply is not of the proxy's own making.
    pub(crate) fn reason(&self) -> &str {
        self.field("x-gatestone-error").unwrap_or_default()
    }
}

/// The values of the lines of field `name` in a head.
pub(crate) fn fields<'a>(head: &'a str, name: &str) -> Vec<&'a str> {
    head.lines()
        .skip(1)
        .filter_map(|line| line.split_once(':'))
        .filter(|(field, _)| field.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.trim())
        .collect()
}

/// Sends `bytes` on a connection of its own and reads one response.
pub(crate) async fn ask(addr: SocketAddr, bytes: impl AsRef<[u8]>) -> Reply {
    let mut stream = TcpStream::connect(addr).await.unwrap();
    stream.write_all(bytes.as_ref()).await.unwrap();
    read_reply(&mut stream, bytes.as_ref().starts_with(b"HEAD ")).await
}

/// `GET path` with a loopback Host.
pub(crate) async fn get(addr: SocketAddr, path: &str) -> Reply {
    ask(addr, format!("GET {path} HTTP/1.1\r\nHost: {addr}\r\n\r\n")).await
}

/// Bytes of bodies that the proxy has received in all.
pub(crate) async fn received_bytes(addr: SocketAddr) -> u64 {
    let metrics = get(addr, "/-/metrics").await;
    let figures = metrics.text();
    let lines = figures.lines().filter_map(|line| line.strip_prefix("gatestone_received_bytes_total{"));
    lines.map(|line| line.rsplit(' ').next().unwrap().parse::<u64>().unwrap()).sum()
}

/// Reads one response, framed by length, by chunks or by the end of the connection.
pub(crate) async fn read_reply(stream: &mut TcpStream, to_head: bool) -> Reply {
    let head = read_head(stream).await;
    let status = head.split(' ').nth(1).unwrap_or_else(|| panic!("no status in {head:?}")).parse().unwrap();
    let mut body = Vec::new();
    let length = fields(&head, "content-length").first().map(|v| v.parse::<usize>().unwrap());
    if to_head || status == 204 || status == 304 || status < 200 {
        // No body, whatever the fields say.
    } else if fields(&head, "transfer-encoding") == ["chunked"] {
        body = read_chunks(stream).await;
    } else if let Some(length) = length {
        body.resize(length, 0);
        stream.read_exact(&mut body).await.unwrap();
    } else {
        stream.read_to_end(&mut body).await.unwrap();
    }
    Reply { status, head, body }
}

/// Reads up to and with the empty line. Panics if the connection ends before it.
pub(crate) async fn read_head(stream: &mut (impl AsyncRead + Unpin)) -> String {
    try_read_head(stream).await.expect("the connection ended within a head")
}

/// Reads up to and with the empty line, or nothing if the connection ends before it.
pub(crate) async fn try_read_head(stream: &mut (impl AsyncRead + Unpin)) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    Some(String::from_utf8_lossy(&head).into_owned())
}

/// One chunk, empty at the end of the body.
pub(crate) async fn read_chunk(stream: &mut TcpStream) -> Vec<u8> {
    let mut line = Vec::new();
    while !line.ends_with(b"\r\n") {
        line.push(stream.read_u8().await.unwrap());
    }
    let size = usize::from_str_radix(std::str::from_utf8(&line).unwrap().trim(), 16).unwrap();
    let mut chunk = vec![0; size + 2];
    stream.read_exact(&mut chunk).await.unwrap();
    chunk.truncate(size);
    chunk
}

async fn read_chunks(stream: &mut TcpStream) -> Vec<u8> {
    let mut body = Vec::new();
    loop {
        let chunk = read_chunk(stream).await;
        if chunk.is_empty() {
            return body;
        }
        body.extend(chunk);
    }
}
