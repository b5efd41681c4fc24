//! Our own file, `gatestone.toml`: settings at the top, `[[listener]]` and `[service.NAME]` tables below.
//!
//! Read by hand rather than derived, so that all mistakes are found in one go and each
//! has its line.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use toml::de::{DeArray, DeTable, DeValue};

use crate::catalog::Region;
use crate::proxy::{Rate, Rule};
use crate::routing::ServicePreferences;

use super::listeners::Table;
use super::mistakes::{Mistakes, did_you_mean, unreadable};
use super::pace;
use super::places::Places;
use super::rules;
use super::services;
use super::settings::{Base, Given, NAMES, Settings};
use super::values;

/// What the file holds.
#[derive(Clone, Debug, Default)]
pub(super) struct File {
    /// Where it was found.
    pub(super) path: Option<PathBuf>,
    /// Its `[service.NAME]` tables by official service type.
    pub(super) services: BTreeMap<String, ServicePreferences>,
    /// Their rates, where they have one.
    pub(super) rates: BTreeMap<String, Rate>,
    /// Its `[[listener]]` tables.
    pub(super) listeners: Vec<Table>,
}

/// Reads the file at `explicit`, else the first there is; none is fine unless it was asked for.
pub(super) fn load(
    explicit: Option<(&Path, &str)>,
    places: &Places,
    settings: &mut Settings,
    mistakes: &mut Mistakes,
) -> File {
    let candidates = match explicit {
        Some((path, _)) => vec![path.to_owned()],
        None => places.own_files(),
    };
    for path in candidates {
        match std::fs::read_to_string(&path) {
            Ok(text) => {
                let mut reader = Reader { path: &path, text: &text, places, settings, mistakes };
                return File { path: Some(path.clone()), ..reader.read() };
            }
            Err(error) if explicit.is_none() && is_missing(&error) => {}
            Err(error) => {
                let place = explicit.map(|(_, place)| format!("{place}: ")).unwrap_or_default();
                mistakes.add(format!("{place}{}", unreadable(&path, &error)));
                return File::default();
            }
        }
    }
    File::default()
}

/// Whether an error says that there is no such file.
pub(super) fn is_missing(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

struct Reader<'a> {
    path: &'a Path,
    text: &'a str,
    places: &'a Places,
    settings: &'a mut Settings,
    mistakes: &'a mut Mistakes,
}

impl<'a> Reader<'a> {
    fn read(&mut self) -> File {
        let mut file = File::default();
        let table = match DeTable::parse(self.text) {
            Ok(table) => table.into_inner(),
            Err(error) => {
                let place = self.place(error.span().map_or(0, |span| span.start), None);
                self.mistakes.at(place, error.message());
                return file;
            }
        };
        for (key, value) in &table {
            let (name, place) = (key.get_ref().as_ref(), self.place(key.span().start, Some(key.get_ref())));
            match value.get_ref() {
                DeValue::Table(tables) if name == "service" => self.services(tables, &mut file),
                _ if name == "service" => {
                    self.mistakes.at(place, "services are written as tables, `[service.NAME]`")
                }
                DeValue::Array(tables) if name == "listener" => file.listeners = self.listeners(tables),
                DeValue::Array(tables) if name == "rule" => {
                    let rules = self.rules(tables, "[[rule]]");
                    self.settings.access.set_rules(rules);
                }
                _ if name == "rule" => {
                    self.mistakes.at(place, "each rule is written as a table of its own, `[[rule]]`")
                }
                _ if name == "listener" => {
                    self.mistakes.at(place, "each listener is written as a table of its own, `[[listener]]`")
                }
                value if NAMES.contains(&name) => self.setting(name, value, &place),
                _ => self.mistakes.at(place, unknown(name)),
            }
        }
        file
    }

    fn setting(&mut self, name: &str, value: &DeValue<'_>, place: &str) {
        match given(value) {
            Ok(given) => {
                let base = self.base();
                self.settings.set(name, &given, place, base, self.mistakes);
            }
            Err(message) => self.mistakes.at(place, message),
        }
    }

