//! Places in a JSON document, and which of them a path from its top leads to.
//!
//! All places of a rule are followed at once, a bit for each. What a step costs depends on how many are
//! still possible: most parts of a document have none.

/// The places of one rule.
#[derive(Debug)]
pub(super) struct Shapes {
    shapes: Vec<Vec<Step>>,
    /// By the number of steps made: the shapes that end there.
    ends: [Set; MOST_STEPS + 1],
    /// By the number of steps made: the shapes that go on into an array.
    each: [Set; MOST_STEPS + 1],
    /// By the number of steps made: the shapes that go on into an object.
    keys: [Set; MOST_STEPS + 1],
    /// By the number of steps made and the length of a name, the last for all that are longer: the shapes that may go on
    /// by it.
    lengths: [[Set; LONGEST + 1]; MOST_STEPS],
}

/// Names that are longer are not told apart by their length.
const LONGEST: usize = 16;

/// Some of the shapes of a rule, a bit for each.
pub(super) type Set = u64;

/// Steps of the longest shape.
pub(super) const MOST_STEPS: usize = 8;

#[derive(Debug, PartialEq, Eq)]
enum Step {
    /// Into an object, by one of these names.
    Key(Vec<Name>),
    /// Into an array, any element.
    Each,
}

#[derive(Debug, PartialEq, Eq)]
enum Name {
    Exactly(&'static str),
    /// `*_links`; `*` is any.
    EndsWith(&'static str),
}

impl Shapes {
    /// Reads shapes as the table of rules has them; a test reads all of it.
    pub(super) fn parse(texts: impl Iterator<Item = &'static str>) -> Self {
        let shapes: Vec<Vec<Step>> = texts.map(steps).collect();
        let [mut ends, mut each, mut keys] = [[0; MOST_STEPS + 1]; 3];
        let mut lengths = [[0; LONGEST + 1]; MOST_STEPS];
        for (bit, shape) in shapes.iter().enumerate() {
            ends[shape.len()] |= 1 << bit;
            for (at, step) in shape.iter().enumerate() {
                match step {
                    Step::Key(names) => {
                        keys[at] |= 1 << bit;
                        for (length, set) in lengths[at].iter_mut().enumerate() {
                            if names.iter().any(|name| name.may_be_of(length)) {
                                *set |= 1 << bit;
                            }
                        }
                    }
                    Step::Each => each[at] |= 1 << bit,
                }
            }
        }
        Self { shapes, ends, each, keys, lengths }
    }

    /// All of them, for the top of a document.
    pub(super) fn all(&self) -> Set {
        Set::MAX
            .checked_shl(u32::try_from(self.shapes.len()).unwrap_or(Set::BITS))
            .map_or(Set::MAX, |none| !none)
    }

    /// Whether one of `set` ends after this many steps.
    pub(super) fn is_end(&self, set: Set, steps: usize) -> bool {
        self.ends.get(steps).is_some_and(|ends| set & ends != 0)
    }

    /// Those of `set` that go on, after this many steps, into an array.
    pub(super) fn through_array(&self, set: Set, steps: usize) -> Set {
        self.each.get(steps).map_or(0, |each| set & each)
    }

    /// Those that go on into an object, by any name.
    pub(super) fn through_object(&self, set: Set, steps: usize) -> Set {
        self.keys.get(steps).map_or(0, |keys| set & keys)
    }

    /// Those that go on by this name.
    pub(super) fn by_name(&self, set: Set, steps: usize, name: &[u8]) -> Set {
        let Some(lengths) = self.lengths.get(steps) else { return 0 };
        let mut left = set & lengths[name.len().min(LONGEST)];
        let mut found = 0;
        while left != 0 {
            let bit = left.trailing_zeros();
            left &= left - 1;
            if let Some(Step::Key(names)) = self.shapes[bit as usize].get(steps)
                && names.iter().any(|it| it.is(name))
            {
                found |= 1 << bit;
            }
        }
        found
    }
}

impl Name {
    fn is(&self, name: &[u8]) -> bool {
        match self {
            Self::Exactly(it) => it.as_bytes() == name,
            Self::EndsWith(end) => name.ends_with(end.as_bytes()),
        }
    }

    /// Whether it can be one of so many bytes, or of [`LONGEST`] and more.
    fn may_be_of(&self, length: usize) -> bool {
        match self {
            Self::Exactly(it) => it.len().min(LONGEST) == length,
            Self::EndsWith(end) => end.len().min(LONGEST) <= length,
        }
    }
}

fn steps(text: &'static str) -> Vec<Step> {
    let mut steps = Vec::new();
    for part in text.split('.') {
        let names = part.trim_end_matches("[]");
        let name = |name: &'static str| name.strip_prefix('*').map_or(Name::Exactly(name), Name::EndsWith);
        steps.push(Step::Key(names.split('|').map(name).collect()));
        steps.extend((0..part[names.len()..].len() / 2).map(|_| Step::Each));
    }
    steps
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_are_followed_step_by_step() {
        let shapes = Shapes::parse(["*[].links[].href", "a|b.url", "*_links[].href", "next"].into_iter());
        let all = shapes.all();
        assert_eq!(all, 0b1111);
        assert_eq!(shapes.through_object(all, 0), all);
        assert_eq!(shapes.through_array(all, 0), 0);
        assert_eq!(shapes.by_name(all, 0, b"next"), 0b1001);
        assert!(shapes.is_end(0b1001, 1));
        assert!(!shapes.is_end(0b0111, 1));
        assert_eq!(shapes.by_name(all, 0, b"b"), 0b0011);
        assert_eq!(shapes.by_name(all, 0, b"x_links"), 0b0101);
        assert_eq!(shapes.through_array(0b0101, 1), 0b0101);
        assert_eq!(shapes.through_object(0b0011, 1), 0b0010);
        assert_eq!(shapes.by_name(0b0101, 2, b"links"), 0b0001);
        assert_eq!(shapes.by_name(0b0101, 2, b"href"), 0b0100);
        assert!(shapes.is_end(0b0100, 3));
        assert_eq!(shapes.through_object(0b1000, 1), 0);
        assert_eq!((shapes.through_object(all, 99), shapes.through_array(all, 99)), (0, 0));
    }

    #[test]
    fn as_many_as_fit_are_all() {
        assert_eq!(Shapes::parse((0..64).map(|_| "a")).all(), Set::MAX);
        assert_eq!(Shapes::parse([].into_iter()).all(), 0);
    }
}
