//! The `gatestone` program: arguments, settings, logging, and the exit status.

use std::io;
use std::process::ExitCode;

use clap::Parser;
use gatestone::cli::{CheckArgs, Cli, Command, DemoArgs, EnvArgs, ExecArgs, HealthArgs, RunArgs, ServerArgs};
use gatestone::commands::{self, Exit, complain};
use gatestone::config::Environment as _;
use gatestone::config::{self, Config, LogSettings, Mistakes, Places, ProcessEnvironment};
use gatestone::logging;
use gatestone::server;

fn main() -> ExitCode {
    forbid_dumps();
    let outcome = match Cli::parse().command {
        Command::Run(args) => run(args),
        Command::Check(args) => check(&args),
        Command::Health(args) => health(&args),
        Command::Env(args) => env(&args),
        Command::Exec(args) => exec(&args),
        Command::Demo(args) => demo(&args),
        Command::Completions(args) => commands::words::completions(args.shell),
        Command::Man(args) => commands::words::man(args.folder.as_deref()),
    };
    match outcome {
        Ok(exit) => exit.into(),
        Err(error) => {
            complain(format_args!("the system does not let us run: {error}"));
            Exit::Failure.into()
        }
    }
}

/// No core dump and no debugger of the same user gets to see the secrets in our memory.
fn forbid_dumps() {
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{DumpableBehavior, set_dumpable_behavior};
        if let Err(error) = set_dumpable_behavior(DumpableBehavior::NotDumpable) {
            complain(format_args!("the process stays dumpable: {error}"));
        }
    }
}

fn run(args: RunArgs) -> io::Result<Exit> {
    let environment = ProcessEnvironment;
    // Before any command of the settings runs.
    server::adopt(&environment.get("LISTEN_FDNAMES").unwrap_or_default());
    let places = Places::of_process(&environment);
    match Config::load_all(&args.cloud, &args.server, &environment, &places) {
        Ok(configs) => {
            configs.first().into_iter().for_each(|config| logging::start(&config.log));
            commands::run::run(configs, move |of| {
                let places = Places::of_process(&environment);
                Config::load_one(of, &args.cloud, &args.server, &environment, &places)
            })
        }
        Err(mistakes) => Ok(wrong_settings(&mistakes)),
    }
}

fn check(args: &CheckArgs) -> io::Result<Exit> {
    let environment = ProcessEnvironment;
    let places = Places::of_process(&environment);
    let asked = args.path.as_deref().map(|path| (&args.method, path));
    let one = args.cloud.cloud.is_some() || asked.is_some();
    let configs = if one {
        Config::load(&args.cloud, &ServerArgs::default(), &environment, &places).map(|config| vec![config])
    } else {
        Config::load_all(&args.cloud, &ServerArgs::default(), &environment, &places)
    };
    match configs {
        Ok(configs) => {
            configs.first().into_iter().for_each(|config| logging::start(&config.log));
            commands::check::run(configs, asked, args.json)
        }
        Err(mistakes) => {
            if args.json {
                commands::check::tell_mistakes(&mistakes)?;
            }
            Ok(wrong_settings(&mistakes))
        }
    }
}

fn health(args: &HealthArgs) -> io::Result<Exit> {
    let environment = ProcessEnvironment;
    let places = Places::of_process(&environment);
    match config::health_addresses(args.listen.as_deref(), &environment, &places) {
        Ok(addresses) => commands::health::run(&addresses, args.ready, args.wait),
        Err(mistakes) => Ok(wrong_settings(&mistakes)),
    }
}

fn env(args: &EnvArgs) -> io::Result<Exit> {
    let environment = ProcessEnvironment;
    let places = Places::of_process(&environment);
    match config::health_addresses(args.listen.as_deref(), &environment, &places) {
        Ok(addresses) => commands::env::run(&addresses, args.tool, &environment),
        Err(mistakes) => Ok(wrong_settings(&mistakes)),
    }
}

fn exec(args: &ExecArgs) -> io::Result<Exit> {
    let cloud = args.cloud.clone();
    let load = move || {
        let environment = ProcessEnvironment;
        let places = Places::of_process(&environment);
        Config::load_private(&cloud, &environment, &places)
    };
    match load() {
        Ok(config) => {
            logging::start(&config.log);
            commands::exec::run(config, load, args, ProcessEnvironment::all())
        }
        Err(mistakes) => Ok(wrong_settings(&mistakes)),
    }
}

/// Needs no settings; only what goes wrong is logged.
fn demo(args: &DemoArgs) -> io::Result<Exit> {
    logging::start(&LogSettings { level: tracing::Level::ERROR, ..LogSettings::default() });
    commands::demo::run(args)
}

fn wrong_settings(mistakes: &Mistakes) -> Exit {
    complain(mistakes);
    Exit::Usage
}
