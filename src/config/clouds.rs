//! `clouds.yaml`, `secure.yaml` and `clouds-public.yaml`, found and laid over each other as
//! openstacksdk does (`openstack/config/loader.py`).
//!
//! 1. The first file that exists counts, in the working directory, the user's directories and
//!    the system's; a variable may name one before all. Several `clouds.yaml` are never merged.
//! 2. A file that we may not read is passed over, and told if anything is missing afterwards.
//! 3. `secure.yaml` is merged over `clouds.yaml`, mapping by mapping.
//! 4. Unlike there, a file that is broken is a mistake, not a warning, and so is a file
//!    that was named but does not exist.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use zeroize::Zeroizing;

use self::cloud::Cloud;
use self::profile::Profile;
use super::env::Environment;
use super::file::is_missing;
use super::mistakes::{Mistakes, did_you_mean, unreadable};
use super::places::Places;
use super::settings::Placed;
use super::values;
use super::yaml::{self, Node, Value};
use crate::catalog::Region;

pub(super) mod cloud;
mod layers;
#[cfg(any(test, fuzzing))]
pub(crate) mod oracle;
mod profile;
mod region;

/// All clouds that the files hold.
#[derive(Debug)]
pub(super) struct Clouds {
    clouds: BTreeMap<String, Node>,
    profiles: BTreeMap<String, Node>,
    /// `clouds.yaml` and `secure.yaml`, as far as they were found.
    pub(super) files: Vec<PathBuf>,
    /// `clouds-public.yaml`, if it was found.
    pub(super) public_file: Option<PathBuf>,
    /// Files that we may not read, a sentence each.
    pub(super) unreadable: Vec<String>,
    /// Whether openstacksdk is to keep tokens over runs (`cache: {auth: true}`).
    pub(super) keeps_tokens: bool,
}

impl Clouds {
    /// Reads the files.
    pub(super) fn load(env: &dyn Environment, places: &Places, mistakes: &mut Mistakes) -> Self {
        let mut finder = Finder { env, places, mistakes, files: Vec::new(), unreadable: Vec::new() };
        let mut tree = finder.find("clouds", Some("OS_CLIENT_CONFIG_FILE"));
        yaml::merge(&mut tree, finder.find("secure", Some("OS_CLIENT_SECURE_FILE")));
        let files = std::mem::take(&mut finder.files);
        let mut public = finder.find("clouds-public", None);
        let Finder { files: mut public_files, unreadable, .. } = finder;
        let cache =
            tree.get("cache").and_then(Node::map).and_then(|cache| cache.get("auth")).and_then(Node::text);
        let keeps_tokens = cache.is_some_and(|auth| values::boolean(auth) == Ok(true));
        let clouds = mapping(&mut tree, "clouds", mistakes);
        let profiles = mapping(&mut public, "public-clouds", mistakes);
        Self { clouds, profiles, files, public_file: public_files.pop(), unreadable, keeps_tokens }
    }

    /// The name of the only cloud there is.
    pub(super) fn only(&self) -> Option<&str> {
        if self.clouds.len() == 1 { self.clouds.keys().next().map(String::as_str) } else { None }
    }

    /// The names of all clouds.
    pub(super) fn names(&self) -> Vec<&str> {
        self.clouds.keys().map(String::as_str).collect()
    }

    /// The files that the clouds come from, for messages.
    pub(super) fn place(&self) -> String {
        let files: Vec<_> = self.files.iter().map(|file| file.display().to_string()).collect();
        files.join(" and ")
    }

    /// One cloud, in the region asked for if there is a choice.
    pub(super) fn cloud(
        &self,
        name: &Placed<String>,
        region: Option<&Placed<Region>>,
        places: &Places,
        warnings: &mut Vec<String>,
        mistakes: &mut Mistakes,
    ) -> Option<Cloud> {
        let Some(entry) = self.clouds.get(&name.value) else {
            mistakes.at(&name.place, self.unknown(&name.value, places));
            return None;
        };
        let Some(map) = entry.map() else {
            mistakes.at(entry.place(), format!("cloud `{}` is not a mapping of keys to values", name.value));
            return None;
        };
        let map = normalized(map);
        let profile = match map.get("profile").or_else(|| map.get("cloud")).and_then(Node::text) {
            Some(profile) => profile::find(profile, &self.profiles, warnings),
            None => Profile::None,
        };
        let reader =
            cloud::Reader { name: &name.value, files: self.place(), region, places, warnings, mistakes };
        reader.read(map, profile)
    }

