//! One connection, from its first byte to its last.
//!
//! 1. A connection without a request in flight is closed after the idle limit, and one whose head has begun and does
//!    not come to its end after the head limit. One timer a connection, set again only when it fires: requests do not
//!    touch it. A response is in flight until its last byte has been written to the socket; a client that takes none
//!    of it for the body limit is cut off.
//! 2. A client may end its side once its request is whole, and is still answered (RFC 9112 §9.6). If it has closed
//!    altogether, what it asked for is dropped.
//! 3. When told to stop, a request in flight is finished and the connection closed after it. An idle one is closed after
//!    a moment: a request that was on its way is answered, and says `Connection: close`.
//! 4. A response that is not sent whole, for whatever reason, ends in a reset, so that also a client that reads until
//!    the connection closes sees the cut.
//! 5. Where we close while the client may still be sending, what it sends is read and thrown away for a while, so that
//!    it gets to read its answer.
//! 6. A connection on which nothing happens is taken out of hyper until something comes: after a moment, or at once where
//!    many are open (`at_hand`).

use std::convert::Infallible;
use std::error::Error as StdError;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use hyper::body::Incoming;
use hyper::server::conn::http1::{self, UpgradeableConnection};
use hyper::service::{Service, service_fn};
use hyper_util::rt::TokioIo;
use tokio::io::AsyncReadExt as _;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tracing::debug;

use super::activity::{Activity, Overdue};
use super::at_hand::AtHand;
use super::listener::Transport;
use super::tap::{Refuse, Tap};
use crate::shutdown::{self, Stop};

/// What a connection may use, and how it speaks.
#[derive(Clone, Debug)]
pub(crate) struct Limits {
    /// Without a request.
    pub(crate) idle: Duration,
    /// From the first byte of a request's head to its end.
    pub(crate) head: Duration,
    /// In which a client takes nothing of its response.
    pub(crate) body: Duration,
    /// Whether field names keep the letter case they came in; else they are in lower case.
    pub(crate) preserve_header_case: bool,
}

impl Limits {
    /// For who is not to stay: a request comes within `time`, or never.
    pub(crate) fn hurry(&mut self, time: Duration) {
        self.idle = self.idle.min(time);
        self.head = self.head.min(time);
    }

    /// How often to look.
    pub(super) fn soonest(&self) -> Duration {
        self.idle.min(self.head).min(self.body)
    }
}

/// Serves `transport` until it ends, something is overdue, or `stop` turns true. `refuse` answers what is not HTTP.
pub(crate) async fn serve<T, H, F, B>(
    transport: T,
    activity: Arc<Activity>,
    limits: Limits,
    mut stop: watch::Receiver<Stop>,
    refuse: Refuse,
    handle: H,
) where
    T: Transport,
    H: Fn(Request<Incoming>) -> F,
    F: Future<Output = Result<Response<B>, Infallible>>,
    B: Body<Data = Bytes> + 'static,
    B::Error: Into<Box<dyn StdError + Send + Sync>>,
{
    let mut tap = Tap::new(transport, Arc::clone(&activity), refuse);
    while rest(&tap, &activity, &limits, &mut stop).await {
        // Boxed, so that all of it goes when the connection rests.
        match Box::pin(speak(tap, &activity, &limits, &mut stop, &handle)).await {
            Some(resting) => tap = resting,
            None => return,
        }
    }
}

/// Rule 6: waits for the next request. Returns whether one comes.
async fn rest<T: Transport>(
    tap: &Tap<T>,
    activity: &Activity,
    limits: &Limits,
    stop: &mut watch::Receiver<Stop>,
) -> bool {
    loop {
        let Err(then) = activity.overdue(limits) else { return false };
        tokio::select! {
            // A request that is there is answered, whatever else comes with it.
            biased;
            // Its end can be read as well, or what is wrong with it.
            () = tap.readable() => return true,
            () = sleep_until(then) => {}
            () = shutdown::told(stop, Stop::Drain) => {
                return tokio::select! {
                    biased;
                    () = tap.readable() => true,
                    () = sleep(ON_ITS_WAY) => false,
                    () = shutdown::told(stop, Stop::Now) => false,
                };
            }
        }
    }
}

