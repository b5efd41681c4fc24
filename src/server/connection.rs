//! One connection, from its first byte to its last.
//!
//! 1. A connection without a request in flight, which includes one whose head
//!    does not come to its end, is closed after the idle limit. One timer a
//!    connection, set again only when it fires: requests do not touch it. A
//!    response is in flight until its last byte has been written to the socket.
//! 2. When told to stop, a request in flight is finished and the connection
//!    closed after it; an idle one is closed at once.
//! 3. A response that is not sent whole, for whatever reason, ends in a reset, so
//!    that also a client that reads until the connection closes sees the cut.

use std::convert::Infallible;
use std::error::Error as StdError;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::sync::watch;
use tokio::time::Instant;
use tracing::debug;

use super::Activity;
use super::listener::Transport;
use super::watched::Watched;
use crate::shutdown::{self, Stop};

/// What a connection may use.
#[derive(Clone, Debug)]
pub(crate) struct Limits {
    pub(crate) idle: Duration,
}

/// Serves `transport` until it ends, is idle for too long, or `stop` turns true.
pub(crate) async fn serve<T, H, F, B>(
    transport: T,
    activity: Arc<Activity>,
    limits: Limits,
    mut stop: watch::Receiver<Stop>,
    handle: H,
) where
    T: Transport,
    H: Fn(Request<Incoming>) -> F,
    F: Future<Output = Response<B>>,
    B: Body<Data = Bytes> + 'static,
    B::Error: Into<Box<dyn StdError + Send + Sync>>,
{
    let service = service_fn(|request| {
        let reply = handle(request);
        async move { Ok::<_, Infallible>(reply.await) }
    });
    let mut connection = http1::Builder::new()
        .max_headers(MOST_FIELDS)
        .max_header_size(LARGEST_HEAD_BYTES)
        .max_buf_size(READ_BUFFER_BYTES)
        .serve_connection(TokioIo::new(Watched::new(transport, Arc::clone(&activity))), service);
    let mut idle = pin!(tokio::time::sleep(limits.idle));
    let mut stopping = false;
    loop {
        tokio::select! {
            ended = Pin::new(&mut connection) => {
                if let Err(error) = ended {
                    debug!(%error, "a connection ended");
                    // Other errors are the client's, and it may still be reading what was answered before.
                    if error.is_user() {
                        connection.into_parts().io.into_inner().reset();
                    }
                }
                return;
            }
            () = &mut idle => {
                let limit = if stopping { HALF_HEAD } else { limits.idle };
                let deadline = activity.idle_deadline(limit);
                if deadline <= Instant::now() {
                    return;
                }
                idle.as_mut().reset(deadline);
            }
            () = shutdown::told(&mut stop, if stopping { Stop::Now } else { Stop::Drain }) => {
                if stopping {
                    if activity.is_busy() {
                        connection.into_parts().io.into_inner().reset();
                    }
                    return;
                }
                stopping = true;
                Pin::new(&mut connection).graceful_shutdown();
                // hyper closes an idle connection at once, but not one with half a first head.
                idle.as_mut().reset(Instant::now() + HALF_HEAD);
            }
        }
    }
}

/// How long a head that is half there may take once we are to stop.
const HALF_HEAD: Duration = Duration::from_secs(1);
/// Field lines in a request's head; an object with 90 metadata fields is legal in Swift.
const MOST_FIELDS: usize = 512;
/// Bytes in a request's head.
const LARGEST_HEAD_BYTES: usize = 64 * 1024;
/// Bytes read at once, and bytes of response that may wait for a slow reader.
/// Below 32 MiB for twenty stalled downloads (measured), and large uploads want it large.
const READ_BUFFER_BYTES: usize = 384 * 1024;

#[cfg(test)]
mod tests {
    use http_body_util::Full;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};

    use super::*;

    impl Transport for DuplexStream {
        fn reset(self) {}
    }

    /// A connection whose every response is `LENGTH` bytes that hyper takes out of their body at once,
    /// over a socket that holds a kilobyte.
    fn start(idle: Duration, stop: watch::Receiver<Stop>) -> DuplexStream {
        let (client, server) = duplex(1024);
        let activity = Arc::new(Activity::new());
        tokio::spawn(async move {
            serve(server, Arc::clone(&activity), Limits { idle }, stop, |_| {
                activity.request_began();
                activity.request_ended();
                async { Response::new(Full::new(Bytes::from_static(&[b'x'; LENGTH]))) }
            })
            .await;
        });
        client
    }

    const LENGTH: usize = 100_000;

    async fn rest_of_the_body(client: &mut DuplexStream) -> usize {
        let mut all = Vec::new();
        client.read_to_end(&mut all).await.unwrap();
        let head = all.windows(4).position(|window| window == b"\r\n\r\n").unwrap() + 4;
        all.len() - head
    }

    #[tokio::test(start_paused = true)]
    async fn what_a_slow_reader_has_not_taken_is_in_flight_when_told_to_stop() {
        let (tell, told) = watch::channel(Stop::No);
        let mut client = start(Duration::from_secs(300), told);
        client.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
        tokio::time::sleep(Duration::from_secs(1)).await;
        tell.send_replace(Stop::Drain);
        tokio::time::sleep(Duration::from_secs(20)).await;
        assert_eq!(rest_of_the_body(&mut client).await, LENGTH);
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_reader_is_not_idle_but_a_quiet_client_is() {
        let (_tell, told) = watch::channel(Stop::No);
        let mut client = start(Duration::from_secs(10), told);
        client.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
        tokio::time::sleep(Duration::from_secs(100)).await;
        assert_eq!(rest_of_the_body(&mut client).await, LENGTH);
    }
}
