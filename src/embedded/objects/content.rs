//! The body of a download: parts of objects, taken as they are stored, one after another.
//!
//! Segments of a large object are looked up when their turn comes, as in Swift; what is gone or has changed by
//! then breaks the connection.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

use super::super::reply::Broken;
use super::data::Data;
use super::slo::walk::Walk;

/// Where bytes come from.
#[derive(Clone, Debug)]
pub(super) enum Source {
    /// One object.
    Plain(Arc<Data>),
    /// One after another.
    Several(Arc<Vec<Arc<Data>>>),
    /// A static large object.
    Segments(Walk),
}

/// A body to be.
#[derive(Debug, Default)]
pub(super) struct Content {
    parts: VecDeque<Part>,
    left: u64,
}

#[derive(Debug)]
enum Part {
    Text(Bytes),
    /// From here to there.
    Of(Arc<Data>, u64, u64),
    Walk(Walk),
}

impl Content {
    /// Bytes in between.
    pub(super) fn add_text(&mut self, text: impl Into<Bytes>) {
        let text = text.into();
        self.left += text.len() as u64;
        self.parts.push_back(Part::Text(text));
    }

    /// A part of a source, half open.
    pub(super) fn add(&mut self, source: &Source, first: u64, end: u64) {
        self.left += end.saturating_sub(first);
        match source {
            Source::Plain(data) => self.parts.push_back(Part::Of(Arc::clone(data), first, end)),
            Source::Several(all) => {
                let mut start = 0;
                for data in all.iter() {
                    let next = start + data.length();
                    if first < next && start < end {
                        let (first, end) = (first.max(start) - start, end.min(next) - start);
                        self.parts.push_back(Part::Of(Arc::clone(data), first, end));
                    }
                    start = next;
                }
            }
            Source::Segments(walk) => self.parts.push_back(Part::Walk(walk.within(first, end))),
        }
    }

    pub(super) fn length(&self) -> u64 {
        self.left
    }

    /// Looks up what comes first, so that a large object whose first segment is gone gets an error in place of
    /// a broken body.
    pub(super) fn begin(&mut self) -> Result<(), Broken> {
        while matches!(self.parts.front(), Some(Part::Walk(_))) {
            self.step()?;
        }
        Ok(())
    }

    /// Puts what a walk comes to before the walk, or takes the walk away.
    fn step(&mut self) -> Result<(), Broken> {
        let Some(Part::Walk(walk)) = self.parts.front_mut() else { return Ok(()) };
        let Some((data, first, end)) = walk.next()? else {
            self.parts.pop_front();
            return Ok(());
        };
        self.parts.push_front(Part::Of(data, first, end));
        Ok(())
    }

    /// The next bytes; nothing at the end.
    pub(super) fn next(&mut self) -> Result<Option<Bytes>, Broken> {
        loop {
            let bytes = match self.parts.front_mut() {
                None if self.left > 0 => return Err(Broken),
                None => return Ok(None),
                Some(Part::Text(text)) => {
                    let text = std::mem::take(text);
                    self.parts.pop_front();
                    text
                }
                Some(Part::Of(data, at, end)) => match data.slice(*at, *end) {
                    Some(bytes) => {
                        *at += bytes.len() as u64;
                        bytes
                    }
                    None => {
                        self.parts.pop_front();
                        continue;
                    }
                },
                Some(Part::Walk(_)) => {
                    self.step()?;
                    continue;
                }
            };
            if bytes.is_empty() {
                continue;
            }
            self.left = self.left.checked_sub(bytes.len() as u64).ok_or(Broken)?;
            return Ok(Some(bytes));
        }
    }
}

impl Body for Content {
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        Poll::Ready(self.get_mut().next().map(|bytes| bytes.map(Frame::data)).transpose())
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}
