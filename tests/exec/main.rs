//! `gatestone exec` and `gatestone env` as processes, with a cloud in this one.
//!
//! Real processes have real time, so no clock is stopped here; everything is waited for, and nothing for a while.

#![expect(clippy::unwrap_used, reason = "a test says so by failing")]

use std::fs::File;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Output, Stdio};
use std::time::Duration;

use gatestone::embedded::people::{DOMAIN, PROJECTS, USERS};
use gatestone::embedded::{Cloud, Fault, Spec};
use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::{Child, Command};

/// A cloud, and a home without any settings.
struct Scene {
    cloud: Cloud,
    home: tempfile::TempDir,
}

impl Scene {
    async fn new() -> Self {
        Self { cloud: Cloud::start(Spec::default()).await.unwrap(), home: tempfile::tempdir().unwrap() }
    }

    /// As with an openrc file loaded, and nothing else of whoever runs the tests: not the signals either that are ignored
    /// there, as they are below `nohup` and in the background of a script.
    fn gatestone(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("env");
        command
            .args(["--default-signal", env!("CARGO_BIN_EXE_gatestone")])
            .args(arguments)
            .env_clear()
            .env("PATH", option_env!("PATH").unwrap_or("/usr/local/bin:/usr/bin:/bin"))
            .env("HOME", self.home.path())
            .env("OS_AUTH_URL", self.cloud.auth_url())
            .env("OS_USERNAME", USERS[0].name)
            .env("OS_PASSWORD", USERS[0].password)
            .env("OS_USER_DOMAIN_NAME", DOMAIN.1)
            .env("OS_PROJECT_NAME", PROJECTS[0].name)
            .env("OS_PROJECT_DOMAIN_NAME", DOMAIN.1)
            .env("OS_REGION_NAME", "RegionOne")
            .current_dir(self.home.path())
            .stdin(Stdio::null())
            .kill_on_drop(true);
        command
    }

    /// `sh -c script` in `gatestone exec`.
    fn exec(&self, script: &str) -> Command {
        self.gatestone(&["exec", "--", "sh", "-c", script])
    }

    async fn done(&self, script: &str) -> (Option<i32>, String, String) {
        texts(self.exec(script).output().await.unwrap())
    }

    fn logins(&self) -> usize {
        let seen = self.cloud.identity().unwrap().seen().requests();
        seen.iter().filter(|asked| asked.method == "POST" && asked.target == "/v3/auth/tokens").count()
    }
}

fn texts(output: Output) -> (Option<i32>, String, String) {
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

/// A running command, once it has said `ready`.
struct Running {
    child: Child,
    pid: Pid,
    rest: BufReader<tokio::process::ChildStdout>,
}

impl Running {
    async fn start(mut command: Command) -> Self {
        Self::of(command.stdout(Stdio::piped()).spawn().unwrap()).await
    }

    async fn of(mut child: Child) -> Self {
        let pid = Pid::from_raw(child.id().unwrap().try_into().unwrap()).unwrap();
        let mut rest = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        rest.read_line(&mut line).await.unwrap();
        assert_eq!(line, "ready\n");
        Self { child, pid, rest }
    }

    async fn end(mut self) -> (Option<i32>, String) {
        let mut said = String::new();
        self.rest.read_to_string(&mut said).await.unwrap();
        let status = self.child.wait().await.unwrap();
        assert_eq!(status.signal(), None);
        (status.code(), said)
    }
}

#[tokio::test]
async fn the_commands_status_is_ours_and_nothing_is_said_beside_it() {
    let scene = Scene::new().await;
    for (script, status) in [("exit 0", 0), ("exit 7", 7), ("exit 255", 255), ("kill -KILL $$", 137)] {
        assert_eq!(scene.done(script).await, (Some(status), String::new(), String::new()), "{script}");
    }
    let (status, out, err) = scene.done("echo out; echo err >&2").await;
    assert_eq!((status, out.as_str(), err.as_str()), (Some(0), "out\n", "err\n"));
}

#[tokio::test]
async fn a_command_that_cannot_be_run_is_126_or_127() {
    let scene = Scene::new().await;
    for (program, status) in
        [("no-such-command", 127), ("/no/such/command", 127), ("/", 126), ("/etc/passwd", 126)]
    {
        let output = scene.gatestone(&["exec", "--", program]).output().await.unwrap();
        let (code, out, err) = texts(output);
        assert_eq!((code, out.as_str()), (Some(status), ""), "{program}");
        assert!(err.contains(program), "{err}");
    }
}

#[tokio::test]
async fn input_is_the_commands() {
    let scene = Scene::new().await;
    let path = scene.home.path().join("input");
    std::fs::write(&path, "from outside").unwrap();
    let output = scene.exec("cat").stdin(File::open(&path).unwrap()).output().await.unwrap();
    assert_eq!(texts(output), (Some(0), "from outside".to_owned(), String::new()));
}

#[tokio::test]
async fn refused_credentials_are_77_and_the_command_never_runs() {
    let scene = Scene::new().await;
    let output = scene.exec("echo ran").env("OS_PASSWORD", "wrong horse").output().await.unwrap();
    let (status, out, err) = texts(output);
    assert_eq!((status, out.as_str()), (Some(77), ""));
    assert!(err.contains("either the password is wrong") && !err.contains("wrong horse"), "{err}");
    assert_eq!(scene.logins(), 1);
    let output = scene.exec("echo ran").env_remove("OS_PASSWORD").output().await.unwrap();
    assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(2), &b""[..]));
}