    fn base(&self) -> Base<'a> {
        Base { places: self.places, dir: self.path.parent().unwrap_or_else(|| Path::new(".")) }
    }

    fn listeners(&mut self, tables: &DeArray<'_>) -> Vec<Table> {
        let mut listeners = Vec::new();
        for table in tables {
            let place = self.place(table.span().start, Some("[[listener]]"));
            let DeValue::Table(keys) = table.get_ref() else {
                self.mistakes.at(place, "each listener is written as a table of its own, `[[listener]]`");
                continue;
            };
            let mut listener = Table::new(place);
            for (key, value) in keys {
                let place = self.place(key.span().start, Some(&format!("listener.{}", key.get_ref())));
                if key.get_ref() == "rule" {
                    match value.get_ref() {
                        DeValue::Array(tables) => listener.set_rules(self.rules(tables, "[[listener.rule]]")),
                        _ => self
                            .mistakes
                            .at(place, "each rule is written as a table of its own, `[[listener.rule]]`"),
                    }
                    continue;
                }
                let done = given(value.get_ref())
                    .and_then(|given| listener.set(key.get_ref(), &given, &place, self.base()));
                if let Err(message) = done {
                    self.mistakes.at(place, message);
                }
            }
            listeners.push(listener);
        }
        listeners
    }

    /// The rules in these tables, which are called `header` there.
    fn rules(&mut self, tables: &DeArray<'_>, header: &str) -> Vec<Rule> {
        let mut rules = Vec::new();
        for (i, table) in tables.iter().enumerate() {
            let place = self.place(table.span().start, Some(header));
            let DeValue::Table(keys) = table.get_ref() else {
                self.mistakes.at(place, format!("each rule is written as a table of its own, `{header}`"));
                continue;
            };
            let file = self.path.file_name().unwrap_or_default().display();
            let mut rule =
                rules::Table::new(format!("rule {} ({file}:{})", i + 1, self.line(table.span().start)));
            for (key, value) in keys {
                let place = self.place(key.span().start, Some(&format!("rule.{}", key.get_ref())));
                if let Err(message) = given(value.get_ref()).and_then(|given| rule.set(key.get_ref(), &given))
                {
                    self.mistakes.at(place, message);
                }
            }
            match rule.finish() {
                Ok(rule) => rules.push(rule),
                Err(message) => self.mistakes.at(place, message),
            }
        }
        rules
    }

    fn services(&mut self, tables: &DeTable<'_>, file: &mut File) {
        for (name, table) in tables {
            let service = services::official(name.get_ref());
            let place = self.place(name.span().start, Some(&format!("[service.{}]", name.get_ref())));
            let DeValue::Table(table) = table.get_ref() else {
                self.mistakes.at(place, "a service is written as a table, `[service.NAME]`");
                continue;
            };
            if file.services.contains_key(&service) {
                self.mistakes
                    .at(place, format!("`{service}` has a table under another of its names already"));
                continue;
            }
            let mut preferences = ServicePreferences::default();
            let mut pace = pace::Draft::default();
            for (key, value) in table {
                let place =
                    self.place(key.span().start, Some(&format!("{}.{}", name.get_ref(), key.get_ref())));
                let done = given(value.get_ref())
                    .and_then(|given| set_service(&mut preferences, &mut pace, key.get_ref(), &given));
                if let Err(message) = done {
                    self.mistakes.at(place, message);
                }
            }
            match pace.finish() {
                Ok(rate) => file.rates.extend(rate.map(|rate| (service.clone(), rate))),
                Err(message) => self.mistakes.at(place, message),
            }
            file.services.insert(service, preferences);
        }
    }

    /// File, line and key.
    fn place(&self, offset: usize, key: Option<&str>) -> String {
        let key = key.map(|key| format!(", {key}")).unwrap_or_default();
        format!("{}:{}{key}", self.path.display(), self.line(offset))
    }

    fn line(&self, offset: usize) -> usize {
        self.text.get(..offset).unwrap_or_default().matches('\n').count() + 1
    }
}

fn set_service(
    service: &mut ServicePreferences,
    pace: &mut pace::Draft,
    key: &str,
    given: &Given,
) -> Result<(), String> {
    match key {
        "region" => service.region = Some(Region(given.text()?)),
        "interface" => service.interfaces = values::interfaces(&given.list()?)?,
        "endpoint_override" => {
            let text = given.text()?;
            services::check_override(&text)?;
            service.endpoint_override = Some(text);
        }
        "names" => service.names = given.list()?.iter().map(|name| prefix(name)).collect::<Result<_, _>>()?,
        "allow_http" => service.allow_http = given.switch()?,
        "retry_on_403" => service.retry_on_403 = given.switch()?,
        "rate_limit" => pace.set_limit(given)?,
        "rate_wait" => pace.set_wait(given)?,
        other => {
            let names = [
                "region",
                "interface",
                "endpoint_override",
                "names",
                "allow_http",
                "retry_on_403",
                "rate_limit",
                "rate_wait",
            ];
            return Err(format!("`{other}` is not a setting of a service{}", did_you_mean(other, names)));
        }
    }
    Ok(())
}

/// A path segment that may lead to a service.
fn prefix(name: &str) -> Result<String, String> {
    if RESERVED.contains(&name) {
        return Err(format!("`{name}` is a name of Gatestone itself"));
    }
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    if !name.bytes().all(fits) || name.bytes().all(|byte| byte == b'.') {
        return Err(format!("`{name}` cannot be a path segment; letters, digits, `-`, `_` and `.` can"));
    }
    Ok(name.to_owned())
}

/// The first path segments that are ours on every listener (design, section 3).
const RESERVED: [&str; 5] = ["-", "auth", "identity", "v3", "s3"];

