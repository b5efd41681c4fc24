//! Our own settings as they pile up: file, then `OS_*`, then `GATESTONE_*`, then flags.
//!
//! One table, [`Settings::set`], reads every setting from whatever source it comes:
//! a TOML value, a variable's text and a flag's text are all a [`Given`].

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::catalog::{Interface, Region};
use crate::client::Resolve;
use crate::config::LogFormat;
use crate::identity::OnRefused;
use crate::secret::Secret;

use super::access;
use super::listen::{self, Opening};
use super::mistakes::Mistakes;
use super::places::Places;
use super::values;

/// A setting's value as its source gives it.
#[derive(Clone, Debug)]
pub(super) enum Given {
    /// A text.
    Text(String),
    /// A whole number.
    Number(i64),
    /// A switch.
    Switch(bool),
    /// A list of texts.
    List(Vec<String>),
}

/// A value and where it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Placed<T> {
    /// What was written.
    pub(super) value: T,
    /// A variable, a flag, or a file with line and key.
    pub(super) place: String,
}

/// What has been set; the source read last wins.
#[derive(Clone, Debug, Default)]
pub(super) struct Settings {
    pub(super) cloud: Option<Placed<String>>,
    /// A text for the shell alone, or a program and its arguments.
    pub(super) credential_command: Option<Placed<Vec<String>>>,
    pub(super) region: Option<Placed<Region>>,
    pub(super) interface: Option<Vec<Interface>>,
    pub(super) listen: Option<Placed<Vec<Opening>>>,
    pub(super) client_secret_file: Option<Placed<PathBuf>>,
    pub(super) access_log: Option<bool>,
    pub(super) log_format: Option<LogFormat>,
    pub(super) log_level: Option<tracing::Level>,
    pub(super) on_refused: Option<OnRefused>,
    pub(super) workers: Option<usize>,
    pub(super) token_wait: Option<Duration>,
    pub(super) token_cache: Option<Placed<PathBuf>>,
    pub(super) token_file: Option<Placed<PathBuf>>,
    pub(super) revoke_on_exit: Option<Placed<bool>>,
    pub(super) retry_on_401: Option<bool>,
    pub(super) connect_timeout: Option<Duration>,
    pub(super) response_timeout: Option<Duration>,
    pub(super) body_timeout: Option<Duration>,
    pub(super) tunnel_timeout: Option<Duration>,
    pub(super) preserve_header_case: Option<bool>,
    pub(super) upstream_idle_timeout: Option<Duration>,
    pub(super) idle_timeout: Option<Duration>,
    pub(super) request_head_timeout: Option<Duration>,
    pub(super) shutdown_timeout: Option<Duration>,
    pub(super) exit_when_idle: Option<Duration>,
    pub(super) allow_quit: Option<bool>,
    pub(super) max_connections: Option<usize>,
    pub(super) max_connections_per_user: Option<usize>,
    pub(super) max_requests: Option<usize>,
    pub(super) access: access::Draft,
    pub(super) allow_minting: Option<bool>,
    pub(super) resolve: Option<Vec<Resolve>>,
    /// The URL may hold a password.
    pub(super) https_proxy: Option<Secret>,
    pub(super) http_proxy: Option<Secret>,
    pub(super) no_proxy: Option<String>,
    pub(super) cacert: Option<Placed<PathBuf>>,
    pub(super) cert: Option<Placed<PathBuf>>,
    pub(super) key: Option<Placed<PathBuf>>,
    pub(super) insecure: Option<Placed<bool>>,
}

