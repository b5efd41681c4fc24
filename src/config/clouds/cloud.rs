//! One cloud entry with its vendor profile and region, to a [`Draft`] and preferences.
//!
//! Layers from low to high (`openstack/config/loader.py:get_one`): profile, entry, the region's
//! `values`; the `auth` mapping is merged key by key, all else is replaced. Then the fix-ups of
//! `magic_fixes`: `tenant_*` is `project_*`, `auth_token` is `token`, `*endpoint_type` is
//! `*interface`, `auth_plugin` is `auth_type`, `{region_name}` is filled in.

use std::path::{Path, PathBuf};

use crate::catalog::{Interface, Region};
use crate::secret::Secret;

use super::super::draft::{Draft, Origin, SECRETS, TEXTS};
use super::super::mistakes::{Mistakes, close_name};
use super::super::openstack_env::is_version_2;
use super::super::places::Places;
use super::super::secret_file;
use super::super::services::ServiceSetting;
use super::super::settings::Placed;
use super::super::values;
use super::super::yaml::{Node, Value};
use super::layers::{Map, filled_in, flatten, place, texts, update};
use super::profile::Profile;

/// What one cloud entry says.
#[derive(Debug)]
pub(in crate::config) struct Cloud {
    pub(in crate::config) draft: Draft,
    pub(in crate::config) region: Option<Region>,
    pub(in crate::config) interfaces: Option<Vec<Interface>>,
    pub(in crate::config) services: Vec<ServiceSetting>,
    pub(in crate::config) cacert: Option<Placed<PathBuf>>,
    pub(in crate::config) cert: Option<Placed<PathBuf>>,
    pub(in crate::config) key: Option<Placed<PathBuf>>,
    pub(in crate::config) insecure: Option<Placed<bool>>,
}

/// Reads one entry.
pub(super) struct Reader<'a> {
    pub(super) name: &'a str,
    pub(super) files: String,
    pub(super) region: Option<&'a Placed<Region>>,
    pub(super) places: &'a Places,
    pub(super) warnings: &'a mut Vec<String>,
    pub(super) mistakes: &'a mut Mistakes,
}