#[tokio::test]
async fn the_environment_leads_to_the_proxy_and_holds_no_login() {
    let scene = Scene::new().await;
    let output = scene
        .exec("env; for fd in /proc/$$/fd/*; do readlink \"$fd\"; done; cat /proc/$PPID/cmdline")
        .env("TF_VAR_password", USERS[0].password)
        .env("GATESTONE_INTERFACE", "public")
        .env("OS_COMPUTE_API_VERSION", "2.90")
        .output()
        .await
        .unwrap();
    let (status, out, err) = texts(output);
    assert_eq!(status, Some(0), "{err}");
    assert!(!out.contains(USERS[0].password) && !out.contains(&scene.cloud.auth_url()), "{out}");
    let value = |name: &str| {
        let line = out.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
        line.map(str::to_owned)
    };
    let url = value("GATESTONE_URL").unwrap();
    assert!(url.starts_with("http://127.0.0.1:"), "{url}");
    assert_eq!(value("OS_AUTH_URL"), Some(format!("{url}/v3")));
    assert_eq!(value("OS_PASSWORD").as_deref(), Some("unused"));
    assert_eq!(value("OS_PROJECT_ID").as_deref(), Some(PROJECTS[0].id));
    assert_eq!(value("SWIFT_AUTHURL"), Some(format!("{url}/v3")));
    assert_eq!(value("RCLONE_CONFIG_GATESTONE_AUTH"), Some(format!("{url}/auth/v1.0")));
    assert_eq!(value("OS_COMPUTE_API_VERSION").as_deref(), Some("2.90"));
    assert_eq!((value("TF_VAR_password"), value("GATESTONE_INTERFACE")), (None, None));
    assert!(err.contains("TF_VAR_password holds a secret"), "{err}");
    // What clients read in place of the caller's files is gone with the command.
    assert!(!Path::new(&value("OS_CLIENT_CONFIG_FILE").unwrap()).exists());
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn the_proxys_own_proc_is_closed() {
    use std::os::unix::fs::MetadataExt;
    let scene = Scene::new().await;
    let mut command =
        scene.exec("echo ready; read -r x; tr '\\0' '\\n' < /proc/$PPID/environ; ls /proc/$PPID/fd");
    // Root may read everything.
    if rustix::process::geteuid().is_root() {
        command.uid(65534).gid(65534).env("HOME", "/").current_dir("/");
    }
    command.stdin(Stdio::piped()).stderr(Stdio::null());
    let mut running = match command.stdout(Stdio::piped()).spawn() {
        Ok(child) => Running::of(child).await,
        // The program lies where only root can go; the cases before a real cloud see to that.
        Err(error) => return assert_eq!(error.kind(), std::io::ErrorKind::PermissionDenied),
    };
    // A process that is not dumpable has files in /proc that are root's.
    let place = format!("/proc/{}", running.pid.as_raw_nonzero());
    for name in ["environ", "mem", "maps", "fd"] {
        assert_eq!(std::fs::metadata(format!("{place}/{name}")).unwrap().uid(), 0, "{name}");
    }
    let arguments = std::fs::read_to_string(format!("{place}/cmdline")).unwrap();
    assert!(!arguments.contains(USERS[0].password));
    drop(running.child.stdin.take());
    let (status, said) = running.end().await;
    assert_ne!(status, Some(0));
    assert_eq!(said, "");
}

#[tokio::test]
async fn an_open_file_with_the_password_is_not_inherited() {
    let scene = Scene::new().await;
    let path = scene.home.path().join("password");
    std::fs::write(&path, USERS[0].password).unwrap();
    for file in [path.to_str().unwrap(), "/dev/stdin"] {
        let output = scene
            .exec("cat")
            .env_remove("OS_PASSWORD")
            .env("OS_PASSWORD_FILE", file)
            .stdin(File::open(&path).unwrap())
            .output()
            .await
            .unwrap();
        let (status, out, err) = texts(output);
        assert_eq!((status, out.as_str()), (Some(2), ""), "{file}");
        assert!(err.contains("descriptor 0 is open on"), "{err}");
    }
    let closed = scene.exec("true").env_remove("OS_PASSWORD").env("OS_PASSWORD_FILE", &path).status().await;
    assert_eq!(closed.unwrap().code(), Some(0));
}

#[tokio::test]
async fn signals_reach_the_command_and_its_answer_is_ours() {
    let scene = Scene::new().await;
    for (signal, name) in
        [(Signal::TERM, "TERM"), (Signal::HUP, "HUP"), (Signal::USR1, "USR1"), (Signal::USR2, "USR2")]
    {
        // `wait` is what a trap interrupts at once (POSIX 2.12).
        let script = format!(
            "trap 'echo got {name}; kill $!; exit 7' {name}; sleep 1000 >/dev/null 2>&1 & echo ready; wait"
        );
        let running = Running::start(scene.exec(&script)).await;
        kill_process(running.pid, signal).unwrap();
        assert_eq!(running.end().await, (Some(7), format!("got {name}\n")));
    }
}

#[tokio::test]
async fn a_command_that_a_signal_ends_gives_128_and_its_number() {
    let scene = Scene::new().await;
    let mut command = scene.exec("echo ready; exec cat");
    command.stdin(Stdio::piped());
    let running = Running::start(command).await;
    kill_process(running.pid, Signal::TERM).unwrap();
    assert_eq!(running.end().await, (Some(143), String::new()));
}

#[tokio::test]
async fn a_signal_before_the_first_token_ends_it() {
    let scene = Scene::new().await;
    let identity = scene.cloud.identity().unwrap();
    identity.faults().always(Fault::Slow(Duration::from_mins(10)));
    let child = scene.exec("echo ran").stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    while scene.logins() == 0 {
        tokio::task::yield_now().await;
    }
    let pid = Pid::from_raw(child.id().unwrap().try_into().unwrap()).unwrap();
    kill_process(pid, Signal::TERM).unwrap();
    let (status, out, _) = texts(child.wait_with_output().await.unwrap());
    assert_eq!((status, out.as_str()), (Some(143), ""));
}

#[tokio::test]
async fn what_is_ignored_stays_ignored() {
    let scene = Scene::new().await;
    // As `nohup` does it.
    let mut command = scene.gatestone(&[]);
    let program = env!("CARGO_BIN_EXE_gatestone");
    let script = "trap '' HUP; exec \"$0\" exec -- sh -c 'kill -HUP $$; kill -HUP $PPID; echo alive'";
    command = {
        let mut outer = Command::new("sh");
        outer.args(["-c", script, program]).current_dir(scene.home.path()).env_clear();
        for (name, value) in command.as_std().get_envs() {
            outer.env(name, value.unwrap());
        }
        outer
    };
    assert_eq!(texts(command.output().await.unwrap()), (Some(0), "alive\n".to_owned(), String::new()));
}

#[tokio::test]
async fn the_exit_status_is_known_where_the_end_of_children_is_ignored() {
    let scene = Scene::new().await;
    let program = env!("CARGO_BIN_EXE_gatestone");
    // A shell cannot ignore it; coreutils can.
    let mut outer = Command::new("env");
    outer.args(["--ignore-signal=CHLD", program, "exec", "--", "sh", "-c", "exit 3"]);
    outer.current_dir(scene.home.path()).env_clear();
    for (name, value) in scene.gatestone(&[]).as_std().get_envs() {
        outer.env(name, value.unwrap());
    }
    assert_eq!(texts(outer.output().await.unwrap()), (Some(3), String::new(), String::new()));
}

#[tokio::test]
async fn ten_run_side_by_side_each_with_a_port_of_its_own() {
    let scene = Scene::new().await;
    let mut running = Vec::new();
    for _ in 0..10 {
        let mut command = scene.exec("echo ready; read -r x; echo $GATESTONE_URL");
        command.stdin(Stdio::piped());
        running.push(Running::start(command).await);
    }
    let mut urls = Vec::new();
    for mut one in running {
        drop(one.child.stdin.take());
        let (status, url) = one.end().await;
        assert_eq!(status, Some(0));
        urls.push(url);
    }
    urls.sort();
    urls.dedup();
    assert_eq!(urls.len(), 10);
}

#[tokio::test]
async fn the_proxy_ends_with_the_command_and_not_with_what_it_left_behind() {
    let scene = Scene::new().await;
    let (status, out, err) = scene.done("sleep 1000 >/dev/null 2>&1 & echo $! $GATESTONE_URL").await;
    assert_eq!(status, Some(0), "{err}");
    let (left, url) = out.trim().split_once(' ').unwrap();
    let left = Pid::from_raw(left.parse().unwrap()).unwrap();
    assert!(tokio::net::TcpStream::connect(url.strip_prefix("http://").unwrap()).await.is_err());
    kill_process(left, Signal::KILL).unwrap();
}

#[tokio::test]
async fn env_points_a_shell_at_a_running_proxy() {
    let scene = Scene::new().await;
    // The shell's own login, beside the proxy that `exec` runs.
    let script = "export OS_TOKEN=stale OS_CLOUD=other OS_AUTH_URL=https://there http_proxy=http://proxy; \
                  echo ready; eval \"$(\"$0\" env --listen \"${GATESTONE_URL#http://}\")\"; env";
    let mut command = scene.exec(script);
    command.arg(env!("CARGO_BIN_EXE_gatestone"));
    let (status, out) = Running::start(command).await.end().await;
    assert_eq!(status, Some(0));
    let value = |name: &str| out.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
    let url = value("GATESTONE_URL").unwrap();
    assert_eq!(value("OS_AUTH_URL"), Some(format!("{url}/v3").as_str()));
    assert_eq!(value("OS_PROJECT_ID"), Some(PROJECTS[0].id));
    assert_eq!((value("OS_TOKEN"), value("OS_CLOUD")), (None, None));
    assert_eq!(value("no_proxy"), Some("127.0.0.1"));
}

#[tokio::test]
async fn env_says_when_nobody_answers() {
    let scene = Scene::new().await;
    let free = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let identity = scene.cloud.identity().unwrap().public();
    for (addr, message) in [(free, "nothing answers"), (identity, "404")] {
        let output = scene.gatestone(&["env", "--listen", &addr.to_string()]).output().await.unwrap();
        let (status, out, err) = texts(output);
        assert_eq!((status, out.as_str()), (Some(1), ""));
        assert!(err.contains(message) && err.contains("`gatestone run`"), "{err}");
    }
}

#[tokio::test]
async fn a_check_tells_programs_of_wrong_settings_and_of_a_wrong_region() {
    let scene = Scene::new().await;
    let run = |name: &'static str, value: &'static str| {
        let mut command = scene.gatestone(&["check", "--json"]);
        command.env(name, value);
        async move {
            let (status, out, err) = texts(command.output().await.unwrap());
            (status, serde_json::from_str::<serde_json::Value>(&out).unwrap(), err)
        }
    };
    let (status, report, err) = run("OS_INTERFACE", "outside").await;
    assert_eq!(
        (status, &report["ok"], &report["step"]),
        (Some(2), &false.into(), &"settings".into()),
        "{err}"
    );
    assert_eq!(report["mistakes"][0]["place"], "OS_INTERFACE");
    let (status, report, err) = run("OS_REGION_NAME", "RegionOn").await;
    assert_eq!((status, &report["ok"], &report["step"]), (Some(2), &false.into(), &"region".into()), "{err}");
    assert_eq!(report["settings"]["region"], "OS_REGION_NAME");
    assert!(report["error"].as_str().unwrap().contains("RegionOne"), "{report:#}");
}
