//! Directories that the configuration is looked for in, and what a path in it means.
//!
//! | written in | relative to |
//! |---|---|
//! | a flag or a variable | the working directory |
//! | `gatestone.toml` | the directory of that file |
//! | `clouds.yaml`: `cacert`, `cert`, `key` | the working directory, as in the OpenStack clients |
//! | `clouds.yaml`: `password_file` and its like | the directory of that file |
//!
//! A leading `~/` is the home directory everywhere.

use std::path::{Path, PathBuf};

use super::env::Environment;

/// The directories of one process.
#[derive(Clone, Debug)]
pub struct Places {
    working: PathBuf,
    home: Option<PathBuf>,
    config_home: Option<PathBuf>,
    openstack: Vec<PathBuf>,
    etc: PathBuf,
}

impl Places {
    /// The directories of this process.
    pub fn of_process(env: &dyn Environment) -> Self {
        let working = std::env::current_dir().unwrap_or_else(|_| PathBuf::from("."));
        Self::new(env, working, PathBuf::from("/etc"))
    }

    /// The directories that the environment's `HOME` and `XDG_*` name, around a working
    /// directory and a system directory.
    pub fn new(env: &dyn Environment, working: PathBuf, etc: PathBuf) -> Self {
        let path = |name| env.get(name).map(PathBuf::from).filter(|path| path.is_absolute());
        let home = path("HOME");
        let config_home = path("XDG_CONFIG_HOME").or_else(|| home.as_ref().map(|home| home.join(".config")));
        // openstacksdk, `openstack/config/loader.py:CONFIG_SEARCH_PATH`: a snap's HOME is not the user's.
        let users = path("SNAP_REAL_HOME").or_else(|| home.clone()).map(|home| home.join(".config"));
        let site = match env.get("XDG_CONFIG_DIRS") {
            Some(list) => list.split(':').map(PathBuf::from).filter(|path| path.is_absolute()).collect(),
            None => vec![etc.join("xdg")],
        };
        let mut openstack = vec![working.clone()];
        let wider = config_home.iter().cloned().chain(users).chain(site).chain([etc.clone()]);
        for dir in wider.map(|dir| dir.join("openstack")) {
            if !openstack.contains(&dir) {
                openstack.push(dir);
            }
        }
        Self { working, home, config_home, openstack, etc }
    }

    /// The working directory.
    pub(super) fn working(&self) -> &Path {
        &self.working
    }

    /// Where `gatestone.toml` is looked for, the first that exists counting.
    pub(super) fn own_files(&self) -> Vec<PathBuf> {
        let dirs = self.config_home.iter().chain([&self.etc]);
        dirs.map(|dir| dir.join("gatestone").join("gatestone.toml")).collect()
    }

    /// Where `clouds.yaml` (`stem` `clouds`) and its companions are looked for.
    pub(super) fn openstack_files(&self, stem: &str) -> Vec<PathBuf> {
        let names = ["yaml", "yml", "json"].map(|suffix| format!("{stem}.{suffix}"));
        self.openstack.iter().flat_map(|dir| names.iter().map(|name| dir.join(name))).collect()
    }

    /// The file that `written` means where paths are relative to `base`.
    pub(super) fn resolve(&self, written: &str, base: &Path) -> PathBuf {
        match (written, written.strip_prefix("~/"), &self.home) {
            ("~", _, Some(home)) => home.clone(),
            (_, Some(rest), Some(home)) => home.join(rest),
            _ => base.join(written),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn places(variables: &[(&str, &str)]) -> Places {
        let env: BTreeMap<String, String> =
            variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Places::new(&env, PathBuf::from("/here"), PathBuf::from("/etc"))
    }

    fn dirs(places: &Places) -> Vec<String> {
        places.openstack.iter().map(|dir| dir.display().to_string()).collect()
    }

    #[test]
    fn the_search_path_is_that_of_openstacksdk() {
        assert_eq!(
            dirs(&places(&[("HOME", "/home/u")])),
            ["/here", "/home/u/.config/openstack", "/etc/xdg/openstack", "/etc/openstack"]
        );
        assert_eq!(
            dirs(&places(&[
                ("HOME", "/home/u/snap"),
                ("SNAP_REAL_HOME", "/home/u"),
                ("XDG_CONFIG_HOME", "/x")
            ])),
            ["/here", "/x/openstack", "/home/u/.config/openstack", "/etc/xdg/openstack", "/etc/openstack"]
        );
        assert_eq!(
            dirs(&places(&[("XDG_CONFIG_DIRS", "/a:/b")])),
            ["/here", "/a/openstack", "/b/openstack", "/etc/openstack"]
        );
    }

    #[test]
    fn a_tilde_is_home_and_the_rest_is_relative_to_its_base() {
        let places = places(&[("HOME", "/home/u")]);
        for (written, meant) in [
            ("~/ca.pem", "/home/u/ca.pem"),
            ("~", "/home/u"),
            ("ca.pem", "/base/ca.pem"),
            ("/ca.pem", "/ca.pem"),
            ("~other/ca.pem", "/base/~other/ca.pem"),
        ] {
            assert_eq!(places.resolve(written, Path::new("/base")), Path::new(meant));
        }
        assert_eq!(places.own_files()[0], Path::new("/home/u/.config/gatestone/gatestone.toml"));
    }
}