/// Speaks HTTP until the connection ends, which gives nothing, or rests.
async fn speak<T, H, F, B>(
    tap: Tap<T>,
    activity: &Arc<Activity>,
    limits: &Limits,
    stop: &mut watch::Receiver<Stop>,
    handle: &H,
) -> Option<Tap<T>>
where
    T: Transport,
    H: Fn(Request<Incoming>) -> F,
    F: Future<Output = Result<Response<B>, Infallible>>,
    B: Body<Data = Bytes> + 'static,
    B::Error: Into<Box<dyn StdError + Send + Sync>>,
{
    let at_hand = AtHand::take();
    let before = activity.begun();
    // What is on its way when we are told to stop is the last, also if it is answered at once.
    let mut stopping = *stop.borrow() >= Stop::Drain;
    let mut connection = http1::Builder::new()
        .keep_alive(!stopping)
        .half_close(true)
        .max_headers(MOST_FIELDS)
        .max_header_size(LARGEST_HEAD_BYTES)
        .max_buf_size(MOST_HELD_BYTES)
        .serve_connection(TokioIo::new(tap), service_fn(handle))
        .with_upgrades();
    let mut timer = pin!(sleep(limits.soonest().min(UNTIL_REST)));
    let mut gone = pin!(client_is_gone(activity));
    let mut left = pin!(client_left_its_upload(activity));
    if stopping {
        timer.as_mut().reset(Instant::now() + HALF_HEAD);
    }
    loop {
        tokio::select! {
            // The client's end is noted while the connection is polled.
            biased;
            ended = Pin::new(&mut connection) => {
                let is_ours = ended.as_ref().is_err_and(hyper::Error::is_user);
                if let Err(error) = ended {
                    debug!(%error, "a connection ended");
                }
                // A tunnel may follow, for hours.
                drop(at_hand);
                let Some(tap) = tap_of(connection) else {
                    Box::pin(after(activity, stop)).await;
                    return None;
                };
                // Other errors are the client's, and it may still be reading what was answered before.
                if is_ours {
                    tap.reset();
                } else if let Some(socket) = tap.unread() {
                    Box::pin(linger(socket, stop)).await;
                }
                return None;
            }
            () = one_too_many(activity, before) => return tap_of(connection).map(Tap::at_rest),
            () = &mut gone => return None,
            () = &mut left => return None,
            () = &mut timer => match activity.overdue(limits) {
                Ok(Overdue::Request) => return None,
                Ok(Overdue::Reader) => {
                    debug!("a client took nothing of its response for too long");
                    if let Some(tap) = tap_of(connection) {
                        tap.reset();
                    }
                    return None;
                }
                // What goes on for as long as somebody looks ends by itself, unless they take nothing of it.
                Err(_) if stopping && (!activity.is_busy() || activity.is_watched()) => return None,
                Err(_) if stopping => timer.as_mut().reset(Instant::now() + limits.soonest()),
                Err(then) => match activity.rests_from(UNTIL_REST) {
                    Some(from) if from <= Instant::now() => return tap_of(connection).map(Tap::at_rest),
                    Some(from) => timer.as_mut().reset(then.min(from)),
                    None => timer.as_mut().reset(then.min(Instant::now() + BETWEEN_LOOKS)),
                },
            },
            () = shutdown::told(stop, if stopping { Stop::Now } else { Stop::Drain }) => {
                if stopping {
                    if activity.is_busy()
                        && let Some(tap) = tap_of(connection)
                    {
                        tap.reset();
                    }
                    return None;
                }
                if activity.begun() > before && activity.is_quiet() {
                    return tap_of(connection).map(Tap::at_rest);
                }
                stopping = true;
                Pin::new(&mut connection).graceful_shutdown();
                // hyper closes an idle connection at once, but not one with half a first head.
                timer.as_mut().reset(Instant::now() + HALF_HEAD);
            }
        }
    }
}

