//! The command line exactly as typed; what it means is decided in [`crate::config`].
//!
//! No secret is ever an argument: arguments are seen by every user of the machine.

use std::ffi::OsString;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};

use crate::duration;
use crate::tools::Tool;

/// A local authenticating reverse proxy for OpenStack clouds.
///
/// Gatestone listens on loopback, accepts requests without credentials, adds a Keystone token
/// that it keeps fresh, and forwards them to the endpoint that the service catalog names.
#[derive(Clone, Debug, Parser)]
#[command(name = "gatestone", version = VERSION, propagate_version = true, after_help = AFTER_HELP)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Run the proxy
    Run(RunArgs),
    /// Log in, and show who we are and where each service is
    ///
    /// With a PATH, show which upstream URL a request would go to and why; nothing is sent there.
    Check(CheckArgs),
    /// Ask a running proxy whether it is well; exit status 0 or 1
    Health(HealthArgs),
    /// Print what points a tool at a running proxy, for a shell to evaluate
    ///
    /// eval "$(gatestone env --for swift)" sets the variables that the tool reads, and unsets those of a login that
    /// would take it elsewhere. User and password are made up: the proxy asks for none, and no secret is printed.
    Env(EnvArgs),
    /// Run a command with a proxy of its own, and without the credentials
    ///
    /// Logs in, listens on a free port of 127.0.0.1, and runs CMD with variables that point OpenStack clients, rclone,
    /// duplicity and (by GATESTONE_URL) anything else at it. The credentials are taken out of its environment, and
    /// clouds.yaml is replaced. Signals are passed on; the exit status is CMD's, or 128 and the number of the signal
    /// that ended it, 127 if there is no such command, 126 if it cannot be run. The proxy ends with CMD.
    ///
    /// Only warnings are logged unless a level is set.
    Exec(ExecArgs),
    /// Run a cloud of our own on loopback, with the proxy in front: no account needed
    ///
    /// The cloud lives in memory and ends with the command. It has identity, object store, image,
    /// compute and other services in four regions, and tokens short enough to watch them being replaced.
    Demo(DemoArgs),
    /// Print what completes our commands and flags in a shell
    ///
    /// bash: gatestone completions bash > ~/.local/share/bash-completion/completions/gatestone
    /// zsh: gatestone completions zsh > a file named _gatestone in a folder of $fpath
    /// fish: gatestone completions fish > ~/.config/fish/completions/gatestone.fish
    #[command(verbatim_doc_comment)]
    Completions(CompletionsArgs),
    /// Print the manual page, or write one for each command into a folder
    ///
    /// To read it: gatestone man | man -l -
    Man(ManArgs),
}

/// Arguments of `completions`.
#[derive(Clone, Copy, Debug, Args)]
pub struct CompletionsArgs {
    /// The shell
    #[arg(value_name = "SHELL", value_enum)]
    pub shell: clap_complete::Shell,
}

/// Arguments of `man`.
#[derive(Clone, Debug, Args)]
pub struct ManArgs {
    /// Folder to write gatestone.1, gatestone-run.1 and the others into
    #[arg(value_name = "FOLDER")]
    pub folder: Option<PathBuf>,
}

/// Arguments of `run`.
#[derive(Clone, Debug, Args)]
pub struct RunArgs {
    /// What `check` takes as well.
    #[command(flatten)]
    pub cloud: CloudArgs,
    /// The rest.
    #[command(flatten)]
    pub server: ServerArgs,
}

/// Arguments of `check`.
#[derive(Clone, Debug, Args)]
pub struct CheckArgs {
    /// A path as a client would ask for it, such as /compute/v2.1/servers
    #[arg(value_name = "PATH")]
    pub path: Option<String>,
    /// The method to judge the PATH for by the rules of the settings
    #[arg(long, value_name = "METHOD", default_value = "GET", requires = "path", value_parser = method)]
    pub method: http::Method,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
    /// What `run` takes as well.
    #[command(flatten)]
    pub cloud: CloudArgs,
}