    fn unknown(&self, name: &str, places: &Places) -> String {
        if self.files.is_empty() {
            let searched: Vec<_> =
                places.openstack_files("clouds").iter().map(|path| format!("\n{}", path.display())).collect();
            return format!(
                "there is no clouds.yaml that could hold cloud `{name}`; looked for{}",
                searched.concat()
            );
        }
        if self.clouds.is_empty() {
            return format!("there is no cloud `{name}`: {} holds no `clouds`", self.place());
        }
        let names = self.names();
        format!(
            "there is no cloud `{name}` in {}; it holds {}{}",
            self.place(),
            names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", "),
            did_you_mean(name, names)
        )
    }
}

/// Keys with `-` for `_`, as openstacksdk takes either.
fn normalized(map: &BTreeMap<String, Node>) -> BTreeMap<String, Node> {
    let renamed = map.iter().map(|(key, node)| (key.replace('-', "_"), node.clone()));
    let mut map: BTreeMap<String, Node> = renamed.collect();
    if let Some(Node { value: Value::Map(auth), .. }) = map.get_mut("auth") {
        *auth = auth.iter().map(|(key, node)| (key.replace('-', "_"), node.clone())).collect();
    }
    map
}

/// Takes the mapping below `key` out of a file's tree.
fn mapping(tree: &mut BTreeMap<String, Node>, key: &str, mistakes: &mut Mistakes) -> BTreeMap<String, Node> {
    match tree.remove(key) {
        Some(Node { value: Value::Map(map), .. }) => map,
        Some(node) if !node.is_null() => {
            mistakes.at(node.place(), format!("`{key}` is not a mapping of names to clouds"));
            BTreeMap::new()
        }
        Some(_) | None => BTreeMap::new(),
    }
}

struct Finder<'a> {
    env: &'a dyn Environment,
    places: &'a Places,
    mistakes: &'a mut Mistakes,
    files: Vec<PathBuf>,
    unreadable: Vec<String>,
}

impl Finder<'_> {
    /// The tree of the first file there is.
    fn find(&mut self, stem: &str, variable: Option<&str>) -> BTreeMap<String, Node> {
        let named = variable.and_then(|variable| Some((variable, self.env.get(variable)?)));
        if let Some((variable, path)) = named {
            let path = self.places.resolve(&path, self.places.working());
            match read(&path) {
                Ok(text) => return self.parse(path, &text),
                Err(error) => self.mistakes.at(variable, unreadable(&path, &error)),
            }
            return BTreeMap::new();
        }
        for path in self.places.openstack_files(stem) {
            match read(&path) {
                Ok(text) => return self.parse(path, &text),
                Err(error) if is_missing(&error) => {}
                Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                    self.pass_over(&path, &error);
                }
                Err(error) => {
                    self.mistakes.add(unreadable(&path, &error));
                    return BTreeMap::new();
                }
            }
        }
        BTreeMap::new()
    }

    /// Tells of a file, or once of the directory where not even its names can be seen.
    fn pass_over(&mut self, path: &Path, error: &io::Error) {
        let hidden = path.parent().filter(|_| path.symlink_metadata().is_err());
        let told = match hidden {
            Some(directory) => format!("{} was not searched: {error}", directory.display()),
            None => format!("{} was passed over: {error}", path.display()),
        };
        if !self.unreadable.contains(&told) {
            self.unreadable.push(told);
        }
    }

    fn parse(&mut self, path: PathBuf, text: &str) -> BTreeMap<String, Node> {
        let file: Arc<str> = Arc::from(path.display().to_string());
        self.files.push(path);
        yaml::parse(text, &file).unwrap_or_else(|error| {
            self.mistakes.at(file, error.to_string());
            BTreeMap::new()
        })
    }
}

fn read(path: &Path) -> io::Result<Zeroizing<String>> {
    let mut text = Zeroizing::new(String::new());
    File::open(path)?.take(LARGEST + 1).read_to_string(&mut text)?;
    if text.len() as u64 > LARGEST {
        return Err(io::Error::new(
            io::ErrorKind::FileTooLarge,
            format!("it is larger than {LARGEST} bytes"),
        ));
    }
    Ok(text)
}

/// A thousand clouds fit.
const LARGEST: u64 = 1024 * 1024;