/// Names of all settings, as in the file; upper-case behind `GATESTONE_` in the environment.
pub(super) const NAMES: [&str; 48] = [
    "cloud",
    "credential_command",
    "region",
    "interface",
    "listen",
    "client_secret_file",
    "access_log",
    "log_format",
    "log_level",
    "on_refused",
    "workers",
    "token_wait",
    "token_cache",
    "token_file",
    "revoke_on_exit",
    "retry_on_401",
    "connect_timeout",
    "response_timeout",
    "body_timeout",
    "tunnel_timeout",
    "preserve_header_case",
    "upstream_idle_timeout",
    "idle_timeout",
    "request_head_timeout",
    "shutdown_timeout",
    "exit_when_idle",
    "allow_quit",
    "max_connections",
    "max_connections_per_user",
    "max_requests",
    "allow_users",
    "allow_root",
    "allow_remote",
    "allowed_hosts",
    "socket_mode",
    "socket_group",
    "require_header",
    "read_only",
    "rule_sets",
    "allow_minting",
    "resolve",
    "https_proxy",
    "http_proxy",
    "no_proxy",
    "cacert",
    "cert",
    "key",
    "insecure",
];

/// Where relative paths of one source stand.
#[derive(Clone, Copy, Debug)]
pub(super) struct Base<'a> {
    pub(super) places: &'a Places,
    pub(super) dir: &'a Path,
}

impl Settings {
    /// Sets one of [`NAMES`]; what is wrong with the value becomes a mistake.
    pub(super) fn set(
        &mut self,
        name: &str,
        given: &Given,
        place: &str,
        base: Base<'_>,
        mistakes: &mut Mistakes,
    ) {
        if let Err(message) = self.try_set(name, given, place, base) {
            mistakes.at(place, message);
        }
    }

    fn try_set(&mut self, name: &str, given: &Given, place: &str, base: Base<'_>) -> Result<(), String> {
        let path = |given: &Given| -> Result<_, String> {
            Ok(placed(base.places.resolve(&given.text()?, base.dir), place))
        };
        match name {
            "cloud" => self.cloud = Some(placed(given.text()?, place)),
            "credential_command" => self.credential_command = Some(placed(given.command()?, place)),
            "region" => self.region = Some(placed(Region(given.text()?), place)),
            "interface" => self.interface = Some(values::interfaces(&given.list()?)?),
            "listen" => self.listen = Some(placed(openings(&given.list()?, base)?, place)),
            "client_secret_file" => self.client_secret_file = Some(path(given)?),
            "access_log" => self.access_log = Some(given.switch()?),
            "log_format" => self.log_format = Some(log_format(&given.text()?)?),
            "log_level" => self.log_level = Some(log_level(&given.text()?)?),
            "on_refused" => self.on_refused = Some(on_refused(&given.text()?)?),
            "workers" => self.workers = Some(given.count(MOST_WORKERS)?),
            "token_wait" => self.token_wait = Some(given.duration()?),
            "token_cache" => self.token_cache = Some(path(given)?),
            "token_file" => self.token_file = Some(path(given)?),
            "revoke_on_exit" => self.revoke_on_exit = Some(placed(given.switch()?, place)),
            "retry_on_401" => self.retry_on_401 = Some(given.switch()?),
            "connect_timeout" => self.connect_timeout = Some(given.some_time()?),
            "response_timeout" => self.response_timeout = Some(given.some_time()?),
            "body_timeout" => self.body_timeout = Some(given.some_time()?),
            "tunnel_timeout" => self.tunnel_timeout = Some(given.some_time()?),
            "preserve_header_case" => self.preserve_header_case = Some(given.switch()?),
            "upstream_idle_timeout" => self.upstream_idle_timeout = Some(given.duration()?),
            "idle_timeout" => self.idle_timeout = Some(given.some_time()?),
            "request_head_timeout" => self.request_head_timeout = Some(given.some_time()?),
            "shutdown_timeout" => self.shutdown_timeout = Some(given.duration()?),
            "exit_when_idle" => self.exit_when_idle = Some(given.some_time()?),
            "allow_quit" => self.allow_quit = Some(given.switch()?),
            "max_connections" => self.max_connections = Some(given.count(MOST_CONNECTIONS)?),
            "max_connections_per_user" => {
                self.max_connections_per_user = Some(given.count(MOST_CONNECTIONS)?);
            }
            "max_requests" => self.max_requests = Some(given.count(MOST_CONNECTIONS)?),
            "allow_minting" => self.allow_minting = Some(given.switch()?),
            "resolve" => self.resolve = Some(each(&given.entries()?, values::resolve)?),
            "https_proxy" => self.https_proxy = Some(Secret::new(given.any_text()?)),
            "http_proxy" => self.http_proxy = Some(Secret::new(given.any_text()?)),
            "no_proxy" => self.no_proxy = Some(given.list()?.join(",")),
            "cacert" => self.cacert = Some(path(given)?),
            "cert" => self.cert = Some(path(given)?),
            "key" => self.key = Some(path(given)?),
            "insecure" => self.insecure = Some(placed(given.switch()?, place)),
            name if access::NAMES.contains(&name) => self.access.set(name, given, place)?,
            _ => return Err(format!("`{name}` is not a setting of Gatestone")),
        }
        Ok(())
    }
}

