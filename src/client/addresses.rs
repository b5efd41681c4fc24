//! The addresses of a host, and the race between them (RFC 8305, happy eyeballs).
//!
//! 1. The families take turns, beginning with the one that the system puts first;
//!    within a family its order stays (section 4).
//! 2. Who has not answered after [`ATTEMPT_DELAY`] is joined by the next; who has
//!    failed is followed at once. Whoever connects first wins (section 5).
//! 3. No address has a limit of its own: each may take what `connect_timeout` leaves.
//! 4. An address that has failed, or was overtaken by one that began later, comes
//!    after all others for [`MEMORY`]. None is ever left out.
//!
//! Nothing else is remembered: each new connection asks DNS.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use http::uri::Scheme;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpStream, lookup_host};
use tokio::time::{Instant, timeout};
use tower::Service;

use super::Resolve;
use super::socket::Socket;

/// How long an address is alone before the next one joins it; what RFC 8305 section 8 recommends.
const ATTEMPT_DELAY: Duration = Duration::from_millis(250);

/// For how long an address that did badly comes last: long enough that few connections
/// wait for it, short enough that one that is back is soon used again.
const MEMORY: Duration = Duration::from_secs(60);

/// Connects to hosts by name or address. Clones share what they know of addresses.
#[derive(Clone, Debug)]
pub(super) struct Addresses {
    resolve: Arc<[Resolve]>,
    bad: Bad,
}

impl Addresses {
    pub(super) fn new(resolve: &[Resolve]) -> Self {
        Self { resolve: resolve.into(), bad: Bad::default() }
    }

    async fn connect(self, uri: Uri) -> io::Result<TokioIo<Socket>> {
        let host = uri.host().unwrap_or_default();
        let default_port = if uri.scheme() == Some(&Scheme::HTTPS) { 443 } else { 80 };
        let port = uri.port_u16().unwrap_or(default_port);
        let found = self.look_up(host, port).await?;
        let stream = race(self.bad.last(in_turns(found)), &self.bad).await?;
        Socket::new(stream).map(TokioIo::new)
    }

    /// The address itself, or those that `resolve` has for it, or what DNS says.
    async fn look_up(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        if let Ok(ip) = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>() {
            return Ok(vec![SocketAddr::new(ip, port)]);
        }
        let is_meant = |entry: &&Resolve| {
            entry.host.eq_ignore_ascii_case(host) && entry.port.is_none_or(|wanted| wanted == port)
        };
        match self.resolve.iter().find(is_meant) {
            Some(entry) => Ok(entry.addresses.iter().map(|ip| SocketAddr::new(*ip, port)).collect()),
            None => Ok(lookup_host((host, port)).await?.collect()),
        }
    }
}

impl Service<Uri> for Addresses {
    type Response = TokioIo<Socket>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Self::Response>> + Send>>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        Box::pin(self.clone().connect(uri))
    }
}

/// Rule 1.
fn in_turns(found: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let starts_with_v6 = found.first().is_some_and(SocketAddr::is_ipv6);
    let (mut these, mut others): (VecDeque<_>, VecDeque<_>) =
        found.into_iter().partition(|address| address.is_ipv6() == starts_with_v6);
    let mut ordered = Vec::with_capacity(these.len() + others.len());
    while let Some(address) = these.pop_front() {
        ordered.push(address);
        ordered.extend(others.pop_front());
    }
    ordered.extend(others);
    ordered
}

/// An address, and the connection to it that is under way.
type Attempt = (SocketAddr, Pin<Box<dyn Future<Output = io::Result<TcpStream>> + Send>>);

