//! A secret that lies in a file of its own: a mounted Kubernetes secret, a systemd
//! credential, `OS_PASSWORD_FILE`.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use zeroize::Zeroizing;

use super::mistakes::unreadable;
use crate::secret::Secret;

/// Reads a secret; the newline that editors put at the end is not part of it.
pub(super) fn read(path: &Path) -> Result<Secret, String> {
    let failed = |error: &std::io::Error| unreadable(path, error);
    let mut bytes = Zeroizing::new(Vec::with_capacity(4096));
    let file = File::open(path).map_err(|error| failed(&error))?;
    file.take(LONGEST + 1).read_to_end(&mut bytes).map_err(|error| failed(&error))?;
    if bytes.len() as u64 > LONGEST {
        return Err(format!("{} is longer than a secret can be ({LONGEST} bytes)", path.display()));
    }
    let text = std::str::from_utf8(&bytes).map_err(|_| format!("{} is not UTF-8 text", path.display()))?;
    let text = text.strip_suffix('\n').map_or(text, |text| text.strip_suffix('\r').unwrap_or(text));
    if text.trim().is_empty() {
        return Err(format!("{} is empty", path.display()));
    }
    Ok(Secret::new(text))
}

/// A token with a long catalog inside is the longest secret there is.
const LONGEST: u64 = 64 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_newline_at_the_end_is_not_part_of_the_secret() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("secret");
        for (written, meant) in
            [("s", "s"), ("s\n", "s"), ("s\r\n", "s"), (" s \n", " s "), ("a\nb\n", "a\nb"), ("s\n\n", "s\n")]
        {
            std::fs::write(&path, written).unwrap();
            assert_eq!(read(&path).unwrap().expose(), meant);
        }
    }

    #[test]
    fn what_is_no_secret_is_refused_by_path_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("secret");
        assert!(read(&path).unwrap_err().starts_with("cannot read "));
        std::fs::write(&path, "\n").unwrap();
        assert!(read(&path).unwrap_err().ends_with("is empty"));
        std::fs::write(&path, b"hunter2\xff").unwrap();
        assert!(read(&path).unwrap_err().ends_with("is not UTF-8 text"));
        std::fs::write(&path, vec![b'x'; 70_000]).unwrap();
        assert!(read(&path).unwrap_err().contains("longer"));
        assert!(read(dir.path()).is_err());
    }
}
