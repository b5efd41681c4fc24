//! The whole of `Config::load`, with a map for the environment and a directory for the file system.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;
use tempfile::TempDir;

use super::{Config, Environment, LogFormat, Mistakes, Places};
use crate::catalog::{Interface, Region};
use crate::cli::{Cli, CloudArgs, Command, ServerArgs};
use crate::identity::OnRefused;
use crate::identity::credentials::{ApplicationCredential, Domain, Method, Passcode, Project, Scope, User};
use crate::server::ListenAddr;

mod clouds;
mod listeners;
mod login;
mod precedence;
mod several;
mod token_files;

/// A machine with nothing on it.
struct World {
    dir: TempDir,
    env: BTreeMap<String, String>,
}

impl World {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let home = dir.path().join("home").display().to_string();
        let world = Self { dir, env: BTreeMap::from([("HOME".to_owned(), home)]) };
        world.file("here/.keep", "");
        world
    }

    /// One with the variables of a usual openrc, and those given.
    fn openrc(variables: &[(&str, &str)]) -> Self {
        let usual = [
            ("OS_AUTH_URL", "https://k.example:5000/v3/"),
            ("OS_USERNAME", "demo"),
            ("OS_PASSWORD", PASSWORD),
            ("OS_USER_DOMAIN_NAME", "Default"),
            ("OS_PROJECT_NAME", "p"),
            ("OS_PROJECT_DOMAIN_NAME", "Default"),
        ];
        Self::new().vars(&usual).vars(variables)
    }

    /// One with a `clouds.yaml` in the user's directory.
    fn clouds(text: &str) -> Self {
        let world = Self::new();
        world.file("home/.config/openstack/clouds.yaml", text);
        world
    }

    fn vars(mut self, variables: &[(&str, &str)]) -> Self {
        self.env.extend(variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        self
    }

    fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.dir.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path
    }

    fn with_file(self, name: &str, text: &str) -> Self {
        self.file(name, text);
        self
    }

    fn load(&self, flags: &str) -> Result<Config, Mistakes> {
        let line = format!("gatestone run {flags}");
        let Command::Run(run) = Cli::try_parse_from(line.split_whitespace()).unwrap().command else {
            panic!()
        };
        let places = self.places();
        Config::load(&run.cloud, &run.server, &self.env, &places)
    }

    fn places(&self) -> Places {
        Places::new(&self.env, self.dir.path().join("here"), self.dir.path().join("etc"))
    }

    #[track_caller]
    fn config(&self) -> Config {
        self.load("").unwrap_or_else(|mistakes| panic!("{mistakes}"))
    }

    /// The mistakes, with the directory's name taken out.
    #[track_caller]
    fn mistakes(&self) -> String {
        let mistakes = self.load("").expect_err("there should be mistakes");
        let debug = format!("{mistakes} {mistakes:?}");
        assert!(!debug.contains(PASSWORD), "{debug}");
        mistakes.to_string().replace(&self.dir.path().display().to_string(), "")
    }
}

#[track_caller]
fn assert_contains(text: &str, part: &str) {
    assert!(text.contains(part), "{part:?} is not in {text}");
}

fn region(name: &str) -> Option<Region> {
    Some(Region(name.to_owned()))
}

fn domain(name: &str) -> Domain {
    Domain::Name(name.to_owned())
}

/// What must never be seen.
const PASSWORD: &str = "hunter2-sesame";
/// As little.
const SEED: &str = "GEZDGNBVGY3TQOJQ";

#[test]
fn defaults_are_those_of_the_contract() {
    let config = World::openrc(&[]).config();
    let tcp = |addr: &str, optional| ListenAddr::Tcp { addr: addr.parse().unwrap(), optional };
    assert_eq!(config.listeners, [tcp("127.0.0.1:5050", false).into(), tcp("[::1]:5050", true).into()]);
    assert_eq!(config.identity.token_wait, Duration::from_secs(10));
    assert_eq!(config.identity.on_refused, OnRefused::Exit);
    assert_eq!(config.client.response_timeout, Duration::from_secs(600));
    assert_eq!([config.client.body_timeout, config.server.body_timeout], [Duration::from_secs(300); 2]);
    assert_eq!(config.server.request_head_timeout, Duration::from_secs(30));
    assert_eq!(config.routing.interfaces, [Interface::Public]);
    assert_eq!((config.log.format, config.log.access_log), (LogFormat::Text, false));
    assert!(config.workers >= 1);
    assert!(config.warnings.is_empty(), "{:?}", config.warnings);
}

#[test]
fn nothing_at_all_explains_the_ways_there_are() {
    let text = World::new().mistakes();
    for way in ["openrc", "--cloud NAME", "gatestone.toml"] {
        assert_contains(&text, way);
    }
    assert!(!text.contains("OS_AUTH_URL is not set"), "{text}");
}

#[test]
fn no_secret_is_in_any_debug_text() {
    let dir = World::new();
    let path = dir.file("here/secret", &format!("{PASSWORD}\n"));
    for world in [
        World::openrc(&[("https_proxy", "http://u:hunter2-sesame@proxy:1")]),
        World::openrc(&[("OS_PASSWORD", ""), ("OS_PASSWORD_FILE", path.to_str().unwrap())]),
        World::new().vars(&[
            ("OS_AUTH_URL", "https://k"),
            ("OS_APPLICATION_CREDENTIAL_ID", "a"),
            ("OS_APPLICATION_CREDENTIAL_SECRET", PASSWORD),
        ]),
        World::new().vars(&[("OS_AUTH_URL", "https://k"), ("OS_TOKEN", PASSWORD), ("OS_PROJECT_ID", "p")]),
        World::clouds(
            "clouds: {a: {auth: {auth_url: 'https://k', user_id: u, password: hunter2-sesame, project_id: p}}}",
        ),
    ] {
        let text = format!("{:#?}", world.config());
        assert!(!text.contains(PASSWORD), "{text}");
    }
}

