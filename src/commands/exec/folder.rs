//! A folder with a `clouds.yaml` and a `secure.yaml` for the command, in place of the caller's.
//!
//! openstacksdk reads the first file that exists, those of `OS_CLIENT_CONFIG_FILE` and `OS_CLIENT_SECURE_FILE`
//! before all others (`config/loader.py`); gophercloud reads that one alone, and `secure.yaml` beside it. In ours,
//! the cloud `gatestone` is the proxy, and so is the name that the caller's cloud has, so that commands that ask
//! for it by name find it.

use std::fs;
use std::io;

use tempfile::TempDir;

use crate::tools::{self, Held, Variables};

/// The folder; it goes when this is dropped.
pub(super) struct Folder(TempDir);

impl Folder {
    /// Made with mode 0700, although there is no secret in it.
    pub(super) fn make(cloud: Option<&str>, url: &str, held: &Held) -> io::Result<Self> {
        let dir = tempfile::Builder::new().prefix("gatestone-exec-").tempdir()?;
        // openstacksdk calls the login of the variables a cloud of that name, and accepts no second.
        let own = cloud.filter(|name| *name != "envvars" && *name != "gatestone");
        let names: Vec<&str> = ["gatestone"].into_iter().chain(own).collect();
        fs::write(dir.path().join(CLOUDS), tools::clouds_yaml(&names, url, held))?;
        fs::write(dir.path().join(SECURE), tools::clouds_yaml(&[], url, held))?;
        Ok(Self(dir))
    }

    /// What makes clients read it.
    pub(super) fn variables(&self) -> Variables {
        [("OS_CLIENT_CONFIG_FILE", CLOUDS), ("OS_CLIENT_SECURE_FILE", SECURE)]
            .map(|(name, file)| (name.to_owned(), self.0.path().join(file).display().to_string()))
            .to_vec()
    }
}

const CLOUDS: &str = "clouds.yaml";
const SECURE: &str = "secure.yaml";

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn it_goes_with_the_command() {
        let folder = Folder::make(Some("ovh"), "http://127.0.0.1:1", &Held::default()).unwrap();
        let [(_, clouds), (_, secure)] = folder.variables().try_into().unwrap();
        let (text, empty) = (fs::read_to_string(&clouds).unwrap(), fs::read_to_string(&secure).unwrap());
        assert!(text.contains("\"ovh\"") && text.contains("\"gatestone\""), "{text}");
        assert_eq!(empty, "{\n  \"clouds\": {}\n}\n");
        drop(folder);
        assert!(!Path::new(&clouds).exists() && !Path::new(&secure).exists());
    }

    #[test]
    fn no_cloud_is_named_as_openstacksdk_names_the_variables() {
        let folder = Folder::make(Some("envvars"), "http://127.0.0.1:1", &Held::default()).unwrap();
        assert!(!fs::read_to_string(&folder.variables()[0].1).unwrap().contains("envvars"));
    }
}