impl Given {
    /// A text with something in it.
    pub(super) fn text(&self) -> Result<String, String> {
        let text = self.any_text()?;
        let text = text.trim();
        if text.is_empty() { Err("it is empty".to_owned()) } else { Ok(text.to_owned()) }
    }

    /// A text for the shell alone, or a program and its arguments.
    fn command(&self) -> Result<Vec<String>, String> {
        match self {
            Self::List(list) if list.first().is_some_and(|program| !program.trim().is_empty()) => {
                // A list of one is a program, which the shell then runs as well.
                Ok(list.clone())
            }
            Self::List(_) => Err("it names no program".to_owned()),
            Self::Text(_) | Self::Number(_) | Self::Switch(_) => Ok(vec![self.text()?]),
        }
    }

    /// A text, or texts between commas or in a list.
    pub(super) fn list(&self) -> Result<Vec<String>, String> {
        match self {
            Self::Text(text) => Ok(values::list(text)),
            Self::List(list) => Ok(list.iter().flat_map(|item| values::list(item)).collect()),
            Self::Number(_) | Self::Switch(_) => Err("it must be a text or a list of texts".to_owned()),
        }
    }

    /// `true` or `false`.
    pub(super) fn switch(&self) -> Result<bool, String> {
        match self {
            Self::Switch(switch) => Ok(*switch),
            Self::Text(text) => values::boolean(text),
            Self::Number(_) | Self::List(_) => Err("it must be `true` or `false`".to_owned()),
        }
    }

    /// A list whose texts hold commas themselves; in one text, white space is between them.
    fn entries(&self) -> Result<Vec<String>, String> {
        match self {
            Self::Text(text) => Ok(text.split_whitespace().map(str::to_owned).collect()),
            Self::List(list) => Ok(list.clone()),
            Self::Number(_) | Self::Switch(_) => Err("it must be a text or a list of texts".to_owned()),
        }
    }

    fn any_text(&self) -> Result<String, String> {
        match self {
            Self::Text(text) => Ok(text.clone()),
            Self::Number(_) | Self::Switch(_) | Self::List(_) => {
                Err("it must be a text in quotes".to_owned())
            }
        }
    }

    fn count(&self, most: usize) -> Result<usize, String> {
        match self {
            Self::Number(number) => values::count(&number.to_string(), most),
            Self::Text(text) => values::count(text, most),
            Self::Switch(_) | Self::List(_) => Err("it must be a whole number".to_owned()),
        }
    }

    pub(super) fn duration(&self) -> Result<Duration, String> {
        match self {
            Self::Text(text) => crate::duration::parse(text),
            Self::Number(number) => Err(format!("`{number}` has no unit; write \"{number}s\" for seconds")),
            Self::Switch(_) | Self::List(_) => Err("it must be a duration such as \"10s\"".to_owned()),
        }
    }

    /// A duration in which something can happen.
    fn some_time(&self) -> Result<Duration, String> {
        match self.duration()? {
            Duration::ZERO => Err("with no time at all, nothing would ever succeed".to_owned()),
            duration => Ok(duration),
        }
    }
}

