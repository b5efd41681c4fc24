//! A fake service at byte level: a handler sees each request's head and body and
//! says which bytes go back. It counts connections and keeps every head.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::http::{fields, try_read_head};

/// What to send back, and whether to close the connection after it.
#[derive(Clone, Debug)]
pub(crate) enum Bytes {
    /// These, and on to the next request.
    Keep(String),
    /// These, then the end.
    Close(String),
}

type Handler = dyn Fn(&str, &[u8]) -> Bytes + Send + Sync;

/// The fake service.
#[derive(Clone)]
pub(crate) struct Service {
    pub addr: SocketAddr,
    handler: Arc<Handler>,
    seen: Arc<Mutex<Seen>>,
}

#[derive(Debug, Default)]
struct Seen {
    connections: usize,
    requests: Vec<(String, Vec<u8>)>,
}

impl Service {
    /// Answers every request with 200 and its own head and body as JSON.
    pub(crate) async fn echo() -> Self {
        Self::start(|head, body| {
            let echo = json!({ "head": head, "body": String::from_utf8_lossy(body) }).to_string();
            let body = if head.starts_with("HEAD ") { "" } else { &echo };
            Bytes::Keep(format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", echo.len()))
        })
        .await
    }

    /// Answers every request with the same bytes and keeps the connection.
    pub(crate) async fn saying(bytes: &'static str) -> Self {
        Self::start(move |_, _| Bytes::Keep(bytes.to_owned())).await
    }

    pub(crate) async fn start(handler: impl Fn(&str, &[u8]) -> Bytes + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let service = Self { addr, handler: Arc::new(handler), seen: Arc::default() };
        let accepting = service.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                stream.set_nodelay(true).unwrap();
                accepting.seen.lock().unwrap().connections += 1;
                tokio::spawn(accepting.clone().serve(stream));
            }
        });
        service
    }

    /// A catalog with this service in it, in each of `regions`.
    pub(crate) fn catalog(&self, service_type: &str, path: &str, regions: &[&str]) -> Value {
        let url = format!("http://{}{path}", self.addr);
        let endpoints: Vec<Value> = regions
            .iter()
            .map(|region| json!({ "interface": "public", "region_id": region, "region": region, "url": url }))
            .collect();
        json!([{ "type": service_type, "name": "fake", "endpoints": endpoints }])
    }

    pub(crate) fn connections(&self) -> usize {
        self.seen.lock().unwrap().connections
    }

    /// Heads of all requests so far.
    pub(crate) fn heads(&self) -> Vec<String> {
        self.seen.lock().unwrap().requests.iter().map(|(head, _)| head.clone()).collect()
    }

    /// Bodies of all requests so far, as they were framed on the wire.
    pub(crate) fn bodies(&self) -> Vec<Vec<u8>> {
        self.seen.lock().unwrap().requests.iter().map(|(_, body)| body.clone()).collect()
    }

    async fn serve(self, mut stream: TcpStream) {
        while let Some(head) = try_read_head(&mut stream).await {
            let Some(body) = read_body(&mut stream, &head).await else { return };
            let answer = (self.handler)(&head, &body);
            self.seen.lock().unwrap().requests.push((head, body));
            let (Bytes::Keep(bytes) | Bytes::Close(bytes)) = &answer;
            if stream.write_all(bytes.as_bytes()).await.is_err() || matches!(answer, Bytes::Close(_)) {
                return;
            }
        }
    }
}

/// A body by length, or chunks as they stand on the wire; nothing if it is cut short.
async fn read_body(stream: &mut TcpStream, head: &str) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    if fields(head, "transfer-encoding") == ["chunked"] {
        while !body.ends_with(b"0\r\n\r\n") {
            body.push(stream.read_u8().await.ok()?);
        }
    } else {
        body.resize(fields(head, "content-length").first().map_or(0, |n| n.parse().unwrap()), 0);
        stream.read_exact(&mut body).await.ok()?;
    }
    Some(body)
}
