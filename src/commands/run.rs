//! `gatestone run`: the proxy, until a signal.

use std::io;

use serde_json::json;
use tokio::runtime;
use tokio::sync::watch;
use tracing::{info, warn};

use super::{Exit, complain, explain_refusal, print};
use crate::clock::Clock;
use crate::config::{Config, LogFormat};
use crate::run::{Gatestone, Ready, RunError};
use crate::shutdown::{Signals, Stop};
use crate::worker::Layout;

/// Runs the proxy on a runtime of its own beside the workers'.
pub fn run(config: Config) -> io::Result<Exit> {
    runtime::Builder::new_current_thread().enable_all().build()?.block_on(serve(config))
}

async fn serve(config: Config) -> io::Result<Exit> {
    for warning in &config.warnings {
        warn!("{warning}");
    }
    let for_messages = config.clone();
    let format = config.log.format;
    let layout = Layout::PerCore(config.workers);
    let gatestone = match Gatestone::bind(config, Clock::system()) {
        Ok(gatestone) => gatestone,
        Err(error) => return Ok(fail(&error, &for_messages)),
    };
    for addr in gatestone.addresses() {
        info!(%addr, "listening");
    }
    let (stop, told) = watch::channel(Stop::No);
    tokio::spawn(Signals::catch()?.tell(stop));
    match gatestone.run(layout, told.clone(), |ready| announce(ready, format)).await {
        Ok(()) if *told.borrow() == Stop::Now => Ok(Exit::Failure),
        Ok(()) => Ok(Exit::Success),
        Err(error) => Ok(fail(&error, &for_messages)),
    }
}

fn fail(error: &RunError, config: &Config) -> Exit {
    match error {
        RunError::NoLogin(refusal) if refusal.is_refusal() => {
            complain(explain_refusal(refusal, config));
            Exit::Refused
        }
        RunError::UnknownRegion { .. } | RunError::AllowedHost(_) => {
            complain(error);
            Exit::Usage
        }
        RunError::NoLogin(_)
        | RunError::Bind(_)
        | RunError::Client(_)
        | RunError::NoListener
        | RunError::System(_) => {
            complain(error);
            Exit::Failure
        }
    }
}

/// The one line that says that requests are served now.
fn announce(ready: &Ready, format: LogFormat) {
    let snapshot = &ready.snapshot;
    let addresses: Vec<String> = ready.addresses.iter().map(ToString::to_string).collect();
    let user = &snapshot.holder.user.name;
    let scope = snapshot.holder.scope.to_string();
    let region = snapshot.routes.region().map_or("any", |region| region.0.as_str());
    let services = snapshot.routes.service_count();
    let line = match format {
        LogFormat::Text => format!(
            "gatestone ready on {} as user {user}, {scope}, region {region}, {services} services",
            addresses.join(" and ")
        ),
        LogFormat::Json => json!({
            "message": "gatestone ready",
            "listen": addresses,
            "user": user,
            "scope": scope,
            "region": region,
            "services": services,
        })
        .to_string(),
    };
    if let Err(error) = print(line) {
        warn!(%error, "standard output cannot be written");
    }
}
