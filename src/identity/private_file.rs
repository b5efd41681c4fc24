//! Files that nobody else may read: written as a whole, and believed only if nobody else could
//! have read or written them.
//!
//! A file is made under another name with mode 0600 from its first byte, and then renamed over the
//! old one. A reader sees the old content or the new one, never a part, and a symbolic link at the
//! target is replaced rather than followed. There is no `fsync`: what a crash of the machine loses
//! is had again by a login.
//!
//! All of this waits for the disk, or for a home directory on a network, so it runs on the
//! runtime's threads for such work: the thread of the refresher also accepts connections.

use std::fs::{File, Metadata, OpenOptions, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::time::Duration;

use rustix::fs::OFlags;
use rustix::io::Errno;
use zeroize::Zeroizing;

/// Why a file is not believed.
#[derive(Debug, thiserror::Error)]
pub(super) enum Distrust {
    #[error("there is none")]
    Missing,
    #[error("it cannot be read: {0}")]
    Unreadable(#[source] io::Error),
    #[error("it is a symbolic link")]
    Link,
    #[error("it is not a plain file")]
    NotPlain,
    #[error("it belongs to user id {0}, not to us")]
    Foreign(u32),
    #[error("others may read or write it (mode {0:04o})")]
    Exposed(u32),
    #[error("it is larger than {LARGEST_BYTES} bytes")]
    TooLarge,
}

/// Puts `content` at `path`, in one step.
pub(super) fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let mut file = tempfile::Builder::new()
        .prefix(".gatestone-")
        .permissions(Permissions::from_mode(OURS_ALONE))
        .tempfile_in(folder.unwrap_or_else(|| Path::new(".")))?;
    file.write_all(content)?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

/// What is at `path`, wiped when dropped.
pub(super) fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, Distrust> {
    let file = open(path, OpenOptions::new().read(true)).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Distrust::Missing,
        _ if error.raw_os_error() == Some(Errno::LOOP.raw_os_error()) => Distrust::Link,
        _ => Distrust::Unreadable(error),
    })?;
    // Of what was opened: by now there may be something else at the path.
    let found = file.metadata().map_err(Distrust::Unreadable)?;
    examine(&found, rustix::process::geteuid().as_raw())?;
    // Room for all of it, so that no copy is left behind by growing.
    let mut content = Zeroizing::new(Vec::with_capacity(found.len() as usize + 1));
    file.take(LARGEST_BYTES + 1).read_to_end(&mut content).map_err(Distrust::Unreadable)?;
    if content.len() as u64 > LARGEST_BYTES { Err(Distrust::TooLarge) } else { Ok(content) }
}

/// Opens a file but no link, and does not wait for the other end of a pipe.
pub(super) fn open(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    options.mode(OURS_ALONE).custom_flags(flags.bits() as i32).open(path)
}

fn examine(found: &Metadata, us: u32) -> Result<(), Distrust> {
    let mode = found.mode() & 0o7777;
    if !found.is_file() {
        return Err(Distrust::NotPlain);
    }
    if found.uid() != us {
        return Err(Distrust::Foreign(found.uid()));
    }
    if mode & 0o077 != 0 {
        return Err(Distrust::Exposed(mode));
    }
    if found.len() > LARGEST_BYTES { Err(Distrust::TooLarge) } else { Ok(()) }
}

/// Runs what may wait for a disk where nothing else waits for it.
pub(super) async fn apart<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    match tokio::time::timeout(PATIENCE, tokio::task::spawn_blocking(work)).await {
        // An error means that the runtime is ending.
        Ok(outcome) => outcome.unwrap_or_else(|error| Err(io::Error::other(error))),
        Err(_) => Err(io::Error::new(io::ErrorKind::TimedOut, "the disk does not answer")),
    }
}

/// Longest wait for a small file: who waits keeps the token fresh, and that must go on.
const PATIENCE: Duration = Duration::from_secs(5);

/// Read and write for the owner.
const OURS_ALONE: u32 = 0o600;
/// A login with the catalog of the largest cloud has some 200 KiB.
const LARGEST_BYTES: u64 = 4 * 1024 * 1024;

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    fn distrust(path: &Path) -> String {
        read(path).unwrap_err().to_string()
    }

    #[test]
    fn a_file_is_ours_alone_from_the_beginning() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("f");
        fs::write(&path, "old, and for everybody").unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o666)).unwrap();
        replace(&path, b"new").unwrap();
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        assert_eq!(read(&path).unwrap().as_slice(), b"new");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "nothing else is left behind");
    }

    #[test]
    fn a_link_at_the_target_is_replaced_and_never_followed() {
        let dir = tempfile::tempdir().unwrap();
        let (other, path) = (dir.path().join("other"), dir.path().join("f"));
        replace(&other, b"theirs").unwrap();
        symlink(&other, &path).unwrap();
        assert_eq!(distrust(&path), "it is a symbolic link");
        replace(&path, b"ours").unwrap();
        assert_eq!(fs::read(&other).unwrap(), b"theirs");
        assert_eq!(read(&path).unwrap().as_slice(), b"ours");
    }

    #[test]
    fn what_others_could_touch_is_not_believed() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("f");
        assert_eq!(distrust(&path), "there is none");
        assert_eq!(distrust(&path.join("below")), "there is none");
        replace(&path, b"x").unwrap();
        for mode in [0o640, 0o620, 0o604, 0o602, 0o601] {
            fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
            assert_eq!(distrust(&path), format!("others may read or write it (mode {mode:04o})"));
        }
        fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        let found = fs::metadata(&path).unwrap();
        assert!(
            matches!(examine(&found, found.uid() + 1), Err(Distrust::Foreign(uid)) if uid == found.uid())
        );
        assert_eq!(distrust(dir.path()), "it is not a plain file");
    }

    #[test]
    fn a_file_without_end_is_not_read() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("f");
        replace(&path, b"").unwrap();
        let file = OpenOptions::new().write(true).open(&path).unwrap();
        file.set_len(LARGEST_BYTES).unwrap();
        assert_eq!(read(&path).unwrap().len() as u64, LARGEST_BYTES);
        file.set_len(LARGEST_BYTES + 1).unwrap();
        assert_eq!(distrust(&path), "it is larger than 4194304 bytes");
    }

    #[test]
    fn a_reader_never_sees_a_part() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("f");
        let contents = [vec![b'a'; 100_000], vec![b'b'; 300_000]];
        replace(&path, &contents[0]).unwrap();
        let done = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for round in 0..300 {
                    replace(&path, &contents[round % 2]).unwrap();
                }
                done.store(true, Ordering::Release);
            });
            while !done.load(Ordering::Acquire) {
                let seen = read(&path).unwrap();
                assert!(contents.contains(&seen), "{} bytes", seen.len());
            }
        });
    }
}
