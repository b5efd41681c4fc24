//! A service at its two addresses: accepts connections, notes what is asked, lets things go wrong.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http::header::{HeaderName, HeaderValue};
use http::{Request, StatusCode};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::catalog::Row;
use super::faults::{Fault, Faults};
use super::reply::{self, Broken, Reply, full};
use super::seen::Seen;
use super::service::Service;

/// A running service.
#[derive(Debug)]
pub struct Site {
    row: &'static Row,
    public: SocketAddr,
    internal: SocketAddr,
    inside: Arc<Inside>,
}

#[derive(Debug)]
struct Inside {
    service: Arc<dyn Service>,
    faults: Faults,
    seen: Seen,
}

impl Site {
    /// Listens on two free loopback ports; connections are served by tasks of `tasks`.
    pub(super) async fn start(
        row: &'static Row,
        service: Arc<dyn Service>,
        tasks: &mut JoinSet<()>,
    ) -> io::Result<Self> {
        let inside = Arc::new(Inside { service, faults: Faults::default(), seen: Seen::default() });
        let public = TcpListener::bind("127.0.0.1:0").await?;
        let internal = TcpListener::bind("127.0.0.1:0").await?;
        let site = Self {
            row,
            public: public.local_addr()?,
            internal: internal.local_addr()?,
            inside: Arc::clone(&inside),
        };
        tasks.spawn(accept(public, Arc::clone(&inside)));
        tasks.spawn(accept(internal, inside));
        Ok(site)
    }

    /// Which service it is.
    pub fn row(&self) -> &'static Row {
        self.row
    }

    /// Where the public interface is.
    pub fn public(&self) -> SocketAddr {
        self.public
    }

    /// Where the internal and the admin interface are.
    pub fn internal(&self) -> SocketAddr {
        self.internal
    }

    /// What is to go wrong here.
    pub fn faults(&self) -> &Faults {
        &self.inside.faults
    }

    /// What was asked here.
    pub fn seen(&self) -> &Seen {
        &self.inside.seen
    }
}

/// Ends with the task, and the connections with it.
async fn accept(listener: TcpListener, inside: Arc<Inside>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    inside.seen.connected();
                    connections.spawn(serve(stream, Arc::clone(&inside)));
                }
                // Out of descriptors, say: one of those in use will come free, here or elsewhere in the process.
                Err(_) => tokio::time::sleep(PAUSE).await,
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

/// How long a listener waits after a failure.
const PAUSE: Duration = Duration::from_millis(50);

async fn serve(stream: TcpStream, inside: Arc<Inside>) {
    // Nagle's algorithm waits on a clock that tests cannot stop.
    let _ = stream.set_nodelay(true);
    let service = service_fn(|request| answer(&inside, request));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(None)
        .max_headers(MOST_FIELDS)
        .serve_connection(TokioIo::new(stream), service);
    // Whatever ended it, the client has seen it.
    let _ = connection.await;
}

/// An error ends the connection without an answer.
async fn answer(inside: &Inside, request: Request<Incoming>) -> Result<Reply, Broken> {
    let (head, body) = request.into_parts();
    inside.seen.asked(&head);
    let fault = inside.faults.of(&head);
    let request = Request::from_parts(head, body);
    match fault {
        Fault::Works => Ok(inside.service.answer(request).await),
        Fault::Slow(delay) => {
            tokio::time::sleep(delay).await;
            Ok(inside.service.answer(request).await)
        }
        Fault::Down => Err(Broken),
        Fault::Status(status, fields) => Ok(said(status, fields)),
        Fault::CutAfter(bytes) => Ok(reply::cut(inside.service.answer(request).await, bytes)),
        Fault::Body(bytes) => Ok(inside.service.answer(request).await.map(|_| full(bytes))),
    }
}

/// A reply that was asked for by a fault.
fn said(status: u16, fields: &[&'static str]) -> Reply {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut reply = reply::json(
        status,
        &serde_json::json!({ "error": {
            "code": status.as_u16(), "title": status.canonical_reason(), "message": "said by a fault",
        }}),
    );
    for (name, value) in fields.iter().filter_map(|line| line.split_once(": ")) {
        if let Ok(name) = HeaderName::try_from(name) {
            reply.headers_mut().append(name, HeaderValue::from_static(value));
        }
    }
    reply
}

/// As many as the proxy takes.
const MOST_FIELDS: usize = 512;
