//! The files that are watched, and when a difference counts as a change.
//!
//! 1. Files are told apart by device, inode, time of change and size, following symbolic links.
//! 2. A change counts once everything has been the same for one more look, since an editor may write
//!    in several steps, and `clouds.yaml` and `secure.yaml` are written one after the other.
//! 3. A file that is gone counts after three looks: replacing a file often removes it for a moment.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// What tells one state of a file from the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    device: u64,
    inode: u64,
    modified: (i64, i64),
    size: u64,
}

impl Stamp {
    /// Of each of the files; `None` where there is none, or none to be seen.
    pub(super) fn of_all(paths: &[PathBuf]) -> Vec<Option<Self>> {
        paths.iter().map(|path| Self::of(path)).collect()
    }

    fn of(path: &Path) -> Option<Self> {
        let found = fs::metadata(path).ok()?;
        Some(Self {
            device: found.dev(),
            inode: found.ino(),
            modified: (found.mtime(), found.mtime_nsec()),
            size: found.size(),
        })
    }
}

/// The files and what is known of them.
#[derive(Debug)]
pub(super) struct Files {
    paths: Vec<PathBuf>,
    /// As they were when they were read.
    read: Vec<Option<Stamp>>,
    /// As they were at the last look.
    seen: Vec<Option<Stamp>>,
    /// Looks in a row at which one that was read has been gone.
    gone: u32,
}

impl Files {
    /// Files that have just been read.
    pub(super) fn new(paths: Vec<PathBuf>) -> Self {
        Self::after_reading(paths, &[], &[])
    }

    /// Files that have just been read; those among `before` had these `stamps` when that began.
    pub(super) fn after_reading(paths: Vec<PathBuf>, before: &[PathBuf], stamps: &[Option<Stamp>]) -> Self {
        let known = |path: &PathBuf| before.iter().zip(stamps).find(|(it, _)| *it == path);
        let stamp = |path: &PathBuf| known(path).map_or_else(|| Stamp::of(path), |(_, stamp)| *stamp);
        let read: Vec<_> = paths.iter().map(stamp).collect();
        Self { paths, seen: read.clone(), read, gone: 0 }
    }

    pub(super) fn paths(&self) -> &[PathBuf] {
        &self.paths
    }

    /// Takes in another look; tells whether it is time to read them again.
    pub(super) fn have_changed(&mut self, now: Vec<Option<Stamp>>) -> bool {
        let is_settled = now == self.seen;
        self.seen = now;
        if self.seen == self.read {
            self.gone = 0;
            return false;
        }
        let is_gone = self.read.iter().zip(&self.seen).any(|(read, seen)| read.is_some() && seen.is_none());
        self.gone = if is_gone { self.gone + 1 } else { 0 };
        is_settled && (!is_gone || self.gone >= LOOKS_UNTIL_GONE)
    }
}

/// Looks at which a file has to be missing in a row before that counts.
const LOOKS_UNTIL_GONE: u32 = 3;

#[cfg(test)]
mod tests {
    use super::*;

    fn stamp(inode: u64) -> Option<Stamp> {
        Some(Stamp { device: 1, inode, modified: (0, 0), size: 0 })
    }

    fn two() -> Files {
        let paths = vec![PathBuf::from("/nowhere/a"), PathBuf::from("/nowhere/b")];
        Files::after_reading(paths.clone(), &paths, &[stamp(1), stamp(2)])
    }

    /// For each look, the inodes of both files (0 for gone) and whether it is time.
    fn assert_looks(looks: &[(u64, u64, bool)]) {
        let mut files = two();
        let inode = |number| if number == 0 { None } else { stamp(number) };
        for (at, &(a, b, expected)) in looks.iter().enumerate() {
            assert_eq!(files.have_changed(vec![inode(a), inode(b)]), expected, "look {at} of {looks:?}");
        }
    }

    #[test]
    fn a_change_counts_once_it_has_settled() {
        assert_looks(&[(1, 2, false), (1, 2, false)]);
        assert_looks(&[(1, 2, false), (3, 2, false), (3, 2, true)]);
        assert_looks(&[(3, 2, false), (3, 4, false), (3, 4, true)]);
        assert_looks(&[(3, 2, false), (1, 2, false), (1, 2, false)]);
    }

    #[test]
    fn a_file_may_be_gone_for_a_moment() {
        assert_looks(&[(0, 2, false), (0, 2, false), (1, 2, false), (1, 2, false)]);
        assert_looks(&[(0, 2, false), (0, 2, false), (3, 2, false), (3, 2, true)]);
        assert_looks(&[(0, 2, false), (0, 2, false), (0, 2, true)]);
        assert_looks(&[(0, 2, false), (0, 4, false), (0, 4, true)]);
    }

    #[test]
    fn what_changed_while_it_was_read_is_another_change() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("f");
        fs::write(&path, "1").unwrap();
        let before = Stamp::of_all(std::slice::from_ref(&path));
        fs::write(&path, "22").unwrap();
        let mut files = Files::after_reading(vec![path.clone()], std::slice::from_ref(&path), &before);
        let now = Stamp::of_all(files.paths());
        assert!(!files.have_changed(now.clone()));
        assert!(files.have_changed(now));
    }
}