/// A value with its place.
pub(super) fn placed<T>(value: T, place: &str) -> Placed<T> {
    Placed { value, place: place.to_owned() }
}

fn each<T>(texts: &[String], read: impl Fn(&str) -> Result<T, String>) -> Result<Vec<T>, String> {
    texts.iter().map(|text| read(text)).collect()
}

/// Addresses to listen on.
pub(super) fn openings(texts: &[String], base: Base<'_>) -> Result<Vec<Opening>, String> {
    let openings = each(texts, |text| listen::parse(text, base.places, base.dir))?;
    if openings.is_empty() {
        return Err("no address is named".to_owned());
    }
    Ok(listen::distinct(openings.concat()))
}

fn log_format(text: &str) -> Result<LogFormat, String> {
    match text {
        "text" => Ok(LogFormat::Text),
        "json" => Ok(LogFormat::Json),
        other => Err(format!("`{other}` is not a log format; there are `text` and `json`")),
    }
}

fn log_level(text: &str) -> Result<tracing::Level, String> {
    // `Level` reads numbers as well, which nobody would understand in a file.
    let named = text.chars().all(|letter| letter.is_ascii_alphabetic());
    text.parse().ok().filter(|_| named).ok_or_else(|| {
        format!("`{text}` is not a log level; there are `error`, `warn`, `info`, `debug` and `trace`")
    })
}

fn on_refused(text: &str) -> Result<OnRefused, String> {
    match text {
        "exit" => Ok(OnRefused::Exit),
        "wait" => Ok(OnRefused::Wait),
        other => Err(format!("`{other}` is neither `exit` nor `wait`")),
    }
}

/// More than any machine has cores; a guard against a slip of the finger.
const MOST_WORKERS: usize = 1024;

/// More than there are file descriptors for.
const MOST_CONNECTIONS: usize = 1_000_000;

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn set(name: &str, given: &Given) -> (Settings, Mistakes) {
        let places = Places::new(&BTreeMap::new(), PathBuf::from("/here"), PathBuf::from("/etc"));
        let (mut settings, mut mistakes) = (Settings::default(), Mistakes::default());
        let base = Base { places: &places, dir: Path::new("/base") };
        settings.set(name, given, "there", base, &mut mistakes);
        (settings, mistakes)
    }

    #[test]
    fn every_name_is_a_setting() {
        for name in NAMES {
            let (_, mistakes) = set(name, &Given::Text("~~".to_owned()));
            assert!(!mistakes.to_string().contains("not a setting"), "{name}");
        }
        assert!(!set("lisen", &Given::Text("x".to_owned())).1.is_empty());
    }

    #[test]
    fn values_of_the_wrong_kind_are_mistakes_with_their_place() {
        for (name, given, message) in [
            ("token_wait", Given::Number(10), "there: `10` has no unit; write \"10s\" for seconds"),
            (
                "connect_timeout",
                Given::Text("0s".to_owned()),
                "there: with no time at all, nothing would ever succeed",
            ),
            ("workers", Given::Number(0), "there: `0` is not a whole number from 1 to 1024"),
            ("region", Given::Number(1), "there: it must be a text in quotes"),
            ("cloud", Given::Text(" ".to_owned()), "there: it is empty"),
            ("allow_minting", Given::List(vec![]), "there: it must be `true` or `false`"),
            (
                "log_level",
                Given::Text("3".to_owned()),
                "there: `3` is not a log level; there are `error`, `warn`, `info`, `debug` and `trace`",
            ),
        ] {
            let (_, mistakes) = set(name, &given);
            assert_eq!(mistakes.iter().next().unwrap().to_string(), message);
        }
    }

    #[test]
    fn paths_stand_beside_their_source() {
        let (settings, _) = set("cacert", &Given::Text("ca.pem".to_owned()));
        assert_eq!(settings.cacert.unwrap().value, Path::new("/base/ca.pem"));
    }
}
