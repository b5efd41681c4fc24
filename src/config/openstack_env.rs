//! The `OS_*` variables of openrc files: a login, and preferences about endpoints and TLS.

use std::path::PathBuf;

use crate::secret::Secret;

use super::draft::{Draft, Origin, SECRETS, TEXTS};
use super::env::Environment;
use super::mistakes::{Mistakes, close_name};
use super::places::Places;
use super::secret_file;
use super::services::ServiceSetting;
use super::settings::{Base, Given, Placed, Settings};

/// The login that the variables describe, complete or not.
pub(super) fn draft(env: &dyn Environment, places: &Places, mistakes: &mut Mistakes) -> Draft {
    let mut draft = Draft::new(Origin::Environment);
    for (key, variables) in TEXTS {
        if let Some((variable, value)) = first_set(env, variables) {
            let value = value.trim().to_owned();
            if !value.is_empty() {
                draft.texts.insert(key, Placed { value, place: variable.to_owned() });
            }
        }
    }
    for (key, variables) in SECRETS {
        let before = mistakes.len();
        if let Some((secret, file)) = secret(env, variables, places, mistakes) {
            draft.secrets.insert(key, secret);
            draft.secret_files.extend(file.map(|file| (key, file)));
        } else if mistakes.len() > before {
            draft.unusable.insert(key);
        }
    }
    if let Some(version) = env.get("OS_IDENTITY_API_VERSION").filter(|version| is_version_2(version)) {
        mistakes.at(
            "OS_IDENTITY_API_VERSION",
            format!(
                "`{}` is not supported: Keystone has had v3 alone since 2018; unset it or set it to 3",
                version.trim()
            ),
        );
    }
    draft
}

/// Whether an `identity_api_version` means the API that is gone.
pub(super) fn is_version_2(text: &str) -> bool {
    let text = text.trim().trim_start_matches('v');
    text == "2" || text.starts_with("2.")
}

/// Puts what is not about the login into the settings.
pub(super) fn settings(
    env: &dyn Environment,
    places: &Places,
    settings: &mut Settings,
    mistakes: &mut Mistakes,
) {
    let base = Base { places, dir: places.working() };
    for (name, variables) in SETTINGS {
        if let Some((variable, value)) = first_set(env, variables) {
            settings.set(name, &Given::Text(value), variable, base, mistakes);
        }
    }
}

/// `OS_<SERVICE>_ENDPOINT_OVERRIDE` and its relatives.
pub(super) fn services(env: &dyn Environment) -> Vec<ServiceSetting> {
    let mut names = env.names();
    names.sort();
    let setting = |name: &String| {
        let key = name.strip_prefix("OS_")?.to_lowercase();
        // `OS_<..>_ENDPOINT` alone is too many other things, among them variables of test suites.
        let known = ["_endpoint_override", "_interface", "_endpoint_type", "_region_name"];
        known.iter().any(|suffix| key.ends_with(suffix)).then_some(())?;
        ServiceSetting::new(&key, &env.get(name)?, name)
    };
    names.iter().filter_map(setting).collect()
}

/// A sentence for each variable that looks like a slip of the finger.
pub(super) fn misspelt(env: &dyn Environment) -> Vec<String> {
    let mut names = env.names();
    names.sort();
    let hint = |name: &String| {
        if !name.starts_with("OS_") || is_known(name) {
            return None;
        }
        let close = close_name(name, known())?;
        Some(format!("{name} is not a variable that OpenStack clients know; did you mean {close}?"))
    };
    names.iter().filter_map(hint).collect()
}

fn known() -> impl Iterator<Item = &'static str> {
    let texts = TEXTS.iter().chain(&SECRETS).chain(&SETTINGS).flat_map(|(_, variables)| variables.iter());
    texts.chain(&OTHERS).copied()
}

fn is_known(name: &str) -> bool {
    let bare = name.strip_suffix("_FILE").unwrap_or(name);
    // As openstacksdk: variables of test suites and logging are not about clouds.
    known().any(|known| known == name || known == bare)
        || ["OS_TEST", "OS_STD", "OS_LOG"].iter().any(|prefix| name.starts_with(prefix))
        || ["_API_VERSION", "_ENDPOINT_OVERRIDE", "_INTERFACE", "_ENDPOINT_TYPE"].iter().any(|end| name.ends_with(end))
        // A service's region; the bare variable misspelt has no more than two words in front.
        || name.strip_suffix("_REGION_NAME").is_some_and(|service| service.len() > "OS_XX".len())
}

/// A secret's own variable, its `_FILE`, or the service manager's credential named like it;
/// with the file it was read from.
pub(super) fn secret(
    env: &dyn Environment,
    variables: &[&str],
    places: &Places,
    mistakes: &mut Mistakes,
) -> Option<(Placed<Secret>, Option<PathBuf>)> {
    let text = first_set(env, variables);
    let files: Vec<String> = variables.iter().map(|variable| format!("{variable}_FILE")).collect();
    let file = files.iter().find_map(|variable| Some((variable.as_str(), env.get(variable)?)));
    match (text, file) {
        (Some((variable, _)), Some((file, _))) => {
            mistakes.add(format!("{variable} and {file} are both set; unset one of them"));
            None
        }
        (Some((variable, value)), None) => {
            Some((Placed { value: Secret::new(value), place: variable.to_owned() }, None))
        }
        (None, Some((variable, path))) => {
            let path = places.resolve(&path, places.working());
            let read = secret_file::read(&path);
            let value = read.map_err(|message| mistakes.at(variable, message)).ok()?;
            Some((Placed { value, place: variable.to_owned() }, Some(path)))
        }
        (None, None) => credential(env, variables, mistakes),
    }
}