/// Arguments of `health`.
#[derive(Clone, Debug, Args)]
pub struct HealthArgs {
    /// Ask whether it is ready to serve, not only alive
    #[arg(long)]
    pub ready: bool,
    /// Keep asking for so long until the answer is yes, such as 30s
    #[arg(long, value_name = "TIME", value_parser = duration::parse)]
    pub wait: Option<Duration>,
    /// Where the proxy listens [default: where it would by its settings] [env: GATESTONE_LISTEN]
    #[arg(long, value_name = "ADDR")]
    pub listen: Option<String>,
}

/// Arguments of `env`.
#[derive(Clone, Debug, Args)]
pub struct EnvArgs {
    /// The tool
    #[arg(long = "for", value_name = "TOOL", value_enum, default_value = "openstack")]
    pub tool: Tool,
    /// Where the proxy listens [default: where it would by its settings] [env: GATESTONE_LISTEN]
    #[arg(long, value_name = "ADDR")]
    pub listen: Option<String>,
}

/// Arguments of `exec`.
#[derive(Clone, Debug, Args)]
pub struct ExecArgs {
    /// Point this tool alone at the proxy [default: all that go together]
    #[arg(long = "for", value_name = "TOOL", value_enum)]
    pub tool: Option<Tool>,
    /// What `check` takes as well.
    #[command(flatten)]
    pub cloud: CloudArgs,
    /// The command and its arguments
    #[arg(last = true, required = true, value_name = "CMD")]
    pub command: Vec<OsString>,
}

/// Arguments of `demo`.
#[derive(Clone, Debug, Default, Args)]
pub struct DemoArgs {
    /// Walk through what the proxy does, and end; exit status 0 only if every step held
    #[arg(long)]
    pub tour: bool,
    /// Leave the object store empty
    #[arg(long, conflicts_with = "tour")]
    pub empty: bool,
    /// Life of the cloud's tokens [default: 20s, with --tour 6s]
    #[arg(long, value_name = "TIME", value_parser = token_ttl)]
    pub token_ttl: Option<Duration>,
    /// Loopback address of the proxy, such as localhost:8080; port 0 takes a free one
    /// [default: localhost:5050, or a free port if that is taken]
    #[arg(long, value_name = "ADDR", value_parser = loopback)]
    pub listen: Option<SocketAddr>,
}

fn method(text: &str) -> Result<http::Method, String> {
    text.parse().map_err(|_| format!("`{text}` is no method such as `DELETE`"))
}

fn token_ttl(text: &str) -> Result<Duration, String> {
    let ttl = duration::parse(text)?;
    if ttl < SHORTEST_TTL { Err(format!("`{text}` is too short; the least is 3s")) } else { Ok(ttl) }
}

/// Below this, a login and a request hardly fit in.
const SHORTEST_TTL: Duration = Duration::from_secs(3);

fn loopback(text: &str) -> Result<SocketAddr, String> {
    let numeric = text.strip_prefix("localhost:").map(|port| format!("{}:{port}", Ipv4Addr::LOCALHOST));
    let addr: SocketAddr = numeric
        .as_deref()
        .unwrap_or(text)
        .parse()
        .map_err(|_| format!("`{text}` is not an address such as `127.0.0.1:5050`"))?;
    if addr.ip().is_loopback() { Ok(addr) } else { Err(format!("`{text}` is no loopback address")) }
}

