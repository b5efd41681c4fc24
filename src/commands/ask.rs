//! One question to a running proxy, at the address where it listens.

use std::time::Duration;

use bytes::Bytes;
use http::header::HOST;
use http::{Request, StatusCode};
use http_body_util::Empty;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::timeout;

use crate::body::read_limited;
use crate::server::ListenAddr;

/// The answer of whoever listens at `addr`, whatever its status; else why there is none.
pub(super) async fn get(addr: &ListenAddr, path: &str) -> Result<(StatusCode, Bytes), String> {
    let late = |_| format!("no answer within {} s", ANSWER_TIMEOUT.as_secs());
    timeout(ANSWER_TIMEOUT, connect_and_ask(addr, path)).await.map_err(late)?
}

/// The body of a 200; of anything else, the status and what it says.
pub(super) fn well((status, body): (StatusCode, Bytes)) -> Result<Bytes, String> {
    if status == StatusCode::OK {
        return Ok(body);
    }
    let why: String = String::from_utf8_lossy(&body).chars().filter(|c| !c.is_control()).collect();
    Err(format!("{}: {why}", status.as_u16()))
}

async fn connect_and_ask(addr: &ListenAddr, path: &str) -> Result<(StatusCode, Bytes), String> {
    match addr {
        ListenAddr::Tcp { addr, .. } if addr.port() == 0 => {
            Err("the settings say port 0, any free one; name the port with --listen".to_owned())
        }
        ListenAddr::Tcp { addr, .. } => match TcpStream::connect(addr).await {
            Ok(stream) => exchange(stream, path).await,
            Err(error) => Err(format!("nothing answers at {addr}: {error}")),
        },
        ListenAddr::Unix(socket) => match UnixStream::connect(socket).await {
            Ok(stream) => exchange(stream, path).await,
            Err(error) => Err(format!("nothing answers at {}: {error}", socket.display())),
        },
    }
}

async fn exchange<T>(stream: T, path: &str) -> Result<(StatusCode, Bytes), String>
where
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let not_http = |error: hyper::Error| format!("no proper answer: {error}");
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(not_http)?;
    tokio::spawn(connection);
    let request = Request::builder()
        .uri(path)
        .header(HOST, "localhost")
        .body(Empty::<Bytes>::new())
        .map_err(|error| error.to_string())?;
    let response = sender.send_request(request).await.map_err(not_http)?;
    let status = response.status();
    let body = read_limited(response.into_body(), LONGEST_ANSWER_BYTES);
    let body =
        body.await.map_err(|_| "the answer breaks off, or is longer than a proxy's can be".to_owned())?;
    Ok((status, body))
}

/// How long one question may take.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);

/// The status lists every service of a catalog; a large one has a few hundred.
const LONGEST_ANSWER_BYTES: usize = 4 * 1024 * 1024;
