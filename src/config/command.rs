//! `credential_command`: a program of the user's that prints the login, or its secret, and for how long it is good.
//!
//! 1. What it prints is one of three: lines `key=value` as git's credential helpers have them (gitcredentials(7)), with
//!    `password_expiry_utc`; an `ExecCredential` of Kubernetes, with `status.token` and `status.expirationTimestamp`; or a
//!    JSON object, with `expires_at`. Keys are those below `auth` in clouds.yaml.
//! 2. It comes before the `OS_*` variables of the same meaning, and gives a cloud of clouds.yaml the secret that this lacks.
//! 3. A text is run by `sh -c`, a list as it is. It gets our environment and no input; what it writes to standard error
//!    is passed on.
//! 4. It has half a minute.

use std::collections::BTreeMap;
use std::io;
use std::process::Stdio;
use std::thread;
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use serde_json::Value;
use tokio::io::AsyncReadExt as _;
use tokio::process::Command;
use tokio::runtime;
use tokio::time::timeout;
use zeroize::Zeroizing;

use super::draft::{SECRETS, TEXTS};
use super::env::Environment;
use super::mistakes::did_you_mean;

/// What was printed.
#[derive(Default)]
pub(super) struct Printed {
    /// By the names of the variables that mean the same.
    pub(super) variables: BTreeMap<String, Zeroizing<String>>,
    /// When it ends, if it ever does.
    pub(super) expires: Option<SystemTime>,
}

/// Runs it.
///
/// # Errors
///
/// Why there is nothing, without a word of what was printed.
pub(super) fn run(command: &[String]) -> Result<Printed, String> {
    let output = output_of(command)?;
    let text = std::str::from_utf8(&output).map_err(|_| "what it printed is not UTF-8 text".to_owned())?;
    if text.trim_start().starts_with('{') { of_json(text) } else { of_lines(text) }
}

/// On a thread and a runtime of its own: whoever reads settings may have a runtime, or none.
fn output_of(command: &[String]) -> Result<Zeroizing<Vec<u8>>, String> {
    let command = command.to_vec();
    let reading = thread::spawn(move || {
        let runtime = runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| format!("it cannot be waited for: {error}"))?;
        runtime.block_on(async {
            let output = timeout(TIMEOUT, read(&command)).await;
            output.map_err(|_| format!("it did not end within {} s", TIMEOUT.as_secs()))?
        })
    });
    reading.join().map_err(|_| "it could not be waited for".to_owned())?
}

async fn read(command: &[String]) -> Result<Zeroizing<Vec<u8>>, String> {
    let (program, arguments) = match command {
        [text] => ("/bin/sh", vec!["-c", text.as_str()]),
        [program, arguments @ ..] => (program.as_str(), arguments.iter().map(String::as_str).collect()),
        [] => return Err("it names no program".to_owned()),
    };
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| format!("`{program}` cannot be started: {error}"))?;
    let failed = |error: io::Error| format!("its output cannot be read: {error}");
    let stdout = child.stdout.take().ok_or("it has no output")?;
    let mut output = Zeroizing::new(Vec::with_capacity(4096));
    stdout.take(LONGEST + 1).read_to_end(&mut output).await.map_err(failed)?;
    if output.len() as u64 > LONGEST {
        return Err(format!("it printed more than {LONGEST} bytes"));
    }
    let status = child.wait().await.map_err(failed)?;
    if status.success() { Ok(output) } else { Err(format!("it failed ({status}); its own words are above")) }
}

fn of_lines(text: &str) -> Result<Printed, String> {
    let mut printed = Printed::default();
    for (i, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let (key, value) = line.split_once('=').ok_or_else(|| {
            format!("line {} of what it printed is not of the form key=value, such as password=..", i + 1)
        })?;
        match key.trim() {
            "password_expiry_utc" => {
                let seconds = value.trim().parse::<u64>().ok();
                let time = seconds.and_then(|it| SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(it)));
                printed.expires =
                    Some(time.ok_or("password_expiry_utc is no number of seconds that can be")?);
            }
            "expires_at" => printed.expires = Some(time(value)?),
            // The rest of what git's helpers say.
            "protocol"
            | "host"
            | "path"
            | "quit"
            | "ephemeral"
            | "continue"
            | "authtype"
            | "credential"
            | "oauth_refresh_token" => {}
            key if key.ends_with("[]") => {}
            key => printed.add(key, value)?,
        }
    }
    printed.checked()
}

fn of_json(text: &str) -> Result<Printed, String> {
    let value: Value = serde_json::from_str(text).map_err(|error| {
        format!("what it printed is not JSON at line {}, column {}", error.line(), error.column())
    })?;
    let mut printed = Printed::default();
    if value["kind"] == "ExecCredential" {
        let token = value["status"]["token"].as_str().ok_or("its ExecCredential has no status.token")?;
        printed.add("token", token)?;
        if let Some(end) = value["status"]["expirationTimestamp"].as_str() {
            printed.expires = Some(time(end)?);
        }
        return Ok(printed);
    }
    for (key, value) in value.as_object().into_iter().flatten() {
        match (key.as_str(), value) {
            (_, Value::Null) => {}
            ("expires_at", Value::String(end)) => printed.expires = Some(time(end)?),
            (key, Value::String(value)) => printed.add(key, value)?,
            (key, _) => return Err(format!("`{key}` in what it printed is not a text")),
        }
    }
    printed.checked()
}