/// Rules 2 and 3. Where all fail, a refusal tells most: somebody was there to refuse.
async fn race(addresses: Vec<SocketAddr>, bad: &Bad) -> io::Result<TcpStream> {
    let mut waiting = addresses.into_iter();
    let mut under_way: Vec<Attempt> = Vec::new();
    let mut failure: Option<io::Error> = None;
    loop {
        if let Some(address) = waiting.next() {
            under_way.push((address, Box::pin(TcpStream::connect(address))));
        } else if under_way.is_empty() {
            return Err(failure.unwrap_or_else(|| io::Error::other("the name has no address")));
        }
        let ended = first_of(&mut under_way);
        let ended = if waiting.len() == 0 { Ok(ended.await) } else { timeout(ATTEMPT_DELAY, ended).await };
        let Ok((place, outcome)) = ended else { continue };
        let (address, _) = under_way.remove(place);
        match outcome {
            Ok(stream) => {
                for (overtaken, _) in &under_way[..place] {
                    bad.note(*overtaken);
                }
                return Ok(stream);
            }
            Err(error) => {
                bad.note(address);
                if failure.is_none() || error.kind() == io::ErrorKind::ConnectionRefused {
                    failure = Some(error);
                }
            }
        }
    }
}

/// The first to end, and how.
async fn first_of(attempts: &mut [Attempt]) -> (usize, io::Result<TcpStream>) {
    poll_fn(|cx| {
        for (place, (_, connecting)) in attempts.iter_mut().enumerate() {
            if let Poll::Ready(outcome) = connecting.as_mut().poll(cx) {
                return Poll::Ready((place, outcome));
            }
        }
        Poll::Pending
    })
    .await
}

/// Rule 4: addresses that did badly, and when.
#[derive(Clone, Debug, Default)]
struct Bad(Arc<Mutex<Vec<(SocketAddr, Instant)>>>);

impl Bad {
    fn note(&self, address: SocketAddr) {
        let mut known = self.current();
        known.retain(|(other, _)| *other != address);
        known.push((address, Instant::now()));
    }

    /// The same addresses, with those that did badly at the end.
    fn last(&self, addresses: Vec<SocketAddr>) -> Vec<SocketAddr> {
        let known = self.current();
        let is_bad = |address: &SocketAddr| known.iter().any(|(bad, _)| bad == address);
        let (bad, mut ordered): (Vec<_>, Vec<_>) = addresses.into_iter().partition(is_bad);
        ordered.extend(bad);
        ordered
    }

    /// What is known and not yet forgotten.
    fn current(&self) -> MutexGuard<'_, Vec<(SocketAddr, Instant)>> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|(_, since)| since.elapsed() < MEMORY);
        known
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_take_turns_beginning_with_that_of_the_first_address() {
        let table: [(&[&str], &[&str]); 5] = [
            (&[], &[]),
            (
                &["[::1]:1", "[::2]:1", "[::3]:1", "1.1.1.1:1"],
                &["[::1]:1", "1.1.1.1:1", "[::2]:1", "[::3]:1"],
            ),
            (&["1.1.1.1:1", "[::1]:1", "[::2]:1"], &["1.1.1.1:1", "[::1]:1", "[::2]:1"]),
            (&["1.1.1.1:1", "1.1.1.2:1"], &["1.1.1.1:1", "1.1.1.2:1"]),
            (&["[::2]:1", "1.1.1.1:1", "1.1.1.2:1"], &["[::2]:1", "1.1.1.1:1", "1.1.1.2:1"]),
        ];
        let read = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect::<Vec<_>>();
        for (found, ordered) in table {
            assert_eq!(in_turns(read(found)), read(ordered), "{found:?}");
        }
    }

    #[tokio::test]
    async fn a_name_is_looked_up_as_the_system_does_and_a_literal_is_itself() {
        let addresses = Addresses::new(&[]);
        for (host, expected) in [("127.0.0.1", "127.0.0.1:80"), ("[::1]", "[::1]:80")] {
            assert_eq!(addresses.look_up(host, 80).await.unwrap(), [expected.parse().unwrap()]);
        }
        let found = addresses.look_up("localhost", 80).await.unwrap();
        assert!(!found.is_empty() && found.iter().all(|address| address.ip().is_loopback()), "{found:?}");
    }
}