#[test]
fn all_mistakes_of_all_sources_come_together() {
    let world = World::openrc(&[
        ("OS_PROJECT_DOMAIN_NAME", ""),
        ("OS_PROJCT_DOMAIN_NAME", "Default"),
        ("OS_PASSWORD", ""),
        ("OS_INTERFACE", "outside"),
        ("GATESTONE_TOKEN_WAIT", "10"),
        ("GATESTONE_LISTN", "x"),
    ])
    .with_file("home/.config/gatestone/gatestone.toml", "workers = 0\n");
    let mistakes = world.load("--listen 0.0.0.0:80").unwrap_err().to_string();
    for part in [
        "gatestone.toml:1, workers: `0` is not a whole number",
        "OS_INTERFACE: `outside` is not an interface",
        "GATESTONE_TOKEN_WAIT: `10` has no unit",
        "--listen: `0.0.0.0:80` is refused",
        "OS_PASSWORD is not set, nor is OS_PASSWORD_FILE",
        "OS_PROJECT_NAME is set but neither OS_PROJECT_DOMAIN_ID nor OS_PROJECT_DOMAIN_NAME",
        "did you mean OS_PROJECT_DOMAIN_NAME?",
        "did you mean GATESTONE_LISTEN?",
    ] {
        assert_contains(&mistakes, part);
    }
    assert_contains(&mistakes, "the configuration has 8 mistakes:\n  1. ");
}

#[test]
fn the_example_file_holds_every_setting_and_equals_the_defaults() {
    let example = include_str!("../../config/gatestone.toml");
    let mut with = World::openrc(&[]).with_file("home/.config/gatestone/gatestone.toml", example).config();
    let without = World::openrc(&[]).config();
    with.sources.clone_from(&without.sources);
    assert_eq!(format!("{with:#?}"), format!("{without:#?}"));
    for name in super::settings::NAMES {
        let written = |line: &str| line.trim_start_matches("# ").starts_with(&format!("{name} = "));
        assert!(example.lines().any(written), "{name}");
    }
}

#[test]
fn what_the_example_file_comments_out_is_valid_too() {
    let example = include_str!("../../config/gatestone.toml");
    let is_setting = |line: &str| {
        line.starts_with('[') || line.split_once(" = ").is_some_and(|(key, _)| !key.contains(' '))
    };
    let uncommented: Vec<&str> = example
        .lines()
        .map(|line| line.strip_prefix("# ").filter(|rest| is_setting(rest)).unwrap_or(line))
        .collect();
    let world = World::openrc(&[]).with_file("etc/gatestone/gatestone.toml", &uncommented.join("\n"));
    for name in ["ca.pem", "client.pem", "client.key"] {
        world.file(&format!("etc/gatestone/{name}"), "");
    }
    for name in ["client-secret", "objects-secret"] {
        world.file(&format!("etc/gatestone/{name}"), "sixteen or more characters\n");
    }
    world.file("home/.cache/.keep", "");
    let config = world.config();
    assert_eq!(config.routing.services["object-store"].names, ["files"]);
    assert_eq!(config.workers, 4);
    let pins: Vec<_> = config.listeners.iter().filter_map(|listener| listener.service.as_ref()).collect();
    assert_eq!((pins.len(), pins[0].to_string().as_str()), (1, "object-store@GRA"));
    assert!(config.listeners.iter().all(|listener| listener.client_secret.is_some()));
    assert!(config.warnings.iter().all(|warning| !warning.contains("listener")), "{:?}", config.warnings);
}

#[test]
fn health_needs_no_login() {
    let world = World::new().vars(&[("GATESTONE_LISTEN", "127.0.0.1:7000")]);
    let at = |listen| super::health_addresses(listen, &world.env, &world.places());
    assert_eq!(at(None).unwrap().len(), 1);
    assert_eq!(at(Some("localhost:80")).unwrap().len(), 2);
    assert!(at(Some("example.com:80")).is_err());
    let tables = "[[listener]]\nlisten = 'image=localhost:81'\nclient_secret_file = 'missing'\n";
    let world = World::new().with_file("etc/gatestone/gatestone.toml", tables);
    let at = |listen| super::health_addresses(listen, &world.env, &world.places()).unwrap().len();
    assert_eq!((at(None), at(Some("object-store=127.0.0.1:80"))), (2, 1));
    let world = World::new().vars(&[("GATESTONE_LISTEN", "image=127.0.0.1:1,127.0.0.1:2")]);
    let found = super::health_addresses(None, &world.env, &world.places()).unwrap();
    assert_eq!(found[0].to_string(), "127.0.0.1:2", "where all services are comes first");
}

#[test]
fn check_takes_no_server_flags() {
    let world = World::openrc(&[]);
    let config =
        Config::load(&CloudArgs::default(), &ServerArgs::default(), &world.env, &world.places()).unwrap();
    assert_eq!(config.sources.credentials.split(' ').next(), Some("the"));
    assert_eq!(world.env.names().len(), 7);
}
