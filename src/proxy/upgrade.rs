//! Upgrades (RFC 9110 §7.8): WebSocket (RFC 6455), which consoles and event streams of OpenStack use, and nothing else.
//!
//! 1. An HTTP/1.1 request with `Upgrade: websocket`, and `upgrade` in `Connection`, is sent on with both, which are
//!    hop-by-hop and so set anew. Any other protocol's request is sent on without: it is then an ordinary one, as it may
//!    always be. `h2c` above all does not pass: what comes behind it would be out of our hands.
//!    Nor does an upgrade of a request with a body, which would have to be whole before the tunnel.
//! 2. The upstream may refuse; its answer is an ordinary one.
//! 3. A 101 to what was asked for makes a tunnel: bytes pass both ways until both sides have ended, or nothing has
//!    passed for the tunnel limit. Any other 101 is an error of the upstream's (RFC 9110 §15.2.2).

use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use http::header::{CONNECTION, CONTENT_LENGTH, HeaderMap, HeaderValue, UPGRADE};
use http::request::Parts;
use http::{Response, Version};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf, copy_bidirectional_with_sizes};
use tokio::time::sleep;
use tracing::debug;

use super::{hop_by_hop, raw_fields};
use crate::access_log::Record;
use crate::client::ResponseBody;
use crate::metrics::Metrics;
use crate::raw_names::Names;
use crate::reply::ReplyBody;

/// The client's side of an upgrade, if the request asks for one that is served. To be asked before anything is stripped.
pub(super) fn asked_for(head: &mut Parts) -> Option<OnUpgrade> {
    // hyper has put it there if there is `Upgrade`, and nothing else.
    if head.extensions.is_empty() {
        return None;
    }
    let on_upgrade = head.extensions.remove::<OnUpgrade>();
    let is_asked =
        head.version == Version::HTTP_11 && is_websocket(&head.headers) && names_upgrade(&head.headers);
    on_upgrade.filter(|_| is_asked)
}

/// Sets what was stripped, in a request or in the response to it.
pub(super) fn set(headers: &mut HeaderMap) {
    headers.append(CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
}

/// Whether WebSocket, and it alone, is in `Upgrade`.
fn is_websocket(headers: &HeaderMap) -> bool {
    let mut lines = headers.get_all(UPGRADE).iter();
    matches!((lines.next(), lines.next()), (Some(line), None) if line.as_bytes().eq_ignore_ascii_case(b"websocket"))
}

fn names_upgrade(headers: &HeaderMap) -> bool {
    let members =
        headers.get_all(CONNECTION).iter().flat_map(|line| line.as_bytes().split(|byte| *byte == b','));
    members.into_iter().any(|member| member.trim_ascii().eq_ignore_ascii_case(b"upgrade"))
}

/// Rule 3: a 101 as it goes to the client, with the tunnel that begins behind it in its extensions. `None` if nobody
/// asked for it.
pub(super) fn accept(
    mut response: Response<ResponseBody>,
    client: Option<OnUpgrade>,
    token: &HeaderValue,
    metrics: &Metrics,
) -> Option<Response<ReplyBody>> {
    let client = client.filter(|_| is_websocket(response.headers()))?;
    let tunnel = Tunnel { client, upstream: hyper::upgrade::on(&mut response) };
    let mut response = response.map(|mut body| ReplyBody::ours("").spelled(body.spelling()));
    if let Some(names) = response.extensions_mut().remove::<Names>()
        && let Some(lines) = raw_fields::of_response(response.headers_mut(), &names, metrics)
    {
        response.extensions_mut().insert(lines);
    }
    hop_by_hop::strip_response(response.headers_mut(), token);
    response.headers_mut().remove(CONTENT_LENGTH);
    set(response.headers_mut());
    response.extensions_mut().insert(tunnel);
    Some(response)
}

/// Both sides of a connection that is a tunnel from now on.
#[derive(Clone, Debug)]
pub(super) struct Tunnel {
    client: OnUpgrade,
    upstream: OnUpgrade,
}

impl Tunnel {
    /// Passes bytes until both sides have ended. `record` is open as long.
    pub(super) async fn run(self, mut record: Record, idle: Duration) {
        let (client, upstream) = match (self.client.await, self.upstream.await) {
            (Ok(client), Ok(upstream)) => (client, upstream),
            (Err(error), _) | (_, Err(error)) => {
                debug!(%error, "an upgrade did not come about");
                return;
            }
        };
        let passed = Arc::new(Passed::default());
        let mut client =
            Counted { socket: TokioIo::new(client), bytes: |p| &p.received, passed: Arc::clone(&passed) };
        let mut upstream =
            Counted { socket: TokioIo::new(upstream), bytes: |p| &p.sent, passed: Arc::clone(&passed) };
        {
            let mut copying =
                pin!(copy_bidirectional_with_sizes(&mut client, &mut upstream, PIECE_BYTES, PIECE_BYTES));
            loop {
                let before = passed.total();
                tokio::select! {
                    ended = &mut copying => {
                        if ended.is_ok() {
                            record.complete();
                        }
                        break;
                    }
                    () = sleep(idle) => if passed.total() == before {
                        debug!("nothing passed through a tunnel for too long");
                        break;
                    }
                }
            }
        }
        record.tunnelled(passed.received.load(Ordering::Relaxed), passed.sent.load(Ordering::Relaxed));
    }
}

/// Bytes that a tunnel holds in each direction.
const PIECE_BYTES: usize = 16 * 1024;

#[derive(Debug, Default)]
struct Passed {
    received: AtomicU64,
    sent: AtomicU64,
}

impl Passed {
    fn total(&self) -> u64 {
        self.received.load(Ordering::Relaxed) + self.sent.load(Ordering::Relaxed)
    }
}

/// One side of a tunnel, counting what is read from it.
struct Counted<T> {
    socket: T,
    bytes: fn(&Passed) -> &AtomicU64,
    passed: Arc<Passed>,
}

impl<T: AsyncRead + Unpin> AsyncRead for Counted<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.socket).poll_read(cx, buf))?;
        let bytes = (buf.filled().len() - before) as u64;
        (self.bytes)(&self.passed).fetch_add(bytes, Ordering::Relaxed);
        Poll::Ready(Ok(()))
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Counted<T> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.socket).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(fields: &[(&'static str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(*name, value.parse().unwrap());
        }
        headers
    }

    #[test]
    fn websocket_alone_is_upgraded_to() {
        for (lines, is_served) in [
            (&["websocket"][..], true),
            (&["WebSocket"], true),
            (&["h2c"], false),
            (&["websocket, h2c"], false),
            (&["websocket", "h2c"], false),
            (&["websocket/13"], false),
            (&[], false),
        ] {
            let fields: Vec<_> = lines.iter().map(|line| ("upgrade", *line)).collect();
            assert_eq!(is_websocket(&headers(&fields)), is_served, "{lines:?}");
        }
    }

    #[test]
    fn connection_has_to_name_it() {
        for (lines, does) in [
            (&["Upgrade"][..], true),
            (&["keep-alive, UPGRADE"], true),
            (&["keep-alive", "upgrade"], true),
            (&["upgrades"], false),
            (&["keep-alive"], false),
            (&[], false),
        ] {
            let fields: Vec<_> = lines.iter().map(|line| ("connection", *line)).collect();
            assert_eq!(names_upgrade(&headers(&fields)), does, "{lines:?}");
        }
    }
}