/// Which cloud, and how we tell about it.
#[derive(Clone, Debug, Default, Args)]
pub struct CloudArgs {
    /// Cloud of clouds.yaml to log in to [env: GATESTONE_CLOUD, OS_CLOUD]
    ///
    /// Without it, the OS_* variables are the cloud, or else the only one in clouds.yaml.
    #[arg(long, value_name = "NAME", help_heading = "Cloud")]
    pub cloud: Option<String>,
    /// openrc file whose exports come before the environment's [env: GATESTONE_OPENRC]
    ///
    /// It is read and never executed. Where it asks for a password (`read -s`), that is asked on the terminal.
    #[arg(long, value_name = "FILE", help_heading = "Cloud")]
    pub openrc: Option<PathBuf>,
    /// Region whose endpoints are used [env: GATESTONE_REGION, OS_REGION_NAME]
    #[arg(long, value_name = "REGION", help_heading = "Cloud")]
    pub region: Option<String>,
    /// Interface whose endpoints are used: public, internal or admin, or several in order of
    /// preference, between commas [default: the cloud's, else public] [env: GATESTONE_INTERFACE, OS_INTERFACE]
    #[arg(long, value_name = "INTERFACE", help_heading = "Cloud")]
    pub interface: Option<String>,
    /// File of settings [default: gatestone/gatestone.toml in ~/.config, then /etc] [env: GATESTONE_CONFIG]
    #[arg(long, value_name = "FILE", help_heading = "Settings")]
    pub config: Option<PathBuf>,
    /// Shape of log records: text or json [default: text] [env: GATESTONE_LOG_FORMAT]
    #[arg(long, value_name = "FORMAT", help_heading = "Logs", value_parser = ["text", "json"], hide_possible_values = true)]
    pub log_format: Option<String>,
    /// Least level that is logged: error, warn, info, debug or trace [default: info] [env: GATESTONE_LOG_LEVEL]
    #[arg(
        long,
        value_name = "LEVEL",
        help_heading = "Logs",
        value_parser = ["error", "warn", "info", "debug", "trace"],
        hide_possible_values = true
    )]
    pub log_level: Option<String>,
}

/// How the proxy runs.
#[derive(Clone, Debug, Default, Args)]
pub struct ServerArgs {
    /// Address to listen on; may be repeated [default: localhost:5050] [env: GATESTONE_LISTEN, between commas]
    #[arg(long, value_name = "ADDR", help_heading = "Server", long_help = LISTEN_HELP)]
    pub listen: Vec<String>,
    /// Only read: refuse every request but GET, HEAD and OPTIONS [env: GATESTONE_READ_ONLY=true]
    #[arg(long, help_heading = "Server")]
    pub read_only: bool,
    /// Threads that serve requests [default: one a core] [env: GATESTONE_WORKERS]
    #[arg(long, value_name = "COUNT", help_heading = "Server")]
    pub workers: Option<usize>,
    /// How long requests in flight may go on after the signal to stop [default: 30s] [env: GATESTONE_SHUTDOWN_TIMEOUT]
    #[arg(long, value_name = "TIME", help_heading = "Server")]
    pub shutdown_timeout: Option<String>,
    /// When Keystone refuses the credentials at start: exit with status 77 (1 if it is its
    /// certificate that is not trusted), or wait, not ready, and try twice more [default: exit] [env: GATESTONE_ON_REFUSED]
    #[arg(
        long,
        value_name = "exit|wait",
        help_heading = "Server",
        value_parser = ["exit", "wait"],
        hide_possible_values = true
    )]
    pub on_refused: Option<String>,
    /// Log one record a request [env: GATESTONE_ACCESS_LOG=true]
    #[arg(long, help_heading = "Logs")]
    pub access_log: bool,
}

/// With the commit that was built.
const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), " (", env!("GATESTONE_COMMIT"), ")");

/// Not a doc comment, where `[::1]` would be a link.
const LISTEN_HELP: &str = "\
Address to listen on; may be repeated [default: localhost:5050] [env: GATESTONE_LISTEN, between commas]

127.0.0.1:5050, [::1]:5050, localhost:5050 for both, or unix:/path/to.sock. Port 0 takes a free port.
An address that other machines can reach needs `allow_remote` in the settings.
systemd takes the sockets that a .socket unit has opened, systemd:NAME those with that FileDescriptorName=.

SERVICE=ADDR or SERVICE@REGION=ADDR has that service alone, at its root, for tools that take only a host and
a port: object-store=localhost:5051.";

const AFTER_HELP: &str = "\
Examples:
  gatestone demo --tour            see it work, without an account
  gatestone check                  log in once; who we are, and where each service is
  gatestone run                    the proxy, until Ctrl-C; then, for example:
    curl http://127.0.0.1:5050/object-store
  gatestone exec -- openstack server list
                                   a command with a proxy of its own, and no secret
  eval \"$(gatestone env --for swift)\"
                                   point a tool of this shell at the proxy that runs