/// Rule 6: returns once a connection that has had a request since `before` would be held in vain.
async fn one_too_many(activity: &Activity, before: u64) {
    // The connection is polled in the same task.
    poll_fn(|_| {
        let rests = AtHand::are_too_many() && activity.begun() > before && activity.is_quiet();
        if rests { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}

/// The socket of a connection that has not been upgraded.
fn tap_of<T, S, B>(connection: UpgradeableConnection<TokioIo<Tap<T>>, S>) -> Option<Tap<T>>
where
    T: Transport,
    S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible>,
    B: Body<Data = Bytes> + 'static,
    B::Error: Into<Box<dyn StdError + Send + Sync>>,
{
    connection.into_parts().map(|parts| parts.io.into_inner().with(parts.read_buf))
}

/// What follows HTTP on the same connection, until it ends or is cut.
async fn after(activity: &Activity, stop: &mut watch::Receiver<Stop>) {
    if let Some(after) = activity.after() {
        tokio::select! {
            () = after => {}
            () = shutdown::told(stop, Stop::Now) => {}
        }
    }
}

/// Rule 2: returns once the client has closed while its request was here.
async fn client_is_gone(activity: &Activity) {
    let presence = poll_fn(|_| match activity.left() {
        Some(presence) => Poll::Ready(presence),
        // The connection is polled in the same task.
        None => Poll::Pending,
    });
    // Boxed as what else is rare, so that a connection has no room for it.
    let presence = presence.await;
    Box::pin(presence.ended()).await;
}

/// Rule 2, for an upload that nobody reads because the upstream takes nothing: its end cannot be read either.
async fn client_left_its_upload(activity: &Activity) {
    let (mut stall, mut last) = (STALL, None);
    loop {
        // The connection is polled in the same task.
        let before = poll_fn(|_| activity.upload().map_or(Poll::Pending, Poll::Ready)).await;
        stall = if last == Some(before) { MOST_STALL.min(stall * 2) } else { STALL };
        last = Some(before);
        Box::pin(sleep(stall)).await;
        if activity.upload() == last
            && let Some(uploader) = activity.uploader()
            && Box::pin(uploader.is_gone()).await == Some(true)
        {
            return;
        }
    }
}

/// How long an upload stands still before we look whether the client is there.
const STALL: Duration = Duration::from_secs(1);
/// And between two looks at one that goes on standing still; each costs a reading of all sockets there are.
const MOST_STALL: Duration = Duration::from_secs(16);

/// Rule 5: reads until the client closes, within bounds. Our side has been shut down.
async fn linger(mut socket: impl Transport, stop: &mut watch::Receiver<Stop>) {
    // Not in the future, which every connection has.
    let mut scrap = vec![0; 8192];
    let rest = async { while let Ok(Ok(1..)) = timeout(LINGER_QUIET, socket.read(&mut scrap)).await {} };
    tokio::select! {
        // Whatever it is then, the client has had its time.
        _ = timeout(LINGER, rest) => {}
        () = shutdown::told(stop, Stop::Now) => {}
    }
}

/// Bytes of an upload read at once, and bytes of a response that may wait for a slow reader beside the piece that is read
/// next: twenty of them hold less than 32 MiB (measured).
const MOST_HELD_BYTES: usize = 512 * 1024;
/// How long nothing has to happen before a connection rests.
const UNTIL_REST: Duration = Duration::from_secs(1);
/// How often to look at one with a request whether it rests by now.
const BETWEEN_LOOKS: Duration = Duration::from_secs(2);
/// How long a client that is being refused may go on sending.
const LINGER: Duration = Duration::from_secs(10);
/// How long it may say nothing and not close.
const LINGER_QUIET: Duration = Duration::from_secs(1);
/// How long an idle connection stays once we are to stop, for a request that was sent before its client could know.
const ON_ITS_WAY: Duration = Duration::from_millis(250);
/// How long a head that is half there may take once we are to stop.
const HALF_HEAD: Duration = Duration::from_secs(1);
/// Field lines in a request's head; an object with 90 metadata fields is legal in Swift.
const MOST_FIELDS: usize = 512;
/// Bytes in a request's head.
pub(super) const LARGEST_HEAD_BYTES: usize = 64 * 1024;

#[cfg(test)]
mod tests {
    use std::io;
    use std::task::Context;

    use http_body_util::Full;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};

    use super::super::presence::Presence;
    use super::*;

    impl Transport for DuplexStream {
        fn reset(self) {}

        fn presence(&self) -> Presence {
            Presence::Unknown
        }

        fn poll_read_ready(&self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            // It cannot tell.
            Poll::Ready(Ok(()))
        }
    }

    /// A connection whose every response is `LENGTH` bytes that hyper takes out of their body at once,
    /// over a socket that holds a kilobyte.
    fn start(idle: Duration, stop: watch::Receiver<Stop>) -> DuplexStream {
        let (client, server) = duplex(1024);
        let activity = Arc::new(Activity::new(true));
        tokio::spawn(async move {
            let limits =
                Limits { idle, head: idle, body: Duration::from_secs(300), preserve_header_case: true };
            let refuse = Refuse::new(|_| Bytes::new());
            serve(server, Arc::clone(&activity), limits, stop, refuse, |_| {
                activity.request_began(&Full::<Bytes>::default());
                activity.request_ended(Instant::now());
                async { Ok(Response::new(Full::new(Bytes::from_static(&[b'x'; LENGTH])))) }
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
        sleep(Duration::from_secs(1)).await;
        tell.send_replace(Stop::Drain);
        sleep(Duration::from_secs(20)).await;
        assert_eq!(rest_of_the_body(&mut client).await, LENGTH);
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_reader_is_not_idle_but_a_quiet_client_is() {
        let (_tell, told) = watch::channel(Stop::No);
        let mut client = start(Duration::from_secs(10), told);
        client.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
        sleep(Duration::from_secs(100)).await;
        assert_eq!(rest_of_the_body(&mut client).await, LENGTH);
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_takes_nothing_for_the_body_limit_is_cut_and_one_that_takes_a_little_is_not() {
        for (pause, is_whole) in [(290, true), (301, false)] {
            let (_tell, told) = watch::channel(Stop::No);
            let mut client = start(Duration::from_secs(10), told);
            client.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
            for _ in 0..5 {
                sleep(Duration::from_secs(pause)).await;
                let _ = client.read(&mut [0; 512]).await.unwrap();
            }
            let mut rest = Vec::new();
            client.read_to_end(&mut rest).await.unwrap();
            assert_eq!(rest.len() > LENGTH / 2, is_whole, "{pause} s between two reads");
        }
    }
}
