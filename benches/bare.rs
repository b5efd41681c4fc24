//! The least that a proxy on hyper does: what a request through it costs is what hyper and the kernel take.
//!
//! It forwards `/SERVICE/...` to the catalog's public endpoint with the token it got at the start: one thread, an own
//! pool, hyper's defaults. No guard, no limits, no metrics, no letter case, no refresh, no TLS; nothing for use. It takes
//! `OS_*` variables and `run --listen ADDRESS`, so that what measures the program measures it as well (`README.md`).

#![allow(clippy::disallowed_methods, clippy::print_stderr, clippy::print_stdout)]

use std::cell::RefCell;
use std::collections::HashMap;
use std::error::Error;
use std::io::{Read as _, Write as _};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::{CONNECTION, HOST};
use http::uri::{Authority, PathAndQuery, Uri};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response};
use http_body::{Body, Frame};
use hyper::body::Incoming;
use hyper::client::conn::http1::{Builder, SendRequest};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};

type Failed = Box<dyn Error + Send + Sync>;

struct Upstream {
    authority: Authority,
    host: HeaderValue,
    path: String,
    idle: RefCell<Vec<SendRequest<Incoming>>>,
}

struct Bare {
    token: HeaderValue,
    services: HashMap<String, Rc<Upstream>>,
}

/// A body that gives its connection back at its end.
struct Passing {
    body: Incoming,
    link: Option<(SendRequest<Incoming>, Rc<Upstream>)>,
}

impl Body for Passing {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(cx);
        if (self.body.is_end_stream() || matches!(polled, Poll::Ready(None)))
            && let Some((link, upstream)) = self.link.take()
        {
            upstream.idle.borrow_mut().push(link);
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> http_body::SizeHint {
        self.body.size_hint()
    }
}

impl Bare {
    async fn forward(&self, mut request: Request<Incoming>) -> Result<Response<Passing>, Failed> {
        let asked = request.uri().path_and_query().map_or("/", PathAndQuery::as_str);
        let (service, rest) = asked[1..].split_at(asked[1..].find('/').unwrap_or(asked.len() - 1));
        let upstream = self.services.get(service).ok_or("no such service")?;
        *request.uri_mut() = Uri::try_from(format!("{}{rest}", upstream.path))?;
        strip(request.headers_mut());
        request.headers_mut().insert(HOST, upstream.host.clone());
        request.headers_mut().insert(TOKEN, self.token.clone());
        let mut link = upstream.take().await?;
        let mut response = link.send_request(request).await?;
        strip(response.headers_mut());
        Ok(response.map(|body| Passing { body, link: Some((link, Rc::clone(upstream))) }))
    }
}

impl Upstream {
    fn last_idle(&self) -> Option<SendRequest<Incoming>> {
        self.idle.borrow_mut().pop()
    }

    async fn take(&self) -> Result<SendRequest<Incoming>, Failed> {
        while let Some(mut link) = self.last_idle() {
            if link.is_ready() || !link.is_closed() && link.ready().await.is_ok() {
                return Ok(link);
            }
        }
        let socket = TcpStream::connect(self.authority.as_str()).await?;
        socket.set_nodelay(true)?;
        let (link, connection) = Builder::new().handshake(TokioIo::new(socket)).await?;
        tokio::task::spawn_local(connection);
        Ok(link)
    }
}

const TOKEN: HeaderName = HeaderName::from_static("x-auth-token");
const ENDS_HERE: [HeaderName; 4] = [
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-authorization"),
    HeaderName::from_static("te"),
    HeaderName::from_static("upgrade"),
];

fn strip(fields: &mut HeaderMap) {
    while let Some(options) = fields.remove(CONNECTION) {
        for option in options.to_str().unwrap_or_default().split(',') {
            fields.remove(option.trim());
        }
    }
    for name in ENDS_HERE {
        fields.remove(name);
    }
}

/// The token, and the body of the answer.
fn log_in() -> Result<(HeaderValue, Value), Failed> {
    let variable = |name: &str| std::env::var(name).map_err(|_| format!("{name} is not set"));
    let url: Uri = variable("OS_AUTH_URL")?.parse()?;
    let authority = url.authority().ok_or("OS_AUTH_URL has no host")?;
    let domain = json!({ "id": variable("OS_USER_DOMAIN_ID")? });
    let user =
        json!({ "name": variable("OS_USERNAME")?, "password": variable("OS_PASSWORD")?, "domain": domain });
    let scope = json!({ "project": { "name": variable("OS_PROJECT_NAME")?, "domain": domain } });
    let identity = json!({ "methods": ["password"], "password": { "user": user } });
    let body = json!({ "auth": { "identity": identity, "scope": scope } }).to_string();
    let mut socket = std::net::TcpStream::connect(authority.as_str())?;
    write!(
        socket,
        "POST {}/auth/tokens HTTP/1.0\r\nHost: {authority}\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n{body}",
        url.path(),
        body.len()
    )?;
    let mut answer = String::new();
    socket.read_to_string(&mut answer)?;
    let (head, body) = answer.split_once("\r\n\r\n").ok_or("no answer from Keystone")?;
    let token = head.lines().find_map(|line| line.strip_prefix("X-Subject-Token: ")).ok_or("no token")?;
    Ok((HeaderValue::from_str(token)?, serde_json::from_str(body)?))
}

fn services(answer: &Value) -> Result<HashMap<String, Rc<Upstream>>, Failed> {
    let mut services = HashMap::new();
    for service in answer["token"]["catalog"].as_array().ok_or("no catalog")? {
        let endpoints = service["endpoints"].as_array().ok_or("no endpoints")?;
        let public =
            endpoints.iter().find(|endpoint| endpoint["interface"] == "public").ok_or("none is public")?;
        let url: Uri = public["url"].as_str().ok_or("no url")?.parse()?;
        let authority = url.authority().ok_or("an endpoint has no host")?.clone();
        let host = HeaderValue::from_str(authority.as_str())?;
        let upstream = Upstream { authority, host, path: url.path().to_owned(), idle: RefCell::default() };
        services.insert(service["type"].as_str().ok_or("no type")?.to_owned(), Rc::new(upstream));
    }
    Ok(services)
}

async fn serve(address: &str) -> Result<(), Failed> {
    let (token, answer) = log_in()?;
    let bare = Rc::new(Bare { token, services: services(&answer)? });
    let listener = TcpListener::bind(address).await?;
    println!("http://{}", listener.local_addr()?);
    loop {
        let (socket, _) = listener.accept().await?;
        socket.set_nodelay(true)?;
        let bare = Rc::clone(&bare);
        tokio::task::spawn_local(async move {
            let answer = service_fn(|request| {
                let bare = Rc::clone(&bare);
                async move { bare.forward(request).await }
            });
            let served =
                hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(socket), answer);
            if let Err(error) = served.await {
                eprintln!("a connection ended: {error}");
            }
        });
    }
}

fn main() -> Result<(), Failed> {
    // Cargo gives other arguments when it runs all benchmarks; this one is run by the commands beside it.
    let Some(address) = std::env::args().skip_while(|it| it != "--listen").nth(1) else { return Ok(()) };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    tokio::task::LocalSet::new().block_on(&runtime, serve(&address))
}
