//! Open files that the command would inherit and could read the credentials from: `3< password`, or
//! `OS_PASSWORD_FILE=/dev/fd/3`.
//!
//! What is not marked close-on-exec stays open in a command, and a file can be read again from its start. We
//! cannot mark it (std wants `unsafe` for a descriptor that it did not open), so we say what to do. A pipe is no
//! harm: what was in it, we have read.

use std::fmt;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// A descriptor that the command must not get.
#[derive(Debug, thiserror::Error)]
pub(super) struct Open {
    descriptor: u32,
    path: PathBuf,
}

impl fmt::Display for Open {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "descriptor {n} is open on {path}, which the settings were read from, and the command would inherit it; \
             close it ({n}<&-) and name the file by its path",
            n = self.descriptor,
            path = self.path.display()
        )
    }
}

/// Whether none of `files` is open in a descriptor that a command inherits. Only where there is a `/proc`.
pub(super) fn check(files: &[PathBuf]) -> Result<(), Open> {
    check_in(Path::new("/proc/self"), files)
}

fn check_in(process: &Path, files: &[PathBuf]) -> Result<(), Open> {
    let secret = |path: &PathBuf| {
        let file = fs::metadata(path).ok().filter(fs::Metadata::is_file)?;
        Some((file.dev(), file.ino()))
    };
    let places: Vec<_> = files.iter().filter_map(|path| Some((secret(path)?, path))).collect();
    let Ok(open) = fs::read_dir(process.join("fd")) else { return Ok(()) };
    let mut numbers: Vec<u32> =
        open.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect();
    numbers.sort_unstable();
    for descriptor in numbers.into_iter().filter(|descriptor| is_inherited(process, *descriptor)) {
        // Follows the link to the open file itself, even if its name is gone.
        let Ok(file) = fs::metadata(process.join("fd").join(descriptor.to_string())) else { continue };
        if let Some((_, path)) = places.iter().find(|(place, _)| *place == (file.dev(), file.ino())) {
            return Err(Open { descriptor, path: (*path).clone() });
        }
    }
    Ok(())
}

/// proc_pid_fdinfo(5): the flags are octal, and tell of close-on-exec too.
fn is_inherited(process: &Path, descriptor: u32) -> bool {
    let info = fs::read_to_string(process.join("fdinfo").join(descriptor.to_string())).unwrap_or_default();
    let flags = info.lines().find_map(|line| line.strip_prefix("flags:"));
    let flags = flags.and_then(|flags| u32::from_str_radix(flags.trim(), 8).ok());
    flags.is_none_or(|flags| flags & CLOSE_ON_EXEC == 0)
}

/// `O_CLOEXEC` of Linux, on all machines that Rust is built for but Alpha, PA-RISC and SPARC.
const CLOSE_ON_EXEC: u32 = 0o2_000_000;

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::fs::File;
    use std::os::fd::AsRawFd;

    use super::*;

    #[test]
    fn a_file_that_only_we_have_open_is_fine() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("password");
        fs::write(&path, "x").unwrap();
        let open = File::open(&path).unwrap();
        let files = [path.clone()];
        check(&files).unwrap();
        // As another process sees it, without the mark.
        let process = dir.path().join("process");
        fs::create_dir_all(process.join("fd")).unwrap();
        fs::create_dir_all(process.join("fdinfo")).unwrap();
        std::os::unix::fs::symlink(format!("/proc/self/fd/{}", open.as_raw_fd()), process.join("fd/7"))
            .unwrap();
        for (flags, is_fine) in [("0100000", false), ("02100000", true)] {
            fs::write(process.join("fdinfo/7"), format!("pos:\t0\nflags:\t{flags}\n")).unwrap();
            assert_eq!(check_in(&process, &files).is_ok(), is_fine, "{flags}");
        }
    }
}