Credentials come from where OpenStack users have them: OS_* variables (an openrc file), or clouds.yaml \
with --cloud. Any secret may lie in a file (OS_PASSWORD_FILE). None is ever given as an argument.

Settings are taken from flags, then environment variables, then the file of settings, then clouds.yaml, then defaults.";

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn parse(line: &str) -> Result<Cli, clap::Error> {
        Cli::try_parse_from(line.split_whitespace())
    }

    #[test]
    fn the_definition_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn arguments_are_kept_as_typed() {
        let Command::Run(run) = parse(
            "gatestone run --cloud a --listen 127.0.0.1:0 --listen unix:/s --access-log --on-refused wait",
        )
        .unwrap()
        .command
        else {
            panic!()
        };
        assert_eq!(run.server.listen, ["127.0.0.1:0", "unix:/s"]);
        assert!(run.server.access_log);
        assert_eq!((run.cloud.cloud.as_deref(), run.server.on_refused.as_deref()), (Some("a"), Some("wait")));
        let Command::Check(check) =
            parse("gatestone check /compute/servers --json --region R").unwrap().command
        else {
            panic!()
        };
        assert_eq!((check.path.as_deref(), check.json), (Some("/compute/servers"), true));
        let Command::Health(health) = parse("gatestone health --ready --wait 30s").unwrap().command else {
            panic!()
        };
        assert_eq!(health.wait, Some(Duration::from_secs(30)));
        let Command::Env(env) = parse("gatestone env --listen unix:/s").unwrap().command else { panic!() };
        assert_eq!((env.tool, env.listen.as_deref()), (Tool::Openstack, Some("unix:/s")));
        let Command::Exec(exec) =
            parse("gatestone exec --cloud a --for swift -- swift --cloud b --help").unwrap().command
        else {
            panic!()
        };
        assert_eq!(exec.command, ["swift", "--cloud", "b", "--help"]);
        assert_eq!((exec.tool, exec.cloud.cloud.as_deref()), (Some(Tool::Swift), Some("a")));
        let Command::Demo(demo) = parse("gatestone demo --tour --token-ttl 5s").unwrap().command else {
            panic!()
        };
        assert_eq!((demo.tour, demo.token_ttl, demo.listen), (true, Some(Duration::from_secs(5)), None));
        let Command::Demo(demo) = parse("gatestone demo --listen localhost:5051").unwrap().command else {
            panic!()
        };
        assert_eq!(demo.listen, Some(([127, 0, 0, 1], 5051).into()));
    }

    #[test]
    fn wrong_usage_is_exit_status_2() {
        for line in [
            "gatestone",
            "gatestone rnu",
            "gatestone run --on-refused never",
            "gatestone run --workers many",
            "gatestone health --wait 30",
            "gatestone check --log-format xml",
            "gatestone run --password x",
            "gatestone env --for awscli",
            "gatestone exec",
            "gatestone exec --",
            "gatestone exec curl http://x",
            "gatestone exec --password x -- true",
            "gatestone demo --token-ttl 1s",
            "gatestone demo --tour --empty",
            "gatestone demo --listen 0.0.0.0:5050",
            "gatestone demo --listen localhost",
        ] {
            assert_eq!(parse(line).unwrap_err().exit_code(), 2, "{line}");
        }
        assert_eq!(parse("gatestone --version").unwrap_err().exit_code(), 0);
    }

    #[test]
    fn every_flag_of_run_and_exec_names_its_variable() {
        let mut command = Cli::command();
        let flags_of = |name: &str| {
            let arguments = command.find_subcommand_mut(name).unwrap().get_arguments();
            arguments.filter(|it| it.get_id() != "help").cloned().collect::<Vec<_>>()
        };
        for argument in ["run", "exec"].into_iter().flat_map(flags_of) {
            let Some(long) = argument.get_long() else { continue };
            // A choice for once, with no variable.
            if ["version", "for"].contains(&long) {
                continue;
            }
            let variable = format!("GATESTONE_{}", long.replace('-', "_").to_uppercase());
            let help = argument.get_help().map(ToString::to_string).unwrap_or_default();
            assert!(help.contains(&variable), "{variable} in {help}");
        }
    }
}
