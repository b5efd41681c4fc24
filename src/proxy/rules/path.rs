//! `Path`: the segments of a reading, walked through without taking them apart.

/// What is left of a reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Path<'a>(Option<&'a [u8]>);

impl<'a> Path<'a> {
    /// All of it; at the root there is no segment.
    pub(super) fn of(reading: &'a [u8]) -> Self {
        Self(Some(reading).filter(|reading| !reading.is_empty()))
    }

    /// The first segment, which may be empty, and the path behind it.
    pub(super) fn split_first(self) -> Option<(&'a [u8], Self)> {
        let text = self.0?;
        // Most are short.
        Some(match text.iter().position(|byte| *byte == b'/') {
            Some(end) => (&text[..end], Self(Some(&text[end + 1..]))),
            None => (text, Self(None)),
        })
    }

    /// Whether there is no segment left.
    pub(super) fn is_at_end(self) -> bool {
        self.0.is_none()
    }

    /// Without slashes at its end.
    pub(super) fn without_slashes_at_end(self) -> Self {
        let Some(mut text) = self.0 else { return self };
        while let Some(shorter) = text.strip_suffix(b"/") {
            text = shorter;
        }
        Self::of(text)
    }

    /// Swift reads `c/` as the container, and anything behind as an object.
    pub(super) fn without_slash_of_container(self) -> Self {
        match self.0 {
            Some([container @ .., b'/']) if !container.contains(&b'/') => Self::of(container),
            Some([]) => Self(None),
            Some(_) | None => self,
        }
    }
}
