//! `Rewritten`: a head that goes out in other bytes than those that hyper gives to be written.
//!
//! It stands for so many of hyper's bytes, at their start. It goes out together with what comes behind them, in one call
//! to the system where the socket takes it all; what is left of it then goes before anything else.

use std::fmt;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::AsyncWrite;

/// The head under way on one connection, if any is.
#[derive(Default)]
pub(crate) struct Rewritten {
    bytes: Vec<u8>,
    sent: usize,
    /// How many of hyper's bytes it stands for; none once hyper has been told that they are written.
    stands_for: usize,
}

impl fmt::Debug for Rewritten {
    /// What is in the head may be secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rewritten").field("stands_for", &self.stands_for).finish_non_exhaustive()
    }
}

impl Rewritten {
    /// Begins one, unless nothing comes of it, behind what is left of the one before. `compose` says how many of the
    /// bytes to be written next it stands for.
    pub(crate) fn begin(&mut self, compose: impl FnOnce(&mut Vec<u8>) -> Option<usize>) {
        debug_assert!(self.stands_for == 0, "hyper has been told of the one before");
        let left = self.bytes.len();
        match compose(&mut self.bytes) {
            Some(length) => self.stands_for = length,
            None => self.bytes.truncate(left),
        }
    }

    /// Whether nothing of it is left to be written.
    pub(crate) fn is_done(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Writes hyper's bytes, which begin with what this stands for. How many of them are dealt with then.
    pub(crate) fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        socket: &mut (impl AsyncWrite + Unpin),
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if self.stands_for == 0 {
            ready!(self.poll_rest(cx, socket))?;
            return Pin::new(socket).poll_write_vectored(cx, bufs);
        }
        let Some((first, others)) = bufs.split_first() else { return Poll::Ready(Ok(0)) };
        let mut all = [IoSlice::new(&[]); MOST_SLICES];
        all[0] = IoSlice::new(&self.bytes[self.sent..]);
        all[1] = IoSlice::new(&first[self.stands_for..]);
        let count = others.len().min(MOST_SLICES - 2);
        all[2..2 + count].copy_from_slice(&others[..count]);
        let n = ready!(Pin::new(socket).poll_write_vectored(cx, &all[..2 + count]))?;
        if n == 0 {
            return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
        }
        let left = self.bytes.len() - self.sent;
        let dealt_with = std::mem::take(&mut self.stands_for);
        if n < left {
            self.sent += n;
            return Poll::Ready(Ok(dealt_with));
        }
        self.end();
        Poll::Ready(Ok(dealt_with + n - left))
    }

    /// Writes what is left once hyper has been told that it is written.
    pub(crate) fn poll_rest(
        &mut self,
        cx: &mut Context<'_>,
        socket: &mut (impl AsyncWrite + Unpin),
    ) -> Poll<io::Result<()>> {
        if self.stands_for > 0 {
            // Nothing of it has gone out, and hyper still has what it stands for.
            return Poll::Ready(Ok(()));
        }
        while self.sent < self.bytes.len() {
            let n = ready!(Pin::new(&mut *socket).poll_write(cx, &self.bytes[self.sent..]))?;
            if n == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.sent += n;
        }
        self.end();
        Poll::Ready(Ok(()))
    }

    fn end(&mut self) {
        self.bytes.clear();
        // A connection that waits for its next request holds no more than it needs.
        self.bytes.shrink_to(USUAL_BYTES);
        self.sent = 0;
    }
}

/// Slices written at once: the head, and a body of a few frames.
const MOST_SLICES: usize = 8;
/// What most heads fit in.
const USUAL_BYTES: usize = 1024;

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use tokio::io::AsyncReadExt;

    use super::*;

    /// Writes `pieces` as hyper does, the first 4 bytes of which are a head that becomes `REWRITTEN`, through a socket
    /// that holds `room` bytes.
    async fn written(room: usize, pieces: &[&[u8]]) -> Vec<u8> {
        let (mut ours, mut other) = tokio::io::duplex(room);
        let mut rewritten = Rewritten::default();
        rewritten.begin(|_| None);
        assert!(rewritten.is_done());
        rewritten.begin(|out| {
            out.extend_from_slice(b"REWRITTEN");
            Some(4)
        });
        let all = pieces.concat();
        let (writing, reading) = (
            async move {
                let mut left: &[u8] = &all;
                let mut first = Some(pieces);
                while !left.is_empty() {
                    let whole = [IoSlice::new(left)];
                    let cut: Vec<IoSlice<'_>> =
                        first.unwrap_or_default().iter().map(|it| IoSlice::new(it)).collect();
                    let bufs = if first.is_some() { &cut[..] } else { &whole[..] };
                    let n = poll_fn(|cx| rewritten.poll_write(cx, &mut ours, bufs)).await.unwrap();
                    assert!(n > 0);
                    first = None;
                    left = &left[n..];
                }
                poll_fn(|cx| rewritten.poll_rest(cx, &mut ours)).await.unwrap();
                assert!(rewritten.is_done());
            },
            async move {
                let mut all = Vec::new();
                other.read_to_end(&mut all).await.unwrap();
                all
            },
        );
        tokio::join!(writing, reading).1
    }

    #[tokio::test]
    async fn it_goes_out_whole_and_once_however_little_the_socket_takes() {
        for room in 1..20 {
            assert_eq!(written(room, &[b"head"]).await, b"REWRITTEN", "{room}");
            assert_eq!(written(room, &[b"headbody"]).await, b"REWRITTENbody", "{room}");
            let many: Vec<&[u8]> = [&b"headb"[..]].into_iter().chain([&b"o"[..]; 12]).collect();
            assert_eq!(written(room, &many).await, b"REWRITTENboooooooooooo", "{room}");
        }
    }

    #[tokio::test]
    async fn the_next_one_goes_behind_what_is_left_of_the_one_before() {
        let (mut ours, mut other) = tokio::io::duplex(3);
        let mut rewritten = Rewritten::default();
        for piece in [&b"FIRST"[..], b"SECOND"] {
            rewritten.begin(|out| {
                out.extend_from_slice(b"not whole");
                None
            });
            rewritten.begin(|out| {
                out.extend_from_slice(piece);
                Some(1)
            });
            let n = poll_fn(|cx| rewritten.poll_write(cx, &mut ours, &[IoSlice::new(b"h")])).await.unwrap();
            assert_eq!(n, 1);
            assert!(!rewritten.is_done());
            let mut some = [0; 3];
            other.read_exact(&mut some).await.unwrap();
            assert_eq!(&some, if piece == b"FIRST" { b"FIR" } else { b"STS" });
        }
        let ending = async move { poll_fn(|cx| rewritten.poll_rest(cx, &mut ours)).await };
        let mut rest = Vec::new();
        let (ended, _) = tokio::join!(ending, other.read_to_end(&mut rest));
        ended.unwrap();
        assert_eq!(rest, b"ECOND");
    }

    #[tokio::test]
    async fn one_that_is_not_under_way_changes_nothing() {
        let (mut ours, mut other) = tokio::io::duplex(100);
        let mut rewritten = Rewritten::default();
        let n = poll_fn(|cx| rewritten.poll_write(cx, &mut ours, &[IoSlice::new(b"ab")])).await.unwrap();
        drop(ours);
        let mut all = Vec::new();
        other.read_to_end(&mut all).await.unwrap();
        assert_eq!((n, all), (2, b"ab".to_vec()));
    }
}