impl Printed {
    /// What comes before the variables of `env`. Without an auth URL on either side that is the secrets alone: what else
    /// git's helpers say, a user's name, must not make a login of what only completes one of clouds.yaml.
    pub(super) fn over(&self, env: &dyn Environment) -> BTreeMap<String, Option<Zeroizing<String>>> {
        let is_login = ["OS_AUTH_URL", "OS_ENDPOINT"]
            .iter()
            .any(|name| self.variables.contains_key(*name) || env.get(name).is_some());
        let is_secret =
            |name: &String| SECRETS.iter().any(|(_, variables)| variables.contains(&name.as_str()));
        let mut set = BTreeMap::new();
        for (name, value) in self.variables.iter().filter(|(name, _)| is_login || is_secret(name)) {
            // The same from a file comes after it.
            if is_secret(name) {
                set.insert(format!("{name}_FILE"), None);
            }
            set.insert(name.clone(), Some(value.clone()));
        }
        set
    }

    fn add(&mut self, key: &str, value: &str) -> Result<(), String> {
        let known = || TEXTS.iter().chain(&SECRETS);
        let found = known().find(|(known, _)| *known == key).and_then(|(_, variables)| variables.first());
        let Some(variable) = found else {
            let names = known().map(|(known, _)| *known).chain(["expires_at"]);
            return Err(format!("`{}` is no key of a login{}", shown(key), did_you_mean(key, names)));
        };
        if value.is_empty() {
            return Err(format!("`{key}` in what it printed is empty"));
        }
        self.variables.insert((*variable).to_owned(), Zeroizing::new(value.to_owned()));
        Ok(())
    }

    fn checked(self) -> Result<Self, String> {
        if self.variables.is_empty() { Err("it printed nothing of a login".to_owned()) } else { Ok(self) }
    }
}

/// A key may be a slip that begins with a secret.
fn shown(key: &str) -> String {
    let is_name = key.len() <= 40 && key.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    if is_name { key.to_owned() } else { "..".to_owned() }
}

fn time(text: &str) -> Result<SystemTime, String> {
    let time: Timestamp =
        text.trim().parse().map_err(|_| "its time of expiry is not one of RFC 3339".to_owned())?;
    let seconds = u64::try_from(time.as_second()).unwrap_or(0);
    let time = SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds));
    time.ok_or_else(|| "its time of expiry is too far away".to_owned())
}

/// A helper may ask a person, or another machine.
const TIMEOUT: Duration = Duration::from_secs(30);
/// As a file of a secret.
const LONGEST: u64 = 64 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(script: &str) -> Result<Printed, String> {
        run(&[script.to_owned()])
    }

    fn told(printed: &Printed, name: &str) -> String {
        printed.variables.get(name).map(|value| value.to_string()).unwrap_or_default()
    }

    #[test]
    fn each_form_is_understood() {
        let of_git = printed(
            "printf 'protocol=https\\nstate[]=x\\nusername=u\\npassword=a=b\\npassword_expiry_utc=1000\\n'",
        )
        .unwrap();
        assert_eq!(
            (told(&of_git, "OS_USERNAME"), told(&of_git, "OS_PASSWORD")),
            ("u".to_owned(), "a=b".to_owned())
        );
        assert_eq!(of_git.expires, Some(SystemTime::UNIX_EPOCH + Duration::from_secs(1000)));
        let of_kubernetes = printed(
            r#"echo '{"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential",
                "status": {"token": "t", "expirationTimestamp": "1970-01-01T00:01:00Z"}}'"#,
        )
        .unwrap();
        assert_eq!(told(&of_kubernetes, "OS_TOKEN"), "t");
        assert_eq!(of_kubernetes.expires, Some(SystemTime::UNIX_EPOCH + Duration::from_secs(60)));
        let of_json = printed(
            r#"echo '{"application_credential_id": "i", "application_credential_secret": "s", "expires_at": null}'"#,
        )
        .unwrap();
        assert_eq!(told(&of_json, "OS_APPLICATION_CREDENTIAL_SECRET"), "s");
        assert_eq!(of_json.expires, None);
        let as_it_is = run(&["printf".to_owned(), "password=%s".to_owned(), "$HOME; x".to_owned()]).unwrap();
        assert_eq!(told(&as_it_is, "OS_PASSWORD"), "$HOME; x");
    }

    #[test]
    fn what_is_wrong_is_told_without_what_was_printed() {
        for (script, part) in [
            ("echo hunter2", "line 1 of what it printed is not of the form key=value"),
            ("echo '{\"password\": hunter2}'", "not JSON at line 1"),
            ("echo '{\"password\": [\"hunter2\"]}'", "`password` in what it printed is not a text"),
            ("echo passwrd=hunter2", "`passwrd` is no key of a login; did you mean `password`?"),
            ("echo hunter2=x", "`..` is no key of a login"),
            ("printf 'password=hunter2\\nexpires_at=tomorrow'", "not one of RFC 3339"),
            ("true", "it printed nothing of a login"),
            (
                "echo password=x; echo password_expiry_utc=18446744073709551615",
                "no number of seconds that can be",
            ),
            ("echo password=x; echo password_expiry_utc=-1", "no number of seconds that can be"),
            ("echo password=", "`password` in what it printed is empty"),
            ("echo password=hunter2; exit 3", "it failed (exit status: 3)"),
            ("head -c 70000 /dev/zero | tr '\\0' a", "more than 65536 bytes"),
            ("printf 'password=\\377'", "not UTF-8"),
            ("echo '{\"kind\": \"ExecCredential\"}'", "no status.token"),
        ] {
            let why = printed(script).err().unwrap_or_else(|| panic!("{script}"));
            assert!(why.contains(part) && !why.contains("hunter2"), "{script}: {why}");
        }
        let why = run(&["/nowhere/helper".to_owned(), "x".to_owned()]).err().unwrap();
        assert!(why.starts_with("`/nowhere/helper` cannot be started"), "{why}");
    }
}
