//! One question to a running proxy, at the address where it listens.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use bytes::Bytes;
use http::header::HOST;
use http::{Request, StatusCode};
use http_body_util::Empty;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::timeout;

use crate::body::read_limited;
use crate::failure::Reason;
use crate::server::ListenAddr;

/// The answer of whoever listens at `addr`, whatever its status; else why there is none.
pub(super) async fn get(addr: &ListenAddr, path: &str) -> Result<(StatusCode, Bytes), String> {
    let late = |_| format!("no answer within {} s", ANSWER_TIMEOUT.as_secs());
    timeout(ANSWER_TIMEOUT, connect_and_ask(addr, path)).await.map_err(late)?
}

/// Whether it is a proxy's word that it is full, which takes one that lives.
pub(super) fn is_full((status, body): &(StatusCode, Bytes)) -> bool {
    let error: Value = serde_json::from_slice(body).unwrap_or_default();
    *status == StatusCode::SERVICE_UNAVAILABLE && error["error"]["reason"] == Reason::Overloaded.as_str()
}

/// The body of a 200; of anything else, the status and what it says: an error of ours has a message for people.
pub(super) fn well((status, body): (StatusCode, Bytes)) -> Result<Bytes, String> {
    if status == StatusCode::OK {
        return Ok(body);
    }
    let error: Value = serde_json::from_slice(&body).unwrap_or_default();
    let text = error["error"]["message"].as_str().map_or_else(|| String::from_utf8_lossy(&body), Into::into);
    let why: String = text.chars().filter(|c| !c.is_control()).collect();
    Err(format!("{}: {why}", status.as_u16()))
}

async fn connect_and_ask(addr: &ListenAddr, path: &str) -> Result<(StatusCode, Bytes), String> {
    match addr {
        ListenAddr::Tcp { addr, .. } if addr.port() == 0 => {
            Err("the settings say port 0, any free one; name the port with --listen".to_owned())
        }
        ListenAddr::Tcp { addr, .. } => {
            let addr = from_here(*addr);
            match TcpStream::connect(addr).await {
                Ok(stream) => exchange(stream, path, &addr.to_string()).await,
                Err(error) => Err(format!("nothing answers at {addr}: {error}")),
            }
        }
        ListenAddr::Inherited(_) => {
            Err("the settings say systemd, whose socket may be anywhere; name its address with --listen"
                .to_owned())
        }
        ListenAddr::Unix(socket) => match UnixStream::connect(socket).await {
            Ok(stream) => exchange(stream, path, "localhost").await,
            Err(error) => Err(format!("nothing answers at {}: {error}", socket.display())),
        },
    }
}

/// Where a listener of all addresses is found on this machine.
fn from_here(addr: SocketAddr) -> SocketAddr {
    match addr.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => SocketAddr::new(Ipv4Addr::LOCALHOST.into(), addr.port()),
        IpAddr::V6(ip) if ip.is_unspecified() => SocketAddr::new(Ipv6Addr::LOCALHOST.into(), addr.port()),
        IpAddr::V4(_) | IpAddr::V6(_) => addr,
    }
}

async fn exchange<T>(stream: T, path: &str, host: &str) -> Result<(StatusCode, Bytes), String>
where
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let not_http = |error: hyper::Error| format!("no proper answer: {error}");
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(not_http)?;
    tokio::spawn(connection);
    let request = Request::builder()
        .uri(path)
        .header(HOST, host)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_200_is_said_in_words() {
        let said = |status: u16, body: &str| {
            well((StatusCode::from_u16(status).unwrap(), Bytes::from(body.to_owned())))
        };
        assert_eq!(said(200, "{}").unwrap(), "{}");
        let error = r#"{"error":{"code":401,"title":"Unauthorized","message":"log in first","reason":"x"}}"#;
        assert_eq!(said(401, error).unwrap_err(), "401: log in first");
        assert_eq!(said(502, "no\u{1b}[31m JSON\n").unwrap_err(), "502: no[31m JSON");
        assert_eq!(said(500, r#"{"error":"x"}"#).unwrap_err(), r#"500: {"error":"x"}"#);
    }

    #[test]
    fn a_full_proxy_is_known_by_its_reason() {
        let body = |reason: &str| Bytes::from(format!(r#"{{"error":{{"reason":"{reason}"}}}}"#));
        assert!(is_full(&(StatusCode::SERVICE_UNAVAILABLE, body("overloaded"))));
        assert!(!is_full(&(StatusCode::SERVICE_UNAVAILABLE, body("no_token"))));
        assert!(!is_full(&(StatusCode::OK, body("overloaded"))));
    }
}
