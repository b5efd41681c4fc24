//! `gatestone health`: ask a running proxy how it is, for container checks and
//! start scripts. It needs no credentials and reads none.

use std::io;
use std::time::Duration;

use bytes::Bytes;
use http::header::HOST;
use http::{Request, StatusCode};
use http_body_util::Empty;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tokio::runtime;
use tokio::time::{Instant, sleep, timeout};

use super::{Exit, complain, print};
use crate::body::read_limited;
use crate::server::ListenAddr;

/// How long one question may take.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);
/// Between questions, while waiting.
const PAUSE: Duration = Duration::from_millis(200);
/// The pages asked are a line long.
const LONGEST_ANSWER_BYTES: usize = 64 * 1024;

/// Asks until the answer is yes, at most for `wait`.
pub fn run(addresses: &[ListenAddr], ready: bool, wait: Option<Duration>) -> io::Result<Exit> {
    let path = if ready { "/-/readyz" } else { "/-/livez" };
    let asking = async {
        let deadline = Instant::now() + wait.unwrap_or_default();
        loop {
            match ask_any(addresses, path).await {
                Ok(()) => return Ok(()),
                Err(why) if Instant::now() >= deadline => return Err(why),
                Err(_) => sleep(PAUSE).await,
            }
        }
    };
    match runtime::Builder::new_current_thread().enable_all().build()?.block_on(asking) {
        Ok(()) => print("ok").map(|()| Exit::Success),
        Err(why) => {
            complain(why);
            Ok(Exit::Failure)
        }
    }
}

/// One address that answers well is enough.
async fn ask_any(addresses: &[ListenAddr], path: &str) -> Result<(), String> {
    let mut failures = Vec::new();
    for addr in addresses {
        match timeout(ANSWER_TIMEOUT, ask(addr, path)).await {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(why)) => failures.push(why),
            Err(_) => failures.push(format!("no answer within {} s", ANSWER_TIMEOUT.as_secs())),
        }
    }
    Err(failures.join("; "))
}

async fn ask(addr: &ListenAddr, path: &str) -> Result<(), String> {
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

async fn exchange<T>(stream: T, path: &str) -> Result<(), String>
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
    if status == StatusCode::OK {
        return Ok(());
    }
    let body = read_limited(response.into_body(), LONGEST_ANSWER_BYTES).await.unwrap_or_default();
    let why: String = String::from_utf8_lossy(&body).chars().filter(|c| !c.is_control()).collect();
    Err(format!("{}: {why}", status.as_u16()))
}