fn given(value: &DeValue<'_>) -> Result<Given, String> {
    let wrong = || "it must be a text, a number, `true` or `false`, or a list of texts".to_owned();
    match value {
        DeValue::String(text) => Ok(Given::Text(text.to_string())),
        DeValue::Integer(number) => {
            i64::from_str_radix(number.as_str(), number.radix()).map(Given::Number).map_err(|_| wrong())
        }
        DeValue::Boolean(switch) => Ok(Given::Switch(*switch)),
        DeValue::Array(items) => {
            let texts = items.iter().map(|item| item.get_ref().as_str().map(str::to_owned).ok_or_else(wrong));
            Ok(Given::List(texts.collect::<Result<_, _>>()?))
        }
        DeValue::Float(_) | DeValue::Datetime(_) | DeValue::Table(_) => Err(wrong()),
    }
}

fn unknown(name: &str) -> String {
    if ["auth_url", "username", "password", "token", "auth", "application_credential_secret"].contains(&name)
    {
        return format!(
            "credentials such as `{name}` do not belong here; put them in clouds.yaml, or in OS_* variables"
        );
    }
    format!(
        "`{name}` is not a setting of Gatestone{}",
        did_you_mean(name, NAMES.into_iter().chain(["service", "listener", "rule"]))
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Settings, File, Mistakes) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("gatestone.toml");
        std::fs::write(&path, text).unwrap();
        let places = Places::new(&BTreeMap::new(), dir.path().to_owned(), dir.path().to_owned());
        let (mut settings, mut mistakes) = (Settings::default(), Mistakes::default());
        let file = load(Some((&path, "--config")), &places, &mut settings, &mut mistakes);
        (settings, file, mistakes)
    }

    #[test]
    fn settings_and_services_are_read() {
        let (settings, file, mistakes) = read(
            "listen = ['localhost:6000', 'unix:g.sock']\nregion = 'GRA'\ninterface = ['internal', 'public']\n\
             token_wait = '3s'\nresolve = ['a:443:10.0.0.1,10.0.0.2']\nmax_connections = 0x10\n\
             [service.object-store]\nregion = 'GRA'\nnames = ['files']\n[service.volumev3]\nallow_http = true\n\
             [service.s3]\nretry_on_403 = true\n",
        );
        assert_eq!(mistakes.to_string(), Mistakes::default().to_string());
        assert_eq!(settings.listen.unwrap().value.len(), 3);
        assert_eq!(settings.max_connections, Some(16));
        assert_eq!(settings.resolve.unwrap()[0].addresses.len(), 2);
        assert_eq!(file.services["object-store"].names, ["files"]);
        assert!(file.services["block-storage"].allow_http);
        assert!(!file.services["block-storage"].retry_on_403);
        assert!(file.services["s3"].retry_on_403);
    }

    #[test]
    fn all_mistakes_are_found_with_their_lines() {
        let (_, _, mistakes) = read(
            "lisen = 'x'\ntoken_wait = 10\npassword = 'hunter2'\nworkers = 1.5\n\
             [service.compute]\nregoin = 'x'\nnames = ['identity', 'a/b']\n[service.volume]\n[service.volumev3]\n",
        );
        let text = mistakes.to_string();
        for part in [
            "gatestone.toml:1, lisen: `lisen` is not a setting of Gatestone; did you mean `listen`?",
            "gatestone.toml:2, token_wait: `10` has no unit",
            "gatestone.toml:3, password: credentials such as",
            "gatestone.toml:4, workers: it must be",
            "gatestone.toml:6, compute.regoin: `regoin` is not a setting of a service; did you mean `region`?",
            "gatestone.toml:7, compute.names: `identity` is a name of Gatestone itself",
            "`block-storage` has a table under another of its names already",
        ] {
            assert!(text.contains(part), "{part} in {text}");
        }
        assert!(!text.contains("hunter2"));
    }

    #[test]
    fn a_text_that_is_not_toml_is_one_mistake_with_its_line() {
        let (_, _, mistakes) = read("region = 'a'\nhttps_proxy = http://u:hunter2@p\n");
        assert_eq!(mistakes.len(), 1);
        assert!(mistakes.to_string().contains("gatestone.toml:2: "), "{mistakes}");
        assert!(!mistakes.to_string().contains("hunter2"));
    }

    #[test]
    fn an_explicit_file_must_be_there() {
        let dir = tempfile::tempdir().unwrap();
        let places = Places::new(&BTreeMap::new(), dir.path().to_owned(), dir.path().to_owned());
        let mut mistakes = Mistakes::default();
        assert!(load(None, &places, &mut Settings::default(), &mut mistakes).path.is_none());
        assert!(mistakes.is_empty());
        let missing = dir.path().join("no.toml");
        load(Some((&missing, "--config")), &places, &mut Settings::default(), &mut mistakes);
        assert!(mistakes.to_string().contains("--config: cannot read"), "{mistakes}");
    }
}