impl Reader<'_> {
    pub(super) fn read(mut self, entry: Map, profile: Profile) -> Option<Cloud> {
        let mut map = self.under(profile, &entry)?;
        update(&mut map, entry);
        let region = self.choose_region(&mut map)?;
        if let Some(region) = &region {
            let node = Node {
                value: Value::Text(region.0.clone().into()),
                line: 0,
                file: self.files.as_str().into(),
            };
            map.insert("region_name".to_owned(), node);
        }
        let flat = flatten(&map);
        self.check_identity_version(&map);
        let draft = self.draft(&map, &flat);
        Some(Cloud {
            draft,
            interfaces: self.interfaces(&map),
            services: services(&map),
            cacert: self.path(&map, "cacert"),
            cert: self.path(&map, "cert"),
            key: self.path(&map, "key"),
            insecure: self.insecure(&map),
            region,
        })
    }

    /// The layer below the entry.
    fn under(&mut self, profile: Profile, entry: &Map) -> Option<Map> {
        match profile {
            Profile::None => Some(Map::new()),
            Profile::Missing(message) => {
                // The entry may say everything itself, and profiles are mostly about its regions.
                let auth = entry.get("auth").and_then(Node::map);
                if auth.is_some_and(|auth| auth.contains_key("auth_url")) {
                    self.warnings.push(format!("cloud `{}`: {message}; going on without it", self.name));
                    return Some(Map::new());
                }
                self.wrong(format!("{message}; write its `auth_url` and domains into the cloud's `auth`"));
                None
            }
            Profile::Found(map) => {
                let mut map = super::normalized(&map);
                let message =
                    map.remove("message").and_then(|node| node.text().map(str::to_owned)).unwrap_or_default();
                match map.remove("status").as_ref().and_then(Node::text) {
                    Some("shutdown") => {
                        self.wrong(format!("its profile is of a cloud that no longer exists. {message}"));
                        return None;
                    }
                    Some("deprecated") => {
                        self.warnings
                            .push(format!("cloud `{}`: its profile is deprecated. {message}", self.name));
                    }
                    Some(_) | None => {}
                }
                Some(map)
            }
        }
    }

    fn draft(&mut self, map: &Map, flat: &Map) -> Draft {
        let origin = Origin::Cloud { name: self.name.to_owned(), files: self.files.clone() };
        let mut draft = Draft::new(origin);
        for (key, _) in TEXTS {
            let Some(node) = flat.get(key).filter(|node| !node.is_null()) else { continue };
            match &node.value {
                Value::Text(text) if text.trim().is_empty() => {}
                Value::Text(text) => {
                    let text = text.trim();
                    let value = if key == "auth_url" { filled_in(text, map) } else { text.to_owned() };
                    draft.texts.insert(key, Placed { value, place: place(node, key) });
                }
                Value::List(_) if key == "auth_methods" => {
                    let value = texts(node).join(",");
                    draft.texts.insert(key, Placed { value, place: place(node, key) });
                }
                Value::Null | Value::List(_) | Value::Map(_) => {
                    self.mistakes.at(place(node, key), "it must be a text")
                }
            }
        }
        for (key, _) in SECRETS {
            let before = self.mistakes.len();
            if let Some((secret, file)) = self.secret(flat, key) {
                draft.secrets.insert(key, secret);
                draft.secret_files.extend(file.map(|file| (key, file)));
            } else if self.mistakes.len() > before {
                draft.unusable.insert(key);
            }
        }
        self.misspelt(map);
        draft
    }

    /// A secret, and the file that it has to itself.
    fn secret(&mut self, flat: &Map, key: &str) -> Option<(Placed<Secret>, Option<PathBuf>)> {
        let file_key = format!("{key}_file");
        match (
            flat.get(key).filter(|node| !node.is_null()),
            flat.get(&file_key).and_then(|node| Some((node, node.text()?))),
        ) {
            (Some(node), Some(_)) => {
                self.mistakes
                    .at(node.place(), format!("`{key}` and `{file_key}` are both set; remove one of them"));
                None
            }
            (Some(node), None) => match &node.value {
                Value::Text(text) if text.is_empty() => None,
                Value::Text(text) => {
                    Some((Placed { value: Secret::new(text.as_str()), place: place(node, key) }, None))
                }
                Value::Null | Value::List(_) | Value::Map(_) => {
                    self.mistakes.at(place(node, key), "it must be a text");
                    None
                }
            },
            (None, Some((node, path))) => {
                let dir = Path::new(&*node.file).parent().unwrap_or_else(|| Path::new("."));
                let path = self.places.resolve(path, dir);
                let read = secret_file::read(&path);
                let place = place(node, &file_key);
                let value = read.map_err(|message| self.mistakes.at(&place, message)).ok()?;
                Some((Placed { value, place }, Some(path)))
            }
            (None, None) => None,
        }
    }

    /// Keys below `auth` that look like a slip of the finger.
    fn misspelt(&mut self, map: &Map) {
        let known = || TEXTS.iter().chain(&SECRETS).map(|(key, _)| *key).chain(OTHER_KEYS);
        for (key, node) in map.get("auth").and_then(Node::map).into_iter().flatten() {
            if known().any(|known| known == key || key.strip_suffix("_file") == Some(known)) {
                continue;
            }
            if let Some(close) = close_name(key, known()) {
                self.warnings.push(format!(
                    "{}: `{key}` is not a key of `auth`; did you mean `{close}`?",
                    node.place()
                ));
            }
        }
    }

    fn check_identity_version(&mut self, map: &Map) {
        if let Some(node) = map.get("identity_api_version")
            && node.text().is_some_and(is_version_2)
        {
            self.mistakes.at(
                place(node, "identity_api_version"),
                "the Identity API v2.0 is not supported: Keystone has had v3 alone since 2018; remove this",
            );
        }
    }

    fn interfaces(&mut self, map: &Map) -> Option<Vec<Interface>> {
        let (key, node) =
            ["interface", "endpoint_type"].iter().find_map(|key| Some((*key, map.get(*key)?)))?;
        let texts = texts(node);
        if texts.is_empty() {
            return None;
        }
        values::interfaces(&texts).map_err(|message| self.mistakes.at(place(node, key), message)).ok()
    }

    fn path(&self, map: &Map, key: &str) -> Option<Placed<PathBuf>> {
        let node = map.get(key)?;
        let value = self.places.resolve(node.text()?, self.places.working());
        Some(Placed { value, place: place(node, key) })
    }

    /// `insecure` beats `verify`.
    fn insecure(&mut self, map: &Map) -> Option<Placed<bool>> {
        for (key, means) in [("insecure", true), ("verify", false)] {
            let Some(node) = map.get(key) else { continue };
            let Some(text) = node.text() else { continue };
            match values::boolean(text) {
                Ok(value) => return Some(Placed { value: value == means, place: place(node, key) }),
                Err(message) => {
                    self.mistakes.at(place(node, key), message);
                    return None;
                }
            }
        }
        None
    }

    fn wrong(&mut self, message: String) {
        self.mistakes.at(format!("cloud `{}` in {}", self.name, self.files), message);
    }
}

fn services(map: &Map) -> Vec<ServiceSetting> {
    let texts = map.iter().map(|(key, node)| (key, node, texts(node).join(",")));
    texts
        .filter(|(_, _, text)| !text.is_empty())
        .filter_map(|(key, node, text)| ServiceSetting::new(key, &filled_in(&text, map), &place(node, key)))
        .collect()
}

/// The old spellings of keys below `auth`.
const OTHER_KEYS: [&str; 4] = ["tenant_id", "tenant_name", "auth_token", "user_name"];
