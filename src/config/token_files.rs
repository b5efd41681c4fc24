//! The files that the token is written to: what is wrong with them is told before anything is sent.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::identity::store::lock_path;

use super::mistakes::Mistakes;
use super::settings::Settings;

/// Each file must have a folder and be none of those that were `read`, and what is set must not
/// contradict itself.
pub(super) fn check(settings: &Settings, read: &[PathBuf], mistakes: &mut Mistakes) {
    let (cache, file) = (settings.token_cache.as_ref(), settings.token_file.as_ref());
    for path in [cache, file].into_iter().flatten() {
        if let Err(message) = writable(&path.value) {
            mistakes.at(&path.place, message);
        }
        if read.iter().any(|read| whole(read) == whole(&path.value)) {
            mistakes.at(
                &path.place,
                format!(
                    "{} holds settings, which the token would overwrite; name another file",
                    path.value.display()
                ),
            );
        }
    }
    if let (Some(cache), Some(file)) = (cache, file) {
        let taken = [cache.value.clone(), lock_path(&cache.value)];
        if taken.iter().any(|path| whole(path) == whole(&file.value)) {
            mistakes.at(
                &file.place,
                format!(
                    "{} is where {} keeps the token already; name another file",
                    file.value.display(),
                    cache.place
                ),
            );
        }
    }
    if let (Some(cache), Some(revoke)) = (cache, settings.revoke_on_exit.as_ref().filter(|it| it.value)) {
        mistakes.at(
            &revoke.place,
            format!(
                "a token that is revoked on exit is of no use to the next start, for which {} keeps it; \
                 set one of the two",
                cache.place
            ),
        );
    }
}

/// Whether a file can be put there, as far as can be told without trying.
fn writable(path: &Path) -> Result<(), String> {
    let shown = path.display();
    if fs::metadata(path).is_ok_and(|found| !found.is_file()) || path.file_name().is_none() {
        return Err(format!("{shown} is not a plain file; name one in a folder of your own"));
    }
    let folder = folder(path);
    match fs::metadata(folder) {
        Ok(found) if found.is_dir() => Ok(()),
        Ok(_) => Err(format!("{} is not a folder, so {shown} cannot be written", folder.display())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Err(format!("the folder {} does not exist; create it, or name another file", folder.display()))
        }
        Err(error) => Err(format!(
            "the folder {} cannot be used: {error}; let this user use it, or name another file",
            folder.display()
        )),
    }
}

fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// A path in its one spelling, for comparison; its last part is not followed, since a file that is
/// put there replaces a link.
fn whole(path: &Path) -> PathBuf {
    match (fs::canonicalize(folder(path)), path.file_name()) {
        (Ok(folder), Some(name)) => folder.join(name),
        _ => path.to_owned(),
    }
}