/// systemd's `LoadCredential=os_password:..` (systemd.exec(5), `CREDENTIALS_DIRECTORY`).
fn credential(
    env: &dyn Environment,
    variables: &[&str],
    mistakes: &mut Mistakes,
) -> Option<(Placed<Secret>, Option<PathBuf>)> {
    let dir = env.get("CREDENTIALS_DIRECTORY")?;
    let name = variables.first()?.to_lowercase();
    let path = PathBuf::from(dir).join(&name);
    if !path.exists() {
        return None;
    }
    let place = format!("credential {name}");
    let value = secret_file::read(&path).map_err(|message| mistakes.at(&place, message)).ok()?;
    Some((Placed { value, place }, Some(path)))
}

fn first_set<'a>(env: &dyn Environment, variables: &[&'a str]) -> Option<(&'a str, String)> {
    variables.iter().find_map(|variable| Some((*variable, env.get(variable)?)))
}

/// Settings of ours that OpenStack has variables for.
const SETTINGS: [(&str, &[&str]); 7] = [
    ("cloud", &["OS_CLOUD"]),
    ("region", &["OS_REGION_NAME"]),
    ("interface", &["OS_INTERFACE", "OS_ENDPOINT_TYPE"]),
    ("cacert", &["OS_CACERT"]),
    ("cert", &["OS_CERT"]),
    ("key", &["OS_KEY"]),
    ("insecure", &["OS_INSECURE"]),
];

/// Variables of other clients, which are nobody's slip.
const OTHERS: [&str; 8] = [
    "OS_CLIENT_CONFIG_FILE",
    "OS_CLIENT_SECURE_FILE",
    "OS_CLOUD_NAME",
    "OS_IDENTITY_API_VERSION",
    "OS_STORAGE_URL",
    "OS_SERVICE_TYPE",
    "OS_TENANT",
    "OS_USER",
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::path::PathBuf;

    use super::*;

    fn env(variables: &[(&str, &str)]) -> BTreeMap<String, String> {
        variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    fn drafted(variables: &[(&str, &str)]) -> (Draft, Mistakes) {
        let env = env(variables);
        let places = Places::new(&env, PathBuf::from("/here"), PathBuf::from("/etc"));
        let mut mistakes = Mistakes::default();
        (draft(&env, &places, &mut mistakes), mistakes)
    }

    #[test]
    fn older_names_stand_back() {
        let (draft, _) = drafted(&[("OS_TENANT_ID", "old"), ("OS_PROJECT_ID", "new"), ("OS_USERID", "u")]);
        assert_eq!((draft.text("project_id"), draft.text("user_id")), (Some("new"), Some("u")));
        assert_eq!(draft.name("user_id"), "OS_USERID");
        assert_eq!(draft.name("user_domain_id"), "OS_USER_DOMAIN_ID");
    }

    #[test]
    fn secrets_come_from_files_and_credentials_too() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("os_password");
        std::fs::write(&path, "hunter2\n").unwrap();
        let path = path.to_str().unwrap();
        let (draft, mistakes) = drafted(&[("OS_PASSWORD_FILE", path)]);
        assert!(mistakes.is_empty(), "{mistakes}");
        assert_eq!(draft.secrets["password"].value.expose(), "hunter2");
        let (draft, _) = drafted(&[("CREDENTIALS_DIRECTORY", dir.path().to_str().unwrap())]);
        assert_eq!(draft.secrets["password"].place, "credential os_password");
        let (_, mistakes) = drafted(&[("OS_PASSWORD", "x"), ("OS_PASSWORD_FILE", path)]);
        assert!(mistakes.to_string().contains("OS_PASSWORD and OS_PASSWORD_FILE are both set"));
        let (_, mistakes) = drafted(&[("OS_TOKEN_FILE", "/nowhere/token")]);
        assert!(mistakes.to_string().contains("OS_TOKEN_FILE: cannot read /nowhere/token"));
    }

    #[test]
    fn identity_v2_is_a_clear_mistake() {
        for (version, fine) in [("2", false), ("2.0", false), ("v2.0", false), ("3", true), ("3.14", true)] {
            assert_eq!(drafted(&[("OS_IDENTITY_API_VERSION", version)]).1.is_empty(), fine, "{version}");
        }
    }

    #[test]
    fn slips_are_noticed_and_the_variables_of_others_are_not() {
        let found = misspelt(&env(&[
            ("OS_PROJCT_NAME", "x"),
            ("OS_PASSWROD", "hunter2"),
            ("OS_REGOIN_NAME", "x"),
            ("OS_PASSWORD_FILE", "x"),
            ("OS_COMPUTE_API_VERSION", "2"),
            ("OS_DNS_REGION_NAME", "x"),
            ("OS_IMAGE_ENDPOINT_OVERRIDE", "x"),
            ("OS_TEST_PATH", "x"),
            ("OS_USER", "x"),
            ("OS_RELEASE", "x"),
            ("PATH", "x"),
        ]));
        let meant: Vec<_> = found.iter().filter_map(|hint| hint.rsplit(' ').next()).collect();
        assert_eq!(meant, ["OS_PASSWORD?", "OS_PROJECT_NAME?", "OS_REGION_NAME?"]);
        assert!(!found.concat().contains("hunter2"));
    }

    #[test]
    fn services_have_variables() {
        let found = services(&env(&[
            ("OS_BLOCK_STORAGE_ENDPOINT_OVERRIDE", "https://h"),
            ("OS_OBJECT_STORE_REGION_NAME", "GRA"),
            ("OS_REGION_NAME", "X"),
            ("OS_INTERFACE", "public"),
            ("OS_SOME_ENDPOINT", "https://h"),
        ]));
        assert_eq!(found.len(), 2);
    }
}
