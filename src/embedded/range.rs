//! `Range`, by Swift's rules (`swob.Range`): what is malformed is ignored, and more than 50 ranges, more
//! than two overlaps, or eight ranges out of order are not satisfiable.

/// What a request wants of a body of known length.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// All of it.
    Whole,
    /// These parts, half open, at least one, none empty.
    Parts(Vec<(u64, u64)>),
    /// Nothing that there is.
    Nothing,
}

/// A well-formed `Range`: pairs of first and last, or of nothing and a suffix's length.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Ranges(pub(super) Vec<(Option<u64>, Option<u64>)>);

impl Ranges {
    /// Reads the value of a field.
    pub(super) fn parse(value: &str) -> Option<Self> {
        let value = value.replace(' ', "");
        let unit = value.get(..6)?;
        if !unit.eq_ignore_ascii_case("bytes=") {
            return None;
        }
        value[6..].split(',').map(one).collect::<Option<_>>().map(Self)
    }

    /// The parts of a body of this length; none if it cannot be satisfied.
    pub(super) fn parts(&self, length: u64) -> Vec<(u64, u64)> {
        let parts: Vec<(u64, u64)> = self.0.iter().filter_map(|range| part(*range, length)).collect();
        if parts.len() > MOST_RANGES || overlaps(&parts) > MOST_OVERLAPS {
            return Vec::new();
        }
        let is_ascending = parts.windows(2).all(|pair| pair[0].0 <= pair[1].0);
        if !is_ascending && parts.len() >= MOST_OUT_OF_ORDER {
            return Vec::new();
        }
        parts
    }

    /// What that means for a reply.
    pub(super) fn wanted(&self, length: u64) -> Wanted {
        let parts = self.parts(length);
        if parts.is_empty() {
            return Wanted::Nothing;
        }
        // A suffix of nothing is all of it, and has no place that could be named.
        if length == 0 { Wanted::Whole } else { Wanted::Parts(parts) }
    }
}

const MOST_RANGES: usize = 50;
const MOST_OVERLAPS: usize = 2;
const MOST_OUT_OF_ORDER: usize = 8;

fn one(range: &str) -> Option<(Option<u64>, Option<u64>)> {
    let (first, last) = range.split_once('-')?;
    let (first, last) = (number(first)?, number(last)?);
    match (first, last) {
        (None, None) => None,
        (Some(first), Some(last)) if last < first => None,
        both => Some(both),
    }
}

/// Nothing for nothing; numbers beyond all bounds are beyond all bodies too.
fn number(digits: &str) -> Option<Option<u64>> {
    if digits.is_empty() {
        return Some(None);
    }
    let all_digits = digits.bytes().all(|byte| byte.is_ascii_digit());
    all_digits.then(|| Some(digits.parse().unwrap_or(u64::MAX)))
}

fn part(range: (Option<u64>, Option<u64>), length: u64) -> Option<(u64, u64)> {
    match range {
        (None, None | Some(0)) => None,
        (None, Some(suffix)) => Some((length.saturating_sub(suffix), length)),
        (Some(first), _) if first >= length => None,
        (Some(first), None) => Some((first, length)),
        (Some(first), Some(last)) => Some((first, last.saturating_add(1).min(length))),
    }
}

fn overlaps(parts: &[(u64, u64)]) -> usize {
    let inside = |point: u64, part: (u64, u64)| part.0 < point && point < part.1;
    let overlap =
        |a: (u64, u64), b: (u64, u64)| inside(b.0, a) || inside(b.1, a) || inside(a.0, b) || inside(a.1, b);
    let pairs = parts.iter().enumerate().flat_map(|(n, a)| parts[n + 1..].iter().map(move |b| (*a, *b)));
    pairs.filter(|(a, b)| overlap(*a, *b)).count()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ranges_are_read_as_swift_reads_them() {
        let parts = |parts: &[(u64, u64)]| Some(Wanted::Parts(parts.to_vec()));
        for (value, length, expected) in [
            ("bytes=0-4", 11, parts(&[(0, 5)])),
            ("BYTES=0-4", 11, parts(&[(0, 5)])),
            ("bytes=-3", 11, parts(&[(8, 11)])),
            ("bytes=-100", 11, parts(&[(0, 11)])),
            ("bytes=6-", 11, parts(&[(6, 11)])),
            ("bytes=0-99999999999999999999", 11, parts(&[(0, 11)])),
            ("bytes=0-1, 3-4", 11, parts(&[(0, 2), (3, 5)])),
            ("bytes=0-1,50-60", 11, parts(&[(0, 2)])),
            ("bytes=11-", 11, Some(Wanted::Nothing)),
            ("bytes=-0", 11, Some(Wanted::Nothing)),
            ("bytes=-3", 0, Some(Wanted::Whole)),
            ("bytes=0-3", 0, Some(Wanted::Nothing)),
            ("bytes=0-1,0-2,0-3,0-4", 11, Some(Wanted::Nothing)),
            ("bytes=8-8,7-7,6-6,5-5,4-4,3-3,2-2,1-1", 11, Some(Wanted::Nothing)),
            ("bytes=5-2", 11, None),
            ("bytes=a-b", 11, None),
            ("bytes=--1", 11, None),
            ("bytes=", 11, None),
            ("bytes=-", 11, None),
            ("items=0-1", 11, None),
            ("rubbish", 11, None),
            ("é", 11, None),
            ("", 11, None),
        ] {
            let wanted = Ranges::parse(value).map(|ranges| ranges.wanted(length));
            assert_eq!(wanted, expected, "{value} of {length}");
        }
        let many = format!("bytes={}", vec!["0-0"; 51].join(","));
        assert_eq!(Ranges::parse(&many).unwrap().wanted(11), Wanted::Nothing);
    }

    proptest! {
        #[test]
        fn parts_are_within_the_body(value in "bytes=(([0-9]{0,20}-[0-9]{0,20}),?){0,9}|\\PC*", length: u64) {
            let Some(ranges) = Ranges::parse(&value) else { return Ok(()) };
            for (first, end) in ranges.parts(length) {
                prop_assert!(end <= length && (first < end || length == 0));
            }
        }
    }
}
