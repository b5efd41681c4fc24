//! Files in a folder, a stopped clock, and what the refresher is told.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::time::Duration;

use tempfile::TempDir;
use tokio::time::{interval, sleep};

use super::*;
use crate::cli::{CloudArgs, ServerArgs};
use crate::config::Places;
use crate::identity::credentials::Method;

const POLL: Duration = Duration::from_secs(2);

/// A `clouds.yaml` with one cloud, its password in a file, and our own file beside it.
struct World {
    dir: TempDir,
    reloads: mpsc::Receiver<Reread>,
    requests: mpsc::Sender<()>,
}

impl World {
    /// Watched from now on; looks are at even seconds, and this returns between two of them.
    async fn start(prepare: impl FnOnce(&Self)) -> Self {
        let (tell, reloads) = mpsc::channel(8);
        let (requests, asked) = mpsc::channel(1);
        let world = Self { dir: tempfile::tempdir().unwrap(), reloads, requests };
        world.write("gatestone.toml", "");
        world.write("clouds.yaml", &clouds("password"));
        world.write("password", "first");
        prepare(&world);
        let env = [("OS_CLIENT_CONFIG_FILE", "clouds.yaml"), ("GATESTONE_CONFIG", "gatestone.toml")];
        let env: BTreeMap<String, String> =
            env.map(|(name, file)| (name.to_owned(), world.path(file).display().to_string())).into();
        let places = Places::new(&env, world.path("."), world.path("etc"));
        let load = move || Config::load(&CloudArgs::default(), &ServerArgs::default(), &env, &places);
        let watcher = Watcher::new(&load().unwrap(), load, tell);
        tokio::spawn(watcher.run(interval(POLL), asked, || false));
        sleep(POLL / 2).await;
        world
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    /// Waits for some looks; what has been told since.
    async fn after_looks(&mut self, looks: u32) -> Vec<String> {
        sleep(POLL * looks).await;
        let mut told = Vec::new();
        while let Ok(Reread { outcome, on_request }) = self.reloads.try_recv() {
            told.push(match outcome {
                Ok(config) => {
                    let Method::Password { password, .. } = config.identity.credentials.method else {
                        panic!()
                    };
                    format!("{}{}", password.expose(), if on_request { " on request" } else { "" })
                }
                Err(mistakes) => mistakes.replace(&self.dir.path().display().to_string(), ""),
            });
        }
        told
    }
}

const NOTHING: [&str; 0] = [];

fn clouds(password_file: &str) -> String {
    let auth = format!("auth_url: 'https://k', user_id: u, project_id: p, password_file: {password_file}");
    format!("clouds: {{a: {{auth: {{{auth}}}}}}}")
}

/// A login without any file.
fn environment_login() -> Result<Config, Mistakes> {
    let env = [("OS_AUTH_URL", "https://k"), ("OS_TOKEN", "t"), ("OS_PROJECT_ID", "p")];
    let env = BTreeMap::from(env.map(|(name, value)| (name.to_owned(), value.to_owned())));
    let places = Places::new(&env, PathBuf::from("/nowhere"), PathBuf::from("/nowhere"));
    Config::load(&CloudArgs::default(), &ServerArgs::default(), &env, &places)
}

#[tokio::test(start_paused = true)]
async fn a_change_is_taken_once_it_has_settled() {
    let mut world = World::start(|_| {}).await;
    assert_eq!(world.after_looks(10).await, NOTHING);
    world.write("password", "half");
    assert_eq!(world.after_looks(1).await, NOTHING);
    world.write("password", "second");
    assert_eq!(world.after_looks(1).await, NOTHING);
    assert_eq!(world.after_looks(1).await, ["second"]);
    assert_eq!(world.after_looks(10).await, NOTHING);
}

#[tokio::test(start_paused = true)]
async fn a_swapped_link_is_a_change() {
    // As Kubernetes mounts secrets: password -> ..data/password, ..data -> ..1, swapped by a rename.
    let mut world = World::start(|world| {
        for (folder, password) in [("..1", "first"), ("..2", "other")] {
            fs::create_dir(world.path(folder)).unwrap();
            world.write(&format!("{folder}/password"), password);
        }
        symlink("..1", world.path("..data")).unwrap();
        fs::remove_file(world.path("password")).unwrap();
        symlink("..data/password", world.path("password")).unwrap();
    })
    .await;
    symlink("..2", world.path("..tmp")).unwrap();
    fs::rename(world.path("..tmp"), world.path("..data")).unwrap();
    assert_eq!(world.after_looks(2).await, ["other"]);
}

#[tokio::test(start_paused = true)]
async fn settings_with_mistakes_are_told_once_and_the_next_good_ones_taken() {
    let mut world = World::start(|_| {}).await;
    world.write("gatestone.toml", "workers = 0\nlisen = 'x'\n");
    let told = world.after_looks(2).await;
    assert_eq!(told.len(), 1);
    assert!(told[0].starts_with("the configuration has 2 mistakes:"), "{told:?}");
    assert!(told[0].contains("/gatestone.toml:1, workers: `0` is not"), "{told:?}");
    assert_eq!(world.after_looks(100).await, NOTHING, "read again, but not told again");
    world.write("gatestone.toml", "workers = 1\n");
    world.write("password", "second");
    assert_eq!(world.after_looks(2).await, ["second"]);
}

#[tokio::test(start_paused = true)]
async fn a_file_that_stays_away_is_told_and_so_is_its_return() {
    let mut world = World::start(|_| {}).await;
    fs::remove_file(world.path("password")).unwrap();
    assert_eq!(world.after_looks(2).await, NOTHING);
    let told = world.after_looks(1).await;
    assert!(told[0].contains("cannot read /password"), "{told:?}");
    world.write("password", "second");
    assert_eq!(world.after_looks(2).await, ["second"]);
}

#[tokio::test(start_paused = true)]
async fn a_person_may_ask_at_any_time() {
    let mut world = World::start(|_| {}).await;
    world.requests.send(()).await.unwrap();
    sleep(Duration::from_millis(1)).await;
    assert_eq!(world.after_looks(0).await, ["first on request"]);
    world.write("password", "second");
    world.requests.send(()).await.unwrap();
    assert_eq!(world.after_looks(5).await, ["second on request"], "and the change is not taken twice");
    world.write("password", "");
    world.requests.send(()).await.unwrap();
    let told = world.after_looks(1).await;
    assert!(told[0].contains("/password is empty"), "{told:?}");
}

#[tokio::test(start_paused = true)]
async fn the_files_that_were_read_last_are_watched() {
    let mut world = World::start(|_| {}).await;
    world.write("other", "other");
    world.write("clouds.yaml", &clouds("other"));
    assert_eq!(world.after_looks(2).await, ["other"]);
    world.write("password", "nobody reads this any more");
    assert_eq!(world.after_looks(4).await, NOTHING);
    world.write("other", "another");
    assert_eq!(world.after_looks(2).await, ["another"]);
}

#[tokio::test(start_paused = true)]
async fn a_file_that_was_missing_is_found_although_it_was_never_read() {
    let mut world = World::start(|_| {}).await;
    world.write("clouds.yaml", &clouds("late"));
    let told = world.after_looks(2).await;
    assert!(told[0].contains("cannot read /late"), "{told:?}");
    world.write("late", "late");
    assert_eq!(world.after_looks(RETRY_POLLS).await, ["late"]);
}

#[tokio::test(start_paused = true)]
async fn it_ends_when_nobody_listens() {
    let (tell, reloads) = mpsc::channel(1);
    let watcher = Watcher::new(&environment_login().unwrap(), environment_login, tell);
    let (_requests, asked) = mpsc::channel(1);
    let task = tokio::spawn(watcher.run(interval(POLL), asked, || false));
    sleep(POLL).await;
    assert!(!task.is_finished());
    drop(reloads);
    task.await.unwrap();
}

/// A login by a command, which counts how often it is asked, and says for how many seconds it is good.
fn by_command(dir: &std::path::Path, seconds: u64) -> impl Fn() -> Result<Config, Mistakes> + use<> {
    let count = dir.join("count").display().to_string();
    let script = format!(
        "echo >> {count}; echo password=$(wc -l < {count}); echo password_expiry_utc=$(($(date +%s) + {seconds}))"
    );
    let env = [
        ("OS_AUTH_URL", "https://k"),
        ("OS_USER_ID", "u"),
        ("OS_PROJECT_ID", "p"),
        ("GATESTONE_CREDENTIAL_COMMAND", &script),
    ];
    let env = BTreeMap::from(env.map(|(name, value)| (name.to_owned(), value.to_owned())));
    move || {
        let places = Places::new(&env, PathBuf::from("/nowhere"), PathBuf::from("/nowhere"));
        Config::load(&CloudArgs::default(), &ServerArgs::default(), &env, &places)
    }
}

/// The passwords that have been told in ten minutes.
async fn told_in_ten_minutes(seconds: u64, is_refused: bool) -> Vec<String> {
    let dir = tempfile::tempdir().unwrap();
    let load = by_command(dir.path(), seconds);
    let (tell, mut reloads) = mpsc::channel(1);
    let (_requests, asked) = mpsc::channel(1);
    let watcher = Watcher::new(&load().unwrap(), load, tell);
    let task = tokio::spawn(watcher.run(interval(POLL), asked, move || is_refused));
    let end = tokio::time::Instant::now() + std::time::Duration::from_secs(600);
    let mut told = Vec::new();
    while let Ok(outcome) = tokio::time::timeout_at(end, reloads.recv()).await {
        let config = outcome.unwrap().outcome.unwrap();
        let Method::Password { password, .. } = config.identity.credentials.method else { panic!() };
        told.push(password.expose().to_owned());
    }
    task.abort();
    told
}

#[tokio::test(start_paused = true)]
async fn a_command_is_asked_before_what_it_said_ends_and_after_it_was_refused() {
    assert_eq!(told_in_ten_minutes(86_400, false).await, NOTHING);
    // What is over at once is asked for each half a minute, and no more often.
    let often = told_in_ten_minutes(1, false).await;
    assert!((15..=20).contains(&often.len()) && often[..2] == ["2", "3"], "{often:?}");
    let refused = told_in_ten_minutes(86_400, true).await;
    assert!((15..=20).contains(&refused.len()), "{refused:?}");
}
