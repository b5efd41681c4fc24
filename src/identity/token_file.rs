//! The token in a file of its own, for tools that only read one.
//!
//! The file holds exactly the token, without a newline, as the file sink of Vault's agent does, so
//! that `$(cat FILE)` and programs that take every byte both work. It is replaced as a whole
//! (`private_file`), so a reader gets the old token or the new one.

use std::io;
use std::path::{Path, PathBuf};

use http::HeaderValue;

use super::private_file::{self, apart};

/// Why the file of the token is not as it should be.
#[derive(Debug, thiserror::Error)]
pub enum TokenFileError {
    /// It could not be written.
    #[error(
        "the token cannot be written to {}: {source}; let this user write its folder, or set token_file to \
         another place",
        path.display()
    )]
    NotWritten {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// It could not be removed.
    #[error("{} cannot be removed: {source}; it still holds a token, so remove it by hand", path.display())]
    NotRemoved {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
}

/// Puts the token there, in place of what is there.
pub async fn write(path: &Path, token: &HeaderValue) -> Result<(), TokenFileError> {
    let (to, token) = (path.to_owned(), token.clone());
    let written = apart(move || private_file::replace(&to, token.as_bytes())).await;
    written.map_err(|source| TokenFileError::NotWritten { path: path.to_owned(), source })
}

/// Takes the file away; that there is none is fine.
pub async fn remove(path: &Path) -> Result<(), TokenFileError> {
    let file = path.to_owned();
    match apart(move || std::fs::remove_file(file)).await {
        Err(source) if source.kind() != io::ErrorKind::NotFound => {
            Err(TokenFileError::NotRemoved { path: path.to_owned(), source })
        }
        Ok(()) | Err(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[tokio::test]
    async fn the_file_holds_the_token_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("token");
        for token in ["gAAAA-first-which-is-longer", "gAAAA-second"] {
            write(&path, &HeaderValue::from_static(token)).await.unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), token);
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
        remove(&path).await.unwrap();
        assert!(!path.exists());
        remove(&path).await.unwrap();
    }

    #[tokio::test]
    async fn what_goes_wrong_says_what_to_do() {
        let dir = tempfile::tempdir().unwrap();
        let token = HeaderValue::from_static("gAAAA-secret");
        let error = write(&dir.path().join("no/token"), &token).await.unwrap_err().to_string();
        assert!(
            error.ends_with("let this user write its folder, or set token_file to another place"),
            "{error}"
        );
        assert!(!error.contains("gAAAA"), "{error}");
        let error = remove(dir.path()).await.unwrap_err().to_string();
        assert!(error.ends_with("remove it by hand"), "{error}");
    }
}
