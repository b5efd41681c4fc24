//! What is kept comes back, to the same credentials and nobody else.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Barrier, LazyLock};

use proptest::prelude::*;
use tempfile::TempDir;

use super::*;
use crate::clock::Clock;
use crate::identity::credentials::{ApplicationCredential, Domain, Method, Project, Scope, User};
use crate::secret::Secret;

const TOKEN: &str = "gAAAA-secret";
const HOUR: Duration = Duration::from_secs(3600);

fn store() -> (TempDir, TokenStore) {
    let dir = tempfile::tempdir().unwrap();
    let store = TokenStore::new(dir.path().join("cache.json"));
    (dir, store)
}

fn demo() -> Credentials {
    let domain = || Domain::Name("Default".to_owned());
    Credentials {
        auth_url: Some("https://k.example:5000/v3".parse().unwrap()),
        method: Method::Password {
            user: User::Name { name: "demo".to_owned(), domain: domain() },
            password: Secret::new("hunter2"),
        },
        spare: Vec::new(),
        scope: Scope::Project(Project::Name { name: "p".to_owned(), domain: domain() }),
    }
}

fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_millis(1_790_000_000_123)
}

fn login() -> StoredLogin {
    StoredLogin {
        token: HeaderValue::from_static(TOKEN),
        sent: now(),
        lifetime: HOUR,
        body: Bytes::from_static(br#"{"token": {"user": {"name": "d\u00e9mo \"x\""}}}"#),
    }
}

async fn why(store: &TokenStore, credentials: &Credentials, now: SystemTime) -> String {
    store.load(credentials, now).await.unwrap_err().to_string()
}

#[tokio::test]
async fn what_is_kept_comes_back() {
    let (_dir, store) = store();
    assert!(matches!(store.load(&demo(), now()).await, Err(NotUsed::Missing)));
    for round in 0..2 {
        let kept = StoredLogin { lifetime: HOUR + Duration::from_secs(round), ..login() };
        store.save(&demo(), kept.clone()).await.unwrap();
        let loaded = store.load(&demo(), now()).await.unwrap();
        assert_eq!(loaded, kept);
        assert!(loaded.token.is_sensitive());
    }
    assert_eq!(fs::metadata(store.path()).unwrap().mode() & 0o777, 0o600);
    assert!(!format!("{:?}", login()).contains("secret"));
}

#[tokio::test]
async fn a_token_is_used_between_its_beginning_and_its_end() {
    let (_dir, store) = store();
    store.save(&demo(), login()).await.unwrap();
    let (second, instant) = (Duration::from_secs(1), Duration::from_nanos(1));
    assert!(matches!(store.load(&demo(), now() - second).await, Err(NotUsed::FromTheFuture)));
    assert!(store.load(&demo(), now() + HOUR - instant).await.is_ok());
    assert!(matches!(store.load(&demo(), now() + HOUR).await, Err(NotUsed::Expired)));
}

#[tokio::test]
async fn a_token_of_others_is_not_used() {
    let (_dir, store) = store();
    store.save(&demo(), login()).await.unwrap();
    let user = |name: &str, domain| User::Name { name: name.to_owned(), domain };
    let password = |user, password| Method::Password { user, password: Secret::new(password) };
    let name = |name: &str| Domain::Name(name.to_owned());
    let application =
        |credential| Method::ApplicationCredential { credential, secret: Secret::new("hunter2") };
    let url = |text: &str| Credentials { auth_url: Some(text.parse().unwrap()), ..demo() };
    let method = |method| Credentials { method, ..demo() };
    let scope = |scope| Credentials { scope, ..demo() };
    for other in [
        url("http://k.example:5000/v3"),
        url("https://k.example/v3"),
        url("https://k.example:5000"),
        method(password(user("demo", name("Default")), "hunter3")),
        method(password(user("demo", name("Other")), "hunter2")),
        method(password(user("demo", Domain::Id("Default".to_owned())), "hunter2")),
        method(password(user("dem", name("oDefault")), "hunter2")),
        method(password(User::Id("demo".to_owned()), "hunter2")),
        method(application(ApplicationCredential::Id("demo".to_owned()))),
        method(application(ApplicationCredential::Name {
            name: "demo".to_owned(),
            user: User::Id(String::new()),
        })),
        method(Method::Token(Secret::new("hunter2"))),
        scope(Scope::Project(Project::Id("p".to_owned()))),
        scope(Scope::Project(Project::Name { name: "q".to_owned(), domain: name("Default") })),
        scope(Scope::Domain(name("p"))),
        scope(Scope::System),
        scope(Scope::Unspecified),
    ] {
        let reason = store.load(&other, now()).await.unwrap_err();
        assert!(matches!(reason, NotUsed::OtherCredentials), "{other:?}: {reason}");
    }
    assert!(store.load(&demo(), now()).await.is_ok());
}

#[tokio::test]
async fn the_file_tells_little_of_the_secret() {
    let (_dir, store) = store();
    store.save(&demo(), login()).await.unwrap();
    let json: serde_json::Value = serde_json::from_slice(&fs::read(store.path()).unwrap()).unwrap();
    let fingerprint = json["fingerprint"].as_object().unwrap();
    let names: Vec<&str> = fingerprint.keys().map(String::as_str).collect();
    assert_eq!(names, ["identity", "salt", "secret"]);
    assert_eq!(fingerprint["secret"].as_array().unwrap().len(), 2, "16 bits");
    store.save(&demo(), login()).await.unwrap();
    let again: serde_json::Value = serde_json::from_slice(&fs::read(store.path()).unwrap()).unwrap();
    assert_ne!(json["fingerprint"]["salt"], again["fingerprint"]["salt"], "each file has its own salt");
}

#[tokio::test]
async fn what_is_not_ours_or_not_whole_is_not_used_and_replaced_by_the_next() {
    let (_dir, store) = store();
    store.save(&demo(), login()).await.unwrap();
    let good = fs::read_to_string(store.path()).unwrap();
    let (token, form) = ("\"gAAAA-secret\"", "\"version\":1");
    for (content, reason) in [
        (String::new(), "its content is damaged"),
        ("null".to_owned(), "its content is damaged"),
        (good[..good.len() / 2].to_owned(), "its content is damaged"),
        (good.replace(token, "\"\""), "its content is damaged"),
        (good.replace(token, "\"a\\nb\""), "its content is damaged"),
        (good.replace(token, "null"), "its content is damaged"),
        (good.replace("2026-", "26-"), "its content is damaged"),
        (good.replace(form, "\"version\":2"), "it has the form 2, which this version does not read"),
        ("{\"version\":7}".to_owned(), "it has the form 7, which this version does not read"),
        (good.replace("3600000", "18446744073709551615"), ""),
    ] {
        assert_ne!(content, good);
        fs::write(store.path(), &content).unwrap();
        match store.load(&demo(), now()).await {
            Ok(_) => assert_eq!(reason, "", "{content}"),
            Err(error) => assert_eq!(error.to_string(), reason, "{content}"),
        }
    }
    fs::set_permissions(store.path(), fs::Permissions::from_mode(0o644)).unwrap();
    assert_eq!(
        why(&store, &demo(), now()).await,
        "others may read or write it (mode 0644); its token may be known to them"
    );
    store.save(&demo(), login()).await.unwrap();
    assert!(store.load(&demo(), now()).await.is_ok());
}

#[tokio::test]
async fn what_cannot_be_kept_says_what_to_do() {
    let (dir, _) = store();
    let store = TokenStore::new(dir.path().join("no/cache"));
    let error = store.save(&demo(), login()).await.unwrap_err().to_string();
    assert!(error.contains("set token_cache to another place"), "{error}");
    let body = Bytes::from_static(b"{\"a\": \"\xff\"}");
    let error = store.save(&demo(), StoredLogin { body, ..login() }).await.unwrap_err();
    assert!(matches!(error, NotSaved::NotText));
}

proptest! {
    // Each good fingerprint takes its time.
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn no_content_makes_it_panic(content in any::<Vec<u8>>()) {
        prop_assert!(record::read(&content, &demo()).is_err());
    }

    #[test]
    fn no_change_of_a_good_file_makes_it_panic(at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        static GOOD: LazyLock<Vec<u8>> = LazyLock::new(|| record::write(&login(), &demo()).unwrap().to_vec());
        let mut content = GOOD.clone();
        let at = at.index(content.len());
        content[at] = byte;
        // A good outcome is fine where the change is in the token or the body.
        let _ = record::read(&content, &demo());
    }
}

#[test]
fn ten_that_start_together_log_in_once() {
    let (_dir, store) = store();
    let (logins, barrier) = (AtomicUsize::new(0), Barrier::new(10));
    std::thread::scope(|scope| {
        for _ in 0..10 {
            scope.spawn(|| {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                barrier.wait();
                runtime.block_on(async {
                    let lock = store.lock(Duration::from_secs(60)).await;
                    assert!(lock.is_some());
                    if store.load(&demo(), now()).await.is_err() {
                        logins.fetch_add(1, Ordering::Relaxed);
                        tokio::time::sleep(Duration::from_millis(10)).await;
                        store.save(&demo(), login()).await.unwrap();
                    }
                });
            });
        }
    });
    assert_eq!(logins.into_inner(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_lock_is_waited_for_but_not_for_ever() {
    let (_dir, store) = store();
    let first = store.lock(Duration::ZERO).await.unwrap();
    assert_eq!(fs::metadata(lock_path(store.path())).unwrap().mode() & 0o777, 0o600);
    let start = tokio::time::Instant::now();
    assert!(store.lock(Duration::from_secs(30)).await.is_none());
    assert!(start.elapsed() >= Duration::from_secs(30) && start.elapsed() < Duration::from_secs(31));
    // Others go on while one waits, and the lock is free at once.
    let waiting = tokio::spawn({
        let store = store.clone();
        async move { store.lock(Duration::from_secs(3600)).await.is_some() }
    });
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert!(!waiting.is_finished());
    drop(first);
    assert!(waiting.await.unwrap());
}

#[tokio::test(start_paused = true)]
async fn without_a_lock_file_one_goes_on_without() {
    let (dir, _) = store();
    assert!(TokenStore::new(dir.path().join("no/cache")).lock(HOUR).await.is_none());
    std::os::unix::fs::symlink(dir.path().join("theirs"), dir.path().join("cache.lock")).unwrap();
    assert!(TokenStore::new(dir.path().join("cache")).lock(HOUR).await.is_none());
    assert!(!dir.path().join("theirs").exists());
}

#[tokio::test(start_paused = true)]
async fn a_kept_login_was_sent_in_the_past_on_both_clocks() {
    let clock = Clock::with_wall(|| now() + Duration::from_secs(600));
    let present = clock.now();
    let sent = login().sent_at(present);
    assert_eq!(sent.wall, now());
    assert_eq!(sent.plus(HOUR).remaining(present), Duration::from_secs(3000));
    // A monotonic clock that began later leaves the wall clock to decide.
    let ancient = StoredLogin { sent: SystemTime::UNIX_EPOCH, ..login() }.sent_at(present);
    assert_eq!(ancient.wall, SystemTime::UNIX_EPOCH);
    assert!(ancient.plus(HOUR).is_over(present));
}
